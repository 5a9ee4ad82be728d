"""What an order becomes in slots that charge and slots that discharge, and what its owner is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from custom_components.hybrid_inverter.modbus.control.charge_windows import CONTROL_BY_WINDOWS
from custom_components.hybrid_inverter.modbus.control.order import (
    ControlMode,
    PowerAt,
    Refusal,
)
from custom_components.hybrid_inverter.modbus.control.plan import (
    AfterEnd,
    EndsBy,
    Limited,
    Plan,
    Recurs,
    Why,
)
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

from .charge_window_slots import (
    AT_21,
    AT_GRID,
    BUSY,
    CHARGE,
    CHARGE_SLOT,
    CLOCK,
    DISCHARGE,
    DISCHARGE_SLOT,
    HOLD,
    IDLE,
    NO_CHARGE,
    NO_EXPORT,
    NOW,
    OWNERS,
    REGISTERS,
    changed,
    order,
    planned,
    refused,
    situation,
)

# ---------------------------------------------------------------------- charge


def test_a_charge_is_a_slot_and_a_lower_ceiling() -> None:
    """3000 W are 30 % of 10 kW; the floor for a time without the grid is not touched."""
    plan = planned(CHARGE)
    assert changed(plan) == {**CHARGE_SLOT, 0x361A: 0x401E, 0x3646: 80}
    (told,) = plan.told
    assert (told.mode, told.power, told.target_soc) == (ControlMode.CHARGE, 3000, 80)
    assert (told.until, told.ends_by) == (AT_21, EndsBy.INVERTER)
    assert (told.recurs, told.after_end) == (Recurs.WEEKLY, AfterEnd.AUTO)
    assert told.stays == ("schedule", "work_mode", "charge_upper_limit")
    assert (told.limited, told.target_reached) == ((), False)


def test_an_order_rests_on_words_that_were_there_before() -> None:
    """Its mode, its slots, and the switches of both kinds, which somebody may change meanwhile."""
    owners = {0x3647: 1, 0x3618: 0x1200, 0x3619: 0x1500, 0x3646: 80}
    plan = planned(order(ControlMode.CHARGE, power=3000), owners)
    assert changed(plan, owners) == {0x361A: 0x401E, 0x3604: 0x40}
    assert plan.after == {
        0x3618: 0x1200,
        0x3619: 0x1500,
        0x361A: 0x401E,
        0x3604: 0x40,
        0x3605: 0,
        0x3647: 1,
    }
    assert plan.ours == plan.after.keys()
    assert planned(HOLD).after == {0x3644: 100, 0x3647: 0}
    assert planned(AT_GRID).after[0x3660] == 0


def test_a_charge_with_all_that_there_is() -> None:
    """No power is the rated one, and no target the owner's ceiling, which stays."""
    plan = planned(order(ControlMode.CHARGE), {0x3646: 90})
    assert changed(plan) == {**CHARGE_SLOT, 0x361A: 0x4064}
    assert (plan.told[0].power, plan.told[0].target_soc) == (10000, 90)


@pytest.mark.parametrize(
    ("power", "share", "watts", "limited"),
    [
        (3049, 30, 3000, ()),
        (3051, 31, 3100, ()),
        (20, 1, 100, ()),
        (12000, 100, 10000, (Limited(Why.DEVICE_LIMIT, 10000),)),
    ],
)
def test_a_slot_counts_in_percent(
    power: float, share: int, watts: float, limited: tuple[Limited, ...]
) -> None:
    """The nearest is taken, and never 0, with which a slot charges a little."""
    plan = planned(order(ControlMode.CHARGE, power=power))
    assert plan.after[0x361A] == 0x4000 + share
    assert (plan.told[0].power, plan.told[0].limited) == (watts, limited)


def test_a_ceiling_is_never_raised() -> None:
    """A target above the owner's ends at the owner's."""
    plan = planned(order(ControlMode.CHARGE, power=3000, target_soc=95), {0x3646: 90})
    assert 0x3646 not in plan.after
    assert plan.told[0].target_soc == 90
    assert plan.told[0].limited == (Limited(Why.HIGH_SOC, 90),)


