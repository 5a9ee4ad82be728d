"""The style of a table of six slots that share the day: an order is a segment of it, between the owner's own ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
import math
from typing import Final

from ..model.condition import BY_VOLTAGE
from ..model.register import Register
from ..model.slots import START_SLOTS, start_key
from .day_table import (
    FIELDS,
    GENERATOR_CHARGE,
    START,
    Segment,
    SlotWords,
    fitted,
    held,
    in_force,
    is_same_day,
    laid_over,
    merged,
    order_addresses,
    overlaps,
    put_day,
    read_day,
    slot_words,
    spread,
    table_addresses,
    without_grid_charge,
)
from .order import ControlMode, ControlRefusedError, Order, Refusal
from .plan import AfterEnd, EndsBy, Limited, Plan, Recurs, Situation, Told, Why
from .rewrite import Rewrite
from .six_slot_changes import absorbed, given_back
from .six_slot_modes import (
    GRID_CHARGE,
    GRID_CHARGE_CURRENT,
    LOW_SOC,
    MAX_CHARGE_CURRENT,
    MAX_SELL_POWER,
    SOLAR_SELL,
    WORK_MODE,
    Wanted,
    charge,
    discharge,
    hold,
    is_on,
    limit_export,
    no_charge,
)
from .six_slot_state import ENABLED, WEEKDAYS, mode_of, recurs, set_days
from .six_slot_window import Window, window_of
from .words import Words

SLOT_FIELDS: Final = (START, *FIELDS)
# What turns an order on, and what bounds it, beside the table.
SWITCHES: Final = (GRID_CHARGE, WORK_MODE, SOLAR_SELL, MAX_CHARGE_CURRENT)
BOUNDS: Final = (GRID_CHARGE_CURRENT, MAX_SELL_POWER)
SLOTS: Final = tuple(start_key(slot, field) for slot in START_SLOTS for field in SLOT_FIELDS)
GENERATOR_FLAGS: Final = tuple(start_key(slot, GENERATOR_CHARGE) for slot in START_SLOTS)
# The table and its days, as what stays of an order.
SCHEDULE: Final = "schedule"

# Without the sun the battery only runs down, and nobody ends it.
MAX_WITHOUT_CHARGE: Final = timedelta(hours=4)
STATUS: Final = "status"
FAULT: Final = "fault"
# Whether several work as one, and which of them the others follow.
PARALLEL: Final = "parallel_enabled"
ROLE: Final = "parallel_role"


class SixSlots:
    """The style of six slots. While nobody puts it back, the inverter does it again every day, or every week."""

    reads: Final = frozenset(
        {*SLOTS, ENABLED, *WEEKDAYS, *SWITCHES, *BOUNDS, LOW_SOC, *BY_VOLTAGE.keys}
    )
    optional: Final = frozenset({PARALLEL, ROLE})
    writes: Final = frozenset({*SLOTS, *GENERATOR_FLAGS, ENABLED, *WEEKDAYS, *SWITCHES, *BOUNDS})
    modes: Final = frozenset(ControlMode) - {ControlMode.IDLE}

    def plan(self, orders: Sequence[Order], situation: Situation) -> Plan:
        """The words for these orders, at most one of the battery and one export limit."""
        words = Words(situation.image, situation.registers)
        told: dict[ControlMode, Told] = {}
        ours: set[int] = set()
        # What may not be exported decides what a discharge can do.
        for order in sorted(orders, key=lambda order: order.mode is not ControlMode.EXPORT_LIMIT):
            before = words.changed
            wanted, window = _wanted(order, orders, words, situation)
            told[order.mode], addresses = _put(order, wanted, window, words, situation, before)
            ours |= addresses
        rests_on = set(ours)
        if any(one.ends_by is EndsBy.INVERTER for one in told.values()):
            rests_on.add(situation.registers[ENABLED].addresses[0])
        whole = table_addresses(situation.registers)
        if not words.changed.keys().isdisjoint(whole):
            # A slot that holds what the owner has set there stands for another one now.
            rests_on |= {*whole}
        return Plan(
            after=words.changed | words.at(rests_on),
            ours=frozenset(ours),
            told=tuple(told[order.mode] for order in orders),
        )

    def requests(
        self,
        target: Mapping[int, int],
        restored: Collection[int],
        registers: Mapping[str, Register],
        held: Mapping[int, int],
    ) -> list[dict[int, int]]:
        """One request for the whole table, of which `target` has all words or none, and one for any other word.

        Switches that leave an order come first and those that enter one last. A bound is there before the switch that
        it bounds, and is put back when nothing needs it any more.
        """
        whole = table_addresses(registers)
        slots = [address for address in whole if address in target]
        if slots not in ([], whole):
            raise ValueError("the table is written as a whole")
        rewrite, days = Rewrite(target, restored, registers), (ENABLED,)
        return rewrite.requests(
            [
                *rewrite.leave(SWITCHES),
                *rewrite.enter(BOUNDS),
                slots,
                *rewrite.leave(days),
                *rewrite.enter(days),
                *rewrite.enter(SWITCHES),
                *rewrite.leave(BOUNDS),
            ]
        )

    def absorbed(
        self,
        plan: Plan,
        before: Mapping[int, int],
        found: Mapping[int, int],
        situation: Situation,
    ) -> dict[int, int] | None:
        """All of the owner's words with what somebody has changed; None when that is the order itself."""
        return absorbed(plan, before, found, situation)

    def given_back(
        self,
        before: Mapping[int, int],
        put_there: Sequence[Mapping[int, int]],
        held: Mapping[int, int],
        registers: Mapping[str, Register],
    ) -> dict[int, int]:
        """What the device is to hold when orders are over; its starts stay in order."""
        return given_back(before, put_there, held, registers)

    def mode_of(self, situation: Situation) -> ControlMode | None:
        """The order that the words are now."""
        return mode_of(situation)


