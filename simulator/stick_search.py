"""How a Wi-Fi stick is found: it answers two well-known words on UDP with its address, MAC and serial number."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

PORT: Final = 48899
QUESTIONS: Final = (b"WIFIKIT-214028-READ", b"HF-A11ASSISTHREAD")

# To these a question goes to everybody: on the network, and on this computer alone.
BROADCASTS: Final = ("255.255.255.255", "127.255.255.255")
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - compared with, and only listened on when asked to


class _Listener(asyncio.DatagramProtocol):
    """Hears what is sent to one address."""

    def __init__(self, search: StickSearch) -> None:
        self._search = search

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question; anything else is no business of a stick."""
        if data in QUESTIONS:
            self._search.answer(addr)


class StickSearch:
    """One stick's answers. Several sticks on one computer, each at its own address, all hear a broadcast."""

    def __init__(self, logger_serial: int) -> None:
        """Answer for the stick with this serial number."""
        self.logger_serial = logger_serial
        # Locally administered, so no real device has it.
        self.mac = f"02A5{logger_serial:08X}"
        # For tests: whether it hears anything.
        self.deaf = False
        self._host = ""
        self._listeners: list[asyncio.DatagramTransport] = []

    @property
    def port(self) -> int:
        """The port that it listens on; 0 while it does not."""
        if not self._listeners:
            return 0
        return int(self._listeners[0].get_extra_info("sockname")[1])

    async def start(self, host: str, port: int) -> None:
        """Listen for what is sent to this address, or to everybody; port 0 takes any free one."""
        self._host = host
        hears = (host,) if host == EVERYWHERE else (host, *BROADCASTS)
        for address in hears:
            await self._listen(address, self.port or port)

    async def _listen(self, address: str, port: int) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, int(address in (EVERYWHERE, *BROADCASTS))
        )
        listener.setblocking(False)
        try:
            listener.bind((address, port))
        except OSError:
            listener.close()
            raise
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Listener(self), sock=listener
        )
        self._listeners.append(transport)

    def answer(self, asker: tuple[str, int]) -> None:
        """Tell somebody who and where the stick is."""
        if self.deaf:
            return
        host = _address_towards(asker) if self._host == EVERYWHERE else self._host
        text = f"{host},{self.mac},{self.logger_serial}"
        self._listeners[0].sendto(text.encode(), asker)

    def stop(self) -> None:
        """Stop listening."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()


def _address_towards(asker: tuple[str, int]) -> str:
    """The address of this computer that somebody else reaches it at."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(asker)
        return str(probe.getsockname()[0])
