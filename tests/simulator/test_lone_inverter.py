"""The physics: energy is neither made nor lost, and settings steer it."""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from simulator import SimulatedPlant
from simulator.physics import Installation, JsoControls as Controls, PortUse, Slot, WorkMode

from .lone_inverter import LoneInverter

MIDSUMMER = datetime(2026, 6, 21)
ALL_DAY = (Slot(start=0, power=5000, soc=0.35, grid_charge=False),)
CAPACITY = 30720.0


def inverter_at(hour: float, controls: Controls | None = None, *, soc: float = 0.6) -> LoneInverter:
    """Return a plant on Midsummer's day, with one time-of-use slot around the clock."""
    inverter = LoneInverter(start=MIDSUMMER, seed=1, soc=soc)
    inverter.controls = controls or Controls(slots=ALL_DAY)
    inverter.site.now = MIDSUMMER.replace(hour=int(hour), minute=round(hour % 1 * 60))
    return inverter


def test_energy_is_neither_made_nor_lost() -> None:
    """At each step sources and sinks agree within 1 W, and the battery holds what flowed into it."""
    inverter = inverter_at(0)
    signs = set()
    for _ in range(2 * 24 * 60):
        before = inverter.soc
        for _ in range(6):
            inverter.step(10)
            flows = inverter.flows
            power = flows.battery
            stored = power / 0.975 if power > 0 else power * 0.975
            assert (before - inverter.soc) * CAPACITY == pytest.approx(
                stored * 10 / 3600, abs=0.003
            )
            before = inverter.soc
            dc = flows.pv[0] + flows.pv[1] + power
            assert flows.inverter == pytest.approx(dc * 0.97 if dc > 0 else dc / 0.97, abs=1)
            assert sum(flows.grid_phases) + flows.inverter == pytest.approx(sum(flows.load), abs=1)
            assert all(ld >= own - 1e-9 for ld, own in zip(flows.load, flows.backup, strict=True))
            signs.add(power > 0)
        assert 0 <= inverter.soc <= 1
    assert signs == {True, False}


def test_counters_are_the_integrals_of_the_powers() -> None:
    """Almost a day of seven-second steps: each counter holds exactly the sum of its power over time."""
    inverter = inverter_at(0, Controls(work_mode=WorkMode.SELLING_FIRST, slots=ALL_DAY))
    before = dict(inverter.total)
    sums = dict.fromkeys(before, 0.0)
    # 86100 s: it stops before midnight, where a step would be cut and the counters of the day cleared.
    for _ in range(12300):
        inverter.step(7)
        flows = inverter.flows
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
        assert inverter.total[meter] - before[meter] == pytest.approx(watt_hours, abs=0.01), meter
        assert inverter.today[meter] == pytest.approx(watt_hours, abs=0.01), meter
    assert sums["pv"] > 20000
    assert sums["grid_export"] > 5000


def test_the_day_ends_at_the_machines_midnight() -> None:
    """The counters of the day start again when the machine's clock, not the sun's, passes midnight."""
    inverter = inverter_at(12)
    inverter.clock = datetime(2026, 6, 21, 23, 59)
    inverter.step(60)
    assert inverter.clock == datetime(2026, 6, 22)
    assert inverter.today["load"] == 0.0
    inverter.step(30)
    assert 0 < inverter.today["load"] < 100
    assert inverter.now == datetime(2026, 6, 21, 12, 1, 30)


def test_a_step_is_cut_at_midnight() -> None:
    """What flowed before midnight does not count for the new day."""
    inverter = inverter_at(0)
    inverter.clock = datetime(2026, 6, 21, 23, 59, 57)
    total = inverter.total["load"]
    inverter.step(4)
    used = inverter.total["load"] - total
    assert inverter.today["load"] == pytest.approx(used / 4, rel=0.02)


