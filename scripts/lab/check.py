"""Everything the demo promises, tried on a real Home Assistant over real sockets. See scripts/demo --check."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
import json
import re
import time
from typing import Any, Final

from .checking import expect, refusal, run_checks, soon, suspicious_lines
from .controls import (
    BEFORE_AN_ORDER,
    PLATFORMS,
    RunningStation,
    controls_of,
    prepare,
    try_all,
)
from .home import Home, home_assistant
from .plant import Plant, simulated_plant
from .process import free_port
from .stations import STATIONS

NAME: Final = "jso8048104"

# Entity, register, and how its word becomes the state: from the register facts, by hand.
READINGS: Final[tuple[tuple[str, int, Callable[[int], float]], ...]] = (
    (f"sensor.{NAME}_battery_soc", 588, float),
    (f"sensor.{NAME}_battery_voltage", 587, lambda raw: raw / 100),
    (f"sensor.{NAME}_battery_temperature", 586, lambda raw: (raw - 1000) / 10),
    (f"sensor.{NAME}_grid_voltage_l1", 598, lambda raw: raw / 10),
    (f"sensor.{NAME}_grid_frequency", 609, lambda raw: raw / 100),
    (f"sensor.{NAME}_pv_energy_today", 529, lambda raw: raw / 10),
    (f"number.{NAME}_battery_shutdown_soc", 115, float),
    (f"number.{NAME}_grid_max_sell_power", 143, float),
)

# Powers change between two looks; they must be this close in watts.
POWERS: Final = (
    (f"sensor.{NAME}_grid_power", 625),
    (f"sensor.{NAME}_battery_power", 590),
    (f"sensor.{NAME}_load_power", 653),
)
CLOSE_WATTS: Final = 400
# Within which the other groups are polled behind the first poll of the powers, on a busy computer as well.
FOLLOW_SECONDS: Final = 5

# Action, entity, what to set, the state after it, the register and its word; two settings of each control.
SETTINGS: Final[tuple[tuple[str, str, dict[str, Any], str, int, int], ...]] = (
    ("select.select_option", "work_mode", {"option": "selling_first"}, "selling_first", 142, 0),
    (
        "select.select_option",
        "work_mode",
        {"option": "zero_export_to_load"},
        "zero_export_to_load",
        142,
        1,
    ),
    (
        "select.select_option",
        "energy_pattern",
        {"option": "battery_first"},
        "battery_first",
        141,
        0,
    ),
    ("select.select_option", "energy_pattern", {"option": "load_first"}, "load_first", 141, 1),
    ("number.set_value", "battery_shutdown_soc", {"value": 15}, "15", 115, 15),
    ("number.set_value", "battery_low_soc", {"value": 30}, "30", 117, 30),
    ("number.set_value", "battery_restart_soc", {"value": 45}, "45", 116, 45),
    ("number.set_value", "grid_max_sell_power", {"value": 6000}, "6000", 143, 6000),
    ("number.set_value", "grid_zero_export_power", {"value": 60}, "60", 104, 60),
    ("switch.turn_off", "solar_sell", {}, "off", 145, 0),
    ("switch.turn_on", "solar_sell", {}, "on", 145, 1),
    ("switch.turn_on", "battery_grid_charge", {}, "on", 130, 1),
    ("switch.turn_off", "battery_grid_charge", {}, "off", 130, 0),
)

# Entity, action, what to set, and what the refusal has to say; after all controls of the first station were set.
REFUSALS: Final[tuple[tuple[str, str, dict[str, Any], str], ...]] = (
    ("tou_slot_1_power", "number.set_value", {"value": 8001}, "8001"),
    ("tou_slot_1_power", "number.set_value", {"value": 4000.5}, "4000.5"),
    ("work_mode", "select.select_option", {"option": "buying_first"}, "buying_first"),
    # The third slot starts at 8:30.
    ("tou_slot_2_time", "time.set_value", {"time": "08:35:00"}, "08:30"),
    ("tou_slot_2_time", "time.set_value", {"time": "06:02:00"}, "00:05"),
    # The display says that the machine does not have it.
    ("solar_sell", "switch.turn_off", {}, "does not offer"),
)

# What orders of the battery are given with, and the export limit, which are tried in check_control.py and in tests.
OF_ORDERS: Final = frozenset(
    {
        *("battery_control", "control_duration", "control_power", "control_target_soc"),
        "export_limit",
    }
)


@dataclass(frozen=True, kw_only=True)
class Journal:
    """What came of the checks that are the same for every kind of link."""

    # Each write request that the machine received: function, first register, words.
    writes: tuple[tuple[int, int, tuple[int, ...]], ...] = ()
    # The states of all controls, and the names of all entities.
    settings: Mapping[str, str] = field(default_factory=dict)
    entities: frozenset[str] = frozenset()


@dataclass(kw_only=True)
class Inhabited:
    """A Home Assistant with one inverter, however it is reached."""

    plant: Plant
    home: Home
    entry: dict[str, Any] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)


@dataclass(kw_only=True)
class House(Inhabited):
    """What the checks look at."""

    other: Plant
    # Machines of their own on which every control is tried.
    stations: list[RunningStation]


async def refusals_come_before_an_entry(house: House) -> None:
    """A form that is filled in wrongly names what is wrong, and can be corrected."""
    home, plant = house.home, house.plant
    flow_id = await home.start_flow("network")

    async def error_of(**answers: Any) -> str:
        form = {
            "host": "127.0.0.1",
            "port": plant.tcp,
            "framing": "tcp",
            "advanced": {"unit_id": 1},
        }
        result = await home.answer_flow(flow_id, {**form, **answers})
        return str(result.get("errors", {}).get("base", result.get("step_id", result)))

    for wanted, answers in (
        ("connection_refused", {"port": free_port()}),
        ("wrong_framing", {"port": plant.rtu}),
        # What answers instead is offered.
        ("unit", {"advanced": {"unit_id": 9}}),
    ):
        found = await error_of(**answers)
        expect(found == wanted, f"expected {wanted}, got {found}")
    started = time.monotonic()
    result = await home.answer_flow(flow_id, {"unit_id": "1"})
    expect(result["type"] == "create_entry", f"no entry was created: {json.dumps(result)}")
    house.entry = result["result"]
    await home.until(f"sensor.{NAME}_battery_soc", str.isdecimal, 3)
    took = time.monotonic() - started
    expect(took < 3, f"the first values took {took:.1f} s")


async def the_same_machine_is_not_added_twice(house: House) -> None:
    """Neither over the same link nor, by its serial number, over another one."""
    for port, framing, reason in (
        (house.plant.tcp, "tcp", "already_configured"),
        (house.plant.rtu, "rtu", "machine_already_configured"),
    ):
        flow_id = await house.home.start_flow("network")
        form = {"host": "127.0.0.1", "port": port, "framing": framing, "advanced": {"unit_id": 1}}
        result = await house.home.answer_flow(flow_id, form)
        expect(result.get("reason") == reason, f"expected {reason}, got {json.dumps(result)}")


async def every_entity_has_a_value(house: Inhabited) -> None:
    """45 to 75 entities exist from the start, and all of them have a value: what changes slowly follows the powers."""
    mine = await _states(house)
    expect(45 <= len(mine) <= 75, f"{len(mine)} entities are enabled")
    deadline = time.monotonic() + FOLLOW_SECONDS
    while (empty := _without_value(await _states(house))) and time.monotonic() < deadline:
        await asyncio.sleep(0.3)
    expect(not empty, f"without a value: {empty}")


async def _states(house: Inhabited) -> dict[str, str]:
    """The states of the inverter's entities."""
    return {k: s["state"] for k, s in (await house.home.states()).items() if f".{NAME}" in k}


