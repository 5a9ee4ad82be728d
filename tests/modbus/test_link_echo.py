"""Adapters that send back what they are sent: our own bytes are passed over, and never taken for an answer."""

from __future__ import annotations

import asyncio

import pytest

from custom_components.hybrid_inverter.modbus.errors import LinkDesync, LinkTimeout, RejectedError
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link, SerialEndpoint

from . import fault_server as faults
from .conftest import MakeLink
from .fault_server import Fault, FaultPort, FaultServer, Talk, crc16

pytestmark = pytest.mark.parametrize("framing", [Framing.RTU], indirect=True)


def sent(talk: Talk) -> bytes:
    """Return the bytes of a request (Modbus application protocol 6.3, 6.6 and 6.12)."""
    request = talk.request
    body = bytes((request.unit, request.function)) + request.address.to_bytes(2)
    words = b"".join(value.to_bytes(2) for value in request.values)
    if request.function == 16:
        words = request.count.to_bytes(2) + bytes([len(words)]) + words
    elif request.function == 3:
        words = request.count.to_bytes(2)
    return body + words + crc16(body + words)


def echo(then: Fault = faults.answer) -> Fault:
    """Return a fault that sends the request back, then answers."""

    async def fault(talk: Talk) -> None:
        talk.peer.write(sent(talk))
        await then(talk)

    return fault


@pytest.mark.parametrize(
    ("address", "count", "words"),
    [
        pytest.param(10, 2, [567, 598], id="a read"),
        # 0x0402: the high byte of the address is the size of the answer; 257 + 31 * 1026 is 32063.
        pytest.param(0x0402, 2, [32063, 32094], id="an echo that begins like its answer"),
        # 0x0202; 257 + 31 * 514 is 16191.
        pytest.param(0x0202, 1, [16191], id="an echo that is longer than its answer"),
    ],
)
async def test_reads_through_an_adapter_that_echoes(
    server: FaultServer, link: Link, address: int, count: int, words: list[int]
) -> None:
    """Every request comes back; the values are those of the answers, over one connection."""
    server.faults.extend([echo()] * 3)
    for _ in range(3):
        assert await link.read_holding_registers(1, address, count) == words
    assert server.accepted == 1
    assert (link.statistics.echoes, link.statistics.retries) == (3, 0)


async def test_an_echo_in_pieces(server: FaultServer, link: Link) -> None:
    """As a serial line brings it, byte by byte, with a stray byte before it."""

    async def in_pieces(talk: Talk) -> None:
        for byte in b"\x00" + sent(talk) + talk.frame():
            talk.peer.write(bytes([byte]))
            await asyncio.sleep(0.001)

    server.faults.append(in_pieces)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert (server.accepted, link.statistics.echoes) == (1, 1)


async def test_writes_through_an_adapter_that_echoes(server: FaultServer, link: Link) -> None:
    """The confirmation of one register looks like its echo: it is the second of two."""
    server.faults.extend([echo()] * 4)
    await link.read_holding_registers(1, 10, 2)
    await link.write_register(1, 10, 3)
    await link.write_registers(1, 20, [4, 5])
    assert await link.read_holding_registers(1, 10, 1) == [3]
    assert (server.accepted, link.statistics.echoes) == (1, 4)


@pytest.mark.parametrize("single", [True, False], ids=["6", "16"])
async def test_the_echo_of_a_write_confirms_nothing(
    server: FaultServer, link: Link, single: bool
) -> None:
    """The adapter echoes, the machine is silent: it is not known whether it was written."""
    server.faults.extend([echo(), echo(faults.silence)])
    await link.read_holding_registers(1, 10, 2)
    with pytest.raises(LinkTimeout):
        await (link.write_register(1, 10, 3) if single else link.write_registers(1, 10, [3, 4]))


async def test_a_refusal_behind_an_echo(server: FaultServer, link: Link) -> None:
    """An exception is an answer as well."""
    server.faults.extend([echo(faults.refusal(2)), echo(), echo(faults.refusal(3))])
    with pytest.raises(RejectedError, match="exception 2"):
        await link.read_holding_registers(1, 10, 2)
    await link.read_holding_registers(1, 10, 2)
    with pytest.raises(RejectedError, match="exception 3"):
        await link.write_register(1, 10, 3)
    assert server.accepted == 1


async def test_an_adapter_that_echoes_no_more(server: FaultServer, link: Link) -> None:
    """It was exchanged for another one: the next read shows that, and a write is confirmed as always."""
    server.faults.append(echo())
    await link.read_holding_registers(1, 10, 2)
    await link.read_holding_registers(1, 10, 2)
    await link.write_register(1, 10, 3)
    assert (server.accepted, link.statistics.echoes) == (1, 1)


async def test_the_echo_of_another_request_is_none(
    server: FaultServer, make_link: MakeLink
) -> None:
    """Only what was just sent is passed over."""

    async def other(talk: Talk) -> None:
        # Unit 1, read 2 registers from 11 on.
        body = bytes.fromhex("01 03 000b 0002")
        talk.peer.write(body + crc16(body))
        await faults.answer(talk)

    link = make_link(server, read_retries=0)
    server.faults.append(other)
    with pytest.raises(LinkDesync):
        await link.read_holding_registers(1, 10, 2)


async def test_a_silent_machine_behind_an_adapter_that_echoes(
    server: FaultServer, link: Link
) -> None:
    """An echo is no sign of life, and no value."""
    server.faults.extend([echo(faults.silence)] * 2)
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 10, 2)


async def test_a_serial_adapter_that_echoes(server: FaultServer) -> None:
    """A port of this computer whose transceiver hears itself."""
    port = FaultPort(FaultServer(Framing.RTU))
    await port.start()
    link = Link(SerialEndpoint(port.device), timeout=0.5, spacing=0)
    try:
        port.server.faults.extend([echo()] * 3)
        assert await link.read_holding_registers(1, 10, 2) == [567, 598]
        await link.write_register(1, 10, 3)
        assert await link.read_holding_registers(1, 10, 1) == [3]
    finally:
        await link.close()
        await port.stop()
