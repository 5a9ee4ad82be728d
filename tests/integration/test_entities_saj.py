"""What is shown of a SAJ: the entities of a three-phase machine, their values, and how its slots are set."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
import json
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_USER
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.transport.link import Framing
from simulator import SimulatedPlant
from tests.modbus.fault_server import FaultServer

from .helpers import find, names_twice, refresh

IMAGE: Final = Path(__file__).parents[1] / "fixtures" / "saj_h2_10k_t2.json"
SERIAL: Final = "H2T20000000000000001"

# What the raw registers of the fixture mean, worked out by hand.
SENSORS: Final = {
    "status": "on_grid",
    "fault": "e03",  # 0x4008 is 4: bit 2
    "error_count": "2",
    "heatsink_temperature": "41.5",
    "ambient_temperature": "-5.0",  # 65486 is -50
    "leakage_current": "-11",  # 65525
    "insulation_resistance_1": "3000",
    "insulation_resistance_3": STATE_UNKNOWN,  # 0xFFFF
    "insulation_resistance_4": STATE_UNKNOWN,  # 0x7FFF
    "drm_hardware_status": "DRM0",
    "drm_software_status": "DRM5",  # 0x120: bits 5 and 8
    "grid_connect_countdown": "60",
    "active_work_mode": "time_of_use",
    "inverter_power": "3540",
    "inverter_l1_power": "989",
    "inverter_l1_voltage": "230.2",
    "inverter_energy_today": "26.0",
    "bus_voltage_master": "650.0",
    "product_code": "H2-10K-T2",
    "parallel_role": "master",
    "function_word": "relay_check",  # 5123 is 0x1403: bits 0, 1, 10 and 12
    "pv_power": "6200",
    "pv1_power": "3300",
    "pv2_voltage": "580.2",
    "pv_direction": "producing",
    "pv_ct_power": "800",
    "pv_energy_today": "31.25",
    "pv_energy_month": "655.36",  # 1 x 65536
    "pv_energy_year": "4654.51",  # 7 x 65536 + 6699
    "pv_energy_total": "12345.67",  # 18 x 65536 + 54919
    "battery_soc": "67.55",
    "battery_voltage": "350.5",
    "battery_current": "-7.15",  # 64821
    "battery_power": "-2500",  # 63036: charging
    "battery_temperature": "25.3",
    "battery_direction": "charging",
    "battery_soh": "98.5",
    "battery_charge_energy_today": "10.5",
    "battery_charge_energy_total": "1976.08",  # 3 x 65536 + 1000
    "battery_count": "2",
    "battery_capacity": "100",
    "battery_online": "battery_1",
    "battery_1_soc": "68.0",
    "battery_1_cycles": "312",
    "battery_1_fault": "over_voltage",  # 2: bit 1
    "battery_1_warning": "high_discharge_current",  # 128: bit 7
    "battery_2_soc": "67.1",
    "battery_2_temperature": "-1.0",  # 65526
    "battery_2_warning": STATE_UNKNOWN,  # 0xFFFF
    "battery_1_discharge_energy_total": "1520",
    "bms_charge_current_limit": "25.0",
    "bms_discharge_cutoff_voltage": "270.0",
    "bms_1_type": "saj_b2",
    "battery_2_cell_type": "100_ah",
    "bms_1_software_version": "2.105",
    # The meter's phases, not what the machine computes itself (-512).
    "grid_power": "-600",
    "grid_l1_power": "-200",
    "grid_l3_power": "-250",
    "grid_l1_voltage": "230.1",
    "grid_l1_internal_current": "-2.0",
    "grid_l1_internal_power_factor": "-0.995",
    "grid_l1_dc_injection": "-5",
    "grid_internal_power": "-260",
    "grid_ct_power": "-600",
    "grid_direction": "exporting",
    "grid_frequency": "49.98",
    "grid_import_energy_today": "3.05",
    "grid_import_energy_total": "1800.4",  # 2 x 65536 + 48968
    "grid_export_energy_today": "12.55",
    "grid_export_energy_total": "3166.44",  # 4 x 65536 + 54500
    "grid_import_l2_energy_today": "1.0",
    "load_power": "3000",
    "load_energy_year": "2621.48",  # 4 x 65536 + 4
    "backup_power": "680",
    "backup_energy_today": "3.3",
    "backup_l2_voltage": "231.0",
    "meter_a_power": "-600",
    "meter_a_l2_power": "-150",  # 65386
    "meter_a_l1_power_factor": "-0.966",
    "meter_a_status": "online",
    "meter_b_power": "800",  # 270 + 265 + 265
    "meter_wiring": "three_phase_four_wire",
    "rs485_baud_rate": "115200",
    "forced_charge_power": "2000",  # 200 thousandths of 10 kW
    "lead_capacity": "100",
}
CONTROLS: Final = {
    Platform.BINARY_SENSOR: {
        "problem": "on",
        "grid_connected": "on",
        "off_grid_enabled": "on",
        "battery_auto_wake": "on",
    },
    Platform.SELECT: {
        "work_mode": "time_of_use",
        "export_limit_mode": "each_phase_power",
        "tou_outside_mode": "self_consumption",
        "charge_slot_1_days": "every_day",  # 0x7F
        "charge_slot_2_days": "custom",  # 0: never
        "charge_slot_3_days": "weekdays",  # 0x1F
        "charge_slot_4_days": "sunday",  # 0x40
        "charge_slot_7_days": "saturday",  # 0x20
        "discharge_slot_2_days": "weekend",  # 0x60
    },
    Platform.NUMBER: {
        "on_grid_discharge_floor": "20",
        "off_grid_discharge_floor": "10",
        "charge_upper_limit": "95",
        "backup_reserve_soc": "60",
        # Thousandths of 10 kW
        "battery_charge_power_limit": "11000",
        "battery_discharge_power_limit": "9500",
        "grid_charge_power_limit": "4170",
        "grid_discharge_power_limit": "10000",
        "export_limit_power": "7000",
        "export_limit_current": "16.3",
        "charge_slot_1_power": "50",
        "charge_slot_4_power": "5",
        "discharge_slot_2_power": "20",
    },
    Platform.SWITCH: {
        # 0 would be on.
        "buzzer": "off",
        "tou_export_from_battery": "on",
        # 0x3604 is 5, 0x3605 is 2.
        "charge_slot_1_enabled": "on",
        "charge_slot_2_enabled": "off",
        "charge_slot_3_enabled": "on",
        "discharge_slot_1_enabled": "off",
        "discharge_slot_2_enabled": "on",
    },
    Platform.TIME: {
        "charge_slot_1_start": "02:00:00",
        "charge_slot_1_end": "05:00:00",
        "charge_slot_2_end": "23:59:00",
        "charge_slot_3_start": "13:30:00",
        "charge_slot_4_start": STATE_UNKNOWN,  # 24:00
        "discharge_slot_2_start": "06:00:00",
        "discharge_slot_2_end": "07:30:00",
    },
}


# What is there in passive mode only.
IN_PASSIVE_MODE: Final = {
    Platform.SELECT: {"passive_action": "standby"},
    # Thousandths of 10 kW
    Platform.NUMBER: {
        "passive_grid_charge_power": "11000",
        "passive_grid_discharge_power": "11000",
        "passive_battery_charge_power": "5000",
        "passive_battery_discharge_power": "2500",
    },
}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no longer than a simulated machine needs."""
    family = replace(FAMILIES["saj"], settle=0.01, spacing=0.0, write_spacing=0.0)
    monkeypatch.setitem(FAMILIES, "saj", family)


