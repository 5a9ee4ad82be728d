"""The owner's test: a kilowatt into the battery and one out of it, and what each clamp shows of them."""

from collections.abc import Callable
from itertools import combinations
from unittest.mock import Mock

import pytest

from custom_components.hybrid_inverter.modbus.doctor import owner_test
from custom_components.hybrid_inverter.modbus.doctor.owner_test import (
    ClampReport,
    OwnerTest,
    TestReport,
)
from custom_components.hybrid_inverter.modbus.doctor.verdict import Cause, Finding

from .doctor_polls import JSO, Powers, values


def run(
    shown: Callable[[Powers], Powers],
    *,
    obeys: bool = True,
    kettle: bool = False,
    every: float = 5.0,
) -> TestReport:
    """A test at a house that draws 200 W on each phase; a kettle may be on from the 60th to the 100th second."""
    test = OwnerTest((JSO,))
    time = 0.0
    while not test.finished:
        order = test.order(time) if obeys else None
        # What is put into the battery is drawn on three phases alike.
        drawn = -(order or 0.0) / 3
        own = (drawn, drawn, drawn)
        l1, l2, l3 = (power + 200 for power in own)
        if kettle and 60 <= time < 100:
            l1 += 2000
        test.observe("jso", time, values(shown((l1, l2, l3)), own))
        time += every
    return test.report()


def test_it_orders_a_minute_of_each_and_releases() -> None:
    """In less than three minutes."""
    test = OwnerTest((JSO,))
    assert {time: test.order(float(time)) for time in (0, 19, 20, 79, 80, 139, 140, 167)} == {
        0: None,
        19: None,
        20: -1000.0,
        79: -1000.0,
        80: 1000.0,
        139: 1000.0,
        140: None,
        167: None,
    }
    assert not test.finished
    test.order(168.0)
    assert test.finished


def test_clamps_that_follow_the_inverter_are_right() -> None:
    """One watt for each of its watts, even while somebody boils water."""
    for kettle in (False, True):
        report = run(lambda grid: grid, kettle=kettle)
        assert report.is_certain
        assert report.findings == ()
        assert [clamp.response for clamp in report.clamps] == [1.0, 1.0, 1.0]


def test_reversed_clamps_are_named() -> None:
    """The other one is right."""
    report = run(lambda grid: (-grid[0], grid[1], -grid[2]))
    assert report.clamps == (
        ClampReport("jso", "l1", -1.0, Finding(Cause.CLAMP_REVERSED, ("l1",))),
        ClampReport("jso", "l2", 1.0),
        ClampReport("jso", "l3", -1.0, Finding(Cause.CLAMP_REVERSED, ("l3",))),
    )
    assert report.clamps[1].is_right


def test_exchanged_clamps_are_named_together() -> None:
    """Each shows half of the other's power, against the sign."""
    report = run(lambda grid: (-grid[1] / 2, -grid[0] / 2, grid[2]))
    assert report.findings == (Finding(Cause.PHASES_EXCHANGED, ("l1", "l2")),)


@pytest.mark.parametrize(
    ("factor", "finding"),
    [
        (0.0, Finding(Cause.CLAMP_HOUSE_SIDE, ("l1",))),
        (2.0, Finding(Cause.CLAMP_RATIO, ("l1",), 2.0)),
        (0.5, Finding(Cause.CLAMP_RATIO, ("l1",), 0.5)),
    ],
)
def test_a_clamp_that_shows_too_little_or_too_much_is_named(
    factor: float, finding: Finding
) -> None:
    """Nothing at all is one on the house's side."""
    assert run(lambda grid: (grid[0] * factor, grid[1], grid[2])).findings == (finding,)


def test_clamps_that_show_nothing_at_all_are_silent() -> None:
    """On the house's side they would show the 200 W of each phase; sensors of a few watts change nothing."""
    silent = run(lambda _: (0.0, 4.0, -3.0))
    assert silent.findings == (Finding(Cause.CLAMP_SILENT, ("l1", "l2", "l3")),)
    house = run(lambda _: (200.0, 200.0, 200.0))
    assert {finding.cause for finding in house.findings} == {Cause.CLAMP_HOUSE_SIDE}


def test_a_poll_a_second_is_compared_no_more_often_than_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """40 moments make 780 pairs, of which the inverter has moved in some; the clamps are told as ever."""
    pairs = Mock(side_effect=combinations)
    monkeypatch.setattr(owner_test, "combinations", pairs)
    report = run(lambda grid: (-grid[0], grid[1], grid[2]), every=1.0)
    assert [len(call.args[0]) for call in pairs.call_args_list] == [40, 40, 40]
    assert [clamp.response for clamp in report.clamps] == [-1.0, 1.0, 1.0]


def test_nothing_is_said_when_the_inverter_does_not_follow() -> None:
    """As with a battery that is full and forbidden to discharge."""
    report = run(lambda grid: grid, obeys=False)
    assert not report.is_certain
    assert [clamp.response for clamp in report.clamps] == [None, None, None]
    assert report.findings == ()
