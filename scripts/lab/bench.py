"""What polling costs: the serial line's time, and Home Assistant's; and what a simulated year does. See scripts/bench."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, closing
from datetime import datetime
from itertools import pairwise
from pathlib import Path
import re
import sqlite3
from statistics import median
import sys
import time
from typing import Any, Final

from custom_components.hybrid_inverter import OTHER_DESCRIPTIONS
from custom_components.hybrid_inverter.entities.descriptions import described
from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.find.identify import identify
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.register import Group, Tier
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.transport.link import (
    Framing,
    Link,
    LinkUnit,
    TcpEndpoint,
)
from custom_components.hybrid_inverter.runtime.faults import watched_keys
from simulator.models import MODELS
from simulator.server import LineTiming
from simulator.simulation import SimulatedPlant

from .crowd import crowd, processor_seconds
from .doctor_year import doctor_year
from .home import Home, home_assistant
from .mirror import mirror
from .older import compare, compare_calls, update
from .plant import Plant, simulated_plant
from .tariff import tariff
from .tariff_cases import CASES
from .year import year

JSO: Final = "JSO8048104"
GROUPS: Final = (Group.POWER, Group.FAULTS, Group.ENERGY, Group.SETTINGS)

# A line of 9600 8N1, and a machine that takes 15 ms to answer.
CHARACTER: Final = 10 / 9600
TURNAROUND: Final = 0.015
REQUEST: Final = (8 + 5 + 7) * CHARACTER + TURNAROUND
REGISTER: Final = 2 * CHARACTER


def least_seconds(addresses: Collection[int], most: int) -> float:
    """The least line time that can fetch these registers, `most` of them with one read, whatever lies between."""
    wanted = sorted(addresses)
    best = [0.0]
    for end, last in enumerate(wanted):
        best.append(
            min(
                best[start] + REQUEST + (last - first + 1) * REGISTER
                for start, first in enumerate(wanted[: end + 1])
                if last - first < most
            )
        )
    return best[-1]


def default_keys(family: Family, group: Group) -> list[str]:
    """What a new inverter shows of a group without anybody choosing, and what is watched."""
    known = family.registers.keys() | family.derived.keys()
    keys = set(watched_keys(family.faults))
    for descriptions in (*described(family, Tier.EVERYDAY).values(), *OTHER_DESCRIPTIONS.values()):
        for description in descriptions:
            # What only another tier shows is polled as the control that stands there instead.
            polled = description.polled_from(family)
            if description.entity_registry_enabled_default and polled <= known:
                keys |= polled
    return sorted(key for key in keys if family.group_of(key) is group)


async def line(model: str) -> None:
    """Print what a cycle of each group costs on the line, next to the least that is possible."""
    print(f"\n{model}: a cycle on a line of 9600 8N1, default entities")
    print(
        f"{'group':<10}{'keys':>6}{'requests':>10}{'registers':>11}{'line':>10}{'least':>10}{'ratio':>8}"
    )
    totals = [0.0] * 5
    async with SimulatedPlant(model=model, line=LineTiming(baudrate=9600)) as plant:
        link = Link(TcpEndpoint("127.0.0.1", plant.rtu_port, Framing.RTU))
        unit = LinkUnit(link, 1)
        try:
            identity = await identify(unit)
            device = Device(
                unit,
                FAMILIES[identity.family],
                known=identity.facts,
                features=identity.features,
                baudrate=9600,
            )
            family = device.family
            for group in GROUPS:
                if not (keys := default_keys(family, group)):
                    continue
                # What a firmware refuses is found out once.
                await device.poll(keys)
                rows = {
                    name
                    for key in keys
                    for name in (family.derived[key].inputs if key in family.derived else (key,))
                }
                addresses = {a for name in rows for a in family.registers[name].addresses}
                addresses.difference_update(device.quarantined)
                # Not from one block to another, which some machines answer with an exception.
                least = sum(
                    least_seconds([a for a in addresses if low <= a <= high], family.max_read)
                    for low, high in family.readable
                )
                before = plant.rtu.statistics.as_dict()
                await device.poll(keys)
                after = plant.rtu.statistics.as_dict()
                busy = after["busy_seconds"] - before["busy_seconds"]
                figures = (
                    len(keys),
                    after["requests"] - before["requests"],
                    after["registers_read"] - before["registers_read"],
                    busy,
                    least,
                )
                totals = [total + figure for total, figure in zip(totals, figures, strict=True)]
                _print_cycle(group, *figures)
        finally:
            await link.close()
    _print_cycle("together", *totals)


def _print_cycle(
    name: str, keys: float, requests: float, registers: float, busy: float, least: float
) -> None:
    print(
        f"{name:<10}{keys:>6.0f}{requests:>10.0f}{registers:>11.0f}"
        f"{busy * 1000:>7.1f} ms{least * 1000:>7.1f} ms{busy / least:>8.3f}"
    )


async def refresh(model: str, name: str, interval: int, seconds: float) -> None:
    """Print how often the powers of a model, called so at home, are refreshed when that is asked for."""
    finished = re.compile(rf"^(\S+ \S+) DEBUG .*Finished fetching {name} power data")
    async with (
        simulated_plant(["--model", model, "--baudrate", "9600"]) as plant,
        home_assistant(level="debug") as home,
    ):
        started = time.monotonic()
        entry = await home.add_inverter(plant.rtu, "rtu")
        await home.until(f"sensor.{name.lower().replace(' ', '_')}_battery_soc", _is_number, 5)
        print(
            f"\n{model}: first values {time.monotonic() - started:.1f} s after the form was sent (with identifying)"
        )
        await home.set_options(
            entry["entry_id"],
            power_interval=interval,
            energy_interval=60,
            settings_interval=300,
            tier="everyday",
        )
        await asyncio.sleep(5)
        seen = len(home.log)
        before, began = await _busy(plant), time.monotonic()
        await asyncio.sleep(seconds)
        share = (await _busy(plant) - before) / (time.monotonic() - began)
        times = [
            datetime.fromisoformat(match[1])
            for row in home.log[seen:].splitlines()
            if (match := finished.match(row))
        ]
        gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
        print(
            f"battery, PV, grid and load power, asked for every {interval} s: refreshed every {median(gaps):.2f} s"
            f" (median), {_p95(gaps):.2f} s (p95), {max(gaps):.2f} s (longest), {len(gaps)} times"
        )
        print(f"line busy {share:.1%}, with energy every 60 s and settings every 300 s")
        if model == JSO:
            await _writes(home, plant)


def _is_number(state: str) -> bool:
    """Whether a state is a number."""
    return state.replace(".", "", 1).isdecimal()


async def _writes(home: Home, plant: Plant) -> None:
    """Print how fast a write is on the wire, and confirmed, while everything polls."""
    entity_id = f"select.{JSO.lower()}_energy_pattern"
    on_wire, confirmed = [], []
    for attempt in range(20):
        option = ("battery_first", "load_first")[attempt % 2]
        async with _changes(home, entity_id) as wait_for:
            called = time.monotonic()
            action = asyncio.create_task(
                home.call("select", "select_option", entity_id=entity_id, option=option)
            )
            confirmed.append(await wait_for(option) - called)
            await action
        on_wire.append((await plant.writes())[-1]["time"] - called)
    print(
        f"a write is on the wire after {median(on_wire):.2f} s (median), {max(on_wire):.2f} s (longest), and confirmed"
        f" after {median(confirmed):.2f} s (median), {max(confirmed):.2f} s (longest);"
        f" a request of the power group takes {REQUEST + 94 * REGISTER:.2f} s"
    )


@asynccontextmanager
async def _changes(home: Home, entity_id: str) -> AsyncIterator[Callable[[str], Any]]:
    """Listen to an entity; yields a function that waits for a state and returns when it came."""
    token = home.headers["Authorization"].removeprefix("Bearer ")
    async with home.session.ws_connect(f"{home.url}/api/websocket") as socket:
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": token})
        await socket.receive_json()
        trigger = {"platform": "state", "entity_id": entity_id}
        await socket.send_json({"id": 1, "type": "subscribe_trigger", "trigger": trigger})
        await socket.receive_json()

        async def wait_for(state: str) -> float:
            while True:
                message = await asyncio.wait_for(socket.receive_json(), 10)
                if message["event"]["variables"]["trigger"]["to_state"]["state"] == state:
                    return time.monotonic()

        yield wait_for


async def processor(minutes: int) -> None:
    """Print what the integration adds to an idle Home Assistant's processor time."""
    print(
        f"\nProcessor time of Home Assistant a minute, {minutes} minutes with the inverter and without, in turn"
    )
    for speed, plant_does in ((0, "stands still"), (1, "moves")):
        async with (
            simulated_plant(["--speed", str(speed)]) as plant,
            home_assistant(level="warning", commit_interval=5) as home,
        ):
            entry = await home.add_inverter(plant.tcp)
            await asyncio.sleep(60)
            added: list[float] = []
            idle: list[float] = []
            changes: list[int] = []
            for _ in range(minutes):
                for disabled, figures in ((None, added), ("user", idle)):
                    await home.command(
                        "config_entries/disable", entry_id=entry["entry_id"], disabled_by=disabled
                    )
                    await asyncio.sleep(10)
                    recorded, before = _recorded(home), processor_seconds(home.process_id)
                    await asyncio.sleep(60)
                    figures.append(processor_seconds(home.process_id) - before)
                    if disabled is None:
                        changes.append(_recorded(home) - recorded)
            print(
                f"the plant {plant_does}: with {median(added):.3f} s, without {median(idle):.3f} s,"
                f" added {median(added) - median(idle):.3f} s; {median(changes):.0f} changes of state"
            )


