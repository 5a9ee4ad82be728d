"""What is written into a machine's registers changes what flows, and what flows is to be read in its registers."""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

import pytest

from custom_components.hybrid_inverter.modbus.model.codec import Choice, Value
from simulator import SimulatedPlant
from simulator.machine import Machine

from .houses import Sun, set_load, set_sun

NOON = datetime(2026, 6, 22, 12)
NIGHT = datetime(2026, 6, 22, 2)


def machine_of(
    model: str,
    *,
    start: datetime = NOON,
    soc: float = 0.6,
    pv: float = 0.0,
    home: float = 0.0,
    backup: float = 0.0,
) -> Any:
    """Return a machine in a house where the sun and the load are what a test says, before any time has passed."""
    machine = SimulatedPlant(model=model, start=start, soc=soc).machine()
    set_sun(machine.inverter, pv)
    set_load(machine.inverter, home=home, backup=backup)
    return machine


def write_settings(machine: Machine, values: Mapping[str, Value]) -> None:
    """Write settings as the integration would, one register at a time; what it does not offer is set at the display."""
    for key, value in values.items():
        row = machine.family.registers[key]
        if isinstance(row.codec, Choice) and value not in row.codec.options:
            machine.panel_set(key, value)
            continue
        image = {address: machine.word(address) for address in row.addresses}
        for address, word in zip(row.addresses, row.encode(value, image), strict=True):
            machine.write(address, [word])
        assert machine.value(key) == value, key


type House = dict[str, Any]

