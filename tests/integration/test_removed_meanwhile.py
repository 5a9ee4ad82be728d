"""Devices that are taken out of an entry while it is being loaded or unloaded: their orders end all the same."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.config_entries import (
    ConfigEntries,
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigSubentry,
)
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

import custom_components.hybrid_inverter as integration
from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.doctor.setup import FEEDS
from custom_components.hybrid_inverter.runtime.issues import async_raise, machine_tag
from custom_components.hybrid_inverter.runtime.machine import Machine
from simulator import SimulatedPlant

from .helpers import SERIAL, link_entry, load, network_data, status
from .test_control_actions import act
from .test_control_life import CHARGE
from .test_control_repairs import MORNING
from .test_removed_units import stored

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]

SERIALS: Final = {1: SERIAL, 2: "JSO0000002", 3: "JSO0000003"}
# The settings of a JSO that an order may change, but for its clock.
SETTINGS: Final = range(100, 200)


@dataclass(frozen=True, kw_only=True)
class Street:
    """Three JSO8048104 on one link, of which nobody else knows."""

    hass: HomeAssistant
    plant: SimulatedPlant
    entry: MockConfigEntry
    before: dict[int, list[int]]

    def words(self, unit_id: int) -> list[int]:
        """What one of them holds now."""
        return [self.plant.machine(unit_id).word(address) for address in SETTINGS]

    def is_ordered(self, unit_id: int) -> bool:
        """Whether one of them holds something of an order."""
        return self.words(unit_id) != self.before[unit_id]

    async def order(self, *unit_ids: int) -> None:
        """Have some of them charge."""
        for unit_id in unit_ids:
            await act(self.hass, "control_battery", SERIALS[unit_id], **CHARGE)
            assert self.is_ordered(unit_id)

    def added_again(self, unit_id: int) -> ConfigSubentry:
        """Return one of them as it is added again, to this entry or to another one."""
        (subentry,) = (
            one for one in self.entry.subentries.values() if one.unique_id == SERIALS[unit_id]
        )
        return ConfigSubentry(
            data=subentry.data,
            subentry_type=subentry.subentry_type,
            title=subentry.title,
            unique_id=subentry.unique_id,
        )

    def take_out(self, unit_id: int) -> None:
        """Take one of them out of its entry."""
        (subentry_id,) = (
            key for key, one in self.entry.subentries.items() if one.unique_id == SERIALS[unit_id]
        )
        self.hass.config_entries.async_remove_subentry(self.entry, subentry_id)

    def take_out_and_add_again(self, unit_id: int) -> None:
        """Take one of them out of its entry, and add it again."""
        again = self.added_again(unit_id)
        self.take_out(unit_id)
        self.hass.config_entries.async_add_subentry(self.entry, again)

    async def settle(self) -> None:
        """Let everything come to its end."""
        await self.hass.async_block_till_done(wait_background_tasks=True)

    def issues(self, unit_id: int) -> set[str]:
        """The kinds of the repair issues about orders of one of them."""
        start = f"{machine_tag(SERIALS[unit_id])}_control_"
        known = [issue for _, issue in ir.async_get(self.hass).issues]
        return {issue.removeprefix(start) for issue in known if issue.startswith(start)}


@pytest.fixture
async def street(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[Street]:
    """Return three of them, loaded."""
    async with SimulatedPlant(units=(*SERIALS, 4)) as plant:
        plant.advance(60)
        before = {
            unit_id: [plant.machine(unit_id).word(address) for address in SETTINGS]
            for unit_id in SERIALS
        }
        entry = await load(hass, link_entry(network_data(plant.tcp_port), SERIALS))
        yield Street(hass=hass, plant=plant, entry=entry, before=before)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, Callable[[], None]], None]:
    """Return what has something done once, just before a function is called, or just after it."""

    def arrange(target: Any, name: str, do: Callable[[], None], *, after: bool = False) -> None:
        called, things = getattr(target, name), [do]

        async def call_and_do(*args: Any, **options: Any) -> Any:
            if things and not after:
                things.pop()()
            result = await called(*args, **options)
            if things:
                things.pop()()
            return result

        monkeypatch.setattr(target, name, call_and_do)

    return arrange


# The moments of a reload, one after the other: the function that is called then, and whether it is over by then.
MOMENTS: Final = pytest.mark.parametrize(
    ("place", "after"),
    [
        ("async_hand_over", False),
        ("release", False),
        ("release", True),
        ("async_hand_over", True),
        ("async_unload_entry", True),
        ("async_setup_entry", False),
        ("async_open_link", False),
        ("async_open_link", True),
        ("_async_forget_gone", True),
        ("async_start_mirror", False),
        ("async_poll_first", False),
        ("async_poll_first", True),
        ("async_forward_entry_setups", False),
        ("async_forward_entry_setups", True),
    ],
)


def where(place: str) -> tuple[Any, str]:
    """Return whose function it is, and its name."""
    if place == "async_forward_entry_setups":
        return ConfigEntries, place
    return (Machine, "async_release") if place == "release" else (integration, place)


@MOMENTS
async def test_an_inverter_that_is_taken_out_while_another_one_goes_is_let_go(
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    street: Street,
    meanwhile: Callable[..., None],
    place: str,
    after: bool,
) -> None:
    """At whatever moment of the reload; the third one goes on with its order."""
    await street.order(1, 2, 3)
    held = street.words(3)
    meanwhile(*where(place), lambda: street.take_out(2), after=after)
    street.take_out(1)
    await street.settle()
    assert [street.is_ordered(unit_id) for unit_id in SERIALS] == [False, False, True]
    assert street.words(3) == held
    assert status(street.entry) is ConfigEntryState.LOADED
    assert [one.identity.serial for one in street.entry.runtime_data.units.values()] == [SERIALS[3]]
    assert stored(hass_storage, street.entry, SERIALS[1]) == []
    assert stored(hass_storage, street.entry, SERIALS[2]) == []
    assert "control" in stored(hass_storage, street.entry, SERIALS[3])
    assert [street.issues(unit_id) for unit_id in SERIALS] == [set(), set(), set()]
    # And nothing has failed on the way, but for adding entities of what is no more.
    failures = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert all("unknown subentry" in failure for failure in failures)
    assert len(failures) == ((place, after) == ("async_forward_entry_setups", False))
    third = er.async_get(street.hass).async_get_entity_id(
        Platform.BINARY_SENSOR, DOMAIN, f"{SERIALS[3]}_grid_connected"
    )
    assert third is not None
    assert street.hass.states.get(third).state == "on"  # type: ignore[union-attr]


async def test_an_inverter_that_is_taken_out_while_its_entry_is_about_to_go_is_let_go(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    street: Street,
    meanwhile: Callable[..., None],
) -> None:
    """The entry is just being loaded, and is removed as soon as it is."""
    await street.order(1, 2)

    def end() -> None:
        hass.async_create_task(hass.config_entries.async_remove(street.entry.entry_id))
        street.take_out(2)

    assert await hass.config_entries.async_unload(street.entry.entry_id)
    meanwhile(ConfigEntries, "async_forward_entry_setups", end, after=True)
    await hass.config_entries.async_setup(street.entry.entry_id)
    await street.settle()
    assert hass.config_entries.async_get_entry(street.entry.entry_id) is None
    assert [street.is_ordered(unit_id) for unit_id in SERIALS] == [False, False, False]
    assert [name for name in hass_storage if street.entry.entry_id in name] == []
    assert [street.issues(unit_id) for unit_id in SERIALS] == [set(), set(), set()]


@pytest.mark.parametrize("place", ["async_setup_entry", "async_poll_first"])
async def test_an_inverter_that_is_in_its_entry_again_when_it_is_loaded_goes_on_with_its_order(
    hass: HomeAssistant,
    hass_admin_user: MockUser,
    street: Street,
    meanwhile: Callable[..., None],
    place: str,
) -> None:
    """And somebody is there who ends it."""
    await street.order(2)
    held, arrived = street.words(2), len(street.plant.machine(2).writes)
    meanwhile(*where(place), lambda: street.take_out_and_add_again(2))
    street.take_out(1)
    await street.settle()
    assert (street.words(2), len(street.plant.machine(2).writes)) == (held, arrived)
    assert street.issues(2) == set()
    await act(hass, "release_battery", SERIALS[2], user=hass_admin_user)
    assert not street.is_ordered(2)


# ---------------------------------------------------------------------- added to another entry meanwhile


@pytest.fixture
async def elsewhere(hass: HomeAssistant, street: Street) -> MockConfigEntry:
    """Return another entry of the same link, with one that nobody else has, loaded."""
    serials = {4: "JSO0000004"}
    return await load(hass, link_entry(network_data(street.plant.tcp_port), serials))


def move(street: Street, elsewhere: MockConfigEntry, inverter: ConfigSubentry) -> None:
    """Add an inverter to the other entry, which has something to tell of it."""
    street.hass.config_entries.async_add_subentry(elsewhere, inverter)
    async_raise(street.hass, str(inverter.unique_id), "control_left_alone", name="Cellar")


async def test_an_inverter_that_is_in_another_entry_by_now_keeps_what_that_one_tells_of_it(
    hass: HomeAssistant, street: Street, elsewhere: MockConfigEntry
) -> None:
    """The old entry is not loaded, and was busy; the order that it has given is put back."""
    await street.order(2)
    assert await hass.config_entries.async_unload(street.entry.entry_id)
    async with street.entry.setup_lock:
        inverter = street.added_again(2)
        street.take_out(2)
        move(street, elsewhere, inverter)
        await asyncio.sleep(0.5)
        assert street.is_ordered(2)
    await street.settle()
    assert not street.is_ordered(2)
    assert street.issues(2) == {"left_alone"}


async def test_an_inverter_that_moves_to_another_entry_is_controlled_by_that_one(
    hass: HomeAssistant,
    hass_admin_user: MockUser,
    monkeypatch: pytest.MonkeyPatch,
    street: Street,
    elsewhere: MockConfigEntry,
) -> None:
    """It is loaded there before the old entry has let it go, which may take long at an inverter that is silent by then."""
    await street.order(2)
    inverter, unload = street.added_again(2), ConfigEntries.async_unload_platforms

    async def unload_and_move(self: Any, entry: MockConfigEntry, platforms: Any) -> bool:
        unloaded = await unload(self, entry, platforms)
        if entry is street.entry and len(elsewhere.subentries) == 1:
            move(street, elsewhere, inverter)
            await asyncio.sleep(2)
            assert len(elsewhere.runtime_data.units) == 2
        return unloaded

    monkeypatch.setattr(ConfigEntries, "async_unload_platforms", unload_and_move)
    street.take_out(2)
    await street.settle()
    assert not street.is_ordered(2)
    assert street.issues(2) == {"left_alone"}
    assert SERIALS[2] in hass.data[FEEDS]
    await street.order(2)
    await act(hass, "release_battery", SERIALS[2], user=hass_admin_user)
    assert not street.is_ordered(2)


# ---------------------------------------------------------------------- stopped, or disabled meanwhile


@pytest.mark.parametrize("is_locked", [False, True])
async def test_an_inverter_that_is_taken_out_just_before_home_assistant_stops_is_let_go(
    hass: HomeAssistant, street: Street, is_locked: bool
) -> None:
    """Its entry has not come to be loaded again; what stays in it is told, as nobody knows it after the next start."""
    await street.order(2, 3)
    held = street.words(3)
    street.plant.machine(2).trouble.locked = is_locked
    async with street.entry.setup_lock:
        street.take_out(2)
        hass.set_state(CoreState.stopping)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
        await asyncio.sleep(3)
        assert street.is_ordered(2) is is_locked
        assert street.issues(2) == ({"given_up"} if is_locked else set())
        assert (street.words(3), street.issues(3)) == (held, set())
    await street.settle()


async def test_an_entry_that_is_disabled_while_it_is_unloaded_lets_its_inverters_go(
    hass: HomeAssistant,
    street: Street,
    meanwhile: Callable[..., None],
) -> None:
    """It was about to be loaded again, and so its orders were to go on."""
    await street.order(1, 2)

    def disable() -> None:
        hass.async_create_task(
            hass.config_entries.async_set_disabled_by(
                street.entry.entry_id, ConfigEntryDisabler.USER
            )
        )

    meanwhile(Machine, "async_finish", disable)
    await hass.config_entries.async_reload(street.entry.entry_id)
    await street.settle()
    assert status(street.entry) is ConfigEntryState.NOT_LOADED
    assert [street.is_ordered(unit_id) for unit_id in SERIALS] == [False, False, False]
    assert [street.issues(unit_id) for unit_id in SERIALS] == [set(), set(), set()]
