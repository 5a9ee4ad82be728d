"""What the entity registry knows of a unit's entities before they are added: which are enabled, which are obsolete."""

from collections.abc import Iterator

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..modbus.model.part import WHOLE, Part
from ..runtime.faults import watched_keys
from ..runtime.lookup import registered_entity
from ..runtime.runtime import HybridInverterConfigEntry, UnitRuntime
from .base import (
    UnitEntityDescription,
    conditions_of,
    is_served,
    part_identifier,
    unique_id,
)
from .descriptions import ByPlatform, descriptions_of


def entities_of(
    unit: UnitRuntime, others: ByPlatform
) -> Iterator[tuple[Platform, UnitEntityDescription]]:
    """All entities that a unit can have in the chosen tier: of its values, and others that are described by platforms."""
    for platform, descriptions in descriptions_of(unit).items():
        for description in descriptions:
            yield platform, description
    for platform, descriptions in others.items():
        for description in descriptions:
            if is_served(unit, description):
                yield platform, description


def enabled_keys(unit: UnitRuntime, others: ByPlatform) -> set[str]:
    """The keys that the first poll is for: what is shown, as far as the registry knows, and what is watched."""
    keys = set(watched_keys(unit.device.family.faults))
    for platform, description in entities_of(unit, others):
        deciding = {key for condition in conditions_of(unit, description) for key in condition.keys}
        keys |= deciding
        if not (polled := description.polled_from(unit.device.family)):
            continue
        known_as = unique_id(unit, description)
        if deciding and not unit.registered_before(known_as):
            continue
        known = registered_entity(unit.hass, platform, known_as)
        if not known.disabled if known else description.entity_registry_enabled_default:
            keys |= polled
    return keys


@callback
def async_remove_orphans(
    hass: HomeAssistant, entry: HybridInverterConfigEntry, unit: UnitRuntime, others: ByPlatform
) -> None:
    """Remove entities that the unit cannot have, as a setting is another entity in another tier, and parts without any."""
    registry = er.async_get(hass)
    expected = {
        (platform, unique_id(unit, description))
        for platform, description in entities_of(unit, others)
    }
    for known in er.async_entries_for_config_entry(registry, entry.entry_id):
        if (
            known.config_subentry_id == unit.subentry_id
            and (known.domain, known.unique_id) not in expected
        ):
            registry.async_remove(known.entity_id)
    devices = dr.async_get(hass)
    parts = {description.part for _, description in entities_of(unit, others)} | WHOLE
    for part in set(Part) - parts:
        device = devices.async_get_device_by_identifier(part_identifier(unit, part), entry.entry_id)
        if device is not None:
            devices.async_remove_device(device.id)