# Each: the house, what is written, and a value before and after. The slot of 10:00 to 15:00 keeps 80 %; the inverter
# sells solar power and serves the load first. 1000 W out of the inverter are 1031 W of PV or battery.
JSO_CASES: dict[str, tuple[House, dict[str, object], str, float, float]] = {
    "selling first": (
        {"soc": 0.9, "home": 1000},
        {"work_mode": "selling_first"},
        *("grid_power", 0, 1000 - 4850),
    ),
    "zero export to load": (
        {"soc": 0.9, "home": 1000, "backup": 400},
        {"work_mode": "zero_export_to_load"},
        *("inverter_power", 1400, 400),
    ),
    "solar sell": (
        {"soc": 1.0, "home": 1000, "pv": 6000},
        {"solar_sell": False},
        *("grid_power", 1000 - 5820, 20),
    ),
    "max sell power": (
        {"soc": 1.0, "home": 1000, "pv": 6000},
        {"max_sell_power": 2000},
        *("grid_power", 1000 - 5820, -2000),
    ),
    "max solar power": (
        {"soc": 1.0, "home": 1000, "pv": 6000},
        {"max_solar_power": 3000},
        *("pv_power", 6000, 3000),
    ),
    "energy pattern": (
        {"soc": 0.5, "home": 2000, "pv": 3000},
        {"energy_pattern": "battery_first"},
        *("battery_power", -(3000 - 2062), -3000),
    ),
    "zero-export power": (
        {"soc": 0.9, "home": 1000},
        {"solar_sell": False, "zero_export_power": 100},
        *("grid_power", 0, 100),
    ),
    "charge current": (
        {"soc": 0.5, "pv": 8000},
        {"battery_max_charge_current": 20},
        *("battery_current", -115, -20),
    ),
    "discharge current": (
        {"soc": 0.9, "home": 4000},
        {"battery_max_discharge_current": 20},
        *("battery_current", 79.1, 20),
    ),
    "slot SOC": ({"soc": 0.6, "home": 1000}, {"tou_slot_4_soc": 50}, "battery_power", 0, 1031),
    "slot power": (
        {"soc": 0.9, "home": 4000},
        {"tou_slot_4_power": 2000},
        *("battery_power", 4124, 2000),
    ),
    "slot start": (
        {"soc": 0.6, "home": 1000},
        {"tou_slot_5_time": time(12)},
        *("battery_power", 0, 1031),
    ),
    "time of use": ({"soc": 0.9, "home": 1000}, {"tou_enabled": False}, "battery_power", 1031, 0),
    "weekday": ({"soc": 0.9, "home": 1000}, {"tou_monday": False}, "battery_power", 1031, 0),
    "low SOC": (
        {"soc": 0.9, "home": 1000},
        {"battery_restart_soc": 99, "battery_low_soc": 95},
        *("battery_power", 1031, 0),
    ),
    "grid charge": (
        {"soc": 0.5, "start": NIGHT},
        {"grid_charge_enabled": True},
        *("battery_current", 0, -40),
    ),
    "grid charge current": (
        {"soc": 0.5, "start": NIGHT},
        {"grid_charge_enabled": True, "grid_charge_current": 60},
        *("battery_current", 0, -60),
    ),
    "grid charge of a slot": (
        {"soc": 0.5},
        {"grid_charge_enabled": True, "tou_slot_4_grid_charge": True},
        *("battery_current", 0, -40),
    ),
    "grid peak shaving": (
        {"soc": 0.6, "home": 7000},
        {"grid_peak_shaving": True},
        *("grid_power", 7000, 5000),
    ),
    "grid peak shaving power": (
        {"soc": 0.6, "home": 7000},
        {"grid_peak_shaving": True, "grid_peak_shaving_power": 3000},
        *("grid_power", 7000, 3000),
    ),
    "generator charge": (
        {"soc": 0.25},
        {"generator_charge_enabled": True},
        *("battery_current", 0, -40),
    ),
    "generator charge current": (
        {"soc": 0.25},
        {"generator_charge_enabled": True, "generator_charge_current": 60},
        *("battery_current", 0, -60),
    ),
    "generator start SOC": (
        {"soc": 0.6, "backup": 900},
        {
            "generator_charge_current": 0,
            "generator_charge_enabled": True,
            "generator_charge_start_soc": 65,
        },
        *("generator_power", 0, 900),
    ),
    "generator charge of a slot": (
        {"soc": 0.6, "backup": 900},
        {
            "generator_charge_current": 0,
            "generator_charge_enabled": True,
            "tou_slot_4_generator_charge": True,
        },
        *("generator_power", 0, 900),
    ),
    "generator force": (
        {"soc": 0.6, "backup": 900},
        {"generator_force": True},
        *("generator_power", 0, 900),
    ),
    "generator rated power": (
        {"soc": 0.25, "backup": 900},
        {"generator_charge_enabled": True, "generator_rated_power": 2000},
        *("generator_power", 0, 2000),
    ),
    "generator peak shaving": (
        {"soc": 0.9, "backup": 3000},
        {"generator_peak_shaving": True, "generator_rated_power": 2000, "generator_force": True},
        *("battery_power", 3093, 1031),
    ),
    "smart load": (
        {"soc": 1.0, "pv": 3000},
        {"generator_port_mode": "smart_load_output"},
        *("generator_power", 0, 1500),
    ),
    "smart load on SOC": (
        {"soc": 0.9, "pv": 3000},
        {
            "generator_port_mode": "smart_load_output",
            "smart_load_off_soc": 80,
            "smart_load_on_soc": 90,
        },
        *("generator_power", 0, 1500),
    ),
    "smart load minimum solar power": (
        {"soc": 1.0, "pv": 3000},
        {"generator_port_mode": "smart_load_output", "smart_load_min_solar_power": 3500},
        *("generator_power", 0, 0),
    ),
    "on grid always on": (
        {"soc": 0.5},
        {"generator_port_mode": "smart_load_output", "on_grid_always_on": True},
        *("generator_power", 0, 1500),
    ),
    "micro inverter": (
        {"soc": 0.5, "home": 400},
        {"generator_port_mode": "micro_inverter_input"},
        *("generator_power", 0, 1200),
    ),
    "micro inverter off SOC": (
        {"soc": 0.9, "home": 400},
        {
            "generator_port_mode": "micro_inverter_input",
            "smart_load_off_soc": 85,
        },
        *("generator_power", 0, 0),
    ),
    "micro inverter export cut-off": (
        {"soc": 0.5, "home": 400},
        {
            "battery_max_charge_current": 0,
            "generator_port_mode": "micro_inverter_input",
            "microinverter_export_cutoff": True,
        },
        *("generator_power", 0, 400),
    ),
    # At 52.0 V without a current it is at 62.5 %.
    "slot voltage": (
        {"soc": 0.6, "home": 1000},
        {
            "battery_chemistry": "lead_acid",
            "battery_low_voltage": 47.0,
            "tou_slot_4_voltage": 51.0,
            "battery_operation_mode": "voltage",
        },
        *("battery_power", 0, 1031),
    ),
    "slot voltage above the battery's": (
        {"soc": 0.6, "home": 1000},
        {
            "battery_chemistry": "lead_acid",
            "tou_slot_4_voltage": 52.0,
            "battery_operation_mode": "voltage",
        },
        *("battery_power", 0, 0),
    ),
    "no battery": (
        {"soc": 0.9, "home": 1000},
        {"battery_operation_mode": "no_battery"},
        *("battery_power", 1031, 0),
    ),
    "switched off": (
        {"soc": 0.9, "home": 1000},
        {"inverter_enabled": False},
        *("inverter_power", 1000, 0),
    ),
}


