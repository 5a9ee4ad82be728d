"""How the units on a line have answered so far, and how long one is waited for while others wait for the line.

On a line of its own a unit has all the time of the link. On a shared one the time that a silent unit is waited for is
taken from the others, so it is kept short:

- A read is waited for twice as long as the slowest of the unit's last answers took, measured by the size of the answer,
  and at least half a second: a tenth of the shortest interval that four units can keep at 9600 baud.
- Without an answer the line goes to the others. The read is repeated when the unit has had all the time of the link:
  one frame that is lost, or a unit that is busy for a moment, is not noticed, and costs two short waits.
- A unit that did not answer the repetition of what it has answered before is silent. Its reads are not repeated any
  more, and those that were waiting in the meantime fail with it. How often it is asked then is for those to decide who
  ask.
- An answer that comes after all this shows that the wait was too short: from then on the unit has all the time again.

A gateway may still wait for one unit when we have turned to the next. So that one gets all the time as well; when it is
there, that costs nothing.
"""

from __future__ import annotations

from collections import deque
import math
from typing import Final

from .plan import LineCost, Read

# Seconds: the shortest wait, and that for a unit that was never heard.
SHORTEST: Final = 0.5
FIRST: Final = 1.0
# How many times as long as the slowest of the last answers is waited.
MARGIN: Final = 2
# How many of the last answers count.
REMEMBERED: Final = 64
# Seconds after which a unit that nobody asks any more does not share the line.
FORGOTTEN: Final = 120.0

# What answers are measured by: the time that a line as slow as most would take.
USUAL: Final = LineCost()


class Standing:
    """How one unit has answered."""

    __slots__ = ("_last", "_paces", "_served", "asked_at", "failures", "silent")

    def __init__(self) -> None:
        """Know nothing yet."""
        # Whether it is silent; and how many reads have shown that.
        self.silent = False
        self.failures = 0
        # When it was asked last.
        self.asked_at = 0.0
        # When it was heard last; None before the first time.
        self._last: float | None = None
        # How many times the usual time the last answers took.
        self._paces: deque[float] = deque(maxlen=REMEMBERED)
        # The address and number of registers of every read that it has ever answered.
        self._served: set[tuple[int, int]] = set()

    @property
    def is_known(self) -> bool:
        """Whether it has ever answered a read."""
        return bool(self._paces)

    def shares(self, now: float) -> bool:
        """Whether it may be waiting for the line while another unit is asked."""
        return not self.silent and (self._last is None or now - self._last < FORGOTTEN)

    def heard(self, now: float) -> None:
        """Take note of an answer."""
        self.silent = False
        self._last = now

    def measured(self, count: int, seconds: float) -> None:
        """Take note of how long it took to read so many registers."""
        self._paces.append(seconds / _usual(count))

    def late(self) -> None:
        """Take note of an answer that was not waited for any more."""
        self._paces.append(math.inf)

    def served(self, address: int, count: int) -> None:
        """Take note of a read that was answered."""
        self._served.add((address, count))

    def failed(self, address: int, count: int) -> None:
        """Take note of a read that was given up; some machines never answer where they have nothing."""
        if not self._paces or (address, count) in self._served:
            self.silent = True
            self.failures += 1

    def patience(self, count: int) -> float:
        """Return how many seconds so many registers are waited for while others wait."""
        if not self._paces:
            return FIRST
        return max(SHORTEST, MARGIN * max(self._paces) * _usual(count))


def _usual(count: int) -> float:
    """Return the seconds that reading so many registers usually takes."""
    return USUAL.of((Read(0, count),))
