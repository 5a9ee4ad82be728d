"""A connection to one or more Modbus units: turns, pauses, timeouts and retries."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from ..errors import (
    LinkDesync,
    LinkErrorCode,
    LinkLost,
    LinkReopened,
    LinkTimeout,
    RejectedError,
)
from .channel import FIRST_PAUSE, MAX_PAUSE, Channel
from .endpoint import (
    Endpoint,
    Framing,
    SerialEndpoint,
    StickEndpoint,
    TcpEndpoint,
    default_timeout,
)
from .events import ConnectionEvents
from .pymodbus_codec import exception_code_of, registers_of
from .request import READ, Request, read_request, write_one_request, write_request
from .statistics import LinkStatistics
from .timeouts import TimeoutEstimator
from .turns import Priority, RequestQueue

__all__ = [
    "FIRST_PAUSE",
    "MAX_PAUSE",
    "Endpoint",
    "Framing",
    "Link",
    "LinkUnit",
    "SerialEndpoint",
    "StickEndpoint",
    "TcpEndpoint",
]

# What may go well when a read is sent again; a connection that cannot be opened has its own pauses.
REPEATABLE: Final = (LinkTimeout, LinkDesync, LinkLost)
# Exceptions after which the same read may succeed: 4 server device failure, 5 acknowledge, 6 server device busy.
TEMPORARY: Final = frozenset({4, 5, 6})


class Link(ConnectionEvents):
    """A connection that is opened when it is needed, and carries one request at a time."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout: float | None = None,
        spacing: float = 0.05,
        read_retries: int = 1,
        frames: int = 50,
    ) -> None:
        """Nothing is opened yet, and no loop is needed.

        `timeout` is how many seconds an answer, or a connection, may take, if not what is usual there; `spacing` how
        many must pass between an answer and the next request. A read is repeated `read_retries` times when that can
        help, a write never. The last `frames` frames are kept for diagnostics.
        """
        super().__init__(frames)
        self.endpoint = endpoint
        self.statistics = LinkStatistics(_now)
        self._timeout = default_timeout(endpoint) if timeout is None else timeout
        self._spacing = spacing
        self._unit_spacings: dict[int, float] = {}
        # How each unit has answered so far.
        self._estimators: defaultdict[int, TimeoutEstimator] = defaultdict(TimeoutEstimator)
        self._read_retries = read_retries
        self._queue = RequestQueue()
        self._channel = Channel(
            endpoint,
            connect_timeout=self._timeout,
            events=self,
            statistics=self.statistics,
            on_late_answer=lambda unit_id: self._estimators[unit_id].late(),
        )

    # ------------------------------------------------------------------ what others may ask of it

    @property
    def connected(self) -> bool:
        """Whether the connection is open."""
        return self._channel.connected

    @property
    def reachable(self) -> bool:
        """Whether the last attempt to open the connection succeeded."""
        return self._channel.reachable

    @property
    def idle(self) -> bool:
        """Whether nobody uses the line at the moment, or waits for it."""
        return self._queue.idle

    def pace(self, unit_id: int, spacing: float) -> None:
        """Leave a unit alone for this many seconds after its answers, if it wants more than the link's own spacing."""
        self._unit_spacings[unit_id] = max(spacing, self._spacing)
        # From now on it shares the line.
        self._estimators.setdefault(unit_id, TimeoutEstimator())

    def unit(self, unit_id: int, spacing: float = 0) -> LinkUnit:
        """One of the units behind it, which is left alone for so many seconds after each answer."""
        return LinkUnit(self, unit_id, spacing)

    async def connect(self) -> None:
        """Open the connection if it is not open; the LinkError says why that failed."""
        async with self._queue.turn(Priority.READ):
            await self._channel.open()

    def keep_trying(self) -> None:
        """Nothing is to be done: the next request opens it."""

    async def close(self) -> None:
        """Close for good; what is waiting, or comes later, gets a LinkError."""
        self._channel.shut_down()
        self._queue.drain()
        async with self._queue.turn(Priority.CLOSING):
            pass
        # The socket itself is closed in the loop's next round.
        await asyncio.sleep(0)

    async def read_holding_registers(
        self,
        unit_id: int,
        address: int,
        count: int,
        *,
        urgent: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - of the answer, not of the wait for the turn
        retries: int | None = None,
        connection: int | None = None,
    ) -> list[int]:
        """`count` words from an address, function code 3; an urgent read waits with the writes.

        `timeout` is how many seconds an answer may take, and `retries` how often the read is repeated, if not what is
        usual on this link. Over another connection than the one that is named nothing is sent.
        """
        request = read_request(unit_id, address, count)
        priority = Priority.WRITE if urgent else Priority.READ
        estimator = self._estimators[unit_id]
        failures = estimator.failures
        usual = timeout is None and retries is None
        if retries is None:
            retries = 0 if estimator.silent else self._read_retries
        while True:
            try:
                frame = await self._request(request, priority, timeout, failures, connection)
                break
            except REPEATABLE as err:
                if not retries or estimator.failures != failures:
                    # A stick reports itself that the device is silent, and has its own reasons to be so.
                    is_stick = isinstance(self.endpoint, StickEndpoint)
                    if usual and not is_stick and estimator.failures == failures:
                        estimator.failed(address, count)
                    raise
                if usual and isinstance(err, LinkTimeout):
                    self._hold_back(unit_id)
            except RejectedError as err:
                if not retries or err.code not in TEMPORARY:
                    raise
            retries -= 1
            self.statistics.retries += 1
        self.statistics.registers_read += count
        estimator.served(address, count)
        return registers_of(frame, self.endpoint.framing)

    async def write_registers(
        self, unit_id: int, address: int, values: Sequence[int], *, connection: int | None = None
    ) -> None:
        """Write consecutive words, function code 16; over no other connection than the one that is named."""
        request = write_request(unit_id, address, values)
        await self._request(request, Priority.WRITE, connection=connection)

    async def write_register(
        self, unit_id: int, address: int, value: int, *, connection: int | None = None
    ) -> None:
        """Write one word, function code 6; over no other connection than the one that is named."""
        request = write_one_request(unit_id, address, value)
        await self._request(request, Priority.WRITE, connection=connection)

    # ------------------------------------------------------------------ how long an answer may take

    def _is_shared(self, unit_id: int) -> bool:
        """Whether others may be waiting for the line while this unit is polled."""
        if len(self._estimators) == 1:
            return False
        now = _now()
        return any(
            other != unit_id and estimator.shares(now)
            for other, estimator in self._estimators.items()
        )

    def _timeout_of(self, request: Request, priority: Priority) -> float:
        """How many seconds the answer to a request may take; timeouts.py says why."""
        if (
            priority is not Priority.READ
            or isinstance(self.endpoint, StickEndpoint)
            or not self._is_shared(request.unit)
            # A gateway may still wait for the unit that was polled last.
            or self._channel.silent_unit not in (None, request.unit)
        ):
            return self._timeout
        return min(self._timeout, self._estimators[request.unit].timeout(request.count))

    def _hold_back(self, unit_id: int) -> None:
        """Let a unit have all the time that it might need, now that the line is left to others."""
        estimator = self._estimators[unit_id]
        if estimator.is_known and self._is_shared(unit_id):
            self._queue.hold_back(unit_id, estimator.requested_at + self._timeout)

    # ------------------------------------------------------------------ one request

    async def _request(
        self,
        request: Request,
        priority: Priority,
        seconds: float | None = None,
        failures: int | None = None,
        connection: int | None = None,
    ) -> bytes:
        """Send a request when it is its turn; the frame that answers it.

        Nothing is sent to a unit that has fallen silent since it had failed so often, and nothing over another
        connection than the one that is named.
        """
        estimator = self._estimators[request.unit]
        await self._queue.acquire(priority, request.unit)
        try:
            self._channel.raise_if_shut_down()
            if priority is Priority.READ and estimator.silent and estimator.failures != failures:
                raise LinkTimeout(
                    f"unit {request.unit} has fallen silent",
                    LinkErrorCode.UNIT_SILENT,
                    endpoint=self.endpoint,
                    unit_id=request.unit,
                )
            if seconds is None:
                seconds = self._timeout_of(request, priority)
            if (probe := self._channel.probe_before(request)) is not None:
                with suppress(RejectedError):
                    await self._exchange(probe, seconds, connection)
                # The probe was sent in the same turn.
                await self._channel.pause(self._queue.cooled_down_at(request.unit) - _now())
            return await self._exchange(request, seconds, connection)
        finally:
            self._queue.release()

    async def _exchange(self, request: Request, seconds: float, connection: int | None) -> bytes:
        """Send a request, its answer within these seconds; RejectedError when it is a Modbus exception."""
        if connection is not None and not (self.connected and connection == self.connection):
            raise LinkReopened("the connection was lost", endpoint=self.endpoint)
        if not self._channel.connected:
            await self._channel.open()
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            frame = await self._channel.exchange(request, seconds, started)
        finally:
            self._record(request, started, clock())
        if (code := exception_code_of(frame, self.endpoint.framing)) is not None:
            self.statistics.exceptions[code] += 1
            refusal = RejectedError(code, f"unit {request.unit}, register {request.address}")
            refusal.sent = True
            if refusal.is_silence:
                self._estimators[request.unit].silent = True
            raise refusal
        return frame

    def _record(self, request: Request, started: float, ended: float) -> None:
        """Count an exchange, and let line and unit cool down."""
        answered = self._channel.was_answered
        unit_spacing = self._unit_spacings.get(request.unit, self._spacing)
        self._queue.cool_down(ended + self._spacing, request.unit, ended + unit_spacing)
        self.statistics.record(request.unit, started, ended, answered=answered)
        estimator = self._estimators[request.unit]
        estimator.requested_at = started
        if answered:
            estimator.heard(ended)
            if request.function == READ:
                estimator.measured(request.count, ended - started)