@pytest.fixture
async def t2(socket_enabled: None) -> AsyncIterator[FaultServer]:
    """Return a machine that serves the raw registers of the fixture."""
    runs = json.loads(IMAGE.read_text(encoding="utf-8"))
    memory = {
        (1, address): word
        for first, words in runs.items()
        for address, word in enumerate(words, int(first, 16))
    }
    server = FaultServer(Framing.TCP, memory=memory)
    await server.start()
    yield server
    await server.stop()


async def set_up(hass: HomeAssistant, port: int) -> MockConfigEntry:
    """Add a machine through the dialog, as a person does."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"next_step_id": "network"})
    result = await flow.async_configure(result["flow_id"], {"host": "127.0.0.1", "port": port})
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done()
    entry: MockConfigEntry = result["result"]
    return entry


@pytest.fixture
async def everything(hass: HomeAssistant, t2: FaultServer) -> MockConfigEntry:
    """Return the entry of the fixture's machine with every entity switched on and read."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new=True):
        entry = await set_up(hass, t2.port)
    for group in Group:
        await refresh(hass, entry, group)
    return entry


def state(hass: HomeAssistant, platform: Platform, key: str) -> str | None:
    """Return the state of a value; None where there is no entity."""
    entity_id = find(hass, platform, key, SERIAL)
    shown = hass.states.get(entity_id) if entity_id else None
    return shown.state if shown else None


