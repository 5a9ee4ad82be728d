"""Noticing the units that a person takes out of an entry, whether or not the entry is loaded."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

# What is done about units that were taken out of an entry which is not loaded.
type UnitsRemoved = Callable[
    [HomeAssistant, ConfigEntry, Sequence[ConfigSubentry]], Awaitable[None]
]


# The units that were taken out of an entry and that nobody has let go yet, by its id and theirs.
TAKEN_OUT: Final = HassKey[dict[str, dict[str, ConfigSubentry]]](f"{DOMAIN}_taken_out")


@callback
def async_watch_removed_units(hass: HomeAssistant, units_removed: UnitsRemoved) -> None:
    """Have something done about units that are taken out of an entry while it is not loaded.

    One that is loaded does so itself, when it is unloaded for that, and one that is being loaded when it is loaded again.
    Home Assistant tells only what is left of an entry, so this has to know what there was.
    """
    taken_out = hass.data.setdefault(TAKEN_OUT, {})
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
        gone = {key: one for key, one in before.items() if key not in entry.subentries}
        if gone:
            taken_out.setdefault(entry.entry_id, {}).update(gone)
            hass.async_create_task(deal_with(entry), f"{entry.title} removed units")

    async def deal_with(entry: ConfigEntry) -> None:
        # It is not loaded meanwhile, and one that is just being loaded or unloaded is waited for.
        async with entry.setup_lock:
            if entry.state is ConfigEntryState.LOADED:
                return
            if gone := async_take_over(hass, entry):
                await units_removed(hass, entry, gone)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, look)


@callback
def async_take_over(hass: HomeAssistant, entry: ConfigEntry) -> list[ConfigSubentry]:
    """The units that were taken out of an entry and that nobody has let go yet: whoever asks does it."""
    return list(hass.data.get(TAKEN_OUT, {}).pop(entry.entry_id, {}).values())


@callback
def async_let_go(hass: HomeAssistant, entry: ConfigEntry, subentry_ids: Iterable[str]) -> None:
    """Note that these were let go."""
    waiting = hass.data.get(TAKEN_OUT, {}).get(entry.entry_id, {})
    for subentry_id in subentry_ids:
        waiting.pop(subentry_id, None)
