"""What the manuals say by way of example, with their numbers; each test is named after the page.

The inverter turns 97 % of what goes through it into what comes out: 1000 W of load cost 1030.9 W of PV or battery.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
import math

import pytest

from simulator.physics import (
    NOTHING,
    Action,
    ExportLimit,
    JsoControls,
    PortUse,
    SajControls,
    SajMode,
    Slot,
    Window,
    WorkMode,
)

from .houses import MONDAY, Steady, Sun, house, set_load, set_sun

watts = lambda value: pytest.approx(value, abs=1)  # noqa: E731 - reads like a unit
ALL_DAY = (Slot(0, 5000, 0.35, grid_charge=False),)

# The table of page 5.7 with percents: start, watts, SOC, and a tick at "Grid Charge" in the first row.
TIME_OF_USE = (
    Slot(1 * 60, 5000, 0.80, grid_charge=True),
    Slot(5 * 60, 5000, 0.40, grid_charge=False),
    Slot(8 * 60, 5000, 0.40, grid_charge=False),
    Slot(10 * 60, 5000, 0.80, grid_charge=False),
    Slot(15 * 60, 5000, 0.40, grid_charge=False),
    Slot(18 * 60, 5000, 0.35, grid_charge=False),
)


# JSO, 5.6 Battery setup


def test_5_6_generator_starts_at_30_percent_and_charges_with_40_ampere() -> None:
    """Start = 30 %: it starts by itself at 30 %, not at 31 %, and charges at A = 40 A until the battery is full."""
    controls = JsoControls(
        generator_charge=True, generator_start_soc=0.30, generator_charge_current=40, slots=ALL_DAY
    )
    inverter = house(controls, soc=0.31, backup=500)
    inverter.step(60)
    assert not inverter.port.generator.turning
    assert inverter.flows.grid == watts(500)
    inverter.soc = 0.30
    inverter.step(60)
    assert inverter.port.generator.loaded
    assert inverter.battery.current == pytest.approx(-40, abs=0.1)
    # 500 W of load, and 40 A into the battery at its voltage, through the inverter.
    assert sum(inverter.flows.port) == watts(500 + 40 * inverter.battery.voltage / 0.97)
    assert inverter.flows.grid == watts(0)
    inverter.soc = 0.99
    inverter.step(10)
    assert inverter.port.generator.loaded
    inverter.soc = 1.0
    inverter.step(10)
    assert not inverter.port.generator.loaded
    assert inverter.flows.port == NOTHING
    # The battery is full now, and the slot lets it serve the load.
    assert inverter.flows.grid == watts(20)


def test_5_6_generator_is_left_to_cool_down() -> None:
    """When it has done its work the engine goes on without a load for three minutes."""
    inverter = house(JsoControls(generator_charge=True, slots=ALL_DAY), soc=0.29)
    inverter.step(60)
    inverter.soc = 1.0
    inverter.step(170)
    assert (inverter.port.generator.turning, sum(inverter.flows.port)) == (True, 0)
    inverter.step(20)
    assert not inverter.port.generator.turning


def test_5_6_without_gen_charge_no_generator_starts() -> None:
    """The tick at "Gen Charge" is what lets it start."""
    inverter = house(JsoControls(generator_charge=False, slots=ALL_DAY), soc=0.1)
    inverter.step(600)
    assert not inverter.port.generator.turning


def test_newer_display_gen_force() -> None:
    """Forced, it runs whatever the battery says, and stops when it is not forced any more."""
    controls = JsoControls(generator_charge=True, generator_forced=True, slots=ALL_DAY)
    inverter = house(controls, soc=0.8, backup=700)
    inverter.step(60)
    assert inverter.port.generator.loaded
    inverter.controls = replace(controls, generator_forced=False)
    inverter.step(10)
    assert not inverter.port.generator.loaded


def test_5_6_gen_max_run_time_and_gen_down_time() -> None:
    """After 2 hours it is turned off, and rests for half an hour; 24 hours never end."""
    controls = JsoControls(
        generator_charge=True, generator_most_run=2, generator_rest=0.5, slots=ALL_DAY
    )
    inverter = house(controls, soc=0.10, hour=8)
    inverter.step(2 * 3600 - 20)
    assert inverter.port.generator.loaded
    inverter.step(40)
    assert not inverter.port.generator.loaded
    assert inverter.total["generator_hours"] == pytest.approx(2, abs=0.01)
    inverter.soc = 0.10
    inverter.step(1700)
    assert not inverter.port.generator.wanted
    inverter.step(120)
    assert inverter.port.generator.loaded
    endless = house(replace(controls, generator_most_run=24), soc=0.0, hour=1)
    endless.battery.room_temperature = -5  # it takes nothing, so it is never full
    endless.step(22 * 3600)
    assert endless.port.generator.loaded


def test_5_6_grid_charge_with_40_ampere() -> None:
    """A = 40 A is the current that the grid charges the battery with."""
    controls = JsoControls(grid_charge=True, grid_charge_current=40, slots=TIME_OF_USE)
    inverter = house(controls, soc=0.5, hour=2)
    assert inverter.battery.current == pytest.approx(-40, abs=0.1)
    assert inverter.flows.grid == watts(40 * inverter.battery.voltage / 0.97)


@pytest.mark.parametrize(("amperes", "charged"), [(115, 115), (50, 50), (0, 0)])
def test_5_6_max_a_charge(amperes: float, charged: float) -> None:
    """No more than the set current goes into the battery, however much sun there is."""
    controls = JsoControls(charge_current=amperes, slots=ALL_DAY)
    inverter = house(controls, soc=0.5, pv=9000)
    assert inverter.battery.current == pytest.approx(-charged, abs=0.1)


@pytest.mark.parametrize(("amperes", "given"), [(115, 115), (20, 20), (0, 0)])
def test_5_6_max_a_discharge(amperes: float, given: float) -> None:
    """No more than the set current comes out of it, in an evening with the whole kitchen running."""
    controls = JsoControls(
        discharge_current=amperes, slots=(Slot(0, 8000, 0.35, grid_charge=False),)
    )
    inverter = house(controls, soc=0.8, home=7500)
    assert inverter.battery.current == pytest.approx(given, abs=0.1)


def test_5_6_shutdown_20_percent_and_restart_50_percent() -> None:
    """In an outage the output goes off at 20 %, and AC output resumes at 50 %."""
    controls = JsoControls(shutdown_soc=0.20, low_soc=0.35, restart_soc=0.50, slots=ALL_DAY)
    inverter = house(controls, soc=0.21, backup=1000)
    inverter.grid_present = False
    inverter.step(3600)
    assert (inverter.running, sum(inverter.flows.backup)) == (False, 0)
    assert inverter.soc == pytest.approx(0.20, abs=0.001)
    set_sun(inverter, 5000)
    while inverter.soc < 0.495:
        inverter.step(60)
        assert not inverter.running
    inverter.step(600)
    assert sum(inverter.flows.backup) == watts(1000)


def test_5_6_low_batt_35_percent() -> None:
    """On the grid the battery is not used below "Low Batt", even if a slot says 20 %."""
    controls = JsoControls(low_soc=0.35, slots=(Slot(0, 5000, 0.20, grid_charge=False),))
    inverter = house(controls, soc=0.36, home=2000)
    assert inverter.flows.battery == watts((2000 - 20) / 0.97)
    inverter.soc = 0.35
    inverter.step(10)
    assert inverter.flows.battery == 0
    assert inverter.flows.grid == watts(2000)


# JSO, 5.7 System work mode


def test_5_7_selling_first_sells_what_the_sun_leaves_over() -> None:
    """PV powers the load and charges the battery, and the excess goes into the grid."""
    selling = JsoControls(work_mode=WorkMode.SELLING_FIRST, charge_current=40, time_of_use=False)
    inverter = house(selling, soc=0.5, pv=6000, home=1000)
    charged = 40 * inverter.battery.voltage
    assert inverter.flows.battery == watts(-charged)
    assert inverter.flows.grid == pytest.approx(1000 - (6000 - charged) * 0.97, abs=1)


def test_5_7_selling_first_sells_the_battery_only_with_time_of_use() -> None:
    """If time of use is active, the battery energy can be sold too, until its SOC is reached."""
    controls = JsoControls(work_mode=WorkMode.SELLING_FIRST, slots=ALL_DAY)
    inverter = house(controls, soc=0.6, home=1000)
    assert inverter.flows.battery == watts(5000)
    assert inverter.flows.grid == watts(1000 - 4850)
    inverter.soc = 0.35
    inverter.step(10)
    assert inverter.flows.grid == watts(1000)
    inverter = house(replace(controls, time_of_use=False), soc=0.6, home=1000)
    assert inverter.flows.battery == 0
    assert inverter.flows.grid == watts(1000)


def test_5_7_zero_export_to_load_serves_only_the_backup_load() -> None:
    """It neither powers the home load nor sells: 900 W behind it, 1500 W before it, and the grid gives the latter."""
    controls = JsoControls(work_mode=WorkMode.ZERO_EXPORT_TO_LOAD, slots=ALL_DAY)
    inverter = house(controls, soc=1.0, pv=6000, home=1500, backup=900)
    assert inverter.flows.grid == watts(1500 + 20)
    assert inverter.flows.inverter == watts(900 - 20)


def test_5_7_zero_export_to_ct_serves_the_home_load_too() -> None:
    """It sells nothing, and the grid supplements what PV and battery cannot give."""
    controls = JsoControls(work_mode=WorkMode.ZERO_EXPORT_TO_CT, slots=ALL_DAY)
    inverter = house(controls, soc=1.0, pv=6000, home=1500, backup=900)
    assert inverter.flows.grid == watts(20)
    assert inverter.flows.inverter == watts(2380)
    set_load(inverter, home=7000, backup=900)
    set_sun(inverter, 1000)
    inverter.step(10)
    # 1000 W of sun and the slot's 5000 W of battery become 5820 W.
    assert inverter.flows.grid == watts(7900 - 5820)


@pytest.mark.parametrize("watt", [20, 100])
def test_5_7_zero_export_power(watt: float) -> None:
    """20 to 100 W are always drawn."""
    inverter = house(JsoControls(zero_export_power=watt, slots=ALL_DAY), soc=0.9, home=800)
    assert inverter.flows.grid == watts(watt)


@pytest.mark.parametrize(
    ("mode", "sold"),
    [(WorkMode.ZERO_EXPORT_TO_CT, 5820 - 1500), (WorkMode.ZERO_EXPORT_TO_LOAD, 5820 - 1500)],
)
def test_5_7_solar_sell(mode: WorkMode, sold: float) -> None:
    """Both zero-export modes sell what is over: first the load, then the battery, then the grid."""
    controls = JsoControls(work_mode=mode, solar_sell=True, slots=ALL_DAY)
    inverter = house(controls, soc=1.0, pv=6000, home=1000, backup=500)
    assert inverter.flows.grid == watts(-sold)
    inverter.soc = 0.5
    inverter.step(10)
    # The battery comes before the grid.
    assert inverter.flows.battery < -4000
    assert inverter.flows.grid == watts(1000 if mode is WorkMode.ZERO_EXPORT_TO_LOAD else 0)


def test_5_7_max_sell_power_5000() -> None:
    """No more than 5000 W flow into the grid."""
    controls = JsoControls(work_mode=WorkMode.SELLING_FIRST, max_sell_power=5000, slots=ALL_DAY)
    inverter = house(controls, soc=1.0, pv=9000, home=300)
    assert inverter.flows.grid == watts(-5000)


def test_5_7_max_solar_power_5000() -> None:
    """No more than 5000 W are taken from the strings."""
    controls = JsoControls(solar_sell=True, max_solar_power=5000, slots=ALL_DAY)
    inverter = house(controls, soc=1.0, pv=9000)
    assert sum(inverter.flows.pv) == watts(5000)


@pytest.mark.parametrize(
    ("load_first", "battery", "grid"), [(True, -1000 / 0.97, 20), (False, -3000, 2000)]
)
def test_5_7_energy_pattern(load_first: bool, battery: float, grid: float) -> None:
    """3000 W of sun, 2000 W of load: the one serves the load first, the other charges and lets the grid serve it."""
    inverter = house(JsoControls(load_first=load_first, slots=ALL_DAY), soc=0.5, pv=3000, home=2000)
    expected = battery if not load_first else -(3000 - 1980 / 0.97)
    assert inverter.flows.battery == watts(expected)
    assert inverter.flows.grid == watts(grid)


def test_5_7_grid_peak_shaving_5000() -> None:
    """Above 5000 W PV and battery help; when they cannot, the grid gives more all the same."""
    controls = JsoControls(
        work_mode=WorkMode.ZERO_EXPORT_TO_LOAD, grid_peak_shaving=5000, time_of_use=False
    )
    inverter = house(controls, soc=0.8, home=7000)
    assert inverter.flows.grid == watts(5000)
    assert inverter.flows.battery == watts(2000 / 0.97)
    set_load(inverter, home=4000)
    inverter.step(10)
    assert inverter.flows.grid == watts(4000)
    assert inverter.flows.battery == 0
    set_load(inverter, home=7000)
    set_sun(inverter, 1000)
    inverter.step(10)
    assert inverter.flows.battery == watts(2000 / 0.97 - 1000)
    set_sun(inverter, 0)
    inverter.soc = 0.35
    inverter.step(10)
    assert inverter.flows.grid == watts(7000)


def test_5_7_grid_peak_shaving_holds_back_the_grid_charge() -> None:
    """4000 W of load and 5000 W of limit leave 1000 W for the battery."""
    controls = JsoControls(grid_charge=True, grid_peak_shaving=5000, slots=TIME_OF_USE)
    inverter = house(controls, soc=0.5, home=4000, hour=2)
    assert inverter.flows.grid == watts(5000)
    assert inverter.flows.battery == watts(-970)


def test_5_7_time_of_use_0100_to_0500_charges_from_the_grid_to_80_percent() -> None:
    """Below 80 % the grid charges the battery until it has 80 %."""
    inverter = house(JsoControls(grid_charge=True, slots=TIME_OF_USE), soc=0.70, hour=1)
    assert inverter.flows.battery < -1900
    inverter.step(3 * 3600)
    assert inverter.soc == pytest.approx(0.80)
    assert inverter.flows.battery == pytest.approx(0, abs=0.01)


def test_5_7_time_of_use_charges_from_the_grid_only_with_a_tick() -> None:
    """From 05:00 to 08:00 there is none: at 30 % the battery waits."""
    inverter = house(JsoControls(grid_charge=True, slots=TIME_OF_USE), soc=0.30, hour=6)
    assert inverter.flows.battery == 0


@pytest.mark.parametrize(
    ("begin", "end", "soc", "floor"),
    [
        (5, 8, 0.50, 0.40),
        (8, 10, 0.50, 0.40),
        (10, 15, 0.90, 0.80),
        (15, 18, 0.50, 0.40),
        (18, 25, 0.45, 0.35),
    ],
)
def test_5_7_time_of_use_discharges_to_its_percent(
    begin: int, end: int, soc: float, floor: float
) -> None:
    """Above the slot's SOC the battery is discharged until it is reached, and then kept."""
    inverter = house(JsoControls(slots=TIME_OF_USE), soc=soc, home=3000, hour=begin)
    assert inverter.flows.battery == watts((3000 - 20) / 0.97)
    left = MONDAY + timedelta(hours=end) - inverter.now - timedelta(seconds=20)
    inverter.step(left.total_seconds())
    assert inverter.soc == pytest.approx(floor)
    assert inverter.flows.grid == watts(3000)


