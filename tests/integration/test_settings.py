"""Every setting of the manual's pages: changed through its action, and seen in the machine's registers bit by bit."""

from collections.abc import Iterator
from datetime import time
from typing import Any, Final
from unittest.mock import patch

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.condition import BY_STATE_OF_CHARGE, BY_VOLTAGE
from custom_components.hybrid_inverter.modbus.model.register import Group, Tier
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.jso.conditions import SWITCHED_PORT
from simulator import SimulatedPlant

from .described import CONTROL_PLATFORMS, described_values
from .helpers import entity, find, network_entry, refresh, state

# What can be chosen on the display, as raw words.
LEAD_ACID: Final = {98: 0, 111: 0}
SMART_LOAD: Final = {133: 1}
MICRO_INVERTER: Final = {133: 2}


@pytest.fixture
def switched_on() -> Iterator[None]:
    """Have every entity switched on, those that come later, too."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new=True):
        yield


@pytest.fixture
async def installer(
    hass: HomeAssistant, plant: SimulatedPlant, switched_on: None
) -> MockConfigEntry:
    """Return a loaded entry in the installer's tier with every entity switched on."""
    return await set_up(hass, plant, "installer")


async def set_up(hass: HomeAssistant, plant: SimulatedPlant, tier: str) -> MockConfigEntry:
    """Return a loaded entry in a tier; the machine can be forced off the grid."""
    plant.machine().panel_change(179, 0)
    entry = network_entry(plant.tcp_port, options={"tier": tier}, features=["force_off_grid"])
    entry.add_to_hass(hass)
    await at_start(hass, entry)
    # The first poll cannot know what this test switches on.
    await refresh(hass, entry, Group.SETTINGS)
    return entry


