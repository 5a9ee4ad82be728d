"""Parts that an owner has taken away: asked about, forgotten, deleted; and devices that cannot be deleted."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import freezegun
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.issues import issue_id
from simulator import SimulatedPlant
from tests.modbus.fault_server import FaultServer

from .helpers import SERIAL, find, load, network_entry, refresh, unit_of
from .test_entities_saj import set_up as set_up_by_dialog
from .test_schedule_windows import set_up

START: Final = "2026-06-21 08:00:05+00:00"
# How many packs there are.
PACK_COUNT: Final = (1, 10002)


def gone(hass: HomeAssistant) -> str | None:
    """Return the parts that the issue names; None while there is none."""
    found = ir.async_get(hass).async_get_issue(DOMAIN, issue_id(SERIAL, "parts_gone"))
    return None if found is None else (found.translation_placeholders or {})["parts"]


def features(entry: MockConfigEntry) -> list[str]:
    """Return what is kept of what only some machines have."""
    (subentry,) = entry.subentries.values()
    kept: list[str] = subentry.data["identity"]["features"]
    return kept


async def days(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, entry: MockConfigEntry, number: int
) -> None:
    """Let days pass, with the daily look at what the machine is."""
    for _ in range(number):
        freezer.tick(timedelta(days=1))
        await refresh(hass, entry, Group.IDENTITY)


@pytest.fixture
def frozen(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the event loop's own time pass, or no machine would ever answer."""
    monkeypatch.setattr(hass.loop, "time", freezegun.api.real_monotonic)


@pytest.mark.freeze_time(START)
async def test_a_pack_that_is_gone_for_two_days_is_asked_about_and_forgotten_on_request(
    hass: HomeAssistant,
    pictured: MockConfigEntry,
    picture: FaultServer,
    freezer: FrozenDateTimeFactory,
    frozen: None,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
) -> None:
    """Its entities go with it, and those of the pack that is left stay; a pack that is back is found by itself."""
    assert await async_setup_component(hass, "repairs", {})
    entry = await load(hass, pictured, background=True)
    assert features(entry) == ["pack_1", "pack_2", "packs"]
    picture.memory[PACK_COUNT] = 1
    await days(hass, freezer, entry, 2)
    assert gone(hass) is None
    await days(hass, freezer, entry, 1)
    assert gone(hass) == "battery pack 2"
    assert find(hass, Platform.SENSOR, "pack_2_soc") is not None

    # Days ago is too long for a login.
    token = await hass.auth.async_create_refresh_token(hass_admin_user, "https://example.com/app")
    client = await hass_client(hass.auth.async_create_access_token(token))

    async def post(path: str, data: dict[str, Any]) -> Any:
        answer = await client.post(f"/api/repairs/issues/fix{path}", json=data)
        assert answer.status == HTTPStatus.OK
        return await answer.json()

    handler = {"handler": DOMAIN, "issue_id": issue_id(SERIAL, "parts_gone")}
    shown = await post("", handler)
    assert shown["description_placeholders"] == {"name": "JSO8048104", "parts": "battery pack 2"}
    picture.silent = frozenset({1})
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["errors"] == {"base": "not_forgotten"}
    assert shown["description_placeholders"]["error"].startswith("no response from unit id 1")
    picture.silent = frozenset()
    # Since then nothing shows the other pack either, of which nobody has asked.
    picture.memory[PACK_COUNT] = 0
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["type"] == "create_entry"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert gone(hass) is None
    assert features(entry) == ["pack_1", "packs"]
    assert find(hass, Platform.SENSOR, "pack_2_soc") is None
    assert find(hass, Platform.SENSOR, "pack_1_soc") is not None

    picture.memory[PACK_COUNT] = 2
    await days(hass, freezer, entry, 1)
    assert features(entry) == ["pack_1", "pack_2", "packs"]
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.freeze_time(START)
async def test_a_pack_that_is_back_withdraws_the_question(
    hass: HomeAssistant,
    pictured: MockConfigEntry,
    picture: FaultServer,
    freezer: FrozenDateTimeFactory,
    frozen: None,
    few_entities: None,
) -> None:
    """And a day on which it is there lets the two days begin anew."""
    entry = await load(hass, pictured, background=True)
    picture.memory[PACK_COUNT] = 1
    await days(hass, freezer, entry, 2)
    picture.memory[PACK_COUNT] = 2
    await days(hass, freezer, entry, 1)
    picture.memory[PACK_COUNT] = 1
    await days(hass, freezer, entry, 2)
    assert gone(hass) is None
    # A day without an answer says nothing.
    picture.silent = frozenset({1})
    await days(hass, freezer, entry, 1)
    assert gone(hass) is None
    picture.silent = frozenset()
    await refresh(hass, entry, Group.POWER)
    await days(hass, freezer, entry, 1)
    assert gone(hass) == "battery pack 2"
    # A start does not withdraw it.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await days(hass, freezer, entry, 1)
    assert gone(hass) == "battery pack 2"
    picture.memory[PACK_COUNT] = 2
    await days(hass, freezer, entry, 1)
    assert gone(hass) is None
    assert features(entry) == ["pack_1", "pack_2", "packs"]


