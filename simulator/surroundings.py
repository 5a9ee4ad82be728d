"""What a plant is exposed to: the sun, the clouds, the weather and the people in the house.

Everything is a pure function of a seed and a time, so a run does not depend on how it was cut into steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
import math

type Phases = tuple[float, float, float]

_MASK = (1 << 64) - 1


@lru_cache(maxsize=4096)
def _random(seed: int, index: int) -> float:
    """Return a number from 0 to 1 that belongs to this seed and index (the splitmix64 finaliser)."""
    bits = (seed * 0x9E3779B97F4A7C15 + index * 0xD1B54A32D192ED03) & _MASK
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & _MASK
    return (bits ^ bits >> 31) / (_MASK + 1)


def noise(seed: int, seconds: float, period: float) -> float:
    """Return a smooth random curve from 0 to 1 that takes a new value every `period` seconds."""
    index, place = divmod(seconds / period, 1)
    before, after = _random(seed, int(index)), _random(seed, int(index) + 1)
    return before + (after - before) * place * place * (3 - 2 * place)


def _seconds(now: datetime) -> float:
    """Return the seconds since a fixed day."""
    return (now - datetime(2020, 1, 1)).total_seconds()  # noqa: DTZ001 - a plant knows no zone


def _hour(now: datetime) -> float:
    """Return the time of day in hours."""
    return now.hour + now.minute / 60 + (now.second + now.microsecond / 1e6) / 3600


def _season(now: datetime) -> float:
    """Return +1 at midsummer and -1 at midwinter."""
    return math.cos(2 * math.pi * (now.timetuple().tm_yday - 172) / 365)


@dataclass(frozen=True, slots=True)
class Sky:
    """A sun that crosses the sky in half a sine, behind passing clouds."""

    seed: int

    def sunshine(self, now: datetime, east: float = 0) -> float:
        """Return the share, 0 to 1, of a string's peak power; `east` is how many hours early it peaks."""
        length = 12 + 4 * _season(now)
        place = (_hour(now) + east - 13 + length / 2) / length
        if not 0 < place < 1:
            return 0.0
        seconds = _seconds(now)
        cover = 0.75 * noise(self.seed, seconds, 5400) + 0.25 * noise(self.seed + 1, seconds, 240)
        # A thin cover hardly matters; a thick one leaves the diffuse light.
        clear = 1 - 0.8 * max(0.0, cover - 0.45) / 0.55
        return math.sin(math.pi * place) * clear

    def temperature(self, now: datetime) -> float:
        """Return the outdoor temperature in degrees Celsius."""
        day = math.cos(2 * math.pi * (_hour(now) - 15) / 24)
        return 11 + 9 * _season(now) + 5 * day + 3 * noise(self.seed + 2, _seconds(now), 86400)


# Hour of the day, how many hours wide, watts: breakfast, lunch, the evening.
_MEALS = ((7.5, 0.9, 700.0), (12.5, 0.8, 450.0), (19.0, 1.8, 1300.0))
_SHARES = (0.45, 0.33, 0.22)
# The part of each phase that hangs on the backup output; the rest is before the inverter.
_BACKUP_SHARE = 0.55
_KETTLE_POWER = 1900.0


@dataclass(frozen=True, slots=True)
class House:
    """A household on three phases, partly behind the backup output."""

    seed: int

    def demand(self, now: datetime) -> tuple[Phases, Phases]:
        """Return the watts per phase of the home load and of the backup load."""
        hour, seconds = _hour(now), _seconds(now)
        whole = 480 + sum(
            power * math.exp(-(((hour - middle) / width) ** 2)) for middle, width, power in _MEALS
        )
        phases = [
            whole * share * (0.6 + 0.8 * noise(self.seed + 10 + phase, seconds, 420))
            for phase, share in enumerate(_SHARES)
        ]
        home = [power * (1 - _BACKUP_SHARE) for power in phases]
        # Now and then, while people are awake, something big runs for five minutes.
        turn = int(seconds // 300)
        if 6 <= hour < 23 and _random(self.seed + 20, turn) > 0.92:
            home[int(_random(self.seed + 21, turn) * 3)] += _KETTLE_POWER
        l1, l2, l3 = (power * _BACKUP_SHARE for power in phases)
        return (home[0], home[1], home[2]), (l1, l2, l3)
