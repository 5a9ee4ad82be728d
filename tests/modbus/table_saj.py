"""The tables of the SAJ family, against raw images and values that were both worked out by hand.

An image (fixtures/saj_*.json) is a run of raw words by its first address, one for each model of the simulator:

- H2-10K-T2: a sunny afternoon. 6200 W of PV and 800 W of another inverter's, 2500 W into the battery, 600 W sold.
- H2-6K-S2: an evening. 1800 W out of the battery, 250 W bought. This firmware refuses 0x4137 and all above.
- HS2-6K-S2: a night. The battery is filled from the grid; its power is told without a sign.
- AS2-6K-S: no PV inputs, 2400 W of another inverter's by the CT. 2500 W out of the battery, 1450 W sold.
- HS3-8K-T2: clouds. Packs that report nothing, 1200 W into the battery, 900 W bought. It refuses 0x4155 and above.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time
from functools import cache
import json
from pathlib import Path
from typing import Final

from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

from .fake_unit import FakeUnit

FIXTURES: Final = Path(__file__).parents[1] / "fixtures"

SEVEN: Final = range(1, 8)


@cache
def image(name: str) -> Mapping[int, int]:
    """Return the raw words of a model by address."""
    runs = json.loads((FIXTURES / f"saj_{name}.json").read_text(encoding="utf-8"))
    return {
        address: word
        for first, words in runs.items()
        for address, word in enumerate(words, int(first, 16))
    }


def decode(family: Family, words: Mapping[int, int], key: str) -> Value | None:
    """Return what a machine with these words says of a key."""
    if (derived := family.derived.get(key)) is not None:
        return derived.compute({name: decode(family, words, name) for name in derived.inputs})
    return family.registers[key].decode(words)


# What each model is found to have.
SINGLE: Final = frozenset(
    {"backup_output", "battery_packs", "battery_1", "passive_mode", "discharge_slots"}
)

THREE: Final = frozenset(
    {
        "three_phase",
        "backup_output",
        "three_phase_backup_output",
        "meter_a",
        "meter_a_three_phase",
        "three_phase_meter",
        "pv",
        "string_energies",
        "passive_mode",
        "discharge_slots",
    }
)

FEATURES: Final[dict[str, frozenset[str]]] = {
    "h2_10k_t2": THREE
    | {
        "bms_1",
        "bms_2",
        "battery_packs",
        "battery_1",
        "battery_2",
        "meter_b",
        "meter_b_three_phase",
        "phase_energies",
        "three_phase_energies",
    },
    "h2_6k_s2": SINGLE | {"pv"},
    # One controller for three packs: the mask tells of them, and their words are zero.
    "hs2_6k_s2": SINGLE | {"pv", "battery_2", "battery_3", "meter_a"},
    "as2_6k_s": SINGLE | {"ac_coupled", "meter_a", "meter_b"},
    "hs3_8k_t2": THREE,
}

RATED: Final = {
    "h2_10k_t2": 10000,
    "h2_6k_s2": 6000,
    "hs2_6k_s2": 6000,
    "as2_6k_s": 6000,
    "hs3_8k_t2": 8000,
}

# What the firmware of each model refuses, and how.
REFUSED: Final[dict[str, dict[int, int]]] = {
    "h2_10k_t2": {},
    "h2_6k_s2": dict.fromkeys(range(0x4137, 0x4177), 65) | dict.fromkeys(range(0x8E00, 0x8E64), 2),
    "hs2_6k_s2": dict.fromkeys(range(0x4137, 0x4167), 0),
    "as2_6k_s": dict.fromkeys(range(0x4137, 0x4177), 2),
    "hs3_8k_t2": dict.fromkeys(range(0x4155, 0x4177), 2),
}


@cache
def fitted(name: str) -> Family:
    """Return the family as a model has it."""
    return SAJ.fitted(FEATURES[name], {"rated_power": RATED[name]})


def slot_values(
    kind: str, enabled: Collection[int], slots: Mapping[int, tuple[Value | None, ...]]
) -> dict[str, Value | None]:
    """Return the values of seven slots: start, end, days and power; those that are not given are all zero."""
    unused = (time(0, 0), time(0, 0), frozenset[int](), 0)
    return {
        f"{kind}_slot_{slot}_{value}": expected
        for slot in SEVEN
        for value, expected in zip(
            ("enabled", "start", "end", "days", "power"),
            (slot in enabled, *slots.get(slot, unused)),
            strict=True,
        )
    }


T2: Final[dict[str, Value | None]] = {
    # Identity.
    "device_type": 94,
    "device_subtype": 3,
    "protocol_version": "1.002",
    "serial_number": "H2T20000000000000001",
    "product_code": "H2-10K-T2",
    "display_software_version": "1.216",
    "master_software_version": "3.105",
    "slave_software_version": "3.106",
    "display_hardware_version": "1.001",
    "control_hardware_version": "1.002",
    "power_hardware_version": "1.003",
    "machine_model": 94,
    "rated_power": 10000,
    "grid_type": "three_phase_four_wire",
    "bms_1_type": "saj_b2",
    "bms_1_serial_number": "BMS0000000000001",
    "bms_1_software_version": "2.105",
    "bms_1_hardware_version": "1.000",
    "battery_1_cell_type": "80_ah",
    "battery_1_serial_number": "PACK000000000001",
    "bms_2_type": "saj_b2",
    "bms_2_serial_number": "BMS0000000000002",
    "bms_2_software_version": "2.105",
    "bms_2_hardware_version": "1.000",
    "battery_2_cell_type": "100_ah",
    "battery_2_serial_number": "PACK000000000002",
    # State.
    "system_time": datetime(2026, 6, 21, 14, 30, 45),  # noqa: DTZ001 - 07EA 0615 0E1E 2D00, local
    "status": "on_grid",
    "fault": frozenset({2, 65}),  # 0x4008 is 4: code 3; 0x4006 is 2: code 66
    "error_count": 2,
    "heatsink_temperature": 41.5,
    "ambient_temperature": -5.0,  # 0xFFCE is -50
    "leakage_current": -11,  # 0xFFF5
    "insulation_resistance_1": 3000,
    "insulation_resistance_2": 2800,
    "insulation_resistance_3": None,  # 0xFFFF
    "insulation_resistance_4": None,  # 0x7FFF
    "drm_hardware_status": frozenset({0}),
    "drm_software_status": frozenset({5, 8}),  # 0x0120
    "grid_connect_countdown": 60,
    "fault_record_serial": 17,
    "setting_change_serial": 402,
    "active_work_mode": "time_of_use",
    "active_battery_protocol": "saj_can_b2",
    "active_soc_high_limit": 95,
    "active_soc_low_limit": 20,
    "active_depth_of_discharge": 80,
    "active_reserved_soc": 60,
    "active_meter_mode": "three_phase_meter",
    # The machine's own grid terminal.
    "grid_l1_voltage": 230.1,
    "grid_l1_internal_current": -2.0,  # 0xFF38 is -200
    "grid_frequency": 49.98,
    "grid_l1_dc_injection": -5,
    "grid_l1_internal_power": -460,  # 0xFE34
    "grid_l1_internal_apparent_power": 465,
    "grid_l1_internal_power_factor": -0.995,  # 0xFC1D is -995
    "grid_l2_voltage": 231.2,
    "grid_l2_internal_current": 1.9,
    "grid_l2_frequency": 49.99,
    "grid_l2_dc_injection": 3,
    "grid_l2_internal_power": 430,
    "grid_l2_internal_apparent_power": 440,
    "grid_l2_internal_power_factor": 0.978,
    "grid_l3_voltage": 229.5,
    "grid_l3_internal_current": -1.0,
    "grid_l3_frequency": 50.01,
    "grid_l3_dc_injection": 0,
    "grid_l3_internal_power": -230,  # 0xFF1A
    "grid_l3_internal_apparent_power": 235,
    "grid_l3_internal_power_factor": -0.92,
    "inverter_l1_voltage": 230.2,
    "inverter_l1_current": 4.3,
    "inverter_frequency": 49.98,
    "inverter_l1_power": 989,
    "inverter_l1_apparent_power": 995,
    "inverter_l2_voltage": 231.3,
    "inverter_l2_current": 4.25,
    "inverter_l2_frequency": 49.99,
    "inverter_l2_power": 981,
    "inverter_l2_apparent_power": 990,
    "inverter_l3_voltage": 229.6,
    "inverter_l3_current": -4.2,  # 0xFE5C is -420
    "inverter_l3_frequency": 50.01,
    "inverter_l3_power": -953,  # 0xFC47
    "inverter_l3_apparent_power": 970,
    "backup_l1_voltage": 230.1,
    "backup_l1_current": 1.5,
    "backup_frequency": 49.98,
    "backup_l1_dc_voltage": -20,  # 0xFFEC
    "backup_l1_power": 340,
    "backup_l1_apparent_power": 350,
    "backup_l2_voltage": 231.0,
    "backup_l2_current": 1.0,
    "backup_l2_frequency": 49.99,
    "backup_l2_dc_voltage": 12,
    "backup_l2_power": 230,
    "backup_l2_apparent_power": 235,
    "backup_l3_voltage": 229.4,
    "backup_l3_current": 0.5,
    "backup_l3_frequency": 50.0,
    "backup_l3_dc_voltage": 0,
    "backup_l3_power": 110,
    "backup_l3_apparent_power": 120,
    # Battery and PV.
    "bus_voltage_master": 650.0,
    "bus_voltage_slave": 649.5,
    "battery_voltage": 350.5,
    "battery_current": -7.15,  # 0xFD35 is -715
    "battery_current_1": -3.6,  # 0xFE98 is -360
    "battery_current_2": -3.55,  # 0xFE9D is -355
    "battery_power_dc_raw": -2506,  # 0xF636
    "battery_power_dc": -2506,
    "battery_temperature": 25.3,
    "battery_soc": 67.55,
    "battery_direction": "charging",  # 0xFFFF is -1
    "battery_power_raw": -2500,  # 0xF63C
    "battery_power": -2500,
    "pv_direction": "producing",
    "pv_power": 6200,
    "pv1_voltage": 610.1,
    "pv1_current": 5.41,
    "pv1_power": 3300,
    "pv2_voltage": 580.2,
    "pv2_current": 5.0,
    "pv2_power": 2900,
    # Flows.
    "grid_side_l1_voltage": 230.0,
    "grid_side_l1_current": -2.0,
    "grid_side_frequency": 49.98,
    "grid_side_l1_power": -460,
    "grid_side_l2_voltage": 231.1,
    "grid_side_l2_power": 430,
    "grid_side_l3_voltage": 229.4,
    "grid_side_l3_power": -230,
    "grid_direction": "exporting",
    "output_direction": "to_load",
    "load_power": 3000,
    "grid_ct_power": -600,  # 0xFDA8
    "grid_ct_apparent_power": -608,
    "pv_ct_power": 800,
    "pv_ct_apparent_power": 805,
    "grid_internal_power": -260,  # 0xFEFC
    "grid_internal_apparent_power": 260,
    "inverter_power": 3540,
    "inverter_apparent_power": 3560,
    "backup_power": 680,
    "backup_apparent_power": 705,
    "grid_power": -600,  # the meter's -200 - 150 - 250; 0x40AD says -512
    "grid_l1_power": -200,
    "grid_l2_power": -150,
    "grid_l3_power": -250,
    # Energies: the high word times 65536 and the low word, in hundredths.
    "pv_hours_today": 8.5,
    "pv_hours_total": 4123.0,
    "pv_energy_today": 31.25,
    "pv_energy_month": 655.36,  # 1, 0
    "pv_energy_year": 4654.51,  # 7 * 65536 + 6699
    "pv_energy_total": 12345.67,  # 18 * 65536 + 54919
    "pv2_energy_today": 14.0,
    "pv2_energy_month": 300.0,
    "pv2_energy_year": 1966.09,
    "pv2_energy_total": 5242.96,
    "battery_charge_energy_today": 10.5,
    "battery_charge_energy_month": 250.0,
    "battery_charge_energy_year": 1310.73,  # 2, 1
    "battery_charge_energy_total": 1976.08,  # 3, 1000
    "battery_discharge_energy_today": 8.75,
    "battery_discharge_energy_month": 230.0,
    "battery_discharge_energy_year": 1255.36,  # 1, 60000
    "battery_discharge_energy_total": 1910.72,  # 2, 60000
    "inverter_energy_today": 26.0,
    "inverter_energy_month": 610.0,
    "inverter_energy_year": 3277.8,  # 5, 100
    "inverter_energy_total": 9832.4,  # 15, 200
    "load_energy_today": 18.2,
    "load_energy_month": 450.0,
    "load_energy_year": 2621.48,  # 4, 4
    "load_energy_total": 7209.07,  # 11, 11
    "backup_energy_today": 3.3,
    "backup_energy_month": 99.0,
    "backup_energy_year": 555.0,
    "backup_energy_total": 1310.74,  # 2, 2
    "grid_export_l1_energy_today": 4.1,
    "grid_export_l1_energy_month": 80.0,
    "grid_export_l1_energy_year": 520.0,
    "grid_export_l1_energy_total": 1055.36,  # 1, 40000
    "grid_export_l2_energy_today": 3.9,
    "grid_export_l2_energy_month": 70.0,
    "grid_export_l2_energy_year": 500.0,
    "grid_export_l2_energy_total": 955.36,  # 1, 30000
    "grid_export_l3_energy_today": 4.5,
    "grid_export_l3_energy_month": 90.0,
    "grid_export_l3_energy_year": 540.0,
    "grid_export_l3_energy_total": 1155.36,  # 1, 50000
    "grid_import_l1_energy_today": 1.2,
    "grid_import_l1_energy_month": 30.0,
    "grid_import_l1_energy_year": 210.0,
    "grid_import_l1_energy_total": 640.0,
    "grid_import_l2_energy_today": 1.0,
    "grid_import_l2_energy_month": 20.0,
    "grid_import_l2_energy_year": 200.0,
    "grid_import_l2_energy_total": 600.0,
    "grid_import_l3_energy_today": 0.8,
    "grid_import_l3_energy_month": 10.0,
    "grid_import_l3_energy_year": 190.0,
    "grid_import_l3_energy_total": 560.0,
    # Those of the house are the machine's own sums, a little more than 3.0 and 12.5 of the phases.
    "grid_import_energy_today": 3.05,
    "grid_import_energy_month": 60.1,
    "grid_import_energy_year": 600.2,
    "grid_import_energy_total": 1800.4,  # 2, 48968
    "grid_import_energy_all_total": 1800.4,
    "grid_export_energy_today": 12.55,
    "grid_export_energy_month": 240.1,
    "grid_export_energy_year": 1560.72,  # 2, 25000
    "grid_export_energy_total": 3166.44,  # 4, 54500
    # Packs.
    "battery_count": 2,
    "battery_capacity": 100,
    "battery_usable_capacity": 90,
    "battery_online": frozenset({0, 1}),
    "battery_soh": 98.5,
    "battery_1_fault": frozenset({1}),
    "battery_1_warning": frozenset({7}),  # 0x0080
    "battery_1_soc": 68.0,
    "battery_1_soh": 98.5,
    "battery_1_voltage": 350.6,
    "battery_1_current": -3.6,
    "battery_1_temperature": 25.1,
    "battery_1_cycles": 312,
    "battery_1_discharge_energy_total": 1520,
    "battery_2_fault": frozenset(),
    "battery_2_warning": None,  # 0xFFFF
    "battery_2_soc": 67.1,
    "battery_2_soh": 99.0,
    "battery_2_voltage": 350.4,
    "battery_2_current": -3.55,
    "battery_2_temperature": -1.0,  # 0xFFF6
    "battery_2_cycles": 298,
    "battery_2_discharge_energy_total": 1490,
    "bms_high_voltage_protection": 410.0,
    "bms_low_voltage_warning": 280.0,
    "bms_charge_voltage": 400.0,
    "bms_discharge_cutoff_voltage": 270.0,
    "bms_discharge_current_limit": 30.0,
    "bms_charge_current_limit": 25.0,
    # Meters.
    "meter_a_status": "online",
    "meter_a_power": -600,
    "meter_a_l1_voltage": 230.3,
    "meter_a_l1_current": -0.9,
    "meter_a_l1_power": -200,
    "meter_a_l1_apparent_power": 207,
    "meter_a_l1_power_factor": -0.966,
    "meter_a_l1_frequency": 49.99,
    "meter_a_l2_voltage": 231.4,
    "meter_a_l2_current": -0.7,
    "meter_a_l2_power": -150,
    "meter_a_l2_apparent_power": 160,
    "meter_a_l2_power_factor": -0.938,
    "meter_a_l2_frequency": 50.0,
    "meter_a_l3_voltage": 229.7,
    "meter_a_l3_current": -1.1,
    "meter_a_l3_power": -250,
    "meter_a_l3_apparent_power": 252,
    "meter_a_l3_power_factor": -0.992,
    "meter_a_l3_frequency": 50.01,
    "meter_b_status": "online",
    "meter_b_power": 800,  # 270 + 265 + 265
    "meter_b_l1_voltage": 230.4,
    "meter_b_l1_current": 1.2,
    "meter_b_l1_power": 270,
    "meter_b_l1_apparent_power": 276,
    "meter_b_l1_power_factor": 0.978,
    "meter_b_l1_frequency": 49.99,
    "meter_b_l2_voltage": 231.1,
    "meter_b_l2_current": 1.18,
    "meter_b_l2_power": 265,
    "meter_b_l2_apparent_power": 272,
    "meter_b_l2_power_factor": 0.974,
    "meter_b_l2_frequency": 50.0,
    "meter_b_l3_voltage": 229.8,
    "meter_b_l3_current": 1.18,
    "meter_b_l3_power": 265,
    "meter_b_l3_apparent_power": 271,
    "meter_b_l3_power_factor": 0.977,
    "meter_b_l3_frequency": 50.01,
    # Settings; thousandths are of 10 kW.
    "meter_wiring": "three_phase_four_wire",
    "meter_address": 1,
    "buzzer": False,  # 1 is off
    "rs485_address": 1,
    "rs485_baud_rate": "115200",
    "reverse_flow_control_source": "master",
    "passive_action": "standby",
    "passive_grid_charge_power": 11000,
    "passive_grid_discharge_power": 11000,
    "passive_battery_charge_power": 5000,
    "passive_battery_discharge_power": 2500,
    "battery_protocol": "saj_b2",
    "frequency_return_hysteresis": 0.15,
    "battery_auto_wake": True,
    "on_grid_discharge_floor": 20,
    "off_grid_discharge_floor": 10,
    "charge_upper_limit": 95,
    "work_mode": "time_of_use",
    "battery_charge_power_limit": 11000,
    "battery_discharge_power_limit": 9500,
    "grid_charge_power_limit": 4170,
    "grid_discharge_power_limit": 10000,
    "backup_reserve_soc": 60,
    "export_limit_power": 7000,
    "export_limit_current": 16.3,
    "export_limit_mode": "each_phase_power",
    "tou_outside_mode": "self_consumption",
    "tou_export_from_battery": True,
    "off_grid_enabled": True,
    "led_mode": "on",
    "forced_charge_power": 2000,
    "lead_off_grid_cutoff_voltage": 85.0,
    "lead_charge_voltage": 450.0,
    "lead_on_grid_cutoff_voltage": 90.0,
    "lead_high_voltage_protection": 440.0,
    "lead_low_voltage_warning": 87.0,
    "lead_discharge_current_limit": 30.0,
    "lead_charge_current_limit": 25.0,
    "lead_capacity": 100,
    "bms_update_id": 0,
    "bms_update_mode": 0,
    "parallel_role": "master",
    "parallel_count": 1,
    "parallel_mode": "none",
    "battery_float_voltage": 450.0,
    "battery_equalise_voltage": 449.0,
    "battery_input_mode": "independent",
    "pv_input_mode": "parallel",
    "off_grid_voltage": 230.0,
    "off_grid_frequency": 50.0,
    "function_word": frozenset({0, 1, 10, 12}),  # 0x1403
    "function_word_extended": frozenset({5, 6}),  # 0x0060
    "dc_injection_limit": 1.0,
    "dc_voltage_limit": 10.0,
    "insulation_limit": 150,
    "leakage_current_limit": 0.2,
    "pv_start_voltage": 120.0,
    "pv_stop_voltage": 70.0,
    "mppt_voltage_max": 500.0,
    "mppt_voltage_min": 90.0,
    "mppt_scan_interval": 30,
    # Slots: the masks are 0x0005 and 0x0002.
    **slot_values(
        "charge",
        {1, 3},
        {
            1: (time(2, 0), time(5, 0), frozenset(range(7)), 50),  # 0200 0500 7F32
            2: (time(0, 0), time(23, 59), frozenset(), 100),  # 0000 173B 0064
            3: (time(13, 30), time(14, 15), frozenset(range(5)), 10),  # 0D1E 0E0F 1F0A
            4: (None, time(0, 0), frozenset({6}), 5),  # 1800 is 24:00; 4005
            7: (time(23, 0), time(23, 59), frozenset({5}), 100),  # 1700 173B 2064
        },
    ),
    **slot_values(
        "discharge",
        {2},
        {
            1: (time(18, 0), time(22, 0), frozenset(range(7)), 100),  # 1200 1600 7F64
            2: (time(6, 0), time(7, 30), frozenset({5, 6}), 20),  # 0600 071E 6014
        },
    ),
}

# What is of interest of the other models; None for a value that is not known, ABSENT for a key that they do not have.
ABSENT: Final = "absent"

OTHERS: Final[dict[str, dict[str, Value | None]]] = {
    "h2_6k_s2": {
        "device_type": 90,
        "serial_number": "H2S20000000000000001",
        "rated_power": 6000,
        "grid_type": "single_phase",
        "system_time": datetime(2026, 6, 21, 21, 0),  # noqa: DTZ001 - 07EA 0615 1500 0000
        "status": "on_grid",
        "fault": frozenset(),
        "problem": False,
        "grid_l1_voltage": 229.8,
        "grid_frequency": 50.02,
        "grid_l2_voltage": ABSENT,
        "grid_power": 250,
        "grid_l1_power": ABSENT,
        "grid_direction": "importing",
        "grid_side_apparent_power": 255,
        "load_power": 2050,
        "battery_direction": "discharging",
        "battery_power": 1800,
        "battery_current": 5.05,
        "battery_soc": 42.1,
        "battery_soh": 99.0,
        "battery_2_soc": ABSENT,
        "pv_power": 0,
        "pv1_voltage": 0.0,
        "pv2_voltage": 1.2,
        "pv3_voltage": ABSENT,
        "pv_energy_total": 5898.24,  # 9, 0
        "pv2_energy_total": ABSENT,
        "grid_import_energy_total": 660.0,  # 1, 464
        "grid_export_energy_total": 1055.36,
        "grid_import_l1_energy_total": ABSENT,
        "meter_a_power": ABSENT,
        "work_mode": "ai_saving",
        "export_limit_mode": "off",
        "battery_charge_power_limit": 6600,
        "discharge_slot_7_power": 0,
    },
    "hs2_6k_s2": {
        "device_type": 92,
        "ambient_temperature": -1.0,
        "insulation_resistance_4": 600,
        "grid_power": 3020,
        "meter_a_power": 3020,
        "meter_a_l2_power": ABSENT,
        "battery_direction": "charging",
        # The machine says 2000 W, and that they go into the battery.
        "battery_power_raw": 2000,
        "battery_power": -2000,
        "battery_power_dc": -2000,
        "battery_temperature": -2.5,
        "pv1_voltage": None,  # 0x7FFF
        "pv1_power": None,
        "pv2_voltage": None,
        "grid_import_energy_today": 13.1,
        "grid_import_energy_total": 1966.58,  # 3, 50
        "battery_count": 3,
        "battery_1_voltage": 330.2,
        # In the mask, and silent.
        **dict.fromkeys(
            (
                *("battery_2_soc", "battery_2_temperature", "battery_2_current"),
                *("battery_2_cycles", "battery_2_fault", "battery_2_discharge_energy_total"),
                *("battery_3_soc", "battery_3_voltage", "battery_3_soh", "battery_3_warning"),
            )
        ),
        "battery_4_voltage": ABSENT,
        "work_mode": "time_of_use",
    },
    "as2_6k_s": {
        "device_type": 85,
        "status": "bypass",
        "pv_power": 2400,
        "pv_ct_power": 2400,
        "meter_b_power": 2400,
        "pv1_power": ABSENT,
        "pv2_voltage": ABSENT,
        "pv3_voltage": ABSENT,
        "pv_energy_total": ABSENT,
        "pv_direction": ABSENT,
        "battery_power": 2500,
        "battery_power_dc": 2530,
        "grid_power": -1450,  # 0xFA56
        "grid_direction": "exporting",
        "load_power": 3450,
        "grid_l1_internal_current": -6.3,  # 0xFD8A is -630
        "grid_export_energy_total": 1310.72,  # 2, 0
        "bms_charge_current_limit": 25.0,
    },
    "hs3_8k_t2": {
        "device_type": 96,
        "rated_power": 8000,
        "battery_soc": 50.0,
        "battery_voltage": 400.3,
        "battery_current": -3.0,  # 0xFED4
        "battery_power": -1200,  # 0xFB50
        "battery_count": ABSENT,
        "battery_1_soc": ABSENT,
        "battery_soh": ABSENT,
        # A battery that may not be charged, if the zeros were believed.
        "bms_charge_current_limit": ABSENT,
        "pv_power": 610,
        "pv3_power": ABSENT,
        "grid_power": 900,  # 303 + 300 + 297... of the meter; 0x40AD has the first phase's 301
        "grid_l2_power": 303,
        "meter_b_power": ABSENT,
        # Two phases of the bought energy are refused, so there is none of the house.
        "grid_import_energy_total": ABSENT,
        "grid_export_energy_total": ABSENT,
        "grid_import_l1_energy_total": 1966.58,
        "pv2_energy_total": 655.36,
        "work_mode": "backup",
        "battery_charge_power_limit": 8800,
    },
}


def unit_of(model: str) -> FakeUnit:
    """Return a machine of this model."""
    return FakeUnit(dict(image(model)), refused=dict(REFUSED[model]))
