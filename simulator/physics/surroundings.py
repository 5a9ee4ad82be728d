"""What an inverter knows of the place that it is built in at, and nothing more."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from .grid import Grid
from .phases import Phases
from .point import Point
from .sky import Sky
from .wiring import Place


class Surroundings(Protocol):
    """The place that an inverter is built in at, as far as it senses it."""

    now: datetime
    sky: Sky
    grid: Grid
    # Where another inverter feeds in.
    solar_point: Point
    # What flows now wherever a transformer can be, but at the inverter's own cable.
    conductors: dict[Place, Phases]

    @property
    def voltages(self) -> Phases:
        """The volts of the grid per phase."""
        ...

    @property
    def frequency(self) -> float:
        """The hertz of the grid."""
        ...

    def step(self, seconds: float) -> None:
        """Let time pass, for everything at the site."""
        ...
