"""Maintenance sensors: how often settings are written, and how well the clock keeps time."""

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

from ..modbus.model.register import Group
from ..runtime.clock import CLOCK, drift_of
from ..runtime.runtime import UnitRuntime
from .base import UnitEntity, UnitEntityDescription, ValueEntity

# How many of the settings that are written most often the attributes name.
BUSIEST: Final = 5


@dataclass(frozen=True, kw_only=True)
class UpkeepSensorDescription(UnitEntityDescription, SensorEntityDescription):
    """A sensor that a person enables to look after the machine."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    entity_registry_enabled_default: bool = False


CLOCK_DRIFT: Final = UpkeepSensorDescription(
    key="clock_drift",
    value_key=CLOCK,
    inputs=frozenset({CLOCK}),
    device_class=SensorDeviceClass.DURATION,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfTime.SECONDS,
    suggested_display_precision=0,
)
SETTING_WRITES_TODAY: Final = UpkeepSensorDescription(
    key="setting_writes_today",
    needs_write=True,
    state_class=SensorStateClass.TOTAL_INCREASING,
)
UPKEEP: Final = (CLOCK_DRIFT, SETTING_WRITES_TODAY)


def upkeep_sensor(unit: UnitRuntime, description: UpkeepSensorDescription) -> SensorEntity:
    """The entity of a description."""
    return _ENTITIES[description.key](unit, description)


class ClockDriftSensor(ValueEntity, SensorEntity):
    """How many seconds the machine's clock is ahead of the local time that Home Assistant knows."""

    entity_description: UpkeepSensorDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Update after every poll: a clock that stands still falls behind without a new reading."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_add_poll_listener(self.async_write_if_changed))

    @property
    @override
    def native_value(self) -> int | None:
        """The difference at the time of the reading, in whole seconds, as the machine counts them."""
        return drift_of(self.coordinator.machine.device, self.reading)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.native_value)


class SettingWritesSensor(UnitEntity, SensorEntity):
    """How many settings were written since midnight; the memory that they are stored in wears out."""

    entity_description: UpkeepSensorDescription
    _unrecorded_attributes = frozenset({"busiest", "total"})

    def __init__(self, unit: UnitRuntime, description: UpkeepSensorDescription) -> None:
        super().__init__(unit, description, Group.SETTINGS)
        self._wear = unit.device.wear

    @override
    async def async_added_to_hass(self) -> None:
        """Update after every write, and at midnight."""
        await super().async_added_to_hass()
        self.async_on_remove(self._wear.add_listener(self._handle_coordinator_update))
        self.async_on_remove(
            async_track_time_change(self.hass, self._new_day, hour=0, minute=0, second=0)
        )

    @callback
    def _new_day(self, _now: datetime) -> None:
        """Show the count of the new day."""
        self._handle_coordinator_update()

    @property
    @override
    def available(self) -> bool:
        """Always: it is our own count, whether or not the machine answers."""
        return True

    @property
    @override
    def native_value(self) -> int:
        """How many there were."""
        return self._wear.settings.total()

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """The settings that were written most today, and how many writes there ever were."""
        return {
            "busiest": dict(self._wear.settings.most_common(BUSIEST)),
            "total": self._wear.total,
        }

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.native_value, self._wear.total)


_ENTITIES: Final[dict[str, Callable[[UnitRuntime, UpkeepSensorDescription], SensorEntity]]] = {
    CLOCK_DRIFT.key: ClockDriftSensor,
    SETTING_WRITES_TODAY.key: SettingWritesSensor,
}