async def at_start(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def call(hass: HomeAssistant, action: str, key: str, **data: Any) -> None:
    """Call an action on the entity of a key, as a person does."""
    domain, service = action.split(".")
    data[ATTR_ENTITY_ID] = entity(hass, Platform(domain), key)
    await hass.services.async_call(domain, service, data, blocking=True)


async def at_the_panel(
    hass: HomeAssistant, plant: SimulatedPlant, entry: MockConfigEntry, words: dict[int, int]
) -> None:
    """Set registers at the display, and wait until that is known."""
    for address, word in words.items():
        plant.machine().panel_change(address, word)
    await refresh(hass, entry, Group.SETTINGS)


# ---------------------------------------------------------------------- each control

# Value, register, and what the register holds before and after, by what has to be chosen for it to count.
ALWAYS: Final = {
    "battery_capacity": (280, 102, 600, 280),
    "battery_max_charge_current": (190, 108, 115, 190),
    "battery_max_discharge_current": (95, 109, 115, 95),
    "grid_charge_current": (25, 128, 40, 25),
    "equalization_voltage": (58.4, 99, 5760, 5840),
    "absorption_voltage": (57.4, 100, 5760, 5740),
    "float_voltage": (53.5, 101, 5360, 5350),
    "battery_empty_voltage": (44.8, 103, 4500, 4480),
    "equalization_days": (60, 105, 30, 60),
    # Half hours
    "equalization_time": (2.5, 106, 6, 5),
    "tempco": (4, 107, 5, 4),
    "battery_resistance": (30, 113, 25, 30),
    "battery_charge_efficiency": (98.5, 114, 990, 985),
    "lithium_protocol": (12, 223, 0, 12),
    "grid_charge_start_soc": (45, 127, 30, 45),
    "max_solar_power": (9000, 340, 10400, 9000),
    "grid_peak_shaving_power": (7000, 191, 5000, 7000),
    "tou_slot_1_power": (1100, 154, 5000, 1100),
    "tou_slot_2_power": (2200, 155, 5000, 2200),
    "tou_slot_3_power": (3300, 156, 5000, 3300),
    "tou_slot_4_power": (4400, 157, 5000, 4400),
    "tou_slot_5_power": (5500, 158, 5000, 5500),
    "tou_slot_6_power": (6600, 159, 5000, 6600),
    "tou_slot_1_soc": (15, 166, 80, 15),
    "tou_slot_2_soc": (25, 167, 40, 25),
    "tou_slot_3_soc": (45, 168, 40, 45),
    "tou_slot_4_soc": (55, 169, 80, 55),
    "tou_slot_5_soc": (65, 170, 40, 65),
    "tou_slot_6_soc": (75, 171, 35, 75),
    "generator_charge_current": (60, 125, 40, 60),
    "generator_charge_start_soc": (20, 124, 30, 20),
    "generator_max_run_time": (6.5, 121, 240, 65),
    "generator_down_time": (1.2, 122, 5, 12),
    "generator_rated_power": (6000, 190, 5000, 6000),
}
WITH_LEAD_ACID: Final = {
    "battery_shutdown_voltage": (45.55, 118, 4600, 4555),
    "battery_low_voltage": (48.01, 120, 4750, 4801),
    "battery_restart_voltage": (51.99, 119, 5200, 5199),
    "grid_charge_start_voltage": (50.25, 126, 4900, 5025),
    "generator_charge_start_voltage": (47.95, 123, 4900, 4795),
    "tou_slot_1_voltage": (48.01, 160, 4900, 4801),
    "tou_slot_2_voltage": (48.02, 161, 5020, 4802),
    "tou_slot_3_voltage": (48.03, 162, 5090, 4803),
    "tou_slot_4_voltage": (48.04, 163, 5140, 4804),
    "tou_slot_5_voltage": (48.05, 164, 4710, 4805),
    "tou_slot_6_voltage": (48.06, 165, 4900, 4806),
    "smart_load_on_voltage": (55.05, 136, 5400, 5505),
    "smart_load_off_voltage": (50.95, 134, 5100, 5095),
    "smart_load_open_delay": (90, 192, 1, 90),
}
WITH_MICRO_INVERTER: Final = {"ac_couple_frequency_high": (51.75, 131, 5200, 5175)}


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        ({}, ALWAYS),
        (LEAD_ACID | SMART_LOAD, WITH_LEAD_ACID),
        (MICRO_INVERTER, WITH_MICRO_INVERTER),
    ],
)
async def test_each_number_takes_one_request_with_the_word_worked_out_by_hand(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    installer: MockConfigEntry,
    chosen: dict[int, int],
    numbers: dict[str, tuple[float, int, int, int]],
) -> None:
    """One request for each, the word worked out by hand, and the entity shows the value."""
    await at_the_panel(hass, plant, installer, chosen)
    machine = plant.machine()
    seen, expected = {}, {}
    for key, (value, address, before, after) in numbers.items():
        expected[key] = (before, after, value, (16, address, (after,)))
        word = machine.word(address)
        await call(hass, "number.set_value", key, value=value)
        write = machine.writes[-1]
        seen[key] = (
            word,
            machine.word(address),
            float(state(hass, Platform.NUMBER, key).state),
            (write.function, write.address, write.values),
        )
    assert seen == expected
    assert len(machine.writes) == len(numbers)


