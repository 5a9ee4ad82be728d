"""The schedule of slots that charge and slots that discharge: what is written for windows, and what happens when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.schedule.charge_windows import (
    CHARGE_WINDOWS,
    KEYS,
    OPTIONAL,
    Action,
    WindowTable,
)
from custom_components.hybrid_inverter.modbus.schedule.occurrences import (
    active,
    merged_occurrences,
    next_change,
    next_slot,
)
from custom_components.hybrid_inverter.modbus.schedule.schedule import (
    Bounds,
    Description,
    Reason,
    RequestedWindow,
    ScheduleError,
    ScheduleRequest,
    ScheduleWrites,
    Sentence,
    Text,
)
from custom_components.hybrid_inverter.modbus.schedule.six_slots import SIX_SLOTS, SlotTable
from custom_components.hybrid_inverter.modbus.schedule.styles import style_of
from custom_components.hybrid_inverter.modbus.tables.jso import JSO
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

BERLIN: Final = ZoneInfo("Europe/Berlin")
ALL: Final = frozenset({0, 1, 2, 3, 4, 5, 6})
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# A machine of 5 kW as it leaves the factory, of which one per cent is 50 W.
EMPTY: Final[dict[str, Value | None]] = {
    "rated_power": 5000,
    "work_mode": "self_consumption",
    **{
        f"{mode}_slot_{number}_{field}": value
        for mode in ("charge", "discharge")
        for number in range(1, 8)
        for field, value in (
            ("enabled", False),
            ("start", time(0)),
            ("end", time(0)),
            ("days", frozenset[int]()),
            ("power", 0),
        )
    },
}


def slot(
    name: str,
    start: str,
    end: str,
    power: int,
    days: frozenset[int] = ALL,
    *,
    enabled: bool = True,
) -> dict[str, Value | None]:
    """Return what a machine holds of a slot; the power is in percent."""
    return {
        f"{name}_enabled": enabled,
        f"{name}_start": time.fromisoformat(start),
        f"{name}_end": time.fromisoformat(end),
        f"{name}_days": days,
        f"{name}_power": power,
    }


# By night it charges, on working days it discharges in the evening.
BUSY: Final[dict[str, Value | None]] = {
    **EMPTY,
    "work_mode": "time_of_use",
    **slot("charge_slot_1", "01:00", "05:00", 40),
    **slot("charge_slot_3", "12:00", "13:30", 100, frozenset({5, 6})),
    **slot("discharge_slot_2", "18:00", "20:00", 50, frozenset({0, 1, 2, 3, 4})),
}


def wish(
    mode: str, start: str, end: str, power: float, days: frozenset[int] | None = None
) -> RequestedWindow:
    """Return a window from times as text; the power is in watts."""
    return RequestedWindow(
        mode=mode,
        start=time.fromisoformat(start),
        end=time.fromisoformat(end),
        power=power,
        days=days,
    )


NIGHT: Final = wish("charge", "01:00", "05:00", 2000)
EVENING: Final = wish("discharge", "18:00", "20:00", 2500)


def table(values: Mapping[str, Value | None]) -> WindowTable:
    """Return the schedule of a machine that holds these values."""
    held = CHARGE_WINDOWS.read(values)
    assert held is not None
    return held


def no_bounds(key: str) -> Bounds:
    """Nothing is bounded by another setting."""
    raise AssertionError(key)


def planned(
    windows: Sequence[RequestedWindow], values: Mapping[str, Value | None] = EMPTY, **whole: Any
) -> ScheduleWrites:
    """Return the plan for these windows on a machine that holds these values."""
    request = ScheduleRequest(windows=tuple(windows), **whole)
    return CHARGE_WINDOWS.writes_for(request, table(values), values, no_bounds)


# ---------------------------------------------------------------------- which machines


def test_whose_style_it_is() -> None:
    """It goes by the keys; the slots that discharge may be missing."""
    slots = next(feature for feature in SAJ.features if feature.key == "discharge_slots")
    served = SAJ.registers.keys() | slots.registers.keys()
    assert served >= KEYS | OPTIONAL
    assert style_of(served) is CHARGE_WINDOWS
    assert style_of(SAJ.registers.keys()) is CHARGE_WINDOWS
    assert style_of(JSO.registers.keys()) is SIX_SLOTS
    assert style_of(KEYS - {"charge_slot_7_end"}) is None
    # The work mode, and seven slots of five.
    assert (len(KEYS), len(OPTIONAL)) == (36, 35)
    rows = {**SAJ.registers, **slots.registers}
    assert {rows[key].group for key in KEYS | OPTIONAL} == {"settings"}


# ---------------------------------------------------------------------- what is written


def test_a_window_on_an_empty_machine() -> None:
    """Start, end, days and power first, the switch last; the work mode only if it is asked for, after all."""
    steps = (
        ("charge_slot_1_start", time(1)),
        ("charge_slot_1_end", time(5)),
        ("charge_slot_1_days", ALL),
        ("charge_slot_1_power", 40),
        ("charge_slot_1_enabled", True),
    )
    assert planned([NIGHT]).steps == steps
    assert planned([NIGHT], enabled=False).steps == steps
    assert planned([NIGHT], enabled=True).steps == (*steps, ("work_mode", "time_of_use"))
    assert planned([NIGHT]).requests == ()


def test_a_slot_that_changes_is_off_meanwhile() -> None:
    """What stays as it is is not written, and what is not needed any more is only switched off."""
    windows = [
        wish("charge", "01:00", "05:30", 2000),
        wish("discharge", "18:00", "20:00", 2500, frozenset({0, 1, 2, 3, 4})),
    ]
    assert planned(windows, BUSY, enabled=True).steps == (
        ("charge_slot_3_enabled", False),
        ("charge_slot_1_enabled", False),
        ("charge_slot_1_end", time(5, 30)),
        ("charge_slot_1_enabled", True),
    )


def test_slots_change_one_after_the_other() -> None:
    """The second one is in force until the first one is again."""
    values = {
        **BUSY,
        **slot("charge_slot_2", "06:00", "07:00", 40),
    }
    windows = [
        wish("charge", "01:00", "05:00", 2100),
        wish("charge", "06:00", "07:00", 2100),
        wish("charge", "12:00", "13:30", 2100, frozenset({5, 6})),
    ]
    assert planned(windows, values).steps == (
        ("discharge_slot_2_enabled", False),
        ("charge_slot_1_enabled", False),
        ("charge_slot_1_power", 42),
        ("charge_slot_1_enabled", True),
        ("charge_slot_2_enabled", False),
        ("charge_slot_2_power", 42),
        ("charge_slot_2_enabled", True),
        ("charge_slot_3_enabled", False),
        ("charge_slot_3_power", 42),
        ("charge_slot_3_enabled", True),
    )


def test_a_slot_waits_for_the_one_whose_time_it_takes() -> None:
    """Slot 1 moves to where slot 2 still is, so slot 2 moves first; slot 4 is new, and acts last."""
    values = {**EMPTY, **slot("charge_slot_1", "01:00", "03:00", 40)}
    values |= slot("charge_slot_2", "03:00", "05:00", 40)
    windows = [
        wish("charge", "02:00", "04:00", 2000),
        wish("charge", "04:00", "06:00", 2000),
        wish("charge", "01:00", "02:00", 1000),
    ]
    assert planned(windows, values).steps == (
        ("charge_slot_3_start", time(1)),
        ("charge_slot_3_end", time(2)),
        ("charge_slot_3_days", ALL),
        ("charge_slot_3_power", 20),
        ("charge_slot_2_enabled", False),
        ("charge_slot_2_start", time(4)),
        ("charge_slot_2_end", time(6)),
        ("charge_slot_2_enabled", True),
        ("charge_slot_1_enabled", False),
        ("charge_slot_1_start", time(2)),
        ("charge_slot_1_end", time(4)),
        ("charge_slot_1_enabled", True),
        ("charge_slot_3_enabled", True),
    )


def test_two_slots_that_take_each_others_time_are_off_together() -> None:
    """There is no order in which they would not overlap, a charge and a discharge among them."""
    values = {**EMPTY, **slot("charge_slot_1", "01:00", "03:00", 40)}
    values |= slot("discharge_slot_1", "03:00", "05:00", 40)
    windows = [
        wish("charge", "03:00", "05:00", 2000),
        wish("discharge", "01:00", "03:00", 2000),
    ]
    assert planned(windows, values).steps == (
        ("discharge_slot_1_enabled", False),
        ("charge_slot_1_enabled", False),
        ("charge_slot_1_start", time(3)),
        ("charge_slot_1_end", time(5)),
        ("charge_slot_1_enabled", True),
        ("discharge_slot_1_start", time(1)),
        ("discharge_slot_1_end", time(3)),
        ("discharge_slot_1_enabled", True),
    )


def test_same_windows_write_nothing_in_whatever_slots_they_are() -> None:
    """In whatever slots it is, and also if a slot only has to be switched on."""
    windows = [
        wish("discharge", "18:00", "20:00", 2500, frozenset({0, 1, 2, 3, 4})),
        wish("charge", "12:00", "13:30", 5000, frozenset({5, 6})),
        NIGHT,
    ]
    assert planned(windows, BUSY).steps == ()
    off = {**BUSY, "charge_slot_3_enabled": False}
    assert planned(windows, off).steps == (("charge_slot_3_enabled", True),)


def test_no_windows_switch_all_slots_off_and_keep_their_contents() -> None:
    """All slots are switched off, and keep what they say."""
    assert planned([], BUSY).steps == (
        ("charge_slot_1_enabled", False),
        ("charge_slot_3_enabled", False),
        ("discharge_slot_2_enabled", False),
    )
    assert planned([]).steps == ()


def test_window_over_midnight_takes_two_slots_on_shifted_days() -> None:
    """Two slots, the second on the days after: Saturday's and Sunday's night end on Sunday and Monday."""
    plan = planned([wish("discharge", "22:00", "06:00", 1000, frozenset({5, 6}))])
    assert plan.steps == (
        ("discharge_slot_1_start", time(22)),
        ("discharge_slot_1_end", time(23, 59)),
        ("discharge_slot_1_days", frozenset({5, 6})),
        ("discharge_slot_1_power", 20),
        # It starts at midnight already.
        ("discharge_slot_2_end", time(6)),
        ("discharge_slot_2_days", frozenset({6, 0})),
        ("discharge_slot_2_power", 20),
        ("discharge_slot_1_enabled", True),
        ("discharge_slot_2_enabled", True),
    )


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        ("22:00", "00:00", (time(22), time(23, 59))),
        ("22:00", "23:59", (time(22), time(23, 59))),
        ("00:00", "00:00", (time(0), time(23, 59))),
        ("00:00", "00:01", (time(0), time(0, 1))),
        ("13:37", "13:38", (time(13, 37), time(13, 38))),
    ],
)
def test_any_minute_is_allowed_and_the_day_ends_with_its_last_one(
    start: str, end: str, written: tuple[time, time]
) -> None:
    """Every minute will do; the day ends with the last one that the machine knows."""
    steps = dict(planned([wish("charge", start, end, 5000)]).steps)
    values = EMPTY | steps
    assert (values["charge_slot_1_start"], values["charge_slot_1_end"]) == written
    assert "charge_slot_2_enabled" not in steps


@pytest.mark.parametrize(
    ("rated", "watts", "percent"),
    [
        (5000, 50, 1),
        (5000, 2000, 40),
        # 2024 W are 40.48 %, 2026 W are 40.52 %.
        (5000, 2024, 40),
        (5000, 2026, 41),
        (5000, 5000, 100),
        # 4.2 kW of 30 kW.
        (30000, 4200, 14),
        (8000, 2500.5, 31),
    ],
)
def test_power_is_rounded_to_whole_percent_of_rated_power(
    rated: int, watts: float, percent: int
) -> None:
    """A slot knows only whole per cent of the rated power, and takes the nearest."""
    plan = planned([replace(NIGHT, power=watts)], {**EMPTY, "rated_power": rated})
    assert dict(plan.steps)["charge_slot_1_power"] == percent


def test_what_a_slot_holds_may_be_asked_for_again() -> None:
    """A slot of 0 %, which is nothing to ask for else, and one of 1 %, which is less than that in whole watts."""
    values = {
        **BUSY,
        "rated_power": 6123,
        **slot("charge_slot_2", "06:00", "07:00", 0),
        **slot("charge_slot_4", "08:00", "09:00", 1, frozenset({0})),
    }
    shown: Any = table(values).as_response()["windows"]
    assert {"start": "06:00", "power": 0} in [
        {name: window[name] for name in ("start", "power")} for window in shown
    ]
    # 61.23 W
    assert 61 in [window["power"] for window in shown]
    again = [
        wish(
            window["mode"],
            window["start"],
            window["end"],
            window["power"],
            frozenset(map(DAYS.index, window["days"])),
        )
        for window in shown
    ]
    assert planned(again, values).steps == ()
    for other in (
        replace(again[1], end=time(7, 30)),
        replace(again[1], mode="discharge"),
        replace(again[1], days=frozenset({3})),
    ):
        with pytest.raises(ScheduleError) as caught:
            planned([other], values)
        assert caught.value.reason is Reason.POWER


def test_what_the_response_shows() -> None:
    """Every slot as it will be, in watts as they will be."""
    plan = planned([wish("charge", "22:00", "00:00", 2024, frozenset({1, 3}))])
    assert len(plan.slots) == 14
    assert plan.slots[0] == {
        "slot": 1,
        "enabled": True,
        "mode": "charge",
        "start": "22:00",
        "end": "00:00",
        "power": 2000,
        "days": ["tuesday", "thursday"],
    }
    assert plan.slots[13] == {
        "slot": 7,
        "enabled": False,
        "mode": "discharge",
        "start": "00:00",
        "end": "00:00",
        "power": 0,
        "days": [],
    }


@pytest.mark.parametrize(
    ("windows", "whole", "reason", "details"),
    [
        ([NIGHT], {"default_rule": {"target": 20}}, Reason.UNKNOWN_FIELD, {"field": "otherwise"}),
        ([NIGHT], {"days": frozenset({0})}, Reason.UNKNOWN_FIELD, {"field": "days"}),
        (
            [EVENING, replace(NIGHT, target=80)],
            {},
            Reason.UNKNOWN_WINDOW_FIELD,
            {"window": "2", "field": "target"},
        ),
        (
            [replace(NIGHT, grid_charge=False)],
            {},
            Reason.UNKNOWN_WINDOW_FIELD,
            {"window": "1", "field": "grid_charge"},
        ),
        (
            [NIGHT, replace(EVENING, mode=None)],
            {},
            Reason.WITH_MODES,
            {},
        ),
        (
            [replace(NIGHT, power=None)],
            {},
            Reason.MISSING_FIELD,
            {"window": "1", "field": "power"},
        ),
        ([replace(NIGHT, days=frozenset())], {}, Reason.NO_DAYS, {"window": "1"}),
        (
            [NIGHT, wish("charge", "06:00", "06:00", 2000)],
            {},
            Reason.EMPTY,
            {"window": "2", "time": "06:00"},
        ),
        (
            [wish("charge", "01:00:30", "06:00", 2000)],
            {},
            Reason.NOT_ON_STEP,
            {"window": "1", "time": "01:00:30", "minutes": "1"},
        ),
        (
            [wish("charge", "23:59", "06:00", 2000)],
            {},
            Reason.LAST_MINUTE,
            {"window": "1", "time": "23:59"},
        ),
        (
            [replace(NIGHT, power=49)],
            {},
            Reason.POWER,
            {"window": "1", "value": "49", "minimum": "50", "maximum": "5000", "step": "1"},
        ),
        (
            [NIGHT, replace(EVENING, power=5001)],
            {},
            Reason.POWER,
            {"window": "2", "value": "5001", "minimum": "50", "maximum": "5000", "step": "1"},
        ),
        (
            [replace(NIGHT, power=float("nan"))],
            {},
            Reason.POWER,
            {"window": "1", "value": "nan", "minimum": "50", "maximum": "5000", "step": "1"},
        ),
        (
            [NIGHT, wish("discharge", "04:59", "06:00", 2000, frozenset({3}))],
            {},
            Reason.OVERLAP,
            {"window": "2", "other": "1", "time": "04:59"},
        ),
        # Sunday's night lasts into Monday.
        (
            [
                wish("charge", "00:30", "02:00", 2000, frozenset({0})),
                wish("charge", "22:00", "01:00", 2000, frozenset({6})),
            ],
            {},
            Reason.OVERLAP,
            {"window": "2", "other": "1", "time": "00:30"},
        ),
        (
            [wish("charge", f"{hour:02}:00", f"{hour:02}:30", 2000) for hour in range(8)],
            {},
            Reason.TOO_MANY_WINDOWS,
            {"mode": "charge", "count": "8", "most": "7"},
        ),
        # Six and two halves.
        (
            [
                wish("discharge", "23:00", "00:30", 2000),
                *(wish("discharge", f"{h:02}:00", f"{h:02}:30", 2000) for h in range(1, 7)),
            ],
            {},
            Reason.TOO_MANY_WINDOWS,
            {"mode": "discharge", "count": "8", "most": "7"},
        ),
    ],
)
def test_what_is_no_schedule(
    windows: list[RequestedWindow], whole: dict[str, Any], reason: Reason, details: dict[str, str]
) -> None:
    """The error names the window and the reason."""
    with pytest.raises(ScheduleError) as caught:
        planned(windows, **whole)
    assert (caught.value.reason, caught.value.details) == (reason, details)


def test_neighbours_do_not_overlap() -> None:
    """Neither in time, nor on different days."""
    windows = [
        wish("charge", "01:00", "05:00", 2000, frozenset({0})),
        wish("discharge", "05:00", "06:00", 2000, frozenset({0})),
        wish("discharge", "01:00", "05:00", 2000, frozenset({1})),
        wish("charge", "22:00", "01:00", 2000, frozenset({6})),
    ]
    assert len(planned(windows).steps) > 0


def test_switching_off_is_another_mode() -> None:
    """Which one it should be instead nobody can know; a machine that is in another one already has nothing to do."""
    with pytest.raises(ScheduleError) as caught:
        planned([NIGHT], BUSY, enabled=False)
    assert caught.value.reason is Reason.STAYS_ON
    assert ("work_mode", "time_of_use") not in planned([NIGHT], BUSY, enabled=True).steps


def test_without_slots_that_discharge() -> None:
    """Some firmwares have none: the others work, and a window for them is refused."""
    values = {key: value for key, value in BUSY.items() if not key.startswith("discharge_")}
    assert len(table(values).slots) == 7
    assert planned([NIGHT], values).steps == (("charge_slot_3_enabled", False),)
    with pytest.raises(ScheduleError) as caught:
        planned([NIGHT, EVENING], values)
    assert (caught.value.reason, caught.value.details) == (Reason.NO_SLOTS, {"mode": "discharge"})


def test_the_other_style_refuses_its_fields() -> None:
    """A machine of six slots knows no mode, and no days of a window."""
    six = SlotTable(enabled=True, days=ALL, slots=())
    for window, reason, details in (
        (replace(NIGHT, target=80), Reason.WITHOUT_MODES, {}),
        (
            replace(NIGHT, mode=None, target=80, days=ALL),
            Reason.UNKNOWN_WINDOW_FIELD,
            {"window": "1", "field": "days"},
        ),
    ):
        with pytest.raises(ScheduleError) as caught:
            SIX_SLOTS.writes_for(
                ScheduleRequest(windows=(window,)), six, {}, lambda _: Bounds(0, 100, 1)
            )
        assert (caught.value.reason, caught.value.details) == (reason, details)


# ---------------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    "key",
    [
        "work_mode",
        "rated_power",
        "charge_slot_2_enabled",
        "charge_slot_1_start",
        "charge_slot_1_end",
        "discharge_slot_2_days",
        "discharge_slot_2_power",
    ],
)
def test_what_has_to_be_known(key: str) -> None:
    """Whatever part of a slot that acts is missing, nobody guesses."""
    assert CHARGE_WINDOWS.read({name: BUSY[name] for name in BUSY if name != key}) is None


def test_what_a_slot_that_is_off_holds_does_not_matter() -> None:
    """Its times may be none at all: it is written as a whole when it is needed."""
    values = {**EMPTY, "charge_slot_1_start": None, "charge_slot_1_days": None}
    assert planned([NIGHT], values).steps == (
        ("charge_slot_1_start", time(1)),
        ("charge_slot_1_end", time(5)),
        ("charge_slot_1_days", ALL),
        ("charge_slot_1_power", 40),
        ("charge_slot_1_enabled", True),
    )
    assert table(values).slots_as_response(table(values).slots[:1]) == [
        {"slot": 1, "enabled": False, "mode": "charge", "unreadable": ["start", "days"]}
    ]


@pytest.mark.parametrize(
    ("field", "named"),
    [("start", "start"), ("end", "end"), ("days", "days"), ("power", "power")],
)
def test_one_bad_slot_is_named_and_the_others_stay(field: str, named: str) -> None:
    """An hour of 25, a minute of 61, a word of 0xFFFF: the slot tells nothing, and the next request replaces it."""
    values = {**BUSY, f"charge_slot_1_{field}": None}
    held = table(values)
    response: Any = held.as_response()
    assert response["slots"][0] == {
        "slot": 1,
        "enabled": True,
        "mode": "charge",
        "unreadable": [named],
    }
    assert [window["start"] for window in response["windows"]] == ["12:00", "18:00"]
    # Saturday has the charge at noon alone.
    assert [(item.start, item.end) for item in held.on(5)] == [(720, 810)]
    windows = [NIGHT, wish("charge", "12:00", "13:30", 5000, frozenset({5, 6}))]
    assert planned(windows, values).steps == (
        ("discharge_slot_2_enabled", False),
        ("charge_slot_1_enabled", False),
        ("charge_slot_1_start", time(1)),
        ("charge_slot_1_end", time(5)),
        ("charge_slot_1_days", ALL),
        ("charge_slot_1_power", 40),
        ("charge_slot_1_enabled", True),
    )


def test_slots_whose_switches_cannot_be_read_cost_no_others() -> None:
    """A word of 0xFFFF for all seven switches: those that discharge go on, and a request writes the word again."""
    values: dict[str, Value | None] = {
        **BUSY,
        **{f"charge_slot_{number}_enabled": None for number in range(1, 8)},
    }
    response: Any = table(values).as_response()
    assert response["slots"][2] == {
        "slot": 3,
        "enabled": None,
        "mode": "charge",
        "start": "12:00",
        "end": "13:30",
        "power": 5000,
        "days": ["saturday", "sunday"],
        "unreadable": ["enabled"],
    }
    assert [window["mode"] for window in response["windows"]] == ["discharge"]
    steps = planned([], values).steps
    assert steps[:7] == tuple((f"charge_slot_{number}_enabled", False) for number in range(1, 8))
    assert planned([NIGHT], values).steps[-2:] == (
        ("charge_slot_1_enabled", False),
        ("charge_slot_1_enabled", True),
    )


def test_a_mode_without_a_name_is_not_time_of_use() -> None:
    """The slots are there, and do not count."""
    held = table({**BUSY, "work_mode": None})
    assert held.enabled is False
    assert held.on(0) == []


def test_as_a_response_shows_it() -> None:
    """The windows are those that act; midnight is midnight."""
    values = {**BUSY, **slot("charge_slot_1", "22:00", "23:59", 3, frozenset({6, 0}))}
    plain = table(values).as_response()
    assert plain["enabled"] is True
    assert isinstance(plain["slots"], list)
    assert len(plain["slots"]) == 14
    assert plain["windows"] == [
        {
            "mode": "charge",
            "start": "22:00",
            "end": "00:00",
            "power": 150,
            "days": ["monday", "sunday"],
        },
        {
            "mode": "charge",
            "start": "12:00",
            "end": "13:30",
            "power": 5000,
            "days": ["saturday", "sunday"],
        },
        {
            "mode": "discharge",
            "start": "18:00",
            "end": "20:00",
            "power": 2500,
            "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        },
    ]


def test_slots_that_never_act() -> None:
    """Without a day or without length they are no windows."""
    values = {
        **BUSY,
        **slot("charge_slot_1", "01:00", "05:00", 40, frozenset()),
        **slot("charge_slot_3", "06:00", "06:00", 40),
        "discharge_slot_2_enabled": False,
    }
    assert table(values).as_response()["windows"] == []
    assert [table(values).on(day) for day in range(7)] == [[]] * 7


# ---------------------------------------------------------------------- what happens when


def local(text: str) -> datetime:
    """Return a moment in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "window", "change"),
    [
        # 2026-06-12 is a Friday.
        ("2026-06-12 00:59", "none", "2026-06-12 01:00"),
        ("2026-06-12 01:00", "charge", "2026-06-12 05:00"),
        ("2026-06-12 05:00", "none", "2026-06-12 18:00"),
        ("2026-06-12 19:59", "discharge", "2026-06-12 20:00"),
        ("2026-06-13 12:00", "charge", "2026-06-13 13:30"),
        ("2026-06-13 18:30", "none", "2026-06-14 01:00"),
    ],
)
def test_active_window_and_its_end_are_known_at_any_time(
    now: str, window: str, change: str
) -> None:
    """What the slot does that is in force, and until when."""
    item = active(table(BUSY), local(now), BERLIN)
    assert (item.rule.mode if item else "none") == window
    assert next_change(table(BUSY), local(now), BERLIN) == local(change)
    assert next_slot(table(BUSY), local(now), BERLIN) == local(change)


