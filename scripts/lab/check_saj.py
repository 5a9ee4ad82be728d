"""The inverters of SAJ, tried on a real Home Assistant over real sockets: all five kinds at once, in one home."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
import json
from typing import Any, Final

from .checking import CheckError, expect, refusal, run_checks, soon, suspicious_lines
from .controls import BEFORE_AN_ORDER
from .home import RELOAD_SECONDS, Home, home_assistant
from .plant import Plant, simulated_plant

# Each with its rated power in watts, and keys that it shows and does not show.
MODELS: Final = {
    "H2-6K-S2": 6000,
    "H2-10K-T2": 10000,
    "HS2-6K-S2": 6000,
    "AS2-6K-S": 6000,
    "HS3-8K-T2": 8000,
}
SHOWN: Final = {
    "H2-6K-S2": {"pv1_power", "pv2_power", "battery_1_soc", "grid_power"},
    "H2-10K-T2": {
        "pv1_power",
        "battery_2_soc",
        "grid_l3_voltage",
        "meter_a_power",
        "meter_b_power",
        "grid_import_energy_total",
    },
    "HS2-6K-S2": {"pv1_power", "battery_soc"},
    "AS2-6K-S": {"pv_power", "battery_soc"},
    "HS3-8K-T2": {"pv1_power", "grid_l3_voltage", "battery_soc", "battery_power"},
}
NOT_SHOWN: Final = {
    "H2-6K-S2": {"pv3_power", "pv2_energy_total", "grid_l2_voltage", "battery_2_soc"},
    "H2-10K-T2": {"battery_3_soc", "pv4_power"},
    "HS2-6K-S2": {"pv3_power", "grid_l2_voltage"},
    "AS2-6K-S": {"pv1_power", "pv2_power", "pv1_voltage"},
    "HS3-8K-T2": {"battery_1_soc", "battery_2_soc", "pv4_power"},
}


# What there is nothing to say of before the first outage, and while time of use is off.
NOTHING_YET: Final = (
    *("_last_outage", "_last_outage_duration", "_next_schedule_change"),
    *BEFORE_AN_ORDER,
)


@dataclass(kw_only=True)
class Inverter:
    """A simulated inverter, and what Home Assistant has made of it."""

    model: str
    serial: str
    plant: Plant
    entry_id: str = ""
    # Entity ids by canonical key.
    entities: dict[str, str] = field(default_factory=dict)

    @property
    def rated(self) -> int:
        """The rated power in watts."""
        return MODELS[self.model]


@dataclass(kw_only=True)
class House:
    """What the checks look at."""

    home: Home
    inverters: dict[str, Inverter]

    async def look_up(self, inverter: Inverter) -> None:
        """Learn the entity ids of an inverter from the registry."""
        prefix = f"{inverter.serial}_"
        inverter.entities = {
            known["unique_id"].removeprefix(prefix): known["entity_id"]
            for known in await self.home.command("config/entity_registry/list")
            if known["config_entry_id"] == inverter.entry_id
        }


type Steps = list[tuple[int, int]]

# Action, key, what to set, the state after it, and the registers with their words in the order in which they are
# written: the write sequences of the register facts, worked out by hand for a machine of 10 kW.
CONTROLS: Final[tuple[tuple[str, str, dict[str, Any], str, Steps], ...]] = (
    ("select.select_option", "work_mode", {"option": "time_of_use"}, "time_of_use", [(0x3647, 1)]),
    (
        "select.select_option",
        "work_mode",
        {"option": "self_consumption"},
        "self_consumption",
        [(0x3647, 0)],
    ),
    ("number.set_value", "backup_reserve_soc", {"value": 45}, "45", [(0x3651, 45)]),
    ("number.set_value", "on_grid_discharge_floor", {"value": 25}, "25", [(0x3644, 25)]),
    ("number.set_value", "off_grid_discharge_floor", {"value": 12}, "12", [(0x3645, 12)]),
    ("number.set_value", "charge_upper_limit", {"value": 95}, "95", [(0x3646, 95)]),
    ("number.set_value", "battery_charge_power_limit", {"value": 5000}, "5000", [(0x364D, 500)]),
    ("number.set_value", "battery_discharge_power_limit", {"value": 4200}, "4200", [(0x364E, 420)]),
    ("number.set_value", "grid_charge_power_limit", {"value": 3333}, "3330", [(0x364F, 333)]),
    ("number.set_value", "grid_discharge_power_limit", {"value": 10}, "10", [(0x3650, 1)]),
    (
        "select.select_option",
        "export_limit_mode",
        {"option": "total_power"},
        "total_power",
        [(0x365C, 1)],
    ),
    ("number.set_value", "export_limit_power", {"value": 2500}, "2500", [(0x365A, 250)]),
    ("number.set_value", "export_limit_current", {"value": 7.5}, "7.5", [(0x365B, 750)]),
    (
        "select.select_option",
        "export_limit_mode",
        {"option": "off"},
        "off",
        [(0x365A, 1100), (0x365C, 0)],
    ),
    (
        "select.select_option",
        "tou_outside_mode",
        {"option": "standby"},
        "standby",
        [(0x365F, 0)],
    ),
    ("switch.turn_on", "tou_export_from_battery", {}, "on", [(0x3660, 1)]),
    ("switch.turn_on", "buzzer", {}, "on", [(0x3632, 0)]),
    ("time.set_value", "charge_slot_1_start", {"time": "22:30"}, "22:30:00", [(0x3606, 0x161E)]),
    ("time.set_value", "charge_slot_1_end", {"time": "23:59"}, "23:59:00", [(0x3607, 0x173B)]),
    ("number.set_value", "charge_slot_1_power", {"value": 40}, "40", [(0x3608, 0x7F28)]),
    (
        "select.select_option",
        "charge_slot_1_days",
        {"option": "weekend"},
        "weekend",
        [(0x3608, 0x6028)],
    ),
    ("switch.turn_on", "charge_slot_1_enabled", {}, "on", [(0x3604, 0x0001)]),
    ("switch.turn_on", "charge_slot_7_enabled", {}, "on", [(0x3604, 0x0041)]),
    ("switch.turn_off", "charge_slot_1_enabled", {}, "off", [(0x3604, 0x0040)]),
    ("time.set_value", "discharge_slot_7_start", {"time": "17:05"}, "17:05:00", [(0x362D, 0x1105)]),
    ("number.set_value", "discharge_slot_7_power", {"value": 9}, "9", [(0x362F, 0x7F09)]),
    ("switch.turn_on", "discharge_slot_7_enabled", {}, "on", [(0x3605, 0x0040)]),
)

# Refused: action, key, what was asked for, and words of the message.
REFUSED: Final = (
    ("number.set_value", "backup_reserve_soc", {"value": 19}, "20"),
    ("number.set_value", "on_grid_discharge_floor", {"value": 101}, "100"),
    ("number.set_value", "battery_charge_power_limit", {"value": 11001}, "11000"),
    ("select.select_option", "work_mode", {"option": "peak_shaving"}, "peak_shaving"),
)


async def all_are_added(house: House) -> None:
    """Each answers to the form, is known by its serial number, and shows what it has."""
    for inverter in house.inverters.values():
        entry = await house.home.add_inverter(inverter.plant.tcp)
        inverter.entry_id = entry["entry_id"]
        await house.look_up(inverter)
        missing = SHOWN[inverter.model] - inverter.entities.keys()
        expect(not missing, f"{inverter.model} does not show {sorted(missing)}")
        surplus = NOT_SHOWN[inverter.model] & inverter.entities.keys()
        expect(not surplus, f"{inverter.model} shows {sorted(surplus)}")


async def every_entity_has_a_value(house: House) -> None:
    """Nothing that is shown without asking is unavailable or unknown."""

    async def missing() -> list[str]:
        states = await house.home.states()
        ours = {e for inverter in house.inverters.values() for e in inverter.entities.values()}
        return [
            entity_id
            for entity_id in sorted(ours & states.keys())
            if states[entity_id]["state"] in ("unavailable", "unknown")
            and not entity_id.startswith(("event.", "button."))
            and not entity_id.endswith(NOTHING_YET)
        ]

    async def none_is_missing() -> bool:
        return not await missing()

    try:
        await soon(none_is_missing, "", 20)
    except CheckError as err:
        raise CheckError(f"without a value: {', '.join(await missing())}") from err


async def meters_are_devices_of_their_own(house: House) -> None:
    """A meter behind an inverter is a device below it, and not there where it does not report."""
    devices = await house.home.command("config/device_registry/list")
    for model, wanted in (("H2-10K-T2", {"meter_a", "meter_b"}), ("HS2-6K-S2", set[str]())):
        serial = house.inverters[model].serial
        below = {
            identifier.removeprefix(f"{serial}_")
            for device in devices
            for _, identifier in device["identifiers"]
            if identifier.startswith(f"{serial}_meter")
        }
        expect(below == wanted, f"{model} has the meters {sorted(below)}")


async def controls_are_obeyed(house: House) -> None:
    """Each is written as the register facts say, one register after the other, and shown."""
    home, inverter = house.home, house.inverters["H2-10K-T2"]
    await enable(house, inverter, [key for _, key, *_ in CONTROLS])
    for action, key, data, state, steps in CONTROLS:
        entity_id = inverter.entities[key]
        before = len(await inverter.plant.writes())
        domain, service = action.split(".")
        await home.call(domain, service, entity_id=entity_id, **data)
        await home.until(entity_id, state)
        written = (await inverter.plant.writes())[before:]
        sent = [(write["address"], write["values"][0]) for write in written]
        expect(sent == steps, f"{key} {data}: wrote {_hex(sent)} instead of {_hex(steps)}")
        expect(all(write["function"] == 6 for write in written), f"{key}: not function code 6")


async def every_model_is_controlled(house: House) -> None:
    """The work mode and a threshold of each of them, read back."""
    for inverter in house.inverters.values():
        for action, key, data, state, steps in CONTROLS[:4]:
            domain, service = action.split(".")
            entity_id = inverter.entities[key]
            await house.home.call(domain, service, entity_id=entity_id, **data)
            await house.home.until(entity_id, state)
            ((address, word),) = steps
            held = await inverter.plant.word(address)
            expect(held == word, f"{inverter.model}: {address:#06x} holds {held}, not {word}")


async def wrong_values_are_refused(house: House) -> None:
    """With a message, and without a single frame that writes."""
    inverter = house.inverters["H2-10K-T2"]
    before = len(await inverter.plant.writes())
    for action, key, data, words in REFUSED:
        message = await refusal(house.home, action, entity_id=inverter.entities[key], **data)
        expect(words in message, f"{key} {data}: {message}")
    expect(len(await inverter.plant.writes()) == before, "a refused value was written")


async def an_unknown_mode_is_shown_and_kept(house: House) -> None:
    """The maker's app may choose a mode that we do not offer."""
    inverter = house.inverters["H2-6K-S2"]
    await inverter.plant.post("registers", {"address": 0x3647, "values": [10]})
    await house.home.command(
        "call_service",
        domain="homeassistant",
        service="update_entity",
        service_data={"entity_id": inverter.entities["work_mode"]},
    )
    await house.home.until(inverter.entities["work_mode"], "peak_shaving")
    expect(await inverter.plant.word(0x3647) == 10, "the mode was not kept")
    await house.home.call(
        "select",
        "select_option",
        entity_id=inverter.entities["work_mode"],
        option="self_consumption",
    )


