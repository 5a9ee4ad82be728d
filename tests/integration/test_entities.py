"""What is shown of a machine: which entities there are, their values, and what they cost on the line."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import RELOAD_AFTER_UPDATE_DELAY
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.hybrid_inverter import OTHER_DESCRIPTIONS
from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.entities.descriptions import described
from custom_components.hybrid_inverter.modbus.model.presentation import Name
from custom_components.hybrid_inverter.modbus.model.register import Group, Tier
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from simulator import SimulatedPlant
from tests.modbus.fault_server import FaultServer

from .described import CONTROL_PLATFORMS, described_values, values_of
from .helpers import (
    SERIAL,
    entity,
    find,
    names_twice,
    network_entry,
    refresh,
    requests,
    state,
    unit_of,
)

JSO: Final = FAMILIES["jso"]

# What the raw registers of the fixture mean, worked out by hand.
SENSORS: Final = {
    "status": "normal",
    "fault": "f13",  # 555 is 0x1000: bit 12
    "warning": "w02",  # bits 1 and 31
    "inverter_power": "3000",
    "inverter_l1_power": "1100",
    "inverter_l2_power": "900",
    "inverter_l3_power": "1000",
    "inverter_l1_voltage": "231.3",
    "inverter_l2_voltage": "229.9",
    "inverter_l3_voltage": "230.6",
    "inverter_l1_current": "4.76",
    "inverter_l2_current": "3.91",
    "inverter_l3_current": "4.34",
    "inverter_apparent_power": "3010",
    "inverter_frequency": "49.97",
    "inverter_energy_today": "-1.0",  # 0xFFF6
    "inverter_energy_total": "7053.6",  # 65536 + 5000
    "reactive_energy_today": "1.2",
    "reactive_energy_total": "12.3",
    "heatsink_temperature": "43.7",  # (1437 - 1000) / 10
    "dc_temperature": "25.0",
    "rated_power": "8000",  # (65536 + 14464) / 10
    "main_firmware": "2001-1144-1800",
    "hmi_firmware": "1001-C037",
    "hmi_fw_extra": "0",
    "afci_version": STATE_UNKNOWN,  # 0xFFFF
    "mcu_board_version": "7",  # 0x0A07
    "protocol_version": "0104",
    "modbus_address": "1",
    "communication_address": "1",
    "mppt_count": "2",  # 0x0203
    "phase_count": "3",
    "output_wiring": "three_phase",
    "market": "eu",
    "drm_state": "DRM0",  # bits 0 and 8
    "comm_board_faults": "clock",  # bit 1
    "pv_power": "5610",  # 3400 + 2210, two strings that are not there
    "pv1_power": "3400",
    "pv2_power": "2210",
    "pv3_power": STATE_UNKNOWN,
    "pv4_power": "0",
    "pv1_voltage": "425.0",
    "pv2_voltage": "340.0",
    "pv1_current": "8.0",
    "pv2_current": "6.5",
    "pv_energy_today": "26.5",
    "pv_energy_total": "19660.9",  # 3 x 65536 + 1
    "battery_soc": "62",
    "battery_power": "-2510",  # charging
    "battery_voltage": "52.3",
    "battery_current": "-48.0",
    "battery_temperature": "24.5",
    "battery_soh": STATE_UNKNOWN,  # 0 was never delivered
    "battery_corrected_capacity": "280",
    "battery_charge_energy_today": "8.7",
    "battery_charge_energy_total": "10000.0",
    "battery_discharge_energy_today": "6.5",
    "battery_discharge_energy_total": "9553.6",
    "bms_charge_voltage": "56.8",
    "bms_discharge_voltage": "46.0",
    "bms_charge_current_limit": "100",
    "bms_discharge_current_limit": "150",
    "bms_max_charge_current": "140",
    "bms_max_discharge_current": "145",
    "bms_soc": "62",
    "bms_voltage": "52.3",
    "bms_current": "-48",
    "bms_temperature": "24.5",
    "bms_alarm": "none",
    "bms_fault": "bit 2",
    "pack_count": "2",
    "pack_device_type": "1792",
    "pack_1_serial": "PACK000000000001",
    "pack_1_soc": "62.3",
    "pack_1_soh": "98.5",
    "pack_1_voltage": "52.31",
    "pack_1_current": "-24.0",  # charging
    "pack_1_temperature": "24.5",
    "pack_1_cell_temperature_max": "26.2",
    "pack_1_cell_temperature_min": "23.3",
    "pack_1_cell_voltage_max": "3.274",
    "pack_1_cell_voltage_min": "3.266",
    "pack_1_total_capacity": "140.0",
    "pack_1_cycles": "214",
    "pack_2_soc": "100.0",
    "pack_2_soh": STATE_UNKNOWN,  # 9.8 %: not in the scale of the others
    "battery_2_soc": STATE_UNKNOWN,
    "battery_2_power": STATE_UNKNOWN,
    "battery_2_temperature": STATE_UNKNOWN,
    "grid_power": "-630",  # selling
    "grid_l1_power": "-250",
    "grid_l2_power": "-500",
    "grid_l3_power": "120",
    "grid_l1_voltage": "231.2",
    "grid_l2_voltage": "229.8",
    "grid_l3_voltage": "230.5",
    "grid_l1_current": "-1.08",
    "grid_l2_current": "-2.17",
    "grid_l3_current": "0.52",
    "grid_frequency": "49.98",
    "grid_ct_power": "-630",
    "grid_l1_ct_power": "-250",
    "grid_internal_power": "-1053",
    "grid_l3_internal_power": "-3",
    "grid_l1_internal_current": "-1.73",
    "grid_import_energy_today": "2.3",
    "grid_import_energy_total": "13207.2",  # 2 x 65536 + 1000
    "grid_export_energy_today": "10.4",
    "grid_export_energy_total": STATE_UNKNOWN,  # 0xFFFFFFFF
    "ct_self_check_result": "l1_ok",
    "load_power": "2370",
    "load_l1_power": "850",
    "load_l2_power": "400",
    "load_l3_power": "1120",
    "load_frequency": "49.96",
    "load_energy_today": "15.2",
    "load_energy_total": "6553.5",
    "load_energy_year": "0.0",
    "backup_power": "1947",
    "backup_l1_power": "700",
    "backup_l1_voltage": "231.4",
    "backup_l2_voltage": "229.7",
    "backup_l3_voltage": "230.4",
    "generator_power": "-1",
    "generator_l1_power": "-1",
    "generator_l1_voltage": "1.2",
    "generator_energy_today": "0.0",
    "generator_energy_total": "20.0",
    "generator_hours_today": STATE_UNKNOWN,
    "generator_hours_total": "45.6",
    "generator_port_mode": "smart_load_output",
}
BINARY_SENSORS: Final = {
    "connectivity": "on",
    "problem": "on",
    "grid_connected": "on",  # 552 is 0x95: bits 0, 2, 4 and 7
    "relay_inverter": "on",
    "relay_generator": "off",
    "relay_grid_supply": "on",
    "relay_dry_contact_1": "on",
    "relay_dry_contact_2": "off",
    "power_switch_state": "on",
    "bms_force_charge_1": "on",  # 222 is 0x0A: bits 1 and 3
    "bms_force_charge_2": "off",
    "bms_sleep": "on",
    "system_selfcheck": "off",
}
CONTROLS: Final = {
    Platform.SELECT: {"work_mode": "zero_export_to_ct", "energy_pattern": "load_first"},
    Platform.NUMBER: {
        "battery_shutdown_soc": "20",
        "battery_low_soc": "35",
        "battery_restart_soc": "50",
        "smart_load_on_soc": "100",
        "smart_load_off_soc": "95",
        "smart_load_min_solar_power": "500",
        "max_sell_power": "5000",
        "zero_export_power": "-60",
    },
    Platform.SWITCH: {
        "solar_sell": "on",
        "tou_enabled": "on",
        "grid_charge_enabled": "off",
        "on_grid_always_on": "on",
    },
}


@pytest.fixture
async def everything(hass: HomeAssistant, pictured: MockConfigEntry) -> MockConfigEntry:
    """Return the entry of the fixture's machine with every entity switched on and read."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new=True):
        assert await hass.config_entries.async_setup(pictured.entry_id)
        await hass.async_block_till_done()
    for group in Group:
        await refresh(hass, pictured, group)
    return pictured


