"""Houses without sockets: they show what the registers hold, the same for a seed, and every mistake can be made in them."""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest

from simulator import SimulatedPlant
from simulator.__main__ import _parser
from simulator.cause import cause
from simulator.fast_house import FastHouse, Values
from simulator.houses import DAYS, HOUSES
from simulator.inverter_machine import InverterMachine
from simulator.miswiring import MISWIRINGS
from simulator.physics import Accuracy, Senses, Weather
from simulator.physics.sky import Sky


def readings(house: FastHouse) -> dict[int, Values]:
    """Return what each machine shows after a step."""
    return {reading.unit: reading.values for reading in house.step()}


# ---------------------------------------------------------------------- readings


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("name", HOUSES)
def test_each_reading_is_what_the_registers_decode_to(name: str, exact: bool) -> None:
    """Key by key, every two hours of a day and a night; none is an old one, so that both are of the same moment."""
    house = FastHouse(HOUSES[name], DAYS["broken"], exact=exact, step=7200, oldest=0)
    for _ in range(12):
        for unit, values in readings(house).items():
            shown = dict(values)
            shown.pop("clock_drift", None)
            assert len(shown) >= 2
            assert house.plant.machines[unit].values(shown) == shown


@pytest.mark.parametrize("name", ["jso_plain", "saj_plain", "single_phase"])
def test_so_it_is_without_a_grid(name: str) -> None:
    """No volts, and no currents where a power would be divided by them."""
    house = FastHouse(HOUSES[name], DAYS["broken"], oldest=0)
    cause(house.plant, {"outage": True})
    house.step()
    for unit, values in readings(house).items():
        shown = dict(values)
        shown.pop("clock_drift", None)
        assert house.plant.machines[unit].values(shown) == shown


@pytest.mark.parametrize("name", MISWIRINGS)
def test_so_it_is_with_every_mistake(name: str) -> None:
    """Each can be made, shows in the registers as well, and can be mended."""
    wrong = MISWIRINGS[name]
    house = FastHouse(HOUSES[wrong.house], DAYS["clear"], oldest=0)
    before = [machine.trouble for machine in house.plant.machines.values()]
    house.wire(wrong)
    for _ in range(3):
        for unit, values in readings(house).items():
            shown = dict(values)
            shown.pop("clock_drift", None)
            assert house.plant.machines[unit].values(shown) == shown
    house.wire(None)
    house.step()
    assert [machine.trouble for machine in house.plant.machines.values()] == before
    assert readings(house)[1]["clock_drift"] == 0


def test_the_same_seed_gives_the_same_readings_and_another_one_others() -> None:
    """Noise and old readings too."""
    runs = [
        list(FastHouse(HOUSES["saj_solar"], DAYS["grey"], seed=seed, step=5).run(5))
        for seed in (4, 4, 5)
    ]
    assert runs[0] == runs[1] != runs[2]
    assert len(runs[0]) == 2 * 60
    assert [reading.time for reading in runs[0][:3]] == [10, 10, 15]


def test_machines_are_not_read_at_the_same_moment() -> None:
    """In steps of 5 s about a quarter of the readings are the ones before."""
    house = FastHouse(HOUSES["jso_plain"], DAYS["broken"], step=5)
    values = [reading.values["grid_power"] for reading in house.run(100)]
    old = sum(one == other for one, other in pairwise(values))
    assert 0.15 < old / len(values) < 0.35


def test_an_order_moves_the_battery_and_leaves_no_trace() -> None:
    """1 kW in and out, exactly, and then what is set."""
    house = FastHouse(HOUSES["jso_plain"], DAYS["grey"], step=5, exact=True)
    machine = house.plant.machines[1]
    assert isinstance(machine, InverterMachine)
    settings = machine.inverter.controls
    for order in (-1000, 1000):
        house.order(1, order)
        assert readings(house)[1]["battery_power"] == pytest.approx(order, abs=1)
    house.order(1, None)
    assert machine.inverter.controls is settings
    assert machine.writes == []


