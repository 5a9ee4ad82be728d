"""When an order lasts on the clock of a device with six slots, in the steps that its table knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from .order import ControlRefusedError, Order, Refusal
from .plan import Situation

MINUTES_PER_DAY: Final = 24 * 60
# The display knows no finer times.
STEP_MINUTES: Final = 5
STEP: Final = timedelta(minutes=STEP_MINUTES)
# A slot of a whole day would have no edge at which it ends.
LONGEST: Final = timedelta(days=1) - STEP
# The clock of the device is in some zone; beyond that its date is wrong.
CLOCK_TOLERANCE: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when until when an order lasts: on the clock of the device, and its end in UTC."""

    begin: datetime
    end: datetime
    until: datetime

    @property
    def first_minute(self) -> int:
        """Minute of the day at which it begins."""
        return minute_of(self.begin.time())

    @property
    def end_minute(self) -> int:
        """Minute of a day at which it ends."""
        return minute_of(self.end.time())

    def contains(self, minute: int) -> bool:
        """Whether a minute of the day lies in it."""
        length = (self.end_minute - self.first_minute) % MINUTES_PER_DAY
        return (minute - self.first_minute) % MINUTES_PER_DAY < length

    @property
    def weekdays(self) -> frozenset[int]:
        """The days that it touches, 0 for Monday."""
        days = (self.end - timedelta(minutes=1)).date() - self.begin.date()
        return frozenset((self.begin.weekday() + day) % 7 for day in range(days.days + 1))


def window_of(order: Order, situation: Situation) -> Window:
    """The whole steps in which an order lies; ControlRefusedError when the clock or its length does not allow it."""
    clock, now = situation.clock, situation.now
    if clock is None or abs(clock - now.replace(tzinfo=None)) > CLOCK_TOLERANCE:
        raise ControlRefusedError(Refusal.CLOCK)
    end = _ceiled(clock + (order.until - now))
    # From its start on, so that the same order gives the same words later; one that was extended so often that this
    # is a day ago, from now on.
    for start in (order.start, max(order.start, now)):
        begin, last = _floored(clock + (start - now)), end
        if order.until - start <= LONGEST < last - begin:
            # Both edges were moved away from each other until they met: the last step is given up.
            last -= STEP
        if last - begin <= LONGEST:
            return Window(begin=begin, end=last, until=now + (last - clock))
    raise ControlRefusedError(Refusal.TOO_LONG, hours=round(LONGEST / timedelta(hours=1), 2))


def minute_of(moment: time) -> int:
    """Minute of the day."""
    return moment.hour * 60 + moment.minute


def _floored(moment: datetime) -> datetime:
    """The last whole step."""
    minute = moment.minute // STEP_MINUTES * STEP_MINUTES
    return moment.replace(minute=minute, second=0, microsecond=0)


def _ceiled(moment: datetime) -> datetime:
    """The next whole step; one that is whole stays."""
    floored = _floored(moment)
    return floored if floored == moment else floored + STEP