def test_out_of_its_mode() -> None:
    """Nothing happens, and nothing will."""
    held = table({**BUSY, "work_mode": "self_consumption"})
    now = local("2026-06-12 02:00")
    assert active(held, now, BERLIN) is None
    assert next_change(held, now, BERLIN) is None
    assert merged_occurrences(held, date(2026, 6, 8), date(2026, 6, 14), BERLIN) == []


def test_two_slots_that_meet_at_midnight_are_one_window() -> None:
    """Two slots with the same power that meet at midnight; another power is another one."""
    values = {
        **EMPTY,
        "work_mode": "time_of_use",
        **slot("charge_slot_1", "22:00", "23:59", 40, frozenset({5})),
        **slot("charge_slot_2", "00:00", "06:00", 40, frozenset({6})),
        **slot("charge_slot_3", "06:00", "07:00", 41, frozenset({6})),
    }
    shown = merged_occurrences(table(values), date(2026, 6, 12), date(2026, 6, 15), BERLIN)
    assert [(item.start, item.end, item.rule) for item in shown] == [
        (local("2026-06-13 22:00"), local("2026-06-14 06:00"), Action("charge", 2000)),
        (local("2026-06-14 06:00"), local("2026-06-14 07:00"), Action("charge", 2050)),
    ]


