"""What changes by the minute: state, energy counters, temperatures, and what the BMS reports."""

from __future__ import annotations

from ...register import Group, Register
from ..sheet import NOT_AVAILABLE
from .page import BATTERY_VOLTAGE, PERCENT, TEMPERATURE, ZERO, Page

BMS = Page(Group.ENERGY, "manual 5.2 BMS page (opened from the battery page)")
PROTOCOL = Page(Group.ENERGY, confidence="medium")
MAIN = Page(Group.ENERGY, "manual 5.1 Main screen")
BATTERY = Page(Group.ENERGY, "manual 5.2 Battery page")
GRID = Page(Group.ENERGY, "manual 5.2 Grid page")
LOAD = Page(Group.ENERGY, "manual 5.2 Back-up load page")
SOLAR = Page(Group.ENERGY, "manual 5.2 Solar page")
INVERTER = Page(Group.ENERGY, "manual 5.2 Inverter page")
ADVANCED = Page(Group.ENERGY, "manual 5.10 Advanced function", confidence="medium")
CURVES = Page(Group.ENERGY, "manual 5.3 Curve pages")

ROWS: tuple[Register, ...] = (
    BMS.u16("bms_charge_voltage", 210, "V", scale=0.01, plausible=BATTERY_VOLTAGE),
    BMS.u16("bms_discharge_voltage", 211, "V", scale=0.01, plausible=BATTERY_VOLTAGE),
    BMS.u16("bms_charge_current_limit", 212, "A"),
    BMS.u16("bms_discharge_current_limit", 213, "A"),
    BMS.u16("bms_soc", 214, "%", plausible=PERCENT),
    BMS.u16("bms_voltage", 215, "V", scale=0.01, plausible=BATTERY_VOLTAGE),
    BMS.i16("bms_current", 216, "A"),
    BMS.u16(
        "bms_temperature",
        217,
        "degC",
        scale=0.1,
        offset=1000,
        absent=NOT_AVAILABLE | ZERO,
        plausible=TEMPERATURE,
    ),
    PROTOCOL.u16("bms_max_charge_current", 218, "A", confidence="high"),
    PROTOCOL.u16("bms_max_discharge_current", 219, "A", confidence="high"),
    BMS.bits("bms_alarm", 220),
    BMS.bits("bms_fault", 221),
    BMS.switch("bms_force_charge_1", 222, mask=0x0002, confidence="medium"),
    PROTOCOL.switch("bms_force_charge_2", 222, mask=0x0004),
    PROTOCOL.switch("bms_sleep", 222, mask=0x0008),
    PROTOCOL.u16("battery_soh", 224, "%", absent=NOT_AVAILABLE | ZERO, plausible=PERCENT),
    MAIN.choice(
        "status",
        500,
        {0: "standby", 1: "self_check", 2: "normal", 3: "alarm", 4: "fault", 5: "activating"},
    ),
    PROTOCOL.i16("inverter_energy_today", 501, "kWh", scale=0.1),
    PROTOCOL.i16("reactive_energy_today", 502, "kvarh", scale=0.1),
    PROTOCOL.u32("inverter_energy_total", 504, "kWh", scale=0.1),
    PROTOCOL.u32("reactive_energy_total", 506, "kvarh", scale=0.1),
    PROTOCOL.u32("generator_hours_total", 512, "h", scale=0.1),
    BATTERY.u16("battery_charge_energy_today", 514, "kWh", scale=0.1),
    BATTERY.u16("battery_discharge_energy_today", 515, "kWh", scale=0.1),
    BATTERY.u32("battery_charge_energy_total", 516, "kWh", scale=0.1),
    BATTERY.u32("battery_discharge_energy_total", 518, "kWh", scale=0.1),
    GRID.u16("grid_import_energy_today", 520, "kWh", scale=0.1),
    GRID.u16("grid_export_energy_today", 521, "kWh", scale=0.1),
    GRID.u32("grid_import_energy_total", 522, "kWh", scale=0.1),
    GRID.u32("grid_export_energy_total", 524, "kWh", scale=0.1),
    LOAD.u16("load_energy_today", 526, "kWh", scale=0.1),
    LOAD.u32("load_energy_total", 527, "kWh", scale=0.1),
    SOLAR.u16("pv_energy_today", 529, "kWh", scale=0.1),
    SOLAR.u32("pv_energy_total", 534, "kWh", scale=0.1),
    PROTOCOL.u16("generator_energy_today", 536, "kWh", scale=0.1, confidence="high"),
    PROTOCOL.u32("generator_energy_total", 537, "kWh", scale=0.1, confidence="high"),
    PROTOCOL.u16("generator_hours_today", 539, "h", scale=0.1),
    INVERTER.u16("dc_temperature", 540, "degC", scale=0.1, offset=1000, plausible=TEMPERATURE),
    INVERTER.u16(
        "heatsink_temperature", 541, "degC", scale=0.1, offset=1000, plausible=TEMPERATURE
    ),
    ADVANCED.bits("drm_state", 544, labels={bit: f"DRM{bit}" for bit in range(9)}),
    CURVES.u32("load_energy_year", 545, "kWh", scale=0.1, confidence="low"),
    PROTOCOL.bits("comm_board_faults", 548, labels={0: "flash_chip", 1: "clock", 2: "eeprom"}),
    MAIN.switch("power_switch_state", 551, mask=0x000F),
)
