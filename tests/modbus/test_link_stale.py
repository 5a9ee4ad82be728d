"""Answers to earlier requests over Modbus TCP: they are passed over and counted, never taken, and cost no connection."""

from __future__ import annotations

import asyncio

import pytest

from custom_components.hybrid_inverter.modbus.errors import LinkDesync, LinkTimeout
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link

from . import fault_server as faults
from .conftest import MakeLink
from .fault_server import Fault, FaultServer, Talk

pytestmark = pytest.mark.parametrize("framing", [Framing.TCP], indirect=True)

# The values of the registers 500 and 501 of unit 1: 257 + 31 * 500 and so on. Nobody asks for them.
FOREIGN = bytes.fromhex("03 04 3d8d 3dac")


def stale(*pdus: bytes, back: int = 1) -> Fault:
    """Return a fault that sends these under an earlier transaction id, then the right answer."""

    async def fault(talk: Talk) -> None:
        earlier = talk.transaction - back
        talk.peer.write(b"".join(talk.frame(pdu, transaction=earlier) for pdu in pdus))
        await faults.answer(talk)

    return fault


async def warm_up(link: Link, times: int = 1) -> None:
    """Read, so that there are earlier requests."""
    for _ in range(times):
        assert await link.read_holding_registers(1, 10, 2) == [567, 598]


async def test_two_hundred_stale_answers_cost_no_connection(
    server: FaultServer, make_link: MakeLink
) -> None:
    """Before each answer comes that of the request before, again."""
    link = make_link(server, spacing=0)
    await warm_up(link)
    server.faults.extend([stale(FOREIGN)] * 200)
    await warm_up(link, 200)
    assert server.accepted == 1
    statistics = link.statistics
    assert (statistics.stale_answers, statistics.retries, statistics.desyncs) == (200, 0, 0)
    # They say nothing of how long an answer takes.
    assert statistics.late_answers == 0


@pytest.mark.parametrize(
    ("pdus", "back"),
    [
        pytest.param([FOREIGN, FOREIGN], 1, id="twice"),
        pytest.param([bytes.fromhex("03 02 0001")], 5, id="of another size"),
        pytest.param([bytes.fromhex("83 02")], 3, id="an exception"),
        pytest.param([bytes.fromhex("10 0064 0002")], 2, id="a confirmation of several"),
        pytest.param([bytes.fromhex("06 0064 0002"), FOREIGN], 6, id="a confirmation of one"),
    ],
)
async def test_whole_answers_to_earlier_requests_are_passed_over(
    server: FaultServer, link: Link, pdus: list[bytes], back: int
) -> None:
    """Whatever they answer; the value is that of the request in flight."""
    await warm_up(link, 6)
    server.faults.append(stale(*pdus, back=back))
    await warm_up(link)
    assert server.accepted == 1
    assert link.statistics.stale_answers == len(pdus)


async def test_a_stale_answer_in_pieces(server: FaultServer, link: Link) -> None:
    """It is known by its first bytes, and its end is waited for."""

    async def in_pieces(talk: Talk) -> None:
        for byte in talk.frame(FOREIGN, transaction=talk.transaction - 1) + talk.frame():
            talk.peer.write(bytes([byte]))
            await asyncio.sleep(0.001)

    await warm_up(link)
    server.faults.append(in_pieces)
    await warm_up(link)
    assert (server.accepted, link.statistics.stale_answers) == (1, 1)


async def test_nothing_but_a_stale_answer_is_no_answer(
    server: FaultServer, make_link: MakeLink
) -> None:
    """It has the right shape, and the wrong number."""

    async def only_stale(talk: Talk) -> None:
        talk.peer.write(talk.frame(FOREIGN, transaction=talk.transaction - 1))

    link = make_link(server, read_retries=0)
    await warm_up(link)
    server.faults.append(only_stale)
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 10, 2)
    await warm_up(link)


async def test_stale_answers_while_nobody_asks(server: FaultServer, link: Link) -> None:
    """More of them than would be taken for babble."""
    await warm_up(link)
    # Transaction 1, length 7, unit 1.
    server.send_later(0, (bytes.fromhex("0001 0000 0007 01") + FOREIGN) * 50)
    await asyncio.sleep(0.02)
    await warm_up(link)
    assert (server.accepted, link.statistics.stale_answers) == (1, 50)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("0001 0000 0009 01 03 04 3d8d 3dac", id="its length is not its own"),
        pytest.param("0001 0000 0006 01 03 03 3d8d 3d", id="half a register"),
        pytest.param("0001 0000 0007 01 2b 04 3d8d 3dac", id="a function that we never use"),
        pytest.param("0001 0001 0007 01 03 04 3d8d 3dac", id="another protocol"),
        pytest.param("0000 0000 0007 01 03 04 3d8d 3dac", id="without a number"),
        pytest.param("0009 0000 0007 01 03 04 3d8d 3dac", id="a number that comes later"),
        pytest.param("0003 0000 0005 01 03 02 3d8d", id="our own number, another size"),
    ],
)
async def test_anything_else_still_ends_the_connection(
    server: FaultServer, make_link: MakeLink, before: str
) -> None:
    """What is no whole answer to an earlier request may be anything."""
    link = make_link(server, read_retries=0)
    await warm_up(link, 2)
    server.faults.append(faults.noisy(bytes.fromhex(before)))
    with pytest.raises(LinkDesync):
        await link.read_holding_registers(1, 10, 2)
    await warm_up(link)
    assert server.accepted == 2
    assert link.statistics.stale_answers == 0
