"""What a link does only with a Wi-Fi stick; what it does with every link is tested with the others."""

from __future__ import annotations

import asyncio
from collections import Counter
import logging
from random import Random

import pytest

from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    LinkDesync,
    LinkRefused,
    LinkTimeout,
    RejectedError,
    StickError,
    StickSerialError,
)
from custom_components.hybrid_inverter.modbus.transport.endpoint import STICK_PORT
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link, StickEndpoint
from custom_components.hybrid_inverter.modbus.transport.solarman import Dropped

from . import fault_server as faults, stick_faults
from .conftest import STICK, TIMEOUT, MakeLink
from .fault_server import Fault, FaultServer, Talk, word
from .stick_frames import SERIAL, answer_of, v5


@pytest.fixture
def framing() -> str:
    """Return what stands for a stick; nothing else is tested here."""
    return STICK


@pytest.fixture(autouse=True)
def no_noise(caplog: pytest.LogCaptureFixture) -> None:
    """Collect what asyncio or pymodbus logs as a warning or worse."""
    caplog.set_level(logging.WARNING)


def test_stick_endpoint_is_written_like_an_address_and_carries_rtu() -> None:
    """It is written like any other address, and RTU is what it carries."""
    stick = StickEndpoint("stick.example", logger_serial=SERIAL)
    assert str(stick) == "stick.example:8899"
    assert (stick.port, STICK_PORT) == (8899, 8899)
    assert (stick.framing, stick.has_transaction_id) == (Framing.RTU, True)


