"""What a link does when nothing goes wrong, who goes first, and how it is opened and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
import time

import pytest

from custom_components.hybrid_inverter.modbus.errors import (
    LinkError,
    LinkLost,
    LinkRefused,
    LinkTimeout,
)
from custom_components.hybrid_inverter.modbus.transport.byte_stream import (
    ByteStream,
    StreamReceiver,
    open_stream,
)
from custom_components.hybrid_inverter.modbus.transport.link import (
    Endpoint,
    Framing,
    Link,
    LinkUnit,
    TcpEndpoint,
)

from .conftest import MakeLink
from .fault_server import FaultServer, Talk, hang_up, pieces, silence, slow, twice
from .stick_frames import answer_of


async def test_link_reads_and_writes_the_registers_of_the_unit(
    server: FaultServer, link: Link
) -> None:
    """The values are those of the unit and the addresses; a write is read back."""
    unit = LinkUnit(link, 1)
    assert await unit.read_holding_registers(10, 3) == [567, 598, 629]
    assert await LinkUnit(link, 247).read_holding_registers(0, 1) == [63479]
    await unit.write_registers(10, [1, 65535])
    await unit.write_register(12, 7)
    assert await unit.read_holding_registers(10, 4, urgent=True) == [1, 65535, 7, 660]
    assert server.wanted == [
        (1, 3, 10, 3),
        (247, 3, 0, 1),
        (1, 16, 10, 2),
        (1, 6, 12, 1),
        (1, 3, 10, 4),
    ]
    assert server.accepted == 1


@pytest.mark.parametrize("framing", [Framing.TCP], indirect=True)
@pytest.mark.parametrize(
    "ask",
    [
        lambda link: link.read_holding_registers(0, 10, 1),
        lambda link: link.read_holding_registers(248, 10, 1),
        lambda link: link.read_holding_registers(1, 10, 0),
        lambda link: link.read_holding_registers(1, 10, 126),
        lambda link: link.read_holding_registers(1, 65535, 2),
        lambda link: link.read_holding_registers(1, -1, 1),
        lambda link: link.write_registers(1, 10, []),
        lambda link: link.write_registers(1, 10, [0] * 124),
        lambda link: link.write_registers(1, 10, [65536]),
        lambda link: link.write_register(1, 10, -1),
        lambda link: link.write_register(1, 65536, 0),
    ],
)
async def test_refuses_what_modbus_cannot_say(
    server: FaultServer, link: Link, ask: Callable[[Link], Awaitable[object]]
) -> None:
    """A request outside the protocol's limits is an error of the program, and is not sent."""
    with pytest.raises(ValueError, match=r"not|exist"):
        await ask(link)
    assert server.accepted == 0


async def test_largest_requests_are_125_registers_read_and_123_written(link: Link) -> None:
    """125 registers are read and 123 written in one request; the last register can be reached."""
    await link.write_registers(1, 0, list(range(123)))
    assert await link.read_holding_registers(1, 0, 125) == [*range(123), 4070, 4101]
    assert await link.read_holding_registers(1, 65535, 1) == [226]


def test_is_made_without_a_loop() -> None:
    """A link needs no running loop until it is used."""
    link = Link(TcpEndpoint("127.0.0.1", 502, Framing.TCP))
    assert not link.connected
    assert link.frames == ()


# ---------------------------------------------------------------------- turns


async def test_one_request_at_a_time(server: FaultServer, link: Link) -> None:
    """Nothing is sent while an answer is missing, whoever asks."""
    server.delay = 0.03
    await asyncio.gather(*(link.read_holding_registers(unit, 0, 1) for unit in (1, 2, 3)))
    times = [request.time for request in server.requests]
    assert all(later - earlier >= 0.03 for earlier, later in pairwise(times))


async def test_writes_overtake_waiting_reads(server: FaultServer, link: Link) -> None:
    """What is on the line is finished; then come writes and urgent reads, then reads, each in their order."""
    await link.connect()
    server.faults.append(slow(0.03))
    async with asyncio.TaskGroup() as group:
        for address in (1, 2, 3):
            group.create_task(link.read_holding_registers(1, address, 1))
        await asyncio.sleep(0.01)
        group.create_task(link.write_registers(1, 4, [0]))
        group.create_task(link.read_holding_registers(1, 5, 1, urgent=True))
        group.create_task(link.write_register(1, 6, 0))
    assert [request.address for request in server.requests] == [1, 4, 5, 6, 2, 3]


async def test_a_write_goes_between_a_read_and_its_repetition(
    server: FaultServer, link: Link
) -> None:
    """A write waits for one request, not for the repetition of a read that failed."""
    await link.connect()
    server.faults.append(hang_up)
    async with asyncio.TaskGroup() as group:
        group.create_task(link.read_holding_registers(1, 1, 1))
        await asyncio.sleep(0)
        group.create_task(link.write_registers(2, 4, [0]))
    assert server.wanted[:2] == [(1, 3, 1, 1), (2, 16, 4, 1)]
    assert server.wanted[-1] == (1, 3, 1, 1)


