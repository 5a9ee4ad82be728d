"""How true the readings of a machine are: each of its sensors is off for good, and none reads the same twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from .chance import random
from .phases import PHASES, Phases

# Of a generator of pseudo-random numbers that is good enough for noise (Numerical Recipes).
_FACTOR: Final = 1664525
_SUMMAND: Final = 1013904223
_MASK: Final = 0xFFFFFFFF

# Makes a reading of what there is.
type Read = Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Of each sensor: the share that it may be off for good, and the noise as a share and in watts."""

    gain: float = 0.02
    noise: float = 0.004
    watts: float = 5.0


def exactly(value: float) -> float:
    """What a sensor reads that is never wrong."""
    return value


class Senses:
    """The sensors of one machine; what they are off by belongs to a seed."""

    def __init__(self, accuracy: Accuracy, seed: int) -> None:
        """`seed` is that of this machine."""
        self.accuracy = accuracy
        self._seed = seed
        self.stage = self._phases("stage")
        self.grid = self._phases("grid")
        self.solar = self._phases("solar")
        self.backup = self._phases("backup")
        self.port = self._phases("port")
        self.battery = self.gain("battery")
        self.strings = tuple(self.gain(f"pv{number}") for number in range(1, 5))

    def gain(self, sensor: str) -> float:
        """What a sensor shows of a watt."""
        return 1 + self.accuracy.gain * (2 * random(self._seed, crc32(sensor.encode())) - 1)

    def _phases(self, sensor: str) -> Phases:
        l1, l2, l3 = (self.gain(f"{sensor}_{phase}") for phase in PHASES)
        return l1, l2, l3

    def reader(self, seconds: float) -> Read:
        """What makes readings at a moment, each with some noise."""
        state = (self._seed * 2654435761 + int(seconds * 10)) & _MASK
        share, watts = self.accuracy.noise, self.accuracy.watts

        def read(value: float) -> float:
            nonlocal state
            state = (state * _FACTOR + _SUMMAND) & _MASK
            return value + (state / 0x7FFFFFFF - 1.0) * (watts + share * abs(value))

        return read


def scaled(powers: Phases, gains: Phases) -> Phases:
    """Powers as three sensors show them."""
    return powers[0] * gains[0], powers[1] * gains[1], powers[2] * gains[2]
