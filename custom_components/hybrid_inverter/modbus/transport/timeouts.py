"""How long the answer of a unit is waited for while others wait for the line.

On a line of its own a unit has all the time of the link. On a shared one the time that a silent unit is waited for is
taken from the others, so it is kept short:

- The timeout of a read is twice what the slowest of the unit's last answers took, relative to the size of the answer,
  and at least half a second: a tenth of the shortest interval that four units can keep at 9600 baud.
- Without an answer the line goes to the others. The read is repeated when the unit has had all the time of the link:
  one frame that is lost, or a unit that is busy for a moment, is not noticed, and costs two short waits.
- A unit that did not answer the repetition of what it has answered before is silent. Its reads are not repeated any
  more, and those that were waiting in the meantime fail with it. How often it is polled then is up to the caller.
- An answer that comes after all this shows that the timeout was too short: from then on the unit has all the time again.

A gateway may still wait for one unit when we have turned to the next. So that one gets all the time as well; when it is
there, that costs nothing.
"""

from __future__ import annotations

from collections import deque
from functools import cache
import math
from typing import Final

from .line_cost import LineCost, Read

# Seconds: the shortest timeout, and that of a unit that has never answered.
MIN_TIMEOUT: Final = 0.5
FIRST_TIMEOUT: Final = 1.0
# How many times what the slowest of the last answers took the timeout is.
MARGIN: Final = 2
# How many of the last answers count.
HISTORY_SIZE: Final = 64
# Seconds after which a unit that nobody polls any more does not share the line.
FORGOTTEN_AFTER: Final = 120.0

# What answers are measured by: the time that they would take on a line as slow as most are.
TYPICAL_LINE: Final = LineCost()


class TimeoutEstimator:
    """How one unit has answered, and how long its next answer may take."""

    __slots__ = ("_heard_at", "_ratios", "_served", "failures", "requested_at", "silent")

    def __init__(self) -> None:
        # Whether it is silent; and how many reads have shown that.
        self.silent = False
        self.failures = 0
        # When it was polled last.
        self.requested_at = 0.0
        # When it has answered last; None before the first time.
        self._heard_at: float | None = None
        # How many times the typical time the last answers took.
        self._ratios: deque[float] = deque(maxlen=HISTORY_SIZE)
        # The address and number of registers of every read that it has ever answered.
        self._served: set[tuple[int, int]] = set()

    @property
    def is_known(self) -> bool:
        """Whether it has ever answered a read."""
        return bool(self._ratios)

    def shares(self, now: float) -> bool:
        """Whether it may be waiting for the line while another unit is polled."""
        return not self.silent and (
            self._heard_at is None or now - self._heard_at < FORGOTTEN_AFTER
        )

    def heard(self, now: float) -> None:
        """Take note of an answer."""
        self.silent = False
        self._heard_at = now

    def measured(self, count: int, seconds: float) -> None:
        """Take note of how long it took to read so many registers."""
        self._ratios.append(seconds / _typical_seconds(count))

    def late(self) -> None:
        """Take note of an answer that came after its timeout."""
        self._ratios.append(math.inf)

    def served(self, address: int, count: int) -> None:
        """Take note of a read that was answered."""
        self._served.add((address, count))

    def failed(self, address: int, count: int) -> None:
        """Take note of a read that was given up; some devices never answer where they have nothing."""
        if not self._ratios or (address, count) in self._served:
            self.silent = True
            self.failures += 1

    def timeout(self, count: int) -> float:
        """Seconds that reading so many registers may take while others wait."""
        if not self._ratios:
            return FIRST_TIMEOUT
        return max(MIN_TIMEOUT, MARGIN * max(self._ratios) * _typical_seconds(count))


@cache
def _typical_seconds(count: int) -> float:
    """Seconds that reading so many registers takes on a typical line."""
    return TYPICAL_LINE.of((Read(0, count),))
