"""Whose turn it is on a line that carries one request at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count


class Priority(IntEnum):
    """Who goes first; the lower number."""

    CLOSING = 0
    WRITE = 1
    READ = 2


class Line:
    """A lock that serves by priority, and within a priority in the order of arrival."""

    def __init__(self) -> None:
        """Start with a free line."""
        self._taken = False
        self._arrivals = count()
        # The number of the arrival makes every entry unique, so that no two futures are compared.
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, priority: Priority) -> AsyncIterator[None]:
        """Wait for the turn, and hold it for the length of the block."""
        if self._taken:
            await self._wait(priority)
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, priority: Priority) -> None:
        """Return when the turn was handed over."""
        handed_over = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (priority, next(self._arrivals), handed_over))
        try:
            await handed_over
        except asyncio.CancelledError:
            # Cancelled in the very moment of the hand-over: the next one must not wait for us.
            if not handed_over.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Hand the turn to the first one who still waits; free the line when nobody does."""
        while self._waiting:
            handed_over = heappop(self._waiting)[-1]
            if not handed_over.done():
                handed_over.set_result(None)
                return
        self._taken = False
