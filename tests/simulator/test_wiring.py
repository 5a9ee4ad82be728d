"""Wrong wiring: what clamps show where they do not belong, and what an inverter makes of that. 1500 W, in the dark."""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from simulator import SimulatedPlant
from simulator.cause import cause
from simulator.inverter_machine import InverterMachine
from simulator.physics import Clamps
from simulator.steering import steer

EVENING = datetime(2026, 6, 21, 19)
# A balanced house whose circuits are all before the inverter; in the evening it may take 5 kW from the battery.
HOUSE = {"time": "19:00", "sun": 0, "soc": 60, "home": 1500, "backup": 0}


def plant_with(
    model: str, trouble: dict[str, Any], *, minutes: float = 2, **steered: Any
) -> tuple[SimulatedPlant, InverterMachine]:
    """Return a house with a mistake, some time after it was made."""
    plant = SimulatedPlant(model=model, start=EVENING)
    machine = plant.machine()
    assert isinstance(machine, InverterMachine)
    sell = {"settings": {"solar_sell": False}} if model.startswith("JSO") else {}
    steer(plant, machine, {**HOUSE, **sell, **steered})
    cause(plant, trouble)
    for _ in range(round(minutes * 60)):
        plant.advance(1)
    return plant, machine


def watts(value: float) -> Any:
    """Return a power to compare with, within 10 W."""
    return pytest.approx(value, abs=10)


# ---------------------------------------------------------------------- what a clamp shows


@pytest.mark.parametrize(
    ("own", "conductor", "active", "reactive"),
    [
        # 1000 W and -200 var are 1019.8 VA at -11.31 degrees: x cos(120 - 11.31), and x cos(120 + 11.31).
        (0, 1, -326.8, 966.0),
        (1, 0, -673.2, -766.0),
        (2, 0, -326.8, 966.0),
        (0, 2, -673.2, -766.0),
        (1, 1, 1000, -200),
    ],
)
def test_a_clamp_on_another_phase_shows_a_current_a_third_of_a_turn_off(
    own: int, conductor: int, active: float, reactive: float
) -> None:
    """U x I x cos(120 degrees + or - phi), not the power of the other phase."""
    order = [conductor, conductor, conductor]
    flowing = [0.0, 0.0, 0.0]
    flowing[conductor] = 1000.0
    clamps = Clamps(order=(order[0], order[1], order[2]))
    powers = (flowing[0], flowing[1], flowing[2])
    shown, turned = clamps.shown(powers, tuple(-0.2 * power for power in powers))  # type: ignore[arg-type]
    assert shown[own] == pytest.approx(active, abs=0.1)
    assert turned[own] == pytest.approx(reactive, abs=0.1)


def test_it_takes_the_voltage_of_its_own_input() -> None:
    """10 A that flow at 200 V are 15 % more at 230 V, and a third of a turn off they count half, the other way."""
    clamps = Clamps(order=(1, 1, 2))
    shown, _ = clamps.shown((0.0, 2000.0, 0.0), (0.0, 0.0, 0.0), (230.0, 200.0, 230.0))
    assert shown == pytest.approx((-1150.0, 2000.0, 0.0))


# ---------------------------------------------------------------------- what an inverter does by it


def test_with_right_clamps_the_battery_serves_the_house() -> None:
    """All but the 20 W that it shall draw: 1480 W cost 1526 W of the battery."""
    plant, machine = plant_with("JSO8048104", {})
    assert machine.value("battery_power") == watts(1526)
    assert plant.site.grid_point.power == watts(20)
    assert machine.value("load_power") == watts(1500)


def test_with_one_clamp_reversed_it_regulates_the_wrong_sum() -> None:
    """A third of 1500 W less a third of its own 1440 W are the 20 W that it wants to see; 60 W are drawn."""
    plant, machine = plant_with("JSO8048104", {"reversed_phases": [1]})
    assert machine.value("grid_power") == watts(20)
    assert plant.site.grid_point.power == watts(60)
    assert machine.value("inverter_power") == watts(1440)
    assert machine.value("load_power") == watts(1460)


