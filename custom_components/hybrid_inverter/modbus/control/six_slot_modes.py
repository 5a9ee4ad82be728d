"""What each mode wants of a table of six slots, and the settings beside the table that it changes.

A limit of the owner is only ever lowered, a floor only raised.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import math
from typing import Final

from ..model.codec import WORD, as_number
from ..model.slots import start_key
from .day_table import FLAGS, FULL, POWER, SOC, SlotWords
from .order import ControlRefusedError, Order, PowerAt, Refusal
from .plan import Limited, Situation, Why
from .words import Words

GRID_CHARGE: Final = "grid_charge_enabled"
GRID_CHARGE_CURRENT: Final = "grid_charge_current"
WORK_MODE: Final = "work_mode"
MAX_SELL_POWER: Final = "max_sell_power"
SOLAR_SELL: Final = "solar_sell"
MAX_CHARGE_CURRENT: Final = "battery_max_charge_current"
LOW_SOC: Final = "battery_low_soc"
BATTERY_VOLTAGE: Final = "battery_voltage"

# The bits of a slot's flags that an order decides: charging from the grid and from the generator, and selling.
DECIDED: Final = 0x0023

SELLING_FIRST: Final = "selling_first"
# By whether something at the house connection is measured.
ZERO_EXPORT: Final = {True: "zero_export_to_ct", False: "zero_export_to_load"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an order wants, and what it is told of that."""

    # In its window; None for an order that needs no table.
    words: SlotWords | None = None
    power: float | None = None
    target_soc: float | None = None
    limited: tuple[Limited, ...] = ()
    target_reached: bool = False
    # Whether the battery is held outside the window.
    holds_rest: bool = False
    # Whether nothing charges from the grid outside the window.
    charges_alone: bool = False
    # Whether it counts on its own days only, where the table has days.
    own_days_only: bool = False
    # The settings beside the table that it stands or falls with, changed or not.
    needs: frozenset[str] = field(default_factory=frozenset)


def hold(current: SlotWords, situation: Situation, target: float | None = None) -> Wanted:
    """Nothing out of the battery; with a target, one that is reached. `current` is what the owner's table has."""
    row = situation.registers[start_key(1, SOC)]
    return Wanted(
        words=SlotWords(
            current.power,
            current.voltage,
            row.encode(FULL)[0],
            _flags(current, situation, charge=False),
        ),
        target_soc=target,
        target_reached=target is not None,
    )


def charge(
    order: Order, current: SlotWords, soc: float, words: Words, situation: Situation
) -> Wanted:
    """Up to a target from the grid and the sun, and no lower than that meanwhile."""
    asked = _target(order, otherwise=FULL)
    _check_power(order)
    if asked <= soc:
        return hold(current, situation, math.ceil(asked))
    target = math.ceil(max(asked, soc))
    power, limited = _charge_power(order, words, situation)
    slot_power = situation.rated_power if power is None else power
    told = _lower_charge_current(power, words, situation)
    # What else the table charges would do so only now that it is switched on.
    alone = not is_on(GRID_CHARGE, words)
    words.put(GRID_CHARGE, True)
    return Wanted(
        words=_slot_words(slot_power, current, target, situation, charge=True),
        power=told,
        target_soc=target,
        limited=limited,
        charges_alone=alone,
        own_days_only=alone,
        needs=frozenset({GRID_CHARGE}),
    )


def discharge(
    order: Order,
    current: SlotWords,
    soc: float,
    words: Words,
    situation: Situation,
    export_limit: float | None,
) -> Wanted:
    """Down to a target: into the house, and into the grid where that is allowed. An export limit is in the words."""
    floor = _floor(words)
    asked = _target(order, otherwise=floor)
    _check_power(order)
    target = max(math.ceil(asked), floor)
    limited = [Limited(Why.LOW_SOC, floor)] if asked < floor else []
    if soc <= target:
        reached = hold(current, situation, target)
        return Wanted(
            words=reached.words, target_soc=target, target_reached=True, limited=tuple(limited)
        )
    is_selling = words.value(WORK_MODE) == SELLING_FIRST
    sells = situation.may_sell and situation.sees_grid and export_limit != 0
    if sells and not is_selling:
        words.put(WORK_MODE, SELLING_FIRST)
    elif not sells and not is_selling:
        limited.append(Limited(Why.EXPORT))
    if order.at is PowerAt.GRID:
        slot_power: float = situation.rated_power
        power = _sell(order, words, situation, export_limit, limited) if sells else None
    else:
        power = slot_power = _bounded(order.power, situation.rated_power, limited)
        load = situation.load_power or 0
        if sells and export_limit is not None and power - load > export_limit:
            limited.append(Limited(Why.EXPORT, export_limit))
    return Wanted(
        words=_slot_words(slot_power, current, target, situation, charge=False),
        power=power,
        target_soc=target,
        limited=tuple(limited),
        # While it sells first, the device would sell down to the target of any slot.
        holds_rest=sells and not is_selling,
        own_days_only=True,
        needs=frozenset({WORK_MODE} if sells else ()),
    )


def no_charge(words: Words) -> Wanted:
    """Nothing into the battery. What the sun then has too much is cut where it may not be sold."""
    words.put(MAX_CHARGE_CURRENT, 0)
    is_cut = words.value(SOLAR_SELL) is False and words.value(WORK_MODE) != SELLING_FIRST
    return Wanted(
        limited=(Limited(Why.EXPORT),) if is_cut else (), needs=frozenset({MAX_CHARGE_CURRENT})
    )


