"""When an order ends: after some minutes, or at a time that a clock on the wall shows."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from homeassistant.util import dt as dt_util

from .refusals import Mistake, mistake

# How long an order may last, on the grid of the schedules: a slot of a whole day has no edge.
LONGEST: Final = timedelta(hours=23, minutes=55)
SHORTEST: Final = timedelta(minutes=5)
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)


def end_of(until: str | None, duration: float | None, now: datetime) -> datetime:
    """When an order that is given now ends, in UTC; ServiceValidationError for an end that it cannot have.

    `until` is a time of day, or a date and time, which is that of Home Assistant if it has no zone; `duration` is in
    minutes.
    """
    if (until is None) is (duration is None):
        raise mistake(Mistake.ONE_END)
    if duration is not None:
        lasting = timedelta(minutes=duration)
        if not SHORTEST <= lasting <= LONGEST:
            raise mistake(Mistake.DURATION, minutes=f"{duration:g}")
        return now + lasting
    return _shown(str(until).strip(), now)


def _shown(until: str, now: datetime) -> datetime:
    """When a time that somebody has written is shown next."""
    local = dt_util.as_local(now).replace(tzinfo=None)
    zone = dt_util.get_default_time_zone()
    if (time := dt_util.parse_time(until)) is not None:
        if (time.hour, time.minute) == (local.hour, local.minute):
            raise mistake(Mistake.UNTIL_NOW, until=until)
        # Today it may be over, and the clock may show it twice.
        days = (datetime.combine(local.date(), time) + DAY * later for later in range(2))
        end = min(one for day in days for one in _instants(day, zone) if one > now)
        wall = _wall(end, zone) - local
    else:
        moment = _date_and_time(until)
        # Nothing can be reckoned at the ends of the calendar.
        if abs(moment.year - now.year) > 1:
            raise mistake(
                Mistake.TOO_FAR if moment.year > now.year else Mistake.UNTIL_PAST, until=until
            )
        if moment.tzinfo is not None:
            end = moment.astimezone(UTC)
        else:
            first, second = _instants(moment, zone)
            end = first if first > now else second
        wall = _wall(end, zone) - local
        if end <= now:
            raise mistake(Mistake.UNTIL_PAST, until=until)
    if min(wall, end - now) > LONGEST:
        raise mistake(Mistake.TOO_FAR, until=until)
    # The night in which the clock is set back makes it last longer than a slot can.
    return min(end, now + LONGEST)


def _date_and_time(until: str) -> datetime:
    """A date and time that somebody has written, with its zone if it has one."""
    moment = None
    # A day that does not exist is an error, and anything else that is no date is None.
    with suppress(ValueError):
        moment = dt_util.parse_datetime(until) if ":" in until else None
    if moment is None:
        raise mistake(Mistake.UNTIL, until=until)
    return moment


def _instants(shown: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The two moments at which a clock shows this, which mostly are one; what it skips is the next minute that it shows."""
    while True:
        first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in range(2))
        if _wall(first, zone) == shown:
            return first, second
        shown = shown.replace(second=0, microsecond=0) + MINUTE


def _wall(instant: datetime, zone: tzinfo) -> datetime:
    """What the clock on the wall shows."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
