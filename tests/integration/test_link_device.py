"""The device of a link: where it stands, and what it tells."""

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED, Platform
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.ticks import INTERVAL
from simulator import SimulatedPlant

from .helpers import link_entry, network_data, refresh, serial_data, stick_data, unit_of


def device_of(hass: HomeAssistant, entry: MockConfigEntry, identifier: str) -> dr.DeviceEntry:
    """Return a device of the entry."""
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, identifier), entry.entry_id)
    assert isinstance(device, dr.DeviceEntry)
    return device


def shown(hass: HomeAssistant, entry: MockConfigEntry, platform: Platform, key: str) -> State:
    """Return the state of an entity of the link."""
    entity_id = er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{entry.entry_id}_{key}")
    assert entity_id is not None
    state = hass.states.get(entity_id)
    assert state is not None
    return state


def look(hass: HomeAssistant, minutes: int = 1) -> None:
    """Let it be time to look at the link, so many minutes from now."""
    later = dt_util.utcnow() + timedelta(minutes=minutes)
    with patch("time.time", return_value=later.timestamp()):
        async_fire_time_changed(hass, later + INTERVAL)


async def test_the_machines_hang_below_it(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """The link belongs to the entry and to no machine; below it is the inverter, and below that are its parts."""
    link = device_of(hass, loaded, loaded.entry_id)
    assert link.name == "Modbus link to 127.0.0.1"
    assert (link.config_entry_id, link.config_subentry_id) == (loaded.entry_id, None)
    assert link.via_device_id is None
    inverter = device_of(hass, loaded, "JSO0000001")
    assert inverter.via_device_id == link.id
    assert device_of(hass, loaded, "JSO0000001_battery").via_device_id == inverter.id
    registry = er.async_get(hass)
    of_link = er.async_entries_for_device(registry, link.id, include_disabled_entities=True)
    assert {(known.unique_id, known.entity_category, known.disabled_by) for known in of_link} == {
        (f"{loaded.entry_id}_{key}", "diagnostic", None)
        for key in ("link_connectivity", "bus_load", "link_latency", "success_rate")
    }


async def test_name_of_a_link_hides_adapter_path_and_stick_serial(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """A serial adapter's path, and a stick's serial, are not told."""
    async with SimulatedPlant(serial=True, stick=True) as plant:
        plant.advance(60)
        for data, name in (
            (serial_data(plant.serial_device), "Modbus link over serial"),
            (stick_data("127.0.0.1", plant.stick_port), "Modbus link to 127.0.0.1"),
        ):
            entry = link_entry(data)
            entry.add_to_hass(hass)
            assert await hass.config_entries.async_setup(entry.entry_id)
            await hass.async_block_till_done()
            assert device_of(hass, entry, entry.entry_id).name == name
            await hass.config_entries.async_remove(entry.entry_id)
            await hass.async_block_till_done()


async def test_two_links_to_one_host(hass: HomeAssistant, socket_enabled: None) -> None:
    """A gateway with a port for each of its lines: the port tells the links apart, and is not told where it need not."""
    async with SimulatedPlant(units=(1, 2, 3)) as plant:
        plant.advance(60)

        async def names(*entries: MockConfigEntry) -> list[str | None]:
            for entry in entries:
                assert await hass.config_entries.async_reload(entry.entry_id)
            await hass.async_block_till_done()
            return [device_of(hass, entry, entry.entry_id).name for entry in entries]

        one = link_entry(network_data(plant.tcp_port))
        # The same computer, but its name is another one.
        local = link_entry(
            network_data(plant.tcp_port, host="localhost"), serials={3: "JSO0000003"}
        )
        for entry in (one, local):
            entry.add_to_hass(hass)
        assert await names(one, local) == ["Modbus link to 127.0.0.1", "Modbus link to localhost"]
        other = link_entry(network_data(plant.rtu_port, "rtu"), serials={2: "JSO0000002"})
        other.add_to_hass(hass)
        assert await names(other, one, local) == [
            f"Modbus link to 127.0.0.1:{plant.rtu_port}",
            f"Modbus link to 127.0.0.1:{plant.tcp_port}",
            "Modbus link to localhost",
        ]
        await hass.config_entries.async_remove(other.entry_id)
        assert await names(one) == ["Modbus link to 127.0.0.1"]


async def test_it_is_no_inverter(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """An action for an inverter that is given the link says so."""
    with pytest.raises(ServiceValidationError) as error:
        await hass.services.async_call(
            DOMAIN,
            "undo_last_change",
            {"device_id": device_of(hass, loaded, loaded.entry_id).id},
            blocking=True,
        )
    assert error.value.translation_key == "no_such_unit"
    assert error.value.translation_placeholders == {"device": "Modbus link to 127.0.0.1"}


# ---------------------------------------------------------------------- connection


async def test_connection_turns_off_and_on_with_the_gateway(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Off when the gateway cannot be reached, on again with the first poll that reaches it."""

    def connection() -> str:
        return shown(hass, loaded, Platform.BINARY_SENSOR, "link_connectivity").state

    assert connection() == "on"
    port = plant.tcp_port
    await plant.tcp.stop()
    await refresh(hass, loaded, Group.POWER)
    await refresh(hass, loaded, Group.POWER)
    assert connection() == "off"
    await plant.tcp.start("127.0.0.1", port)
    await refresh(hass, loaded, Group.POWER)
    assert connection() == "on"


async def test_connection_does_not_flap(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """A gateway that hangs up between two polls, and a machine that is silent, are reached all the time."""
    changes: list[str] = []
    entity_id = shown(hass, loaded, Platform.BINARY_SENSOR, "link_connectivity").entity_id

    def note(event: Event[Any]) -> None:
        if event.data["entity_id"] == entity_id:
            changes.append(event.data["new_state"].state)

    hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    link = loaded.runtime_data.link
    for _ in range(3):
        lost = asyncio.Event()
        stop = link.add_listener(lambda connected, lost=lost: connected or lost.set())
        plant.tcp.drop_connections()
        async with asyncio.timeout(1):
            await lost.wait()
        stop()
        assert not link.connected
        look(hass)
        await hass.async_block_till_done()
        await refresh(hass, loaded, Group.POWER)
        assert link.connected
    plant.machine().trouble.silent = True
    await refresh(hass, loaded, Group.POWER)
    assert not unit_of(loaded).coordinators[Group.POWER].last_update_success
    assert changes == []


# ---------------------------------------------------------------------- numbers


async def test_link_figures_are_whole_numbers_updated_every_minute(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Of the last requests, in whole numbers; looked at every half minute, and told when they are others."""
    statistics = loaded.runtime_data.link.statistics
    assert shown(hass, loaded, Platform.SENSOR, "success_rate").state == "100"
    now = hass.loop.time()
    # As if it had been in use for a minute.
    statistics._first = now - 60
    # 256 requests of 23.6 ms, of which one in 128 was not answered: 6 s in the last minute.
    for number in range(256):
        statistics.record(1, now - 0.0236, now, answered=number % 128 > 0)
    changes: list[str] = []

    @callback
    def note(event: Event[Any]) -> None:
        changes.append(event.data["entity_id"])

    hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    hass.bus.async_listen(EVENT_STATE_REPORTED, note, event_filter=callback(lambda data: True))
    look(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    # 254 of 256 are 99.2 %.
    assert shown(hass, loaded, Platform.SENSOR, "success_rate").state == "99"
    assert shown(hass, loaded, Platform.SENSOR, "bus_load").state == "10"
    latency = shown(hass, loaded, Platform.SENSOR, "link_latency")
    assert (latency.state, latency.attributes["p95"]) == ("24", 24)
    changes.clear()
    look(hass, 2)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert changes == []
    for number in range(256):
        statistics.record(1, now - 61, now - 60.864 + (number > 128) / 10, answered=True)
    look(hass, 3)
    await hass.async_block_till_done()
    latency = shown(hass, loaded, Platform.SENSOR, "link_latency")
    # 136 ms and 236 ms.
    assert (latency.state, latency.attributes["p95"]) == ("140", 240)
    assert sorted(entity_id.rpartition("_")[2] for entity_id in changes) == ["latency", "rate"]


async def test_before_the_first_answer_there_is_no_latency_and_no_rate(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Before the first answer there is no latency and no rate."""
    loaded.runtime_data.link.statistics.total = type(loaded.runtime_data.link.statistics.total)()
    look(hass)
    await hass.async_block_till_done()
    assert shown(hass, loaded, Platform.SENSOR, "success_rate").state == "unknown"
    assert shown(hass, loaded, Platform.SENSOR, "link_latency").state == "unknown"
