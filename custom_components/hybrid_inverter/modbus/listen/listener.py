"""A line that is only listened to: it reopens itself, and its units answer from what was heard. Nothing is sent."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Never

from ..errors import (
    LinkError,
    LinkErrorCode,
    LinkLost,
    NotHeardError,
    SilenceError,
)
from ..transport.endpoint import DEFAULT_TIMEOUT
from ..transport.events import ConnectionEvents
from ..transport.link import FIRST_PAUSE, MAX_PAUSE
from .heard import ConfirmedReadings
from .receiver import Source, open_receiver
from .sniffer import RtuSniffer, SnifferStatistics

# Seconds after opening during which a read waits for what was not heard yet.
SETTLING: Final = 3.0


@dataclass(slots=True)
class ListenerStatistics:
    """What a listener has heard since it was made."""

    sniffer: RtuSniffer
    readings: ConfirmedReadings
    connects: int = 0
    connection_losses: int = 0

    @property
    def heard(self) -> SnifferStatistics:
        """How much was heard, and how much of it understood."""
        return self.sniffer.statistics

    @property
    def clarity(self) -> float:
        """The share of what was heard lately that was understood, 0 to 1."""
        return self.sniffer.clarity

    def as_dict(self) -> dict[str, object]:
        """Everything, for diagnostics."""
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
                for request, answers in self.readings.requests()
            ],
        }


def _now() -> float:
    """The time of the event loop, in seconds."""
    return asyncio.get_running_loop().time()


class Listener(ConnectionEvents):
    """Listens on a line between an inverter and its meters."""

    def __init__(
        self,
        source: Source,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        settling: float = SETTLING,
        frames: int = 50,
    ) -> None:
        """`timeout` is within how many seconds the source must open, `settling` how long the first reads wait."""
        super().__init__(frames)
        self.endpoint = source
        self.heard = ConfirmedReadings()
        self._sniffer = RtuSniffer()
        self.statistics = ListenerStatistics(self._sniffer, self.heard)
        self._timeout = timeout
        self._settling = settling
        self._settled_at = 0.0
        self._opening = asyncio.Lock()
        self._transport: asyncio.ReadTransport | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._closed = False
        # What those who wait for a reading wait for.
        self._next_reading: asyncio.Future[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the connection is open."""
        return self._transport is not None

    @property
    def reachable(self) -> bool:
        """Whether the last attempt to open it succeeded; it is kept open, so that is whether it is."""
        return self.connected

    def unit(self, unit_id: int, spacing: float = 0) -> HeardUnit:
        """What is heard of a unit."""
        return HeardUnit(self, unit_id)

    async def connect(self) -> None:
        """Open the connection if it is not open; the LinkError says why that failed.

        Once it was open it is opened again whenever it is lost.
        """
        async with self._opening:
            if self._closed:
                raise LinkError("the link is closed", LinkErrorCode.CLOSED, endpoint=self.endpoint)
            if self._transport is not None:
                return
            self._sniffer.restart()
            transport = await open_receiver(
                self.endpoint, within=self._timeout, receive=self._receive, lost=self._lost
            )
            if self._closed:
                transport.close()
                raise LinkError("the link was closed", LinkErrorCode.CLOSED, endpoint=self.endpoint)
            if transport.is_closing():
                raise LinkLost(
                    "the connection was closed at once",
                    LinkErrorCode.HUNG_UP,
                    endpoint=self.endpoint,
                )
            self._transport = transport
        self.statistics.connects += 1
        self._settled_at = _now() + self._settling
        self.notify(connected=True)

    def keep_trying(self) -> None:
        """Open it as soon as it can be, now that this has failed."""
        self._reopening = asyncio.get_running_loop().create_task(self._reopen())

    async def settle(self) -> None:
        """Wait until it was open long enough to have heard what is polled all the time."""
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
        """Registers as they were heard in one answer.

        NotHeardError when nobody reads them, SilenceError when nobody polls the unit, LinkError without a connection.
        """
        while self._transport is not None and not self._closed:
            try:
                return self.heard.words(unit_id, address, count, _now())
            except NotHeardError, SilenceError:
                if _now() >= self._settled_at:
                    raise
            await self._wait_for_reading(self._settled_at)
        raise LinkError("the connection is lost", LinkErrorCode.LOST, endpoint=self.endpoint)

    async def _wait_for_reading(self, until: float) -> None:
        """Wait until something was heard, the connection was lost, or the time is over."""
        if self._next_reading is None:
            self._next_reading = asyncio.get_running_loop().create_future()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await asyncio.shield(self._next_reading)

    def _wake_readers(self) -> None:
        """Let those go on who wait for a reading."""
        if self._next_reading is not None:
            self._next_reading.set_result(None)
            self._next_reading = None

    def _receive(self, data: bytes) -> None:
        """Take what was received."""
        now = _now()
        self.record_frame(data, now, sent=False)
        exchanges = self._sniffer.take(data, now)
        for exchange in exchanges:
            self.heard.add(exchange)
        if exchanges:
            self._wake_readers()

    def _lost(self) -> None:
        """Go on without a connection, and open it again unless it was closed on purpose."""
        if self._transport is None:
            # Whoever is about to open it finds it closed.
            return
        self._transport = None
        self._wake_readers()
        if not self._closed:
            self.statistics.connection_losses += 1
            self.keep_trying()
        self.notify(connected=False)

    async def _reopen(self) -> None:
        """Try to open until that succeeds, with longer and longer pauses."""
        pause = FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            try:
                await self.connect()
            except LinkError:
                pause = min(2 * pause, MAX_PAUSE)
            else:
                return


class HeardUnit:
    """A unit whose registers are known as far as somebody else reads them."""

    def __init__(self, listener: Listener, unit_id: int) -> None:
        """`unit_id` is the one that the other master polls."""
        self._listener = listener
        self._unit_id = unit_id

    @property
    def idle(self) -> bool:
        """Whether the line is free: whoever only listens takes it from nobody."""
        return True

    @property
    def connection(self) -> int:
        """The number of the connection that is open; 0 while none is."""
        return self._listener.connection

    def over(self, connection: int) -> HeardUnit:
        """The unit itself: nothing is sent, so nothing can reach another one."""
        return self

    async def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False, once: bool = False
    ) -> list[int]:
        """`count` words that were heard in one answer; nothing is sent, so nothing is urgent, or repeated."""
        return await self._listener.read_holding_registers(self._unit_id, address, count)

    async def write_registers(self, address: int, values: list[int]) -> Never:
        """LinkError: what is only listened to cannot be written."""
        raise _listen_only(self._listener.endpoint)

    async def write_register(self, address: int, value: int) -> Never:
        """LinkError: what is only listened to cannot be written."""
        raise _listen_only(self._listener.endpoint)


def _listen_only(source: Source) -> LinkError:
    """The error of a write to a unit that is only listened to."""
    return LinkError("is only listened to", LinkErrorCode.LISTEN_ONLY, endpoint=source)
