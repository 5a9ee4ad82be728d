"""An inverter that polls a meter on a line, as somebody hears it who only listens: raw bytes in both directions.

The line goes to any number of TCP clients, as a transparent gateway passes it on, and to a pseudo terminal. What the
clients send is counted and goes nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from itertools import cycle
import os
import pty
import random
import struct
import tty
from typing import Any, Final

from .framing import crc16

READ_HOLDING: Final = 3
READ_INPUT: Final = 4
# Seconds from the end of a request to the meter's answer.
TURNAROUND: Final = 0.015
# The longest burst of noise in bytes.
MAX_BURST: Final = 20

# Answers a request of a unit, both without checksum; None is silence. The meters of a simulated plant do.
type Respond = Callable[[int, bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Poll:
    """A read that an inverter sends over and over."""

    address: int
    count: int
    unit: int = 1
    function: int = READ_HOLDING

    @property
    def pdu(self) -> bytes:
        """The request without unit id and checksum."""
        return struct.pack(">BHH", self.function, self.address, self.count)


# What inverters ask their meter for, one after the other (seen on real lines).
POLLS: Final[Mapping[str, tuple[Poll, ...]]] = {
    # Three powers of the primary side.
    "deye_three_phase": (Poll(0x151E, 6),),
    # Four powers of the secondary side.
    "deye_12k": (Poll(0x2012, 8),),
    # Voltage, current and power of a single-phase meter.
    "deye_single_phase": (Poll(0x2000, 6),),
    # The ratio of the current transformers, three powers, and what was imported.
    "sofar": (Poll(0x0006, 1), Poll(0x2014, 6), Poll(0x101E, 12)),
    "foxess": (Poll(0x1510, 64),),
    "foxess_new": (Poll(0x151E, 14), Poll(0x181E, 20)),
    # Nothing but the power of a single-phase meter.
    "foxess_single_phase": (Poll(0x2004, 2),),
    "sigenergy": (Poll(0x151C, 16, unit=10, function=READ_INPUT),),
}


# What an inverter polls of a meter of each family, unless another pattern is wanted.
USUAL: Final[Mapping[str, str]] = {"dtsu666": "deye_12k", "ddsu666": "deye_single_phase"}


def polls_for(unit: int, family: str, pattern: str | None = None) -> tuple[Poll, ...]:
    """The polls of a meter of a family with this unit id; KeyError for an unknown pattern."""
    return tuple(replace(poll, unit=unit) for poll in POLLS[pattern or USUAL[family]])


@dataclass(slots=True, kw_only=True)
class LineTrouble:
    """What is wrong with the line, to be changed while it runs; shares and probabilities from 0 to 1."""

    # Of the bytes, how many arrive as others, and how many not at all.
    corrupted: float = 0.0
    missing: float = 0.0
    # How likely a burst of noise is before a frame.
    noise: float = 0.0
    # The inverter sends no requests; the meter does not answer.
    silent: bool = False
    unanswered: bool = False
    # What a gateway leaves out that passes on one direction only.
    requests_lost: bool = False
    answers_lost: bool = False


@dataclass(slots=True)
class LineStatistics:
    """What went over the line, and what the clients sent, which should be nothing."""

    exchanges: int = 0
    connections: int = 0
    bytes_from_clients: int = 0


def change_line(trouble: LineTrouble, changes: Mapping[str, Any]) -> None:
    """Change what is wrong with a line; ValueError, and nothing is changed, when one change is wrong."""
    for name, value in changes.items():
        old = getattr(trouble, name, None)
        is_share = isinstance(value, (int, float)) and not isinstance(value, bool)
        if old is None or (isinstance(value, bool) if isinstance(old, bool) else is_share) is False:
            raise ValueError(f"no such trouble: {name}={value!r}")
        if is_share and not 0 <= value <= 1:
            raise ValueError(f"not a share: {name}={value!r}")
    for name, value in changes.items():
        setattr(trouble, name, value)


class Talk:
    """The talk itself, exchange by exchange, seeded and repeatable."""

    def __init__(self, respond: Respond, polls: Sequence[Poll], *, seed: int = 1) -> None:
        """`polls` are sent in turn, and `respond` answers; the seed is that of the trouble."""
        self.trouble = LineTrouble()
        self.exchanges = 0
        self._respond = respond
        self._polls: Iterator[Poll] = cycle(polls)
        self._random = random.Random(seed)  # noqa: S311 - trouble need not be secret

    def next(self) -> tuple[bytes, bytes]:
        """The next request and its answer, as they arrive."""
        if self.trouble.silent:
            return b"", b""
        poll = next(self._polls)
        answer = None if self.trouble.unanswered else self._respond(poll.unit, poll.pdu)
        request_bytes = self._spoil(_frame(poll.unit, poll.pdu))
        if self.trouble.requests_lost:
            request_bytes = b""
        if answer is None:
            return request_bytes, b""
        self.exchanges += 1
        answer_bytes = self._spoil(_frame(poll.unit, answer))
        return request_bytes, b"" if self.trouble.answers_lost else answer_bytes

    def _spoil(self, frame: bytes) -> bytes:
        """The bytes that arrive of a frame."""
        trouble, chance = self.trouble, self._random
        if not (trouble.corrupted or trouble.missing or trouble.noise):
            return frame
        arrived = bytearray()
        if chance.random() < trouble.noise:
            arrived += chance.randbytes(chance.randint(1, MAX_BURST))
        for byte in frame:
            if chance.random() < trouble.missing:
                continue
            # Any other value is as likely.
            wrong = chance.random() < trouble.corrupted
            arrived.append((byte + chance.randint(1, 255)) % 256 if wrong else byte)
        return bytes(arrived)


@dataclass
class OverheardLine:
    """A running line with its listeners."""

    talk: Talk
    # Seconds from one request to the next.
    period: float = 0.1
    turnaround: float = TURNAROUND
    statistics: LineStatistics = field(default_factory=LineStatistics)
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _hearing: set[asyncio.Task[None]] = field(default_factory=set)
    _talking: asyncio.Task[None] | None = None
    # Both ends of the pseudo terminal, and what reads our end.
    _terminal: tuple[int, int] | None = None
    _pipe: asyncio.ReadTransport | None = None

    @property
    def port(self) -> int:
        """The port that clients connect to; 0 when there is none."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else 0

    async def start(self, host: str, port: int) -> None:
        """Let clients connect; port 0 takes any free one."""
        self._server = await asyncio.start_server(self._connected, host, port)
        self._begin()

    async def start_serial(self) -> str:
        """Offer a pseudo terminal as well; return the path that a client opens as its serial port."""
        ours, theirs = pty.openpty()
        # Held open until the end: with nobody at the other end, reading would fail.
        self._terminal = (ours, theirs)
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        reader = asyncio.StreamReader()
        self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(ours), "rb", buffering=0)
        )
        self._spawn(self._count(reader))
        self._begin()
        return os.ttyname(theirs)

    async def stop(self) -> None:
        """End the talk and drop all connections."""
        for task in (self._talking, *self._hearing):
            if task is not None:
                task.cancel()
        await asyncio.gather(*filter(None, (self._talking, *self._hearing)), return_exceptions=True)
        self._talking = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._terminal is not None:
            for end in self._terminal:
                os.close(end)
            self._terminal = None
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def drop_connections(self) -> None:
        """Close all connections, as a gateway does that restarts."""
        for writer in tuple(self._writers):
            writer.close()

    def send(self, data: bytes) -> None:
        """Let everybody hear these bytes."""
        if not data:
            return
        for writer in tuple(self._writers):
            writer.write(data)
        if self._terminal is not None:
            # What nobody takes is lost, as on a line.
            with suppress(BlockingIOError):
                os.write(self._terminal[0], data)

    def _begin(self) -> None:
        """Start to talk."""
        if self._talking is None:
            self._talking = asyncio.create_task(self._run())

    async def _run(self) -> None:
        """Ask and answer until the line is stopped."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            request, answer = self.talk.next()
            self.send(request)
            await asyncio.sleep(self.turnaround)
            self.send(answer)
            self.statistics.exchanges = self.talk.exchanges
            due = max(due + self.period, loop.time())
            await asyncio.sleep(due - loop.time())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something until it ends or the line does."""
        task = asyncio.create_task(work)
        self._hearing.add(task)
        task.add_done_callback(self._hearing.discard)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let one more hear."""
        self.statistics.connections += 1
        self._spawn(self._hold(reader, writer))

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep a connection until its client goes."""
        self._writers.add(writer)
        try:
            await self._count(reader)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _count(self, reader: asyncio.StreamReader) -> None:
        """Count what a client sends."""
        with suppress(ConnectionError):
            while data := await reader.read(1024):
                self.statistics.bytes_from_clients += len(data)


def as_dict(line: OverheardLine) -> dict[str, Any]:
    """What is wrong with a line and what it has seen, in plain types for JSON."""
    return {**asdict(line.talk.trouble), **asdict(line.statistics)}


@lru_cache
def _frame(unit: int, pdu: bytes) -> bytes:
    """A frame with its checksum; most of them are sent more than once."""
    body = bytes((unit,)) + pdu
    return body + crc16(body).to_bytes(2, "little")