async def act(hass: HomeAssistant, action: str, key: str, **data: Any) -> None:
    """Call an action on the entity of a key."""
    domain, service = action.split(".")
    data[ATTR_ENTITY_ID] = find(hass, Platform(domain), key, SERIAL)
    await hass.services.async_call(domain, service, data, blocking=True)


async def test_no_two_entities_of_a_device_have_the_same_name(
    hass: HomeAssistant, everything: MockConfigEntry
) -> None:
    """They could not be told apart in the activity of the device; what is disabled counts, too."""
    assert names_twice(hass, everything) == []


async def test_states_are_what_the_registers_say(
    hass: HomeAssistant, everything: MockConfigEntry
) -> None:
    """Every state next to its literal, so that one failure shows all."""
    expected = {Platform.SENSOR: SENSORS, **CONTROLS}
    shown = {
        platform: {key: state(hass, platform, key) for key in values}
        for platform, values in expected.items()
    }
    assert shown == expected


async def test_settings_of_the_passive_mode_are_there_while_it_is_chosen(
    hass: HomeAssistant, t2: FaultServer
) -> None:
    """Without being enabled by anybody, with what the registers hold, and not in another mode."""

    def shown() -> dict[Platform, dict[str, str | None]]:
        return {
            platform: {key: state(hass, platform, key) for key in values}
            for platform, values in IN_PASSIVE_MODE.items()
        }

    nothing = {platform: dict.fromkeys(values) for platform, values in IN_PASSIVE_MODE.items()}
    entry = await set_up(hass, t2.port)
    assert shown() == nothing
    t2.memory[1, 0x3647] = 3
    await refresh(hass, entry, Group.SETTINGS)
    assert shown() == IN_PASSIVE_MODE
    t2.memory[1, 0x3647] = 0
    await refresh(hass, entry, Group.SETTINGS)
    assert shown() == nothing


def enabled(hass: HomeAssistant, entry: MockConfigEntry) -> Counter[str]:
    """Return how many entities are shown by default, by platform."""
    known = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    # Those of the link belong to no machine.
    return Counter(item.domain for item in known if not item.disabled and item.config_subentry_id)


async def test_how_many_are_shown(hass: HomeAssistant, t2: FaultServer) -> None:
    """Few enough to find one's way, counted by hand; the others wait to be switched on."""
    counts = enabled(hass, await set_up(hass, t2.port))
    assert counts == {
        # 4 of the inverter, 5 PV, 13 battery, 12 grid, 4 load, 4 of the meters, 2 of the schedule, the end of an order,
        # the wiring
        "sensor": 46,
        # Undo, the end of an order, and the test of the wiring
        "button": 3,
        "calendar": 1,
        "binary_sensor": 4,
        # A fault, an outage, a setting that was changed elsewhere, an order
        "event": 4,
        "number": 11,
        "select": 3,
    }
    assert 45 <= counts.total() <= 75


