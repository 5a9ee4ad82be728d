"""Sensors of the schedule: what is in force, and until when."""

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

from .modbus.schedule import Timetable, active_slot, next_change
from .modbus.schedule_six import SIX_SLOTS
from .modbus.schedule_windows import CHARGE_WINDOWS, MODES, NONE, active_window
from .schedule import ScheduleDescription, ScheduleEntity


@dataclass(frozen=True, kw_only=True)
class ScheduleSensorDescription(ScheduleDescription, SensorEntityDescription):
    """Something that the schedule says at a moment, in a time zone."""

    value: Callable[[Timetable[Any], datetime, tzinfo], int | str | datetime | None]


SCHEDULE_SENSORS: Final = (
    ScheduleSensorDescription(key="active_slot", inputs=SIX_SLOTS.keys, value=active_slot),
    ScheduleSensorDescription(
        key="active_window",
        inputs=CHARGE_WINDOWS.keys,
        device_class=SensorDeviceClass.ENUM,
        options=[NONE, *MODES],
        value=active_window,
    ),
    ScheduleSensorDescription(
        key="next_schedule_change", device_class=SensorDeviceClass.TIMESTAMP, value=next_change
    ),
)


class ScheduleSensor(ScheduleEntity, SensorEntity):
    """What the schedule says now."""

    entity_description: ScheduleSensorDescription

    @property
    @override
    def native_value(self) -> int | str | datetime | None:
        """Return what is true at this moment; None for a slot or a change that there is not."""
        if (schedule := self.schedule) is None:
            return None
        return self.entity_description.value(
            schedule, dt_util.utcnow(), dt_util.get_default_time_zone()
        )

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available, self.native_value)
