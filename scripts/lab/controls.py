"""Every control of an inverter, set in a real Home Assistant and looked up in the machine's registers, bit by bit."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .home import RELOAD_SECONDS, Home, RefusedError
from .plant import Plant

DOMAIN: Final = "hybrid_inverter"
PLATFORMS: Final = ("number", "select", "switch", "time")
# First and last address of what holds settings and nothing that changes by itself.
SETTINGS_AREAS: Final = ((65, 209), (223, 223), (228, 237), (340, 341))
# A control that has its register for itself.
WHOLE: Final = 0xFFFF


class UnlikeError(Exception):
    """Something is not in the registers as it was set."""


@dataclass(frozen=True, slots=True)
class Control:
    """A control, what it is set to, and what its register holds then: from the register facts, by hand."""

    platform: str
    key: str
    value: Any
    address: int
    # The bits of the register that are the control's, and what they are.
    word: int
    mask: int = WHOLE

    @property
    def action(self) -> tuple[str, dict[str, Any]]:
        """Return the action that sets it, and its data."""
        match self.platform:
            case "number":
                return "set_value", {"value": self.value}
            case "select":
                return "select_option", {"option": self.value}
            case "time":
                return "set_value", {"time": self.value}
            case _:
                return f"turn_{self.value}", {}

    def is_shown_as(self, state: str) -> bool:
        """Whether a state is what it was set to."""
        if self.platform == "number":
            return bool(float(state) == self.value)
        return bool(state == self.value)


def number(key: str, value: float, address: int, word: int) -> Control:
    """Return a number, which has its register for itself."""
    return Control("number", key, value, address, word)


def choice(key: str, option: str, address: int, word: int, mask: int = WHOLE) -> Control:
    """Return a choice."""
    return Control("select", key, option, address, word, mask)


def flag(key: str, address: int, mask: int = WHOLE, *, on: int | None = None) -> Control:
    """Return a switch to turn on; `on` is what its bits hold then, left out: all of its mask."""
    return Control("switch", key, "on", address, mask if on is None else on, mask)


def off(key: str, address: int, mask: int = WHOLE, *, held: int = 0) -> Control:
    """Return a switch to turn off; `held` is what its bits hold then."""
    return Control("switch", key, "off", address, held, mask)


def moment(key: str, value: str, address: int, word: int) -> Control:
    """Return a time of day."""
    return Control("time", key, value, address, word)


@dataclass(kw_only=True)
class Station:
    """A machine of its own, with the controls that are tried on it, one after the other."""

    serial: str
    # What somebody has set at its display before, by address: the modes in which its controls are there.
    display: Mapping[int, int]
    controls: Sequence[Control]
    entry_id: str = ""
    # The entity ids by canonical key.
    entities: dict[str, str] = field(default_factory=dict)


DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SLOTS: Final = range(1, 7)
STARTS: Final = (
    ("01:30:00", 130),
    ("05:35:00", 535),
    ("08:30:00", 830),
    ("10:55:00", 1055),
    ("15:05:00", 1505),
    ("18:30:00", 1830),
)


def stations() -> list[Station]:
    """Return the machines: by voltage and by state of charge, with each mode of the generator port."""
    return [
        Station(
            serial="JSO0000011",
            # A lead-acid battery that is run by voltage, the port as a smart load's output.
            display={98: 0, 111: 0, 133: 1},
            controls=(
                number("battery_shutdown_voltage", 46.5, 118, 4650),
                number("battery_low_voltage", 48.05, 120, 4805),
                number("battery_restart_voltage", 52.5, 119, 5250),
                number("grid_charge_start_voltage", 49.5, 126, 4950),
                number("generator_charge_start_voltage", 49.65, 123, 4965),
                number("smart_load_on_voltage", 54.5, 136, 5450),
                number("smart_load_off_voltage", 51.5, 134, 5150),
                number("tou_slot_1_voltage", 52.1, 160, 5210),
                number("tou_slot_2_voltage", 52.2, 161, 5220),
                number("tou_slot_3_voltage", 52.3, 162, 5230),
                number("tou_slot_4_voltage", 52.4, 163, 5240),
                number("tou_slot_5_voltage", 52.55, 164, 5255),
                number("tou_slot_6_voltage", 52.6, 165, 5260),
                *(number(f"tou_slot_{n}_power", 4000 + n, 153 + n, 4000 + n) for n in SLOTS),
                *(
                    moment(f"tou_slot_{n}_time", start, 147 + n, word)
                    for n, (start, word) in enumerate(STARTS, 1)
                ),
                # The two bits of an item are 11 for on and 10 for off.
                off("allow_remote", 228, 0xC000, held=0x8000),
                flag("auto_dim", 228, 0x00C0),
                flag("am_pm", 228, 0x0030),
                off("beep", 228, 0x000C, held=0x0008),
                flag("time_sync", 228, 0x0003),
                choice("battery_chemistry", "lithium", 98, 1),
            ),
        ),
        Station(
            serial="JSO0000012",
            display={133: 1},
            controls=(
                number("smart_load_on_soc", 98, 137, 98),
                number("smart_load_off_soc", 90, 135, 90),
                number("smart_load_min_solar_power", 700, 139, 700),
                number("smart_load_open_delay", 5, 192, 5),
                flag("on_grid_always_on", 178, 0x00C0),
                off("tou_slot_1_grid_charge", 172, 0x0001),
                *(flag(f"tou_slot_{n}_grid_charge", 171 + n, 0x0001) for n in range(2, 7)),
                *(flag(f"tou_slot_{n}_sell", 171 + n, 0x0020) for n in SLOTS),
                off("tou_enabled", 146, 0x0001),
                *(off(f"tou_{day}", 146, 0x0002 << n) for n, day in enumerate(DAYS)),
                choice("battery_operation_mode", "voltage", 111, 0),
            ),
        ),
        Station(
            serial="JSO0000013",
            # The port as a micro inverter's input.
            display={133: 2},
            controls=(
                number("ac_couple_frequency_high", 53.5, 131, 5350),
                flag("microinverter_export_cutoff", 178, 0x0003),
                choice("work_mode", "selling_first", 142, 0),
                choice("energy_pattern", "battery_first", 141, 0, 0x0001),
                number("max_sell_power", 6000, 143, 6000),
                number("zero_export_power", 60, 104, 60),
                number("max_solar_power", 9000, 340, 9000),
                off("solar_sell", 145),
                flag("grid_charge_enabled", 130, on=1),
                number("grid_charge_current", 30, 128, 30),
                number("battery_max_charge_current", 100, 108, 100),
                number("battery_max_discharge_current", 90, 109, 90),
                number("battery_capacity", 500, 102, 500),
                number("absorption_voltage", 57, 100, 5700),
                number("float_voltage", 54.05, 101, 5405),
                number("equalization_voltage", 58, 99, 5800),
                number("battery_empty_voltage", 44.5, 103, 4450),
                number("equalization_days", 20, 105, 20),
                number("equalization_time", 2.5, 106, 5),
                number("tempco", 4, 107, 4),
                number("battery_resistance", 30, 113, 30),
                number("battery_charge_efficiency", 98.5, 114, 985),
                number("lithium_protocol", 3, 223, 3),
                off("battery_1_wake_up", 112, 0x0001),
                flag("asymmetric_phase_feeding", 237, on=1),
                flag("mppt_scan", 341, 0x0004),
                off("inverter_enabled", 80),
            ),
        ),
        Station(
            serial="JSO0000014",
            # By state of charge, the port as a generator's input.
            display={},
            controls=(
                number("battery_shutdown_soc", 15, 115, 15),
                number("battery_low_soc", 30, 117, 30),
                number("battery_restart_soc", 45, 116, 45),
                number("grid_charge_start_soc", 35, 127, 35),
                number("generator_charge_start_soc", 25, 124, 25),
                *(number(f"tou_slot_{n}_soc", 70 + n, 165 + n, 70 + n) for n in SLOTS),
                *(flag(f"tou_slot_{n}_generator_charge", 171 + n, 0x0002) for n in SLOTS),
                number("generator_rated_power", 6000, 190, 6000),
                number("generator_charge_current", 45, 125, 45),
                number("generator_max_run_time", 12.5, 121, 125),
                number("generator_down_time", 1.5, 122, 15),
                flag("generator_charge_enabled", 129, on=1),
                flag("generator_force", 132, on=1),
                flag("generator_signal", 140, 0x0002),
                flag("grid_signal", 140, 0x0001),
                flag("generator_on_grid_input", 189, on=1),
                flag("generator_peak_shaving", 178, 0x000C),
                flag("grid_peak_shaving", 178, 0x0030),
                flag("bms_err_stop", 178, 0x0C00),
                number("grid_peak_shaving_power", 6000, 191, 6000),
                choice("generator_port_mode", "smart_load_output", 133, 1),
            ),
        ),
    ]


async def prepare(home: Home, plant: Plant, station: Station) -> None:
    """Add the machine of a station, and enable every control that it has in the installer's tier."""
    for address, word in station.display.items():
        await plant.post("registers", {"address": address, "values": [word]})
    entry = await home.add_inverter(plant.tcp)
    station.entry_id = entry["entry_id"]
    await home.set_options(
        station.entry_id,
        power_interval=60,
        energy_interval=60,
        settings_interval=3600,
        tier="installer",
    )
    wanted = {control.key for control in station.controls}
    async with asyncio.timeout(RELOAD_SECONDS):
        while not wanted <= (known := await controls_of(home, station)).keys():
            await asyncio.sleep(0.2)
    station.entities = {key: entity["entity_id"] for key, entity in known.items()}
    for key in wanted:
        if known[key]["disabled_by"] is not None:
            await home.command(
                "config/entity_registry/update", entity_id=station.entities[key], disabled_by=None
            )


