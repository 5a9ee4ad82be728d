"""The time-of-use table: windows become six slots, slots become windows, and both say when what happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.schedule.day_slots import (
    Rule,
    Slot,
    Window,
    expand,
    windows_of,
)
from custom_components.hybrid_inverter.modbus.schedule.occurrences import (
    Occurrence,
    active,
    merged_occurrences,
    next_change,
    next_slot,
    occurrences,
)
from custom_components.hybrid_inverter.modbus.schedule.schedule import (
    Bounds,
    Reason,
    ScheduleError,
)
from custom_components.hybrid_inverter.modbus.schedule.six_slots import (
    KEYS,
    SIX_SLOTS,
    SlotTable,
    values_of,
)
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

BERLIN: Final = ZoneInfo("Europe/Berlin")
EVERY_DAY: Final = frozenset(range(7))
PERCENT: Final = Bounds(0, 100, 1)
WATTS: Final = Bounds(0, 8000, 1)

REST: Final = Rule(target=20, power=8000)
CHARGE: Final = Rule(target=80, power=8000, grid_charge=True)
EVENING: Final = Rule(target=40, power=5000)


def six(windows: Sequence[Window], otherwise: Rule = REST) -> tuple[Slot, ...]:
    """Return the slots of these windows for an 8 kW machine that goes by percent."""
    return expand(windows, otherwise, count=6, target=PERCENT, power=WATTS)


def table(*slots: tuple[str, Rule]) -> tuple[Slot, ...]:
    """Return slots from their starts as text."""
    return tuple(Slot(time.fromisoformat(start), rule) for start, rule in slots)


def window(start: str, end: str, rule: Rule = CHARGE) -> Window:
    """Return a window from times as text."""
    return Window(time.fromisoformat(start), time.fromisoformat(end), rule)


# ---------------------------------------------------------------------- windows to slots


def test_two_windows_make_six_slots_and_halve_the_longest_gap_twice() -> None:
    """Charge by night, spare the evening: four slots, and two halves of the longest one, twice."""
    # 21:00 to 01:00 lasts 4 h, 01:00 to 05:00 4 h, 05:00 to 17:00 12 h, 17:00 to 21:00 4 h;
    # 05:00 to 17:00 is halved at 11:00, and then 05:00 to 11:00 at 08:00.
    assert six([window("01:00", "05:00"), window("17:00", "21:00", EVENING)]) == table(
        ("01:00", CHARGE),
        ("05:00", REST),
        ("08:00", REST),
        ("11:00", REST),
        ("17:00", EVENING),
        ("21:00", REST),
    )


def test_window_over_midnight_becomes_the_last_slot_of_the_day() -> None:
    """The window's slot is the last one of the day."""
    assert six([window("22:00", "06:00")]) == table(
        # 06:00 to 22:00 is halved at 14:00; then 06:00 to 14:00 at 10:00, 14:00 to 22:00 at 18:00,
        # and 22:00 to 06:00 at 02:00.
        ("02:00", CHARGE),
        ("06:00", REST),
        ("10:00", REST),
        ("14:00", REST),
        ("18:00", REST),
        ("22:00", CHARGE),
    )


def test_six_windows_without_a_gap() -> None:
    """They are the slots, whatever their order; 00:00 as an end is midnight."""
    rules = [replace(EVENING, target=target) for target in (10, 20, 30, 40, 50, 60)]
    times = ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00", "00:00"]
    windows = [
        window(start, end, rule) for (start, end), rule in zip(pairwise(times), rules, strict=True)
    ]
    assert six(windows[::-1]) == table(*zip(times[:-1], rules, strict=True))


def test_neighbours_with_the_same_rule_are_one() -> None:
    """Seven pieces, and still six slots."""
    hours = ["00:00", "01:00", "02:00", "03:00", "04:00", "05:00", "06:00"]
    rules = [CHARGE, EVENING, CHARGE, CHARGE, EVENING, CHARGE]
    windows = [
        window(start, end, rule) for (start, end), rule in zip(pairwise(hours), rules, strict=True)
    ]
    assert six(windows) == table(
        ("00:00", CHARGE),
        ("01:00", EVENING),
        ("02:00", CHARGE),
        ("04:00", EVENING),
        ("05:00", CHARGE),
        ("06:00", REST),
    )


