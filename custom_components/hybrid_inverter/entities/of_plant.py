"""What the entities of a plant share: their device, their ids, and which of them exist."""

from collections.abc import Callable, Iterable
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)

from ..const import DOMAIN
from .english_ids import async_device_name

# A plant is one device: what belongs to a part of an inverter has a text of its own there, which begins with this.
PREFIX: Final = "plant_"


def plant_unique_id(entry: ConfigEntry, description: EntityDescription) -> str:
    """The unique id of an entity of a plant."""
    return f"{entry.entry_id}_{description.key}"


def plant_device_info(entry: ConfigEntry) -> DeviceInfo:
    """The device that a plant is shown as."""
    return DeviceInfo(
        identifiers={(DOMAIN, entry.entry_id)},
        name=entry.title,
        entry_type=DeviceEntryType.SERVICE,
    )


@callback
def async_plant_name(hass: HomeAssistant, entry: ConfigEntry) -> str:
    """What a person calls a plant, also in the ids of its entities."""
    return async_device_name(hass, (DOMAIN, entry.entry_id), entry.entry_id, entry.title)


@callback
def async_add_to_plant[DescriptionT: EntityDescription](
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[DescriptionT],
    entity: Callable[[DescriptionT], Entity],
    *,
    exists: Callable[[DescriptionT], bool],
    may_come_back: bool,
) -> None:
    """Add the entities that the members can provide, and remove the others.

    One that only a missing member can provide may come back, and stays.
    """
    registry, platform = er.async_get(hass), async_get_current_platform().domain
    entities = []
    for description in descriptions:
        known = registry.async_get_entity_id(platform, DOMAIN, plant_unique_id(entry, description))
        if exists(description) or (known and may_come_back):
            entities.append(entity(description))
        elif known:
            registry.async_remove(known)
    async_add_entities(entities)
