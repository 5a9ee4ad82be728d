"""What there is to see of a unit: measured and counted values, codes, and settings that may only be looked at."""

from dataclasses import replace
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory

from .entity import Part
from .number import NUMBERS
from .select import SELECTS
from .sensor_kinds import (
    APPARENT_POWER,
    CAPACITY,
    CHOICE,
    COUNT,
    CURRENT,
    ENERGY,
    FREQUENCY,
    MILLIAMPERES,
    MILLIVOLTS,
    PLAIN,
    POWER,
    POWER_FACTOR,
    REACTIVE_ENERGY,
    RESISTANCE,
    RUN_TIME,
    SECONDS,
    SHARE,
    SIGNED_ENERGY,
    STATE_OF_CHARGE,
    TEMPERATURE,
    VOLTAGE,
    UnitSensorDescription,
    diagnostic,
    hidden,
    past,
    phases,
    points,
    shown,
    stand_in,
)
from .time import TIMES

PERIODS: Final = ("today", "month", "year", "total")
PACKS: Final = range(1, 5)
# A low-voltage battery is made of more and smaller packs, which are counted apart.
MODULES: Final = 8
# The machine has words for five of them.
CONTROLLERS: Final = range(1, 6)


def packs(pattern: str) -> list[str]:
    """Return the keys of the battery packs."""
    return [pattern.format(number) for number in PACKS]


def metered(meter: str, part: Part) -> list[UnitSensorDescription]:
    """Describe what a meter that the inverter reads measures."""
    return [
        *shown(POWER, part, f"{meter}_power"),
        *shown(replace(CHOICE, entity_category=EntityCategory.DIAGNOSTIC), part, f"{meter}_status"),
        *hidden(POWER, part, *phases(f"{meter}_{{}}_power")),
        *hidden(VOLTAGE, part, *phases(f"{meter}_{{}}_voltage")),
        *hidden(CURRENT, part, *phases(f"{meter}_{{}}_current")),
        *hidden(APPARENT_POWER, part, *phases(f"{meter}_{{}}_apparent_power")),
        *hidden(POWER_FACTOR, part, *phases(f"{meter}_{{}}_power_factor")),
        *hidden(FREQUENCY, part, *phases(f"{meter}_{{}}_frequency")),
    ]


