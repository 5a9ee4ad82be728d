"""Houses in which nothing happens by chance: the sun and the load are what a test says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.physics import NOTHING, Controls, Installation, Phases
from simulator.physics.sky import Light

from .lone_inverter import LoneInverter

# A Monday.
MONDAY = datetime(2026, 6, 22)  # noqa: DTZ001 - the machine knows no zone


@dataclass
class Steady:
    """A house that always uses the same, before and behind the backup output."""

    home: Phases = NOTHING
    backup: Phases = NOTHING

    def demand(self, now: datetime) -> tuple[Phases, Phases]:
        """Return the watts per phase."""
        return self.home, self.backup

    def car(self, now: datetime) -> Phases:
        """Return the watts per phase of a car that there is not."""
        return NOTHING


@dataclass
class Sun:
    """A string, or a solar inverter, under a sun that never moves."""

    watts: float

    def power(self, light: Light) -> float:
        """Return its watts."""
        return self.watts

    def voltage(self, power: float) -> float:
        """Return its volts."""
        return 500.0

    def phases(self, power: float) -> Phases:
        """Return them on the first phase."""
        return power, 0.0, 0.0


def alike(watts: float) -> Phases:
    """Return watts on three phases that take the same."""
    return watts / 3, watts / 3, watts / 3


def house(
    controls: Controls,
    *,
    soc: float,
    pv: float = 0.0,
    home: float | Phases = 0.0,
    backup: float = 0.0,
    hour: float = 12.0,
    **installation: Any,
) -> LoneInverter:
    """Return an inverter alone in such a house after the first ten seconds; numbers are on three phases alike."""
    start = MONDAY.replace(hour=int(hour), minute=round(hour % 1 * 60))
    inverter = LoneInverter(
        start=start, soc=soc, controls=controls, installation=Installation(**installation)
    )
    inverter.site.house = Steady(home if isinstance(home, tuple) else alike(home), alike(backup))
    set_sun(inverter, pv)
    inverter.step(10)
    return inverter


def set_sun(inverter: LoneInverter, watts: float) -> None:
    """Let both strings together deliver so much."""
    inverter.strings = (Sun(watts / 2), Sun(watts / 2))


def set_load(inverter: LoneInverter, *, home: float = 0.0, backup: float = 0.0) -> None:
    """Let the house use so much."""
    inverter.site.house = Steady(alike(home), alike(backup))