def test_a_string_gets_weak_only_after_a_while() -> None:
    """For three hours both are as bright; a minute later the second one is dark."""
    house = FastHouse(
        HOUSES["jso_plain"], DAYS["clear"], wiring=MISWIRINGS["jso_string_dead"], exact=True
    )
    values = [reading.values["pv2_power"] for reading in house.run(183)]
    assert min(values[:179]) > 300  # type: ignore[type-var, operator]
    assert values[-1] == 0


def test_mistakes_are_of_all_kinds_and_in_right_houses() -> None:
    """Twenty or more of them, in ten houses."""
    assert len(MISWIRINGS) >= 20
    assert len(HOUSES) == 10
    assert {wrong.house for wrong in MISWIRINGS.values()} <= HOUSES.keys()


# ---------------------------------------------------------------------- sensors


def test_a_sensor_is_off_for_good_by_two_percent_at_most() -> None:
    """Each by another share, the same whenever it is looked at."""
    gains = [gain for seed in range(20) for gain in Senses(Accuracy(), seed).grid]
    assert all(0.98 <= gain <= 1.02 for gain in gains)
    assert min(gains) < 0.985
    assert max(gains) > 1.015
    assert Senses(Accuracy(), 3).grid == Senses(Accuracy(), 3).grid


def test_noise_is_some_watts_and_some_per_mille() -> None:
    """Of 2000 W at most 5 W and 8 W, with a mean of nothing; a moment has one noise."""
    senses = Senses(Accuracy(), 1)
    read = [senses.reader(second)(2000.0) - 2000 for second in range(2000)]
    assert max(map(abs, read)) <= 13
    assert max(read) > 11
    assert abs(sum(read) / len(read)) < 0.5
    assert senses.reader(7)(100.0) == senses.reader(7)(100.0)


def test_on_the_wire_each_machine_looks_at_its_sensors_at_moments_of_its_own() -> None:
    """Every two seconds, ten times in twenty, and not both at once."""
    plant = SimulatedPlant(devices={1: "JSO8048104", 2: "H2-10K-T2"}, accuracy=Accuracy())
    seen: dict[int, list[object]] = {1: [], 2: []}
    for _ in range(41):
        plant.advance(0.5)
        for unit, shown in seen.items():
            shown.append(plant.machine(unit).value("battery_current"))
    changes = {
        unit: {n for n, (one, other) in enumerate(pairwise(shown)) if one != other}
        for unit, shown in seen.items()
    }
    assert len(changes[1]) == len(changes[2]) == 10
    assert changes[1] & changes[2] == set()


def test_the_command_offers_weather_and_real_sensors() -> None:
    """By the words of the documentation."""
    options = _parser().parse_args(["--weather", "grey", "--real-sensors", "--lively"])
    assert options.weather is Weather.GREY
    assert (options.real_sensors, options.lively, options.heat_pump) == (True, True, False)


# ---------------------------------------------------------------------- weather


def test_a_grey_day_has_a_tenth_of_the_light_and_broken_clouds_come_and_go() -> None:
    """Between eleven and two, minute by minute."""
    light = {}
    for weather in (Weather.CLEAR, Weather.GREY, Weather.BROKEN):
        sky = Sky(1, weather=weather)
        minutes = [sky.light(datetime(2026, 6, 21, 11 + n // 60, n % 60)) for n in range(180)]
        light[weather] = [one.beam + one.diffuse for one in minutes]
    clear, grey, broken = light.values()
    assert 0.06 < sum(grey) / sum(clear) < 0.2
    assert max(abs(b - a) for a, b in pairwise(clear)) < 5
    assert sum(abs(b - a) > 100 for a, b in pairwise(broken)) > 30


def test_the_days_of_a_year_change_and_are_grey_in_winter() -> None:
    """All kinds are there, and of the grey days more in the dark half."""
    sky = Sky(1, weather=Weather.CHANGING)
    kinds = [
        sky.weather_of(datetime.fromordinal(datetime(2026, 1, 1).toordinal() + n))
        for n in range(365)
    ]
    for kind in (Weather.CLEAR, Weather.GREY, Weather.BROKEN, Weather.PASSING):
        assert kinds.count(kind) > 20
    winter, summer = kinds[:45] + kinds[320:], kinds[130:220]
    assert winter.count(Weather.GREY) > 1.5 * summer.count(Weather.GREY)
