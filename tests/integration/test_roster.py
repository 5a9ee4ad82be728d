"""Entities that come and go with how a machine is set, and with what it is found to have."""

import asyncio
from dataclasses import replace
import logging
from typing import Any, Final
from unittest.mock import patch

from homeassistant.const import ATTR_ENTITY_ID, EVENT_STATE_CHANGED, STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.entities.base import UnitEntityDescription
from custom_components.hybrid_inverter.entities.presence import EntityPresence
from custom_components.hybrid_inverter.modbus.model.derived import Derived, total
from custom_components.hybrid_inverter.modbus.model.features import Feature, above
from custom_components.hybrid_inverter.modbus.model.part import Part
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from simulator import SimulatedPlant

from .helpers import entity, find, load_plant, refresh, requests, state, unit_of

INSTALLER: Final = {"tier": "installer"}

# What is there in a mode of the generator port, and in no other one: shown at first, or off at first.
GENERATOR: Final[dict[str, bool]] = {"number.generator_rated_power": False}
SMART_LOAD: Final = {
    "number.smart_load_on_soc": True,
    "number.smart_load_off_soc": True,
    "number.smart_load_min_solar_power": True,
    "number.smart_load_open_delay": False,
    "switch.on_grid_always_on": True,
}
MICRO_INVERTER: Final = {
    "number.smart_load_on_soc": True,
    "number.smart_load_off_soc": True,
    "number.ac_couple_frequency_high": False,
    "switch.microinverter_export_cutoff": False,
}
OF_A_MODE: Final = {*GENERATOR, *SMART_LOAD, *MICRO_INVERTER}
# What a battery that is controlled by voltage brings; the simulated one is not.
BY_VOLTAGE: Final = {"number.smart_load_on_voltage", "number.smart_load_off_voltage"}


def there(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, bool]:
    """Return platform and key of what belongs to a mode and is registered, and whether it has a state."""
    known = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    names = {f"{item.domain}.{item.unique_id.removeprefix('JSO0000001_')}": item for item in known}
    return {
        name: hass.states.get(item.entity_id) is not None
        for name, item in names.items()
        if name in OF_A_MODE | BY_VOLTAGE
    }


