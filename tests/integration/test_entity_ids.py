"""Ids of entities: in English whatever the language of the house, and never others than before."""

import json
from pathlib import Path
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.hybrid_inverter.const import DOMAIN

from .golden import add_link, everything_enabled, served
from .test_plant import plant_entry

pytestmark = [pytest.mark.usefixtures("socket_enabled", "quick_saj"), pytest.mark.timeout(180)]

GERMAN: Final = json.loads(
    (
        Path(__file__).parents[2] / "custom_components" / DOMAIN / "translations" / "de.json"
    ).read_text("utf-8")
)
BATTERY_POWER: Final = GERMAN["entity"]["sensor"]["battery_power"]["name"]


def ids(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, str]:
    """The entity ids of an entry, by the unique id without what is another at every installation."""
    known = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {
        f"{one.domain}.{one.unique_id.replace(entry.entry_id, 'ENTRY')}": one.entity_id
        for one in known
    }


async def speak(hass: HomeAssistant, language: str) -> None:
    """Change the language of the house."""
    await hass.config.async_update(language=language)
    await hass.async_block_till_done()


@pytest.mark.parametrize("language", ["de", "uk", "da"])
@pytest.mark.parametrize(
    ("name", "unused", "example"),
    [
        ("jso_image", 0, "sensor.jso8048104_battery_power"),
        ("chint_dtsu666_1000", None, "sensor.grid_meter_power"),
    ],
)
async def test_new_ones_are_english(
    hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
    language: str,
    name: str,
    unused: int | None,
    example: str,
) -> None:
    """Those of a new installation in another language are those of one in English, also where we have no such language."""
    async with served(name, unused=unused) as server:
        with everything_enabled():
            entry = await add_link(hass, server.port)
            english = ids(hass, entry)
            await hass.config_entries.async_remove(entry.entry_id)
            er.async_get(hass).deleted_entities.clear()
            await speak(hass, language)
            entry = await add_link(hass, server.port)
            assert ids(hass, entry) == english
            assert example in english.values()
            await hass.config_entries.async_unload(entry.entry_id)
    assert "entity ID" not in caplog.text
    assert "object ID" not in caplog.text


async def test_those_of_an_existing_installation_stay(hass: HomeAssistant) -> None:
    """When the house gets another language, or an update brings it: names are translated, ids are not."""
    async with served("jso_image", unused=0) as server:
        entry = await add_link(hass, server.port)
        registry = er.async_get(hass)
        power = registry.async_get_entity_id("sensor", DOMAIN, f"{serial_of(entry)}_battery_power")
        assert power is not None
        registry.async_update_entity(power, new_entity_id="sensor.my_battery")
        before = ids(hass, entry)
        await speak(hass, "de")
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        assert ids(hass, entry) == before
        known = registry.async_get("sensor.my_battery")
        assert known is not None
        assert known.original_name == BATTERY_POWER
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_name_that_a_person_has_given_to_a_device_stands_in_new_ones(
    hass: HomeAssistant,
) -> None:
    """As in English, by Home Assistant's own rule."""
    await speak(hass, "de")
    async with served("jso_image", unused=0) as server:
        entry = await add_link(hass, server.port)
        serial = serial_of(entry)
        devices, registry = dr.async_get(hass), er.async_get(hass)
        device = devices.async_get_device_by_identifier(
            (DOMAIN, f"{serial}_battery"), entry.entry_id
        )
        assert device is not None
        devices.async_update_device(device.id, name_by_user="Keller")
        await hass.config_entries.async_unload(entry.entry_id)
        power = registry.async_get_entity_id("sensor", DOMAIN, f"{serial}_battery_power")
        assert power is not None
        registry.async_remove(power)
        registry.deleted_entities.clear()
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert hass.states.get("sensor.keller_power") is not None
        await hass.config_entries.async_unload(entry.entry_id)


async def test_those_of_a_plant_are_english_too(hass: HomeAssistant) -> None:
    """Behind the name that a person has given to it; both its values and its battery control."""
    await speak(hass, "de")
    async with served("jso_image", unused=0) as server:
        entry = await add_link(hass, server.port)
        serial = serial_of(entry)
        plant = plant_entry({serial: "Osten"}, {serial: 10}, title="Zuhause")
        plant.add_to_hass(hass)
        assert await hass.config_entries.async_setup(plant.entry_id)
        await hass.async_block_till_done()
        assert {
            "sensor.zuhause_pv_power",
            "select.zuhause_battery_control",
            "number.zuhause_battery_reserve",
        } <= {*ids(hass, plant).values()}
        await hass.config_entries.async_unload(plant.entry_id)
        await hass.config_entries.async_unload(entry.entry_id)


def serial_of(entry: ConfigEntry) -> str:
    """The serial number of the only inverter of an entry."""
    (subentry,) = entry.subentries.values()
    assert subentry.unique_id is not None
    return subentry.unique_id
