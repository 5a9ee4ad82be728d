"""The energies of a plant over a day, a restart and midnight, in Berlin in June."""

from datetime import datetime, timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    flush_store,
)

from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import SERIAL, bring_forward, refresh
from .test_plant import compute, count, plant_entry, poll, set_up, shown

# 23:50 in Berlin.
EVENING: Final = "2026-06-21 21:50:00+00:00"

pytestmark = [pytest.mark.freeze_time(EVENING), pytest.mark.usefixtures("loop_goes_on")]


@pytest.fixture
async def home(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Return a plant of one JSO, set up in the evening: 21487.4 kWh of sun, and 22803.1 kWh of load."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    home = plant_entry({SERIAL: "JSO8048104"}, {SERIAL: 30})
    await set_up(hass, entry, home)
    return home


def sun(hass: HomeAssistant, home: MockConfigEntry) -> tuple[str, str]:
    """Return the energy of the sun ever and of today."""
    states = shown(hass, home)
    return states["pv_energy_total"], states["pv_energy_today"]


async def pass_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory, **time: float) -> None:
    """Let time pass, with everything that happens on the way at the end of it."""
    freezer.tick(timedelta(**time))
    bring_forward(hass, timedelta(**time).total_seconds())
    # The loop's own time has stood still since the evening.
    now = dt_util.utcnow()
    async_fire_time_changed(hass, now + (now - datetime.fromisoformat(EVENING)))
    await hass.async_block_till_done(wait_background_tasks=True)
    await compute(hass)


async def test_energies_of_a_day_match_the_members_counters(
    hass: HomeAssistant,
    home: MockConfigEntry,
    entry: MockConfigEntry,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """2 kWh of sun, 1 kWh from the grid, 0.5 kWh to it, 2.5 kWh for the house: as its own counter says."""
    assert sun(hass, home) == ("21487.4", "0.0")
    count(plant, pv=2000, grid_import=1000, grid_export=500, load=2500)
    await pass_time(hass, freezer, minutes=5)
    await poll(hass, entry)
    states = shown(hass, home)
    assert sun(hass, home) == ("21489.4", "2.0")
    assert states["load_energy_total"] == "22805.6"
    assert states["load_energy_today"] == "2.5"
    assert states["autarky_today"] == "60.0"
    assert states["self_consumption_today"] == "75.0"


async def test_energies_of_today_start_at_0_at_midnight(
    hass: HomeAssistant,
    home: MockConfigEntry,
    entry: MockConfigEntry,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """At midnight today is nothing, whether or not a machine was read just then; the minute over it is tomorrow's."""
    count(plant, pv=2000)
    # 23:59:30
    await pass_time(hass, freezer, minutes=9, seconds=30)
    await poll(hass, entry)
    assert sun(hass, home) == ("21489.4", "2.0")
    freezer.tick(timedelta(seconds=30))
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=10))
    # Nothing was polled yet.
    assert sun(hass, home) == ("21489.4", "0.0")
    count(plant, pv=100)
    await pass_time(hass, freezer, seconds=20)
    await refresh(hass, entry, Group.ENERGY)
    await compute(hass)
    assert sun(hass, home) == ("21489.5", "0.1")


async def test_a_glitch_is_one_reading(
    hass: HomeAssistant, home: MockConfigEntry, entry: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """However often the powers are polled in the meantime, it is not what several readings agree on."""
    count(plant, pv=-1000)
    await refresh(hass, entry, Group.ENERGY)
    for _ in range(3):
        await refresh(hass, entry, Group.POWER)
        await compute(hass)
    count(plant, pv=1200)
    await poll(hass, entry)
    assert sun(hass, home) == ("21487.6", "0.2")


async def test_energy_during_a_restart_counts_for_today(
    hass: HomeAssistant,
    home: MockConfigEntry,
    entry: MockConfigEntry,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What has happened in the meantime is found in the counters, and is today's."""
    count(plant, pv=1000)
    await pass_time(hass, freezer, minutes=2)
    await poll(hass, entry)
    assert await hass.config_entries.async_unload(home.entry_id)
    count(plant, pv=1000)
    await pass_time(hass, freezer, minutes=5)
    await set_up(hass, home)
    assert sun(hass, home) == ("21489.4", "2.0")


async def test_energy_counted_unseen_over_midnight_is_in_the_total_only(
    hass: HomeAssistant,
    home: MockConfigEntry,
    entry: MockConfigEntry,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What was counted while nobody looked is ever's; today counts from the first reading of the day."""
    count(plant, pv=1000)
    await pass_time(hass, freezer, minutes=2)
    await poll(hass, entry)
    assert await hass.config_entries.async_unload(home.entry_id)
    count(plant, pv=6000)
    await pass_time(hass, freezer, hours=8)
    await set_up(hass, home)
    assert sun(hass, home) == ("21494.4", "0.0")
    count(plant, pv=500)
    await pass_time(hass, freezer, minutes=2)
    await poll(hass, entry)
    assert sun(hass, home) == ("21494.9", "0.5")


async def test_energy_of_a_member_silent_at_midnight_is_in_the_total_only(
    hass: HomeAssistant,
    home: MockConfigEntry,
    entry: MockConfigEntry,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """So it is of a machine that sleeps at night."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await compute(hass)
    assert sun(hass, home) == ("unknown", "unknown")
    await pass_time(hass, freezer, hours=6)
    count(plant, pv=300)
    await set_up(hass, entry)
    assert sun(hass, home) == ("21487.7", "0.0")


async def test_energies_are_saved_minutes_after_a_change(
    hass: HomeAssistant,
    home: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    """Without a stop of Home Assistant it is saved all the same, some minutes later."""
    key = f"hybrid_inverter.{home.entry_id}.plant"
    assert key not in hass_storage
    await flush_store(home.runtime_data._store._store)
    saved = hass_storage[key]["data"]
    assert saved["day"] == "2026-06-21"
    assert saved["energies"]["pv_energy_total"] == [21487.4, 21487.4, 21487.4]
    assert saved["counters"][SERIAL]["pv_energy_total"][0::2] == [21487.4, "2026-06-21"]