@pytest.mark.parametrize(
    ("model", "sensors", "meters"),
    [
        # Without meters (4), and with one phase: no power of a phase (3), one voltage (2 less).
        ("H2-6K-S2", 37, set()),
        # And without PV inputs: no strings (2), no counters (2).
        ("AS2-6K-S", 33, set()),
        ("H2-10K-T2", 46, {"meter_a", "meter_b"}),
        # Without meters (4), so that the powers of the phases are not known (3), and without what packs tell (3).
        ("HS3-8K-T2", 36, set()),
    ],
)
async def test_what_a_model_has(
    hass: HomeAssistant, socket_enabled: None, model: str, sensors: int, meters: set[str]
) -> None:
    """Nothing is shown that the machine does not have."""
    async with SimulatedPlant(model=model) as plant:
        plant.advance(60)
        entry = await set_up(hass, plant.tcp_port)
        devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        names = {next(iter(device.identifiers))[1] for device in devices} - {entry.entry_id}
        serial = min(names, key=len)
        parts = {name.removeprefix(f"{serial}_") for name in names - {serial}}
        assert parts == {"pv", "battery", "grid", "load", *meters}
        counts = enabled(hass, entry)
        # As many others on each: 4 that are on or off, 11 numbers, 3 choices, 4 events, 3 buttons and the calendar.
        assert (counts["sensor"], counts.total()) == (sensors, sensors + 26)
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_devices_are_the_inverter_and_its_parts_and_meters(
    hass: HomeAssistant, everything: MockConfigEntry
) -> None:
    """The inverter, and below it what is connected to it, the meters it reads among them."""
    registry = dr.async_get(hass)
    inverter = registry.async_get_device_by_identifier((DOMAIN, SERIAL), everything.entry_id)
    assert inverter is not None
    # A type that is not public, and the rated power.
    assert inverter.name == "Hybrid 10K"
    assert inverter.manufacturer == "SAJ"
    assert inverter.sw_version == "1.216 / 3.105 / 3.106"
    parts = {
        next(iter(device.identifiers))[1]: device
        for device in dr.async_entries_for_config_entry(registry, everything.entry_id)
        if device.id not in (inverter.id, inverter.via_device_id)
    }
    assert {key.removeprefix(f"{SERIAL}_"): device.name for key, device in parts.items()} == {
        "pv": "Hybrid 10K PV",
        "battery": "Hybrid 10K battery",
        "grid": "Hybrid 10K grid",
        "load": "Hybrid 10K load",
        "meter_a": "Hybrid 10K grid meter",
        "meter_b": "Hybrid 10K solar meter",
    }
    assert {device.via_device_id for device in parts.values()} == {inverter.id}
    known = er.async_get(hass).async_get(
        find(hass, Platform.SENSOR, "meter_b_l1_power", SERIAL) or ""
    )
    assert known is not None
    assert known.device_id == parts[f"{SERIAL}_meter_b"].id


@pytest.mark.parametrize(
    ("key", "unit", "device_class", "state_class"),
    [
        ("pv_energy_month", "kWh", "energy", "total_increasing"),
        # In whole kWh: not for the guard.
        ("battery_1_discharge_energy_total", "kWh", "energy", "total"),
        ("insulation_resistance_1", "kΩ", None, "measurement"),
        ("leakage_current", "mA", "current", "measurement"),
        ("backup_l1_dc_voltage", "mV", "voltage", "measurement"),
        ("meter_a_l1_power_factor", None, "power_factor", "measurement"),
        ("pv_hours_total", "h", "duration", "total_increasing"),
        ("battery_1_cycles", None, None, "measurement"),
        ("mppt_scan_interval", "min", "duration", None),
        ("battery_direction", None, "enum", None),
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
    """The statistics go by these."""
    shown = hass.states.get(find(hass, Platform.SENSOR, key, SERIAL) or "")
    assert shown is not None
    assert shown.attributes.get("unit_of_measurement") == unit
    assert shown.attributes.get("device_class") == device_class
    assert shown.attributes.get("state_class") == state_class


@pytest.mark.freeze_time("2027-01-01 07:59:00+00:00")
@pytest.mark.usefixtures("loop_goes_on")
async def test_counters_that_start_again(
    hass: HomeAssistant,
    everything: MockConfigEntry,
    t2: FaultServer,
    freezer: FrozenDateTimeFactory,
) -> None:
    """At midnight, and with the month and the year (08:00 UTC); what is counted for ever does not."""
    for address in range(0x40BF, 0x40C7):
        t2.memory[(1, address)] = 0
    for _ in range(3):
        freezer.tick(timedelta(minutes=1))
        await refresh(hass, everything, Group.ENERGY)
    assert {
        period: state(hass, Platform.SENSOR, f"pv_energy_{period}")
        for period in ("today", "month", "year", "total")
    } == {"today": "0.0", "month": "0.0", "year": "0.0", "total": "12345.67"}


# ---------------------------------------------------------------------- slots


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ("every_day", 0x7F32),
        ("weekdays", 0x1F32),
        ("weekend", 0x6032),
        ("monday", 0x0132),
        ("wednesday", 0x0432),
        ("sunday", 0x4032),
    ],
)
async def test_the_days_of_a_slot(
    hass: HomeAssistant, everything: MockConfigEntry, t2: FaultServer, option: str, word: int
) -> None:
    """Only the days change: the power of 50 % in the same word stays."""
    t2.memory[(1, 0x3608)] = 0x0532
    await refresh(hass, everything, Group.SETTINGS)
    assert state(hass, Platform.SELECT, "charge_slot_1_days") == "custom"
    await act(hass, "select.select_option", "charge_slot_1_days", option=option)
    assert t2.memory[(1, 0x3608)] == word
    assert state(hass, Platform.SELECT, "charge_slot_1_days") == option


