"""What changes by the second: the powers, voltages and currents of every port."""

from __future__ import annotations

from typing import Final

from ...model.part import Kind, Part
from ...model.presentation import numbered, of_phase
from ...model.register import Group, Register
from ..sheet import INTO_DEVICE, NOT_AVAILABLE, OF_HOUSE, SILENT, THROUGH_DEVICE
from .page import (
    AC_VOLTAGE,
    BATTERY_VOLTAGE,
    FREQUENCY,
    PERCENT,
    PV_VOLTAGE,
    TEMPERATURE,
    ZERO,
    JsoPage,
)

PROTOCOL = JsoPage(Group.POWER, Part.GENERATOR, powers=OF_HOUSE)
GRID = JsoPage(Group.POWER, Part.GRID, "manual 5.2 Grid page", powers=OF_HOUSE)
MAIN = JsoPage(Group.POWER, Part.INVERTER, "manual 5.1 Main screen", powers=OF_HOUSE)
BATTERY = JsoPage(Group.POWER, Part.BATTERY, "manual 5.2 Battery page", powers=THROUGH_DEVICE)
INVERTER = JsoPage(Group.POWER, Part.INVERTER, "manual 5.2 Inverter page", powers=THROUGH_DEVICE)
LOAD = JsoPage(Group.POWER, Part.LOAD, "manual 5.2 Back-up load page", powers=OF_HOUSE)
SOLAR = JsoPage(Group.POWER, Part.PV, "manual 5.2 Solar page", powers=INTO_DEVICE)
SOLAR_PROTOCOL = JsoPage(Group.POWER, Part.PV, confidence="medium", powers=INTO_DEVICE)

VOLTAGE: Final = 587
SECOND_VOLTAGE: Final = 593
# A second battery that is not there reads 0.
SECOND = JsoPage(Group.POWER, Part.BATTERY, confidence="medium", powers=THROUGH_DEVICE).beside(
    SECOND_VOLTAGE
)

