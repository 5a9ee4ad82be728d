"""The time-of-use table of six slots that share the day, and the few windows that a person thinks in.

A slot lasts until the next one starts, and the sixth until the first of the next day, so that six starts in order cover
the day. A window has a start and an end; what lies between windows follows a rule of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from itertools import pairwise
import math
from typing import Any, Final

from .codec import Value
from .schedule import (
    DAY,
    DAYS,
    Bounds,
    Piece,
    Plain,
    Plan,
    Reason,
    Request,
    ScheduleError,
    Values,
    Words,
    check_fields,
    check_grid,
    minutes_of,
    spoken,
    time_of,
)

SLOTS: Final = range(1, 7)
ENABLED: Final = "tou_enabled"
# Minutes; the display knows no finer times.
GRID: Final = 5
CELLS: Final = DAY // GRID

# What tells whether the battery is run by voltage; a lithium battery always goes by its state of charge.
CHEMISTRY: Final = "battery_chemistry"
OPERATION_MODE: Final = "battery_operation_mode"
# Down to where the battery is used when nothing else is asked for.
LOWEST: Final = {False: "battery_low_soc", True: "battery_low_voltage"}

# What a slot can charge the battery from, and the setting that has to be on as well.
CHARGERS: Final = {"grid": "grid_charge_enabled", "generator": "generator_charge_enabled"}

FIELDS: Final = ("time", "power", "voltage", "soc", "grid_charge", "generator_charge")
# What may be said of a window besides its times.
FIELDS_OF_A_WINDOW: Final = ("target", "power", "grid_charge", "generator_charge")
# All that a schedule is made of, and what has to be known to make another one.
KEYS: Final = frozenset(
    {
        ENABLED,
        *(f"tou_{day}" for day in DAYS),
        *(f"tou_slot_{slot}_{field}" for slot in SLOTS for field in FIELDS),
        CHEMISTRY,
        OPERATION_MODE,
        *LOWEST.values(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What becomes of the battery for a while.

    With a charge from the grid or the generator it is filled up to the target; without, it is used down to it.
    """

    # Percent, or volts where the battery is run by voltage.
    target: float
    # The most that the battery may give, in watts.
    power: float
    grid_charge: bool = False
    generator_charge: bool = False

    def plain(self) -> dict[str, Plain]:
        """Return it as a response shows it, and as a window takes it."""
        return {
            "target": self.target,
            "power": self.power,
            "grid_charge": self.grid_charge,
            "generator_charge": self.generator_charge,
        }

    @property
    def sources(self) -> tuple[str, ...]:
        """Return what it charges the battery from."""
        charges = (("grid", self.grid_charge), ("generator", self.generator_charge))
        return tuple(name for name, charge in charges if charge)


@dataclass(frozen=True, slots=True)
class Slot:
    """A rule, and the time of day from which it holds until the next slot."""

    start: time
    rule: Rule


@dataclass(frozen=True, slots=True)
class Window:
    """A rule, and from when until when it holds; an end before the start is on the next day."""

    start: time
    end: time
    rule: Rule


@dataclass(frozen=True, slots=True)
class Schedule:
    """The six slots, and the days, 0 for Monday, on which they count."""

    enabled: bool
    days: frozenset[int]
    slots: tuple[Slot, ...]
    by_voltage: bool = False
    # Of what a slot can charge from, what does not charge, whatever the slots say.
    switched_off: frozenset[str] = frozenset()

    @property
    def unit(self) -> str:
        """Return the unit of the targets."""
        return "V" if self.by_voltage else "%"

    def on(self, weekday: int) -> list[Piece[Rule]]:
        """Return what happens on a weekday, in order.

        The machine goes by the weekday of the moment, so a slot over midnight ends there when the next day is not
        enabled.
        """
        if not self.enabled or not self.slots or weekday not in self.days:
            return []
        numbers = {slot.start: number for number, slot in enumerate(self.slots, 1)}
        lasting = _lasting(self.slots)
        begun = [(minutes_of(slot.start), slot) for slot in lasting]
        if lasting[0].start != time():
            begun.insert(0, (0, lasting[-1]))
        ends = [*(start for start, _ in begun[1:]), DAY]
        return [
            Piece(numbers[slot.start], start, end, slot.rule)
            for (start, slot), end in zip(begun, ends, strict=True)
        ]

    def describe(self, rule: Rule) -> Words:
        """Return in plain words what becomes of the battery."""
        sources = [name for name in rule.sources if name not in self.switched_off]
        idle = [name for name in rule.sources if name in self.switched_off]
        target = f"{rule.target:g} {self.unit}"
        return Words(
            f"Charge to {target} from {' and '.join(sources)}"
            if sources
            else f"Use battery down to {target}",
            " ".join(
                [
                    f"The battery gives up to {rule.power:g} W.",
                    *(f"{name.capitalize()} charge is set, but switched off." for name in idle),
                ]
            ),
        )

    def plain(self) -> dict[str, Plain]:
        """Return the whole as a response shows it, as slots and as windows."""
        return {
            "enabled": self.enabled,
            "days": [DAYS[day] for day in sorted(self.days)],
            "unit": self.unit,
            "slots": plain_slots(self.slots),
            "windows": [
                {
                    "start": spoken(window.start),
                    "end": spoken(window.end),
                    **window.rule.plain(),
                }
                for window in windows_of(self.slots)
            ],
        }


