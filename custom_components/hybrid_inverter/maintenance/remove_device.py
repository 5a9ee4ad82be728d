"""Deleting a device in Home Assistant: only the device of a part that is gone, as any other would come back."""

from collections.abc import Iterable

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import DOMAIN
from ..entities.base import part_identifier
from ..entry.data import is_plant
from ..entry.texts import error_text
from ..modbus.errors import DeviceError
from ..modbus.model.features import Feature
from ..modbus.model.part import WHOLE, Part
from ..modbus.tables import FAMILIES
from ..runtime.runtime import UnitRuntime
from .removed_parts import async_forget, async_missing, removable_features


async def async_remove_device(
    hass: HomeAssistant, entry: ConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Whether a device may be deleted; HomeAssistantError says what to do about one that may not."""
    if entry.state is not ConfigEntryState.LOADED:
        raise _refused(device, translation_key="device_not_loaded")
    if is_plant(entry) or (DOMAIN, entry.entry_id) in device.identifiers:
        raise _refused(device, translation_key="device_is_entry")
    for unit in entry.runtime_data.units.values():
        for part in Part:
            if part_identifier(unit, part) not in device.identifiers:
                continue
            if part in WHOLE:
                raise _refused(device, translation_key="device_is_unit")
            return await _async_remove_part(hass, entry, unit, part, device)
    # Nothing of what is set up makes it any more.
    return True


async def _async_remove_part(
    hass: HomeAssistant,
    entry: ConfigEntry,
    unit: UnitRuntime,
    part: Part,
    device: dr.DeviceEntry,
) -> bool:
    """Whether a part of a unit is gone. What only came with it is forgotten."""
    if not er.async_entries_for_device(
        er.async_get(hass), device.id, include_disabled_entities=True
    ):
        # It does not apply to how the inverter is set, and comes back with the setting.
        return True
    removable = removable_features(entry, unit)
    if not _shown_without(unit, part, {one.key for one in removable}):
        try:
            missing = await async_missing(entry, unit)
        except DeviceError as err:
            raise _refused(
                device, translation_key="device_not_asked", error=error_text(hass, err)
            ) from err
        gone = _of_part(missing, part)
        if not _shown_without(unit, part, {one.key for one in gone}):
            async_forget(hass, entry, unit, gone)
            return True
    raise _refused(device, translation_key="device_is_there")


def _of_part(features: Iterable[Feature], part: Part) -> list[Feature]:
    """Those of some features that an owner takes away with a part: what it shows, and what has the same name."""
    known = list(features)
    names = [
        one.removable
        for one in known
        if any(value.part is part for value in (*one.registers.values(), *one.derived.values()))
    ]
    return [one for one in known if one.removable in names]


def _shown_without(unit: UnitRuntime, part: Part, gone: set[str]) -> bool:
    """Whether anything of a part is left when a unit does not have some of its features."""
    family = FAMILIES[unit.identity.family].fitted(unit.device.features - gone, unit.identity.facts)
    return any(
        value.part is part for value in (*family.registers.values(), *family.derived.values())
    )


def _refused(
    device: dr.DeviceEntry, *, translation_key: str, **placeholders: str
) -> HomeAssistantError:
    """The error for a device that stays."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "device": device.name_by_user or device.name or device.id,
            **placeholders,
        },
    )
