"""What the trigger and the condition of the schedule share: the slots that an automation asks for."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.core import State
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..modbus.model.slots import MODES, START_SLOTS
from .sensors import ATTR_SLOT, NONE

CONF_SLOT: Final = "slot"

# What tells which slot is in force: its number, or, of slots that are windows themselves, its mode.
ACTIVE_SLOTS: Final = (
    (Platform.SENSOR, "active_slot"),
    (Platform.SENSOR, "active_window"),
)
SLOTS: Final = (*map(str, START_SLOTS), *MODES)
NO_SLOT: Final = frozenset({NONE, STATE_UNKNOWN, STATE_UNAVAILABLE})

SLOT_OPTION: Final[dict[vol.Marker, Any]] = {
    vol.Optional(CONF_SLOT): vol.All(
        cv.ensure_list, vol.Length(min=1), [vol.All(cv.string, vol.In(SLOTS))]
    )
}


def is_slot(state: State, options: Mapping[str, Any] | None) -> bool:
    """Whether a slot is in force, and one that an automation asks for."""
    return state.state not in NO_SLOT and state.state in (options or {}).get(CONF_SLOT, SLOTS)


def active_slot(state: State) -> tuple[str, Any]:
    """What tells a slot in force from another one: its number, or its mode and its number."""
    return state.state, state.attributes.get(ATTR_SLOT)
