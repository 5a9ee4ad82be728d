"""A connection that carries bytes both ways: a TCP socket or a serial port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import os
import termios
from typing import Final, Protocol

import serial

from .connect_error import connect_error
from .endpoint import Endpoint, SerialEndpoint
from .serial_url import open_url

MAX_CHUNK: Final = 1024


class ByteStream(Protocol):
    """What a link needs of a connection; asyncio's transports have it."""

    def write(self, data: bytes) -> None:
        """Send, without waiting."""
        ...

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class StreamReceiver(asyncio.Protocol):
    """Passes on what a connection receives, and that it is lost."""

    def __init__(self, received: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """`lost` is called once, also after the connection was closed by us."""
        self._received = received
        self._lost = lost

    def data_received(self, data: bytes) -> None:
        """Pass on what came."""
        self._received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on that nothing more comes."""
        self._lost()


class SerialStream:
    """A serial port that is read from and written to by the event loop."""

    def __init__(self, endpoint: SerialEndpoint, receiver: StreamReceiver) -> None:
        """Open the port for this program alone; OSError or ValueError when that fails."""
        self._port = serial.Serial(
            endpoint.device,
            baudrate=endpoint.baudrate,
            bytesize=serial.EIGHTBITS,
            parity=endpoint.parity,
            stopbits=endpoint.stopbits,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._unsent = b""
        self._descriptor = self._port.fileno()
        self._loop.add_reader(self._descriptor, self._read)

    def write(self, data: bytes) -> None:
        """Send, without waiting; what the port does not take at once follows when it does."""
        if self.is_closing():
            return
        self._unsent += data
        self._send()

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return not self._port.is_open

    def close(self) -> None:
        """Give the port back; what was not sent yet is dropped."""
        if self.is_closing():
            return
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        self._port.close()
        self._loop.call_soon(self._receiver.connection_lost, None)

    def _send(self) -> None:
        """Send as much as the port takes."""
        try:
            self._unsent = self._unsent[os.write(self._descriptor, self._unsent) :]
        except BlockingIOError, InterruptedError:
            pass
        except OSError:
            self.close()
            return
        if self._unsent:
            self._loop.add_writer(self._descriptor, self._send)
        else:
            self._loop.remove_writer(self._descriptor)

    def _read(self) -> None:
        """Pass on what was received; a port that is ready with nothing to read was unplugged."""
        try:
            data = os.read(self._descriptor, MAX_CHUNK)
        except BlockingIOError, InterruptedError:
            return
        except OSError:
            data = b""
        if data:
            self._receiver.data_received(data)
        else:
            self.close()


async def open_stream(endpoint: Endpoint, receiver: StreamReceiver, within: float) -> ByteStream:
    """Connect within so many seconds; LinkError with the cause when that fails."""
    try:
        if isinstance(endpoint, SerialEndpoint):
            if endpoint.is_url:
                return await open_url(endpoint, receiver, within)
            return SerialStream(endpoint, receiver)
        async with asyncio.timeout(within):
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: receiver, endpoint.host, endpoint.port
            )
    except TimeoutError as err:
        raise connect_error(endpoint, None) from err
    except termios.error as err:
        # Not an OSError, though it is one of the system: the port went away while it was set up.
        raise connect_error(endpoint, OSError(*err.args)) from err
    except (OSError, ValueError, OverflowError) as err:
        raise connect_error(endpoint, err) from err
    return transport