@pytest.mark.parametrize(
    ("fault", "dropped"),
    [
        (
            stick_faults.unsolicited,
            {Dropped.HEARTBEAT: 1, Dropped.OTHER_KIND: 1, Dropped.FOREIGN: 1},
        ),
        (stick_faults.other_client, {Dropped.FOREIGN: 1}),
        (stick_faults.noise_before, {Dropped.NOISE: 1}),
        (stick_faults.cut_and_repeated, {Dropped.NOISE: 1}),
        (stick_faults.double_checksum, {}),
        (faults.twice, {Dropped.DUPLICATE: 1}),
        (faults.pieces, {}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_answer_is_found_among_other_bytes_which_are_counted(
    server: FaultServer, link: Link, fault: Fault, dropped: dict[Dropped, int]
) -> None:
    """The answer is found among what is none, over the same connection; what was passed over is counted."""
    server.faults.append(fault)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert await link.read_holding_registers(1, 20, 2) == [877, 908]
    assert link.statistics.dropped == dropped
    assert (link.statistics.retries, link.statistics.desyncs, server.accepted) == (0, 0, 1)


async def test_more_frames_than_pymodbus_keeps(server: FaultServer, link: Link) -> None:
    """Before the answer come more bytes of other clients' answers than pymodbus' buffer holds."""

    async def chatter(talk: Talk) -> None:
        for _ in range(30):
            talk.peer.write(talk.frame(faults.shifted(talk), transaction=0))
            await asyncio.sleep(0.002)
        talk.peer.write(talk.frame()[:30])
        await asyncio.sleep(0.002)
        talk.peer.write(talk.frame()[30:])

    server.faults.append(chatter)
    assert await link.read_holding_registers(1, 10, 20) == [567 + 31 * i for i in range(20)]
    assert link.statistics.dropped == {Dropped.FOREIGN: 30}
    # 30 answers and ours: an envelope of 13, its head of 14, and an RTU frame of 5 + 40 bytes.
    assert link.statistics.bytes_received == 31 * 72


async def test_heartbeats_while_nobody_asks(server: FaultServer, link: Link) -> None:
    """However many come, they are no reason to hang up, and the next request is not harmed by them."""
    await link.read_holding_registers(1, 10, 1)
    for _ in range(30):
        server.send_later(0, v5(bytes(60), control=0x4210, sequence=1))
        await asyncio.sleep(0.002)
    assert link.connected
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert link.statistics.dropped == {Dropped.OTHER_KIND: 30}
    assert server.accepted == 1


# ---------------------------------------------------------------------- errors of the stick


async def test_error_of_the_stick(server: FaultServer, make_link: MakeLink) -> None:
    """It has a name and a code, the connection is kept, and a machine that is silent so is not taken for a dead link."""
    link = make_link(server, read_retries=0)
    server.faults.extend([stick_faults.error(5)] * 5)
    for _ in range(5):
        with pytest.raises(StickError, match="error 5 of the stick") as caught:
            await link.write_register(1, 10, 3)
        assert caught.value.stick_code == 5
        assert isinstance(caught.value, LinkTimeout)
    await link.write_register(1, 10, 4)
    assert link.statistics.stick_errors == {5: 5}
    assert (link.statistics.timeouts, server.accepted) == (0, 1)


async def test_read_is_repeated_after_an_error(server: FaultServer, link: Link) -> None:
    """The stick may have been busy with its own question."""
    server.faults.append(stick_faults.error(5))
    assert await link.read_holding_registers(1, 10, 1) == [567]
    assert link.statistics.retries == 1


@pytest.mark.parametrize("own", [SERIAL, 99])
async def test_error_tells_the_serial_number_that_the_stick_has(
    server: FaultServer, link: Link, own: int
) -> None:
    """The error tells the serial that the stick has; asking again would not help."""
    server.faults.append(stick_faults.error(6, own))
    with pytest.raises(StickSerialError) as caught:
        await link.read_holding_registers(1, 10, 1)
    assert caught.value.logger_serial == own
    assert not isinstance(caught.value, LinkTimeout)
    assert len(server.requests) == 1


async def test_modbus_exception_comes_through_the_stick_unchanged(
    server: FaultServer, link: Link
) -> None:
    """What the machine refuses comes through the stick like anything else, and is no error of the stick."""
    server.faults.append(faults.refusal(2))
    with pytest.raises(RejectedError) as caught:
        await link.write_register(1, 10, 3)
    assert caught.value.code == 2
    assert link.statistics.stick_errors == {}


async def test_frame_of_another_request_under_our_number(
    server: FaultServer, make_link: MakeLink
) -> None:
    """It fails the request at once, and the stick is not hung up on; it has only one connection."""
    link = make_link(server, read_retries=0)
    server.faults.append(faults.too_short)
    with pytest.raises(LinkDesync):
        await link.read_holding_registers(1, 10, 2)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert server.accepted == 1


@pytest.mark.parametrize("tail", ["0001", "00", "000000", "0103"])
async def test_other_tails_are_not_taken(
    server: FaultServer, make_link: MakeLink, tail: str
) -> None:
    """Behind the frame there are two zeros or nothing."""
    link = make_link(server, read_retries=0)

    async def tailed(talk: Talk) -> None:
        frame = talk.frame()
        length = len(frame) - 13 + len(tail) // 2
        body = length.to_bytes(2, "little") + frame[3:-2] + bytes.fromhex(tail)
        talk.peer.write(b"\xa5" + body + bytes([sum(body) & 0xFF]) + b"\x15")

    server.faults.append(tailed)
    with pytest.raises(LinkDesync):
        await link.read_holding_registers(1, 10, 2)


async def test_bad_checksum_within_a_sound_envelope(
    server: FaultServer, make_link: MakeLink
) -> None:
    """What the serial line has spoiled the stick passes on as it is."""
    link = make_link(server, read_retries=0)

    async def spoiled(talk: Talk) -> None:
        frame = bytearray(talk.frame()[25:-2])
        frame[4] ^= 1
        talk.peer.write(answer_of(bytes(frame), sequence=talk.transaction))

    server.faults.append(spoiled)
    with pytest.raises(LinkDesync):
        await link.read_holding_registers(1, 10, 2)


# ---------------------------------------------------------------------- connections


async def test_late_answer_while_nobody_asks(server: FaultServer, make_link: MakeLink) -> None:
    """Between two requests a late answer is known as one, and counted."""
    link = make_link(server, read_retries=0)
    server.faults.append(faults.late(TIMEOUT + 0.02))
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 0, 2)
    await asyncio.sleep(0.06)
    assert link.statistics.late_answers == 1
    assert link.statistics.total.answers == 0
    assert link.statistics.dropped == {Dropped.LATE: 1}


async def test_late_answer_needs_no_other_read(server: FaultServer, make_link: MakeLink) -> None:
    """Its number tells what a late answer belongs to, so nothing is asked on the side, and the connection stays."""
    link = make_link(server, read_retries=0)
    server.faults.append(faults.late(TIMEOUT + 0.01))
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 0, 2)
    server.busy_until = 0.0
    server.faults.append(faults.slow(0.05))
    assert await link.read_holding_registers(1, 50, 2) == [1807, 1838]
    assert server.wanted == [(1, 3, 0, 2), (1, 3, 50, 2)]
    assert link.statistics.late_answers == 1
    assert link.statistics.dropped == {Dropped.LATE: 1}
    assert server.accepted == 1


async def test_numbers_go_on_over_a_new_connection(
    server: FaultServer, make_link: MakeLink
) -> None:
    """An answer to the last connection's request is not taken for one to the new one's."""
    link = make_link(server, read_retries=0)
    stale: list[bytes] = []

    async def keep_and_hang_up(talk: Talk) -> None:
        stale.append(talk.frame())
        talk.peer.close()

    async def stale_first(talk: Talk) -> None:
        talk.peer.write(stale.pop() + talk.frame())

    server.faults.extend([keep_and_hang_up, stale_first])
    with pytest.raises(DeviceError):
        await link.read_holding_registers(1, 0, 2)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert link.statistics.late_answers == 1
    assert server.accepted == 2


async def test_beginning_of_a_frame_is_forgotten_with_the_connection(
    server: FaultServer, make_link: MakeLink
) -> None:
    """Half an answer over the last connection does not hide the answer over the next one."""
    link = make_link(server, read_retries=0)

    async def half_and_hang_up(talk: Talk) -> None:
        talk.peer.write(talk.frame()[:20])
        await asyncio.sleep(0.005)
        talk.peer.close()

    server.faults.append(half_and_hang_up)
    with pytest.raises(DeviceError):
        await link.read_holding_registers(1, 0, 2)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert link.statistics.dropped == {}


async def test_stick_without_a_local_port_refuses_the_connection(
    server: FaultServer, make_link: MakeLink
) -> None:
    """A stick without a local port refuses the connection."""
    await server.stop()
    with pytest.raises(LinkRefused, match=f"127.0.0.1:{server.port}: the connection was refused"):
        await make_link(server).connect()


# ---------------------------------------------------------------------- ten thousand requests

STICKS = 20
REQUESTS = 500
ANSWER_WITHIN = 0.15
SHARE = 0.1
MIXED: list[Fault] = [
    faults.garbage,
    stick_faults.noise_before,
    faults.truncated,
    stick_faults.cut_and_repeated,
    faults.wrong_transaction,
    faults.no_transaction,
    faults.twice,
    faults.late(0.02),
    faults.late(ANSWER_WITHIN + 0.001),
    faults.late(ANSWER_WITHIN + 0.02),
    stick_faults.unsolicited,
    stick_faults.other_client,
    stick_faults.other_serial,
    stick_faults.only_heartbeat,
    stick_faults.error(5),
    faults.too_long,
    faults.hang_up,
]


async def _poll(server: FaultServer, link: Link, random: Random) -> Counter[str]:
    """Ask one stick for things, with faults at random; return how often that went well."""
    outcomes: Counter[str] = Counter()
    for _ in range(REQUESTS):
        if not server.faults and random.random() < SHARE:
            server.faults.append(random.choice(MIXED))
            outcomes["faults"] += 1
        unit, address = random.choice((1, 2)), random.randrange(500)
        count = random.choice((1, 2, 10))
        expected = [word(unit, address + offset) for offset in range(count)]
        try:
            words = await link.read_holding_registers(unit, address, count)
        except DeviceError:
            outcomes["failed"] += 1
            # The next poll: the same again, by a stick that behaves.
            server.faults.clear()
            words = await link.read_holding_registers(unit, address, count)
        assert words == expected
    return outcomes


async def test_no_value_is_wrong_in_ten_thousand_requests_with_faults(
    socket_enabled: None, make_link: MakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    """One request in ten meets a fault: no value is wrong, no link is stuck, and the next poll always succeeds."""
    servers = [FaultServer(Framing.RTU, logger_serial=SERIAL + n) for n in range(STICKS)]
    links: list[Link] = []
    for server in servers:
        await server.start()
        links.append(make_link(server, timeout=ANSWER_WITHIN, spacing=0.0, read_retries=0))
    try:
        outcomes = await asyncio.gather(
            *(
                _poll(server, link, Random(seed))  # noqa: S311 - repeatable, not secret
                for seed, (server, link) in enumerate(zip(servers, links, strict=True))
            )
        )
    finally:
        for server in servers:
            await server.stop()
    total = sum(outcomes, Counter())
    assert total["faults"] > 0.08 * STICKS * REQUESTS
    assert total["failed"] > 0.3 * total["faults"]
    assert sum(link.statistics.total.requests for link in links) >= STICKS * REQUESTS
    assert {kind for link in links for kind in link.statistics.dropped} == set(Dropped)
    # asyncio warns of a slow computer.
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
