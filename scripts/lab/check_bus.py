"""Two inverters and two meters on one slow line, tried on a real Home Assistant: nobody starves, and nobody suffers."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
import json
from statistics import mean
import time
from typing import Any, Final

from .checking import expect, run_checks, soon, suspicious_lines
from .home import Home, home_assistant
from .plant import Plant, simulated_plant

JSO: Final = 3
SAJ: Final = 4
DTSU666: Final = 1
DDSU666: Final = 2

MACHINES: Final = {
    JSO: "JSO8048104",
    SAJ: "H2-10K-T2",
    DTSU666: "DTSU666",
    DDSU666: "DDSU666",
}
# What they are called at home.
NAMES: Final = {
    JSO: "JSO8048104",
    SAJ: "Hybrid 10K",
    DTSU666: "Grid meter",
    DDSU666: "Solar meter",
}
# A register of each machine that holds a power: it is read with every refresh of the powers.
POWERS: Final = {JSO: 625, SAJ: 0x40A5, DTSU666: 0x151C, DDSU666: 0x2004}

BAUDRATE: Final = 9600
# What the line has to carry.
SEARCH_SECONDS: Final = 20
MAX_SECONDS: Final = 10.0
MAX_LOAD: Final = 0.8
MAX_UNTIL_WRITTEN: Final = 0.5
# By how much the others' intervals may change while a machine is silent.
CHANGE: Final = 0.1
# Seconds to look at a line in order, which are those that its bus load looks back on, and at one with a silent machine.
CALM_SECONDS: Final = 60
SILENT_SECONDS: Final = 20
WRITES: Final = 12
PLANT_KEYS: Final = ("pv_power", "grid_power", "battery_power", "load_power", "battery_soc")
# Powers of machines that are polled at different moments may differ by this much in watts.
CLOSE_WATTS: Final = 400


@dataclass(kw_only=True)
class SharedLine:
    """What the checks look at."""

    plant: Plant
    home: Home
    entry: dict[str, Any]
    # The mean seconds between two refreshes of each machine's powers on a line in order.
    calm: dict[int, float]


async def _refreshes(line: SharedLine, unit: int, since: float) -> list[float]:
    """The seconds between the refreshes of a machine's powers since a time."""
    reads = await line.plant.get("reads", unit=unit)
    address = POWERS[unit]
    times = [
        read["time"]
        for read in reads
        if read["time"] >= since and 0 <= address - read["address"] < read["count"]
    ]
    return [after - before for before, after in pairwise(times)]


async def _busy(line: SharedLine) -> float:
    """The seconds that the line was occupied so far."""
    return float((await line.plant.get("statistics"))["rtu"]["busy_seconds"])


async def the_machines_are_added(line: SharedLine) -> None:
    """The inverter with the link, the other three to it, one of them by a search while the others are polled."""
    line.entry = await line.home.add_inverter(line.plant.rtu, "rtu", unit_id=JSO)
    began = time.monotonic()
    result = await line.home.search(line.entry["entry_id"], "inverter", "search")
    seconds = time.monotonic() - began
    expect(seconds < SEARCH_SECONDS, f"the search took {seconds:.1f} s")
    (field,) = result["data_schema"]
    found = [option["value"] for option in field["selector"]["select"]["options"]]
    expect(found == ["4", "1", "2"], f"the search has found the unit ids {found}")
    result = await line.home.answer_unit_flow(result["flow_id"], {"unit_id": str(SAJ)})
    if result["type"] == "form":
        result = await line.home.answer_unit_flow(result["flow_id"], {"rated_power": 10000})
    expect(result["type"] == "create_entry", f"the inverter was not added: {json.dumps(result)}")
    await soon(lambda: _are_connected(line, JSO, SAJ), "the inverters are not connected", 40)
    await line.home.add_meter(line.entry["entry_id"], DTSU666, "grid")
    await soon(lambda: _are_connected(line, JSO, SAJ, DTSU666), "the meter is not connected", 40)
    await line.home.add_meter(line.entry["entry_id"], DDSU666, "solar")
    await soon(lambda: _are_connected(line, *MACHINES), "not all machines are connected", 40)


async def _are_connected(line: SharedLine, *units: int) -> bool:
    """Whether these machines are set up, and are shown as connected."""
    return await _connections(line) == dict.fromkeys(sorted(units), "on")