def test_slot_over_midnight_set_elsewhere_is_read_as_one_window() -> None:
    """Somebody has set one elsewhere: on Sundays from ten until six on Monday."""
    values = {
        **EMPTY,
        "work_mode": "time_of_use",
        **slot("discharge_slot_1", "22:00", "06:00", 40, frozenset({6})),
    }
    shown = merged_occurrences(table(values), date(2026, 6, 12), date(2026, 6, 16), BERLIN)
    assert [(item.start, item.end) for item in shown] == [
        (local("2026-06-14 22:00"), local("2026-06-15 06:00"))
    ]


def test_an_action_is_described_by_codes_and_its_power() -> None:
    """The calendar makes sentences of them."""
    held = table(BUSY)
    assert held.describe(Action("charge", 2000)) == Description(
        Sentence(Text.CHARGE, {"power": "2000 W"}), (Sentence(Text.CHARGE_DETAILS),)
    )
    assert held.describe(Action("discharge", 2500)) == Description(
        Sentence(Text.DISCHARGE, {"power": "2500 W"}), (Sentence(Text.DISCHARGE_DETAILS),)
    )


def test_charge_across_the_skipped_hour_in_spring_is_an_hour_shorter() -> None:
    """On 2026-03-29 the clock goes from 02:00 to 03:00: the charge lasts an hour less."""
    shown = merged_occurrences(table(BUSY), date(2026, 3, 29), date(2026, 3, 29), BERLIN)
    assert (shown[0].start, shown[0].end) == (
        datetime(2026, 3, 29, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 3, tzinfo=UTC),
    )


