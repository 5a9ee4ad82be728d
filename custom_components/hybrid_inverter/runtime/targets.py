"""What an action is called for: the devices that its target means, and the inverters behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
from homeassistant.util.json import JsonValueType

from ..const import DOMAIN
from .lookup import async_check_permission, unit_of_device, units_among
from .runtime import UnitRuntime

# A target: devices, entities, areas, floors and labels, in the target of an action or among its data, one or several.
TARGET: Final = cv.ENTITY_SERVICE_FIELDS
# What a target leaves out; Home Assistant has this since 2026.11.
EXCLUDE: Final = "exclude"


@dataclass(frozen=True, slots=True)
class Selected:
    """The ids of the devices that a target means, in a fixed order."""

    # Chosen themselves, or through one of their entities.
    named: Sequence[str]
    # In a chosen area, on a floor or under a label, where there are other devices, too.
    around: Sequence[str]


def selected_devices(hass: HomeAssistant, data: Mapping[str, Any]) -> Selected:
    """The devices that the target in the data of an action means.

    ServiceValidationError for an empty target, and for an entity that belongs to no device.
    """
    selection = TargetSelection(dict(data))
    if not selection.has_any_target:
        raise no_target()
    selected = async_extract_referenced_entity_ids(hass, selection, primary_entities_only=False)
    named = dict.fromkeys(sorted(selection.device_ids & selected.referenced_devices))
    named |= dict.fromkeys(_device_of(hass, entity_id) for entity_id in sorted(selected.referenced))
    around = selected.referenced_devices | {
        entry.device_id
        for entity_id in selected.indirectly_referenced
        if (entry := er.async_get(hass).async_get(entity_id)) is not None and entry.device_id
    }
    excluded = _excluded(hass, data)
    left = (one for one in around - named.keys() if not _belongs_to(hass, one, excluded))
    return Selected(tuple(named), sorted(left))


def _excluded(hass: HomeAssistant, data: Mapping[str, Any]) -> set[str]:
    """The ids of the devices that the target in the data of an action leaves out."""
    selection = TargetSelection(dict(data.get(EXCLUDE) or {}))
    found = async_extract_referenced_entity_ids(hass, selection, primary_entities_only=False)
    return found.referenced_devices


def _belongs_to(hass: HomeAssistant, device_id: str, owners: set[str]) -> bool:
    """Whether a device is one of some, or a part of one: Home Assistant leaves out only the very device."""
    registry = dr.async_get(hass)
    seen: set[str] = set()
    above: str | None = device_id
    while above is not None and above not in seen:
        seen.add(above)
        device = registry.async_get(above)
        above = device.via_device_id if isinstance(device, dr.DeviceEntry) else None
    return not seen.isdisjoint(owners)


def no_target() -> ServiceValidationError:
    """The error for a target that means nothing an action is for."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="no_target")


def _device_of(hass: HomeAssistant, entity_id: str) -> str:
    """The device that an entity belongs to."""
    entry = er.async_get(hass).async_get(entity_id)
    if entry is None or entry.device_id is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_device",
            translation_placeholders={"entity": entity_id},
        )
    return entry.device_id


async def async_units_of_call(call: ServiceCall, policy: str) -> list[UnitRuntime]:
    """The units that an action is called for, each once, by somebody who has this permission for all of them.

    ServiceValidationError when there is none, or when a chosen device is none. Of an area, only the inverters are meant.
    """
    selected = selected_devices(call.hass, call.data)
    meant = [unit_of_device(call.hass, device_id) for device_id in selected.named]
    meant += (unit for unit in units_among(call.hass, selected.around) if unit.role is None)
    units = list({unit.identity.serial: unit for unit in meant}.values())
    if not units:
        raise no_target()
    for unit in units:
        await async_check_permission(call, unit, policy)
    return units


def response_of(answers: Mapping[str, Mapping[str, JsonValueType]]) -> ServiceResponse:
    """The response for the answers of devices by their ids: one is told as it is, several by these ids."""
    if len(answers) == 1:
        (answer,) = answers.values()
        return dict(answer)
    return {device_id: dict(answer) for device_id, answer in answers.items()}