def test_5_7_time_of_use_changes_its_mind_on_time() -> None:
    """At 70 % the battery waits until 15:00, and serves the house from then on."""
    inverter = house(JsoControls(slots=TIME_OF_USE), soc=0.70, home=2000, hour=14.9)
    inverter.step((datetime(2026, 6, 22, 15) - inverter.now).total_seconds())  # noqa: DTZ001
    assert inverter.flows.battery == 0
    inverter.step(10)
    assert inverter.flows.battery == watts(1980 / 0.97)


def test_5_7_time_of_use_power_5000() -> None:
    """Power: the most that is taken from the battery."""
    inverter = house(JsoControls(slots=TIME_OF_USE), soc=0.9, home=7900, hour=16)
    assert inverter.flows.battery == watts(5000)
    assert inverter.flows.grid == watts(7900 - 4850)


def test_5_7_time_of_use_gen_charge() -> None:
    """In a slot with a tick at "Gen" the generator charges the battery to the slot's SOC."""
    slots = (replace(TIME_OF_USE[0], grid_charge=False, generator_charge=True), *TIME_OF_USE[1:])
    inverter = house(JsoControls(generator_charge=True, slots=slots), soc=0.70, hour=1)
    inverter.step(60)
    assert inverter.battery.current == pytest.approx(-40, abs=0.1)
    assert inverter.flows.grid == watts(0)
    inverter.step(3 * 3600)
    assert inverter.soc == pytest.approx(0.80)
    assert not inverter.port.generator.turning