# ---------------------------------------------------------------------- there and back

some_days = st.frozensets(st.integers(0, 6), min_size=1)
modes = st.sampled_from(("charge", "discharge"))


@st.composite
def some_windows(draw: st.DrawFn) -> list[RequestedWindow]:
    """Return up to six windows that do not overlap, of which the last one may go over midnight."""
    minutes = sorted(
        draw(
            st.sets(st.integers(0, 1438), min_size=2, max_size=12).filter(lambda s: len(s) % 2 == 0)
        )
    )
    if draw(st.booleans()):
        minutes = [*minutes[1:], minutes[0]]
    return [
        RequestedWindow(
            mode=draw(modes),
            start=time(*divmod(start, 60)),
            end=time(*divmod(end, 60)),
            power=draw(st.integers(50, 5000)),
            days=draw(st.none() | some_days),
        )
        for start, end in zip(minutes[::2], minutes[1::2], strict=True)
    ]


@st.composite
def some_values(draw: st.DrawFn) -> dict[str, Value | None]:
    """Return what a machine may hold, whatever sense it makes."""
    values: dict[str, Value | None] = {
        "rated_power": 5000,
        "work_mode": draw(st.sampled_from(("time_of_use", "self_consumption"))),
    }
    times = st.times().map(lambda moment: time(moment.hour, moment.minute))
    for mode in ("charge", "discharge"):
        for number in range(1, 8):
            name = f"{mode}_slot_{number}"
            values[f"{name}_enabled"] = draw(st.booleans())
            values[f"{name}_start"] = draw(times)
            values[f"{name}_end"] = draw(times)
            values[f"{name}_days"] = draw(st.frozensets(st.integers(0, 6)))
            values[f"{name}_power"] = draw(st.integers(0, 100))
    return values