async def _connections(line: SharedLine) -> Mapping[int, str]:
    """Whether each machine is shown as connected, by unit id."""
    entities = await line.home.entities(line.entry["entry_id"])
    states = await line.home.states()
    return {
        unit: states[entity_id]["state"]
        for unit, name in sorted(NAMES.items())
        if (entity_id := entities.get(name, {}).get("connectivity")) in states
    }


async def all_powers_are_fresh(line: SharedLine) -> None:
    """At the default intervals, on 9600 baud; and there is room left on the line."""
    await asyncio.sleep(10)
    began, before = time.monotonic(), await _busy(line)
    await asyncio.sleep(CALM_SECONDS)
    load = (await _busy(line) - before) / (time.monotonic() - began)
    expect(load < MAX_LOAD, f"the line was busy for {load:.0%} of the time")
    for unit in MACHINES:
        gaps = await _refreshes(line, unit, began)
        longest = max(gaps, default=99.0)
        expect(longest < MAX_SECONDS, f"{MACHINES[unit]}: not refreshed for {longest:.1f} s")
        line.calm[unit] = mean(gaps)
    shown = float(
        await line.home.value(await line.home.entity_id(f"{line.entry['entry_id']}_bus_load"))
    )
    expect(abs(shown / 100 - load) < 0.1, f"bus load is shown as {shown} %, it was {load:.0%}")
    print(f"        line busy {load:.0%}; refreshed every {_listed(line.calm)}", flush=True)


async def a_write_does_not_wait(line: SharedLine) -> None:
    """From the call until the request is on the wire, while everything polls."""
    entities = await line.home.entities(line.entry["entry_id"])
    entity_id = entities[NAMES[JSO]]["energy_pattern"]
    waits = []
    for attempt in range(WRITES):
        # At another moment of the cycle each time.
        await asyncio.sleep(0.37)
        option = ("battery_first", "load_first")[attempt % 2]
        called = time.monotonic()
        await line.home.call("select", "select_option", entity_id=entity_id, option=option)
        writes = await line.plant.get("writes", unit=JSO)
        waits.append(writes[-1]["time"] - called)
    expect(len(writes) == WRITES, f"{len(writes)} writes instead of {WRITES}")
    expect(max(waits) < MAX_UNTIL_WRITTEN, f"the longest wait was {max(waits):.2f} s")
    print(f"        on the wire within {mean(waits):.2f} s, {max(waits):.2f} s at the longest")


async def a_silent_machine_is_alone(line: SharedLine) -> None:
    """Whichever is unplugged, the others are refreshed as before; and it is back soon after it answers again."""
    for silent in MACHINES:
        began = time.monotonic()
        await line.plant.post(f"trouble?unit={silent}", {"silent": True})
        try:
            await _the_others_do_not_notice(line, silent, began)
        finally:
            await line.plant.post(f"trouble?unit={silent}", {"silent": False})
        await soon(
            lambda: _are_connected(line, *MACHINES), f"{MACHINES[silent]} does not come back", 65
        )


async def _the_others_do_not_notice(line: SharedLine, silent: int, began: float) -> None:
    """Look at the intervals of the others for a while."""
    await asyncio.sleep(SILENT_SECONDS)
    for unit in MACHINES.keys() - {silent}:
        interval = mean(await _refreshes(line, unit, began))
        change = interval / line.calm[unit] - 1
        expect(
            abs(change) < CHANGE,
            f"while {MACHINES[silent]} was silent, {MACHINES[unit]} was refreshed every {interval:.2f} s"
            f" instead of every {line.calm[unit]:.2f} s",
        )
    states = await _connections(line)
    expected = {unit: "off" if unit == silent else "on" for unit in MACHINES}
    expect(states == expected, f"connected are {states}, not {expected}")


async def a_plant_adds_them_up(line: SharedLine) -> None:
    """All four as one device: what the grid meter measures, and the sum of what the others give."""
    home = line.home
    result = await home.choose("plant")
    listed = await home.subentries(line.entry["entry_id"])
    answers: dict[str, Any] = {
        "name": "House",
        "members": [subentry["unique_id"] for subentry in listed.values()],
    }
    result = await home.answer_flow(result["flow_id"], answers)
    while result["type"] == "form":
        # The batteries, one after the other.
        result = await home.answer_flow(result["flow_id"], {"capacity": 20})
    expect(result["type"] == "create_entry", f"no plant was created: {json.dumps(result)}")
    entry_id = result["result"]["entry_id"]
    of_plant = {key: await home.entity_id(f"{entry_id}_{key}") for key in PLANT_KEYS}
    for entity_id in of_plant.values():
        await home.until(entity_id, _is_number, 30)
    states = await home.states()
    entities = await home.entities(line.entry["entry_id"])

    def shown(unit: int, key: str) -> float:
        return float(states[entities[NAMES[unit]][key]]["state"])

    pv = shown(JSO, "pv_power") + shown(SAJ, "pv_power") + shown(DDSU666, "power")
    for key, wanted in (("grid_power", shown(DTSU666, "power")), ("pv_power", pv)):
        found = float(states[of_plant[key]]["state"])
        expect(abs(found - wanted) < CLOSE_WATTS, f"the plant's {key} is {found}, not {wanted}")