def test_5_7_without_time_of_use_the_table_has_no_effect() -> None:
    """Only with a tick at "Time Of Use" the rows take effect."""
    controls = JsoControls(time_of_use=False, slots=TIME_OF_USE)
    inverter = house(controls, soc=0.9, home=2000, hour=16)
    assert inverter.flows.battery == 0
    assert inverter.flows.grid == watts(2000)


# JSO, 5.9 Generator port use


def test_5_9_smart_load_500_w_100_percent_95_percent() -> None:
    """Above 500 W of sun and with a full battery it goes on, below 95 % or 500 W it goes off."""
    controls = JsoControls(
        port=PortUse.SMART_LOAD,
        smart_load_solar=500,
        on_soc=1.0,
        off_soc=0.95,
        charge_current=0,
        discharge_current=0,
        slots=ALL_DAY,
    )
    inverter = house(controls, soc=0.99, pv=3000)
    assert inverter.flows.smart_load == 0
    inverter.soc = 1.0
    inverter.step(10)
    assert inverter.flows.smart_load == 1500
    assert sum(inverter.flows.backup) == watts(1500)
    inverter.soc = 0.95
    inverter.step(10)
    assert inverter.flows.smart_load == 1500
    inverter.soc = 0.94
    inverter.step(10)
    assert inverter.flows.smart_load == 0
    inverter.soc = 0.99
    inverter.step(10)
    assert inverter.flows.smart_load == 0
    inverter.soc = 1.0
    inverter.step(10)
    set_sun(inverter, 499)
    inverter.step(10)
    assert inverter.flows.smart_load == 0
    set_sun(inverter, 501)
    inverter.step(10)
    assert inverter.flows.smart_load == 1500


