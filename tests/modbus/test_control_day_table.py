"""A day of six slots: when an order lasts in it, how it is laid over it, and how it fits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.hybrid_inverter.modbus.control.day_table import (
    Segment,
    SlotWords,
    alike,
    fitted,
    held,
    in_force,
    is_same_day,
    laid_over,
    merged,
    read_day,
    spread,
    without_grid_charge,
)
from custom_components.hybrid_inverter.modbus.control.order import (
    ControlMode,
    ControlRefusedError,
    Order,
    Refusal,
)
from custom_components.hybrid_inverter.modbus.control.six_slot_window import Window, window_of
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .six_slot_table import CLOCK, NOW, SIX, TWO, image, order, situation

# Words that differ only in the target.
A, B, C = (SlotWords(5000, 4900, soc, 0) for soc in (20, 40, 60))


def at(hour: int, minute: int = 0, day: int = 21, second: int = 0) -> datetime:
    """A moment in June on the clock of the machine."""
    return datetime(2026, 6, day, hour, minute, second)  # noqa: DTZ001 - the device knows no zone


def window(begin: datetime, end: datetime) -> Window:
    """A window whose end in UTC does not matter."""
    return Window(begin=begin, end=end, until=NOW)


def day(*parts: tuple[int, SlotWords]) -> list[Segment]:
    """The segments of an owner's slots, one after the other."""
    return [
        Segment(start=start, words=words, slot=slot) for slot, (start, words) in enumerate(parts, 1)
    ]


def parts(segments: Sequence[Segment]) -> list[tuple[int, SlotWords, int | None]]:
    """Starts, words and the owner's slots."""
    return [(segment.start, segment.words, segment.slot) for segment in segments]


# ---------------------------------------------------------------------- when


@pytest.mark.parametrize(
    ("clock", "minutes", "begin", "end", "later"),
    [
        (at(18), 60, at(18), at(19), 60),
        (at(18, 2, second=10), 60, at(18), at(19, 5), 62 + 50 / 60),
        (at(18, 4, second=59), 30.1, at(18), at(18, 40), 35 + 1 / 60),
        # An end that is on the grid stays.
        (at(18, 3), 57, at(18), at(19), 57),
        # Over midnight.
        (at(23), 360, at(23), at(5, day=22), 360),
        (at(23, 58), 2, at(23, 55), at(0, day=22), 2),
        # A machine whose clock is an hour ahead: its own times.
        (at(19), 180, at(19), at(22), 180),
    ],
)
def test_an_order_begins_no_later_and_ends_no_earlier(
    clock: datetime, minutes: float, begin: datetime, end: datetime, later: float
) -> None:
    """In steps of five minutes on the clock of the machine."""
    known = situation(image(SIX), clock=clock)
    found = window_of(order(ControlMode.HOLD, minutes), known)
    assert (found.begin, found.end) == (begin, end)
    assert (found.until - NOW) / timedelta(minutes=1) == pytest.approx(later)


def test_an_hour_that_the_wall_clock_skips_or_shows_twice_changes_nothing() -> None:
    """The clock of the machine runs on: an order of three hours over the change of time lasts three hours there."""
    now = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    known = situation(image(SIX), now=now, clock=datetime(2026, 10, 25, 2, 0))  # noqa: DTZ001
    wanted = Order(mode=ControlMode.HOLD, start=now, until=now + timedelta(hours=3))
    found = window_of(wanted, known)
    assert (found.first_minute, found.end_minute) == (120, 300)
    assert found.until == datetime(2026, 10, 25, 3, 0, tzinfo=UTC)


def test_an_order_that_runs_keeps_its_begin() -> None:
    """Planned again an hour later, it gives the same."""
    known = situation(image(SIX), now=NOW + timedelta(hours=1), clock=at(19))
    assert window_of(order(ControlMode.HOLD, 240), known) == Window(
        begin=at(18), end=at(22), until=NOW + timedelta(hours=4)
    )


def test_an_order_that_was_extended_for_a_day_begins_now() -> None:
    """What is left of it has an edge at which it ends."""
    known = situation(image(SIX), now=NOW + timedelta(hours=23), clock=at(17, day=22))
    assert window_of(order(ControlMode.HOLD, 26 * 60), known) == Window(
        begin=at(17, day=22), end=at(20, day=22), until=NOW + timedelta(hours=26)
    )


