"""The few windows that a person thinks in, and the slots that share the day: one into the other.

A slot lasts until the next one starts, and the last one until the first of the next day, so that starts in order cover
the day. A window has a start and an end; what lies between windows follows a rule of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from itertools import pairwise
import math
from typing import Final

from .clock import MINUTES_PER_DAY, hh_mm, minutes_of, time_of
from .schedule import Bounds, JsonValue, Reason, ScheduleError, check_step

# The display knows no finer times.
START_STEP_MINUTES: Final = 5
# A day is cut into cells of that length.
CELLS: Final = MINUTES_PER_DAY // START_STEP_MINUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What happens to the battery for a while.

    With a charge from the grid or the generator it is charged up to the target; without, it is used down to it.
    """

    # Percent, or volts where the battery is run by voltage.
    target: float
    # The most that the battery may give, in watts.
    power: float
    grid_charge: bool = False
    generator_charge: bool = False

    def as_response(self) -> dict[str, JsonValue]:
        """The rule in a response, and in a window that is asked for."""
        return {
            "target": self.target,
            "power": self.power,
            "grid_charge": self.grid_charge,
            "generator_charge": self.generator_charge,
        }

    @property
    def sources(self) -> tuple[str, ...]:
        """What it charges the battery from: `grid`, `generator`."""
        charges = (("grid", self.grid_charge), ("generator", self.generator_charge))
        return tuple(name for name, charge in charges if charge)


@dataclass(frozen=True, slots=True)
class Slot[RuleT]:
    """A rule, and the time of day from which it holds until the next slot; None for a rule that cannot be told."""

    start: time
    rule: RuleT


@dataclass(frozen=True, slots=True)
class Window:
    """A rule, and from when until when it holds; an end before the start is on the next day."""

    start: time
    end: time
    rule: Rule


def expand(
    windows: Sequence[Window], default: Rule, *, count: int, target: Bounds, power: Bounds
) -> tuple[Slot[Rule], ...]:
    """So many slots for these windows, with the default rule between them.

    Neighbours with the same rule become one slot. Spare slots halve the longest ones: that changes nothing, and the
    starts still ascend, as the inverter wants them to. ScheduleError names the window, counted from 1, and the reason.
    """
    if not windows:
        raise ScheduleError(Reason.NO_WINDOWS)
    for number, window in enumerate(windows, 1):
        _check_number(window.rule.target, target, Reason.TARGET, window=str(number))
        _check_number(window.rule.power, power, Reason.POWER, window=str(number))
    _check_number(default.target, target, Reason.DEFAULT_TARGET)
    _check_number(default.power, power, Reason.DEFAULT_POWER)
    day = _rules_of_cells(windows, default)
    starts = [cell for cell in range(CELLS) if day[cell] != day[cell - 1]] or [0]
    if len(starts) > count:
        raise ScheduleError(Reason.TOO_MANY, count=str(len(starts)), most=str(count))
    while len(starts) < count:
        lengths = [_distance(start, end) for start, end in pairwise([*starts, starts[0]])]
        longest = lengths.index(max(lengths))
        starts = sorted([*starts, (starts[longest] + lengths[longest] // 2) % CELLS])
    return tuple(Slot(_time(cell), day[cell]) for cell in starts)


def windows_of(slots: Sequence[Slot[Rule | None]]) -> list[Window]:
    """The windows of these slots, neighbours with the same rule as one; they cover the day where its rules can be told.

    One rule all day long takes two windows, as a window cannot start when it ends.
    """
    lasting = lasting_slots(slots)
    # Not before the first change of the rule, so that a window over midnight is not cut.
    changes = [
        slot for before, slot in pairwise([*lasting[-1:], *lasting]) if before.rule != slot.rule
    ]
    if lasting and not changes:
        first = lasting[0]
        half = _time(minutes_of(first.start) // START_STEP_MINUTES + CELLS // 2)
        changes = [first, Slot(half, first.rule)]
    return [
        Window(slot.start, end.start, slot.rule)
        for slot, end in pairwise([*changes, *changes[:1]])
        if slot.rule is not None
    ]


def lasting_slots[RuleT](slots: Sequence[Slot[RuleT]]) -> list[Slot[RuleT]]:
    """The slots that last, in order: of those that start at the same time, the last one counts."""
    return sorted({slot.start: slot for slot in slots}.values(), key=lambda slot: slot.start)


def _check_number(value: float, bounds: Bounds, reason: Reason, **details: str) -> None:
    """Raise ScheduleError for a number that the inverter cannot hold."""
    steps = value / bounds.step
    if not bounds.minimum <= value <= bounds.maximum or not math.isclose(
        steps, round(steps), rel_tol=0, abs_tol=1e-6
    ):
        raise ScheduleError(
            reason,
            **details,
            value=f"{value:g}",
            minimum=f"{bounds.minimum:g}",
            maximum=f"{bounds.maximum:g}",
            step=f"{bounds.step:g}",
        )


def _rules_of_cells(windows: Sequence[Window], default: Rule) -> list[Rule]:
    """The rule of each cell of a day."""
    owners: dict[int, int] = {}
    for number, window in enumerate(windows, 1):
        check_step(number, (window.start, window.end), START_STEP_MINUTES)
        if window.start == window.end:
            raise ScheduleError(Reason.EMPTY, window=str(number), time=hh_mm(window.start))
        first = minutes_of(window.start) // START_STEP_MINUTES
        end = minutes_of(window.end) // START_STEP_MINUTES
        for cell in range(first, first + _distance(first, end)):
            other = owners.setdefault(cell % CELLS, number)
            if other != number:
                raise ScheduleError(
                    Reason.OVERLAP,
                    window=str(number),
                    other=str(other),
                    time=hh_mm(_time(cell)),
                )
    return [windows[owners[cell] - 1].rule if cell in owners else default for cell in range(CELLS)]


def _distance(start: int, end: int) -> int:
    """Cells from one to another, over midnight if need be; the same one is a day away."""
    return (end - start - 1) % CELLS + 1


def _time(cell: int) -> time:
    """Time of day at which a cell starts."""
    return time_of(cell * START_STEP_MINUTES)
