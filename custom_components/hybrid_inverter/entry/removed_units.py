"""Noticing the units that a person takes out of an entry, whether or not the entry is loaded."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import DOMAIN

# What is done about units that were taken out of an entry which is not loaded.
type UnitsRemoved = Callable[
    [HomeAssistant, ConfigEntry, Sequence[ConfigSubentry]], Awaitable[None]
]


@callback
def async_watch_removed_units(hass: HomeAssistant, units_removed: UnitsRemoved) -> None:
    """Have something done about units that are taken out of an entry while it is not loaded.

    One that is loaded does so itself, when it is unloaded for that. Home Assistant tells only what is left of an entry, so
    this has to know what there was.
    """
    known: dict[str, Mapping[str, ConfigSubentry]] = {
        entry.entry_id: entry.subentries for entry in hass.config_entries.async_entries(DOMAIN)
    }

    @callback
    def look(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain != DOMAIN:
            return
        before = known.pop(entry.entry_id, {})
        if change is ConfigEntryChange.REMOVED:
            return
        known[entry.entry_id] = entry.subentries
        gone = [one for key, one in before.items() if key not in entry.subentries]
        if gone:
            hass.async_create_task(deal_with(entry, gone), f"{entry.title} removed units")

    async def deal_with(entry: ConfigEntry, gone: Sequence[ConfigSubentry]) -> None:
        # It is not loaded meanwhile, and one that is just being loaded or unloaded is waited for; what was taken out while it
        # was being loaded it does not know, and leaves as it is.
        async with entry.setup_lock:
            if entry.state is not ConfigEntryState.LOADED:
                await units_removed(hass, entry, gone)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, look)
