"""Machines on one link of which one is silent: what it costs, that the others do not notice, and how it comes back."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
import logging

from homeassistant.const import STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.transport import timeouts
from custom_components.hybrid_inverter.modbus.transport.link import Link
from custom_components.hybrid_inverter.runtime.runtime import UnitRuntime
from simulator import SimulatedPlant

from .helpers import find, link_entry, load, network_data

FIRST, SECOND = "JSO0000001", "JSO0000002"
# Seconds for which a machine is waited for that shares the line.
SHORT = 0.2


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no longer than a simulated machine needs on a busy computer."""
    link = partial(Link, timeout=0.6, spacing=0.0)
    monkeypatch.setattr("custom_components.hybrid_inverter.runtime.setup.Link", link)
    monkeypatch.setattr(timeouts, "MIN_TIMEOUT", SHORT)
    monkeypatch.setattr(timeouts, "FIRST_TIMEOUT", SHORT)


@pytest.fixture
async def house(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return two machines on one line."""
    async with SimulatedPlant(units=(1, 2)) as plant:
        plant.advance(60)
        yield plant


@pytest.fixture
def pair(hass: HomeAssistant, house: SimulatedPlant) -> MockConfigEntry:
    """Return an entry for both over RTU that is not set up yet."""
    entry = link_entry(network_data(house.rtu_port, "rtu"), {1: FIRST, 2: SECOND})
    entry.add_to_hass(hass)
    return entry


def unit(entry: MockConfigEntry, unit_id: int) -> UnitRuntime:
    """Return a machine by its unit id."""
    (found,) = (unit for unit in entry.runtime_data.units.values() if unit.unit_id == unit_id)
    assert isinstance(found, UnitRuntime)
    return found


async def poll(hass: HomeAssistant, entry: MockConfigEntry, unit_id: int, group: Group) -> int:
    """Poll a group of a machine; return how many requests to the machine that took, with all that follows from it."""
    before = asked(entry, unit_id)
    await unit(entry, unit_id).coordinators[group].async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    return asked(entry, unit_id) - before


def asked(entry: MockConfigEntry, unit_id: int) -> int:
    """Return how many requests were sent to a machine."""
    tally = entry.runtime_data.link.statistics.units.get(unit_id)
    return tally.requests if tally else 0


def soc(hass: HomeAssistant, serial: str) -> str:
    """Return the state of charge that is shown of a machine."""
    entity_id = find(hass, Platform.SENSOR, "battery_soc", serial)
    assert entity_id is not None
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


def successes(entry: MockConfigEntry, unit_id: int) -> dict[Group, bool]:
    """Return which groups of a machine were polled successfully."""
    return {
        group: coordinator.last_update_success
        for group, coordinator in unit(entry, unit_id).coordinators.items()
    }


def pause(entry: MockConfigEntry, unit_id: int) -> float | None:
    """Return the seconds that the last failed poll of the powers has asked for; None for as many as always."""
    error = unit(entry, unit_id).coordinators[Group.POWER].last_exception
    seconds: float | None = error.retry_after  # type: ignore[union-attr]
    return seconds


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return of which groups of the second machine the log says that they could not be polled."""
    return [
        message.removeprefix("Error fetching JSO8048104 ").split()[0]
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and (message := record.getMessage()).startswith("Error fetching")
    ]


async def test_a_silent_machine_is_asked_less_and_less(
    hass: HomeAssistant,
    pair: MockConfigEntry,
    house: SimulatedPlant,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Twice at first, then once a step: after 5 s, 10, 20, 40 and 60; the other one keeps its connection and its values."""
    await load(hass, pair, background=True)
    caplog.clear()
    house.machine(2).trouble.silent = True
    assert await poll(hass, pair, 2, Group.POWER) == 2
    pauses = [pause(pair, 2)]
    for _ in range(5):
        assert await poll(hass, pair, 1, Group.POWER) > 0
        assert await poll(hass, pair, 2, Group.POWER) == 1
        pauses.append(pause(pair, 2))
        assert unit(pair, 1).machine.verified
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert soc(hass, SECOND) == STATE_UNAVAILABLE
    assert soc(hass, FIRST) == "60"
    assert house.rtu.statistics.connections == 1
    assert told(caplog) == ["power"]

    house.machine(2).trouble.silent = False
    await poll(hass, pair, 2, Group.POWER)
    assert soc(hass, SECOND) == "60"
    house.machine(2).trouble.silent = True
    await poll(hass, pair, 2, Group.POWER)
    assert pause(pair, 2) == 5
    await hass.config_entries.async_unload(pair.entry_id)


async def test_machines_of_which_none_answers_are_asked_as_often_as_always(
    hass: HomeAssistant, pair: MockConfigEntry, house: SimulatedPlant
) -> None:
    """Nobody has to wait for them; when the first one answers again, the other has to stand back."""
    await load(hass, pair, background=True)
    for unit_id in (1, 2):
        house.machine(unit_id).trouble.silent = True
        await poll(hass, pair, unit_id, Group.POWER)
    for _ in range(4):
        for unit_id in (1, 2):
            await poll(hass, pair, unit_id, Group.POWER)
            assert pause(pair, unit_id) is None
    house.machine(1).trouble.silent = False
    await poll(hass, pair, 1, Group.POWER)
    pauses = []
    for _ in range(3):
        await poll(hass, pair, 2, Group.POWER)
        pauses.append(pause(pair, 2))
    assert pauses == [5, 10, 20]
    await hass.config_entries.async_unload(pair.entry_id)


async def test_nothing_else_is_asked_of_it(
    hass: HomeAssistant, pair: MockConfigEntry, house: SimulatedPlant
) -> None:
    """The other groups fail without a question, and come back at once with the powers."""
    await load(hass, pair, background=True)
    house.machine(2).trouble.silent = True
    await poll(hass, pair, 2, Group.POWER)
    for group in (Group.FAULTS, Group.ENERGY, Group.SETTINGS, Group.IDENTITY):
        assert await poll(hass, pair, 2, group) == 0
    assert set(successes(pair, 2).values()) == {False}
    assert set(successes(pair, 1).values()) == {True}
    house.machine(2).trouble.silent = False
    assert await poll(hass, pair, 2, Group.ENERGY) == 0
    await poll(hass, pair, 2, Group.POWER)
    assert set(successes(pair, 2).values()) == {True}
    await hass.config_entries.async_unload(pair.entry_id)


async def test_another_group_fails_first(
    hass: HomeAssistant,
    pair: MockConfigEntry,
    house: SimulatedPlant,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It may be the only one that is not answered, so the powers are asked at once; then nothing else is."""
    await load(hass, pair, background=True)
    caplog.clear()
    house.machine(2).trouble.silent = True
    assert await poll(hass, pair, 2, Group.ENERGY) == 3
    assert await poll(hass, pair, 2, Group.SETTINGS) == 0
    assert await poll(hass, pair, 2, Group.POWER) == 1
    assert told(caplog) == ["power"]
    house.machine(2).trouble.silent = False
    await poll(hass, pair, 2, Group.POWER)
    assert set(successes(pair, 2).values()) == {True}
    await hass.config_entries.async_unload(pair.entry_id)


async def test_all_groups_fail_at_once(
    hass: HomeAssistant,
    pair: MockConfigEntry,
    house: SimulatedPlant,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log says once that the machine does not answer, whichever was asked first; all is shown as unavailable."""
    await load(hass, pair, background=True)
    caplog.clear()
    house.machine(2).trouble.silent = True
    coordinators = unit(pair, 2).coordinators
    await asyncio.gather(*(one.async_refresh() for one in reversed(coordinators.values())))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert set(successes(pair, 2).values()) == {False}
    for platform, key in (
        (Platform.SENSOR, "battery_soc"),
        (Platform.SENSOR, "pv_energy_total"),
        (Platform.NUMBER, "battery_low_soc"),
    ):
        entity_id = find(hass, platform, key, SECOND)
        assert entity_id is not None
        assert hass.states.is_state(entity_id, STATE_UNAVAILABLE), entity_id
    assert told(caplog) == ["power"]
    await hass.config_entries.async_unload(pair.entry_id)


async def test_only_some_registers_are_silent(
    hass: HomeAssistant,
    pair: MockConfigEntry,
    house: SimulatedPlant,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The machine is not silent, so its powers stay, and the log says what does not answer."""
    await load(hass, pair, background=True)
    caplog.clear()
    house.machine(2).trouble.silent_blocks = ((98, 200),)
    await poll(hass, pair, 2, Group.SETTINGS)
    assert soc(hass, SECOND) == "60"
    assert unit(pair, 2).machine.last_error is None
    assert told(caplog) == ["settings"]
    await hass.config_entries.async_unload(pair.entry_id)


@pytest.mark.parametrize("silent", [1, 2])
async def test_set_up_with_a_silent_machine(
    hass: HomeAssistant, pair: MockConfigEntry, house: SimulatedPlant, silent: int
) -> None:
    """Whichever it is, the other one is there when it has been asked twice for a short time."""
    house.machine(silent).trouble.silent = True
    await load(hass, pair, background=True)
    assert asked(pair, silent) == 2
    assert 2 * SHORT <= pair.runtime_data.link.statistics.busy_seconds < 4 * SHORT
    serials = {1: FIRST, 2: SECOND}
    assert soc(hass, serials.pop(silent)) == STATE_UNAVAILABLE
    assert soc(hass, *serials.values()) == "60"
    await hass.config_entries.async_unload(pair.entry_id)


async def test_write_to_a_silent_unit_that_answers_again_refreshes_everything(
    hass: HomeAssistant, pair: MockConfigEntry, house: SimulatedPlant
) -> None:
    """A person who writes in a pause finds out that it answers again, and so does everything else."""
    await load(hass, pair, background=True)
    house.machine(2).trouble.silent = True
    await poll(hass, pair, 2, Group.POWER)
    house.machine(2).trouble.silent = False
    await unit(pair, 2).device.write("work_mode", "selling_first")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert soc(hass, SECOND) == "60"
    assert set(successes(pair, 2).values()) == {True}
    await hass.config_entries.async_unload(pair.entry_id)


async def test_unit_that_a_gateway_reports_missing_is_silent(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """Nobody is at unit 3, which a Modbus TCP gateway says: that is a silent machine as well."""
    entry = link_entry(network_data(house.tcp_port), {1: FIRST, 3: "JSO0000003"})
    entry.add_to_hass(hass)
    await load(hass, entry, background=True)
    pauses = []
    for _ in range(3):
        assert await poll(hass, entry, 3, Group.POWER) == 1
        pauses.append(pause(entry, 3))
        assert await poll(hass, entry, 3, Group.ENERGY) == 0
    assert pauses == [10, 20, 40]
    assert soc(hass, FIRST) == "60"
    assert house.tcp.statistics.connections == 1
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_dead_link_is_not_a_silent_machine(
    hass: HomeAssistant, pair: MockConfigEntry, house: SimulatedPlant
) -> None:
    """It has its own pauses, which the polls follow: all machines are back with their next one."""
    await load(hass, pair, background=True)
    port = house.rtu_port
    await house.rtu.stop()
    for _ in range(3):
        await poll(hass, pair, 2, Group.POWER)
    assert pause(pair, 2) == 1
    await house.rtu.start("127.0.0.1", port)
    await poll(hass, pair, 2, Group.POWER)
    await poll(hass, pair, 1, Group.POWER)
    assert (soc(hass, FIRST), soc(hass, SECOND)) == ("60", "60")
    await hass.config_entries.async_unload(pair.entry_id)
