"""What holds in any house at any moment: energy is neither made nor lost, and no setting is exceeded."""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from simulator.physics import (
    Action,
    ExportLimit,
    Installation,
    Inverter,
    JsoControls,
    PortUse,
    SajControls,
    SajMode,
    Site,
    Slot,
    SolarInverter,
    Window,
    WorkMode,
)
from simulator.physics.pv import SOUTH, SOUTH_EAST, SOUTH_WEST, PvString, Tracker
from simulator.physics.sky import Sky

# Everybody's run tries the same houses.
repeatable = settings(max_examples=120, deadline=None, derandomize=True)

share = st.floats(0, 1)
power = st.floats(0, 9000)
EVERY_DAY = frozenset(range(7))

slots = st.tuples(*[st.tuples(power, share, st.booleans(), st.booleans())] * 3).map(
    lambda rows: tuple(Slot(480 * number, *row) for number, row in enumerate(rows))
)
jso_controls = st.builds(
    JsoControls,
    work_mode=st.sampled_from(WorkMode),
    load_first=st.booleans(),
    solar_sell=st.booleans(),
    max_sell_power=power,
    zero_export_power=st.floats(0, 500),
    max_solar_power=power,
    grid_peak_shaving=st.none() | power,
    full_soc=st.floats(0.5, 1),
    charge_current=st.floats(0, 190),
    discharge_current=st.floats(0, 190),
    grid_charge=st.booleans(),
    grid_charge_current=st.floats(0, 190),
    generator_charge=st.booleans(),
    generator_charge_current=st.floats(0, 190),
    generator_start_soc=share,
    generator_forced=st.booleans(),
    generator_rated_power=power,
    generator_peak_shaving=st.booleans(),
    generator_on_grid_input=st.booleans(),
    port=st.sampled_from(PortUse),
    on_soc=share,
    off_soc=share,
    smart_load_on_grid=st.booleans(),
    export_cutoff=st.booleans(),
    time_of_use=st.booleans(),
    slots=slots,
)
windows = st.tuples(st.integers(0, 1200), st.integers(1, 1440), power).map(
    lambda row: (Window(row[0], row[0] + row[1], EVERY_DAY, row[2]),)
)
saj_controls = st.builds(
    SajControls,
    mode=st.sampled_from(SajMode),
    on_grid_floor=share,
    off_grid_floor=share,
    charge_limit=st.floats(0.2, 1),
    reserve=share,
    battery_charge_power=power,
    battery_discharge_power=power,
    grid_charge_power=power,
    grid_discharge_power=power,
    export_limit=st.sampled_from(ExportLimit),
    export_power=power,
    export_current=st.floats(0, 40),
    charge_windows=windows,
    discharge_windows=windows,
    outside_self_consumption=st.booleans(),
    battery_export=st.booleans(),
    action=st.sampled_from(Action),
    passive_battery_charge=power,
    passive_battery_discharge=power,
    passive_grid_charge=power,
    passive_grid_discharge=power,
)
installations = st.builds(
    Installation,
    rated_power=st.sampled_from((3000.0, 8000.0, 10000.0)),
    battery_capacity=st.sampled_from((2000.0, 20480.0)),
    cells=st.sampled_from((16, 112)),
)
solar_inverters = st.none() | st.builds(
    lambda peak, phase: SolarInverter((PvString(peak),), 5000.0, phase),
    st.floats(500, 8000),
    st.none() | st.integers(0, 2),
)


@dataclass
class Hour:
    """What happens: one of the seconds of each step, and whether there is a grid."""

    seconds: float
    grid: bool


hours = st.lists(
    st.builds(Hour, st.floats(0.1, 10), st.sampled_from((True, True, False))),
    min_size=3,
    max_size=12,
)
starts = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31))


def site_of(
    start: datetime, solar: SolarInverter | None, *inverters: tuple[Any, Installation, float]
) -> Site:
    """Return a house with some inverters, each of which has settings, an installation and a state of charge."""
    site = Site(start=start, seed=7, solar=solar)
    for controls, installation, soc in inverters:
        site.add(Inverter(site, controls, installation, soc=soc))
    return site


def close(value: float, tolerance: float = 1.0) -> Any:
    """Return a value to compare with, within a watt."""
    return pytest.approx(value, abs=tolerance)


