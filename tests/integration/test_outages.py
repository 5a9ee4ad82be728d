"""Every way in which the machine can be gone for a while: nothing old is shown, and it is back at once."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.transport import channel
from custom_components.hybrid_inverter.modbus.transport.link import Link
from simulator import SimulatedPlant

from .gateway import OUTAGES, Gateway
from .helpers import load, network_entry, refresh, requests, state, status, unit_of

# Seconds that an answer, and a connection, is waited for.
TIMEOUT = 0.3
# How many polls of the powers fall into an outage.
POLLS = 4

SOC = (Platform.SENSOR, "battery_soc")
WORK_MODE = (Platform.SELECT, "work_mode")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no longer than a simulated machine needs on a busy computer."""
    link = partial(Link, timeout=TIMEOUT, spacing=0.0)
    monkeypatch.setattr("custom_components.hybrid_inverter.runtime.setup.Link", link)
    monkeypatch.setattr(channel, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(channel, "MAX_PAUSE", 0.02)


@pytest.fixture
async def gateway(plant: SimulatedPlant) -> AsyncIterator[Gateway]:
    """Return a gateway before the plant, and before another machine that may take its place."""
    async with SimulatedPlant(serial_number="JSO0000099", soc=0.3) as other:
        other.advance(60)
        gateway = Gateway(plant.tcp_port, other=other.tcp_port)
        await gateway.serve()
        yield gateway
        await gateway.stop()


@pytest.fixture
async def behind(hass: HomeAssistant, gateway: Gateway) -> AsyncIterator[MockConfigEntry]:
    """Return the entry of the machine behind the gateway, set up."""
    entry = await load(hass, network_entry(gateway.port), background=True)
    yield entry
    if status(entry) is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(entry.entry_id)


def of_machine(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return the entities of the machine that show something of it, but for whether it is connected."""
    return {
        known.entity_id
        for known in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if known.config_subentry_id is not None
        and not known.disabled
        and not known.unique_id.endswith("_connectivity")
    }


def live(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return those of them that are available."""
    return {
        entity_id
        for entity_id in of_machine(hass, entry)
        if not hass.states.is_state(entity_id, STATE_UNAVAILABLE)
    }


async def endure(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Poll the powers in vain as often as they are due, and check that this is as often as always."""
    power = unit_of(entry).coordinators[Group.POWER]
    for _ in range(POLLS):
        await refresh(hass, entry, Group.POWER)
        assert not power.last_update_success
        # None is the interval of 5 s; where the link cannot be opened, it is tried again at once.
        assert power.last_exception.retry_after in (None, 1.0)  # type: ignore[union-attr]


async def comes_back(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Check that the second poll of the powers at the latest brings everything back."""
    for _ in range(2):
        if not unit_of(entry).coordinators[Group.POWER].last_update_success:
            await refresh(hass, entry, Group.POWER)
    assert state(hass, *SOC).state == "60"
    assert state(hass, *WORK_MODE).state == "zero_export_to_ct"
    assert all(one.last_update_success for one in unit_of(entry).coordinators.values())


@pytest.mark.parametrize("outage", OUTAGES)
async def test_powers_are_back_two_intervals_after_an_outage(
    hass: HomeAssistant, behind: MockConfigEntry, gateway: Gateway, outage: str
) -> None:
    """In a running Home Assistant: nothing is shown from the first failed poll on, and the interval stays."""
    shown = live(hass, behind)
    assert len(shown) > 40
    await gateway.fail(outage)
    await endure(hass, behind)
    assert live(hass, behind) == set()
    await gateway.serve()
    await comes_back(hass, behind)
    assert live(hass, behind) == shown


@pytest.mark.parametrize("outage", OUTAGES)
async def test_powers_are_back_two_intervals_after_a_start_in_an_outage(
    hass: HomeAssistant, behind: MockConfigEntry, gateway: Gateway, outage: str
) -> None:
    """Home Assistant starts while the machine is away: it is set up as a silent one, with all its entities."""
    shown = live(hass, behind)
    assert await hass.config_entries.async_unload(behind.entry_id)
    await gateway.fail(outage)
    assert await hass.config_entries.async_setup(behind.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert status(behind) is ConfigEntryState.LOADED
    assert of_machine(hass, behind) == shown
    assert live(hass, behind) == set()
    assert state(hass, Platform.BINARY_SENSOR, "connectivity").state == "off"
    await endure(hass, behind)
    await gateway.serve()
    await comes_back(hass, behind)
    assert live(hass, behind) == shown


async def test_live_within_five_seconds_after_the_gateway(
    hass: HomeAssistant, behind: MockConfigEntry, gateway: Gateway
) -> None:
    """However long the gateway was away when Home Assistant started, and however rarely the powers are polled."""
    hass.config_entries.async_update_entry(behind, options={"power_interval": 60})
    await hass.async_block_till_done(wait_background_tasks=True)
    await gateway.fail("refused")
    assert await hass.config_entries.async_reload(behind.entry_id)
    await asyncio.sleep(1)
    assert state(hass, *SOC).state == STATE_UNAVAILABLE
    await gateway.serve()
    for _ in range(100):
        await asyncio.sleep(0.05)
        if state(hass, *SOC).state == "60" and state(hass, *WORK_MODE).state != STATE_UNAVAILABLE:
            break
    assert state(hass, *SOC).state == "60"
    assert state(hass, *WORK_MODE).state == "zero_export_to_ct"


async def test_what_is_silent_shows_nothing_old(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """The powers have fallen silent: everything else is unavailable at once, and nothing else was asked."""
    await hass.async_block_till_done(wait_background_tasks=True)
    assert live(hass, loaded)
    plant.machine().trouble.silent = True
    before = requests(plant)
    await unit_of(loaded).coordinators[Group.POWER].async_refresh()
    assert live(hass, loaded) == set()
    # The read and its repetition.
    assert requests(plant) - before == 2


async def test_what_refuses_its_powers_is_asked_for_the_rest(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Only the powers are refused, as by a machine that is busy with them: the rest is there, and stays."""
    plant.machine().trouble.refused_blocks = ((500, 700, 4),)
    await refresh(hass, loaded, Group.POWER)
    assert state(hass, *SOC).state == STATE_UNAVAILABLE
    assert state(hass, *WORK_MODE).state == "zero_export_to_ct"
    assert unit_of(loaded).coordinators[Group.SETTINGS].last_update_success


async def test_the_powers_are_shown_before_the_rest_is_read(
    hass: HomeAssistant, entry: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """With the entry come the powers; what changes slowly follows."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert state(hass, *SOC).state == "60"
    assert not unit_of(entry).coordinators[Group.SETTINGS].last_update_success
    await hass.async_block_till_done()
    assert state(hass, *WORK_MODE).state == "zero_export_to_ct"
    assert unit_of(entry).coordinators[Group.SETTINGS].last_update_success


def keep_on(hass: HomeAssistant, entry: MockConfigEntry, *keys: str) -> None:
    """Disable every entity but those of these keys."""
    registry = er.async_get(hass)
    for known in er.async_entries_for_config_entry(registry, entry.entry_id):
        if not known.disabled and not known.unique_id.endswith(keys):
            registry.async_update_entity(known.entity_id, disabled_by=er.RegistryEntryDisabler.USER)


async def test_a_machine_of_which_only_settings_are_shown_comes_back(
    hass: HomeAssistant, behind: MockConfigEntry, gateway: Gateway
) -> None:
    """Nobody shows its powers, so that they are not polled: the next poll of what is shown asks for them."""
    keep_on(hass, behind, "_work_mode")
    await gateway.fail("refused")
    assert await hass.config_entries.async_reload(behind.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await refresh(hass, behind, Group.SETTINGS)
    assert state(hass, *WORK_MODE).state == STATE_UNAVAILABLE
    await gateway.serve()
    await refresh(hass, behind, Group.SETTINGS)
    assert state(hass, *WORK_MODE).state == "zero_export_to_ct"


async def test_what_refuses_its_powers_after_an_outage_shows_the_rest(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """A refusal is an answer: the machine is back, whatever it says of its powers."""
    await hass.async_block_till_done(wait_background_tasks=True)
    trouble = plant.machine().trouble
    trouble.silent = True
    await refresh(hass, loaded, Group.POWER)
    assert live(hass, loaded) == set()
    trouble.silent = False
    trouble.refused_blocks = ((500, 700, 4),)
    await refresh(hass, loaded, Group.POWER)
    assert state(hass, *SOC).state == STATE_UNAVAILABLE
    assert state(hass, *WORK_MODE).state == "zero_export_to_ct"
    # And nothing is asked again and again.
    before = requests(plant)
    await refresh(hass, loaded, Group.POWER)
    assert requests(plant) - before < 5
    trouble.refused_blocks = ()
    # What was read in vain is read again with the next poll.
    await asyncio.sleep(1.1)
    await refresh(hass, loaded, Group.POWER)
    assert state(hass, *SOC).state == "60"