async def test_states_are_what_the_registers_say(
    hass: HomeAssistant, everything: MockConfigEntry
) -> None:
    """Every state next to its literal, so that one failure shows all."""
    expected = {
        Platform.SENSOR: SENSORS,
        Platform.BINARY_SENSOR: BINARY_SENSORS,
        **CONTROLS,
    }
    shown = {
        platform: {key: state(hass, platform, key).state for key in values}
        for platform, values in expected.items()
    }
    assert shown == expected
    assert sum(len(values) for values in expected.values()) >= 140


async def test_no_two_entities_of_a_device_have_the_same_name(
    hass: HomeAssistant, everything: MockConfigEntry
) -> None:
    """They could not be told apart in the activity of the device; what is disabled counts, too."""
    assert names_twice(hass, everything) == []


async def test_all_codes_are_attributes(hass: HomeAssistant, everything: MockConfigEntry) -> None:
    """The state of a bit field is its first code only."""
    assert state(hass, Platform.SENSOR, "warning").attributes["codes"] == ["W02", "W32"]
    assert state(hass, Platform.SENSOR, "drm_state").attributes["codes"] == ["DRM0", "DRM8"]
    assert state(hass, Platform.SENSOR, "bms_alarm").attributes["codes"] == []


@pytest.mark.parametrize(
    ("key", "unit", "device_class", "state_class"),
    [
        ("pv_power", "W", "power", "measurement"),
        ("battery_power", "W", "power", "measurement"),
        ("grid_power", "W", "power", "measurement"),
        ("load_power", "W", "power", "measurement"),
        ("inverter_power", "W", "power", "measurement"),
        ("inverter_apparent_power", "VA", "apparent_power", "measurement"),
        ("battery_soc", "%", "battery", "measurement"),
        ("battery_soh", "%", None, "measurement"),
        ("battery_voltage", "V", "voltage", "measurement"),
        ("battery_current", "A", "current", "measurement"),
        ("battery_temperature", "°C", "temperature", "measurement"),
        ("battery_corrected_capacity", "Ah", None, "measurement"),
        ("grid_frequency", "Hz", "frequency", "measurement"),
        ("pv_energy_today", "kWh", "energy", "total_increasing"),
        ("pv_energy_total", "kWh", "energy", "total_increasing"),
        ("battery_charge_energy_total", "kWh", "energy", "total_increasing"),
        ("battery_discharge_energy_total", "kWh", "energy", "total_increasing"),
        ("grid_import_energy_total", "kWh", "energy", "total_increasing"),
        ("grid_export_energy_total", "kWh", "energy", "total_increasing"),
        ("load_energy_total", "kWh", "energy", "total_increasing"),
        # Falls while the battery is charged from the grid.
        ("inverter_energy_total", "kWh", "energy", "total"),
        ("reactive_energy_total", "kvarh", "reactive_energy", "total"),
        ("generator_hours_total", "h", "duration", "total_increasing"),
        ("status", None, "enum", None),
        ("main_firmware", None, None, None),
        ("rated_power", "W", "power", None),
    ],
)
async def test_what_a_value_is(
    hass: HomeAssistant,
    *,
    everything: MockConfigEntry,
    key: str,
    unit: str | None,
    device_class: str | None,
    state_class: str | None,
) -> None:
    """The Energy dashboard and the statistics go by these."""
    attributes = state(hass, Platform.SENSOR, key).attributes
    assert attributes.get("unit_of_measurement") == unit
    assert attributes.get("device_class") == device_class
    assert attributes.get("state_class") == state_class


