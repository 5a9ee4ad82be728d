"""What a person is told of a poll that brought nothing."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import UpdateFailed

from ..const import DOMAIN
from ..entry.texts import error_text
from ..modbus.errors import DeviceError, WrongDeviceError
from .machine import Machine


def poll_failure(
    hass: HomeAssistant, machine: Machine, error: DeviceError, retry_after: float | None = None
) -> UpdateFailed:
    """What a coordinator raises; `retry_after` are the seconds until the next poll, None for the interval."""
    translation_key, placeholder = "no_answer", "error"
    if isinstance(error, WrongDeviceError):
        translation_key, placeholder = "wrong_machine", "found"
    return UpdateFailed(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "model": machine.identity.model,
            placeholder: error_text(hass, error),
        },
        retry_after=retry_after,
    )