def everything(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return the entity ids of all that is registered."""
    known = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {item.entity_id for item in known}


async def reload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Unload the entry and set it up again, as a restart does."""
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


async def choose(hass: HomeAssistant, mode: str) -> None:
    """Choose the mode of the port as a person does."""
    await hass.services.async_call(
        "select",
        "select_option",
        {ATTR_ENTITY_ID: entity(hass, Platform.SELECT, "generator_port_mode"), "option": mode},
        blocking=True,
    )


async def at_the_panel(
    hass: HomeAssistant, plant: SimulatedPlant, entry: MockConfigEntry, mode: int
) -> None:
    """Choose the mode of the port at the display, and wait for the next reading of the settings."""
    plant.machine().panel_change(133, mode)
    await refresh(hass, entry, Group.SETTINGS)


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged about us that a person would have to look at."""
    return [
        text
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and record.name != "asyncio"
        and ("hybrid_inverter" in (text := record.getMessage()) or "jso8048104" in text.lower())
        and "has not been tested by Home Assistant" not in text
    ]


# ---------------------------------------------------------------------- the mode of the port


async def test_the_mode_of_the_port(
    hass: HomeAssistant, plant: SimulatedPlant, caplog: pytest.LogCaptureFixture
) -> None:
    """Exactly what counts is there when the action returns, each time, and everything else stays."""
    entry = await load_plant(hass, plant, INSTALLER)
    assert there(hass, entry) == GENERATOR
    others = everything(hass, entry) - {"number.jso8048104_generator_port_rated_power"}
    shown: list[str] = []
    hass.bus.async_listen(
        EVENT_STATE_CHANGED,
        callback(lambda event: shown.append(getattr(event.data["new_state"], "state", "none"))),
    )

    await choose(hass, "smart_load_output")
    assert there(hass, entry) == SMART_LOAD
    assert everything(hass, entry) - others == {
        "number.jso8048104_generator_port_smart_load_on_soc",
        "number.jso8048104_generator_port_smart_load_off_soc",
        "number.jso8048104_generator_port_smart_load_min_pv_power",
        "number.jso8048104_generator_port_smart_load_delay",
        "switch.jso8048104_generator_port_on_grid_always_on",
    }
    values = {
        name: state(hass, Platform(name.split(".")[0]), name.split(".")[1]).state
        for name, shown in SMART_LOAD.items()
        if shown
    }
    assert values == {
        "number.smart_load_on_soc": "100",
        "number.smart_load_off_soc": "95",
        "number.smart_load_min_solar_power": "500",
        "switch.on_grid_always_on": "off",
    }

    await choose(hass, "generator_input")
    assert there(hass, entry) == GENERATOR
    assert everything(hass, entry) - others == {"number.jso8048104_generator_port_rated_power"}
    assert hass.states.get("number.jso8048104_generator_port_smart_load_on_soc") is None

    await choose(hass, "micro_inverter_input")
    assert there(hass, entry) == MICRO_INVERTER
    assert everything(hass, entry) - others == {
        "number.jso8048104_generator_port_smart_load_on_soc",
        "number.jso8048104_generator_port_smart_load_off_soc",
        "number.jso8048104_generator_port_ac_coupling_high_frequency",
        "switch.jso8048104_generator_port_micro_inverter_export_cut_off",
    }
    assert others <= everything(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    # What comes has its value from the start.
    assert "500" in shown
    assert STATE_UNAVAILABLE not in shown
    assert complaints(caplog) == []


async def test_a_mode_that_is_written_while_the_entry_is_unloaded(
    hass: HomeAssistant, plant: SimulatedPlant, caplog: pytest.LogCaptureFixture
) -> None:
    """The write is finished, and what the new mode brings comes when the entry is loaded again, not before."""
    entry = await load_plant(hass, plant, INSTALLER)
    unit = unit_of(entry)
    writing = hass.async_create_task(unit.device.write("generator_port_mode", "smart_load_output"))
    await asyncio.sleep(0)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await writing
    await hass.async_block_till_done(wait_background_tasks=True)
    assert plant.machine().read(133, 1) == [1]
    assert not any(
        state.state != STATE_UNAVAILABLE
        for item in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if (state := hass.states.get(item.entity_id)) is not None
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert there(hass, entry) == SMART_LOAD
    assert complaints(caplog) == []


async def test_what_has_come_can_be_written(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """And goes on being polled."""
    await at_the_panel(hass, plant, loaded, 1)
    await hass.services.async_call(
        "number",
        "set_value",
        {ATTR_ENTITY_ID: entity(hass, Platform.NUMBER, "smart_load_on_soc"), "value": 98},
        blocking=True,
    )
    assert plant.machine().word(137) == 98
    plant.machine().panel_change(137, 97)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.NUMBER, "smart_load_on_soc").state == "97"


async def test_changed_at_the_panel(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The next reading of the settings tells, also where nobody looks at the mode itself."""
    registry = er.async_get(hass)
    mode = entity(hass, Platform.SENSOR, "generator_port_mode")
    registry.async_update_entity(mode, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    await reload(hass, loaded)
    assert hass.states.get(mode) is None
    # In the tier for every day, the installer's settings are shown as sensors.
    assert there(hass, loaded) == {}
    await at_the_panel(hass, plant, loaded, 1)
    assert there(hass, loaded) == SMART_LOAD
    await at_the_panel(hass, plant, loaded, 2)
    assert there(hass, loaded) == {
        name: shown for name, shown in MICRO_INVERTER.items() if "frequency" not in name
    }
    assert find(hass, Platform.SENSOR, "ac_couple_frequency_high") is not None
    await at_the_panel(hass, plant, loaded, 0)
    assert there(hass, loaded) == {}


async def test_a_mode_that_has_no_name(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A firmware's new mode is none that is known to make a setting useless."""
    await at_the_panel(hass, plant, loaded, 7)
    assert there(hass, loaded).keys() == {*SMART_LOAD, *MICRO_INVERTER} - {
        "number.ac_couple_frequency_high"
    }


async def test_conditions_are_looked_at_only_when_a_setting_that_decides_them_has_changed(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Not for another setting, nor for the same values once more."""
    await hass.async_block_till_done(wait_background_tasks=True)
    looks: list[str] = []
    is_present = EntityPresence._is_present

    def counted(presence: EntityPresence[Any], description: UnitEntityDescription) -> bool:
        looks.append(description.key)
        return is_present(presence, description)

    with patch.object(EntityPresence, "_is_present", counted):
        await hass.services.async_call(
            "number",
            "set_value",
            {ATTR_ENTITY_ID: entity(hass, Platform.NUMBER, "max_sell_power"), "value": 4000},
            blocking=True,
        )
        assert plant.machine().word(143) == 4000
        await refresh(hass, loaded, Group.SETTINGS)
        assert looks == []
        await at_the_panel(hass, plant, loaded, 1)
        assert "smart_load_on_soc" in looks
    assert there(hass, loaded) == SMART_LOAD


# ---------------------------------------------------------------------- what a person has made of it


async def test_what_a_person_chose_comes_back(hass: HomeAssistant, plant: SimulatedPlant) -> None:
    """Name, entity id, area, icon, label, and whether it is enabled: all of it, also after a restart in between."""
    plant.machine().panel_change(133, 1)
    entry = await load_plant(hass, plant, INSTALLER)
    registry = er.async_get(hass)
    area = ar.async_get(hass).async_create("Cellar")
    label = lr.async_get(hass).async_create("Boiler")
    registry.async_update_entity(
        entity(hass, Platform.NUMBER, "smart_load_on_soc"),
        new_entity_id="number.boiler_on",
        name="Boiler on at",
        icon="mdi:water-boiler",
        area_id=area.id,
        labels={label.label_id},
    )
    registry.async_update_entity(
        entity(hass, Platform.NUMBER, "smart_load_off_soc"),
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    registry.async_update_entity(
        entity(hass, Platform.NUMBER, "smart_load_open_delay"), disabled_by=None
    )
    await hass.async_block_till_done()
    await reload(hass, entry)
    chosen = {
        **SMART_LOAD,
        "number.smart_load_off_soc": False,
        "number.smart_load_open_delay": True,
    }
    assert there(hass, entry) == chosen
    before = registry.async_get("number.boiler_on")

    for restarts in (0, 1):
        await choose(hass, "generator_input")
        assert there(hass, entry) == GENERATOR
        assert registry.async_get("number.boiler_on") is None
        for _ in range(restarts):
            await reload(hass, entry)
            assert there(hass, entry) == GENERATOR
        await choose(hass, "smart_load_output")
        await hass.async_block_till_done(wait_background_tasks=True)
        assert there(hass, entry) == chosen
        after = registry.async_get("number.boiler_on")
        assert before is not None
        assert after is not None
        assert (after.id, after.name, after.icon) == (before.id, "Boiler on at", "mdi:water-boiler")
        assert (after.area_id, after.labels) == (area.id, {label.label_id})
        assert hass.states.get("number.boiler_on").state == "100"  # type: ignore[union-attr]
        assert state(hass, Platform.NUMBER, "smart_load_open_delay").state == "1"


async def test_chosen_at_the_panel_while_home_assistant_was_down(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What comes with the start is read before anybody asks for it."""
    assert await hass.config_entries.async_unload(loaded.entry_id)
    plant.machine().panel_change(133, 1)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert there(hass, loaded) == SMART_LOAD
    assert state(hass, Platform.NUMBER, "smart_load_min_solar_power").state == "500"
    assert await hass.config_entries.async_unload(loaded.entry_id)
    plant.machine().panel_change(133, 0)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert there(hass, loaded) == {}
    assert hass.states.get("number.jso8048104_generator_port_smart_load_min_pv_power") is None
    # And what is not there is not asked for at the next start.
    assert "smart_load_min_solar_power" in unit_of(loaded).coordinators[Group.SETTINGS].data.values
    await reload(hass, loaded)
    values = unit_of(loaded).coordinators[Group.SETTINGS].data.values
    assert "smart_load_min_solar_power" not in values
    assert values["generator_port_mode"] == "generator_input"


async def test_nothing_is_asked_twice(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A start asks for everything once: at most six reads, the serial number, the firmware, and what only some have."""
    await hass.async_block_till_done(wait_background_tasks=True)
    assert requests(plant) <= 6 + 3


# ---------------------------------------------------------------------- a machine that is silent


@pytest.mark.parametrize(("mode", "kept"), [(0, {}), (1, SMART_LOAD)])
async def test_a_start_while_the_machine_is_silent(
    hass: HomeAssistant, *, plant: SimulatedPlant, mode: int, kept: dict[str, bool]
) -> None:
    """What was there is there, unavailable; nothing else comes before the machine has told its mode."""
    plant.machine().panel_change(133, mode)
    entry = await load_plant(hass, plant)
    known = everything(hass, entry)
    assert there(hass, entry) == kept
    plant.machine().trouble.silent = True
    await reload(hass, entry)
    assert everything(hass, entry) == known
    assert there(hass, entry) == kept
    shown = {name for name, enabled in kept.items() if enabled}
    for name in shown:
        platform, key = name.split(".")
        assert state(hass, Platform(platform), key).state == STATE_UNAVAILABLE
    # Its mode was changed at the display; it tells when it is back.
    plant.machine().panel_change(133, 1 - mode)
    plant.machine().trouble.silent = False
    await refresh(hass, entry, Group.POWER)
    assert there(hass, entry) == (SMART_LOAD, {})[mode]


async def test_another_tier_while_the_machine_is_silent(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """What was shown as a control is shown as a sensor, and what was not there is not."""
    plant.machine().panel_change(133, 1)
    entry = await load_plant(hass, plant)
    plant.machine().trouble.silent = True
    hass.config_entries.async_update_entry(entry, options={"tier": "read_only"})
    await reload(hass, entry)
    assert there(hass, entry) == {}
    assert find(hass, Platform.SENSOR, "smart_load_min_solar_power") is not None
    assert find(hass, Platform.BINARY_SENSOR, "on_grid_always_on") is not None
    assert find(hass, Platform.SENSOR, "ac_couple_frequency_high") is None


async def test_a_reading_without_the_mode(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A machine that is busy, or refuses the mode for a while, changes nothing."""
    await at_the_panel(hass, plant, loaded, 1)
    plant.machine().trouble.busy = True
    await refresh(hass, loaded, Group.SETTINGS)
    assert there(hass, loaded) == SMART_LOAD
    plant.machine().trouble.busy = False
    coordinator = unit_of(loaded).coordinators[Group.SETTINGS]
    values = dict(coordinator.data.values)
    del values["generator_port_mode"]
    coordinator.async_set_updated_data(replace(coordinator.data, values=values))
    assert there(hass, loaded) == SMART_LOAD


async def test_a_new_machine_that_is_silent_at_first(
    hass: HomeAssistant, plant: SimulatedPlant, entry: MockConfigEntry
) -> None:
    """Nothing is known of it, not even what there was before: all is there until it says what counts."""
    # An entry loads while its only machine is silent if it has a device already.
    (subentry_id,) = entry.subentries
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        config_subentry_id=subentry_id,
        identifiers={("hybrid_inverter", "JSO0000001")},
    )
    plant.machine().trouble.silent = True
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert there(hass, entry).keys() == {*SMART_LOAD, *MICRO_INVERTER, *BY_VOLTAGE} - {
        "number.ac_couple_frequency_high"
    }
    plant.machine().trouble.silent = False
    await refresh(hass, entry, Group.POWER)
    assert there(hass, entry) == {}


# ---------------------------------------------------------------------- what is found later


JSO: Final = FAMILIES["jso"]
# A back-up output that only some machines have; they are told by a delay of more than an hour. Where it is, the power of
# the generator port is what the output gives, and counts as energy does: another group.
BACKUP: Final = Feature(
    key="backup",
    proof=above(60, "smart_load_open_delay"),
    registers={"backup_power": JSO.registers["backup_power"]},
    derived={
        "generator_power": Derived(
            key="generator_power",
            part=Part.GENERATOR,
            shown=True,
            inputs=("backup_power",),
            compute=total("backup_power"),
            group=Group.ENERGY,
            unit="W",
        )
    },
)
DELAY: Final = 192


@pytest.fixture
def some_have_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a family of which only some machines have the output."""
    registers = {
        key: row for key, row in FAMILIES["jso"].registers.items() if key != "backup_power"
    }
    monkeypatch.setitem(
        FAMILIES, "jso", replace(FAMILIES["jso"], registers=registers, features=(BACKUP,))
    )


@pytest.fixture
def modest(some_have_more: None, loaded: MockConfigEntry) -> MockConfigEntry:
    """Return the loaded entry of a machine that has nothing more, as far as it has told."""
    return loaded


def features(entry: MockConfigEntry) -> list[str]:
    """Return what is kept with the only subentry."""
    (subentry,) = entry.subentries.values()
    kept: list[str] = subentry.data["identity"]["features"]
    return kept


async def test_a_feature_that_is_found_later(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    modest: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its entities come without anybody doing anything, and stay when the machine is silent at the next start."""
    await hass.async_block_till_done(wait_background_tasks=True)
    assert features(modest) == []
    assert find(hass, Platform.SENSOR, "backup_power") is None
    before = everything(hass, modest)
    generator = entity(hass, Platform.SENSOR, "generator_power")
    assert state(hass, Platform.SENSOR, "generator_power").state == "0"

    plant.machine().panel_change(DELAY, 61)
    await refresh(hass, modest, Group.SETTINGS)
    assert features(modest) == []
    await refresh(hass, modest, Group.IDENTITY)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert features(modest) == ["backup"]
    assert everything(hass, modest) - before == {"sensor.jso8048104_load_backup_power"}
    backup = state(hass, Platform.SENSOR, "backup_power").state
    assert backup == str(plant.machine().word(643)) != "0"
    # The same entity, polled in another group now.
    assert entity(hass, Platform.SENSOR, "generator_power") == generator
    assert state(hass, Platform.SENSOR, "generator_power").state == backup
    keys = {group: item.keys for group, item in unit_of(modest).coordinators.items()}
    assert "generator_power" in keys[Group.ENERGY]
    assert "generator_power" not in keys[Group.POWER]
    assert complaints(caplog) == []

    plant.machine().trouble.silent = True
    known = everything(hass, modest)
    await reload(hass, modest)
    assert everything(hass, modest) == known
    assert state(hass, Platform.SENSOR, "backup_power").state == STATE_UNAVAILABLE
    # Once found it stays.
    plant.machine().trouble.silent = False
    plant.machine().panel_change(DELAY, 1)
    await reload(hass, modest)
    assert features(modest) == ["backup"]
    assert state(hass, Platform.SENSOR, "backup_power").state == backup


async def test_a_feature_that_is_found_at_the_start(
    hass: HomeAssistant, *, plant: SimulatedPlant, entry: MockConfigEntry, some_have_more: None
) -> None:
    """What an older version did not look for, or what was built in while Home Assistant was down."""
    plant.machine().panel_change(DELAY, 61)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert features(entry) == ["backup"]
    assert float(state(hass, Platform.SENSOR, "backup_power").state) > 0
    # Found once: it is loaded again for that and not for ever.
    assert plant.tcp.statistics.connections == 2


async def test_failed_feature_probe_is_repeated_after_the_next_identity_poll(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    modest: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It concludes nothing, complains of nothing, and is repeated after the next reading of the identity."""
    await hass.async_block_till_done(wait_background_tasks=True)
    plant.machine().panel_change(DELAY, 61)
    unit = unit_of(modest)
    plant.machine().trouble.silent = True
    caplog.set_level(logging.DEBUG)
    assert await unit.machine.async_discover() == frozenset()
    told = [
        item for item in caplog.records if "did not say which features it has" in item.getMessage()
    ]
    assert [item.levelno for item in told] == [logging.DEBUG]
    assert features(modest) == []
    # A reading of the identity that fails does not even ask.
    await refresh(hass, modest, Group.IDENTITY)
    assert "did not say which features" in caplog.text
    assert (
        len([item for item in caplog.records if "did not say which features" in item.getMessage()])
        == 1
    )
    plant.machine().trouble.silent = False
    # While the machine counts as silent only its powers are asked for.
    await refresh(hass, modest, Group.POWER)
    await refresh(hass, modest, Group.IDENTITY)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert features(modest) == ["backup"]
