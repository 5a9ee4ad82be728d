"""Lets Home Assistant's clock run faster, by an action. Only for the demo; see scripts/lab/fast_home.py."""

from typing import Any, Final

from homeassistant.core import HomeAssistant, ServiceCall, callback

from lab import fast_home

DOMAIN: Final = "fast_clock"


async def async_setup(hass: HomeAssistant, config: dict[str, Any]) -> bool:
    """Offer the action."""

    @callback
    def change(call: ServiceCall) -> None:
        fast_home.change(call.data["speed"], call.data["span"])

    hass.services.async_register(DOMAIN, "change", change)
    return True
