"""The mirror's server on real sockets: what it answers, and what it makes of clients that mean no good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
import socket

from hypothesis import HealthCheck, given, settings, strategies as st
from pymodbus.client import AsyncModbusTcpClient
import pytest

from custom_components.hybrid_inverter.modbus.mirror import limits, server as mirror_server
from custom_components.hybrid_inverter.modbus.mirror.limits import Pace
from custom_components.hybrid_inverter.modbus.mirror.protocol import (
    NotModbusError,
    RefusedError,
    receive,
)
from custom_components.hybrid_inverter.modbus.mirror.server import (
    CannotListenError,
    MirrorServer,
    listen,
)
from custom_components.hybrid_inverter.modbus.mirror.unit import MirroredUnit

# Transaction 7, unit 1: read two registers from 100 on, and the answer 0x1234, 0xABCD.
READ = bytes.fromhex("0007 0000 0006 01 03 0064 0002")
ANSWER = bytes.fromhex("0007 0000 0007 01 03 04 1234 ABCD")
HOST = "127.0.0.1"


class Mirror:
    """A mirror that serves one unit, and short ways to talk to it."""

    def __init__(self) -> None:
        """Serve two registers of unit 1."""
        self.unit = MirroredUnit({}, 60)
        self.server = MirrorServer({1: self.unit})
        self.port = 0

    def open(self) -> None:
        """Listen on any port that is free."""
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port = free.getsockname()[1]
        self.server.open(HOST, self.port)
        self.unit.take(100, [0x1234, 0xABCD])

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, and wait until that is noticed."""
        before = self.server.statistics.connections
        reader, writer = await asyncio.open_connection(HOST, self.port)
        async with asyncio.timeout(5):
            while self.server.statistics.connections == before:  # noqa: ASYNC110 - nobody says so
                await asyncio.sleep(0.001)
        return reader, writer

    async def exchange(self, request: bytes, length: int) -> bytes:
        """Send a request on a connection of its own, and return so many bytes of the answer."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        writer.write(request)
        try:
            async with asyncio.timeout(5):
                return await reader.readexactly(length)
        finally:
            writer.transport.abort()

    async def until_clients(self, count: int) -> None:
        """Wait until so many clients are connected."""
        async with asyncio.timeout(5):
            while self.server.clients != count:  # noqa: ASYNC110 - nobody says so
                await asyncio.sleep(0.001)


@pytest.fixture
async def mirror(socket_enabled: None) -> AsyncIterator[Mirror]:
    """Return a mirror that listens, and see to it that nobody is left in the end."""
    mirror = Mirror()
    mirror.open()
    yield mirror
    await mirror.server.close()
    assert mirror.server.clients == 0


async def is_hung_up(reader: asyncio.StreamReader) -> bool:
    """Return whether the other side has closed the connection, within seconds."""
    async with asyncio.timeout(5):
        with suppress(ConnectionError):
            while await reader.read(4096):
                pass
    return True


# ---------------------------------------------------------------------- what is answered


async def test_words_are_answered_with_the_header_of_the_request(mirror: Mirror) -> None:
    """To the bit."""
    assert await mirror.exchange(READ, 13) == ANSWER


@pytest.mark.parametrize(
    ("request_", "exception"),
    [
        # Input registers, coils, discrete inputs.
        ("0001 0000 0006 01 04 0064 0002", "0001 0000 0003 01 84 01"),
        ("0001 0000 0006 01 01 0064 0002", "0001 0000 0003 01 81 01"),
        ("0001 0000 0006 01 02 0064 0002", "0001 0000 0003 01 82 01"),
        # Every way to write: one register, several, a mask, read and write, a coil, coils, a file.
        ("0001 0000 0006 01 06 0064 0002", "0001 0000 0003 01 86 01"),
        ("0001 0000 0009 01 10 0064 0001 02 0005", "0001 0000 0003 01 90 01"),
        ("0001 0000 0008 01 16 0064 0000 0005", "0001 0000 0003 01 96 01"),
        ("0001 0000 000D 01 17 0064 0001 0064 0001 02 0005", "0001 0000 0003 01 97 01"),
        ("0001 0000 0006 01 05 0064 FF00", "0001 0000 0003 01 85 01"),
        ("0001 0000 0008 01 0F 0064 0001 01 01", "0001 0000 0003 01 8F 01"),
        ("0001 0000 0003 01 15 00", "0001 0000 0003 01 95 01"),
        # A write to a unit that there is not, and to all of them.
        ("0001 0000 0006 09 06 0064 0002", "0001 0000 0003 09 86 01"),
        ("0001 0000 0006 00 06 0064 0002", "0001 0000 0003 00 86 01"),
        # Identification, diagnostics, and numbers that are no function.
        ("0001 0000 0005 01 2B 0E 01 00", "0001 0000 0003 01 AB 01"),
        ("0001 0000 0006 01 08 0000 0000", "0001 0000 0003 01 88 01"),
        ("0001 0000 0002 01 00", "0001 0000 0003 01 80 01"),
        ("0001 0000 0002 01 83", "0001 0000 0003 01 83 01"),
        # A register that is not known, alone and beside one that is.
        ("0001 0000 0006 01 03 0065 0002", "0001 0000 0003 01 83 02"),
        ("0001 0000 0006 01 03 0000 0001", "0001 0000 0003 01 83 02"),
        # Beyond the last address, whoever is asked.
        ("0001 0000 0006 01 03 FFFF 0002", "0001 0000 0003 01 83 02"),
        ("0001 0000 0006 02 03 FFFF 0002", "0001 0000 0003 02 83 02"),
        # None, too many, and a request that is cut or has bytes left.
        ("0001 0000 0006 01 03 0064 0000", "0001 0000 0003 01 83 03"),
        ("0001 0000 0006 01 03 0064 007E", "0001 0000 0003 01 83 03"),
        ("0001 0000 0006 01 03 0064 FFFF", "0001 0000 0003 01 83 03"),
        ("0001 0000 0002 01 03", "0001 0000 0003 01 83 03"),
        ("0001 0000 0007 01 03 0064 0002 00", "0001 0000 0003 01 83 03"),
        # Units that there are not.
        ("0001 0000 0006 02 03 0064 0002", "0001 0000 0003 02 83 0B"),
        ("0001 0000 0006 FF 03 0064 0002", "0001 0000 0003 FF 83 0B"),
    ],
)
async def test_everything_else_is_refused(mirror: Mirror, request_: str, exception: str) -> None:
    """By its exception code; the connection goes on."""
    reader, writer = await asyncio.open_connection(HOST, mirror.port)
    writer.write(bytes.fromhex(request_))
    assert (await reader.readexactly(9)).hex() == bytes.fromhex(exception).hex()
    writer.write(READ)
    assert await reader.readexactly(13) == ANSWER
    writer.close()


async def test_what_is_too_old_gets_exception_11(mirror: Mirror) -> None:
    """The target device failed to respond."""
    mirror.unit.doubt([(101, 101)])
    assert await mirror.exchange(READ, 9) == bytes.fromhex("0007 0000 0003 01 83 0B")
    await mirror.until_clients(0)
    assert mirror.server.as_dict() == {
        "open": True,
        "clients": 0,
        "connections": 1,
        "turned_away": 0,
        "displaced": 0,
        "requests": 1,
        "exceptions": {"target_failed_to_respond": 1},
        "timeouts": 0,
        "not_modbus": 0,
    }


async def test_requests_that_come_together_are_answered_in_order(mirror: Mirror) -> None:
    """Also when they come in pieces."""
    reader, writer = await asyncio.open_connection(HOST, mirror.port)
    both = READ + READ.replace(b"\x00\x07", b"\x00\x08", 1)
    for cut in range(1, len(both)):
        writer.write(both[:cut])
        await asyncio.sleep(0)
        writer.write(both[cut:])
        answers = await reader.readexactly(26)
        assert answers == ANSWER + ANSWER.replace(b"\x00\x07\x00\x00", b"\x00\x08\x00\x00", 1)
    writer.close()


async def test_pymodbus_reads_and_may_not_write(mirror: Mirror) -> None:
    """A client that was not written for it."""
    async with AsyncModbusTcpClient(HOST, port=mirror.port) as client:
        assert (await client.read_holding_registers(100, count=2)).registers == [0x1234, 0xABCD]
        assert (await client.read_holding_registers(102)).exception_code == 2
        assert (await client.read_input_registers(100)).exception_code == 1
        assert (await client.write_register(100, 1)).exception_code == 1
        assert (await client.write_registers(100, [1, 2])).exception_code == 1
        assert (await client.read_holding_registers(100, device_id=3)).exception_code == 11
    assert mirror.unit.read(100, 2) == [0x1234, 0xABCD]


async def test_a_client_that_has_said_all_it_wants_gets_its_answers(mirror: Mirror) -> None:
    """It closes its side right after its requests, as programs of one line do."""
    reader, writer = await mirror.connect()
    writer.write(READ * 5)
    writer.write_eof()
    assert await reader.read(100) == ANSWER * 5
    assert await reader.read() == b""
    writer.close()


# ---------------------------------------------------------------------- hostile bytes


@pytest.mark.parametrize(
    "bytes_",
    [
        # Another protocol, a length that cannot be, and one that is too long.
        "0001 0001 0006 01 03 0064 0002",
        "0001 0000 0000 01",
        "0001 0000 0001 01",
        "0001 0000 00FF 01",
        "0001 0000 FFFF 01",
        # GET / HTTP/1.1, and a frame of a serial line.
        "474554202F20485454502F312E310D0A0D0A",
        "01 03 0064 0002 8514",
        "00" * 64,
        "FF" * 64,
    ],
)
async def test_what_is_no_modbus_tcp_is_hung_up_on(mirror: Mirror, bytes_: str) -> None:
    """Where the next request begins is not known any more; others are served as before."""
    reader, writer = await mirror.connect()
    writer.write(bytes.fromhex(bytes_))
    assert await is_hung_up(reader)
    assert mirror.server.statistics.not_modbus == 1
    assert await mirror.exchange(READ, 13) == ANSWER


@given(st.binary(max_size=400))
async def test_any_bytes_are_requests_or_not_modbus_or_an_end(data: bytes) -> None:
    """Nothing else comes of them, and every request is read or refused."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    taken = 0
    try:
        while True:
            request = await receive(reader)
            taken += 7 + len(request.pdu)
            assert 1 <= len(request.pdu) <= 253
            with suppress(RefusedError):
                first, count = request.read()
                assert request.pdu[0] == 3
                assert 1 <= count <= 125
                assert first + count <= 65536
    except NotModbusError, asyncio.IncompleteReadError:
        assert taken <= len(data)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(st.lists(st.one_of(st.binary(max_size=60), st.just(READ), st.just(READ[:5])), max_size=8))
