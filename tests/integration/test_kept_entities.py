"""The settings of the passive mode, which were there in every mode in earlier versions: nobody loses what was enabled."""

from typing import Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import find, refresh
from .test_schedule_windows import SERIAL, WORK_MODE, set_up
from .test_writes_saj import call, held

NOBODY: Final = None
INTEGRATION: Final = er.RegistryEntryDisabler.INTEGRATION
USER: Final = er.RegistryEntryDisabler.USER
# What an earlier version has registered, and who has disabled it.
EARLIER: Final = {
    "select.passive_action": NOBODY,
    "number.passive_battery_charge_power": NOBODY,
    "number.passive_battery_discharge_power": INTEGRATION,
    "number.passive_grid_charge_power": USER,
    "number.passive_grid_discharge_power": INTEGRATION,
}


async def updated(
    hass: HomeAssistant, plant: SimulatedPlant, *, mode: int = 0, new_entities: bool = True
) -> MockConfigEntry:
    """Return the entry of an installation that has come from an earlier version, whose inverter is in a work mode."""
    entry = await set_up(hass, plant)
    assert await hass.config_entries.async_unload(entry.entry_id)
    plant.machine().panel_change(WORK_MODE, mode)
    registry = er.async_get(hass)
    (subentry_id,) = entry.subentries
    for name, disabled_by in EARLIER.items():
        platform, key = name.split(".")
        registry.async_get_or_create(
            platform,
            DOMAIN,
            f"{SERIAL}_{key}",
            config_entry=entry,
            config_subentry_id=subentry_id,
            suggested_object_id=f"my_{key}",
            disabled_by=disabled_by,
        )
    hass.config_entries.async_update_entry(
        entry, minor_version=1, pref_disable_new_entities=not new_entities
    )
    await start(hass, entry)
    return entry


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the entry up as a start of Home Assistant does, and let it read everything."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


def there(hass: HomeAssistant) -> set[str]:
    """Return what of it has a state."""
    return {
        name
        for name in EARLIER
        for platform, key in (name.split("."),)
        if (entity_id := find(hass, Platform(platform), key, SERIAL)) is not None
        and hass.states.get(entity_id) is not None
    }


async def at_the_panel(
    hass: HomeAssistant, plant: SimulatedPlant, entry: MockConfigEntry, mode: int
) -> None:
    """Choose a work mode at the display, and read it."""
    plant.machine().panel_change(WORK_MODE, mode)
    await refresh(hass, entry, Group.SETTINGS)


ENABLED: Final = {"select.passive_action", "number.passive_battery_charge_power"}
WITH_THE_MODE: Final = {
    "number.passive_battery_discharge_power",
    "number.passive_grid_discharge_power",
}


async def test_what_was_enabled_stays_in_every_mode_and_what_nobody_has_disabled_comes_with_the_mode(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """At once, again and again, and over restarts; what a person has disabled stays away."""
    entry = await updated(hass, saj)
    for _ in range(2):
        assert there(hass) == ENABLED
        await at_the_panel(hass, saj, entry, 3)
        assert there(hass) == ENABLED | WITH_THE_MODE
        await at_the_panel(hass, saj, entry, 0)
        assert there(hass) == ENABLED
        assert await hass.config_entries.async_unload(entry.entry_id)
        await start(hass, entry)
    assert find(hass, Platform.SELECT, "passive_action", SERIAL) == "select.my_passive_action"
    await at_the_panel(hass, saj, entry, 3)
    assert (
        find(hass, Platform.NUMBER, "passive_battery_discharge_power", SERIAL)
        == "number.my_passive_battery_discharge_power"
    )


async def test_an_automation_that_sets_the_power_and_the_action_before_the_mode_goes_on_working(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """It charges with 1200 W, 200 thousandths of 6000 W, although the action held that already."""
    saj.machine().panel_change(0x3636, 2)
    await updated(hass, saj)
    await call(hass, Platform.NUMBER, "passive_battery_charge_power", 1200)
    await call(hass, Platform.SELECT, "passive_action", "charge")
    await call(hass, Platform.SELECT, "work_mode", "passive")
    assert held(saj) == [3, 2, 1100, 1100, 200, 1100]
    await call(hass, Platform.SELECT, "work_mode", "self_consumption")
    assert held(saj) == [0, 2, 1100, 1100, 1100, 1100]


async def test_the_mode_begins_at_standby_where_only_the_mode_is_chosen(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """Whatever the action was told before; it has that back when the mode is left."""
    saj.machine().panel_change(0x3636, 1)
    await updated(hass, saj)
    await call(hass, Platform.SELECT, "work_mode", "passive")
    assert held(saj) == [3, 0, 1100, 1100, 1100, 1100]
    await call(hass, Platform.SELECT, "work_mode", "time_of_use")
    assert held(saj) == [1, 1, 1100, 1100, 1100, 1100]


async def test_nothing_is_enabled_where_a_person_wants_no_new_entities(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """What is enabled is what was, also in the mode; the others are there to be enabled."""
    await updated(hass, saj, mode=3, new_entities=False)
    assert there(hass) == ENABLED
    for name in WITH_THE_MODE:
        entity_id = find(hass, Platform.NUMBER, name.partition(".")[2], SERIAL)
        assert entity_id is not None
        known = er.async_get(hass).async_get(entity_id)
        assert known is not None
        assert known.disabled_by is INTEGRATION


async def test_a_new_installation_has_them_with_the_mode_only(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """All of them, and none is left in the registry when the mode is over."""
    entry = await set_up(hass, saj)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert there(hass) == set()
    await call(hass, Platform.SELECT, "work_mode", "passive")
    assert there(hass) == EARLIER.keys()
    await call(hass, Platform.SELECT, "work_mode", "self_consumption")
    known = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert [item.unique_id for item in known if "passive" in item.unique_id] == []
