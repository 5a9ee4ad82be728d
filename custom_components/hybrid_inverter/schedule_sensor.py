"""Sensors of the time-of-use table: which slot is in force, and until when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.util import dt as dt_util

from .entity import UnitEntityDescription
from .modbus.schedule import KEYS, Schedule, active_slot, next_change
from .schedule import ScheduleEntity


@dataclass(frozen=True, kw_only=True)
class ScheduleSensorDescription(UnitEntityDescription, SensorEntityDescription):
    """Something that the time-of-use table says at a moment, in a time zone."""

    inputs: frozenset[str] = KEYS
    value: Callable[[Schedule, datetime, tzinfo], int | datetime | None]


SCHEDULE_SENSORS: Final = (
    ScheduleSensorDescription(key="active_slot", value=active_slot),
    ScheduleSensorDescription(
        key="next_schedule_change", device_class=SensorDeviceClass.TIMESTAMP, value=next_change
    ),
)


class ScheduleSensor(ScheduleEntity, SensorEntity):
    """What the time-of-use table says now."""

    entity_description: ScheduleSensorDescription

    @property
    @override
    def native_value(self) -> int | datetime | None:
        """Return what is true at this moment; None when time of use is off, or off today."""
        if (schedule := self.schedule) is None:
            return None
        return self.entity_description.value(
            schedule, dt_util.utcnow(), dt_util.get_default_time_zone()
        )

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available, self.native_value)
