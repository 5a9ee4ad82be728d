"""The time-of-use table as data: six slots of a day, and the few windows that a person thinks in.

A slot lasts until the next one starts, and the sixth until the first of the next day, so that six starts in order cover
the day. A window has a start and an end; what lies between windows follows a rule of its own. Nothing here reads or
writes a machine, or knows what time it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
import math
from typing import Final

from .register import Value

SLOTS: Final = range(1, 7)
# In the order of datetime.weekday().
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ENABLED: Final = "tou_enabled"
# Minutes; the display knows no finer times.
GRID: Final = 5
DAY: Final = 24 * 60
CELLS: Final = DAY // GRID

# What tells whether the battery is run by voltage; a lithium battery always goes by its state of charge.
CHEMISTRY: Final = "battery_chemistry"
OPERATION_MODE: Final = "battery_operation_mode"
# Down to where the battery is used when nothing else is asked for.
LOWEST: Final = {False: "battery_low_soc", True: "battery_low_voltage"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What becomes of the battery for a while.

    With a charge from the grid or the generator it is filled up to the target; without, it is used down to it.
    """

    # Percent, or volts where the battery is run by voltage.
    target: float
    # The most that the battery may give, in watts.
    power: float
    grid_charge: bool = False
    generator_charge: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A rule, and the time of day from which it holds until the next slot."""

    start: time
    rule: Rule


@dataclass(frozen=True, slots=True)
class Window:
    """A rule, and from when until when it holds; an end before the start is on the next day."""

    start: time
    end: time
    rule: Rule


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A slot, 1 to 6, on a certain day; both times in UTC."""

    slot: int
    start: datetime
    end: datetime
    rule: Rule


