"""The calendar: the time-of-use table as what happens in the coming days."""

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
from .entity import UnitEntityDescription
from .modbus.schedule import KEYS, Occurrence, Rule, happenings
from .roster import async_add_values
from .schedule import ScheduleEntity

PARALLEL_UPDATES = 0

# The next event lies within a week, as the table repeats every week; the day before may reach into today.
BEFORE: Final = timedelta(days=1)
AHEAD: Final = timedelta(days=8)


@dataclass(frozen=True, kw_only=True)
class ScheduleCalendarDescription(UnitEntityDescription, CalendarEntityDescription):
    """A calendar that the time-of-use table fills."""

    inputs: frozenset[str] = KEYS


CALENDARS: Final = (ScheduleCalendarDescription(key="schedule"),)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of every unit that has a time-of-use table."""
    async_add_values(entry, async_add_entities, CALENDARS, ScheduleCalendar)


class ScheduleCalendar(ScheduleEntity, CalendarEntity):
    """What the time-of-use table makes of the battery, day by day; it is changed with the action set_schedule."""

    entity_description: ScheduleCalendarDescription

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return what is in force, or else what comes next."""
        now = dt_util.now()
        return next(iter(self._events(now, now + AHEAD)), None)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what happens between two moments."""
        return self._events(start_date, end_date)

    def _events(self, start: datetime, end: datetime) -> list[CalendarEvent]:
        """Return the events that begin before the end and end after the start."""
        if (schedule := self.schedule) is None:
            return []
        zone = dt_util.get_default_time_zone()
        first = start.astimezone(zone).date() - BEFORE
        last = end.astimezone(zone).date() + BEFORE
        unit = "V" if schedule.by_voltage else "%"
        since, until = start.timestamp(), end.timestamp()
        return [
            _event(item, unit)
            for item in happenings(schedule, first, last, zone)
            if item.end.timestamp() > since and item.start.timestamp() < until
        ]

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available, self.event)


def _event(item: Occurrence, unit: str) -> CalendarEvent:
    """Return an occurrence as an event."""
    return CalendarEvent(
        start=dt_util.as_local(item.start),
        end=dt_util.as_local(item.end),
        summary=_summary(item.rule, unit),
        description=f"The battery gives up to {item.rule.power:g} W.",
    )


def _summary(rule: Rule, unit: str) -> str:
    """Return in plain words what becomes of the battery."""
    sources = [
        name
        for name, charges in (("grid", rule.grid_charge), ("generator", rule.generator_charge))
        if charges
    ]
    if not sources:
        return f"Use battery down to {rule.target:g} {unit}"
    return f"Charge to {rule.target:g} {unit} from {' and '.join(sources)}"
