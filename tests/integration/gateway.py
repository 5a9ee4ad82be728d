"""A Modbus TCP gateway before a simulated machine, that fails in every way in which one can."""

from __future__ import annotations

import asyncio
from contextlib import suppress
import socket
from typing import Final

# How a gateway, or what is behind it, is gone for a while; what an exception says is behind its name.
OUTAGES: Final = (
    "refused",
    "unreachable",
    "closed at once",
    "silent",
    "exception 11",
    "exception 6",
    "exception 4",
    "another machine",
    "half open",
)
# With these everybody is hung up on first.
HUNG_UP: Final = ("refused", "unreachable", "closed at once", "another machine")


class Gateway:
    """Passes requests on to a machine, as long as it is in order."""

    def __init__(self, machine: int, *, other: int = 0) -> None:
        """Take the port of the machine, and of another one that may take its place."""
        self._machine = machine
        self._other = other
        self.port = 0
        # What is wrong; empty if nothing is.
        self.outage = ""
        self._server: asyncio.Server | None = None
        # Who keeps the port in another way than by serving, and how to end that.
        self._blocking: list[socket.socket] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Be in order, at the port that it had before."""
        self.outage = ""
        for blocking in self._blocking:
            blocking.close()
        self._blocking.clear()
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def fail(self, outage: str) -> None:
        """Be gone, in one of the ways."""
        self.outage = outage
        if outage in HUNG_UP:
            self._hang_up()
            # Nobody asks in the very moment.
            await asyncio.sleep(0.05)
        if outage in ("refused", "unreachable", "half open") and self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.sleep(0)
        if outage == "unreachable":
            self._block(0)
            # A full queue of connections that nobody accepts: who comes now is not answered.
            for _ in range(3):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", self.port))
                self._blocking.append(filler)
        if outage == "half open":
            # The system answers who connects, and nobody ever does more.
            self._block(100)

    async def stop(self) -> None:
        """End everything."""
        await self.serve()
        self._hang_up()
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _block(self, backlog: int) -> None:
        """Listen without accepting anybody."""
        blocking = socket.socket()
        blocking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        blocking.bind(("127.0.0.1", self.port))
        blocking.listen(backlog)
        self._blocking.append(blocking)

    def _hang_up(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        if self.outage == "closed at once":
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        behind: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    await self._answer(reader, writer, behind)
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            for _, there in behind.values():
                there.close()
            writer.close()

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        behind: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    ) -> None:
        """Answer one request, in whatever way."""
        request = await _frame(reader)
        if self.outage in ("silent", "half open"):
            return
        if self.outage.startswith("exception"):
            code = int(self.outage.split()[1])
            writer.write(request[:5] + bytes((3, request[6], request[7] | 0x80, code)))
            return
        port = self._other if self.outage == "another machine" else self._machine
        if port not in behind:
            behind[port] = await asyncio.open_connection("127.0.0.1", port)
        from_machine, to_machine = behind[port]
        to_machine.write(request)
        writer.write(await _frame(from_machine))


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """Return the next whole Modbus TCP frame."""
    header = await reader.readexactly(6)
    return header + await reader.readexactly(int.from_bytes(header[4:]))