def test_the_sun_moves_and_fills_the_battery() -> None:
    """Dark at three, more at noon than at six, and by noon there is more in the battery than at dawn."""
    inverter = inverter_at(3, soc=0.4)
    inverter.step(10)
    assert inverter.flows.pv == (0.0, 0.0)
    inverter.step(3 * 3600)
    morning, soc = sum(inverter.flows.pv), inverter.soc
    assert morning > 0
    inverter.step(4 * 3600)
    assert inverter.soc > soc + 0.2
    inverter.step(2 * 3600)
    inverter.controls = replace(inverter.controls, solar_sell=True)
    inverter.step(10)
    assert sum(inverter.flows.pv) > morning


def test_the_strings_peak_at_different_hours() -> None:
    """The first string looks east, the second west."""
    inverter = inverter_at(6, Controls(solar_sell=True, slots=ALL_DAY))
    inverter.step(10)
    assert inverter.flows.pv[0] > inverter.flows.pv[1]
    inverter.step(13 * 3600)
    assert inverter.flows.pv[0] < inverter.flows.pv[1]


def test_a_run_can_be_repeated() -> None:
    """The same seed gives the same powers, however the time is cut; another seed gives others."""
    whole, cut, other = inverter_at(8), inverter_at(8), LoneInverter(start=MIDSUMMER, seed=2)
    other.site.now = whole.now
    whole.step(7200)
    other.step(7200)
    for _ in range(720):
        cut.step(10)
    assert whole.flows == cut.flows
    assert whole.flows.load != other.flows.load


@pytest.mark.parametrize("mode", [WorkMode.ZERO_EXPORT_TO_CT, WorkMode.ZERO_EXPORT_TO_LOAD])
def test_zero_export_does_not_export(mode: WorkMode) -> None:
    """A day without selling: never less than the zero-export power is drawn while anything runs."""
    inverter = inverter_at(0, Controls(work_mode=mode, slots=ALL_DAY))
    lowest = 1e9
    for _ in range(24 * 360):
        inverter.step(10)
        lowest = min(lowest, inverter.flows.grid)
    assert lowest >= 19.999
    assert inverter.today["grid_export"] == 0.0


def test_zero_export_to_load_leaves_the_home_load_to_the_grid() -> None:
    """Only the backup output is served by the inverter; the rest of the house draws from the grid."""
    inverter = inverter_at(20, Controls(work_mode=WorkMode.ZERO_EXPORT_TO_LOAD, slots=ALL_DAY))
    inverter.step(10)
    home = sum(inverter.flows.load) - sum(inverter.flows.backup)
    assert inverter.flows.grid == pytest.approx(home + 20, abs=0.1)


@pytest.mark.parametrize("mode", [WorkMode.SELLING_FIRST, WorkMode.ZERO_EXPORT_TO_CT])
def test_selling_is_limited(mode: WorkMode) -> None:
    """With a full battery the surplus is sold, up to the most that may be sold, and that is reached."""
    controls = Controls(work_mode=mode, solar_sell=True, max_sell_power=1500, slots=())
    inverter = inverter_at(9, controls, soc=1.0)
    exports = []
    for _ in range(6 * 360):
        inverter.step(10)
        exports.append(-inverter.flows.grid)
    assert max(exports) == pytest.approx(1500, abs=0.1)


def test_selling_first_sells_the_battery_by_night() -> None:
    """In a slot, battery energy goes to the grid too, at no more than the slot's power, down to its SOC."""
    slots = (Slot(start=0, power=3000, soc=0.5, grid_charge=False),)
    inverter = inverter_at(0, Controls(work_mode=WorkMode.SELLING_FIRST, slots=slots), soc=0.52)
    inverter.step(10)
    assert inverter.flows.battery == pytest.approx(3000)
    assert inverter.flows.grid < -2000
    inverter.step(3600)
    assert inverter.soc == pytest.approx(0.5)
    assert inverter.flows.battery == pytest.approx(0, abs=0.01)


