"""Loading an entry again when its units are not what it was loaded with."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .modbus.connection import Connection


@callback
def async_reload_on_change(hass: HomeAssistant, entry: ConfigEntry) -> CALLBACK_TYPE:
    """Load an entry again when a unit is added, removed, renamed or changed; return what ends that.

    Home Assistant does so by itself after the options and after the link was moved, and forbids update listeners of
    our own beside that.
    """
    known = _units(entry)

    @callback
    def look(_: ConfigEntryChange, changed: ConfigEntry) -> None:
        nonlocal known
        if changed is entry and (now := _units(entry)) != known:
            known = now
            hass.config_entries.async_schedule_reload(entry.entry_id)

    return async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, look)


async def async_connection(entry: ConfigEntry) -> Connection | None:
    """Return the link of an entry if it is in use; while it is being loaded again, wait for that."""
    async with entry.setup_lock:
        if entry.state is not ConfigEntryState.LOADED:
            return None
        connection: Connection = entry.runtime_data.link
        return connection


def _units(entry: ConfigEntry) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return the names and the data of all units."""
    return {
        subentry_id: (subentry.title, subentry.data)
        for subentry_id, subentry in entry.subentries.items()
    }
