"""A serial line, with a pseudo terminal in its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
import os

import pytest

from custom_components.hybrid_inverter.modbus.errors import (
    LinkBusy,
    LinkDesync,
    LinkError,
    LinkLost,
    LinkTimeout,
)
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link, SerialEndpoint

from . import fault_server as faults
from .fault_server import Fault, FaultPort, FaultServer


@pytest.fixture
async def port() -> AsyncIterator[FaultPort]:
    """Return a serial port with a server behind it."""
    port = FaultPort(FaultServer(Framing.RTU))
    await port.start()
    yield port
    await port.stop()


@pytest.fixture
async def link(port: FaultPort) -> AsyncIterator[Link]:
    """Return a link to the port."""
    link = Link(SerialEndpoint(port.device), timeout=0.15, spacing=0.002)
    yield link
    await link.close()


async def test_serial_link_reads_and_writes(port: FaultPort, link: Link) -> None:
    """A serial line serves as a network does."""
    assert await link.read_holding_registers(1, 10, 3) == [567, 598, 629]
    await link.write_registers(1, 10, [1, 2])
    await link.write_register(1, 12, 3)
    assert await link.read_holding_registers(1, 10, 4) == [1, 2, 3, 660]
    assert len(await link.read_holding_registers(2, 0, 125)) == 125
    assert link.connected


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.silence, LinkTimeout),
        (faults.garbage, LinkDesync),
        (faults.wrong_echo, LinkDesync),
        (faults.wrong_unit, LinkDesync),
        (faults.bad_checksum, LinkDesync),
        (faults.late(0.16), LinkTimeout),
    ],
)
async def test_port_is_reopened_after_a_bad_answer_and_then_reads_correctly(
    port: FaultPort, link: Link, fault: Fault, error: type[LinkError]
) -> None:
    """The port is opened again after a bad answer, and what is read then is right."""
    port.server.faults.append(fault)
    with pytest.raises(error):
        await link.write_registers(1, 10, [1])
    assert not link.connected
    assert await link.read_holding_registers(1, 50, 1) == [1807]
    assert link.statistics.connects == 2


async def test_answer_left_in_the_line_is_not_taken_for_the_next_read(
    port: FaultPort, link: Link
) -> None:
    """The answer that stays in the line is not taken for the next read's."""
    port.server.faults.append(faults.late(0.16))
    asking = asyncio.create_task(link.read_holding_registers(1, 0, 2))
    await asyncio.sleep(0.05)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert await link.read_holding_registers(1, 50, 2) == [1807, 1838]


async def test_frame_may_arrive_byte_by_byte(port: FaultPort, link: Link) -> None:
    """At 9600 baud a frame comes byte by byte."""
    port.server.faults.append(faults.pieces)
    assert await link.read_holding_registers(1, 10, 3) == [567, 598, 629]


async def test_port_can_be_opened_by_one_program_only(port: FaultPort, link: Link) -> None:
    """A port is opened for one program alone; once given back it can be opened."""
    await link.connect()
    other = Link(SerialEndpoint(port.device), timeout=0.15)
    with pytest.raises(LinkBusy):
        await other.connect()
    await link.close()
    await other.connect()
    assert await other.read_holding_registers(1, 10, 1) == [567]
    await other.close()


async def test_unplugged_port_fails_the_request_at_once(port: FaultPort, link: Link) -> None:
    """A port that goes away fails the request on its way, without waiting for its time."""
    await link.connect()
    port.server.faults.append(faults.hang_up)
    clock = asyncio.get_running_loop().time
    started = clock()
    with pytest.raises(LinkLost):
        await link.write_register(1, 0, 0)
    assert clock() - started < 0.1
    with pytest.raises(LinkError):
        await link.connect()


async def test_closed_right_after_opening(
    port: FaultPort, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    """A port that is closed in the round of the loop in which it was opened leaves nothing behind that fails."""
    await link.connect()
    await link.close()
    await asyncio.sleep(0.01)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_cancelled_before_opening_leaves_the_port_free(port: FaultPort, link: Link) -> None:
    """Opening takes one step, so a port is open or it is not."""
    asking = asyncio.create_task(link.connect())
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not link.connected
    other = Link(SerialEndpoint(port.device), timeout=0.15)
    await other.connect()
    assert other.connected
    await other.close()


async def test_what_a_port_does_not_take_at_once_follows(
    port: FaultPort, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver takes three bytes at a time, and nothing at the first attempt; the request arrives whole."""
    write = os.write
    attempts: list[int] = []

    def slow_write(descriptor: int, data: bytes) -> int:
        if len(data) != 8 and not attempts:
            # The server's own side of the pair.
            return write(descriptor, data)
        attempts.append(len(data))
        if len(attempts) == 1:
            raise BlockingIOError
        return write(descriptor, data[:3])

    await link.connect()
    port.server.faults.append(faults.silence)
    monkeypatch.setattr(
        "custom_components.hybrid_inverter.modbus.transport.byte_stream.os.write", slow_write
    )
    with pytest.raises(LinkTimeout):
        await link.write_register(1, 12, 3)
    assert attempts == [8, 8, 5, 2]
    assert port.server.wanted == [(1, 6, 12, 1)]
