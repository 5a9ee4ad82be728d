"""What each order becomes on a device whose slots are windows: the words that it is to hold, and what is told.

A floor is only raised, a ceiling and a limit are only lowered: they may be somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import math
from typing import Final

from ..model.slots import CHARGE, DISCHARGE
from .order import ControlMode, ControlRefusedError, Order, PowerAt, Refusal
from .plan import AfterEnd, EndsBy, Recurs, Situation, Told, Why
from .window_draft import (
    BACKUP,
    BATTERY_CHARGE,
    BATTERY_DISCHARGE,
    BATTERY_EXPORT,
    CEILING,
    EXPORT_MODE,
    EXPORT_POWER,
    FLOOR,
    GRID_CHARGE,
    GRID_DISCHARGE,
    MAX_SHARE,
    MIN_SHARE,
    OUTSIDE_MODE,
    PASSIVE,
    PASSIVE_ACTION,
    RESERVE,
    SELF_CONSUMPTION,
    STANDBY,
    TIME_OF_USE,
    WORK_MODE,
    Draft,
)
from .window_slots import has_slots, occupy, windows_of
from .words import Words

# Besides the slots, in the order in which they are told; the slots themselves are the schedule.
BATTERY_SETTINGS: Final = (
    WORK_MODE,
    CEILING,
    FLOOR,
    RESERVE,
    GRID_DISCHARGE,
    BATTERY_EXPORT,
    PASSIVE_ACTION,
)
EXPORT_SETTINGS: Final = (EXPORT_MODE, EXPORT_POWER)
SCHEDULE: Final = "schedule"

# Percent. The end of charging keeps a distance from the floor, but for a floor that locks the battery.
FULL: Final = 100
LOWEST_CEILING: Final = 20
LOWEST_RESERVE: Final = 20
ABOVE_FLOOR: Final = 6


def planned(order: Order, situation: Situation, words: Words) -> Told:
    """Put what an order becomes into the words; an export limit has to be in them before an order of the battery.

    ControlRefusedError when the device cannot carry it out.
    """
    return ORDERS[order.mode](Draft(order, situation, words))


def _charge(draft: Draft) -> Told:
    """A slot that charges up to the ceiling, and holds the battery there."""
    asked, ceiling = draft.asked_power(), draft.number(CEILING)
    target = _whole(draft.order.target_soc, ceiling)
    if target > ceiling:
        draft.limit(Why.HIGH_SOC, ceiling)
        target = ceiling
    if target <= draft.soc:
        return _held(draft, target)
    share = draft.share(draft.within(asked, BATTERY_CHARGE))
    power, from_grid = draft.watts(share), draft.bound(GRID_CHARGE)
    if (room := _import_room(draft.situation)) < min(power, from_grid):
        share = math.floor(room * 100 / draft.situation.rated_power)
        if share < MIN_SHARE:
            raise draft.power_refused(room)
        power = draft.watts(share)
        draft.limit(Why.IMPORT, power)
    elif from_grid < power:
        # The sun adds to what the grid may give, so the slot keeps its power.
        power = from_grid
        draft.limit(Why.DEVICE_LIMIT, power)
    if target < ceiling:
        reserve = draft.number(RESERVE)
        # In the backup mode the reserve is never lowered: if all died then, nothing would be left for an outage.
        counts = draft.words.value(WORK_MODE) == BACKUP
        kept = reserve if counts else min(reserve, LOWEST_RESERVE)
        least = min(max(LOWEST_CEILING, draft.number(FLOOR) + ABOVE_FLOOR, kept + 1), ceiling)
        if target < least:
            raise ControlRefusedError(Refusal.TARGET, minimum=least, maximum=ceiling)
        # The ceiling has to be above the reserve, although that counts in the backup mode alone. From the factory it is 100.
        if reserve >= target:
            draft.words.put(RESERVE, LOWEST_RESERVE)
        draft.words.put(CEILING, target)
    return _in_slots(draft, CHARGE, share, power=power, target=target)


def _import_room(situation: Situation) -> float:
    """The watts that a charge may take from the grid beside the loads; infinite where nothing limits it."""
    if situation.max_import is None:
        return math.inf
    load = situation.load_power if situation.highest_load is None else situation.highest_load
    return situation.max_import - (load or 0)


def _discharge(draft: Draft) -> Told:
    """A slot that discharges down to the floor, into the grid where that is allowed."""
    _need_discharge_slots(draft)
    asked, floor = draft.asked_power(), draft.number(FLOOR)
    target = _whole(draft.order.target_soc, floor)
    if target < floor:
        draft.limit(Why.LOW_SOC, floor)
        target = floor
    if target >= draft.soc:
        return _held(draft, target)
    power = draft.within(asked, BATTERY_DISCHARGE)
    allowed = draft.export_allowed()
    sells = draft.situation.may_sell and draft.situation.sees_grid and allowed != 0
    draft.words.put(BATTERY_EXPORT, sells)
    if sells:
        share, power = _sold(draft, power, math.inf if allowed is None else allowed)
    else:
        share = draft.share(power)
        power = draft.watts(share)
        draft.limit(Why.EXPORT)
    if target > floor:
        most = max(draft.number(CEILING) - ABOVE_FLOOR, floor)
        if target > most:
            raise ControlRefusedError(Refusal.TARGET, minimum=floor, maximum=most)
        draft.words.put(FLOOR, target)
    return _in_slots(draft, DISCHARGE, share, power=power, target=target)


def _sold(draft: Draft, power: float, allowed: float) -> tuple[int, float]:
    """The percentage of a slot that feeds the grid, and the power where it was meant.

    The percentage is what goes into the grid: the battery serves the loads as well, and the sun adds to it. `allowed` are
    the watts that may be exported.
    """
    limit, at_grid = draft.bound(GRID_DISCHARGE), draft.order.at is PowerAt.GRID
    load = 0 if at_grid else draft.situation.load_power or 0
    share = draft.share(power - load)
    wanted = min(power, draft.watts(share)) if at_grid else draft.watts(share)
    exported = min(wanted, limit, allowed)
    if not at_grid:
        draft.limit(Why.LOAD, exported)
    elif draft.order.power is not None and power < limit < math.inf:
        draft.words.put_word(GRID_DISCHARGE, draft.permille(power))
    if exported < wanted:
        draft.limit(Why.DEVICE_LIMIT if limit <= allowed else Why.EXPORT, exported)
    return share, exported if at_grid else power


def _no_charge(draft: Draft) -> Told:
    """A slot that discharges, and feeds the grid from the sun only."""
    _need_discharge_slots(draft)
    draft.words.put(BATTERY_EXPORT, False)
    if (allowed := draft.export_allowed()) is not None:
        draft.limit(Why.EXPORT, allowed)
    return _in_slots(draft, DISCHARGE, MAX_SHARE)


def _need_discharge_slots(draft: Draft) -> None:
    """Refuse what takes a slot that discharges where there are none, or where they would feed the grid unasked."""
    if not (has_slots(draft.situation, DISCHARGE) and draft.has(BATTERY_EXPORT)):
        raise draft.not_supported()


def _in_slots(
    draft: Draft, kind: str, share: int, *, power: float | None = None, target: float | None = None
) -> Told:
    """Have free slots of a kind do it with a percentage of the rated power until the end of the order."""
    windows, until = windows_of(draft.order, draft.situation)
    before = draft.words.value(WORK_MODE)
    dropped = occupy(
        draft.words, draft.situation, kind, windows, share, alone=before != TIME_OF_USE
    )
    draft.words.put(WORK_MODE, TIME_OF_USE)
    return Told(
        mode=draft.order.mode,
        power=power,
        target_soc=target,
        until=until,
        ends_by=EndsBy.INVERTER,
        recurs=Recurs.WEEKLY,
        after_end=_after_slots(draft, before, dropped=dropped),
        stays=(SCHEDULE, *draft.changed(*BATTERY_SETTINGS)),
        limited=tuple(draft.limited),
    )


def _after_slots(draft: Draft, before: object, *, dropped: bool) -> AfterEnd:
    """How a device goes on after its slots, by the mode that its owner has set."""
    if before == TIME_OF_USE:
        return AfterEnd.CHANGED if dropped else AfterEnd.AUTO
    if draft.has(OUTSIDE_MODE) and draft.words.value(OUTSIDE_MODE) == STANDBY:
        return AfterEnd.HELD
    return AfterEnd.AUTO if before == SELF_CONSUMPTION else AfterEnd.CHANGED


def _hold(draft: Draft) -> Told:
    """A battery that gives nothing while the grid is there."""
    return _held(draft)


def _held(draft: Draft, reached: float | None = None) -> Told:
    """Raise the floor over what is in the battery; where that is ignored, keep what is there as a reserve if that can be.

    The mode is one in which the grid does not charge: slots and a larger reserve would go on buying. `reached` is a target
    that is reached already.
    """
    reserve = _holding_reserve(draft) if draft.situation.hold_ignored else None
    if reserve is not None:
        draft.words.put(RESERVE, reserve)
        draft.words.put(WORK_MODE, BACKUP)
    else:
        draft.words.put(FLOOR, FULL)
        draft.words.put(WORK_MODE, SELF_CONSUMPTION)
    return Told(
        mode=draft.order.mode,
        target_soc=reached,
        until=draft.order.until,
        ends_by=EndsBy.HOME_ASSISTANT,
        after_end=AfterEnd.HELD,
        stays=draft.changed(*BATTERY_SETTINGS),
        limited=tuple(draft.limited),
        target_reached=reached is not None,
        held_at=reserve,
    )


def _holding_reserve(draft: Draft) -> int | None:
    """A reserve in percent right below what is in the battery.

    None where it would buy, lower one that counts, or not stay below the ceiling.
    """
    reserve = math.floor(draft.soc) - 1
    counts = draft.words.value(WORK_MODE) == BACKUP
    least = max(LOWEST_RESERVE, draft.number(RESERVE) if counts else 0)
    return reserve if least <= reserve < draft.number(CEILING) else None


def _idle(draft: Draft) -> Told:
    """A battery that rests, and goes on resting until somebody orders something else."""
    if not draft.has(PASSIVE_ACTION):
        raise draft.not_supported(
            ControlMode.NO_CHARGE if has_slots(draft.situation, DISCHARGE) else ControlMode.HOLD
        )
    draft.words.put(PASSIVE_ACTION, STANDBY)
    draft.words.put(WORK_MODE, PASSIVE)
    return Told(
        mode=draft.order.mode,
        until=draft.order.until,
        ends_by=EndsBy.HOME_ASSISTANT,
        after_end=AfterEnd.CHANGED,
        stays=draft.changed(*BATTERY_SETTINGS),
    )


def _limit_export(draft: Draft) -> Told:
    """A limit of what flows into the grid: the tighter one of the order's and the owner's."""
    if not (draft.situation.sees_grid and draft.has(*EXPORT_SETTINGS)):
        raise draft.not_supported()
    power = draft.order.power
    if power is None or power < 0:
        raise ControlRefusedError(Refusal.POWER, minimum=0, maximum=draft.situation.rated_power)
    wanted, owners = draft.permille(power), draft.export_limit()
    if owners is not None and owners < wanted:
        wanted = owners
        draft.limit(Why.DEVICE_LIMIT, draft.watts(owners / 10))
    draft.words.put(EXPORT_MODE, "total_power")
    draft.words.put_word(EXPORT_POWER, wanted)
    stays = draft.changed(*EXPORT_SETTINGS)
    return Told(
        mode=draft.order.mode,
        power=draft.watts(wanted / 10),
        until=draft.order.until,
        ends_by=EndsBy.HOME_ASSISTANT,
        after_end=AfterEnd.CHANGED if stays else AfterEnd.AUTO,
        stays=stays,
        limited=tuple(draft.limited),
    )


def _whole(target: float | None, otherwise: float) -> float:
    """A target in whole percent, upwards; the owner's own bound when there is none."""
    return otherwise if target is None else math.ceil(target)


ORDERS: Final[Mapping[ControlMode, Callable[[Draft], Told]]] = {
    ControlMode.HOLD: _hold,
    ControlMode.CHARGE: _charge,
    ControlMode.DISCHARGE: _discharge,
    ControlMode.NO_CHARGE: _no_charge,
    ControlMode.IDLE: _idle,
    ControlMode.EXPORT_LIMIT: _limit_export,
}
