"""Each order on a table of six slots: the words that it becomes, and what is told of it.

The battery is at 60 % and 50 V, and the clock of the machine shows 18:00 on a Sunday.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.control.order import (
    ControlMode,
    ControlRefusedError,
    Order,
    PowerAt,
    Refusal,
)
from custom_components.hybrid_inverter.modbus.control.plan import (
    AfterEnd,
    EndsBy,
    Limited,
    Recurs,
    Told,
    Why,
)
from custom_components.hybrid_inverter.modbus.control.six_slots import CONTROL_BY_SLOTS

from .six_slot_table import (
    CLOCK,
    NO_DAYS,
    NOW,
    SIX,
    TWO,
    image,
    order,
    planned,
)

HOLD, CHARGE, DISCHARGE = ControlMode.HOLD, ControlMode.CHARGE, ControlMode.DISCHARGE
NO_CHARGE, EXPORT_LIMIT = ControlMode.NO_CHARGE, ControlMode.EXPORT_LIMIT
HOUR: Final = timedelta(hours=1)
# Monday to Friday, and the table is on.
WORKDAYS: Final = 0x003F
# TWO, held, with the order of an hour in it as it has to be filled in.
HELD_NIGHT: Final = [(0, 5000, 4900, 100, 0), (415, 5000, 4900, 100, 0), (830, 5000, 4900, 100, 0)]


def refusal(words: dict[int, int], *orders: Order, **known: Any) -> ControlRefusedError:
    """Why an order is refused."""
    with pytest.raises(ControlRefusedError) as refused:
        planned(words, *orders, **known)
    return refused.value


# ---------------------------------------------------------------------- hold


def test_a_hold_between_two_used_slots() -> None:
    """Its target is 100, and around it the owner's slot goes on; spare slots halve the longest one."""
    plan = planned(image(TWO), order(HOLD, 30))
    assert plan.slots == [
        (0, 5000, 4900, 40, 0),
        (415, 5000, 4900, 40, 0),
        (830, 5000, 4900, 40, 0),
        (1700, 3000, 5000, 50, 0),
        (1800, 3000, 5000, 100, 0),
        (1830, 3000, 5000, 50, 0),
    ]
    assert plan.beside == {}
    # Start, power, target and flags of the fifth slot, and the start of the sixth.
    assert plan.ours == {152, 158, 170, 176, 153}
    assert plan.told == (
        Told(
            mode=HOLD,
            until=NOW + HOUR / 2,
            ends_by=EndsBy.INVERTER,
            recurs=Recurs.DAILY,
            after_end=AfterEnd.AUTO,
            stays=("schedule",),
        ),
    )


def test_a_hold_in_a_full_table_drops_the_edges_farthest_ahead() -> None:
    """Those of 13:00 and 17:00 of the next day; the owner's bits and blank cells travel along."""
    plan = planned(image(SIX), order(HOLD, 30))
    assert plan.slots == [
        (100, 5000, 4900, 80, 1),
        (500, 5000, 4900, 40, 0),
        (900, 8000, 4950, 35, 4),
        (1800, 6000, 5000, 100, 0),
        (1830, 6000, 5000, 50, 0),
        (2100, 6000, 0xFFFF, 60, 0),
    ]
    assert plan.told[0].limited == (Limited(Why.TABLE_FULL, 2),)
    assert plan.told[0].after_end is AfterEnd.CHANGED


@pytest.mark.parametrize(("wanted", "flags"), [(order(HOLD), 0x001C), (order(CHARGE), 0x001D)])
def test_an_order_leaves_the_bits_that_are_not_its_own(wanted: Order, flags: int) -> None:
    """Those of the Spanish grid code stay; charging from the generator, 2, and the tick to sell, 0x20, are off meanwhile."""
    slots = [(*slot[:4], 0x003E) for slot in SIX]
    plan = planned(image(slots, a130=1), wanted)
    assert {slot[4] for slot in plan.slots} == {0x003E, flags}
    assert next(slot for slot in plan.slots if slot[0] == 1800)[4] == flags


