"""Open a connection to hear what comes, and nothing else: a serial port for reading only, a socket nobody writes to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
import fcntl
import os
import socket
import struct
import termios
from typing import Final

from ..errors import LinkError, LinkErrorCode
from ..transport.byte_stream import StreamReceiver
from ..transport.connect_error import connect_error, not_a_local_port
from ..transport.endpoint import SerialEndpoint, TcpEndpoint

type Source = TcpEndpoint | SerialEndpoint

# Whoever never sends does not notice that a gateway was switched off: the system asks for a sign of life in our place,
# without a byte of payload. Seconds of silence before, seconds between, and how many stay unanswered.
KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}

PARITIES: Final = {"N": 0, "E": termios.PARENB, "O": termios.PARENB | termios.PARODD}
STOP_BITS: Final = {1: 0, 2: termios.CSTOPB}


async def open_receiver(
    source: Source,
    *,
    within: float,
    receive: Callable[[bytes], None],
    lost: Callable[[], None],
) -> asyncio.ReadTransport:
    """Call back with whatever comes from now on, and once when nothing can come any more; LinkError if not opened."""

    def receiver() -> StreamReceiver:
        return StreamReceiver(receive, lost)

    loop = asyncio.get_running_loop()
    try:
        if isinstance(source, SerialEndpoint):
            port = os.fdopen(_open_port(source), "rb", buffering=0)
            return (await loop.connect_read_pipe(receiver, port))[0]
        async with asyncio.timeout(within):
            transport, _ = await loop.create_connection(receiver, source.host, source.port)
    except TimeoutError as err:
        raise connect_error(source, None) from err
    except (OSError, ValueError, OverflowError) as err:
        raise connect_error(source, err) from err
    _keep_alive(transport.get_extra_info("socket"))
    return transport


def _keep_alive(connection: socket.socket) -> None:
    """Let the system find out when the other side is gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEP_ALIVE.items():
        # Not every system has a name for each of them.
        if (option := getattr(socket, name, None)) is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _open_port(source: SerialEndpoint) -> int:
    """The descriptor of a port that is opened for reading only: writing to it is an error of the system."""
    if "://" in source.device:
        raise not_a_local_port(source)
    speed = getattr(termios, f"B{source.baudrate}", None)
    if speed is None:
        raise LinkError(
            f"{source.baudrate} baud is not a speed of this computer's ports",
            LinkErrorCode.UNSUPPORTED_BAUDRATE,
            endpoint=source,
            baudrate=source.baudrate,
        )
    port = os.open(source.device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        # The lock that pyserial takes as well: a port that somebody sends through is not for us.
        fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _switch_driver_off(port)
        _set_up(port, speed, PARITIES[source.parity] | STOP_BITS[source.stopbits])
    except termios.error as err:
        os.close(port)
        raise LinkError(
            "is not a serial port", LinkErrorCode.NOT_A_SERIAL_PORT, endpoint=source
        ) from err
    except BaseException:
        os.close(port)
        raise
    return port


def _switch_driver_off(port: int) -> None:
    """Take back RTS and DTR, which the system sets when it opens a port.

    With many RS485 adapters one of them switches the driver on, which then would hold the pair against inverter and
    meter although nothing is sent.
    """
    # A pseudo terminal has neither.
    with suppress(OSError):
        fcntl.ioctl(port, termios.TIOCMBIC, struct.pack("I", termios.TIOCM_RTS | termios.TIOCM_DTR))


def _set_up(port: int, speed: int, form: int) -> None:
    """Set speed, parity and stop bits, and let every byte through as it comes, without flow control or echo."""
    control = termios.tcgetattr(port)[6]
    # With no byte there a read is to say so, instead of returning nothing, which would mean the end.
    control[termios.VMIN], control[termios.VTIME] = 1, 0
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL | form
    termios.tcsetattr(port, termios.TCSANOW, [0, 0, flags, 0, speed, speed, control])
