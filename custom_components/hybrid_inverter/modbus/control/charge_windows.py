"""The control of devices with slots that charge and slots that discharge, as the schedule of the same name has them.

An order takes a slot that is not used, and ends by itself where a slot can say what it is to do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
import math
from typing import Final

from ..model.codec import Value, as_number
from ..model.register import Register
from ..model.slots import CHARGE, DISCHARGE, MODES, WINDOW_SLOTS, window_key
from .order import ControlMode, ControlRefusedError, Order, Refusal
from .ownership import given_back
from .plan import Plan, Situation
from .rewrite import Rewrite
from .window_draft import (
    BACKUP,
    BATTERY_CHARGE,
    BATTERY_DISCHARGE,
    BATTERY_EXPORT,
    CEILING,
    EXPORT_CURRENT,
    EXPORT_MODE,
    EXPORT_POWER,
    FLOOR,
    GRID_CHARGE,
    GRID_DISCHARGE,
    MAX_SHARE,
    OUTSIDE_MODE,
    PASSIVE,
    PASSIVE_ACTION,
    RESERVE,
    SELF_CONSUMPTION,
    TIME_OF_USE,
    WORK_MODE,
    known_soc,
)
from .window_orders import ABOVE_FLOOR, FULL, planned
from .window_slots import FIELDS, HOUR, LONGEST, has, share_in, slot_in_force
from .words import Words

ENABLED: Final = "enabled"
# What else somebody sets is run from outside, or by the vendor's app.
OWN_MODES: Final = frozenset({SELF_CONSUMPTION, TIME_OF_USE, BACKUP})
STATUS: Final = "status"
NOT_READY: Final = frozenset({"initialising", "fault", "updating", "test", "self_check", "reset"})
PARALLEL_ROLE: Final = "parallel_role"
MASTER: Final = "master"
BATTERY_PROTOCOL: Final = "active_battery_protocol"
UNFIT_BATTERIES: Final = {
    "no_battery": Refusal.NO_BATTERY,
    "lead_acid": Refusal.LEAD_ACID,
}
PASSIVE_MODES: Final = {
    "standby": ControlMode.IDLE,
    "charge": ControlMode.CHARGE,
    "discharge": ControlMode.DISCHARGE,
}


def _slot_keys(kind: str, *fields: str) -> frozenset[str]:
    """Keys of all slots of a kind."""
    return frozenset(window_key(kind, number, field) for number in WINDOW_SLOTS for field in fields)


READS: Final = frozenset({WORK_MODE, FLOOR, CEILING, RESERVE}) | _slot_keys(
    CHARGE, ENABLED, *FIELDS
)
# Not on every firmware.
ALSO_WRITTEN: Final = frozenset(
    {GRID_DISCHARGE, EXPORT_MODE, EXPORT_POWER, BATTERY_EXPORT, PASSIVE_ACTION}
) | _slot_keys(DISCHARGE, ENABLED, *FIELDS)
ONLY_READ: Final = frozenset(
    {GRID_CHARGE, BATTERY_CHARGE, BATTERY_DISCHARGE, EXPORT_CURRENT, OUTSIDE_MODE}
)

# The order on the wire. The limit of the export has to be in force before its power counts, and is lifted before it is
# switched off. Where the owner's is in amperes, the power may be anything: it comes before the mode in which it counts, and
# goes after it. The ceiling is above the reserve all the time.
EXPORT_LIMIT: Final = (EXPORT_MODE, EXPORT_POWER)
IN_AMPERES: Final = "current"
NOT_BY_POWER: Final = frozenset({IN_AMPERES, "off"})
ENTERED_FIRST: Final = (RESERVE, CEILING, FLOOR, GRID_DISCHARGE, PASSIVE_ACTION)
# What would let more flow, or act, before what enters is in force.
LEFT_LAST: Final = (FLOOR, CEILING, BATTERY_EXPORT, GRID_DISCHARGE, RESERVE, PASSIVE_ACTION)
# Of a slot that acts the end goes first: nearly all changes are to later times, and so it never ends before it starts.
SLOT_WORDS: Final = tuple(
    window_key(kind, number, field)
    for kind in MODES
    for number in reversed(WINDOW_SLOTS)
    for field in ("end", "start", "power")
)
# One word has the switches of all slots of a kind.
SWITCH_WORDS: Final = tuple(window_key(kind, 1, ENABLED) for kind in MODES)
# Percent by which the battery may be above a reserve that holds it.
HELD_WITHIN: Final = 1


class ControlByWindows:
    """The style of devices whose slots charge, and on some of them discharge."""

    reads: Final = READS
    optional: Final = ALSO_WRITTEN | ONLY_READ
    writes: Final = READS | ALSO_WRITTEN
    modes: Final = frozenset(ControlMode)

    def plan(self, orders: Sequence[Order], situation: Situation) -> Plan:
        """What the device is to hold; the limit of the export comes first, as a discharge keeps to it."""
        owners, words = (Words(situation.image, situation.registers) for _ in range(2))
        told = {}
        for order in sorted(orders, key=lambda order: order.mode is not ControlMode.EXPORT_LIMIT):
            _refuse(order, situation, owners)
            told[order.mode] = planned(order, situation, words)
        addresses, switches = words.touched, _switch_words(situation)
        if not switches.isdisjoint(addresses):
            # A slot that somebody switches on is to wait for the end of the order, or may be in its way.
            addresses |= switches
        after = words.at(addresses)
        return Plan(
            after=after,
            ours=frozenset(after),
            told=tuple(told[order.mode] for order in orders),
        )

    def requests(
        self,
        target: Mapping[int, int],
        restored: Collection[int],
        registers: Mapping[str, Register],
        held: Mapping[int, int],
    ) -> list[dict[int, int]]:
        """One register each.

        What leaves: the mode, the switches of the slots; what enters: limits and floors, slots, their switches, the mode;
        and then the rest of what leaves: slots, none of which is switched on any more, and what would let more flow. Of
        the switches of both kinds, that of the kind which acts is on for the shortest time.

        Where the slots begin to act, the floor leaves before, so that the ceiling finds its distance; so does each of the two
        for the other one where they would come too close while one order takes the place of another. Where the slots cease to,
        their switches leave after that: those of the owner's slots may be meant for another time. A slot sells after it has
        its new power, and ceases to before.
        """
        rewrite, mode = Rewrite(target, restored, registers), registers[WORK_MODE]
        enters_mode = mode.addresses[0] in rewrite.entering
        begins = enters_mode and mode.decode(target) == TIME_OF_USE
        ceases = enters_mode and not begins
        export = registers.get(BATTERY_EXPORT)
        sells = export is not None and bool(target.get(export.addresses[0]))
        switches = rewrite.leave(_switches(rewrite.leaving, registers)[::-1])
        modes = {_export_mode(words, registers) for words in (held, target)}
        limit = EXPORT_LIMIT[::-1] if IN_AMPERES in modes else EXPORT_LIMIT
        return rewrite.requests(
            [
                *rewrite.leave((WORK_MODE,)),
                *(rewrite.leave((FLOOR,)) if begins else ()),
                *rewrite.leave(_in_the_way(rewrite, target, held, registers)),
                *(() if ceases else switches),
                *rewrite.enter(limit),
                *rewrite.enter(ENTERED_FIRST),
                *(() if sells else rewrite.enter((BATTERY_EXPORT,))),
                *rewrite.enter(SLOT_WORDS),
                *rewrite.enter(
                    (BATTERY_EXPORT, *_switches(rewrite.entering, registers), WORK_MODE)
                ),
                *(switches if ceases else ()),
                *rewrite.leave(SLOT_WORDS),
                *rewrite.leave(LEFT_LAST),
                # Nothing comes after this: where the device keeps its mode, what waits for that is not sent.
                *rewrite.leave(limit[::-1]),
            ]
        )

    def absorbed(
        self,
        plan: Plan,
        before: Mapping[int, int],
        found: Mapping[int, int],
        situation: Situation,
    ) -> dict[int, int] | None:
        """Take the switches of slots that the order has not moved for the owner's; all else is the order's."""
        owners = dict(before)
        switches = _switch_words(situation)
        for address, word in found.items():
            held = plan.after.get(address)
            if held is None:
                owners[address] = word
                continue
            moved = before[address] ^ held
            if address not in switches or (word ^ held) & moved:
                return None
            owners[address] = before[address] & moved | word & ~moved
        return owners

    def given_back(
        self,
        before: Mapping[int, int],
        put_there: Sequence[Mapping[int, int]],
        held: Mapping[int, int],
        registers: Mapping[str, Register],
    ) -> dict[int, int]:
        """Word by word, and of the switches of the slots each one by itself.

        A power that did not count, as the owner's limit was in amperes, stays away where somebody else has chosen a mode in
        which it would.
        """
        switches = {registers[key].addresses[0] for key in SWITCH_WORDS if key in registers}
        words = given_back(before, put_there, held, switches)
        modes = [_export_mode(some, registers) for some in (before, words)]
        if modes[0] == IN_AMPERES and modes[1] not in NOT_BY_POWER:
            power = registers[EXPORT_POWER].addresses[0]
            words |= {address: held[address] for address in words if address == power}
        return words

    def mode_of(self, situation: Situation) -> ControlMode | None:
        """By the mode, the slot that acts, the floor and the reserve.

        A slot that discharges, but not into the grid, is told from a battery that only takes nothing by its power.
        """
        words = Words(situation.image, situation.registers)
        mode = words.value(WORK_MODE)
        if mode == PASSIVE and has(situation, PASSIVE_ACTION):
            return PASSIVE_MODES.get(str(words.value(PASSIVE_ACTION)))
        if mode == BACKUP and (found := _in_backup(words, situation.soc)):
            return found
        acting = None
        if mode == TIME_OF_USE and situation.clock is not None:
            acting = slot_in_force(words, situation, situation.clock)
        if acting and acting[0] == CHARGE:
            return ControlMode.CHARGE
        if (floor := as_number(words.value(FLOOR))) is not None and floor >= FULL:
            return ControlMode.HOLD
        if acting is None:
            return None
        sells = has(situation, BATTERY_EXPORT) and words.value(BATTERY_EXPORT)
        whole = share_in(words, acting) == MAX_SHARE
        return ControlMode.NO_CHARGE if whole and not sells else ControlMode.DISCHARGE


CONTROL_BY_WINDOWS: Final = ControlByWindows()


def _refuse(order: Order, situation: Situation, words: Words) -> None:
    """Raise ControlRefusedError where the device is in no state to take an order."""
    if (mode := words.value(WORK_MODE)) not in OWN_MODES:
        raise ControlRefusedError(Refusal.RUN_ELSEWHERE, mode=str(mode or words.word(WORK_MODE)))
    # One that is planned together with an older one begins later than that.
    if order.until - max(order.start, situation.now) > LONGEST:
        raise ControlRefusedError(Refusal.TOO_LONG, hours=round(LONGEST / HOUR, 2))
    values = situation.values
    if values.get(STATUS) in NOT_READY:
        raise ControlRefusedError(Refusal.FAULT)
    if values.get(PARALLEL_ROLE) not in (None, MASTER):
        raise ControlRefusedError(Refusal.PARALLEL)
    if order.mode is ControlMode.EXPORT_LIMIT:
        return
    if unfit := UNFIT_BATTERIES.get(str(values.get(BATTERY_PROTOCOL))):
        raise ControlRefusedError(unfit)
    # Without it nobody knows whether there is a battery that answers.
    known_soc(situation)


def _switch_words(situation: Situation) -> frozenset[int]:
    """The addresses of the words with the switches of both kinds of slots."""
    return frozenset(
        situation.registers[key].addresses[0] for key in SWITCH_WORDS if has(situation, key)
    )


def _switches(among: Collection[int], registers: Mapping[str, Register]) -> tuple[str, ...]:
    """Keys of the words with the switches of both kinds of slots; last, that of slots which are among these addresses."""
    return tuple(
        window_key(kind, 1, ENABLED)
        for kind in sorted(
            MODES,
            key=lambda kind: any(
                key in registers and registers[key].addresses[0] in among
                for key in _slot_keys(kind, *FIELDS)
            ),
        )
    )


def _in_the_way(
    rewrite: Rewrite,
    target: Mapping[int, int],
    held: Mapping[int, int],
    registers: Mapping[str, Register],
) -> tuple[str, ...]:
    """The floor or the ceiling, if it leaves and is too close to what the other one becomes, but for the lock at 100 %."""
    floor, ceiling = (registers[key].addresses[0] for key in (FLOOR, CEILING))
    if floor in rewrite.leaving and ceiling in rewrite.entering:
        return (FLOOR,) if held[floor] + ABOVE_FLOOR > target[ceiling] else ()
    if ceiling in rewrite.leaving and floor in rewrite.entering and target[floor] < FULL:
        return (CEILING,) if target[floor] + ABOVE_FLOOR > held[ceiling] else ()
    return ()


def _export_mode(words: Mapping[int, int], registers: Mapping[str, Register]) -> Value | None:
    """What the mode of the export limit is with these words; None where they do not have it."""
    row = registers.get(EXPORT_MODE)
    return None if row is None or row.addresses[0] not in words else row.decode(words)


def _in_backup(words: Words, soc: float | None) -> ControlMode | None:
    """What a reserve makes of the backup mode: below it the battery is charged, and just above it it serves nobody."""
    reserve = as_number(words.value(RESERVE))
    if soc is None or reserve is None or reserve < math.floor(soc) - HELD_WITHIN:
        return None
    return ControlMode.CHARGE if reserve > soc else ControlMode.HOLD
