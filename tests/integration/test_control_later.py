"""An order that is given again while it is in force: it is written when it is needed, and no earlier."""

from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import SimulatedPlant

from .test_control_actions import act, let_pass, table, written

# 10:01 in Berlin, as the machine's clock shows.
MORNING: Final = "2026-06-21 08:01:00+00:00"

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]


async def test_the_same_order_again_lasts_longer_when_three_quarters_are_over(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Held from 10:00 to 11:05; asked again at 10:21 for two hours, that is until 12:21, and written from 10:46 on."""
    await act(hass, "control_battery", mode="hold", duration=60)
    assert table(plant)[2:4] == (1000, 1105)
    plant.advance(20 * 60)
    await let_pass(hass, freezer, 20 * 60)
    sent = len(written(plant))
    await act(hass, "control_battery", mode="hold", duration=120)
    assert len(written(plant)) == sent
    plant.advance(26 * 60)
    await let_pass(hass, freezer, 26 * 60)
    await let_pass(hass, freezer, 31)
    assert len(written(plant)) == sent + 1
    assert table(plant)[2:4] == (1045, 1225)


async def test_a_busy_inverter_makes_an_order_last_longer_when_it_has_time(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It refuses the table with the exception 6 at 10:47, is left alone for half a minute, and then takes it."""
    await act(hass, "control_battery", mode="hold", duration=60)
    await act(hass, "control_battery", mode="hold", duration=120)
    plant.machine().trouble.refused_writes = ((148, 177, 6),)
    plant.advance(46 * 60)
    await let_pass(hass, freezer, 46 * 60)
    assert table(plant)[2:4] == (1000, 1105)
    plant.machine().trouble.refused_writes = ()
    for _ in range(2):
        plant.advance(31)
        await let_pass(hass, freezer, 31)
    assert table(plant)[2:4] == (1045, 1205)


async def test_an_export_limit_does_not_keep_the_battery_from_being_held_longer(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Each kind of order waits by itself: the limit is given, given again and lifted meanwhile."""
    await act(hass, "control_battery", mode="hold", duration=60)
    await act(hass, "control_battery", mode="hold", duration=120)
    await act(hass, "limit_export", power=3000, duration=60)
    await act(hass, "limit_export", power=2000, duration=60)
    await act(hass, "limit_export")
    plant.advance(46 * 60)
    await let_pass(hass, freezer, 46 * 60)
    await let_pass(hass, freezer, 31)
    # Asked for at 10:01: until 12:01.
    assert table(plant)[2:4] == (1045, 1205)


async def test_a_release_that_waits_is_carried_out_before_the_entry_is_unloaded(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Nobody would do it after that, and the order would go on to its end."""
    before = table(plant)
    await act(hass, "control_battery", mode="hold", duration=60)
    answer = await act(hass, "release_battery")
    assert answer["releases_in"] == 10
    assert table(plant) != before
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert table(plant) == before
