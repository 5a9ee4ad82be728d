"""Follows a Wi-Fi stick to the address that the router has given it."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..entry.stick_address import async_search
from .runtime import HybridInverterConfigEntry

# How often a stick is searched for while none of its devices answers.
FOLLOW_INTERVAL: Final = timedelta(seconds=30)


@callback
def async_follow(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> CALLBACK_TYPE:
    """Search for the stick of a loaded entry, now and while none of its devices answers; returns how to stop that."""
    runtime = entry.runtime_data
    if not runtime.units:
        # Nothing would tell whether it was found.
        return lambda: None
    # A search may take longer than the time until the next one.
    searching = asyncio.Lock()

    async def search(_: datetime) -> None:
        if runtime.answered or searching.locked():
            return
        async with searching:
            await async_search(hass, entry)

    if not runtime.answered:
        entry.async_create_background_task(hass, search(dt_util.utcnow()), f"{entry.title} search")
    return async_track_time_interval(hass, search, FOLLOW_INTERVAL, cancel_on_shutdown=True)