async def test_whatever_a_client_sends_others_are_served(
    socket_enabled: None, pieces: list[bytes]
) -> None:
    """Also when it hangs up in the middle."""
    mirror = Mirror()
    mirror.open()
    try:
        _, writer = await asyncio.open_connection(HOST, mirror.port)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        writer.transport.abort()
        assert await mirror.exchange(READ, 13) == ANSWER
        assert mirror.unit.read(100, 2) == [0x1234, 0xABCD]
    finally:
        await mirror.server.close()
    assert mirror.server.clients == 0


# ---------------------------------------------------------------------- how much a client may take


def test_a_client_may_send_many_requests_at_once_and_some_in_the_long_run() -> None:
    """Fifty at once, then one every 40 ms; after two seconds of silence fifty at once again."""
    pace = Pace()
    assert max(round(pace.delay(0.0), 2) for _ in range(50)) == 0.0
    assert [round(pace.delay(0.0), 2) for _ in range(3)] == [0.04, 0.08, 0.12]
    assert round(pace.delay(0.16), 2) == 0.0
    assert max(round(pace.delay(2.16), 2) for _ in range(50)) == 0.0
    assert round(pace.delay(2.16), 2) == 0.04


async def test_a_client_at_full_speed_is_slowed_down_and_not_refused(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server reads no more of it than it answers."""
    monkeypatch.setattr(limits, "RATE", 100.0)
    monkeypatch.setattr(limits, "BURST", 10)
    reader, writer = await mirror.connect()
    began = asyncio.get_running_loop().time()
    writer.write(READ * 60)
    for _ in range(60):
        assert await reader.readexactly(13) == ANSWER
    # Ten at once, and fifty at a hundred a second.
    assert asyncio.get_running_loop().time() - began >= 0.45
    writer.close()


async def test_a_client_that_does_not_read_is_hung_up_on(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answers are not kept; others are served in the meantime."""
    monkeypatch.setattr(limits, "RATE", 1e9)
    monkeypatch.setattr(mirror_server, "WRITE_TIMEOUT", 0.2)
    mirror.unit.take(200, [0] * 125)
    with socket.socket() as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        greedy.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(greedy, (HOST, mirror.port))
        longest = bytes.fromhex("0007 0000 0006 01 03 00C8 007D")

        async def flood() -> None:
            while True:
                await loop.sock_sendall(greedy, longest * 100)

        flooding = asyncio.create_task(flood())
        assert await mirror.exchange(READ, 13) == ANSWER
        async with asyncio.timeout(30):
            while not mirror.server.statistics.timeouts:  # noqa: ASYNC110 - nobody says so
                await asyncio.sleep(0.01)
        with suppress(ConnectionError):
            await flooding
    await mirror.until_clients(0)


@pytest.mark.parametrize("piece", [b"", READ[:3], READ[:9]])
async def test_a_client_that_asks_nothing_is_hung_up_on(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, piece: bytes
) -> None:
    """Whoever has not sent a whole request in time; one byte after another does not help."""
    monkeypatch.setattr(mirror_server, "FIRST_TIMEOUT", 0.1)
    reader, writer = await mirror.connect()
    writer.write(piece)
    assert await is_hung_up(reader)
    assert mirror.server.statistics.timeouts == 1


async def test_a_client_that_has_asked_may_be_quiet_for_longer(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many ask only once a minute."""
    monkeypatch.setattr(mirror_server, "FIRST_TIMEOUT", 0.05)
    monkeypatch.setattr(mirror_server, "IDLE_TIMEOUT", 0.5)
    reader, writer = await mirror.connect()
    writer.write(READ)
    assert await reader.readexactly(13) == ANSWER
    await asyncio.sleep(0.2)
    writer.write(READ)
    assert await reader.readexactly(13) == ANSWER
    assert await is_hung_up(reader)
    assert mirror.server.statistics.timeouts == 1


# ---------------------------------------------------------------------- who is let in


async def test_eight_clients_are_served_and_a_ninth_finds_no_place(mirror: Mirror) -> None:
    """Until one of them goes."""
    clients = [await mirror.connect() for _ in range(8)]
    for reader, writer in clients:
        writer.write(READ)
        assert await reader.readexactly(13) == ANSWER
    ninth, _ = await mirror.connect()
    assert await is_hung_up(ninth)
    assert mirror.server.clients == 8
    assert mirror.server.statistics.turned_away == 1
    clients[3][1].close()
    await mirror.until_clients(7)
    assert await mirror.exchange(READ, 13) == ANSWER
    for _, writer in clients:
        writer.close()


async def test_whoever_takes_all_places_makes_room_for_others(mirror: Mirror) -> None:
    """The quietest of its connections, until both have as many; nobody gets more than that."""
    greedy = [await mirror.connect() for _ in range(8)]
    for reader, writer in greedy[1:]:
        writer.write(READ)
        assert await reader.readexactly(13) == ANSWER
    others = []
    for number in range(1, 5):
        other = await asyncio.open_connection(HOST, mirror.port, local_addr=("127.0.0.2", 0))
        other[1].write(READ)
        assert await other[0].readexactly(13) == ANSWER
        others.append(other)
        assert mirror.server.statistics.displaced == number
    assert await is_hung_up(greedy[0][0])
    fifth, writer = await asyncio.open_connection(HOST, mirror.port, local_addr=("127.0.0.2", 0))
    assert await is_hung_up(fifth)
    assert mirror.server.statistics.displaced == 4
    assert mirror.server.clients == 8
    for _, one in (*greedy, *others, (fifth, writer)):
        one.close()


async def test_nobody_is_displaced_by_whoever_would_have_as_many(mirror: Mirror) -> None:
    """Of eight places one has four, another three and a third one: they would take the fourth from each other."""
    clients = [
        await asyncio.open_connection(HOST, mirror.port, local_addr=(f"127.0.0.{number}", 0))
        for number, count in ((2, 4), (3, 3), (4, 1))
        for _ in range(count)
    ]
    await mirror.until_clients(8)
    refused, _ = await asyncio.open_connection(HOST, mirror.port, local_addr=("127.0.0.3", 0))
    assert await is_hung_up(refused)
    assert mirror.server.statistics.displaced == 0
    admitted, writer = await asyncio.open_connection(HOST, mirror.port, local_addr=("127.0.0.4", 0))
    writer.write(READ)
    assert await admitted.readexactly(13) == ANSWER
    assert mirror.server.statistics.displaced == 1
    for _, one in (*clients, (admitted, writer)):
        one.close()


async def test_a_flood_of_connections_does_not_hold_up_a_client(mirror: Mirror) -> None:
    """They are taken one by one; whoever is connected is answered all the time."""
    reader, writer = await mirror.connect()
    flood = [
        asyncio.create_task(asyncio.open_connection(HOST, mirror.port, local_addr=("127.0.0.2", 0)))
        for _ in range(40)
    ]
    loop = asyncio.get_running_loop()
    longest = 0.0
    for _ in range(40):
        began = loop.time()
        writer.write(READ)
        assert await reader.readexactly(13) == ANSWER
        longest = max(longest, loop.time() - began)
        await asyncio.sleep(0.01)
    # Far less than the pauses between forty connections that are accepted.
    assert longest < 0.5
    for task in flood:
        task.cancel()
    for result in await asyncio.gather(*flood, return_exceptions=True):
        if isinstance(result, tuple):
            result[1].transport.abort()
    writer.close()


# ---------------------------------------------------------------------- the port


async def test_a_port_in_use_is_told_apart_from_an_address_of_another_computer(
    mirror: Mirror,
) -> None:
    """What a person can do about it differs."""
    for host in (HOST, "0.0.0.0"):  # noqa: S104 - it is refused
        with pytest.raises(CannotListenError) as caught:
            listen(host, mirror.port)
        assert caught.value.reason == "in_use"
    with pytest.raises(CannotListenError) as caught:
        listen("192.0.2.1", 5020)
    assert caught.value.reason == "address_unavailable"
    with pytest.raises(CannotListenError) as caught:
        listen(HOST, 70000)
    assert caught.value.reason == "other"


async def test_closing_hangs_up_on_everybody_and_frees_the_port(mirror: Mirror) -> None:
    """At once, so that the next one can listen there."""
    reader, writer = await mirror.connect()
    writer.write(READ)
    assert await reader.readexactly(13) == ANSWER
    await mirror.server.close()
    assert not mirror.server.is_open
    assert await is_hung_up(reader)
    again = MirrorServer({1: mirror.unit})
    again.open(HOST, mirror.port)
    assert await mirror.exchange(READ, 13) == ANSWER
    await again.close()


async def test_all_addresses_of_ipv6_are_those_of_ipv4_too(socket_enabled: None) -> None:
    """Where this computer has both: whoever asks for all of them means all."""
    mirror = Mirror()
    with socket.socket() as free:
        free.bind((HOST, 0))
        mirror.port = free.getsockname()[1]
    try:
        mirror.server.open("::", mirror.port)
    except CannotListenError:
        pytest.skip("no IPv6 here")
    mirror.unit.take(100, [0x1234, 0xABCD])
    assert await mirror.exchange(READ, 13) == ANSWER
    await mirror.server.close()


def test_ipv6_is_an_address_like_any_other(socket_enabled: None) -> None:
    """Where this computer has it."""
    try:
        listening = listen("::1", 0)
    except CannotListenError:
        pytest.skip("no IPv6 here")
    with listening:
        assert listening.family is socket.AF_INET6
