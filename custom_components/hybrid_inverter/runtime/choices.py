"""The words of the choices in the forms of our actions, in the language of the house.

services.yaml has them in English. The page takes them from there in the form of a window, and in any other form until it
has loaded the translations.
"""

from pathlib import Path
from typing import Any, Final

from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers.service import async_set_service_schema
from homeassistant.util.yaml import load_yaml_dict

from ..const import DOMAIN
from ..entry.texts import async_load_texts, async_text

ACTIONS: Final = Path(__file__).parents[1] / "services.yaml"
ENGLISH: Final = "en"


async def async_translate_choices(hass: HomeAssistant) -> None:
    """Describe the actions in the language of the house, now and whenever it changes."""

    async def handle_change(event: Event[dict[str, Any]]) -> None:
        if "language" in event.data:
            await _async_describe(hass)

    hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, handle_change)
    # Home Assistant reads the file itself when it first needs it.
    if hass.config.language != ENGLISH:
        await _async_describe(hass)


async def _async_describe(hass: HomeAssistant) -> None:
    """Give Home Assistant what the file says of the actions, with other labels."""
    described = await hass.async_add_executor_job(load_yaml_dict, str(ACTIONS))
    await async_load_texts(hass, "selector")
    for action, description in described.items():
        async_set_service_schema(hass, DOMAIN, action, _translated(hass, description))


def _translated(hass: HomeAssistant, part: Any) -> Any:
    """A part of a description, whose choices have their labels in the language of the house."""
    if isinstance(part, list):
        return [_translated(hass, item) for item in part]
    if not isinstance(part, dict):
        return part
    options = part.get("options")
    if (key := part.get("translation_key")) is None or options is None:
        return {name: _translated(hass, item) for name, item in part.items()}
    labels = {
        option["value"]: async_text(hass, f"selector.{key}.options.{option['value']}")
        for option in options
    }
    return {
        **part,
        "options": [
            {**option, "label": labels[option["value"]] or option["label"]} for option in options
        ],
    }
