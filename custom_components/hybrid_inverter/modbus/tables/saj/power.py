"""State, and the powers, voltages and currents of every port but the PV inputs.

What changes by the second is polled fast; voltages and frequencies of the grid, and temperatures, with the energies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...codec_time import WideClockTime
from ...register import Group, Register
from .page import AC_VOLTAGE, FREQUENCY, NO_INPUT, PHASES, TEMPERATURE, WORK_MODES, Page

FAST = Page(Group.POWER)
FLOW = Page(Group.POWER, confidence="medium")
SLOW = Page(Group.ENERGY)
UNPROVEN = Page(Group.ENERGY, confidence="medium")

# The words that a phase has at each port.
GRID_WORDS: Final = 7
INVERTER_WORDS: Final = 5
BACKUP_WORDS: Final = 6


def _frequency(port: str, phase: str) -> str:
    """Return the key of a frequency: it is the port's, and the other phases' ones are there to be compared."""
    return f"{port}_frequency" if phase == PHASES[0] else f"{port}_{phase}_frequency"


def grid_terminal(phase: str) -> list[Register]:
    """Return what the machine measures at its own grid terminal, which is not the house's connection."""
    first = 0x4031 + GRID_WORDS * PHASES.index(phase)
    return [
        SLOW.u16(f"grid_{phase}_voltage", first, "V", scale=0.1, plausible=AC_VOLTAGE),
        FAST.i16(f"grid_{phase}_internal_current", first + 1, "A", scale=0.01),
        SLOW.u16(_frequency("grid", phase), first + 2, "Hz", scale=0.01, plausible=FREQUENCY),
        SLOW.i16(f"grid_{phase}_dc_injection", first + 3, "mA"),
        FAST.i16(f"grid_{phase}_internal_power", first + 4, "W"),
        SLOW.u16(f"grid_{phase}_internal_apparent_power", first + 5, "VA"),
        SLOW.i16(f"grid_{phase}_internal_power_factor", first + 6, scale=0.001),
    ]


def inverter_output(phase: str) -> list[Register]:
    """Return what the inverter stage gives."""
    first = 0x4046 + INVERTER_WORDS * PHASES.index(phase)
    fast, slow = _pages(phase)
    return [
        slow.u16(f"inverter_{phase}_voltage", first, "V", scale=0.1, plausible=AC_VOLTAGE),
        fast.i16(f"inverter_{phase}_current", first + 1, "A", scale=0.01),
        slow.u16(_frequency("inverter", phase), first + 2, "Hz", scale=0.01, plausible=FREQUENCY),
        fast.i16(f"inverter_{phase}_power", first + 3, "W"),
        slow.u16(f"inverter_{phase}_apparent_power", first + 4, "VA"),
    ]


def backup_output(phase: str) -> list[Register]:
    """Return what the backup output gives."""
    first = 0x4055 + BACKUP_WORDS * PHASES.index(phase)
    fast, slow = _pages(phase)
    return [
        slow.u16(f"backup_{phase}_voltage", first, "V", scale=0.1, plausible=AC_VOLTAGE),
        fast.u16(f"backup_{phase}_current", first + 1, "A", scale=0.01),
        slow.u16(_frequency("backup", phase), first + 2, "Hz", scale=0.01, plausible=FREQUENCY),
        slow.i16(f"backup_{phase}_dc_voltage", first + 3, "mV"),
        fast.u16(f"backup_{phase}_power", first + 4, "W"),
        slow.u16(f"backup_{phase}_apparent_power", first + 5, "VA"),
    ]


def _pages(phase: str) -> tuple[Page, Page]:
    """Return how the rows of an output's phase are polled; the first one is the best known."""
    return (FAST, SLOW) if phase == PHASES[0] else (FLOW, UNPROVEN)


def grid_side(phases: Sequence[str]) -> list[Register]:
    """Return what the machine gives to the grid on the phases after the first."""
    return [
        row
        for phase in phases
        for first in (0x408F + 2 * PHASES.index(phase),)
        for row in (
            UNPROVEN.u16(f"grid_side_{phase}_voltage", first, "V", scale=0.1, plausible=AC_VOLTAGE),
            FLOW.i16(f"grid_side_{phase}_power", first + 1, "W"),
        )
    ]


