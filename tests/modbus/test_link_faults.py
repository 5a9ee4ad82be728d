"""Every way in which an answer can be wrong: no wrong value comes through, and the next request succeeds."""

from __future__ import annotations

import asyncio
import logging

import pytest

from custom_components.hybrid_inverter.modbus.errors import (
    LinkDesync,
    LinkError,
    LinkLost,
    LinkTimeout,
    RejectedError,
    StickError,
)
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link

from . import fault_server as faults, stick_faults
from .conftest import STICK, TIMEOUT, MakeLink
from .fault_server import Fault, FaultServer

TCP_DESYNCS: list[Fault] = [
    faults.garbage,
    faults.flipped,
    faults.wrong_transaction,
    faults.no_transaction,
    faults.wrong_protocol,
    faults.endless_length,
    faults.zero_length,
    faults.wrong_unit,
    faults.wrong_function,
    faults.unknown_function,
    faults.too_short,
    faults.too_long,
    faults.false_count,
    faults.flood,
    faults.noisy(b"\x00"),
]
RTU_DESYNCS: list[Fault] = [
    faults.garbage,
    faults.flipped,
    faults.bad_checksum,
    faults.wrong_unit,
    faults.wrong_function,
    faults.unknown_function,
    faults.too_short,
    faults.too_long,
    faults.false_count,
    faults.flood,
]
# Inside a sound envelope with the right number.
STICK_DESYNCS: list[Fault] = [
    faults.wrong_unit,
    faults.wrong_function,
    faults.unknown_function,
    faults.too_short,
    faults.too_long,
    faults.false_count,
    faults.flood,
]
# Passed over, as if there were no answer.
STICK_TIMEOUTS: list[Fault] = [
    faults.garbage,
    faults.flipped,
    faults.bad_checksum,
    faults.wrong_transaction,
    faults.no_transaction,
    stick_faults.other_serial,
    stick_faults.only_heartbeat,
]
READ_FAULTS: list[tuple[Framing | str, Fault, type[LinkError]]] = [
    *((Framing.TCP, fault, LinkDesync) for fault in TCP_DESYNCS),
    *((Framing.RTU, fault, LinkDesync) for fault in RTU_DESYNCS),
    *((STICK, fault, LinkDesync) for fault in STICK_DESYNCS),
    *((STICK, fault, LinkTimeout) for fault in STICK_TIMEOUTS),
    (STICK, stick_faults.error(5), StickError),
    *(
        (framing, fault, error)
        for framing in (*Framing, STICK)
        for fault, error in (
            (faults.silence, LinkTimeout),
            (faults.truncated, LinkTimeout),
            (faults.one_byte, LinkTimeout),
            (faults.hang_up, LinkLost),
        )
    ),
]
WRITE_FAULTS: list[tuple[Framing | str, Fault, type[LinkError]]] = [
    (framing, fault, error)
    for framing in (*Framing, STICK)
    for fault, error in (
        (faults.silence, LinkTimeout),
        (faults.truncated, LinkTimeout),
        (faults.hang_up, LinkLost),
        (faults.garbage, LinkTimeout if framing == STICK else LinkDesync),
        (faults.wrong_unit, LinkDesync),
        (faults.wrong_echo, LinkDesync),
        (faults.other_echo, LinkDesync),
    )
]


@pytest.fixture(autouse=True)
def no_noise(caplog: pytest.LogCaptureFixture) -> None:
    """Fail on anything that asyncio or pymodbus logs as a warning or worse."""
    caplog.set_level(logging.WARNING)


