"""Setting up, losing the machine, finding it again, and taking everything down."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
import logging
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.hybrid_inverter.modbus.device.device import Snapshot
from custom_components.hybrid_inverter.modbus.errors import RejectedError
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import (
    link_entry,
    network_data,
    pass_time,
    refresh,
    requests,
    serial_data,
    state,
    status,
    timers_of,
    unit_of,
)

# One value of each group that is polled, and what the plant says.
VALUES: Final = {
    (Platform.SENSOR, "battery_soc"): "60",
    (Platform.SENSOR, "pv_energy_total"): "21487.4",
    (Platform.SELECT, "work_mode"): "zero_export_to_ct",
    (Platform.NUMBER, "battery_low_soc"): "35",
    (Platform.SWITCH, "solar_sell"): "on",
    (Platform.BINARY_SENSOR, "problem"): "off",
}


def values(hass: HomeAssistant) -> dict[tuple[Platform, str], str]:
    """Return the states of the sample."""
    return {(platform, key): state(hass, platform, key).state for platform, key in VALUES}


def unavailable(hass: HomeAssistant) -> set[str]:
    """Return the entities that are unavailable."""
    return {
        shown.entity_id for shown in hass.states.async_all() if shown.state == STATE_UNAVAILABLE
    }


async def later(hass: HomeAssistant, seconds: float) -> None:
    """Let Home Assistant believe that time has passed."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await hass.async_block_till_done(wait_background_tasks=True)


# ---------------------------------------------------------------------- up and down


async def test_loaded_entry_has_values_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """With the entry come the values."""
    assert loaded.state is ConfigEntryState.LOADED
    assert values(hass) == VALUES
    assert unavailable(hass) == set()
    assert state(hass, Platform.BINARY_SENSOR, "connectivity").state == "on"


