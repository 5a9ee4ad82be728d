"""Where the current transformers of a machine sit, and what they show there, right or wrong."""

from __future__ import annotations

import cmath
from dataclasses import dataclass
from enum import StrEnum
import math
from typing import Final

from .phases import NOTHING, Phases, times
from .point import REACTIVE_SHARE


class Place(StrEnum):
    """The cables of a house that a transformer can be put around."""

    # The connection to the street: + import.
    GRID = "grid"
    # What goes to the circuits before the inverter: + consumption.
    HOUSE = "house"
    # The inverter's own cable to the house: + what it draws.
    INVERTER = "inverter"
    # What a solar inverter feeds: + production.
    SOLAR = "solar"
    # None: it lies in the cabinet.
    NOWHERE = "nowhere"


# By how many thirds of a turn the voltage lags the current's own one.
_TURNS: Final = tuple(cmath.exp(-2j * math.pi * third / 3) for third in range(3))


@dataclass(frozen=True, slots=True)
class Clamps:
    """Three transformers, each at the input of one phase, around the conductors of a place.

    A machine multiplies the voltage of its input by the current of whichever conductor there is: on another phase it
    shows U x I x cos(120 degrees + or - phi). A factor below 0 is a transformer the wrong way round, another one than 1
    a wrong ratio, 0 none at all.
    """

    place: Place = Place.GRID
    # The conductors by their indices, and the factors.
    order: tuple[int, int, int] = (0, 1, 2)
    factors: Phases = (1.0, 1.0, 1.0)

    @property
    def is_straight(self) -> bool:
        """Whether each is on the conductor of its own phase."""
        return self.order == (0, 1, 2)

    def shown(
        self, powers: Phases, reactive: Phases, volts: Phases = NOTHING
    ) -> tuple[Phases, Phases]:
        """The watts and reactive watts shown of those that flow; without volts all are taken for alike."""
        seen = [
            factor * self._turned(own, conductor, powers, reactive, volts)
            for own, (conductor, factor) in enumerate(zip(self.order, self.factors, strict=True))
        ]
        return (
            (seen[0].real, seen[1].real, seen[2].real),
            (seen[0].imag, seen[1].imag, seen[2].imag),
        )

    def _turned(
        self, own: int, conductor: int, powers: Phases, reactive: Phases, volts: Phases
    ) -> complex:
        """The complex power of a conductor's current at the voltage of an input."""
        flowing = complex(powers[conductor], reactive[conductor])
        if own == conductor:
            return flowing
        share = volts[own] / volts[conductor] if volts[own] and volts[conductor] else 1.0
        return flowing * share * _TURNS[(own - conductor) % 3]

    def power(self, flowing: Phases, volts: Phases = NOTHING) -> Phases:
        """The watts shown of what flows at the place."""
        one, two, three = flowing
        if self.is_straight:
            first, second, third = self.factors
            return one * first, two * second, three * third
        return self.shown(flowing, times(flowing, REACTIVE_SHARE), volts)[0]


RIGHT: Final = Clamps()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What an inverter knows of the house: its transformers at the grid, and what else it is told."""

    grid: Clamps = RIGHT
    # Around the cable of a solar inverter; None is no such transformer, and no meter in its place.
    solar: Clamps | None = None
    # It is in parallel with the other inverters, which tell what they feed.
    linked: bool = False
    # What its battery meter shows of a watt.
    battery: float = 1.0
