"""Sensors: what a unit measures, counts and says of itself."""

from dataclasses import dataclass, replace
from datetime import time
from typing import Any, Final, override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfReactiveEnergy,
    UnitOfTemperature,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import Part, UnitEntity, UnitEntityDescription, ValueEntity
from .faults import async_meaning
from .modbus.guard import CounterGuard
from .modbus.register import Group
from .number import NUMBERS
from .outage import OUTAGE_SENSORS, OutageSensor
from .roster import async_add_values
from .schedule_sensor import SCHEDULE_SENSORS, ScheduleSensor
from .select import SELECTS
from .time import TIMES
from .upkeep import UPKEEP, upkeep_sensor

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class UnitSensorDescription(UnitEntityDescription, SensorEntityDescription):
    """A value that is only shown."""


POWER: Final = UnitSensorDescription(
    key="",
    device_class=SensorDeviceClass.POWER,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfPower.WATT,
    suggested_display_precision=0,
)
APPARENT_POWER: Final = replace(
    POWER,
    device_class=SensorDeviceClass.APPARENT_POWER,
    native_unit_of_measurement=UnitOfApparentPower.VOLT_AMPERE,
)
VOLTAGE: Final = replace(
    POWER,
    device_class=SensorDeviceClass.VOLTAGE,
    native_unit_of_measurement=UnitOfElectricPotential.VOLT,
    suggested_display_precision=1,
)
CURRENT: Final = replace(
    POWER,
    device_class=SensorDeviceClass.CURRENT,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    suggested_display_precision=1,
)
FREQUENCY: Final = replace(
    POWER,
    device_class=SensorDeviceClass.FREQUENCY,
    native_unit_of_measurement=UnitOfFrequency.HERTZ,
    suggested_display_precision=2,
)
TEMPERATURE: Final = replace(
    POWER,
    device_class=SensorDeviceClass.TEMPERATURE,
    native_unit_of_measurement=UnitOfTemperature.CELSIUS,
    suggested_display_precision=1,
)
STATE_OF_CHARGE: Final = replace(
    POWER, device_class=SensorDeviceClass.BATTERY, native_unit_of_measurement=PERCENTAGE
)
SHARE: Final = replace(POWER, device_class=None, native_unit_of_measurement=PERCENTAGE)
CAPACITY: Final = replace(POWER, device_class=None, native_unit_of_measurement="Ah")
# Counters: those of today start again at midnight, which is what "increasing" allows.
ENERGY: Final = replace(
    POWER,
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL_INCREASING,
    native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=1,
)
# The inverter's own output counts down while it charges the battery from the grid.
SIGNED_ENERGY: Final = replace(ENERGY, state_class=SensorStateClass.TOTAL)
REACTIVE_ENERGY: Final = replace(
    SIGNED_ENERGY,
    device_class=SensorDeviceClass.REACTIVE_ENERGY,
    native_unit_of_measurement=UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR,
)
RUN_TIME: Final = replace(
    ENERGY,
    device_class=SensorDeviceClass.DURATION,
    native_unit_of_measurement=UnitOfTime.HOURS,
)
CYCLES: Final = replace(
    POWER,
    device_class=None,
    state_class=SensorStateClass.TOTAL_INCREASING,
    native_unit_of_measurement=None,
)
PLAIN: Final = UnitSensorDescription(key="", entity_category=EntityCategory.DIAGNOSTIC)
CHOICE: Final = replace(PLAIN, device_class=SensorDeviceClass.ENUM, entity_category=None)


def shown(like: UnitSensorDescription, part: Part, *keys: str) -> list[UnitSensorDescription]:
    """Describe values that are shown unless a person hides them."""
    return [replace(like, key=key, part=part) for key in keys]


def hidden(like: UnitSensorDescription, part: Part, *keys: str) -> list[UnitSensorDescription]:
    """Describe values that a person can switch on."""
    return [
        replace(like, key=key, part=part, entity_registry_enabled_default=False) for key in keys
    ]


def diagnostic(like: UnitSensorDescription, part: Part, *keys: str) -> list[UnitSensorDescription]:
    """Describe values that help to find out what is wrong."""
    return [
        replace(description, entity_category=EntityCategory.DIAGNOSTIC)
        for description in hidden(like, part, *keys)
    ]


def phases(pattern: str) -> list[str]:
    """Return the keys of the three phases."""
    return [pattern.format(phase) for phase in ("l1", "l2", "l3")]


