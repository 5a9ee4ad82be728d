"""Hear for some seconds who is asked for what on a line; where nothing usable is heard, say why that may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from .errors import LinkError
from .listener import Listener
from .meter_clues import HeardMeter, meters_of
from .overhear import Overheard
from .receive import Source

# For how long at most, and for how long nothing new has to come up before it ends earlier.
SECONDS: Final = 15.0
SETTLED: Final = 5.0
STEP: Final = 0.25
# From how many bytes on a line that makes no sense is thought to have another speed, instead of being hardly used.
TELLING: Final = 64
# A smaller share of the bytes is in frames by chance only.
CHANCE: Final = 0.1


class Unheard(StrEnum):
    """Why nothing usable was heard; each is a message to a person."""

    NOTHING = "nothing_heard"
    NOISE = "only_noise_heard"
    ONLY_REQUESTS = "only_requests_heard"
    ONLY_ANSWERS = "only_answers_heard"
    NO_READS = "no_reads_heard"
    TOO_LITTLE = "too_little_heard"


class UnheardError(Exception):
    """Somebody listened and heard of no meter."""

    def __init__(self, reason: Unheard, heard: Overheard) -> None:
        """Keep why, and how much was heard."""
        super().__init__(reason)
        self.reason = reason
        self.heard = heard


async def listen_for(
    source: Source,
    *,
    seconds: float = SECONDS,
    settled: float = SETTLED,
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[HeardMeter, ...]:
    """Return the units that are polled on a line, and how; UnheardError when none is, LinkError when it does not open.

    Calls back with the share of the time that is over, 0 to 1.
    """
    listener = Listener(source)
    try:
        await listener.connect()
        return await hear_out(listener, seconds=seconds, settled=settled, progress=progress)
    finally:
        await listener.close()


async def hear_out(
    listener: Listener,
    *,
    seconds: float = SECONDS,
    settled: float = SETTLED,
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[HeardMeter, ...]:
    """Do the same with a listener that is open already."""
    clock = asyncio.get_running_loop().time
    started = changed = clock()
    known = 0
    while (now := clock()) - started < seconds:
        progress((now - started) / seconds)
        if (count := sum(1 for _ in listener.heard.requests())) != known:
            known, changed = count, now
        if known and now - changed >= settled:
            break
        await asyncio.sleep(min(STEP, settled, seconds))
    progress(1.0)
    if meters := meters_of(listener.heard):
        return meters
    if not listener.connected:
        raise LinkError(f"{listener.endpoint}: the connection is lost")
    raise UnheardError(_reason(listener.statistics.heard), listener.statistics.heard)


def _reason(heard: Overheard) -> Unheard:
    """Return what it means that no exchange could be believed."""
    if not heard.bytes_received:
        return Unheard.NOTHING
    if heard.exchanges:
        return Unheard.TOO_LITTLE
    if heard.bytes_received >= TELLING and heard.understood < CHANCE:
        return Unheard.NOISE
    if heard.orphans > heard.requests:
        return Unheard.ONLY_ANSWERS
    if heard.requests:
        return Unheard.ONLY_REQUESTS
    if heard.others:
        return Unheard.NO_READS
    return Unheard.NOTHING