@pytest.mark.parametrize(
    ("owners", "target", "soc", "least"),
    [
        ({0x3644: 5, 0x3651: 5}, 19, 10, 20),
        ({0x3644: 70, 0x3651: 20}, 75, 60, 76),
        ({0x3644: 5, 0x3651: 70}, 20, 10, 21),
    ],
)
def test_a_target_too_low_for_the_other_settings_is_refused(
    owners: Mapping[int, int], target: float, soc: float, least: float
) -> None:
    """The end of charging keeps its distance from the floor and the lowest reserve, and one more is taken."""
    assert refused(order(ControlMode.CHARGE, target_soc=target), owners, soc=soc) == (
        Refusal.TARGET,
        {"minimum": least, "maximum": 100},
    )
    taken = planned(order(ControlMode.CHARGE, target_soc=least), owners, soc=soc)
    assert taken.after[0x3646] == least


@pytest.mark.parametrize(("reserve", "least"), [(80, 81), (100, 100)])
def test_a_reserve_that_counts_is_not_lowered(reserve: int, least: int) -> None:
    """In the backup mode it would be missing in an outage if everything died then."""
    assert refused(CHARGE, {0x3647: 2, 0x3651: reserve}) == (
        Refusal.TARGET,
        {"minimum": least, "maximum": 100},
    )


@pytest.mark.parametrize(
    ("reserve", "lowered"), [(79, {}), (80, {0x3651: 20}), (100, {0x3651: 20})]
)
def test_a_reserve_in_the_way_of_a_charge_is_lowered_for_it(
    reserve: int, lowered: dict[int, int]
) -> None:
    """It is 100 from the factory, and counts in the backup mode alone; the ceiling has to be above it."""
    plan = planned(CHARGE, {0x3651: reserve})
    assert changed(plan, {0x3651: reserve}) == CHARGE_SLOT | {0x361A: 0x401E, 0x3646: 80} | lowered
    assert ("backup_reserve_soc" in plan.told[0].stays) is bool(lowered)


@pytest.mark.parametrize(
    ("situated", "share", "watts"),
    [
        ({"max_import": 5000, "highest_load": 2540}, 24, 2400),
        ({"max_import": 3900}, 24, 2400),
        ({"max_import": 2400, "load_power": None}, 24, 2400),
        ({"max_import": 5000, "highest_load": 0}, 30, 3000),
    ],
)
def test_a_charge_leaves_room_for_the_loads(
    situated: Mapping[str, Any], share: int, watts: float
) -> None:
    """The highest load of the last hour counts, else the present one; the percentage is rounded down."""
    plan = planned(CHARGE, **situated)
    assert plan.after[0x361A] == 0x4000 + share
    limited = () if share == 30 else (Limited(Why.IMPORT, watts),)
    assert (plan.told[0].power, plan.told[0].limited) == (watts, limited)


def test_a_charge_without_room_is_refused() -> None:
    """Less than a percent is left beside the load."""
    assert refused(CHARGE, max_import=1599) == (Refusal.POWER, {"minimum": 100, "maximum": 99})
    assert refused(CHARGE, max_import=500) == (Refusal.POWER, {"minimum": 100, "maximum": 0})


def test_limits_of_the_owner_are_told() -> None:
    """What the grid may give leaves the slot as it is, as the sun adds to it; what the battery may take does not."""
    by_grid = planned(CHARGE, {0x364F: 200})
    assert by_grid.after[0x361A] == 0x401E
    assert by_grid.told[0].power == 2000
    assert by_grid.told[0].limited == (Limited(Why.DEVICE_LIMIT, 2000),)
    by_battery = planned(CHARGE, {0x364D: 250})
    assert by_battery.after[0x361A] == 0x4019
    assert by_battery.told[0].power == 2500
    assert by_battery.told[0].limited == (Limited(Why.DEVICE_LIMIT, 2500),)


@pytest.mark.parametrize("target", [60, 55])
def test_a_charge_to_no_more_than_there_is_holds(target: float) -> None:
    """It never becomes a discharge."""
    plan = planned(order(ControlMode.CHARGE, power=3000, target_soc=target))
    assert changed(plan) == {0x3644: 100}
    (told,) = plan.told
    assert (told.mode, told.target_reached, told.target_soc) == (ControlMode.CHARGE, True, target)
    assert (told.ends_by, told.after_end) == (EndsBy.HOME_ASSISTANT, AfterEnd.HELD)


# ---------------------------------------------------------------------- times


def test_the_same_order_gives_the_same_words_later() -> None:
    """It keeps its start and its slot."""
    later = timedelta(minutes=47)
    again = planned(CHARGE, now=NOW + later, clock=CLOCK + later)
    assert again.after == planned(CHARGE).after
    assert again.told[0].until == AT_21