def points(pattern: str, count: int = 4) -> list[str]:
    """Return the keys of what is numbered: the points of a curve, the packs of a battery."""
    return [pattern.format(number) for number in range(1, count + 1)]


# Of how many packs the values can be shown.
PACKS: Final = 8

SENSORS: Final[tuple[UnitSensorDescription, ...]] = (
    # Inverter
    *shown(CHOICE, Part.INVERTER, "status"),
    *shown(POWER, Part.INVERTER, "inverter_power"),
    *shown(
        replace(TEMPERATURE, entity_category=EntityCategory.DIAGNOSTIC),
        Part.INVERTER,
        "heatsink_temperature",
    ),
    *diagnostic(TEMPERATURE, Part.INVERTER, "dc_temperature"),
    *hidden(POWER, Part.INVERTER, *phases("inverter_{}_power")),
    *hidden(VOLTAGE, Part.INVERTER, *phases("inverter_{}_voltage")),
    *hidden(CURRENT, Part.INVERTER, *phases("inverter_{}_current")),
    *hidden(APPARENT_POWER, Part.INVERTER, "inverter_apparent_power"),
    *hidden(FREQUENCY, Part.INVERTER, "inverter_frequency"),
    *hidden(SIGNED_ENERGY, Part.INVERTER, "inverter_energy_today", "inverter_energy_total"),
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
    ),
    *diagnostic(CHOICE, Part.INVERTER, "output_wiring", "market"),
    # PV
    *shown(POWER, Part.PV, "pv_power", "pv1_power", "pv2_power"),
    *hidden(POWER, Part.PV, "pv3_power", "pv4_power"),
    *hidden(VOLTAGE, Part.PV, "pv1_voltage", "pv2_voltage", "pv3_voltage", "pv4_voltage"),
    *hidden(CURRENT, Part.PV, "pv1_current", "pv2_current", "pv3_current", "pv4_current"),
    *shown(ENERGY, Part.PV, "pv_energy_today", "pv_energy_total"),
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
    *hidden(CAPACITY, Part.BATTERY, "battery_corrected_capacity"),
    *diagnostic(VOLTAGE, Part.BATTERY, "bms_charge_voltage", "bms_discharge_voltage"),
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
    *diagnostic(PLAIN, Part.BATTERY, "pack_count", "pack_device_type"),
    *diagnostic(PLAIN, Part.BATTERY, *points("pack_{}_serial", PACKS)),
    *diagnostic(STATE_OF_CHARGE, Part.BATTERY, *points("pack_{}_soc", PACKS)),
    *diagnostic(SHARE, Part.BATTERY, *points("pack_{}_soh", PACKS)),
    *diagnostic(VOLTAGE, Part.BATTERY, *points("pack_{}_voltage", PACKS)),
    *diagnostic(CURRENT, Part.BATTERY, *points("pack_{}_current", PACKS)),
    *diagnostic(CAPACITY, Part.BATTERY, *points("pack_{}_total_capacity", PACKS)),
    *diagnostic(
        TEMPERATURE,
        Part.BATTERY,
        *points("pack_{}_temperature", PACKS),
        *points("pack_{}_cell_temperature_max", PACKS),
        *points("pack_{}_cell_temperature_min", PACKS),
    ),
    *diagnostic(
        replace(VOLTAGE, suggested_display_precision=3),
        Part.BATTERY,
        *points("pack_{}_cell_voltage_max", PACKS),
        *points("pack_{}_cell_voltage_min", PACKS),
    ),
    *diagnostic(CYCLES, Part.BATTERY, *points("pack_{}_cycles", PACKS)),
    *hidden(STATE_OF_CHARGE, Part.BATTERY, "battery_2_soc"),
    *hidden(POWER, Part.BATTERY, "battery_2_power"),
    *hidden(VOLTAGE, Part.BATTERY, "battery_2_voltage"),
    *hidden(CURRENT, Part.BATTERY, "battery_2_current"),
    *hidden(TEMPERATURE, Part.BATTERY, "battery_2_temperature"),
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
    # Load and backup output
    *shown(POWER, Part.LOAD, "load_power", "backup_power"),
    *shown(ENERGY, Part.LOAD, "load_energy_today", "load_energy_total"),
    *hidden(ENERGY, Part.LOAD, "load_energy_year"),
    *hidden(POWER, Part.LOAD, *phases("load_{}_power"), *phases("backup_{}_power")),
    *hidden(VOLTAGE, Part.LOAD, *phases("backup_{}_voltage")),
    *hidden(FREQUENCY, Part.LOAD, "load_frequency"),
    # Generator port
    *shown(POWER, Part.GENERATOR, "generator_power"),
    *hidden(POWER, Part.GENERATOR, *phases("generator_{}_power")),
    *hidden(VOLTAGE, Part.GENERATOR, *phases("generator_{}_voltage")),
    *hidden(ENERGY, Part.GENERATOR, "generator_energy_today", "generator_energy_total"),
    *hidden(RUN_TIME, Part.GENERATOR, "generator_hours_today", "generator_hours_total"),
)

