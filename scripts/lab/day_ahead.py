"""Prices of a year on a day-ahead market, made up: no real data, but the pattern that is public knowledge.

What the exchanges of Central Europe publish has looked much the same each year since solar power became cheap: a hump in
the morning and a higher one in the evening, cheap nights, weekends below workdays, a dip at noon that follows the sun and
goes below zero on sunny days in spring and summer (some 450 to 600 hours a year), and a few winter evenings without wind
that cost several times the average. The numbers below reproduce that by hand; a seed makes a year that can be repeated.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
import math
from typing import Final
from zoneinfo import ZoneInfo

from simulator.physics.chance import hour_of, noise, seconds_of

# EUR/kWh: the average of a night, the humps of a workday, and the dip of a clear noon in June.
NIGHT: Final = 0.078
MORNING: Final = 0.030
EVENING: Final = 0.058
NOON: Final = 0.130
# What winter adds, a weekend takes, and strong wind takes or calm adds.
WINTER: Final = 0.015
WEEKEND: Final = 0.020
WIND: Final = 0.035
# How much a calm winter evening costs on top, and how calm it has to be, 0 to 1.
SCARCITY: Final = 0.60
CALM: Final = 0.80
# From one slot to the next.
SLOT: Final = 0.008
LOWEST: Final = -0.25

DAY: Final = 86400.0
HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class DayAhead:
    """The prices of a market zone, EUR/kWh without taxes and fees."""

    seed: int = 1

    def price_at(self, moment: datetime) -> float:
        """The price of the slot that begins at a local time."""
        hour, seconds = hour_of(moment), seconds_of(moment.replace(tzinfo=None))
        # 1 at the summer solstice, -1 at the other one.
        summer = math.cos(2 * math.pi * (moment.timetuple().tm_yday - 172) / 365)
        weekend = moment.weekday() >= 5
        calm = noise(self.seed, seconds, 2.5 * DAY)
        clear = noise(self.seed + 1, seconds, 0.8 * DAY)
        evening = _hump(hour, 19.0 + 0.8 * summer, 2.0)
        price = NIGHT - WINTER * summer + WIND * (2 * calm - 1)
        price += (MORNING * _hump(hour, 7.8, 1.5) + EVENING * evening) * (0.7 if weekend else 1)
        price -= WEEKEND * weekend
        # The days are short in winter, and the sun is low.
        strength = 0.55 + 0.45 * summer
        price -= NOON * strength * (0.35 + 0.65 * clear) * _hump(hour, 13.3, 2.2 + 0.7 * summer)
        if calm > CALM and summer < 0:
            price -= SCARCITY * (calm - CALM) * summer * (0.4 + evening)
        price += SLOT * (2 * noise(self.seed + 2, seconds, HOUR / 4) - 1)
        return round(max(LOWEST, price), 5)


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a household pays for a kilowatt-hour, and what it gets for one: the market's price, with fees and taxes on top.

    The fees of the grid depend on the hour, as more and more grids have them.
    """

    market: DayAhead
    zone: tzinfo
    fees: float = 0.15
    night_fees: float = 0.10
    evening_fees: float = 0.22
    tax: float = 0.20

    def import_price(self, moment: datetime) -> float:
        """EUR/kWh from the grid, in the slot that begins at a time with a zone."""
        local = moment.astimezone(self.zone)
        fees = self.night_fees if local.hour < 6 else self.fees
        fees = self.evening_fees if 17 <= local.hour < 21 else fees
        return round((self.market.price_at(local) + fees) * (1 + self.tax), 5)

    def export_price(self, moment: datetime) -> float:
        """EUR/kWh into the grid; where it is negative, whoever exports pays."""
        return self.market.price_at(moment.astimezone(self.zone))


def _hump(hour: float, middle: float, width: float) -> float:
    """A hump of height 1 that reaches over midnight."""
    apart = (hour - middle + 12) % 24 - 12
    return math.exp(-((apart / width) ** 2))


# Where the house is that lives a year, and what it pays.
ZONE: Final = "Europe/Vienna"
BEGIN: Final = datetime(2026, 1, 1, tzinfo=ZoneInfo(ZONE))
TARIFF: Final = Tariff(DayAhead(), ZoneInfo(ZONE))