def _name(value: object) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize(
    ("framing", "fault", "error"), READ_FAULTS, ids=_name, indirect=["framing"]
)
async def test_bad_answer_to_a_read(
    server: FaultServer,
    make_link: MakeLink,
    fault: Fault,
    error: type[LinkError],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The read fails with the error that fits, at once unless it has to wait; the next one is right."""
    link = make_link(server, read_retries=0)
    await link.connect()
    server.faults.append(fault)
    clock = asyncio.get_running_loop().time
    started = clock()
    with pytest.raises(error) as caught:
        await link.read_holding_registers(1, 10, 2)
    assert type(caught.value) is error
    waited = clock() - started
    assert waited >= TIMEOUT if error is LinkTimeout else waited < TIMEOUT
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert not caplog.records
    assert link.statistics.desyncs == (error is LinkDesync)
    assert link.statistics.timeouts == (error is LinkTimeout)
    assert link.statistics.connection_losses == (error is LinkLost)
    assert link.statistics.retries == 0


@pytest.mark.parametrize(
    ("framing", "fault", "error"), READ_FAULTS, ids=_name, indirect=["framing"]
)
async def test_a_read_is_repeated_once(
    server: FaultServer, link: Link, fault: Fault, error: type[LinkError]
) -> None:
    """One bad answer is not noticed; two are."""
    server.faults.append(fault)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert link.statistics.retries == 1
    asked = len(server.requests)
    # On RTU a sound answer to the resynchronising read may lie between the two.
    server.faults.extend([fault, faults.answer, fault] if server.kind == "rtu" else [fault, fault])
    with pytest.raises(error):
        await link.read_holding_registers(1, 10, 2)
    assert len(server.requests) - asked == (3 if server.kind == "rtu" else 2)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]


async def test_a_read_that_is_sent_once_is_not_repeated(server: FaultServer, link: Link) -> None:
    """Whatever comes instead of the answer."""
    unit = link.unit(1)
    for fault in (faults.refusal(4), faults.refusal(6), faults.silence):
        asked = len(server.requests)
        server.faults.append(fault)
        with pytest.raises((RejectedError, LinkTimeout)):
            await unit.read_holding_registers(10, 2, once=True)
        assert len(server.requests) == asked + 1
    assert await unit.read_holding_registers(10, 2, once=True) == [567, 598]


@pytest.mark.parametrize(
    ("framing", "fault", "error"), WRITE_FAULTS, ids=_name, indirect=["framing"]
)
@pytest.mark.parametrize("single", [False, True], ids=["16", "6"])
async def test_a_write_is_never_repeated(
    server: FaultServer, link: Link, fault: Fault, error: type[LinkError], single: bool
) -> None:
    """A write whose answer is bad fails after one request, whatever the fault."""
    server.faults.append(fault)
    with pytest.raises(error):
        await (link.write_register(1, 10, 3) if single else link.write_registers(1, 10, [3, 4]))
    await asyncio.sleep(0.02)
    assert len(server.requests) == 1
    assert link.statistics.retries == 0
    await link.write_register(1, 10, 5)
    assert server.memory[1, 10] == 5


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 10, 11])
async def test_only_exceptions_4_to_6_are_worth_another_read_and_none_another_write(
    server: FaultServer, link: Link, code: int
) -> None:
    """An exception is passed on with its code; only 4 to 6 are worth another read, and nothing another write."""
    server.faults.append(faults.refusal(code))
    with pytest.raises(RejectedError) as caught:
        await link.write_register(1, 10, 3)
    assert caught.value.code == code
    assert len(server.requests) == 1
    server.faults.append(faults.refusal(code))
    if code in (4, 5, 6):
        assert await link.read_holding_registers(1, 10, 1) == [567]
        server.faults.extend([faults.refusal(code)] * 2)
    with pytest.raises(RejectedError) as caught:
        await link.read_holding_registers(1, 10, 1)
    assert caught.value.code == code
    assert len(server.requests) == (5 if code in (4, 5, 6) else 2)
    assert link.statistics.exceptions == {code: 4 if code in (4, 5, 6) else 2}
    # An exception is an answer like any other: the connection is kept.
    assert server.accepted == 1


@pytest.mark.parametrize(
    "fault", [faults.pieces, faults.twice, faults.noisy(behind=b"\xff\xff\xff")], ids=_name
)
async def test_split_doubled_and_padded_answers_are_accepted(
    server: FaultServer, link: Link, fault: Fault
) -> None:
    """An answer byte by byte, a doubled one and one with stray bytes behind are taken; so are the ones after them."""
    server.faults.append(fault)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert await link.read_holding_registers(1, 20, 2) == [877, 908]
    assert link.statistics.desyncs == 0
    assert link.statistics.retries == 0


@pytest.mark.parametrize("framing", [Framing.RTU], indirect=True)
@pytest.mark.parametrize("before", ["00", "ffff", "0101", "01030103"])
async def test_stray_bytes_before_an_answer(server: FaultServer, link: Link, before: str) -> None:
    """A transceiver that changes direction may put a few bytes before the frame."""
    server.faults.append(faults.noisy(bytes.fromhex(before)))
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert link.statistics.desyncs == 0


@pytest.mark.parametrize("framing", [Framing.TCP, STICK], indirect=True)
async def test_a_silent_unit_does_not_cost_the_connection(server: FaultServer, link: Link) -> None:
    """Behind a transaction id, or a stick's number, the connection outlives a silent unit; the others are read over it all the time."""
    server.silent = frozenset({5})
    assert await link.read_holding_registers(1, 10, 1) == [567]
    for _ in range(3):
        with pytest.raises(LinkTimeout):
            await link.read_holding_registers(5, 10, 1)
        assert await link.read_holding_registers(1, 10, 1) == [567]
    assert server.accepted == 1


async def test_silence_is_counted_once(server: FaultServer, link: Link) -> None:
    """No answer costs one time-out for a write, two for a read, and pymodbus adds none of its own."""
    await link.connect()
    server.silent = frozenset({1})
    clock = asyncio.get_running_loop().time
    started = clock()
    with pytest.raises(LinkTimeout):
        await link.write_register(1, 0, 0)
    assert clock() - started == pytest.approx(TIMEOUT, abs=0.1)
    assert len(server.requests) == 1


async def test_link_recovers_after_more_silent_requests_than_pymodbus_allows(
    server: FaultServer, make_link: MakeLink
) -> None:
    """After some silence pymodbus gives up a connection, and opens no other; the link does."""
    link = make_link(server, timeout=0.03)
    server.silent = frozenset({1})
    for _ in range(7):
        with pytest.raises(LinkTimeout):
            await link.read_holding_registers(1, 0, 1)
    server.silent = frozenset()
    assert await link.read_holding_registers(1, 0, 1) == [257]


async def test_first_read_succeeds_after_a_peer_has_vanished_without_a_word(
    server: FaultServer, make_link: MakeLink
) -> None:
    """A peer that is gone without a word: the first read after new connections work succeeds."""
    link = make_link(server, timeout=0.05)
    await link.read_holding_registers(1, 0, 1)
    gone = server.peers[0]
    server.silent = frozenset({1})
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 0, 1)

    async def only_others(talk: faults.Talk) -> None:
        if talk.peer is not gone:
            await faults.answer(talk)

    server.silent = frozenset()
    server.faults.extend([only_others] * 5)
    assert await link.read_holding_registers(1, 0, 1) == [257]


async def test_babble_while_nobody_asks(server: FaultServer, link: Link) -> None:
    """A peer that sends without being asked is hung up on; the next request opens a new connection."""
    await link.read_holding_registers(1, 0, 1)
    server.send_later(0, b"\x01\x03" * 300)
    await asyncio.sleep(0.02)
    assert not link.connected
    assert await link.read_holding_registers(1, 0, 1) == [257]
