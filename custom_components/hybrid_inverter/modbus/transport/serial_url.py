"""A serial port that another device lends over the network, by its URL: an ESPHome serial proxy, RFC 2217, a socket.

serialx knows them. Home Assistant brings it along with the list of serial ports, and registers the proxies of its own
ESPHome devices with it.
"""

from __future__ import annotations

import asyncio

import serialx

from ..errors import LinkError, LinkErrorCode, LinkUnresolved
from .connect_error import connect_error
from .endpoint import SerialEndpoint


class SerialUrlStream:
    """A port that serialx has opened; what goes wrong with it ends it, as with any other stream."""

    def __init__(self, transport: serialx.BaseSerialTransport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send, without waiting."""
        if self.is_closing():
            return
        try:
            self._transport.write(data)
        except serialx.SerialException, OSError:
            self.close()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Close it."""
        self._transport.close()


async def open_url(
    endpoint: SerialEndpoint, receiver: asyncio.Protocol, within: float
) -> SerialUrlStream:
    """Open the port within so many seconds; LinkError, TimeoutError, OSError or ValueError when that fails."""
    try:
        async with asyncio.timeout(within):
            transport, _ = await serialx.create_serial_connection(
                asyncio.get_running_loop(),
                lambda: receiver,
                endpoint.device,
                endpoint.baudrate,
                parity=serialx.Parity(endpoint.parity),
                stopbits=serialx.StopBits(endpoint.stopbits),
            )
    except serialx.common.UnknownUriScheme as err:
        # A proxy of an ESPHome device is known only while Home Assistant's ESPHome integration runs.
        raise LinkUnresolved(
            "there is no such port", LinkErrorCode.NO_SUCH_PORT, endpoint=endpoint
        ) from err
    except serialx.SerialException as err:
        raise _meaning(endpoint, err) from err
    return SerialUrlStream(transport)


def _meaning(endpoint: SerialEndpoint, err: serialx.SerialException) -> LinkError:
    """What it means that a port could not be opened: often an error of the system is behind it."""
    cause = err.__cause__
    return connect_error(endpoint, cause if isinstance(cause, OSError) else err)
