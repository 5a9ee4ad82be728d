"""Whose turn it is on a line that carries one request at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from itertools import count


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
    arrival: int
    handed_over: asyncio.Future[None]


class Line:
    """A lock that serves by priority, and shares what is left for reading evenly between units.

    Within a priority goes first who came first; but of those that read, the unit whose last turn to read is longest
    ago, however many of its reads are waiting. What is urgent is not overtaken: while a write waits for its unit to
    have rested, nobody else goes. Times are of the event loop's clock.
    """

    def __init__(self) -> None:
        """Start with a free line."""
        self._taken = False
        self._arrivals = count(1)
        self._waiting: list[_Waiting] = []
        # The number of the last turn to read that each unit had.
        self._turns = count(1)
        self._last_turn: dict[int, int] = {}
        # Until when the line, and each unit on it, rests; and what ends the wait for that.
        self._free_at = 0.0
        self._rested_at: dict[int, float] = {}
        # Until when a unit is not read from.
        self._spared_until: dict[int, float] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._hurried = False

    @asynccontextmanager
    async def turn(self, priority: Priority, unit: int = 0) -> AsyncIterator[None]:
        """Wait for the turn to talk to a unit, and hold it for the length of the block."""
        await self._wait(priority, unit)
        try:
            yield
        finally:
            self._pass_on()

    def rest(self, until: float, unit: int, unit_until: float) -> None:
        """Let nobody have the turn before a time, and nobody who wants this unit before another one."""
        self._free_at = until
        self._rested_at[unit] = unit_until

    def spare(self, unit: int, until: float) -> None:
        """Let nobody read from this unit before a time."""
        self._spared_until[unit] = until

    def rested_at(self, unit: int) -> float:
        """Return from when on the line and a unit on it have rested."""
        return max(self._free_at, self._rested_at.get(unit, 0.0))

    def hurry(self) -> None:
        """Rest no more."""
        self._hurried = True
        self._serve()

    async def _wait(self, priority: Priority, unit: int) -> None:
        """Return when the turn was handed over."""
        handed_over = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(priority, unit, next(self._arrivals), handed_over))
        self._serve()
        try:
            await handed_over
        except asyncio.CancelledError:
            # Cancelled in the very moment of the hand-over: the next one must not wait for us.
            if handed_over.cancelled():
                self._serve()
            else:
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Free the line for the next one."""
        self._taken = False
        self._serve()

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
        now = loop.time()
        ready = [waiting for waiting in foremost if self._ready_at(waiting) <= now]
        if not ready:
            self._alarm = loop.call_at(min(map(self._ready_at, foremost)), self._serve)
            return
        first = min(ready, key=self._place)
        if first.priority is Priority.READ:
            self._last_turn[first.unit] = next(self._turns)
        self._taken = True
        first.handed_over.set_result(None)

    def _ready_at(self, waiting: _Waiting) -> float:
        """Return from when on somebody may have the turn."""
        if self._hurried or waiting.priority is Priority.CLOSING:
            return 0.0
        rested = self.rested_at(waiting.unit)
        if waiting.priority is Priority.READ:
            return max(rested, self._spared_until.get(waiting.unit, 0.0))
        return rested

    def _place(self, waiting: _Waiting) -> tuple[int, int]:
        """Return where somebody stands among those of the same priority."""
        reads = waiting.priority is Priority.READ
        return (self._last_turn.get(waiting.unit, 0) if reads else 0, waiting.arrival)