def test_an_order_extended_for_longer_than_a_day_begins_anew() -> None:
    """No slot has more than a day: from 21:05 on the day before, two slots."""
    plan = planned(order(ControlMode.CHARGE, start=NOW - timedelta(hours=30)))
    # Saturday is bit 5.
    assert (plan.after[0x3618], plan.after[0x3619], plan.after[0x361A]) == (0x1505, 0x173B, 0x2064)
    assert (plan.after[0x3616], plan.after[0x3617]) == (0x1500, 0x4064)


def test_edges_are_whole_minutes_of_the_clock_of_the_device() -> None:
    """The start goes back, the end goes on, and the end is told as it is kept."""
    plan = planned(CHARGE, clock=CLOCK.replace(second=40))
    assert (plan.after[0x3618], plan.after[0x3619]) == (0x1200, 0x1501)
    assert plan.told[0].until == AT_21 + timedelta(seconds=20)


def test_a_clock_that_is_an_hour_ahead_has_its_own_edges() -> None:
    """The order ends when it was asked to, whatever the device calls that moment."""
    plan = planned(CHARGE, clock=CLOCK + timedelta(hours=1))
    assert (plan.after[0x3618], plan.after[0x3619]) == (0x1300, 0x1600)
    assert plan.told[0].until == AT_21


def test_an_order_over_midnight_takes_two_slots_on_their_days() -> None:
    """23:00 to 05:00 on a Sunday: Sunday is bit 6, Monday bit 0, and no slot ends before it starts."""
    evening = CLOCK.replace(hour=23)
    plan = planned(order(ControlMode.CHARGE, NOW + timedelta(hours=6), power=3000), clock=evening)
    assert changed(plan) == {
        0x3618: 0x1700,
        0x3619: 0x173B,
        0x361A: 0x401E,
        # Slot 6 starts at 00:00, as it did before.
        0x3616: 0x0500,
        0x3617: 0x011E,
        0x3604: 0x60,
        0x3647: 1,
    }
    assert plan.told[0].until == NOW + timedelta(hours=6)


def test_what_goes_on_after_midnight_takes_a_slot_that_begins_there() -> None:
    """Slot 6 has begun at 02:00 once, and slot 5 never; where all have, slot 6 is the next one."""
    long = order(ControlMode.CHARGE, NOW + timedelta(hours=8), power=3000)
    used = {0x3618: 0x0200, 0x3615: 0x0200}
    assert changed(planned(long, used), used) == {
        0x3618: 0x1200,
        0x3619: 0x173B,
        0x361A: 0x401E,
        0x3613: 0x0200,
        0x3614: 0x011E,
        0x3604: 0x50,
        0x3647: 1,
    }
    every = {**dict.fromkeys(range(0x3606, 0x361B, 3), 0x0200)}
    assert changed(planned(long, every), every) == {
        0x3618: 0x1200,
        0x3619: 0x173B,
        0x361A: 0x401E,
        0x3615: 0,
        0x3616: 0x0200,
        0x3617: 0x011E,
        0x3604: 0x60,
        0x3647: 1,
    }


@pytest.mark.parametrize(
    ("minutes", "end", "until"),
    [(360, 0x173B, 360), (359, 0x173B, 360), (358, 0x173A, 358), (357.5, 0x173A, 358)],
)
def test_the_last_minute_stands_for_midnight(minutes: float, end: int, until: float) -> None:
    """An end at 23:59 becomes one at midnight, as the device takes it, and one slot is enough."""
    plan = planned(order(ControlMode.CHARGE, NOW + timedelta(minutes=minutes)))
    assert (plan.after[0x3619], plan.after[0x3604]) == (end, 0x40)
    assert plan.told[0].until == NOW + timedelta(minutes=until)


def test_a_start_in_the_last_minute_goes_back_by_one() -> None:
    """A slot from 23:59 to 23:59 would be none."""
    clock = CLOCK.replace(hour=23, minute=59, second=30)
    plan = planned(order(ControlMode.CHARGE, NOW + timedelta(minutes=5)), clock=clock)
    assert (plan.after[0x3618], plan.after[0x3619]) == (0x173A, 0x173B)
    # 00:04:30 becomes 00:05.
    assert (plan.after[0x3616], plan.after[0x3617]) == (0x0005, 0x0164)


# ---------------------------------------------------------------------- the owner's slots


def test_slots_that_were_waiting_do_not_begin_to_act() -> None:
    """Where the mode is another one, the order's slot is the only one."""
    plan = planned(CHARGE, BUSY)
    assert changed(plan, BUSY) == {**CHARGE_SLOT, 0x361A: 0x401E, 0x3646: 80, 0x3605: 0}
    assert plan.told[0].after_end is AfterEnd.AUTO