# Register, and its words with the switch off and on. Somebody has set the other bits at the display a moment ago.
SWITCHED: Final = {
    "inverter_enabled": (80, 0, 1),
    "battery_1_wake_up": (112, 0x0100, 0x0101),
    # What another program has set above the lowest bit stays.
    "generator_charge_enabled": (129, 0x0100, 0x0101),
    "generator_force": (132, 0, 1),
    "grid_signal": (140, 0b10, 0b11),
    "generator_signal": (140, 0b01, 0b11),
    "tou_monday": (146, 0b0101_0101, 0b0101_0111),
    "tou_tuesday": (146, 0b1010_1011, 0b1010_1111),
    "tou_wednesday": (146, 0b0101_0101, 0b0101_1101),
    "tou_thursday": (146, 0b1010_1011, 0b1011_1011),
    "tou_friday": (146, 0b0101_0101, 0b0111_0101),
    "tou_saturday": (146, 0b1010_1011, 0b1110_1011),
    "tou_sunday": (146, 0b0101_0101, 0b1101_0101),
    # Bits 2 to 4 belong to another market, and are kept.
    "tou_slot_1_grid_charge": (172, 0b01_1110, 0b01_1111),
    "tou_slot_2_grid_charge": (173, 0b01_1110, 0b01_1111),
    "tou_slot_3_grid_charge": (174, 0b01_1110, 0b01_1111),
    "tou_slot_4_grid_charge": (175, 0b10_0010, 0b10_0011),
    "tou_slot_5_grid_charge": (176, 0b10_0010, 0b10_0011),
    "tou_slot_6_grid_charge": (177, 0b10_0010, 0b10_0011),
    "tou_slot_1_generator_charge": (172, 0b11_1101, 0b11_1111),
    "tou_slot_2_generator_charge": (173, 0b11_1101, 0b11_1111),
    "tou_slot_3_generator_charge": (174, 0b11_1101, 0b11_1111),
    "tou_slot_4_generator_charge": (175, 0b00_0001, 0b00_0011),
    "tou_slot_5_generator_charge": (176, 0b00_0001, 0b00_0011),
    "tou_slot_6_generator_charge": (177, 0b00_0001, 0b00_0011),
    "tou_slot_1_sell": (172, 0b00_0111, 0b10_0111),
    "tou_slot_2_sell": (173, 0b00_0111, 0b10_0111),
    "tou_slot_3_sell": (174, 0b00_0111, 0b10_0111),
    "tou_slot_4_sell": (175, 0b00_0001, 0b10_0001),
    "tou_slot_5_sell": (176, 0b00_0001, 0b10_0001),
    "tou_slot_6_sell": (177, 0b00_0001, 0b10_0001),
    # Pairs of bits, 10 for off and 11 for on; at the display, "on grid always on" has just been ticked (bit 6).
    "microinverter_export_cutoff": (178, 0b1010_1010_1110_1010, 0b1010_1010_1110_1011),
    "generator_peak_shaving": (178, 0b1010_1010_1110_1010, 0b1010_1010_1110_1110),
    "grid_peak_shaving": (178, 0b1010_1010_1110_1010, 0b1010_1010_1111_1010),
    "bms_err_stop": (178, 0b1010_1010_1110_1010, 0b1010_1110_1110_1010),
    "force_off_grid": (179, 0, 1),
    "generator_on_grid_input": (189, 0, 1),
    "time_sync": (228, 0b1110_1010_1010_1110, 0b1110_1010_1010_1111),
    "beep": (228, 0b1110_1010_1010_1010, 0b1110_1010_1010_1110),
    "am_pm": (228, 0b1110_1010_1010_1110, 0b1110_1010_1011_1110),
    "auto_dim": (228, 0b1110_1010_1010_1110, 0b1110_1010_1110_1110),
    "allow_remote": (228, 0b1010_1010_1010_1110, 0b1110_1010_1010_1110),
    "asymmetric_phase_feeding": (237, 0, 1),
    "mppt_scan": (341, 0b1011, 0b1111),
}


async def test_switches_keep_the_other_bits_as_the_inverter_has_them_now(
    hass: HomeAssistant, plant: SimulatedPlant, installer: MockConfigEntry
) -> None:
    """On and off, and the other bits are those that the machine holds now, not those of the last poll."""
    await at_the_panel(hass, plant, installer, MICRO_INVERTER)
    machine = plant.machine()
    seen, expected = {}, {}
    for key, (address, off, on) in SWITCHED.items():
        expected[key] = [(on, "on"), (off, "off")]
        machine.panel_change(address, off)
        seen[key] = []
        for service in ("turn_on", "turn_off"):
            await call(hass, f"switch.{service}", key)
            seen[key].append((machine.word(address), state(hass, Platform.SWITCH, key).state))
    assert seen == expected
    assert len(machine.writes) == 2 * len(SWITCHED)
    assert all(len(write.values) == 1 for write in machine.writes)


@pytest.mark.parametrize(
    ("key", "option", "address", "before", "after"),
    [
        ("battery_chemistry", "lead_acid", 98, 1, 0),
        ("battery_operation_mode", "voltage", 111, 1, 0),
    ],
)
async def test_selects_write_the_code_and_show_the_option(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    installer: MockConfigEntry,
    key: str,
    option: str,
    address: int,
    before: int,
    after: int,
) -> None:
    """The register holds the code, and the entity shows the option."""
    assert plant.machine().word(address) == before
    await call(hass, "select.select_option", key, option=option)
    assert plant.machine().word(address) == after
    assert state(hass, Platform.SELECT, key).state == option
    assert len(plant.machine().writes) == 1


