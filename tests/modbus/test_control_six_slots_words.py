"""The words of orders on a table of six slots: how they are written, what becomes of a change, and what they are now."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.control.order import (
    ControlMode,
    ControlRefusedError,
    Order,
    PowerAt,
)
from custom_components.hybrid_inverter.modbus.control.plan import Plan
from custom_components.hybrid_inverter.modbus.control.six_slots import CONTROL_BY_SLOTS
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .six_slot_table import SIX, TWO, Slot, changed, image, order, situation

HOLD, CHARGE, DISCHARGE = ControlMode.HOLD, ControlMode.CHARGE, ControlMode.DISCHARGE
NO_CHARGE, EXPORT_LIMIT = ControlMode.NO_CHARGE, ControlMode.EXPORT_LIMIT

TABLE: Final = list(range(148, 178))
# What an order may change at all.
CHANGEABLE: Final = {108, 128, 130, 142, 143, 145, 146, *TABLE}


def requests(target: dict[int, int], restored: set[int]) -> list[list[int]]:
    """The addresses of the requests, in order; the words in them are those of the target."""
    found = CONTROL_BY_SLOTS.requests(target, restored, JSO.registers, {})
    assert {address: word for request in found for address, word in request.items()} == target
    return [list(request) for request in found]


def sent(words: dict[int, int], plan: Plan) -> dict[int, int]:
    """The words that a plan changes, and all of the table if it changes one of them."""
    after = changed(words, plan)
    return (
        {address: plan.after[address] for address in TABLE} | after
        if after.keys() & set(TABLE)
        else after
    )


# ---------------------------------------------------------------------- requests


def test_a_hold_is_one_request_and_so_is_its_end() -> None:
    """The table is back word for word."""
    words = image(SIX)
    after = sent(words, CONTROL_BY_SLOTS.plan([order(HOLD, 30)], situation(words)))
    assert requests(after, set()) == [TABLE]
    assert requests({address: words[address] for address in after}, set(after)) == [TABLE]


def test_a_charge_is_switched_on_last_and_off_first() -> None:
    """Its current is there before, and is put back after the table."""
    words = image(TWO)
    plan = CONTROL_BY_SLOTS.plan([order(CHARGE, power=3000)], situation(words))
    after = sent(words, plan)
    assert requests(after, set()) == [[128], TABLE, [146], [130]]
    before = {address: words[address] for address in after}
    assert requests(before, set(after)) == [[130], TABLE, [146], [128]]


def test_a_discharge_is_switched_on_last_and_off_first() -> None:
    """What it may sell is lowered before."""
    words = image(TWO)
    wanted = order(DISCHARGE, power=3000, at=PowerAt.GRID)
    after = sent(words, CONTROL_BY_SLOTS.plan([wanted], situation(words, may_sell=True)))
    assert requests(after, set()) == [[143], TABLE, [146], [142]]
    before = {address: words[address] for address in after}
    assert requests(before, set(after)) == [[142], TABLE, [146], [143]]


def test_from_one_order_to_another_the_first_one_ends_before_the_second_begins() -> None:
    """A discharge becomes a charge."""
    target = {142: 2, 143: 6000, 128: 60, 130: 1, 146: 0x81, **dict.fromkeys(TABLE, 0)}
    assert requests(target, {142, 143}) == [[142], [128], TABLE, [146], [130], [143]]


def test_what_needs_no_table_is_single_words() -> None:
    """The limit and the end of it."""
    assert requests({108: 0}, set()) == [[108]]
    assert requests({142: 2, 145: 0}, set()) == [[142], [145]]
    assert requests({142: 0, 145: 1}, {142, 145}) == [[142], [145]]
    assert requests({}, set()) == []


@pytest.mark.parametrize("target", [{117: 20}, {109: 0}, {148: 0}, dict.fromkeys(TABLE[:-1], 0)])
def test_other_words_and_half_tables_are_not_written(target: dict[int, int]) -> None:
    """The device takes back starts that do not travel together."""
    with pytest.raises(ValueError, match=r"order changes|as a whole"):
        CONTROL_BY_SLOTS.requests(target, set(), JSO.registers, {})


# ---------------------------------------------------------------------- changed meanwhile


def owners(
    words: dict[int, int], wanted: Order, found: dict[int, int], **known: Any
) -> dict[int, int] | None:
    """What of the owner's words is another after a change; None when the order is somebody else's now."""
    known = {"may_sell": True, **known}
    plan = CONTROL_BY_SLOTS.plan([wanted], situation(words, **known))
    before = {address: words[address] for address in plan.after}
    after = CONTROL_BY_SLOTS.absorbed(plan, before, found, situation(words, **known))
    if after is None:
        return None
    assert after.keys() == words.keys()
    return {address: word for address, word in after.items() if word != words[address]}


# TWO with an hour of hold: 00:00, 04:15, 08:30, 17:00, 18:00 and 19:00.
@pytest.mark.parametrize(
    ("found", "owner"),
    [
        # The fourth slot is the owner's sixth: its start, power, voltage, target and flags.
        ({151: 1600}, {153: 1600}),
        ({157: 2000}, {159: 2000}),
        ({163: 4800}, {165: 4800}),
        ({169: 45}, {171: 45}),
        ({175: 1}, {177: 1}),
        # As is the sixth.
        ({171: 45}, {171: 45}),
        # The first one is the owner's fifth, and of its start all slots that have it.
        ({166: 30}, {170: 30}),
        ({148: 30}, {148: 30, 149: 30, 150: 30, 151: 30, 152: 30}),
        # The second one only halves the first: its edge is nobody's, what it does is the first one's.
        ({149: 500}, {}),
        ({167: 30}, {170: 30}),
        # Beside the table.
        ({143: 3000}, {143: 3000}),
        ({130: 1}, {130: 1}),
        ({146: 0x00BF}, {146: 0x00BF}),
        ({143: 3000, 169: 45}, {143: 3000, 171: 45}),
    ],
)
def test_a_change_around_a_hold_is_the_owners(found: dict[int, int], owner: dict[int, int]) -> None:
    """The order goes on."""
    assert owners(image(TWO), order(HOLD), found) == owner


@pytest.mark.parametrize(
    "found",
    [
        # Start, power, target and flags of the fifth slot, and the start of the sixth.
        {152: 1755},
        {158: 2000},
        {170: 40},
        {176: 1},
        {153: 1930},
        # The table is off, or in no order, or has a time that there is not.
        {146: 0x00FE},
        {148: 1730},
        {151: 2575},
        {169: 45, 170: 40},
    ],
)
def test_a_change_of_a_hold_is_somebody_who_has_taken_over(found: dict[int, int]) -> None:
    """It is left alone."""
    assert owners(image(TWO), order(HOLD), found) is None


def test_a_change_of_what_a_discharge_has_raised_is_the_owners() -> None:
    """The target of 17:00, and its charge from the grid, beside a bit that nobody knows."""
    words = image([*TWO[:5], (1700, 3000, 5000, 50, 0x0021)])
    assert owners(words, order(DISCHARGE), {169: 30}) == {171: 30}
    # Planned is 0x0020: whoever switches the other bit off has not switched off the charge.
    assert owners(words, order(DISCHARGE), {175: 0x0000}) == {177: 0x0001}
    assert owners(words, order(DISCHARGE), {175: 0x0022}) == {177: 0x0023}
    assert owners(words, order(DISCHARGE), {142: 1}) is None


def test_a_cell_that_was_never_filled_is_filled() -> None:
    """There are no bits to keep in it."""
    words = image([*TWO[:5], (1700, 3000, 5000, 50, 0xFFFF)])
    assert owners(words, order(DISCHARGE), {175: 0x0001}) == {177: 0x0001}


def test_a_charge_that_was_switched_off_is_over() -> None:
    """Even where the order has not switched it on."""
    words = image(TWO, a130=1)
    assert owners(words, order(CHARGE, power=3000), {130: 0}) is None
    assert owners(words, order(CHARGE, power=3000), {128: 20}) is None
    assert owners(words, order(CHARGE, power=3000), {142: 1}) == {142: 1}


def test_an_edge_of_a_full_table_can_collide_with_one_that_has_no_place() -> None:
    """With a hold of half an hour 13:00 has none, and 09:00 goes on until 18:00."""
    assert owners(image(SIX), order(HOLD, 30), {150: 1000}) == {150: 1000}
    assert owners(image(SIX), order(HOLD, 30), {150: 1400}) is None


def test_without_an_order_in_the_table_it_is_the_owners() -> None:
    """Whatever it then does."""
    assert owners(image(SIX), order(NO_CHARGE), {146: 0x00FE, 166: 50}) == {146: 0x00FE, 166: 50}
    assert owners(image(SIX), order(NO_CHARGE), {108: 50}) is None
    assert owners(image(SIX), order(EXPORT_LIMIT, power=0), {142: 0}) is None


def test_in_a_table_that_was_never_filled_nothing_is_the_owners() -> None:
    """Whoever changes it has taken over."""
    blank = image([(0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF)] * 6, a146=0x00FE)
    assert owners(blank, order(CHARGE), {160: 4800}) is None


# ---------------------------------------------------------------------- what is in force


def with_slot(target: int, flags: int = 0) -> list[Slot]:
    """SIX, with this in the slot from 17:00 on."""
    return [*SIX[:4], (1700, 6000, 5000, target, flags), SIX[5]]


@pytest.mark.parametrize(
    ("slots", "settings", "known", "mode"),
    [
        (with_slot(50), {}, {}, None),
        (with_slot(50), {"a142": 0}, {}, DISCHARGE),
        (with_slot(60), {"a142": 0}, {}, HOLD),
        (with_slot(100), {"a142": 0}, {"soc": None}, HOLD),
        (with_slot(100), {}, {}, HOLD),
        (with_slot(50), {}, {"soc": 45}, HOLD),
        # At the owner's own floor the battery is empty, and not held.
        (with_slot(35), {}, {"soc": 30}, None),
        (with_slot(80, 1), {"a130": 1}, {}, CHARGE),
        (with_slot(80, 1), {"a130": 1}, {"soc": 80}, HOLD),
        (with_slot(80, 1), {}, {}, HOLD),
        (with_slot(80, 2), {"a130": 1}, {}, HOLD),
        (with_slot(50), {"a108": 0}, {}, NO_CHARGE),
        (with_slot(50), {"a108": 0, "a142": 0}, {}, DISCHARGE),
        (with_slot(0xFFFF), {}, {}, HOLD),
        # The table is off, or leaves Sunday out: the battery is kept.
        (with_slot(50), {"a146": 0x00FE}, {}, HOLD),
        (with_slot(50), {"a146": 0x00FE, "a130": 1}, {}, CHARGE),
        (with_slot(50), {"a146": 0x007F, "a130": 1}, {}, HOLD),
        (with_slot(50), {"a146": 0x007F, "a142": 0}, {}, HOLD),
        # A device without days.
        (with_slot(50), {"a146": 0x0001, "a142": 0}, {}, DISCHARGE),
        (with_slot(100), {}, {"clock": None}, None),
    ],
)
def test_the_order_that_the_words_are(
    slots: list[Slot], settings: dict[str, int], known: dict[str, Any], mode: ControlMode | None
) -> None:
    """Whoever has set them."""
    assert CONTROL_BY_SLOTS.mode_of(situation(image(slots, **settings), **known)) is mode


@pytest.mark.parametrize("mode", [HOLD, CHARGE, DISCHARGE, NO_CHARGE])
def test_an_order_is_seen_in_its_words(mode: ControlMode) -> None:
    """While it is in force."""
    words = image(TWO)
    plan = CONTROL_BY_SLOTS.plan([order(mode)], situation(words, may_sell=True))
    assert CONTROL_BY_SLOTS.mode_of(situation(words | dict(plan.after))) is mode


# ---------------------------------------------------------------------- what never happens


def random_words(chance: Random) -> dict[int, int]:
    """A machine that somebody has set at random, in order."""
    starts = sorted(chance.choice(range(0, 1440, 5)) for _ in range(6))
    slots = [
        (
            start // 60 * 100 + start % 60,
            chance.randrange(8001),
            chance.choice((4900, 0xFFFF)),
            chance.randrange(101),
            chance.choice((0, 1, 2, 3, 0x24, 0xFFFF)),
        )
        for start in starts
    ]
    return image(
        slots,
        a128=chance.randrange(116),
        a130=chance.randrange(2),
        a142=chance.randrange(3),
        a143=chance.randrange(8001),
        a145=chance.randrange(2),
        a146=chance.randrange(256),
    )


def random_orders(chance: Random) -> list[Order]:
    """An order of the battery, and an export limit now and then."""
    orders = [
        order(
            chance.choice((HOLD, CHARGE, DISCHARGE, NO_CHARGE)),
            chance.randrange(5, 1436),
            power=chance.choice((None, 1, 3000, 20000)),
            at=chance.choice(list(PowerAt)),
            target_soc=chance.choice((None, chance.randrange(101))),
        )
    ]
    if chance.random() < 0.3:
        orders.append(order(EXPORT_LIMIT, power=chance.choice((0, 2000))))
    return orders


def test_no_order_touches_what_protects_the_battery_or_the_grid() -> None:
    """Limits only go down, a charge is only forbidden by its own order, and the starts are in order."""
    chance, plans = Random(14), 0  # noqa: S311 - no secret
    for _ in range(500):
        words, orders = random_words(chance), random_orders(chance)
        known = situation(words, soc=chance.randrange(101), may_sell=chance.random() < 0.5)
        try:
            plan = CONTROL_BY_SLOTS.plan(orders, known)
        except ControlRefusedError:
            continue
        plans += 1
        after = sent(words, plan)
        written = CONTROL_BY_SLOTS.requests(after, set(), JSO.registers, words)
        assert {address for request in written for address in request} <= CHANGEABLE
        assert all(after.get(limit, 0) <= words[limit] for limit in (128, 143))
        assert (108 in after) is (orders[0].mode is NO_CHARGE)
        if 148 in after:
            starts = [after[148 + slot] for slot in range(6)]
            assert all(one < other for one, other in pairwise(starts))
            assert all(start % 100 < 60 and start < 2400 for start in starts)
            # The floor counts in the order itself too.
            assert all(after[166 + slot] <= 100 for slot in range(6))
    assert plans > 300


def test_only_what_is_declared_is_written() -> None:
    """And what is written is read before."""
    declared = {
        address for key in CONTROL_BY_SLOTS.writes for address in JSO.registers[key].addresses
    }
    assert declared == CHANGEABLE
    read = {address for key in CONTROL_BY_SLOTS.reads for address in JSO.registers[key].addresses}
    assert read == CHANGEABLE | {98, 111, 117}
