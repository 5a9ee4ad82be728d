"""One write at a time, each to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
import logging
from typing import Any

_LOGGER = logging.getLogger(__name__)


class WriteLock(asyncio.Lock):
    """Held by whoever writes to a machine, or wants nobody else to."""

    async def carry_out(self, doing: Coroutine[Any, Any, None]) -> None:
        """Carry a write out while there is no other one, and to its end, also when whoever waits for it is cancelled.

        Half of it would be worse than all of it. Who is cancelled before it has begun has asked for nothing.
        """
        try:
            await self.acquire()
        except asyncio.CancelledError:
            doing.close()
            raise
        task = asyncio.create_task(doing)
        task.add_done_callback(self._finished)
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise
        task.result()

    def _finished(self, _: asyncio.Task[None]) -> None:
        """Let the next one write."""
        self.release()


def _log_failure(task: asyncio.Task[None]) -> None:
    """Log why a write failed of which nobody waits for the end any more."""
    if not task.cancelled() and (err := task.exception()) is not None:
        _LOGGER.warning("A write that nobody waited for any more has failed: %s", err)
