"""The units that are loaded: behind a device that a person picks, and whether they may; those of a plant; and an entity of ours."""

from collections.abc import Iterable, Iterator

from homeassistant.auth.permissions.const import CAT_ENTITIES
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.service import async_get_device_and_config_entry

from ..const import CONF_MEMBERS, DOMAIN
from ..entry.data import is_plant
from .issues import machine_tag
from .runtime import HybridInverterConfigEntry, RuntimeData, UnitRuntime


def unit_of_device(hass: HomeAssistant, device_id: str) -> UnitRuntime:
    """The unit that a device is, or is a part of; ServiceValidationError when there is none."""
    device, found = async_get_device_and_config_entry(
        hass, DOMAIN, device_id, include_child_devices=False
    )
    entry: HybridInverterConfigEntry = found
    # The devices of a plant are units of other entries.
    for unit in () if is_plant(entry) else entry.runtime_data.units.values():
        if unit.device_id in (device.id, device.via_device_id):
            return unit
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="no_such_unit",
        translation_placeholders={"device": device.name_by_user or device.name or device_id},
    )


def units_among(hass: HomeAssistant, device_ids: Iterable[str]) -> Iterator[UnitRuntime]:
    """The units that some of these devices are, or are a part of; others are passed over."""
    for device_id in device_ids:
        try:
            unit = unit_of_device(hass, device_id)
        except ServiceValidationError:
            continue
        yield unit


def unit_of_tag(hass: HomeAssistant, tag: str) -> UnitRuntime | None:
    """The unit whose serial number has a tag; None while its entry is not loaded."""
    units = async_running_units(hass).items()
    return next((unit for serial, unit in units if machine_tag(serial) == tag), None)


@callback
def async_plant_of(
    hass: HomeAssistant, serial: str, *, but: ConfigEntry | None
) -> ConfigEntry | None:
    """The plant other than `but` that a device is a member of; None when it is in none."""
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        if entry is not but and is_plant(entry) and serial in entry.data[CONF_MEMBERS]:
            return entry
    return None


@callback
def async_running_units(hass: HomeAssistant) -> dict[str, UnitRuntime]:
    """The units of all loaded entries, by their serial numbers."""
    return {
        unit.identity.serial: unit
        for entry in hass.config_entries.async_loaded_entries(DOMAIN)
        if isinstance(entry.runtime_data, RuntimeData)
        for unit in entry.runtime_data.units.values()
    }


@callback
def registered_entity(
    hass: HomeAssistant, platform: str, unique_id: str
) -> er.RegistryEntry | None:
    """What the entity registry has of one of our entities; None where it has none."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(platform, DOMAIN, unique_id)
    return registry.async_get(entity_id) if entity_id else None


async def async_check_permission(call: ServiceCall, unit: UnitRuntime, policy: str) -> None:
    """Raise Unauthorized unless whoever calls an action has this permission for a unit.

    It takes the permission for all entities of the device: a schedule is more than any one of them. Home Assistant checks
    that only where an action has entities as its target. An automation has no user, and may.
    """
    user_id = call.context.user_id
    if not user_id:
        return
    if (user := await call.hass.auth.async_get_user(user_id)) is None:
        raise UnknownUser(context=call.context, permission=policy)
    entities = er.async_entries_for_device(
        er.async_get(call.hass), unit.device_id, include_disabled_entities=True
    )
    allowed = [user.permissions.check_entity(entity.entity_id, policy) for entity in entities]
    if not allowed or not all(allowed):
        raise Unauthorized(context=call.context, permission=policy, perm_category=CAT_ENTITIES)
