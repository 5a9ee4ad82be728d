"""Listen for some seconds which units are polled on a line; where none is heard, say why that may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from ..errors import LinkError, LinkErrorCode
from .clues import HeardMeter, meters_of
from .listener import Listener
from .receiver import Source
from .sniffer import SnifferStatistics

# For how long at most, and for how long nothing new has to come up before it ends earlier.
SECONDS: Final = 15.0
SETTLED: Final = 5.0
STEP: Final = 0.25
# With fewer bytes than this a line that makes no sense is hardly used; with more it has another speed.
ENOUGH_BYTES: Final = 64
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
    """No meter was heard."""

    def __init__(self, reason: Unheard, heard: SnifferStatistics) -> None:
        """`heard` says how much was received."""
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
    """The units that are polled on a line, and how; UnheardError when none is, LinkError when it does not open.

    Calls back with the share of the time that is over, 0 to 1.
    """
    listener = Listener(source)
    try:
        await listener.connect()
        return await collect_meters(listener, seconds=seconds, settled=settled, progress=progress)
    finally:
        await listener.close()


async def collect_meters(
    listener: Listener,
    *,
    seconds: float = SECONDS,
    settled: float = SETTLED,
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[HeardMeter, ...]:
    """The same with a listener that is already open."""
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
        raise LinkError("the connection is lost", LinkErrorCode.LOST, endpoint=listener.endpoint)
    raise UnheardError(_reason(listener.statistics.heard), listener.statistics.heard)


def _reason(heard: SnifferStatistics) -> Unheard:
    """What it means that no exchange was confirmed."""
    if not heard.bytes_received:
        return Unheard.NOTHING
    if heard.exchanges:
        return Unheard.TOO_LITTLE
    if heard.bytes_received >= ENOUGH_BYTES and heard.understood < CHANCE:
        return Unheard.NOISE
    if heard.responses_without_request > heard.requests:
        return Unheard.ONLY_ANSWERS
    if heard.requests:
        return Unheard.ONLY_REQUESTS
    if heard.others:
        return Unheard.NO_READS
    return Unheard.NOTHING