async def test_spacing_follows_each_answer_before_the_next_request(
    server: FaultServer, make_link: MakeLink
) -> None:
    """After an answer comes the spacing, then the next request."""
    link = make_link(server, spacing=0.04)
    started = asyncio.get_running_loop().time()
    for _ in range(3):
        await link.read_holding_registers(1, 0, 1)
    received = [frame.time for frame in link.frames if not frame.sent]
    sent = [frame.time for frame in link.frames if frame.sent]
    assert sent[0] - started < 0.04
    assert all(after - before >= 0.0395 for before, after in zip(received, sent[1:], strict=False))
    assert sent[2] - started < 0.3


# ---------------------------------------------------------------------- opening and closing


async def test_opening_twice_connects_once_and_tells_the_listeners(
    server: FaultServer, link: Link
) -> None:
    """Opening is idempotent, the listeners hear of every change, and of none that they gave up."""
    heard: list[bool] = []
    stop = link.add_listener(heard.append)
    await link.connect()
    await link.connect()
    assert link.connected
    assert server.accepted == 1
    server.hang_up()
    await asyncio.sleep(0.02)
    assert not link.connected
    assert heard == [True, False]
    await link.read_holding_registers(1, 0, 1)
    assert heard == [True, False, True]
    stop()
    await link.close()
    assert heard == [True, False, True]


async def test_nothing_reconnects_by_itself(server: FaultServer, link: Link) -> None:
    """A lost connection stays lost until somebody asks."""
    await link.connect()
    server.hang_up()
    await asyncio.sleep(0.05)
    assert not link.connected
    assert server.accepted == 1
    assert link.statistics.connection_losses == 1


async def test_closed_link_refuses_requests_and_opens_nothing(
    server: FaultServer, link: Link
) -> None:
    """Closing twice is fine; asking afterwards is not, and opens nothing."""
    await link.read_holding_registers(1, 0, 1)
    await link.close()
    await link.close()
    assert not link.connected
    with pytest.raises(LinkError, match="closed"):
        await link.read_holding_registers(1, 0, 1)
    with pytest.raises(LinkError, match="closed"):
        await link.connect()
    assert server.accepted == 1


async def test_close_ends_everything_at_once(server: FaultServer, make_link: MakeLink) -> None:
    """A request on its way and those that wait fail now, not after their time."""
    link = make_link(server, timeout=5)
    await link.connect()
    server.faults.append(silence)
    asking = [
        asyncio.create_task(link.read_holding_registers(1, 0, 1)),
        asyncio.create_task(link.read_holding_registers(1, 1, 1)),
        asyncio.create_task(link.write_register(1, 2, 0)),
    ]
    await asyncio.sleep(0.02)
    async with asyncio.timeout(0.5):
        await link.close()
        results = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(result) for result in results] == [LinkError] * 3
    assert len(server.requests) == 1
    assert not link.connected


async def test_close_while_waiting_to_connect(server: FaultServer, make_link: MakeLink) -> None:
    """The pause after a failed attempt does not hold up closing."""
    link = make_link(server)
    await server.stop()
    for _ in range(2):
        with pytest.raises(LinkRefused):
            await link.connect()
    asking = asyncio.create_task(link.connect())
    await asyncio.sleep(0.02)
    async with asyncio.timeout(0.2):
        await link.close()
        with pytest.raises(LinkError, match="closed"):
            await asking


async def test_closing_twice_while_waiting_to_connect(
    server: FaultServer, make_link: MakeLink
) -> None:
    """Whoever closes while the link is just being closed waits like the first one."""
    link = make_link(server)
    await server.stop()
    with pytest.raises(LinkRefused):
        await link.connect()
    asking = asyncio.create_task(link.connect())
    await asyncio.sleep(0.02)
    closing = []
    for _ in range(4):
        closing.append(asyncio.create_task(link.close()))
        await asyncio.sleep(0)
    await asyncio.gather(*closing)
    with pytest.raises(LinkError, match="closed"):
        await asking


