"""Tests of a clock that can run faster for a while, and of what a house writes down of its days."""

from __future__ import annotations

from datetime import timedelta

import pytest

from simulator import SimulatedPlant
from simulator.pace import Pace
from simulator.simulation import START


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
