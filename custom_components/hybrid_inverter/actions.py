"""The actions: what is done to an inverter as a whole, and not to one of its entities."""

from typing import Final

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse, callback
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from .const import DOMAIN
from .schedule_actions import GET_SCHEMA, SET_SCHEMA, async_get_schedule, async_set_schedule
from .unit import unit_of_device
from .writing import async_undo

UNDO_SCHEMA: Final = vol.Schema({vol.Required(ATTR_DEVICE_ID): cv.string})


@callback
def async_setup_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        "get_schedule",
        async_get_schedule,
        schema=GET_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        "set_schedule",
        async_set_schedule,
        schema=SET_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN, "undo_last_change", async_undo_last_change, schema=UNDO_SCHEMA
    )


async def async_undo_last_change(call: ServiceCall) -> None:
    """Put the last change of a setting back."""
    await async_undo(unit_of_device(call.hass, call.data[ATTR_DEVICE_ID]))
