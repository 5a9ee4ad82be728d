"""The six slots of a table as segments of a day, and an order laid over them.

A slot lasts until the next one starts, and the last one until the first of the next day. All is in raw words, so that
bits which nobody knows and cells that nobody has filled travel along. Minutes count from midnight on the device's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from itertools import pairwise
from typing import Final

from ..model.register import Register
from ..model.slots import START_SLOTS, start_key
from .six_slot_window import MINUTES_PER_DAY, STEP_MINUTES, Window, minute_of
from .words import Words

type Registers = Mapping[str, Register]
type Image = Mapping[int, int]

START: Final = "time"
# What a slot holds besides its start, in the order of `SlotWords`; the last word has the other flags, too.
POWER: Final = "power"
SOC: Final = "soc"
FLAGS: Final = "grid_charge"
FIELDS: Final = (POWER, "voltage", SOC, FLAGS)
GENERATOR_CHARGE: Final = "generator_charge"
# Down to which nothing is taken out of the battery.
FULL: Final = 100


@dataclass(frozen=True, slots=True)
class SlotWords:
    """What a slot holds besides its start, as raw words."""

    power: int
    voltage: int
    soc: int
    flags: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What holds from a minute of the day until the next segment starts."""

    start: int
    words: SlotWords
    # The owner's slot; None for the order's.
    slot: int | None = None

    @property
    def is_ordered(self) -> bool:
        """Whether it is the order's."""
        return self.slot is None


# ---------------------------------------------------------------------- between words and segments


def slot_words(slot: int, image: Image, registers: Registers) -> SlotWords:
    """The words of a slot."""
    return SlotWords(*(image[address_of(slot, field, registers)] for field in FIELDS))


def read_day(image: Image, registers: Registers) -> list[Segment]:
    """The segments of a table in order; empty when no start can be told.

    A slot whose start cannot be told is left out: the one before it goes on. Of those that start at the same time, the
    last one counts.
    """
    day: dict[int, Segment] = {}
    for slot in START_SLOTS:
        if (start := start_minute(slot, image, registers)) is not None:
            day[start] = Segment(start=start, words=slot_words(slot, image, registers), slot=slot)
    return in_order(day.values())


def put_day(day: Sequence[Segment], words: Words) -> None:
    """Put as many segments as there are slots into a table."""
    for slot, segment in zip(START_SLOTS, day, strict=True):
        words.put(start_key(slot, START), time(*divmod(segment.start, 60)))
        held = segment.words
        for field, word in zip(
            FIELDS, (held.power, held.voltage, held.soc, held.flags), strict=True
        ):
            words.put_word(start_key(slot, field), word)


def start_minute(slot: int, image: Image, registers: Registers) -> int | None:
    """The minute of the day at which a slot starts, 24:00 being midnight; None when it cannot be told."""
    start = registers[start_key(slot, START)].decode(image)
    return minute_of(start) if isinstance(start, time) else None


def address_of(slot: int, field: str, registers: Registers) -> int:
    """Where a word of a slot lies."""
    return registers[start_key(slot, field)].addresses[0]


def table_addresses(registers: Registers) -> list[int]:
    """Where the whole table lies, in order."""
    return sorted(
        address_of(slot, field, registers) for slot in START_SLOTS for field in (START, *FIELDS)
    )


def order_addresses(slot: int, registers: Registers) -> set[int]:
    """The words of a slot that are an order: where it starts and ends, and what it does meanwhile."""
    following = slot % len(START_SLOTS) + 1
    return {
        address_of(following, START, registers),
        *(address_of(slot, field, registers) for field in (START, POWER, SOC, FLAGS)),
    }


# ---------------------------------------------------------------------- what a slot does


def without_grid_charge(words: SlotWords, registers: Registers) -> SlotWords:
    """The same without a charge from the grid."""
    return _without(FLAGS, words, registers)


