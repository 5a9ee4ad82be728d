"""When an order ends, by what somebody has written: a number of minutes, a time of day, or a date and time."""

from datetime import UTC, datetime

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.hybrid_inverter.control.times import end_of


@pytest.fixture(autouse=True)
async def _berlin(hass: HomeAssistant) -> None:
    """Live in a time zone with summer time: two hours ahead of UTC from 29 March to 25 October 2026, else one."""
    await hass.config.async_set_time_zone("Europe/Berlin")


def utc(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until", "end"),
    [
        # Ten in the morning: later today, and tomorrow.
        ("2026-06-21 08:00", "13:05", "2026-06-21 11:05"),
        ("2026-06-21 08:00", "05:00", "2026-06-22 03:00"),
        ("2026-06-21 08:00", "5:00", "2026-06-22 03:00"),
        ("2026-06-21 08:00", "05:00:30", "2026-06-22 03:00:30"),
        ("2026-06-21 08:00:20", "09:55", "2026-06-22 07:55"),
        # A date and time, in the zone of Home Assistant or in its own one.
        ("2026-06-21 08:00", "2026-06-21 13:05", "2026-06-21 11:05"),
        ("2026-06-21 08:00", "2026-06-21T13:05:00", "2026-06-21 11:05"),
        ("2026-06-21 08:00", "2026-06-21T13:05:00+00:00", "2026-06-21 13:05"),
        ("2026-06-21 08:00", "2026-06-21 13:05:00.250000+02:00", "2026-06-21 11:05:00.250"),
    ],
)
def test_an_end_is_the_next_time_that_the_clock_shows_it(now: str, until: str, end: str) -> None:
    """Whether it is written with its date, its seconds and its zone or without."""
    assert end_of(until, None, utc(now)) == utc(end)


@pytest.mark.parametrize(
    ("now", "until", "end"),
    [
        # In spring the clock goes from 01:59 to 03:00, at 01:00 UTC.
        ("2026-03-28 21:00", "02:30", "2026-03-29 01:00"),
        ("2026-03-28 21:00", "2026-03-29 02:30", "2026-03-29 01:00"),
        ("2026-03-28 21:00", "03:00", "2026-03-29 01:00"),
        # 23 hours and 58 minutes on the wall, and an hour less in truth.
        ("2026-03-28 04:02", "05:00", "2026-03-29 03:00"),
        # In autumn it shows 02:00 to 02:59 twice, first at 00:00 UTC and then at 01:00 UTC.
        ("2026-10-25 00:10", "02:30", "2026-10-25 00:30"),
        ("2026-10-25 00:40", "02:30", "2026-10-25 01:30"),
        ("2026-10-25 00:40", "2026-10-25 02:30", "2026-10-25 01:30"),
        ("2026-10-25 01:40", "02:35", "2026-10-26 01:35"),
        # 23 and a half hours on the wall are 24 and a half then: as long as an order lasts.
        ("2026-10-24 03:30", "05:00", "2026-10-25 03:25"),
    ],
)
def test_summer_time_is_no_reason_to_refuse(now: str, until: str, end: str) -> None:
    """What the clock skips is the next minute that it shows, and what it shows twice is the next one to come."""
    assert end_of(until, None, utc(now)) == utc(end)


@pytest.mark.parametrize(
    ("duration", "end"),
    [
        (5, "2026-06-21 08:05"),
        (0.5 + 90, "2026-06-21 09:30:30"),
        (1435, "2026-06-22 07:55"),
    ],
)
def test_a_duration_is_in_minutes(duration: float, end: str) -> None:
    """From five minutes to five less than a day."""
    assert end_of(None, duration, utc("2026-06-21 08:00")) == utc(end)


@pytest.mark.parametrize(
    ("until", "duration", "reason"),
    [
        (None, None, "control_one_end"),
        ("13:00", 60, "control_one_end"),
        (None, 4.9, "control_duration"),
        (None, 0, "control_duration"),
        (None, -60, "control_duration"),
        (None, 1436, "control_duration"),
        ("10:00", None, "control_until_now"),
        ("10:00:59", None, "control_until_now"),
        ("09:56", None, "control_too_far"),
        ("2026-06-22 09:56", None, "control_too_far"),
        ("2026-07-21 10:00", None, "control_too_far"),
        ("2026-06-21 09:59", None, "control_until_past"),
        ("2026-06-21T08:00:00+00:00", None, "control_until_past"),
        ("2025-06-21 13:00", None, "control_until_past"),
        ("0001-01-01 00:00", None, "control_until_past"),
        ("9999-12-31 23:59", None, "control_too_far"),
        ("25:00", None, "control_until"),
        ("tomorrow", None, "control_until"),
        ("", None, "control_until"),
        # A time of day without quotes, as YAML reads it, and a date without a time.
        ("900", None, "control_until"),
        ("2026-06-22", None, "control_until"),
        ("2026-02-30 05:00", None, "control_until"),
    ],
)
def test_what_is_no_end_is_refused(until: str | None, duration: float | None, reason: str) -> None:
    """At ten o'clock in summer."""
    with pytest.raises(ServiceValidationError) as caught:
        end_of(until, duration, utc("2026-06-21 08:00"))
    assert caught.value.translation_key == reason