class LinkUnit:
    """A unit that is reached through a link of our own."""

    def __init__(
        self,
        link: Link,
        unit_id: int,
        spacing: float = 0,
        *,
        timeout: float | None = None,
        retries: int | None = None,
        connection: int | None = None,
    ) -> None:
        """The link may carry other units too; the unit is left alone for `spacing` seconds after each answer.

        `timeout` is how many seconds the answer to a read may take, and `retries` how often a read is repeated, if
        not what is usual on the link; `connection` the only one that is used, if that matters.
        """
        link.pace(unit_id, spacing)
        self._link = link
        self._unit_id = unit_id
        self._spacing = spacing
        self._timeout = timeout
        self._retries = retries
        self._connection = connection

    @property
    def connection(self) -> int:
        """The number of the connection that is open; 0 while none is."""
        return self._link.connection

    def over(self, connection: int) -> LinkUnit:
        """The same unit over this connection alone."""
        return LinkUnit(
            self._link,
            self._unit_id,
            self._spacing,
            timeout=self._timeout,
            retries=self._retries,
            connection=connection,
        )

    @property
    def idle(self) -> bool:
        """Whether nobody else uses the line at the moment, or waits for it."""
        return self._link.idle

    def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False, once: bool = False
    ) -> Coroutine[Any, Any, list[int]]:
        """`count` words, function code 3.

        An urgent read goes where writes go, before waiting reads. One that is sent `once` is not repeated if it fails.
        """
        return self._link.read_holding_registers(
            self._unit_id,
            address,
            count,
            urgent=urgent,
            timeout=self._timeout,
            retries=0 if once else self._retries,
            connection=self._connection,
        )

    async def write_registers(self, address: int, values: list[int]) -> None:
        """Write consecutive words in one request, function code 16."""
        await self._link.write_registers(
            self._unit_id, address, values, connection=self._connection
        )

    async def write_register(self, address: int, value: int) -> None:
        """Write one word, function code 6."""
        await self._link.write_register(self._unit_id, address, value, connection=self._connection)


def _now() -> float:
    """The time of the event loop, in seconds."""
    return asyncio.get_running_loop().time()