def _without_value(states: Mapping[str, str]) -> list[str]:
    """The entities that know nothing, and should."""
    # An event and a button know nothing until something has happened, nor do two others before the first order.
    return sorted(
        k
        for k, state in states.items()
        if state in ("unknown", "unavailable")
        and not k.startswith(("event.", "button."))
        and not k.endswith(BEFORE_AN_ORDER)
    )


async def states_are_what_the_registers_say(house: Inhabited) -> None:
    """Decoded here by hand from the machine's raw registers."""
    for entity_id, address, decode in READINGS:

        async def agrees(entity_id: str = entity_id, address: int = address) -> bool:
            shown = float(await house.home.value(entity_id))
            return abs(shown - decode(await house.plant.word(address))) < 0.2  # noqa: B023 - awaited here

        await soon(agrees, f"{entity_id} does not show register {address}")
    for entity_id, address in POWERS:

        async def is_close(entity_id: str = entity_id, address: int = address) -> bool:
            word = await house.plant.word(address)
            watts = word - 0x10000 if word & 0x8000 else word
            return abs(float(await house.home.value(entity_id)) - watts) <= CLOSE_WATTS

        await soon(is_close, f"{entity_id} does not follow register {address}")


async def controls_are_obeyed(house: Inhabited) -> None:
    """Each control changes the machine's register, and shows what it holds when the action returns."""
    for action, name, data, state, address, word in SETTINGS:
        domain, service = action.split(".")
        entity_id = f"{domain}.{NAME}_{name}"
        await house.home.call(domain, service, entity_id=entity_id, **data)
        held = await house.plant.word(address)
        expect(held == word, f"{entity_id}: register {address} holds {held}, not {word}")
        shown = await house.home.value(entity_id)
        expect(shown in (state, f"{state}.0"), f"{entity_id} shows {shown}, not {state}")


