"""The powers, voltages and currents of every port but the PV inputs.

What changes by the second is polled fast; voltages and frequencies of the grid, and temperatures, with the energies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...model.codec_time import WideClockTime
from ...model.part import Kind, Part
from ...model.presentation import Named, numbered, of_phase
from ...model.register import Group, Register
from ..sheet import NOT_AVAILABLE, OF_HOUSE, THROUGH_DEVICE
from .page import (
    AC_VOLTAGE,
    FREQUENCY,
    GRID_FREQUENCY,
    GRID_VOLTAGE,
    PHASES,
    TEMPERATURE,
    WORK_MODES,
    SajPage,
)

FAST = SajPage(Group.POWER, Part.INVERTER, powers=OF_HOUSE)
FLOW = SajPage(Group.POWER, Part.GRID, confidence="medium", powers=OF_HOUSE)
SLOW = SajPage(Group.ENERGY, Part.GRID, powers=OF_HOUSE)
UNPROVEN = SajPage(Group.ENERGY, Part.INVERTER, confidence="medium", powers=OF_HOUSE)

# The words that a phase has at each port.
GRID_WORDS: Final = 7
INVERTER_WORDS: Final = 5
BACKUP_WORDS: Final = 6


def _frequency(port: str, phase: str) -> str | Named:
    """The key of a frequency: it is the port's, and the other phases' ones are there to be compared."""
    return f"{port}_frequency" if phase == PHASES[0] else of_phase(f"{port}_{{}}_frequency", phase)


def grid_terminal(phase: str) -> list[Register]:
    """What the device measures at its own grid terminal, which is not the house's connection."""
    first = 0x4031 + GRID_WORDS * PHASES.index(phase)
    return [
        SLOW.u16(
            of_phase("grid_{}_voltage", phase),
            first,
            "V",
            scale=0.1,
            plausible=GRID_VOLTAGE,
            shown=True,
        ),
        FAST.i16(
            of_phase("grid_{}_internal_current", phase), first + 1, "A", scale=0.01, part=Part.GRID
        ),
        SLOW.u16(
            _frequency("grid", phase),
            first + 2,
            "Hz",
            scale=0.01,
            plausible=GRID_FREQUENCY,
            shown=phase == PHASES[0],
        ),
        SLOW.i16(of_phase("grid_{}_dc_injection", phase), first + 3, "mA", diagnostic=True),
        FAST.i16(of_phase("grid_{}_internal_power", phase), first + 4, "W", part=Part.GRID),
        SLOW.u16(of_phase("grid_{}_internal_apparent_power", phase), first + 5, "VA"),
        SLOW.i16(
            of_phase("grid_{}_internal_power_factor", phase),
            first + 6,
            scale=0.001,
            kind=Kind.POWER_FACTOR,
        ),
    ]


def inverter_output(phase: str) -> list[Register]:
    """What the inverter stage gives."""
    first = 0x4046 + INVERTER_WORDS * PHASES.index(phase)
    fast, slow = _pages(phase, Part.INVERTER)
    return [
        slow.u16(
            of_phase("inverter_{}_voltage", phase), first, "V", scale=0.1, plausible=AC_VOLTAGE
        ),
        fast.i16(of_phase("inverter_{}_current", phase), first + 1, "A", scale=0.01),
        slow.u16(_frequency("inverter", phase), first + 2, "Hz", scale=0.01, plausible=FREQUENCY),
        fast.i16(of_phase("inverter_{}_power", phase), first + 3, "W", of_rated=THROUGH_DEVICE),
        slow.u16(
            of_phase("inverter_{}_apparent_power", phase), first + 4, "VA", of_rated=THROUGH_DEVICE
        ),
    ]


def backup_output(phase: str) -> list[Register]:
    """What the backup output gives."""
    first = 0x4055 + BACKUP_WORDS * PHASES.index(phase)
    fast, slow = _pages(phase, Part.LOAD)
    return [
        slow.u16(of_phase("backup_{}_voltage", phase), first, "V", scale=0.1, plausible=AC_VOLTAGE),
        fast.u16(of_phase("backup_{}_current", phase), first + 1, "A", scale=0.01),
        slow.u16(_frequency("backup", phase), first + 2, "Hz", scale=0.01, plausible=FREQUENCY),
        slow.i16(of_phase("backup_{}_dc_voltage", phase), first + 3, "mV", diagnostic=True),
        fast.u16(of_phase("backup_{}_power", phase), first + 4, "W"),
        slow.u16(of_phase("backup_{}_apparent_power", phase), first + 5, "VA"),
    ]


def _pages(phase: str, part: Part) -> tuple[SajPage, SajPage]:
    """How the powers and the other values of an output's phase are polled; the first phase is the best known."""
    fast, slow = (FAST, SLOW) if phase == PHASES[0] else (FLOW, UNPROVEN)
    return fast.of(part), slow.of(part)


