"""The action get_dashboard: a dashboard, or cards, for what is set up, as data and as YAML to paste."""

from typing import Any, Final, cast

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util.json import JsonValueType
from homeassistant.util.yaml import dump
import voluptuous as vol

from ..const import DOMAIN
from ..entry.texts import async_load_texts, async_text
from .cards import Card
from .flow_cards import PLUS, SUNSYNK, plus_cards, sunsynk_cards
from .found import Found, async_find
from .views import views

ATTR_KIND: Final = "kind"
DASHBOARD: Final = "dashboard"
# What may be asked for, by the option of the action.
CARDS: Final = {SUNSYNK.replace("-", "_"): sunsynk_cards, PLUS.replace("-", "_"): plus_cards}
DASHBOARD_SCHEMA: Final = vol.Schema(
    {vol.Optional(ATTR_KIND, default=DASHBOARD): vol.In([DASHBOARD, *CARDS])}
)


async def async_get_dashboard(call: ServiceCall) -> ServiceResponse:
    """Return the dashboard, or the cards; ServiceValidationError while nothing is set up that they could show."""
    found = async_find(call.hass)
    kind = call.data[ATTR_KIND]
    if kind == DASHBOARD:
        await async_load_texts(call.hass, "selector")
        made: dict[str, Any] = await _dashboard(call.hass, found)
        _refuse_if(not made["views"])
        return {DASHBOARD: made, "yaml": dump(made)}
    cards: list[Card] = CARDS[kind](found)
    _refuse_if(not cards)
    # One card is pasted as it is, several are below each other.
    pasted = cards[0] if len(cards) == 1 else {"type": "vertical-stack", "cards": cards}
    return {"cards": cast("JsonValueType", cards), "yaml": dump(pasted)}


def _refuse_if(nothing: bool) -> None:
    """Raise ServiceValidationError when there is nothing to show."""
    if nothing:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="nothing_to_show")


async def _dashboard(hass: HomeAssistant, found: Found) -> dict[str, Any]:
    """The dashboard in the language of the house."""

    def text(key: str, **placeholders: object) -> str:
        return async_text(hass, f"selector.dashboard.options.{key}", **placeholders) or key

    return {
        "title": text("title"),
        "views": views(found, text, with_energy=await _has_energy(hass)),
    }


async def _has_energy(hass: HomeAssistant) -> bool:
    """Whether the Energy dashboard is set up."""
    if "energy" not in hass.config.components:
        return False
    # Where it is loaded, it is imported; nobody else needs it.
    from homeassistant.components.energy.data import async_get_manager

    manager = await async_get_manager(hass)
    return bool(manager.data and manager.data["energy_sources"])
