"""What changes by the minute: state, energy counters, temperatures, and what the BMS reports."""

from __future__ import annotations

from typing import Final

from ...model.part import Kind, Part
from ...model.register import Group, Register
from ..sheet import NOT_AVAILABLE, SILENT
from .page import (
    BATTERY_VOLTAGE,
    PERCENT,
    TEMPERATURE,
    ZERO,
    JsoPage,
)

BMS_PAGE = JsoPage(Group.ENERGY, Part.BATTERY, "manual 5.2 BMS page (opened from the battery page)")
# Without a battery management system its values are 0, which would read as a battery that may not be charged.
BMS_VOLTAGE: Final = 215
BMS = BMS_PAGE.beside(BMS_VOLTAGE)
PROTOCOL = JsoPage(Group.ENERGY, Part.BATTERY, confidence="medium")
# What changes by the month, and lies in no read of what changes by the minute.
AGEING = JsoPage(Group.SETTINGS, Part.BATTERY, confidence="medium")
MAIN = JsoPage(Group.ENERGY, Part.INVERTER, "manual 5.1 Main screen")
BATTERY = JsoPage(Group.ENERGY, Part.BATTERY, "manual 5.2 Battery page")
GRID = JsoPage(Group.ENERGY, Part.GRID, "manual 5.2 Grid page")
LOAD = JsoPage(Group.ENERGY, Part.LOAD, "manual 5.2 Back-up load page")
SOLAR = JsoPage(Group.ENERGY, Part.PV, "manual 5.2 Solar page")
INVERTER = JsoPage(Group.ENERGY, Part.INVERTER, "manual 5.2 Inverter page")
ADVANCED = JsoPage(
    Group.ENERGY, Part.INVERTER, "manual 5.10 Advanced function", confidence="medium"
)
CURVES = JsoPage(Group.ENERGY, Part.LOAD, "manual 5.3 Curve pages")

ROWS: tuple[Register, ...] = (
    BMS.u16("bms_charge_voltage", 210, "V", scale=0.01, plausible=BATTERY_VOLTAGE, diagnostic=True),
    BMS.u16(
        "bms_discharge_voltage", 211, "V", scale=0.01, plausible=BATTERY_VOLTAGE, diagnostic=True
    ),
    BMS.u16("bms_charge_current_limit", 212, "A", diagnostic=True),
    BMS.u16("bms_discharge_current_limit", 213, "A", diagnostic=True),
    BMS.u16("bms_soc", 214, "%", plausible=PERCENT, diagnostic=True, kind=Kind.STATE_OF_CHARGE),
    BMS_PAGE.u16(
        "bms_voltage",
        BMS_VOLTAGE,
        "V",
        scale=0.01,
        absent=SILENT,
        plausible=BATTERY_VOLTAGE,
        diagnostic=True,
    ),
    BMS.i16("bms_current", 216, "A", diagnostic=True),
    BMS.u16(
        "bms_temperature",
        217,
        "°C",
        scale=0.1,
        offset=1000,
        absent=NOT_AVAILABLE | ZERO,
        plausible=TEMPERATURE,
        diagnostic=True,
    ),
    PROTOCOL.beside(BMS_VOLTAGE).u16(
        "bms_max_charge_current", 218, "A", confidence="high", diagnostic=True
    ),
    PROTOCOL.beside(BMS_VOLTAGE).u16(
        "bms_max_discharge_current", 219, "A", confidence="high", diagnostic=True
    ),
    BMS_PAGE.bits("bms_alarm", 220),
    BMS_PAGE.bits("bms_fault", 221),
    BMS_PAGE.switch("bms_force_charge_1", 222, mask=0x0002, confidence="medium"),
    PROTOCOL.switch("bms_force_charge_2", 222, mask=0x0004),
    PROTOCOL.switch("bms_sleep", 222, mask=0x0008),
    AGEING.u16(
        "battery_soh",
        224,
        "%",
        absent=NOT_AVAILABLE | ZERO,
        plausible=PERCENT,
        kind=Kind.HEALTH,
        shown=True,
        diagnostic=True,
    ),
    MAIN.choice(
        "status",
        500,
        {0: "standby", 1: "self_check", 2: "normal", 3: "alarm", 4: "fault", 5: "activating"},
        shown=True,
    ),
    PROTOCOL.i16(
        "inverter_energy_today", 501, "kWh", scale=0.1, part=Part.INVERTER, kind=Kind.MAY_FALL
    ),
    PROTOCOL.i16("reactive_energy_today", 502, "kvarh", scale=0.1, part=Part.INVERTER),
    PROTOCOL.u32(
        "inverter_energy_total", 504, "kWh", scale=0.1, part=Part.INVERTER, kind=Kind.MAY_FALL
    ),
    PROTOCOL.u32("reactive_energy_total", 506, "kvarh", scale=0.1, part=Part.INVERTER),
    PROTOCOL.u32("generator_hours_total", 512, "h", scale=0.1, part=Part.GENERATOR),
    BATTERY.u16("battery_charge_energy_today", 514, "kWh", scale=0.1, shown=True),
    BATTERY.u16("battery_discharge_energy_today", 515, "kWh", scale=0.1, shown=True),
    BATTERY.u32("battery_charge_energy_total", 516, "kWh", scale=0.1, shown=True),
    BATTERY.u32("battery_discharge_energy_total", 518, "kWh", scale=0.1, shown=True),
    GRID.u16("grid_import_energy_today", 520, "kWh", scale=0.1, shown=True),
    GRID.u16("grid_export_energy_today", 521, "kWh", scale=0.1, shown=True),
    GRID.u32("grid_import_energy_total", 522, "kWh", scale=0.1, shown=True),
    GRID.u32("grid_export_energy_total", 524, "kWh", scale=0.1, shown=True),
    LOAD.u16("load_energy_today", 526, "kWh", scale=0.1, shown=True),
    LOAD.u32("load_energy_total", 527, "kWh", scale=0.1, shown=True),
    SOLAR.u16("pv_energy_today", 529, "kWh", scale=0.1, shown=True),
    SOLAR.u32("pv_energy_total", 534, "kWh", scale=0.1, shown=True),
    PROTOCOL.u16(
        "generator_energy_today", 536, "kWh", scale=0.1, confidence="high", part=Part.GENERATOR
    ),
    PROTOCOL.u32(
        "generator_energy_total", 537, "kWh", scale=0.1, confidence="high", part=Part.GENERATOR
    ),
    PROTOCOL.u16("generator_hours_today", 539, "h", scale=0.1, part=Part.GENERATOR),
    INVERTER.u16(
        "dc_temperature", 540, "°C", scale=0.1, offset=1000, plausible=TEMPERATURE, diagnostic=True
    ),
    INVERTER.u16(
        "heatsink_temperature",
        541,
        "°C",
        scale=0.1,
        offset=1000,
        plausible=TEMPERATURE,
        shown=True,
        diagnostic=True,
    ),
    ADVANCED.bits("drm_state", 544, labels={bit: f"DRM{bit}" for bit in range(9)}),
    CURVES.u32("load_energy_year", 545, "kWh", scale=0.1, confidence="low"),
    PROTOCOL.bits(
        "comm_board_faults",
        548,
        labels={0: "flash_chip", 1: "clock", 2: "eeprom"},
        part=Part.INVERTER,
    ),
    MAIN.switch("power_switch_state", 551, mask=0x000F),
)
