"""The physics: energy is neither made nor lost, and settings steer it."""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from simulator import SimulatedPlant
from simulator.physics import Installation, JsoControls as Controls, Plant, PortUse, Slot, WorkMode

MIDSUMMER = datetime(2026, 6, 21)
ALL_DAY = (Slot(start=0, power=5000, soc=0.35, grid_charge=False),)
CAPACITY = 30720.0


def plant_at(hour: float, controls: Controls | None = None, *, soc: float = 0.6) -> Plant:
    """Return a plant on Midsummer's day, with one time-of-use slot around the clock."""
    plant = Plant(start=MIDSUMMER, seed=1, soc=soc)
    plant.controls = controls or Controls(slots=ALL_DAY)
    plant.now = MIDSUMMER.replace(hour=int(hour), minute=round(hour % 1 * 60))
    return plant


def test_energy_is_neither_made_nor_lost() -> None:
    """At each step sources and sinks agree within 1 W, and the battery holds what flowed into it."""
    plant = plant_at(0)
    signs = set()
    for _ in range(2 * 24 * 60):
        before = plant.soc
        for _ in range(6):
            plant.step(10)
            flows = plant.flows
            power = flows.battery
            stored = power / 0.975 if power > 0 else power * 0.975
            assert (before - plant.soc) * CAPACITY == pytest.approx(stored * 10 / 3600, abs=0.003)
            before = plant.soc
            dc = flows.pv[0] + flows.pv[1] + power
            assert flows.inverter == pytest.approx(dc * 0.97 if dc > 0 else dc / 0.97, abs=1)
            assert sum(flows.grid_phases) + flows.inverter == pytest.approx(sum(flows.load), abs=1)
            assert all(ld >= own - 1e-9 for ld, own in zip(flows.load, flows.backup, strict=True))
            signs.add(power > 0)
        assert 0 <= plant.soc <= 1
    assert signs == {True, False}


def test_counters_are_the_integrals_of_the_powers() -> None:
    """Almost a day of seven-second steps: each counter holds exactly the sum of its power over time."""
    plant = plant_at(0, Controls(work_mode=WorkMode.SELLING_FIRST, slots=ALL_DAY))
    before = dict(plant.total)
    sums = dict.fromkeys(before, 0.0)
    # 86100 s: it stops before midnight, where a step would be cut and the counters of the day cleared.
    for _ in range(12300):
        plant.step(7)
        flows = plant.flows
        for meter, watts in (
            ("pv", flows.pv[0] + flows.pv[1]),
            ("battery_charge", max(0, -flows.battery)),
            ("battery_discharge", max(0, flows.battery)),
            ("grid_import", max(0, flows.grid)),
            ("grid_export", max(0, -flows.grid)),
            ("load", sum(flows.load)),
            ("inverter", max(0, flows.inverter)),
            ("backup", sum(flows.backup)),
            ("pv1", flows.pv[0]),
            ("pv2", flows.pv[1]),
            ("grid_l1_import", max(0, flows.grid_phases[0])),
            ("grid_l2_import", max(0, flows.grid_phases[1])),
            ("grid_l3_import", max(0, flows.grid_phases[2])),
            ("grid_l1_export", max(0, -flows.grid_phases[0])),
            ("grid_l2_export", max(0, -flows.grid_phases[1])),
            ("grid_l3_export", max(0, -flows.grid_phases[2])),
        ):
            sums[meter] += watts * 7 / 3600
    for meter, watt_hours in sums.items():
        assert plant.total[meter] - before[meter] == pytest.approx(watt_hours, abs=0.01), meter
        assert plant.today[meter] == pytest.approx(watt_hours, abs=0.01), meter
    assert sums["pv"] > 20000
    assert sums["grid_export"] > 5000


def test_the_day_ends_at_the_machines_midnight() -> None:
    """The counters of the day start again when the machine's clock, not the sun's, passes midnight."""
    plant = plant_at(12)
    plant.clock = datetime(2026, 6, 21, 23, 59)
    plant.step(60)
    assert plant.clock == datetime(2026, 6, 22)
    assert plant.today["load"] == 0.0
    plant.step(30)
    assert 0 < plant.today["load"] < 100
    assert plant.now == datetime(2026, 6, 21, 12, 1, 30)


