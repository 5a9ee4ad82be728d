"""Sensors of the schedule: what is in force, and until when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)

from ..modbus.model.slots import MODES
from ..modbus.schedule.charge_windows import CHARGE_WINDOWS
from ..modbus.schedule.occurrences import Outlook
from ..modbus.schedule.six_slots import SIX_SLOTS
from .entity import ScheduleDescription, ScheduleEntity

# The state of the active window while no slot is in force.
NONE: Final = "none"
ATTR_SLOT: Final = "slot"


@dataclass(frozen=True, kw_only=True)
class ScheduleSensorDescription(ScheduleDescription, SensorEntityDescription):
    """A value of a schedule that depends on the time."""

    value: Callable[[Outlook[Any]], int | str | datetime | None]
    # Whether the slot in force is an attribute, as the value is the same for several.
    names_slot: bool = False


SCHEDULE_SENSORS: Final = (
    ScheduleSensorDescription(
        key="active_slot",
        inputs=SIX_SLOTS.keys,
        value=lambda outlook: outlook.active.slot if outlook.active else None,
    ),
    ScheduleSensorDescription(
        key="active_window",
        inputs=CHARGE_WINDOWS.keys,
        device_class=SensorDeviceClass.ENUM,
        options=[NONE, *MODES],
        value=lambda outlook: outlook.active.rule.mode if outlook.active else NONE,
        names_slot=True,
    ),
    ScheduleSensorDescription(
        key="next_schedule_change",
        device_class=SensorDeviceClass.TIMESTAMP,
        value=lambda outlook: outlook.next_change,
    ),
)


class ScheduleSensor(ScheduleEntity, SensorEntity):
    """What the schedule says now."""

    entity_description: ScheduleSensorDescription

    @property
    @override
    def native_value(self) -> int | str | datetime | None:
        """The value at this moment; None for a slot or a change that there is not."""
        outlook = self.outlook
        return None if outlook is None else self.entity_description.value(outlook)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """The number of the slot in force; None while there is none."""
        if not self.entity_description.names_slot:
            return None
        outlook = self.outlook
        return {ATTR_SLOT: outlook.active.slot if outlook and outlook.active else None}

    @override
    def state_key(self) -> tuple[Any, ...]:
        """All that the state is made of."""
        return (self.available, self.native_value, self.extra_state_attributes)
