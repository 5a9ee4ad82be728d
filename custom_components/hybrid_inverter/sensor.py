"""Sensors: what a unit measures, counts and reports of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Any, Final, override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorExtraStoredData,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .control.entities import of_inverter
from .control.plants import async_add_to_plant_battery
from .control.sensors import CONTROL_SENSORS, control_sensor
from .doctor.entities import WIRING_SENSORS, wiring_sensor
from .entities.base import UnitEntity, ValueEntity
from .entities.battery_energy import BATTERY_ENERGIES, BatteryEnergySensor
from .entities.kinds import PERIODS, UnitSensorDescription
from .entities.link import link_sensors
from .entities.outage import OUTAGE_SENSORS, OutageSensor
from .entities.presence import async_add_rows, async_add_values
from .entities.upkeep import UPKEEP, upkeep_sensor
from .entry.data import is_plant
from .modbus.model.codec import RATED_POWER, Bits
from .modbus.model.counter_guard import GRID_FACTOR, CounterGuard
from .modbus.model.part import Kind
from .modbus.model.register import Group
from .plant.sensors import PLANT_SENSORS, PlantSensor, async_add_plant_values
from .runtime.faults import async_meaning
from .runtime.runtime import HybridInverterConfigEntry, UnitRuntime
from .schedule.sensors import SCHEDULE_SENSORS, ScheduleSensor
from .schedule.slot_days import DaysSensor

PARALLEL_UPDATES = 0

NO_CODE: Final = "none"
# The rated power in W with which a guard lets a counter grow by 1 in an hour.
AS_HOURS: Final = 1000 / GRID_FACTOR


REJECTED: Final = UnitSensorDescription(
    key="rejected_samples",
    state_class=SensorStateClass.TOTAL_INCREASING,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)
# What is not a value of the unit.
DESCRIPTIONS: Final = (
    REJECTED,
    *OUTAGE_SENSORS,
    *UPKEEP,
    *SCHEDULE_SENSORS,
    *CONTROL_SENSORS,
    *BATTERY_ENERGIES,
    *WIRING_SENSORS,
)


def unit_sensor(unit: UnitRuntime, description: UnitSensorDescription) -> SensorEntity:
    """The sensor of a value."""
    if description.kind is Kind.DAYS:
        return DaysSensor(unit, description)
    family = unit.device.family
    row = family.registers.get(description.key)
    if row is not None and isinstance(row.codec, Bits):
        has_meanings = family.faults is not None and row.key in family.faults.fields
        return (MeaningSensor if has_meanings else CodeSensor)(unit, description)
    return (CounterSensor if is_counter(description) else UnitSensor)(unit, description)


def is_counter(description: UnitSensorDescription) -> bool:
    """Whether a sensor counts energy in one direction, or hours."""
    return (
        description.device_class in (SensorDeviceClass.ENERGY, SensorDeviceClass.DURATION)
        and description.state_class is SensorStateClass.TOTAL_INCREASING
    )


def period_of(key: str) -> Callable[[float], str] | None:
    """What names the local day, month or year of a time in seconds, for a counter that starts again with it."""
    for end, period in PERIODS.items():
        if key.endswith(end):
            return lambda when: f"{dt_util.as_local(dt_util.utc_from_timestamp(when)):{period}}"
    return None


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the link, and of every unit; or those of a plant."""
    if is_plant(entry):
        async_add_plant_values(hass, entry, async_add_entities, PLANT_SENSORS, PlantSensor)
        async_add_to_plant_battery(hass, entry, async_add_entities, CONTROL_SENSORS, control_sensor)
        return
    async_add_entities(link_sensors(entry))
    await async_add_rows(entry, async_add_entities, unit_sensor)
    await async_add_values(entry, async_add_entities, UPKEEP, upkeep_sensor)
    await async_add_values(entry, async_add_entities, SCHEDULE_SENSORS, ScheduleSensor)
    await async_add_values(entry, async_add_entities, CONTROL_SENSORS, of_inverter(control_sensor))
    await async_add_values(entry, async_add_entities, BATTERY_ENERGIES, BatteryEnergySensor)
    await async_add_values(entry, async_add_entities, WIRING_SENSORS, wiring_sensor)
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
    _handle_coordinator_update = ValueEntity.async_handle_own_value

    @property
    @override
    def native_value(self) -> str | int | float | None:
        """The value as it was last read."""
        reading = self.reading
        if isinstance(reading, time):
            return f"{reading:%H:%M}"
        return reading if isinstance(reading, (str, int, float)) else None


