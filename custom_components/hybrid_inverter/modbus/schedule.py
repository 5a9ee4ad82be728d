"""Schedules as data: what a person asks for, how a family's slots say it, and what happens when.

Families keep their schedules in ways of their own: a style knows one of them. Calendar and actions speak to the style of
the machine at hand, and to the timetable that it reads. Nothing here reads or writes a machine, or knows what time it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, Protocol

from .codec import Value

# In the order of datetime.weekday().
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Minutes.
DAY: Final = 24 * 60

# What a response is made of.
type Plain = dict[str, Plain] | list[Plain] | str | int | float | bool | None
type Values = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and largest number that a window may have, both included, and the step between them."""

    minimum: float
    maximum: float
    step: float


class Reason(StrEnum):
    """Why windows make no schedule."""

    UNKNOWN_FIELD = "schedule_unknown_field"
    UNKNOWN_WINDOW_FIELD = "schedule_unknown_window_field"
    MISSING_FIELD = "schedule_missing_field"
    NO_WINDOWS = "schedule_no_windows"
    NO_DAYS = "schedule_no_days"
    NO_SLOTS = "schedule_no_slots"
    OFF_GRID = "schedule_off_grid"
    EMPTY = "schedule_empty_window"
    LAST_MINUTE = "schedule_last_minute"
    OVERLAP = "schedule_overlap"
    TARGET = "schedule_target"
    POWER = "schedule_power"
    TOO_MANY = "schedule_too_many_slots"
    TOO_MANY_WINDOWS = "schedule_too_many_windows"
    STAYS_ON = "schedule_stays_on"


class ScheduleError(Exception):
    """Windows that cannot be a schedule."""

    def __init__(self, reason: Reason, **details: str) -> None:
        """Keep the reason, and the details that fill a message for a person."""
        super().__init__(f"{reason}: {details}")
        self.reason = reason
        self.details = details


# ---------------------------------------------------------------------- what is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A window as a person asks for it; None where nothing is said."""

    start: time
    end: time
    # Watts.
    power: float | None = None
    # Percent, or volts where the battery is run by voltage.
    target: float | None = None
    grid_charge: bool | None = None
    generator_charge: bool | None = None
    mode: str | None = None
    # 0 for Monday.
    days: frozenset[int] | None = None

    def said(self, names: Collection[str]) -> dict[str, Any]:
        """Return what is said under these names."""
        said = {name: getattr(self, name) for name in names}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A schedule as a person asks for it; None where nothing is said."""

    windows: tuple[Wish, ...]
    # Target and power between the windows.
    otherwise: Mapping[str, float] | None = None
    days: frozenset[int] | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What has to be written for a schedule; `slots` is what the machine will hold then."""

    slots: list[Plain]
    # Each is written in one request, in this order.
    blocks: tuple[Mapping[str, Value], ...] = ()
    # Written one after the other, and in this order only.
    steps: tuple[tuple[str, Value], ...] = ()
    # What the battery is to be charged from, and will not be: `grid` or `generator`, where another setting is off.
    switched_off: tuple[str, ...] = ()


def check_fields(
    request: Request,
    *,
    whole: Collection[str] = (),
    window: Collection[str],
    needed: Collection[str],
) -> None:
    """Raise ScheduleError when something is asked for that the machine does not know, or is not said that it needs.

    `whole` and `window` are what may be said of the whole and of a window, besides what every schedule knows.
    """
    for name in ("otherwise", "days"):
        if name not in whole and getattr(request, name) is not None:
            raise ScheduleError(Reason.UNKNOWN_FIELD, field=name)
    known = {"start", "end", *window}
    for number, wish in enumerate(request.windows, 1):
        for item in fields(wish):
            said = getattr(wish, item.name) is not None
            if said and item.name not in known:
                raise ScheduleError(
                    Reason.UNKNOWN_WINDOW_FIELD, window=str(number), field=item.name
                )
            if not said and item.name in needed:
                raise ScheduleError(Reason.MISSING_FIELD, window=str(number), field=item.name)


# ---------------------------------------------------------------------- what a family makes of it


@dataclass(frozen=True, slots=True)
class Piece[RuleT]:
    """A rule, and the minutes of a day from which until which it holds; a day ends with minute 1440."""

    slot: int
    start: int
    end: int
    rule: RuleT


@dataclass(frozen=True, slots=True)
class Words:
    """What becomes of the battery, as a person reads it."""

    summary: str
    description: str


class Timetable[RuleT](Protocol):
    """The schedule that a machine holds."""

    @property
    def enabled(self) -> bool:
        """Whether the machine goes by it."""
        ...

    def on(self, weekday: int) -> Sequence[Piece[RuleT]]:
        """Return what happens on a weekday, 0 for Monday, in order; nothing where it does not count."""
        ...

    def describe(self, rule: RuleT) -> Words:
        """Return in plain words what becomes of the battery."""
        ...

    def plain(self) -> dict[str, Plain]:
        """Return the whole as a response shows it; its windows are what may be asked for again."""
        ...


