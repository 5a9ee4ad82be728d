"""What is measured at the battery, against what must be there."""

from __future__ import annotations

from typing import Final

from .steps import Elapsed
from .verdict import Cause, Finding

# What an inverter keeps of a power that changes sides, and what it needs for itself in W.
EFFICIENCY: Final = 0.97
STANDBY: Final = 60.0
# W and share of the powers by which a balance of several sensors may be off, and a comparison of two.
BALANCE_SLACK: Final = (120.0, 0.06)
PAIR_SLACK: Final = (60.0, 0.08)
# W beyond that from which a moment tells something.
BEYOND: Final = 200.0
# s that are needed, and the most that count; and the share of them that has to agree.
NEEDED_SECONDS: Final = 600.0
MEMORY: Final = 1500.0
AGREEING: Final = 0.7
# A ratio that is no error of measurement.
LEAST_DEVIATION: Final = 0.22


def left_over(pv: float, stage: float) -> float:
    """The W that the battery must give for these W of the strings and of the inverter stage."""
    through = stage / EFFICIENCY if stage > 0 else stage * EFFICIENCY
    return through + STANDBY - pv


class Comparison:
    """A battery power that is shown, and one that it should be."""

    def __init__(self) -> None:
        self._elapsed = Elapsed()
        self._fits = 0.0
        self._differs = 0.0
        self._ratio = 1.0
        # The smoothed W by which it is off, beyond what sensors may be off by.
        self.off = 0.0

    def add(self, time: float, shown: float, expected: float, slack: float) -> None:
        """Take the W of a moment into account; `slack` are the W by which they may differ."""
        if not (seconds := self._elapsed.until(time)):
            return
        off = shown - expected
        is_off = abs(off) > slack
        self.off += ((off if is_off else 0.0) - self.off) * min(1.0, seconds / 60)
        if max(abs(shown), abs(expected)) < slack + BEYOND or (
            not is_off and slack > LEAST_DEVIATION * abs(expected)
        ):
            return
        keep = 1 - seconds / MEMORY
        if not is_off:
            self._fits = min(MEMORY, self._fits + seconds)
            self._differs *= keep
        elif abs(expected) >= BEYOND:
            self._fits *= keep
            self._count(shown / expected, seconds)

    def _count(self, ratio: float, seconds: float) -> None:
        """Count the time with about the same ratio; another one takes its place when it lasts."""
        if abs(ratio - 1) < LEAST_DEVIATION:
            return
        if abs(ratio - self._ratio) <= 0.2 * max(1.0, abs(self._ratio)):
            self._ratio += (ratio - self._ratio) * 0.1
            self._differs = min(MEMORY, self._differs + seconds)
        elif self._differs > seconds:
            self._differs -= seconds
        else:
            self._ratio, self._differs = ratio, seconds

    @property
    def share(self) -> float:
        """The share of the evidence that is needed to say that it is right."""
        return min(1.0, self._fits / NEEDED_SECONDS)

    @property
    def finding(self) -> Finding | None:
        """What is wrong with the power that is shown."""
        if self._differs < NEEDED_SECONDS or self._differs < AGREEING * (
            self._fits + self._differs
        ):
            return None
        return Finding(Cause.BATTERY_CURRENT, ("battery",), round(self._ratio, 1))
