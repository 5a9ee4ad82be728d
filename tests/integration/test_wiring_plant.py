"""A house with two inverters: whose clamps count, and what the other battery does during a test."""

import asyncio
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import CONF_GRID_INVERTER, DOMAIN
from custom_components.hybrid_inverter.control.setup import DRIVERS
from custom_components.hybrid_inverter.doctor.houses import async_house_of
from custom_components.hybrid_inverter.doctor.setup import FEEDS
from simulator import SimulatedPlant

from .helpers import SERIAL
from .ordered import go_on
from .test_control_actions import act, device_of
from .test_control_crash import words_of as words_at
from .test_control_plant import (
    NOW,
    brands,  # noqa: F401 - a fixture
    home,  # noqa: F401 - a fixture
    link,  # noqa: F401 - a fixture
    street,  # noqa: F401 - a fixture
    windows,  # noqa: F401 - a fixture
)
from .test_plant import TWIN_SERIAL
from .test_schedule_windows import SERIAL as SAJ_SERIAL
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


def in_order(hass: HomeAssistant) -> list[str]:
    """Both inverters, in the order in which an action takes them."""
    return sorted((SERIAL, TWIN_SERIAL), key=lambda serial: device_of(hass, serial))


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


@pytest.mark.usefixtures("quick_saj", "few_entities")
async def test_a_device_of_the_house_that_is_loaded_again_ends_the_test(
    hass: HomeAssistant,
    brands: str,  # noqa: F811 - a fixture
    windows: MockConfigEntry,  # noqa: F811 - a fixture
    plant: SimulatedPlant,
    saj: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The battery that is held has an entry of its own; both have their own settings afterwards."""
    before = words_at(plant), words_at(saj)
    test = asyncio.create_task(act(hass, "test_wiring", SERIAL))
    await settle(hass)
    for _ in range(6):
        saj.advance(5)
        await go_on(hass, freezer, plant, 5)
    assert (mode(hass, SERIAL), mode(hass, SAJ_SERIAL)) == ("charge", "hold")
    assert await hass.config_entries.async_reload(windows.entry_id)
    with pytest.raises(HomeAssistantError) as caught:
        await test
    assert caught.value.translation_key == "wiring_test_stopped"
    assert (mode(hass, SERIAL), mode(hass, SAJ_SERIAL)) == (None, None)
    assert (words_at(plant), words_at(saj)) == before


async def test_both_are_as_before_when_their_entry_is_loaded_again(
    hass: HomeAssistant,
    home: str,  # noqa: F811 - a fixture
    link: MockConfigEntry,  # noqa: F811 - a fixture
    street: SimulatedPlant,  # noqa: F811 - a fixture
    freezer: FrozenDateTimeFactory,
) -> None:
    """Both are closed at once, and each waits for the other's settings."""
    before = words_of(street)
    test = asyncio.create_task(act(hass, "test_wiring", SERIAL))
    await settle(hass)
    for _ in range(6):
        await go_on(hass, freezer, street, 5)
    assert (mode(hass, SERIAL), mode(hass, TWIN_SERIAL)) == ("charge", "hold")
    assert await hass.config_entries.async_reload(link.entry_id)
    with pytest.raises(HomeAssistantError):
        await test
    assert words_of(street) == before


async def test_a_house_that_changes_ends_the_test(
    hass: HomeAssistant,
    home: str,  # noqa: F811 - a fixture
    street: SimulatedPlant,  # noqa: F811 - a fixture
    freezer: FrozenDateTimeFactory,
) -> None:
    """The other inverter has the clamps, somebody has found out meanwhile."""
    before = words_of(street)
    test = asyncio.create_task(act(hass, "test_wiring", SERIAL))
    await settle(hass)
    for _ in range(6):
        await go_on(hass, freezer, street, 5)
    entry = hass.config_entries.async_get_known_entry(home)
    data = {**entry.data, CONF_GRID_INVERTER: TWIN_SERIAL}
    hass.config_entries.async_update_entry(entry, data=data)
    await go_on(hass, freezer, street, 5)
    with pytest.raises(HomeAssistantError) as caught:
        await test
    assert caught.value.translation_key == "wiring_test_stopped"
    assert words_of(street) == before


async def test_several_inverters_are_tested_one_after_the_other(
    hass: HomeAssistant,
    home: str,  # noqa: F811 - a fixture
    street: SimulatedPlant,  # noqa: F811 - a fixture
    freezer: FrozenDateTimeFactory,
) -> None:
    """Also when nobody waits for a report: notifications tell what comes of each."""
    assert await async_setup_component(hass, "persistent_notification", {})
    before = words_of(street)
    first, second = in_order(hass)
    await hass.services.async_call(
        DOMAIN,
        "test_wiring",
        {"device_id": [device_of(hass, one) for one in (first, second)]},
        blocking=True,
    )
    seen = []
    for _ in range(72):
        await go_on(hass, freezer, street, 5)
        if (now := (mode(hass, first), mode(hass, second))) not in seen:
            seen.append(now)
    assert seen == [
        (None, None),
        ("charge", "hold"),
        ("discharge", "hold"),
        ("hold", "charge"),
        ("hold", "discharge"),
    ]
    assert words_of(street) == before
    assert len(hass.data[persistent_notification.DOMAIN]) == 2


async def test_the_report_of_one_is_kept_when_another_one_cannot_be_tested(
    hass: HomeAssistant,
    home: str,  # noqa: F811 - a fixture
    street: SimulatedPlant,  # noqa: F811 - a fixture
    freezer: FrozenDateTimeFactory,
) -> None:
    """Somebody takes the other battery as soon as it is free."""
    second = in_order(hass)[1]
    both = [device_of(hass, one) for one in in_order(hass)]
    test = asyncio.create_task(
        hass.services.async_call(
            DOMAIN, "test_wiring", {"device_id": both}, blocking=True, return_response=True
        )
    )
    await settle(hass)
    for _ in range(30):
        await go_on(hass, freezer, street, 5)
    await act(hass, "control_battery", second, mode="hold", duration=60)
    for _ in range(6):
        await go_on(hass, freezer, street, 5)
    reports = await test
    assert reports.keys() == set(both)
    assert reports[both[0]]["clamps"]
    failed = reports[both[1]]
    assert (failed["result"], failed["clamps"]) == ("failed", [])
    assert failed["text"].startswith("The test has not come to its end: ")
