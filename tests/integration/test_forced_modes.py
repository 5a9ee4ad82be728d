"""The passive mode, in which an inverter waits for what Home Assistant says: it ends when Home Assistant does."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

from homeassistant.components.repairs import ConfirmRepairFlow
from homeassistant.config_entries import RELOAD_AFTER_UPDATE_DELAY, ConfigEntryDisabler
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.hybrid_inverter import repairs
from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.entry.stores import RUNNING_MODES
from custom_components.hybrid_inverter.modbus.device.verified_unit import VerifiedUnit
from custom_components.hybrid_inverter.modbus.errors import RejectedError
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.issues import machine_tag
from simulator import SimulatedPlant

from .helpers import find, open_settings, refresh, unit_of
from .test_schedule_windows import SERIAL, WORK_MODE, set_up
from .test_writes_saj import ACTION, call, charge, held

POWER: Final = 0x3639
# Self-consumption; standby; 110 % of the rated power.
BEFORE: Final = [0, 0, 1100, 1100, 1100, 1100]
# Passive; charge; 1200 W of 6000 W.
FORCED: Final = [3, 2, 1100, 1100, 200, 1100]
PASSIVE: Final = "Passive (follows the passive settings)"
EVENT: Final = "hybrid_inverter_mode_left"
LEFT: Final = f"{machine_tag(SERIAL)}_mode_left"
NOT_LEFT: Final = f"{machine_tag(SERIAL)}_mode_not_left"

pytestmark = pytest.mark.usefixtures("all_shown")


@pytest.fixture
async def forced(hass: HomeAssistant, saj: SimulatedPlant) -> MockConfigEntry:
    """Return the loaded entry of a machine that charges in the passive mode."""
    entry = await set_up(hass, saj)
    await charge(hass, "passive_battery_charge_power")
    assert held(saj) == FORCED
    return entry


def kept() -> dict[str, Any]:
    """Return what is stored while it does."""
    return {
        SERIAL: {
            "work_mode=passive": {
                "before": {
                    "passive_battery_charge_power": [1100],
                    "passive_action": [0],
                    "work_mode": [0],
                },
                "in_force": True,
                "ours": {
                    "passive_battery_charge_power": [[1100], [200]],
                    "passive_action": [[0], [2]],
                    "work_mode": [[0], [3]],
                },
            }
        }
    }


def storage(entry: MockConfigEntry) -> str:
    """Return the name of the file."""
    return f"{DOMAIN}.{entry.entry_id}.residues"


async def crash(hass: HomeAssistant, entry: MockConfigEntry, saj: SimulatedPlant) -> None:
    """End everything without leaving the mode, and forget what only the process knew."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert held(saj) == FORCED
    hass.data.pop(RUNNING_MODES)


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the entry up, and let everything happen that follows."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


def issues(hass: HomeAssistant) -> dict[str, dict[str, str] | None]:
    """Return the issues with what their texts are given."""
    registry = ir.async_get(hass)
    return {issue.issue_id: issue.translation_placeholders for issue in registry.issues.values()}


# ---------------------------------------------------------------------- it stays over a reload


async def reload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Choose *Reload*."""
    assert await hass.config_entries.async_reload(entry.entry_id)


async def change_options(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Change the interval of the powers."""
    flow = await open_settings(hass, entry)
    options = {"tier": "everyday", "power_interval": 7}
    result = await hass.config_entries.options.async_configure(flow["flow_id"], options)
    assert result["type"] == "create_entry"


