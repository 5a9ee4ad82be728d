"""The grid at the house connection: its voltage and frequency, while it is present."""

from __future__ import annotations

from datetime import datetime

from .chance import noise
from .phases import NOTHING, Phases


class Grid:
    """A grid that is stiff, but not quite: feeding in lifts its voltage a little."""

    def __init__(self, seed: int, start: datetime) -> None:
        """Begin at a time, with a grid in the street that nothing in the house is cut off from."""
        self.alive = True
        self.cut_off = False
        self._seed = seed
        self._start = start

    @property
    def present(self) -> bool:
        """Whether there is a voltage at the house connection."""
        return self.alive and not self.cut_off

    def voltages(self, now: datetime, powers: Phases) -> Phases:
        """The volts per phase while these powers are drawn."""
        if not self.present:
            return NOTHING
        seconds = (now - self._start).total_seconds()
        l1, l2, l3 = (
            229 + 4 * noise(self._seed + 30 + phase, seconds, 60) - power / 1500
            for phase, power in enumerate(powers)
        )
        return l1, l2, l3

    def frequency(self, now: datetime) -> float:
        """The hertz; 0 when there is no grid."""
        if not self.present:
            return 0.0
        return 49.97 + 0.06 * noise(self._seed + 40, (now - self._start).total_seconds(), 30)
