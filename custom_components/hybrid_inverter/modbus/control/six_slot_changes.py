"""What somebody has changed in a table of six slots while an order is laid over it: the owner's own table, then.

Each slot of the laid-out table goes on with what the owner's table has at its start. So a change of it is one of those
slots of the owner, and a moved edge is a moved start of theirs. The edge of a spare slot is nobody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ..model.codec import WORD
from ..model.slots import START_SLOTS
from . import ownership
from .day_table import (
    FIELDS,
    FLAGS,
    START,
    Image,
    Registers,
    address_of,
    alike,
    read_day,
    start_minute,
    table_addresses,
)
from .order import ControlMode
from .plan import Plan, Situation
from .six_slot_state import ENABLED

TABLE_MODES: Final = (ControlMode.HOLD, ControlMode.CHARGE, ControlMode.DISCHARGE)


def absorbed(
    plan: Plan, before: Image, found: Image, situation: Situation
) -> dict[int, int] | None:
    """All of the owner's words with what somebody has changed; None when that is the order itself.

    `before` has the owner's words of what the plan has changed, the image of the situation all others.
    That it is also when the table is switched off, or when it would no longer be in order.
    """
    registers = situation.registers
    table = set(table_addresses(registers))
    before = {**situation.image, **before}
    planned = {**before, **plan.after}
    owner = {**before, **{address: found[address] for address in found.keys() - table}}
    changed = {address: found[address] for address in found.keys() & table}
    needs_table = any(told.mode in TABLE_MODES for told in plan.told)
    if found.keys() & plan.ours or (needs_table and not _is_enabled(found, registers)):
        return None
    if not changed:
        return owner
    if all(planned[address] == before[address] for address in table):
        return owner | changed
    if not read_day(before, registers):
        return None
    owner |= _moved(changed, before, planned, registers)
    owner |= _refilled(changed, before, planned, registers)
    return owner if _is_in_order(owner, changed, registers) else None


def given_back(
    before: Image, put_there: Sequence[Image], held: Image, registers: Registers
) -> dict[int, int]:
    """What the table and the settings beside it are to be when orders are over.

    An edge of the order that somebody has moved is put back with it if it would not be in order in the owner's table.
    """
    flags = {
        registers[ENABLED].addresses[0],
        *(address_of(slot, FLAGS, registers) for slot in START_SLOTS),
    }
    owner = ownership.given_back(before, put_there, held, flags)
    starts = [address_of(slot, START, registers) for slot in START_SLOTS]
    if owner.keys() >= {*starts} and any(
        owner[one] > owner[other] for one, other in pairwise(starts)
    ):
        owner |= {address: before[address] for address in starts}
    return owner


def _is_enabled(found: Image, registers: Registers) -> bool:
    """Whether the table is still switched on."""
    row = registers[ENABLED]
    return row.addresses[0] not in found or row.decode(found) is True


def _is_in_order(owner: Image, changed: Image, registers: Registers) -> bool:
    """Whether the starts are, and those that were changed are times of day."""
    starts = [address_of(slot, START, registers) for slot in START_SLOTS]
    return all(
        start_minute(slot, changed, registers) is not None
        for slot, address in zip(START_SLOTS, starts, strict=True)
        if address in changed
    ) and all(owner[one] <= owner[other] for one, other in pairwise(starts))


def _moved(changed: Image, before: Image, planned: Image, registers: Registers) -> dict[int, int]:
    """The starts of the owner that have been moved."""
    moved = {}
    for slot in START_SLOTS:
        address = address_of(slot, START, registers)
        if address not in changed:
            continue
        start = start_minute(slot, planned, registers)
        for other in START_SLOTS:
            if start_minute(other, before, registers) == start:
                moved[address_of(other, START, registers)] = changed[address]
    return moved


def _refilled(
    changed: Image, before: Image, planned: Image, registers: Registers
) -> dict[int, int]:
    """What the owner's slots hold besides their starts, where the table does something else now."""
    day = read_day(before, registers)
    refilled = {}
    for slot in START_SLOTS:
        start = start_minute(slot, planned, registers)
        fields = [field for field in FIELDS if address_of(slot, field, registers) in changed]
        if start is None or not fields:
            continue
        owners = [segment.slot for segment in alike(day, start) if segment.slot is not None]
        for field in fields:
            address = address_of(slot, field, registers)
            for other in owners:
                there = address_of(other, field, registers)
                refilled[there] = _merged_word(
                    field, before[there], planned[address], changed[address]
                )
    return refilled


def _merged_word(field: str, before: int, planned: int, found: int) -> int:
    """The word of the owner's slot: the one that was found, and of flags only those that were changed."""
    if field != FLAGS or before == WORD:
        return found
    bits = planned ^ found
    return before & ~bits | found & bits
