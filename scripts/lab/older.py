"""An older checkout beside this one: what both cost, and that an installation goes on. See scripts/bench."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

from .crowd import loop_seconds, processor_seconds
from .home import Home, home_assistant
from .house import MACHINES, house
from .plant import simulated_plant
from .process import REPOSITORY

# Processor seconds, by what is measured.
type Spent = dict[str, float]

# Seconds after an entry was loaded or disabled that are not measured.
SETTLING: Final = 20
# What is measured: what blocks Home Assistant, and that with the recorder, which has a thread of its own.
MEASURED: Final = {"event loop": loop_seconds, "process": processor_seconds}


async def compare(older: Path, pairs: int, minutes: int) -> None:
    """Print what both checkouts add to an idle Home Assistant's processor time: the median of minutes, measured in turn.

    Two Home Assistants run side by side, each with a JSO at default intervals. While one polls, the entry of the other
    is disabled, so that what is measured of either has the same computer and the same minutes around it. Two more do so
    with a plant that moves.
    """
    print(
        f"\nProcessor seconds a minute, {pairs} pairs of {minutes} minutes, older and this checkout in turn"
    )
    await asyncio.gather(
        _compare(older, pairs, minutes, 0, "stands still"),
        _compare(older, pairs, minutes, 1, "moves"),
    )


async def _compare(older_tree: Path, pairs: int, minutes: int, speed: int, plant_does: str) -> None:
    """The same for a plant whose time runs at one speed."""
    async with AsyncExitStack() as stack:
        homes: list[tuple[Home, str]] = []
        for tree in (older_tree, REPOSITORY):
            plant = await stack.enter_async_context(simulated_plant(["--speed", str(speed)]))
            home = await stack.enter_async_context(
                home_assistant(level="warning", commit_interval=5, tree=tree)
            )
            entry = await home.add_inverter(plant.tcp)
            homes.append((home, entry["entry_id"]))
        # Of each measure, and the older and this checkout.
        added: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in MEASURED}
        for _ in range(pairs):
            idle: list[Spent] = [{}, {}]
            polling: list[Spent] = [{}, {}]
            for active in (0, 1):
                for number, (home, entry_id) in enumerate(homes):
                    await home.command(
                        "config_entries/disable",
                        entry_id=entry_id,
                        disabled_by=None if number == active else "user",
                    )
                await asyncio.sleep(SETTLING)
                spent = await _minute_by_minute([home for home, _ in homes], minutes)
                for number, figures in enumerate(spent):
                    (polling if number == active else idle)[number] = figures
            for name, (older, this) in added.items():
                older.append(polling[0][name] - idle[0][name])
                this.append(polling[1][name] - idle[1][name])
                print(
                    f"the plant {plant_does}, {name}: older {older[-1]:.4f} s, this {this[-1]:.4f} s,"
                    f" ratio {this[-1] / older[-1]:.3f}",
                    flush=True,
                )
        for name, (older, this) in added.items():
            ratios = [new / old for old, new in zip(older, this, strict=True)]
            print(
                f"the plant {plant_does}, {name}: median older {median(older):.4f} s, this {median(this):.4f} s,"
                f" ratio {median(ratios):.3f}"
            )


async def _minute_by_minute(homes: Sequence[Home], minutes: int) -> list[Spent]:
    """The processor seconds of a minute for each of these: the median, as what Home Assistant does now and then stands out."""
    spent: list[dict[str, list[float]]] = [{name: [] for name in MEASURED} for _ in homes]
    for _ in range(minutes):
        before = [_so_far(home) for home in homes]
        await asyncio.sleep(60)
        for figures, home, start in zip(spent, homes, before, strict=True):
            for name, seconds in _so_far(home).items():
                figures[name].append(seconds - start[name])
    return [{name: median(seconds) for name, seconds in figures.items()} for figures in spent]


def _so_far(home: Home) -> Spent:
    """The processor seconds that a Home Assistant has spent so far, by what is measured."""
    return {name: measure(home.process_id) for name, measure in MEASURED.items()}


async def update(older: Path) -> int:
    """Make the house with an older checkout, go on with this one, and return how many entities or devices differ."""
    async with house(tree=older) as one:
        home = one.home
        await home.set_options(
            one.entry["entry_id"],
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
    different = [*_differences(before, after)]
    print(
        f"{len(before)} entities and devices of {len(MACHINES)} machines and a plant, made by {older}:"
        f" {len(different)} differ"
    )
    for line in different:
        print(f"  {line}")
    return len(different)


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


def _differences(
    before: Mapping[str, dict[str, Any]], after: Mapping[str, dict[str, Any]]
) -> Iterator[str]:
    """A line for each that is lost, new or different."""
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            yield f"lost: {key}"
        elif key not in before:
            yield f"new: {key}"
        elif before[key] != after[key]:
            yield f"different: {key} {before[key]} -> {after[key]}"
