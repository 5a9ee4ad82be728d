"""When a timetable does what: its slots on the days of a calendar, in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any, Final

from .clock import is_midnight, utc_of
from .schedule import Description, Timetable

# A schedule repeats every week, so the same weekday comes again within these days.
AHEAD: Final = timedelta(days=8)
ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Occurrence[RuleT]:
    """A slot on a certain day; both times in UTC."""

    slot: int
    start: datetime
    end: datetime
    rule: RuleT


@dataclass(frozen=True, slots=True)
class Outlook[RuleT]:
    """What is in force and what comes next; all of it is true from `since` until another slot starts."""

    since: datetime
    # None when no slot will ever start.
    until: datetime | None
    zone: tzinfo
    active: Occurrence[RuleT] | None
    # When another rule, or none, will be in force.
    next_change: datetime | None
    # What is in force, or else what comes next, as a calendar shows it.
    event: Occurrence[RuleT] | None
    description: Description | None

    def is_valid(self, now: datetime, zone: tzinfo) -> bool:
        """Whether nothing has changed yet."""
        return self.zone == zone and self.since <= now and (self.until is None or now < self.until)


def outlook_of[RuleT](schedule: Timetable[RuleT], now: datetime, zone: tzinfo) -> Outlook[RuleT]:
    """The outlook at a moment."""
    today = now.astimezone(zone).date()
    # What began yesterday may reach into today, and what begins on the last day into the one after it.
    shown = merged_occurrences(schedule, today - ONE_DAY, today + AHEAD + ONE_DAY, zone)
    event = next((item for item in shown if item.end > now), None)
    return Outlook(
        since=now,
        until=next_slot(schedule, now, zone),
        zone=zone,
        active=active(schedule, now, zone),
        next_change=next_change(schedule, now, zone),
        event=event,
        description=schedule.describe(event.rule) if event else None,
    )


def occurrences[RuleT](
    schedule: Timetable[RuleT], first: date, last: date, zone: tzinfo
) -> Iterator[Occurrence[RuleT]]:
    """Occurrences on these days, both included, in order.

    Hours that the change to summer time skips never come, those that the change back repeats last twice as long.
    """
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        for segment in schedule.on(day.weekday()):
            start, end = (utc_of(day, minute, zone) for minute in (segment.start, segment.end))
            if start < end:
                yield Occurrence(segment.slot, start, end, segment.rule)


def merged_occurrences[RuleT](
    schedule: Timetable[RuleT], first: date, last: date, zone: tzinfo
) -> list[Occurrence[RuleT]]:
    """Occurrences on these days, those that follow each other with the same rule as one.

    A merged one has the slot that it starts with. What lasts longer than a day is cut at midnight.
    """
    merged: list[Occurrence[RuleT]] = []
    for item in occurrences(schedule, first, last, zone):
        before = merged[-1] if merged else None
        if (
            before
            and (before.end, before.rule) == (item.start, item.rule)
            and not (is_midnight(before.start, zone) and is_midnight(item.start, zone))
        ):
            merged[-1] = Occurrence(before.slot, before.start, item.end, item.rule)
        else:
            merged.append(item)
    return merged


def active[RuleT](
    schedule: Timetable[RuleT], now: datetime, zone: tzinfo
) -> Occurrence[RuleT] | None:
    """The occurrence in force; None when there is none."""
    today = now.astimezone(zone).date()
    for item in occurrences(schedule, today, today, zone):
        if item.start <= now < item.end:
            return item
    return None


def next_change(schedule: Timetable[Any], now: datetime, zone: tzinfo) -> datetime | None:
    """When another rule, or none, will be in force; None when that never happens."""
    today = now.astimezone(zone).date()
    items = list(occurrences(schedule, today, today + AHEAD, zone))
    moments = [item.start for item in items[:1]]
    for before, item in pairwise(items):
        if before.end != item.start:
            moments += [before.end, item.start]
        elif before.rule != item.rule:
            moments.append(item.start)
    return min((moment for moment in moments if moment > now), default=None)


def next_slot(schedule: Timetable[Any], now: datetime, zone: tzinfo) -> datetime | None:
    """When another slot, or none, will be in force; None when that never happens."""
    today = now.astimezone(zone).date()
    moments = {
        moment
        for item in occurrences(schedule, today, today + AHEAD, zone)
        for moment in (item.start, item.end)
        if moment > now
    }
    return min(moments, default=None)
