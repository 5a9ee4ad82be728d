"""What a JSO8048104 holds when it leaves the installer's hands: data only.

Values of the manual's example pages (5.6 to 5.9) where it shows some, else what the maker's machines usually hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Final

NAME: Final = "JSO8048104"
SERIAL_NUMBER: Final = "JSO0000001"

# First and last addresses that are served.
READABLE: Final = ((0, 237), (310, 334), (336, 347), (350, 424), (480, 493), (500, 708))
# Battery packs of the maker report themselves; with other packs these registers are refused.
PACK_BLOCKS: Final = ((10000, 10002), (10032, 10335))
PACKS: Final[Mapping[str, int | str]] = {
    "pack_device_type": 1792,
    "pack_count": 2,
    "pack_1_serial": "PACK000000000001",
    "pack_2_serial": "PACK000000000002",
    "pack_1_soh": 98,
    "pack_2_soh": 97,
    "pack_1_total_capacity": 140,
    "pack_2_total_capacity": 140,
    "pack_1_cycles": 214,
    "pack_2_cycles": 213,
}
# In series, in each pack.
PACK_CELLS: Final = 16

IDENTITY: Final[Mapping[str, int | str]] = {
    "device_type": 5,
    "protocol_version": "0104",
    "mcu_board_version": 3,
    "main_firmware": "2011-1144-1805",
    "hmi_firmware": "1001-C036",
    "rated_power": 8000,
    "rated_power_code": "8_kw",
    "output_wiring": "three_phase",
    "market": "eu",
}

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Start, grid charge, volts, percent.
_SLOTS: Final = (
    (time(1), True, 49.0, 80),
    (time(5), False, 50.2, 40),
    (time(8), False, 50.9, 40),
    (time(10), False, 51.4, 80),
    (time(15), False, 47.1, 40),
    (time(18), False, 49.0, 35),
)

SETTINGS: Final[Mapping[str, bool | float | str | time]] = {
    "inverter_enabled": True,
    "beep": True,
    "allow_remote": True,
    "battery_chemistry": "lithium",
    "equalization_voltage": 57.6,
    "absorption_voltage": 57.6,
    "float_voltage": 53.6,
    "battery_capacity": 600,
    "battery_empty_voltage": 45.0,
    "zero_export_power": 20,
    "equalization_days": 30,
    "equalization_time": 3,
    "tempco": 5,
    "battery_max_charge_current": 115,
    "battery_max_discharge_current": 115,
    "battery_operation_mode": "state_of_charge",
    "battery_1_wake_up": True,
    "battery_resistance": 25,
    "battery_charge_efficiency": 99.0,
    "battery_shutdown_soc": 20,
    "battery_restart_soc": 50,
    "battery_low_soc": 35,
    "battery_shutdown_voltage": 46.0,
    "battery_restart_voltage": 52.0,
    "battery_low_voltage": 47.5,
    "generator_max_run_time": 24,
    "generator_down_time": 0.5,
    "generator_charge_start_voltage": 49.0,
    "generator_charge_start_soc": 30,
    "generator_charge_current": 40,
    "grid_charge_start_voltage": 49.0,
    "grid_charge_start_soc": 30,
    "grid_charge_current": 40,
    "ac_couple_frequency_high": 52.0,
    "generator_port_mode": "generator_input",
    "smart_load_off_voltage": 51.0,
    "smart_load_off_soc": 95,
    "smart_load_on_voltage": 54.0,
    "smart_load_on_soc": 100,
    "output_voltage_level": "230_400_v",
    "smart_load_min_solar_power": 500,
    "energy_pattern": "load_first",
    "work_mode": "zero_export_to_ct",
    "max_sell_power": 8000,
    "solar_sell": True,
    "tou_enabled": True,
    **{f"tou_{day}": True for day in _WEEKDAYS},
    **{f"tou_slot_{n}_time": start for n, (start, *_) in enumerate(_SLOTS, 1)},
    **{f"tou_slot_{n}_power": 5000 for n in range(1, 7)},
    **{f"tou_slot_{n}_voltage": volts for n, (_, _, volts, _) in enumerate(_SLOTS, 1)},
    **{f"tou_slot_{n}_soc": percent for n, (_, _, _, percent) in enumerate(_SLOTS, 1)},
    **{f"tou_slot_{n}_grid_charge": charge for n, (_, charge, _, _) in enumerate(_SLOTS, 1)},
    "reconnection_time": 60,
    "grid_standard": "general_standard",
    "grid_voltage_high": 265.0,
    "grid_voltage_low": 185.0,
    "grid_frequency_high": 51.5,
    "grid_frequency_low": 48.0,
    "generator_rated_power": 5000,
    "grid_peak_shaving_power": 5000,
    "smart_load_open_delay": 1,
    "power_factor_setting": 1.0,
    "max_solar_power": 10400,
}

# Words that are two-bit pairs throughout: writing 10 disables, 11 enables, 00 and 01 change nothing.
PAIR_WORDS: Final = (178, 228)
ALL_PAIRS_DISABLED: Final = 0xAAAA

# Registers that this firmware does not have.
NOT_IMPLEMENTED: Final = (22, 28, 29, 61, 65, 73, 77, 82, 83, 84, 96, 110, 179, 230, 232, 234)

# Low words of signed powers, where their high words lie, and how many in a row. No table needs the high words,
# but the machine serves them: they only repeat the sign.
HIGH_WORDS: Final = (
    (604, 700, 5),
    (616, 705, 4),
    (622, 687, 4),
    (633, 691, 5),
    (640, 696, 4),
    (650, 656, 5),
    (664, 668, 4),
)

# The fault that reports a missing grid: F35 is bit 34.
NO_GRID: Final = 34