async def test_days_without_a_name(
    hass: HomeAssistant, everything: MockConfigEntry, t2: FaultServer
) -> None:
    """They can be seen, and chosen only where they are in force already, which sends nothing."""
    with pytest.raises(ServiceValidationError):
        await act(hass, "select.select_option", "charge_slot_1_days", option="custom")
    t2.requests.clear()
    await act(hass, "select.select_option", "charge_slot_2_days", option="custom")
    assert t2.requests == []
    assert t2.memory[(1, 0x360B)] == 0x0064


async def test_slot_entities_share_words_without_disturbing_each_other(
    hass: HomeAssistant, everything: MockConfigEntry, t2: FaultServer
) -> None:
    """A time is two bytes, a power leaves the days alone, a switch is one bit among seven."""
    await act(hass, "time.set_value", "discharge_slot_7_start", time="21:45:00")
    assert t2.memory[(1, 0x362D)] == 0x152D
    await act(hass, "number.set_value", "charge_slot_3_power", value=75)
    assert t2.memory[(1, 0x360E)] == 0x1F4B
    await act(hass, "switch.turn_on", "charge_slot_7_enabled")
    assert t2.memory[(1, 0x3604)] == 0x45
    await act(hass, "switch.turn_on", "buzzer")
    assert t2.memory[(1, 0x3632)] == 0


async def test_powers_are_shares_of_the_rated_power(
    hass: HomeAssistant, everything: MockConfigEntry, t2: FaultServer
) -> None:
    """A person thinks in watts; the machine counts thousandths of its 10 kW, up to 110 %."""
    await act(hass, "number.set_value", "battery_charge_power_limit", value=3300)
    assert t2.memory[(1, 0x364D)] == 330
    with pytest.raises(ServiceValidationError):
        await act(hass, "number.set_value", "battery_charge_power_limit", value=11001)
    assert t2.memory[(1, 0x364D)] == 330


async def test_a_tier_that_may_change_nothing(
    hass: HomeAssistant, everything: MockConfigEntry, t2: FaultServer
) -> None:
    """Slots and modes are still shown, by sensors; so is a mode that nobody may choose."""
    t2.memory[(1, 0x3647)] = 12
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new=True):
        hass.config_entries.async_update_entry(everything, options={"tier": "read_only"})
        assert await hass.config_entries.async_reload(everything.entry_id)
        await hass.async_block_till_done()
    await refresh(hass, everything, Group.SETTINGS)
    for key, shown in {
        "charge_slot_3_days": "weekdays",
        "charge_slot_2_days": "custom",
        "charge_slot_1_start": "02:00",
        "charge_slot_1_power": "50",
        "work_mode": "ai_saving",
        "export_limit_power": "7000",
    }.items():
        assert state(hass, Platform.SENSOR, key) == shown
    assert state(hass, Platform.BINARY_SENSOR, "charge_slot_3_enabled") == "on"
    assert state(hass, Platform.SELECT, "charge_slot_3_days") is None
