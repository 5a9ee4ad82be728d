"""The counter guard: what a glitch may never do to an energy counter, of an 8 kW machine polled every minute."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.model.counter_guard import CounterGuard, Rejection


def fed(*readings: float | None) -> tuple[list[float | None], CounterGuard]:
    """Return what is shown after each of these readings, a minute apart, and the guard."""
    guard = CounterGuard(rated_power=8000)
    return [guard.check(value, 60.0 * minute) for minute, value in enumerate(readings)], guard


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
    assert guard.check(1212.0, 36_000) == 1212.0
    guard.seed(812.3, 0)
    assert guard.check(1212.6, 36_000) == 812.3


def test_a_replaced_counter_is_believed_when_it_was_stable_for_ten_minutes() -> None:
    """Ten minutes after the first reading of the new counter, and then it counts on."""
    result, _ = fed(812.3, *[2.0] * 10, 2.1, 2.2)
    assert result == [812.3] * 11 + [2.1, 2.2]


@pytest.mark.parametrize("interval", [1.0, 10.0, 60.0, 120.0])
@pytest.mark.parametrize("fallen", [2.0, 700.0, 812.2])
def test_it_is_time_that_counts_and_not_the_readings(interval: float, fallen: float) -> None:
    """A lower reading is shown after 600 s, whether these were 601 readings or 6."""
    guard = CounterGuard(rated_power=8000)
    guard.seed(812.3, 0)
    shown_after = next(
        when
        for when in (60 + interval * poll for poll in range(2000))
        if guard.check(fallen, when) == fallen
    )
    assert shown_after == 660


def test_it_takes_three_readings_however_far_apart() -> None:
    """Polled once an hour, and silent for an hour between two moments after waking up, are the same."""
    guard = CounterGuard(rated_power=8000)
    guard.seed(812.3, 0)
    shown = [guard.check(2.0, 3600.0 * hour) for hour in range(1, 5)]
    assert shown == [812.3, 812.3, 2.0, 2.0]


def test_two_glitches_with_a_silence_between_them_are_two_glitches() -> None:
    """A machine that says something wrong each time it wakes up: what was not heard is no proof."""
    guard = CounterGuard(rated_power=8000)
    guard.seed(812.3, 0)
    assert [guard.check(2.0, when) for when in (60.0, 7200.0, 7260.0)] == [812.3, 812.3, 812.3]
    assert guard.check(812.4, 7320.0) == 812.4


def test_a_jump_that_comes_back_is_never_shown() -> None:
    """The high half is one ahead for nine minutes."""
    result, guard = fed(6553.5, *[13107.1] * 10, 6553.7)
    assert result == [6553.5] * 11 + [6553.7]
    assert guard.rejections == {Rejection.JUMPED: 10}


def test_changing_glitches_are_never_believed() -> None:
    """Each of them must fit the one before, in both directions."""
    glitches = [5.0, 3.0, 1.0, 700.0, 500.0, 750.0] * 4
    result, _ = fed(812.3, *glitches, 812.4)
    assert result == [812.3] * 25 + [812.4]


def test_a_good_reading_starts_the_time_again() -> None:
    """Low readings with good ones between them are no replacement."""
    result, _ = fed(812.3, *[1.0] * 6, 812.4, *[1.0] * 6, 812.5)
    assert result == [812.3] * 7 + [812.4] * 7 + [812.5]


def test_a_zero_starts_the_time_of_another_total_again() -> None:
    """What is 2.0 and then 0 is no counter."""
    result, _ = fed(812.3, *[2.0] * 6, 0.0, *[2.0] * 6, 812.4)
    assert result == [812.3] * 14 + [812.4]


def test_a_total_never_goes_back_to_zero() -> None:
    """However long the machine says so while it wakes up."""
    result, guard = fed(812.3, *[0.0] * 30, 812.4)
    assert result == [812.3] * 31 + [812.4]
    assert guard.rejections == {Rejection.NOTHING: 30}


def test_a_total_that_was_never_anything_else_is_unknown_while_it_is_zero() -> None:
    """The machine has not woken up: its first good reading is 12345.6."""
    result, guard = fed(*[0.0] * 5, 12345.6, 12345.7)
    assert result == [None] * 5 + [12345.6, 12345.7]
    assert not guard.rejections


def test_the_total_of_a_new_machine_is_zero_after_ten_minutes() -> None:
    """A machine that has not produced anything yet; a poll that brings nothing does not matter."""
    result, guard = fed(0.0, 0.0, None, *[0.0] * 8, 0.1)
    assert result == [None] * 10 + [0.0, 0.1]
    assert not guard.rejections


def test_a_clock_that_is_set_back_proves_nothing() -> None:
    """The time of the house is corrected by an hour between two readings."""
    guard = CounterGuard(rated_power=8000)
    shown = [guard.check(0.0, when) for when in (4000.0, 400.0, 460.0)]
    assert shown == [None, None, None]


def of_a_clock(*readings: tuple[float, float]) -> tuple[list[float | None], CounterGuard]:
    """Return what is shown of these readings at these times, and the guard."""
    guard = CounterGuard(rated_power=8000)
    return [guard.check(value, when) for value, when in readings], guard


def test_a_counter_goes_on_when_the_clock_is_set_back() -> None:
    """By an hour, after three readings a minute apart: 0.5 kWh more are possible in a minute, and so they are each time."""
    shown, guard = of_a_clock(
        (812.0, 7200.0), (812.5, 7260.0), (813.0, 7320.0), (813.5, 3780.0), (814.0, 3840.0)
    )
    assert shown == [812.0, 812.5, 813.0, 813.5, 814.0]
    assert not guard.rejections


def test_a_clock_that_is_set_back_allows_no_more_than_a_minute_does() -> None:
    """Five times 8 kW for a minute is 0.667 kWh, and 0.2 of slack: 0.9 are a glitch, which passes."""
    shown, guard = of_a_clock(
        (812.0, 7200.0), (812.0, 7260.0), (812.0, 7320.0), (812.9, 3780.0), (812.1, 3840.0)
    )
    assert shown == [812.0, 812.0, 812.0, 812.0, 812.1]
    assert guard.rejections == {Rejection.JUMPED: 1}


def test_what_was_not_heard_before_the_clock_is_set_back_is_not_forgotten() -> None:
    """Two minutes of glitches, and the minute in which the clock is set: 2.0 and 0.2 kWh are possible, and no more."""
    before = [(812.0, 7140.0), (812.0, 7200.0), (1.0, 7260.0), (2.0, 7320.0)]
    assert of_a_clock(*before, (814.1, 3780.0))[0][-1] == 814.1
    assert of_a_clock(*before, (814.3, 3780.0))[0][-1] == 812.0


def test_a_clock_that_is_set_forward_and_right_again_allows_a_minute() -> None:
    """Forward it is like a silence of an hour; that is not the usual gap when it goes back."""
    readings = [(812.0, 7140.0), (812.0, 7200.0), (812.5, 10_860.0)]
    shown, guard = of_a_clock(*readings, (813.0, 7320.0), (813.5, 7380.0))
    assert shown == [812.0, 812.0, 812.5, 813.0, 813.5]
    assert not guard.rejections
    assert of_a_clock(*readings, (813.5, 7320.0))[0][-1] == 812.5


def test_a_reading_from_before_a_restart_may_be_of_a_later_time() -> None:
    """The clock was an hour ahead then: half a kilowatt-hour is possible a minute later, when the next one is read."""
    guard = CounterGuard(rated_power=8000)
    guard.seed(812.0, 7200.0)
    assert [guard.check(812.5, when) for when in (3660.0, 3720.0)] == [812.0, 812.5]


MIDNIGHT = 86_400.0


def of_the_day(then: float, *readings: tuple[float, float]) -> list[float | None]:
    """Return what a counter of the day shows of readings at these times, after 18.4 kWh `then`."""
    guard = CounterGuard(rated_power=8000, period_of=lambda when: str(when // 86_400))
    guard.seed(18.4, then)
    return [guard.check(value, when) for value, when in readings]


@pytest.mark.parametrize("begin", [MIDNIGHT - 240, MIDNIGHT + 60, MIDNIGHT + 240])
def test_a_daily_counter_starts_again_at_midnight(begin: float) -> None:
    """At the third reading, a minute apart, also by a clock that is four minutes off."""
    readings = [(0.0, begin + 60 * minute) for minute in range(3)]
    assert of_the_day(begin - 60, *readings) == [18.4, 18.4, 0.0]


def test_a_daily_counter_that_is_polled_often_is_not_believed_sooner() -> None:
    """Every ten seconds: 90 s after the first reading of the new day."""
    readings = [(0.0, MIDNIGHT + 10.0 * poll) for poll in range(11)]
    assert of_the_day(MIDNIGHT - 10, *readings) == [18.4] * 9 + [0.0, 0.0]


def test_yesterdays_count_after_midnight_is_not_counted_twice() -> None:
    """It comes back once before the new day is believed, and once after that."""
    readings = [0.0, 18.4, 0.0, 0.0, 0.0, 18.4, 0.1]
    times = [MIDNIGHT + 60 * minute for minute in range(7)]
    shown = of_the_day(MIDNIGHT - 60, *zip(readings, times, strict=True))
    assert shown == [18.4, 18.4, 18.4, 18.4, 0.0, 0.0, 0.1]


def test_a_new_day_that_began_in_a_silence_is_shown_as_soon() -> None:
    """Nobody has listened from the evening to the morning."""
    readings = [(2.1, MIDNIGHT + 28_800 + 60 * minute) for minute in range(3)]
    assert of_the_day(MIDNIGHT - 7_200, *readings) == [18.4, 18.4, 2.1]


@pytest.mark.parametrize("begin", [MIDNIGHT / 2, MIDNIGHT - 1_200, MIDNIGHT + 1_200])
def test_a_daily_counter_that_falls_far_from_midnight_has_to_mean_it(begin: float) -> None:
    """Nine minutes of 0 are a glitch, and the day goes on; ten are a machine whose clock was set."""
    glitch = [(0.0, begin + 60 * minute) for minute in range(10)]
    assert of_the_day(begin - 60, *glitch, (18.5, begin + 600)) == [18.4] * 10 + [18.5]
    assert of_the_day(begin - 60, *glitch, (0.0, begin + 600)) == [18.4] * 10 + [0.0]


def test_guards_can_share_a_count() -> None:
    """All counters of a machine together."""
    together = Counter[Rejection]()
    for _ in range(2):
        guard = CounterGuard(rated_power=8000, rejections=together)
        guard.seed(812.3, 0)
        guard.check(None, 60)
    assert together == {Rejection.NOTHING: 2}


def test_before_the_first_reading_nothing_is_known() -> None:
    """There is nothing to hold."""
    result, guard = fed(None, None)
    assert result == [None, None]
    assert not guard.rejections


@given(st.lists(st.floats(0.1, 10_000), max_size=40))
def test_what_is_shown_falls_only_to_something_stable(readings: list[float]) -> None:
    """Whatever comes in, a minute apart: a lower value is shown only after eleven readings in a row that do not fall."""
    shown, _ = fed(*readings)
    for index, (before, after) in enumerate(pairwise(shown), start=1):
        assert before is not None
        assert after is not None
        if after < before:
            stable = readings[index - 10 : index + 1]
            assert stable == sorted(stable)
            assert stable[-1] == after
