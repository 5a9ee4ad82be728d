"""What every control of an inverter is set to, and what its register holds then: from the register facts, by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from custom_components.hybrid_inverter.modbus.model.slots import START_SLOTS

# A control that has its register to itself.
WHOLE: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Control:
    """A control, what it is set to, and what its register holds then."""

    platform: str
    key: str
    value: Any
    address: int
    # The bits of the register that are the control's, and what they are.
    word: int
    mask: int = WHOLE

    @property
    def action(self) -> tuple[str, dict[str, Any]]:
        """The action that sets it, and its data."""
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
    """A number, which has its register to itself."""
    return Control("number", key, value, address, word)


def choice(key: str, option: str, address: int, word: int, mask: int = WHOLE) -> Control:
    """A choice."""
    return Control("select", key, option, address, word, mask)


def flag(key: str, address: int, mask: int = WHOLE, *, on: int | None = None) -> Control:
    """A switch to turn on; `on` is what its bits hold then, left out: all of its mask."""
    return Control("switch", key, "on", address, mask if on is None else on, mask)


def off(key: str, address: int, mask: int = WHOLE, *, held: int = 0) -> Control:
    """A switch to turn off; `held` is what its bits hold then."""
    return Control("switch", key, "off", address, held, mask)


def moment(key: str, value: str, address: int, word: int) -> Control:
    """A time of day."""
    return Control("time", key, value, address, word)


@dataclass(frozen=True, kw_only=True)
class Station:
    """A machine of its own, with the controls that are tried on it, one after the other."""

    serial: str
    # What somebody has set at its display before, by address: the modes in which its controls exist.
    display: Mapping[int, int]
    controls: Sequence[Control]


DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

STARTS: Final = (
    ("01:30:00", 130),
    ("05:35:00", 535),
    ("08:30:00", 830),
    ("10:55:00", 1055),
    ("15:05:00", 1505),
    ("18:30:00", 1830),
)

# By voltage and by state of charge, with each mode of the generator port.
STATIONS: Final = (
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
            *(number(f"tou_slot_{n}_power", 4000 + n, 153 + n, 4000 + n) for n in START_SLOTS),
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
            *(flag(f"tou_slot_{n}_sell", 171 + n, 0x0020) for n in START_SLOTS),
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
            number("battery_reserve", 32, 117, 32),
            number("grid_charge_start_soc", 35, 127, 35),
            number("generator_charge_start_soc", 25, 124, 25),
            *(number(f"tou_slot_{n}_soc", 70 + n, 165 + n, 70 + n) for n in START_SLOTS),
            *(flag(f"tou_slot_{n}_generator_charge", 171 + n, 0x0002) for n in START_SLOTS),
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
)