def test_the_longest_order_ends_a_step_before_a_day() -> None:
    """A slot of a whole day would have no edge."""
    known = situation(image(SIX))
    assert window_of(order(ControlMode.HOLD, 1435), known).end == at(17, 55, day=22)
    with pytest.raises(ControlRefusedError) as refused:
        window_of(order(ControlMode.HOLD, 1436), known)
    assert (refused.value.reason, refused.value.details) == (Refusal.TOO_LONG, {"hours": 23.92})


@pytest.mark.parametrize(
    ("clock", "minutes", "begin", "end", "until"),
    [
        # Steps of their own: nothing is given up.
        (at(18, 4, second=30), 1430, at(18), at(17, 55, day=22), 1430.5),
        (at(18, 3), 1431, at(18), at(17, 55, day=22), 1432),
        (at(18, 3), 1432, at(18), at(17, 55, day=22), 1432),
        # 17:56 of the next day would be 18:00, at which it begins.
        (at(18, 4), 1432, at(18), at(17, 55, day=22), 1431),
        (at(18, 3), 1433, at(18), at(17, 55, day=22), 1432),
        (at(18, 2), 1434, at(18), at(17, 55, day=22), 1433),
        (at(18, 4, second=20), 1435, at(18), at(17, 55, day=22), 1430 + 2 / 3),
        (at(18, 0, second=1), 1435, at(18), at(17, 55, day=22), 1435 - 1 / 60),
        # Over midnight of the machine, and begun at it.
        (at(23, 59), 1435, at(23, 55), at(23, 50, day=22), 1431),
        (at(0, 2), 1435, at(0), at(23, 55), 1433),
    ],
)
def test_an_order_of_nearly_a_day_gives_up_a_step_rather_than_its_edge(
    clock: datetime, minutes: float, begin: datetime, end: datetime, until: float
) -> None:
    """It never lasts a whole day on the clock of the machine, and its end is told as it is."""
    known = situation(image(SIX), clock=clock)
    found = window_of(order(ControlMode.HOLD, minutes), known)
    assert (found.begin, found.end) == (begin, end)
    assert (found.until - NOW) / timedelta(minutes=1) == pytest.approx(until)


def test_a_clock_that_is_set_on_a_night_of_the_year_moves_both_edges_of_a_whole_day() -> None:
    """18:02 to 17:57 on the day before the clock goes back, or forward, and after that by the clock that was set."""
    for zone, shown in ((2, 1), (1, 2)):
        now = datetime(2026, 10, 24, 16, 2, tzinfo=UTC)
        wanted = Order(mode=ControlMode.HOLD, start=now, until=now + timedelta(minutes=1435))
        for hours in (zone, shown):
            clock = now.replace(tzinfo=None) + timedelta(hours=hours)
            found = window_of(wanted, situation(image(SIX), now=now, clock=clock))
            assert found.begin == clock - timedelta(minutes=2)
            assert found.end == clock + timedelta(hours=23, minutes=53)
            assert found.until == datetime(2026, 10, 25, 15, 55, tzinfo=UTC)


@pytest.mark.parametrize("clock", [None, at(18, day=24), at(15, day=19), datetime(2000, 1, 1)])  # noqa: DTZ001
def test_a_clock_that_shows_another_day_is_refused(clock: datetime | None) -> None:
    """Its slots would run at any hour."""
    with pytest.raises(ControlRefusedError) as refused:
        window_of(order(ControlMode.HOLD), situation(image(SIX), clock=clock))
    assert refused.value.reason is Refusal.CLOCK


def test_a_window_knows_its_days() -> None:
    """One that ends at midnight does not touch the next day. 21 June 2026 is a Sunday."""
    assert window(at(18), at(19)).weekdays == {6}
    assert window(at(23), at(5, day=22)).weekdays == {6, 0}
    assert window(at(23), at(0, day=22)).weekdays == {6}


def test_a_window_over_midnight_has_both_sides_of_it() -> None:
    """But not its end."""
    night = window(at(23), at(5, day=22))
    inside = [minute for minute in (1375, 1380, 1439, 0, 299, 300) if night.contains(minute)]
    assert inside == [1380, 1439, 0, 299]


# ---------------------------------------------------------------------- segments


def test_of_equal_starts_the_last_one_counts() -> None:
    """The others are unused."""
    assert [(part.start, part.slot) for part in read_day(image(TWO), JSO.registers)] == [
        (0, 5),
        (1020, 6),
    ]