CONTROL_BY_SLOTS: Final = SixSlots()


# ---------------------------------------------------------------------- one order


def _wanted(
    order: Order, orders: Sequence[Order], words: Words, situation: Situation
) -> tuple[Wanted, Window | None]:
    """What an order wants, with the settings beside the table put in, and when; ControlRefusedError if it cannot be."""
    if situation.values.get(PARALLEL) and situation.values.get(ROLE) == "slave":
        raise ControlRefusedError(Refusal.PARALLEL)
    if order.mode is ControlMode.EXPORT_LIMIT:
        return limit_export(order, words, situation), None
    soc = _checked_soc(order, situation)
    if order.mode is ControlMode.NO_CHARGE:
        if order.until - max(order.start, situation.now) > MAX_WITHOUT_CHARGE:
            hours = MAX_WITHOUT_CHARGE / timedelta(hours=1)
            raise ControlRefusedError(Refusal.TOO_LONG, hours=hours)
        return no_charge(words), None
    window = window_of(order, situation)
    current = in_force(_owners_day(words, situation), window.first_minute).words
    if order.mode is ControlMode.HOLD:
        return hold(current, situation), window
    if order.mode is ControlMode.CHARGE:
        return charge(order, current, soc, words, situation), window
    limits = [
        math.floor(other.power)
        for other in orders
        if other.mode is ControlMode.EXPORT_LIMIT and other.power is not None
    ]
    limit = limits[0] if limits else None
    return discharge(order, current, soc, words, situation, limit), window


def _checked_soc(order: Order, situation: Situation) -> float:
    """The state of charge of a battery that can be controlled; ControlRefusedError for one that cannot."""
    if order.mode is ControlMode.IDLE:
        raise ControlRefusedError(
            Refusal.NOT_SUPPORTED, mode=order.mode, nearest=ControlMode.NO_CHARGE
        )
    values = situation.values
    runs_by, chemistry = BY_VOLTAGE.keys
    reasons = {
        Refusal.NO_BATTERY: values.get(runs_by) == "no_battery",
        Refusal.BY_VOLTAGE: values.get(runs_by) is not None and BY_VOLTAGE.is_met(values),
        Refusal.LEAD_ACID: values.get(chemistry) == "lead_acid",
        Refusal.FAULT: values.get(STATUS) == FAULT,
    }
    for reason, is_given in reasons.items():
        if is_given:
            raise ControlRefusedError(reason)
    if situation.soc is None:
        raise ControlRefusedError(Refusal.NO_SOC)
    return situation.soc