def week(windows: Sequence[RequestedWindow]) -> dict[int, tuple[str, int]]:
    """Return the mode and the nearest percentage of each minute of a week, counted the slow way."""
    found: dict[int, tuple[str, int]] = {}
    for item in windows:
        assert item.mode is not None
        assert item.power is not None
        for day in ALL if item.days is None else item.days:
            minute = item.start.hour * 60 + item.start.minute
            moment = 1440 * day + minute
            while minute != item.end.hour * 60 + item.end.minute:
                assert moment not in found
                found[moment] = (item.mode, round(item.power / 50))
                minute, moment = (minute + 1) % 1440, (moment + 1) % 10080
    return found


def carried_out(
    values: Mapping[str, Value | None], steps: Sequence[tuple[str, Value]]
) -> dict[str, Value | None]:
    """Return what a machine holds after these steps, none of which touches a slot while it acts."""
    held = dict(values)
    for key, value in steps:
        assert held[key] != value, key
        name, field = key.rsplit("_", 1)
        if field in ("start", "end", "days", "power"):
            assert held[f"{name}_enabled"] is False, key
        held[key] = value
    return held


@given(some_windows(), some_values(), st.sampled_from((None, True)))
def test_steps_reach_the_request_and_no_slot_acts_half_written(
    windows: list[RequestedWindow], values: dict[str, Value | None], enabled: bool | None
) -> None:
    """After the steps the machine does minute for minute what was asked for, and nothing acted half-written."""
    held = carried_out(values, planned(windows, values, enabled=enabled).steps)
    expected = "time_of_use" if enabled else values["work_mode"]
    assert held["work_mode"] == expected
    done: dict[int, tuple[str, int]] = {}
    schedule = table({**held, "work_mode": "time_of_use"})
    for day in range(7):
        for piece in schedule.on(day):
            for minute in range(piece.start, piece.end):
                assert 1440 * day + minute not in done
                done[1440 * day + minute] = (piece.rule.mode, piece.rule.power // 50)
    assert done == week(windows)


@given(some_windows(), some_windows())
def test_at_every_step_what_stays_is_in_force_and_nothing_overlaps(
    before: list[RequestedWindow], after: list[RequestedWindow]
) -> None:
    """Wherever a change is broken off, each slot is old, new or off, and those that do not change act all the time."""
    held = carried_out(EMPTY, planned(before).steps)
    held["work_mode"] = "time_of_use"
    steps = planned(after, held).steps
    old, new = table(held), table(carried_out(held, steps))
    for count in range(len(steps) + 1):
        broken_off = table(carried_out(held, steps[:count]))
        for before_it, slot_now, after_it in zip(
            old.slots, broken_off.slots, new.slots, strict=True
        ):
            assert slot_now in (before_it, after_it) or not slot_now.enabled
            assert slot_now == before_it or before_it != after_it
        for day in range(7):
            for one, other in pairwise(broken_off.on(day)):
                assert one.end <= other.start


@given(some_windows())
def test_windows_of_a_response_change_nothing_when_given_back(
    windows: list[RequestedWindow],
) -> None:
    """The windows of a response, given back, change nothing; and on another machine they make the same."""
    held = carried_out(EMPTY, planned(windows).steps)
    plain = table(held).as_response()["windows"]
    assert isinstance(plain, list)
    again = [asked(item) for item in plain]
    assert planned(again, held).steps == ()
    copied = carried_out(EMPTY, planned(again).steps)
    assert table(copied).as_response()["windows"] == plain


def asked(plain: Any) -> RequestedWindow:
    """Return a window of a response as it may be asked for again."""
    return wish(
        plain["mode"],
        plain["start"],
        plain["end"],
        plain["power"],
        frozenset(DAYS.index(day) for day in plain["days"]),
    )
