"""Sensors of what a machine wears and of how well it keeps time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util

from .coordinator import UnitRuntime
from .entity import UnitEntity, UnitEntityDescription, ValueEntity
from .modbus.register import Group

# How many of the settings that were written most the attributes name.
BUSIEST: Final = 5


@dataclass(frozen=True, kw_only=True)
class UpkeepSensorDescription(UnitEntityDescription, SensorEntityDescription):
    """A sensor that a person switches on to look after the machine."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    entity_registry_enabled_default: bool = False


CLOCK_DRIFT: Final = UpkeepSensorDescription(
    key="clock_drift",
    source="system_time",
    device_class=SensorDeviceClass.DURATION,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfTime.SECONDS,
    suggested_display_precision=0,
)
SETTING_WRITES_TODAY: Final = UpkeepSensorDescription(
    key="setting_writes_today",
    about_writes=True,
    state_class=SensorStateClass.TOTAL_INCREASING,
)
UPKEEP: Final = (CLOCK_DRIFT, SETTING_WRITES_TODAY)


def upkeep_sensor(unit: UnitRuntime, description: UpkeepSensorDescription) -> SensorEntity:
    """Return the entity of a description."""
    return _ENTITIES[description.key](unit, description)


class ClockDriftSensor(ValueEntity, SensorEntity):
    """How many seconds the machine's clock is ahead of the local time that Home Assistant knows."""

    entity_description: UpkeepSensorDescription

    @property
    @override
    def native_value(self) -> int | None:
        """Return the difference at the time of the reading, in the whole seconds that the machine counts."""
        read_at = self.coordinator.unit.device.read_at(self.entity_description.value_key)
        if read_at is None or not isinstance(self.reading, datetime):
            return None
        local = dt_util.as_local(read_at).replace(tzinfo=None, microsecond=0)
        return round((self.reading - local).total_seconds())

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available, self.native_value)


class SettingWritesSensor(UnitEntity, SensorEntity):
    """How many settings were written since midnight; the memory that they are kept in wears."""

    entity_description: UpkeepSensorDescription
    _unrecorded_attributes = frozenset({"busiest", "total"})

    def __init__(self, unit: UnitRuntime, description: UpkeepSensorDescription) -> None:
        """Watch the group of the settings."""
        super().__init__(unit, description, Group.SETTINGS)
        self._wear = unit.device.wear

    @override
    async def async_added_to_hass(self) -> None:
        """Follow every write, and start again at midnight."""
        await super().async_added_to_hass()
        self.async_on_remove(self._wear.add_listener(self._handle_coordinator_update))
        self.async_on_remove(
            async_track_time_change(self.hass, self._turn_page, hour=0, minute=0, second=0)
        )

    @callback
    def _turn_page(self, _now: datetime) -> None:
        """Show that a new day has begun."""
        self._handle_coordinator_update()

    @property
    @override
    def available(self) -> bool:
        """Return True: it is our own count, whether or not the machine answers."""
        return True

    @property
    @override
    def native_value(self) -> int:
        """Return how many there were."""
        return self._wear.settings.total()

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return which settings were written most today, and how many writes there ever were."""
        return {
            "busiest": dict(self._wear.settings.most_common(BUSIEST)),
            "total": self._wear.total,
        }

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.native_value, self._wear.total)


_ENTITIES: Final[dict[str, Callable[[UnitRuntime, UpkeepSensorDescription], SensorEntity]]] = {
    CLOCK_DRIFT.key: ClockDriftSensor,
    SETTING_WRITES_TODAY.key: SettingWritesSensor,
}