def test_the_battery_stays_above_the_low_soc() -> None:
    """On grid it is never emptied below Low Batt, even when the slot would allow it."""
    slots = (Slot(start=0, power=5000, soc=0.10, grid_charge=False),)
    inverter = inverter_at(18, Controls(slots=slots, low_soc=0.35), soc=0.40)
    inverter.step(10 * 3600)
    assert inverter.soc == pytest.approx(0.35, abs=1e-6)


def test_without_time_of_use_the_battery_waits() -> None:
    """With time of use off, or on another weekday, the battery is not discharged while there is a grid."""
    for controls in (
        Controls(time_of_use=False, slots=ALL_DAY),
        Controls(weekdays=frozenset(range(6)), slots=ALL_DAY),  # Midsummer 2026 is a Sunday
    ):
        inverter = inverter_at(0, controls)
        inverter.step(3600)
        assert inverter.soc == 0.6
        assert inverter.flows.battery == 0.0


def test_battery_first_charges_from_pv_and_load_first_supplies_the_house() -> None:
    """With little sun, battery first charges and buys; load first serves the house and buys less."""
    first = inverter_at(6, Controls(load_first=False, slots=ALL_DAY), soc=0.36)
    second = inverter_at(6, Controls(load_first=True, slots=ALL_DAY), soc=0.36)
    for inverter in (first, second):
        inverter.step(10)
    assert first.flows.battery == pytest.approx(-sum(first.flows.pv))
    assert first.flows.grid == pytest.approx(sum(first.flows.load))
    assert second.flows.grid == pytest.approx(20)


def test_grid_charge_fills_the_battery_at_its_current_up_to_the_slots_soc() -> None:
    """In a slot with grid charge the grid fills the battery at its current, up to the slot's SOC."""
    slots = (Slot(start=60, power=5000, soc=0.8, grid_charge=True),)
    inverter = inverter_at(
        2, Controls(grid_charge=True, grid_charge_current=40, slots=slots), soc=0.7
    )
    inverter.step(10)
    assert inverter.battery.current == pytest.approx(-40, abs=0.5)
    assert inverter.flows.grid > 2000
    inverter.step(2 * 3600)
    assert inverter.soc == pytest.approx(0.8)
    off = inverter_at(2, Controls(slots=slots), soc=0.7)
    off.step(10)
    assert off.flows.battery == 0.0


def test_smart_load_turns_on_at_on_soc_off_below_off_soc_and_stays_off_without_sun() -> None:
    """On at its SOC with enough sun, on until it falls below the other one, and never without sun."""
    controls = Controls(port=PortUse.SMART_LOAD, on_soc=0.9, off_soc=0.8)
    inverter = inverter_at(12, replace(controls, slots=ALL_DAY), soc=0.85)
    inverter.controls = replace(inverter.controls, charge_current=0)
    inverter.step(10)
    assert inverter.flows.smart_load == 0
    inverter.soc = 0.9
    inverter.step(10)
    assert inverter.flows.smart_load == 1500
    assert sum(inverter.flows.backup) > 1500
    inverter.soc = 0.81
    inverter.step(10)
    assert inverter.flows.smart_load == 1500
    inverter.soc = 0.79
    inverter.step(10)
    assert inverter.flows.smart_load == 0
    night = inverter_at(0, controls, soc=0.95)
    night.step(10)
    assert night.flows.smart_load == 0
    night.controls = replace(controls, smart_load_on_grid=True)
    night.step(10)
    assert night.flows.smart_load == 1500


def test_without_the_grid_the_battery_feeds_the_backup_down_to_the_shutdown_soc() -> None:
    """Without the grid the battery carries the backup output, down to the shutdown SOC."""
    inverter = inverter_at(0, Controls(shutdown_soc=0.20, restart_soc=0.5), soc=0.22)
    inverter.grid_present = False
    inverter.step(10)
    assert inverter.flows.grid == pytest.approx(0, abs=1e-6)
    assert inverter.flows.load == inverter.flows.backup
    assert inverter.site.voltages == (0.0, 0.0, 0.0)
    assert inverter.output_voltages == (230.0, 230.0, 230.0)
    inverter.step(3 * 3600)
    assert not inverter.running
    assert sum(inverter.flows.load) == 0
    assert inverter.soc == pytest.approx(0.20, abs=0.005)
    # The sun brings it back, but not before the restart SOC.
    while not inverter.running:
        inverter.step(60)
    assert inverter.soc == pytest.approx(0.5, abs=0.01)
    assert 5 <= inverter.now.hour <= 12


