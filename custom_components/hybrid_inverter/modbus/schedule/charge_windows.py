"""The schedule of slots that are windows themselves: some charge the battery, some discharge it, each on days of its own.

A slot never crosses midnight, so a window that does takes two. What happens outside of all slots is a setting of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Final

from ..model.codec import RATED_POWER, Values
from ..model.slots import CHARGE, DISCHARGE, MODES, WINDOW_SLOTS, window_key
from .clock import MINUTES_PER_DAY, hh_mm, minutes_of, time_of
from .days import DAYS, EVERY_DAY, day_names
from .schedule import (
    Bounds,
    Description,
    JsonValue,
    Reason,
    RequestedWindow,
    ScheduleError,
    ScheduleRequest,
    ScheduleWrites,
    Segment,
    Sentence,
    Text,
    check_fields,
    check_step,
)
from .window_slots import LAST_MINUTE, Content, Slot
from .window_steps import steps_between

START_STEP_MINUTES: Final = 1
WORK_MODE: Final = "work_mode"
TIME_OF_USE: Final = "time_of_use"
# Percent; with 0 the inverter goes on charging a little, so that cannot be asked for.
MIN_POWER: Final = 1
MAX_POWER: Final = 100

FIELDS: Final = ("enabled", "start", "end", "days", "power")


def _keys(mode: str) -> frozenset[str]:
    """Keys of all slots of a mode."""
    return frozenset(window_key(mode, number, field) for number in WINDOW_SLOTS for field in FIELDS)


KEYS: Final = frozenset({WORK_MODE, *_keys(CHARGE)})
# Not on every firmware.
OPTIONAL: Final = _keys(DISCHARGE)


@dataclass(frozen=True, slots=True)
class Action:
    """Whether the battery is charged or discharged for a while, and with how many watts."""

    mode: str
    power: int


@dataclass(frozen=True, slots=True)
class WindowTable:
    """The slots of an inverter with this rated power in watts."""

    enabled: bool
    slots: tuple[Slot, ...]
    rated_power: float
    # Nothing but the work mode is in the way of a slot.
    blocked_by: frozenset[str] = frozenset()

    @property
    def unit(self) -> str:
        """Unit of the targets, which only windows of other schedules have."""
        return "%"

    def on(self, weekday: int) -> list[Segment[Action]]:
        """Segments of a weekday, in order; a slot over midnight goes on into the next day."""
        if not self.enabled:
            return []
        segments: list[Segment[Action]] = []
        for slot, content in self._effective():
            action = Action(slot.mode, self.watts(content.power))
            segments += [
                Segment(slot.number, start, end, action)
                for days, start, end in content.spans
                if weekday in days
            ]
        return sorted(segments, key=lambda segment: (segment.start, segment.end))

    def describe(self, rule: Action) -> Description:
        """What an action does with the battery."""
        summary, details = {
            CHARGE: (Text.CHARGE, Text.CHARGE_DETAILS),
            DISCHARGE: (Text.DISCHARGE, Text.DISCHARGE_DETAILS),
        }[rule.mode]
        return Description(
            Sentence(summary, {"power": f"{rule.power} W"}),
            (Sentence(details),),
        )

    def as_response(self) -> dict[str, JsonValue]:
        """The whole, as slots and as windows."""
        return {
            "enabled": self.enabled,
            "slots": self.slots_as_response(self.slots),
            "windows": [
                self._window_as_response(slot.mode, content) for slot, content in self._effective()
            ],
        }

    def slots_as_response(self, slots: Sequence[Slot]) -> list[JsonValue]:
        """Slots in a response."""
        return [
            {
                "slot": slot.number,
                "enabled": slot.enabled,
                **(
                    {"mode": slot.mode}
                    if slot.content is None
                    else self._window_as_response(slot.mode, slot.content)
                ),
                **({"unreadable": list(slot.unreadable)} if slot.unreadable else {}),
            }
            for slot in slots
        ]

    def holds(self, window: RequestedWindow) -> bool:
        """Whether an enabled slot holds just this window: what a response shows may be asked for again."""
        requested = {
            "mode": window.mode,
            "start": hh_mm(window.start),
            "end": hh_mm(window.end),
            "power": window.power,
            "days": day_names(EVERY_DAY if window.days is None else window.days),
        }
        return any(
            self._window_as_response(slot.mode, content) == requested
            for slot, content in self._effective()
        )

    def watts(self, percent: int) -> int:
        """Whole watts of a percentage."""
        return round(percent * self.rated_power / 100)

    def _effective(self) -> list[tuple[Slot, Content]]:
        """The slots that are in force at some time, with what they hold."""
        return [
            (slot, slot.content)
            for slot in self.slots
            if slot.enabled and slot.content is not None and slot.content.spans
        ]

    def _window_as_response(self, mode: str, content: Content) -> dict[str, JsonValue]:
        """What a slot holds, as a window that may be asked for."""
        start, end = content.minutes
        return {
            "mode": mode,
            "start": hh_mm(time_of(start)),
            "end": hh_mm(time_of(end)),
            "power": self.watts(content.power),
            "days": [*day_names(content.days)],
        }


class ChargeWindows:
    """The style of slots that charge, and on some machines slots that discharge: written one setting after the other."""

    keys: Final = KEYS
    optional: Final = OPTIONAL

    def read(self, values: Values) -> WindowTable | None:
        """The slots in these values, read or not readable; None while not all of them were read."""
        rated = values.get(RATED_POWER)
        # A work mode without a name is known, and is not time of use.
        if WORK_MODE not in values or not isinstance(rated, (int, float)):
            return None
        slots: list[Slot] = []
        for mode in MODES:
            keys = _keys(mode)
            if keys.isdisjoint(values):
                continue
            if not keys <= values.keys():
                return None
            slots += [_slot(mode, number, values) for number in WINDOW_SLOTS]
        return WindowTable(values[WORK_MODE] == TIME_OF_USE, tuple(slots), rated)

    def writes_for(
        self,
        request: ScheduleRequest,
        held: WindowTable,
        values: Values,
        bounds: Callable[[str], Bounds],
    ) -> ScheduleWrites:
        """The slots for a request, and the steps to them; ScheduleError when it is refused.

        Those that are not needed are only disabled, and what a slot already holds is not written again.
        """
        check_fields(request, window=("mode", "power", "days"), needed=("mode", "power"))
        if request.enabled is False and held.enabled:
            raise ScheduleError(Reason.STAYS_ON)
        slots = _assigned(_contents(request.windows, held), held)
        steps = steps_between(held.slots, slots)
        if request.enabled and not held.enabled:
            steps.append((WORK_MODE, TIME_OF_USE))
        return ScheduleWrites(slots=held.slots_as_response(slots), steps=tuple(steps))


CHARGE_WINDOWS: Final = ChargeWindows()


def _slot(mode: str, number: int, values: Values) -> Slot:
    """A slot, as far as it can be told what it holds."""
    held = {field: values[window_key(mode, number, field)] for field in FIELDS}
    enabled, start, end, days, power = held.values()
    content = None
    if (
        isinstance(start, time)
        and isinstance(end, time)
        and isinstance(days, frozenset)
        and isinstance(power, int)
    ):
        content = Content(start, end, days, power)
    return Slot(
        mode,
        number,
        None if enabled is None else bool(enabled),
        content,
        tuple(field for field, value in held.items() if value is None),
    )


def _contents(windows: Sequence[RequestedWindow], held: WindowTable) -> list[tuple[str, Content]]:
    """The contents of the slots for these windows, each with its mode; ScheduleError names what is wrong."""
    found: list[tuple[int, str, Content]] = []
    for number, window in enumerate(windows, 1):
        given = window.given_fields(("mode", "power"))
        percent = _percent(number, window, given["power"], held)
        for content in _split(number, window, percent):
            for other, _, before in found:
                _check_overlap(number, content, other, before)
            found.append((number, given["mode"], content))
    return [(mode, content) for _, mode, content in found]


def _percent(number: int, window: RequestedWindow, power: float, held: WindowTable) -> int:
    """The nearest percentage of a power in watts; what a slot already holds may stay."""
    low, high = held.watts(MIN_POWER), held.watts(MAX_POWER)
    if not low <= power <= high and not held.holds(window):
        raise ScheduleError(
            Reason.POWER,
            window=str(number),
            value=f"{power:g}",
            minimum=str(low),
            maximum=str(high),
            step="1",
        )
    return round(power * 100 / held.rated_power)


def _split(number: int, window: RequestedWindow, percent: int) -> list[Content]:
    """The contents of the slots for a window: two if it goes over midnight."""
    check_step(number, (window.start, window.end), START_STEP_MINUTES)
    days = EVERY_DAY if window.days is None else window.days
    if not days:
        raise ScheduleError(Reason.NO_DAYS, window=str(number))
    start, end = minutes_of(window.start), minutes_of(window.end)
    if start == LAST_MINUTE:
        raise ScheduleError(Reason.LAST_MINUTE, window=str(number), time=hh_mm(window.start))
    if end in (0, LAST_MINUTE):
        end = MINUTES_PER_DAY
    if start == end:
        raise ScheduleError(Reason.EMPTY, window=str(number), time=hh_mm(window.start))
    if start < end:
        return [Content(window.start, _end(end), days, percent)]
    following = frozenset((day + 1) % len(DAYS) for day in days)
    return [
        Content(window.start, _end(MINUTES_PER_DAY), days, percent),
        Content(time(), _end(end), following, percent),
    ]


def _end(minute: int) -> time:
    """An end as the inverter holds it."""
    return time_of(LAST_MINUTE if minute == MINUTES_PER_DAY else minute)


def _check_overlap(number: int, content: Content, other: int, before: Content) -> None:
    """Raise ScheduleError when two slots are in force at the same moment."""
    if (minute := content.overlap(before)) is not None:
        raise ScheduleError(
            Reason.OVERLAP,
            window=str(number),
            other=str(other),
            time=hh_mm(time_of(minute)),
        )


def _assigned(contents: Sequence[tuple[str, Content]], held: WindowTable) -> list[Slot]:
    """All slots with these contents in them; what a slot already holds stays where it is."""
    slots: list[Slot] = []
    for mode in MODES:
        wanted = [content for kind, content in contents if kind == mode]
        there = [slot for slot in held.slots if slot.mode == mode]
        if wanted and not there:
            raise ScheduleError(Reason.NO_SLOTS, mode=mode)
        if len(wanted) > len(there):
            raise ScheduleError(
                Reason.TOO_MANY_WINDOWS,
                mode=mode,
                count=str(len(wanted)),
                most=str(len(there)),
            )
        places: dict[int, Content] = {}
        for slot in there:
            if slot.content in wanted:
                places[slot.number] = slot.content
                wanted.remove(slot.content)
        free = (slot.number for slot in there if slot.number not in places)
        places |= dict(zip(free, wanted, strict=False))
        slots += [
            Slot(mode, slot.number, slot.number in places, places.get(slot.number, slot.content))
            for slot in there
        ]
    return slots