def test_a_hold_that_the_table_has_already_changes_nothing() -> None:
    """Nothing recurs that would not anyway; whoever changes that slot has taken over all the same."""
    words = image([*SIX[:4], (1700, 6000, 5000, 100, 0), SIX[5]])
    plan = planned(words, order(HOLD))
    assert plan.changed == {}
    # It is looked after, and so is the switch of the table.
    assert plan.after.keys() == {152, 158, 170, 176, 153, 146}
    assert plan.ours == {152, 158, 170, 176, 153}
    assert (plan.told[0].recurs, plan.told[0].after_end) == (Recurs.NO, AfterEnd.AUTO)
    assert plan.told[0].stays == ()


def test_a_hold_over_midnight_takes_the_owners_slots_of_the_night_away() -> None:
    """From 23:00 to 05:00, where the owner's table goes on."""
    now = NOW + 5 * HOUR
    wanted = Order(mode=HOLD, start=now, until=now + 6 * HOUR)
    plan = planned(image(SIX), wanted, now=now, clock=CLOCK + 5 * HOUR)
    assert plan.slots == [
        (500, 5000, 4900, 40, 0),
        (900, 8000, 4950, 35, 4),
        (1300, 8000, 5000, 35, 2),
        (1700, 6000, 5000, 50, 0),
        (2100, 6000, 0xFFFF, 60, 0),
        (2300, 6000, 0xFFFF, 100, 0),
    ]
    assert plan.told[0].limited == ()
    # The sixth slot, and the start of the first one, at which it ends.
    assert plan.ours == {153, 159, 171, 177, 148}


def test_a_clock_that_is_an_hour_ahead_has_its_own_edges() -> None:
    """02:00 to 05:00 is 03:00 to 06:00 there; when it is put right at 03:00, the edges move once."""
    words = image(TWO)
    now = datetime(2026, 6, 21, 0, 0, tzinfo=UTC)
    wanted = Order(mode=HOLD, start=now, until=now + 3 * HOUR)
    ahead = datetime(2026, 6, 21, 3, 0)  # noqa: DTZ001 - the device knows no zone
    plan = planned(words, wanted, now=now, clock=ahead)
    assert [slot[0] for slot in plan.slots] == [0, 300, 600, 1130, 1700, 2030]
    assert plan.told[0].until == now + 3 * HOUR
    right = planned(words, wanted, now=now + HOUR, clock=ahead)
    assert [slot[0] for slot in right.slots] == [0, 200, 500, 1100, 1700, 2030]
    assert right.told[0].until == now + 3 * HOUR


def test_while_the_table_is_off_an_order_holds_all_around_it() -> None:
    """As it is without the table. What charges from the generator does not get a higher target by that."""
    plan = planned(image([*TWO[:5], (1700, 3000, 5000, 50, 3)], a146=0x00FE), order(HOLD))
    assert plan.slots == [
        *HELD_NIGHT,
        (1245, 5000, 4900, 100, 0),
        (1700, 3000, 5000, 100, 0),
        (2030, 3000, 5000, 100, 0),
    ]
    assert plan.beside == {146: 0x00FF}
    assert plan.told[0].after_end is AfterEnd.HELD


def test_on_a_day_that_the_table_leaves_out_an_order_holds_all_around_it() -> None:
    """Only that day is left, and the owner's other days hold as well."""
    plan = planned(image(TWO, a146=WORKDAYS), order(HOLD))
    assert plan.slots == [
        *HELD_NIGHT,
        (1245, 5000, 4900, 100, 0),
        (1700, 3000, 5000, 100, 0),
        (2030, 3000, 5000, 100, 0),
    ]
    assert plan.beside == {146: 0x0081}
    assert 146 in plan.ours
    assert (plan.told[0].recurs, plan.told[0].after_end) == (Recurs.WEEKLY, AfterEnd.HELD)