async def test_six_start_times_travel_in_one_request(
    hass: HomeAssistant, plant: SimulatedPlant, installer: MockConfigEntry
) -> None:
    """The six starts travel in one request; the same time as a neighbour's is in order."""
    machine = plant.machine()
    for key, value, starts in (
        ("tou_slot_1_time", time(0, 30), (30, 500, 800, 1000, 1500, 1800)),
        ("tou_slot_2_time", time(8, 0), (30, 800, 800, 1000, 1500, 1800)),
        ("tou_slot_3_time", time(9, 5), (30, 800, 905, 1000, 1500, 1800)),
        ("tou_slot_4_time", time(9, 5), (30, 800, 905, 905, 1500, 1800)),
        ("tou_slot_5_time", time(17, 45), (30, 800, 905, 905, 1745, 1800)),
        ("tou_slot_6_time", time(23, 55), (30, 800, 905, 905, 1745, 2355)),
    ):
        await call(hass, "time.set_value", key, time=value)
        write = machine.writes[-1]
        assert (write.function, write.address, write.values) == (16, 148, starts)
        assert tuple(machine.word(address) for address in range(148, 154)) == starts
        assert state(hass, Platform.TIME, key).state == f"{value:%H:%M}:00"
    assert len(machine.writes) == 6


def test_no_control_is_left_out() -> None:
    """What test_controls.py does not change is changed above."""
    changed = {*ALWAYS, *WITH_LEAD_ACID, *WITH_MICRO_INVERTER, *SWITCHED}
    changed |= {"battery_chemistry", "battery_operation_mode"}
    changed |= {f"tou_slot_{slot}_time" for slot in (1, 2, 3, 4, 5, 6)}
    waiting = {
        description.key
        for platform, description in described_values(FAMILIES["jso"], Tier.INSTALLER)
        if platform in CONTROL_PLATFORMS and not description.entity_registry_enabled_default
    }
    assert changed == waiting


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("key", "value", "translation_key", "placeholders", "message"),
    [
        (
            "tou_slot_3_time",
            time(4, 55),
            "too_early",
            {"value": "04:55", "neighbour": "Slot 2 start", "limit": "05:00"},
            "Slot 3 start was not changed: 04:55 must not be before Slot 2 start (05:00).",
        ),
        (
            "tou_slot_2_time",
            time(8, 5),
            "too_late",
            {"value": "08:05", "neighbour": "Slot 3 start", "limit": "08:00"},
            "Slot 2 start was not changed: 08:05 must not be after Slot 3 start (08:00).",
        ),
        (
            "tou_slot_1_time",
            time(5, 5),
            "too_late",
            {"value": "05:05", "neighbour": "Slot 2 start", "limit": "05:00"},
            "Slot 1 start was not changed: 05:05 must not be after Slot 2 start (05:00).",
        ),
        (
            "tou_slot_6_time",
            time(0, 0),
            "too_early",
            {"value": "00:00", "neighbour": "Slot 5 start", "limit": "15:00"},
            "Slot 6 start was not changed: 00:00 must not be before Slot 5 start (15:00).",
        ),
        (
            "tou_slot_6_time",
            time(23, 57),
            "out_of_range",
            {"value": "23:57", "minimum": "15:00", "maximum": "23:55"},
            "Slot 6 start was not changed: 23:57 is outside 15:00 to 23:55.",
        ),
        (
            "tou_slot_3_time",
            time(8, 7),
            "off_step",
            {"value": "08:07", "step": "00:05"},
            "Slot 3 start was not changed: 08:07 is not a multiple of 00:05",
        ),
        (
            "tou_slot_3_time",
            time(8, 5, 30),
            "invalid_value",
            {"value": "08:05:30"},
            "Slot 3 start was not changed: the inverter cannot store 08:05:30",
        ),
    ],
)
async def test_a_start_that_is_refused(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    installer: MockConfigEntry,
    key: str,
    value: time,
    translation_key: str,
    placeholders: dict[str, str],
    message: str,
) -> None:
    """The message says which other slot is in the way; nothing is sent."""
    before = state(hass, Platform.TIME, key).state
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "time.set_value", key, time=value)
    assert error.value.translation_key == translation_key
    given = dict(error.value.translation_placeholders or {})
    assert given.pop("entity") == f"Slot {key[9]} start"
    assert given == placeholders
    assert str(error.value).startswith(message)
    assert plant.machine().writes == []
    assert state(hass, Platform.TIME, key).state == before


