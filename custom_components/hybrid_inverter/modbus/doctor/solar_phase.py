"""The phase that a solar inverter of one phase feeds, which its meter does not say."""

from __future__ import annotations

from typing import Final

from .member import PHASES
from .steps import Elapsed, Powers

# W of it that are needed to see where it feeds.
SUNNY: Final = 300.0
# Without it the load of that phase is below nothing by so much of its power, and that of the others is not.
MISSING: Final = 0.3
OTHERS: Final = 0.15
# s of that until it is believed, and the share of them that has to agree.
NEEDED_SECONDS: Final = 180.0
AGREEING: Final = 0.8


class SolarPhase:
    """Where one solar inverter feeds, as far as is known."""

    def __init__(self) -> None:
        self._seconds = [0.0] * len(PHASES)
        self._elapsed = Elapsed()
        # The index of the phase.
        self.phase: int | None = None

    def add(self, time: float, power: float, loads: Powers) -> None:
        """Take the W of a moment into account: its own, and the loads that follow without it."""
        seconds = self._elapsed.until(time)
        if power < SUNNY:
            return
        lowest = min(loads)
        if lowest > -MISSING * power:
            return
        phase = loads.index(lowest)
        if any(load < -OTHERS * power for n, load in enumerate(loads) if n != phase):
            return
        self._seconds[phase] += seconds
        best = max(self._seconds)
        if best >= max(NEEDED_SECONDS, AGREEING * sum(self._seconds)):
            self.phase = self._seconds.index(best)