async def controls_of(home: Home, station: Station) -> dict[str, dict[str, Any]]:
    """Return what the entity registry knows of the controls of a station's machine, by canonical key."""
    return {
        entity["unique_id"].removeprefix(f"{station.serial}_"): entity
        for entity in await home.command("config/entity_registry/list")
        if entity["config_entry_id"] == station.entry_id
        and entity["entity_id"].split(".")[0] in PLATFORMS
    }


async def settings(plant: Plant) -> dict[int, int]:
    """Return the raw words of all settings."""
    image: dict[int, int] = {}
    for first, last in SETTINGS_AREAS:
        words = await plant.words(first, last - first + 1)
        image.update(zip(range(first, last + 1), words, strict=True))
    return image


async def try_all(home: Home, plant: Plant, station: Station) -> list[str]:
    """Set the controls of a station, each to another value; return what was not as it should be, in words."""
    await until_ready(home, station)
    wrong = []
    for control in station.controls:
        try:
            await try_one(home, plant, station, control)
        except (UnlikeError, RefusedError) as err:
            wrong.append(f"{control.key}: {err}")
    return wrong


async def until_ready(home: Home, station: Station) -> None:
    """Wait until all controls of a station are there; TimeoutError when they are not in the end."""
    wanted = {station.entities[control.key] for control in station.controls}
    async with asyncio.timeout(RELOAD_SECONDS):
        while True:
            states = await home.states()
            if all(
                states.get(one, {}).get("state", "unavailable") != "unavailable" for one in wanted
            ):
                return
            await asyncio.sleep(0.5)


async def try_one(home: Home, plant: Plant, station: Station, control: Control) -> None:
    """Set one control; UnlikeError when its bits, or any others, are not as they should be."""
    entity_id = station.entities[control.key]
    before = await settings(plant)
    if before[control.address] & control.mask == control.word:
        raise UnlikeError("it is set to that already")
    action, data = control.action
    await home.call(control.platform, action, entity_id=entity_id, **data)
    expected = {
        **before,
        control.address: before[control.address] & ~control.mask | control.word,
    }
    after = await settings(plant)
    unlike = [
        f"register {address} holds {after[address]:#06x}, not {word:#06x}"
        for address, word in expected.items()
        if after[address] != word
    ]
    if unlike:
        raise UnlikeError("; ".join(unlike))
    state = await home.value(entity_id)
    if not control.is_shown_as(state):
        raise UnlikeError(f"{entity_id} shows {state}, not {control.value}")
