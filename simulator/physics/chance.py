"""Chance that can be repeated: pure functions of a seed and a time, so that a run does not depend on its steps."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

_MASK: Final = (1 << 64) - 1
_FIRST_DAY: Final = datetime(2020, 1, 1)  # noqa: DTZ001 - a plant knows no zone


@lru_cache(maxsize=4096)
def random(seed: int, index: int) -> float:
    """A number from 0 to 1 that belongs to this seed and index (the splitmix64 finaliser)."""
    bits = (seed * 0x9E3779B97F4A7C15 + index * 0xD1B54A32D192ED03) & _MASK
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & _MASK
    return (bits ^ bits >> 31) / (_MASK + 1)


def noise(seed: int, seconds: float, period: float) -> float:
    """A smooth random curve from 0 to 1 that takes a new value every `period` seconds."""
    index, place = divmod(seconds / period, 1)
    before, after = random(seed, int(index)), random(seed, int(index) + 1)
    return before + (after - before) * place * place * (3 - 2 * place)


def seconds_of(now: datetime) -> float:
    """The seconds since a fixed day."""
    return (now - _FIRST_DAY).total_seconds()


def hour_of(now: datetime) -> float:
    """The time of day in hours."""
    return now.hour + now.minute / 60 + (now.second + now.microsecond / 1e6) / 3600
