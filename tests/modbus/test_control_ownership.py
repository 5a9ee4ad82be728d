"""Somebody has changed a word of an order while nobody was there: what is ours goes, and what is theirs stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.control.charge_windows import CONTROL_BY_WINDOWS
from custom_components.hybrid_inverter.modbus.control.order import ControlMode, Order, PowerAt
from custom_components.hybrid_inverter.modbus.control.six_slots import CONTROL_BY_SLOTS
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from . import six_slot_table as slots
from .charge_window_slots import (
    AT_GRID,
    CHARGE,
    DISCHARGE,
    HOLD,
    IDLE,
    NO_CHARGE,
    NO_EXPORT,
    OWNERS,
    REGISTERS,
    planned,
)

# Slots 1 and 3 charge and slot 2 discharges, in self-consumption; a charge of seven takes slot 7, and the others wait.
BUSY: Final = {**OWNERS, 0x3604: 0x05, 0x3605: 0x02}
SWITCHES: Final = {0x3604, 0x3605}
# The switch of the table and its days, and the flags of its slots.
FLAGS: Final = {146, *range(172, 178)}
STARTS: Final = range(148, 154)


def in_windows(
    found: Mapping[int, int], order: Order = CHARGE, before: Mapping[int, int] = BUSY
) -> dict[int, int]:
    """Return what differs from the owner's words when an order is over that somebody has changed."""
    after = planned(order, before, may_sell=True).after
    owners = {address: before[address] for address in after}
    given_back = CONTROL_BY_WINDOWS.given_back(
        owners, (after, {}), {**before, **after, **found}, REGISTERS
    )
    assert given_back.keys() == owners.keys()
    return {address: word for address, word in given_back.items() if word != owners[address]}


def in_slots(
    found: Mapping[int, int], order: Order, before: Mapping[int, int]
) -> tuple[dict[int, int], Mapping[int, int]]:
    """Return the same of a table of six slots, and the words that the order has put there."""
    after = CONTROL_BY_SLOTS.plan([order], slots.situation(before, may_sell=True)).after
    owners = {address: before[address] for address in after}
    given_back = CONTROL_BY_SLOTS.given_back(
        owners, (after, {}), {**before, **after, **found}, JSO.registers
    )
    return {a: word for a, word in given_back.items() if word != owners[a]}, after


def others(word: int) -> Iterator[int]:
    """Yield words that differ from one in each of the lower eight bits, and one in all of these."""
    yield from (word ^ (1 << bit) for bit in range(8))
    yield word ^ 0xFF


# ---------------------------------------------------------------------- slots that are windows


@pytest.mark.parametrize(
    ("found", "theirs"),
    [
        # Ours is 0x40, the owner's 0x05: theirs is slot 2, and slots 1 and 3 are the owner's again.
        ({0x3604: 0x42}, {0x3604: 0x07}),
        # Slot 1 is on again already, and ours is off.
        ({0x3604: 0x01}, {}),
        ({0x3604: 0x00}, {}),
        # Of the other kind, whose slot 2 waits: slot 5 is theirs.
        ({0x3605: 0x10}, {0x3605: 0x12}),
        # The start of slot 7, the mode, the ceiling: the word is theirs, and the slot is off.
        ({0x3618: 0x1300}, {0x3618: 0x1300}),
        ({0x3647: 2}, {0x3647: 2}),
        ({0x3646: 90}, {0x3646: 90}),
        ({0x3604: 0x42, 0x3618: 0x1300}, {0x3604: 0x07, 0x3618: 0x1300}),
    ],
)
def test_of_a_charge_that_was_changed_all_that_is_ours_goes(
    found: dict[int, int], theirs: dict[int, int]
) -> None:
    """Word by word, and of the switches slot by slot."""
    assert in_windows(found) == theirs


@pytest.mark.parametrize(
    "order", [CHARGE, DISCHARGE, AT_GRID, NO_CHARGE, HOLD, IDLE, NO_EXPORT], ids=lambda o: o.mode
)
def test_whatever_word_of_windows_was_changed_nothing_of_ours_stays(order: Order) -> None:
    """Each word of each order, changed in every bit: no bit of a switch is ours, and every other word is as before."""
    after = planned(order, BUSY, may_sell=True).after
    for address in after:
        for word in others(after[address]):
            left = in_windows({address: word}, order)
            assert left.keys() <= {address}
            held = left.get(address, BUSY[address])
            moved = after[address] ^ BUSY[address] if address in SWITCHES else 0
            assert (held ^ BUSY[address]) & moved == 0
            if address not in SWITCHES:
                assert held == word


def test_a_change_that_was_broken_off_leaves_no_switch_of_either_order() -> None:
    """From a charge in slot 7 to one in slots 7 and 6, while somebody has switched slot 2 on."""
    before = {0x3604: 0x01}
    put_there = ({0x3604: 0x60}, {0x3604: 0x40})
    given_back = CONTROL_BY_WINDOWS.given_back(before, put_there, {0x3604: 0x42}, REGISTERS)
    assert given_back == {0x3604: 0x03}


# ---------------------------------------------------------------------- a table of six slots

HOLD_SLOTS: Final = slots.order(ControlMode.HOLD)
ORDERS: Final = [
    HOLD_SLOTS,
    slots.order(ControlMode.CHARGE, power=2000, target_soc=90),
    slots.order(ControlMode.DISCHARGE, power=2000, target_soc=40, at=PowerAt.GRID),
    slots.order(ControlMode.NO_CHARGE),
    slots.order(ControlMode.EXPORT_LIMIT, power=0),
]


@pytest.mark.parametrize("table", [slots.TWO, slots.SIX], ids=["two", "six"])
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.mode)
def test_whatever_word_of_a_table_was_changed_nothing_of_ours_stays(
    order: Order, table: list[slots.Slot]
) -> None:
    """Of the days and the flags no bit is ours, and an edge stays only where the owner's table is in order with it."""
    before = slots.image(table)
    for address, ours in in_slots({}, order, before)[1].items():
        for word in others(ours):
            left, _ = in_slots({address: word}, order, before)
            held = {**before, **left}
            assert left.keys() <= {address}
            starts = [held[start] for start in STARTS]
            assert starts == sorted(starts)
            if address in FLAGS and before[address] != 0xFFFF:
                assert (held[address] ^ before[address]) & (ours ^ before[address]) == 0
                assert (held[address] ^ word) & ~(ours ^ before[address]) == 0
            elif address not in STARTS:
                assert held[address] == word


@pytest.mark.parametrize(
    ("found", "theirs"),
    [
        # An hour is held from 18:00, on all days; somebody takes Sunday off.
        ({146: 0x007F}, {146: 0x007F}),
        # The fifth slot is ours, from 18:00; the owner's begins at 17:00, after one at 13:00 and before one at 21:00.
        ({152: 1830}, {152: 1830}),
        ({152: 2130}, {}),
        ({170: 70}, {170: 70}),
    ],
)
def test_of_a_hold_that_was_changed_all_that_is_ours_goes(
    found: dict[int, int], theirs: dict[int, int]
) -> None:
    """The table is the owner's, with the word that somebody has set."""
    before = slots.image(slots.SIX)
    assert in_slots(found, HOLD_SLOTS, before)[0] == theirs