def test_a_step_is_cut_at_midnight() -> None:
    """What flowed before midnight does not count for the new day."""
    plant = plant_at(0)
    plant.clock = datetime(2026, 6, 21, 23, 59, 57)
    total = plant.total["load"]
    plant.step(4)
    used = plant.total["load"] - total
    assert plant.today["load"] == pytest.approx(used / 4, rel=0.02)


def test_the_sun_moves_and_fills_the_battery() -> None:
    """Dark at three, more at noon than at six, and by noon there is more in the battery than at dawn."""
    plant = plant_at(3, soc=0.4)
    plant.step(10)
    assert plant.flows.pv == (0.0, 0.0)
    plant.step(3 * 3600)
    morning, soc = sum(plant.flows.pv), plant.soc
    assert morning > 0
    plant.step(4 * 3600)
    assert plant.soc > soc + 0.2
    plant.step(2 * 3600)
    plant.controls = replace(plant.controls, solar_sell=True)
    plant.step(10)
    assert sum(plant.flows.pv) > morning


def test_the_strings_peak_at_different_hours() -> None:
    """The first string looks east, the second west."""
    plant = plant_at(6, Controls(solar_sell=True, slots=ALL_DAY))
    plant.step(10)
    assert plant.flows.pv[0] > plant.flows.pv[1]
    plant.step(13 * 3600)
    assert plant.flows.pv[0] < plant.flows.pv[1]


def test_a_run_can_be_repeated() -> None:
    """The same seed gives the same powers, however the time is cut; another seed gives others."""
    whole, cut, other = plant_at(8), plant_at(8), Plant(start=MIDSUMMER, seed=2)
    other.now = whole.now
    whole.step(7200)
    other.step(7200)
    for _ in range(720):
        cut.step(10)
    assert whole.flows == cut.flows
    assert whole.flows.load != other.flows.load


@pytest.mark.parametrize("mode", [WorkMode.ZERO_EXPORT_TO_CT, WorkMode.ZERO_EXPORT_TO_LOAD])
def test_zero_export_does_not_export(mode: WorkMode) -> None:
    """A day without selling: never less than the zero-export power is drawn while anything runs."""
    plant = plant_at(0, Controls(work_mode=mode, slots=ALL_DAY))
    lowest = 1e9
    for _ in range(24 * 360):
        plant.step(10)
        lowest = min(lowest, plant.flows.grid)
    assert lowest >= 19.999
    assert plant.today["grid_export"] == 0.0


def test_zero_export_to_load_leaves_the_home_load_to_the_grid() -> None:
    """Only the backup output is served by the inverter; the rest of the house draws from the grid."""
    plant = plant_at(20, Controls(work_mode=WorkMode.ZERO_EXPORT_TO_LOAD, slots=ALL_DAY))
    plant.step(10)
    home = sum(plant.flows.load) - sum(plant.flows.backup)
    assert plant.flows.grid == pytest.approx(home + 20, abs=0.1)


@pytest.mark.parametrize("mode", [WorkMode.SELLING_FIRST, WorkMode.ZERO_EXPORT_TO_CT])
def test_selling_is_limited(mode: WorkMode) -> None:
    """With a full battery the surplus is sold, up to the most that may be sold, and that is reached."""
    controls = Controls(work_mode=mode, solar_sell=True, max_sell_power=1500, slots=())
    plant = plant_at(9, controls, soc=1.0)
    exports = []
    for _ in range(6 * 360):
        plant.step(10)
        exports.append(-plant.flows.grid)
    assert max(exports) == pytest.approx(1500, abs=0.1)


def test_selling_first_sells_the_battery_by_night() -> None:
    """In a slot, battery energy goes to the grid too, at no more than the slot's power, down to its SOC."""
    slots = (Slot(start=0, power=3000, soc=0.5, grid_charge=False),)
    plant = plant_at(0, Controls(work_mode=WorkMode.SELLING_FIRST, slots=slots), soc=0.52)
    plant.step(10)
    assert plant.flows.battery == pytest.approx(3000)
    assert plant.flows.grid < -2000
    plant.step(3600)
    assert plant.soc == pytest.approx(0.5)
    assert plant.flows.battery == pytest.approx(0, abs=0.01)


