"""Slots that are windows themselves: which ones an order takes, and what they hold. Times are those of the device's clock.

No slot goes over midnight, so that an order which does takes two, each on its own day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from ..model.codec import Value
from ..model.slots import MODES, WINDOW_SLOTS, window_key
from .order import ControlRefusedError, Order, Refusal
from .plan import Situation
from .words import Words

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MINUTES_PER_DAY: Final = 24 * 60
MIDNIGHT: Final = time(0)
# As an end it stands for midnight.
LAST_MINUTE: Final = MINUTES_PER_DAY - 1
DAYS_PER_WEEK: Final = 7
# A window of a whole day has no edge.
LONGEST: Final = timedelta(hours=23, minutes=55)
# The clock shows the time of some zone, and is no reason to refuse while it is off by less than a day.
CLOCK_OFF: Final = timedelta(days=2)

FIELDS: Final = ("start", "end", "days", "power")


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the day from and until, and the days of the week on which it starts; Monday is 0."""

    start: int
    end: int
    days: frozenset[int]

    @property
    def spans(self) -> list[tuple[frozenset[int], int, int]]:
        """When it is on, as days and minutes; one over midnight, which a person may have set, goes on a day later."""
        if self.start <= self.end:
            return [(self.days, self.start, self.end)]
        following = frozenset((day + 1) % DAYS_PER_WEEK for day in self.days)
        return [(self.days, self.start, MINUTES_PER_DAY), (following, 0, self.end)]

    def overlaps(self, other: Window) -> bool:
        """Whether both are on at some moment."""
        return any(
            days & other_days and max(start, other_start) < min(end, other_end)
            for days, start, end in self.spans
            for other_days, other_start, other_end in other.spans
        )

    def is_on(self, clock: datetime) -> bool:
        """Whether it is on while the clock of the device shows this."""
        minute = _minute_of(clock)
        return any(
            clock.weekday() in days and start <= minute < end for days, start, end in self.spans
        )


def windows_of(order: Order, situation: Situation) -> tuple[list[Window], datetime]:
    """The windows of an order, on whole minutes, and when the last one ends, in UTC.

    ControlRefusedError when the clock of the device is not to be relied on.
    """
    clock, now = situation.clock, situation.now
    if clock is None or abs(clock - now.replace(tzinfo=None)) > CLOCK_OFF:
        raise ControlRefusedError(Refusal.CLOCK)
    # An order that is planned again begins where it did, unless it has been extended for longer than a day.
    begin = _floored(clock + (max(order.start, order.until - LONGEST) - now))
    end = clock + (order.until - now)
    if _floored(end) < end:
        end = _floored(end) + MINUTE
    if _minute_of(begin) == LAST_MINUTE:
        begin -= MINUTE
    if _minute_of(end) == LAST_MINUTE:
        end += MINUTE
    return _split(begin, end), now + (end - clock)


def _split(begin: datetime, end: datetime) -> list[Window]:
    """The windows from one moment to another, of which no day is whole."""
    midnight = datetime.combine(begin, time()) + DAY
    today, tomorrow = frozenset({begin.weekday()}), frozenset({midnight.weekday()})
    if end < midnight:
        return [Window(_minute_of(begin), _minute_of(end), today)]
    until_midnight = Window(_minute_of(begin), MINUTES_PER_DAY, today)
    if end == midnight:
        return [until_midnight]
    return [until_midnight, Window(0, _minute_of(end), tomorrow)]


def has(situation: Situation, *keys: str) -> bool:
    """Whether a device has these settings, and their words were read."""
    return all(
        (row := situation.registers.get(key)) is not None
        and all(address in situation.image for address in row.addresses)
        for key in keys
    )


def has_slots(situation: Situation, kind: str) -> bool:
    """Whether a device has slots of a kind."""
    return has(
        situation, *(window_key(kind, number, field) for number in WINDOW_SLOTS for field in FIELDS)
    )


def slots_on(words: Words, situation: Situation) -> list[tuple[str, int]]:
    """The kinds and numbers of the slots that are switched on."""
    return [
        (kind, number)
        for kind in MODES
        if has_slots(situation, kind)
        for number in WINDOW_SLOTS
        if words.value(window_key(kind, number, "enabled"))
    ]


def slot_in_force(words: Words, situation: Situation, clock: datetime) -> tuple[str, int] | None:
    """The kind and the number of the slot that acts now; None when there is none."""
    return next(
        (
            slot
            for slot in slots_on(words, situation)
            if (window := _window_in(words, *slot)) is not None and window.is_on(clock)
        ),
        None,
    )


def occupy(
    words: Words,
    situation: Situation,
    kind: str,
    windows: Sequence[Window],
    share: int,
    *,
    alone: bool,
) -> bool:
    """Put windows with a power, in percent of the rated one, into free slots of a kind, the last ones first.

    What goes on after midnight takes one that begins there, as most that nobody uses do: that is a write less.

    All other slots are switched off if it is to be `alone`, else those that are on at the same moment. Whether any is off
    then that would have gone on. ControlRefusedError when too few are free.
    """
    on = slots_on(words, situation)
    in_the_way = [slot for slot in on if alone or _is_in_the_way(_window_in(words, *slot), windows)]
    free = [number for number in reversed(WINDOW_SLOTS) if (kind, number) not in on]
    if len(free) < len(windows):
        raise ControlRefusedError(Refusal.NO_SLOT, kind=kind)
    starts = {number: words.value(window_key(kind, number, "start")) for number in free}
    # Stable, and the first one is the last slot whatever it holds: an order that is extended over midnight keeps its slot.
    rest = sorted(free[1:], key=lambda number: starts[number] != MIDNIGHT)
    for number, window in zip([*free[:1], *rest], windows, strict=False):
        end = LAST_MINUTE if window.end == MINUTES_PER_DAY else window.end
        held: tuple[Value, ...] = (_time_of(window.start), _time_of(end), window.days, share)
        for field, value in zip(FIELDS, held, strict=True):
            words.put(window_key(kind, number, field), value)
        words.put(window_key(kind, number, "enabled"), True)
    for slot in in_the_way:
        words.put(window_key(*slot, "enabled"), False)
    return bool(in_the_way) and not alone


def _is_in_the_way(held: Window | None, windows: Sequence[Window]) -> bool:
    """Whether a slot would act within these windows; of one that cannot be read nobody knows."""
    return held is None or any(held.overlaps(window) for window in windows)


def _window_in(words: Words, kind: str, number: int) -> Window | None:
    """What a slot holds; None when that cannot be told."""
    start, end, days = (words.value(window_key(kind, number, field)) for field in FIELDS[:3])
    if isinstance(start, time) and isinstance(end, time) and isinstance(days, frozenset):
        last = _minute_of(end)
        return Window(_minute_of(start), MINUTES_PER_DAY if last == LAST_MINUTE else last, days)
    return None


def share_in(words: Words, slot: tuple[str, int]) -> Value | None:
    """The power of a slot in percent of the rated one; None when that cannot be told."""
    return words.value(window_key(*slot, "power"))


def _floored(moment: datetime) -> datetime:
    """The beginning of its minute."""
    return moment.replace(second=0, microsecond=0)


def _minute_of(moment: datetime | time) -> int:
    """The minute of the day, 0 to 1439."""
    return moment.hour * 60 + moment.minute


def _time_of(minute: int) -> time:
    """The time of day of a minute."""
    return time(*divmod(minute, 60))