async def a_meter_is_only_heard(line: SharedLine) -> None:
    """On another line an inverter polls its meter: its powers are shown, and not a byte was sent."""
    home, port = line.home, line.plant.overheard
    result = await home.choose("listen")
    result = await home.answer_flow(result["flow_id"], {"next_step_id": "listen_network"})
    result = await home.answer_flow(result["flow_id"], {"host": "127.0.0.1", "port": port})
    result = await home.progress(result)
    result = await home.answer_flow(result["flow_id"], {"role": "grid", "inverted": False})
    expect(result["type"] == "create_entry", f"the meter was not added: {json.dumps(result)}")
    entry_id = result["result"]["entry_id"]
    ((_, entities),) = (await home.entities(entry_id)).items()
    await home.until(entities["power"], _is_number, 30)
    before = (await line.plant.get("line"))["exchanges"]
    await asyncio.sleep(5)
    overheard = await line.plant.get("line")
    expect(overheard["exchanges"] - before > 30, f"the inverter does not ask on: {overheard}")
    expect(
        overheard["bytes_from_clients"] == 0, f"{overheard['bytes_from_clients']} bytes were sent"
    )
    states = await home.states()
    connected = states[entities["connectivity"]]["state"]
    expect(connected == "on", f"the meter is shown as connected: {connected}")


def _is_number(state: str) -> bool:
    """Whether a state is a number."""
    try:
        float(state)
    except ValueError:
        return False
    return True


async def one_is_removed(line: SharedLine) -> None:
    """The others go on, with all their entities."""
    entry_id, gone = line.entry["entry_id"], NAMES[DDSU666]
    before = await line.home.entities(entry_id)
    subentry_id = (await line.home.subentries(entry_id))[gone]["subentry_id"]
    await line.home.command(
        "config_entries/subentries/delete", entry_id=entry_id, subentry_id=subentry_id
    )
    await asyncio.sleep(12)
    after = await line.home.entities(entry_id)
    expect(after == {n: e for n, e in before.items() if n != gone}, "other entities changed")
    began = time.monotonic()
    await asyncio.sleep(12)
    for unit in MACHINES.keys() - {DDSU666}:
        expect(bool(await _refreshes(line, unit, began)), f"{MACHINES[unit]} is not polled")
    reads = await line.plant.get("reads", unit=DDSU666)
    expect(not reads or reads[-1]["time"] < began, "the removed meter is still polled")


async def the_log_is_clean(line: SharedLine) -> None:
    """No warning, error or deprecation in Home Assistant's log but those of the silent machines."""
    lines = [text for text in suspicious_lines(line.home.log) if "did not answer" not in text]
    expect(not lines, "\n".join(lines))


CHECKS: Final = (
    the_machines_are_added,
    all_powers_are_fresh,
    a_write_does_not_wait,
    a_silent_machine_is_alone,
    a_plant_adds_them_up,
    a_meter_is_only_heard,
    one_is_removed,
    the_log_is_clean,
)


def _listed(seconds: Mapping[int, float]) -> str:
    """Intervals for a person."""
    return ", ".join(f"{value:.2f} s ({MACHINES[unit]})" for unit, value in seconds.items())


def _devices() -> Iterable[str]:
    """The options of a plant with these machines."""
    for unit, model in MACHINES.items():
        yield from ("--device", f"{unit}:{model}")


async def check_bus() -> int:
    """Run all checks in order; return how many failed."""
    options = [*_devices(), "--baudrate", str(BAUDRATE), "--overheard-port", "0"]
    async with simulated_plant(options) as plant, home_assistant() as home:
        line = SharedLine(plant=plant, home=home, entry={}, calm={})
        return await run_checks(line, CHECKS, "One line")
