"""A Modbus TCP server that serves words that are known anyway, to a few clients, none of which can disturb the others."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import errno
import socket
from typing import Final

from .limits import (
    ACCEPT_ERROR_PAUSE,
    ACCEPT_PAUSE,
    BUFFER,
    FIRST_TIMEOUT,
    IDLE_TIMEOUT,
    MAX_CLIENTS,
    WRITE_TIMEOUT,
    Pace,
)
from .protocol import ExceptionCode, NotModbusError, RefusedError, Request, receive
from .unit import MirroredUnit

# Why a port cannot be opened; anything else is "other".
REASONS: Final = {
    errno.EADDRINUSE: "in_use",
    errno.EACCES: "not_allowed",
    errno.EPERM: "not_allowed",
    errno.EADDRNOTAVAIL: "address_unavailable",
}

ALL_IPV6_ADDRESSES: Final = "::"


class CannotListenError(Exception):
    """A port that cannot be opened."""

    def __init__(self, reason: str) -> None:
        """`reason` is one of `REASONS`, or "other"."""
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class MirrorStatistics:
    """What clients have done since the mirror was made."""

    connections: int = 0
    # Clients that found no place, and those that were closed for another one.
    turned_away: int = 0
    displaced: int = 0
    requests: int = 0
    # How often each exception code was the answer.
    exceptions: Counter[ExceptionCode] = field(default_factory=Counter)
    # Why clients were closed.
    timeouts: int = 0
    not_modbus: int = 0


class _Client:
    """A client that is connected."""

    def __init__(self, connection: socket.socket, address: str) -> None:
        self.connection = connection
        self.address = address
        self.last_request = asyncio.get_running_loop().time()
        self.task: asyncio.Task[None] | None = None


class MirrorServer:
    """Listens on one port until it is closed."""

    def __init__(self, units: Mapping[int, MirroredUnit]) -> None:
        """What is served, by unit id."""
        self.units = units
        self._clients: set[_Client] = set()
        self._accepting: asyncio.Task[None] | None = None
        self.statistics = MirrorStatistics()

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._accepting is not None

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._clients)

    def as_dict(self) -> dict[str, object]:
        """Everything, for diagnostics."""
        return {
            "open": self.is_open,
            "clients": self.clients,
            **asdict(self.statistics),
            "exceptions": {code.name.lower(): n for code, n in self.statistics.exceptions.items()},
        }

    def open(self, address: str, port: int) -> None:
        """Listen on a port of one of this computer's addresses, or of all (0.0.0.0); CannotListenError if that fails."""
        listening = listen(address, port)
        listening.setblocking(False)
        self._accepting = asyncio.get_running_loop().create_task(
            self._accept(listening), eager_start=True
        )

    async def close(self) -> None:
        """Hang up on all clients, and free the port."""
        tasks = [client.task for client in self._clients if client.task is not None]
        if self._accepting is not None:
            tasks.append(self._accepting)
            self._accepting = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------ who is let in

    async def _accept(self, listening: socket.socket) -> None:
        """Take one client after the other, in no hurry: a flood of them must not take the time of others."""
        loop = asyncio.get_running_loop()
        with listening:
            while True:
                try:
                    connection, address = await loop.sock_accept(listening)
                except OSError:
                    await asyncio.sleep(ACCEPT_ERROR_PAUSE)
                    continue
                self._admit(_Client(connection, address[0]))
                await asyncio.sleep(ACCEPT_PAUSE)

    def _admit(self, client: _Client) -> None:
        """Serve a client if there is a place for it."""
        self.statistics.connections += 1
        if len(self._clients) >= MAX_CLIENTS and not self._make_room(client.address):
            self.statistics.turned_away += 1
            client.connection.close()
            return
        self._clients.add(client)
        # It begins at once: one that is cancelled before it has begun would not close its connection.
        client.task = asyncio.get_running_loop().create_task(self._serve(client), eager_start=True)

    def _make_room(self, address: str) -> bool:
        """Hang up on the quietest client of whoever has the most, unless the new one has as many; whether that is done."""
        held = Counter(client.address for client in self._clients)
        greedy, most = held.most_common(1)[0]
        if held[address] + 1 >= most:
            return False
        quietest = min(
            (client for client in self._clients if client.address == greedy),
            key=lambda client: client.last_request,
        )
        self.statistics.displaced += 1
        self._clients.discard(quietest)
        if quietest.task is not None:
            quietest.task.cancel()
        return True

    # ------------------------------------------------------------------ a client

    async def _serve(self, client: _Client) -> None:
        """Answer a client until it goes, or does what no client should."""
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_connection(sock=client.connection, limit=BUFFER)
            writer.transport.set_write_buffer_limits(high=BUFFER)
            await self._answer_all(client, reader, writer)
        except TimeoutError:
            self.statistics.timeouts += 1
        except NotModbusError:
            self.statistics.not_modbus += 1
        except asyncio.IncompleteReadError, OSError:
            # It has hung up.
            pass
        finally:
            self._clients.discard(client)
            if writer is None:
                client.connection.close()
            else:
                # What was not taken is not waited for.
                writer.transport.abort()

    async def _answer_all(
        self, client: _Client, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one request after the other."""
        loop, pace = asyncio.get_running_loop(), Pace()
        patience = FIRST_TIMEOUT
        while True:
            async with asyncio.timeout(patience):
                request = await receive(reader)
            patience = IDLE_TIMEOUT
            client.last_request = loop.time()
            if (delay := pace.delay(client.last_request)) > 0:
                await asyncio.sleep(delay)
            writer.write(self._answer(request))
            async with asyncio.timeout(WRITE_TIMEOUT):
                await writer.drain()

    def _answer(self, request: Request) -> bytes:
        """The answer to a request."""
        self.statistics.requests += 1
        try:
            return request.answer(self._read(request))
        except RefusedError as err:
            self.statistics.exceptions[err.code] += 1
            return request.refusal(err.code)

    def _read(self, request: Request) -> list[int]:
        """The words that a request asks for; RefusedError where it gets none."""
        first, count = request.read()
        if (unit := self.units.get(request.unit_id)) is None:
            raise RefusedError(ExceptionCode.TARGET_FAILED_TO_RESPOND)
        return unit.read(first, count)


def listen(address: str, port: int) -> socket.socket:
    """A socket that listens there; CannotListenError if it cannot. With "::" it has all addresses, of IPv4 too."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    both = address == ALL_IPV6_ADDRESSES and socket.has_dualstack_ipv6()
    try:
        return socket.create_server(
            (address, port), family=family, backlog=MAX_CLIENTS, dualstack_ipv6=both
        )
    except (OSError, OverflowError) as err:
        number = err.errno if isinstance(err, OSError) else None
        raise CannotListenError(REASONS.get(number or 0, "other")) from err