def test_slots_that_act_go_on_beside_the_order() -> None:
    """In time of use only those are off that would act at the same time."""
    plan = planned(CHARGE, {**BUSY, 0x3647: 1})
    assert changed(plan, {**BUSY, 0x3647: 1}) == {
        0x3618: 0x1200,
        0x3619: 0x1500,
        0x361A: 0x401E,
        0x3604: 0x41,
        0x3605: 0,
        0x3646: 80,
    }
    assert plan.told[0].after_end is AfterEnd.CHANGED
    assert plan.told[0].stays == ("schedule", "charge_upper_limit")


@pytest.mark.parametrize(
    ("held", "mask"),
    [
        # On Mondays only, and until the order starts.
        ({0x3620: 0x0164}, 0x02),
        ({0x361F: 0x1200, 0x361E: 0x1000}, 0x02),
        # From 21:00 on.
        ({0x361E: 0x1500, 0x361F: 0x1600}, 0x02),
        # Over midnight of Saturday, until 18:01 on Sunday, and until 18:00.
        ({0x361E: 0x1600, 0x361F: 0x1201, 0x3620: 0x2064}, 0),
        ({0x361E: 0x1600, 0x361F: 0x1200, 0x3620: 0x2064}, 0x02),
        # At no time of day.
        ({0x361E: 0xFFFF}, 0),
    ],
)
def test_which_slots_are_in_the_way(held: Mapping[int, int], mask: int) -> None:
    """Those that share a moment of the same day, and those that nobody can read."""
    plan = planned(CHARGE, {**BUSY, 0x3647: 1, **held})
    assert plan.after.get(0x3605, 0x02) == mask
    assert plan.told[0].after_end is (AfterEnd.AUTO if mask else AfterEnd.CHANGED)


def test_the_last_slot_that_is_free_is_taken() -> None:
    """Slots 7 and 5 are enabled, and keep what they hold."""
    plan = planned(CHARGE, {0x3604: 0x50})
    assert changed(plan) == {
        0x3615: 0x1200,
        0x3616: 0x1500,
        0x3617: 0x401E,
        0x3604: 0x20,
        0x3646: 80,
        0x3647: 1,
    }


def test_an_order_without_a_free_slot_is_refused() -> None:
    """One over midnight needs two."""
    assert refused(CHARGE, {0x3604: 0x7F}) == (Refusal.NO_SLOT, {"kind": "charge"})
    over_midnight = order(ControlMode.NO_CHARGE, NOW + timedelta(hours=8))
    assert refused(over_midnight, {0x3605: 0x7E}) == (Refusal.NO_SLOT, {"kind": "discharge"})
    assert planned(NO_CHARGE, {0x3605: 0x7E}).after[0x3605] == 0x01


def test_slots_that_nobody_has_filled_are_free() -> None:
    """A blank word becomes a whole one."""
    plan = planned(CHARGE, {0x3604: 0xFFFF, **dict.fromkeys(range(0x3606, 0x361B), 0xFFFF)})
    assert changed(plan) == {**CHARGE_SLOT, 0x361A: 0x401E, 0x3646: 80}


# ---------------------------------------------------------------------- discharge


def test_a_discharge_at_the_battery_leaves_the_load_to_the_device() -> None:
    """Of 3000 W the house takes 1500, so that 1500 W, 15 %, go into the grid; the floor is raised to the target."""
    plan = planned(DISCHARGE, may_sell=True)
    assert changed(plan) == {**DISCHARGE_SLOT, 0x362F: 0x400F, 0x3644: 40, 0x3660: 1}
    (told,) = plan.told
    assert (told.power, told.target_soc) == (3000, 40)
    assert told.limited == (Limited(Why.LOAD, 1500),)
    assert (told.ends_by, told.recurs) == (EndsBy.INVERTER, Recurs.WEEKLY)
    assert told.stays == (
        *("schedule", "work_mode", "on_grid_discharge_floor", "tou_export_from_battery"),
    )


def test_a_load_above_the_power_leaves_one_percent() -> None:
    """The battery serves the house with more than was asked for."""
    plan = planned(DISCHARGE, may_sell=True, load_power=4000)
    assert plan.after[0x362F] == 0x4001
    assert plan.told[0].limited == (Limited(Why.LOAD, 100),)