def grid_side(phases: Sequence[str]) -> list[Register]:
    """What the device gives to the grid on the phases after the first."""
    return [
        row
        for phase in phases
        for first in (0x408F + 2 * PHASES.index(phase),)
        for row in (
            UNPROVEN.u16(
                of_phase("grid_side_{}_voltage", phase),
                first,
                "V",
                scale=0.1,
                plausible=AC_VOLTAGE,
                part=Part.GRID,
            ),
            FLOW.i16(of_phase("grid_side_{}_power", phase), first + 1, "W"),
        )
    ]


ROWS: tuple[Register, ...] = (
    UNPROVEN.row("system_time", (0x4000, 0x4001, 0x4002, 0x4003), WideClockTime(), part=None),
    SLOW.u16("error_count", 0x400F, part=Part.INVERTER),
    SLOW.i16(
        "heatsink_temperature",
        0x4010,
        "°C",
        scale=0.1,
        plausible=TEMPERATURE,
        part=Part.INVERTER,
        shown=True,
        diagnostic=True,
    ),
    SLOW.i16(
        "ambient_temperature",
        0x4011,
        "°C",
        scale=0.1,
        plausible=TEMPERATURE,
        part=Part.INVERTER,
        diagnostic=True,
    ),
    SLOW.i16("leakage_current", 0x4012, "mA", part=Part.INVERTER, diagnostic=True),
    SLOW.u16(
        numbered("insulation_resistance_{}", 1),
        0x4013,
        "kΩ",
        part=Part.INVERTER,
        diagnostic=True,
    ),
    SLOW.u16(
        numbered("insulation_resistance_{}", 2),
        0x4014,
        "kΩ",
        part=Part.INVERTER,
        diagnostic=True,
    ),
    UNPROVEN.u16(numbered("insulation_resistance_{}", 3), 0x4015, "kΩ", diagnostic=True),
    UNPROVEN.u16(numbered("insulation_resistance_{}", 4), 0x4016, "kΩ", diagnostic=True),
    *(
        UNPROVEN.bits(key, address, labels={bit: f"DRM{bit}" for bit in range(9)})
        for key, address in (("drm_hardware_status", 0x4017), ("drm_software_status", 0x4018))
    ),
    UNPROVEN.u16("grid_connect_countdown", 0x4019, "s", part=Part.GRID, diagnostic=True),
    # They count on and on, so that a 0x7FFF is one of them.
    UNPROVEN.u16("fault_record_serial", 0x401A, absent=NOT_AVAILABLE),
    UNPROVEN.u16("setting_change_serial", 0x401B, absent=NOT_AVAILABLE),
    UNPROVEN.choice("active_work_mode", 0x4022, WORK_MODES, diagnostic=True),
    UNPROVEN.choice(
        "active_meter_mode",
        0x4030,
        {0: "disabled", 1: "single_phase_meter", 2: "three_phase_meter"},
        part=Part.GRID,
        diagnostic=True,
    ),
    *grid_terminal(PHASES[0]),
    *inverter_output(PHASES[0]),
    UNPROVEN.u16("bus_voltage_master", 0x4067, "V", scale=0.1, diagnostic=True),
    UNPROVEN.u16("bus_voltage_slave", 0x4068, "V", scale=0.1, diagnostic=True),
    SLOW.u16(of_phase("grid_side_{}_voltage", "l1"), 0x408D, "V", scale=0.1, plausible=AC_VOLTAGE),
    # The document has these two without a sign, and some devices give them one on import.
    FLOW.i16(of_phase("grid_side_{}_current", "l1"), 0x408E, "A", scale=0.01),
    SLOW.u16("grid_side_frequency", 0x408F, "Hz", scale=0.01, plausible=FREQUENCY),
    FLOW.i16(of_phase("grid_side_{}_power", "l1"), 0x4090, "W"),
    UNPROVEN.u16("grid_side_apparent_power", 0x4091, "VA", part=Part.GRID),
    FAST.choice(
        "grid_direction", 0x4097, {0xFFFF: "importing", 0: "idle", 1: "exporting"}, part=Part.GRID
    ),
    FAST.choice("output_direction", 0x4098, {0: "no_output", 1: "to_load"}, diagnostic=True),
    FAST.i16("load_power", 0x40A0, "W", part=Part.LOAD, shown=True),
    FLOW.i16("grid_ct_power", 0x40A1, "W"),
    FLOW.i16("grid_ct_apparent_power", 0x40A2, "VA"),
    FLOW.i16("pv_ct_power", 0x40A3, "W", part=Part.PV),
    FLOW.i16("pv_ct_apparent_power", 0x40A4, "VA", part=Part.PV),
    FLOW.i16("grid_internal_power", 0x40A7, "W"),
    FLOW.i16("grid_internal_apparent_power", 0x40A8, "VA"),
    FAST.i16("inverter_power", 0x40A9, "W", of_rated=THROUGH_DEVICE, shown=True),
    FAST.i16("inverter_apparent_power", 0x40AA, "VA", of_rated=THROUGH_DEVICE),
    FAST.u16("backup_power", 0x40AB, "W", part=Part.LOAD, shown=True),
    FAST.u16("backup_apparent_power", 0x40AC, "VA", part=Part.LOAD),
    FLOW.i16("grid_power", 0x40AD, "W", shown=True),
)