async def a_schedule_is_set(house: House) -> None:
    """Two windows, one of them over midnight, make three slots, which are enabled last."""
    inverter = house.inverters["HS2-6K-S2"]
    home = house.home
    device_id = await device_id_of(house, inverter)
    windows = [
        {"start": "22:00", "end": "06:00", "mode": "charge", "power": 3000},
        {"start": "17:00", "end": "20:30", "mode": "discharge", "power": 2400},
    ]
    before = len(await inverter.plant.writes())
    await home.command(
        "call_service",
        domain="hybrid_inverter",
        service="set_schedule",
        service_data={"device_id": device_id, "windows": windows},
        return_response=True,
    )
    plant = inverter.plant
    expect(await plant.word(0x3604) == 0b11, "two charge slots are not enabled")
    expect(await plant.word(0x3605) == 0b1, "one discharge slot is not enabled")
    # 17:00, 20:30, every day at 40 percent of 6 kW
    words = await plant.words(0x361B, 3)
    expect(words == [0x1100, 0x141E, 0x7F28], f"the discharge slot holds {words}")
    sent = [write["address"] for write in (await plant.writes())[before:]]
    expect(
        set(sent[-2:]) == {0x3604, 0x3605},
        f"the slots were not enabled last: {list(map(hex, sent))}",
    )
    answer = await home.command(
        "call_service",
        domain="hybrid_inverter",
        service="get_schedule",
        service_data={"device_id": device_id},
        return_response=True,
    )
    expect(len(answer["response"]["windows"]) in (2, 3), f"get_schedule says {answer['response']}")