def held(words: SlotWords, registers: Registers) -> SlotWords:
    """The same with nothing out of the battery; no charge, as that would be one up to the raised target."""
    uncharged = _without(GENERATOR_CHARGE, without_grid_charge(words, registers), registers)
    return replace(uncharged, soc=FULL)


def _without(charge: str, words: SlotWords, registers: Registers) -> SlotWords:
    """The same without the flag of a charge; other flags stay."""
    row = registers[start_key(1, charge)]
    return replace(words, flags=row.encode(False, {row.addresses[0]: words.flags})[0])


# ---------------------------------------------------------------------- segments


def in_order(segments: Iterable[Segment]) -> list[Segment]:
    """The segments as the day has them."""
    return sorted(segments, key=lambda segment: segment.start)


def in_force(day: Sequence[Segment], minute: int) -> Segment:
    """The segment at a minute; before the first start of the day the last one still runs."""
    return next((segment for segment in reversed(day) if segment.start <= minute), day[-1])


def overlaps(day: Sequence[Segment], segment: Segment, window: Window) -> bool:
    """Whether a segment of a day lies in the window, at least in part."""
    return segment == in_force(day, window.first_minute) or window.contains(segment.start)


def laid_over(day: Sequence[Segment], window: Window, words: SlotWords) -> list[Segment]:
    """The day with other words in the window; after it, the day goes on where it then is."""
    end = window.end_minute
    segments = {segment.start: segment for segment in day if not window.contains(segment.start)}
    segments.setdefault(end, replace(in_force(day, end), start=end))
    segments[window.first_minute] = Segment(start=window.first_minute, words=words)
    return in_order(segments.values())


def merged(day: Sequence[Segment]) -> list[Segment]:
    """Neighbours with the same words as one, over midnight too; one that has the order in it is the order's."""
    changes = [
        index for index, segment in enumerate(day) if segment.words != day[index - 1].words
    ] or [0]
    whole = []
    for first, end in pairwise([*changes, changes[0] + len(day)]):
        run = [day[index % len(day)] for index in range(first, end)]
        ordered = any(segment.is_ordered for segment in run)
        whole.append(replace(run[0], slot=None if ordered else run[0].slot))
    return whole


def is_same_day(one: Sequence[Segment], other: Sequence[Segment]) -> bool:
    """Whether two merged days do the same at any time."""
    if len(one) == len(other) == 1:
        return one[0].words == other[0].words
    return [(segment.start, segment.words) for segment in one] == [
        (segment.start, segment.words) for segment in other
    ]


def fitted(day: Sequence[Segment], minute: int) -> list[Segment]:
    """As many segments as there are slots: the edges farthest ahead of a minute go, what is before them goes on."""
    first = in_force(day, minute).start
    near = sorted(day, key=lambda segment: (segment.start - first) % MINUTES_PER_DAY)
    return in_order(near[: len(START_SLOTS)])


def spread(day: Sequence[Segment]) -> list[Segment]:
    """One segment for each slot: spare slots halve the longest ones, which changes nothing."""
    slots = list(day)
    while len(slots) < len(START_SLOTS):
        lengths = [
            (after.start - segment.start - 1) % MINUTES_PER_DAY + 1
            for segment, after in pairwise([*slots, slots[0]])
        ]
        longest = slots[lengths.index(max(lengths))]
        middle = (longest.start + max(lengths) // 2) // STEP_MINUTES * STEP_MINUTES
        slots = in_order([*slots, replace(longest, start=middle % MINUTES_PER_DAY)])
    return slots


def alike(day: Sequence[Segment], minute: int) -> list[Segment]:
    """The segment at a minute, and its neighbours with the same words."""
    index = day.index(in_force(day, minute))
    around = [*day[index:], *day[:index]]
    changes = [at for at, segment in enumerate(around) if segment.words != around[0].words]
    return [*around[: changes[0]], *around[changes[-1] + 1 :]] if changes else around