def _recorded(home: Home) -> int:
    """How many states the recorder has written so far."""
    with closing(sqlite3.connect(home.config / "home-assistant_v2.db")) as database:
        count: int = database.execute("SELECT COUNT(*) FROM states").fetchone()[0]
        return count


async def _busy(plant: Plant) -> float:
    """The seconds that the line was busy so far."""
    return float((await plant.get("statistics"))["rtu"]["busy_seconds"])


def _p95(values: list[float]) -> float:
    """The value that 95 of 100 stay at or below."""
    return sorted(values)[int(len(values) * 0.95)]


async def _run(options: argparse.Namespace) -> None:
    if options.against:
        measure = compare_calls if options.calls else compare
        await measure(options.against.resolve(), options.minutes)
        return
    year()
    if options.year:
        return
    for model in options.model or MODELS:
        await line(model)
    await refresh(JSO, JSO, 1, options.seconds)
    await refresh("H2-10K-T2", "Hybrid 10K", 2, options.seconds)
    await processor(options.minutes)
    await crowd(options.minutes)


def main() -> int:
    """Run the benchmarks; 1 when an installation would lose something, or a mirror is not as it should be."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=330, help="to watch the refreshes")
    parser.add_argument(
        "--minutes", type=int, default=5, help="to measure processor time, with and without"
    )
    parser.add_argument("--year", action="store_true", help="only live a year, without servers")
    parser.add_argument("--model", action="append", choices=MODELS, help="whose cycle to measure")
    parser.add_argument(
        "--against", type=Path, metavar="CHECKOUT", help="only compare with an older checkout"
    )
    parser.add_argument(
        "--calls", action="store_true", help="compare functions instead of processor time"
    )
    parser.add_argument(
        "--update-from",
        type=Path,
        metavar="CHECKOUT",
        help="only see that what an older checkout stored loads in this one with all ids",
    )
    parser.add_argument(
        "--mirror",
        action="store_true",
        help="only have eight clients read a mirror, for so many minutes, and other programs",
    )
    parser.add_argument(
        "--tariff", action="store_true", help="only live a year of prices with each automation"
    )
    parser.add_argument(
        "--doctor", action="store_true", help="only live a year in right houses with the doctor"
    )
    parser.add_argument("--days", type=int, default=365, help="of the year of prices")
    parser.add_argument("--case", action="append", choices=CASES, help="of the year of prices")
    options = parser.parse_args()
    if options.mirror:
        return 0 if asyncio.run(mirror(options.minutes)) else 1
    if options.update_from:
        return 1 if asyncio.run(update(options.update_from.resolve())) else 0
    if options.doctor:
        return 0 if doctor_year() else 1
    if options.tariff:
        return 0 if asyncio.run(tariff(options.days, options.case)) else 1
    asyncio.run(_run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
