"""What a mode leaves behind, over unloads, stops and crashes of Home Assistant, and after a change at the panel."""

from dataclasses import replace
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import ATTR_ENTITY_ID, EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.modbus.model.codec import Choice
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.model.residue import Residue
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, refresh, state

MODE: Final = 142
POWER: Final = 143
SELLING: Final = 0


@pytest.fixture(autouse=True)
def _family_with_residue(_fast: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let selling first be a mode that is run from here, with a power that must not stay behind."""
    residue = Residue(
        key="work_mode", value="selling_first", keys=("max_sell_power",), run_from_here=True
    )
    monkeypatch.setitem(FAMILIES, "jso", replace(FAMILIES["jso"], residues=(residue,)))


@pytest.fixture
def before(plant: SimulatedPlant) -> tuple[int, int]:
    """Return what the machine holds in the beginning, which is another mode and another power."""
    held = (plant.machine().word(MODE), plant.machine().word(POWER))
    assert held[0] != SELLING
    assert held[1] != 1200
    return held


def held(plant: SimulatedPlant) -> tuple[int, int]:
    """Return the mode and the power that the machine holds."""
    return (plant.machine().word(MODE), plant.machine().word(POWER))


def written(plant: SimulatedPlant) -> list[tuple[int, int]]:
    """Return what was written, address and first word."""
    return [(write.address, write.values[0]) for write in plant.machine().writes]


async def sell(hass: HomeAssistant) -> None:
    """Set the power, then enter the mode."""
    await hass.services.async_call(
        "number",
        "set_value",
        {ATTR_ENTITY_ID: entity(hass, Platform.NUMBER, "max_sell_power"), "value": 1200},
        blocking=True,
    )
    await choose(hass, "selling_first")


async def choose(hass: HomeAssistant, mode: str) -> None:
    """Select a mode."""
    await hass.services.async_call(
        "select",
        "select_option",
        {ATTR_ENTITY_ID: entity(hass, Platform.SELECT, "work_mode"), "option": mode},
        blocking=True,
    )


def storage(entry: MockConfigEntry) -> str:
    """Return the name of the file."""
    return f"hybrid_inverter.{entry.entry_id}.residues"


def kept(words: tuple[int, int]) -> dict[str, Any]:
    """Return what the file holds while the mode is in force."""
    mode, power = words
    return {
        SERIAL: {
            "work_mode=selling_first": {
                "before": {"max_sell_power": [power], "work_mode": [mode]},
                "in_force": True,
                "ours": {
                    "max_sell_power": [[power], [1200]],
                    "work_mode": [[mode], [SELLING]],
                },
            }
        }
    }


async def end(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Switch the entry off."""
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)


async def test_disabling_leaves_the_mode_before_its_settings_are_restored(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    before: tuple[int, int],
    loaded: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    """The mode first, then the power, before the link closes; nothing stays in the file."""
    await sell(hass)
    assert held(plant) == (SELLING, 1200)
    assert hass_storage[storage(loaded)]["data"] == kept(before)
    plant.machine().writes.clear()
    await end(hass, loaded)
    assert written(plant) == [(MODE, before[0]), (POWER, before[1])]
    assert held(plant) == before
    assert hass_storage[storage(loaded)]["data"] == {SERIAL: {}}


async def test_stopping_home_assistant_restores_settings_before_the_link_closes(
    hass: HomeAssistant, plant: SimulatedPlant, before: tuple[int, int], loaded: MockConfigEntry
) -> None:
    """Before the link is closed."""
    await sell(hass)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert held(plant) == before
    assert not loaded.runtime_data.link.connected


async def test_mode_that_was_already_left_is_not_left_again(
    hass: HomeAssistant, plant: SimulatedPlant, before: tuple[int, int], loaded: MockConfigEntry
) -> None:
    """The mode was left, and everything put back, before."""
    await sell(hass)
    await choose(hass, "zero_export_to_load")
    plant.machine().writes.clear()
    await end(hass, loaded)
    assert written(plant) == []


async def test_a_machine_that_cannot_be_left(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    before: tuple[int, int],
    loaded: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is disabled all the same, with a warning, and what was before is not forgotten."""
    await sell(hass)
    plant.machine().trouble.locked = True
    await end(hass, loaded)
    assert "JSO8048104 was not left as it was found: register 142 (work_mode)" in caplog.text
    assert hass_storage[storage(loaded)]["data"] == kept(before)


@pytest.mark.parametrize("crashed", [True, False])
async def test_left_at_the_panel(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    before: tuple[int, int],
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    crashed: bool,
) -> None:
    """The power is put back with the next poll, also when Home Assistant had crashed meanwhile; the mode stays."""
    if crashed:
        hass_storage[storage(entry)] = {"version": 1, "key": storage(entry), "data": kept(before)}
        plant.machine().panel_change(POWER, 1200)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    if not crashed:
        await sell(hass)
        plant.machine().panel_change(MODE, 2)
        await refresh(hass, entry, Group.SETTINGS)
        assert held(plant) == (2, before[1])
    assert plant.machine().word(POWER) == before[1]
    assert state(hass, Platform.NUMBER, "max_sell_power").state == str(before[1])


async def test_device_that_does_not_keep_a_restore_is_not_written_every_poll(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    before: tuple[int, int],
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A machine that does not keep it is not written to with every poll."""
    await sell(hass)
    plant.machine().panel_change(MODE, before[0])
    plant.machine().trouble.locked = True
    plant.machine().writes.clear()
    for _ in range(3):
        await refresh(hass, loaded, Group.SETTINGS)
    assert written(plant) == [(POWER, before[1])] * 2
    assert caplog.text.count("settings of the last one remain") == 1


async def test_removed_entry_takes_its_residue_file_along(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """The file goes with the entry."""
    await sell(hass)
    assert storage(loaded) in hass_storage
    assert await hass.config_entries.async_remove(loaded.entry_id)
    assert storage(loaded) not in hass_storage


# ---------------------------------------------------------------------- what is only shown


@pytest.fixture
def _shown_only(_family_with_residue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody choose to sell first."""
    jso: Family = FAMILIES["jso"]
    row = jso.registers["work_mode"]
    assert isinstance(row.codec, Choice)
    codec = replace(row.codec, shown_only=frozenset({SELLING}))
    registers = {**jso.registers, "work_mode": replace(row, codec=codec)}
    monkeypatch.setitem(FAMILIES, "jso", replace(jso, registers=registers))


@pytest.mark.usefixtures("_shown_only")
async def test_shown_and_not_offered(
    hass: HomeAssistant, plant: SimulatedPlant, before: tuple[int, int], loaded: MockConfigEntry
) -> None:
    """A mode that only the machine chooses is among the options while it is in force."""
    with pytest.raises(ServiceValidationError):
        await choose(hass, "selling_first")
    plant.machine().panel_change(MODE, SELLING)
    await refresh(hass, loaded, Group.SETTINGS)
    shown = state(hass, Platform.SELECT, "work_mode")
    assert shown.state == "selling_first"
    assert "selling_first" in shown.attributes["options"]
    await choose(hass, "selling_first")
    assert written(plant) == []
    await choose(hass, "zero_export_to_load")
    assert "selling_first" not in state(hass, Platform.SELECT, "work_mode").attributes["options"]
