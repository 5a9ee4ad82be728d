"""Where a link leads, how it is opened with pymodbus, and what it means when that fails."""

from __future__ import annotations

from asyncio import CancelledError, sleep
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import errno
import socket
from typing import Any, Final

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from .errors import LinkBusy, LinkError, LinkRefused, LinkUnresolved

# Where a stick listens.
STICK_PORT: Final = 8899

# How many seconds an answer may take. A stick has its own talk with the inverter between ours.
PATIENCE: Final = 3.0
STICK_PATIENCE: Final = 10.0

type Client = AsyncModbusTcpClient | AsyncModbusSerialClient


class Framing(StrEnum):
    """What is around a request: a header with a transaction id, or unit id and checksum only."""

    TCP = "tcp"
    RTU = "rtu"


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """A network socket that speaks Modbus TCP, or passes RTU frames on to a serial line."""

    host: str
    port: int
    framing: Framing

    @property
    def numbered(self) -> bool:
        """Whether an answer says which request it belongs to."""
        return self.framing is Framing.TCP

    @property
    def endures(self) -> int:
        """Return after how many unanswered requests the connection is dead if no other unit has used it."""
        return 2 if self.numbered else 1

    def __str__(self) -> str:
        """Return the address as a person writes it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class StickEndpoint:
    """A Wi-Fi stick that takes RTU frames in its own envelope (Solarman V5)."""

    host: str
    port: int = STICK_PORT
    # What is printed on the stick as its serial; not the inverter's.
    logger_serial: int = field(kw_only=True)

    @property
    def framing(self) -> Framing:
        """Return the framing inside the envelope."""
        return Framing.RTU

    @property
    def numbered(self) -> bool:
        """Whether an answer says which request it belongs to."""
        return True

    @property
    def endures(self) -> int:
        """Return after how many unanswered requests the connection is dead if no other unit has used it."""
        return 3

    def __str__(self) -> str:
        """Return the address as a person writes it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SerialEndpoint:
    """A serial port of this computer, 8 data bits, RTU frames."""

    device: str
    baudrate: int = 9600
    parity: str = "N"
    stopbits: int = 1

    @property
    def framing(self) -> Framing:
        """Return the framing of every serial line."""
        return Framing.RTU

    @property
    def numbered(self) -> bool:
        """Whether an answer says which request it belongs to."""
        return False

    @property
    def endures(self) -> int:
        """Return after how many unanswered requests the port is opened again if no other unit has used it."""
        return 1

    def __str__(self) -> str:
        """Return the path of the port."""
        return self.device


type Endpoint = TcpEndpoint | StickEndpoint | SerialEndpoint


def patience(endpoint: Endpoint) -> float:
    """Return how many seconds an answer may take there."""
    return STICK_PATIENCE if isinstance(endpoint, StickEndpoint) else PATIENCE


FRAMERS: Final[Mapping[Framing, FramerType]] = {
    Framing.TCP: FramerType.SOCKET,
    Framing.RTU: FramerType.RTU,
}

# What an error of the operating system says about an endpoint.
CAUSES: Final[Mapping[int, tuple[type[LinkError], str]]] = {
    errno.ECONNREFUSED: (LinkRefused, "the connection was refused"),
    errno.ENOENT: (LinkUnresolved, "there is no such port"),
    errno.ENXIO: (LinkUnresolved, "there is no device behind this port"),
    errno.ENODEV: (LinkUnresolved, "there is no device behind this port"),
    errno.EACCES: (LinkRefused, "this user may not open the port"),
    errno.EPERM: (LinkRefused, "this user may not open the port"),
    errno.EAGAIN: (LinkBusy, "another program uses the port"),
    errno.EBUSY: (LinkBusy, "another program uses the port"),
}


def explain(endpoint: Endpoint, error: Exception | None) -> LinkError:
    """Return what a failed attempt to connect means; no error stands for no answer in time."""
    if error is None:
        return LinkError(f"{endpoint}: nobody answered in time")
    if isinstance(error, socket.gaierror):
        return LinkUnresolved(f"{endpoint}: the name is not known")
    for number, (kind, meaning) in CAUSES.items():
        # A name with several addresses fails with one error that only quotes the others in its text.
        if f"[Errno {number}]" in str(error):
            return kind(f"{endpoint}: {meaning}")
    return LinkError(f"{endpoint}: {error}")


async def open_client(
    endpoint: Endpoint,
    *,
    timeout: float,  # noqa: ASYNC109 - pymodbus keeps the time
    on_packet: Callable[[bool, bytes], bytes],
    on_connect: Callable[[bool], None],
) -> Client:
    """Return a connected pymodbus client that neither retries nor reconnects; LinkError when there is none."""
    client = _make_client(endpoint, timeout, on_packet, on_connect)
    create = client.ctx.call_create
    failure: Exception | None = None

    async def create_and_tell() -> Any:
        nonlocal failure
        try:
            return await create()
        except (OSError, ValueError, OverflowError) as err:
            failure = err
            # The only error that pymodbus takes for a failed attempt; it logs it and tells nobody.
            raise OSError from err

    client.ctx.call_create = create_and_tell
    # Not client.connect(): it does this and then sleeps for a tenth of a second.
    if not await client.ctx.connect():
        raise explain(endpoint, failure) from failure
    if isinstance(endpoint, SerialEndpoint):
        # pymodbus starts to listen to a port in the loop's next round, and cannot be closed before.
        try:
            await sleep(0)
        except CancelledError:
            client.close()
            raise
    return client


def _make_client(
    endpoint: Endpoint,
    timeout: float,
    on_packet: Callable[[bool, bytes], bytes],
    on_connect: Callable[[bool], None],
) -> Client:
    """Return a client that is not connected yet."""
    if not isinstance(endpoint, SerialEndpoint):
        return AsyncModbusTcpClient(
            endpoint.host,
            port=endpoint.port,
            framer=FRAMERS[endpoint.framing],
            timeout=timeout,
            retries=0,
            reconnect_delay=0,
            trace_packet=on_packet,
            trace_connect=on_connect,
        )
    if "://" in endpoint.device:
        raise LinkError(f"{endpoint}: is an address on the network, not a port of this computer")
    return AsyncModbusSerialClient(
        endpoint.device,
        baudrate=endpoint.baudrate,
        parity=endpoint.parity,
        stopbits=endpoint.stopbits,
        timeout=timeout,
        retries=0,
        reconnect_delay=0,
        trace_packet=on_packet,
        trace_connect=on_connect,
    )
