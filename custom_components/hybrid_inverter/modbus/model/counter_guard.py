"""Plausible readings of an energy counter, without its glitches.

These devices report a counter as 0 for a moment after they wake up, mix the old half of a number with the new half of
it, or repeat yesterday's count after midnight. A single such reading would ruin an energy balance for good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# A reading that does not fit the last good one is believed when such readings have fitted each other for so many seconds.
STABLE_SECONDS: Final = 600.0
# A fall is believed sooner where the counter has to start again: around the end of its day, month or year, by a clock of
# the device that is no further off than this.
RESTART_SECONDS: Final = 90.0
CLOCK_TOLERANCE: Final = 300.0
# A silence says nothing: of the time between two readings no more than this part counts, so that it takes three of them.
LARGEST_PART: Final = 0.5
# A house can draw more from the grid than its inverter's rated power: a 50 A connection passes 36 kW on to an 8 kW one.
GRID_FACTOR: Final = 5
# A counter may be one step ahead, and a poll a moment late.
SLACK_KWH: Final = 0.2


class Rejection(StrEnum):
    """Why a reading was rejected."""

    FELL = "fell"
    JUMPED = "jumped"
    NOTHING = "nothing"


@dataclass(slots=True)
class Reading:
    """A reading in kWh, and its time in seconds."""

    value: float
    when: float


@dataclass(slots=True)
class Candidate:
    """Readings that do not fit the last good one, and fit each other."""

    last: Reading
    # For how many seconds they have to last, and for how many they have.
    needed: float
    lasted: float = 0.0

    def add(self, reading: Reading) -> None:
        """Add another one."""
        gap = max(0.0, reading.when - self.last.when)
        self.lasted += min(gap, self.needed * LARGEST_PART)
        self.last = reading


class CounterGuard:
    """Holds the last good reading of one counter, in kWh, until a better one is certain."""

    def __init__(
        self,
        rated_power: float,
        *,
        period_of: Callable[[float], str] | None = None,
        rejections: Counter[Rejection] | None = None,
    ) -> None:
        """The device's rated power in watts bounds how fast a counter can rise.

        `period_of` names the day, month or year of a time in seconds, for a counter that starts again from 0 with it.
        Any other never falls to 0, and if it was never anything else, it is unknown until that is certain. Several
        guards may count their rejections together, in `rejections`.
        """
        self.rejections = Counter[Rejection]() if rejections is None else rejections
        self._kwh_per_second = rated_power * GRID_FACTOR / 3_600_000
        self._period_of = period_of
        self._good: Reading | None = None
        self._candidate: Candidate | None = None
        # When a reading was checked last, and the seconds between the last three of them.
        self._checked: float | None = None
        self._gaps = (0.0, 0.0)

    @property
    def value(self) -> float | None:
        """The last good reading in kWh."""
        return None if self._good is None else self._good.value

    def seed(self, value: float, when: float) -> None:
        """Set a reading that was good at a time in seconds, as one from before a restart."""
        self._good, self._candidate = Reading(value, when), None
        self._checked = when

    def check(self, value: float | None, when: float) -> float | None:
        """A reading in kWh made at a time in seconds if it is plausible, or else the last good one."""
        self._follow_clock(when)
        reason = self._objection(value, when)
        if reason is not None and self._good is not None:
            self.rejections[reason] += 1
        if value is None:
            return self.value
        if reason is None or self._is_certain(Reading(value, when), reason):
            self.seed(value, when)
        return self.value

    def _follow_clock(self, when: float) -> None:
        """Date the last good reading back with a clock that was set back, as if one usual gap had passed since.

        Until the clock had caught up, nothing that grows would fit it, and the counter would pass for a replaced one.
        """
        last, self._checked = self._checked, when
        if last is None:
            return
        if when >= last:
            self._gaps = (self._gaps[1], when - last)
        elif self._good is not None:
            # The smaller one: the other may be a silence, or a clock that was set forward.
            self._good.when -= last + min(self._gaps) - when

    def _objection(self, value: float | None, when: float) -> Rejection | None:
        """Why a reading cannot be the counter's next one; None if it can."""
        if value is None or (not value and self._period_of is None and not self._was_zero):
            return Rejection.NOTHING
        return None if self._good is None else self._mismatch(self._good, Reading(value, when))

    @property
    def _was_zero(self) -> bool:
        """Whether 0 was the last good reading."""
        return self._good is not None and not self._good.value

    def _mismatch(self, before: Reading, after: Reading) -> Rejection | None:
        """Why a reading cannot follow another one; None if it can."""
        if after.value < before.value:
            return Rejection.FELL
        seconds = max(0.0, after.when - before.when)
        if after.value - before.value > self._kwh_per_second * seconds + SLACK_KWH:
            return Rejection.JUMPED
        return None

    def _is_certain(self, reading: Reading, reason: Rejection) -> bool:
        """Whether a reading is believed all the same.

        A replaced counter counts on from its new value; a glitch is gone, or another one, at the next readings.
        """
        if reason is Rejection.NOTHING and self._good is not None:
            self._candidate = None
        elif self._candidate is None or self._mismatch(self._candidate.last, reading) is not None:
            self._candidate = Candidate(reading, self._needed(reading, reason))
        else:
            self._candidate.add(reading)
        return self._candidate is not None and self._candidate.lasted >= self._candidate.needed

    def _needed(self, reading: Reading, reason: Rejection) -> float:
        """For how many seconds readings have to last that begin with this one."""
        if reason is Rejection.FELL and self._good is not None and self._period_of is not None:
            before = self._period_of(self._good.when - CLOCK_TOLERANCE)
            if before != self._period_of(reading.when + CLOCK_TOLERANCE):
                return RESTART_SECONDS
        return STABLE_SECONDS
