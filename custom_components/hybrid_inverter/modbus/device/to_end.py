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
        task.add_done_callback(_log_failure)
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


def _log_failure(task: asyncio.Task[Any]) -> None:
    """Log why a write failed that nobody waits for any more."""
    if not task.cancelled() and (err := task.exception()) is not None:
        _LOGGER.warning(
            "A write that nobody waited for any more has failed: %s", str(err) or repr(err)
        )
