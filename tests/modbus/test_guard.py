"""The counter guard: what a glitch may never do to an energy counter, of an 8 kW machine polled every minute."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.guard import CounterGuard, Rejection


def fed(*readings: float | None) -> tuple[list[float | None], CounterGuard]:
    """Return what is shown after each of these readings, a minute apart, and the guard."""
    guard = CounterGuard(rated_power=8000)
    return [guard.judge(value, 60.0 * minute) for minute, value in enumerate(readings)], guard


# 0x0001_0000 is 6553.6 kWh: the low half rolls over from 6553.5 at raw 65535.
@pytest.mark.parametrize(
    ("readings", "shown", "reason"),
    [
        ([812.3, 0.0, 812.4], [812.3, 812.3, 812.4], Rejection.NOTHING),
        ([812.3, None, 812.4], [812.3, 812.3, 812.4], Rejection.NOTHING),
        # The low half is new, the high half still old.
        ([6553.5, 0.1, 6553.7], [6553.5, 6553.5, 6553.7], Rejection.FELL),
        # The high half is new, the low half still old.
        ([6553.5, 13107.1, 6553.7], [6553.5, 6553.5, 6553.7], Rejection.JUMPED),
        # One step back.
        ([812.3, 812.2, 812.3], [812.3, 812.3, 812.3], Rejection.FELL),
        # Yesterday's count once more after midnight.
        ([0.0, 18.4, 0.1], [0.0, 0.0, 0.1], Rejection.JUMPED),
        # Five times 8 kW for a minute is 0.667 kWh, and 0.2 of slack.
        ([812.3, 813.2, 812.5], [812.3, 812.3, 812.5], Rejection.JUMPED),
    ],
)
def test_a_glitch_is_never_shown(
    readings: list[float | None], shown: list[float | None], reason: Rejection
) -> None:
    """The last good reading stays, and the next good one is shown at once."""
    result, guard = fed(*readings)
    assert result == shown
    assert guard.rejections == {reason: 1}


def test_growth_within_the_bound_is_shown() -> None:
    """0.8 kWh in a minute is more than the inverter's own power, and possible from the grid."""
    result, guard = fed(812.3, 813.1)
    assert result == [812.3, 813.1]
    assert not guard.rejections


def test_a_long_silence_allows_much() -> None:
    """After a night of ten hours a counter may be 400 kWh ahead, and no more."""
    guard = CounterGuard(rated_power=8000)
    guard.seed(812.3, 0)
    assert guard.judge(1212.0, 36_000) == 1212.0
    guard.seed(812.3, 0)
    assert guard.judge(1212.6, 36_000) == 812.3


def test_a_replaced_counter_is_believed_when_it_is_stable() -> None:
    """Two readings are not enough, three are, and then it counts on."""
    result, _ = fed(812.3, 2.0, 2.0, 2.1, 2.2)
    assert result == [812.3, 812.3, 812.3, 2.1, 2.2]


def test_changing_glitches_are_never_believed() -> None:
    """Each of them must fit the one before."""
    result, _ = fed(812.3, 5.0, 3.0, 1.0, 700.0, 500.0, 812.4)
    assert result == [812.3, 812.3, 812.3, 812.3, 812.3, 812.3, 812.4]


def test_a_good_reading_starts_the_count_again() -> None:
    """Low readings with good ones between them are no replacement."""
    result, _ = fed(812.3, 1.0, 1.0, 812.4, 1.0, 1.0, 812.5)
    assert result == [812.3, 812.3, 812.3, 812.4, 812.4, 812.4, 812.5]


def test_a_total_never_goes_back_to_zero() -> None:
    """However long the machine says so while it wakes up."""
    result, guard = fed(812.3, *[0.0] * 30, 812.4)
    assert result == [812.3] * 31 + [812.4]
    assert guard.rejections == {Rejection.NOTHING: 30}


def test_a_new_total_starts_at_zero() -> None:
    """A machine that has not produced anything yet."""
    result, guard = fed(0.0, 0.0, 0.1)
    assert result == [0.0, 0.0, 0.1]
    assert not guard.rejections


def test_a_daily_counter_starts_again_at_midnight() -> None:
    """Three readings later: the day that is over is not counted twice if it comes back in between."""
    guard = CounterGuard(rated_power=8000, daily=True)
    readings = [18.4, 0.0, 18.4, 0.0, 0.0, 0.0, 0.1]
    shown = [guard.judge(value, 60.0 * minute) for minute, value in enumerate(readings)]
    assert shown == [18.4, 18.4, 18.4, 18.4, 18.4, 0.0, 0.1]


def test_guards_can_share_a_count() -> None:
    """All counters of a machine together."""
    together = Counter[Rejection]()
    for _ in range(2):
        guard = CounterGuard(rated_power=8000, rejections=together)
        guard.seed(812.3, 0)
        guard.judge(None, 60)
    assert together == {Rejection.NOTHING: 2}


def test_before_the_first_reading_nothing_is_known() -> None:
    """There is nothing to hold."""
    result, guard = fed(None, None)
    assert result == [None, None]
    assert not guard.rejections


@given(st.lists(st.floats(0.1, 10_000), max_size=40))
def test_what_is_shown_falls_only_to_something_stable(readings: list[float]) -> None:
    """Whatever comes in: a lower value is shown only as the third of three readings in a row that do not fall."""
    shown, _ = fed(*readings)
    for index, (before, after) in enumerate(pairwise(shown), start=1):
        assert before is not None
        assert after is not None
        if after < before:
            first, second, third = readings[index - 2 : index + 1]
            assert first <= second <= third == after
