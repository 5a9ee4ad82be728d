"""An event loop whose time jumps to its next timer as soon as nothing is left to do: a day costs only its work.

Work takes no time by its clock, so that whatever runs on it runs the same way each time, however busy the computer is.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
import math
from typing import Any, Final

MICROSECOND: Final = 1_000_000
# Real seconds to wait for a thread before looking again; it interrupts the wait when it is done.
LOOK_AGAIN: Final = 1.0


class _JumpingTime:
    """What stands in the place of the parts of a loop that know of time."""

    def __init__(self, loop: Any, jumped: Callable[[timedelta], None]) -> None:
        self._select = loop._selector.select  # noqa: SLF001 - no public name leads to it
        self._run_in_executor = loop.run_in_executor
        self._jumped = jumped
        self._began = loop.time()
        self._passed = 0
        self._threads = 0

    def time(self) -> float:
        """The seconds by which timers are due."""
        passed: float = self._began + self._passed / MICROSECOND
        return passed

    def select(self, timeout: float | None = None) -> Any:
        """Return what has happened at sockets; if nothing has, it is time for the next timer."""
        if (events := self._select(0)) or timeout == 0:
            return events
        if timeout is None or self._threads:
            return self._select(LOOK_AGAIN)
        jump = max(1, math.ceil(timeout * MICROSECOND))
        self._passed += jump
        self._jumped(timedelta(microseconds=jump))
        return events

    def run_in_executor(
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Let no time pass until a thread is done."""
        future: asyncio.Future[Any] = self._run_in_executor(executor, func, *args)
        self._threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: asyncio.Future[Any]) -> None:
        self._threads -= 1


@contextmanager
def jumping_time(loop: Any, jumped: Callable[[timedelta], None]) -> Iterator[None]:
    """Have the time of a loop on selectors jump; `jumped` is called with each jump, before what is due then."""
    time = _JumpingTime(loop, jumped)
    selector = loop._selector  # noqa: SLF001 - no public name leads to it
    resolution = loop._clock_resolution  # noqa: SLF001 - the same
    loop.time, loop.run_in_executor = time.time, time.run_in_executor
    selector.select = time.select
    # After half a year a nanosecond is less than a time in seconds can tell, and the loop would wait for a timer that is due.
    loop._clock_resolution = 1 / MICROSECOND  # noqa: SLF001 - the same
    try:
        yield
    finally:
        del loop.time, loop.run_in_executor, selector.select
        loop._clock_resolution = resolution  # noqa: SLF001 - the same
