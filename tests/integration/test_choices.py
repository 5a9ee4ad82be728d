"""The choices in the forms of the actions are in the language of the house."""

import json
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.setup import async_setup_component

from custom_components.hybrid_inverter.const import DOMAIN

GERMAN: Final = json.loads(
    (
        Path(__file__).parents[2] / "custom_components" / DOMAIN / "translations" / "de.json"
    ).read_text("utf-8")
)["selector"]


async def described(hass: HomeAssistant) -> dict[str, Any]:
    """What the page is told of the actions."""
    found: dict[str, Any] = (await async_get_all_descriptions(hass))[DOMAIN]
    return found


def labels(actions: dict[str, Any], action: str, *path: str) -> list[str]:
    """The labels of a choice."""
    part = actions[action]["fields"]
    for name in path:
        part = part[name]
    return [option["label"] for option in part["selector"]["select"]["options"]]


def sources(actions: dict[str, Any]) -> list[str]:
    """Those of the choice in the form of a window."""
    window = ("six_slots", "fields", "windows", "selector", "object", "fields", "charge_from")
    return labels(actions, "set_schedule", *window)


async def test_they_follow_the_language_and_nothing_else_changes(hass: HomeAssistant) -> None:
    """Also when it changes later, and back."""
    assert await async_setup_component(hass, DOMAIN, {})
    english = await described(hass)
    assert labels(english, "control_battery", "mode")[:2] == ["Hold", "Charge"]
    assert sources(english) == ["Grid", "Generator"]

    await hass.config.async_update(language="de")
    await hass.async_block_till_done()
    german = await described(hass)
    modes = GERMAN["control_mode"]["options"]
    assert labels(german, "control_battery", "mode")[:2] == [modes["hold"], modes["charge"]]
    assert sources(german) == [*GERMAN["charge_source"]["options"].values()]
    assert sources(german) != sources(english)
    for action, described_in_english in english.items():
        assert german[action].get("target") == described_in_english.get("target")
        assert german[action].get("response") == described_in_english.get("response")
        assert german[action]["fields"].keys() == described_in_english["fields"].keys()

    await hass.config.async_update(language="en")
    await hass.async_block_till_done()
    assert sources(await described(hass)) == ["Grid", "Generator"]


async def test_a_house_that_speaks_another_language_from_the_start(hass: HomeAssistant) -> None:
    """They are there before anything of the integration is set up."""
    hass.config.language = "de"
    assert await async_setup_component(hass, DOMAIN, {})
    assert sources(await described(hass)) == [*GERMAN["charge_source"]["options"].values()]