def test_the_battery_stays_above_the_low_soc() -> None:
    """On grid it is never emptied below Low Batt, even when the slot would allow it."""
    slots = (Slot(start=0, power=5000, soc=0.10, grid_charge=False),)
    plant = plant_at(18, Controls(slots=slots, low_soc=0.35), soc=0.40)
    plant.step(10 * 3600)
    assert plant.soc == pytest.approx(0.35, abs=1e-6)


def test_without_time_of_use_the_battery_waits() -> None:
    """With time of use off, or on another weekday, the battery is not discharged while there is a grid."""
    for controls in (
        Controls(time_of_use=False, slots=ALL_DAY),
        Controls(weekdays=frozenset(range(6)), slots=ALL_DAY),  # Midsummer 2026 is a Sunday
    ):
        plant = plant_at(0, controls)
        plant.step(3600)
        assert plant.soc == 0.6
        assert plant.flows.battery == 0.0


def test_energy_pattern() -> None:
    """With little sun, battery first charges and buys; load first serves the house and buys less."""
    first = plant_at(6, Controls(load_first=False, slots=ALL_DAY), soc=0.36)
    second = plant_at(6, Controls(load_first=True, slots=ALL_DAY), soc=0.36)
    for plant in (first, second):
        plant.step(10)
    assert first.flows.battery == pytest.approx(-sum(first.flows.pv))
    assert first.flows.grid == pytest.approx(sum(first.flows.load))
    assert second.flows.grid == pytest.approx(20)


def test_grid_charge() -> None:
    """In a slot with grid charge the grid fills the battery at its current, up to the slot's SOC."""
    slots = (Slot(start=60, power=5000, soc=0.8, grid_charge=True),)
    plant = plant_at(2, Controls(grid_charge=True, grid_charge_current=40, slots=slots), soc=0.7)
    plant.step(10)
    assert plant.battery.current == pytest.approx(-40, abs=0.5)
    assert plant.flows.grid > 2000
    plant.step(2 * 3600)
    assert plant.soc == pytest.approx(0.8)
    off = plant_at(2, Controls(slots=slots), soc=0.7)
    off.step(10)
    assert off.flows.battery == 0.0


def test_smart_load() -> None:
    """On at its SOC with enough sun, on until it falls below the other one, and never without sun."""
    controls = Controls(port=PortUse.SMART_LOAD, on_soc=0.9, off_soc=0.8)
    plant = plant_at(12, replace(controls, slots=ALL_DAY), soc=0.85)
    plant.controls = replace(plant.controls, charge_current=0)
    plant.step(10)
    assert plant.flows.smart_load == 0
    plant.soc = 0.9
    plant.step(10)
    assert plant.flows.smart_load == 1500
    assert sum(plant.flows.backup) > 1500
    plant.soc = 0.81
    plant.step(10)
    assert plant.flows.smart_load == 1500
    plant.soc = 0.79
    plant.step(10)
    assert plant.flows.smart_load == 0
    night = plant_at(0, controls, soc=0.95)
    night.step(10)
    assert night.flows.smart_load == 0
    night.controls = replace(controls, smart_load_on_grid=True)
    night.step(10)
    assert night.flows.smart_load == 1500


def test_outage() -> None:
    """Without the grid the battery carries the backup output, down to the shutdown SOC."""
    plant = plant_at(0, Controls(shutdown_soc=0.20, restart_soc=0.5), soc=0.22)
    plant.grid_present = False
    plant.step(10)
    assert plant.flows.grid == pytest.approx(0, abs=1e-6)
    assert plant.flows.load == plant.flows.backup
    assert plant.site.voltages == (0.0, 0.0, 0.0)
    assert plant.output_voltages == (230.0, 230.0, 230.0)
    plant.step(3 * 3600)
    assert not plant.running
    assert sum(plant.flows.load) == 0
    assert plant.soc == pytest.approx(0.20, abs=0.005)
    # The sun brings it back, but not before the restart SOC.
    while not plant.running:
        plant.step(60)
    assert plant.soc == pytest.approx(0.5, abs=0.01)
    assert 5 <= plant.now.hour <= 12


