"""The sun, the clouds and the weather above a place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
import math
from typing import Final

from .chance import hour_of, noise, random, seconds_of

LATITUDE: Final = 50.0
# The sun is highest an hour after twelve: clocks show summer time.
NOON: Final = 13.0
# Watts per square metre above the air, and the share that one air mass lets through.
SOLAR_CONSTANT: Final = 1353.0
CLEARNESS: Final = 0.7
# What a clear sky scatters, as a share of the beam, and what is left under the thickest clouds.
SCATTERED: Final = 0.1
OVERCAST: Final = 0.2


# Of the light of a clear day, the least and the most that the clouds of a grey one let through, all of it scattered.
DARKEST_GREY: Final = 0.25
LIGHTEST_GREY: Final = 0.6
# How often a day is grey at midsummer, and how much more often at midwinter; as many as in summer are clear.
GREY_DAYS: Final = 0.25
MORE_IN_WINTER: Final = 0.3


class Weather(StrEnum):
    """What a day is like."""

    # Clouds pass, and the sun comes out between them.
    PASSING = "passing"
    CLEAR = "clear"
    # Overcast from the morning to the evening.
    GREY = "grey"
    # Small clouds, every minute or two.
    BROKEN = "broken"
    # Each day another one of these, the grey ones mostly in winter.
    CHANGING = "changing"


@dataclass(frozen=True, slots=True)
class Light:
    """The light of a moment: the direction of the sun, its beam and the sky's diffuse light in W/m2, degrees Celsius."""

    east: float
    north: float
    up: float
    beam: float
    diffuse: float
    temperature: float


@lru_cache(maxsize=4)
def _declination(day: int) -> tuple[float, float]:
    """Sine and cosine of the sun's declination on a day of the year."""
    angle = math.radians(23.45) * math.sin(2 * math.pi * (284 + day) / 365)
    return math.sin(angle), math.cos(angle)


class Sky:
    """A sun that takes its way over a latitude, behind the clouds of a weather."""

    def __init__(
        self, seed: int, latitude: float = LATITUDE, weather: Weather = Weather.PASSING
    ) -> None:
        """`latitude` is in degrees."""
        self.weather = weather
        # The share of the light that there is on a grey day.
        self.brightness = 1.0
        self._seed = seed
        self._sine = math.sin(math.radians(latitude))
        self._cosine = math.cos(math.radians(latitude))

    def direction(self, now: datetime) -> tuple[float, float, float]:
        """Where the sun stands, as the east, north and upward parts of a length of one."""
        sine, cosine = _declination(now.timetuple().tm_yday)
        angle = 2 * math.pi * (hour_of(now) - NOON) / 24
        east = -cosine * math.sin(angle)
        towards = cosine * math.cos(angle)
        return (
            east,
            sine * self._cosine - self._sine * towards,
            sine * self._sine + self._cosine * towards,
        )

    def weather_of(self, day: date) -> Weather:
        """What a day is like."""
        if self.weather is not Weather.CHANGING:
            return self.weather
        chance = random(self._seed + 3, day.toordinal())
        winter = (1 + math.cos(2 * math.pi * (day.timetuple().tm_yday + 10) / 365)) / 2
        if chance < GREY_DAYS + MORE_IN_WINTER * winter:
            return Weather.GREY
        if chance > 1 - GREY_DAYS:
            return Weather.CLEAR
        return Weather.BROKEN if chance > 0.65 else Weather.PASSING

    def clear(self, now: datetime) -> float:
        """The share, 0 to 1, of the beam that the clouds let through."""
        seconds = seconds_of(now)
        match self.weather_of(now.date()):
            case Weather.CLEAR:
                return 1.0
            case Weather.GREY:
                return 0.0
            case Weather.BROKEN:
                cover = noise(self._seed, seconds, 150)
                return min(1.0, max(0.0, 3 * (0.75 - cover)))
        cover = 0.75 * noise(self._seed, seconds, 5400) + 0.25 * noise(self._seed + 1, seconds, 240)
        # A thin cover hardly matters.
        return 1 - max(0.0, cover - 0.45) / 0.55

    def temperature(self, now: datetime) -> float:
        """The outdoor temperature in degrees Celsius."""
        season = math.cos(2 * math.pi * (now.timetuple().tm_yday - 172) / 365)
        day = math.cos(2 * math.pi * (hour_of(now) - 15) / 24)
        return 11 + 9 * season + 5 * day + 3 * noise(self._seed + 2, seconds_of(now), 86400)

    def light(self, now: datetime) -> Light:
        """The light of a moment."""
        east, north, up = self.direction(now)
        temperature = self.temperature(now)
        if up <= 0:
            return Light(east, north, up, 0.0, 0.0, temperature)
        whole = self.brightness * SOLAR_CONSTANT * CLEARNESS ** ((1 / max(up, 0.02)) ** 0.678)
        clear = self.clear(now)
        if self.weather_of(now.date()) is Weather.GREY:
            cover = noise(self._seed, seconds_of(now), 2400)
            whole *= LIGHTEST_GREY - (LIGHTEST_GREY - DARKEST_GREY) * cover
            return Light(east, north, up, 0.0, whole * (SCATTERED + OVERCAST * up), temperature)
        diffuse = whole * (SCATTERED + OVERCAST * up * (1 - clear))
        return Light(east, north, up, whole * clear, diffuse, temperature)
