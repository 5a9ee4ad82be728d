"""The calendar: the schedule as what happens in the coming days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import HybridInverterConfigEntry
from .modbus.device import Snapshot
from .modbus.schedule import Occurrence, Timetable, happenings
from .roster import async_add_values
from .schedule import ScheduleDescription, ScheduleEntity

PARALLEL_UPDATES = 0

# The next event lies within a week, as the schedule repeats every week; the day before may reach into today.
BEFORE: Final = timedelta(days=1)
AHEAD: Final = timedelta(days=8)


@dataclass(frozen=True, kw_only=True)
class ScheduleCalendarDescription(ScheduleDescription, CalendarEntityDescription):
    """A calendar that a schedule fills."""


CALENDARS: Final = (ScheduleCalendarDescription(key="schedule"),)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of every unit that has a schedule."""
    await async_add_values(entry, async_add_entities, CALENDARS, ScheduleCalendar)


class ScheduleCalendar(ScheduleEntity, CalendarEntity):
    """What the schedule makes of the battery, day by day; it is changed with the action set_schedule."""

    entity_description: ScheduleCalendarDescription
    # What was shown last, of which reading and in which minute.
    _shown_event: tuple[Snapshot, datetime, CalendarEvent | None] | None = None

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return what is in force, or else what comes next.

        Home Assistant asks several times for each state; what it is told stays true for a minute.
        """
        reading, now = self.coordinator.data, dt_util.now().replace(second=0, microsecond=0)
        if self._shown_event is None or self._shown_event[:2] != (reading, now):
            event = next(self._events(now, now + AHEAD), None)
            self._shown_event = (reading, now, event)
        return self._shown_event[2]

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what happens between two moments."""
        return list(self._events(start_date, end_date))

    def _events(self, start: datetime, end: datetime) -> Iterator[CalendarEvent]:
        """Return the events that begin before the end and end after the start, in order."""
        if (schedule := self.schedule) is None:
            return
        zone = dt_util.get_default_time_zone()
        first = start.astimezone(zone).date() - BEFORE
        last = end.astimezone(zone).date() + BEFORE
        since, until = start.timestamp(), end.timestamp()
        for item in happenings(schedule, first, last, zone):
            if item.end.timestamp() > since and item.start.timestamp() < until:
                yield _event(schedule, item)

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available, self.event)


def _event(schedule: Timetable[Any], item: Occurrence[Any]) -> CalendarEvent:
    """Return an occurrence as an event."""
    words = schedule.describe(item.rule)
    return CalendarEvent(
        start=dt_util.as_local(item.start),
        end=dt_util.as_local(item.end),
        summary=words.summary,
        description=words.description,
    )