def test_5_9_on_grid_always_on() -> None:
    """While the grid is there the smart load is on, by night and with an empty battery."""
    controls = JsoControls(port=PortUse.SMART_LOAD, smart_load_on_grid=True, slots=ALL_DAY)
    inverter = house(controls, soc=0.3)
    assert inverter.flows.smart_load == 1500
    assert inverter.flows.grid == watts(1500)
    inverter.grid_present = False
    inverter.step(10)
    assert inverter.flows.smart_load == 0


MICRO = JsoControls(port=PortUse.MICRO_INVERTER, off_soc=0.95, on_soc=0.50, slots=ALL_DAY)


def test_5_9_micro_inverter_off_and_on() -> None:
    """It shuts down when the SOC exceeds OFF, and starts to work when it is lower than ON."""
    inverter = house(MICRO, soc=0.94)
    inverter.port.micro_inverter = Sun(1600)
    inverter.step(10)
    assert sum(inverter.flows.port) == watts(1600)
    # Nobody else is there, so it charges the battery.
    assert inverter.flows.battery == watts(-1600 * 0.97)
    for soc, power in ((0.96, 0), (0.60, 0), (0.49, 1600), (0.60, 1600)):
        inverter.soc = soc
        inverter.step(10)
        assert sum(inverter.flows.port) == watts(power), soc


