"""Which answers are missing and may still come, and how to be sure that none is taken for another one.

An RTU frame does not say which request it answers, and a gateway passes a late one on even to a new connection. So
before the next request a number of registers is read that neither a request without an answer nor the next one asks
for: its answer is known by its size, and whatever was late came before it. They are read where the next request goes,
as some devices never answer where the last one went.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Final

from .reception import Expected
from .request import MAX_READ, READ, WORDS, Request, read_request

# How many missing answers of a unit are remembered.
HISTORY_SIZE: Final = 8


class MissingAnswers:
    """The answers of each unit that never came."""

    def __init__(self) -> None:
        self._missing: dict[int, deque[Expected]] = {}

    def __iter__(self) -> Iterator[Expected]:
        """All of them, by unit, the oldest first."""
        return chain.from_iterable(self._missing.values())

    def add(self, expected: Expected) -> None:
        """Remember an answer that may still come."""
        self._missing.setdefault(expected.unit, deque(maxlen=HISTORY_SIZE)).append(expected)

    def settle(self, answered: Expected, *, refused: bool) -> None:
        """Conclude from an RTU answer which answers of the same unit cannot come any more.

        A unit answers in order, so nothing is late behind an answer that is certainly ours. An exception may have
        been the late one, and then ours is still to come.
        """
        if answered.unit not in self._missing:
            return
        if refused:
            self.add(answered)
        else:
            del self._missing[answered.unit]

    def probe_before(self, request: Request) -> Request | None:
        """The read whose answer shows that nothing is late any more; None when nothing is missing."""
        if (missing := self._missing.get(request.unit)) is None:
            return None
        last = missing[-1]
        taken = {other.words for other in missing if other.function == READ} | {request.count}
        # The answer to a write looks like no read's, so any count will do.
        size = last.words if last.function == READ else 0
        count = next(
            count
            for count in chain(range(size - 1, 0, -1), range(size + 1, MAX_READ + 1))
            if count not in taken
        )
        # There are no registers behind the last one.
        address = min(request.address, len(WORDS) - count)
        return read_request(request.unit, address, count)