@pytest.mark.parametrize(
    ("windows", "reason", "details"),
    [
        ([], Reason.NO_WINDOWS, {}),
        (
            [window("01:00", "02:00"), window("03:03", "04:00")],
            Reason.NOT_ON_STEP,
            {"window": "2", "time": "03:03", "minutes": "5"},
        ),
        (
            [window("01:00", "05:00:30")],
            Reason.NOT_ON_STEP,
            {"window": "1", "time": "05:00:30", "minutes": "5"},
        ),
        ([window("01:00", "01:00")], Reason.EMPTY, {"window": "1", "time": "01:00"}),
        (
            [window("01:00", "05:00"), window("04:55", "06:00", EVENING)],
            Reason.OVERLAP,
            {"window": "2", "other": "1", "time": "04:55"},
        ),
        (
            [window("01:00", "02:00"), window("22:00", "01:05")],
            Reason.OVERLAP,
            {"window": "2", "other": "1", "time": "01:00"},
        ),
        (
            [window("01:00", "02:00", replace(CHARGE, target=101))],
            Reason.TARGET,
            {"window": "1", "value": "101", "minimum": "0", "maximum": "100", "step": "1"},
        ),
        (
            [window("01:00", "02:00", replace(CHARGE, target=80.5))],
            Reason.TARGET,
            {"window": "1", "value": "80.5", "minimum": "0", "maximum": "100", "step": "1"},
        ),
        (
            [window("01:00", "02:00"), window("03:00", "04:00", replace(CHARGE, power=8001))],
            Reason.POWER,
            {"window": "2", "value": "8001", "minimum": "0", "maximum": "8000", "step": "1"},
        ),
        (
            [window(f"{hour:02}:00", f"{hour:02}:30") for hour in range(0, 8, 2)],
            Reason.TOO_MANY,
            {"count": "8", "most": "6"},
        ),
    ],
)
def test_what_is_no_schedule(
    windows: list[Window], reason: Reason, details: dict[str, str]
) -> None:
    """The error names the window and the reason."""
    with pytest.raises(ScheduleError) as caught:
        six(windows)
    assert (caught.value.reason, caught.value.details) == (reason, details)


@pytest.mark.parametrize("target", [float("nan"), float("inf"), -1])
def test_the_rest_is_checked_too(target: float) -> None:
    """The message is about the time between the windows."""
    with pytest.raises(ScheduleError) as caught:
        six([window("01:00", "02:00")], replace(REST, target=target))
    assert caught.value.reason is Reason.DEFAULT_TARGET
    assert "window" not in caught.value.details


# ---------------------------------------------------------------------- slots to windows


def test_the_table_of_the_manual() -> None:
    """Page 5.7: six slots, of which two neighbours say the same."""
    night = Rule(target=80, power=5000, grid_charge=True)
    forty = Rule(target=40, power=5000)
    eighty = Rule(target=80, power=5000)
    last = Rule(target=35, power=5000)
    slots = table(
        ("01:00", night),
        ("05:00", forty),
        ("08:00", forty),
        ("10:00", eighty),
        ("15:00", forty),
        ("18:00", last),
    )
    assert windows_of(slots) == [
        window("01:00", "05:00", night),
        window("05:00", "10:00", forty),
        window("10:00", "15:00", eighty),
        window("15:00", "18:00", forty),
        window("18:00", "01:00", last),
    ]


def test_of_slots_with_the_same_start_the_last_one_counts() -> None:
    """Of slots that start at the same time the last one counts."""
    slots = table(
        ("00:00", EVENING),
        ("00:00", REST),
        ("06:00", CHARGE),
        ("06:00", EVENING),
        ("06:00", CHARGE),
        ("06:00", EVENING),
    )
    assert windows_of(slots) == [
        window("00:00", "06:00", REST),
        window("06:00", "00:00", EVENING),
    ]


def test_one_rule_all_day() -> None:
    """Two windows, since one would end when it starts."""
    slots = table(*[("03:00", REST)] * 6)
    assert windows_of(slots) == [window("03:00", "15:00", REST), window("15:00", "03:00", REST)]


rules = st.builds(
    Rule,
    target=st.integers(0, 100),
    power=st.integers(0, 8000),
    grid_charge=st.booleans(),
    generator_charge=st.booleans(),
)