async def flags_leave_their_neighbours_alone(house: Inhabited) -> None:
    """Time of use shares its register with the weekdays."""
    entity_id = f"switch.{NAME}_time_of_use"
    before = await house.plant.word(146)
    service = "turn_off" if await house.home.value(entity_id) == "on" else "turn_on"
    await house.home.call("switch", service, entity_id=entity_id)
    after = await house.plant.word(146)
    expect(before ^ after == 0x0001, f"{entity_id} made {after:#06x} of {before:#06x}")


async def equal_values_are_not_written(house: Inhabited) -> None:
    """Settings live in a memory that wears."""
    before = len(await house.plant.writes())
    entity_id = f"select.{NAME}_work_mode"
    option = await house.home.value(entity_id)
    await house.home.call("select", "select_option", entity_id=entity_id, option=option)
    expect(len(await house.plant.writes()) == before, "a value was written that was there already")


async def wrong_values_are_refused(house: Inhabited) -> None:
    """Out of range, and above another setting that bounds it: nothing is sent."""
    before = len(await house.plant.writes())
    for name, value in (
        ("grid_max_sell_power", 9000),
        ("battery_shutdown_soc", 31),
    ):
        entity_id = f"number.{NAME}_{name}"
        shown = await house.home.value(entity_id)
        message = await refusal(house.home, "number.set_value", entity_id=entity_id, value=value)
        expect(str(value) in message, f"the refusal does not name the value: {message}")
        expect(await house.home.value(entity_id) == shown, f"{entity_id} changed all the same")
    expect(len(await house.plant.writes()) == before, "a refused value was sent")


async def a_locked_machine_is_noticed(house: Inhabited) -> None:
    """A write that is acknowledged and ignored ends in an error, and the true value is shown."""
    entity_id = f"select.{NAME}_work_mode"
    shown = await house.home.value(entity_id)
    await house.plant.trouble(locked=True)
    message = await refusal(
        house.home, "select.select_option", entity_id=entity_id, option="selling_first"
    )
    await house.plant.trouble(locked=False)
    expect(
        "142" in message and "Zero export to load" in message,
        f"the error does not say what is held: {message}",
    )
    expect(
        await house.home.value(entity_id) == shown, "a state is shown that the machine is not in"
    )