def _owners_day(words: Words, situation: Situation) -> list[Segment]:
    """The owner's table; ControlRefusedError when it counts and cannot be told."""
    if day := read_day(situation.image, situation.registers):
        return day
    if is_on(ENABLED, words):
        raise ControlRefusedError(Refusal.NOT_READABLE, setting=start_key(1, START))
    # Nobody has ever filled it.
    return [Segment(start=0, words=slot_words(1, situation.image, situation.registers), slot=1)]


def _put(
    order: Order,
    wanted: Wanted,
    window: Window | None,
    words: Words,
    situation: Situation,
    before: Mapping[int, int],
) -> tuple[Told, set[int]]:
    """Put what an order wants into the table; what is told of it, and the words that are the order itself.

    `before` is what other orders have changed.
    """
    address_of = {key: row.addresses[0] for key, row in situation.registers.items()}
    days, ours, dropped, is_held_later = set_days(words), set[int](), 0, False
    if window is not None and wanted.words is not None:
        rest_is_held = _put_days(wanted, window, words)
        ours, dropped = _put_slots(
            wanted, wanted.words, window, words, situation, rest_is_held=rest_is_held
        )
        # Days that are left out now hold the battery.
        is_held_later = rest_is_held or set_days(words) != days
    changed = {address for address, word in words.changed.items() if word != before.get(address)}
    stays = [key for key in (*SWITCHES, *BOUNDS) if address_of[key] in changed]
    ours |= {address_of[key] for key in (*stays, *wanted.needs)}
    ours |= {address_of[ENABLED]} & changed
    after_end = AfterEnd.CHANGED if stays or dropped else AfterEnd.AUTO
    if not changed.isdisjoint({*table_addresses(situation.registers), address_of[ENABLED]}):
        stays.append(SCHEDULE)
    if stays and is_held_later:
        after_end = AfterEnd.HELD
    told = Told(
        mode=order.mode,
        power=wanted.power,
        target_soc=wanted.target_soc,
        until=order.until if window is None else window.until,
        ends_by=EndsBy.HOME_ASSISTANT if window is None else EndsBy.INVERTER,
        recurs=Recurs.NO if window is None or not stays else recurs(words),
        after_end=after_end,
        stays=tuple(stays),
        limited=(*wanted.limited, Limited(Why.TABLE_FULL, dropped)) if dropped else wanted.limited,
        target_reached=wanted.target_reached,
    )
    return told, ours


def _put_days(wanted: Wanted, window: Window, words: Words) -> bool:
    """Switch the table on, on the days that the order needs; whether the battery is held outside the window.

    Without the table, and on a day that it leaves out, the battery is held anyway.
    """
    rest_is_held = wanted.holds_rest or not is_on(ENABLED, words)
    days, touched = set_days(words), window.weekdays
    if days and (wanted.own_days_only or not touched <= days):
        rest_is_held = rest_is_held or not touched <= days
        for number, key in enumerate(WEEKDAYS):
            words.put(key, number in touched)
    words.put(ENABLED, True)
    return rest_is_held


def _put_slots(
    wanted: Wanted,
    slot: SlotWords,
    window: Window,
    words: Words,
    situation: Situation,
    *,
    rest_is_held: bool,
) -> tuple[set[int], int]:
    """Lay an order over the owner's table; its words, and how many edges have no place.

    A table that does the same already stays as it is.
    """
    registers = situation.registers
    owners = read_day(situation.image, registers)
    day = _owners_day(Words(situation.image, registers), situation)
    if rest_is_held:
        day = [replace(segment, words=held(segment.words, registers)) for segment in day]
    elif wanted.charges_alone:
        day = [
            replace(segment, words=without_grid_charge(segment.words, registers)) for segment in day
        ]
    day = merged(laid_over(day, window, slot))
    dropped = max(0, len(day) - len(START_SLOTS))
    if owners and is_same_day(day, merged(owners)):
        slots = [
            segment.slot
            for segment in owners
            if segment.slot is not None and overlaps(owners, segment, window)
        ]
        dropped = 0
    else:
        day = spread(fitted(day, window.first_minute))
        put_day(day, words)
        slots = [number for number, part in zip(START_SLOTS, day, strict=True) if part.is_ordered]
    return set[int]().union(*(order_addresses(number, registers) for number in slots)), dropped