class ScheduleStyle[TableT](Protocol):
    """How the schedules of some families are kept."""

    @property
    def keys(self) -> frozenset[str]:
        """Return all that a schedule is made of, and what has to be known to make another one."""
        ...

    @property
    def optional(self) -> frozenset[str]:
        """Return what a schedule is made of besides on some of the machines."""
        ...

    def read(self, values: Values) -> TableT | None:
        """Return the schedule that a machine with these values holds; None while not all of it is known."""
        ...

    def plan(
        self, request: Request, held: TableT, values: Values, bounds: Callable[[str], Bounds]
    ) -> Plan:
        """Return what has to be written; ScheduleError when what is asked for is no schedule.

        `bounds` tells those of a setting of this machine.
        """
        ...


# ---------------------------------------------------------------------- what happens when


@dataclass(frozen=True, slots=True)
class Occurrence[RuleT]:
    """A slot on a certain day; both times in UTC."""

    slot: int
    start: datetime
    end: datetime
    rule: RuleT


def occurrences[RuleT](
    schedule: Timetable[RuleT], first: date, last: date, zone: tzinfo
) -> Iterator[Occurrence[RuleT]]:
    """Return what happens on these days, both included, in order.

    Hours that the change to summer time skips never come, those that the change back repeats last twice as long.
    """
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        for piece in schedule.on(day.weekday()):
            start, end = (_instant(day, minute, zone) for minute in (piece.start, piece.end))
            if start < end:
                yield Occurrence(piece.slot, start, end, piece.rule)


def happenings[RuleT](
    schedule: Timetable[RuleT], first: date, last: date, zone: tzinfo
) -> list[Occurrence[RuleT]]:
    """Return the occurrences on these days, those that follow each other with the same rule as one.

    It is called by the slot that it starts with. What goes on for more than a day is shown day by day.
    """
    joined: list[Occurrence[RuleT]] = []
    for item in occurrences(schedule, first, last, zone):
        before = joined[-1] if joined else None
        if (
            before
            and (before.end, before.rule) == (item.start, item.rule)
            and not (_is_midnight(before.start, zone) and _is_midnight(item.start, zone))
        ):
            joined[-1] = Occurrence(before.slot, before.start, item.end, item.rule)
        else:
            joined.append(item)
    return joined


def active[RuleT](
    schedule: Timetable[RuleT], now: datetime, zone: tzinfo
) -> Occurrence[RuleT] | None:
    """Return what is in force; None when nothing is."""
    today = now.astimezone(zone).date()
    for item in occurrences(schedule, today, today, zone):
        if item.start <= now < item.end:
            return item
    return None


def active_slot(schedule: Timetable[Any], now: datetime, zone: tzinfo) -> int | None:
    """Return the slot that is in force, counted from 1; None when time of use is off, or off on that day."""
    item = active(schedule, now, zone)
    return item.slot if item else None


def next_change(schedule: Timetable[Any], now: datetime, zone: tzinfo) -> datetime | None:
    """Return when another rule, or none, will be in force; None when that never happens."""
    today = now.astimezone(zone).date()
    # The same weekday comes again within eight days.
    items = list(occurrences(schedule, today, today + timedelta(days=8), zone))
    moments = [item.start for item in items[:1]]
    for before, item in pairwise(items):
        if before.end != item.start:
            moments += [before.end, item.start]
        elif before.rule != item.rule:
            moments.append(item.start)
    return min((moment for moment in moments if moment > now), default=None)


def next_slot(schedule: Timetable[Any], now: datetime, zone: tzinfo) -> datetime | None:
    """Return when another slot, or none, will be in force; None when that never happens."""
    today = now.astimezone(zone).date()
    moments = {
        moment
        for item in occurrences(schedule, today, today + timedelta(days=8), zone)
        for moment in (item.start, item.end)
        if moment > now
    }
    return min(moments, default=None)


def _is_midnight(instant: datetime, zone: tzinfo) -> bool:
    """Whether a day starts at this time."""
    return instant == _instant(instant.astimezone(zone).date(), 0, zone)


def _instant(day: date, minute: int, zone: tzinfo) -> datetime:
    """Return when a clock on the wall shows this minute of the day, in UTC.

    That is the first time if it does twice, and the next minute that it does show if it never does.
    """
    shown = datetime.combine(day, time()) + timedelta(minutes=minute)
    while True:
        instant = shown.replace(tzinfo=zone).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == shown:
            return instant
        shown += timedelta(minutes=1)


# ---------------------------------------------------------------------- times of day


def minutes_of(moment: time) -> int:
    """Return the minute of the day."""
    return moment.hour * 60 + moment.minute


def time_of(minute: int) -> time:
    """Return the time of day of a minute; that of the last one is midnight."""
    return time(*divmod(minute % DAY, 60))


def check_grid(window: int, moments: Sequence[time], minutes: int) -> None:
    """Raise ScheduleError for a time of a window that is not on a multiple of so many minutes."""
    for moment in moments:
        if moment.minute % minutes or moment.second or moment.microsecond:
            raise ScheduleError(
                Reason.OFF_GRID,
                window=str(window),
                time=moment.isoformat("auto"),
                minutes=str(minutes),
            )


def spoken(moment: time) -> str:
    """Return a time of day as a person writes it."""
    return f"{moment:%H:%M}"