def test_a_hold_keeps_the_owners_days_if_it_can() -> None:
    """It does no harm on the others."""
    plan = planned(image(TWO, a146=0x00C1), order(HOLD))
    assert plan.beside == {}
    assert (plan.told[0].recurs, plan.told[0].after_end) == (Recurs.WEEKLY, AfterEnd.AUTO)


def test_a_table_that_was_never_filled_takes_an_order_while_it_is_off() -> None:
    """While it is on, nobody can say what it does."""
    blank = image([(0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF)] * 6, a146=0x00FE)
    plan = planned(blank, order(HOLD))
    assert plan.slots[0] == (0, 0xFFFF, 0xFFFF, 100, 0)
    reason = refusal(blank | {146: 0x00FF}, order(HOLD))
    assert reason.reason is Refusal.NOT_READABLE
    assert reason.details == {"setting": "tou_slot_1_time"}


# ---------------------------------------------------------------------- charge


def test_a_charge_of_a_machine_that_never_charges_from_the_grid() -> None:
    """It is switched on for this order, so nothing else may charge, and only on its own day."""
    plan = planned(image(SIX), order(CHARGE, 180, power=3000, target_soc=80))
    assert plan.slots == [
        (100, 5000, 4900, 80, 0),
        (500, 5000, 4900, 40, 0),
        (900, 8000, 4950, 35, 4),
        (1300, 8000, 5000, 35, 2),
        (1800, 3000, 5000, 80, 1),
        (2100, 6000, 0xFFFF, 60, 0),
    ]
    # 3000 W at 50 V are 60 A; of the days only Sunday is left.
    assert plan.beside == {128: 60, 130: 1, 146: 0x0081}
    assert plan.ours == {152, 158, 170, 176, 153, 128, 130, 146}
    assert plan.told == (
        Told(
            mode=CHARGE,
            power=3000,
            target_soc=80,
            until=NOW + 3 * HOUR,
            ends_by=EndsBy.INVERTER,
            recurs=Recurs.WEEKLY,
            after_end=AfterEnd.HELD,
            stays=("grid_charge_enabled", "grid_charge_current", "schedule"),
            limited=(Limited(Why.TABLE_FULL, 1),),
        ),
    )


def test_a_charge_of_a_machine_that_charges_anyway_leaves_the_other_flags() -> None:
    """And its days; the lower current is what stays."""
    plan = planned(image(SIX, a130=1), order(CHARGE, 180, power=3000, target_soc=80))
    assert [slot[4] for slot in plan.slots] == [1, 0, 4, 2, 1, 0]
    assert plan.beside == {128: 60}
    # Whoever switches it off at the display has taken over.
    assert 130 in plan.ours
    assert 146 not in plan.ours
    assert (plan.told[0].recurs, plan.told[0].after_end) == (Recurs.DAILY, AfterEnd.CHANGED)
    assert plan.told[0].stays == ("grid_charge_current", "schedule")


def test_a_charge_without_days_recurs_daily() -> None:
    """The device has no page for them."""
    plan = planned(image(TWO, a146=NO_DAYS), order(CHARGE, power=3000, target_soc=80))
    assert plan.beside == {128: 60, 130: 1}
    assert (plan.told[0].recurs, plan.told[0].after_end) == (Recurs.DAILY, AfterEnd.CHANGED)


def test_other_bits_of_the_switch_stay() -> None:
    """The low one alone decides."""
    plan = planned(image(TWO, a130=0x0010), order(CHARGE))
    assert plan.beside == {130: 0x0011, 146: 0x0081}


@pytest.mark.parametrize("target", [50, 60, 59.5])
def test_a_charge_to_less_than_there_is_holds(target: float) -> None:
    """It never becomes a discharge, and switches nothing on."""
    plan = planned(image(TWO), order(CHARGE, power=3000, target_soc=target))
    assert plan.slots[4] == (1800, 3000, 5000, 100, 0)
    assert plan.beside == {}
    assert plan.told[0].target_reached
    assert plan.told[0].power is None


