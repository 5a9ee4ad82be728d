"""How fast time passes: as it does, or faster for a while."""

from __future__ import annotations

from collections.abc import Callable
import math
import time


class Pace:
    """A clock that can be made to run faster, from now on or for so many of its own seconds."""

    def __init__(self, speed: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin at 0; at a speed of 0 it stands still until the speed is changed. ValueError for what is no speed."""
        if not 0 <= speed < math.inf:
            raise ValueError(f"time cannot pass at {speed}")
        self._clock = clock
        self._speed = speed
        self._before = 0.0
        self._since = clock()
        self._span = math.inf

    @property
    def speed(self) -> float:
        """How many of its seconds pass in a second."""
        return self._speed if self._fast_seconds() < self._span else 1.0

    def elapsed(self) -> float:
        """Its seconds since the beginning."""
        passed = self._fast_seconds()
        if passed > self._span:
            passed = self._span + (passed - self._span) / self._speed
        return self._before + passed

    def change(self, speed: float, span: float = math.inf) -> None:
        """Go on at another speed; after `span` of its seconds it is that of real time again."""
        if not 0 < speed < math.inf or span < 0:
            raise ValueError(f"time cannot pass at {speed} for {span} s")
        self._before = self.elapsed()
        self._since = self._clock()
        self._speed, self._span = speed, span

    def _fast_seconds(self) -> float:
        return (self._clock() - self._since) * self._speed