async def test_closed_as_the_pause_before_connecting_ends(
    server: FaultServer, make_link: MakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is opened any more, although the pause was over in the very moment."""
    monkeypatch.setattr(
        "custom_components.hybrid_inverter.modbus.transport.channel.FIRST_PAUSE", 0.05
    )
    link = make_link(server)
    await server.stop()
    with pytest.raises(LinkRefused):
        await link.connect()
    asking = asyncio.create_task(link.connect())
    await asyncio.sleep(0)
    closing: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    loop.call_later(0.06, lambda: closing.append(asyncio.Task(link.close(), eager_start=True)))
    # Both timers are due in the same round of the loop, the one of the pause first.
    time.sleep(0.1)  # noqa: ASYNC251
    with pytest.raises(LinkError, match="closed"):
        await asking
    await closing[0]


async def test_pauses_between_attempts_double(
    server: FaultServer, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pauses are 1, 2, 4, 4 times the first one; the first read after the fault waits, and succeeds."""
    monkeypatch.setattr(
        "custom_components.hybrid_inverter.modbus.transport.channel.FIRST_PAUSE", 0.04
    )
    monkeypatch.setattr(
        "custom_components.hybrid_inverter.modbus.transport.channel.MAX_PAUSE", 0.16
    )
    await server.stop()
    clock = asyncio.get_running_loop().time
    times = []
    for _ in range(6):
        with pytest.raises(LinkRefused):
            await link.read_holding_registers(1, 0, 1)
        times.append(clock())
    pauses = [later - earlier for earlier, later in pairwise(times)]
    # A busy computer is later, but not by as much as the pause would be if it doubled once more.
    late = [
        pause - wanted for pause, wanted in zip(pauses, (0.04, 0.08, 0.16, 0.16, 0.16), strict=True)
    ]
    assert all(-0.01 < seconds < 0.12 for seconds in late), pauses
    await server.start()
    assert await link.read_holding_registers(1, 0, 1) == [257]
    assert clock() - times[-1] > 0.15
    # A success forgets the failures.
    await server.stop()
    await asyncio.sleep(0.01)
    with pytest.raises(LinkRefused):
        await link.read_holding_registers(1, 0, 1)
    failed = clock()
    with pytest.raises(LinkRefused):
        await link.read_holding_registers(1, 0, 1)
    assert clock() - failed == pytest.approx(0.04, abs=0.03)


async def test_closed_as_soon_as_accepted(server: FaultServer, link: Link) -> None:
    """A server that hangs up on everybody costs a read two attempts; the next one finds it well."""
    server.close_at_once = 2
    with pytest.raises(LinkLost) as caught:
        await link.read_holding_registers(1, 0, 1)
    assert caught.value.code == "hung_up"
    assert server.accepted == 2
    assert await link.read_holding_registers(1, 0, 1) == [257]
    # It has answered over this connection, so that it is lost, and not taken by somebody else.
    server.faults.append(hang_up)
    with pytest.raises(LinkLost) as caught:
        await link.write_register(1, 0, 1)
    assert caught.value.code == "lost"


# ---------------------------------------------------------------------- cancelling


async def test_cancelled_request_raises_and_leaves_the_link_usable(
    server: FaultServer, link: Link
) -> None:
    """A cancellation is passed on, and the link stays usable."""
    await link.connect()
    server.faults.append(silence)
    asking = asyncio.create_task(link.read_holding_registers(1, 0, 1))
    await asyncio.sleep(0.02)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert asking.cancelled()
    assert link.statistics.retries == 0
    assert await link.read_holding_registers(1, 0, 1) == [257]


async def test_a_callers_timeout_is_a_timeout(server: FaultServer, make_link: MakeLink) -> None:
    """`asyncio.timeout` around a request ends it with TimeoutError."""
    link = make_link(server, timeout=5)
    await link.connect()
    server.faults.append(silence)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await link.read_holding_registers(1, 0, 1)
    assert await link.read_holding_registers(1, 0, 1) == [257]


async def test_request_cancelled_while_waiting_does_not_hold_up_others(
    server: FaultServer, link: Link
) -> None:
    """Whoever gives up waiting, or is cancelled as it gets the turn, does not hold up the others."""
    await link.connect()
    server.faults.append(slow(0.03))
    first = asyncio.create_task(link.read_holding_registers(1, 1, 1))
    waiting = [
        asyncio.create_task(link.read_holding_registers(1, address, 1)) for address in (2, 3, 4, 5)
    ]
    await asyncio.sleep(0.01)
    waiting[0].cancel()
    waiting[2].cancel()
    await first
    waiting[1].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [
        True,
        True,
        True,
        False,
    ]
    assert results[3] == [412]


async def test_cancelling_during_a_connection_attempt_leaves_nothing_open(
    server: FaultServer, link: Link
) -> None:
    """Giving up during the connection attempt leaves nothing open."""
    asking = asyncio.create_task(link.connect())
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not link.connected
    assert await link.read_holding_registers(1, 0, 1) == [257]


# ---------------------------------------------------------------------- what it knows about itself


async def test_counts_what_it_does(server: FaultServer, make_link: MakeLink) -> None:
    """A read of 2 registers, a write and a silent read that is not repeated, on every kind of link."""
    link = make_link(server, read_retries=0, timeout=0.1)
    server.delay = 0.01
    await link.read_holding_registers(1, 0, 2)
    await link.write_register(1, 0, 1)
    server.faults.append(silence)
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 0, 2)
    statistics = link.statistics.as_dict()
    # Modbus TCP: requests of 12 bytes, answers of 9 + 4 and 12; RTU: requests of 8, answers of 5 + 4 and 8. A stick's
    # envelope is 13 bytes, and 15 within a request, 14 within an answer.
    sent, received = {"tcp": (36, 25), "rtu": (24, 17), "stick": (108, 71)}[server.kind]
    assert statistics.pop("bytes_sent") == sent
    assert statistics.pop("bytes_received") == received
    assert 10 <= link.statistics.total.latency(0.5) < 40  # type: ignore[operator]
    assert 0.12 <= link.statistics.busy_seconds < 0.2
    # Of a link as new as this one, the share of ten seconds.
    assert link.statistics.bus_load == pytest.approx(link.statistics.busy_seconds / 10)
    assert statistics.pop("units").keys() == {1}  # type: ignore[attr-defined]
    for key in ("latency_p50", "latency_p95", "busy_seconds", "bus_load"):
        del statistics[key]
    assert statistics == {
        "requests": 3,
        "answers": 2,
        "success_rate": 0.6667,
        "timeouts": 1,
        "desyncs": 0,
        "late_answers": 0,
        "stale_answers": 0,
        "echoes": 0,
        "retries": 0,
        "connects": 1,
        "connection_losses": 0,
        "exceptions": {},
        "stick_errors": {},
        "dropped": {},
        "registers_read": 2,
    }