@pytest.mark.parametrize(
    ("known", "power", "slot", "current", "told", "limited"),
    [
        # As much as there is: 100 A at 50 V.
        ({}, None, 8000, None, 5000, ()),
        ({}, 5000, 5000, None, 5000, ()),
        ({}, 6000, 5000, None, 5000, (Limited(Why.DEVICE_LIMIT, 5000),)),
        ({}, 4999, 4999, 99, 4950, ()),
        # 57 whole amperes at 52.3 V.
        ({"values": {"battery_voltage": 52.3}}, 3000, 3000, 57, 2981, ()),
        # No less than one ampere.
        ({}, 20, 20, 1, 50, ()),
        (
            {"max_import": 4000, "highest_load": 2500},
            3000,
            1500,
            30,
            1500,
            (Limited(Why.IMPORT, 1500),),
        ),
        ({"max_import": 4000}, None, 2500, 50, 2500, (Limited(Why.IMPORT, 2500),)),
        ({"max_import": 9000}, 3000, 3000, 60, 3000, ()),
        ({"values": {"battery_voltage": None}}, None, 8000, None, 8000, ()),
    ],
)
def test_the_power_of_a_charge_is_a_current(
    known: dict[str, Any],
    power: float | None,
    slot: int,
    current: int | None,
    told: float,
    limited: tuple[Limited, ...],
) -> None:
    """In whole amperes, only ever lowered; what it will be is told."""
    plan = planned(image(TWO), order(CHARGE, power=power), **known)
    assert plan.slots[4][1] == slot
    assert plan.after.get(128) == current
    assert (plan.told[0].power, plan.told[0].limited) == (told, limited)


def test_what_the_battery_takes_bounds_the_power_too() -> None:
    """The owner lets it take 40 A."""
    plan = planned(image(TWO, a108=40), order(CHARGE, power=3000))
    assert plan.told[0].limited == (Limited(Why.DEVICE_LIMIT, 2000),)
    assert 128 not in plan.after


@pytest.mark.parametrize(
    ("wishes", "known", "reason", "details"),
    [
        ({"power": 0}, {}, Refusal.POWER, {"minimum": 1}),
        ({"target_soc": 101}, {}, Refusal.TARGET, {"minimum": 0, "maximum": 100}),
        ({"target_soc": -1}, {}, Refusal.TARGET, {"minimum": 0, "maximum": 100}),
        (
            {"power": 3000},
            {"max_import": 2540, "highest_load": 2500},
            Refusal.POWER,
            {"minimum": 50, "maximum": 40},
        ),
        (
            {"power": 3000},
            {"values": {"battery_voltage": None}},
            Refusal.NOT_READABLE,
            {"setting": "battery_voltage"},
        ),
    ],
)
def test_a_charge_that_cannot_be(
    wishes: dict[str, Any], known: dict[str, Any], reason: Refusal, details: dict[str, Any]
) -> None:
    """The reason is named."""
    refused = refusal(image(TWO), order(CHARGE, **wishes), **known)
    assert (refused.reason, refused.details) == (reason, details)


# ---------------------------------------------------------------------- discharge


def test_a_discharge_into_the_grid_holds_at_all_other_times() -> None:
    """Else every slot would sell the battery; it is only on its own day."""
    plan = planned(image(TWO), order(DISCHARGE, power=3000, target_soc=40), may_sell=True)
    assert plan.slots == [
        *HELD_NIGHT,
        (1700, 3000, 5000, 100, 0),
        (1800, 3000, 5000, 40, 0),
        (1900, 3000, 5000, 100, 0),
    ]
    assert plan.beside == {142: 0, 146: 0x0081}
    assert plan.ours == {152, 158, 170, 176, 153, 142, 146}
    assert plan.told == (
        Told(
            mode=DISCHARGE,
            power=3000,
            target_soc=40,
            until=NOW + HOUR,
            ends_by=EndsBy.INVERTER,
            recurs=Recurs.WEEKLY,
            after_end=AfterEnd.HELD,
            stays=("work_mode", "schedule"),
        ),
    )


