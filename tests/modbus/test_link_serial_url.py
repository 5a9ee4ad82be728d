"""A serial port that another device lends over the network, with a socket of this computer in its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import serialx

from custom_components.hybrid_inverter.modbus.errors import (
    LinkError,
    LinkErrorCode,
    LinkLost,
    LinkRefused,
    LinkTimeout,
    LinkUnresolved,
)
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link, SerialEndpoint

from . import fault_server as faults
from .fault_server import FaultServer


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[FaultServer]:
    """Return what answers behind a port."""
    server = FaultServer(Framing.RTU)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def link(server: FaultServer) -> AsyncIterator[Link]:
    """Return a link to the port."""
    url = f"socket://127.0.0.1:{server.port}"
    link = Link(SerialEndpoint(url), timeout=0.15, spacing=0.002)
    yield link
    await link.close()


async def test_a_lent_port_reads_and_writes_and_is_opened_again(
    server: FaultServer, link: Link
) -> None:
    """It serves as a port of this computer does, also after a lost answer and after it was hung up."""
    assert await link.read_holding_registers(1, 10, 3) == [567, 598, 629]
    await link.write_registers(1, 10, [1, 2])
    assert await link.read_holding_registers(1, 10, 2) == [1, 2]
    server.faults.append(faults.silence)
    with pytest.raises(LinkTimeout):
        await link.write_register(1, 12, 3)
    assert await link.read_holding_registers(1, 50, 1) == [1807]
    server.faults.append(faults.hang_up)
    with pytest.raises(LinkLost):
        await link.write_register(1, 12, 3)
    assert await link.read_holding_registers(1, 50, 1) == [1807]
    assert link.statistics.connects == 3


async def test_a_port_that_breaks_while_it_is_written_to_is_lost(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Serialx raises where other connections only close; the request fails, and the next one opens the port again."""
    await link.connect()

    def breaks(_self: object, _data: bytes) -> None:
        raise serialx.SerialException("gone")

    with monkeypatch.context() as broken:
        broken.setattr("serialx.platforms.serial_socket.SocketSerialTransport.write", breaks)
        with pytest.raises(LinkLost):
            await link.write_register(1, 12, 3)
    assert await link.read_holding_registers(1, 50, 1) == [1807]


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize(
    ("device", "error", "code"),
    [
        # Nothing listens on port 1.
        ("socket://127.0.0.1:1", LinkRefused, LinkErrorCode.CONNECTION_REFUSED),
        ("esphome-hass://esphome/x?port_name=RS485", LinkUnresolved, LinkErrorCode.NO_SUCH_PORT),
        ("socket://127.0.0.1", LinkError, LinkErrorCode.FAILED),
    ],
)
async def test_why_a_lent_port_cannot_be_opened(
    device: str, error: type[LinkError], code: LinkErrorCode
) -> None:
    """The same errors as of any other connection, and no secret in them."""
    link = Link(SerialEndpoint(device), timeout=0.15)
    with pytest.raises(error) as raised:
        await link.connect()
    assert raised.value.code is code
    assert "?" not in str(raised.value)
    await link.close()


async def test_a_library_that_says_what_was_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken is told from one that is not, also through the library's own exception."""

    async def taken(*_: object, **__: object) -> None:
        raise serialx.SerialException("cannot open") from ConnectionRefusedError(111, "no")

    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(10)

    link = Link(SerialEndpoint("socket://127.0.0.1:1"), timeout=0.05)
    monkeypatch.setattr("serialx.create_serial_connection", taken)
    with pytest.raises(LinkRefused):
        await link.connect()
    monkeypatch.setattr("serialx.create_serial_connection", never)
    with pytest.raises(LinkError) as raised:
        await link.connect()
    assert raised.value.code is LinkErrorCode.CONNECT_TIMEOUT
    await link.close()
