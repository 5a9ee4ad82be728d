"""Entities that came to depend on a mode: who had enabled one before keeps it in every mode."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..entry.data import family_of, identity_of

# What the entity registry keeps of us for such an entity.
KEPT: Final[Mapping[str, Any]] = {"kept": True}


@callback
def async_keep_enabled(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Mark what is enabled of an entry of the time before, and enable what nobody has disabled: it comes with the mode.

    Home Assistant loads an entry again half a minute after an entity of it was enabled.
    """
    registry = er.async_get(hass)
    keys = {
        f"{identity_of(subentry.data).serial}_{row.key}"
        for subentry in entry.subentries.values()
        for row in family_of(subentry.data).every_row()
        if row.kept
    }
    for known in er.async_entries_for_config_entry(registry, entry.entry_id):
        if known.unique_id not in keys:
            continue
        if not known.disabled:
            registry.async_update_entity_options(known.entity_id, DOMAIN, KEPT)
        elif (
            known.disabled_by is er.RegistryEntryDisabler.INTEGRATION
            and not entry.pref_disable_new_entities
        ):
            registry.async_update_entity(known.entity_id, disabled_by=None)


def is_kept(known: er.RegistryEntry) -> bool:
    """Whether an entity stays whatever mode there is."""
    return DOMAIN in known.options
