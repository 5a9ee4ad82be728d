"""Whose turn it is on a line that carries one request at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from typing import Final

# Seconds: how much longer another read of the same unit has to have waited to go before one that goes first.
HEAD_START: Final = 2.0

_goes_first: ContextVar[bool] = ContextVar("goes_first", default=False)


def going_first() -> AbstractContextManager[object]:
    """Let the reads of this block go before others of the same unit, as long as those have not waited for long."""
    return _goes_first.set(True)


class Priority(IntEnum):
    """Who goes first; the lower number."""

    CLOSING = 0
    WRITE = 1
    READ = 2


@dataclass(slots=True, eq=False)
class _Waiting:
    """Somebody who waits for the turn."""

    priority: Priority
    unit: int
    # When it came, or would have come with the head start that it has; and its number.
    since: float
    arrival: int
    handed_over: asyncio.Future[None]


class RequestQueue:
    """A lock that serves by priority, and shares what is left for reading evenly between units.

    Within a priority goes first who came first; but of those that read, the unit whose last turn to read is longest
    ago, however many of its reads are waiting; and of one unit's reads, those that go first. What is urgent is not overtaken: while a write waits for its unit to
    have cooled down, nobody else goes. Times are of the event loop's clock.
    """

    def __init__(self) -> None:
        self._taken = False
        self._arrivals = count(1)
        self._waiting: list[_Waiting] = []
        # The number of the last turn to read that each unit had.
        self._turns = count(1)
        self._last_turn: dict[int, int] = {}
        # Until when the line, and each unit on it, cools down; and what ends the wait for that.
        self._line_ready_at = 0.0
        self._unit_ready_at: dict[int, float] = {}
        # Until when a unit is not read from.
        self._held_back_until: dict[int, float] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._draining = False

    @property
    def idle(self) -> bool:
        """Whether nobody has the line, or waits for it."""
        return not self._taken and not self._waiting

    @asynccontextmanager
    async def turn(self, priority: Priority, unit: int = 0) -> AsyncIterator[None]:
        """Wait for the turn to talk to a unit, and hold it for the length of the block."""
        await self.acquire(priority, unit)
        try:
            yield
        finally:
            self.release()

    async def acquire(self, priority: Priority, unit: int = 0) -> None:
        """Wait for the turn; at once, and without a future, where nobody is to be waited for."""
        loop = asyncio.get_running_loop()
        if not self._taken and not self._waiting and self._ready_at(priority, unit) <= loop.time():
            self._take(priority, unit)
            return
        handed_over = loop.create_future()
        since = loop.time() - (HEAD_START if _goes_first.get() else 0)
        self._waiting.append(_Waiting(priority, unit, since, next(self._arrivals), handed_over))
        self._serve()
        try:
            await handed_over
        except asyncio.CancelledError:
            # Cancelled in the very moment of the hand-over: the next one must not wait for us.
            if handed_over.cancelled():
                self._serve()
            else:
                self.release()
            raise

    def release(self) -> None:
        """Free the line for the next one."""
        self._taken = False
        if self._waiting:
            self._serve()

    def cool_down(self, until: float, unit: int, unit_until: float) -> None:
        """Give nobody the turn before a time, and nobody who wants this unit before another one."""
        self._line_ready_at = until
        self._unit_ready_at[unit] = unit_until

    def hold_back(self, unit: int, until: float) -> None:
        """Give nobody the turn to read from this unit before a time."""
        self._held_back_until[unit] = until

    def cooled_down_at(self, unit: int) -> float:
        """From when on the line and a unit on it have cooled down."""
        return max(self._line_ready_at, self._unit_ready_at.get(unit, 0.0))

    def drain(self) -> None:
        """Let those go who still wait, without any pause."""
        self._draining = True
        self._serve()

    def _take(self, priority: Priority, unit: int) -> None:
        """Mark the line as taken."""
        if priority is Priority.READ:
            self._last_turn[unit] = next(self._turns)
        self._taken = True

    def _serve(self) -> None:
        """Hand a free line to whoever goes first, or see to it that this is done when somebody may."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._waiting = [waiting for waiting in self._waiting if not waiting.handed_over.done()]
        if self._taken or not self._waiting:
            return
        loop = asyncio.get_running_loop()
        priority = min(waiting.priority for waiting in self._waiting)
        foremost = [waiting for waiting in self._waiting if waiting.priority is priority]
        ready_at = {waiting: self._ready_at(priority, waiting.unit) for waiting in foremost}
        now = loop.time()
        ready = [waiting for waiting in foremost if ready_at[waiting] <= now]
        if not ready:
            self._alarm = loop.call_at(min(ready_at.values()), self._serve)
            return
        first = min(ready, key=self._place)
        self._waiting.remove(first)
        self._take(first.priority, first.unit)
        first.handed_over.set_result(None)

    def _ready_at(self, priority: Priority, unit: int) -> float:
        """From when on somebody may have the turn."""
        if self._draining or priority is Priority.CLOSING:
            return 0.0
        ready = self.cooled_down_at(unit)
        if priority is Priority.READ:
            return max(ready, self._held_back_until.get(unit, 0.0))
        return ready

    def _place(self, waiting: _Waiting) -> tuple[int, float, int]:
        """Where somebody stands among those of the same priority."""
        if waiting.priority is not Priority.READ:
            return (0, 0.0, waiting.arrival)
        return (self._last_turn.get(waiting.unit, 0), waiting.since, waiting.arrival)
