"""Loading an entry again when its units have changed, and unloading it for a while."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
    UnknownEntry,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..modbus.transport.connection import Connection


@callback
def async_reload_on_change(hass: HomeAssistant, entry: ConfigEntry) -> CALLBACK_TYPE:
    """Load an entry again when a unit is added, removed, renamed or changed; returns how to stop that.

    Home Assistant itself does so after a change of the options or of the link, and forbids an update listener beside
    that.
    """
    known = _units(entry)

    @callback
    def look(_: ConfigEntryChange, changed: ConfigEntry) -> None:
        nonlocal known
        if changed is entry and (now := _units(entry)) != known:
            known = now
            hass.async_create_task(reload(), f"{entry.title} reload")

    async def reload() -> None:
        # It may be removed before its turn comes.
        with suppress(UnknownEntry):
            await hass.config_entries.async_reload(entry.entry_id)

    return async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, look)


async def async_connection(entry: ConfigEntry) -> Connection | None:
    """The link of an entry that is loaded; None of any other. An entry that is just being loaded is waited for."""
    async with entry.setup_lock:
        if entry.state is not ConfigEntryState.LOADED:
            return None
        connection: Connection = entry.runtime_data.link
        return connection


class Pause:
    """An entry that is unloaded for a while."""

    def __init__(self) -> None:
        self.is_kept = False

    def keep(self) -> None:
        """Leave the entry unloaded when the pause ends, as something else is going to load it."""
        self.is_kept = True


@asynccontextmanager
async def paused(hass: HomeAssistant, entry: ConfigEntry | None) -> AsyncGenerator[Pause]:
    """Unload an entry while a new connection is tried, and load it again afterwards unless the pause is kept.

    Many gateways and every serial port serve one client only. Without an entry, or with one that is not in use, there
    is nothing to pause.
    """
    pause = Pause()
    if (
        entry is None
        or entry.state not in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY)
        or not await hass.config_entries.async_unload(entry.entry_id)
    ):
        yield pause
        return
    try:
        yield pause
    finally:
        if not pause.is_kept:
            await hass.config_entries.async_setup(entry.entry_id)


def _units(entry: ConfigEntry) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The names and the data of all units."""
    return {
        subentry_id: (subentry.title, subentry.data)
        for subentry_id, subentry in entry.subentries.items()
    }
