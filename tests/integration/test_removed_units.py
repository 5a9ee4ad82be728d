"""Devices that are taken out of an entry which is not loaded, and such entries that are removed: nothing of them is left behind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.entry.stores import MachineStores
from custom_components.hybrid_inverter.runtime.issues import async_raise
from simulator import SimulatedPlant

from .helpers import IDENTITY, SERIAL, status
from .test_control_life import (
    CHARGE,
    Home,
    home,  # noqa: F401 - a fixture
    jso,  # noqa: F401 - a fixture
    make_home,  # noqa: F401 - a fixture
)
from .test_control_repairs import MORNING
from .test_stores import OTHER, SOUND, file_name

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]

OPEN_LINK: Final = "custom_components.hybrid_inverter.async_open_link"
# The files of an entry, but for that of faults.
FILES: Final = ("wear", "residues", "interrupted", "control", "changes")
# An order of a JSO that was to end at 10:30 in Berlin.
ORDER: Final[dict[str, Any]] = {
    "mode": "hold",
    "start": "2026-06-21T07:30:00+00:00",
    "until": "2026-06-21T08:30:00+00:00",
    "power": None,
    "at": "grid",
    "target_soc": None,
    "owner": "Cheap hours",
    "of_person": False,
    "facts": {"soc": 60.0},
}
ORDERED: Final[dict[str, Any]] = {
    "leases": [ORDER],
    "ending": [],
    "before": {"166": 40},
    "after": {"166": 100},
}


async def loaded(_one: Home, _patch: pytest.MonkeyPatch) -> None:
    """Leave the entry as it is."""


async def disabled(one: Home, _patch: pytest.MonkeyPatch) -> None:
    """Have its owner disable the entry while the inverter keeps nothing that is written, so that the order stays."""
    one.plant.machine().trouble.locked = True
    await one.hass.config_entries.async_set_disabled_by(
        one.entry.entry_id, ConfigEntryDisabler.USER
    )
    one.plant.machine().trouble.locked = False
    assert one.issues == {"given_up"}


def not_set_up(error: type[Exception]) -> Any:
    """Return what has Home Assistant crash, and the entry fail with this error at the next start."""

    async def fail(one: Home, patch: pytest.MonkeyPatch) -> None:
        async def raises(*_: object) -> None:
            raise error

        await one.life.end(one.entry)
        one.life.revive()
        patch.setattr(OPEN_LINK, raises)
        assert not await one.hass.config_entries.async_setup(one.entry.entry_id)

    return fail


STATES: Final = pytest.mark.parametrize(
    ("bring", "state"),
    [
        (loaded, ConfigEntryState.LOADED),
        (disabled, ConfigEntryState.NOT_LOADED),
        (not_set_up(ConfigEntryError), ConfigEntryState.SETUP_ERROR),
        (not_set_up(ConfigEntryNotReady), ConfigEntryState.SETUP_RETRY),
    ],
)


async def take_out(one: Home) -> None:
    """Take the inverter out of its entry."""
    (subentry,) = one.entry.subentries
    one.hass.config_entries.async_remove_subentry(one.entry, subentry)
    await one.hass.async_block_till_done(wait_background_tasks=True)


async def remove(one: Home) -> None:
    """Remove the entry."""
    await one.hass.config_entries.async_remove(one.entry.entry_id)
    await one.hass.async_block_till_done(wait_background_tasks=True)


def stored(storage: dict[str, Any], entry: MockConfigEntry, serial: str) -> list[str]:
    """Return the files of an entry in which something of a device is."""
    return [
        name
        for name in (*FILES, "faults")
        if serial in storage.get(file_name(entry, name), {}).get("data", {})
    ]


def store(storage: dict[str, Any], entry: MockConfigEntry, name: str, data: Any) -> None:
    """Put something into a file of an entry."""
    key = file_name(entry, name)
    storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": data}


@STATES
async def test_an_inverter_that_is_taken_out_of_an_entry_in_any_state_is_let_go(
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    home: Home,  # noqa: F811 - a fixture
    bring: Callable[..., Any],
    state: ConfigEntryState,
) -> None:
    """Its order is put back, if need be over a link of its own, and neither a file nor a repair knows it any more."""
    await home.order(**CHARGE)
    await bring(home, monkeypatch)
    assert status(home.entry) is state
    assert home.words != home.before
    assert "control" in stored(hass_storage, home.entry, home.serial)
    await take_out(home)
    assert home.words == home.before
    assert home.issues == set()
    assert stored(hass_storage, home.entry, home.serial) == []
    assert status(home.entry) is state


@STATES
async def test_an_entry_that_is_removed_in_any_state_lets_its_inverter_go(
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    home: Home,  # noqa: F811 - a fixture
    bring: Callable[..., Any],
    state: ConfigEntryState,
) -> None:
    """The same, and its files are deleted."""
    await home.order(**CHARGE)
    await bring(home, monkeypatch)
    assert status(home.entry) is state
    await remove(home)
    assert home.words == home.before
    assert home.issues == set()
    assert [name for name in hass_storage if home.entry.entry_id in name] == []


async def test_an_entry_that_was_not_set_up_since_the_start_lets_its_inverter_go(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    plant: SimulatedPlant,
    entry: MockConfigEntry,
) -> None:
    """It was disabled when Home Assistant crashed, and so was every other one."""
    store(hass_storage, entry, "control", {SERIAL: ORDERED})
    plant.machine().panel_change(166, 100)
    await hass.config_entries.async_remove(entry.entry_id)
    assert plant.machine().word(166) == 40
    assert [name for name in hass_storage if entry.entry_id in name] == []


async def test_what_cannot_be_put_back_is_told_and_put_back_when_the_inverter_is_added_again(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """Its owner takes it out to add it at another unit id, for example."""
    await home.order(**CHARGE)
    await disabled(home, monkeypatch)
    home.plant.machine().trouble.locked = True
    (subentry,) = home.entry.subentries.values()
    await take_out(home)
    assert home.words != home.before
    assert home.issues == {"given_up"}
    assert "control" in stored(hass_storage, home.entry, home.serial)
    home.plant.machine().trouble.locked = False
    again = ConfigSubentry(
        data=subentry.data,
        subentry_type=subentry.subentry_type,
        title=subentry.title,
        unique_id=subentry.unique_id,
    )
    hass.config_entries.async_add_subentry(home.entry, again)
    await hass.config_entries.async_set_disabled_by(home.entry.entry_id, None)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert home.issues == set()
    await home.release()
    assert home.words == home.before


@pytest.mark.parametrize("end", [take_out, remove])
async def test_an_order_of_last_week_is_left_alone_when_its_inverter_goes(
    monkeypatch: pytest.MonkeyPatch,
    home: Home,  # noqa: F811 - a fixture
    end: Callable[..., Any],
) -> None:
    """Nobody knows any more whose words these are; a repair tells what is left, as after a start."""
    await home.order(**CHARGE)
    await disabled(home, monkeypatch)
    held, arrived = home.words, home.writes
    home.freezer.tick(timedelta(days=8))
    await end(home)
    assert (home.words, home.writes) == (held, arrived)
    assert home.issues == {"left_alone"}


async def test_what_is_kept_of_the_other_devices_of_an_entry_stays(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """Their writes too, although those of the other one are counted while its order ends."""
    await jso.order(**CHARGE)
    await disabled(jso, monkeypatch)
    first = next(iter(jso.entry.subentries))
    other = ConfigSubentry(
        data={"unit_id": 2, "identity": {**IDENTITY, "serial": OTHER}},
        subentry_type="inverter",
        title="JSO8048104",
        unique_id=OTHER,
    )
    hass.config_entries.async_add_subentry(jso.entry, other)
    for name in ("wear", "changes", "faults"):
        data = hass_storage.get(file_name(jso.entry, name), {}).get("data", {})
        store(hass_storage, jso.entry, name, {**data, OTHER: SOUND[name]})
    hass.config_entries.async_remove_subentry(jso.entry, first)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert jso.words == jso.before
    for name in ("wear", "changes", "faults"):
        assert hass_storage[file_name(jso.entry, name)]["data"] == {OTHER: SOUND[name]}


@pytest.mark.parametrize("is_ordered", [False, True])
async def test_a_device_that_nobody_saw_going_is_forgotten_at_the_next_set_up(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    plant: SimulatedPlant,
    entry: MockConfigEntry,
    is_ordered: bool,
) -> None:
    """It was taken out of a disabled entry while nothing else was set up; what is to be put back at it waits for it."""
    for name in ("wear", "changes", "faults"):
        store(hass_storage, entry, name, {SERIAL: SOUND[name], OTHER: SOUND[name]})
    store(hass_storage, entry, "control", {OTHER: ORDERED if is_ordered else {}})
    for serial in (SERIAL, OTHER):
        async_raise(hass, serial, "control_put_back", name="Cellar", mode="Hold", owner="Cheap")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    known = [issue for domain, issue in ir.async_get(hass).issues if domain == DOMAIN]
    left = stored(hass_storage, entry, OTHER)
    if is_ordered:
        assert left == ["wear", "control", "changes", "faults"]
        assert known == ["be5729_control_put_back", "b226df_control_put_back"]
    else:
        assert left == []
        assert known == ["be5729_control_put_back"]
    assert stored(hass_storage, entry, SERIAL) == ["wear", "changes", "faults"]


async def test_nothing_is_saved_when_all_devices_are_known(
    hass: HomeAssistant, hass_storage: dict[str, Any], entry: MockConfigEntry
) -> None:
    """At every start, that is; a memory card wears out."""
    store(hass_storage, entry, "wear", {SERIAL: SOUND["wear"]})
    stores = MachineStores(hass, entry.entry_id)
    await stores.async_load()
    hass_storage.clear()
    assert await stores.async_forget_others({SERIAL}) == set()
    assert hass_storage == {}