@pytest.mark.parametrize("framing", [Framing.TCP], indirect=True)
async def test_keeps_the_last_frames(server: FaultServer, make_link: MakeLink) -> None:
    """Frames are kept as they were sent and received, the oldest are forgotten."""
    link = make_link(server, frames=3)
    await link.read_holding_registers(1, 10, 1)
    server.faults.append(twice)
    await link.read_holding_registers(2, 10, 1)
    assert [(frame.sent, frame.data.hex(" ")) for frame in link.frames] == [
        (False, "00 01 00 00 00 05 01 03 02 02 37"),
        (True, "00 02 00 00 00 06 02 03 00 0a 00 01"),
        (False, "00 02 00 00 00 05 02 03 02 03 38" + " 00 02 00 00 00 05 02 03 02 03 38"),
    ]


async def test_what_is_kept_of_a_flood_is_small(server: FaultServer, make_link: MakeLink) -> None:
    """A frame has 284 bytes at most; of what is longer the beginning is kept, and how long it was."""
    link = make_link(server, read_retries=0)

    async def noise(talk: Talk) -> None:
        talk.peer.write(bytes(range(256)) * 4096)

    server.faults.extend([noise] * 60)
    for _ in range(60):
        with suppress(LinkError):
            await link.read_holding_registers(1, 10, 1)
    assert len(link.frames) == 50
    assert max(frame.size for frame in link.frames) > 10_000
    assert max(len(frame.data) for frame in link.frames) == 300
    assert all(len(frame.data) == min(frame.size, 300) for frame in link.frames)


async def test_answer_in_pieces_is_recorded_and_counted_once_per_byte(
    server: FaultServer, link: Link
) -> None:
    """An answer that comes byte by byte is kept so, and every byte is counted once."""
    server.faults.append(pieces)
    await link.read_holding_registers(1, 10, 1)
    # Modbus TCP: header, function code, byte count and a register; RTU: without the header, with a checksum.
    frame = {
        "tcp": "00 01 00 00 00 05 01 03 02 02 37",
        "rtu": "01 03 02 02 37 f8 f2",
        "stick": answer_of(bytes.fromhex("010302 0237 f8f2"), sequence=link.frames[0].data[5]).hex(
            " "
        ),
    }[server.kind]
    received = [frame.data for frame in link.frames if not frame.sent]
    assert b"".join(received).hex(" ") == frame
    assert len(received) > 1
    assert link.statistics.bytes_received == {"tcp": 11, "rtu": 7, "stick": 34}[server.kind]


@pytest.mark.parametrize("framing", [Framing.TCP], indirect=True)
async def test_closed_in_the_moment_of_opening(
    server: FaultServer, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is there just when the link is closed is closed too, and nothing is sent over it."""
    module = "custom_components.hybrid_inverter.modbus.transport.channel"
    opened: list[ByteStream] = []

    async def open_and_close(
        endpoint: Endpoint, receiver: StreamReceiver, within: float
    ) -> ByteStream:
        opened.append(await open_stream(endpoint, receiver, within))
        link._channel.shut_down()
        return opened[0]

    monkeypatch.setattr(f"{module}.open_stream", open_and_close)
    with pytest.raises(LinkError, match="closed"):
        await link.read_holding_registers(1, 0, 1)
    assert opened[0].is_closing()
    assert not link.connected
    assert server.requests == []
