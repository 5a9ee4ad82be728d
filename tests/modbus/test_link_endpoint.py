"""Why a connection cannot be opened, told apart."""

from __future__ import annotations

import errno
from pathlib import Path
import socket
from unittest.mock import patch

import pytest

from custom_components.hybrid_inverter.modbus.endpoint import StickEndpoint, explain, patience
from custom_components.hybrid_inverter.modbus.errors import (
    LinkBusy,
    LinkError,
    LinkRefused,
    LinkUnresolved,
)
from custom_components.hybrid_inverter.modbus.link import (
    Endpoint,
    Framing,
    Link,
    SerialEndpoint,
    TcpEndpoint,
)

GATEWAY = TcpEndpoint("gateway.example", 502, Framing.TCP)
PORT = SerialEndpoint("/dev/ttyUSB0")


@pytest.mark.parametrize(
    ("endpoint", "error", "kind", "text"),
    [
        (GATEWAY, None, LinkError, "gateway.example:502: nobody answered in time"),
        (GATEWAY, socket.gaierror(-2, "no name"), LinkUnresolved, "the name is not known"),
        (GATEWAY, ConnectionRefusedError(errno.ECONNREFUSED, "no"), LinkRefused, "was refused"),
        (
            GATEWAY,
            OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111] again"),
            LinkRefused,
            "was refused",
        ),
        (GATEWAY, OSError(errno.EHOSTUNREACH, "No route"), LinkError, "No route"),
        (PORT, OSError(errno.ENOENT, "no"), LinkUnresolved, "/dev/ttyUSB0: there is no such port"),
        (PORT, OSError(errno.ENXIO, "no"), LinkUnresolved, "no device behind"),
        (PORT, OSError(errno.ENODEV, "no"), LinkUnresolved, "no device behind"),
        (PORT, OSError(errno.EACCES, "no"), LinkRefused, "may not open"),
        (PORT, OSError(errno.EPERM, "no"), LinkRefused, "may not open"),
        (PORT, OSError(errno.EAGAIN, "no"), LinkBusy, "another program"),
        (PORT, OSError(errno.EBUSY, "no"), LinkBusy, "another program"),
        (PORT, ValueError("Not a valid parity"), LinkError, "Not a valid parity"),
    ],
)
def test_explains(
    endpoint: Endpoint, error: Exception | None, kind: type[LinkError], text: str
) -> None:
    """Each cause has its class, and a text that names the endpoint."""
    explained = explain(endpoint, error)
    assert type(explained) is kind
    assert text in str(explained)
    assert str(explained).startswith(f"{endpoint}: ")


async def _failure(endpoint: Endpoint) -> LinkError:
    """Return why an endpoint cannot be opened."""
    link = Link(endpoint, timeout=0.1)
    with pytest.raises(LinkError) as caught:
        await link.connect()
    assert not link.connected
    await link.close()
    return caught.value


async def test_refused(socket_enabled: None) -> None:
    """Nobody listens on a port that was just given back."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert type(await _failure(TcpEndpoint("127.0.0.1", port, Framing.RTU))) is LinkRefused


async def test_unresolved(socket_enabled: None) -> None:
    """A name that does not exist."""
    with patch("asyncio.base_events.BaseEventLoop.getaddrinfo", side_effect=socket.gaierror(-2)):
        assert type(await _failure(GATEWAY)) is LinkUnresolved


async def test_impossible_name(socket_enabled: None) -> None:
    """A name that cannot be encoded is an error of the link, not of the program."""
    with patch(
        "asyncio.base_events.BaseEventLoop.getaddrinfo", side_effect=UnicodeError("label too long")
    ):
        failure = await _failure(TcpEndpoint("a" * 70, 502, Framing.TCP))
    assert type(failure) is LinkError
    assert "label too long" in str(failure)


async def test_nobody_answers(socket_enabled: None) -> None:
    """A host that does not react to a connection attempt costs the time-out."""
    with socket.socket() as sock:
        # A full queue of connections that nobody accepts.
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        port = sock.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        failure = await _failure(TcpEndpoint("127.0.0.1", port, Framing.TCP))
        for filler in fillers:
            filler.close()
    assert type(failure) is LinkError
    assert "in time" in str(failure)


async def test_no_such_port() -> None:
    """A device that is not plugged in."""
    assert type(await _failure(SerialEndpoint("/dev/hybrid-inverter-none"))) is LinkUnresolved


async def test_not_a_port(tmp_path: Path) -> None:
    """A file that is no serial port."""
    path = tmp_path / "file"
    path.touch()
    failure = await _failure(SerialEndpoint(str(path)))
    assert type(failure) is LinkError
    assert str(path) in str(failure)


@pytest.mark.parametrize("device", ["esphome-hass://entry/port", "socket://127.0.0.1:502"])
async def test_addresses_are_no_ports(device: str) -> None:
    """Addresses that Home Assistant's selector may offer, but pyserial cannot open."""
    failure = await _failure(SerialEndpoint(device))
    assert "not a port of this computer" in str(failure)


async def test_impossible_settings() -> None:
    """Line settings that no port has are an error of the link."""
    assert "parity" in str(await _failure(SerialEndpoint("/dev/null", parity="X")))


@pytest.mark.parametrize(
    ("endpoint", "seconds"),
    [
        (TcpEndpoint("192.0.2.1", 502, Framing.TCP), 3.0),
        (SerialEndpoint("/dev/serial"), 3.0),
        (StickEndpoint("192.0.2.1", logger_serial=1), 10.0),
    ],
)
def test_patience(endpoint: Endpoint, seconds: float) -> None:
    """A stick may take longer, as it asks the inverter itself in between."""
    assert patience(endpoint) == seconds
