"""Why a connection cannot be opened, told apart."""

from __future__ import annotations

import errno
import os
from pathlib import Path
import socket
import termios
from unittest.mock import patch

import pytest

from custom_components.hybrid_inverter.modbus.errors import (
    LinkBusy,
    LinkError,
    LinkLost,
    LinkRefused,
    LinkTimeout,
    LinkUnresolved,
    StickError,
)
from custom_components.hybrid_inverter.modbus.transport.connect_error import connect_error
from custom_components.hybrid_inverter.modbus.transport.endpoint import (
    StickEndpoint,
    default_timeout,
)
from custom_components.hybrid_inverter.modbus.transport.link import (
    Endpoint,
    Framing,
    Link,
    SerialEndpoint,
    TcpEndpoint,
)

GATEWAY = TcpEndpoint("gateway.example", 502, Framing.TCP)
PORT = SerialEndpoint("/dev/ttyUSB0")
STICK = StickEndpoint("192.0.2.1", logger_serial=1)


@pytest.mark.parametrize(
    ("endpoint", "error", "kind", "code", "text"),
    [
        (GATEWAY, None, LinkError, "connect_timeout", "nobody answered in time"),
        (GATEWAY, socket.gaierror(-2, "no"), LinkUnresolved, "unknown_host", "name is not known"),
        (
            GATEWAY,
            ConnectionRefusedError(errno.ECONNREFUSED, "no"),
            LinkRefused,
            "connection_refused",
            "was refused",
        ),
        (
            GATEWAY,
            OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111] again"),
            LinkRefused,
            "connection_refused",
            "was refused",
        ),
        (GATEWAY, OSError(errno.EHOSTUNREACH, "No route"), LinkError, "unreachable", "no way"),
        (GATEWAY, OSError(errno.ENETUNREACH, "No network"), LinkError, "unreachable", "no way"),
        (GATEWAY, OSError(errno.ETIMEDOUT, "Timed out"), LinkError, "unreachable", "no way"),
        (GATEWAY, ConnectionResetError(errno.ECONNRESET, "no"), LinkLost, "hung_up", "closed"),
        (GATEWAY, OSError(errno.EIO, "I/O error"), LinkError, "failed", "I/O error"),
        (PORT, OSError(errno.ENOENT, "no"), LinkUnresolved, "no_such_port", "no such port"),
        (PORT, OSError(errno.ENXIO, "no"), LinkUnresolved, "no_device_at_port", "no device behind"),
        (PORT, OSError(errno.ENODEV, "no"), LinkUnresolved, "no_device_at_port", "no device"),
        (PORT, OSError(errno.EACCES, "no"), LinkRefused, "port_not_permitted", "may not open"),
        (PORT, OSError(errno.EPERM, "no"), LinkRefused, "port_not_permitted", "may not open"),
        (PORT, OSError(errno.EAGAIN, "no"), LinkBusy, "port_in_use", "another program"),
        (PORT, OSError(errno.EBUSY, "no"), LinkBusy, "port_in_use", "another program"),
        (PORT, ValueError("Not a valid parity"), LinkError, "failed", "Not a valid parity"),
    ],
)
def test_each_cause_has_its_class_its_code_and_a_sentence_with_the_endpoint(
    endpoint: Endpoint, error: Exception | None, kind: type[LinkError], code: str, text: str
) -> None:
    """The sentence is for the log, the code for the texts that people read."""
    explained = connect_error(endpoint, error)
    assert type(explained) is kind
    assert explained.code == code
    assert text in str(explained)
    assert str(explained).startswith(f"{endpoint}: ")


def test_texts_get_the_endpoint_the_reason_and_the_details_as_words() -> None:
    """Placeholders of translations are strings, and all of them are there."""
    error = LinkTimeout("no answer", endpoint=GATEWAY, unit_id=3, seconds="1.5")
    assert error.code == "no_answer"
    assert error.placeholders == {
        "reason": "no answer",
        "endpoint": "gateway.example:502",
        "unit_id": "3",
        "seconds": "1.5",
    }
    assert str(error) == "gateway.example:502: no answer"


def test_an_error_of_the_stick_carries_its_number() -> None:
    """The stick's own code and the code of the text are two things."""
    error = StickError(5, STICK)
    assert (error.code, error.stick_code) == ("stick_error", 5)
    assert error.placeholders["stick_code"] == "5"
    assert str(error) == "192.0.2.1:8899: error 5 of the stick"


async def _failure(endpoint: Endpoint) -> LinkError:
    """Return why an endpoint cannot be opened."""
    link = Link(endpoint, timeout=0.1)
    with pytest.raises(LinkError) as caught:
        await link.connect()
    assert not link.connected
    await link.close()
    return caught.value


async def test_closed_port_refuses_the_connection(socket_enabled: None) -> None:
    """Nobody listens on a port that was just given back."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert type(await _failure(TcpEndpoint("127.0.0.1", port, Framing.RTU))) is LinkRefused


async def test_unknown_host_name_is_a_link_error(socket_enabled: None) -> None:
    """A name that does not exist."""
    with patch("asyncio.base_events.BaseEventLoop.getaddrinfo", side_effect=socket.gaierror(-2)):
        assert type(await _failure(GATEWAY)) is LinkUnresolved


async def test_host_name_that_cannot_be_encoded_is_a_link_error(socket_enabled: None) -> None:
    """A name that cannot be encoded is an error of the link, not of the program."""
    with patch(
        "asyncio.base_events.BaseEventLoop.getaddrinfo", side_effect=UnicodeError("label too long")
    ):
        failure = await _failure(TcpEndpoint("a" * 70, 502, Framing.TCP))
    assert type(failure) is LinkError
    assert "label too long" in str(failure)


async def test_host_that_does_not_react_costs_the_timeout(socket_enabled: None) -> None:
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


async def test_missing_serial_port_is_reported() -> None:
    """A device that is not plugged in."""
    assert type(await _failure(SerialEndpoint("/dev/hybrid-inverter-none"))) is LinkUnresolved


async def test_file_that_is_no_serial_port_is_reported(tmp_path: Path) -> None:
    """A file that is no serial port."""
    path = tmp_path / "file"
    path.touch()
    failure = await _failure(SerialEndpoint(str(path)))
    assert type(failure) is LinkError
    assert str(path) in str(failure)


async def test_port_that_goes_away_while_it_is_set_up_is_a_link_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The module that sets up ports has an error class of its own."""

    def unplugged(*_: object) -> None:
        raise termios.error(errno.ENODEV, "No such device")

    near, far = os.openpty()
    monkeypatch.setattr(termios, "tcsetattr", unplugged)
    failure = await _failure(SerialEndpoint(os.ttyname(far)))
    os.close(near)
    os.close(far)
    assert type(failure) is LinkUnresolved
    assert failure.code == "no_device_at_port"


async def test_impossible_line_settings_are_a_link_error() -> None:
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
def test_a_stick_may_take_longer(endpoint: Endpoint, seconds: float) -> None:
    """A stick may take longer, as it asks the inverter itself in between."""
    assert default_timeout(endpoint) == seconds
