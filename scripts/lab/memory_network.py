"""Connections within a process in the place of sockets: nothing of what is sent is ever under way while time jumps."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import errno
from itertools import count
from typing import Any, Final, override

FIRST_PORT: Final = 50000


class _End(asyncio.Transport):
    """One end of a connection."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.other = self
        self._loop = asyncio.get_running_loop()
        self._closing = False

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Have it arrive at the other end as soon as whoever sends it has had their turn."""
        if not self._closing:
            self._loop.call_soon(self.other.receive, bytes(data))

    @override
    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._closing

    @override
    def close(self) -> None:
        """Close it; the other end learns of it after what was sent before."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self.protocol.connection_lost, None)
            self._loop.call_soon(self.other.end)

    abort = close

    def receive(self, data: bytes) -> None:
        """Take what the other end has sent."""
        if not self._closing:
            self.protocol.data_received(data)

    def end(self) -> None:
        """Learn that the other end is closed."""
        if not self._closing and not self.protocol.eof_received():
            self.close()


class _Server:
    """What listens on a port; it looks like a server of asyncio, and like the socket of one."""

    def __init__(self, listening: dict[int, Any], port: int, factory: Callable[[], Any]) -> None:
        self.factory = factory
        self._listening = listening
        self._port = port
        listening[port] = self

    @property
    def sockets(self) -> tuple[Any, ...]:
        """Where it listens."""
        return (self,) if self._port in self._listening else ()

    def getsockname(self) -> tuple[str, int]:
        """Its address."""
        return "127.0.0.1", self._port

    def close(self) -> None:
        """Listen no more."""
        self._listening.pop(self._port, None)

    async def wait_closed(self) -> None:
        """Return at once: there is no socket that takes time."""


class _Network:
    """What listens, by port."""

    def __init__(self) -> None:
        self._listening: dict[int, Any] = {}
        self._ports = count(FIRST_PORT)

    async def create_server(
        self, factory: Callable[[], Any], host: Any = None, port: int = 0, **_: Any
    ) -> _Server:
        """Listen on a port; 0 takes a free one."""
        return _Server(self._listening, port or next(self._ports), factory)

    async def create_connection(
        self, factory: Callable[[], Any], host: Any = None, port: int = 0, **_: Any
    ) -> tuple[_End, Any]:
        """Connect to a port; ConnectionRefusedError where nobody listens."""
        if (server := self._listening.get(port)) is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        near, far = _End(factory()), _End(server.factory())
        near.other, far.other = far, near
        for end in (far, near):
            end.protocol.connection_made(end)
        return near, near.protocol


@contextmanager
def memory_network(loop: Any) -> Iterator[None]:
    """Have a loop connect within this process only, without sockets."""
    network = _Network()
    loop.create_server, loop.create_connection = network.create_server, network.create_connection
    try:
        yield
    finally:
        del loop.create_server, loop.create_connection
