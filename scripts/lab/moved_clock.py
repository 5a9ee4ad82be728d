"""A clock of this process that only moves when it is told to. Put in place before Home Assistant is imported.

Many of its modules keep the functions that they find.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
import time
from typing import Any


class MovedClock:
    """The time of this process."""

    def __init__(self) -> None:
        """Stand still until it is told what time it is."""
        self._seconds = 0.0

    def time(self) -> float:
        """The seconds since 1970."""
        return self._seconds

    def tick(self, jump: timedelta) -> None:
        """Move on."""
        self._seconds += jump.total_seconds()

    def install(self) -> None:
        """Be the only clock there is from now on."""
        time.time = self.time
        from homeassistant.util import dt as dt_util

        def now(zone: tzinfo | None = None) -> datetime:
            return datetime.fromtimestamp(self._seconds, zone or dt_util.get_default_time_zone())

        util: Any = dt_util
        util.utcnow = lambda: datetime.fromtimestamp(self._seconds, UTC)
        util.now = now

    @contextmanager
    def running_from(self, start: datetime) -> Iterator[Callable[[timedelta], None]]:
        """Set it to a time with a zone, and give what moves it on."""
        self._seconds = start.timestamp()
        yield self.tick
