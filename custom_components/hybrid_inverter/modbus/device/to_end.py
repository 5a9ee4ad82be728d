"""Work that goes on to its end when whoever has called is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
import logging
from typing import Any

_LOGGER = logging.getLogger(__name__)


async def finish[T](task: asyncio.Task[T]) -> T:
    """Wait for a task, which goes on when the caller is cancelled; its failure is logged then. Returns its result."""
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        task.add_done_callback(log_failure)
        raise
    return task.result()


def to_end[**P, T](
    work: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Have calls of a function go on to their end, also those whose caller is cancelled."""

    @wraps(work)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await finish(asyncio.create_task(work(*args, **kwargs)))

    return run


class Turn(asyncio.Lock):
    """Held by what has its turn; what is begun then goes on to its end, and the next one waits for that."""

    async def hold_to_end[T](
        self, work: Coroutine[Any, Any, T], *, first: Coroutine[Any, Any, Any] | None = None
    ) -> T:
        """Run work that has its turn, and to its end even when the caller is cancelled; its result.

        What comes `first` changes nothing: a caller that is cancelled until then gets no work done.
        """
        try:
            if first is not None:
                await first
                # Who was cancelled at its end is told so only here.
                await asyncio.sleep(0)
        except BaseException:
            work.close()
            self.release()
            raise
        task = asyncio.create_task(work)
        task.add_done_callback(self._finished)
        return await finish(task)

    def _finished(self, _: asyncio.Task[Any]) -> None:
        """End the turn; a done callback."""
        self.release()


def log_failure(task: asyncio.Task[Any]) -> None:
    """Log why a write failed that nobody waits for any more."""
    if not task.cancelled() and (err := task.exception()) is not None:
        _LOGGER.warning(
            "A write that nobody waited for any more has failed: %s", str(err) or repr(err)
        )