async def test_how_many_are_shown(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Few enough to find one's way, counted by hand; the others wait to be switched on."""
    registry = er.async_get(hass)
    enabled = Counter(
        known.domain
        for known in er.async_entries_for_config_entry(registry, loaded.entry_id)
        if not known.disabled
    )
    assert enabled == {
        # 3 of the inverter, 5 PV, 12 battery, 12 grid, 4 load, 1 generator port, 2 of codes, 1 setting out of tier,
        # 2 of the schedule, 1 of orders, 1 of the wiring, 3 of the link
        "sensor": 47,
        "calendar": 1,
        # 3 of the inverter, 1 of the battery, 1 of the link
        "binary_sensor": 5,
        # A fault, an outage, a setting that was changed elsewhere, an order
        "event": 4,
        # Undo, release, the test of the wiring
        "button": 3,
        # 6 settings and combined ones, the export limit, 2 of orders. The port is a generator input: none of a smart load.
        "number": 9,
        # 2 settings, orders
        "select": 3,
        "switch": 3,
    }
    assert 45 <= enabled.total() <= 75


async def test_unique_ids_are_serial_number_and_key_and_belong_to_the_subentry(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Serial number and canonical key, nothing of the link, which has its own; all belong to the unit's subentry."""
    known = [
        item
        for item in er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
        if not item.unique_id.startswith(loaded.entry_id)
    ]
    keys = {*JSO.registers, *JSO.derived, "connectivity", "rejected_samples"}
    keys |= {"outage", "last_outage", "last_outage_duration"}
    keys |= {"schedule", "active_slot", "next_schedule_change"}
    keys |= {"clock_drift", "setting_writes_today", "sync_clock", "undo_last_change"}
    keys |= {"battery_reserve", "setting_changed"}
    keys |= {"battery_control", "control_power", "control_target_soc", "control_duration"}
    keys |= {"control_until", "control_writes_left", "release_battery", "export_limit"}
    keys |= {"wiring", "unexplained_power", "test_wiring"}
    keys |= {"battery_energy_stored", "battery_capacity_energy", "battery_charging"}
    assert {entry.unique_id.removeprefix("JSO0000001_") for entry in known} <= keys
    assert find(hass, Platform.SENSOR, "battery_soc") == "sensor.jso8048104_battery_soc"
    assert find(hass, Platform.SENSOR, "grid_l2_voltage") == "sensor.jso8048104_grid_voltage_l2"
    assert find(hass, Platform.SENSOR, "pv1_power") == "sensor.jso8048104_pv_string_1_power"
    (subentry_id,) = loaded.subentries
    assert {entry.config_subentry_id for entry in known} == {subentry_id}


async def test_devices_are_link_then_inverter_then_its_parts(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The link, below it the inverter, and below that what is connected to it."""
    registry = dr.async_get(hass)
    inverter = registry.async_get_device_by_identifier((DOMAIN, SERIAL), loaded.entry_id)
    assert inverter is not None
    assert inverter.name == "JSO8048104"
    assert inverter.manufacturer == "JUSTSTANDOUT"
    assert inverter.model == "JSO8048104"
    assert inverter.serial_number == "JSO0000001"
    assert inverter.sw_version == "2011-1144-1805 / 1001-C036"
    link = registry.async_get_device_by_identifier((DOMAIN, loaded.entry_id), loaded.entry_id)
    assert link is not None
    assert inverter.via_device_id == link.id
    parts = {
        next(iter(device.identifiers))[1]: device
        for device in dr.async_entries_for_config_entry(registry, loaded.entry_id)
        if device.id not in (inverter.id, link.id)
    }
    assert {identifier: device.name for identifier, device in parts.items()} == {
        "JSO0000001_pv": "JSO8048104 PV",
        "JSO0000001_battery": "JSO8048104 battery",
        "JSO0000001_grid": "JSO8048104 grid",
        "JSO0000001_load": "JSO8048104 load",
        "JSO0000001_generator": "JSO8048104 generator port",
    }
    assert {device.via_device_id for device in parts.values()} == {inverter.id}
    assert len(dr.async_entries_for_config_entry(registry, loaded.entry_id)) == 7


@pytest.mark.parametrize(
    ("key", "device"),
    [
        ("status", SERIAL),
        ("pv1_power", f"{SERIAL}_pv"),
        ("battery_soc", f"{SERIAL}_battery"),
        ("grid_power", f"{SERIAL}_grid"),
        ("load_power", f"{SERIAL}_load"),
        ("generator_power", f"{SERIAL}_generator"),
    ],
)
async def test_where_a_value_belongs(
    hass: HomeAssistant, loaded: MockConfigEntry, key: str, device: str
) -> None:
    """Each value is on the page of its part."""
    known = er.async_get(hass).async_get(entity(hass, Platform.SENSOR, key))
    assert known is not None
    assert known.device_id is not None
    registered = dr.async_get(hass).async_get(known.device_id)
    assert registered is not None
    assert (DOMAIN, device) in registered.identifiers


# ---------------------------------------------------------------------- what it costs


async def test_powers_take_at_most_two_requests_and_all_default_entities_six(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """The powers and the fault codes in one request each, everything that is shown in at most six."""
    counts = {}
    for group in Group:
        before = requests(plant)
        await refresh(hass, loaded, group)
        counts[group] = requests(plant) - before
    assert (counts[Group.POWER], counts[Group.FAULTS]) == (1, 1)
    # The firmware, and what only some machines have, once a day.
    assert counts.pop(Group.IDENTITY) == 2
    assert 3 <= sum(counts.values()) <= 6


async def test_set_up_reads_once(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Setting up costs one full read, and the questions for the serial number and the firmware."""
    assert requests(plant) <= 7 + 2
    assert plant.tcp.statistics.connections == 1


async def test_only_what_is_shown_is_read(
    hass: HomeAssistant, pictured: MockConfigEntry, picture: FaultServer
) -> None:
    """No register of a group is read beyond the ones between those that are shown."""
    assert await hass.config_entries.async_setup(pictured.entry_id)
    await hass.async_block_till_done()
    coordinators = unit_of(pictured).coordinators
    assert "pv1_voltage" not in coordinators[Group.POWER].keys
    assert "pv1_power" in coordinators[Group.POWER].keys
    read = {
        address
        for request in picture.requests
        for address in range(request.address, request.address + request.count)
    }
    # The voltage of the first string is the first register behind its last power.
    assert 675 in read
    assert 676 not in read
    # Identity is read in set-up for the serial number and the firmware, and not for entities that nobody sees.
    assert {3, 4, 5, 6, 7, 11, 14, 15, 17, 18} <= read
    assert not read & {2, 20, 22, 10000}


async def test_enabling_an_entity_adds_it_to_the_plan(
    hass: HomeAssistant, pictured: MockConfigEntry, picture: FaultServer
) -> None:
    """After Home Assistant has reloaded the entry, the value is there from the first poll on."""
    assert await hass.config_entries.async_setup(pictured.entry_id)
    await hass.async_block_till_done()
    entity_id = entity(hass, Platform.SENSOR, "pv1_voltage")
    assert hass.states.get(entity_id) is None
    picture.requests.clear()
    er.async_get(hass).async_update_entity(entity_id, disabled_by=None)
    await hass.async_block_till_done()
    async_fire_time_changed(
        hass, dt_util.utcnow() + timedelta(seconds=RELOAD_AFTER_UPDATE_DELAY + 1)
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, Platform.SENSOR, "pv1_voltage").state == "425.0"
    assert "pv1_voltage" in unit_of(pictured).coordinators[Group.POWER].keys


async def test_disabling_an_entity_takes_it_off_the_plan(
    hass: HomeAssistant, pictured: MockConfigEntry, picture: FaultServer
) -> None:
    """A value that nobody looks at is not asked for."""
    assert await hass.config_entries.async_setup(pictured.entry_id)
    await hass.async_block_till_done()
    for key in ("pv_power", "pv1_power", "pv2_power"):
        er.async_get(hass).async_update_entity(
            entity(hass, Platform.SENSOR, key), disabled_by=er.RegistryEntryDisabler.USER
        )
    await hass.async_block_till_done(wait_background_tasks=True)
    picture.requests.clear()
    await refresh(hass, pictured, Group.POWER)
    assert max(request.address + request.count for request in picture.requests) == 668


async def test_nothing_is_written_that_did_not_change(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """With the plant's time standing still, polls leave the state machine alone."""
    events: list[str] = []

    @callback
    def note(event: Event[Any]) -> None:
        events.append(event.data["entity_id"])

    hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    hass.bus.async_listen(EVENT_STATE_REPORTED, note, event_filter=callback(lambda data: True))
    for group in (Group.POWER, Group.FAULTS, Group.ENERGY, Group.SETTINGS):
        await refresh(hass, loaded, group)
    assert events == []
    # And what did change is written, once: the work mode, and nothing else of its group. What it makes of the battery
    # depends on the time of day.
    plant.machine().panel_change(142, 0)
    await refresh(hass, loaded, Group.SETTINGS)
    of_battery = entity(hass, Platform.SELECT, "battery_control")
    assert [one for one in events if one != of_battery] == [
        entity(hass, Platform.SELECT, "work_mode")
    ]


# ---------------------------------------------------------------------- when something is missing


async def test_a_refused_block_takes_only_its_own_values(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """A firmware without the BMS registers: their values are unavailable, the others are not."""
    async with SimulatedPlant(readable=((0, 209), (228, 237), (336, 341), (500, 708))) as plant:
        plant.advance(60)
        entry = network_entry(plant.tcp_port)
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert state(hass, Platform.SENSOR, "battery_soh").state == STATE_UNAVAILABLE
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
        assert state(hass, Platform.SENSOR, "pv_energy_total").state == "21487.4"
        assert state(hass, Platform.BINARY_SENSOR, "connectivity").state == "on"
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_block_that_fails_once(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """A group that cannot be read is unavailable while the others go on, and comes back."""
    plant.machine().trouble.busy = True
    await refresh(hass, loaded, Group.ENERGY)
    assert state(hass, Platform.SENSOR, "pv_energy_total").state == STATE_UNAVAILABLE
    assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
    plant.machine().trouble.busy = False
    await refresh(hass, loaded, Group.ENERGY)
    assert state(hass, Platform.SENSOR, "pv_energy_total").state == "21487.4"


async def test_an_unknown_code_is_unknown(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """A choice that the table does not know is shown as unknown, not as a wrong one."""
    plant.machine().panel_change(142, 7)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.SELECT, "work_mode").state == STATE_UNKNOWN


async def test_all_flags_at_once_are_unknown(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """A word of ones says that there is no word; it is not every warning there is."""
    for address in (553, 554):
        plant.machine().panel_change(address, 0xFFFF)
    await refresh(hass, loaded, Group.FAULTS)
    warning = state(hass, Platform.SENSOR, "warning")
    assert (warning.state, warning.attributes["codes"]) == (STATE_UNKNOWN, [])


async def test_a_family_without_a_value(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a family does not have gets no entity, and takes no other one along."""
    missing = {"generator_power", "problem", "smart_load_on_soc", "smart_load_off_soc"}
    family = FAMILIES["jso"]
    poorer = replace(
        family,
        registers={key: row for key, row in family.registers.items() if key not in missing},
        derived={key: row for key, row in family.derived.items() if key not in missing},
    )
    monkeypatch.setitem(FAMILIES, "jso", poorer)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert find(hass, Platform.SENSOR, "generator_power") is None
    assert find(hass, Platform.BINARY_SENSOR, "problem") is None
    assert find(hass, Platform.NUMBER, "smart_load_on_soc") is None
    assert state(hass, Platform.SENSOR, "load_power").state != STATE_UNAVAILABLE


# ---------------------------------------------------------------------- descriptions and table

# Registers that no entity shows, and why.
PERSONAL: Final = "identifies a person's battery, and no device page shows packs yet"
NOT_SHOWN: Final = {
    "jso": {
        "device_type": "tells the family; another value is no machine of this family",
        "serial_number": "stands on the device page, and would be recorded with every state",
        "main_fw_boot": "is the third part of main_firmware",
        "rated_power_code": "says again what rated_power says",
    },
    "saj": {
        "device_type": "tells the model, which stands on the device page",
        "serial_number": "stands on the device page, and would be recorded with every state",
        "system_time": "is never right when it is read, and cannot be set",
        "battery_power_raw": "has the wrong sign on some machines; battery_power is the one to look at",
        "battery_power_dc_raw": "has the wrong sign on some machines; so does battery_power_dc",
        "grid_import_energy_all_total": "is grid_import_energy_total of a three-phase machine",
        "bms_1_serial_number": PERSONAL,
        "bms_2_serial_number": PERSONAL,
        "bms_3_serial_number": PERSONAL,
        "bms_4_serial_number": PERSONAL,
        "bms_5_serial_number": PERSONAL,
        "battery_1_serial_number": PERSONAL,
        "battery_2_serial_number": PERSONAL,
        "battery_3_serial_number": PERSONAL,
        "battery_4_serial_number": PERSONAL,
        "battery_5_serial_number": PERSONAL,
    },
    "dtsu666": {},
    "ddsu666": {},
}
# Settings that no entity shows or changes by its key, and why.
NOT_SET: Final = {
    "jso": {
        "system_time": "is never right when it is read; the drift is shown, and a button sets the clock",
    },
    "saj": {},
    "dtsu666": {},
    "ddsu666": {},
}
# Settings that nobody may write and no entity shows, and why.
NOT_LOOKED_AT: Final = {
    "jso": {},
    "saj": {
        "bms_update_id": "only counts while the maker updates the battery",
        "bms_update_mode": "only counts while the maker updates the battery",
    },
    "dtsu666": {"clock": "is never right when it is read, and nothing is counted by it"},
    "ddsu666": {},
}
# 57 numbers, 48 switches, 5 choices and 6 times; 132 values, 15 that are on or off, and 2 fields of flags.
# 28 numbers, 16 switches, 18 choices and 28 times; 35 values, 2 that are on or off, 2 fields of flags, and 2 not shown.
# 7 and 6 values of meters, to which nobody writes, and one of them is not shown.
SETTINGS: Final = {"jso": (116, 150), "saj": (90, 41), "dtsu666": (0, 7), "ddsu666": (0, 6)}


def test_entities_that_are_not_values_rest_on_values_of_a_family() -> None:
    """What is made of other values is polled from a machine that has them."""
    keys = set().union(*(values_of(family) for family in FAMILIES.values()))
    for descriptions in OTHER_DESCRIPTIONS.values():
        for description in descriptions:
            assert description.inputs <= keys
            assert description.value_key in {"", *description.inputs}


@pytest.mark.parametrize("family", FAMILIES)
def test_no_key_is_shown_twice_by_a_platform(family: str) -> None:
    """Two entities of one platform with one key would share a unique id."""
    fitted = FAMILIES[family].fitted({feature.key for feature in FAMILIES[family].features})
    for tier in Tier:
        for platform, descriptions in described(fitted, tier).items():
            keys = [item.key for item in (*descriptions, *OTHER_DESCRIPTIONS.get(platform, ()))]
            assert [key for key, count in Counter(keys).items() if count > 1] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_measured_value_is_shown(family: str) -> None:
    """Whatever the machine serves besides its settings can be seen in Home Assistant."""
    hidden = {
        key
        for key, values in values_of(FAMILIES[family]).items()
        if any(value.group is not Group.SETTINGS for value in values)
        and not any(value.part for value in values)
    }
    assert hidden == set(NOT_SHOWN[family])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_setting_has_its_entity(family: str) -> None:
    """A control for the tier that may write it; one that nobody may write is shown."""
    settings = {row.key: row for row in FAMILIES[family].every_row() if row.group is Group.SETTINGS}
    writable = {key for key, row in settings.items() if row.writable}
    controls = {
        description.key
        for platform, description in described_values(FAMILIES[family], Tier.INSTALLER)
        if platform in CONTROL_PLATFORMS
    }
    shown = {key for key, row in settings.items() if row.part is not None}
    assert writable - controls == set(NOT_SET[family])
    assert controls <= writable
    assert settings.keys() - writable - shown == set(NOT_LOOKED_AT[family])
    counts = (len(writable & controls), len(settings.keys() - writable))
    assert counts == SETTINGS[family]


COUNTERPARTS: Final = {
    Platform.NUMBER: Platform.SENSOR,
    Platform.SELECT: Platform.SENSOR,
    Platform.SWITCH: Platform.BINARY_SENSOR,
    Platform.TIME: Platform.SENSOR,
}


@pytest.mark.parametrize("family", ["jso", "saj"])
def test_a_setting_that_the_tier_may_not_write_is_shown_likewise(family: str) -> None:
    """Of the same part and name, enabled or not in every tier, and under the same conditions."""
    controls = described_values(FAMILIES[family], Tier.INSTALLER)
    counterparts = described_values(FAMILIES[family], Tier.READ_ONLY)
    for (platform, control), (shown_by, counterpart) in zip(controls, counterparts, strict=True):
        assert shown_by is COUNTERPARTS.get(platform, platform)
        for fact in (
            "key",
            "part",
            "visible_if",
            "entity_registry_enabled_default",
            "translation_key",
            "translation_placeholders",
        ):
            assert getattr(control, fact) == getattr(counterpart, fact)


@pytest.mark.parametrize(
    ("key", "translation_key", "placeholders"),
    [
        ("battery_soc", "battery_soc", {}),
        ("grid_l2_power", "grid_phase_power", {"phase": "L2"}),
        ("backup_l3_voltage", "backup_phase_voltage", {"phase": "L3"}),
        ("grid_l1_internal_power", "grid_phase_internal_power", {"phase": "L1"}),
        ("pv3_voltage", "pv_string_voltage", {"number": "3"}),
        ("battery_2_soc", "battery_pack_soc", {"number": "2"}),
        (
            "battery_4_discharge_energy_total",
            "battery_pack_discharge_energy_total",
            {"number": "4"},
        ),
        ("battery_current_1", "battery_current_1", {}),
        ("bms_5_type", "bms_pack_type", {"number": "5"}),
        ("charge_slot_7_start", "charge_slot_start", {"number": "7"}),
        ("discharge_slot_1_days", "discharge_slot_days", {"number": "1"}),
        ("insulation_resistance_4", "insulation_resistance", {"number": "4"}),
        ("meter_a_power", "meter_power", {}),
        ("meter_b_l3_power_factor", "meter_phase_power_factor", {"phase": "L3"}),
        ("meter_address", "meter_address", {}),
        ("grid_import_l2_energy_today", "grid_import_phase_energy_today", {"phase": "L2"}),
        ("pv3_energy_month", "pv_string_energy_month", {"number": "3"}),
        ("pv_power", "pv_power", {}),
        ("bms_force_charge_1", "bms_force_charge_1", {}),
        ("tou_slot_6_time", "tou_slot_time", {"number": "6"}),
        ("tou_slot_2_generator_charge", "tou_slot_generator_charge", {"number": "2"}),
        ("wind_curve_12_current", "wind_curve_current", {"number": "12"}),
        ("wind_input_dc2", "wind_input_dc", {"number": "2"}),
        ("volt_watt_p3", "volt_watt_p", {"number": "3"}),
        ("volt_var_q4", "volt_var_q", {"number": "4"}),
        ("watt_pf_pf1", "watt_pf_pf", {"number": "1"}),
        ("watt_pf_p1", "watt_pf_p", {"number": "1"}),
        ("over_voltage_2_trip", "over_voltage_trip", {"number": "2"}),
        ("under_frequency_1_trip_delay", "under_frequency_trip_delay", {"number": "1"}),
        ("hvrt3_time", "hvrt_time", {"number": "3"}),
        ("battery_1_wake_up", "battery_1_wake_up", {}),
        ("long_over_voltage_trip", "long_over_voltage_trip", {}),
        ("l3_power", "phase_power", {"phase": "L3"}),
        ("l1_phase_angle", "phase_phase_angle", {"phase": "L1"}),
        ("l2_export_energy_total", "phase_export_energy_total", {"phase": "L2"}),
        ("l2_l3_voltage", "line_voltage", {"phases": "L2-L3"}),
        ("import_energy_t4_total", "import_energy_tariff_total", {"number": "4"}),
        ("reactive_energy_q2_total", "reactive_energy_quadrant_total", {"number": "2"}),
        ("lvrt2_level", "lvrt_level", {"number": "2"}),
    ],
)
def test_phases_and_strings_share_their_names(
    key: str, translation_key: str, placeholders: dict[str, str]
) -> None:
    """One name for three phases, one for all strings."""
    names = [
        value.name or Name(value.key)
        for family in FAMILIES.values()
        for value in values_of(family).get(key, ())
    ]
    assert names
    assert {name.key for name in names} == {translation_key}
    assert all(name.placeholders == placeholders for name in names)


async def test_new_firmware_is_shown(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """The daily reading finds what the maker's service has installed: 0x1150 instead of 0x1144."""
    plant.machine().panel_change(15, 0x1150)
    await refresh(hass, loaded, Group.IDENTITY)
    inverter = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, SERIAL), loaded.entry_id)
    assert inverter is not None
    assert inverter.sw_version == "2011-1150-1805 / 1001-C036"