@pytest.mark.parametrize(("model", "most"), [("JSO8048104", -6000), ("H2-10K-T2", -9000)])
def test_with_all_clamps_reversed_the_battery_runs_to_its_limit(model: str, most: int) -> None:
    """When the house uses 100 W more, it takes what it draws for a surplus, and draws more."""
    plant, machine = plant_with(model, {"reversed_phases": [1, 2, 3]})
    steer(plant, machine, {"home": 1600, "advance": 60})
    assert machine.value("battery_power") <= most  # type: ignore[operator]
    assert plant.site.grid_point.power > 1500 - most
    assert machine.value("grid_power") == watts(-plant.site.grid_point.power)


def test_a_clamp_on_the_house_side_empties_the_battery_into_the_grid() -> None:
    """The load never falls, whatever it gives: 5 kW of the battery are 4850 W, of which 3350 W go out."""
    plant, machine = plant_with("JSO8048104", {"clamp_place": "house"})
    assert machine.value("grid_power") == watts(1500)
    assert machine.value("battery_power") == watts(5000)
    assert plant.site.grid_point.power == watts(-3350)


def test_a_clamp_on_the_inverters_own_cable_sees_no_house() -> None:
    """What it draws itself, and that is nothing: the grid serves the house."""
    plant, machine = plant_with("H2-10K-T2", {"clamp_place": "inverter"})
    assert machine.value("grid_power") == watts(0)
    assert machine.value("load_power") == watts(0)
    assert machine.value("battery_power") == watts(0)
    assert plant.site.grid_point.power == watts(1500)


def test_with_the_internal_clamps_the_external_ones_show_nothing() -> None:
    """The same to the inverter, and the registers of the external ones are 0."""
    plant, machine = plant_with("JSO8048104", {"internal_clamp": True}, backup=900)
    assert machine.value("grid_ct_power") == 0
    assert machine.value("grid_power") == machine.value("grid_internal_power") == watts(20)
    assert machine.value("load_power") == watts(900)
    assert plant.site.grid_point.power == watts(1520)


def test_with_half_of_the_ratio_half_of_the_grid_is_seen() -> None:
    """Of 40 W it sees the 20 W that it wants."""
    plant, machine = plant_with("JSO8048104", {"clamp_ratio": 0.5})
    assert machine.value("grid_power") == watts(20)
    assert plant.site.grid_point.power == watts(40)
    assert machine.value("load_power") == watts(1480)


def test_a_mended_clamp_is_right_at_once() -> None:
    """It sees what there is, and regulates it within a second or two."""
    plant, machine = plant_with("JSO8048104", {"reversed_phases": [1, 2, 3]})
    cause(plant, {"reversed_phases": None})
    assert machine.value("grid_power") == watts(plant.site.grid_point.power)
    plant.advance(1)
    assert plant.site.grid_point.power == watts(20)


def test_counters_count_what_the_clamps_show() -> None:
    """An hour of 1500 W that the grid gives, and one phase counts the other way: 500 Wh of import and of load are left."""
    plant, machine = plant_with("H2-10K-T2", {"reversed_phases": [1]}, soc=20, minutes=0)
    before = dict(machine.inverter.today)
    plant.advance(3600)
    counted = {name: machine.inverter.today[name] - before[name] for name in before}
    assert counted["grid_import"] == watts(500)
    assert counted["load"] == watts(500)
    assert (counted["grid_l1_export"], counted["grid_l2_import"]) == (watts(500), watts(500))
    assert plant.site.grid_point.forward == watts(1500)


# ---------------------------------------------------------------------- what it is not told


def test_a_jso_does_not_count_a_solar_inverter_beside_it() -> None:
    """What that feeds is missing in the load, and with enough of it the load is negative."""
    plant = SimulatedPlant(start=datetime(2026, 6, 21, 12), soc=1.0)
    machine = plant.machine()
    plant.advance(60)
    right = plant.machine().value("load_power")
    cause(plant, {"solar_beside": True})
    plant.advance(1)
    solar = plant.site.solar_point.power
    assert solar > 1000
    assert machine.value("load_power") == pytest.approx(right - solar, abs=30)  # type: ignore[operator]
    cause(plant, {"solar_beside": False})
    plant.advance(1)
    assert machine.value("load_power") == pytest.approx(right, abs=30)


