"""What changes by the second: relays, faults, and the powers, voltages and currents of every port."""

from __future__ import annotations

from ...register import Group, Register
from ..sheet import NOT_AVAILABLE
from .page import (
    AC_VOLTAGE,
    BATTERY_VOLTAGE,
    FREQUENCY,
    PERCENT,
    PV_VOLTAGE,
    TEMPERATURE,
    ZERO,
    Page,
)

PROTOCOL = Page(Group.POWER)
GRID = Page(Group.POWER, "manual 5.2 Grid page")
MAIN = Page(Group.POWER, "manual 5.1 Main screen")
FAULTS = Page(Group.POWER, "manual 7 Fault table")
BATTERY = Page(Group.POWER, "manual 5.2 Battery page")
INVERTER = Page(Group.POWER, "manual 5.2 Inverter page")
LOAD = Page(Group.POWER, "manual 5.2 Back-up load page")
SOLAR = Page(Group.POWER, "manual 5.2 Solar page")

ROWS: tuple[Register, ...] = (
    PROTOCOL.switch("relay_inverter", 552, mask=0x0001),
    GRID.switch("grid_connected", 552, mask=0x0004),
    PROTOCOL.switch("relay_generator", 552, mask=0x0008),
    PROTOCOL.switch("relay_grid_supply", 552, mask=0x0010, confidence="medium"),
    PROTOCOL.switch("relay_dry_contact_1", 552, mask=0x0080, confidence="medium"),
    PROTOCOL.switch("relay_dry_contact_2", 552, mask=0x0100, confidence="medium"),
    MAIN.bits(
        "warning",
        553,
        words=2,
        # What most of them mean is not documented; they are counted as the faults are.
        labels={bit: f"W{bit + 1:02d}" for bit in range(32)},
    ),
    FAULTS.bits("fault", 555, words=4, labels={bit: f"F{bit + 1:02d}" for bit in range(64)}),
    BATTERY.u16(
        "battery_temperature",
        586,
        "degC",
        scale=0.1,
        offset=1000,
        absent=NOT_AVAILABLE | ZERO,
        plausible=TEMPERATURE,
    ),
    BATTERY.u16("battery_voltage", 587, "V", scale=0.01, plausible=BATTERY_VOLTAGE),
    MAIN.u16("battery_soc", 588, "%", plausible=PERCENT),
    PROTOCOL.u16("battery_2_soc", 589, "%", plausible=PERCENT, confidence="medium"),
    BATTERY.i16("battery_power", 590, "W"),
    BATTERY.i16("battery_current", 591, "A", scale=0.01),
    PROTOCOL.u16("battery_corrected_capacity", 592, "Ah", confidence="medium"),
    PROTOCOL.u16(
        "battery_2_voltage", 593, "V", scale=0.01, plausible=BATTERY_VOLTAGE, confidence="medium"
    ),
    PROTOCOL.i16("battery_2_current", 594, "A", scale=0.01, confidence="medium"),
    PROTOCOL.i16("battery_2_power", 595, "W", confidence="medium"),
    PROTOCOL.u16(
        "battery_2_temperature",
        596,
        "degC",
        scale=0.1,
        offset=1000,
        absent=NOT_AVAILABLE | ZERO,
        plausible=TEMPERATURE,
        confidence="medium",
    ),
    PROTOCOL.bits(
        "ct_self_check_result",
        597,
        labels={0: "l1_ok", 1: "l2_ok", 2: "l3_ok"},
        confidence="medium",
    ),
    GRID.u16("grid_l1_voltage", 598, "V", scale=0.1, plausible=AC_VOLTAGE),
    GRID.u16("grid_l2_voltage", 599, "V", scale=0.1, plausible=AC_VOLTAGE),
    GRID.u16("grid_l3_voltage", 600, "V", scale=0.1, plausible=AC_VOLTAGE),
    # Powers have a high word far away (656 to 709) that the machine does not update together with the low one: the two
    # combined read 65 kW near zero. The low word alone holds any power of a low-voltage machine.
    GRID.i16("grid_l1_internal_power", 604, "W"),
    GRID.i16("grid_l2_internal_power", 605, "W"),
    GRID.i16("grid_l3_internal_power", 606, "W"),
    GRID.i16("grid_internal_power", 607, "W"),
    GRID.u16("grid_frequency", 609, "Hz", scale=0.01, plausible=FREQUENCY),
    PROTOCOL.i16("grid_l1_internal_current", 610, "A", scale=0.01),
    PROTOCOL.i16("grid_l2_internal_current", 611, "A", scale=0.01),
    PROTOCOL.i16("grid_l3_internal_current", 612, "A", scale=0.01),
    PROTOCOL.i16("grid_l1_current", 613, "A", scale=0.01),
    PROTOCOL.i16("grid_l2_current", 614, "A", scale=0.01),
    PROTOCOL.i16("grid_l3_current", 615, "A", scale=0.01),
    GRID.i16("grid_l1_ct_power", 616, "W"),
    GRID.i16("grid_l2_ct_power", 617, "W"),
    GRID.i16("grid_l3_ct_power", 618, "W"),
    GRID.i16("grid_ct_power", 619, "W"),
    GRID.i16("grid_l1_power", 622, "W"),
    GRID.i16("grid_l2_power", 623, "W"),
    GRID.i16("grid_l3_power", 624, "W"),
    MAIN.i16("grid_power", 625, "W"),
    INVERTER.u16("inverter_l1_voltage", 627, "V", scale=0.1, plausible=AC_VOLTAGE),
    INVERTER.u16("inverter_l2_voltage", 628, "V", scale=0.1, plausible=AC_VOLTAGE),
    INVERTER.u16("inverter_l3_voltage", 629, "V", scale=0.1, plausible=AC_VOLTAGE),
    INVERTER.i16("inverter_l1_current", 630, "A", scale=0.01),
    INVERTER.i16("inverter_l2_current", 631, "A", scale=0.01),
    INVERTER.i16("inverter_l3_current", 632, "A", scale=0.01),
    INVERTER.i16("inverter_l1_power", 633, "W"),
    INVERTER.i16("inverter_l2_power", 634, "W"),
    INVERTER.i16("inverter_l3_power", 635, "W"),
    INVERTER.i16("inverter_power", 636, "W"),
    PROTOCOL.i16("inverter_apparent_power", 637, "VA", confidence="medium"),
    PROTOCOL.u16("inverter_frequency", 638, "Hz", scale=0.01, plausible=FREQUENCY),
    LOAD.i16("backup_l1_power", 640, "W"),
    LOAD.i16("backup_l2_power", 641, "W"),
    LOAD.i16("backup_l3_power", 642, "W"),
    LOAD.i16("backup_power", 643, "W"),
    LOAD.u16("backup_l1_voltage", 644, "V", scale=0.1, plausible=AC_VOLTAGE),
    LOAD.u16("backup_l2_voltage", 645, "V", scale=0.1, plausible=AC_VOLTAGE),
    LOAD.u16("backup_l3_voltage", 646, "V", scale=0.1, plausible=AC_VOLTAGE),
    LOAD.i16("load_l1_power", 650, "W"),
    LOAD.i16("load_l2_power", 651, "W"),
    LOAD.i16("load_l3_power", 652, "W"),
    MAIN.i16("load_power", 653, "W"),
    PROTOCOL.u16("load_frequency", 655, "Hz", scale=0.01, plausible=FREQUENCY),
    PROTOCOL.u16("generator_l1_voltage", 661, "V", scale=0.1, plausible=AC_VOLTAGE),
    PROTOCOL.u16("generator_l2_voltage", 662, "V", scale=0.1, plausible=AC_VOLTAGE),
    PROTOCOL.u16("generator_l3_voltage", 663, "V", scale=0.1, plausible=AC_VOLTAGE),
    PROTOCOL.i16("generator_l1_power", 664, "W"),
    PROTOCOL.i16("generator_l2_power", 665, "W"),
    PROTOCOL.i16("generator_l3_power", 666, "W"),
    PROTOCOL.i16("generator_power", 667, "W"),
    SOLAR.u16("pv1_power", 672, "W"),
    SOLAR.u16("pv2_power", 673, "W"),
    PROTOCOL.u16("pv3_power", 674, "W", confidence="medium"),
    PROTOCOL.u16("pv4_power", 675, "W", confidence="medium"),
    SOLAR.u16("pv1_voltage", 676, "V", scale=0.1, plausible=PV_VOLTAGE),
    SOLAR.u16("pv1_current", 677, "A", scale=0.1),
    SOLAR.u16("pv2_voltage", 678, "V", scale=0.1, plausible=PV_VOLTAGE),
    SOLAR.u16("pv2_current", 679, "A", scale=0.1),
    PROTOCOL.u16("pv3_voltage", 680, "V", scale=0.1, plausible=PV_VOLTAGE, confidence="medium"),
    PROTOCOL.u16("pv3_current", 681, "A", scale=0.1, confidence="medium"),
    PROTOCOL.u16("pv4_voltage", 682, "V", scale=0.1, plausible=PV_VOLTAGE, confidence="medium"),
    PROTOCOL.u16("pv4_current", 683, "A", scale=0.1, confidence="medium"),
)
