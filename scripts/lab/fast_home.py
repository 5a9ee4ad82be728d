"""Home Assistant with a clock that can run faster: `python -m lab.fast_home -c FOLDER`. Only for the demo.

A day of the simulated house is to be a day for Home Assistant, too: its counters, its midnight and its statistics. So
its wall clock and its event loop's clock run as fast as the house does. What waits for somebody outside, for an answer
over a socket for example, does so in real seconds: whoever answers is no faster.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from datetime import UTC, datetime, timedelta
import os
import runpy
import selectors
import sys
import time
from typing import Final, override

from .process import REPOSITORY

# When this Home Assistant begins, in seconds since 1970.
START_VARIABLE: Final = "LAB_CLOCK_START"

# By its file: the simulator's package imports Home Assistant, whose modules take the clocks that they find.
PACE: Final = runpy.run_path(str(REPOSITORY / "simulator" / "pace.py"))["Pace"]()


def change(speed: float, span: float) -> None:
    """Let time pass faster for so many seconds of Home Assistant's own."""
    PACE.change(speed, span)


class FastSelector(selectors.DefaultSelector):
    """Waits as long as it takes until the fast clock says so."""

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for what happens at a socket."""
        return super().select(timeout and timeout / PACE.speed)


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop by the fast clock."""

    def __init__(self) -> None:
        """Wait by the fast clock."""
        super().__init__(FastSelector())

    @override
    def call_at[*Ts](
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call by the fast clock, but give up waiting for a device's answer in real seconds."""
        if getattr(callback, "__qualname__", "") == "Channel._time_out":
            now = self.time()
            when = now + (when - now) * PACE.speed
        return super().call_at(when, callback, *args, context=context)


def keep_limits_real() -> None:
    """Have asyncio take time limits in real seconds."""
    reschedule = asyncio.Timeout.reschedule

    def in_real_seconds(limit: asyncio.Timeout, when: float | None) -> None:
        if when is not None:
            now = asyncio.get_running_loop().time()
            when = now + (when - now) * PACE.speed
        reschedule(limit, when)

    asyncio.Timeout.reschedule = in_real_seconds  # type: ignore[method-assign, assignment]


def main() -> int:
    """Set the clock, then start Home Assistant as its own command does."""
    start = float(os.environ[START_VARIABLE])

    def wall() -> float:
        return start + float(PACE.elapsed())

    time.time = wall
    asyncio.EventLoop = FastLoop  # type: ignore[assignment]
    keep_limits_real()

    # Everything else is imported after the clock is set: many modules keep the functions that they find.
    from homeassistant.util import dt as dt_util

    def utcnow() -> datetime:
        return datetime.fromtimestamp(wall(), UTC)

    def now(time_zone: object = None) -> datetime:
        return datetime.fromtimestamp(wall(), time_zone or dt_util.get_default_time_zone())  # type: ignore[arg-type]

    dt_util.utcnow = utcnow  # type: ignore[assignment]
    dt_util.now = now

    from aiohttp import web_ws

    calculate = web_ws.calculate_timeout_when  # type: ignore[attr-defined]

    def unhurried(now: float, timeout: float, threshold: float) -> float:
        """When a browser must have shown that it is there."""
        return calculate(now, timeout * PACE.speed, threshold)

    web_ws.calculate_timeout_when = unhurried  # type: ignore[attr-defined, assignment]

    from homeassistant.auth import AuthManager, const

    # Half an hour of Home Assistant's is too short for a browser to notice.
    create = AuthManager.async_create_refresh_token
    create.__defaults__ = tuple(
        timedelta(days=365) if value == const.ACCESS_TOKEN_EXPIRATION else value
        for value in create.__defaults__ or ()
    )

    from homeassistant import __main__ as home_assistant, runner

    runner.monotonic = PACE.elapsed  # type: ignore[attr-defined]
    return home_assistant.main()


if __name__ == "__main__":
    # The component that changes the speed finds this module by its name.
    sys.modules["lab.fast_home"] = sys.modules["__main__"]
    # The custom components are those of the configuration folder.
    sys.path.remove(str(REPOSITORY))
    sys.exit(main())