async def test_a_start_next_to_one_that_was_just_moved(
    hass: HomeAssistant, plant: SimulatedPlant, installer: MockConfigEntry
) -> None:
    """The neighbour's start is asked for before a write: it may have been changed at the display."""
    plant.machine().panel_change(149, 730)
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "time.set_value", "tou_slot_1_time", time=time(7, 35))
    assert (error.value.translation_placeholders or {})["limit"] == "07:30"
    assert plant.machine().writes == []
    await call(hass, "time.set_value", "tou_slot_1_time", time=time(7, 30))
    assert plant.machine().word(148) == 730


@pytest.mark.parametrize(
    ("key", "value", "translation_key"),
    [
        # Between two steps of the register
        ("absorption_voltage", 57.405, "invalid_value"),
        ("equalization_time", 2.3, "invalid_value"),
        ("generator_down_time", 0.55, "invalid_value"),
        ("battery_max_charge_current", 100.5, "invalid_value"),
        # Beyond the bounds of this model
        ("battery_max_charge_current", 191, "out_of_range"),
        ("battery_max_discharge_current", -1, "out_of_range"),
        ("max_solar_power", 10401, "out_of_range"),
        ("equalization_voltage", 61.01, "out_of_range"),
        ("tou_slot_1_power", 8001, "out_of_range"),
        ("tou_slot_6_voltage", 63.01, "out_of_range"),
        # Beyond those of the other settings
        ("battery_low_voltage", 52.0, "too_high"),
        # A lead battery would be kept at more than it is charged to.
        ("float_voltage", 57.61, "too_high"),
        ("equalization_voltage", 57.59, "too_low"),
        ("battery_low_voltage", 46.0, "too_low"),
        ("smart_load_on_voltage", 51.0, "too_low"),
        # Far beyond what any register holds
        ("battery_low_voltage", 1e6, "too_high"),
        ("max_solar_power", -1e6, "out_of_range"),
        ("battery_low_voltage", 1e12, "out_of_range"),
    ],
)
async def test_a_number_that_is_refused(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    installer: MockConfigEntry,
    key: str,
    value: float,
    translation_key: str,
) -> None:
    """Nothing is sent, and the entity shows what it did."""
    await at_the_panel(hass, plant, installer, LEAD_ACID | SMART_LOAD)
    before = state(hass, Platform.NUMBER, key).state
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "number.set_value", key, value=value)
    assert error.value.translation_key == translation_key
    assert plant.machine().writes == []
    assert state(hass, Platform.NUMBER, key).state == before


@pytest.mark.parametrize(
    ("key", "lowest", "highest", "asked", "address", "held"),
    [
        # 500 W either way are whole kilowatts in Home Assistant's rounding, which leaves room for them.
        ("zero_export_power", -1, 1, 0.5, 104, 500),
        ("zero_export_power", -1, 1, 1, 104, 500),
        # 10,400 W
        ("max_solar_power", 0, 10.4, 10.4, 340, 10400),
    ],
)
async def test_bounds_that_are_shown_in_another_unit_leave_no_value_out(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    installer: MockConfigEntry,
    key: str,
    lowest: float,
    highest: float,
    asked: float,
    address: int,
    held: int,
) -> None:
    """Whatever lies beyond the bounds in force, and within what is shown, is the bound."""
    entity_id = entity(hass, Platform.NUMBER, key)
    er.async_get(hass).async_update_entity_options(
        entity_id, Platform.NUMBER, {"unit_of_measurement": "kW"}
    )
    await hass.async_block_till_done()
    shown = state(hass, Platform.NUMBER, key).attributes
    assert (shown["min"], shown["max"]) == (lowest, highest)
    await call(hass, "number.set_value", key, value=asked)
    assert plant.machine().word(address) == held


