"""Times of day: as minutes, as text, and as moments at which a clock on the wall shows them."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

MINUTES_PER_DAY: Final = 24 * 60


def minutes_of(moment: time) -> int:
    """Minute of the day, 0 to 1439."""
    return moment.hour * 60 + moment.minute


def time_of(minute: int) -> time:
    """Time of day of a minute; minute 1440 is midnight again."""
    return time(*divmod(minute % MINUTES_PER_DAY, 60))


def hh_mm(moment: time) -> str:
    """A time of day as `18:05`."""
    return f"{moment:%H:%M}"


def utc_of(day: date, minute: int, zone: tzinfo) -> datetime:
    """When the wall clock shows this minute of the day, in UTC.

    The first time if it shows it twice, and the next minute that it does show if it skips this one.
    """
    shown = datetime.combine(day, time()) + timedelta(minutes=minute)
    while True:
        instant = shown.replace(tzinfo=zone).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == shown:
            return instant
        shown += timedelta(minutes=1)


def is_midnight(instant: datetime, zone: tzinfo) -> bool:
    """Whether a day starts at this moment."""
    return instant == utc_of(instant.astimezone(zone).date(), 0, zone)