def check_inverter(inverter: Inverter, stored: float, seconds: float) -> None:
    """Check the books of one inverter after a step; `stored` is what was in its battery before."""
    flows, capacity = inverter.flows, inverter.installation.battery_capacity
    dc, ac = sum(flows.pv) + flows.battery, flows.inverter
    assert ac == close(dc * 0.97 if dc > 0 else dc / 0.97)
    inside = flows.battery / 0.975 if flows.battery > 0 else flows.battery * 0.975
    assert inverter.soc * capacity == close(stored - inside * seconds / 3600, 0.01)
    assert 0 <= inverter.soc <= 1
    assert -inverter.installation.rated_power - 1 <= ac <= inverter.installation.rated_power + 1
    assert all(string >= 0 for string in flows.pv)
    assert all(each >= -1e-6 for each in flows.port)
    assert inverter.battery.voltage * inverter.battery.current == close(flows.battery)
    # What leaves the inverter goes to its own output or through its grid terminal.
    if not inverter.on_grid and not inverter.feeds_house:
        assert sum(flows.terminal) == close(0)


def check_site(site: Site) -> None:
    """Check that on each phase what comes in goes out, and that the house's books are right."""
    generator = max((inverter.flows.generator for inverter in site.inverters), default=0.0)
    drawn = site.inverters[0].flows.grid_phases
    for phase in range(3):
        sources = drawn[phase] + site.solar_point.powers[phase]
        sinks = site.home[phase]
        for inverter in site.inverters:
            sources += inverter.flows.inverter_phases[phase] + inverter.flows.port[phase]
            sinks += inverter.flows.backup[phase]
        assert sources == close(sinks)
    if not site.grid.present and not generator:
        assert drawn == (close(0), close(0), close(0))
    assert site.grid_point.power + generator == close(sum(drawn))
    assert not generator or site.grid_point.power == 0
    # The books of each inverter are those of the house.
    load = sum(site.home) + sum(sum(inverter.flows.backup) for inverter in site.inverters)
    for inverter in site.inverters:
        assert sum(inverter.flows.load) == close(load)
    came = sum(drawn) + site.solar_point.power
    went = sum(site.home)
    for inverter in site.inverters:
        flows = inverter.flows
        dc = sum(flows.pv) + flows.battery
        lost = dc * 0.03 if dc > 0 else -dc * 0.03 / 0.97
        came += sum(flows.pv) + flows.battery + sum(flows.port)
        went += sum(flows.backup) + lost
    assert came == close(went)


@given(
    starts,
    solar_inverters,
    jso_controls,
    installations,
    share,
    st.none() | st.tuples(saj_controls, installations, share),
    hours,
)
@repeatable
def test_energy_is_neither_made_nor_lost(
    start: datetime,
    solar: SolarInverter | None,
    jso: JsoControls,
    built: Installation,
    soc: float,
    second: tuple[SajControls, Installation, float] | None,
    hours: list[Hour],
) -> None:
    """At every step, within 1 W: each inverter, each phase at the grid connection, and the site as a whole."""
    site = site_of(start, solar, (jso, built, soc), *([second] if second else []))
    for hour in hours:
        site.grid.alive = hour.grid
        # An hour later things are different.
        site.now += timedelta(hours=1)
        stored = [i.soc * i.installation.battery_capacity for i in site.inverters]
        site.step(hour.seconds)
        for inverter, before in zip(site.inverters, stored, strict=True):
            check_inverter(inverter, before, hour.seconds)
        check_site(site)


@given(starts, solar_inverters, jso_controls, saj_controls, share, hours)
@repeatable
def test_counters_are_the_integrals_of_the_powers(
    start: datetime,
    solar: SolarInverter | None,
    jso: JsoControls,
    saj: SajControls,
    soc: float,
    hours: list[Hour],
) -> None:
    """Every counter of every inverter, and both measuring points, hold what has flowed; 10 Wh are the finest LSB."""
    start = start.replace(hour=10)
    site = site_of(start, solar, (jso, Installation(), soc), (saj, Installation(), 1 - soc))
    sums: dict[tuple[int, str], float] = {}
    grid = [0.0, 0.0]
    for hour in hours:
        site.grid.alive = hour.grid
        for _ in range(20):
            site.step(hour.seconds)
            for number, inverter in enumerate(site.inverters):
                # It counts what it sees, and the solar inverter it does not see.
                flows = inverter.seen
                for counter, watts in (
                    ("pv", sum(flows.pv)),
                    ("pv2", flows.pv[1]),
                    ("battery_charge", max(0, -flows.battery)),
                    ("battery_discharge", max(0, flows.battery)),
                    ("grid_import", max(0, sum(flows.grid_phases))),
                    ("grid_export", max(0, -sum(flows.grid_phases))),
                    ("grid_l2_import", max(0, flows.grid_phases[1])),
                    ("grid_l3_export", max(0, -flows.grid_phases[2])),
                    ("load", max(0, sum(flows.load))),
                    ("inverter", max(0, flows.inverter)),
                    ("backup", sum(flows.backup)),
                    ("generator", sum(flows.port) + flows.generator),
                ):
                    name = (number, counter)
                    sums[name] = sums.get(name, 0.0) + watts * hour.seconds / 3600
            drawn = site.grid_point.power
            grid[0] += max(0, drawn) * hour.seconds / 3600
            grid[1] += max(0, -drawn) * hour.seconds / 3600
    for (number, counter), energy in sums.items():
        counted = site.inverters[number].today[counter]
        assert counted == close(energy, 0.01), counter
    assert site.grid_point.forward == close(grid[0], 0.01)
    assert site.grid_point.backward == close(grid[1], 0.01)