def test_the_end_of_the_day_is_its_begin() -> None:
    """A slot at 24:00 starts at midnight."""
    words = image(SIX, a153=2400)
    assert [(part.start, part.slot) for part in read_day(words, JSO.registers)] == [
        (0, 6),
        (60, 1),
        (300, 2),
        (540, 3),
        (780, 4),
        (1020, 5),
    ]


def test_a_slot_without_a_start_is_left_out() -> None:
    """Be it a time that there is not, or a cell that nobody has filled."""
    words = image(SIX, a149=2575, a153=0xFFFF)
    assert [part.slot for part in read_day(words, JSO.registers)] == [1, 3, 4, 5]


def test_before_the_first_start_the_last_segment_runs() -> None:
    """The day before has begun it."""
    three = day((60, A), (300, B), (1260, C))
    found = [in_force(three, minute).words for minute in (0, 59, 60, 299, 300, 1439)]
    assert found == [C, C, A, A, B, C]


def test_after_an_order_the_day_goes_on_where_it_then_is() -> None:
    """Segments within it are gone."""
    three = day((60, A), (300, B), (1260, C))
    ordered = SlotWords(1, 2, 3, 1)
    assert parts(laid_over(three, window(at(2), at(6)), ordered)) == [
        (60, A, 1),
        (120, ordered, None),
        (360, B, 2),
        (1260, C, 3),
    ]
    assert parts(laid_over(three, window(at(22), at(5, day=22)), ordered)) == [
        (300, B, 2),
        (1260, C, 3),
        (1320, ordered, None),
    ]
    assert parts(laid_over(three, window(at(21), at(0, 30, day=22)), ordered)) == [
        (30, C, 3),
        (60, A, 1),
        (300, B, 2),
        (1260, ordered, None),
    ]


def test_neighbours_with_the_same_words_are_one() -> None:
    """Over midnight too; and with the order in it, it is the order's."""
    assert parts(merged(day((0, A), (60, B), (120, B), (180, A)))) == [(60, B, 2), (180, A, 4)]
    assert parts(merged(day((30, A), (60, A)))) == [(30, A, 1)]
    laid = laid_over(day((0, A), (600, B)), window(at(10), at(11)), A)
    assert parts(merged(laid)) == [(0, A, None), (660, B, 2)]


def test_days_are_the_same_when_they_do_the_same() -> None:
    """However one that does a single thing is cut."""
    assert is_same_day(day((0, A), (60, B)), day((0, A), (60, B)))
    assert not is_same_day(day((0, A), (60, B)), day((0, A), (65, B)))
    assert is_same_day(day((0, A)), day((600, A)))
    assert not is_same_day(day((0, A)), day((0, B)))


def test_the_edges_farthest_ahead_go() -> None:
    """What is before them goes on until the order begins again."""
    eight = day((0, A), (60, B), (120, A), (180, B), (240, A), (300, B), (360, A), (420, B))
    assert [part.start for part in fitted(eight, 240)] == [0, 60, 240, 300, 360, 420]
    # From the middle of a segment on, that segment is the nearest.
    assert [part.start for part in fitted(eight, 200)] == [0, 180, 240, 300, 360, 420]


def test_spare_slots_halve_the_longest_ones() -> None:
    """On the grid of the display, in order, over midnight too."""
    assert parts(spread(day((30, A), (1261, B)))) == [
        # 1231 minutes from 00:30 to 21:01: half of them is 10:45, and so on.
        (30, A, 1),
        (335, A, 1),
        (645, A, 1),
        (950, A, 1),
        (1105, A, 1),
        (1261, B, 2),
    ]


def test_neighbours_that_are_alike_are_found_over_midnight() -> None:
    """A slot of the owner that goes on as another one."""
    assert [part.slot for part in alike(day((0, A), (60, B), (120, A), (180, A)), 130)] == [3, 4, 1]
    assert [part.slot for part in alike(day((0, A), (60, A)), 70)] == [2, 1]


def test_flags_that_nobody_knows_stay() -> None:
    """Only the charges go; a cell that nobody has filled has none."""
    flagged = SlotWords(5000, 4900, 40, 0b10_0111)
    assert without_grid_charge(flagged, JSO.registers) == SlotWords(5000, 4900, 40, 0b10_0110)
    assert held(flagged, JSO.registers) == SlotWords(5000, 4900, 100, 0b10_0100)
    assert held(SlotWords(5000, 4900, 40, 0xFFFF), JSO.registers).flags == 0


def test_the_clock_of_the_tests_is_a_sunday() -> None:
    """As the words of days in the other tests suppose."""
    assert CLOCK.weekday() == 6
