"""A line that is only listened to: it opens itself again, and its units answer from what was heard. It cannot send."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Never

from .endpoint import PATIENCE
from .errors import LinkError, LinkLost, NotHeardError, SilenceError
from .heard import Heard
from .link import FIRST_PAUSE, LONGEST_PAUSE
from .observed import Observed
from .overhear import Ear, Overheard
from .receive import Source, open_receiver

# Seconds after opening during which a read waits for what was not heard yet.
SETTLING: Final = 3.0


@dataclass(slots=True)
class ListenerStatistics:
    """What a listener has heard since it was made."""

    ear: Ear
    memory: Heard
    connects: int = 0
    connection_losses: int = 0

    @property
    def heard(self) -> Overheard:
        """Return how much was heard, and how much of it understood."""
        return self.ear.heard

    @property
    def clarity(self) -> float:
        """Return the share of what was heard lately that was understood, 0 to 1."""
        return self.ear.clarity

    def as_dict(self) -> dict[str, object]:
        """Return everything, for diagnostics."""
        return {
            "connects": self.connects,
            "connection_losses": self.connection_losses,
            **self.heard.as_dict(),
            "requests_heard": [
                {
                    "unit_id": request.unit,
                    "address": request.address,
                    "count": request.count,
                    "heard": answers.heard,
                    "period": round(answers.period, 3),
                }
                for request, answers in self.memory.requests()
            ],
        }


def _now() -> float:
    """Return the time of the event loop, in seconds."""
    return asyncio.get_running_loop().time()


class Listener(Observed):
    """An open ear on a line between an inverter and its meters."""

    def __init__(
        self,
        source: Source,
        *,
        timeout: float = PATIENCE,
        settling: float = SETTLING,
        frames: int = 50,
    ) -> None:
        """Take where to listen, within how many seconds that must open, and how long the first reads wait."""
        super().__init__(frames)
        self.endpoint = source
        self.heard = Heard()
        self._ear = Ear()
        self.statistics = ListenerStatistics(self._ear, self.heard)
        self._timeout = timeout
        self._settling = settling
        self._settled_at = 0.0
        self._opening = asyncio.Lock()
        self._transport: asyncio.ReadTransport | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._closed = False
        # Who waits for something new has this future.
        self._news: asyncio.Future[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the connection is open."""
        return self._transport is not None

    @property
    def reachable(self) -> bool:
        """Whether the last attempt to open it succeeded; it is kept open, so that is whether it is."""
        return self.connected

    def unit(self, unit_id: int, spacing: float = 0) -> HeardUnit:
        """Return what is heard of a unit."""
        return HeardUnit(self, unit_id)

    async def connect(self) -> None:
        """Open the connection if it is not open; the LinkError says why that failed.

        Once it was open it is opened again whenever it is lost.
        """
        async with self._opening:
            if self._closed:
                raise LinkError(f"{self.endpoint}: the link is closed")
            if self._transport is not None:
                return
            self._ear.restart()
            transport = await open_receiver(
                self.endpoint, within=self._timeout, receive=self._receive, lost=self._lost
            )
            if self._closed:
                transport.close()
                raise LinkError(f"{self.endpoint}: the link was closed")
            if transport.is_closing():
                raise LinkLost(f"{self.endpoint}: the connection was closed at once")
            self._transport = transport
        self.statistics.connects += 1
        self._settled_at = _now() + self._settling
        self._tell(connected=True)

    async def settle(self) -> None:
        """Return when it was open long enough to have heard what is asked for all the time."""
        if (left := self._settled_at - _now()) > 0:
            await asyncio.sleep(left)

    async def close(self) -> None:
        """Close for good; whoever waits, or reads later, gets a LinkError."""
        self._closed = True
        if self._reopening is not None:
            self._reopening.cancel()
            with suppress(asyncio.CancelledError):
                await self._reopening
        if self._transport is not None:
            self._transport.close()
        # The connection itself ends in the loop's next round.
        await asyncio.sleep(0)

    async def read_holding_registers(self, unit_id: int, address: int, count: int) -> list[int]:
        """Return registers as they were heard in one answer.

        NotHeardError when nobody asks for them, SilenceError when nobody asks for anything, LinkError without a connection.
        """
        while self._transport is not None and not self._closed:
            try:
                return self.heard.words(unit_id, address, count, _now())
            except NotHeardError, SilenceError:
                if _now() >= self._settled_at:
                    raise
            await self._wait_for_news(self._settled_at)
        raise LinkError(f"{self.endpoint}: the connection is lost")

    async def _wait_for_news(self, until: float) -> None:
        """Return when something was heard, or the connection was lost, or the time is over."""
        if self._news is None:
            self._news = asyncio.get_running_loop().create_future()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await asyncio.shield(self._news)

    def _tell_news(self) -> None:
        """Let those go on who wait for news."""
        if self._news is not None:
            self._news.set_result(None)
            self._news = None

    def _receive(self, data: bytes) -> None:
        """Take what was received."""
        now = _now()
        self._keep(data, now, sent=False)
        exchanges = self._ear.take(data, now)
        for exchange in exchanges:
            self.heard.add(exchange)
        if exchanges:
            self._tell_news()

    def _lost(self) -> None:
        """Go on without a connection, and open it again unless it was closed on purpose."""
        if self._transport is None:
            # Whoever is about to open it finds it closed.
            return
        self._transport = None
        self._tell_news()
        if not self._closed:
            self.statistics.connection_losses += 1
            self._reopening = asyncio.get_running_loop().create_task(self._reopen())
        self._tell(connected=False)

    async def _reopen(self) -> None:
        """Try to open until that succeeds, with longer and longer pauses."""
        pause = FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            try:
                await self.connect()
            except LinkError:
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                return


class HeardUnit:
    """A unit whose registers are known as far as somebody else reads them."""

    def __init__(self, listener: Listener, unit_id: int) -> None:
        """Take the listener, and the unit id to which the requests go."""
        self._listener = listener
        self._unit_id = unit_id

    async def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False
    ) -> list[int]:
        """Return `count` words that were heard in one answer; nothing is asked, so nothing is urgent."""
        return await self._listener.read_holding_registers(self._unit_id, address, count)

    async def write_registers(self, address: int, values: list[int]) -> Never:
        """Raise: what is only listened to cannot be told anything."""
        raise LinkError(f"{self._listener.endpoint}: is only listened to")

    async def write_register(self, address: int, value: int) -> Never:
        """Raise, likewise."""
        raise LinkError(f"{self._listener.endpoint}: is only listened to")
