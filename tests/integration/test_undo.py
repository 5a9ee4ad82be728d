"""Putting the last change back, with the button and with the action."""

from datetime import time, timedelta
from typing import Any, Final

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, find, network_entry, refresh, state, unit_of

BUTTONS: Final = ("undo_last_change", "sync_clock")


@pytest.fixture
async def enabled(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> MockConfigEntry:
    """Return the entry, set up with the button switched on."""
    entity_registry.async_get_or_create(
        Platform.BUTTON, DOMAIN, f"{SERIAL}_undo_last_change", config_entry=entry, disabled_by=None
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def press(hass: HomeAssistant) -> None:
    """Press the button as a person does."""
    await hass.services.async_call(
        "button",
        "press",
        {ATTR_ENTITY_ID: entity(hass, Platform.BUTTON, "undo_last_change")},
        blocking=True,
    )


def device_of(hass: HomeAssistant, platform: Platform, key: str) -> str:
    """Return the id of the device that an entity belongs to."""
    known = er.async_get(hass).async_get(entity(hass, platform, key))
    assert known is not None
    assert known.device_id is not None
    return known.device_id


async def act(hass: HomeAssistant, device_id: str | None = None) -> None:
    """Call the action for the inverter, or for one of its parts."""
    data = {"device_id": device_id or device_of(hass, Platform.SELECT, "work_mode")}
    await hass.services.async_call(DOMAIN, "undo_last_change", data, blocking=True)


async def change(hass: HomeAssistant, platform: str, action: str, key: str, **data: Any) -> None:
    """Change a setting as a person does."""
    data[ATTR_ENTITY_ID] = entity(hass, Platform(platform), key)
    await hass.services.async_call(platform, action, data, blocking=True)


def frames(plant: SimulatedPlant) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return function code, address and values of all writes."""
    return [(write.function, write.address, write.values) for write in plant.machine().writes]


async def test_button_undoes_one_change_per_press(
    hass: HomeAssistant, plant: SimulatedPlant, enabled: MockConfigEntry
) -> None:
    """One press, one step back; the entities show it, and the button the time of the press."""
    assert state(hass, Platform.BUTTON, "undo_last_change").state == STATE_UNKNOWN
    await change(hass, "number", "set_value", "max_sell_power", value=4600)
    await change(hass, "select", "select_option", "work_mode", option="selling_first")
    await press(hass)
    assert state(hass, Platform.SELECT, "work_mode").state == "zero_export_to_ct"
    assert state(hass, Platform.NUMBER, "max_sell_power").state == "4600"
    await press(hass)
    assert state(hass, Platform.NUMBER, "max_sell_power").state == "8000"
    assert frames(plant) == [
        (16, 143, (4600,)),
        (16, 142, (0,)),
        (16, 142, (2,)),
        (16, 143, (8000,)),
    ]
    assert state(hass, Platform.BUTTON, "undo_last_change").state != STATE_UNKNOWN
    assert list(unit_of(enabled).device.changes) == []


async def test_action_undoes_without_the_button_and_for_a_part_too(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """It works without the button, also when a part of the inverter is picked."""
    await change(hass, "switch", "turn_off", "solar_sell")
    await change(hass, "number", "set_value", "zero_export_power", value=60)
    await act(hass, device_of(hass, Platform.SENSOR, "grid_power"))
    assert state(hass, Platform.NUMBER, "zero_export_power").state == "20"
    await act(hass)
    assert state(hass, Platform.SWITCH, "solar_sell").state == "on"
    assert frames(plant)[2:] == [(16, 104, (20,)), (16, 145, (1,))]


async def test_a_schedule_goes_back_as_a_whole(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What one action has written, one undo puts back, in one request and to the word."""
    machine = plant.machine()
    before = machine.read(146, 32)
    await hass.services.async_call(
        DOMAIN,
        "set_schedule",
        {
            "device_id": device_of(hass, Platform.SELECT, "work_mode"),
            "windows": [{"start": "01:00", "end": "05:00", "target": 80, "grid_charge": True}],
        },
        blocking=True,
    )
    assert len(machine.writes) == 1
    assert machine.read(146, 32) != before
    await act(hass)
    assert len(machine.writes) == 2
    assert machine.writes[1].function == 16
    assert machine.read(146, 32) == before
    with pytest.raises(ServiceValidationError):
        await act(hass)


async def test_button_and_action_report_that_there_is_nothing_to_undo(
    hass: HomeAssistant, plant: SimulatedPlant, enabled: MockConfigEntry
) -> None:
    """Button and action say so; nothing is sent."""
    for undo in (press, act):
        with pytest.raises(ServiceValidationError) as error:
            await undo(hass)
        assert error.value.translation_domain == DOMAIN
        assert error.value.translation_key == "nothing_to_undo"
        assert str(error.value).startswith("There is nothing to undo")
    assert frames(plant) == []


async def test_undo_on_a_locked_inverter_names_the_setting_and_can_be_repeated(
    hass: HomeAssistant, plant: SimulatedPlant, enabled: MockConfigEntry
) -> None:
    """The error names the setting; the change can still be put back when the lock is gone."""
    await change(hass, "select", "select_option", "work_mode", option="selling_first")
    before = list(unit_of(enabled).device.changes)
    plant.machine().trouble.locked = True
    for undo in (press, act):
        with pytest.raises(HomeAssistantError) as error:
            await undo(hass)
        assert error.value.translation_key == "not_applied"
        assert error.value.translation_placeholders == {
            "entity": "Work mode",
            "address": "142",
            "wanted": "Zero export to CT",
            "held": "Selling first",
        }
        assert list(unit_of(enabled).device.changes) == before
        assert state(hass, Platform.SELECT, "work_mode").state == "selling_first"
    plant.machine().trouble.locked = False
    await press(hass)
    assert state(hass, Platform.SELECT, "work_mode").state == "zero_export_to_ct"


async def test_of_a_block_the_error_names_one(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The setting that the machine has not taken, and not just the last one."""
    device = unit_of(loaded).device
    await device.write_many({"max_sell_power": 4000, "work_mode": "selling_first"})
    plant.machine().trouble.locked = True
    with pytest.raises(HomeAssistantError) as error:
        await act(hass)
    assert error.value.translation_placeholders is not None
    assert error.value.translation_placeholders["entity"] == "Max sell power"
    assert error.value.translation_placeholders["address"] == "143"


async def test_a_code_without_a_meaning(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What was before cannot be written; the message names the setting as its owner does."""
    er.async_get(hass).async_update_entity(
        entity(hass, Platform.SELECT, "work_mode"), name="How it works"
    )
    plant.machine().panel_change(142, 9)
    await change(hass, "select", "select_option", "work_mode", option="selling_first")
    with pytest.raises(ServiceValidationError) as error:
        await act(hass)
    assert error.value.translation_key == "former_value_unknown"
    assert error.value.translation_placeholders == {"entity": "How it works"}


async def test_change_stays_and_button_is_unavailable_while_the_inverter_is_silent(
    hass: HomeAssistant, plant: SimulatedPlant, enabled: MockConfigEntry
) -> None:
    """The change stays; the button is not there until the machine answers again."""
    await change(hass, "switch", "turn_off", "solar_sell")
    plant.machine().trouble.silent = True
    with pytest.raises(HomeAssistantError) as error:
        await press(hass)
    assert error.value.translation_key == "not_changed"
    assert error.value.translation_placeholders is not None
    assert error.value.translation_placeholders["entity"] == "Solar sell"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, Platform.BUTTON, "undo_last_change").state == STATE_UNAVAILABLE
    plant.machine().trouble.silent = False
    # The powers may have found out, too, and then nothing else is asked.
    await refresh(hass, enabled, Group.POWER)
    await refresh(hass, enabled, Group.SETTINGS)
    await press(hass)
    assert state(hass, Platform.SWITCH, "solar_sell").state == "on"


async def test_undo_is_there_at_first_and_a_person_enables_the_clocks_button(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Both buttons belong to the settings."""
    registry = er.async_get(hass)
    for key, disabled_by in (
        ("undo_last_change", None),
        ("sync_clock", er.RegistryEntryDisabler.INTEGRATION),
    ):
        known = registry.async_get(entity(hass, Platform.BUTTON, key))
        assert known is not None
        assert known.disabled_by is disabled_by
        assert known.entity_category == "config"


# ---------------------------------------------------------------------- what would be undone


def would_undo(hass: HomeAssistant) -> str | None:
    """Return what the button says that it would undo."""
    text: str | None = state(hass, Platform.BUTTON, "undo_last_change").attributes["would_undo"]
    return text


async def test_the_button_says_what_it_would_undo(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Names and values as their entities show them; of what was made together all, the last one first."""
    assert would_undo(hass) is None
    await change(hass, "number", "set_value", "max_sell_power", value=4600)
    assert would_undo(hass) == "Max sell power: 4600 → 8000"
    await change(hass, "select", "select_option", "work_mode", option="selling_first")
    assert would_undo(hass) == "Work mode: Selling first → Zero export to CT"
    await unit_of(loaded).device.write_many(
        {"max_sell_power": 4000, "work_mode": "zero_export_to_ct"}
    )
    assert would_undo(hass) == (
        "Work mode: Zero export to CT → Selling first; Max sell power: 4000 → 4600"
    )
    for expected in (
        "Work mode: Selling first → Zero export to CT",
        "Max sell power: 4600 → 8000",
        None,
    ):
        await press(hass)
        assert would_undo(hass) == expected


async def test_a_setting_that_was_changed_at_the_panel_is_not_undone(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The message says so, and the next press goes one change further back."""
    await change(hass, "switch", "turn_off", "solar_sell")
    await change(hass, "select", "select_option", "work_mode", option="selling_first")
    plant.machine().panel_change(142, 1)
    with pytest.raises(ServiceValidationError) as error:
        await press(hass)
    assert error.value.translation_key == "changed_elsewhere"
    assert str(error.value) == (
        "Work mode was not changed back: it is Zero export to load now, not Selling first as it "
        "was set here, so somebody has changed it elsewhere since. Set it yourself if that is not "
        "wanted; the next undo reverts an earlier change"
    )
    assert plant.machine().word(142) == 1
    assert would_undo(hass) == "Solar sell: Off → On"
    await press(hass)
    assert plant.machine().word(145) == 1


# ---------------------------------------------------------------------- kept


@pytest.mark.parametrize("restart", [False, True])
async def test_what_can_be_undone_survives_a_reload_and_a_restart(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, restart: bool
) -> None:
    """A time of day, a switch and a schedule that was written in one request."""
    machine = plant.machine()
    before = machine.read(142, 36)
    await change(hass, "switch", "turn_off", "solar_sell")
    await unit_of(loaded).device.write("tou_slot_2_time", time(5, 35))
    await unit_of(loaded).device.write_many({"tou_slot_1_soc": 25, "tou_slot_2_soc": 25})
    said = would_undo(hass)
    if restart:
        assert await hass.config_entries.async_unload(loaded.entry_id)
        assert await hass.config_entries.async_setup(loaded.entry_id)
    else:
        assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert would_undo(hass) == said
    for _ in range(3):
        await press(hass)
    assert machine.read(142, 36) == before
    with pytest.raises(ServiceValidationError):
        await press(hass)


async def test_changes_are_stored_a_second_after_the_first_and_go_with_the_entry(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """So that a crash costs no more than that."""
    key = f"hybrid_inverter.{loaded.entry_id}.changes"
    await change(hass, "switch", "turn_off", "solar_sell")
    assert key not in hass_storage
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=1.1))
    await hass.async_block_till_done()
    (stored,) = hass_storage[key]["data"][SERIAL]
    assert (stored["key"], stored["before"], stored["after"]) == ("solar_sell", True, False)
    assert await hass.config_entries.async_remove(loaded.entry_id)
    assert key not in hass_storage


async def test_read_only_tier_has_nothing_to_undo_set_or_count(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """Who may write nothing has nothing to undo, no clock to set and no writes to count."""
    entry = network_entry(plant.tcp_port, options={"tier": "read_only"})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert [find(hass, Platform.BUTTON, key) for key in BUTTONS] == [None, None]
    assert find(hass, Platform.SENSOR, "setting_writes_today") is None
    assert find(hass, Platform.SENSOR, "clock_drift") is not None
