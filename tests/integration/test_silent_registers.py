"""A machine that keeps silent about one of its registers: what an owner sees of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
import logging

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
import pytest

from custom_components.hybrid_inverter.diagnostics import async_get_config_entry_diagnostics
from custom_components.hybrid_inverter.modbus.device import quarantine
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.transport.link import Link
from simulator import SimulatedPlant

from .helpers import unit_of
from .test_schedule_windows import WORK_MODE, set_up

# Seconds that an answer may take: a busy computer may stand still for some of it.
SHORT = 0.4


@pytest.fixture
async def saj(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SimulatedPlant]:
    """Return a SAJ that never answers where its work mode is."""
    monkeypatch.setattr(
        "custom_components.hybrid_inverter.runtime.setup.Link",
        partial(Link, timeout=SHORT, spacing=0.0),
    )
    monkeypatch.setitem(FAMILIES, "saj", replace(FAMILIES["saj"], spacing=0.0))
    async with SimulatedPlant(model="H2-6K-S2") as plant:
        plant.advance(60)
        plant.machine().trouble.silent_blocks = ((WORK_MODE, WORK_MODE),)
        yield plant


def unavailable(hass: HomeAssistant) -> set[str]:
    """Return the names of the entities that cannot be used."""
    return {one.name for one in hass.states.async_all() if one.state == STATE_UNAVAILABLE}


async def test_one_silent_register_costs_its_own_entities_only(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Found within ten polls of the powers, each with at most one vain read; told once, and named in the diagnostics."""
    caplog.set_level(logging.INFO, "custom_components.hybrid_inverter")
    entry = await set_up(hass, saj, "discharge_slots")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(unavailable(hass)) > 10
    unit = unit_of(entry)
    passed = [0.0]
    monkeypatch.setattr(quarantine, "_now", lambda: hass.loop.time() + passed[0])
    statistics = entry.runtime_data.link.statistics
    for _ in range(10):
        before = statistics.timeouts
        passed[0] += 5
        await unit.coordinators[Group.POWER].async_refresh()
        await hass.async_block_till_done()
        assert unit.coordinators[Group.POWER].last_update_success
        assert statistics.timeouts - before <= 1
    # The mode, and what is in force according to it.
    assert unavailable(hass) == {
        "H2-6K-S2 Work mode",
        "H2-6K-S2 Schedule",
        "H2-6K-S2 Active window",
        "H2-6K-S2 Next schedule change",
    }
    told = [record.getMessage() for record in caplog.records if record.name == quarantine.__name__]
    assert len(told) == 1
    assert told[0].startswith("Registers 13895 to 13895 are not served (")
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["units"][0]["quarantined"] == [13895]
    # It is left alone from now on.
    before = statistics.timeouts
    for group in unit.coordinators:
        await unit.coordinators[group].async_refresh()
    assert statistics.timeouts == before


async def test_a_group_of_which_nothing_was_answered_is_back_with_what_is(
    hass: HomeAssistant, saj: SimulatedPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the firmware versions is not answered, and they are polled once a day."""
    saj.machine().trouble.silent_blocks = ((0x8F18, 0x8F18),)
    entry = await set_up(hass, saj, "discharge_slots")
    await hass.async_block_till_done(wait_background_tasks=True)
    unit = unit_of(entry)
    identity = unit.coordinators[Group.IDENTITY]
    assert not identity.last_update_success
    passed = [0.0]
    monkeypatch.setattr(quarantine, "_now", lambda: hass.loop.time() + passed[0])
    for _ in range(6):
        passed[0] += 5
        await unit.coordinators[Group.POWER].async_refresh()
        await hass.async_block_till_done(wait_background_tasks=True)
    assert identity.last_update_success
    assert unit.device.quarantined == [0x8F18]
    assert identity.data.failed == {"master_software_version"}
