"""An older checkout beside this one: what both cost, and that an installation goes on. See scripts/bench."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import chain
import json
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal

from .crowd import loop_seconds, processor_seconds
from .home import Home, home_assistant
from .house import MACHINES, house
from .plant import simulated_plant
from .process import REPOSITORY

# Processor milliseconds a minute, by what is measured.
type Spent = dict[str, float]

MINUTE: Final = 60
# Seconds after the last entry was loaded that are not measured; and those until nothing is added to a registry any more.
WARMING_UP: Final = 60
SETTLING: Final = 20
# What is measured: what blocks Home Assistant, and that with the recorder, which has a thread of its own.
MEASURED: Final = {"event loop": loop_seconds, "process": processor_seconds}
# What must stay as it is.
OWNED: Final = {"entity_id", "disabled_by", "device_id", "name", "id", "name_by_user", "area_id"}
# The speed of the plant's time, and what that means.
SPEEDS: Final = {0: "stands still", 1: "moves"}


@dataclass(frozen=True, slots=True)
class SideBySide:
    """An idle Home Assistant, and those that poll, by the speed of the plant and the checkout: older, and this one."""

    idle: Home
    polling: Mapping[int, tuple[Home, Home]]


@asynccontextmanager
async def _side_by_side(
    older: Path, watch: Literal["call_count"] | None = None
) -> AsyncIterator[SideBySide]:
    """Run five Home Assistants, so that each minute is the same for all.

    An idle one, and of each checkout one with a JSO at default intervals whose plant stands still, and one whose moves.
    """
    async with AsyncExitStack() as stack:

        async def start(tree: Path) -> Home:
            home = home_assistant(level="warning", commit_interval=5, tree=tree, watch=watch)
            return await stack.enter_async_context(home)

        async def poll(tree: Path, speed: int) -> Home:
            plant = await stack.enter_async_context(simulated_plant(["--speed", str(speed)]))
            home = await start(tree)
            await home.add_inverter(plant.tcp)
            return home

        idle = await start(older)
        polling = {
            speed: (await poll(older, speed), await poll(REPOSITORY, speed)) for speed in SPEEDS
        }
        await asyncio.sleep(WARMING_UP)
        yield SideBySide(idle, polling)


async def compare(older: Path, minutes: int) -> None:
    """Print what both checkouts add to an idle Home Assistant's processor time, as the median of minutes."""
    print(f"\nProcessor milliseconds a minute, {minutes} minutes, older and this checkout")
    async with _side_by_side(older) as running:
        homes = [running.idle, *chain.from_iterable(running.polling.values())]
        spent: list[dict[Home, Spent]] = []
        for _ in range(minutes):
            before = {home: _so_far(home) for home in homes}
            await asyncio.sleep(MINUTE)
            spent.append(
                {
                    home: {name: after - then[name] for name, after in _so_far(home).items()}
                    for home, then in before.items()
                }
            )
    for speed, plant_does in SPEEDS.items():
        for name in MEASURED:
            old, this = (
                [minute[home][name] - minute[running.idle][name] for minute in spent]
                for home in running.polling[speed]
            )
            ratios = [new / former for former, new in zip(old, this, strict=True)]
            print(
                f"the plant {plant_does}, {name}: older {median(old):.1f} ms, this {median(this):.1f} ms,"
                f" ratio {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
            )


async def compare_calls(older: Path, minutes: int) -> None:
    """Print how many functions both checkouts have the event loop enter beyond an idle one, as the median of minutes."""
    print(f"\nFunctions entered a minute, {minutes} minutes, older and this checkout")
    async with _side_by_side(older, watch="call_count") as running:
        await asyncio.sleep(MINUTE * minutes)
        idle = _calls(running.idle, minutes)
        for speed, plant_does in SPEEDS.items():
            old, this = (_calls(home, minutes) - idle for home in running.polling[speed])
            print(
                f"the plant {plant_does}: older {old:.0f}, this {this:.0f}, ratio {this / old:.3f}"
            )


def _calls(home: Home, minutes: int) -> float:
    """The functions that were entered in one of the last minutes, as their median."""
    counts = (home.config / "call_count.txt").read_text(encoding="utf-8").split()
    return median(map(int, counts[-minutes:]))


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
