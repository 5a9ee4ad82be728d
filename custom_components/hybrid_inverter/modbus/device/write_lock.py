"""One write at a time, each to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

from .to_end import Turn


class _Waiting:
    """A write that waits for its turn."""

    def __init__(self, setting: str | None) -> None:
        """`setting` is what it is about, if that is one setting alone."""
        self.setting = setting


class WriteLock(Turn):
    """Held while a device is written to, or must not be."""

    def __init__(self) -> None:
        super().__init__()
        # In the order of their turns.
        self._waiting: list[_Waiting] = []

    async def run_to_end[T](
        self,
        write: Coroutine[Any, Any, T],
        *,
        setting: str | None = None,
        related: Collection[str] = (),
    ) -> T | None:
        """Run a write while there is no other one, and to its end even when the caller is cancelled; its result.

        Half of it would be worse than all of it. A caller that is cancelled while it waits for the lock gets nothing
        written. Nor does one whose `setting` is to be written again later in the queue, as its value would not last;
        unless before that comes a `related` setting, or several at once, for which it may matter.
        """
        waiting = _Waiting(setting)
        self._waiting.append(waiting)
        try:
            await self.acquire()
        except asyncio.CancelledError:
            write.close()
            raise
        finally:
            self._waiting.remove(waiting)
        if setting is not None and self._is_replaced(setting, related):
            write.close()
            self.release()
            return None
        return await self.hold_to_end(write)

    def _is_replaced(self, setting: str, related: Collection[str]) -> bool:
        """Whether a setting is written again before anything for which its value may matter."""
        for waiting in self._waiting:
            if waiting.setting == setting:
                return True
            if waiting.setting is None or waiting.setting in related:
                return False
        return False