PASSIVE: Final = (0x3636, 0x3637, 0x3638, 0x3639, 0x363A, 0x3647)


async def leaving_passive_mode_leaves_no_trace(house: House) -> None:
    """Entered, used and left again: the registers are as they were before."""
    inverter = house.inverters["H2-10K-T2"]
    before = [await inverter.plant.word(address) for address in PASSIVE]
    await enter_passive(house, inverter)
    await house.home.call(
        "select",
        "select_option",
        entity_id=inverter.entities["work_mode"],
        option="self_consumption",
    )

    async def is_as_before() -> bool:
        return [await inverter.plant.word(address) for address in PASSIVE] == before

    await soon(is_as_before, f"the registers were {before} before passive mode, and differ")
    await house.look_up(inverter)
    left = [key for key in inverter.entities if key.startswith("passive_")]
    expect(not left, f"still there: {left}")


async def silent_inverters_survive_a_restart(house: House) -> None:
    """All entities exist while nothing answers, and have values when the inverters wake up."""
    before = {e for i in house.inverters.values() for e in i.entities.values()}
    for inverter in house.inverters.values():
        await inverter.plant.trouble(silent=True)
    await house.home.stop()
    await house.home.start()
    for inverter in house.inverters.values():
        await house.look_up(inverter)
    after = {e for i in house.inverters.values() for e in i.entities.values()}
    expect(before == after, f"a restart at night changed the entities: {sorted(before ^ after)}")
    for inverter in house.inverters.values():
        await inverter.plant.trouble(silent=False)
    for inverter in house.inverters.values():
        await house.home.until(inverter.entities["battery_soc"], _is_number, 60)
        await house.home.until(inverter.entities["work_mode"], _is_known, 60)


