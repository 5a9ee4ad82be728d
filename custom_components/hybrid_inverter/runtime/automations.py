"""What triggers and conditions of automations share: their options, and the entities that tell of a unit."""

from collections.abc import Callable, Iterable
from typing import Any

from homeassistant.const import CONF_OPTIONS, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, entity_registry as er
import voluptuous as vol

from ..const import CONF_MEMBERS, DOMAIN
from ..entry.data import identity_of, is_plant
from .runtime import RuntimeData, UnitRuntime

# An entity by its platform and the key in its unique id.
type Teller = tuple[Platform, str]


def some_of(options: Iterable[Any]) -> Callable[[Any], Any]:
    """What an option may be of which a person picks one or several."""
    return vol.All(cv.ensure_list, vol.Length(min=1), [vol.In(list(options))])


def options_schema(options: dict[vol.Marker, Any]) -> dict[vol.Marker, Any]:
    """What a schema of Home Assistant's is extended by, so that it takes these options."""
    return {vol.Required(CONF_OPTIONS, default={}): options}


def telling(hass: HomeAssistant, entity_ids: Iterable[str], *tellers: Teller) -> set[str]:
    """The entities that tell of the units, the links or the plants to which some entities belong.

    Whoever picks an inverter, its battery or any entity of it means the same inverter, whichever of its devices tells. A
    plant tells itself what it can, and its members the rest.
    """
    registry = er.async_get(hass)
    owners: dict[str, tuple[str, ...]] = {}
    for entity_id in entity_ids:
        entry = registry.async_get(entity_id)
        if entry is None or entry.platform != DOMAIN:
            continue
        owner = hass.config_entries.async_get_entry(entry.config_entry_id or "")
        if owner is None:
            continue
        if is_plant(owner):
            owners[owner.entry_id] = tuple(owner.data[CONF_MEMBERS])
        elif (unit := owner.subentries.get(entry.config_subentry_id or "")) is not None:
            owners[identity_of(unit.data).serial] = ()
        else:
            owners[owner.entry_id] = ()
    found: set[str] = set()
    for platform, key in tellers:
        for owner_id, members in owners.items():
            own = registry.async_get_entity_id(platform, DOMAIN, f"{owner_id}_{key}")
            if own is not None:
                found.add(own)
                continue
            of_members = (
                registry.async_get_entity_id(platform, DOMAIN, f"{serial}_{key}")
                for serial in members
            )
            found |= {entity_id for entity_id in of_members if entity_id is not None}
    return found


def unit_of_entity(hass: HomeAssistant, entity_id: str) -> UnitRuntime | None:
    """The unit that an entity belongs to; None while its entry is not loaded."""
    entry = er.async_get(hass).async_get(entity_id)
    if entry is None or entry.config_entry_id is None or entry.config_subentry_id is None:
        return None
    owner = hass.config_entries.async_get_entry(entry.config_entry_id)
    if owner is None or is_plant(owner):
        return None
    data = getattr(owner, "runtime_data", None)
    return data.units.get(entry.config_subentry_id) if isinstance(data, RuntimeData) else None
