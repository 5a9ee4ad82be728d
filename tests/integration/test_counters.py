"""Energy counters as the Energy dashboard sees them: no glitch of the machine may reach it."""

from collections.abc import Callable
from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from tests.modbus.fault_server import FaultServer

from .helpers import SERIAL, refresh, state, unit_of

# Low and high word of the total of the PV, 0.1 kWh a step.
PV_TOTAL = (534, 535)
ENTITY_ID = "sensor.jso8048104_pv_energy_total"


@pytest.fixture
def count(picture: FaultServer) -> Callable[[int], None]:
    """Return how to set the PV's total, in steps of 0.1 kWh."""

    def put(steps: int) -> None:
        picture.memory[1, PV_TOTAL[0]] = steps & 0xFFFF
        picture.memory[1, PV_TOTAL[1]] = steps >> 16

    return put


@pytest.fixture
async def counting(
    hass: HomeAssistant, pictured: MockConfigEntry, count: Callable[[int], None]
) -> MockConfigEntry:
    """Return a loaded entry whose PV has produced 6553.5 kWh: the next step carries into the high word."""
    count(0xFFFF)
    assert await hass.config_entries.async_setup(pictured.entry_id)
    await hass.async_block_till_done()
    return pictured


@pytest.mark.parametrize("glitch", [0, 0xFFFFFFFF, 0x0000_0001, 0x0001_FFFF, 0xFFFE])
async def test_glitches_are_not_shown(
    hass: HomeAssistant,
    counting: MockConfigEntry,
    count: Callable[[int], None],
    glitch: int,
) -> None:
    """Zero, not available, half a carry in either direction, one step back; then it counts on."""
    assert state(hass, Platform.SENSOR, "pv_energy_total").state == "6553.5"
    count(glitch)
    await refresh(hass, counting, Group.ENERGY)
    assert state(hass, Platform.SENSOR, "pv_energy_total").state == "6553.5"
    assert unit_of(counting).rejections.total() == 1
    count(0x10001)
    await refresh(hass, counting, Group.ENERGY)
    assert state(hass, Platform.SENSOR, "pv_energy_total").state == "6553.7"


async def test_hours_are_kept_from_glitches_like_energies(
    hass: HomeAssistant, pictured: MockConfigEntry, picture: FaultServer
) -> None:
    """The generator has run for 1234.5 hours, register 512 and the next, and not for none."""
    key = f"{SERIAL}_generator_hours_total"
    er.async_get(hass).async_get_or_create(
        Platform.SENSOR, DOMAIN, key, config_entry=pictured, disabled_by=None
    )
    shown = []
    for steps in (12345, 0, 12500, 12346):
        picture.memory[1, 512], picture.memory[1, 513] = steps, 0
        if not shown:
            assert await hass.config_entries.async_setup(pictured.entry_id)
            await hass.async_block_till_done()
        await refresh(hass, pictured, Group.ENERGY)
        shown.append(state(hass, Platform.SENSOR, "generator_hours_total").state)
    # Fifteen hours do not pass between two polls, either.
    assert shown == ["1234.5", "1234.5", "1234.5", "1234.6"]


async def test_a_glitch_right_after_a_restart_is_not_shown(
    hass: HomeAssistant, pictured: MockConfigEntry, count: Callable[[int], None]
) -> None:
    """What was shown before the restart is the last good reading."""
    mock_restore_cache_with_extra_data(
        hass,
        (
            (
                State(ENTITY_ID, "6553.5", last_updated=dt_util.utcnow()),
                {"native_value": 6553.5, "native_unit_of_measurement": "kWh"},
            ),
        ),
    )
    count(0)
    assert await hass.config_entries.async_setup(pictured.entry_id)
    await hass.async_block_till_done()
    assert state(hass, Platform.SENSOR, "pv_energy_total").state == "6553.5"
    count(0x10000)
    await refresh(hass, pictured, Group.ENERGY)
    assert state(hass, Platform.SENSOR, "pv_energy_total").state == "6553.6"


@pytest.mark.freeze_time("2026-06-22 06:58:00+00:00")
async def test_reset_of_todays_counter_is_accepted_at_the_third_reading_after_midnight(
    hass: HomeAssistant,
    counting: MockConfigEntry,
    picture: FaultServer,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Today's count of the PV, register 529, goes back to 0 in the minute of midnight (07:00 UTC) or just after it."""
    shown = []
    for steps in (184, 184, 0, 0, 0, 1):
        picture.memory[1, 529] = steps
        freezer.tick(timedelta(minutes=1))
        await refresh(hass, counting, Group.ENERGY)
        shown.append(state(hass, Platform.SENSOR, "pv_energy_today").state)
    # The entry was loaded with what the fixture holds, and its 26.5 is no count of a day that goes on with 18.4.
    assert shown == ["26.5", "26.5", "26.5", "26.5", "0.0", "0.1"]


async def test_total_of_a_new_machine_is_unknown_at_first(
    hass: HomeAssistant, pictured: MockConfigEntry, count: Callable[[int], None]
) -> None:
    """Nobody knows yet whether it has counted nothing or is not awake; what it says next is its count."""
    count(0)
    assert await hass.config_entries.async_setup(pictured.entry_id)
    await hass.async_block_till_done()
    assert state(hass, Platform.SENSOR, "pv_energy_total").state == "unknown"
    count(123456)
    await refresh(hass, pictured, Group.ENERGY)
    assert state(hass, Platform.SENSOR, "pv_energy_total").state == "12345.6"
    assert not unit_of(pictured).rejections


async def test_silence_is_no_glitch(
    hass: HomeAssistant, counting: MockConfigEntry, picture: FaultServer
) -> None:
    """A poll that fails makes the counter unavailable, and is not counted as a rejected reading."""
    await picture.stop()
    await refresh(hass, counting, Group.ENERGY)
    assert state(hass, Platform.SENSOR, "pv_energy_total").state == "unavailable"
    assert not unit_of(counting).rejections