def test_switched_off() -> None:
    """An inverter that is off leaves the home load to the grid and does nothing else."""
    plant = plant_at(12, Controls(enabled=False, slots=ALL_DAY))
    plant.step(10)
    assert plant.flows.pv == (0.0, 0.0)
    assert plant.flows.inverter == plant.flows.battery == 0.0
    assert plant.flows.grid == sum(plant.flows.load) > 0


def test_battery_power_is_voltage_times_current() -> None:
    """The identity of a real machine's registers."""
    plant = plant_at(8)
    plant.step(600)
    product = plant.battery.voltage * plant.battery.current
    assert product == pytest.approx(plant.flows.battery)
    assert 49 < plant.battery.voltage < 56


def test_months_and_years() -> None:
    """Their counters start again with the machine's calendar, and hold all days since."""
    plant = plant_at(12)
    plant.step(60)
    plant.clock = datetime(2026, 11, 30, 23, 59)
    plant.step(60)
    assert plant.today["load"] == plant.month["load"] == 0.0
    year = plant.year["load"]
    assert year > 0
    plant.clock = datetime(2026, 12, 30, 23, 59)
    plant.step(90)
    assert 0 < plant.today["load"] < plant.month["load"] < plant.year["load"] - year + 1e-9
    plant.clock = datetime(2026, 12, 31, 23, 59)
    plant.step(60)
    assert plant.month["load"] == plant.year["load"] == 0.0


def test_single_phase() -> None:
    """All circuits and the inverter are on the first phase, and the sums are the same."""
    small = Installation(rated_power=6000, pv_peaks=(3600, 3200), phases=1)
    plant = Plant(start=MIDSUMMER.replace(hour=20), installation=small)
    plant.controls = Controls(work_mode=WorkMode.ZERO_EXPORT_TO_CT, slots=ALL_DAY)
    plant.step(10)
    other = plant_at(20)
    other.step(10)
    assert plant.flows.load[0] == pytest.approx(sum(other.flows.load))
    assert plant.flows.load[1:] == (0.0, 0.0)
    assert plant.flows.inverter_phases == (plant.flows.inverter, 0.0, 0.0)
    assert plant.flows.grid == pytest.approx(20, abs=1)
    assert plant.site.voltages[0] > 220


def test_tall_battery() -> None:
    """Four times the cells in series: four times the volts, a quarter of the amperes, the same energy."""
    tall = Plant(
        start=MIDSUMMER.replace(hour=20), installation=Installation(cells=64, phases=1), soc=0.5
    )
    tall.controls = Controls(slots=ALL_DAY)
    low = plant_at(20, soc=0.5)
    tall.step(10)
    low.step(10)
    assert tall.battery.voltage == pytest.approx(4 * low.battery.voltage)
    assert tall.battery.current == pytest.approx(low.battery.current / 4)
    assert tall.soc == pytest.approx(low.soc)


def test_full_soc() -> None:
    """Charging ends where it is told to."""
    plant = plant_at(12, Controls(full_soc=0.61, slots=ALL_DAY))
    plant.step(3600)
    assert plant.soc == pytest.approx(0.61, abs=1e-6)


def test_a_car_is_charged_in_the_evening() -> None:
    """11.04 kW on three phases from seven to ten: 33.12 kWh a day more, and nothing else of the house changes."""
    with_car, without = (
        SimulatedPlant(car=car, start=MIDSUMMER).site.house for car in (True, False)
    )
    used = 0.0
    for minute in range(24 * 60):
        now = MIDSUMMER + timedelta(minutes=minute)
        (home, backup), (usual, usual_backup) = with_car.demand(now), without.demand(now)
        more = 3680 if 19 * 60 <= minute < 22 * 60 else 0
        assert home == pytest.approx([watts + more for watts in usual])
        assert backup == usual_backup
        used += (sum(home) - sum(usual)) / 60 / 1000
    assert used == pytest.approx(33.12)
