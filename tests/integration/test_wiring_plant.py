"""A house with two inverters: whose clamps count, and what the other battery does during a test."""

import asyncio
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.control.setup import DRIVERS
from custom_components.hybrid_inverter.doctor.houses import async_house_of
from custom_components.hybrid_inverter.doctor.setup import FEEDS
from simulator import SimulatedPlant

from .helpers import SERIAL
from .ordered import go_on
from .test_control_actions import act
from .test_control_plant import (
    NOW,
    home,  # noqa: F401 - a fixture
    link,  # noqa: F401 - a fixture
    street,  # noqa: F401 - a fixture
)
from .test_plant import TWIN_SERIAL
from .wired import settle

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.usefixtures("in_berlin")]

WORDS: Final = ((102, 109), (111, 177))


def words_of(plant: SimulatedPlant) -> list[list[int]]:
    """The settings of both inverters that an order may change."""
    return [
        [plant.machine(unit).word(at) for low, high in WORDS for at in range(low, high + 1)]
        for unit in (1, 2)
    ]


def mode(hass: HomeAssistant, serial: str) -> str | None:
    """What is ordered of an inverter's battery."""
    lease = hass.data[DRIVERS][serial].keeper.lease()
    return None if lease is None else lease.order.mode.value


async def test_of_two_inverters_only_the_one_counts_that_a_plant_names(
    hass: HomeAssistant,
    link: MockConfigEntry,  # noqa: F811 - a fixture
) -> None:
    """Until then nobody knows which of them has clamps."""
    before = async_house_of(hass, SERIAL)
    assert before is not None
    assert before.id == link.entry_id
    assert {one.id: one.sees_grid for one in before.members} == {SERIAL: False, TWIN_SERIAL: False}
    assert hass.data[FEEDS][SERIAL].watch.house == before


async def test_in_a_plant_the_inverter_that_sees_the_grid_is_judged_with_the_power_of_both(
    hass: HomeAssistant,
    home: str,  # noqa: F811 - a fixture
) -> None:
    """Both tell the same doctor."""
    house = async_house_of(hass, TWIN_SERIAL)
    assert house is not None
    assert house.id == home
    assert {one.id: one.sees_grid for one in house.members} == {SERIAL: True, TWIN_SERIAL: False}
    first, second = (hass.data[FEEDS][serial].watch for serial in (SERIAL, TWIN_SERIAL))
    assert first is second
    assert first.house == house


async def test_the_other_battery_is_held_during_a_test(
    hass: HomeAssistant,
    home: str,  # noqa: F811 - a fixture
    street: SimulatedPlant,  # noqa: F811 - a fixture
    freezer: FrozenDateTimeFactory,
) -> None:
    """It would take what the tested one gives; afterwards both have their own settings."""
    before = words_of(street)
    test = asyncio.create_task(act(hass, "test_wiring", SERIAL))
    await settle(hass)
    seen = set()
    for _ in range(35):
        await go_on(hass, freezer, street, 5)
        seen.add((mode(hass, SERIAL), mode(hass, TWIN_SERIAL)))
    assert seen == {(None, None), ("charge", "hold"), ("discharge", "hold")}
    report = await test
    assert {one["phase"]: one["response"] for one in report["clamps"]}.keys() == {"l1", "l2", "l3"}
    assert words_of(street) == before
