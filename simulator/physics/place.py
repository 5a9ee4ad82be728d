"""What everything at a site shares: the time, the sky, the grid, and the points where it is measured."""

from __future__ import annotations

from datetime import datetime

from .grid import Grid
from .phases import NOTHING, Phases
from .sky import LATITUDE, Sky


class Place:
    """A place under a sky, with a grid, at a local time."""

    def __init__(self, start: datetime, seed: int, latitude: float = LATITUDE) -> None:
        """Begin at a time."""
        self.now = start
        self.sky = Sky(seed, latitude)
        self.grid = Grid(seed, start)
        # What is drawn from the grid, and what it does to the voltage.
        self.drawn: Phases = NOTHING

    @property
    def voltages(self) -> Phases:
        """Return the volts of the grid per phase."""
        return self.grid.voltages(self.now, self.drawn)

    @property
    def frequency(self) -> float:
        """Return the hertz of the grid."""
        return self.grid.frequency(self.now)


class Point:
    """A place in the wiring where a meter may be: what flows through it now, and what has, each way, per phase."""

    def __init__(self, place: Place) -> None:
        """Begin with nothing counted."""
        self._place = place
        self.powers: Phases = NOTHING
        # Watt-hours with and against the sign of the power: the phases', and those of their sum.
        self.forward = [0.0, 0.0, 0.0]
        self.backward = [0.0, 0.0, 0.0]
        self.forward_total = 0.0
        self.backward_total = 0.0

    @property
    def power(self) -> float:
        """Return the sum of the phases."""
        return sum(self.powers)

    @property
    def voltages(self) -> Phases:
        """Return the volts per phase."""
        return self._place.voltages

    @property
    def frequency(self) -> float:
        """Return the hertz."""
        return self._place.frequency

    def flow(self, powers: Phases, seconds: float) -> None:
        """Let powers flow for so long."""
        self.powers = powers
        hours = seconds / 3600
        for phase, power in enumerate(powers):
            if power > 0:
                self.forward[phase] += power * hours
            else:
                self.backward[phase] -= power * hours
        if (whole := sum(powers)) > 0:
            self.forward_total += whole * hours
        else:
            self.backward_total -= whole * hours