SENSORS: Final[tuple[UnitSensorDescription, ...]] = (
    # Inverter
    *shown(CHOICE, Part.INVERTER, "status"),
    *shown(POWER, Part.INVERTER, "inverter_power"),
    *shown(
        replace(TEMPERATURE, entity_category=EntityCategory.DIAGNOSTIC),
        Part.INVERTER,
        "heatsink_temperature",
    ),
    *diagnostic(TEMPERATURE, Part.INVERTER, "dc_temperature", "ambient_temperature"),
    *hidden(POWER, Part.INVERTER, *phases("inverter_{}_power")),
    *hidden(VOLTAGE, Part.INVERTER, *phases("inverter_{}_voltage")),
    *hidden(CURRENT, Part.INVERTER, *phases("inverter_{}_current")),
    *hidden(
        APPARENT_POWER,
        Part.INVERTER,
        "inverter_apparent_power",
        *phases("inverter_{}_apparent_power"),
    ),
    *hidden(
        FREQUENCY,
        Part.INVERTER,
        "inverter_frequency",
        "inverter_l2_frequency",
        "inverter_l3_frequency",
    ),
    *hidden(
        SIGNED_ENERGY,
        Part.INVERTER,
        "inverter_energy_today",
        *past("inverter_energy_{}"),
        "inverter_energy_total",
    ),
    *hidden(REACTIVE_ENERGY, Part.INVERTER, "reactive_energy_today", "reactive_energy_total"),
    *diagnostic(replace(POWER, state_class=None), Part.INVERTER, "rated_power"),
    *diagnostic(
        PLAIN,
        Part.INVERTER,
        "main_firmware",
        "hmi_firmware",
        "hmi_fw_extra",
        "afci_version",
        "mcu_board_version",
        "protocol_version",
        "modbus_address",
        "communication_address",
        "mppt_count",
        "phase_count",
        "device_subtype",
        "machine_model",
        "product_code",
        "display_software_version",
        "master_software_version",
        "slave_software_version",
        "display_hardware_version",
        "control_hardware_version",
        "power_hardware_version",
        "error_count",
        "fault_record_serial",
        "setting_change_serial",
    ),
    *diagnostic(CHOICE, Part.INVERTER, "output_wiring", "market", "grid_type", "active_work_mode"),
    *diagnostic(MILLIAMPERES, Part.INVERTER, "leakage_current"),
    *diagnostic(RESISTANCE, Part.INVERTER, *points("insulation_resistance_{}")),
    *diagnostic(VOLTAGE, Part.INVERTER, "bus_voltage_master", "bus_voltage_slave"),
    *diagnostic(CHOICE, Part.INVERTER, "output_direction"),
    # PV
    *shown(POWER, Part.PV, "pv_power", "pv1_power", "pv2_power"),
    *hidden(POWER, Part.PV, "pv3_power", "pv4_power"),
    *hidden(VOLTAGE, Part.PV, "pv1_voltage", "pv2_voltage", "pv3_voltage", "pv4_voltage"),
    *hidden(CURRENT, Part.PV, "pv1_current", "pv2_current", "pv3_current", "pv4_current"),
    *shown(ENERGY, Part.PV, "pv_energy_today", "pv_energy_total"),
    *hidden(ENERGY, Part.PV, *past("pv_energy_{}")),
    *hidden(
        ENERGY,
        Part.PV,
        *(f"pv{number}_energy_{period}" for number in (2, 3) for period in PERIODS),
    ),
    *diagnostic(RUN_TIME, Part.PV, "pv_hours_today", "pv_hours_total"),
    *diagnostic(CHOICE, Part.PV, "pv_direction"),
    *hidden(POWER, Part.PV, "pv_ct_power"),
    *hidden(APPARENT_POWER, Part.PV, "pv_ct_apparent_power"),
    # Battery
    *shown(STATE_OF_CHARGE, Part.BATTERY, "battery_soc"),
    *shown(POWER, Part.BATTERY, "battery_power"),
    *shown(VOLTAGE, Part.BATTERY, "battery_voltage"),
    *shown(CURRENT, Part.BATTERY, "battery_current"),
    *shown(TEMPERATURE, Part.BATTERY, "battery_temperature"),
    *shown(
        ENERGY,
        Part.BATTERY,
        "battery_charge_energy_today",
        "battery_charge_energy_total",
        "battery_discharge_energy_today",
        "battery_discharge_energy_total",
    ),
    *shown(replace(SHARE, entity_category=EntityCategory.DIAGNOSTIC), Part.BATTERY, "battery_soh"),
    *hidden(ENERGY, Part.BATTERY, *past("battery_charge_energy_{}", "battery_discharge_energy_{}")),
    *shown(CHOICE, Part.BATTERY, "battery_direction"),
    *hidden(POWER, Part.BATTERY, "battery_power_dc"),
    *diagnostic(CURRENT, Part.BATTERY, "battery_current_1", "battery_current_2"),
    *hidden(CAPACITY, Part.BATTERY, "battery_corrected_capacity"),
    *diagnostic(CHOICE, Part.BATTERY, "active_battery_protocol"),
    *diagnostic(
        SHARE,
        Part.BATTERY,
        "active_soc_high_limit",
        "active_soc_low_limit",
        "active_depth_of_discharge",
        "active_reserved_soc",
    ),
    *diagnostic(
        VOLTAGE,
        Part.BATTERY,
        "bms_charge_voltage",
        "bms_discharge_voltage",
        "bms_discharge_cutoff_voltage",
        "bms_high_voltage_protection",
        "bms_low_voltage_warning",
    ),
    *diagnostic(
        CURRENT,
        Part.BATTERY,
        "bms_charge_current_limit",
        "bms_discharge_current_limit",
        "bms_max_charge_current",
        "bms_max_discharge_current",
        "bms_current",
    ),
    *diagnostic(VOLTAGE, Part.BATTERY, "bms_voltage"),
    *diagnostic(STATE_OF_CHARGE, Part.BATTERY, "bms_soc"),
    *diagnostic(TEMPERATURE, Part.BATTERY, "bms_temperature"),
    *diagnostic(
        PLAIN,
        Part.BATTERY,
        "pack_count",
        "pack_device_type",
        "battery_count",
        "battery_usable_capacity",
    ),
    *hidden(STATE_OF_CHARGE, Part.BATTERY, *packs("battery_{}_soc")),
    *hidden(POWER, Part.BATTERY, "battery_2_power"),
    *hidden(VOLTAGE, Part.BATTERY, *packs("battery_{}_voltage")),
    *hidden(CURRENT, Part.BATTERY, *packs("battery_{}_current")),
    *hidden(TEMPERATURE, Part.BATTERY, *packs("battery_{}_temperature")),
    # In whole kWh, each of which is a jump to the guard of finer counters.
    *hidden(SIGNED_ENERGY, Part.BATTERY, *packs("battery_{}_discharge_energy_total")),
    *diagnostic(SHARE, Part.BATTERY, *packs("battery_{}_soh")),
    *diagnostic(COUNT, Part.BATTERY, *packs("battery_{}_cycles")),
    *diagnostic(PLAIN, Part.BATTERY, *points("pack_{}_serial", MODULES)),
    *diagnostic(STATE_OF_CHARGE, Part.BATTERY, *points("pack_{}_soc", MODULES)),
    *diagnostic(SHARE, Part.BATTERY, *points("pack_{}_soh", MODULES)),
    *diagnostic(VOLTAGE, Part.BATTERY, *points("pack_{}_voltage", MODULES)),
    *diagnostic(CURRENT, Part.BATTERY, *points("pack_{}_current", MODULES)),
    *diagnostic(CAPACITY, Part.BATTERY, *points("pack_{}_total_capacity", MODULES)),
    *diagnostic(
        TEMPERATURE,
        Part.BATTERY,
        *points("pack_{}_temperature", MODULES),
        *points("pack_{}_cell_temperature_max", MODULES),
        *points("pack_{}_cell_temperature_min", MODULES),
    ),
    *diagnostic(
        replace(VOLTAGE, suggested_display_precision=3),
        Part.BATTERY,
        *points("pack_{}_cell_voltage_max", MODULES),
        *points("pack_{}_cell_voltage_min", MODULES),
    ),
    *diagnostic(COUNT, Part.BATTERY, *points("pack_{}_cycles", MODULES)),
    *diagnostic(
        CHOICE,
        Part.BATTERY,
        *(f"bms_{number}_type" for number in CONTROLLERS),
        *(f"battery_{number}_cell_type" for number in CONTROLLERS),
    ),
    *diagnostic(
        PLAIN,
        Part.BATTERY,
        *(f"bms_{number}_software_version" for number in CONTROLLERS),
        *(f"bms_{number}_hardware_version" for number in CONTROLLERS),
    ),
    # Grid
    *shown(POWER, Part.GRID, "grid_power", *phases("grid_{}_power")),
    *shown(VOLTAGE, Part.GRID, *phases("grid_{}_voltage")),
    *shown(FREQUENCY, Part.GRID, "grid_frequency"),
    *shown(
        ENERGY,
        Part.GRID,
        "grid_import_energy_today",
        "grid_import_energy_total",
        "grid_export_energy_today",
        "grid_export_energy_total",
    ),
    *hidden(CURRENT, Part.GRID, *phases("grid_{}_current")),
    *hidden(POWER, Part.GRID, "grid_ct_power", *phases("grid_{}_ct_power")),
    *hidden(POWER, Part.GRID, "grid_internal_power", *phases("grid_{}_internal_power")),
    *hidden(CURRENT, Part.GRID, *phases("grid_{}_internal_current")),
    *hidden(
        APPARENT_POWER,
        Part.GRID,
        "grid_internal_apparent_power",
        *phases("grid_{}_internal_apparent_power"),
        "grid_ct_apparent_power",
        "grid_side_apparent_power",
    ),
    *hidden(POWER_FACTOR, Part.GRID, *phases("grid_{}_internal_power_factor")),
    *hidden(FREQUENCY, Part.GRID, "grid_l2_frequency", "grid_l3_frequency", "grid_side_frequency"),
    *hidden(POWER, Part.GRID, *phases("grid_side_{}_power")),
    *hidden(VOLTAGE, Part.GRID, *phases("grid_side_{}_voltage")),
    *hidden(CURRENT, Part.GRID, "grid_side_l1_current"),
    *diagnostic(MILLIAMPERES, Part.GRID, *phases("grid_{}_dc_injection")),
    *hidden(ENERGY, Part.GRID, *past("grid_import_energy_{}", "grid_export_energy_{}")),
    *hidden(
        ENERGY,
        Part.GRID,
        *(
            f"grid_{way}_{phase}_energy_{period}"
            for way in ("import", "export")
            for phase in ("l1", "l2", "l3")
            for period in PERIODS
        ),
    ),
    *hidden(CHOICE, Part.GRID, "grid_direction"),
    *diagnostic(CHOICE, Part.GRID, "active_meter_mode"),
    *diagnostic(
        replace(SECONDS, state_class=SensorStateClass.MEASUREMENT),
        Part.GRID,
        "grid_connect_countdown",
    ),
    # Load and backup output
    *shown(POWER, Part.LOAD, "load_power", "backup_power"),
    *shown(ENERGY, Part.LOAD, "load_energy_today", "load_energy_total"),
    *hidden(ENERGY, Part.LOAD, "load_energy_month", "load_energy_year"),
    *hidden(POWER, Part.LOAD, *phases("load_{}_power"), *phases("backup_{}_power")),
    *hidden(VOLTAGE, Part.LOAD, *phases("backup_{}_voltage")),
    *hidden(FREQUENCY, Part.LOAD, "load_frequency"),
    *hidden(ENERGY, Part.LOAD, *(f"backup_energy_{period}" for period in PERIODS)),
    *hidden(CURRENT, Part.LOAD, *phases("backup_{}_current")),
    *hidden(
        APPARENT_POWER,
        Part.LOAD,
        "backup_apparent_power",
        *phases("backup_{}_apparent_power"),
    ),
    *hidden(FREQUENCY, Part.LOAD, "backup_frequency", "backup_l2_frequency", "backup_l3_frequency"),
    *diagnostic(MILLIVOLTS, Part.LOAD, *phases("backup_{}_dc_voltage")),
    # Generator port
    *shown(POWER, Part.GENERATOR, "generator_power"),
    *hidden(POWER, Part.GENERATOR, *phases("generator_{}_power")),
    *hidden(VOLTAGE, Part.GENERATOR, *phases("generator_{}_voltage")),
    *hidden(ENERGY, Part.GENERATOR, "generator_energy_today", "generator_energy_total"),
    *hidden(RUN_TIME, Part.GENERATOR, "generator_hours_today", "generator_hours_total"),
    # Meters
    *(
        description
        for meter, part in (("meter_a", Part.METER_A), ("meter_b", Part.METER_B))
        for description in metered(meter, part)
    ),
)

