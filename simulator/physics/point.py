"""The places in the wiring of a house where a meter may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .phases import NOTHING, Phases, times

# Reactive power as a share of the power: coils on the way in, the inverters' filters on the way out.
REACTIVE_SHARE: Final = -0.2


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a meter sees of a moment: volts, watts and reactive watts of each phase, hertz."""

    volts: Phases = NOTHING
    watts: Phases = NOTHING
    vars: Phases = NOTHING
    hertz: float = 0.0


type Measure = Callable[[], Measurement]


class Point:
    """One such place: what flows there now, and what has flowed, with and against the sign of the power."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self.powers: Phases = NOTHING
        # Watt-hours of the phases together.
        self.forward = 0.0
        self.backward = 0.0

    @property
    def power(self) -> float:
        """The sum of the phases."""
        return sum(self.powers)

    def measurement(self, volts: Phases, hertz: float) -> Measurement:
        """What a meter sees at these voltages; without any it sees nothing."""
        if not any(volts):
            return Measurement()
        return Measurement(volts, self.powers, times(self.powers, REACTIVE_SHARE), hertz)

    def flow(self, powers: Phases, seconds: float) -> None:
        """Let powers flow for so long."""
        self.powers = powers
        energy = self.power * seconds / 3600
        if energy > 0:
            self.forward += energy
        else:
            self.backward -= energy