async def stopping_in_passive_mode_leaves_no_trace(house: House) -> None:
    """Home Assistant stops while it controls the battery: the registers are as they were before."""
    inverter = house.inverters["H2-10K-T2"]
    await house.home.until(inverter.entities["work_mode"], _is_known, 60)
    before = [await inverter.plant.word(address) for address in PASSIVE]
    await enter_passive(house, inverter)
    await house.home.stop()
    after = [await inverter.plant.word(address) for address in PASSIVE]
    await house.home.start()
    expect(after == before, f"the registers were {before}, and are {after}")


async def nothing_is_refused_in_the_steady_state(house: House) -> None:
    """What a firmware does not serve was found out at the start, and is not requested again."""

    async def refused() -> dict[str, Any]:
        statistics = [await i.plant.get("statistics") for i in house.inverters.values()]
        return dict(zip(house.inverters, (s["tcp"]["exceptions"] for s in statistics), strict=True))

    await asyncio.sleep(15)
    before = await refused()
    # All groups but the settings come round.
    await asyncio.sleep(65)
    after = await refused()
    expect(after == before, f"refused were {before}, and then {after}")


async def the_log_is_clean(house: House) -> None:
    """No warning, error or deprecation in Home Assistant's log but those of the silent inverters."""
    lines = [line for line in suspicious_lines(house.home.log) if "did not answer" not in line]
    expect(not lines, "\n".join(lines))


