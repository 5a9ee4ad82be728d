"""What the entities that show the schedule of a machine share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .coordinator import UnitRuntime
from .entity import UnitEntity, UnitEntityDescription
from .modbus.family import Family
from .modbus.register import Group
from .modbus.schedule import ScheduleStyle, Timetable, next_slot
from .modbus.schedule_styles import EVERY_KEY, style_of


@dataclass(frozen=True, kw_only=True)
class ScheduleDescription(UnitEntityDescription):
    """An entity that a schedule fills; its inputs are the keys of all styles of schedules that it can be made of."""

    inputs: frozenset[str] = EVERY_KEY

    def style(self, family: Family) -> ScheduleStyle[Any] | None:
        """Return the style of the schedules of this family; None where this entity cannot be made of them."""
        style = style_of(family.registers.keys())
        return style if style and style.keys <= self.inputs else None

    @override
    def polled_from(self, family: Family) -> frozenset[str]:
        """Return what the schedule of this family is made of."""
        if (style := self.style(family)) is None:
            return self.inputs
        return style.keys | style.optional & family.registers.keys()


class ScheduleEntity(UnitEntity):
    """An entity whose state follows the schedule, and the time."""

    entity_description: ScheduleDescription

    def __init__(self, unit: UnitRuntime, description: ScheduleDescription) -> None:
        """Have the whole schedule polled."""
        family = unit.device.family
        super().__init__(unit, description, Group.SETTINGS, wanted=description.polled_from(family))
        self._style = description.style(family)
        self._cancel: CALLBACK_TYPE | None = None

    @property
    def schedule(self) -> Timetable[Any] | None:
        """Return the schedule as it was last read; None while not all of it is known."""
        if self._style is None:
            return None
        return self._style.read(
            {**self.coordinator.unit.identity.facts, **self.coordinator.data.values}
        )

    @property
    @override
    def available(self) -> bool:
        """Return whether the last poll brought the schedule."""
        return super().available and self.schedule is not None

    @override
    async def async_added_to_hass(self) -> None:
        """Wait for the first change."""
        await super().async_added_to_hass()
        self._await_change()
        self.async_on_remove(self._stop_waiting)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Show what is in force now, and wait for what comes next; the schedule may be another one."""
        super()._handle_coordinator_update()
        self._await_change()

    @callback
    def _await_change(self) -> None:
        """Look again when the next slot starts."""
        self._stop_waiting()
        schedule = self.schedule
        if schedule is None:
            return
        now, zone = dt_util.utcnow(), dt_util.get_default_time_zone()
        if (moment := next_slot(schedule, now, zone)) is not None:
            self._cancel = async_track_point_in_utc_time(self.hass, self._changed, moment)

    @callback
    def _changed(self, _: datetime) -> None:
        """Show the next slot."""
        self._cancel = None
        self._handle_coordinator_update()

    @callback
    def _stop_waiting(self) -> None:
        """Forget the next change."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
