"""One write at a time, each to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, Final

from ..errors import InvalidValueError, NotRememberedError, WriteBudgetError
from .to_end import Turn, log_failure

# What a write is refused with before it is sent, for its own value or its own caller: another one may be taken.
REFUSED: Final = (InvalidValueError, NotRememberedError, WriteBudgetError)


class _Write[T]:
    """A write that somebody waits for."""

    def __init__(
        self, work: Coroutine[Any, Any, T], setting: str | None, related: Collection[str]
    ) -> None:
        """`setting` is what it is about, if that is one setting alone; for the `related` ones it may matter."""
        self.work = work
        self.setting = setting
        self.related = related
        # What carries it out, or has carried out the one that it gave way to; None while it waits.
        self.task: asyncio.Task[T] | None = None

    def end_with(self, task: asyncio.Task[T]) -> None:
        """Give way to the write that this task has carried out."""
        self.work.close()
        self.task = task

    def result(self) -> T:
        """What came of it, or of the one that it gave way to."""
        if self.task is None:
            raise asyncio.InvalidStateError
        return self.task.result()


class WriteLock(Turn):
    """Held while a device is written to, or must not be."""

    def __init__(self) -> None:
        super().__init__()
        # In the order of their turns.
        self._waiting: list[_Write[Any]] = []

    async def run_to_end[T](
        self,
        work: Coroutine[Any, Any, T],
        *,
        setting: str | None = None,
        related: Collection[str] = (),
    ) -> T:
        """Run a write while there is no other one, and to its end even when the caller is cancelled; its result.

        Half of it would be worse than all of it. A caller that is cancelled while it waits gets nothing written. Nor
        does one whose `setting` is to be written again later in the queue, as its value would not last; unless before
        that comes a `related` setting, or several at once, for which it may matter. The later write is carried out in
        the turn of the earlier one, which ends as that one does: only when that one is refused is its own carried out.
        """
        write = _Write(work, setting, related)
        self._waiting.append(write)
        try:
            await self.acquire()
            if write in self._waiting:
                await self.hold_to_end(self._use_turn(write, *self._begin(write)))
            else:
                self.release()
        except asyncio.CancelledError:
            if write in self._waiting:
                self._waiting.remove(write)
                work.close()
            elif write.task is not None:
                write.task.add_done_callback(log_failure)
            raise
        return write.result()

    def _begin(self, write: _Write[Any]) -> tuple[list[_Write[Any]], asyncio.Task[Any]]:
        """Begin the last one that a write gives way to, in its turn: those before that one, and what carries it out."""
        *earlier, last = self._same_setting(write)
        self._waiting.remove(last)
        last.task = asyncio.create_task(last.work)
        return earlier, last.task

    async def _use_turn(
        self, write: _Write[Any], earlier: list[_Write[Any]], task: asyncio.Task[Any]
    ) -> None:
        """Go on with what was begun in the turn of a write until one is not refused; those before it end with that."""
        await asyncio.wait((task,))
        while not task.cancelled() and isinstance(task.exception(), REFUSED):
            # Its caller may have been cancelled meanwhile; the others have turns of their own.
            if write not in self._waiting:
                return
            earlier, task = self._begin(write)
            await asyncio.wait((task,))
        for other in earlier:
            if other in self._waiting:
                self._waiting.remove(other)
                other.end_with(task)

    def _same_setting(self, write: _Write[Any]) -> list[_Write[Any]]:
        """The waiting writes of its setting, itself first, up to anything for which its value may matter."""
        if write.setting is None:
            return [write]
        same: list[_Write[Any]] = []
        for waiting in self._waiting:
            if waiting.setting == write.setting:
                same.append(waiting)
            elif waiting.setting is None or waiting.setting in write.related:
                break
        return same
