"""What begins, lasts and is over, told from polls at times that are written out here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.hybrid_inverter.modbus.model.faults import (
    CodeChanges,
    CodeWatch,
    Outage,
    OutageWatch,
)

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Return a time after the start."""
    return START + timedelta(seconds=seconds)


def told(watch: CodeWatch, *polls: tuple[float, set[str]]) -> list[CodeChanges]:
    """Return what each poll, as its time and its codes, brings."""
    return [watch.update(codes, at(seconds)) for seconds, codes in polls]


NOTHING = CodeChanges()


def test_a_code_comes_and_goes() -> None:
    """It appears at once, lasts from the second poll on, and is gone after two polls without it."""
    watch = CodeWatch({})
    assert told(
        watch,
        (0, set()),
        (5, {"F23"}),
        (10, {"F23"}),
        (15, {"F23"}),
        (20, set()),
        (25, set()),
        (30, set()),
    ) == [
        NOTHING,
        CodeChanges(appeared=("F23",)),
        CodeChanges(lasting=("F23",)),
        NOTHING,
        NOTHING,
        CodeChanges(gone=("F23",)),
        NOTHING,
    ]


def test_code_of_a_single_poll_appears_and_goes_but_never_lasts() -> None:
    """A single poll with the code appears and goes, and never lasts."""
    assert told(CodeWatch({}), (0, {"F23"}), (5, set()), (10, set())) == [
        CodeChanges(appeared=("F23",)),
        NOTHING,
        CodeChanges(gone=("F23",)),
    ]


def test_poll_without_the_code_does_not_end_a_lasting_code() -> None:
    """A single poll without it does not end it: no second appearance, and it still lasts."""
    assert told(
        CodeWatch({}), (0, {"F23"}), (5, {"F23"}), (10, set()), (15, {"F23"}), (20, {"F23"})
    ) == [CodeChanges(appeared=("F23",)), CodeChanges(lasting=("F23",)), NOTHING, NOTHING, NOTHING]


def test_two_polls_in_a_row() -> None:
    """Every other poll is no row."""
    watch = CodeWatch({})
    verdicts = told(
        watch, (0, {"F23"}), (5, set()), (10, {"F23"}), (15, set()), (20, {"F23"}), (25, {"F23"})
    )
    assert verdicts[0] == CodeChanges(appeared=("F23",))
    assert verdicts[1:5] == [NOTHING] * 4
    assert verdicts[5] == CodeChanges(lasting=("F23",))


def test_code_that_comes_back_is_a_new_one() -> None:
    """After it was gone, it is a new one."""
    watch = CodeWatch({})
    told(watch, (0, {"F23"}), (5, {"F23"}), (10, set()), (15, set()))
    assert told(watch, (20, {"F23"}), (25, {"F23"})) == [
        CodeChanges(appeared=("F23",)),
        CodeChanges(lasting=("F23",)),
    ]


def test_several_codes_are_reported_each_on_its_own_in_order() -> None:
    """Each on its own, told in order."""
    assert told(
        CodeWatch({}),
        (0, {"F64", "F23"}),
        (5, {"F63", "F64", "F23"}),
        (10, {"F63"}),
        (15, {"F63"}),
    ) == [
        CodeChanges(appeared=("F23", "F64")),
        CodeChanges(appeared=("F63",), lasting=("F23", "F64")),
        CodeChanges(lasting=("F63",)),
        CodeChanges(gone=("F23", "F64")),
    ]


@pytest.mark.parametrize(("last", "lasting"), [(59.9, ()), (60, ("F13",)), (3600, ("F13",))])
def test_what_heals_itself_is_waited_for(last: float, lasting: tuple[str, ...]) -> None:
    """A minute from the first poll with it, not from the poll after; others are not held up."""
    watch = CodeWatch({"F13": 60})
    first, second, third = told(
        watch, (0, {"F13", "F23"}), (30, {"F13", "F23"}), (last, {"F13", "F23"})
    )
    assert first.appeared == ("F13", "F23")
    assert second.lasting == ("F23",)
    assert third.lasting == lasting


def test_waiting_begins_anew_after_a_gap() -> None:
    """50 seconds, a poll without it, and 50 seconds are no minute."""
    watch = CodeWatch({"F13": 60})
    verdicts = told(
        watch,
        (0, {"F13"}),
        (50, {"F13"}),
        (55, set()),
        (60, {"F13"}),
        (110, {"F13"}),
        (120, {"F13"}),
    )
    assert [verdict.lasting for verdict in verdicts] == [(), (), (), (), (), ("F13",)]


def test_two_polls_far_apart() -> None:
    """The wait is over with the first poll after it, but one poll is never enough."""
    assert told(CodeWatch({"F29": 60}), (0, {"F29"}), (300, {"F29"})) == [
        CodeChanges(appeared=("F29",)),
        CodeChanges(lasting=("F29",)),
    ]


def test_known_from_before_a_restart() -> None:
    """It does not appear again, lasts again, and is gone like any other."""
    watch = CodeWatch({}, known=["F23", "F63"])
    assert watch.active == ["F23", "F63"]
    assert told(watch, (0, {"F23"}), (5, {"F23"}), (10, set()), (15, set())) == [
        NOTHING,
        CodeChanges(lasting=("F23",), gone=("F63",)),
        NOTHING,
        CodeChanges(gone=("F23",)),
    ]
    assert watch.active == []


def test_outage_is_reported_at_its_start_and_end_and_grows_meanwhile() -> None:
    """Told when it begins and when it ends, and it grows meanwhile."""
    watch = OutageWatch()
    assert not watch.update(off_grid=False, now=at(0))
    assert watch.last is None
    assert watch.update(off_grid=True, now=at(5))
    assert (watch.last, watch.lasts) == (Outage(at(5)), True)
    assert not watch.update(off_grid=True, now=at(10))
    assert watch.last is not None
    assert watch.last.duration(at(65)) == timedelta(seconds=60)
    assert watch.update(off_grid=False, now=at(95))
    assert (watch.last, watch.lasts) == (Outage(at(5), at(95)), False)
    assert watch.last.duration(at(3600)) == timedelta(seconds=90)
    assert not watch.update(off_grid=False, now=at(100))
    assert watch.update(off_grid=True, now=at(200))
    assert watch.last == Outage(at(200))


def test_an_outage_over_a_restart() -> None:
    """One that lasts goes on, one that has ended is still the last one."""
    watch = OutageWatch(Outage(at(0)))
    assert not watch.update(off_grid=True, now=at(600))
    assert watch.update(off_grid=False, now=at(700))
    assert watch.last == Outage(at(0), at(700))
    ended = OutageWatch(Outage(at(0), at(60)))
    assert not ended.update(off_grid=False, now=at(700))
    assert ended.last == Outage(at(0), at(60))


def test_a_clock_that_was_set_back() -> None:
    """No outage is shorter than nothing."""
    assert Outage(at(60)).duration(at(0)) == timedelta(0)
