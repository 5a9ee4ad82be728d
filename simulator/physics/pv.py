"""PV strings on roofs, and the trackers that they are connected to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
import math
from typing import Final

from .sky import Light

# Peak watts are those in a light of 1000 W/m2 at 25 degrees; cables and dirt take their share.
PEAK_LIGHT: Final = 1000.0
PEAK_TEMPERATURE: Final = 25.0
PER_DEGREE: Final = -0.004
WARMING: Final = 0.03
CLEAN: Final = 0.97
# A string's voltage sags a little under its load.
SAG: Final = 0.006


@dataclass(frozen=True)
class Roof:
    """A slope that looks somewhere: azimuth from the north over the east, tilt from the level, both in degrees."""

    azimuth: float
    tilt: float
    # East, north and upward parts of the direction it looks to.
    normal: tuple[float, float, float] = field(init=False)

    def __post_init__(self) -> None:
        """Work out where it looks to."""
        azimuth, tilt = math.radians(self.azimuth), math.radians(self.tilt)
        flat = math.sin(tilt)
        normal = (flat * math.sin(azimuth), flat * math.cos(azimuth), math.cos(tilt))
        object.__setattr__(self, "normal", normal)

    def irradiance(self, light: Light) -> float:
        """The W/m2 that fall on it."""
        east, north, up = self.normal
        facing = east * light.east + north * light.north + up * light.up
        return light.beam * max(0.0, facing) + light.diffuse * (1 + up) / 2


SOUTH_EAST: Final = Roof(135, 35)
SOUTH_WEST: Final = Roof(225, 35)
SOUTH: Final = Roof(180, 35)


@dataclass(frozen=True, slots=True)
class Tracker:
    """The input that looks for a string's best point, within its own watts and amperes."""

    power: float = math.inf
    current: float = 12.5


@dataclass(frozen=True, slots=True)
class PvString:
    """Modules in series: peak watts, the roof they lie on, their volts without a load, and their tracker."""

    peak: float
    roof: Roof = SOUTH
    volts: float = 590.0
    tracker: Tracker = field(default_factory=Tracker)

    def power(self, light: Light) -> float:
        """The watts that it can deliver."""
        irradiance = self.roof.irradiance(light)
        if irradiance <= 0:
            return 0.0
        cell = light.temperature + WARMING * irradiance
        warmth = 1 + PER_DEGREE * (cell - PEAK_TEMPERATURE)
        power = self.peak * irradiance / PEAK_LIGHT * warmth * CLEAN
        return min(power, self.tracker.power, self.tracker.current * self.voltage(power))

    def voltage(self, power: float) -> float:
        """The volts at which it delivers a power; by night nothing is left."""
        return self.volts - SAG * power if power >= 1 else 0.0


def shaded(values: Iterable[float], light: Sequence[float]) -> list[float]:
    """Powers or volts of some strings, of each of which a shadow leaves a share; of what is not named, all."""
    return [
        value * (light[number] if number < len(light) else 1.0)
        for number, value in enumerate(values)
    ]


def within(powers: list[float], most: float) -> list[float]:
    """Some powers, each of them reduced alike when they are too much together."""
    whole = sum(powers)
    return [power * most / whole for power in powers] if whole > most else powers