def plain_slots(slots: Sequence[Slot]) -> list[Plain]:
    """Return slots as a response shows them."""
    return [
        {"slot": number, "start": spoken(slot.start), **slot.rule.plain()}
        for number, slot in enumerate(slots, 1)
    ]


class SixSlots:
    """The style of a table of six slots: they are written in one request, the days after them."""

    keys: Final = KEYS
    optional: Final = frozenset(CHARGERS.values())

    def read(self, values: Values) -> Schedule | None:
        """Return the schedule that a machine holds; None while not all of it is known."""
        return schedule_of(values)

    def plan(
        self, request: Request, held: Schedule, values: Values, bounds: Callable[[str], Bounds]
    ) -> Plan:
        """Return the six slots of what is asked for, and what is to be written for them; or raise ScheduleError."""
        check_fields(
            request,
            whole=("otherwise", "days"),
            window=FIELDS_OF_A_WINDOW,
            needed=("target",),
        )
        target = bounds(target_key(1, by_voltage=held.by_voltage))
        power = bounds("tou_slot_1_power")
        lowest = values.get(LOWEST[held.by_voltage])
        usual: dict[str, Any] = {
            "target": lowest if isinstance(lowest, (int, float)) else target.minimum,
            "power": power.maximum,
        }
        windows = [
            Window(
                wish.start,
                wish.end,
                Rule(**{"power": power.maximum, **wish.said(FIELDS_OF_A_WINDOW)}),
            )
            for wish in request.windows
        ]
        otherwise = Rule(**{**usual, **(request.otherwise or {})})
        slots = expand(windows, otherwise, target=target, power=power)
        blocks = [values_of(slots, by_voltage=held.by_voltage)]
        if days := _days(request):
            blocks.append(days)
        charged = frozenset[str]().union(*(slot.rule.sources for slot in slots))
        return Plan(
            slots=plain_slots(slots),
            blocks=tuple(blocks),
            switched_off=tuple(sorted(charged & held.switched_off)),
        )


SIX_SLOTS: Final = SixSlots()


def _days(request: Request) -> dict[str, Value]:
    """Return what is to be written for the days, and for time of use as a whole; empty when neither is asked for."""
    values: dict[str, Value] = {}
    if request.days is not None:
        values |= {f"tou_{name}": day in request.days for day, name in enumerate(DAYS)}
    if request.enabled is not None:
        values[ENABLED] = request.enabled
    return values


# ---------------------------------------------------------------------- windows to slots and back