async def faults_are_shown(house: Inhabited) -> None:
    """Bit 22 is F23, bit 63 is F64."""
    await house.plant.trouble(faults=[22, 63])
    await house.home.until(f"sensor.{NAME}_fault", "f23")
    codes = (await house.home.state(f"sensor.{NAME}_fault"))["attributes"]["codes"]
    expect(codes == ["F23", "F64"], f"the codes are {codes}")
    expect(await house.home.value(f"binary_sensor.{NAME}_problem") == "on", "there is no problem")
    event = (await house.home.state(f"event.{NAME}_fault_change"))["attributes"]["event_type"]
    expect(event in ("f23", "f64"), f"the event is {event}")
    await soon(lambda: _repairs(house.home, 2), "there are no repairs for F23 and F64")
    await house.plant.trouble(faults=[])
    await house.home.until(f"sensor.{NAME}_fault", "none")
    await soon(lambda: _repairs(house.home, 0), "the repairs stay after the faults are gone")


async def a_schedule_is_set(house: Inhabited) -> None:
    """Two windows become six slots, written in one request, and can be taken back."""
    before = await house.plant.words(148, 30)
    written = len(await house.plant.writes())
    devices = await house.home.command("config/device_registry/list")
    (device_id,) = (
        device["id"]
        for device in devices
        if ["hybrid_inverter", "JSO0000001"] in device["identifiers"]
    )
    windows = [
        {"start": "01:00", "end": "05:00", "target": 80, "grid_charge": True},
        {"start": "17:00", "end": "21:00", "target": 40, "power": 5000},
    ]
    await house.home.call("hybrid_inverter", "set_schedule", device_id=device_id, windows=windows)
    requests = (await house.plant.writes())[written:]
    expect(len(requests) == 1, f"{len(requests)} requests were sent")
    starts = await house.plant.words(148, 6)
    expect(starts == sorted(starts) and {100, 500, 1700, 2100} <= set(starts), f"slots at {starts}")
    await house.home.call("hybrid_inverter", "undo_last_change", device_id=device_id)
    expect(await house.plant.words(148, 30) == before, "the old schedule is not back")


async def a_silent_machine_comes_back(house: Inhabited) -> None:
    """Its entities are unavailable while it is silent, and all are available again afterwards."""
    await house.plant.trouble(silent=True)
    await house.home.until(f"sensor.{NAME}_grid_power", "unavailable", 30)
    await house.home.until(f"binary_sensor.{NAME}_connection", "off")
    await house.plant.trouble(silent=False)
    await house.home.until(f"binary_sensor.{NAME}_connection", "on", 30)
    await soon(lambda: _all_available(house.home), "some entities did not come back")


async def the_installer_tier_adds_its_controls(house: Inhabited) -> None:
    """The generator port is the installer's business, until a person chooses that tier."""
    home = house.home
    expect(await home.value(f"sensor.{NAME}_generator_port_mode") == "generator_input", "no sensor")
    await home.set_options(
        house.entry["entry_id"],
        power_interval=1,
        energy_interval=10,
        settings_interval=30,
        tier="installer",
    )
    entity_id = f"select.{NAME}_generator_port_mode"
    await soon(lambda: _exists(home, entity_id), f"{entity_id} did not appear")
    await home.call("select", "select_option", entity_id=entity_id, option="smart_load_output")
    expect(await house.plant.word(133) == 1, "register 133 does not hold 1")


async def the_panel_is_followed(house: Inhabited) -> None:
    """What somebody changes at the display is shown after the next reading."""
    await house.plant.post("registers", {"address": 142, "values": [2]})
    await house.home.until(f"select.{NAME}_work_mode", "zero_export_to_ct", 40)