STATUS: Final = FAST.choice(
    "status",
    0x4004,
    {
        0: "initialising",
        1: "waiting",
        2: "on_grid",
        3: "off_grid",
        4: "bypass",
        5: "fault",
        6: "updating",
        7: "test",
        8: "self_check",
        9: "reset",
    },
)

ROWS: tuple[Register, ...] = (
    UNPROVEN.row("system_time", (0x4000, 0x4001, 0x4002, 0x4003), WideClockTime()),
    STATUS,
    SLOW.u16("error_count", 0x400F),
    SLOW.i16("heatsink_temperature", 0x4010, "degC", scale=0.1, plausible=TEMPERATURE),
    SLOW.i16("ambient_temperature", 0x4011, "degC", scale=0.1, plausible=TEMPERATURE),
    SLOW.i16("leakage_current", 0x4012, "mA"),
    SLOW.u16("insulation_resistance_1", 0x4013, "kOhm", absent=NO_INPUT),
    SLOW.u16("insulation_resistance_2", 0x4014, "kOhm", absent=NO_INPUT),
    UNPROVEN.u16("insulation_resistance_3", 0x4015, "kOhm", absent=NO_INPUT),
    UNPROVEN.u16("insulation_resistance_4", 0x4016, "kOhm", absent=NO_INPUT),
    *(
        UNPROVEN.bits(key, address, labels={bit: f"DRM{bit}" for bit in range(9)})
        for key, address in (("drm_hardware_status", 0x4017), ("drm_software_status", 0x4018))
    ),
    UNPROVEN.u16("grid_connect_countdown", 0x4019, "s"),
    UNPROVEN.u16("fault_record_serial", 0x401A),
    UNPROVEN.u16("setting_change_serial", 0x401B),
    UNPROVEN.choice("active_work_mode", 0x4022, WORK_MODES),
    UNPROVEN.choice(
        "active_meter_mode",
        0x4030,
        {0: "disabled", 1: "single_phase_meter", 2: "three_phase_meter"},
    ),
    *grid_terminal(PHASES[0]),
    *inverter_output(PHASES[0]),
    UNPROVEN.u16("bus_voltage_master", 0x4067, "V", scale=0.1),
    UNPROVEN.u16("bus_voltage_slave", 0x4068, "V", scale=0.1),
    SLOW.u16("grid_side_l1_voltage", 0x408D, "V", scale=0.1, plausible=AC_VOLTAGE),
    # The document has these two without a sign, and some machines give them one on import.
    FLOW.i16("grid_side_l1_current", 0x408E, "A", scale=0.01),
    SLOW.u16("grid_side_frequency", 0x408F, "Hz", scale=0.01, plausible=FREQUENCY),
    FLOW.i16("grid_side_l1_power", 0x4090, "W"),
    UNPROVEN.u16("grid_side_apparent_power", 0x4091, "VA"),
    FAST.choice("grid_direction", 0x4097, {0xFFFF: "importing", 0: "idle", 1: "exporting"}),
    FAST.choice("output_direction", 0x4098, {0: "no_output", 1: "to_load"}),
    FAST.i16("load_power", 0x40A0, "W"),
    FLOW.i16("grid_ct_power", 0x40A1, "W"),
    FLOW.i16("grid_ct_apparent_power", 0x40A2, "VA"),
    FLOW.i16("pv_ct_power", 0x40A3, "W"),
    FLOW.i16("pv_ct_apparent_power", 0x40A4, "VA"),
    FLOW.i16("grid_internal_power", 0x40A7, "W"),
    FLOW.i16("grid_internal_apparent_power", 0x40A8, "VA"),
    FAST.i16("inverter_power", 0x40A9, "W"),
    FAST.i16("inverter_apparent_power", 0x40AA, "VA"),
    FAST.u16("backup_power", 0x40AB, "W"),
    FAST.u16("backup_apparent_power", 0x40AC, "VA"),
    FLOW.i16("grid_power", 0x40AD, "W"),
)