def test_5_9_ac_couple_fre_high_52_00_hz() -> None:
    """Off the grid its power falls as the SOC nears OFF, and at OFF the frequency is the setting and it stands."""
    inverter = house(MICRO, soc=0.80)
    inverter.port.micro_inverter = Sun(1600)
    inverter.grid_present = False
    shown = []
    for soc in (0.80, 0.92, 0.93, 0.94, 0.949):
        inverter.soc = soc
        inverter.step(1)
        shown.append((round(inverter.output_frequency, 2), round(sum(inverter.flows.port))))
    # From 90 % to 95 % it rises from 50 to 52 Hz; from 50.2 to 52 Hz the inverter goes from all of it to nothing.
    assert shown == [(50.0, 1600), (50.8, 1067), (51.2, 711), (51.6, 356), (51.96, 36)]
    inverter.soc = 0.95
    inverter.step(1)
    assert inverter.output_frequency == pytest.approx(52.0)
    assert sum(inverter.flows.port) == 0


def test_5_9_mi_export_to_grid_cutoff() -> None:
    """With a battery that takes nothing the micro inverter's surplus flows into the grid, or is cut off."""
    controls = replace(MICRO, charge_current=0)
    inverter = house(controls, soc=0.90, home=500)
    inverter.port.micro_inverter = Sun(1600)
    inverter.step(10)
    assert inverter.flows.grid == watts(500 - 1600)
    inverter.controls = replace(controls, export_cutoff=True)
    inverter.step(10)
    assert inverter.flows.grid == watts(20)
    assert sum(inverter.flows.port) == watts(480)