def limit_export(order: Order, words: Words, situation: Situation) -> Wanted:
    """At most so much into the grid; nothing at all takes a switch, which counts for nothing while it sells first."""
    if order.power is None or order.power < 0:
        raise ControlRefusedError(Refusal.POWER, minimum=0, maximum=situation.rated_power)
    if order.power < 1:
        words.put(SOLAR_SELL, False)
        if words.value(WORK_MODE) == SELLING_FIRST:
            words.put(WORK_MODE, ZERO_EXPORT[situation.sees_grid])
        return Wanted(power=0, needs=frozenset({SOLAR_SELL, WORK_MODE}))
    allowed = _number(words, MAX_SELL_POWER)
    limited = (Limited(Why.DEVICE_LIMIT, allowed),) if allowed < order.power else ()
    power = min(math.floor(order.power), allowed)
    words.put(MAX_SELL_POWER, power)
    return Wanted(power=power, limited=limited)


# ---------------------------------------------------------------------- targets and powers


def is_on(key: str, words: Words) -> bool:
    """Whether a switch is on; ControlRefusedError when that cannot be told."""
    if (value := words.value(key)) is None:
        raise ControlRefusedError(Refusal.NOT_READABLE, setting=key)
    return value is True


def _target(order: Order, *, otherwise: float) -> float:
    """The target that is asked for."""
    if order.target_soc is None:
        return otherwise
    if not 0 <= order.target_soc <= FULL:
        raise ControlRefusedError(Refusal.TARGET, minimum=0, maximum=FULL)
    return order.target_soc


def _check_power(order: Order) -> None:
    """Refuse a charge or a discharge of nothing."""
    if order.power is not None and order.power <= 0:
        raise ControlRefusedError(Refusal.POWER, minimum=1)


def _charge_power(
    order: Order, words: Words, situation: Situation
) -> tuple[float | None, tuple[Limited, ...]]:
    """The power to charge with, and what limits it; None for as much as there is."""
    power, limited = order.power, list[Limited]()
    possible = _possible_charge(words, situation)
    if power is not None and power > possible:
        power = possible
        limited.append(Limited(Why.DEVICE_LIMIT, round(possible)))
    if situation.max_import is not None:
        load = situation.highest_load
        room = situation.max_import - (situation.load_power or 0 if load is None else load)
        if room < (possible if power is None else power):
            # Less than one ampere cannot be set.
            if room < (least := _voltage(situation)):
                raise ControlRefusedError(
                    Refusal.POWER, minimum=math.ceil(least), maximum=max(math.floor(room), 0)
                )
            power = room
            limited.append(Limited(Why.IMPORT, math.floor(room)))
    return power, tuple(limited)


def _possible_charge(words: Words, situation: Situation) -> float:
    """The most that the device charges with, by the owner's own limits."""
    voltage = as_number(situation.values.get(BATTERY_VOLTAGE))
    if not voltage:
        return situation.rated_power
    amperes = min(_number(words, GRID_CHARGE_CURRENT), _number(words, MAX_CHARGE_CURRENT))
    return min(situation.rated_power, amperes * voltage)


def _lower_charge_current(power: float | None, words: Words, situation: Situation) -> float:
    """Have the grid charge with so much, in whole amperes; the power that it will be."""
    possible = _possible_charge(words, situation)
    if power is None or power >= possible:
        return round(possible)
    voltage = _voltage(situation)
    amperes = max(1, math.floor(power / voltage))
    words.put(GRID_CHARGE_CURRENT, min(amperes, _number(words, GRID_CHARGE_CURRENT)))
    return round(amperes * voltage)


def _sell(
    order: Order,
    words: Words,
    situation: Situation,
    export_limit: float | None,
    limited: list[Limited],
) -> float:
    """Have the device sell so much at the grid; what it will be."""
    allowed = _number(words, MAX_SELL_POWER)
    possible = min(allowed, situation.rated_power)
    if order.power is None:
        return possible
    if order.power > possible:
        why = Why.DEVICE_LIMIT if export_limit is None else Why.EXPORT
        limited.append(Limited(why, possible))
    power = min(math.floor(order.power), possible)
    words.put(MAX_SELL_POWER, min(power, allowed))
    return power


def _bounded(power: float | None, rated_power: float, limited: list[Limited]) -> float:
    """The power at the battery, as far as the device gives it."""
    if power is not None and power > rated_power:
        limited.append(Limited(Why.DEVICE_LIMIT, rated_power))
    return rated_power if power is None else min(power, rated_power)


def _slot_words(
    power: float, current: SlotWords, target: int, situation: Situation, *, charge: bool
) -> SlotWords:
    """The words of a slot, of which an order does not decide all."""
    rows = situation.registers
    return SlotWords(
        rows[start_key(1, POWER)].encode(max(1, math.floor(power)))[0],
        current.voltage,
        rows[start_key(1, SOC)].encode(target)[0],
        _flags(current, situation, charge=charge),
    )


def _flags(current: SlotWords, situation: Situation, *, charge: bool) -> int:
    """The flags of a slot: whether it charges from the grid, not from the generator, and does not sell; others stay."""
    row = situation.registers[start_key(1, FLAGS)]
    others = 0 if current.flags == WORD else current.flags & ~DECIDED
    return row.encode(charge, {row.addresses[0]: others})[0]


def _floor(words: Words) -> int:
    """The owner's own floor, in percent."""
    return math.ceil(_number(words, LOW_SOC))


def _number(words: Words, key: str) -> float:
    """A setting that has to be a number."""
    if (number := as_number(words.value(key))) is None:
        raise ControlRefusedError(Refusal.NOT_READABLE, setting=key)
    return number


def _voltage(situation: Situation) -> float:
    """The voltage of the battery."""
    if not (voltage := as_number(situation.values.get(BATTERY_VOLTAGE))):
        raise ControlRefusedError(Refusal.NOT_READABLE, setting=BATTERY_VOLTAGE)
    return voltage