@st.composite
def some_windows(draw: st.DrawFn) -> list[Window]:
    """Return one to six windows that do not overlap, with gaps between some of them."""
    cells = sorted(draw(st.sets(st.integers(0, 287), min_size=2, max_size=6)))
    times = [time(*divmod(5 * cell, 60)) for cell in cells]
    pairs = list(pairwise([*times, times[0]]))
    kept = draw(st.sets(st.sampled_from(pairs), min_size=1))
    few = draw(st.lists(rules, min_size=1, max_size=3))
    return [Window(start, end, draw(st.sampled_from(few))) for start, end in sorted(kept)]


def by_minute(windows: Sequence[Window]) -> dict[int, Rule]:
    """Return the rule of each minute of a day, counted the slow way."""
    found: dict[int, Rule] = {}
    for item in windows:
        minute = item.start.hour * 60 + item.start.minute
        while minute != item.end.hour * 60 + item.end.minute:
            assert minute not in found
            found[minute] = item.rule
            minute = (minute + 1) % 1440
    return found


@given(some_windows(), rules)
def test_expanded_slots_are_legal_and_match_the_windows_every_minute(
    windows: list[Window], otherwise: Rule
) -> None:
    """Six slots that ascend on the grid, and say for every minute what the windows say."""
    slots = six(windows, otherwise)
    starts = [slot.start for slot in slots]
    assert len(slots) == 6
    assert all(first < second for first, second in pairwise(starts))
    assert all(start.minute % 5 == 0 and start.second == 0 for start in starts)
    wanted = by_minute(windows)
    said = by_minute([Window(a.start, b.start, a.rule) for a, b in pairwise([*slots, slots[0]])])
    assert said == {minute: wanted.get(minute, otherwise) for minute in range(1440)}


@given(some_windows(), rules)
def test_windows_of_slots_cover_the_day_and_give_the_same_slots_again(
    windows: list[Window], otherwise: Rule
) -> None:
    """The windows of the slots cover the day, mean the same, and give the same slots again."""
    slots = six(windows, otherwise)
    back = windows_of(slots)
    wanted = by_minute(windows)
    assert by_minute(back) == {minute: wanted.get(minute, otherwise) for minute in range(1440)}
    again = six(back, REST)
    assert windows_of(again) == back
    assert len({item.rule for item in back}) == 1 or again == slots


# ---------------------------------------------------------------------- what happens when

MANUAL: Final = SlotTable(
    enabled=True,
    days=EVERY_DAY,
    slots=table(
        ("01:00", CHARGE),
        ("05:00", REST),
        ("08:00", REST),
        ("10:00", EVENING),
        ("15:00", CHARGE),
        ("18:00", EVENING),
    ),
)


def active_slot(schedule: SlotTable, now: datetime, zone: ZoneInfo) -> int | None:
    """Return the number of the slot in force."""
    item = active(schedule, now, zone)
    return item.slot if item else None


