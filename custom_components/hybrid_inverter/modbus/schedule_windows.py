"""The schedule of slots that are windows themselves: some charge the battery, some discharge it, each on days of its own.

A slot never crosses midnight, so a window that does takes two. What happens outside of all slots is a setting of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
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
    Timetable,
    Values,
    Wish,
    Words,
    active,
    check_fields,
    check_grid,
    minutes_of,
    spoken,
    time_of,
)

SLOTS: Final = range(1, 8)
CHARGE: Final = "charge"
DISCHARGE: Final = "discharge"
MODES: Final = (CHARGE, DISCHARGE)
# What is in force while no slot is.
NONE: Final = "none"
# Minutes.
GRID: Final = 1
# The machine's last minute; as an end it stands for midnight.
LAST_MINUTE: Final = DAY - 1
EVERY_DAY: Final = frozenset(range(len(DAYS)))

WORK_MODE: Final = "work_mode"
TIME_OF_USE: Final = "time_of_use"
# What the power of a slot is a percentage of.
RATED_POWER: Final = "rated_power"
# With 0 % the machine goes on charging a little, so that is nothing to ask for.
LEAST: Final = 1
MOST: Final = 100

FIELDS: Final = ("enabled", "start", "end", "days", "power")


def slot_key(mode: str, number: int, field: str) -> str:
    """Return the key of a part of a slot."""
    return f"{mode}_slot_{number}_{field}"


def _keys(mode: str) -> frozenset[str]:
    """Return the keys of all slots that do this."""
    return frozenset(slot_key(mode, number, field) for number in SLOTS for field in FIELDS)


KEYS: Final = frozenset({WORK_MODE, *_keys(CHARGE)})
# Not on every firmware.
OPTIONAL: Final = _keys(DISCHARGE)


@dataclass(frozen=True, slots=True)
class Action:
    """What is done with the battery for a while, and with how many watts."""

    mode: str
    power: int


@dataclass(frozen=True, slots=True)
class Content:
    """What a slot says, in the machine's own terms: an end at 23:59 is midnight, the power is in percent."""

    start: time
    end: time
    days: frozenset[int]
    power: int

    @property
    def minutes(self) -> tuple[int, int]:
        """Return the minutes of the day from which until which it lasts."""
        end = minutes_of(self.end)
        return minutes_of(self.start), DAY if end == LAST_MINUTE else end

    @property
    def lasts(self) -> bool:
        """Whether there is a moment at which it holds."""
        start, end = self.minutes
        return bool(self.days) and start != end

    def values(self, mode: str, number: int) -> dict[str, Value]:
        """Return what is written for it, in order."""
        return {
            slot_key(mode, number, "start"): self.start,
            slot_key(mode, number, "end"): self.end,
            slot_key(mode, number, "days"): self.days,
            slot_key(mode, number, "power"): self.power,
        }


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of the machine; without content where it holds something else, which is only so when it is disabled."""

    mode: str
    number: int
    enabled: bool
    content: Content | None


@dataclass(frozen=True, slots=True)
class WindowTable:
    """The slots of a machine with this rated power in watts."""

    enabled: bool
    slots: tuple[Slot, ...]
    rated_power: float

    def on(self, weekday: int) -> list[Piece[Action]]:
        """Return what happens on a weekday, in order; a slot over midnight goes on into the next day."""
        if not self.enabled:
            return []
        pieces: list[Piece[Action]] = []
        for slot, content in self._effective():
            action = Action(slot.mode, self.watts(content.power))
            start, end = content.minutes
            if weekday in content.days:
                last = end if start < end else DAY
                pieces.append(Piece(slot.number, start, last, action))
            if end < start and (weekday - 1) % len(DAYS) in content.days:
                pieces.append(Piece(slot.number, 0, end, action))
        return sorted(pieces, key=lambda piece: (piece.start, piece.end))

    def describe(self, rule: Action) -> Words:
        """Return in plain words what becomes of the battery."""
        verb, description = {
            CHARGE: ("Charge", "The battery is filled, from the grid too."),
            DISCHARGE: ("Discharge", "The battery gives this power to the house and to the grid."),
        }[rule.mode]
        return Words(f"{verb} with {rule.power} W", description)

    def plain(self) -> dict[str, Plain]:
        """Return the whole as a response shows it, as slots and as windows."""
        return {
            "enabled": self.enabled,
            "slots": self.plain_slots(self.slots),
            "windows": [
                self._plain_window(slot.mode, content) for slot, content in self._effective()
            ],
        }

    def plain_slots(self, slots: Sequence[Slot]) -> list[Plain]:
        """Return slots as a response shows them."""
        return [
            {
                "slot": slot.number,
                "enabled": slot.enabled,
                **(
                    {"mode": slot.mode}
                    if slot.content is None
                    else self._plain_window(slot.mode, slot.content)
                ),
            }
            for slot in slots
        ]

    def has(self, wish: Wish) -> bool:
        """Whether a slot that is enabled says just this: what was shown of it may be asked for again."""
        asked = {
            "mode": wish.mode,
            "start": spoken(wish.start),
            "end": spoken(wish.end),
            "power": wish.power,
            "days": [DAYS[day] for day in sorted(EVERY_DAY if wish.days is None else wish.days)],
        }
        return any(
            self._plain_window(slot.mode, content) == asked for slot, content in self._effective()
        )

    def watts(self, percent: int) -> int:
        """Return a power in whole watts."""
        return round(percent * self.rated_power / 100)

    def _effective(self) -> list[tuple[Slot, Content]]:
        """Return the slots that hold at some time, with what they say."""
        return [
            (slot, slot.content)
            for slot in self.slots
            if slot.enabled and slot.content is not None and slot.content.lasts
        ]

    def _plain_window(self, mode: str, content: Content) -> dict[str, Plain]:
        """Return what a slot says, as a window takes it."""
        start, end = content.minutes
        return {
            "mode": mode,
            "start": spoken(time_of(start)),
            "end": spoken(time_of(end)),
            "power": self.watts(content.power),
            "days": [DAYS[day] for day in sorted(content.days)],
        }


class ChargeWindows:
    """The style of slots that charge, and on some machines slots that discharge: written one setting after the other."""

    keys: Final = KEYS
    optional: Final = OPTIONAL

    def read(self, values: Values) -> WindowTable | None:
        """Return the slots that a machine holds; None while not all of them are known."""
        rated = values.get(RATED_POWER)
        # A mode without a name is known, and is not time of use.
        if WORK_MODE not in values or not isinstance(rated, (int, float)):
            return None
        slots: list[Slot] = []
        for mode in MODES:
            if _keys(mode).isdisjoint(values):
                continue
            for number in SLOTS:
                slot = _slot(mode, number, values)
                if slot is None:
                    return None
                slots.append(slot)
        return WindowTable(values[WORK_MODE] == TIME_OF_USE, tuple(slots), rated)

    def plan(
        self, request: Request, held: WindowTable, values: Values, bounds: Callable[[str], Bounds]
    ) -> Plan:
        """Return the slots of what is asked for, and the steps to them; or raise ScheduleError.

        No slot ever acts half-written: those that change are disabled first and enabled last. Those that are not
        needed are only disabled, and what a slot holds already is not written again.
        """
        check_fields(request, window=("mode", "power", "days"), needed=("mode", "power"))
        if request.enabled is False and held.enabled:
            raise ScheduleError(Reason.STAYS_ON)
        slots = _assigned(_contents(request.windows, held), held)
        steps: list[tuple[str, Value]] = []
        changed = [
            (before, after)
            for before, after in zip(held.slots, slots, strict=True)
            if before != after
        ]
        steps += [
            (slot_key(before.mode, before.number, "enabled"), False)
            for before, _ in changed
            if before.enabled
        ]
        for before, after in changed:
            if after.content is None:
                continue
            written = after.content.values(after.mode, after.number)
            known = before.content.values(before.mode, before.number) if before.content else {}
            steps += [(key, value) for key, value in written.items() if known.get(key) != value]
        steps += [
            (slot_key(after.mode, after.number, "enabled"), True)
            for _, after in changed
            if after.enabled
        ]
        if request.enabled and not held.enabled:
            steps.append((WORK_MODE, TIME_OF_USE))
        return Plan(slots=held.plain_slots(slots), steps=tuple(steps))


CHARGE_WINDOWS: Final = ChargeWindows()


def active_window(schedule: Timetable[Any], now: datetime, zone: tzinfo) -> str:
    """Return what the slot in force does; `none` when there is none."""
    item = active(schedule, now, zone)
    return item.rule.mode if item else NONE


def _slot(mode: str, number: int, values: Values) -> Slot | None:
    """Return a slot; None when it is not known whether it acts, or how."""
    enabled, start, end, days, power = (
        values.get(slot_key(mode, number, field)) for field in FIELDS
    )
    if (
        isinstance(start, time)
        and isinstance(end, time)
        and isinstance(days, frozenset)
        and isinstance(power, int)
    ):
        content = Content(start, end, days, power)
        return None if enabled is None else Slot(mode, number, bool(enabled), content)
    return None if enabled is None or enabled else Slot(mode, number, enabled=False, content=None)


def _contents(windows: Sequence[Wish], held: WindowTable) -> list[tuple[str, Content]]:
    """Return what the slots of these windows say, each with what it does; ScheduleError names what is wrong."""
    found: list[tuple[int, str, Content]] = []
    for number, wish in enumerate(windows, 1):
        said = wish.said(("mode", "power"))
        percent = _percent(number, wish, said["power"], held)
        for content in _parts(number, wish, percent):
            for other, _, before in found:
                _check_overlap(number, content, other, before)
            found.append((number, said["mode"], content))
    return [(mode, content) for _, mode, content in found]


def _percent(number: int, wish: Wish, power: float, held: WindowTable) -> int:
    """Return the percentage that is nearest to a power in watts; what a slot holds already may stay."""
    low, high = held.watts(LEAST), held.watts(MOST)
    if not low <= power <= high and not held.has(wish):
        raise ScheduleError(
            Reason.POWER,
            window=str(number),
            value=f"{power:g}",
            minimum=str(low),
            maximum=str(high),
            step="1",
        )
    return round(power * 100 / held.rated_power)


def _parts(number: int, wish: Wish, percent: int) -> list[Content]:
    """Return the slots of a window: two if it goes over midnight."""
    check_grid(number, (wish.start, wish.end), GRID)
    days = EVERY_DAY if wish.days is None else wish.days
    if not days:
        raise ScheduleError(Reason.NO_DAYS, window=str(number))
    start, end = minutes_of(wish.start), minutes_of(wish.end)
    if start == LAST_MINUTE:
        raise ScheduleError(Reason.LAST_MINUTE, window=str(number), time=spoken(wish.start))
    if end in (0, LAST_MINUTE):
        end = DAY
    if start == end:
        raise ScheduleError(Reason.EMPTY, window=str(number), time=spoken(wish.start))
    if start < end:
        return [Content(wish.start, _end(end), days, percent)]
    following = frozenset((day + 1) % len(DAYS) for day in days)
    return [
        Content(wish.start, _end(DAY), days, percent),
        Content(time(), _end(end), following, percent),
    ]


def _end(minute: int) -> time:
    """Return an end as the machine holds it."""
    return time_of(LAST_MINUTE if minute == DAY else minute)


def _check_overlap(number: int, content: Content, other: int, before: Content) -> None:
    """Raise ScheduleError when two slots want something of the same moment."""
    start = max(content.minutes[0], before.minutes[0])
    end = min(content.minutes[1], before.minutes[1])
    if content.days & before.days and start < end:
        raise ScheduleError(
            Reason.OVERLAP,
            window=str(number),
            other=str(other),
            time=spoken(time_of(start)),
        )


def _assigned(contents: Sequence[tuple[str, Content]], held: WindowTable) -> list[Slot]:
    """Return all slots with these contents in them, as far as they can be where they are already."""
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