@pytest.mark.parametrize(
    ("power", "sold", "told", "limited"),
    [
        (3000, 3000, 3000, ()),
        # The owner sells 6000 W at most.
        (7000, None, 6000, (Limited(Why.DEVICE_LIMIT, 6000),)),
        (None, None, 6000, ()),
    ],
)
def test_a_power_at_the_grid_lowers_what_may_be_sold(
    power: float | None, sold: int | None, told: float, limited: tuple[Limited, ...]
) -> None:
    """The battery gives what that takes."""
    wanted = order(DISCHARGE, power=power, at=PowerAt.GRID, target_soc=40)
    plan = planned(image(TWO), wanted, may_sell=True)
    assert plan.slots[4] == (1800, 8000, 5000, 40, 0)
    assert plan.after.get(143) == sold
    assert (plan.told[0].power, plan.told[0].limited) == (told, limited)


def test_without_clamps_nothing_is_sold() -> None:
    """Nobody would see how much."""
    sold = planned(image(TWO), order(DISCHARGE, power=3000, target_soc=40), may_sell=True)
    kept = planned(
        image(TWO), order(DISCHARGE, power=3000, target_soc=40), may_sell=True, sees_grid=False
    )
    assert (sold.beside[142], 142 in kept.beside) == (0, False)
    assert kept.told[0].limited[0] == Limited(Why.EXPORT)


def test_a_discharge_that_may_not_be_sold_serves_the_house() -> None:
    """The mode and the other slots stay."""
    words = image(TWO)
    plan = planned(words, order(DISCHARGE, power=3000, target_soc=40))
    assert plan.slots == [
        (0, 5000, 4900, 40, 0),
        (415, 5000, 4900, 40, 0),
        (830, 5000, 4900, 40, 0),
        (1700, 3000, 5000, 50, 0),
        (1800, 3000, 5000, 40, 0),
        (1900, 3000, 5000, 50, 0),
    ]
    assert plan.beside == {146: 0x0081}
    assert plan.told[0].limited == (Limited(Why.EXPORT),)
    at_grid = planned(words, order(DISCHARGE, power=3000, at=PowerAt.GRID, target_soc=40))
    assert at_grid.told[0].power is None
    assert at_grid.beside == {146: 0x0081}


def test_a_discharge_of_a_machine_that_sells_first_anyway_leaves_its_slots() -> None:
    """They are as its owner wants them; only the days are its own."""
    plan = planned(image(TWO, a142=0), order(DISCHARGE, power=9000, target_soc=40), may_sell=True)
    assert plan.slots[3:] == [
        (1700, 3000, 5000, 50, 0),
        (1800, 8000, 5000, 40, 0),
        (1900, 3000, 5000, 50, 0),
    ]
    assert plan.beside == {146: 0x0081}
    assert 142 in plan.ours
    assert plan.told[0].limited == (Limited(Why.DEVICE_LIMIT, 8000),)
    assert plan.told[0].after_end is AfterEnd.HELD
    # Without days nothing but the table changes.
    daily = planned(image(TWO, a142=0, a146=NO_DAYS), order(DISCHARGE), may_sell=True)
    assert (daily.told[0].recurs, daily.told[0].after_end) == (Recurs.DAILY, AfterEnd.AUTO)


def test_a_discharge_over_midnight_has_two_days() -> None:
    """Sunday and Monday."""
    now = NOW + 5 * HOUR
    wanted = Order(mode=DISCHARGE, start=now, until=now + 6 * HOUR)
    plan = planned(image(TWO), wanted, now=now, clock=CLOCK + 5 * HOUR, may_sell=True)
    assert plan.beside == {142: 0, 146: 0x0083}


