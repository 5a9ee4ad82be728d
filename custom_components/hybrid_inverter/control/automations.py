"""What triggers and conditions of automations share: their options, and the entities that tell of battery control."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from homeassistant.const import CONF_MODE, CONF_OPTIONS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, entity_registry as er
import voluptuous as vol

from ..const import DOMAIN
from ..modbus.control.order import ControlMode

# How the unique ids end of the selection of a mode, and of the event that tells what happens to orders.
BATTERY_CONTROL: Final = "_battery_control"

# The modes of an order, and those of them that are about the battery.
MODES: Final = tuple(mode.value for mode in ControlMode)
BATTERY_MODES: Final = tuple(mode for mode in MODES if mode != ControlMode.EXPORT_LIMIT)


def some_of(options: Iterable[str]) -> Callable[[Any], Any]:
    """What an option may be of which a person picks one or several."""
    return vol.All(cv.ensure_list, vol.Length(min=1), [vol.In(list(options))])


def options_schema(options: dict[vol.Marker, Any]) -> dict[vol.Marker, Any]:
    """What a schema of Home Assistant's is extended by, so that it takes these options."""
    return {vol.Required(CONF_OPTIONS, default={}): options}


def battery_controls(hass: HomeAssistant, entity_ids: Iterable[str]) -> set[str]:
    """Those of some entities that tell of battery control."""
    registry = er.async_get(hass)
    entries = (registry.async_get(entity_id) for entity_id in entity_ids)
    return {
        entry.entity_id
        for entry in entries
        if entry is not None
        and entry.platform == DOMAIN
        and entry.unique_id.endswith(BATTERY_CONTROL)
    }


def modes_chosen(options: dict[str, Any] | None, otherwise: Iterable[str]) -> set[str]:
    """The modes that an automation asks for, or these."""
    return set((options or {}).get(CONF_MODE, otherwise))