async def what_was_done_is_kept(house: Inhabited) -> None:
    """For another kind of link, on which the same has to come of it."""
    # The stations are machines of the same model, with a serial number in their names.
    mine = {k: v for k, v in (await house.home.states()).items() if f".{NAME}_" in k}
    mine = {k: v for k, v in mine.items() if not re.match(rf"\w+\.{NAME}_\d{{4}}_", k)}
    house.journal = Journal(
        writes=tuple(
            (write["function"], write["address"], tuple(write["values"]))
            for write in await house.plant.writes()
        ),
        settings={k: v["state"] for k, v in mine.items() if k.split(".")[0] in PLATFORMS},
        entities=frozenset(mine),
    )
    expect(bool(house.journal.writes and house.journal.settings), "nothing was done")


async def another_machine_is_added_over_rtu(house: House) -> None:
    """A second link, in the other framing, beside the first."""
    entry = await house.home.add_inverter(house.other.rtu, "rtu")
    expect(entry["state"] == "loaded", f"the second entry is {entry['state']}")
    await house.home.until(f"sensor.{NAME}_0002_battery_soc", str.isdecimal, 3)


async def machines_for_all_controls_are_added(house: House) -> None:
    """In the installer's tier, with every control enabled; Home Assistant loads them again after a while."""
    await asyncio.gather(*(prepare(house.home, running) for running in house.stations))


async def every_control_is_obeyed(house: House) -> None:
    """Each is set to another value, which the machine's registers then hold, and no other bit is changed."""
    home = house.home
    tried = [
        (control.platform, control.key)
        for running in house.stations
        for control in running.station.controls
    ]
    counts = [sum(platform == one for one, _ in tried) for platform in PLATFORMS]
    expect(
        counts == [58, 5, 47, 6], f"numbers, choices, switches and times that are tried: {counts}"
    )
    known: set[str] = set()
    for running in house.stations:
        known |= (await controls_of(home, running)).keys()
    untried = known - {key for _, key in tried} - OF_ORDERS
    expect(not untried, f"never tried: {sorted(untried)}")
    found = await asyncio.gather(*(try_all(home, running) for running in house.stations))
    wrong = [text for texts in found for text in texts]
    expect(not wrong, "\n".join(wrong))


async def the_panel_changes_a_neighbour(house: House) -> None:
    """Somebody switches Saturday on at the display, and nobody has read that when Monday is switched on here."""
    running = house.stations[1]
    plant = running.plant
    held = await plant.word(146)
    expect(held == 0, f"register 146 holds {held:#06x}, although all of it was switched off")
    await plant.post("registers", {"address": 146, "values": [0x0040]})
    monday, saturday = running.entities["tou_monday"], running.entities["tou_saturday"]
    expect(await house.home.value(saturday) == "off", "the change at the display was read at once")
    await house.home.call("switch", "turn_on", entity_id=monday)
    held = await plant.word(146)
    expect(held == 0x0042, f"register 146 holds {held:#06x}, not Saturday and Monday")
    await house.home.until(saturday, "on", 3)


async def each_kind_of_control_refuses(house: House) -> None:
    """With the reason in words, and without a single write."""
    running = house.stations[0]
    plant = running.plant
    await plant.post("registers", {"address": 145, "values": [0xFFFF]})
    before = len(await plant.writes())
    for key, action, data, reason in REFUSALS:
        entity_id = running.entities[key]
        shown = await house.home.value(entity_id)
        message = await refusal(house.home, action, entity_id=entity_id, **data)
        expect(reason in message, f"{entity_id} refuses without {reason!r}: {message}")
        expect(await house.home.value(entity_id) == shown, f"{entity_id} changed all the same")
    sent = (await plant.writes())[before:]
    expect(not sent, f"sent all the same: {sent}")
    for one in house.stations:
        await house.home.request("DELETE", f"config/config_entries/entry/{one.entry_id}")