# Bit fields: the state is the first code, the attributes hold them all; of these, also what they mean.
MEANINGS: Final = shown(PLAIN, Part.INVERTER, "fault", "warning")
CODES: Final[tuple[UnitSensorDescription, ...]] = (
    *MEANINGS,
    *diagnostic(PLAIN, Part.INVERTER, "drm_state", "comm_board_faults"),
    *diagnostic(PLAIN, Part.BATTERY, "bms_alarm", "bms_fault", "battery_online"),
    *diagnostic(PLAIN, Part.BATTERY, *packs("battery_{}_fault"), *packs("battery_{}_warning")),
    *diagnostic(
        PLAIN,
        Part.INVERTER,
        "drm_hardware_status",
        "drm_software_status",
        "function_word",
        "function_word_extended",
    ),
    *diagnostic(PLAIN, Part.GRID, "ct_self_check_result", "freq_watt_flags", "lhvrt_flags"),
)

REJECTED: Final = UnitSensorDescription(
    key="rejected_samples",
    state_class=SensorStateClass.TOTAL_INCREASING,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)

# Settings that the chosen tier may only look at.
READ_ONLY_SETTINGS: Final[tuple[UnitSensorDescription, ...]] = (
    *(stand_in(CHOICE, select) for select in SELECTS),
    *(stand_in(PLAIN, item) for item in TIMES),
    *(
        replace(
            stand_in(PLAIN, number),
            device_class=number.device_class and SensorDeviceClass(number.device_class.value),
            native_unit_of_measurement=number.native_unit_of_measurement,
        )
        for number in NUMBERS
    ),
)