@pytest.mark.parametrize(
    ("target", "slot", "limited"),
    [
        (None, 35, ()),
        (20, 35, (Limited(Why.LOW_SOC, 35),)),
        (35, 35, ()),
        (40.5, 41, ()),
    ],
)
def test_a_discharge_ends_at_the_owners_floor(
    target: float | None, slot: int, limited: tuple[Limited, ...]
) -> None:
    """Whatever lower target is asked for."""
    plan = planned(image(TWO), order(DISCHARGE, target_soc=target), may_sell=True)
    assert plan.slots[4][3] == slot
    assert (plan.told[0].target_soc, plan.told[0].limited) == (slot, limited)


def test_a_discharge_to_more_than_there_is_holds() -> None:
    """It sells nothing."""
    plan = planned(image(TWO), order(DISCHARGE, power=3000, target_soc=60), may_sell=True)
    assert plan.slots[4] == (1800, 3000, 5000, 100, 0)
    assert plan.beside == {}
    assert plan.told[0].target_reached


# ---------------------------------------------------------------------- what needs no table


def test_no_charge_is_one_word() -> None:
    """It does not end by itself."""
    plan = planned(image(SIX), order(NO_CHARGE, 240))
    assert plan.after == {108: 0}
    assert plan.ours == {108}
    assert plan.told == (
        Told(
            mode=NO_CHARGE,
            until=NOW + 4 * HOUR,
            ends_by=EndsBy.HOME_ASSISTANT,
            after_end=AfterEnd.CHANGED,
            stays=("battery_max_charge_current",),
        ),
    )


def test_no_charge_cuts_the_sun_where_nothing_is_sold() -> None:
    """That is told."""
    plan = planned(image(SIX, a145=0), order(NO_CHARGE))
    assert plan.told[0].limited == (Limited(Why.EXPORT),)


def test_no_charge_lasts_four_hours_at_most() -> None:
    """After a crash the sun would never charge again."""
    refused = refusal(image(SIX), order(NO_CHARGE, 241))
    assert (refused.reason, refused.details) == (Refusal.TOO_LONG, {"hours": 4})


def test_no_charge_needs_no_clock() -> None:
    """It has no edges."""
    assert planned(image(SIX), order(NO_CHARGE), clock=None).after == {108: 0}


@pytest.mark.parametrize(
    ("settings", "sees_grid", "power", "after", "told"),
    [
        ({}, True, 0, {145: 0}, 0),
        ({"a142": 0}, True, 0, {142: 2, 145: 0}, 0),
        ({"a142": 0}, False, 0, {142: 1, 145: 0}, 0),
        ({}, True, 2000.7, {143: 2000}, 2000),
        ({"a145": 0}, True, 0, {}, 0),
    ],
)
def test_an_export_limit(
    settings: dict[str, int], sees_grid: bool, power: float, after: dict[int, int], told: float
) -> None:
    """None at all is a switch, which counts for nothing while the battery is sold first."""
    words = image(SIX, **settings)
    plan = planned(words, order(EXPORT_LIMIT, power=power), sees_grid=sees_grid)
    assert plan.changed == after
    assert plan.told[0].power == told
    assert plan.told[0].ends_by is EndsBy.HOME_ASSISTANT
    assert (plan.told[0].after_end is AfterEnd.CHANGED) is bool(after)


def test_an_export_limit_is_never_higher_than_the_owners() -> None:
    """What the grid operator allows, perhaps."""
    plan = planned(image(SIX), order(EXPORT_LIMIT, power=7000))
    assert plan.after == {}
    assert plan.told[0].limited == (Limited(Why.DEVICE_LIMIT, 6000),)
    assert plan.told[0].power == 6000


def test_an_export_limit_needs_a_power() -> None:
    """And no battery."""
    assert refusal(image(SIX), order(EXPORT_LIMIT)).reason is Refusal.POWER
    assert refusal(image(SIX), order(EXPORT_LIMIT, power=-1)).reason is Refusal.POWER
    plan = planned(image(SIX, a111=2), order(EXPORT_LIMIT, power=0), soc=None)
    # Whoever sells first would make it void.
    assert (plan.after, plan.ours) == ({142: 2, 145: 0}, {142, 145})