def expand(
    windows: Sequence[Window], otherwise: Rule, *, target: Bounds, power: Bounds
) -> tuple[Slot, ...]:
    """Return the six slots of these windows, with `otherwise` between them.

    Neighbours with the same rule become one slot. Spare slots halve the longest ones: that changes nothing, and the
    starts still ascend, as the machine wants them to. ScheduleError names the window, counted from 1, and the reason.
    """
    if not windows:
        raise ScheduleError(Reason.NO_WINDOWS)
    for number, window in enumerate(windows, 1):
        _check_rule(window.rule, str(number), target, power)
    _check_rule(otherwise, "otherwise", target, power)
    day = _paint(windows, otherwise)
    starts = [cell for cell in range(CELLS) if day[cell] != day[cell - 1]] or [0]
    if len(starts) > len(SLOTS):
        raise ScheduleError(Reason.TOO_MANY, count=str(len(starts)), most=str(len(SLOTS)))
    while len(starts) < len(SLOTS):
        lengths = [_distance(start, end) for start, end in pairwise([*starts, starts[0]])]
        longest = lengths.index(max(lengths))
        starts = sorted([*starts, (starts[longest] + lengths[longest] // 2) % CELLS])
    return tuple(Slot(_time(cell), day[cell]) for cell in starts)


def windows_of(slots: Sequence[Slot]) -> list[Window]:
    """Return what these slots say as windows that cover the day, neighbours with the same rule as one.

    One rule all day long takes two windows, as a window cannot start when it ends.
    """
    lasting = _lasting(slots)
    # Not before the first change of the rule, so that a window over midnight is not cut.
    changes = [
        slot for before, slot in pairwise([lasting[-1], *lasting]) if before.rule != slot.rule
    ]
    if not changes:
        first = lasting[0]
        half = _time(minutes_of(first.start) // GRID + CELLS // 2)
        changes = [first, Slot(half, first.rule)]
    return [
        Window(slot.start, end.start, slot.rule) for slot, end in pairwise([*changes, changes[0]])
    ]


def _check_rule(rule: Rule, window: str, target: Bounds, power: Bounds) -> None:
    """Raise ScheduleError for a number that the machine cannot hold."""
    for value, bounds, reason in (
        (rule.target, target, Reason.TARGET),
        (rule.power, power, Reason.POWER),
    ):
        steps = value / bounds.step
        if not bounds.minimum <= value <= bounds.maximum or not math.isclose(
            steps, round(steps), rel_tol=0, abs_tol=1e-6
        ):
            raise ScheduleError(
                reason,
                window=window,
                value=f"{value:g}",
                minimum=f"{bounds.minimum:g}",
                maximum=f"{bounds.maximum:g}",
                step=f"{bounds.step:g}",
            )


def _paint(windows: Sequence[Window], otherwise: Rule) -> list[Rule]:
    """Return the rule of every five minutes of a day."""
    owners: dict[int, int] = {}
    for number, window in enumerate(windows, 1):
        check_grid(number, (window.start, window.end), GRID)
        if window.start == window.end:
            raise ScheduleError(Reason.EMPTY, window=str(number), time=spoken(window.start))
        first = minutes_of(window.start) // GRID
        for cell in range(first, first + _distance(first, minutes_of(window.end) // GRID)):
            other = owners.setdefault(cell % CELLS, number)
            if other != number:
                raise ScheduleError(
                    Reason.OVERLAP,
                    window=str(number),
                    other=str(other),
                    time=spoken(_time(cell)),
                )
    return [
        windows[owners[cell] - 1].rule if cell in owners else otherwise for cell in range(CELLS)
    ]


def _lasting(slots: Sequence[Slot]) -> list[Slot]:
    """Return the slots that last, in order: where several start at the same time, the last of them counts."""
    return sorted({slot.start: slot for slot in slots}.values(), key=lambda slot: slot.start)


def _distance(start: int, end: int) -> int:
    """Return how many cells lie between two of them, over midnight if need be; the same one is a day away."""
    return (end - start - 1) % CELLS + 1


def _time(cell: int) -> time:
    """Return the time of day at which a cell starts."""
    return time_of(cell * GRID)


# ---------------------------------------------------------------------- between slots and a table's keys


def schedule_of(values: Mapping[str, Value | None]) -> Schedule | None:
    """Return the schedule that a machine holds; None while not all of it is known."""
    by_voltage = goes_by_voltage(values)
    slots: list[Slot] = []
    for number in SLOTS:
        start = values.get(f"tou_slot_{number}_time")
        target = values.get(target_key(number, by_voltage=by_voltage))
        power = values.get(f"tou_slot_{number}_power")
        charges = (
            values.get(f"tou_slot_{number}_grid_charge"),
            values.get(f"tou_slot_{number}_generator_charge"),
        )
        if (
            not isinstance(start, time)
            or not isinstance(target, (int, float))
            or not isinstance(power, (int, float))
            or None in charges
        ):
            return None
        rule = Rule(
            target=target,
            power=power,
            grid_charge=bool(charges[0]),
            generator_charge=bool(charges[1]),
        )
        slots.append(Slot(start, rule))
    if (enabled := values.get(ENABLED)) is None:
        return None
    days = frozenset(number for number, day in enumerate(DAYS) if values.get(f"tou_{day}"))
    switched_off = frozenset(name for name, key in CHARGERS.items() if values.get(key) is False)
    return Schedule(bool(enabled), days, tuple(slots), by_voltage, switched_off)


def goes_by_voltage(values: Mapping[str, Value | None]) -> bool:
    """Whether the targets are volts: a battery that is not lithium, and is run by voltage."""
    return values.get(CHEMISTRY) != "lithium" and values.get(OPERATION_MODE) == "voltage"


def target_key(slot: int, *, by_voltage: bool) -> str:
    """Return the key of a slot's target."""
    return f"tou_slot_{slot}_voltage" if by_voltage else f"tou_slot_{slot}_soc"


def values_of(slots: Sequence[Slot], *, by_voltage: bool) -> dict[str, Value]:
    """Return what has to be written for these slots."""
    values: dict[str, Value] = {}
    for number, slot in zip(SLOTS, slots, strict=True):
        rule = slot.rule
        values[f"tou_slot_{number}_time"] = slot.start
        values[f"tou_slot_{number}_power"] = rule.power
        values[target_key(number, by_voltage=by_voltage)] = rule.target
        values[f"tou_slot_{number}_grid_charge"] = rule.grid_charge
        values[f"tou_slot_{number}_generator_charge"] = rule.generator_charge
    return values
