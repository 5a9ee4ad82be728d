"""A slot that is a window itself, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from typing import Final

from ..model.codec import Value
from ..model.slots import window_key
from .clock import MINUTES_PER_DAY, minutes_of
from .days import DAYS

# The inverter's last minute; as an end it stands for midnight.
LAST_MINUTE: Final = MINUTES_PER_DAY - 1


@dataclass(frozen=True, slots=True)
class Content:
    """What a slot holds, in the inverter's own terms: an end at 23:59 is midnight, the power is in percent."""

    start: time
    end: time
    days: frozenset[int]
    power: int

    @property
    def minutes(self) -> tuple[int, int]:
        """Minutes of the day at which it starts and ends."""
        end = minutes_of(self.end)
        return minutes_of(self.start), MINUTES_PER_DAY if end == LAST_MINUTE else end

    @property
    def spans(self) -> list[tuple[frozenset[int], int, int]]:
        """When it holds, as days, 0 for Monday, and the minutes from and until; over midnight it goes on a day later."""
        start, end = self.minutes
        if start <= end:
            spans = [(self.days, start, end)]
        else:
            following = frozenset((day + 1) % len(DAYS) for day in self.days)
            spans = [(self.days, start, MINUTES_PER_DAY), (following, 0, end)]
        return [span for span in spans if span[0] and span[1] < span[2]]

    def overlap(self, other: Content) -> int | None:
        """The minute of a day from which both hold; None when they never do."""
        return next(
            (
                max(start, other_start)
                for days, start, end in self.spans
                for other_days, other_start, other_end in other.spans
                if days & other_days and max(start, other_start) < min(end, other_end)
            ),
            None,
        )

    def values(self, mode: str, number: int) -> dict[str, Value]:
        """The settings to write for it, in order."""
        return {
            window_key(mode, number, "start"): self.start,
            window_key(mode, number, "end"): self.end,
            window_key(mode, number, "days"): self.days,
            window_key(mode, number, "power"): self.power,
        }


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of the inverter, which may hold something that tells nothing."""

    mode: str
    number: int
    # None when it cannot be told.
    enabled: bool | None
    content: Content | None
    # The fields that hold what cannot be, as an hour of 25; not a part of what the slot is.
    unreadable: tuple[str, ...] = field(default=(), compare=False)

    def switched(self, *, on: bool) -> tuple[str, Value]:
        """The setting that enables or disables it."""
        return window_key(self.mode, self.number, "enabled"), on