async def test_nothing_to_complain_about(
    hass: HomeAssistant, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing deprecated is used, and nothing is logged that a person would have to look at."""
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    told = [
        record.getMessage()
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        # A busy computer makes asyncio complain of slow steps.
        if record.levelno >= logging.WARNING and record.name != "asyncio"
    ]
    ours = [line for line in told if "hybrid_inverter" in line or "JSO8048104" in line]
    # Home Assistant says this of every custom integration, and nothing else of ours.
    assert all("has not been tested by Home Assistant" in line for line in ours), ours


async def test_unloading_closes_the_socket_and_stops_polling(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """The socket is closed, and nothing asks any more."""
    link = loaded.runtime_data.link
    assert link.connected
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.NOT_LOADED
    assert not link.connected
    before = requests(plant)
    await later(hass, 3600)
    assert requests(plant) == before
    assert {shown.state for shown in hass.states.async_all()} == {STATE_UNAVAILABLE}


async def test_reloading_opens_a_new_connection(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Down and up again over a new connection."""
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.LOADED
    assert values(hass) == VALUES
    assert plant.tcp.statistics.connections == 2


async def test_stopping_home_assistant_gives_back_the_gateways_connection(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The gateway's only connection is given back."""
    link = loaded.runtime_data.link
    assert link.connected
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not link.connected


async def test_removed_entry_leaves_nothing_in_the_registries(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Nothing stays in the registries."""
    assert await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id) == []
    assert dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id) == []


async def test_each_group_is_polled_at_its_interval(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each group in its interval, and not before."""
    coordinators = unit_of(loaded).coordinators
    intervals = {group: item.interval for group, item in coordinators.items()}
    assert intervals == {
        Group.POWER: 5,
        Group.FAULTS: 15,
        Group.ENERGY: 60,
        Group.SETTINGS: 300,
        Group.IDENTITY: 86400,
    }
    plant.machine().panel_change(142, 0)
    plant.machine().inverter.soc = 0.7
    plant.advance(1)
    await pass_time(hass, monkeypatch, 7)
    assert state(hass, Platform.SENSOR, "battery_soc").state == "70"
    assert state(hass, Platform.SELECT, "work_mode").state == "zero_export_to_ct"
    await pass_time(hass, monkeypatch, 302)
    assert state(hass, Platform.SELECT, "work_mode").state == "selling_first"


@pytest.mark.parametrize(
    ("interval", "took", "pause"),
    [
        pytest.param(5, 0, 5, id="no time"),
        pytest.param(5, 0.7, 4.3, id="into the next second"),
        pytest.param(5, 4, 1, id="nearly the interval"),
        pytest.param(5, 5, 5, id="the interval: the next one is left out"),
        pytest.param(5, 13, 2, id="longer than two"),
        pytest.param(1, 0.75, 0.25, id="most of a short interval"),
    ],
)
async def test_a_slow_poll_does_not_delay_the_next(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    interval: int,
    took: float,
    pause: float,
) -> None:
    """Polls begin at even intervals, however long they take and whether or not they fail."""
    power = unit_of(loaded).coordinators[Group.POWER]
    power.interval = interval
    clock = [1000.5]

    async def poll(_: object, _until: float) -> Snapshot:
        clock[0] += took
        return Snapshot({})

    async def fail(_: object, _until: float) -> Snapshot:
        clock[0] += took
        raise RejectedError(4, "unit 1")

    for slow in (poll, fail):
        clock[0] = 1000.5
        monkeypatch.setattr(unit_of(loaded).device, "poll", slow)
        with patch.object(hass.loop, "time", lambda: clock[0]):
            await power.async_refresh()
        (timer,) = timers_of(power)
        assert timer.when() == pytest.approx(1000.5 + took + pause)


# ---------------------------------------------------------------------- a dead link


async def test_set_up_is_retried_until_the_gateway_is_back(
    hass: HomeAssistant, entry: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Home Assistant tries again, and finds the machine when the gateway is back."""
    port = plant.tcp_port
    await plant.tcp.stop()
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert status(entry) is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cannot_connect"
    await plant.tcp.start("127.0.0.1", port)
    await later(hass, 10)
    assert status(entry) is ConfigEntryState.LOADED
    assert values(hass) == VALUES


async def test_first_set_up_with_a_silent_machine(
    hass: HomeAssistant, entry: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Without a single answer there is nothing to show yet; the link is closed until the next try."""
    plant.machine().trouble.silent = True
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert status(entry) is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "no_unit_answers"
    assert hass.states.async_all() == []
    # One question and its repetition, not one for each group.
    assert requests(plant) == 2
    plant.machine().trouble.silent = False
    await later(hass, 10)
    assert status(entry) is ConfigEntryState.LOADED
    assert values(hass) == VALUES


async def test_restart_with_a_silent_machine(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """At night all entities are there; when the machine wakes, all groups follow at once."""
    shown = {item.entity_id for item in hass.states.async_all()}
    plant.machine().trouble.silent = True
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.LOADED
    connectivity = state(hass, Platform.BINARY_SENSOR, "connectivity")
    assert {item.entity_id for item in hass.states.async_all()} == shown
    of_link = {
        known.entity_id
        for known in er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
        if known.config_subentry_id is None
    }
    assert len(of_link) == 4
    assert unavailable(hass) == shown - {connectivity.entity_id} - of_link
    assert connectivity.state == "off"

    plant.machine().trouble.silent = False
    await later(hass, 7)
    assert state(hass, Platform.BINARY_SENSOR, "connectivity").state == "on"
    assert values(hass) == VALUES
    assert unavailable(hass) == set()


async def test_waking_up_costs_one_full_read(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """The groups that follow are asked once each."""
    plant.machine().trouble.silent = True
    for group in Group:
        await refresh(hass, loaded, group)
    plant.machine().trouble.silent = False
    before = requests(plant)
    await refresh(hass, loaded, Group.POWER)
    assert values(hass) == VALUES
    assert requests(plant) - before <= 7 + 2


async def test_connection_lost_while_running(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The gateway restarts: unavailable, told once, and back with the next poll over a new connection."""
    port = plant.tcp_port
    await plant.tcp.stop()
    await asyncio.sleep(0.01)
    # Tests debug everything; a person does not.
    caplog.set_level(logging.INFO, "pymodbus.logging")
    caplog.clear()
    for _ in range(3):
        await refresh(hass, loaded, Group.POWER)
    assert state(hass, Platform.SENSOR, "battery_soc").state == STATE_UNAVAILABLE
    assert state(hass, Platform.BINARY_SENSOR, "connectivity").state == "off"
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1, [record.getMessage() for record in told]
    assert "JSO8048104 did not answer" in told[0].getMessage()
    await plant.tcp.start("127.0.0.1", port)
    await refresh(hass, loaded, Group.POWER)
    assert values(hass) == VALUES


# ---------------------------------------------------------------------- another machine


@pytest.fixture
async def replaced(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> AsyncIterator[SimulatedPlant]:
    """Return a plant with another serial number that has taken the place of the first one."""
    port = plant.tcp_port
    await plant.tcp.stop()
    await asyncio.sleep(0.01)
    async with SimulatedPlant(tcp_port=port, serial_number="JSO0000099", soc=0.3) as other:
        other.advance(60)
        yield other
        await hass.config_entries.async_unload(loaded.entry_id)


async def test_another_machine_at_the_address(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    replaced: SimulatedPlant,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its values are not shown as those of the first one, and it is not written to."""
    for group in (Group.POWER, Group.FAULTS, Group.ENERGY, Group.SETTINGS):
        await refresh(hass, loaded, group)
    assert set(values(hass).values()) == {STATE_UNAVAILABLE}
    error = unit_of(loaded).coordinators[Group.POWER].last_exception
    assert error is not None
    assert getattr(error, "translation_key", None) == "wrong_machine"
    # A log is for others to read, too.
    assert "a device with another serial number answers" in caplog.text
    assert "JSO0000099" not in caplog.text
    # It stays so after a restart, and after another poll.
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    await refresh(hass, loaded, Group.POWER)
    assert set(values(hass).values()) == {STATE_UNAVAILABLE}


async def test_another_machine_behind_a_gateway_that_stayed(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """The connection never broke, but the machine was silent for a while: it is asked who it is."""
    plant.machine().trouble.silent = True
    await refresh(hass, loaded, Group.POWER)
    plant.machine().trouble.silent = False
    # The last character of the serial number.
    plant.machine().panel_change(7, 0x3039)
    await refresh(hass, loaded, Group.POWER)
    assert plant.machine().serial_number == "JSO0000009"
    assert state(hass, Platform.SENSOR, "battery_soc").state == STATE_UNAVAILABLE


async def test_another_machine_is_not_written_to(
    hass: HomeAssistant, loaded: MockConfigEntry, replaced: SimulatedPlant
) -> None:
    """A control is unavailable; Home Assistant leaves it out of the action."""
    await refresh(hass, loaded, Group.SETTINGS)
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.jso8048104_work_mode", "option": "selling_first"},
        blocking=True,
    )
    assert replaced.machine().writes == []


async def test_a_write_asks_first_who_is_there(
    hass: HomeAssistant, loaded: MockConfigEntry, replaced: SimulatedPlant
) -> None:
    """The machine was replaced a moment ago, and no poll has noticed yet."""
    assert state(hass, Platform.SELECT, "work_mode").state == "zero_export_to_ct"
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": "select.jso8048104_work_mode", "option": "selling_first"},
            blocking=True,
        )
    assert error.value.translation_key == "written_to_nobody"
    assert error.value.translation_placeholders == {
        "entity": "Work mode",
        "found": "a device with another serial number",
    }
    assert replaced.machine().writes == []


async def test_a_schedule_is_not_read_from_another_machine(
    hass: HomeAssistant, loaded: MockConfigEntry, replaced: SimulatedPlant
) -> None:
    """The machine was replaced a moment ago: its schedule is not told as that of the first one."""
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call(
            "hybrid_inverter",
            "get_schedule",
            {"device_id": unit_of(loaded).device_id},
            blocking=True,
            return_response=True,
        )
    assert error.value.translation_key == "no_answer"
    assert "a device with another serial number" in str(error.value.translation_placeholders)


# ---------------------------------------------------------------------- several machines


async def test_one_silent_machine_of_two(hass: HomeAssistant, socket_enabled: None) -> None:
    """They share the link; the silent one takes nothing down, and has its own entities."""
    async with SimulatedPlant(units=(1, 2)) as plant:
        plant.advance(60)
        plant.machine(2).trouble.silent = True
        entry = link_entry(network_data(plant.tcp_port), {1: "JSO0000001", 2: "JSO0000002"})
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert status(entry) is ConfigEntryState.LOADED
        assert plant.tcp.statistics.connections == 1
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
        second = er.async_get(hass).async_get_entity_id(
            Platform.SENSOR, "hybrid_inverter", "JSO0000002_battery_soc"
        )
        assert second is not None
        assert hass.states.get(second).state == STATE_UNAVAILABLE  # type: ignore[union-attr]
        plant.machine(2).trouble.silent = False
        await later(hass, 7)
        assert hass.states.get(second).state == "60"  # type: ignore[union-attr]
        assert await hass.config_entries.async_unload(entry.entry_id)


# ---------------------------------------------------------------------- registry


async def test_entities_that_are_no_more(
    hass: HomeAssistant, entry: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """An entity of an earlier version is forgotten, one of another integration is not touched."""
    (subentry_id,) = entry.subentries
    registry = er.async_get(hass)
    registry.async_get_or_create(
        "sensor",
        "hybrid_inverter",
        "JSO0000001_load_l1_voltage",
        config_entry=entry,
        config_subentry_id=subentry_id,
    )
    registry.async_get_or_create("sensor", "other", "JSO0000001_load_l1_voltage")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert not registry.async_get_entity_id(
        "sensor", "hybrid_inverter", "JSO0000001_load_l1_voltage"
    )
    assert registry.async_get_entity_id("sensor", "other", "JSO0000001_load_l1_voltage")


async def test_serial_line_speed_is_known(hass: HomeAssistant) -> None:
    """Over a serial port the reads are planned for its speed, else for the machine's own."""
    entry = link_entry(serial_data("/dev/ttyUSB9", 19200))
    entry.add_to_hass(hass)
    asked: list[Any] = []

    async def connect(_self: object) -> None:
        return None

    def device(*args: object, **settings: Any) -> None:
        asked.append(settings["baudrate"])
        raise RuntimeError

    with (
        patch("custom_components.hybrid_inverter.modbus.transport.link.Link.connect", connect),
        patch("custom_components.hybrid_inverter.runtime.setup.Device", device),
    ):
        assert not await hass.config_entries.async_setup(entry.entry_id)
    assert asked == [19200]