def test_a_discharge_at_the_grid_has_the_whole_percentage_and_a_limit() -> None:
    """What the sun adds is not sold on top."""
    plan = planned(AT_GRID, may_sell=True)
    assert changed(plan) == {**DISCHARGE_SLOT, 0x362F: 0x401E, 0x3644: 40, 0x3650: 300, 0x3660: 1}
    assert (plan.told[0].power, plan.told[0].limited) == (3000, ())


def test_a_limit_at_the_grid_is_never_raised() -> None:
    """The owner's lower one stays, and is told."""
    plan = planned(AT_GRID, {0x3650: 200}, may_sell=True)
    assert 0x3650 not in plan.after
    assert plan.told[0].power == 2000
    assert plan.told[0].limited == (Limited(Why.DEVICE_LIMIT, 2000),)


def test_a_power_between_two_percentages_is_the_limit() -> None:
    """2960 W are nearer to 30 %, of which the limit lets 2960 W into the grid."""
    power = order(ControlMode.DISCHARGE, power=2960, at=PowerAt.GRID)
    plan = planned(power, may_sell=True)
    assert (plan.after[0x362F], plan.after[0x3650]) == (0x401E, 296)
    assert (plan.told[0].power, plan.told[0].limited) == (2960, ())


@pytest.mark.parametrize("situated", [{}, {"may_sell": True, "sees_grid": False}])
def test_without_the_permission_the_house_is_served(situated: Mapping[str, Any]) -> None:
    """Nor without anything that measures the grid."""
    plan = planned(AT_GRID, {0x3660: 1}, **situated)
    assert changed(plan, {0x3660: 1}) == {**DISCHARGE_SLOT, 0x362F: 0x401E, 0x3644: 40, 0x3660: 0}
    assert plan.told[0].limited == (Limited(Why.EXPORT),)


def test_a_floor_is_never_lowered() -> None:
    """A target below the owner's ends at the owner's, as does none."""
    plan = planned(order(ControlMode.DISCHARGE, power=3000, target_soc=10))
    assert 0x3644 not in plan.after
    assert plan.told[0].target_soc == 20
    assert plan.told[0].limited == (Limited(Why.LOW_SOC, 20), Limited(Why.EXPORT))
    without = planned(order(ControlMode.DISCHARGE))
    assert 0x3644 not in without.after
    assert (without.told[0].power, without.told[0].target_soc) == (10000, 20)


@pytest.mark.parametrize(
    ("owners", "target", "soc", "least", "most"),
    [
        ({0x3646: 80}, 78, 79, 20, 74),
        ({0x3646: 80}, 74.5, 79, 20, 74),
        ({}, 95, 99, 20, 94),
        # Their owner has set the two closer together: no target is above the floor.
        ({0x3644: 77, 0x3646: 80}, 78, 79, 77, 77),
    ],
)
def test_a_target_too_close_to_the_end_of_charging_is_refused(
    owners: Mapping[int, int], target: float, soc: float, least: float, most: float
) -> None:
    """The floor keeps its distance of more than 5 % from it, and the largest target that does is taken."""
    assert refused(order(ControlMode.DISCHARGE, target_soc=target), owners, soc=soc) == (
        Refusal.TARGET,
        {"minimum": least, "maximum": most},
    )
    taken = planned(order(ControlMode.DISCHARGE, target_soc=most), owners, soc=soc)
    assert {**OWNERS, **owners, **taken.after}[0x3644] == most


def test_a_floor_that_locks_the_battery_keeps_no_distance() -> None:
    """What is reached is held by 100 %, whatever the end of charging is."""
    owners = {0x3646: 80}
    plan = planned(order(ControlMode.DISCHARGE, target_soc=79), owners, soc=79)
    assert changed(plan, owners) == {0x3644: 100}
    assert changed(planned(HOLD, owners), owners) == {0x3644: 100}


def test_a_discharge_to_no_less_than_there_is_holds() -> None:
    """The target is reached already."""
    plan = planned(order(ControlMode.DISCHARGE, target_soc=60), may_sell=True)
    assert changed(plan) == {0x3644: 100}
    assert plan.told[0].target_reached


