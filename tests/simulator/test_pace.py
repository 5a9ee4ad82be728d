"""Tests of a clock that can run faster for a while, and of what a house writes down of its days."""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from simulator import SimulatedPlant
from simulator.diary import NAMES
from simulator.options import START
from simulator.pace import Pace
from simulator.simulation import TICK


class RealTime:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Return what it shows."""
        return self.now


def test_time_passes_as_it_does() -> None:
    """Until somebody says otherwise."""
    real = RealTime()
    pace = Pace(clock=real)
    real.now += 7
    assert (pace.elapsed(), pace.speed) == (7.0, 1.0)


def test_it_runs_faster_from_now_on() -> None:
    """What has passed before stays as it is: 10 s, and 5 s at 144."""
    real = RealTime()
    pace = Pace(clock=real)
    real.now += 10
    pace.change(144)
    assert pace.elapsed() == 10
    real.now += 5
    assert (pace.elapsed(), pace.speed) == (730.0, 144.0)


def test_it_runs_faster_for_a_span() -> None:
    """A day at 144 is over after ten minutes; then an hour is an hour again."""
    real = RealTime()
    pace = Pace(clock=real)
    pace.change(144, span=86400)
    real.now += 599
    assert (pace.elapsed(), pace.speed) == (86256.0, 144.0)
    real.now += 1 + 3600
    assert (pace.elapsed(), pace.speed) == (90000.0, 1.0)


@pytest.mark.parametrize(("speed", "span"), [(0, 1), (-1, 1), (float("inf"), 1), (2, -1)])
def test_time_neither_stops_nor_goes_back(speed: float, span: float) -> None:
    """And a span has a length."""
    with pytest.raises(ValueError, match="time cannot pass"):
        Pace().change(speed, span)


def test_a_month_balances() -> None:
    """In steps of a minute: what came into a house with two inverters and a solar inverter went somewhere."""
    plant = SimulatedPlant(
        devices={1: "JSO8048104", 2: "H2-10K-T2", 3: "DTSU666", 4: "DDSU666"},
        car=True,
        start=datetime(2026, 11, 1),
    )
    site = plant.site
    site.longest_step = 60
    full = sum(one.soc * one.installation.battery_capacity for one in site.inverters)
    lost = [0.0]

    def lose(seconds: float) -> None:
        """Add what conversion takes, 3 % each way, and the solar inverter by night."""
        for inverter in site.inverters:
            dc = sum(inverter.flows.pv) + inverter.flows.battery
            lost[0] += (dc * 0.03 if dc > 0 else -dc * 0.03 / 0.97) * seconds / 3_600_000
        lost[0] += max(0.0, -site.solar_point.power) * seconds / 3_600_000

    site.watchers.append(lose)
    plant.advance(30 * 86400)
    assert len(plant.diary.days) == 30
    month = {name: sum(day[name] for day in plant.diary.days.values()) for name in NAMES}
    came = month["pv"] + month["solar"] + month["grid_import"] + month["battery_discharge"]
    went = month["house"] + month["grid_export"] + month["battery_charge"]
    assert came == pytest.approx(went + lost[0], abs=1e-3)
    # Of what goes into a battery 2.5 % are lost, and as much of what comes out.
    kept = month["battery_charge"] * 0.975 - month["battery_discharge"] / 0.975
    now = sum(one.soc * one.installation.battery_capacity for one in site.inverters)
    assert kept == pytest.approx((now - full) / 1000, abs=1e-3)
    # A day has 11.5 kWh that are always used, 5.9 for meals, 5.3 for appliances and 33.1 for the car.
    assert month["house"] == pytest.approx(30 * 55.8, rel=0.05)


def test_the_diary_agrees_with_the_counters() -> None:
    """For two whole days: the machine's own counters of the sun, and the meter's of the grid."""
    midnight = START - timedelta(hours=34)
    plant = SimulatedPlant(devices={1: "JSO8048104", 2: "DTSU666"}, start=midnight, soc=0.35)
    inverter, meter = plant.site.inverters[0], plant.machine(2).glance()
    sun = inverter.total["pv"]
    plant.advance(86400)
    first = dict(plant.diary.days["2026-06-20"])
    assert first["pv"] == pytest.approx((inverter.total["pv"] - sun) / 1000, abs=1e-6)
    assert first["pv"] > 20
    plant.advance(86400)
    assert list(plant.diary.days) == ["2026-06-20", "2026-06-21"]
    assert plant.diary.days["2026-06-20"] == first
    both = sum(day["grid_import"] for day in plant.diary.days.values())
    counted = plant.machine(2).glance()["import_energy_total"] - meter["import_energy_total"]
    assert both == pytest.approx(counted, abs=0.002)


@pytest.mark.parametrize("speed", [-1.0, float("inf"), float("nan")])
def test_what_is_no_speed(speed: float) -> None:
    """Time neither runs backwards nor is over at once."""
    with pytest.raises(ValueError, match="time cannot pass"):
        Pace(speed)


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
def test_what_is_no_time_to_pass_at_once(seconds: float) -> None:
    """It does not go back, and has an end."""
    plant = SimulatedPlant()
    with pytest.raises(ValueError, match="time cannot pass"):
        plant.advance(seconds)
    assert plant.site.now == START


async def test_time_that_stands_still_can_be_set_going() -> None:
    """A house at a speed of 0 waits, and goes on when it is told to; it ends without a complaint."""
    async with SimulatedPlant(speed=0, tcp_port=None, rtu_port=None) as plant:
        assert plant.pace is not None
        await asyncio.sleep(2 * TICK)
        assert plant.site.now == START
        plant.pace.change(100)
        await asyncio.sleep(4 * TICK)
        assert plant.site.now >= START + timedelta(seconds=50)