# Bit fields: the state is the first code, the attributes hold them all; of these, also what they mean.
MEANINGS: Final = shown(PLAIN, Part.INVERTER, "fault", "warning")
CODES: Final[tuple[UnitSensorDescription, ...]] = (
    *MEANINGS,
    *diagnostic(PLAIN, Part.INVERTER, "drm_state", "comm_board_faults"),
    *diagnostic(PLAIN, Part.BATTERY, "bms_alarm", "bms_fault"),
    *diagnostic(PLAIN, Part.GRID, "ct_self_check_result", "freq_watt_flags", "lhvrt_flags"),
)

NO_CODE: Final = "none"


def fixed(kind: UnitSensorDescription, part: Part, *keys: str) -> list[UnitSensorDescription]:
    """Describe settings that no tier may write: they stay as they are, so there are no statistics of them."""
    plain = replace(kind, state_class=None, suggested_display_precision=None)
    return diagnostic(plain, part, *keys)


SECONDS: Final = replace(RUN_TIME, native_unit_of_measurement=UnitOfTime.SECONDS)
MILLISECONDS: Final = replace(RUN_TIME, native_unit_of_measurement=UnitOfTime.MILLISECONDS)

# What the grid operator demands, and what is set once when a machine is put up.
FIXED_SETTINGS: Final[tuple[UnitSensorDescription, ...]] = (
    # Grid Set1 and Grid Set2
    *fixed(
        CHOICE,
        Part.GRID,
        "grid_standard",
        "output_voltage_level",
        "grid_frequency_setting",
        "grid_phase_order",
    ),
    *fixed(
        VOLTAGE,
        Part.GRID,
        "grid_voltage_high",
        "grid_voltage_low",
        "reconnect_voltage_max",
        "reconnect_voltage_min",
    ),
    *fixed(
        FREQUENCY,
        Part.GRID,
        "grid_frequency_high",
        "grid_frequency_low",
        "reconnect_frequency_max",
        "reconnect_frequency_min",
    ),
    *fixed(SECONDS, Part.GRID, "reconnection_time"),
    *fixed(PLAIN, Part.GRID, "power_factor_setting"),
    # Grid Set3: the curves of a grid standard, in percent of the rated power and voltage
    *fixed(CHOICE, Part.GRID, "reactive_mode"),
    *fixed(SHARE, Part.GRID, "reactive_power_regulation", "apparent_power_regulation"),
    *fixed(SHARE, Part.GRID, *points("volt_watt_v{}"), *points("volt_watt_p{}")),
    *fixed(SECONDS, Part.GRID, "vw_response_time", "vq_response_time"),
    *fixed(SHARE, Part.GRID, *points("volt_var_v{}"), *points("volt_var_q{}")),
    *fixed(SHARE, Part.GRID, "volt_var_lock_in", "volt_var_lock_out"),
    *fixed(SHARE, Part.GRID, "freq_watt_under_stop", "freq_watt_under_point"),
    *fixed(FREQUENCY, Part.GRID, "freq_watt_under_droop", "freq_watt_over_stop"),
    *fixed(PLAIN, Part.GRID, "freq_watt_over_point", "freq_watt_over_droop"),
    *fixed(
        SECONDS,
        Part.GRID,
        "freq_watt_under_start_delay",
        "freq_watt_under_stop_delay",
        "freq_watt_over_start_delay",
        "freq_watt_over_stop_delay",
    ),
    *fixed(SHARE, Part.GRID, *points("watt_var_p{}"), *points("watt_var_q{}")),
    *fixed(SHARE, Part.GRID, *points("watt_pf_p{}")),
    *fixed(PLAIN, Part.GRID, *points("watt_pf_pf{}")),
    *fixed(SHARE, Part.GRID, "watt_pf_lock_in", "watt_pf_lock_out"),
    *fixed(VOLTAGE, Part.GRID, "ca_v_start", "ca_v_stop"),
    *fixed(SHARE, Part.GRID, "normal_ramp_rate", "soft_start_ramp_rate"),
    # Grid Set4: when the machine leaves the grid, and when it rides through
    *fixed(
        VOLTAGE,
        Part.GRID,
        *points("over_voltage_{}_trip", 2),
        *points("under_voltage_{}_trip", 2),
        "long_over_voltage_trip",
    ),
    *fixed(
        FREQUENCY,
        Part.GRID,
        *points("over_frequency_{}_trip", 2),
        *points("under_frequency_{}_trip", 2),
    ),
    *fixed(
        SECONDS,
        Part.GRID,
        *points("over_voltage_{}_trip_delay", 2),
        *points("under_voltage_{}_trip_delay", 2),
        *points("over_frequency_{}_trip_delay", 2),
        *points("under_frequency_{}_trip_delay", 2),
    ),
    *fixed(SHARE, Part.GRID, *points("lvrt{}_level", 2), *points("hvrt{}_level", 3)),
    *fixed(MILLISECONDS, Part.GRID, *points("lvrt{}_time", 2), *points("hvrt{}_time", 3)),
    *fixed(CHOICE, Part.GRID, "lhvrt_current_mode"),
    # Meters and current transformers
    *fixed(
        CHOICE, Part.GRID, "ex_meter_for_ct", "meter_brand", "meter_limit_mode", "ct_self_check"
    ),
    *fixed(PLAIN, Part.GRID, "ct_ratio"),
    *fixed(POWER, Part.GRID, "max_export_power_port", "max_import_power_port"),
    # Several machines, other markets, wind turbines
    *fixed(CHOICE, Part.INVERTER, "parallel_role", "parallel_phase"),
    *fixed(CHOICE, Part.GRID, "italy_local_mode"),
    *fixed(SECONDS, Part.LOAD, "backup_delay"),
    *fixed(VOLTAGE, Part.PV, *points("wind_curve_{}_voltage", 12)),
    *fixed(CURRENT, Part.PV, *points("wind_curve_{}_current", 12)),
)