@pytest.mark.parametrize(
    ("owners", "limited", "sells"),
    [
        ({0x365C: 1, 0x365A: 0}, Limited(Why.EXPORT), 0),
        ({0x365C: 3, 0x365A: 0}, Limited(Why.EXPORT), 0),
        ({0x365C: 1, 0x365A: 100}, Limited(Why.EXPORT, 1000), 1),
        ({0x365C: 0, 0x365A: 0}, None, 1),
    ],
)
def test_an_export_limit_of_the_owner_bounds_a_discharge(
    owners: Mapping[int, int], limited: Limited | None, sells: int
) -> None:
    """With nothing to be exported the battery serves the house."""
    plan = planned(AT_GRID, owners, may_sell=True)
    assert plan.after.get(0x3660, 0) == sells
    assert plan.told[0].limited == (() if limited is None else (limited,))


def test_an_export_limit_wins_over_a_discharge() -> None:
    """Both are in force, and told in the order in which they were given."""
    plan = CONTROL_BY_WINDOWS.plan([DISCHARGE, NO_EXPORT], situation(may_sell=True))
    assert changed(plan) == {**DISCHARGE_SLOT, 0x362F: 0x401E, 0x3644: 40, 0x365A: 0, 0x365C: 1}
    discharge, limit = plan.told
    assert (discharge.mode, discharge.limited) == (
        ControlMode.DISCHARGE,
        (Limited(Why.EXPORT),),
    )
    assert discharge.stays == ("schedule", "work_mode", "on_grid_discharge_floor")
    assert (limit.mode, limit.stays) == (
        ControlMode.EXPORT_LIMIT,
        ("export_limit_mode", "export_limit_power"),
    )


# ---------------------------------------------------------------------- the other modes


def test_taking_nothing_is_a_slot_that_does_not_sell() -> None:
    """The battery serves the house with all it has, and the sun is sold."""
    plan = planned(NO_CHARGE, {0x3660: 1})
    assert changed(plan, {0x3660: 1}) == {**DISCHARGE_SLOT, 0x362F: 0x4064, 0x3660: 0}
    (told,) = plan.told
    assert (told.power, told.target_soc, told.limited) == (None, None, ())
    assert (told.ends_by, told.recurs) == (EndsBy.INVERTER, Recurs.WEEKLY)


def test_what_the_sun_gives_is_cut_where_the_export_is_limited() -> None:
    """It is told with the watts that may go out."""
    plan = planned(NO_CHARGE, {0x365C: 1, 0x365A: 50})
    assert plan.told[0].limited == (Limited(Why.EXPORT, 500),)


@pytest.mark.parametrize(
    ("mode", "after", "stays"),
    [
        (0, {0x3644: 100}, ("on_grid_discharge_floor",)),
        (1, {0x3644: 100, 0x3647: 0}, ("work_mode", "on_grid_discharge_floor")),
        (2, {0x3644: 100, 0x3647: 0}, ("work_mode", "on_grid_discharge_floor")),
    ],
)
def test_holding_raises_the_floor(
    mode: int, after: Mapping[int, int], stays: tuple[str, ...]
) -> None:
    """In a mode in which neither a slot nor a reserve buys; nothing ends it but Home Assistant."""
    plan = planned(HOLD, {0x3647: mode})
    assert changed(plan, {0x3647: mode}) == after
    (told,) = plan.told
    assert (told.until, told.ends_by) == (AT_21, EndsBy.HOME_ASSISTANT)
    assert (told.recurs, told.after_end, told.stays) == (Recurs.NO, AfterEnd.HELD, stays)


@pytest.mark.parametrize(("soc", "reserve"), [(60, 59), (60.9, 59), (21, 20)])
def test_where_the_floor_is_ignored_a_reserve_holds(soc: float, reserve: int) -> None:
    """Below the state of charge, as one above it would buy."""
    plan = planned(HOLD, soc=soc, hold_ignored=True)
    assert changed(plan) == {0x3651: reserve, 0x3647: 2}
    assert plan.told[0].stays == ("work_mode", "backup_reserve_soc")


@pytest.mark.parametrize(
    ("owners", "soc"),
    [
        # 20 % are the lowest reserve there is, and one above what is in the battery buys.
        ({}, 20.9),
        # In the mode of the reserve, what the owner keeps for an outage stays.
        ({0x3647: 2, 0x3651: 60}, 60),
        # The end of charging lies above the reserve.
        ({0x3646: 80}, 81),
    ],
)
def test_where_no_reserve_may_hold_the_floor_is_all_there_is(
    owners: Mapping[int, int], soc: float
) -> None:
    """It is raised, and the battery may be discharged all the same: that is told by what flows."""
    plan = planned(HOLD, owners, soc=soc, hold_ignored=True)
    assert (plan.after[0x3644], plan.after.get(0x3647, 0)) == (100, 0)
    assert 0x3651 not in plan.after