def lone_inverter(start: datetime, controls: Any, built: Installation, soc: float) -> Inverter:
    """Return an inverter that is alone in its house, after ten seconds."""
    site = site_of(start, None, (controls, built, soc))
    site.step(10)
    return site.inverters[0]


@given(starts, jso_controls, installations, share)
@repeatable
def test_jso_keeps_its_limits(
    start: datetime, controls: JsoControls, built: Installation, soc: float
) -> None:
    """Export, zero-export power, PV power, battery currents, floors and peak shaving hold in every mode."""
    # A micro inverter without the cut-off exports on its own account, and a generator is another grid.
    controls = replace(controls, export_cutoff=True, generator_charge=False, generator_forced=False)
    inverter = lone_inverter(start, controls, built, soc)
    flows, battery = inverter.flows, inverter.battery
    sells = controls.work_mode is WorkMode.SELLING_FIRST or controls.solar_sell
    if sells:
        assert flows.grid >= -controls.max_sell_power - 1
    else:
        # A house that uses less than what should be drawn draws what it uses, and peak shaving may want less still.
        shaving = controls.grid_peak_shaving
        wanted = (
            controls.zero_export_power
            if shaving is None
            else min(controls.zero_export_power, shaving)
        )
        assert flows.grid >= min(wanted, sum(flows.load)) - 1
    assert sum(flows.pv) <= controls.max_solar_power + 1
    assert -controls.charge_current - 0.1 <= battery.current <= controls.discharge_current + 0.1
    if flows.battery > 1:
        assert inverter.soc >= controls.low_soc - 1e-6
    if flows.battery < -1:
        assert inverter.soc <= max(controls.full_soc, soc) + 1e-6
    shaving = controls.grid_peak_shaving
    if shaving is not None and flows.grid > shaving + 1:
        # Nothing is left that could help.
        assert flows.battery >= -1
        assert (
            inverter.soc <= controls.low_soc + 1e-6
            or battery.current >= min(controls.discharge_current, 150) - 0.1
            or flows.inverter >= built.rated_power - 1
        )


@given(starts, saj_controls, installations, share)
@repeatable
def test_saj_keeps_its_limits(
    start: datetime, controls: SajControls, built: Installation, soc: float
) -> None:
    """Each way to limit the export, the battery's powers, and its floor and ceiling hold in every mode."""
    inverter = lone_inverter(start, controls, built, soc)
    flows = inverter.flows
    assert flows.grid >= -controls.grid_discharge_power - 1
    worst = min(flows.grid_phases)
    match controls.export_limit:
        case ExportLimit.TOTAL_POWER:
            assert flows.grid >= -controls.export_power - 1
        case ExportLimit.EACH_PHASE:
            assert worst >= -controls.export_power - 1
        case ExportLimit.CURRENT:
            assert worst >= -controls.export_current * 230 - 1
    assert -controls.battery_charge_power - 1 <= flows.battery
    assert flows.battery <= controls.battery_discharge_power + 1
    if flows.battery > 1:
        assert inverter.soc >= controls.on_grid_floor - 1e-6
        if controls.mode is SajMode.BACKUP:
            assert inverter.soc >= controls.reserve - 1e-6
    if flows.battery < -1:
        assert inverter.soc <= max(controls.charge_limit, controls.reserve) + 1e-6


