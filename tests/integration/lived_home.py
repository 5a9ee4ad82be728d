"""A home in which a test lives days in seconds: see `lab.lived_home`. Time is frozen and jumps, for everything together."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Any

import freezegun
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from lab.lived_home import LivedHome, lived_home as home_with


@asynccontextmanager
async def lived_home(
    hass: HomeAssistant,
    *,
    devices: Mapping[int, str] | None = None,
    begin: datetime = datetime(2026, 6, 22),  # noqa: DTZ001 - it is local
    zone: str = "Europe/Berlin",
    **settings: Any,
) -> AsyncIterator[LivedHome]:
    """A home that begins at a local time of its zone; `settings` are those of `lab.lived_home`."""
    await hass.config.async_set_time_zone(zone)
    # Else the loop keeps the stack of each call, which takes longer than the days.
    hass.loop.set_debug(False)
    start = begin.replace(tzinfo=dt_util.get_default_time_zone())
    async with home_with(hass, start, _frozen(start), devices=devices, **settings) as home:
        yield home


@contextmanager
def _frozen(start: datetime) -> Iterator[Callable[[timedelta], None]]:
    """Freeze time; what is returned moves it on."""
    with freezegun.freeze_time(dt_util.as_utc(start)) as clock:
        yield clock.tick
