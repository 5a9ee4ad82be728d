"""The integration's texts in the language that Home Assistant is set to, with English for what is not translated."""

from collections.abc import Mapping
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import (
    LOCALE_EN,
    async_get_cached_translations,
    async_get_translations,
)

from ..const import DOMAIN
from ..modbus.errors import (
    DeviceError,
    ImplausibleError,
    InvalidValueError,
    LinkError,
    NotAppliedError,
    NotRememberedError,
    RejectedError,
    ResidueError,
    WriteBudgetError,
    WrongDeviceError,
)

# The name of the calendar, which messages use for the schedule as a whole.
SCHEDULE_NAME: Final = "entity.calendar.schedule.name"


async def async_load_texts(hass: HomeAssistant, category: str) -> None:
    """Load a category of texts: a dialog may open before Home Assistant has loaded the integration."""
    await async_get_translations(hass, hass.config.language, category, {DOMAIN})


@callback
def async_text(hass: HomeAssistant, path: str, **placeholders: object) -> str | None:
    """The text at a path of `translations`, as `selector.day.options.monday`; None where there is none."""
    return _text(hass, hass.config.language, path, placeholders)


@callback
def async_english_text(hass: HomeAssistant, path: str, **placeholders: object) -> str | None:
    """The same in English, which Home Assistant loads with every other language."""
    return _text(hass, LOCALE_EN, path, placeholders)


@callback
def error_text(hass: HomeAssistant, error: DeviceError) -> str:
    """What fills `{error}`, or `{found}` for another device, in a message to a person.

    The texts of the category `selector` have to be loaded, as they are wherever the integration is set up.
    """
    placeholders: dict[str, str]
    match error:
        case ResidueError():
            return error_text(hass, error.cause)
        case WrongDeviceError():
            path, placeholders = f"other_device.options.{error.found}", dict(error.details)
        case LinkError():
            path, placeholders = f"link_error.options.{error.code}", error.placeholders
        case RejectedError():
            path, placeholders = "device_error.options.rejected", {"code": str(error.code)}
        case ImplausibleError():
            path, placeholders = "device_error.options.implausible", {}
        case NotAppliedError():
            path, placeholders = "device_error.options.not_applied", {"address": str(error.address)}
        case WriteBudgetError():
            path = "device_error.options.write_budget"
            placeholders = {"address": str(error.address), "limit": str(error.limit)}
        case InvalidValueError():
            path, placeholders = "device_error.options.invalid_value", {}
        case NotRememberedError():
            path, placeholders = "device_error.options.not_remembered", {}
        case _:
            return error.what
    if "code" in placeholders:
        placeholders["meaning"] = _exception_text(hass, placeholders["code"])
    try:
        return async_text(hass, f"selector.{path}", **placeholders) or error.what
    except KeyError:
        # Not everything that the text names is known of every error.
        return error.what


@callback
def _text(
    hass: HomeAssistant, language: str, path: str, placeholders: Mapping[str, object]
) -> str | None:
    texts = async_get_cached_translations(hass, language, path.partition(".")[0], DOMAIN)
    text = texts.get(f"component.{DOMAIN}.{path}")
    return text if text is None else text.format(**placeholders)


@callback
def _exception_text(hass: HomeAssistant, code: str) -> str:
    """What a Modbus exception means (Modbus application protocol section 7)."""
    meanings = (
        async_text(hass, f"selector.modbus_exception.options.{key}") for key in (code, "other")
    )
    return next(filter(None, meanings), "")