@given(starts, jso_controls, installations, share)
@repeatable
def test_an_island_keeps_its_limits(
    start: datetime, controls: JsoControls, built: Installation, soc: float
) -> None:
    """Without a grid the battery is used down to the shutdown SOC, and nothing flows through the connection."""
    site = site_of(start, None, (controls, built, soc))
    site.grid.alive = False
    for _ in range(6):
        site.step(10)
        inverter = site.inverters[0]
        assert site.grid_point.power == 0
        if inverter.flows.battery > 1:
            assert inverter.soc >= controls.shutdown_soc - 1e-6
        if not inverter.feeds_house:
            assert sum(site.home) == 0


# Single facts


def test_zero_export_of_a_master() -> None:
    """The first inverter regulates the house connection, whatever the second one does for its share of the house."""
    slot = (Slot(0, 8000, 0.2, grid_charge=False),)
    site = site_of(
        datetime(2026, 6, 22, 23),
        None,
        (JsoControls(slots=slot), Installation(), 0.9),
        (SajControls(), Installation(rated_power=10000, cells=112), 0.9),
    )
    for _ in range(60):
        site.step(10)
        assert site.grid_point.power == close(20)
    first, second = site.inverters
    # 10 of 18 kW, and half of the circuits on the backup outputs.
    assert second.flows.inverter == close(sum(site.home) * 10 / 18 + sum(second.flows.backup))
    assert sum(second.flows.backup) == close(sum(first.flows.backup))
    second.controls = SajControls(mode=SajMode.PASSIVE)
    site.step(10)
    assert second.flows.battery == 0
    assert site.grid_point.power == close(20)


def test_a_surplus_of_others_charges_the_battery() -> None:
    """What a solar inverter feeds and nobody uses goes into the battery, until it is full, and then into the grid."""
    solar = SolarInverter((PvString(5000),), 4000)
    site = site_of(
        datetime(2026, 6, 22, 13),
        solar,
        (SajControls(), Installation(pv_peaks=()), 0.5),
    )
    site.step(10)
    (inverter,) = site.inverters
    assert site.solar_point.power > 2500
    assert inverter.flows.battery < -500
    assert site.grid_point.power == close(0)
    inverter.soc = 1.0
    site.step(10)
    assert site.grid_point.power < -500


def test_pv_comes_before_what_others_feed_in() -> None:
    """A battery that takes 2 kW takes them from its own strings while the rest may be sold, else from the others."""
    solar = SolarInverter((PvString(5000),), 4000)
    built = Installation(battery_charge=38.0)
    site = site_of(datetime(2026, 6, 22, 12), solar, (JsoControls(solar_sell=True), built, 0.5))
    site.step(10)
    (inverter,) = site.inverters
    most = inverter.flows.battery
    assert most == pytest.approx(-2000, abs=50)
    assert sum(inverter.flows.pv) > 5000
    assert inverter.flows.inverter > 3000
    # What may not be sold comes first.
    surplus = site.solar_point.power - sum(inverter.flows.load)
    inverter.controls = JsoControls(solar_sell=True, max_sell_power=surplus - 400)
    site.step(10)
    assert inverter.flows.battery == pytest.approx(most, abs=5)
    assert sum(inverter.flows.pv) == pytest.approx(-most - 400 * 0.97, abs=30)
    inverter.controls = JsoControls()
    site.step(10)
    assert inverter.flows.battery == pytest.approx(most, abs=5)
    surplus = site.solar_point.power - sum(inverter.flows.load)
    assert surplus > 1000
    assert site.grid_point.power == close(0)
    assert sum(inverter.flows.pv) == close(-inverter.flows.battery - surplus * 0.97)


def test_a_solar_inverter_stops_with_the_grid() -> None:
    """At the house's connection it has no voltage to follow, and behind an inverter it has one."""
    solar = SolarInverter((PvString(3000),), 3000)
    site = site_of(datetime(2026, 6, 22, 13), solar, (JsoControls(), Installation(), 0.5))
    (inverter,) = site.inverters
    inverter.coupled = solar
    site.grid.alive = False
    site.step(10)
    assert site.solar_point.power == 0
    # What it gives less than the load is what the output takes back.
    assert sum(inverter.flows.backup) < -500
    assert inverter.flows.battery < -500
    # The fuller the battery, the less.
    charged = inverter.flows.battery
    inverter.soc = 0.98
    site.step(10)
    assert charged < inverter.flows.battery < 0
    assert 50.2 < inverter.output_frequency < 52
    inverter.soc = 1.0
    site.step(10)
    assert inverter.output_frequency == pytest.approx(52)
    assert inverter.flows.battery >= 0