def test_a_saj_counts_a_solar_inverter_by_its_second_meter_as_long_as_it_hears_it() -> None:
    """Meter B shows it on its one phase, and without that the load lacks it."""
    plant = SimulatedPlant(model="H2-10K-T2", solar=True, start=datetime(2026, 6, 21, 12))
    plant.advance(60)
    machine = plant.machine()
    solar = plant.site.solar_point.power
    assert isinstance(machine, InverterMachine)
    house = sum(plant.site.home) + sum(machine.inverter.flows.backup)
    assert machine.value("meter_b_power") == watts(solar)
    assert machine.value("load_power") == watts(house)
    cause(plant, {"solar_meter_lost": True})
    assert machine.value("meter_b_status") == "offline"
    assert machine.value("meter_b_l1_power") is None
    assert machine.value("load_power") == watts(house - solar)


def test_exchanged_meters_of_a_saj_show_each_others_place() -> None:
    """Meter A what the solar inverter feeds, as if it were drawn from the grid, and B the first phase of the grid."""
    plant = SimulatedPlant(model="H2-10K-T2", solar=True, start=datetime(2026, 6, 21, 12))
    plant.advance(60)
    machine = plant.machine()
    solar, first = plant.site.solar_point.power, plant.site.grid_point.powers[0]
    cause(plant, {"meters_exchanged": True})
    assert machine.value("grid_power") == machine.value("meter_a_l1_power") == watts(solar)
    assert machine.value("meter_b_power") == watts(first)


def test_inverters_of_two_makes_do_not_know_of_each_other() -> None:
    """Each takes the grid's power and its own for the load; two of one make tell each other."""
    mixed = SimulatedPlant(devices={1: "JSO8048104", 2: "H2-6K-S2"}, start=EVENING)
    alike = SimulatedPlant(devices={1: "JSO8048104", 2: "JSO8048104"}, start=EVENING)
    for plant, told in ((mixed, False), (alike, True)):
        plant.advance(60)
        jso, other = plant.machine(1), plant.machine(2)
        fed: Any = other.value("inverter_power")
        own: Any = jso.value("grid_power") + jso.value("inverter_power")  # type: ignore[operator]
        assert fed > 200
        assert jso.value("load_power") == watts(own + fed * told)


# ---------------------------------------------------------------------- strings and batteries


def test_a_battery_meter_that_shows_70_percent() -> None:
    """Its current and power are less than what flows, which the battery itself reports, and so is what it counts."""
    plant, machine = plant_with("JSO8048104", {"battery_ratio": 0.7})
    assert machine.value("battery_power") == watts(1068)
    assert machine.value("bms_current") == pytest.approx(1526 / 51.8, abs=1)
    before = machine.inverter.today["battery_discharge"]
    plant.advance(3600)
    assert machine.inverter.today["battery_discharge"] - before == watts(1068)


def test_a_shadow_takes_its_share_of_power_and_volts() -> None:
    """A string that is dead has neither; the other one is what it was."""
    plant = SimulatedPlant(start=datetime(2026, 6, 21, 12))
    plant.advance(10)
    machine = plant.machine()
    first, second, volts = (
        machine.value(f"pv{one}") for one in ("1_power", "2_power", "2_voltage")
    )
    cause(plant, {"string_light": [1, 0.5]})
    plant.advance(0.1)
    assert machine.value("pv1_power") == pytest.approx(first, rel=0.01)
    assert machine.value("pv2_power") == pytest.approx(second / 2, rel=0.01)  # type: ignore[operator]
    assert machine.value("pv2_voltage") == pytest.approx(volts / 2, rel=0.03)  # type: ignore[operator]
    cause(plant, {"string_light": [1, 0]})
    plant.advance(0.1)
    assert (machine.value("pv2_power"), machine.value("pv2_voltage")) == (0, 0)
    assert machine.value("pv1_power") == pytest.approx(first, rel=0.01)


def test_what_an_inverter_uses_itself_comes_out_of_the_battery() -> None:
    """At 1480 W for the house and 60 W for itself: 1588 W."""
    plant = SimulatedPlant(start=EVENING, standby=60.0)
    machine = plant.machine()
    steer(plant, machine, {**HOUSE, "settings": {"solar_sell": False}})
    assert machine.value("battery_power") == watts(1588)
    assert machine.value("grid_power") == watts(20)