# ---------------------------------------------------------------------- devices


async def delete(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, entry: MockConfigEntry, name: str
) -> str | None:
    """Delete a device like a person does; the error if it stays."""
    assert await async_setup_component(hass, "config", {})
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, name), entry.entry_id)
    assert device is not None, name
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "config/device_registry/remove_config_entry",
            "config_entry_id": entry.entry_id,
            "device_id": device.id,
        }
    )
    answer = await client.receive_json()
    await hass.async_block_till_done(wait_background_tasks=True)
    left = dr.async_get(hass).async_get(device.id)
    assert (left is None) == answer["success"]
    return None if answer["success"] else answer["error"]["translation_key"]


async def test_a_meter_that_the_inverter_does_not_report_is_deleted_and_forgotten(
    hass: HomeAssistant, saj: SimulatedPlant, hass_ws_client: WebSocketGenerator
) -> None:
    """Not while the inverter does not answer. What it reports with the meter is forgotten, too, and a silent pack is not."""
    entry = await set_up(hass, saj, "meter_a", "meter_b", "meter_b_three_phase", "battery_4")
    await hass.async_block_till_done(wait_background_tasks=True)
    serial = unit_of(entry).identity.serial
    saj.machine().trouble.silent = True
    assert await delete(hass, hass_ws_client, entry, f"{serial}_meter_b") == "device_not_asked"
    assert "meter_b" in features(entry)
    saj.machine().trouble.silent = False
    assert await delete(hass, hass_ws_client, entry, f"{serial}_meter_b") is None
    assert not {"meter_b", "meter_b_three_phase"}.intersection(features(entry))
    assert "battery_4" in features(entry)
    assert find(hass, Platform.SENSOR, "meter_b_power", serial) is None


async def test_a_meter_that_the_inverter_reports_stays(
    hass: HomeAssistant, socket_enabled: None, quick_saj: None, hass_ws_client: WebSocketGenerator
) -> None:
    """A three-phase inverter with both meters."""
    async with SimulatedPlant(model="H2-10K-T2") as plant:
        plant.advance(60)
        entry = await set_up_by_dialog(hass, plant.tcp_port)
        await hass.async_block_till_done(wait_background_tasks=True)
        serial = unit_of(entry).identity.serial
        for part in ("meter_a", "meter_b"):
            refused = await delete(hass, hass_ws_client, entry, f"{serial}_{part}")
            assert refused == "device_is_there"
        assert {"meter_a", "meter_b"} <= set(features(entry))
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_only_parts_are_deleted(
    hass: HomeAssistant, plant: SimulatedPlant, hass_ws_client: WebSocketGenerator
) -> None:
    """The inverter, the link and a part that is in use would come back."""
    entry = await load(hass, network_entry(plant.tcp_port))
    assert await delete(hass, hass_ws_client, entry, SERIAL) == "device_is_unit"
    assert await delete(hass, hass_ws_client, entry, entry.entry_id) == "device_is_entry"
    assert await delete(hass, hass_ws_client, entry, f"{SERIAL}_battery") == "device_is_there"
    # A part of which nothing is shown, and a device that nothing makes any more.
    registry = er.async_get(hass)
    grid = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, f"{SERIAL}_grid"), entry.entry_id
    )
    assert grid is not None
    for known in er.async_entries_for_device(registry, grid.id, include_disabled_entities=True):
        registry.async_remove(known.entity_id)
    assert await delete(hass, hass_ws_client, entry, f"{SERIAL}_grid") is None
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(DOMAIN, "former")}
    )
    assert await delete(hass, hass_ws_client, entry, "former") is None
    await hass.config_entries.async_unload(entry.entry_id)
    assert await delete(hass, hass_ws_client, entry, f"{SERIAL}_pv") == "device_not_loaded"