@pytest.mark.parametrize("case", JSO_CASES)
def test_each_jso_setting_does_what_its_page_of_the_manual_says(case: str) -> None:
    """Each setting does what its page of the manual says, from one minute to the next."""
    house, settings, key, before, after = JSO_CASES[case]
    machine = machine_of("JSO8048104", **house)
    machine.inverter.port.micro_inverter = Sun(1200)
    tolerance = 0.1 if key.endswith("current") else 6
    machine.step(60)
    assert machine.value(key) == pytest.approx(before, abs=tolerance)
    write_settings(machine, settings)
    machine.step(60)
    assert machine.value(key) == pytest.approx(after, abs=tolerance)


RATED = 10000
SAJ_CASES: dict[str, tuple[House, dict[str, object], str, float, float]] = {
    "on-grid floor": (
        {"soc": 0.5, "home": 1000},
        {"on_grid_discharge_floor": 60},
        *("battery_power", 1031, 0),
    ),
    "charge upper limit": (
        {"soc": 0.7, "pv": 3000},
        {"charge_upper_limit": 65},
        *("battery_power", -3000, 0),
    ),
    "battery charge power": (
        {"soc": 0.5, "pv": 3000},
        {"battery_charge_power_limit": 1200},
        *("battery_power", -3000, -1200),
    ),
    "battery discharge power": (
        {"soc": 0.5, "home": 3000},
        {"battery_discharge_power_limit": 1200},
        *("battery_power", 3093, 1200),
    ),
    "grid discharge power": (
        {"soc": 1.0, "pv": 5000},
        {"grid_discharge_power_limit": 1500},
        *("grid_power", -4850, -1500),
    ),
    "export limit in all": (
        {"soc": 1.0, "pv": 5000},
        {"export_limit_mode": "total_power", "export_limit_power": 1000},
        *("grid_power", -4850, -1000),
    ),
    "export limit of each phase": (
        {"soc": 1.0, "pv": 5000},
        {"export_limit_mode": "each_phase_power", "export_limit_power": 500},
        *("grid_power", -4850, -1500),
    ),
    "export limit in amperes": (
        {"soc": 1.0, "pv": 5000},
        {"export_limit_mode": "current", "export_limit_current": 2.0},
        *("grid_power", -4850, -1380),
    ),
    "backup": (
        {"soc": 0.5},
        {"grid_charge_power_limit": 2000, "work_mode": "backup"},
        *("battery_power", 0, -2000),
    ),
    "backup reserve": (
        {"soc": 0.5, "home": 1000},
        {"backup_reserve_soc": 40, "work_mode": "backup"},
        *("battery_power", 1031, 1031),
    ),
    "charge slot": (
        {"soc": 0.5},
        {
            "charge_slot_1_start": time(11),
            "charge_slot_1_end": time(13),
            "charge_slot_1_power": 30,
            "charge_slot_1_enabled": True,
            "work_mode": "time_of_use",
        },
        *("battery_power", 0, -3000),
    ),
    "charge slot of other days": (
        {"soc": 0.5},
        {
            "charge_slot_1_start": time(11),
            "charge_slot_1_end": time(13),
            "charge_slot_1_days": frozenset({1, 2}),
            "charge_slot_1_enabled": True,
            "work_mode": "time_of_use",
        },
        *("battery_power", 0, 0),
    ),
    "discharge slot": (
        {"soc": 0.8},
        {
            "discharge_slot_2_start": time(11),
            "discharge_slot_2_end": time(13),
            "discharge_slot_2_power": 20,
            "discharge_slot_2_enabled": True,
            "tou_export_from_battery": True,
            "work_mode": "time_of_use",
        },
        *("grid_power", 0, -2000),
    ),
    "discharge slot that only discharges": (
        {"soc": 0.8, "pv": 3000},
        {
            "discharge_slot_1_start": time(11),
            "discharge_slot_1_end": time(13),
            "discharge_slot_1_enabled": True,
            "work_mode": "time_of_use",
        },
        *("battery_power", -3000, 0),
    ),
    "standby outside of the slots": (
        {"soc": 0.8, "home": 1000},
        {"tou_outside_mode": "standby", "work_mode": "time_of_use"},
        *("battery_power", 1031, 0),
    ),
    "passive standby": (
        {"soc": 0.8, "home": 1000},
        {"work_mode": "passive"},
        *("battery_power", 1031, 0),
    ),
    "passive charge": (
        {"soc": 0.5},
        {
            "passive_battery_charge_power": 1500,
            "passive_action": "charge",
            "work_mode": "passive",
        },
        *("battery_power", 0, -1500),
    ),
    "passive charge, by the grid": (
        {"soc": 0.5},
        {"passive_grid_charge_power": 800, "passive_action": "charge", "work_mode": "passive"},
        *("battery_power", 0, -800),
    ),
    "passive discharge": (
        {"soc": 0.8},
        {
            "passive_grid_discharge_power": 1200,
            "passive_action": "discharge",
            "work_mode": "passive",
        },
        *("grid_power", 0, -1200),
    ),
    "passive discharge, by the battery": (
        {"soc": 0.8},
        {
            "passive_battery_discharge_power": 900,
            "passive_action": "discharge",
            "work_mode": "passive",
        },
        *("battery_power", 0, 900),
    ),
}