def test_an_export_limit_of_nothing_wins_over_a_discharge() -> None:
    """It then serves the house, in whatever order they are given."""
    words, limit = image(TWO, a142=0), order(EXPORT_LIMIT, power=0)
    for orders in ((limit, order(DISCHARGE)), (order(DISCHARGE), limit)):
        plan = planned(words, *orders, may_sell=True)
        assert plan.beside == {142: 2, 145: 0, 146: 0x0081}
        told = {told.mode: told for told in plan.told}
        assert [told.mode for told in plan.told] == [wanted.mode for wanted in orders]
        assert told[DISCHARGE].limited == (Limited(Why.EXPORT),)
        assert told[EXPORT_LIMIT].stays == ("work_mode", "solar_sell")


def test_an_export_limit_is_the_most_that_a_discharge_sells() -> None:
    """Whether its power is meant at the grid or at the battery."""
    words, limit = image(TWO), order(EXPORT_LIMIT, power=2000)
    at_grid = order(DISCHARGE, power=3000, at=PowerAt.GRID)
    plan = planned(words, limit, at_grid, may_sell=True)
    assert plan.beside == {142: 0, 143: 2000, 146: 0x0081}
    assert plan.told[1].limited == (Limited(Why.EXPORT, 2000),)
    assert plan.told[1].power == 2000
    # The house takes 1500 W.
    for power, limited in ((3500, ()), (3600, (Limited(Why.EXPORT, 2000),))):
        plan = planned(words, limit, order(DISCHARGE, power=power), may_sell=True)
        assert plan.beside == {142: 0, 143: 2000, 146: 0x0081}
        assert plan.told[1].limited == limited


# ---------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("words", "known", "reason"),
    [
        ({"a111": 0, "a98": 0}, {}, Refusal.BY_VOLTAGE),
        ({"a98": 0}, {}, Refusal.LEAD_ACID),
        ({"a111": 2}, {}, Refusal.NO_BATTERY),
        ({}, {"soc": None}, Refusal.NO_SOC),
        ({}, {"values": {"status": "fault"}}, Refusal.FAULT),
        ({}, {"clock": None}, Refusal.CLOCK),
        ({"a146": 0xFFFF}, {}, Refusal.NOT_READABLE),
    ],
)
@pytest.mark.parametrize("mode", [HOLD, CHARGE, DISCHARGE])
def test_a_battery_that_cannot_be_controlled(
    mode: ControlMode, words: dict[str, int], known: dict[str, Any], reason: Refusal
) -> None:
    """The reason is named."""
    assert refusal(image(SIX, **words), order(mode), **known).reason is reason


@pytest.mark.parametrize("wanted", [order(HOLD), order(EXPORT_LIMIT, power=0)])
def test_one_that_follows_another_is_not_controlled(wanted: Order) -> None:
    """A slave of parallel inverters does what its master does; the master and a lone one are controlled."""
    values = {"parallel_enabled": True, "parallel_role": "slave"}
    assert refusal(image(SIX), wanted, values=values).reason is Refusal.PARALLEL
    for others in ({"parallel_role": "master"}, {"parallel_enabled": False}):
        assert planned(image(SIX), wanted, values=values | others).after


def test_a_lithium_battery_goes_by_its_state_of_charge() -> None:
    """Whatever is chosen."""
    assert planned(image(SIX, a111=0), order(HOLD)).after


def test_idle_is_not_among_what_it_can_do() -> None:
    """The nearest is named."""
    assert ControlMode.IDLE not in CONTROL_BY_SLOTS.modes
    refused = refusal(image(SIX), order(ControlMode.IDLE))
    assert (refused.reason, refused.details) == (
        Refusal.NOT_SUPPORTED,
        {"mode": "idle", "nearest": "no_charge"},
    )


def test_an_order_of_a_whole_day_is_refused() -> None:
    """It would have no edge."""
    assert refusal(image(SIX), order(HOLD, 1436)).reason is Refusal.TOO_LONG
