"""A Modbus server on a socket or a pseudo terminal that misbehaves on command.

It knows nothing of pymodbus: frames are put together here, byte by byte. A register that was never written holds
257 * unit + 31 * address (modulo 65536), so that a value tells which unit and which register it came from.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
import os
import pty

from custom_components.hybrid_inverter.modbus.transport.link import (
    Endpoint,
    Framing,
    StickEndpoint,
    TcpEndpoint,
)

from .stick_frames import answer_of, opened


def word(unit: int, address: int) -> int:
    """Return what a register holds before it is written."""
    return (257 * unit + 31 * address) % 0x10000


def crc16(data: bytes) -> bytes:
    """Return the checksum of an RTU frame, low byte first (Modbus over serial line, 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


@dataclass(frozen=True)
class Request:
    """A request as it was received; values are those of a write."""

    time: float
    unit: int
    function: int
    address: int
    count: int
    values: tuple[int, ...] = ()


class Peer:
    """Somebody who is connected."""

    def __init__(self, write: Callable[[bytes], object], close: Callable[[], None]) -> None:
        """Take how to write to it, and how to hang up."""
        self.write = write
        self.close = close
        # Whether a frame to it has begun whose end has not been sent: no gateway sends another one in the middle of it.
        self.mid_frame = False


@dataclass
class Talk:
    """One request, and everything that an answer to it is made of."""

    server: FaultServer
    peer: Peer
    request: Request
    transaction: int
    # The request as it was received, without the envelope of a stick.
    frame_received: bytes = b""

    def pdu(self) -> bytes:
        """Return the right answer without unit id, header and checksum."""
        request, memory = self.request, self.server.memory
        addresses = range(request.address, request.address + request.count)
        if request.function == 3:
            words = [
                memory.get((request.unit, address), word(request.unit, address))
                for address in addresses
            ]
            return bytes([3, 2 * len(words)]) + b"".join(value.to_bytes(2) for value in words)
        for address, value in zip(addresses, request.values, strict=True):
            memory[request.unit, address] = value
        last = request.values[0] if request.function == 6 else request.count
        return bytes([request.function]) + request.address.to_bytes(2) + last.to_bytes(2)

    def frame(
        self,
        pdu: bytes | None = None,
        *,
        unit: int | None = None,
        transaction: int | None = None,
        protocol: int = 0,
        length: int | None = None,
    ) -> bytes:
        """Return a frame around the right answer, or with these parts of it replaced."""
        body = bytes([self.request.unit if unit is None else unit]) + (
            self.pdu() if pdu is None else pdu
        )
        number = self.transaction if transaction is None else transaction
        if self.server.framing is Framing.RTU:
            frame = body + crc16(body)
            serial = self.server.logger_serial
            return frame if serial is None else answer_of(frame, sequence=number, serial=serial)
        header = (
            number,
            protocol,
            len(body) if length is None else length,
        )
        return b"".join(part.to_bytes(2) for part in header) + body


type Fault = Callable[[Talk], Awaitable[None]]


@dataclass
class FaultServer:
    """Answers rightly, but for the faults that wait in a queue, one for each request."""

    framing: Framing
    # That of the stick which this is, if it is one.
    logger_serial: int | None = field(default=None, kw_only=True)
    faults: deque[Fault] = field(default_factory=deque)
    memory: dict[tuple[int, int], int] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    # How often somebody connected.
    accepted: int = 0
    # How many of the next connections are closed right away.
    close_at_once: int = 0
    # Units that never answer.
    silent: frozenset[int] = frozenset()
    # Seconds that every answer takes.
    delay: float = 0.0
    # Until when a late answer holds up the others, as it does on a serial line.
    busy_until: float = 0.0
    peers: list[Peer] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _serving: set[asyncio.Task[None]] = field(default_factory=set)
    _later: list[asyncio.TimerHandle] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Return its framing, or that it is a stick."""
        return self.framing if self.logger_serial is None else "stick"

    @property
    def endpoint(self) -> Endpoint:
        """Return where it listens."""
        if self.logger_serial is None:
            return TcpEndpoint("127.0.0.1", self.port, self.framing)
        return StickEndpoint("127.0.0.1", self.port, logger_serial=self.logger_serial)

    async def start(self) -> None:
        """Listen on the port it had before, or on any."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up, and listen no more."""
        for handle in self._later:
            handle.cancel()
        for peer in self.peers:
            peer.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def hang_up(self) -> None:
        """Close every connection, and go on listening."""
        while self.peers:
            self.peers.pop().close()

    def send_later(self, delay: float, data: bytes) -> None:
        """Send to whoever is connected last by then, as a transparent gateway does."""

        def send() -> None:
            if self.peers and not self.peers[-1].mid_frame:
                self.peers[-1].write(data)

        self._later.append(asyncio.get_running_loop().call_later(delay, send))

    @property
    def wanted(self) -> list[tuple[int, int, int, int]]:
        """Return unit, function, address and count of the requests so far."""
        return [(r.unit, r.function, r.address, r.count) for r in self.requests]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection over the network."""
        self.accepted += 1
        if self.close_at_once:
            self.close_at_once -= 1
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        peer = Peer(lambda data: None if writer.is_closing() else writer.write(data), writer.close)
        self.peers.append(peer)
        try:
            await self.serve(reader, peer)
        finally:
            self._serving.discard(task)
            writer.close()
            if peer in self.peers:
                self.peers.remove(peer)

    async def serve(self, reader: asyncio.StreamReader, peer: Peer) -> None:
        """Answer requests until the other side hangs up."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                talk = await self._receive(reader, peer)
                self.requests.append(talk.request)
                held_up = self.busy_until - asyncio.get_running_loop().time()
                await asyncio.sleep(max(0.0, held_up) + self.delay)
                if talk.request.unit in self.silent:
                    continue
                fault = self.faults.popleft() if self.faults else answer
                await fault(talk)

    async def _receive(self, reader: asyncio.StreamReader, peer: Peer) -> Talk:
        """Return the next request."""
        transaction = 0
        if self.logger_serial is not None:
            header = await reader.readexactly(11)
            rest = await reader.readexactly(int.from_bytes(header[1:3], "little") + 2)
            transaction, frame = opened(header + rest, self.logger_serial)
            body = frame[:-2]
            assert frame[-2:] == crc16(body)
        elif self.framing is Framing.TCP:
            header = await reader.readexactly(6)
            transaction = int.from_bytes(header[:2])
            body = await reader.readexactly(int.from_bytes(header[4:]))
        else:
            body = await reader.readexactly(6)
            if body[1] == 16:
                more = await reader.readexactly(1)
                body += more + await reader.readexactly(more[0])
            assert await reader.readexactly(2) == crc16(body)
        number = int.from_bytes(body[4:6])
        written = {6: body[4:6], 16: body[7:]}.get(body[1], b"")
        values = tuple(int.from_bytes(written[i : i + 2]) for i in range(0, len(written), 2))
        request = Request(
            asyncio.get_running_loop().time(),
            body[0],
            body[1],
            int.from_bytes(body[2:4]),
            1 if body[1] == 6 else number,
            values,
        )
        checksum = crc16(body) if self.framing is Framing.RTU else b""
        return Talk(self, peer, request, transaction, body + checksum)


class FaultPort:
    """The same server at the far end of a serial line, as a pseudo terminal."""

    def __init__(self, server: FaultServer) -> None:
        """Take the server, which must speak RTU."""
        self.server = server
        self._near, self._far = pty.openpty()
        self.device = os.ttyname(self._far)
        self._transport: asyncio.ReadTransport | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve whoever opens the device."""
        reader = asyncio.StreamReader()
        near = os.fdopen(os.dup(self._near), "rb", buffering=0)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), near
        )
        peer = Peer(lambda data: os.write(self._near, data), self.unplug)
        self.server.peers.append(peer)
        self._task = asyncio.create_task(self.server.serve(reader, peer))

    def unplug(self) -> None:
        """Take the device away."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            os.close(self._near)

    async def stop(self) -> None:
        """Take everything away."""
        await self.server.stop()
        self.unplug()
        os.close(self._far)
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


# ---------------------------------------------------------------------- faults


async def answer(talk: Talk) -> None:
    """Answer rightly."""
    talk.peer.write(talk.frame())


async def silence(_talk: Talk) -> None:
    """Do not answer."""


async def hang_up(talk: Talk) -> None:
    """Close the connection instead of answering."""
    talk.peer.close()


async def garbage(talk: Talk) -> None:
    """Answer with bytes that mean nothing."""
    talk.peer.write(bytes.fromhex("a55ac33c96690ff0deadbeef"))


async def truncated(talk: Talk) -> None:
    """Leave off the end of the answer."""
    talk.peer.mid_frame = True
    talk.peer.write(talk.frame()[:-3])


async def one_byte(talk: Talk) -> None:
    """Send nothing but the first byte of the answer."""
    talk.peer.mid_frame = True
    talk.peer.write(talk.frame()[:1])


async def flipped(talk: Talk) -> None:
    """Flip a bit in the answer's header; with RTU the checksum then is wrong as well."""
    frame = bytearray(talk.frame())
    frame[2] ^= 0x40
    talk.peer.write(bytes(frame))


async def bad_checksum(talk: Talk) -> None:
    """Flip a bit of a value, which the checksum shows."""
    frame = bytearray(talk.frame())
    frame[4] ^= 0x01
    talk.peer.write(bytes(frame))


async def wrong_transaction(talk: Talk) -> None:
    """Answer with the next transaction id."""
    talk.peer.write(talk.frame(transaction=talk.transaction + 1))


async def no_transaction(talk: Talk) -> None:
    """Answer with transaction id 0, and with another register's value."""
    talk.peer.write(talk.frame(shifted(talk), transaction=0))


async def wrong_protocol(talk: Talk) -> None:
    """Answer with a protocol id that is not Modbus."""
    talk.peer.write(talk.frame(protocol=1))


async def endless_length(talk: Talk) -> None:
    """Announce 65535 bytes."""
    talk.peer.write(talk.frame(length=0xFFFF))


async def zero_length(talk: Talk) -> None:
    """Announce no bytes at all."""
    talk.peer.write(talk.frame(length=0))


async def wrong_unit(talk: Talk) -> None:
    """Answer in the name of the next unit."""
    talk.peer.write(talk.frame(unit=talk.request.unit + 1))


async def wrong_function(talk: Talk) -> None:
    """Answer with function code 4, the rest being right."""
    talk.peer.write(talk.frame(b"\x04" + talk.pdu()[1:]))


async def unknown_function(talk: Talk) -> None:
    """Answer with a function code that pymodbus cannot decode."""
    talk.peer.write(talk.frame(b"\x55" + talk.pdu()[1:]))


async def too_short(talk: Talk) -> None:
    """Answer a read with a register less, in a sound frame."""
    pdu = talk.pdu()
    talk.peer.write(talk.frame(bytes([3, pdu[1] - 2]) + pdu[2:-2]))


async def too_long(talk: Talk) -> None:
    """Answer a read with a register more, in a sound frame."""
    pdu = talk.pdu()
    talk.peer.write(talk.frame(bytes([3, pdu[1] + 2]) + pdu[2:] + b"\x12\x34"))


async def false_count(talk: Talk) -> None:
    """Announce more registers than the sound frame holds."""
    pdu = talk.pdu()
    talk.peer.write(talk.frame(bytes([3, pdu[1] + 40]) + pdu[2:]))


async def wrong_echo(talk: Talk) -> None:
    """Confirm a write of the register before."""
    pdu = talk.pdu()
    address = int.from_bytes(pdu[1:3]) - 1
    talk.peer.write(talk.frame(pdu[:1] + address.to_bytes(2) + pdu[3:]))


async def other_echo(talk: Talk) -> None:
    """Confirm a write of another value, or of another count."""
    pdu = talk.pdu()
    talk.peer.write(talk.frame(pdu[:-1] + bytes([pdu[-1] ^ 1])))


async def pieces(talk: Talk) -> None:
    """Answer byte by byte."""
    talk.peer.mid_frame = True
    for byte in talk.frame():
        talk.peer.write(bytes([byte]))
        await asyncio.sleep(0.001)
    talk.peer.mid_frame = False


async def twice(talk: Talk) -> None:
    """Send the answer twice, in one go."""
    talk.peer.write(talk.frame() * 2)


async def flood(talk: Talk) -> None:
    """Send noise without end."""
    with suppress(OSError):
        for _ in range(200):
            talk.peer.write(b"\x00" * 4096)
            await asyncio.sleep(0.001)


def shifted(talk: Talk) -> bytes:
    """Return a sound answer that holds the values of the registers 100 further on."""
    other = Request(0, talk.request.unit, 3, talk.request.address + 100, talk.request.count)
    return Talk(talk.server, talk.peer, other, 0).pdu()


def noisy(before: bytes = b"", behind: bytes = b"") -> Fault:
    """Return a fault that puts bytes around the right answer."""

    async def fault(talk: Talk) -> None:
        talk.peer.write(before + talk.frame() + behind)

    return fault


def late(delay: float) -> Fault:
    """Return a fault that answers after a time, to whoever is connected then."""

    async def fault(talk: Talk) -> None:
        talk.server.send_later(delay, talk.frame())
        talk.server.busy_until = asyncio.get_running_loop().time() + delay

    return fault


def slow(delay: float) -> Fault:
    """Return a fault that answers after a time."""

    async def fault(talk: Talk) -> None:
        await asyncio.sleep(delay)
        talk.peer.write(talk.frame())

    return fault


def refusal(code: int) -> Fault:
    """Return a fault that answers with a Modbus exception."""

    async def fault(talk: Talk) -> None:
        talk.peer.write(talk.frame(bytes([talk.request.function | 0x80, code])))

    return fault