def test_an_owners_reserve_may_be_raised_to_hold() -> None:
    """In its own mode, from 30 % to right below what is in the battery."""
    owners = {0x3647: 2, 0x3651: 30}
    plan = planned(HOLD, owners, soc=60, hold_ignored=True)
    assert changed(plan, owners) == {0x3651: 59}


def test_resting_is_the_passive_mode() -> None:
    """Home Assistant ends it."""
    plan = planned(IDLE)
    assert changed(plan) == {0x3636: 0, 0x3647: 3}
    (told,) = plan.told
    assert (told.ends_by, told.after_end) == (EndsBy.HOME_ASSISTANT, AfterEnd.CHANGED)
    assert told.stays == ("work_mode", "passive_action")


@pytest.mark.parametrize(
    ("owners", "power", "after", "told", "limited"),
    [
        ({}, 0, {0x365C: 1, 0x365A: 0}, 0, ()),
        ({}, 3009, {0x365C: 1, 0x365A: 300}, 3000, ()),
        ({}, 20000, {0x365C: 1}, 11000, ()),
        # Switched off, it limits nothing.
        ({0x365A: 0}, 3000, {0x365C: 1, 0x365A: 300}, 3000, ()),
        ({0x365C: 1, 0x365A: 500}, 3000, {0x365A: 300}, 3000, ()),
        ({0x365C: 1, 0x365A: 100}, 3000, {}, 1000, (Limited(Why.DEVICE_LIMIT, 1000),)),
        ({0x365C: 3, 0x365A: 100}, 3000, {0x365C: 1}, 1000, (Limited(Why.DEVICE_LIMIT, 1000),)),
        # 10 A at 230 V.
        (
            {0x365C: 2, 0x365B: 1000},
            3000,
            {0x365C: 1, 0x365A: 230},
            2300,
            (Limited(Why.DEVICE_LIMIT, 2300),),
        ),
    ],
)
def test_an_export_limit_is_the_tighter_one(
    owners: Mapping[int, int],
    power: float,
    after: Mapping[int, int],
    told: float,
    limited: tuple[Limited, ...],
) -> None:
    """The order's or the owner's; one for each phase counts as if there were one phase."""
    plan = planned(order(ControlMode.EXPORT_LIMIT, power=power), owners)
    assert changed(plan, owners) == after
    assert (plan.told[0].power, plan.told[0].limited) == (told, limited)
    assert plan.told[0].after_end is (AfterEnd.CHANGED if after else AfterEnd.AUTO)
    assert plan.told[0].ends_by is EndsBy.HOME_ASSISTANT


@pytest.mark.parametrize(
    ("mode", "outside", "after_end"),
    [
        (0, 1, AfterEnd.AUTO),
        (0, 0, AfterEnd.HELD),
        (1, 1, AfterEnd.AUTO),
        (1, 0, AfterEnd.AUTO),
        (2, 1, AfterEnd.CHANGED),
        (2, 0, AfterEnd.HELD),
    ],
)
def test_how_a_device_goes_on_after_its_slots(mode: int, outside: int, after_end: AfterEnd) -> None:
    """It stays in time of use, and does what is set for the time outside of all slots."""
    plan = planned(CHARGE, {0x3647: mode, 0x365F: outside})
    assert plan.told[0].after_end is after_end


def test_nothing_ordered_is_nothing_changed() -> None:
    """Not even on a device in a state in which an order would be refused."""
    assert CONTROL_BY_WINDOWS.plan([], situation({0x3647: 3}, clock=None, soc=None)) == Plan()


# ---------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("owners", "mode"), [(3, "passive"), (10, "peak_shaving"), (12, "ai_saving"), (7, "7")]
)
def test_a_device_that_is_run_elsewhere_is_left_alone(owners: int, mode: str) -> None:
    """From outside, or by the vendor's app."""
    for wanted in (CHARGE, HOLD, NO_EXPORT):
        assert refused(wanted, {0x3647: owners}) == (Refusal.RUN_ELSEWHERE, {"mode": mode})


