"""Settings: changed through Home Assistant's actions, and seen in the machine's registers."""

from collections.abc import Mapping
from dataclasses import replace
import json
from typing import Final

from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_UNAVAILABLE,
    Platform,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.modbus.model.register import Group, Tier
from custom_components.hybrid_inverter.runtime.writes import (
    async_write_setting,
    display_name,
    display_value,
)
from simulator import SimulatedPlant
from simulator.jso import JsoMachine

from .helpers import entity, find, load_plant, refresh, state, unit_of

INSTALLER: Final = {"tier": "installer"}
READ_ONLY: Final = {"tier": "read_only"}


@pytest.fixture
def smart_load(plant: SimulatedPlant) -> None:
    """Have the generator port switch a load, so that the thresholds of that are there."""
    plant.machine().panel_change(133, 1)


async def select(hass: HomeAssistant, key: str, option: str) -> None:
    """Choose an option as a person does."""
    await hass.services.async_call(
        "select",
        "select_option",
        {ATTR_ENTITY_ID: entity(hass, Platform.SELECT, key), "option": option},
        blocking=True,
    )


async def set_number(hass: HomeAssistant, key: str, value: float) -> None:
    """Set a number as a person does."""
    await hass.services.async_call(
        "number",
        "set_value",
        {ATTR_ENTITY_ID: entity(hass, Platform.NUMBER, key), "value": value},
        blocking=True,
    )


async def switch(hass: HomeAssistant, key: str, *, on: bool) -> None:
    """Switch as a person does."""
    await hass.services.async_call(
        "switch",
        SERVICE_TURN_ON if on else SERVICE_TURN_OFF,
        {ATTR_ENTITY_ID: entity(hass, Platform.SWITCH, key)},
        blocking=True,
    )


# ---------------------------------------------------------------------- what is written


@pytest.mark.parametrize(
    ("key", "option", "address", "before", "after"),
    [
        ("work_mode", "selling_first", 142, 2, 0),
        ("work_mode", "zero_export_to_load", 142, 2, 1),
        ("energy_pattern", "battery_first", 141, 1, 0),
        ("generator_port_mode", "smart_load_output", 133, 0, 1),
        ("generator_port_mode", "micro_inverter_input", 133, 0, 2),
    ],
)
async def test_select_writes_the_code_before_the_action_returns(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    key: str,
    option: str,
    address: int,
    before: int,
    after: int,
) -> None:
    """The register holds the code before the action returns, and the entity shows the option."""
    await load_plant(hass, plant, INSTALLER)
    assert plant.machine().word(address) == before
    await select(hass, key, option)
    assert plant.machine().word(address) == after
    assert state(hass, Platform.SELECT, key).state == option
    assert [(write.address, write.values) for write in plant.machine().writes] == [
        (address, (after,))
    ]


@pytest.mark.usefixtures("smart_load")
@pytest.mark.parametrize(
    ("key", "value", "address", "before", "after"),
    [
        ("battery_shutdown_soc", 15, 115, 20, 15),
        ("battery_low_soc", 30, 117, 35, 30),
        ("battery_restart_soc", 60, 116, 50, 60),
        ("smart_load_on_soc", 98, 137, 100, 98),
        ("smart_load_off_soc", 80, 135, 95, 80),
        ("smart_load_min_solar_power", 750, 139, 500, 750),
        ("max_sell_power", 4600, 143, 8000, 4600),
        ("zero_export_power", 50, 104, 20, 50),
    ],
)
async def test_number_is_written_before_the_action_returns(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    key: str,
    value: int,
    address: int,
    before: int,
    after: int,
) -> None:
    """The register holds the number before the action returns, and the entity shows it."""
    assert plant.machine().word(address) == before
    await set_number(hass, key, value)
    assert plant.machine().word(address) == after
    assert float(state(hass, Platform.NUMBER, key).state) == value
    assert [(write.address, write.values) for write in plant.machine().writes] == [
        (address, (after,))
    ]