ROWS: tuple[Register, ...] = (
    BATTERY.u16(
        "battery_temperature",
        586,
        "°C",
        scale=0.1,
        offset=1000,
        absent=NOT_AVAILABLE | ZERO,
        plausible=TEMPERATURE,
        shown=True,
    ),
    BATTERY.u16("battery_voltage", VOLTAGE, "V", scale=0.01, plausible=BATTERY_VOLTAGE, shown=True),
    # Without a battery it is 0, and no power flows.
    MAIN.beside(VOLTAGE).u16(
        "battery_soc",
        588,
        "%",
        plausible=PERCENT,
        part=Part.BATTERY,
        shown=True,
        kind=Kind.STATE_OF_CHARGE,
    ),
    SECOND.u16(
        numbered("battery_{}_soc", 2, "pack"),
        589,
        "%",
        plausible=PERCENT,
        kind=Kind.STATE_OF_CHARGE,
    ),
    BATTERY.i16("battery_power", 590, "W", shown=True),
    BATTERY.i16("battery_current", 591, "A", scale=0.01, shown=True),
    PROTOCOL.u16("battery_corrected_capacity", 592, "Ah", confidence="medium", part=Part.BATTERY),
    PROTOCOL.u16(
        numbered("battery_{}_voltage", 2, "pack"),
        SECOND_VOLTAGE,
        "V",
        scale=0.01,
        absent=SILENT,
        plausible=BATTERY_VOLTAGE,
        confidence="medium",
        part=Part.BATTERY,
    ),
    SECOND.i16(numbered("battery_{}_current", 2, "pack"), 594, "A", scale=0.01),
    SECOND.i16(numbered("battery_{}_power", 2, "pack"), 595, "W"),
    PROTOCOL.u16(
        numbered("battery_{}_temperature", 2, "pack"),
        596,
        "°C",
        scale=0.1,
        offset=1000,
        absent=NOT_AVAILABLE | ZERO,
        plausible=TEMPERATURE,
        confidence="medium",
        part=Part.BATTERY,
    ),
    PROTOCOL.bits(
        "ct_self_check_result",
        597,
        labels={0: "l1_ok", 1: "l2_ok", 2: "l3_ok"},
        confidence="medium",
        part=Part.GRID,
    ),
    GRID.u16(
        of_phase("grid_{}_voltage", "l1"), 598, "V", scale=0.1, plausible=AC_VOLTAGE, shown=True
    ),
    GRID.u16(
        of_phase("grid_{}_voltage", "l2"), 599, "V", scale=0.1, plausible=AC_VOLTAGE, shown=True
    ),
    GRID.u16(
        of_phase("grid_{}_voltage", "l3"), 600, "V", scale=0.1, plausible=AC_VOLTAGE, shown=True
    ),
    # Powers have a high word far away (656 to 709) that the device does not update together with the low one: the two
    # combined read 65 kW near zero. The low word alone holds any power of a low-voltage device, but for the total of what
    # goes through it: 50 A on each phase are 34.5 kW.
    GRID.i16(of_phase("grid_{}_internal_power", "l1"), 604, "W"),
    GRID.i16(of_phase("grid_{}_internal_power", "l2"), 605, "W"),
    GRID.i16(of_phase("grid_{}_internal_power", "l3"), 606, "W"),
    GRID.i16("grid_internal_power", 607, "W", phases=(604, 605, 606)),
    GRID.u16("grid_frequency", 609, "Hz", scale=0.01, plausible=FREQUENCY, shown=True),
    PROTOCOL.i16(of_phase("grid_{}_internal_current", "l1"), 610, "A", scale=0.01, part=Part.GRID),
    PROTOCOL.i16(of_phase("grid_{}_internal_current", "l2"), 611, "A", scale=0.01, part=Part.GRID),
    PROTOCOL.i16(of_phase("grid_{}_internal_current", "l3"), 612, "A", scale=0.01, part=Part.GRID),
    PROTOCOL.i16(of_phase("grid_{}_current", "l1"), 613, "A", scale=0.01, part=Part.GRID),
    PROTOCOL.i16(of_phase("grid_{}_current", "l2"), 614, "A", scale=0.01, part=Part.GRID),
    PROTOCOL.i16(of_phase("grid_{}_current", "l3"), 615, "A", scale=0.01, part=Part.GRID),
    GRID.i16(of_phase("grid_{}_ct_power", "l1"), 616, "W"),
    GRID.i16(of_phase("grid_{}_ct_power", "l2"), 617, "W"),
    GRID.i16(of_phase("grid_{}_ct_power", "l3"), 618, "W"),
    GRID.i16("grid_ct_power", 619, "W", phases=(616, 617, 618)),
    # Firmware that does not measure it holds 0.
    PROTOCOL.i16(
        "grid_power_factor",
        621,
        scale=0.001,
        absent=ZERO,
        plausible=(-1.0, 1.0),
        confidence="low",
        part=Part.GRID,
        kind=Kind.POWER_FACTOR,
    ),
    GRID.i16(of_phase("grid_{}_power", "l1"), 622, "W", shown=True),
    GRID.i16(of_phase("grid_{}_power", "l2"), 623, "W", shown=True),
    GRID.i16(of_phase("grid_{}_power", "l3"), 624, "W", shown=True),
    MAIN.i16("grid_power", 625, "W", part=Part.GRID, shown=True, phases=(622, 623, 624)),
    INVERTER.u16(of_phase("inverter_{}_voltage", "l1"), 627, "V", scale=0.1, plausible=AC_VOLTAGE),
    INVERTER.u16(of_phase("inverter_{}_voltage", "l2"), 628, "V", scale=0.1, plausible=AC_VOLTAGE),
    INVERTER.u16(of_phase("inverter_{}_voltage", "l3"), 629, "V", scale=0.1, plausible=AC_VOLTAGE),
    INVERTER.i16(of_phase("inverter_{}_current", "l1"), 630, "A", scale=0.01),
    INVERTER.i16(of_phase("inverter_{}_current", "l2"), 631, "A", scale=0.01),
    INVERTER.i16(of_phase("inverter_{}_current", "l3"), 632, "A", scale=0.01),
    INVERTER.i16(of_phase("inverter_{}_power", "l1"), 633, "W"),
    INVERTER.i16(of_phase("inverter_{}_power", "l2"), 634, "W"),
    INVERTER.i16(of_phase("inverter_{}_power", "l3"), 635, "W"),
    INVERTER.i16("inverter_power", 636, "W", shown=True),
    PROTOCOL.i16(
        "inverter_apparent_power",
        637,
        "VA",
        of_rated=THROUGH_DEVICE,
        confidence="medium",
        part=Part.INVERTER,
    ),
    PROTOCOL.u16(
        "inverter_frequency", 638, "Hz", scale=0.01, plausible=FREQUENCY, part=Part.INVERTER
    ),
    LOAD.i16(of_phase("backup_{}_power", "l1"), 640, "W"),
    LOAD.i16(of_phase("backup_{}_power", "l2"), 641, "W"),
    LOAD.i16(of_phase("backup_{}_power", "l3"), 642, "W"),
    LOAD.i16("backup_power", 643, "W", shown=True, phases=(640, 641, 642)),
    LOAD.u16(of_phase("backup_{}_voltage", "l1"), 644, "V", scale=0.1, plausible=AC_VOLTAGE),
    LOAD.u16(of_phase("backup_{}_voltage", "l2"), 645, "V", scale=0.1, plausible=AC_VOLTAGE),
    LOAD.u16(of_phase("backup_{}_voltage", "l3"), 646, "V", scale=0.1, plausible=AC_VOLTAGE),
    LOAD.i16(of_phase("load_{}_power", "l1"), 650, "W"),
    LOAD.i16(of_phase("load_{}_power", "l2"), 651, "W"),
    LOAD.i16(of_phase("load_{}_power", "l3"), 652, "W"),
    MAIN.i16("load_power", 653, "W", part=Part.LOAD, shown=True, phases=(650, 651, 652)),
    PROTOCOL.u16("load_frequency", 655, "Hz", scale=0.01, plausible=FREQUENCY, part=Part.LOAD),
    PROTOCOL.u16(of_phase("generator_{}_voltage", "l1"), 661, "V", scale=0.1, plausible=AC_VOLTAGE),
    PROTOCOL.u16(of_phase("generator_{}_voltage", "l2"), 662, "V", scale=0.1, plausible=AC_VOLTAGE),
    PROTOCOL.u16(of_phase("generator_{}_voltage", "l3"), 663, "V", scale=0.1, plausible=AC_VOLTAGE),
    PROTOCOL.i16(of_phase("generator_{}_power", "l1"), 664, "W"),
    PROTOCOL.i16(of_phase("generator_{}_power", "l2"), 665, "W"),
    PROTOCOL.i16(of_phase("generator_{}_power", "l3"), 666, "W"),
    PROTOCOL.i16("generator_power", 667, "W", shown=True),
    SOLAR.u16(numbered("pv{}_power", 1, "_string"), 672, "W", shown=True),
    SOLAR.u16(numbered("pv{}_power", 2, "_string"), 673, "W", shown=True),
    SOLAR_PROTOCOL.u16(numbered("pv{}_power", 3, "_string"), 674, "W"),
    SOLAR_PROTOCOL.u16(numbered("pv{}_power", 4, "_string"), 675, "W"),
    SOLAR.u16(numbered("pv{}_voltage", 1, "_string"), 676, "V", scale=0.1, plausible=PV_VOLTAGE),
    SOLAR.u16(numbered("pv{}_current", 1, "_string"), 677, "A", scale=0.1),
    SOLAR.u16(numbered("pv{}_voltage", 2, "_string"), 678, "V", scale=0.1, plausible=PV_VOLTAGE),
    SOLAR.u16(numbered("pv{}_current", 2, "_string"), 679, "A", scale=0.1),
    SOLAR_PROTOCOL.u16(
        numbered("pv{}_voltage", 3, "_string"), 680, "V", scale=0.1, plausible=PV_VOLTAGE
    ),
    SOLAR_PROTOCOL.u16(numbered("pv{}_current", 3, "_string"), 681, "A", scale=0.1),
    SOLAR_PROTOCOL.u16(
        numbered("pv{}_voltage", 4, "_string"), 682, "V", scale=0.1, plausible=PV_VOLTAGE
    ),
    SOLAR_PROTOCOL.u16(numbered("pv{}_current", 4, "_string"), 683, "A", scale=0.1),
)