REJECTED: Final = UnitSensorDescription(
    key="rejected_samples",
    state_class=SensorStateClass.TOTAL_INCREASING,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)

RATED_POWER: Final = "rated_power"


def is_counter(description: UnitSensorDescription) -> bool:
    """Whether a sensor counts energy in one direction."""
    return (
        description.device_class is SensorDeviceClass.ENERGY
        and description.state_class is SensorStateClass.TOTAL_INCREASING
    )


# Settings that the chosen tier may only look at.
READ_ONLY_SETTINGS: Final[tuple[UnitSensorDescription, ...]] = (
    *(
        replace(
            CHOICE,
            key=select.key,
            part=select.part,
            used_when=select.used_when,
            entity_registry_enabled_default=select.entity_registry_enabled_default,
            writable=False,
        )
        for select in SELECTS
    ),
    *(
        replace(
            PLAIN,
            key=item.key,
            part=item.part,
            used_when=item.used_when,
            entity_registry_enabled_default=item.entity_registry_enabled_default,
            writable=False,
        )
        for item in TIMES
    ),
    *(
        replace(
            PLAIN,
            key=number.key,
            part=number.part,
            used_when=number.used_when,
            entity_registry_enabled_default=number.entity_registry_enabled_default,
            device_class=number.device_class and SensorDeviceClass(number.device_class.value),
            native_unit_of_measurement=number.native_unit_of_measurement,
            writable=False,
        )
        for number in NUMBERS
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of every unit."""
    async_add_values(
        entry,
        async_add_entities,
        (*SENSORS, *FIXED_SETTINGS, *READ_ONLY_SETTINGS),
        lambda unit, item: (CounterSensor if is_counter(item) else UnitSensor)(unit, item),
    )
    async_add_values(
        entry,
        async_add_entities,
        CODES,
        lambda unit, item: (MeaningSensor if item in MEANINGS else CodeSensor)(unit, item),
    )
    async_add_values(entry, async_add_entities, UPKEEP, upkeep_sensor)
    async_add_values(entry, async_add_entities, SCHEDULE_SENSORS, ScheduleSensor)
    for subentry_id, unit in entry.runtime_data.units.items():
        if unit.faults is not None:
            async_add_entities(
                [OutageSensor(unit, unit.faults, item) for item in OUTAGE_SENSORS],
                config_subentry_id=subentry_id,
            )
        async_add_entities([RejectionSensor(unit)], config_subentry_id=subentry_id)


class UnitSensor(ValueEntity, SensorEntity):
    """A value that is only shown."""

    entity_description: UnitSensorDescription

    def __init__(self, unit: UnitRuntime, description: UnitSensorDescription) -> None:
        """Take the options of a choice from the register table."""
        super().__init__(unit, description)
        if description.device_class is SensorDeviceClass.ENUM:
            self._attr_options = unit.device.family.registers[description.key].options

    @property
    @override
    def native_value(self) -> str | int | float | None:
        """Return the value as it was last read."""
        if isinstance(self.reading, time):
            return f"{self.reading:%H:%M}"
        return self.reading if isinstance(self.reading, (str, int, float)) else None


class CounterSensor(UnitSensor, RestoreSensor):
    """An energy counter, kept from glitches that would ruin the energy balance, also across a restart."""

    def __init__(self, unit: UnitRuntime, description: UnitSensorDescription) -> None:
        """Bound its growth by the machine's rated power."""
        super().__init__(unit, description)
        self._guard = CounterGuard(
            unit.identity.facts[RATED_POWER],
            daily=description.key.endswith("_today"),
            rejections=unit.rejections,
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from what was shown before the restart."""
        last, data = await self.async_get_last_state(), await self.async_get_last_sensor_data()
        if last and data and isinstance(data.native_value, (int, float)):
            self._guard.seed(float(data.native_value), last.last_updated.timestamp())
        self._judge()
        await super().async_added_to_hass()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Judge what the poll brought before it is shown."""
        self._judge()
        super()._handle_coordinator_update()

    def _judge(self) -> None:
        """Take the reading; a poll that brought none says nothing about the counter."""
        if self.available:
            value = self.reading if isinstance(self.reading, (int, float)) else None
            self._guard.judge(value, dt_util.utcnow().timestamp())

    @property
    @override
    def native_value(self) -> float | None:
        """Return the last good reading."""
        return self._guard.value

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available, self._guard.value)


class CodeSensor(ValueEntity, SensorEntity):
    """The codes whose bits are set: the first as the state, all of them as attributes."""

    entity_description: UnitSensorDescription
    _unrecorded_attributes = frozenset({"codes"})

    def __init__(self, unit: UnitRuntime, description: UnitSensorDescription) -> None:
        """Take the codes from the register table."""
        super().__init__(unit, description)
        self._labels = unit.device.family.registers[description.key].labels

    @property
    def _codes(self) -> list[str] | None:
        """Return the codes in order; a bit without a known code is shown by its number."""
        if not isinstance(self.reading, frozenset):
            return None
        return [self._labels.get(bit, f"bit {bit}") for bit in sorted(self.reading)]

    @property
    @override
    def native_value(self) -> str | None:
        """Return the first code, or that there is none."""
        codes = self._codes
        return None if codes is None else (codes or [NO_CODE])[0]

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return all codes."""
        return {"codes": self._codes or []}


class MeaningSensor(CodeSensor):
    """Codes of faults or warnings, with what they mean in the language of the house."""

    _unrecorded_attributes = frozenset({"codes", "meanings"})

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return all codes, and each with its meaning where it has one that is documented."""
        meanings = [
            {"code": code, "meaning": async_meaning(self.hass, code)} for code in self._codes or []
        ]
        return {**super().extra_state_attributes, "meanings": meanings}


class RejectionSensor(UnitEntity, SensorEntity):
    """How many readings of the energy counters were not believed since the start."""

    entity_description: UnitSensorDescription

    def __init__(self, unit: UnitRuntime) -> None:
        """Watch the group that the counters are polled in."""
        super().__init__(unit, REJECTED, Group.ENERGY)

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available, self.native_value)

    @property
    @override
    def native_value(self) -> int:
        """Return how many there were."""
        return self.coordinator.unit.rejections.total()

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return how many there were for each reason."""
        return {str(reason): count for reason, count in self.coordinator.unit.rejections.items()}