def test_a_tracker_limits_the_power_and_current_of_its_string() -> None:
    """1000 W/m2 at 25 degrees are the peak power, and a tracker takes no more watts and amperes than it can."""
    noon = Sky(1).light(datetime(2026, 6, 21, 13))
    assert SOUTH.irradiance(noon) > 600
    free = PvString(4000, SOUTH, 600.0, Tracker(current=math.inf))
    most = free.power(noon)
    assert 0.5 * 4000 < most < 4000
    assert PvString(4000, SOUTH, 600.0, Tracker(power=1500, current=99)).power(noon) == 1500
    narrow = PvString(4000, SOUTH, 600.0, Tracker(current=3)).power(noon)
    assert narrow == pytest.approx(3 * (600 - 0.006 * most))
    night = Sky(1).light(datetime(2026, 6, 21, 1))
    assert free.power(night) == 0
    assert free.voltage(0) == 0


@pytest.mark.parametrize(
    ("day", "noon_height", "hours_of_day"),
    [(datetime(2026, 6, 21), 63.4, 16.2), (datetime(2026, 12, 21), 16.6, 7.8)],
)
def test_the_way_of_the_sun(day: datetime, noon_height: float, hours_of_day: float) -> None:
    """At 50 degrees north: 90 - 50 + 23.4 degrees high at midsummer's noon, 46.8 less at midwinter's; so the days."""
    sky = Sky(1, latitude=50)
    up = sky.direction(day.replace(hour=13))[2]
    assert math.degrees(math.asin(up)) == pytest.approx(noon_height, abs=0.2)
    minutes = [sky.direction(day + timedelta(minutes=m))[2] > 0 for m in range(1440)]
    assert sum(minutes) / 60 == pytest.approx(hours_of_day, abs=0.2)
    morning, evening = (sky.direction(day.replace(hour=hour)) for hour in (11, 15))
    assert morning[0] == pytest.approx(-evening[0])
    assert morning[0] > 0


def test_the_south_east_roof_gets_more_sun_in_the_morning_and_the_south_west_later() -> None:
    """In the morning the south-eastern roof has more of the sun, in the afternoon the south-western one."""
    sky = Sky(1)
    morning, afternoon = (sky.light(datetime(2026, 6, 21, hour)) for hour in (9, 17))
    assert SOUTH_EAST.irradiance(morning) > 1.5 * SOUTH_WEST.irradiance(morning)
    assert SOUTH_WEST.irradiance(afternoon) > 1.5 * SOUTH_EAST.irradiance(afternoon)


def test_a_battery_in_the_frost() -> None:
    """The battery's management takes no current below zero, and half of it at five degrees."""
    battery = (
        site_of(datetime(2026, 1, 1), None, (JsoControls(), Installation(), 0.5))
        .inverters[0]
        .battery
    )
    assert battery.charge_limit == 150
    battery.room_temperature = 5
    assert battery.charge_limit == 75
    battery.room_temperature = -1
    assert battery.charge_limit == 0


def test_a_full_battery_takes_less_and_less() -> None:
    """From 95 % on: half of the current at 97.5 %, a twentieth at the very end, none when full."""
    battery = (
        site_of(datetime(2026, 6, 1), None, (JsoControls(), Installation(), 0.5))
        .inverters[0]
        .battery
    )
    limits = []
    for soc in (0.95, 0.975, 0.999, 1.0):
        battery.soc = soc
        limits.append(battery.charge_limit)
    assert limits == [150, pytest.approx(75), pytest.approx(7.5), 0]


def test_long_steps_agree_with_short_ones() -> None:
    """Two days in steps of a minute, as a whole year is lived through, bring the energies of ten-second steps."""
    energies = []
    for longest in (10, 60):
        site = Site(start=datetime(2026, 6, 22), seed=1, longest_step=longest)
        slots = (Slot(60, 5000, 0.8, grid_charge=False), Slot(600, 5000, 0.4, grid_charge=False))
        site.add(Inverter(site, JsoControls(solar_sell=True, slots=slots)))
        site.step(2 * 86400)
        total, former = site.inverters[0].total, site.inverters[0].installation.former_energy
        energies.append(
            {name: total[name] - former[name] for name in ("pv", "load", "grid_export")}
        )
    exact, coarse = energies
    for name, energy in exact.items():
        assert coarse[name] == pytest.approx(energy, rel=0.02), name
