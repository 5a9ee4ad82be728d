"""A line that somebody else polls, for the length of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from simulator.overheard import OverheardLine, Poll, Respond, Talk


@asynccontextmanager
async def overheard_line(
    respond: Respond, polls: Sequence[Poll], *, period: float = 0.1, seed: int = 1
) -> AsyncIterator[OverheardLine]:
    """Run a line on any free port for the length of the block."""
    line = OverheardLine(Talk(respond, polls, seed=seed), period=period)
    await line.start("127.0.0.1", 0)
    try:
        yield line
    finally:
        await line.stop()
