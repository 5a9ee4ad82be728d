"""Sensors: what a unit measures, counts and says of itself."""

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
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import UnitEntity, ValueEntity
from .faults import async_meaning
from .link_device import link_sensors
from .modbus.guard import CounterGuard
from .modbus.register import Group
from .outage import OUTAGE_SENSORS, OutageSensor
from .plant_members import is_plant
from .plant_sensor import async_add_plant_sensors
from .roster import async_add_values
from .schedule_sensor import SCHEDULE_SENSORS, ScheduleSensor
from .sensor_descriptions import CODES, MEANINGS, READ_ONLY_SETTINGS, REJECTED, SENSORS
from .sensor_fixed import FIXED_SETTINGS
from .sensor_kinds import UnitSensorDescription
from .sensor_meters import METER_SENSORS
from .slot_days import READ_ONLY_SLOT_DAYS, DaysSensor
from .upkeep import UPKEEP, upkeep_sensor

PARALLEL_UPDATES = 0

NO_CODE: Final = "none"
RATED_POWER: Final = "rated_power"
# How the keys of counters end that start again from 0.
RESTARTING: Final = ("_today", "_month", "_year")


def is_counter(description: UnitSensorDescription) -> bool:
    """Whether a sensor counts energy in one direction."""
    return (
        description.device_class is SensorDeviceClass.ENERGY
        and description.state_class is SensorStateClass.TOTAL_INCREASING
    )


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the link, and of every unit; or those of a plant."""
    if is_plant(entry):
        async_add_plant_sensors(hass, entry, async_add_entities)
        return
    async_add_entities(link_sensors(entry))
    await async_add_values(
        entry,
        async_add_entities,
        (*SENSORS, *METER_SENSORS, *FIXED_SETTINGS, *READ_ONLY_SETTINGS),
        lambda unit, item: (CounterSensor if is_counter(item) else UnitSensor)(unit, item),
    )
    await async_add_values(
        entry,
        async_add_entities,
        CODES,
        lambda unit, item: (MeaningSensor if item in MEANINGS else CodeSensor)(unit, item),
    )
    await async_add_values(entry, async_add_entities, READ_ONLY_SLOT_DAYS, DaysSensor)
    await async_add_values(entry, async_add_entities, UPKEEP, upkeep_sensor)
    await async_add_values(entry, async_add_entities, SCHEDULE_SENSORS, ScheduleSensor)
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
            self._attr_options = unit.device.family.registers[description.key].names

    @property
    @override
    def native_value(self) -> str | int | float | None:
        """Return the value as it was last read."""
        if isinstance(self.reading, time):
            return f"{self.reading:%H:%M}"
        return self.reading if isinstance(self.reading, (str, int, float)) else None


@dataclass
class StoredCount(SensorExtraStoredData):
    """What a counter showed, and which way round it was counted."""

    inverted: bool

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {**super().as_dict(), "inverted": self.inverted}


class CounterSensor(UnitSensor, RestoreSensor):
    """An energy counter, kept from glitches that would ruin the energy balance, also across a restart."""

    def __init__(self, unit: UnitRuntime, description: UnitSensorDescription) -> None:
        """Bound its growth by the machine's rated power."""
        super().__init__(unit, description)
        self._inverted = unit.inverted
        self._guard = CounterGuard(
            unit.identity.facts[RATED_POWER],
            daily=description.key.endswith(RESTARTING),
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

    @property
    @override
    def extra_restore_state_data(self) -> StoredCount:
        """Return what is known again after a restart."""
        shown = super().extra_restore_state_data
        return StoredCount(shown.native_value, shown.native_unit_of_measurement, self._inverted)

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
