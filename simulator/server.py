"""Modbus servers: machines on a TCP port or a pseudo terminal, optionally as slow as a serial line.

A small server of our own instead of pymodbus' one: that answers an unknown unit id with exception 4 instead of 11 or
silence, has no serial line's timing, and would share its framing, mistakes included, with the client under test.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
import os
import pty
import tty
from typing import Any, Final

from .framing import Framing, RequestAdu
from .machine import Machine
from .pdu import BUSY, READ_HOLDING, WRITE_MULTIPLE, WRITE_SINGLE

# Half a frame, or rubbish, is forgotten after so many seconds of silence.
IDLE: Final = 0.5
# Address and CRC around a PDU on a serial line.
RTU_OVERHEAD: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTiming:
    """How long things take on a serial line."""

    baudrate: int = 9600
    parity: str = "N"
    stopbits: int = 1
    # Seconds from the end of a request to the start of the machine's answer.
    turnaround: float = 0.015

    @property
    def character(self) -> float:
        """The seconds of one character: start bit, eight data bits, parity bit if any, stop bits."""
        return (9 + (self.parity != "N") + self.stopbits) / self.baudrate

    @property
    def gap(self) -> float:
        """The seconds of silence between two frames, 3.5 characters."""
        return 3.5 * self.character

    def before_answer(self, request: int) -> float:
        """The seconds from the first byte of a request of so many bytes until the machine knows its answer."""
        return request * self.character + self.gap + self.turnaround

    def answer(self, size: int) -> float:
        """The seconds that an answer of so many bytes and the silence after it take."""
        return size * self.character + self.gap


@dataclass(slots=True)
class Statistics:
    """What a server has done since this was put in place; a new one starts from nothing."""

    connections: int = 0
    requests: int = 0
    unanswered: int = 0
    registers_read: int = 0
    registers_written: int = 0
    exceptions: Counter[int] = field(default_factory=Counter)
    # Seconds that the emulated line was occupied.
    busy_seconds: float = 0.0

    def count(self, pdu: bytes, answer: bytes | None) -> None:
        """Count a request and what became of it."""
        self.requests += 1
        if answer is None:
            self.unanswered += 1
        elif answer[0] & 0x80:
            self.exceptions[answer[1]] += 1
        elif answer[0] == READ_HOLDING:
            self.registers_read += answer[1] // 2
        elif answer[0] == WRITE_MULTIPLE:
            self.registers_written += pdu[5] // 2
        elif answer[0] == WRITE_SINGLE:
            self.registers_written += 1

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "connections": self.connections,
            "requests": self.requests,
            "unanswered": self.unanswered,
            "registers_read": self.registers_read,
            "registers_written": self.registers_written,
            "exceptions": {str(code): count for code, count in self.exceptions.items()},
            "busy_seconds": round(self.busy_seconds, 6),
        }


class ModbusServer:
    """Machines behind one port, served one request at a time."""

    def __init__(
        self,
        machines: Mapping[int, Machine],
        framing: Framing,
        *,
        line: LineTiming | None = None,
    ) -> None:
        """Serve these machines by their unit ids."""
        self.line = line
        self.statistics = Statistics()
        # Seconds by which every answer is late.
        self.delay = 0.0
        # A gateway that has no time: it answers everything itself, with exception 6.
        self.busy = False
        # For tests: what becomes of an answer's bytes on the way out.
        self.tamper: Callable[[bytes], bytes] | None = None
        # Close each new connection at once.
        self.hang_up = False
        # A module that passes everything on to its one inverter, whatever unit id is asked for.
        self.any_unit = False
        # A module that serves one client; another one is not heard until that one has gone.
        self.one_client = False
        self._client: object | None = None
        self._machines = machines
        self._framing = framing
        self._turn = asyncio.Lock()
        self._server: asyncio.Server | None = None
        # What listens again when a lost link is back; None while there is one.
        self.lost: asyncio.Task[None] | None = None
        self._pipe: asyncio.ReadTransport | None = None
        self._terminal: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that the server listens on; 0 while it does not."""
        if self._server is None or not self._server.sockets:
            return 0
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes any free one."""
        self._server = await asyncio.start_server(self._connected, host, port)

    async def start_serial(self) -> str:
        """Listen on a new pseudo terminal; return the path that a client opens as its serial port."""
        ours, theirs = pty.openpty()
        # Held open until the end: with nobody at the other end, reading would fail.
        self._terminal = theirs
        tty.setraw(theirs)
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        self._pipe, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
        )
        self._spawn(self._talk(reader, lambda data: os.write(ours, data)))
        return os.ttyname(theirs)

    async def stop(self) -> None:
        """Stop listening and drop all connections."""
        if self.lost is not None:
            self.lost.cancel()
            await asyncio.gather(self.lost, return_exceptions=True)
            self.lost = None
        if self._server is not None:
            self._server.close()
        self.drop_connections()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None

    def lose(self, seconds: float) -> None:
        """Drop all connections and take none for so many seconds, as when a cable is pulled or a gateway restarts."""
        if self.lost is None and self._server is not None and self._server.sockets:
            self.lost = asyncio.create_task(self._be_lost(self._server, seconds))

    async def _be_lost(self, server: asyncio.Server, seconds: float) -> None:
        host, port = server.sockets[0].getsockname()[:2]
        server.close()
        self.drop_connections()
        await asyncio.sleep(seconds)
        await self.start(host, port)
        self.lost = None

    def drop_connections(self) -> None:
        """Close all open connections, as a gateway does that restarts."""
        for task in self._tasks:
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something until it ends or the server does."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.statistics.connections += 1
        self._spawn(self._hold(reader, writer))

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection and close it."""
        try:
            if not self.hang_up:
                await self._talk(reader, writer.write)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, send: Callable[[bytes], object]) -> None:
        """Answer what comes in until it ends."""
        buffer = bytearray()
        try:
            while True:
                try:
                    async with asyncio.timeout(IDLE if buffer else None):
                        data = await reader.read(1024)
                except TimeoutError:
                    buffer.clear()
                    continue
                if not data:
                    return
                if self._is_occupied(reader):
                    continue
                buffer += data
                while (request := self._framing.take(buffer)) is not None:
                    await self._answer(request, send)
        finally:
            if self._client is reader:
                self._client = None

    def _is_occupied(self, client: object) -> bool:
        """Whether another client is served, and nobody else; if there is none, this one is it from now on."""
        if self.one_client and self._client is None:
            self._client = client
        return self.one_client and self._client is not client

    async def _answer(self, request: RequestAdu, send: Callable[[bytes], object]) -> None:
        """Send what goes back for a request, if anything does."""
        if answer := await self._serve(request):
            send(answer)

    async def _serve(self, request: RequestAdu) -> bytes:
        """The bytes that go back for a request; none when it stays unanswered."""
        async with self._turn:
            if self.line is not None:
                waiting = self.line.before_answer(RTU_OVERHEAD + len(request.pdu))
                await self._occupy(waiting)
            pdu: bytes | None
            machine = self._machines.get(request.unit)
            if machine is None and self.any_unit:
                machine = next(iter(self._machines.values()))
            if self.busy:
                pdu = bytes((request.pdu[0] | 0x80, BUSY))
            elif machine is not None:
                pdu = machine.respond(request.pdu)
            elif (code := self._framing.unknown_unit) is not None:
                pdu = bytes((request.pdu[0] | 0x80, code))
            else:
                pdu = None
            self.statistics.count(request.pdu, pdu)
            if pdu is None:
                return b""
            if self.line is not None:
                await self._occupy(self.line.answer(RTU_OVERHEAD + len(pdu)))
            if self.delay:
                await asyncio.sleep(self.delay)
            answer = self._framing.pack(request, pdu)
            return self.tamper(answer) if self.tamper else answer

    async def _occupy(self, seconds: float) -> None:
        """Let the time pass that bytes need on the line."""
        self.statistics.busy_seconds += seconds
        await asyncio.sleep(seconds)