def test_5_9_generator_rated_power_5000() -> None:
    """4000 W of load leave 1000 W of the generator for the battery."""
    controls = JsoControls(
        generator_charge=True, generator_charge_current=100, generator_rated_power=5000
    )
    inverter = house(controls, soc=0.2, backup=4000)
    inverter.step(60)
    assert sum(inverter.flows.port) == watts(5000)
    assert inverter.flows.battery == watts(-970)


def test_5_9_nothing_flows_back_into_the_generator() -> None:
    """PV helps each phase by what it uses, and none by more."""
    inverter = house(JsoControls(generator_forced=True), soc=0.9, pv=1500)
    inverter.site.house = Steady(backup=(2000.0, 300.0, 100.0))
    inverter.step(60)
    # 1455 of 2400 W are PV's, 39.4 % are left.
    assert inverter.flows.port == (watts(787.5), watts(118.1), watts(39.4))


def test_5_9_gen_connect_to_grid_input() -> None:
    """In an outage the generator at the grid's terminal feeds the whole house; while there is a grid it stands."""
    controls = JsoControls(
        generator_charge=True, generator_on_grid_input=True, generator_charge_current=40
    )
    inverter = house(controls, soc=0.25, home=1000, backup=500)
    inverter.step(60)
    assert not inverter.port.generator.turning
    inverter.grid_present = False
    inverter.step(60)
    charge = 40 * inverter.battery.voltage / 0.97
    assert inverter.flows.grid == watts(1500 + charge)
    assert inverter.flows.generator == watts(1500 + charge)
    assert inverter.site.grid_point.powers == NOTHING


# JSO, 5.10 Advanced function, and 6 Mode


def test_5_10_gen_peak_shaving() -> None:
    """When the load is more than the generator's rated power, the inverter provides the redundant part."""
    controls = JsoControls(
        generator_charge=True, generator_rated_power=5000, generator_peak_shaving=True
    )
    inverter = house(controls, soc=0.25, backup=6500)
    inverter.step(60)
    assert sum(inverter.flows.port) == watts(5000)
    assert inverter.flows.battery == watts(1500 / 0.97)
    inverter.controls = replace(controls, generator_peak_shaving=False)
    inverter.step(10)
    assert sum(inverter.flows.port) == watts(6500)


def test_6_pv_is_the_first_power_and_the_generator_the_last() -> None:
    """PV serves the load before anything else does, the generator's part included."""
    controls = JsoControls(generator_forced=True, slots=ALL_DAY)
    inverter = house(controls, soc=0.6, pv=1000, backup=3000)
    inverter.grid_present = False
    assert inverter.flows.battery == watts(2980 / 0.97 - 1000)
    inverter.step(60)
    assert sum(inverter.flows.pv) == watts(1000)
    assert inverter.flows.battery == 0
    assert sum(inverter.flows.port) == watts(3000 - 970)


# SAJ, configuration instructions, "Export limit settings"


def saj(controls: SajControls, **options: object) -> object:
    """Return a three-phase SAJ of 10 kW, whose house uses 300, 600 and 900 W on its phases."""
    built = {"rated_power": 10000, "battery_capacity": 20480, "cells": 112}
    return house(controls, **{"home": (300.0, 600.0, 900.0), **built, **options})


