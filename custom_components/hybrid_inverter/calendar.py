"""The calendar: the schedule as what happens in the coming days."""

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

from .entities.presence import async_add_values
from .entry.texts import async_load_texts, async_text
from .modbus.schedule.occurrences import Occurrence, Outlook, merged_occurrences
from .modbus.schedule.schedule import Description, Sentence
from .runtime.issues import machine_name
from .runtime.runtime import HybridInverterConfigEntry
from .schedule.entity import ScheduleDescription, ScheduleEntity

PARALLEL_UPDATES = 0

# What begins on the day before may reach into the first day.
BEFORE: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ScheduleCalendarDescription(ScheduleDescription, CalendarEntityDescription):
    """A calendar that shows a schedule."""


CALENDARS: Final = (ScheduleCalendarDescription(key="schedule"),)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of every unit that has a schedule."""
    await async_load_texts(hass, "selector")
    await async_add_values(entry, async_add_entities, CALENDARS, ScheduleCalendar)


class ScheduleCalendar(ScheduleEntity, CalendarEntity):
    """What the schedule does with the battery, day by day; it is changed with the action set_schedule."""

    entity_description: ScheduleCalendarDescription
    # The event of an outlook in a language: Home Assistant asks several times for each state.
    _made: tuple[Outlook[Any], str, CalendarEvent | None] | None = None

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """What is in force, or else what comes next."""
        outlook, language = self.outlook, self.hass.config.language
        if outlook is None:
            return None
        if self._made is None or self._made[0] is not outlook or self._made[1] != language:
            event = None
            if outlook.event is not None and outlook.description is not None:
                event = self._calendar_event(outlook.event, outlook.description)
            self._made = (outlook, language, event)
        return self._made[2]

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Events that begin before the end and end after the start, in order, but none that is over."""
        if (schedule := self.view.schedule) is None:
            return []
        # What the schedule was yesterday, nobody knows.
        begin = max(start_date, dt_util.utcnow())
        zone = dt_util.get_default_time_zone()
        first = begin.astimezone(zone).date() - BEFORE
        last = end_date.astimezone(zone).date()
        return [
            self._calendar_event(item, schedule.describe(item.rule))
            for item in merged_occurrences(schedule, first, last + BEFORE, zone)
            if item.end > begin and item.start < end_date
        ]

    @override
    def state_key(self) -> tuple[Any, ...]:
        """All that the state is made of."""
        return (self.available, self.event)

    def _calendar_event(self, item: Occurrence[Any], description: Description) -> CalendarEvent:
        """An occurrence as an event of this inverter, in the language of the house."""
        return CalendarEvent(
            start=dt_util.as_local(item.start),
            end=dt_util.as_local(item.end),
            summary=self._text(
                "of_inverter",
                inverter=machine_name(self.hass, self.unit.entry_id, self.unit.identity),
                event=self._sentence(description.summary),
            ),
            description=" ".join(self._sentence(sentence) for sentence in description.details),
        )

    def _sentence(self, sentence: Sentence) -> str:
        """A sentence in the language of the house."""
        return self._text(sentence.text, **sentence.placeholders)

    def _text(self, text: str, **placeholders: str) -> str:
        """A text in the language of the house; its key while that language is being loaded."""
        path = f"selector.schedule_event.options.{text}"
        return async_text(self.hass, path, **placeholders) or text
