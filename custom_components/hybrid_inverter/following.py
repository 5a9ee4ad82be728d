"""Following a Wi-Fi stick to the address that it has now: a router gives it another one whenever it likes.

The unique id of an entry for a stick is the serial number that the stick tells of itself.
"""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util.network import is_ip_address

from .const import LOGGER
from .coordinator import HybridInverterConfigEntry
from .modbus.discover import find_sticks
from .modbus.register import Group
from .stored import first_unit, title_of

# How often a stick is looked for while none of its machines answers.
FOLLOW_INTERVAL: Final = timedelta(seconds=30)


@callback
def async_move(hass: HomeAssistant, entry: ConfigEntry, host: str) -> bool:
    """Have an entry lead to this address, and return whether it did not; a name is followed by the name server."""
    if entry.data[CONF_HOST] == host or not is_ip_address(entry.data[CONF_HOST]):
        return False
    data = {**entry.data, CONF_HOST: host}
    title = entry.title
    # A name that a person gave stays.
    if entry.subentries and title == title_of(identity := first_unit(entry)[1], entry.data):
        title = title_of(identity, data)
    hass.config_entries.async_update_entry(entry, data=data, title=title)
    LOGGER.info("%s has another address now, and is read there", entry.title)
    return True


@callback
def async_move_and_reload(hass: HomeAssistant, entry: ConfigEntry, host: str) -> None:
    """Have an entry lead to this address, at once if it is in use."""
    if async_move(hass, entry, host) and entry.state in (
        ConfigEntryState.LOADED,
        ConfigEntryState.SETUP_RETRY,
    ):
        hass.config_entries.async_schedule_reload(entry.entry_id)


async def async_find(entry: ConfigEntry) -> str | None:
    """Return where the stick of an entry is now; None when it says nothing, or there is none."""
    if entry.unique_id is None:
        return None
    return next(
        (
            stick.host
            for stick in await find_sticks()
            if str(stick.logger_serial) == entry.unique_id
        ),
        None,
    )


@callback
def async_follow(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> CALLBACK_TYPE:
    """Look for the stick of a loaded entry while none of its machines answers; return what ends that."""

    async def look(_: datetime) -> None:
        units = entry.runtime_data.units.values()
        if any(unit.coordinators[Group.POWER].last_update_success for unit in units):
            return
        if (host := await async_find(entry)) is not None:
            async_move_and_reload(hass, entry, host)

    return async_track_time_interval(hass, look, FOLLOW_INTERVAL, cancel_on_shutdown=True)
