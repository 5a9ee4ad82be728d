"""Which of the readings that were heard are confirmed, and for how long they hold.

A checksum lets one damaged frame in 65536 pass, and an inverter polls its meter a million times a day. A damaged request
may name another register, and where a whole answer and the next request are lost, the next answer stands behind the
wrong request. So nothing counts that was heard only once: another exchange of the same request has to confirm it. On a
clear line a value near the others will do; on any other line it must be the very same words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from statistics import median
import struct
from typing import Final

from ..errors import NotHeardError, SilenceError
from ..model.register import RegisterWords
from .sniffer import Exchange

# How many exchanges of a request are remembered, and how many requests; an inverter has a handful.
HISTORY_SIZE: Final = 16
MAX_REQUESTS: Final = 64
# Seconds for which what was heard holds, and for how many times the pause between two requests where that is longer.
FRESH: Final = 10.0
FRESH_PERIODS: Final = 3
# By what share of the largest of its neighbours a value may lie outside of them on a clear line.
MARGIN: Final = 0.5

_WORDS: Final = struct.Struct(">HH")
_FLOAT: Final = struct.Struct(">f")


@dataclass(frozen=True, slots=True)
class Request:
    """A read that is sent again and again."""

    unit: int
    address: int
    count: int

    def covers(self, unit: int, address: int, count: int) -> bool:
        """Whether its answer holds all of these registers."""
        return (
            unit == self.unit
            and self.address <= address
            and address + count <= self.address + self.count
        )


@dataclass(slots=True)
class Answers:
    """The last answers to one request, and the newest that is confirmed."""

    heard: int = 0
    confirmed: Exchange | None = None
    _last: deque[Exchange] = field(default_factory=lambda: deque(maxlen=HISTORY_SIZE))

    @property
    def period(self) -> float:
        """The usual seconds between two answers; 0 before the second one."""
        pauses = [later.time - earlier.time for earlier, later in pairwise(self._last)]
        return median(pauses) if pauses else 0.0

    @property
    def fresh_for(self) -> float:
        """For how many seconds an answer holds."""
        return max(FRESH, FRESH_PERIODS * self.period)

    def is_fresh(self, now: float) -> bool:
        """Whether the newest confirmed answer still holds."""
        return self.confirmed is not None and now - self.confirmed.time <= self.fresh_for

    def add(self, exchange: Exchange) -> None:
        """Remember an answer, and whether another one confirms it."""
        self.heard += 1
        since = exchange.time - self.fresh_for
        witnesses = [other.words for other in self._last if other.time >= since]
        if exchange.words in witnesses or (
            exchange.clear and witnesses and _are_near(exchange.words, witnesses)
        ):
            self.confirmed = exchange
        self._last.append(exchange)


class ConfirmedReadings:
    """Everything that was heard on a line, by unit and registers."""

    def __init__(self) -> None:
        self._answers: dict[Request, Answers] = {}

    def add(self, exchange: Exchange) -> None:
        """Take an exchange; the request that was not heard for the longest time makes room for a new one."""
        request = Request(exchange.unit, exchange.address, len(exchange.words))
        answers = self._answers.pop(request, None) or Answers()
        if len(self._answers) == MAX_REQUESTS:
            del self._answers[next(iter(self._answers))]
        self._answers[request] = answers
        answers.add(exchange)

    def requests(self) -> Iterator[tuple[Request, Answers]]:
        """The requests whose answers are confirmed, in order."""
        known = [item for item in self._answers.items() if item[1].confirmed is not None]
        yield from sorted(known, key=lambda item: (item[0].unit, item[0].address, item[0].count))

    def words(self, unit: int, address: int, count: int, now: float) -> list[int]:
        """Registers as one answer held them, the newest one.

        NotHeardError when nobody reads them, or nobody does any more, SilenceError when nobody polls the unit at all.
        """
        own = [item for item in self.requests() if item[0].unit == unit]
        fresh = [(request, heard) for request, heard in own if heard.is_fresh(now)]
        if not fresh:
            raise SilenceError(f"unit {unit} is not heard", unit_id=unit)
        answers = [
            (heard.confirmed.time, heard.confirmed.words[address - request.address :][:count])
            for request, heard in fresh
            if heard.confirmed is not None and request.covers(unit, address, count)
        ]
        if not answers:
            what = f"unit {unit}, registers {address} to {address + count - 1}"
            # What was heard before may come again any moment.
            known = any(request.covers(unit, address, count) for request, _ in own)
            raise NotHeardError(what, rest=1) if known else NotHeardError(what)
        return list(max(answers)[1])


def _are_near(words: RegisterWords, witnesses: Sequence[RegisterWords]) -> bool:
    """Whether every value of an answer lies among those that the others have in its place, or near them."""
    return len(words) % 2 == 0 and all(
        _is_near(words[place : place + 2], [other[place : place + 2] for other in witnesses])
        for place in range(0, len(words), 2)
    )


def _is_near(value: RegisterWords, others: Sequence[RegisterWords]) -> bool:
    """Whether a value is one of the others, or a number within their range and a margin around it."""
    if value in others:
        return True
    number = _number(value)
    numbers = [known for known in map(_number, others) if isfinite(known)]
    if not numbers or not isfinite(number):
        return False
    margin = MARGIN * max(map(abs, numbers))
    return min(numbers) - margin <= number <= max(numbers) + margin


def _number(words: RegisterWords) -> float:
    """Two words as a number of single precision; the meters have no other values of two words."""
    number: float = _FLOAT.unpack(_WORDS.pack(*words))[0]
    return number