async def diagnostics_tell_no_secrets(house: Inhabited) -> None:
    """The download has the raw registers, and neither serial number nor address."""
    path = f"diagnostics/config_entry/{house.entry['entry_id']}"
    # Not below /api/config, and with the manifest around it.
    text = json.dumps((await house.home.request("GET", path))["data"])
    expect('"registers"' in text, "there are no raw registers")
    for secret in ("JSO0000001", "127.0.0.1", "4A53 4F30"):
        expect(secret not in text, f"{secret} is in the diagnostics")


async def the_entry_can_be_removed(house: Inhabited) -> None:
    """Nothing of it stays."""
    entry_id = house.entry["entry_id"]
    await house.home.request("DELETE", f"config/config_entries/entry/{entry_id}")
    registry = await house.home.command("config/entity_registry/list")
    left = [item["entity_id"] for item in registry if item["config_entry_id"] == entry_id]
    expect(not left, f"still there: {left}")


async def the_log_is_clean(house: Inhabited) -> None:
    """No error, no deprecation, nothing of pymodbus."""
    lines = suspicious_lines(house.home.log)
    # A machine that was silent on purpose is reported once.
    reported = [line for line in lines if "Error fetching JSO8048104" in line]
    expect(
        len(reported) <= 1,
        "the silent machine was reported more than once:\n" + "\n".join(reported),
    )
    lines = [line for line in lines if line not in reported]
    expect(not lines, "\n".join(lines))


# What holds however the inverter is reached: what is shown, and what is obeyed.
SHOWN: Final = (every_entity_has_a_value, states_are_what_the_registers_say)
OBEYED: Final = (
    controls_are_obeyed,
    flags_leave_their_neighbours_alone,
    equal_values_are_not_written,
    wrong_values_are_refused,
    a_locked_machine_is_noticed,
    faults_are_shown,
    a_schedule_is_set,
    a_silent_machine_comes_back,
    the_installer_tier_adds_its_controls,
    the_panel_is_followed,
)

CHECKS: Final[tuple[Callable[[House], Awaitable[None]], ...]] = (
    refusals_come_before_an_entry,
    the_same_machine_is_not_added_twice,
    *SHOWN,
    machines_for_all_controls_are_added,
    *OBEYED,
    what_was_done_is_kept,
    another_machine_is_added_over_rtu,
    every_control_is_obeyed,
    the_panel_changes_a_neighbour,
    each_kind_of_control_refuses,
    diagnostics_tell_no_secrets,
    the_entry_can_be_removed,
    the_log_is_clean,
)


async def check(done: asyncio.Future[Journal]) -> int:
    """Run all checks in order; return how many failed. `done` becomes what was done over Modbus TCP."""
    another = ("--serial-number", "JSO0000002", "--seed", "7")
    async with (
        simulated_plant() as plant,
        simulated_plant(another) as other,
        home_assistant() as home,
        AsyncExitStack() as more,
    ):
        machines = [
            RunningStation(
                station=station,
                plant=await more.enter_async_context(
                    simulated_plant(["--serial-number", station.serial])
                ),
            )
            for station in STATIONS
        ]
        house = House(plant=plant, other=other, home=home, stations=machines)
        failed = await run_checks(house, CHECKS, "JSO")
        done.set_result(house.journal)
        return failed


async def _repairs(home: Home, wanted: int) -> bool:
    """Whether so many repairs of ours are open."""
    issues = (await home.command("repairs/list_issues"))["issues"]
    return [issue["domain"] for issue in issues].count("hybrid_inverter") == wanted


async def _exists(home: Home, entity_id: str) -> bool:
    """Whether an entity has a state."""
    return (await home.states()).get(entity_id, {}).get("state") not in (None, "unavailable")


async def _all_available(home: Home) -> bool:
    """Whether no entity of the inverter is unavailable."""
    states = await home.states()
    return not any(s["state"] == "unavailable" for k, s in states.items() if f".{NAME}" in k)
