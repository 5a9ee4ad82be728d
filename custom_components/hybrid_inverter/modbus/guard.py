"""Tells the true readings of an energy counter from glitches.

These machines report a counter as 0 for a moment after they wake up, mix the old half of a number with the new half of
it, or repeat yesterday's count after midnight. A single such reading would ruin an energy balance for good.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
import math
from typing import Final

# A reading that does not fit the last good one is believed after so many readings in a row that fit each other.
STABLE_READINGS: Final = 3
# A house can draw more from the grid than its inverter's rated power: a 50 A connection passes 36 kW on to an 8 kW one.
GRID_FACTOR: Final = 5
# A counter may be one step ahead, and a poll a moment late.
SLACK_KWH: Final = 0.2


class Rejection(StrEnum):
    """Why a reading was not believed."""

    FELL = "fell"
    JUMPED = "jumped"
    NOTHING = "nothing"


class CounterGuard:
    """Holds the last good reading of one counter, in kWh, until a better one is certain."""

    def __init__(
        self,
        rated_power: float,
        *,
        daily: bool = False,
        rejections: Counter[Rejection] | None = None,
    ) -> None:
        """Take the machine's rated power in watts, which bounds how fast a counter can rise.

        A daily counter starts again from 0; any other never goes back there. Rejections are counted in the counter
        that is given, so that several guards can share one.
        """
        self.rejections = Counter[Rejection]() if rejections is None else rejections
        self._daily = daily
        self._kwh_per_second = rated_power * GRID_FACTOR / 3_600_000
        self._good: tuple[float, float] | None = None
        # The last reading that did not fit, and how many in a row have not fallen since the first of them.
        self._candidate = math.inf
        self._agreeing = 0

    @property
    def value(self) -> float | None:
        """Return the last good reading in kWh."""
        return None if self._good is None else self._good[0]

    def seed(self, value: float, when: float) -> None:
        """Take a reading that was good at a time in seconds, from before a restart for example."""
        self._good = (value, when)
        self._candidate, self._agreeing = math.inf, 0

    def judge(self, value: float | None, when: float) -> float | None:
        """Take a reading made at a time in seconds, and return what is true: it, or the last good one."""
        if value is None or (not self._daily and not value and self.value):
            if self._good is not None:
                self.rejections[Rejection.NOTHING] += 1
            return self.value
        if (reason := self._mismatch(value, when)) is None:
            self.seed(value, when)
            return value
        self.rejections[reason] += 1
        # What replaces a counter counts on from there; a glitch is gone, or another one, at the next reading.
        self._agreeing = self._agreeing + 1 if value >= self._candidate else 1
        self._candidate = value
        if self._agreeing >= STABLE_READINGS:
            self.seed(value, when)
        return self.value

    def _mismatch(self, value: float, when: float) -> Rejection | None:
        """Return why a reading cannot follow the last good one."""
        if self._good is None:
            return None
        good, then = self._good
        if value < good:
            return Rejection.FELL
        if value - good > self._kwh_per_second * max(0.0, when - then) + SLACK_KWH:
            return Rejection.JUMPED
        return None
