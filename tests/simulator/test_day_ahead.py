"""The made-up prices of a year: what is public knowledge of a day-ahead market, and days of 23 and 25 hours."""

from datetime import date, datetime, timedelta
from statistics import mean
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from lab.day_ahead import TARIFF, DayAhead
from lab.price_sensor import slots_of

VIENNA: Final = ZoneInfo("Europe/Vienna")
HOURS: Final = tuple(datetime(2026, 1, 1) + timedelta(hours=hour) for hour in range(8760))  # noqa: DTZ001


@pytest.fixture(params=[1, 2, 7])
def prices(request: pytest.FixtureRequest) -> dict[datetime, float]:
    """Return the prices of a year by their hours, EUR/kWh."""
    market = DayAhead(request.param)
    return {hour: market.price_at(hour) for hour in HOURS}


def test_some_hundred_hours_are_below_zero_at_noon_in_the_sunny_months(
    prices: dict[datetime, float],
) -> None:
    """And a few cost more than twice the average, on winter evenings and mornings."""
    negative = [hour for hour, price in prices.items() if price < 0]
    assert 300 < len(negative) < 600
    assert {hour.month for hour in negative} <= set(range(3, 11))
    assert {hour.hour for hour in negative} <= set(range(9, 18))
    dear = [hour for hour, price in prices.items() if price > 0.2]
    assert 10 < len(dear) < 100
    assert {hour.month for hour in dear} <= {10, 11, 12, 1, 2, 3}


def test_evenings_cost_more_than_mornings_and_those_more_than_nights_and_noons(
    prices: dict[datetime, float],
) -> None:
    """And a weekend less than a workday."""

    def of(*hours: int) -> float:
        return mean(price for hour, price in prices.items() if hour.hour in hours)

    assert of(19) > of(8) > of(3) > of(13)
    assert 0.06 < mean(prices.values()) < 0.09
    weekend = mean(price for hour, price in prices.items() if hour.weekday() >= 5)
    assert weekend < mean(price for hour, price in prices.items() if hour.weekday() < 5) - 0.01


def test_a_household_pays_fees_and_taxes_on_top() -> None:
    """At noon 0.15 and 20 %, in the evening 0.22, at night 0.10."""
    for hour, fees in ((2, 0.10), (13, 0.15), (18, 0.22)):
        moment = datetime(2026, 7, 6, hour, tzinfo=VIENNA)
        market = TARIFF.export_price(moment)
        assert TARIFF.import_price(moment) == pytest.approx((market + fees) * 1.2, abs=1e-5)


@pytest.mark.parametrize(
    ("day", "minutes", "count"),
    [
        (date(2026, 1, 12), 60, 24),
        (date(2026, 3, 29), 60, 23),
        (date(2026, 10, 25), 60, 25),
        (date(2026, 10, 25), 15, 100),
        (date(2026, 1, 12), 30, 48),
    ],
)
def test_a_day_has_as_many_slots_as_its_hours(day: date, minutes: int, count: int) -> None:
    """From one midnight to the other, without a gap."""
    slots = slots_of(day, VIENNA, timedelta(minutes=minutes), lambda _: 0.1)
    assert len(slots) == count
    assert [one.end for one in slots[:-1]] == [one.start for one in slots[1:]]
    assert (slots[0].start.hour, slots[-1].end.hour) == (0, 0)