@pytest.mark.parametrize(
    ("situated", "reason"),
    [
        ({"soc": None}, Refusal.NO_SOC),
        ({"clock": None}, Refusal.CLOCK),
        ({"clock": CLOCK - timedelta(days=3)}, Refusal.CLOCK),
        ({"clock": CLOCK + timedelta(days=3)}, Refusal.CLOCK),
        ({"values": {"status": "fault"}}, Refusal.FAULT),
        ({"values": {"active_battery_protocol": "no_battery"}}, Refusal.NO_BATTERY),
        ({"values": {"active_battery_protocol": "lead_acid"}}, Refusal.LEAD_ACID),
        ({"values": {"parallel_role": "slave_1"}}, Refusal.PARALLEL),
    ],
)
def test_a_state_in_which_an_order_is_refused(situated: Mapping[str, Any], reason: Refusal) -> None:
    """With the reason."""
    assert refused(CHARGE, **situated) == (reason, {})


def test_what_needs_no_clock_and_no_battery() -> None:
    """A hold has no slot, and an export limit is about the grid."""
    assert changed(planned(HOLD, clock=None)) == {0x3644: 100}
    assert changed(planned(NO_EXPORT, clock=None, soc=None)) == {0x365A: 0, 0x365C: 1}


@pytest.mark.parametrize("mode", list(ControlMode))
def test_an_order_of_a_whole_day_is_refused(mode: ControlMode) -> None:
    """23 h 55 min are taken, and no minute more."""
    longest = NOW + timedelta(hours=23, minutes=55)
    assert planned(order(mode, longest, power=3000)).after
    too_long = order(mode, longest + timedelta(minutes=1), power=3000)
    assert refused(too_long) == (Refusal.TOO_LONG, {"hours": 23.92})


def test_an_order_beside_an_older_one_begins_later() -> None:
    """Both are planned for the moment at which the first one was given: an export limit until 21:00 on the next day."""
    started = NOW + timedelta(hours=4)
    limit = order(ControlMode.EXPORT_LIMIT, NOW + timedelta(hours=27), start=started, power=0)
    plan = CONTROL_BY_WINDOWS.plan([HOLD, limit], situation())
    assert changed(plan) == {0x3644: 100, 0x365A: 0, 0x365C: 1}
    charge = order(ControlMode.CHARGE, NOW + timedelta(hours=5), start=started)
    both = CONTROL_BY_WINDOWS.plan([NO_EXPORT, charge], situation())
    # 22:00 to 23:00.
    assert (both.after[0x3618], both.after[0x3619]) == (0x1600, 0x1700)


@pytest.mark.parametrize("power", [0, -100])
def test_no_power_is_refused(power: float) -> None:
    """Of an export limit 0 is as good as any."""
    bounds = {"minimum": 100, "maximum": 10000}
    for mode in (ControlMode.CHARGE, ControlMode.DISCHARGE):
        assert refused(order(mode, power=power)) == (Refusal.POWER, bounds)
    for limit in (None, -1):
        wanted = order(ControlMode.EXPORT_LIMIT, power=limit)
        assert refused(wanted) == (Refusal.POWER, {"minimum": 0, "maximum": 10000})


def test_what_a_device_does_not_have_is_refused() -> None:
    """With what comes nearest to it, if anything does."""
    bare = SAJ.fitted(set(), {"rated_power": 10000}).registers
    for wanted in (DISCHARGE, NO_CHARGE):
        assert refused(wanted, registers=bare) == (
            Refusal.NOT_SUPPORTED,
            {"mode": wanted.mode.value},
        )
    assert refused(IDLE, registers=bare) == (
        Refusal.NOT_SUPPORTED,
        {"mode": "idle", "nearest": "hold"},
    )
    slots = SAJ.fitted({"discharge_slots"}, {"rated_power": 10000}).registers
    assert refused(IDLE, registers=slots)[1] == {"mode": "idle", "nearest": "no_charge"}
    assert refused(NO_EXPORT, sees_grid=False) == (
        Refusal.NOT_SUPPORTED,
        {"mode": "export_limit"},
    )
    assert planned(CHARGE, {0x3604: 0x01}, registers=bare).after[0x3604] == 0x40
    unlimited = {key: row for key, row in REGISTERS.items() if key != "export_limit_mode"}
    assert refused(NO_EXPORT, registers=unlimited)[0] is Refusal.NOT_SUPPORTED
    assert planned(NO_CHARGE, registers=unlimited).told[0].limited == ()


def test_words_that_tell_nothing_are_no_bounds() -> None:
    """An order is not made on a floor or a limit that cannot be read."""
    assert refused(CHARGE, {0x3646: 0xFFFF}) == (
        Refusal.NOT_READABLE,
        {"setting": "charge_upper_limit"},
    )
    assert refused(NO_EXPORT, {0x365C: 9}) == (
        Refusal.NOT_READABLE,
        {"setting": "export_limit_mode"},
    )