async def test_a_voltage_that_the_display_has_bounded_since(
    hass: HomeAssistant, plant: SimulatedPlant, installer: MockConfigEntry
) -> None:
    """The shutdown voltage stays below the low one, whatever the last poll said of that."""
    await at_the_panel(hass, plant, installer, LEAD_ACID)
    plant.machine().panel_change(120, 4700)
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "number.set_value", "battery_shutdown_voltage", value=47.2)
    assert error.value.translation_key == "too_high"
    assert error.value.translation_placeholders == {
        "entity": "Shutdown voltage",
        "value": "47.2",
        "neighbour": "Low voltage",
        "held": "47.0",
        "limit": "46.99",
    }
    assert plant.machine().writes == []


async def test_a_pair_that_the_firmware_lacks(
    hass: HomeAssistant, plant: SimulatedPlant, installer: MockConfigEntry
) -> None:
    """A word of ones says "not available"; writing one bit of it would set all the others."""
    await at_the_panel(hass, plant, installer, {228: 0xFFFF})
    assert state(hass, Platform.SWITCH, "beep").state == STATE_UNKNOWN
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "switch.turn_off", "beep")
    assert error.value.translation_key == "not_served"
    assert plant.machine().writes == []


# ---------------------------------------------------------------------- what is taken back


@pytest.mark.parametrize(
    ("action", "data", "key", "platform", "held"),
    [
        ("time.set_value", {"time": time(9)}, "tou_slot_3_time", Platform.TIME, "08:00:00"),
        ("number.set_value", {"value": 55}, "tou_slot_1_soc", Platform.NUMBER, "80"),
        ("number.set_value", {"value": 53.5}, "float_voltage", Platform.NUMBER, "53.6"),
        ("switch.turn_off", {}, "tou_slot_1_grid_charge", Platform.SWITCH, "on"),
        ("switch.turn_on", {}, "grid_peak_shaving", Platform.SWITCH, "off"),
        (
            "select.select_option",
            {"option": "voltage"},
            "battery_operation_mode",
            Platform.SELECT,
            "state_of_charge",
        ),
    ],
)
async def test_a_write_that_the_machine_takes_back(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    installer: MockConfigEntry,
    action: str,
    data: dict[str, Any],
    key: str,
    platform: Platform,
    held: str,
) -> None:
    """Acknowledged and not kept: an error after the second try, and the true value is shown."""
    plant.machine().trouble.locked = True
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, action, key, **data)
    assert error.value.translation_key == "not_applied"
    assert state(hass, platform, key).state == held
    assert len(plant.machine().writes) == 2


# ---------------------------------------------------------------------- settings that count in a mode only

OF_A_MODE: Final = (
    "generator_rated_power",
    "smart_load_open_delay",
    "smart_load_on_voltage",
    "smart_load_off_voltage",
    "ac_couple_frequency_high",
    "battery_low_voltage",
    "tou_slot_4_voltage",
    "tou_slot_4_soc",
    "smart_load_on_soc",
    "smart_load_min_solar_power",
    "battery_low_soc",
    "generator_charge_start_soc",
)


def there(hass: HomeAssistant) -> set[str]:
    """Return which of the numbers that belong to a mode are there, all of them with a value."""
    found = {key for key in OF_A_MODE if find(hass, Platform.NUMBER, key) is not None}
    for key in found:
        assert float(state(hass, Platform.NUMBER, key).state) > 0, key
    return found


async def test_the_mode_of_the_port(
    hass: HomeAssistant, plant: SimulatedPlant, installer: MockConfigEntry
) -> None:
    """Another mode brings its settings at once, without a restart and without a poll."""
    always = {"battery_low_soc", "tou_slot_4_soc", "generator_charge_start_soc"}
    assert there(hass) == {*always, "generator_rated_power"}
    cut_off = "microinverter_export_cutoff"
    assert find(hass, Platform.SWITCH, cut_off) is None
    await call(hass, "select.select_option", "generator_port_mode", option="smart_load_output")
    assert there(hass) == {
        *always,
        "smart_load_on_soc",
        "smart_load_min_solar_power",
        "smart_load_open_delay",
    }
    await call(hass, "select.select_option", "generator_port_mode", option="micro_inverter_input")
    assert there(hass) == {*always, "smart_load_on_soc", "ac_couple_frequency_high"}
    assert state(hass, Platform.SWITCH, cut_off).state == "off"
    # And when it is changed at the display, with the next poll.
    await at_the_panel(hass, plant, installer, {133: 0})
    assert there(hass) == {*always, "generator_rated_power"}