@dataclass
class StoredCount(SensorExtraStoredData):
    """What a counter showed, and which way round it was counted."""

    inverted: bool

    @override
    def as_dict(self) -> dict[str, Any]:
        """The count as it is stored."""
        return {**super().as_dict(), "inverted": self.inverted}


class CounterSensor(UnitSensor, RestoreSensor):
    """A counter of energy or hours, kept from glitches that would ruin its statistics, also across a restart."""

    def __init__(self, unit: UnitRuntime, description: UnitSensorDescription) -> None:
        """Bound the growth of an energy by the device's rated power."""
        super().__init__(unit, description)
        self._inverted = unit.inverted
        is_energy = description.device_class is SensorDeviceClass.ENERGY
        self._guard = CounterGuard(
            unit.identity.facts[RATED_POWER] if is_energy else AS_HOURS,
            period_of=period_of(description.key),
            rejections=unit.rejections,
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from what was shown before the restart, unless it was counted the other way round."""
        last, data = await self.async_get_last_state(), await self.async_get_last_sensor_data()
        extra = await self.async_get_last_extra_data()
        same_way = extra and extra.as_dict().get("inverted", False) == self._inverted
        if last and same_way and data and isinstance(data.native_value, (int, float)):
            self._guard.seed(float(data.native_value), last.last_updated.timestamp())
        self._judge()
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_add_poll_listener(self._handle_poll))

    @property
    @override
    def extra_restore_state_data(self) -> StoredCount:
        """What is known again after a restart."""
        shown = super().extra_restore_state_data
        return StoredCount(shown.native_value, shown.native_unit_of_measurement, self._inverted)

    @callback
    def _handle_poll(self) -> None:
        """Judge what the poll brought before it is shown; the same reading once more makes it more credible."""
        self._judge()
        self.async_write_if_changed()

    def _judge(self) -> None:
        """Check the reading; a poll that brought none says nothing about the counter."""
        if self.available:
            reading = self.reading
            value = reading if isinstance(reading, (int, float)) else None
            self._guard.check(value, dt_util.utcnow().timestamp())

    @property
    @override
    def native_value(self) -> float | None:
        """The last good reading."""
        return self._guard.value

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self._guard.value)


class CodeSensor(ValueEntity, SensorEntity):
    """The codes whose bits are set: the first as the state, all of them as attributes."""

    entity_description: UnitSensorDescription
    _unrecorded_attributes = frozenset({"codes"})

    def __init__(self, unit: UnitRuntime, description: UnitSensorDescription) -> None:
        super().__init__(unit, description)
        self._labels = unit.device.family.registers[description.key].labels

    @property
    def _codes(self) -> list[str] | None:
        """The codes in order; a bit without a known code is shown by its number."""
        if not isinstance(self.reading, frozenset):
            return None
        return [self._labels.get(bit, f"bit {bit}") for bit in sorted(self.reading)]

    @property
    @override
    def native_value(self) -> str | None:
        """The first code, or that there is none."""
        codes = self._codes
        return None if codes is None else (codes or [NO_CODE])[0]

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """All codes."""
        return {"codes": self._codes or []}


class MeaningSensor(CodeSensor):
    """Codes of faults or warnings, with what they mean in the language of the house."""

    _unrecorded_attributes = frozenset({"codes", "meanings"})

    @property
    @override
    def native_value(self) -> str | None:
        """The first code in small letters, by which its meaning is translated, or that there is none."""
        code = super().native_value
        return None if code is None else code.lower()

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """All codes, and each with its meaning where it has one that is documented."""
        meanings = [
            {"code": code, "meaning": async_meaning(self.hass, code)} for code in self._codes or []
        ]
        return {**super().extra_state_attributes, "meanings": meanings}


class RejectionSensor(UnitEntity, SensorEntity):
    """The number of readings since the start that cannot be true: of energy counters and of powers."""

    entity_description: UnitSensorDescription

    def __init__(self, unit: UnitRuntime) -> None:
        """Follow the group of the counters."""
        super().__init__(unit, REJECTED, Group.ENERGY)

    @override
    async def async_added_to_hass(self) -> None:
        """Count with every poll, as the counters do."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_add_poll_listener(self.async_write_if_changed))

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.native_value)

    @property
    @override
    def native_value(self) -> int:
        """The number of readings."""
        machine = self.coordinator.machine
        return machine.rejections.total() + machine.device.impossible

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """The number for each reason."""
        machine = self.coordinator.machine
        counts = {str(reason): count for reason, count in machine.rejections.items()}
        if machine.device.impossible:
            counts["impossible"] = machine.device.impossible
        return counts