async def enable_an_entity(hass: HomeAssistant, _: MockConfigEntry) -> None:
    """Switch an entity off and on, for which Home Assistant itself loads the entry again half a minute later."""
    entity_id = find(hass, Platform.SENSOR, "grid_power", SERIAL)
    assert entity_id is not None
    registry = er.async_get(hass)
    registry.async_update_entity(entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    registry.async_update_entity(entity_id, disabled_by=None)
    later = timedelta(seconds=RELOAD_AFTER_UPDATE_DELAY + 1)
    async_fire_time_changed(hass, dt_util.utcnow() + later)


async def rename(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Give the machine another name."""
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, subentry, title="Cellar")


@pytest.mark.parametrize("again", [reload, change_options, enable_an_entity, rename])
async def test_the_passive_mode_stays_when_the_entry_is_loaded_again(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    forced: MockConfigEntry,
    again: Callable[[HomeAssistant, MockConfigEntry], Awaitable[None]],
) -> None:
    """Whoever charges goes on charging; when Home Assistant stops, the mode is left as ever."""
    runtime = forced.runtime_data
    arrived = len(saj.machine().writes)
    await again(hass, forced)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert forced.runtime_data is not runtime
    assert held(saj) == FORCED
    assert len(saj.machine().writes) == arrived
    assert issues(hass) == {}
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert held(saj) == BEFORE


# ---------------------------------------------------------------------- it is left when nobody runs it any more


async def disable(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Switch the entry off."""
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)


async def remove(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Delete the entry."""
    await hass.config_entries.async_remove(entry.entry_id)


async def remove_machine(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Delete the machine of the entry."""
    (subentry_id,) = entry.subentries
    hass.config_entries.async_remove_subentry(entry, subentry_id)


async def disable_and_remove(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Switch it off, and delete it then."""
    await disable(hass, entry)
    await remove(hass, entry)


@pytest.mark.parametrize("end", [disable, remove, remove_machine, disable_and_remove])
async def test_the_passive_mode_is_left_when_the_entry_is_disabled_or_removed(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    forced: MockConfigEntry,
    end: Callable[[HomeAssistant, MockConfigEntry], Awaitable[None]],
) -> None:
    """The mode first, then its settings; there is nothing to tell, as it was wanted."""
    arrived = len(saj.machine().writes)
    await end(hass, forced)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert held(saj) == BEFORE
    writes = saj.machine().writes[arrived:]
    assert [write.address for write in writes] == [WORK_MODE, ACTION, POWER]
    assert issues(hass) == {}


@pytest.mark.parametrize("end", [disable, remove])
async def test_it_is_told_when_it_could_not_be_left(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    forced: MockConfigEntry,
    hass_storage: dict[str, Any],
    end: Callable[[HomeAssistant, MockConfigEntry], Awaitable[None]],
) -> None:
    """A machine that keeps nothing: nobody else will tell that its battery goes on charging."""
    saj.machine().trouble.locked = True
    await end(hass, forced)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert held(saj) == FORCED
    assert issues(hass) == {NOT_LEFT: {"name": "H2-6K-S2", "mode": PASSIVE}}
    issue = ir.async_get(hass).async_get_issue(DOMAIN, NOT_LEFT)
    assert issue is not None
    assert issue.severity is ir.IssueSeverity.ERROR
    assert issue.is_persistent
    assert (storage(forced) in hass_storage) == (end is disable)


async def test_a_disabled_entry_that_could_not_be_left_is_left_when_it_is_enabled_again(
    hass: HomeAssistant, saj: SimulatedPlant, forced: MockConfigEntry
) -> None:
    """Although Home Assistant has not been stopped meanwhile."""
    saj.machine().trouble.locked = True
    await disable(hass, forced)
    saj.machine().trouble.locked = False
    await hass.config_entries.async_set_disabled_by(forced.entry_id, None)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert held(saj) == BEFORE
    assert list(issues(hass)) == [LEFT]


# ---------------------------------------------------------------------- it is left after a crash


async def test_after_a_crash_the_passive_mode_is_left_and_it_is_said(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    forced: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    """At the start, with an event and an issue that a person confirms."""
    events = async_capture_events(hass, EVENT)
    assert hass_storage[storage(forced)]["data"] == kept()
    await crash(hass, forced, saj)
    await start(hass, forced)
    assert held(saj) == BEFORE
    assert hass_storage[storage(forced)]["data"] == {SERIAL: {}}
    assert [event.data for event in events] == [
        {
            "device_id": unit_of(forced).device_id,
            "name": "H2-6K-S2",
            "setting": "work_mode",
            "left": "passive",
            "now": "self_consumption",
        }
    ]
    told = {"name": "H2-6K-S2", "mode": PASSIVE, "now": "Self-consumption"}
    assert issues(hass) == {LEFT: told}
    issue = ir.async_get(hass).async_get_issue(DOMAIN, LEFT)
    assert issue is not None
    assert issue.is_fixable
    assert issue.translation_key == "mode_left"
    dialog = await repairs.async_create_fix_flow(hass, LEFT, issue.data)
    assert isinstance(dialog, ConfirmRepairFlow)


async def test_a_machine_that_was_away_at_the_start_is_left_when_it_is_back(
    hass: HomeAssistant, saj: SimulatedPlant, forced: MockConfigEntry
) -> None:
    """However long it was away."""
    await crash(hass, forced, saj)
    saj.machine().trouble.silent = True
    await start(hass, forced)
    assert held(saj) == FORCED
    saj.machine().trouble.silent = False
    await refresh(hass, forced, Group.POWER)
    assert held(saj) == BEFORE
    assert list(issues(hass)) == [LEFT]


async def test_a_mode_that_a_stop_could_not_leave_is_left_at_the_next_start(
    hass: HomeAssistant, saj: SimulatedPlant, forced: MockConfigEntry
) -> None:
    """The link was frozen when Home Assistant stopped."""
    saj.machine().trouble.silent = True
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=True)
    saj.machine().trouble.silent = False
    await crash(hass, forced, saj)
    await start(hass, forced)
    assert held(saj) == BEFORE
    assert list(issues(hass)) == [LEFT]


@pytest.mark.parametrize(("address", "word"), [(ACTION, 1), (POWER, 250), (WORK_MODE, 2)])
async def test_what_somebody_else_has_set_meanwhile_is_not_touched(
    hass: HomeAssistant, saj: SimulatedPlant, forced: MockConfigEntry, address: int, word: int
) -> None:
    """Another program runs the machine by now, or the mode was changed in the app: nothing was left, nothing is told."""
    await crash(hass, forced, saj)
    saj.machine().panel_change(address, word)
    await start(hass, forced)
    assert saj.machine().word(address) == word
    assert issues(hass) == {}
    assert not unit_of(forced).device.must_release


async def test_a_machine_that_keeps_nothing_is_told_and_not_written_with_every_poll(
    hass: HomeAssistant, saj: SimulatedPlant, forced: MockConfigEntry
) -> None:
    """Twice for the one try; when the mode is left by hand, the issue goes."""
    await crash(hass, forced, saj)
    saj.machine().trouble.locked = True
    arrived = len(saj.machine().writes)
    await start(hass, forced)
    for _ in range(3):
        await refresh(hass, forced, Group.SETTINGS)
    assert [write.address for write in saj.machine().writes[arrived:]] == [WORK_MODE] * 2
    assert list(issues(hass)) == [NOT_LEFT]
    saj.machine().trouble.locked = False
    await call(hass, Platform.SELECT, "work_mode", "self_consumption")
    await refresh(hass, forced, Group.SETTINGS)
    assert held(saj) == BEFORE
    assert issues(hass) == {}


async def test_a_machine_that_is_busy_is_left_when_it_has_time(
    hass: HomeAssistant, saj: SimulatedPlant, forced: MockConfigEntry
) -> None:
    """Another program reads it whenever it is written to: the next poll tries again, without a lost link."""
    await crash(hass, forced, saj)
    busy = RejectedError(6, "busy")
    busy.sent = True
    with (
        patch.object(VerifiedUnit, "write_register", side_effect=busy),
        patch.object(VerifiedUnit, "write_registers", side_effect=busy),
    ):
        await start(hass, forced)
        await refresh(hass, forced, Group.SETTINGS)
    assert held(saj) == FORCED
    assert list(issues(hass)) == [NOT_LEFT]
    await refresh(hass, forced, Group.SETTINGS)
    assert held(saj) == BEFORE
    assert list(issues(hass)) == [LEFT]


async def test_what_a_mode_has_left_behind_at_a_busy_machine_is_restored_when_it_has_time(
    hass: HomeAssistant, saj: SimulatedPlant, forced: MockConfigEntry
) -> None:
    """The mode was left in the app; the machine is busy for one poll."""
    busy = RejectedError(6, "busy")
    busy.sent = True
    saj.machine().panel_change(WORK_MODE, 0)
    with (
        patch.object(VerifiedUnit, "write_register", side_effect=busy),
        patch.object(VerifiedUnit, "write_registers", side_effect=busy),
    ):
        await refresh(hass, forced, Group.SETTINGS)
    await refresh(hass, forced, Group.SETTINGS)
    assert held(saj) == BEFORE


# ---------------------------------------------------------------------- the memory on the disk


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let nothing be stored, which Home Assistant only logs."""
    with patch.object(Store, "_async_write_data", side_effect=WriteError("No space left")):
        yield


async def test_the_passive_mode_is_refused_when_its_memory_cannot_be_stored(
    hass: HomeAssistant, saj: SimulatedPlant, request: pytest.FixtureRequest
) -> None:
    """Nothing is sent, and the message says what to do; other settings are written as ever."""
    entry = await set_up(hass, saj)
    await hass.async_block_till_done(wait_background_tasks=True)
    request.getfixturevalue("full_disk")
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, Platform.SELECT, "work_mode", "passive")
    assert caught.value.translation_key == "not_remembered"
    assert saj.machine().writes == []
    saj.machine().panel_change(WORK_MODE, 3)
    await refresh(hass, entry, Group.SETTINGS)
    for platform, key, value in (
        (Platform.SELECT, "passive_action", "charge"),
        (Platform.NUMBER, "passive_battery_charge_power", 1200),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, platform, key, value)
        assert caught.value.translation_key == "not_remembered"
    assert str(caught.value) == (
        "Passive charge power was not changed: Home Assistant could not store what it was before, "
        "and would not be able to put it back after a crash. The disk is probably full or "
        "read-only: free some space, then try again"
    )
    assert saj.machine().writes == []
    await call(hass, Platform.SELECT, "work_mode", "time_of_use")
    assert saj.machine().word(WORK_MODE) == 1


async def test_a_full_disk_does_not_keep_the_passive_mode_from_being_left(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    forced: MockConfigEntry,
    request: pytest.FixtureRequest,
) -> None:
    """What was stored before is known anyway."""
    request.getfixturevalue("full_disk")
    await call(hass, Platform.SELECT, "work_mode", "self_consumption")
    assert held(saj) == BEFORE


async def test_a_file_that_was_lost_while_the_mode_is_in_force_is_no_reason_to_stay_in_it(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    forced: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    """Somebody has deleted it, and the entry was loaded again: at the stop everything is as it was."""
    del hass_storage[storage(forced)]
    assert await hass.config_entries.async_reload(forced.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert held(saj) == FORCED
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert held(saj) == BEFORE


@pytest.mark.parametrize("mode", ["self_consumption", "passive"])
async def test_a_file_that_was_lost_with_a_crash_is_no_reason_to_stay_in_the_mode(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    forced: MockConfigEntry,
    hass_storage: dict[str, Any],
    mode: str,
) -> None:
    """Nobody knows who has entered it, so it stays; another mode can be chosen, and who chooses it again runs it."""
    del hass_storage[storage(forced)]
    await crash(hass, forced, saj)
    await start(hass, forced)
    assert held(saj) == FORCED
    await call(hass, Platform.SELECT, "work_mode", mode)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert saj.machine().word(WORK_MODE) == 0