def local(text: str) -> datetime:
    """Return a moment in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "slot", "following", "change"),
    [
        # 2026-06-10 is a Wednesday.
        ("2026-06-10 00:59", 6, "2026-06-10 01:00", "2026-06-10 01:00"),
        ("2026-06-10 01:00", 1, "2026-06-10 05:00", "2026-06-10 05:00"),
        # From 05:00 to 08:00 and to 10:00 the same happens.
        ("2026-06-10 05:00", 2, "2026-06-10 08:00", "2026-06-10 10:00"),
        ("2026-06-10 09:59", 3, "2026-06-10 10:00", "2026-06-10 10:00"),
        # At midnight the same slot goes on.
        ("2026-06-10 18:00", 6, "2026-06-11 00:00", "2026-06-11 01:00"),
    ],
)
def test_active_slot_and_its_next_change_are_known_at_any_time(
    now: str, slot: int, following: str, change: str
) -> None:
    """The slot in force, when to look again, and when something else happens."""
    moment = local(now)
    assert active_slot(MANUAL, moment, BERLIN) == slot
    assert next_slot(MANUAL, moment, BERLIN) == local(following)
    assert next_change(MANUAL, moment, BERLIN) == local(change)


def test_slots_apply_on_the_enabled_weekdays_only() -> None:
    """On Monday, 2026-06-08, only; by the weekday of the moment, as the machine does."""
    monday = replace(MANUAL, days=frozenset({0}))
    midnight, next_monday = local("2026-06-09 00:00"), local("2026-06-15 00:00")
    assert active_slot(monday, local("2026-06-07 23:59"), BERLIN) is None
    assert active_slot(monday, local("2026-06-08 00:00"), BERLIN) == 6
    assert active_slot(monday, local("2026-06-08 23:59"), BERLIN) == 6
    assert next_change(monday, local("2026-06-08 20:00"), BERLIN) == midnight
    assert active_slot(monday, midnight, BERLIN) is None
    assert next_change(monday, midnight, BERLIN) == next_monday
    assert next_slot(monday, midnight, BERLIN) == next_monday
    assert next_change(monday, local("2026-06-07 12:00"), BERLIN) == local("2026-06-08 00:00")


@pytest.mark.parametrize(
    "schedule",
    [replace(MANUAL, enabled=False), replace(MANUAL, days=frozenset()), replace(MANUAL, slots=())],
)
def test_disabled_schedule_has_no_events(schedule: SlotTable) -> None:
    """Nothing happens, and nothing will."""
    now = local("2026-06-10 12:00")
    assert active_slot(schedule, now, BERLIN) is None
    assert next_change(schedule, now, BERLIN) is None
    assert next_slot(schedule, now, BERLIN) is None


def test_one_rule_never_changes() -> None:
    """The slots take turns, but nothing else happens; a calendar shows it day by day."""
    slots = tuple(replace(slot, rule=REST) for slot in MANUAL.slots)
    schedule = replace(MANUAL, slots=slots)
    now = local("2026-06-10 12:00")
    assert next_change(schedule, now, BERLIN) is None
    assert next_slot(schedule, now, BERLIN) == local("2026-06-10 15:00")
    shown = merged_occurrences(schedule, date(2026, 6, 10), date(2026, 6, 11), BERLIN)
    assert [(item.start, item.end) for item in shown] == [
        (local("2026-06-10 00:00"), local("2026-06-11 00:00")),
        (local("2026-06-11 00:00"), local("2026-06-12 00:00")),
    ]


def test_consecutive_equal_slots_are_one_event_even_over_midnight() -> None:
    """Slots that say the same are one, over midnight as well."""
    shown = merged_occurrences(MANUAL, date(2026, 6, 10), date(2026, 6, 11), BERLIN)
    assert [(item.slot, item.start, item.rule) for item in shown[:6]] == [
        (6, local("2026-06-10 00:00"), EVENING),
        (1, local("2026-06-10 01:00"), CHARGE),
        (2, local("2026-06-10 05:00"), REST),
        (4, local("2026-06-10 10:00"), EVENING),
        (5, local("2026-06-10 15:00"), CHARGE),
        (6, local("2026-06-10 18:00"), EVENING),
    ]
    assert shown[5].end == local("2026-06-11 01:00")


def test_slot_within_the_skipped_hour_in_spring_never_comes() -> None:
    """On 2026-03-29 the clock goes from 02:00 to 03:00: a slot in between never comes, the one before ends there."""
    schedule = replace(
        MANUAL,
        slots=table(
            ("00:00", REST),
            ("01:30", CHARGE),
            ("02:15", EVENING),
            ("02:45", CHARGE),
            ("04:00", REST),
            ("20:00", EVENING),
        ),
    )
    day = date(2026, 3, 29)
    assert list(occurrences(schedule, day, day, BERLIN))[:4] == [
        Occurrence(1, utc("2026-03-28 23:00"), utc("2026-03-29 00:30"), REST),
        Occurrence(2, utc("2026-03-29 00:30"), utc("2026-03-29 01:00"), CHARGE),
        Occurrence(4, utc("2026-03-29 01:00"), utc("2026-03-29 02:00"), CHARGE),
        Occurrence(5, utc("2026-03-29 02:00"), utc("2026-03-29 18:00"), REST),
    ]


def test_slot_within_the_repeated_hour_in_autumn_starts_once() -> None:
    """On 2026-10-25 the hour from 02:00 to 03:00 comes twice: a slot that starts in it starts once."""
    schedule = replace(
        MANUAL,
        slots=table(
            ("00:00", REST),
            ("02:30", CHARGE),
            ("04:00", EVENING),
            ("06:00", CHARGE),
            ("08:00", REST),
            ("20:00", EVENING),
        ),
    )
    day = date(2026, 10, 25)
    assert list(occurrences(schedule, day, day, BERLIN))[:2] == [
        Occurrence(1, utc("2026-10-24 22:00"), utc("2026-10-25 00:30"), REST),
        Occurrence(2, utc("2026-10-25 00:30"), utc("2026-10-25 03:00"), CHARGE),
    ]
    # 02:15 for the second time.
    assert active_slot(schedule, utc("2026-10-25 01:15"), BERLIN) == 2


def utc(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(
    some_windows(),
    rules,
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 8 * 24 * 60 * 60),
)
def test_nothing_changes_before_the_next_change_and_something_does_then(
    windows: list[Window], otherwise: Rule, days: set[int], seconds: int
) -> None:
    """Nothing changes before the next change, and something does then, whatever the clocks do."""
    schedule = SlotTable(True, frozenset(days), six(windows, otherwise))
    now = utc("2026-03-25 00:00") + timedelta(seconds=seconds)

    def rule_at(moment: datetime) -> Rule | None:
        slot = active_slot(schedule, moment, BERLIN)
        return schedule.slots[slot - 1].rule if slot else None

    change = next_change(schedule, now, BERLIN)
    if change is None:
        assert len({slot.rule for slot in schedule.slots}) == 1
        assert days == set(range(7))
        return
    assert change > now
    assert rule_at(change) != rule_at(change - timedelta(seconds=1)) == rule_at(now)
    following = next_slot(schedule, now, BERLIN)
    assert following is not None
    assert now < following <= change
    assert active_slot(schedule, following - timedelta(seconds=1), BERLIN) == active_slot(
        schedule, now, BERLIN
    )


# ---------------------------------------------------------------------- keys

VALUES: Final[dict[str, Value | None]] = {
    "tou_enabled": True,
    **dict.fromkeys(
        ("tou_monday", "tou_tuesday", "tou_wednesday", "tou_thursday", "tou_friday"), True
    ),
    "tou_saturday": False,
    "tou_sunday": False,
    **{f"tou_slot_{n}_time": time(4 * n - 4) for n in range(1, 7)},
    **{f"tou_slot_{n}_power": 1000 * n for n in range(1, 7)},
    **{f"tou_slot_{n}_voltage": 48 + n / 2 for n in range(1, 7)},
    **{f"tou_slot_{n}_soc": 10 * n for n in range(1, 7)},
    **{f"tou_slot_{n}_grid_charge": n == 1 for n in range(1, 7)},
    **{f"tou_slot_{n}_generator_charge": n == 2 for n in range(1, 7)},
    "battery_chemistry": "lithium",
    "battery_operation_mode": "state_of_charge",
}


def test_schedule_is_read_from_values_in_percent() -> None:
    """What a machine holds, by percent."""
    schedule = SIX_SLOTS.read(VALUES)
    assert schedule is not None
    assert (schedule.enabled, schedule.by_voltage) == (True, False)
    assert schedule.days == {0, 1, 2, 3, 4}
    assert schedule.slots[:2] == (
        Slot(time(0), Rule(target=10, power=1000, grid_charge=True)),
        Slot(time(4), Rule(target=20, power=2000, generator_charge=True)),
    )


@pytest.mark.parametrize(
    ("chemistry", "mode", "by_voltage"),
    [
        ("lead_acid", "voltage", True),
        ("lead_acid", "state_of_charge", False),
        ("lithium", "voltage", False),
    ],
)
def test_targets_are_in_volts_only_for_lead_acid_controlled_by_voltage(
    chemistry: str, mode: str, by_voltage: bool
) -> None:
    """Only a lead-acid battery that is run by voltage has targets in volts."""
    schedule = SIX_SLOTS.read(
        {**VALUES, "battery_chemistry": chemistry, "battery_operation_mode": mode}
    )
    assert schedule is not None
    assert schedule.by_voltage is by_voltage
    assert schedule.slots[5].rule.target == (51.0 if by_voltage else 60)


@pytest.mark.parametrize(
    "key",
    [
        "tou_enabled",
        "tou_slot_3_time",
        "tou_slot_3_power",
        "tou_slot_3_soc",
        "tou_slot_6_grid_charge",
        "tou_slot_6_generator_charge",
    ],
)
def test_half_a_table_is_none(key: str) -> None:
    """Whatever part of it was not read."""
    assert SIX_SLOTS.read({name: VALUES[name] for name in VALUES if name != key}) is None


def test_a_start_that_is_no_time_costs_its_slot_only() -> None:
    """25:75: the slot before it goes on until the next one; it is named, and the windows are those of the others."""
    schedule = SIX_SLOTS.read({**VALUES, "tou_slot_3_time": None})
    assert schedule is not None
    response: Any = schedule.as_response()
    assert response["slots"][2] == {"slot": 3, "unreadable": ["start"]}
    assert [item["start"] for item in response["windows"]] == [
        "00:00",
        "04:00",
        "12:00",
        "16:00",
        "20:00",
    ]
    assert [(item.slot, item.start, item.end) for item in schedule.on(0)][:3] == [
        (1, 0, 240),
        (2, 240, 720),
        (4, 720, 960),
    ]


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("tou_slot_3_power", ["power"]),
        ("tou_slot_3_soc", ["target"]),
        ("tou_slot_3_grid_charge", ["grid_charge"]),
    ],
)
def test_a_slot_of_which_something_cannot_be_read_is_a_gap(key: str, named: list[str]) -> None:
    """What it does from 08:00 to 12:00 nobody knows; all others stay."""
    schedule = SIX_SLOTS.read({**VALUES, key: None})
    assert schedule is not None
    response: Any = schedule.as_response()
    assert response["slots"][2] == {"slot": 3, "start": "08:00", "unreadable": named}
    assert [item["start"] for item in response["windows"]] == [
        "00:00",
        "04:00",
        "12:00",
        "16:00",
        "20:00",
    ]
    assert [(item.slot, item.start, item.end) for item in schedule.on(0)] == [
        (1, 0, 240),
        (2, 240, 480),
        (4, 720, 960),
        (5, 960, 1200),
        (6, 1200, 1440),
    ]


def test_a_table_of_which_nothing_can_be_read_has_no_windows() -> None:
    """Nothing is guessed, and nothing fails."""
    starts = {f"tou_slot_{number}_time": None for number in range(1, 7)}
    schedule = SIX_SLOTS.read({**VALUES, **starts})
    assert schedule is not None
    assert schedule.as_response()["windows"] == []
    assert schedule.on(0) == []


def test_the_end_of_a_day_is_midnight() -> None:
    """The sixth slot starts at 24:00: it lasts from 00:00 until the first one."""
    row = JSO.registers["tou_slot_1_time"]
    starts = {
        f"tou_slot_{number}_time": row.decode({148: word})
        for number, word in enumerate((100, 500, 900, 1300, 1700, 2400), 1)
    }
    schedule = SIX_SLOTS.read({**VALUES, **starts})
    assert schedule is not None
    assert [(item.slot, item.start, item.end) for item in schedule.on(0)] == [
        (6, 0, 60),
        (1, 60, 300),
        (2, 300, 540),
        (3, 540, 780),
        (4, 780, 1020),
        (5, 1020, 1440),
    ]
    assert schedule.unreadable == {}


def test_thirty_values_leave_voltages_alone_when_targets_are_in_percent() -> None:
    """Thirty values, of which none says anything about volts where the battery goes by percent."""
    slots = tuple(
        Slot(time(4 * n - 4), Rule(target=10 * n, power=1000 * n, grid_charge=n == 1))
        for n in range(1, 7)
    )
    written = values_of(slots, by_voltage=False)
    assert len(written) == 30
    assert written["tou_slot_2_time"] == time(4)
    assert written["tou_slot_6_power"] == 6000
    assert written["tou_slot_6_soc"] == 60
    assert written["tou_slot_1_grid_charge"] is True
    assert written["tou_slot_1_generator_charge"] is False
    assert "tou_slot_1_voltage" not in written
    assert values_of(slots, by_voltage=True)["tou_slot_6_voltage"] == 60


def test_keys_are_of_the_table() -> None:
    """A misspelled one would leave a machine without its schedule."""
    assert JSO.registers.keys() >= KEYS
    assert {JSO.group_of(key) for key in KEYS} == {"settings"}
    # Enabled, seven days, six slots of six, and four of the battery.
    assert len(KEYS) == 48
