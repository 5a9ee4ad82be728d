"""The connection of a link: opened when it is needed, closed when it cannot be trusted, one request at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import logging
from typing import Final

from ..errors import (
    LinkDesync,
    LinkError,
    LinkErrorCode,
    LinkTimeout,
    StickError,
    StickSerialError,
)
from .byte_stream import ByteStream, StreamReceiver, open_stream
from .connect_error import WEB_PAGE, connection_loss, web_page
from .endpoint import Endpoint, Framing, StickEndpoint
from .events import ConnectionEvents
from .pymodbus_codec import check_pymodbus, encode
from .reception import NOTHING, STRAY_BYTES, TCP_START, Expected, ResponseMatcher
from .request import READ, Request
from .resync import MissingAnswers
from .solarman import WRONG_SERIAL, Dropped, Envelope, Unwrapped
from .statistics import LinkStatistics

_LOGGER = logging.getLogger(__name__)

# Seconds between failed attempts to connect: the first, doubled up to the last.
FIRST_PAUSE: Final = 0.25
MAX_PAUSE: Final = 2.0

# A connection over which another unit has answered survives a silent one, which costs two timeouts; one more without an
# answer from anybody, and it is dead itself.
MAX_SILENT_REQUESTS: Final = 3
# Unsolicited bytes after which the other side is thought to babble.
MAX_UNSOLICITED: Final = 512
# The last transaction id before they begin again; 0 is what some gateways answer everything with.
MAX_TRANSACTION: Final = 65000
# To how many of the last requests over Modbus TCP an answer is passed over that nobody waits for.
HISTORY_SIZE: Final = 256


class Channel:
    """Sends requests over one connection, and never takes another request's answer for theirs."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        connect_timeout: float,
        events: ConnectionEvents,
        statistics: LinkStatistics,
        on_late_answer: Callable[[int], None],
    ) -> None:
        """`on_late_answer` is called with the unit whose answer came after it was given up."""
        self._endpoint = endpoint
        # What is asked with every request is kept.
        self._has_transaction_id = endpoint.has_transaction_id
        self._framing = endpoint.framing
        self._connect_timeout = connect_timeout
        self._events = events
        self._statistics = statistics
        self._on_late_answer = on_late_answer
        self._stream: ByteStream | None = None
        # Whether it is closed for good, and the pause or the attempt to connect that this ends.
        self._shut_down = False
        self._scope: asyncio.Timeout | None = None
        # What the connection that is open, or just being opened, passes its bytes to.
        self._receiver: StreamReceiver | None = None
        # Whether the connection could be opened when that was last tried.
        self.reachable = False
        self._pause = 0.0
        self._open_again_at = 0.0
        # Counted over all connections: a late answer to the last one's request must not fit into this one.
        self._transaction = 0
        self._matcher = ResponseMatcher(endpoint.framing)
        self._missing = MissingAnswers()
        # What the last requests over Modbus TCP began with, but for the one in flight.
        self._earlier: deque[bytes] = deque(maxlen=HISTORY_SIZE)
        # Whether the adapter has sent the last read back before its answer.
        self._echoes = False
        self._answer: asyncio.Future[bytes] | None = None
        # The units that have answered over this connection, and how many requests in a row nobody has reacted to.
        self._answering_units: set[int] = set()
        self._silent_requests = 0
        # What is around every frame of a stick.
        self._envelope: Envelope | None = None
        if isinstance(endpoint, StickEndpoint):
            self._envelope = Envelope(endpoint.logger_serial)
            statistics.dropped = self._envelope.dropped

    @property
    def connected(self) -> bool:
        """Whether the connection is open."""
        return self._stream is not None

    @property
    def silent_unit(self) -> int | None:
        """The unit that has not answered the last request; a gateway may still wait for it."""
        return self._matcher.expected.unit if self._silent_requests else None

    @property
    def was_answered(self) -> bool:
        """Whether the last request got its answer, be it a Modbus exception."""
        return self._matcher.answered

    # ------------------------------------------------------------------ opening and closing

    async def open(self) -> ByteStream:
        """The open connection; opened, after the pause that a failed attempt imposes, if there is none."""
        if self._stream is not None:
            return self._stream
        if (pause := self._open_again_at - _now()) > 0:
            await self.pause(pause)
        receiver = self._receiver = StreamReceiver(
            lambda data: self._received(receiver, data), lambda: self._lost(receiver)
        )
        async with self._until_shut_down():
            stream = await self._connect(receiver)
        if self._shut_down:
            # In the very moment in which it was opened.
            stream.close()
            raise self._shut_down_error()
        self._stream = stream
        self._pause = 0.0
        self.reachable = True
        self._silent_requests = 0
        self._answering_units.clear()
        if self._envelope is not None:
            self._envelope.restart()
        self._statistics.connects += 1
        self._events.notify(connected=True)
        if stream.is_closing():
            self._lost(receiver)
            raise connection_loss(self._endpoint, answered=False)
        return stream

    async def _connect(self, receiver: StreamReceiver) -> ByteStream:
        """A new connection; when that fails, a longer pause comes before the next attempt."""
        try:
            check_pymodbus()
            return await open_stream(self._endpoint, receiver, self._connect_timeout)
        except LinkError:
            self._pause = min(max(2 * self._pause, FIRST_PAUSE), MAX_PAUSE)
            self._open_again_at = _now() + self._pause
            if self.reachable:
                self.reachable = False
                self._events.notify(connected=False)
            raise

    async def pause(self, seconds: float) -> None:
        """Wait, unless the channel is shut down."""
        async with self._until_shut_down():
            await asyncio.sleep(seconds)

    @asynccontextmanager
    async def _until_shut_down(self) -> AsyncIterator[None]:
        """A block that ends with a LinkError when the channel is, or has been, shut down."""
        self.raise_if_shut_down()
        try:
            async with asyncio.timeout(None) as self._scope:
                yield
        except TimeoutError as err:
            raise self._shut_down_error() from err
        finally:
            self._scope = None

    def shut_down(self) -> None:
        """Close the connection for good; what is in flight fails at once, and so does what comes later."""
        if self._shut_down:
            return
        self._shut_down = True
        if self._scope is not None:
            self._scope.reschedule(0)
        self._abort(self._shut_down_error())

    def raise_if_shut_down(self) -> None:
        """LinkError when the channel was shut down."""
        if self._shut_down:
            raise self._shut_down_error()

    def _shut_down_error(self) -> LinkError:
        """What whoever uses a closed link gets."""
        return LinkError("the link was closed", LinkErrorCode.CLOSED, endpoint=self._endpoint)

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if (stream := self._stream) is None:
            return
        self._stream = self._receiver = None
        stream.close()
        self._events.notify(connected=False)

    def _lost(self, receiver: StreamReceiver) -> None:
        """Take note that the other side has closed the connection, unless we have done so before."""
        if self._stream is None or receiver is not self._receiver:
            return
        self._statistics.connection_losses += 1
        self._abort(connection_loss(self._endpoint, answered=bool(self._answering_units)))

    def _abort(self, error: LinkError) -> None:
        """Close the connection, and fail the request in flight instead of letting it wait for its timeout."""
        self._fail(error)
        self.close()

    def _fail(self, error: LinkError) -> None:
        """Fail the request in flight, if its answer has not come in this very moment."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # ------------------------------------------------------------------ one request

    def probe_before(self, request: Request) -> Request | None:
        """What to read first, so that no late answer is taken for the one to this request; None when none can come.

        A connection over which unsolicited bytes came is closed: they may be the true answer to the last request,
        which then got another one's.
        """
        if self._has_transaction_id:
            return None
        if self._matcher.unsolicited_bytes > STRAY_BYTES:
            if self._matcher.expected is not NOTHING:
                self._missing.add(self._matcher.expected)
            self.close()
        return self._missing.probe_before(request)

    async def exchange(self, request: Request, seconds: float, now: float) -> bytes:
        """The frame that answers a request; LinkTimeout after so many seconds, other LinkErrors at once.

        `now` is the time of the event loop.
        """
        stream = self._stream
        if stream is None:
            stream = await self.open()
        framing = self._framing
        self._transaction = self._transaction % MAX_TRANSACTION + 1
        frame = encode(request, framing, self._transaction)
        expected = Expected.of(frame, framing)
        self._matcher = ResponseMatcher(
            framing, expected, self._missing, earlier=self._earlier, echoes=self._echoes
        )
        loop = asyncio.get_running_loop()
        answer = self._answer = loop.create_future()
        timer = loop.call_at(now + seconds, self._time_out, request.unit, seconds)
        self._send(stream, frame, now)
        try:
            response: bytes = await answer
        except LinkError as err:
            err.sent = True
            raise
        finally:
            timer.cancel()
            self._answer = None
            if answer.done() and not answer.cancelled():
                # Whoever is cancelled in this very moment does not fetch the error, and asyncio would log that.
                answer.exception()
            self._conclude(request.unit)
        if not self._has_transaction_id:
            self._missing.settle(expected, refused=response[1] != request.function)
        return response

    def _time_out(self, unit: int, seconds: float) -> None:
        """Give up waiting for the answer."""
        if self._answer is not None and not self._answer.done():
            self._statistics.timeouts += 1
            self._answer.set_exception(
                LinkTimeout(
                    f"no answer from unit {unit} within {seconds:g} s",
                    endpoint=self._endpoint,
                    unit_id=unit,
                    seconds=f"{seconds:g}",
                )
            )

    def _conclude(self, unit: int) -> None:
        """End an exchange, and close a connection that cannot be trusted after it."""
        matcher = self._matcher
        matcher.waiting = False
        if self._envelope is not None:
            self._envelope.give_up()
        self._count_late_answers()
        if self._framing is Framing.TCP:
            self._earlier.append(matcher.expected.sent[:TCP_START])
        self._statistics.echoes += matcher.echoed
        if matcher.answered:
            if matcher.expected.function == READ:
                self._echoes = matcher.echoed
            self._silent_requests = 0
            self._answering_units.add(unit)
            return
        self._missing.add(matcher.expected)
        self._silent_requests = 0 if matcher.got_reaction else self._silent_requests + 1
        # What has just carried another unit's answers is not dead because this one is silent.
        tolerated = (
            MAX_SILENT_REQUESTS
            if self._answering_units - {unit}
            else self._endpoint.max_silent_requests
        )
        torn = matcher.is_mid_frame if self._has_transaction_id else not matcher.is_clean
        if torn or self._silent_requests >= tolerated:
            self.close()

    def _count_late_answers(self) -> None:
        """Count the answers to earlier requests that were thrown away."""
        self._statistics.stale_answers += self._matcher.stale
        self._matcher.stale = 0
        late = self._matcher.late
        if late:
            self._statistics.late_answers += len(late)
            for expected in late:
                self._on_late_answer(expected.unit)
            late.clear()

    # ------------------------------------------------------------------ bytes

    def _send(self, stream: ByteStream, frame: bytes, now: float) -> None:
        """Send a frame, in the envelope that a stick wants."""
        data = frame if self._envelope is None else self._envelope.wrap(frame)
        self._events.record_frame(data, now, sent=True)
        self._statistics.bytes_sent += len(data)
        if _LOGGER.isEnabledFor(logging.DEBUG):
            _LOGGER.debug("%s: sent %s", self._endpoint, data.hex(" "))
        stream.write(data)

    def _received(self, receiver: StreamReceiver, data: bytes) -> None:
        """Take what was received over the connection."""
        if receiver is not self._receiver:
            return
        self._events.record_frame(data, _now(), sent=False)
        self._statistics.bytes_received += len(data)
        if _LOGGER.isEnabledFor(logging.DEBUG):
            _LOGGER.debug("%s: received %s", self._endpoint, data.hex(" "))
        if data.startswith(WEB_PAGE) and not (self._envelope or self._matcher).is_mid_frame:
            self._abort(web_page(self._endpoint))
        elif self._envelope is not None:
            self._match_envelopes(self._envelope, data)
        elif self._matcher.waiting:
            self._match(data)
        else:
            self._matcher.receive_unsolicited(data)
            self._count_late_answers()
            if self._matcher.unsolicited_bytes > MAX_UNSOLICITED:
                self.close()

    def _match(self, data: bytes) -> None:
        """Look for the answer in bytes that may come in pieces."""
        try:
            frame = self._matcher.receive(data)
        except LinkDesync as err:
            self._statistics.desyncs += 1
            self._abort(err)
            return
        if frame is not None:
            self._succeed(frame)

    def _match_envelopes(self, envelope: Envelope, data: bytes) -> None:
        """Look for the answer in the envelopes that these bytes complete."""
        late = envelope.dropped[Dropped.LATE]
        # There is one at most: behind the answer to a request everything with its number is a duplicate.
        for unwrapped in envelope.unwrap(data):
            self._match_unwrapped(unwrapped)
        self._statistics.late_answers += envelope.dropped[Dropped.LATE] - late
        if envelope.noise > MAX_UNSOLICITED:
            self._statistics.desyncs += self._matcher.waiting
            self._abort(
                LinkDesync(f"{envelope.noise} bytes are no frames", endpoint=self._endpoint)
            )

    def _match_unwrapped(self, unwrapped: Unwrapped) -> None:
        """Take what the stick says to the request in flight: the answer, another one, or an error of its own."""
        self._matcher.got_reaction = True
        if (code := unwrapped.error) is None:
            try:
                self._succeed(self._matcher.receive_whole(unwrapped.frame))
            except LinkDesync as err:
                self._statistics.desyncs += 1
                self._fail(err)
            return
        self._statistics.stick_errors[code] += 1
        self._fail(
            StickSerialError(unwrapped.logger_serial, self._endpoint)
            if code == WRONG_SERIAL
            else StickError(code, self._endpoint)
        )

    def _succeed(self, frame: bytes) -> None:
        """Hand over the answer, unless its request was given up in this very moment."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(frame)


def _now() -> float:
    """The time of the event loop, in seconds."""
    return asyncio.get_running_loop().time()
