"""An older checkout beside this one: what both cost, and that an installation goes on. See scripts/bench."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
import json
from pathlib import Path
from statistics import median
from typing import Any, Final

from .crowd import loop_seconds, processor_seconds
from .home import Home, home_assistant
from .house import MACHINES, house
from .plant import simulated_plant
from .process import REPOSITORY

# Processor milliseconds a minute, by what is measured.
type Spent = dict[str, float]

# Seconds after the last entry was loaded that are not measured; and those until nothing is added to a registry any more.
WARMING_UP: Final = 60
SETTLING: Final = 20
# What is measured: what blocks Home Assistant, and that with the recorder, which has a thread of its own.
MEASURED: Final = {"event loop": loop_seconds, "process": processor_seconds}
# What must stay as it is.
OWNED: Final = {"entity_id", "disabled_by", "device_id", "name", "id", "name_by_user", "area_id"}
# The speed of the plant's time, and what that means.
SPEEDS: Final = {0: "stands still", 1: "moves"}


async def compare(older: Path, minutes: int) -> None:
    """Print what both checkouts add to an idle Home Assistant's processor time, as the median of minutes.

    Five Home Assistants run side by side, so that each minute is the same for all: an idle one, and of each checkout one
    with a JSO at default intervals whose plant stands still, and one whose plant moves.
    """
    print(f"\nProcessor milliseconds a minute, {minutes} minutes, older and this checkout")
    async with AsyncExitStack() as stack:
        idle = await stack.enter_async_context(
            home_assistant(level="warning", commit_interval=5, tree=older)
        )
        polling: dict[tuple[int, Path], Home] = {}
        for speed in SPEEDS:
            for tree in (older, REPOSITORY):
                plant = await stack.enter_async_context(simulated_plant(["--speed", str(speed)]))
                home = polling[speed, tree] = await stack.enter_async_context(
                    home_assistant(level="warning", commit_interval=5, tree=tree)
                )
                await home.add_inverter(plant.tcp)
        await asyncio.sleep(WARMING_UP)
        homes = [idle, *polling.values()]
        spent: list[list[Spent]] = []
        for _ in range(minutes):
            before = [_so_far(home) for home in homes]
            await asyncio.sleep(60)
            spent.append(
                [
                    {name: after - then[name] for name, after in _so_far(home).items()}
                    for home, then in zip(homes, before, strict=True)
                ]
            )
    for speed, plant_does in SPEEDS.items():
        first, second = (homes.index(polling[speed, tree]) for tree in (older, REPOSITORY))
        for name in MEASURED:
            old, this = (
                [minute[number][name] - minute[0][name] for minute in spent]
                for number in (first, second)
            )
            ratios = [new / former for former, new in zip(old, this, strict=True)]
            print(
                f"the plant {plant_does}, {name}: older {median(old):.1f} ms, this {median(this):.1f} ms,"
                f" ratio {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
            )


def _so_far(home: Home) -> Spent:
    """The processor milliseconds that a Home Assistant has spent so far, by what is measured."""
    return {name: 1000 * measure(home.process_id) for name, measure in MEASURED.items()}


async def update(older: Path) -> int:
    """Make the house with an older checkout, go on with this one, and return how many entities or devices lose something."""
    async with house(tree=older) as one:
        home = one.home
        for entry_id in set(one.entries.values()):
            await home.set_options(
                entry_id,
                power_interval=5,
                energy_interval=60,
                settings_interval=300,
                tier="installer",
            )
        await _settled(home)
        before = await _owned(home)
        await home.update(REPOSITORY)
        await _settled(home)
        after = await _owned(home)
        await home.stop()
        away = _away(home)
    found = [*_differences(before, after, away)]
    losses = sum(difference.is_loss for difference in found)
    print(
        f"{len(before)} entities and devices of {len(MACHINES)} machines and a plant, made by {older}:"
        f" {losses} have lost something, {len(found)} differ"
    )
    for difference in found:
        print(f"  {difference.text}")
    return losses


async def _settled(home: Home) -> None:
    """Wait until all entries are loaded and no more entities come."""
    known = -1
    while (count := len(await _owned(home))) != known:
        known = count
        await asyncio.sleep(SETTLING)


async def _owned(home: Home) -> Mapping[str, dict[str, Any]]:
    """What an owner has, by unique id or device identifier."""
    entities = await home.command("config/entity_registry/list")
    devices = await home.command("config/device_registry/list")
    names = ("entity_id", "disabled_by", "entity_category", "device_id", "translation_key", "name")
    owned = {
        f"{known['entity_id'].split('.')[0]} {known['unique_id']}": {
            name: known[name] for name in names
        }
        for known in entities
        if known["platform"] == "hybrid_inverter"
    }
    for device in devices:
        for domain, identifier in device["identifiers"]:
            if domain == "hybrid_inverter":
                owned[f"device {identifier}"] = {
                    name: device[name]
                    for name in ("id", "via_device_id", "name_by_user", "area_id")
                }
    return owned


def _away(home: Home) -> Mapping[str, str]:
    """The entity ids that Home Assistant gives back to entities that are not there now, by unique id."""
    stored = json.loads((home.config / ".storage" / "core.entity_registry").read_text())
    return {
        f"{known['entity_id'].split('.')[0]} {known['unique_id']}": known["entity_id"]
        for known in stored["data"]["deleted_entities"]
        if known["platform"] == "hybrid_inverter"
    }


@dataclass(frozen=True, slots=True)
class Difference:
    """What has become of an entity or a device, and whether its owner has lost something."""

    text: str
    is_loss: bool = False


def _differences(
    before: Mapping[str, dict[str, Any]],
    after: Mapping[str, dict[str, Any]],
    away: Mapping[str, str],
) -> Iterator[Difference]:
    """Each that is lost, away for now, new or different."""
    for key in sorted(before.keys() | after.keys()):
        then, now = before.get(key, {}), after.get(key, {})
        if not then:
            yield Difference(f"new: {key}")
        elif not now and key in away and away[key] == then["entity_id"]:
            yield Difference(f"away, with its id: {key}")
        elif not now:
            yield Difference(f"lost: {key}", is_loss=True)
        elif changed := [name for name in then if then[name] != now[name]]:
            changes = ", ".join(f"{name} {then[name]} -> {now[name]}" for name in changed)
            yield Difference(f"different: {key}: {changes}", not OWNED.isdisjoint(changed))