@pytest.mark.usefixtures("smart_load")
@pytest.mark.parametrize(
    ("key", "address", "off", "on"),
    [
        ("solar_sell", 145, 0, 1),
        # Time of use with all seven days: only bit 0 changes.
        ("tou_enabled", 146, 0b1111_1110, 0b1111_1111),
        ("grid_charge_enabled", 130, 0, 1),
        # A pair of bits, 10 off and 11 on, among seven others: 0xAAAA has them all off.
        ("on_grid_always_on", 178, 0xAAAA, 0xAAEA),
    ],
)
async def test_switch_changes_both_ways_and_leaves_other_bits_alone(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    key: str,
    address: int,
    off: int,
    on: int,
) -> None:
    """Both ways, and the other bits of the word stay as they are."""
    await switch(hass, key, on=True)
    assert plant.machine().word(address) == on
    assert state(hass, Platform.SWITCH, key).state == "on"
    await switch(hass, key, on=False)
    assert plant.machine().word(address) == off
    assert state(hass, Platform.SWITCH, key).state == "off"
    await switch(hass, key, on=True)
    assert plant.machine().word(address) == on
    assert state(hass, Platform.SWITCH, key).state == "on"


@pytest.mark.usefixtures("smart_load")
async def test_other_bits_are_those_of_the_machine(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What somebody changed at the display since the last poll is not put back."""
    # Peak shaving (bits 4 and 5) is switched on at the display.
    plant.machine().panel_change(178, 0xAABA)
    await switch(hass, "on_grid_always_on", on=True)
    assert plant.machine().word(178) == 0xAAFA


async def test_nothing_is_sent_for_what_is_so_already(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Settings live in a memory that wears."""
    await select(hass, "work_mode", "zero_export_to_ct")
    await set_number(hass, "battery_low_soc", 35)
    await switch(hass, "solar_sell", on=True)
    assert plant.machine().writes == []


async def test_simulated_plant_exports_what_max_sell_power_allows(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A full battery in the sun: what may be sold is what is sold, within the balance of the phases."""
    plant.machine().inverter.soc = 1.0
    for limit in (1500, 3000):
        await set_number(hass, "max_sell_power", limit)
        plant.advance(10)
        await refresh(hass, loaded, Group.POWER)
        assert float(state(hass, Platform.SENSOR, "grid_power").state) == pytest.approx(
            -limit, abs=60
        )


# ---------------------------------------------------------------------- what is refused


async def test_a_number_that_no_register_holds(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The message names the entity and the value; nothing is sent."""
    with pytest.raises(ServiceValidationError) as error:
        await set_number(hass, "battery_shutdown_soc", 33.5)
    assert error.value.translation_domain == "hybrid_inverter"
    assert error.value.translation_key == "invalid_value"
    assert error.value.translation_placeholders == {
        "entity": "Shutdown SOC",
        "value": "33.5",
    }
    assert plant.machine().writes == []
    assert state(hass, Platform.NUMBER, "battery_shutdown_soc").state == "20"


async def test_out_of_the_live_bounds(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A bound that moved at the display since the last poll is asked for, and named."""
    plant.machine().panel_change(117, 25)
    with pytest.raises(ServiceValidationError) as error:
        await set_number(hass, "battery_shutdown_soc", 30)
    assert str(error.value) == (
        "Shutdown SOC was not changed: 30 is too high. Low SOC is 25, so it can be at most 24."
        " Enter a lower value, or raise Low SOC first"
    )
    assert plant.machine().writes == []


async def test_home_assistant_refuses_what_the_entity_does_not_offer(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Beyond the bounds that are shown, or an option that there is not: nothing is sent."""
    with pytest.raises(ServiceValidationError):
        await set_number(hass, "max_sell_power", 8001)
    with pytest.raises(ServiceValidationError):
        await select(hass, "work_mode", "off_grid")
    assert plant.machine().writes == []


async def test_a_setting_that_the_firmware_lacks(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A register that says "not available" is not written, and its entity is unknown."""
    plant.machine().panel_change(145, 0xFFFF)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.SWITCH, "solar_sell").state == "unknown"
    with pytest.raises(ServiceValidationError) as error:
        await switch(hass, "solar_sell", on=True)
    assert error.value.translation_key == "not_served"
    assert plant.machine().writes == []


async def test_the_tier_is_enforced_below_the_entity(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """An entity that outlived a change of the tier cannot write either."""
    entry = await load_plant(hass, plant, INSTALLER)
    unit_of(entry).device.tier = Tier.EVERYDAY
    with pytest.raises(ServiceValidationError) as error:
        await select(hass, "generator_port_mode", "smart_load_output")
    assert error.value.translation_key == "needs_tier"
    assert error.value.translation_placeholders == {
        "entity": "Mode",
        "value": "Smart load output (delivers power)",
        "tier": "Everyday and installer settings",
    }
    assert plant.machine().writes == []


async def test_a_message_uses_the_name_that_a_person_has_given_an_entity(
    hass: HomeAssistant, loaded: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """Not the one that it came with."""
    limit = entity(hass, Platform.NUMBER, "max_sell_power")
    entity_registry.async_update_entity(limit, name="Sell limit")
    with pytest.raises(ServiceValidationError) as error:
        await async_write_setting(unit_of(loaded), "max_sell_power", 8001)
    assert error.value.translation_placeholders == {
        "entity": "Sell limit",
        "value": "8001",
        "minimum": "0",
        "maximum": "8000",
    }


async def test_a_setting_without_an_entity_is_called_by_its_translation(
    hass: HomeAssistant, loaded: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """Also one that shares its translation with others, and its values likewise."""
    unit = unit_of(loaded)
    for key in ("tou_slot_3_power", "work_mode"):
        for platform in (Platform.NUMBER, Platform.SELECT):
            if entity_id := find(hass, platform, key):
                entity_registry.async_remove(entity_id)
    assert display_name(unit, "tou_slot_3_power") == "Slot 3 power"
    assert display_name(unit, "work_mode") == "Work mode"
    assert display_value(unit, "work_mode", "selling_first") == "Selling first"
    assert display_value(unit, "work_mode", "no_such_mode") == "no_such_mode"


async def test_number_off_the_step_is_rejected_with_the_step(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A number between two steps is refused with the step."""
    registers = unit_of(loaded).device.family.registers
    row = registers["max_sell_power"]
    assert row.limits is not None
    coarse = replace(row, limits=replace(row.limits, step=100))
    monkeypatch.setitem(registers, "max_sell_power", coarse)
    with pytest.raises(ServiceValidationError) as error:
        await set_number(hass, "max_sell_power", 4650)
    assert error.value.translation_key == "off_step"
    assert error.value.translation_placeholders == {
        "entity": "Max sell power",
        "value": "4650",
        "step": "100",
    }
    assert plant.machine().writes == []


# ---------------------------------------------------------------------- what does not work


async def test_a_firmware_that_keeps_one_less_than_was_written(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message says what the machine keeps, and so does the entity."""
    commit = JsoMachine._commit

    def commit_one_less(machine: JsoMachine, words: Mapping[int, int]) -> None:
        commit(machine, {place: word - (place == 104) & 0xFFFF for place, word in words.items()})

    monkeypatch.setattr(JsoMachine, "_commit", commit_one_less)
    with pytest.raises(HomeAssistantError) as error:
        await set_number(hass, "zero_export_power", -20)
    assert error.value.translation_key == "kept_otherwise"
    assert error.value.translation_placeholders == {
        "entity": "Zero export power",
        "address": "104",
        "wanted": "-20",
        "held": "-21",
    }
    assert state(hass, Platform.NUMBER, "zero_export_power").state == "-21"


async def test_ignored_by_the_machine(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A locked display: acknowledged, and not done. The message tells, and the true value is shown."""
    plant.machine().trouble.locked = True
    with pytest.raises(HomeAssistantError) as error:
        await select(hass, "work_mode", "selling_first")
    assert error.value.translation_domain == "hybrid_inverter"
    assert error.value.translation_key == "not_applied"
    assert error.value.translation_placeholders == {
        "entity": "Work mode",
        "address": "142",
        "wanted": "Selling first",
        "held": "Zero export to CT",
    }
    assert state(hass, Platform.SELECT, "work_mode").state == "zero_export_to_ct"
    # One more try, and no third.
    assert len(plant.machine().writes) == 2


async def test_refused_by_the_machine(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A Modbus exception is passed on with its code, be it that to the write or to the read before it."""
    machine = plant.machine()
    respond = machine.respond
    refusal = bytes([16 | 0x80, 4])
    machine.respond = lambda pdu: refusal if pdu[0] == 16 else respond(pdu)  # type: ignore[method-assign]
    with pytest.raises(HomeAssistantError) as error:
        await select(hass, "work_mode", "selling_first")
    assert error.value.translation_key == "rejected"
    assert error.value.translation_placeholders is not None
    assert "Modbus exception 4" in error.value.translation_placeholders["error"]
    machine.respond = respond  # type: ignore[method-assign]
    plant.machine().trouble.busy = True
    with pytest.raises(HomeAssistantError) as error:
        await select(hass, "work_mode", "selling_first")
    assert error.value.translation_key == "rejected"
    assert error.value.translation_placeholders == {
        "entity": "Work mode",
        "error": "the device is busy, probably with another program; stop that program or try again later"
        " (Modbus exception 6)",
    }
    plant.machine().trouble.busy = False
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.SELECT, "work_mode").state == "zero_export_to_ct"


async def test_setting_of_a_silent_inverter_was_not_changed(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Nothing was sent, and nothing is shown that the machine has not said."""
    plant.machine().trouble.silent = True
    with pytest.raises(HomeAssistantError) as error:
        await set_number(hass, "zero_export_power", 60)
    assert error.value.translation_key == "not_changed"
    assert error.value.translation_placeholders is not None
    assert error.value.translation_placeholders["entity"] == "Zero export power"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, Platform.NUMBER, "zero_export_power").state == STATE_UNAVAILABLE
    plant.machine().trouble.silent = False
    # The powers may have found out, too, and then nothing else is asked.
    await refresh(hass, loaded, Group.POWER)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.NUMBER, "zero_export_power").state == "20"


async def test_written_but_the_answer_was_lost(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The machine holds the value when it is read back: it was changed, whatever it answered."""

    def cut(answer: bytes) -> bytes:
        # Function code 16 behind the seven bytes of the Modbus TCP header.
        return b"" if answer[7] == 16 else answer

    plant.tcp.tamper = cut
    await set_number(hass, "zero_export_power", 60)
    assert [write.values for write in plant.machine().writes] == [(60,)]
    assert state(hass, Platform.NUMBER, "zero_export_power").state == "60"


async def test_written_and_silent_from_then_on(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What was sent cannot be read back: an error now, and the truth with the next reading."""

    def cut(answer: bytes) -> bytes:
        plant.machine().trouble.silent |= answer[7] == 16
        return answer

    plant.tcp.tamper = cut
    with pytest.raises(HomeAssistantError) as error:
        await set_number(hass, "zero_export_power", 60)
    assert error.value.translation_key == "write_not_confirmed"
    await hass.async_block_till_done(wait_background_tasks=True)
    plant.tcp.tamper = None
    plant.machine().trouble.silent = False
    await refresh(hass, loaded, Group.POWER)
    await refresh(hass, loaded, Group.SETTINGS)
    assert plant.machine().word(104) == 60
    assert state(hass, Platform.NUMBER, "zero_export_power").state == "60"


async def test_value_reverted_by_another_master_shows_with_the_next_reading(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Another master puts its value back: the next reading of the settings shows that."""
    plant.machine().trouble.reverting = 5.0
    await select(hass, "work_mode", "selling_first")
    assert state(hass, Platform.SELECT, "work_mode").state == "selling_first"
    plant.advance(6)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.SELECT, "work_mode").state == "zero_export_to_ct"


async def test_changed_at_the_display(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A change that Home Assistant did not make shows after the next reading."""
    plant.machine().panel_change(142, 1)
    plant.machine().panel_change(130, 1)
    plant.machine().panel_change(117, 33)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.SELECT, "work_mode").state == "zero_export_to_load"
    assert state(hass, Platform.SWITCH, "grid_charge_enabled").state == "on"
    assert state(hass, Platform.NUMBER, "battery_low_soc").state == "33"


# ---------------------------------------------------------------------- bounds


def bounds(hass: HomeAssistant, key: str) -> tuple[float, float, float]:
    """Return the smallest and the largest value that a number offers, and its step."""
    attributes = state(hass, Platform.NUMBER, key).attributes
    return attributes["min"], attributes["max"], attributes["step"]


@pytest.mark.usefixtures("smart_load")
async def test_bounds_follow_the_other_settings(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Shutdown below low below restart, smart load off below on, powers within the rated power."""
    assert bounds(hass, "battery_shutdown_soc") == (0, 34, 1)
    assert bounds(hass, "battery_low_soc") == (21, 49, 1)
    assert bounds(hass, "battery_restart_soc") == (36, 100, 1)
    assert bounds(hass, "smart_load_off_soc") == (0, 99, 1)
    assert bounds(hass, "smart_load_on_soc") == (96, 100, 1)
    assert bounds(hass, "max_sell_power") == (0, 8000, 1)
    assert bounds(hass, "smart_load_min_solar_power") == (0, 8000, 1)
    assert bounds(hass, "zero_export_power") == (-500, 500, 1)
    # At once after a write ...
    await set_number(hass, "battery_low_soc", 40)
    assert bounds(hass, "battery_shutdown_soc") == (0, 39, 1)
    assert bounds(hass, "battery_restart_soc") == (41, 100, 1)
    # ... and after a reading.
    plant.machine().panel_change(115, 10)
    await refresh(hass, loaded, Group.SETTINGS)
    assert bounds(hass, "battery_low_soc") == (11, 49, 1)


async def test_an_earlier_firmware_is_offered_no_negative_zero_export_power(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """It would put another value back; what it holds all the same is within the bounds."""
    machine = plant.machine()
    machine.panel_change(15, 0x1134)
    entry = await load_plant(hass, plant)
    assert bounds(hass, "zero_export_power") == (0, 500, 1)
    with pytest.raises(ServiceValidationError):
        await set_number(hass, "zero_export_power", -1)
    assert machine.writes == []
    machine.panel_change(104, 65476)
    await refresh(hass, entry, Group.SETTINGS)
    assert bounds(hass, "zero_export_power") == (-60, 500, 1)
    await set_number(hass, "zero_export_power", 20)
    assert bounds(hass, "zero_export_power") == (0, 500, 1)


# ---------------------------------------------------------------------- tiers

SELECTS: Final = ("work_mode", "energy_pattern", "generator_port_mode")
NUMBERS: Final = (
    "battery_shutdown_soc",
    "battery_low_soc",
    "battery_restart_soc",
    "max_sell_power",
    "zero_export_power",
    "smart_load_on_soc",
    "smart_load_off_soc",
    "smart_load_min_solar_power",
)
SWITCHES: Final = ("solar_sell", "tou_enabled", "grid_charge_enabled", "on_grid_always_on")


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> set[tuple[str, str]]:
    """Return platform and key of every control and of everything that stands in for one."""
    known = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    keys = {(item.domain, item.unique_id.removeprefix("JSO0000001_")) for item in known}
    return {item for item in keys if item[1] in (*SELECTS, *NUMBERS, *SWITCHES)}


@pytest.mark.usefixtures("smart_load")
async def test_setting_is_a_control_only_where_the_tier_allows_it(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """A setting is a control where the tier allows it, and else is shown; nothing is left behind."""
    entry = await load_plant(hass, plant, {})
    everyday = {
        ("select", "work_mode"),
        ("select", "energy_pattern"),
        ("sensor", "generator_port_mode"),
        *(("number", key) for key in NUMBERS),
        *(("switch", key) for key in SWITCHES),
    }
    assert registered(hass, entry) == everyday

    hass.config_entries.async_update_entry(entry, options=INSTALLER)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    installer = everyday - {("sensor", "generator_port_mode")} | {("select", "generator_port_mode")}
    assert registered(hass, entry) == installer

    hass.config_entries.async_update_entry(entry, options=READ_ONLY)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert registered(hass, entry) == {
        *(("sensor", key) for key in (*SELECTS, *NUMBERS)),
        *(("binary_sensor", key) for key in SWITCHES),
    }
    assert state(hass, Platform.SENSOR, "work_mode").state == "zero_export_to_ct"
    assert state(hass, Platform.SENSOR, "battery_low_soc").state == "35"
    assert state(hass, Platform.SENSOR, "battery_low_soc").attributes["unit_of_measurement"] == "%"
    sell = state(hass, Platform.SENSOR, "max_sell_power")
    assert (sell.state, sell.attributes["device_class"]) == ("8000", "power")
    assert state(hass, Platform.BINARY_SENSOR, "grid_charge_enabled").state == "off"

    hass.config_entries.async_update_entry(entry, options={})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert registered(hass, entry) == everyday


async def test_what_a_person_named_survives_the_tiers(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """A control that comes back is the one it was."""
    entry = await load_plant(hass, plant, {})
    er.async_get(hass).async_update_entity(
        entity(hass, Platform.SELECT, "work_mode"), new_entity_id="select.how_it_works"
    )
    for options in (READ_ONLY, {}):
        hass.config_entries.async_update_entry(entry, options=options)
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
    assert find(hass, Platform.SELECT, "work_mode") == "select.how_it_works"


async def test_previous_values_and_write_counts_fit_into_json(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What was before is kept, and writes are counted; both can be put into JSON."""
    await set_number(hass, "max_sell_power", 4600)
    device = unit_of(loaded).device
    assert [(change.key, change.before, change.after) for change in device.changes] == [
        ("max_sell_power", 8000, 4600)
    ]
    assert json.loads(json.dumps(device.wear.as_dict()))["settings"] == {"max_sell_power": 1}