async def test_the_mode_of_the_battery(
    hass: HomeAssistant, plant: SimulatedPlant, installer: MockConfigEntry
) -> None:
    """Volts or percent; a lithium battery goes by its state of charge, whatever is chosen."""
    percent = {"battery_low_soc", "tou_slot_4_soc", "generator_charge_start_soc"}
    volts = {"battery_low_voltage", "tou_slot_4_voltage"}
    await call(hass, "select.select_option", "battery_operation_mode", option="voltage")
    assert there(hass) == {*percent, "generator_rated_power"}
    await call(hass, "select.select_option", "battery_chemistry", option="lead_acid")
    assert there(hass) == {*volts, "generator_rated_power"}
    await at_the_panel(hass, plant, installer, SMART_LOAD)
    assert there(hass) == {
        *volts,
        "smart_load_min_solar_power",
        "smart_load_open_delay",
        "smart_load_on_voltage",
        "smart_load_off_voltage",
    }
    await at_the_panel(hass, plant, installer, {111: 2, 133: 0})
    assert there(hass) == {"generator_rated_power"}


async def test_a_mode_is_polled_for_the_settings_that_ask_for_it(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """In the everyday tier nobody has switched the type of the battery on."""
    entry = network_entry(plant.tcp_port)
    entry.add_to_hass(hass)
    er.async_get(hass).async_get_or_create(
        "number", "hybrid_inverter", "JSO0000001_tou_slot_4_voltage", config_entry=entry
    )
    await at_start(hass, entry)
    assert hass.states.get(entity(hass, Platform.SENSOR, "battery_chemistry")) is None
    assert find(hass, Platform.NUMBER, "tou_slot_4_voltage") is None
    await at_the_panel(hass, plant, entry, LEAD_ACID)
    assert state(hass, Platform.NUMBER, "tou_slot_4_voltage").state == "51.4"


@pytest.mark.parametrize(
    ("values", "volts", "percent"),
    [
        ({"battery_operation_mode": "voltage", "battery_chemistry": "lead_acid"}, True, False),
        ({"battery_operation_mode": "voltage", "battery_chemistry": "lithium"}, False, True),
        ({"battery_operation_mode": "state_of_charge", "battery_chemistry": None}, False, True),
        ({"battery_operation_mode": "voltage"}, True, True),
        ({"battery_operation_mode": "no_battery", "battery_chemistry": None}, False, False),
        ({}, True, True),
    ],
)
def test_what_is_unknown_hides_nothing(
    values: dict[str, Value | None], volts: bool, percent: bool
) -> None:
    """Only what is known to be without effect is."""
    assert BY_VOLTAGE.is_met(values) is volts
    assert BY_STATE_OF_CHARGE.is_met(values) is percent
    assert SWITCHED_PORT.is_met(values) is True


# ---------------------------------------------------------------------- what may only be seen


@pytest.mark.usefixtures("switched_on")
async def test_a_tier_that_may_change_nothing(hass: HomeAssistant, plant: SimulatedPlant) -> None:
    """Every control has a stand-in that shows the same, in the same modes; none of the controls is left."""
    plant.machine().panel_change(133, 2)
    await set_up(hass, plant, "read_only")
    sensors = {
        "tou_slot_2_time": "05:00",
        "tou_slot_1_soc": "80",
        "tou_slot_5_power": "5000",
        "float_voltage": "53.6",
        "equalization_time": "3.0",
        "tempco": "5",
        "lithium_protocol": "0",
        "battery_chemistry": "lithium",
        "battery_operation_mode": "state_of_charge",
        "ac_couple_frequency_high": "52.0",
    }
    switches = {
        "tou_monday": "on",
        "tou_slot_1_grid_charge": "on",
        "tou_slot_2_grid_charge": "off",
        "inverter_enabled": "on",
        "microinverter_export_cutoff": "off",
    }
    assert {key: state(hass, Platform.SENSOR, key).state for key in sensors} == sensors
    assert {key: state(hass, Platform.BINARY_SENSOR, key).state for key in switches} == switches
    for platform, key in (
        (Platform.SENSOR, "tou_slot_4_voltage"),
        (Platform.SENSOR, "smart_load_min_solar_power"),
        (Platform.BINARY_SENSOR, "on_grid_always_on"),
        (Platform.TIME, "tou_slot_2_time"),
        (Platform.NUMBER, "float_voltage"),
        (Platform.SELECT, "battery_chemistry"),
        (Platform.SWITCH, "tou_monday"),
    ):
        assert find(hass, platform, key) is None


# What the raw registers of the fixture mean, worked out by hand.
FIXED: Final = {
    "grid_standard": "vde4105",
    "output_voltage_level": "230_400_v",
    "grid_frequency_setting": "50_hz",
    "grid_phase_order": "0_120_240",
    "grid_voltage_high": "265.0",
    "grid_frequency_low": "47.5",
    "reconnection_time": "60",
    "power_factor_setting": "1.0",
    "reactive_mode": STATE_UNKNOWN,  # 0xFFFF
    "reactive_power_regulation": "-5.0",  # 65486 is -50
    "vw_response_time": "10.0",
    "volt_watt_v1": "103.0",
    "volt_var_q4": "-43.6",  # 61176 is -4360
    "freq_watt_flags": "under_frequency_power_increase",  # bits 0, 1 and 7
    "freq_watt_under_droop": "0.2",
    "watt_var_p1": "-100.0",
    "watt_pf_pf3": "-0.95",
    "watt_pf_pf4": STATE_UNKNOWN,
    "over_voltage_1_trip": "264.5",
    "under_frequency_2_trip_delay": "600.0",
    "lvrt1_time": "1500",
    "hvrt3_level": "125.0",
    "lhvrt_flags": "lvrt",
    "lhvrt_current_mode": "keep_current",
    "ex_meter_for_ct": "external_meter",
    "meter_brand": "chnt",
    "meter_limit_mode": "minimum",
    "ct_ratio": "30",
    "max_export_power_port": "12000",
    "parallel_role": "master",  # 336 is 0x0103
    "parallel_phase": "l2",
    "italy_local_mode": "narrow_range",
    "wind_curve_12_current": "11.5",
}
FIXED_FLAGS: Final = {
    "volt_watt_enabled": "on",
    "watt_var_enabled": "off",
    "watt_pf_enabled": "on",
    "parallel_enabled": "on",
    "grid_tie_meter_2": "on",
    "wind_input_dc1": "off",
    "wind_input_dc2": "on",
    "track_grid_phase": "on",
    "drm_enabled": "off",  # bits 13 and 12 of 0xAECE are 10
    "ac_couple_grid_side": STATE_UNKNOWN,  # 0xFFFF
}


async def test_settings_that_nobody_may_write(
    hass: HomeAssistant, pictured: MockConfigEntry
) -> None:
    """The grid operator's and the factory's: shown to whoever switches them on, in every tier."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new=True):
        await at_start(hass, pictured)
    await refresh(hass, pictured, Group.SETTINGS)
    assert {key: state(hass, Platform.SENSOR, key).state for key in FIXED} == FIXED
    flags = {key: state(hass, Platform.BINARY_SENSOR, key).state for key in FIXED_FLAGS}
    assert flags == FIXED_FLAGS
    attributes = state(hass, Platform.SENSOR, "lhvrt_flags").attributes
    assert attributes["codes"] == ["lvrt", "hvrt", "zero_current_disabled"]
    for key in FIXED:
        assert "state_class" not in state(hass, Platform.SENSOR, key).attributes


# ---------------------------------------------------------------------- a setting that only some machines have


@pytest.mark.parametrize(("word", "is_there"), [(0, True), (1, True), (0xFFFF, False), (4, False)])
async def test_an_installer_finds_force_off_grid_where_the_machine_has_it(
    hass: HomeAssistant, plant: SimulatedPlant, word: int, *, is_there: bool
) -> None:
    """It is looked for as soon as somebody may write it, and not before."""
    plant.machine().panel_change(179, word)
    entry = network_entry(plant.tcp_port)
    entry.add_to_hass(hass)
    await at_start(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    (subentry,) = entry.subentries.values()
    assert subentry.data["identity"]["features"] == []
    hass.config_entries.async_update_entry(entry, options={"tier": "installer"})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    (subentry,) = entry.subentries.values()
    assert subentry.data["identity"]["features"] == ["force_off_grid"] * is_there
    assert (find(hass, Platform.SWITCH, "force_off_grid") is not None) is is_there