@pytest.mark.parametrize("case", SAJ_CASES)
def test_each_saj_setting_does_what_the_protocol_and_instructions_say(case: str) -> None:
    """Each setting does what the protocol and the configuration instructions say."""
    house, settings, key, before, after = SAJ_CASES[case]
    machine = machine_of("H2-10K-T2", **house)
    machine.step(60)
    assert machine.value(key) == pytest.approx(before, abs=6)
    write_settings(machine, settings)
    machine.step(60)
    assert machine.value(key) == pytest.approx(after, abs=6)


def test_jso_shows_its_generator() -> None:
    """Power, voltage, relay, energy and hours; the grid relay is open meanwhile."""
    machine = machine_of("JSO8048104", soc=0.25, home=600, backup=900)
    write_settings(machine, {"generator_charge_enabled": True})
    machine.step(3600)
    charged = 40 * machine.inverter.battery.voltage / 0.97
    assert machine.value("generator_power") == pytest.approx(900 + charged, abs=5)
    assert machine.value("generator_l2_power") == pytest.approx((900 + charged) / 3, abs=5)
    assert machine.value("generator_l1_voltage") == 230
    assert machine.value("grid_power") == pytest.approx(600, abs=2)
    assert machine.value("grid_internal_power") == pytest.approx(0, abs=2)
    assert machine.value("load_power") == pytest.approx(1500, abs=3)
    assert machine.value("relay_generator") is True
    assert machine.value("grid_connected") is False
    assert machine.value("generator_hours_today") == pytest.approx(1.0)
    assert machine.value("generator_energy_today") == pytest.approx(
        (900 + charged) / 1000, abs=0.15
    )
    write_settings(machine, {"generator_charge_enabled": False})
    machine.step(600)
    assert machine.value("generator_power") == 0
    assert machine.value("relay_generator") is False
    assert machine.value("grid_connected") is True


def test_jso_counts_its_micro_inverter() -> None:
    """What comes in at the port is energy of the port, and the load is served by it."""
    machine = machine_of("JSO8048104", soc=0.6, home=400)
    machine.inverter.port.micro_inverter = Sun(1200)
    write_settings(machine, {"generator_port_mode": "micro_inverter_input"})
    machine.step(3600)
    assert machine.value("generator_energy_today") == pytest.approx(1.2)
    assert machine.value("load_power") == pytest.approx(400, abs=3)
    assert machine.value("battery_power") == pytest.approx(-800 * 0.97, abs=3)


def test_an_outage_is_everybodys() -> None:
    """When one inverter loses the grid, the other one and the meter lose it as well, and each feeds its own output."""
    plant = SimulatedPlant(devices={1: "JSO8048104", 2: "H2-10K-T2", 3: "DTSU666"}, soc=0.8)
    plant.advance(60)
    plant.machine(1).trouble.outage = True
    plant.advance(60)
    first, second = (plant.machine(unit) for unit in (1, 2))
    assert first.value("status") == "alarm"
    assert second.value("status") == "off_grid"
    assert second.word(0x4031) == 0
    assert second.value("backup_power") > 50
    assert plant.machine(3).respond(bytes.fromhex("0320000002")) is None
    plant.machine(1).trouble.outage = False
    plant.advance(60)
    assert second.value("status") == "on_grid"


def test_two_inverters_share_a_house() -> None:
    """Both see the same connection; what the meter counts there is what they see."""
    plant = SimulatedPlant(devices={1: "JSO8048104", 2: "H2-10K-T2", 3: "DTSU666"}, soc=0.8)
    plant.advance(600)
    first, second = (plant.machine(unit) for unit in (1, 2))
    assert first.value("grid_power") == pytest.approx(second.value("grid_power"), abs=3)
    assert first.value("grid_power") == pytest.approx(plant.site.grid_point.power, abs=3)


def test_saj_sees_a_solar_inverter() -> None:
    """A meter at the solar inverter shows its power, and the house's load is right all the same."""
    plant = SimulatedPlant(devices={1: "H2-10K-T2", 2: "DDSU666"}, start=NOON)
    plant.advance(600)
    machine = plant.machine(1)
    assert machine.value("meter_b_l1_power") == pytest.approx(plant.site.solar_point.power, abs=1)
    used = sum(plant.site.home) + machine.value("backup_power")
    assert machine.value("load_power") == pytest.approx(used, abs=3)
