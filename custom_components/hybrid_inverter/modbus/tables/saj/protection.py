"""What is set once by who puts the device up: protection, wiring of several devices, lead-acid batteries."""

from __future__ import annotations

from typing import Final

from ...model.part import Part
from ...model.register import Group, Register
from .page import SajPage

SETUP = SajPage(Group.SETTINGS, Part.BATTERY, confidence="medium")

CHECKS: Final = {
    0: "relay_check",
    1: "iso_check",
    2: "gfci_self_test",
    3: "gfci_check",
    4: "dc_injection_check",
    5: "dc_injection_control",
    6: "anti_islanding",
    7: "fan_check",
    8: "pv_tracking",
    9: "output_dc_voltage_check",
    10: "global_mppt_scan",
    11: "grid_wiring_check",
    12: "output_dc_voltage_control",
    13: "output_back_feed_check",
    14: "inverter_waveform_check",
    15: "pv_stand_alone_load",
}
MORE_CHECKS: Final = {
    0: "ageing_test",
    1: "earth_check",
    2: "pre_inversion",
    3: "master_drives_slave_relay",
    5: "arc_detection",
    6: "temperature_protection",
    7: "rapid_shutdown",
}

ROWS: tuple[Register, ...] = (
    SETUP.u16("lead_off_grid_cutoff_voltage", 0x3652, "V", scale=0.1),
    SETUP.u16("lead_charge_voltage", 0x3653, "V", scale=0.1),
    SETUP.u16("lead_on_grid_cutoff_voltage", 0x3654, "V", scale=0.1),
    SETUP.u16("lead_high_voltage_protection", 0x3655, "V", scale=0.1),
    SETUP.u16("lead_low_voltage_warning", 0x3656, "V", scale=0.1),
    SETUP.u16("lead_discharge_current_limit", 0x3657, "A", scale=0.1),
    SETUP.u16("lead_charge_current_limit", 0x3658, "A", scale=0.1),
    SETUP.u16("lead_capacity", 0x3659, "Ah"),
    SETUP.u16("bms_update_id", 0x365D, part=None),
    SETUP.u16("bms_update_mode", 0x365E, part=None),
    SETUP.choice(
        "parallel_role",
        0x3661,
        {0: "master", **{number: f"slave_{number}" for number in range(1, 11)}},
        part=Part.INVERTER,
    ),
    SETUP.u16("parallel_count", 0x3662, part=Part.INVERTER),
    SETUP.choice(
        "parallel_mode",
        0x3663,
        {0: "none", 1: "on_grid", 2: "off_grid", 3: "on_and_off_grid"},
        part=Part.INVERTER,
    ),
    SETUP.u16("battery_float_voltage", 0x3664, "V", scale=0.1),
    SETUP.u16("battery_equalise_voltage", 0x3665, "V", scale=0.1),
    SETUP.choice("battery_input_mode", 0x3666, {1: "independent", 2: "parallel"}),
    SETUP.choice(
        "pv_input_mode", 0x3667, {0: "automatic", 1: "independent", 2: "parallel"}, part=Part.PV
    ),
    SETUP.u16("off_grid_voltage", 0x3669, "V", scale=0.1, part=Part.LOAD),
    SETUP.u16("off_grid_frequency", 0x366A, "Hz", scale=0.01, part=Part.LOAD),
    SETUP.bits("function_word", 0x366E, labels=CHECKS, part=Part.INVERTER),
    SETUP.bits("function_word_extended", 0x366F, labels=MORE_CHECKS, part=Part.INVERTER),
    SETUP.u16("dc_injection_limit", 0x3670, "A", scale=0.001, part=Part.INVERTER),
    SETUP.u16("dc_voltage_limit", 0x3671, "V", scale=0.1, part=Part.INVERTER),
    SETUP.u16("insulation_limit", 0x3672, "kΩ", part=Part.INVERTER),
    SETUP.u16("leakage_current_limit", 0x3673, "A", scale=0.001, part=Part.INVERTER),
    SETUP.u16("pv_start_voltage", 0x3678, "V", scale=0.1, part=Part.PV),
    SETUP.u16("pv_stop_voltage", 0x3679, "V", scale=0.1, part=Part.PV),
    SETUP.u16("mppt_voltage_max", 0x367A, "V", scale=0.1, part=Part.PV),
    SETUP.u16("mppt_voltage_min", 0x367B, "V", scale=0.1, part=Part.PV),
    SETUP.u16("mppt_scan_interval", 0x367C, "min", part=Part.PV),
)