CHECKS: Final = (
    all_are_added,
    every_entity_has_a_value,
    meters_are_devices_of_their_own,
    controls_are_obeyed,
    every_model_is_controlled,
    wrong_values_are_refused,
    an_unknown_mode_is_shown_and_kept,
    a_schedule_is_set,
    leaving_passive_mode_leaves_no_trace,
    silent_inverters_survive_a_restart,
    stopping_in_passive_mode_leaves_no_trace,
    nothing_is_refused_in_the_steady_state,
    the_log_is_clean,
)


async def check_saj() -> int:
    """Run all checks in order; return how many failed."""
    async with AsyncExitStack() as stack, home_assistant() as home:
        inverters = {}
        for number, model in enumerate(MODELS, 1):
            serial = f"SAJSIM{number:014}"
            plant = await stack.enter_async_context(
                simulated_plant(["--model", model, "--serial-number", serial])
            )
            inverters[model] = Inverter(model=model, serial=serial, plant=plant)
        return await run_checks(House(home=home, inverters=inverters), CHECKS, "SAJ")


async def enable(house: House, inverter: Inverter, keys: Iterable[str]) -> None:
    """Switch on the entities that are off at first, and wait until they have values.

    Home Assistant loads the entry again half a minute later by itself, and then nothing else does.
    """
    states = await house.home.states()
    hidden = {inverter.entities[key] for key in keys} - states.keys()
    for entity_id in sorted(hidden):
        await house.home.command(
            "config/entity_registry/update", entity_id=entity_id, disabled_by=None
        )
    for entity_id in sorted(hidden):
        await house.home.until(entity_id, _is_known, RELOAD_SECONDS)


async def enter_passive(house: House, inverter: Inverter) -> None:
    """Charge the battery with 3 kW, as an automation would: what counts in the mode is there as soon as the mode is."""
    home = house.home
    await home.call(
        "select", "select_option", entity_id=inverter.entities["work_mode"], option="passive"
    )
    await house.look_up(inverter)
    entities = inverter.entities
    for key in ("passive_grid_charge_power", "passive_battery_charge_power"):
        await home.call("number", "set_value", entity_id=entities[key], value=3000)
    await home.call(
        "select", "select_option", entity_id=entities["passive_action"], option="charge"
    )
    held = [await inverter.plant.word(address) for address in (0x3636, 0x3637, 0x3639, 0x3647)]
    expect(held == [2, 300, 300, 3], f"passive mode holds {held}")


async def device_id_of(house: House, inverter: Inverter) -> str:
    """The id of the inverter's device."""
    for device in await house.home.command("config/device_registry/list"):
        if ["hybrid_inverter", inverter.serial] in device["identifiers"]:
            return str(device["id"])
    raise CheckError(f"{inverter.model} is no device")


def _hex(steps: Steps) -> str:
    """Steps as the register facts write them."""
    return json.dumps([f"{address:#06x}={word:#06x}" for address, word in steps])


def _is_number(state: str) -> bool:
    """Whether a state is a number."""
    return state.replace(".", "", 1).isdigit()


def _is_known(state: str) -> bool:
    """Whether an entity has a state."""
    return state not in ("unavailable", "unknown")