def test_saj_export_limit_total_power_1000_w() -> None:
    """The most that the whole system exports is 1000 W."""
    controls = SajControls(export_limit=ExportLimit.TOTAL_POWER, export_power=1000)
    assert saj(controls, soc=1.0, pv=9000).flows.grid == watts(-1000)


def test_saj_export_limit_current_20_a() -> None:
    """The most on each phase is 20 A, which are 4600 W at 230 V."""
    controls = SajControls(export_limit=ExportLimit.CURRENT, export_current=2)
    inverter = saj(controls, soc=1.0, pv=9000)
    # 2 A are 460 W: the phase with 300 W of load decides, and each phase gets 760 W.
    assert inverter.flows.grid_phases == (watts(-460), watts(-160), watts(140))
    inverter.controls = replace(controls, export_current=20)
    inverter.step(10)
    assert inverter.flows.grid == watts(1800 - 8730)


def test_saj_export_limit_each_phase_1000_w() -> None:
    """The most on each phase is 1000 W."""
    controls = SajControls(export_limit=ExportLimit.EACH_PHASE, export_power=1000)
    inverter = saj(controls, soc=1.0, pv=9000)
    assert inverter.flows.grid_phases == (watts(-1000), watts(-700), watts(-400))


def test_saj_export_limit_off() -> None:
    """Without a limit everything that is over is exported."""
    assert saj(SajControls(), soc=1.0, pv=9000).flows.grid == watts(1800 - 8730)


# SAJ, configuration instructions, "Working mode"


def test_saj_self_consumption_loads_then_batteries_then_grid() -> None:
    """PV goes to the loads first, then to the batteries, then to the grid."""
    inverter = saj(SajControls(), soc=0.5, pv=1000)
    assert inverter.flows.battery == watts(1800 / 0.97 - 1000)
    assert inverter.flows.grid == watts(0)
    set_sun(inverter, 4000)
    inverter.step(10)
    assert inverter.flows.battery == watts(-(4000 - 1800 / 0.97))
    assert inverter.flows.grid == watts(0)
    inverter.soc = 1.0
    inverter.step(10)
    assert inverter.flows.grid == watts(1800 - 3880)


BACKUP = SajControls(mode=SajMode.BACKUP, reserve=0.60, grid_charge_power=3000)


def test_saj_backup_below_the_reserve_only_charges() -> None:
    """Below the SOC that is set the batteries only charge."""
    inverter = saj(BACKUP, soc=0.59)
    assert inverter.flows.battery == watts(-3000)
    assert inverter.flows.grid == watts(1800 + 3000 / 0.97)


def test_saj_backup_below_the_reserve_charges_with_the_sun_first() -> None:
    """The sun goes into the battery, and the house is left to the grid."""
    inverter = saj(replace(BACKUP, grid_charge_power=500), soc=0.5, pv=3000)
    assert inverter.flows.battery == watts(-3000)
    assert inverter.flows.grid == watts(1800)


def test_saj_backup_at_the_reserve_stops_charging() -> None:
    """When the SOC is reached they stop."""
    inverter = saj(BACKUP, soc=0.59)
    inverter.step(3600)
    assert inverter.soc == pytest.approx(0.60)
    assert inverter.flows.battery == pytest.approx(0, abs=0.01)


def test_saj_backup_above_the_reserve_is_self_consumption() -> None:
    """Above it they serve the house, down to it."""
    inverter = saj(BACKUP, soc=0.61)
    assert inverter.flows.battery == watts(1800 / 0.97)
    assert inverter.flows.grid == watts(0)
    inverter.step(3600)
    assert inverter.soc == pytest.approx(0.60, abs=1e-6)


EVERY_DAY = frozenset(range(7))
TOU = SajControls(
    mode=SajMode.TIME_OF_USE,
    charge_windows=(Window(60, 300, EVERY_DAY, 4000),),
    discharge_windows=(Window(18 * 60, 20 * 60, EVERY_DAY, 2500),),
    battery_export=True,
)


def test_saj_time_of_use_in_a_charging_period() -> None:
    """The batteries only charge, with the slot's power, PV counted in."""
    inverter = saj(TOU, soc=0.5, hour=2)
    assert inverter.flows.battery == watts(-4000)
    set_sun(inverter, 1000)
    inverter.step(10)
    assert inverter.flows.battery == watts(-4000)
    assert inverter.flows.grid == watts(1800 + 3000 / 0.97)