def test_an_inverter_that_is_off_leaves_the_home_load_to_the_grid() -> None:
    """An inverter that is off leaves the home load to the grid and does nothing else."""
    inverter = inverter_at(12, Controls(enabled=False, slots=ALL_DAY))
    inverter.step(10)
    assert inverter.flows.pv == (0.0, 0.0)
    assert inverter.flows.inverter == inverter.flows.battery == 0.0
    assert inverter.flows.grid == sum(inverter.flows.load) > 0


def test_battery_power_is_voltage_times_current() -> None:
    """The identity of a real machine's registers."""
    inverter = inverter_at(8)
    inverter.step(600)
    product = inverter.battery.voltage * inverter.battery.current
    assert product == pytest.approx(inverter.flows.battery)
    assert 49 < inverter.battery.voltage < 56


def test_month_and_year_counters_restart_with_the_devices_calendar() -> None:
    """Their counters start again with the machine's calendar, and hold all days since."""
    inverter = inverter_at(12)
    inverter.step(60)
    inverter.clock = datetime(2026, 11, 30, 23, 59)
    inverter.step(60)
    assert inverter.today["load"] == inverter.month["load"] == 0.0
    year = inverter.year["load"]
    assert year > 0
    inverter.clock = datetime(2026, 12, 30, 23, 59)
    inverter.step(90)
    assert 0 < inverter.today["load"] < inverter.month["load"] < inverter.year["load"] - year + 1e-9
    inverter.clock = datetime(2026, 12, 31, 23, 59)
    inverter.step(60)
    assert inverter.month["load"] == inverter.year["load"] == 0.0


def test_a_single_phase_house_has_everything_on_phase_one_with_the_same_sums() -> None:
    """All circuits and the inverter are on the first phase, and the sums are the same."""
    small = Installation(rated_power=6000, pv_peaks=(3600, 3200), phases=1)
    inverter = LoneInverter(start=MIDSUMMER.replace(hour=20), installation=small)
    inverter.controls = Controls(work_mode=WorkMode.ZERO_EXPORT_TO_CT, slots=ALL_DAY)
    inverter.step(10)
    other = inverter_at(20)
    other.step(10)
    assert inverter.flows.load[0] == pytest.approx(sum(other.flows.load))
    assert inverter.flows.load[1:] == (0.0, 0.0)
    assert inverter.flows.inverter_phases == (inverter.flows.inverter, 0.0, 0.0)
    assert inverter.flows.grid == pytest.approx(20, abs=1)
    assert inverter.site.voltages[0] > 220


def test_four_times_the_cells_give_four_times_the_volts_and_a_quarter_of_the_amps() -> None:
    """Four times the cells in series: four times the volts, a quarter of the amperes, the same energy."""
    tall = LoneInverter(
        start=MIDSUMMER.replace(hour=20), installation=Installation(cells=64, phases=1), soc=0.5
    )
    tall.controls = Controls(slots=ALL_DAY)
    low = inverter_at(20, soc=0.5)
    tall.step(10)
    low.step(10)
    assert tall.battery.voltage == pytest.approx(4 * low.battery.voltage)
    assert tall.battery.current == pytest.approx(low.battery.current / 4)
    assert tall.soc == pytest.approx(low.soc)


def test_charging_stops_at_the_full_soc() -> None:
    """Charging ends where it is told to."""
    inverter = inverter_at(12, Controls(full_soc=0.61, slots=ALL_DAY))
    inverter.step(3600)
    assert inverter.soc == pytest.approx(0.61, abs=1e-6)


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