@dataclass(frozen=True, slots=True)
class Schedule:
    """The six slots, and the days, 0 for Monday, on which they count."""

    enabled: bool
    days: frozenset[int]
    slots: tuple[Slot, ...]
    by_voltage: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and largest number that a window may have, both included, and the step between them."""

    minimum: float
    maximum: float
    step: float


class Reason(StrEnum):
    """Why windows make no schedule."""

    NO_WINDOWS = "schedule_no_windows"
    OFF_GRID = "schedule_off_grid"
    EMPTY = "schedule_empty_window"
    OVERLAP = "schedule_overlap"
    TARGET = "schedule_target"
    POWER = "schedule_power"
    TOO_MANY = "schedule_too_many_slots"


class ScheduleError(Exception):
    """Windows that cannot be a schedule."""

    def __init__(self, reason: Reason, **details: str) -> None:
        """Keep the reason, and the details that fill a message for a person."""
        super().__init__(f"{reason}: {details}")
        self.reason = reason
        self.details = details


# ---------------------------------------------------------------------- windows to slots and back


def expand(
    windows: Sequence[Window], otherwise: Rule, *, target: Bounds, power: Bounds
) -> tuple[Slot, ...]:
    """Return the six slots of these windows, with `otherwise` between them.

    Neighbours with the same rule become one slot. Spare slots halve the longest ones: that changes nothing, and the
    starts still ascend, as the machine wants them to. ScheduleError names the window, counted from 1, and the reason.
    """
    if not windows:
        raise ScheduleError(Reason.NO_WINDOWS)
    for number, window in enumerate(windows, 1):
        _check_rule(window.rule, str(number), target, power)
    _check_rule(otherwise, "otherwise", target, power)
    day = _paint(windows, otherwise)
    starts = [cell for cell in range(CELLS) if day[cell] != day[cell - 1]] or [0]
    if len(starts) > len(SLOTS):
        raise ScheduleError(Reason.TOO_MANY, count=str(len(starts)), most=str(len(SLOTS)))
    while len(starts) < len(SLOTS):
        lengths = [_distance(start, end) for start, end in pairwise([*starts, starts[0]])]
        longest = lengths.index(max(lengths))
        starts = sorted([*starts, (starts[longest] + lengths[longest] // 2) % CELLS])
    return tuple(Slot(_time(cell), day[cell]) for cell in starts)


def windows_of(slots: Sequence[Slot]) -> list[Window]:
    """Return what these slots say as windows that cover the day, neighbours with the same rule as one.

    One rule all day long takes two windows, as a window cannot start when it ends.
    """
    lasting = _lasting(slots)
    # Not before the first change of the rule, so that a window over midnight is not cut.
    changes = [
        slot for before, slot in pairwise([lasting[-1], *lasting]) if before.rule != slot.rule
    ]
    if not changes:
        first = lasting[0]
        half = _time((_minutes(first.start) // GRID + CELLS // 2) % CELLS)
        changes = [first, Slot(half, first.rule)]
    return [
        Window(slot.start, end.start, slot.rule) for slot, end in pairwise([*changes, changes[0]])
    ]


def _check_rule(rule: Rule, window: str, target: Bounds, power: Bounds) -> None:
    """Raise ScheduleError for a number that the machine cannot hold."""
    for value, bounds, reason in (
        (rule.target, target, Reason.TARGET),
        (rule.power, power, Reason.POWER),
    ):
        steps = value / bounds.step
        if not bounds.minimum <= value <= bounds.maximum or not math.isclose(
            steps, round(steps), rel_tol=0, abs_tol=1e-6
        ):
            raise ScheduleError(
                reason,
                window=window,
                value=f"{value:g}",
                minimum=f"{bounds.minimum:g}",
                maximum=f"{bounds.maximum:g}",
                step=f"{bounds.step:g}",
            )


def _paint(windows: Sequence[Window], otherwise: Rule) -> list[Rule]:
    """Return the rule of every five minutes of a day."""
    owners: dict[int, int] = {}
    for number, window in enumerate(windows, 1):
        for moment in (window.start, window.end):
            if moment.minute % GRID or moment.second or moment.microsecond:
                raise ScheduleError(
                    Reason.OFF_GRID,
                    window=str(number),
                    time=moment.isoformat("auto"),
                    minutes=str(GRID),
                )
        if window.start == window.end:
            raise ScheduleError(Reason.EMPTY, window=str(number), time=f"{window.start:%H:%M}")
        first = _minutes(window.start) // GRID
        for cell in range(first, first + _distance(first, _minutes(window.end) // GRID)):
            other = owners.setdefault(cell % CELLS, number)
            if other != number:
                raise ScheduleError(
                    Reason.OVERLAP,
                    window=str(number),
                    other=str(other),
                    time=f"{_time(cell % CELLS):%H:%M}",
                )
    return [
        windows[owners[cell] - 1].rule if cell in owners else otherwise for cell in range(CELLS)
    ]


def _lasting(slots: Sequence[Slot]) -> list[Slot]:
    """Return the slots that last, in order: where several start at the same time, the last of them counts."""
    return sorted({slot.start: slot for slot in slots}.values(), key=lambda slot: slot.start)


def _distance(start: int, end: int) -> int:
    """Return how many cells lie between two of them, over midnight if need be; the same one is a day away."""
    return (end - start - 1) % CELLS + 1


def _minutes(moment: time) -> int:
    """Return the minute of the day."""
    return moment.hour * 60 + moment.minute


def _time(cell: int) -> time:
    """Return the time of day at which a cell starts."""
    return time(*divmod(cell * GRID, 60))


# ---------------------------------------------------------------------- what happens when


def occurrences(schedule: Schedule, first: date, last: date, zone: tzinfo) -> Iterator[Occurrence]:
    """Return what happens on these days, both included, in order.

    The machine goes by the weekday of the moment, so a slot over midnight ends there when the next day is not enabled.
    Hours that the change to summer time skips never come, those that the change back repeats last twice as long.
    """
    if not schedule.enabled or not schedule.slots:
        return
    numbers = {slot.start: number for number, slot in enumerate(schedule.slots, 1)}
    lasting = _lasting(schedule.slots)
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if day.weekday() not in schedule.days:
            continue
        begun = [(slot.start, slot) for slot in lasting]
        if lasting[0].start != time():
            begun.insert(0, (time(), lasting[-1]))
        moments = [_instant(day, moment, zone) for moment, _ in begun]
        moments.append(_instant(day + timedelta(days=1), time(), zone))
        for (_, slot), (start, end) in zip(begun, pairwise(moments), strict=True):
            if start < end:
                yield Occurrence(numbers[slot.start], start, end, slot.rule)


def happenings(schedule: Schedule, first: date, last: date, zone: tzinfo) -> list[Occurrence]:
    """Return the occurrences on these days, those that follow each other with the same rule as one.

    It is called by the slot that it starts with. What goes on for more than a day is shown day by day.
    """
    joined: list[Occurrence] = []
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


def active_slot(schedule: Schedule, now: datetime, zone: tzinfo) -> int | None:
    """Return the slot that is in force, 1 to 6; None when time of use is off, or off on that day."""
    today = now.astimezone(zone).date()
    for item in occurrences(schedule, today, today, zone):
        if item.start <= now < item.end:
            return item.slot
    return None


def next_change(schedule: Schedule, now: datetime, zone: tzinfo) -> datetime | None:
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


def next_slot(schedule: Schedule, now: datetime, zone: tzinfo) -> datetime | None:
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
    return instant == _instant(instant.astimezone(zone).date(), time(), zone)


def _instant(day: date, moment: time, zone: tzinfo) -> datetime:
    """Return when a clock on the wall shows this time, in UTC: the first time if twice, the next minute if never."""
    shown = datetime.combine(day, moment)
    while True:
        instant = shown.replace(tzinfo=zone).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == shown:
            return instant
        shown += timedelta(minutes=1)


# ---------------------------------------------------------------------- between slots and a table's keys


FIELDS: Final = ("time", "power", "voltage", "soc", "grid_charge", "generator_charge")
# All that a schedule is made of, and what has to be known to make another one.
KEYS: Final = frozenset(
    {
        ENABLED,
        *(f"tou_{day}" for day in DAYS),
        *(f"tou_slot_{slot}_{field}" for slot in SLOTS for field in FIELDS),
        CHEMISTRY,
        OPERATION_MODE,
        *LOWEST.values(),
    }
)


def schedule_of(values: Mapping[str, Value | None]) -> Schedule | None:
    """Return the schedule that a machine holds; None while not all of it is known."""
    by_voltage = goes_by_voltage(values)
    slots: list[Slot] = []
    for number in SLOTS:
        start = values.get(f"tou_slot_{number}_time")
        target = values.get(target_key(number, by_voltage=by_voltage))
        power = values.get(f"tou_slot_{number}_power")
        charges = (
            values.get(f"tou_slot_{number}_grid_charge"),
            values.get(f"tou_slot_{number}_generator_charge"),
        )
        if (
            not isinstance(start, time)
            or not isinstance(target, (int, float))
            or not isinstance(power, (int, float))
            or None in charges
        ):
            return None
        rule = Rule(
            target=target,
            power=power,
            grid_charge=bool(charges[0]),
            generator_charge=bool(charges[1]),
        )
        slots.append(Slot(start, rule))
    if (enabled := values.get(ENABLED)) is None:
        return None
    days = frozenset(number for number, day in enumerate(DAYS) if values.get(f"tou_{day}"))
    return Schedule(bool(enabled), days, tuple(slots), by_voltage)


def goes_by_voltage(values: Mapping[str, Value | None]) -> bool:
    """Whether the targets are volts: a battery that is not lithium, and is run by voltage."""
    return values.get(CHEMISTRY) != "lithium" and values.get(OPERATION_MODE) == "voltage"


def target_key(slot: int, *, by_voltage: bool) -> str:
    """Return the key of a slot's target."""
    return f"tou_slot_{slot}_voltage" if by_voltage else f"tou_slot_{slot}_soc"


def values_of(slots: Sequence[Slot], *, by_voltage: bool) -> dict[str, Value]:
    """Return what has to be written for these slots."""
    values: dict[str, Value] = {}
    for number, slot in zip(SLOTS, slots, strict=True):
        rule = slot.rule
        values[f"tou_slot_{number}_time"] = slot.start
        values[f"tou_slot_{number}_power"] = rule.power
        values[target_key(number, by_voltage=by_voltage)] = rule.target
        values[f"tou_slot_{number}_grid_charge"] = rule.grid_charge
        values[f"tou_slot_{number}_generator_charge"] = rule.generator_charge
    return values