def test_saj_time_of_use_in_a_discharging_period() -> None:
    """The batteries only discharge: the slot's power is exported, and what the sun gives on top of it, up to 10 kW."""
    inverter = saj(TOU, soc=0.8, hour=19)
    assert inverter.flows.grid == watts(-2500)
    assert inverter.flows.battery == watts((1800 + 2500) / 0.97)
    set_sun(inverter, 9000)
    inverter.step(10)
    assert inverter.flows.battery == watts(10000 / 0.97 - 9000)
    assert inverter.flows.grid == watts(1800 - 10000)
    inverter.controls = replace(TOU, battery_export=False)
    inverter.soc = 0.5
    inverter.step(10)
    assert inverter.flows.battery == 0
    assert inverter.flows.grid == watts(1800 - 8730)


def test_saj_time_of_use_at_other_times() -> None:
    """Outside of the periods it is self-consumption, or standby if that is set."""
    inverter = saj(TOU, soc=0.5, hour=12)
    assert inverter.flows.battery == watts(1800 / 0.97)
    inverter.controls = replace(TOU, outside_self_consumption=False)
    inverter.step(10)
    assert inverter.flows.battery == 0


def test_saj_time_of_use_on_its_weekdays() -> None:
    """A period of Tuesdays is none on a Monday."""
    tuesdays = replace(TOU, charge_windows=(Window(60, 300, frozenset({1}), 4000),))
    assert saj(tuesdays, soc=0.5, hour=2).flows.battery > 0
    inverter = saj(tuesdays, soc=0.5, hour=2)
    inverter.clock = inverter.now + timedelta(days=1)
    inverter.step(10)
    assert inverter.flows.battery == watts(-4000)


@pytest.mark.parametrize(
    ("action", "battery", "grid"),
    [
        (Action.STANDBY, 0.0, 1800.0),
        (Action.CHARGE, -2000.0, 1800 + 2000 / 0.97),
        (Action.DISCHARGE, (1800 + 1500) / 0.97, -1500.0),
    ],
)
def test_saj_passive_mode_stands_by_or_charges_and_exports_as_ordered(
    action: Action, battery: float, grid: float
) -> None:
    """Standby moves nothing, charging takes what is ordered, discharging exports what is ordered."""
    controls = SajControls(
        mode=SajMode.PASSIVE,
        action=action,
        passive_battery_charge=2000,
        passive_grid_discharge=1500,
    )
    inverter = saj(controls, soc=0.5)
    assert inverter.flows.battery == watts(battery)
    assert inverter.flows.grid == watts(grid)


def test_saj_discharges_to_one_floor_on_grid_and_to_another_off_grid() -> None:
    """On the grid the battery is used down to one SOC, without it down to another."""
    controls = SajControls(on_grid_floor=0.30, off_grid_floor=0.10)
    inverter = saj(controls, soc=0.31, backup=1000)
    inverter.step(3600)
    assert inverter.soc == pytest.approx(0.30)
    inverter.grid_present = False
    inverter.step(600)
    assert inverter.flows.battery == watts(1000 / 0.97)
    inverter.step(6 * 3600)
    assert not inverter.running
    assert inverter.soc == pytest.approx(0.10, abs=0.001)


def test_saj_charge_upper_limit_and_powers() -> None:
    """Charging ends at the limit, and neither way is faster than what is set."""
    controls = SajControls(
        charge_limit=0.70, battery_charge_power=1200, battery_discharge_power=900
    )
    inverter = saj(controls, soc=0.69, pv=8000)
    assert inverter.flows.battery == watts(-1200)
    inverter.step(3600)
    assert inverter.soc == pytest.approx(0.70)
    set_sun(inverter, 0)
    inverter.step(10)
    assert inverter.flows.battery == watts(900)


def test_nothing_is_infinite() -> None:
    """No limit is a limit of its own: what flows is a number."""
    inverter = saj(SajControls(), soc=0.5, pv=9000)
    assert all(math.isfinite(power) for power in (inverter.flows.battery, inverter.flows.grid))
