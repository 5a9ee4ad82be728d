"""One connection to one or more Modbus units: turns, pacing, retries, reconnects, and never somebody else's answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import chain
from typing import Final

from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from .answer import READ, STRAY_BYTES, Expected, Reception
from .endpoint import (
    Client,
    Endpoint,
    Framing,
    SerialEndpoint,
    StickEndpoint,
    TcpEndpoint,
    open_client,
    patience,
)
from .errors import (
    LinkDesync,
    LinkError,
    LinkLost,
    LinkTimeout,
    RejectedError,
    StickError,
    StickSerialError,
)
from .line import Line, Priority
from .observed import Observed
from .pymodbus_log import install_filter, quiet
from .solarman import WRONG_SERIAL, Dropped, Envelope, Unwrapped
from .standing import Standing
from .statistics import LinkStatistics
from .unit import LinkUnit

__all__ = ["Endpoint", "Framing", "Link", "SerialEndpoint", "StickEndpoint", "TcpEndpoint"]

# Modbus application protocol sections 6.3 and 6.12.
MOST_READ: Final = 125
MOST_WRITTEN: Final = 123
# Unit ids that address one unit; 0 is a broadcast.
UNITS: Final = range(1, 248)
WORDS: Final = range(0x10000)

# What may go well when a read is sent again; a connection that cannot be opened has its own pauses.
REPEATABLE: Final = (LinkTimeout, LinkDesync, LinkLost)
# Exceptions after which the same read may succeed: 5 acknowledge, 6 server device busy.
PASSING: Final = frozenset({5, 6})

# Seconds between failed attempts to connect: the first, doubled up to the last.
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 5.0

# A connection over which another unit has answered survives a silent one, which costs two timeouts; one more without an
# answer from anybody, and it is dead itself.
SILENCES: Final = 3
# How many lost answers of a unit are remembered.
LOST: Final = 8
# Bytes that nobody asked for, after which the other side is thought to babble.
BABBLE: Final = 512
# pymodbus empties its receive buffer before it adds to one that is longer than this.
MOST_BUFFERED: Final = 1024


def _now() -> float:
    """Return the time of the event loop, in seconds."""
    return asyncio.get_running_loop().time()


class Link(Observed):
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
        """Take where it leads, and how it is used.

        `timeout` is how many seconds an answer, or a connection, may take, if not what is usual there; `spacing` how
        many must pass between an answer and the next request. A read is repeated `read_retries` times when that can help, a write never.
        The last `frames` frames are kept for diagnostics.
        """
        super().__init__(frames)
        install_filter()
        self.endpoint = endpoint
        self.statistics = LinkStatistics(_now)
        self._timeout = patience(endpoint) if timeout is None else timeout
        self._spacing = spacing
        self._spacings: dict[int, float] = {}
        self._standings: dict[int, Standing] = {}
        self._read_retries = read_retries
        self._line = Line()
        self._closed = False
        # The scope of the one who has the turn; closing ends it.
        self._scope: asyncio.Timeout | None = None
        self._client: Client | None = None
        self._pause = 0.0
        self._open_again_at = 0.0
        # Whether the connection could be opened when that was last tried.
        self.reachable = False
        # Which units have answered over this connection.
        self._witnesses: set[int] = set()
        self._reception = Reception(endpoint.framing, ())
        # How much of pymodbus' receive buffer was seen before.
        self._seen = 0
        self._transaction = 0
        # What is around every frame of a stick; nothing that is known of Modbus here looks at it.
        self._envelope: Envelope | None = None
        if isinstance(endpoint, StickEndpoint):
            self._envelope = Envelope(endpoint.logger_serial)
            self.statistics.dropped = self._envelope.dropped
        self._silences = 0
        # The requests of each unit whose answers never came.
        self._lost: dict[int, deque[Expected]] = {}

    # ------------------------------------------------------------------ what it is doing

    @property
    def connected(self) -> bool:
        """Whether the connection is open."""
        return self._client is not None

    # ------------------------------------------------------------------ what it is asked for

    def pace(self, unit_id: int, spacing: float) -> None:
        """Leave a unit alone for this many seconds after its answers, if it wants more than the link's own spacing."""
        self._spacings[unit_id] = max(spacing, self._spacing)
        self._standing(unit_id)

    def unit(self, unit_id: int, spacing: float = 0) -> LinkUnit:
        """Return one of the units behind it, which rests for so many seconds after each answer."""
        return LinkUnit(self, unit_id, spacing)

    async def connect(self) -> None:
        """Open the connection if it is not open; the LinkError says why that failed."""
        async with self._turn(Priority.READ):
            await self._open()

    async def close(self) -> None:
        """Close for good; what is waiting, or asks later, gets a LinkError."""
        if not self._closed:
            self._closed = True
            if self._scope is not None:
                self._scope.reschedule(0)
            self._line.hurry()
        try:
            async with self._line.turn(Priority.CLOSING):
                pass
        finally:
            self._drop()
        # The socket itself is closed in the loop's next round.
        await asyncio.sleep(0)

    async def read_holding_registers(
        self,
        unit_id: int,
        address: int,
        count: int,
        *,
        urgent: bool = False,
        patience: float | None = None,
        retries: int | None = None,
    ) -> list[int]:
        """Return `count` words from an address, function code 3; an urgent read waits with the writes.

        `patience` is how many seconds an answer may take, and `retries` how often the read is repeated, if not what is
        usual on this link.
        """
        _check(unit_id, address, count, MOST_READ)
        request = ReadHoldingRegistersRequest(address=address, count=count, dev_id=unit_id)
        priority = Priority.WRITE if urgent else Priority.READ
        standing = self._standing(unit_id)
        failures = standing.failures
        usual = patience is None and retries is None
        if retries is None:
            retries = 0 if standing.silent else self._read_retries
        try:
            for _ in range(retries):
                try:
                    return await self._read(request, priority, patience, failures)
                except REPEATABLE as err:
                    if standing.failures != failures:
                        raise
                    if usual and isinstance(err, LinkTimeout):
                        self._spare(unit_id)
                except RejectedError as err:
                    if err.code not in PASSING:
                        raise
                self.statistics.retries += 1
            return await self._read(request, priority, patience, failures)
        except REPEATABLE:
            # A stick says itself when the machine is silent, and has its own reasons to be so.
            if usual and self._envelope is None and standing.failures == failures:
                standing.failed(address, count)
            raise

    async def write_registers(self, unit_id: int, address: int, values: Sequence[int]) -> None:
        """Write consecutive words, function code 16."""
        _check(unit_id, address, len(values), MOST_WRITTEN, values)
        await self._request(
            WriteMultipleRegistersRequest(address=address, registers=list(values), dev_id=unit_id),
            Priority.WRITE,
        )

    async def write_register(self, unit_id: int, address: int, value: int) -> None:
        """Write one word, function code 6."""
        _check(unit_id, address, 1, 1, [value])
        await self._request(
            WriteSingleRegisterRequest(address=address, registers=[value], dev_id=unit_id),
            Priority.WRITE,
        )

    # ------------------------------------------------------------------ one request

    def _standing(self, unit_id: int) -> Standing:
        """Return how a unit has answered so far."""
        if (standing := self._standings.get(unit_id)) is None:
            standing = self._standings[unit_id] = Standing()
        return standing

    def _shares(self, unit_id: int) -> bool:
        """Whether others may be waiting for the line while this unit is asked."""
        now = _now()
        return any(
            other != unit_id and standing.shares(now) for other, standing in self._standings.items()
        )

    def _patience(self, request: ModbusPDU, priority: Priority) -> float:
        """Return how many seconds the answer to a request may take; standing.py says why."""
        if (
            priority is not Priority.READ
            or self._envelope is not None
            or not self._shares(request.dev_id)
            # A gateway may still wait for the unit that was asked last.
            or (self._silences and self._reception.expected.unit != request.dev_id)
        ):
            return self._timeout
        return min(self._timeout, self._standing(request.dev_id).patience(request.count))

    def _spare(self, unit_id: int) -> None:
        """Let a unit have all the time that it might need, now that the line is left to others."""
        standing = self._standing(unit_id)
        if standing.is_known and self._shares(unit_id):
            self._line.spare(unit_id, standing.asked_at + self._timeout)

    @asynccontextmanager
    async def _turn(self, priority: Priority, unit_id: int = 0) -> AsyncIterator[None]:
        """Have the link for oneself, until it is closed."""
        async with self._line.turn(priority, unit_id):
            if self._closed:
                raise LinkError(f"{self.endpoint}: the link is closed")
            try:
                async with asyncio.timeout(None) as self._scope:
                    yield
            except TimeoutError as err:
                raise LinkError(f"{self.endpoint}: the link was closed") from err
            finally:
                self._scope = None

    async def _read(
        self, request: ModbusPDU, priority: Priority, patience: float | None, failures: int
    ) -> list[int]:
        """Return the words that one attempt brings."""
        response = await self._request(request, priority, patience, failures)
        self.statistics.registers_read += request.count
        self._standing(request.dev_id).served(request.address, request.count)
        return response.registers

    async def _request(
        self,
        request: ModbusPDU,
        priority: Priority,
        patience: float | None = None,
        failures: int | None = None,
    ) -> ModbusPDU:
        """Send a request when it is its turn, and return its answer.

        Nothing is sent to a unit that has fallen silent since it had failed so often.
        """
        standing = self._standing(request.dev_id)
        async with self._turn(priority, request.dev_id):
            if priority is Priority.READ and standing.silent and standing.failures != failures:
                raise LinkTimeout(f"{self.endpoint}: unit {request.dev_id} has fallen silent")
            seconds = self._patience(request, priority) if patience is None else patience
            if not self.endpoint.numbered:
                await self._resynchronise(request, seconds)
            return await self._exchange(request, seconds)

    async def _resynchronise(self, request: ModbusPDU, seconds: float) -> None:
        """Make sure that no answer is still on its way that could be taken for the one to this request.

        An RTU frame does not say which request it answers, and a gateway passes a late one on even to a new
        connection. So read a number of registers that neither a lost request nor this one asked for: its answer
        is known by its size, and whatever was late came before it. They are read where this request goes, as some
        machines never answer where the lost one went.
        """
        if self._reception.surplus > STRAY_BYTES:
            # What came unasked may be the true answer to the last request, which then got another one's.
            if self._reception.was_sent:
                self._lose(self._reception.expected)
            self._drop()
        if (lost := self._lost.get(request.dev_id)) is None:
            return
        last = lost[-1]
        taken = {other.count for other in lost if other.function == READ} | {request.count}
        # The answer to a write looks like no read's, so any count will do.
        size = last.count if last.function == READ else 0
        count = next(
            count
            for count in chain(range(size - 1, 0, -1), range(size + 1, MOST_READ + 1))
            if count not in taken
        )
        probe = ReadHoldingRegistersRequest(
            address=request.address, count=count, dev_id=request.dev_id
        )
        with suppress(RejectedError):
            await self._exchange(probe, seconds)

    async def _exchange(self, request: ModbusPDU, seconds: float) -> ModbusPDU:
        """Send a request and return its answer, within these seconds; RejectedError when it is a Modbus exception."""
        # Behind another exchange in the same turn.
        if (pause := self._line.rested_at(request.dev_id) - _now()) > 0:
            await asyncio.sleep(pause)
        client = await self._open()
        # pymodbus keeps the time for a client, not for a request; it looks up how long when it has sent one.
        client.ctx.comm_params.timeout_connect = seconds
        reception = self._reception = Reception(
            self.endpoint.framing, chain.from_iterable(self._lost.values())
        )
        started = _now()
        try:
            with quiet():
                response: ModbusPDU = await client.execute(False, request)
        except ModbusException as err:
            # pymodbus before 3.16 dresses up a cancellation as one of its own errors.
            if isinstance(err.__cause__, asyncio.CancelledError):
                raise asyncio.CancelledError from err
            self.statistics.timeouts += 1
            raise LinkTimeout(
                f"{self.endpoint}: no answer from unit {request.dev_id} within {seconds:g} s"
            ) from err
        finally:
            self._transaction = request.transaction_id
            self._account(request, reception, started)
        self._conclude(reception.expected, refused=response.isError())
        if response.isError():
            self.statistics.exceptions[response.exception_code] += 1
            refusal = RejectedError(
                response.exception_code, f"unit {request.dev_id}, register {request.address}"
            )
            if refusal.is_silence:
                self._standing(request.dev_id).silent = True
            raise refusal
        return response

    def _account(self, request: ModbusPDU, reception: Reception, started: float) -> None:
        """Book an exchange that ended, and drop a connection that cannot be trusted after it."""
        ended = _now()
        unit_id = request.dev_id
        reception.waiting = False
        if self._envelope is not None:
            self._envelope.give_up()
        rest = ended + self._spacing
        self._line.rest(rest, unit_id, ended + self._spacings.get(unit_id, self._spacing))
        self.statistics.record(unit_id, started, ended, answered=reception.answered)
        self._note_late(reception)
        standing = self._standing(unit_id)
        standing.asked_at = started
        if reception.answered:
            standing.heard(ended)
            if reception.expected.function == READ:
                standing.measured(request.count, ended - started)
            self._silences = 0
            self._witnesses.add(unit_id)
            return
        self._lose(reception.expected)
        self._silences = 0 if reception.heard else self._silences + 1
        # What has just carried another unit's answers is not dead because this one is silent.
        endured = SILENCES if self._witnesses - {unit_id} else self.endpoint.endures
        torn = reception.pending if self.endpoint.numbered else not reception.clean
        if torn or self._silences >= endured:
            self._drop()

    def _note_late(self, reception: Reception) -> None:
        """Book the late answers that were thrown away."""
        self.statistics.late_answers += len(reception.late)
        for request in reception.late:
            self._standing(request.unit).late()
        reception.late.clear()

    def _conclude(self, answered: Expected, *, refused: bool) -> None:
        """Draw the conclusion from an RTU answer about answers of the same unit that are missing.

        A unit answers in order, so nothing is late behind an answer that is certainly ours. An exception may have
        been the late one, and then ours is still to come.
        """
        if self.endpoint.numbered or answered.unit not in self._lost:
            return
        if refused:
            self._lose(answered)
        else:
            del self._lost[answered.unit]

    def _lose(self, expected: Expected) -> None:
        """Remember an answer that may still come."""
        self._lost.setdefault(expected.unit, deque(maxlen=LOST)).append(expected)

    # ------------------------------------------------------------------ the connection

    async def _open(self) -> Client:
        """Return the open connection; open it, after the pause that a failed attempt imposes, if there is none."""
        if self._client is not None:
            return self._client
        if (pause := self._open_again_at - _now()) > 0:
            await asyncio.sleep(pause)
        try:
            with quiet():
                client = await open_client(
                    self.endpoint,
                    timeout=self._timeout,
                    on_packet=self._on_packet,
                    on_connect=self._on_connect,
                )
        except LinkError:
            self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
            self._open_again_at = _now() + self._pause
            if self.reachable:
                self.reachable = False
                self._tell(connected=False)
            raise
        self._pause = 0.0
        self.reachable = True
        # pymodbus counts transactions per connection; a late answer to the last connection must not fit into this one.
        client.ctx.next_tid = self._transaction
        self._client = client
        self._seen = self._silences = 0
        self._witnesses.clear()
        if self._envelope is not None:
            self._envelope.restart()
        self.statistics.connects += 1
        self._tell(connected=True)
        return client

    def _drop(self) -> None:
        """Close the connection; the next request opens another one."""
        if (client := self._client) is None:
            return
        self._client = None
        client.close()
        self._tell(connected=False)

    def _on_connect(self, connected: bool) -> None:
        """Take note, from pymodbus, that the connection was made or lost; we close it without being told."""
        if not connected:
            self.statistics.connection_losses += 1
            self._abort(LinkLost(f"{self.endpoint}: the connection was lost"))

    def _abort(self, error: LinkError) -> None:
        """Close the connection, and fail the request on its way instead of letting it wait out its time."""
        self._fail(error)
        self._drop()

    def _fail(self, error: LinkError) -> None:
        """Fail the request on its way, if there is one that is not over in this very moment."""
        if self._client is not None and self._reception.waiting:
            future = self._client.ctx.response_future
            if not future.done():
                future.set_exception(error)

    def _on_packet(self, sending: bool, data: bytes) -> bytes:
        """Look at what goes over the link, and return what pymodbus may have of it.

        Of what is received, `data` is everything since the last request that pymodbus has not used yet.
        """
        if sending:
            self._seen = 0
            self._reception.sent(data)
            wire = data if self._envelope is None else self._envelope.wrap(data)
            self._keep(wire, _now(), sent=True)
            self.statistics.bytes_sent += len(wire)
            return wire
        if self._seen > MOST_BUFFERED:
            self._seen = 0
        fresh = data[self._seen :]
        self._keep(fresh, _now(), sent=False)
        self.statistics.bytes_received += len(fresh)
        if self._envelope is None:
            answer = self._take(data, fresh)
        else:
            answer = self._take_from(self._envelope, fresh)
        self._seen = len(data) - len(answer)
        return answer

    def _take(self, data: bytes, fresh: bytes) -> bytes:
        """Return the answer in everything received since the request, the fresh bytes being the last of it."""
        if not self._reception.waiting:
            self._reception.overhear(fresh)
            self._note_late(self._reception)
            if self._reception.surplus > BABBLE:
                self._drop()
            return b""
        try:
            return self._reception.take(data)
        except LinkDesync as err:
            self.statistics.desyncs += 1
            self._abort(err)
            return b""

    def _take_from(self, envelope: Envelope, fresh: bytes) -> bytes:
        """Return the answer in the envelopes that these bytes complete; fail the request when the stick refuses it."""
        late = envelope.dropped[Dropped.LATE]
        answer = b""
        # There is one at most: behind the answer to a request everything with its number is a duplicate.
        for unwrapped in envelope.unwrap(fresh):
            answer = self._take_whole(unwrapped)
        self.statistics.late_answers += envelope.dropped[Dropped.LATE] - late
        if envelope.noise > BABBLE:
            self.statistics.desyncs += self._reception.waiting
            self._abort(LinkDesync(f"{self.endpoint}: {envelope.noise} bytes are no frames"))
        return answer

    def _take_whole(self, unwrapped: Unwrapped) -> bytes:
        """Return the frame that answers the request; fail the request when it is another one, or an error."""
        self._reception.heard = True
        if (code := unwrapped.error) is None:
            try:
                return self._reception.take_whole(unwrapped.frame)
            except LinkDesync as err:
                self.statistics.desyncs += 1
                self._fail(err)
                return b""
        self.statistics.stick_errors[code] += 1
        self._fail(
            StickSerialError(unwrapped.logger_serial, f"{self.endpoint}")
            if code == WRONG_SERIAL
            else StickError(code, f"{self.endpoint}")
        )
        return b""


def _check(unit_id: int, address: int, count: int, most: int, values: Sequence[int] = ()) -> None:
    """Raise ValueError for a request that cannot be sent."""
    if unit_id not in UNITS:
        raise ValueError(f"unit id {unit_id} is not 1 to 247")
    if not 1 <= count <= most:
        raise ValueError(f"{count} registers are not 1 to {most}")
    if address not in WORDS or address + count - 1 not in WORDS:
        raise ValueError(f"registers {address} to {address + count - 1} do not exist")
    if not all(value in WORDS for value in values):
        raise ValueError(f"{list(values)} are not words")
