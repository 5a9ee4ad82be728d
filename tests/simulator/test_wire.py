"""The servers, byte by byte over real sockets: both framings, exceptions, silence, a serial line's timing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
import os

import pytest
import serial  # type: ignore[import-untyped]

from simulator import LineTiming, SimulatedPlant

from .wire import SILENCE, exchange

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def plant() -> AsyncGenerator[SimulatedPlant]:
    """Return a plant with two units whose time stands still."""
    async with SimulatedPlant(units=(1, 3)) as plant:
        yield plant


@pytest.mark.parametrize(
    ("request_hex", "answer"),
    [
        # Work mode, and the serial number of either unit.
        ("0001 0000 0006 01 03 008e 0001", "00 01 00 00 00 05 01 03 02 00 02"),
        (
            "abcd 0000 0006 01 03 0003 0005",
            "ab cd 00 00 00 0d 01 03 0a 4a 53 4f 30 30 30 30 30 30 31",
        ),
        (
            "abcd 0000 0006 03 03 0003 0005",
            "ab cd 00 00 00 0d 03 03 0a 4a 53 4f 30 30 30 30 30 30 32",
        ),
        # FC16 is acknowledged; FC06 and FC04 are illegal functions.
        ("0002 0000 0009 01 10 008e 0001 02 0000", "00 02 00 00 00 06 01 10 00 8e 00 01"),
        ("0003 0000 0006 01 06 008e 0000", "00 03 00 00 00 03 01 86 01"),
        ("0003 0000 0006 01 04 008e 0001", "00 03 00 00 00 03 01 84 01"),
        # Illegal addresses: a gap, and a register that cannot be written.
        ("0004 0000 0006 01 03 00ee 0001", "00 04 00 00 00 03 01 83 02"),
        ("0004 0000 0009 01 10 0000 0001 02 0000", "00 04 00 00 00 03 01 90 02"),
        # Illegal values: 126 registers, and a byte count that does not fit.
        ("0005 0000 0006 01 03 0000 007e", "00 05 00 00 00 03 01 83 03"),
        ("0005 0000 0009 01 10 008e 0002 02 0000", "00 05 00 00 00 03 01 90 03"),
        # A gateway tells that nobody is there.
        ("0006 0000 0006 02 03 0000 0001", "00 06 00 00 00 03 02 83 0b"),
        # Not Modbus TCP.
        ("0007 0001 0006 01 03 0000 0001", ""),
        ("01 03 00 8e 00 01 e4 21", ""),
    ],
)
async def test_modbus_tcp_requests_get_their_literal_answers(
    plant: SimulatedPlant, request_hex: str, answer: str
) -> None:
    """Literal requests in Modbus TCP framing and their literal answers."""
    assert await exchange(plant.tcp_port, request_hex) == answer


@pytest.mark.parametrize(
    ("request_hex", "answer"),
    [
        ("01 03 0000 0001 840a", "01 03 02 00 05 78 47"),
        ("01 03 008e 0001 e421", "01 03 02 00 02 39 85"),
        ("01 03 0003 0005 75c9", "01 03 0a 4a 53 4f 30 30 30 30 30 30 31 05 ed"),
        ("01 10 008e 0001 02 0000 b8be", "01 10 00 8e 00 01 61 e2"),
        ("01 06 0091 0000 d827", "01 86 01 83 a0"),
        ("01 2b 0e 01 00 7077", "01 ab 01 9e f0"),
        ("01 03 00ee 0001 e43f", "01 83 02 c0 f1"),
        ("01 03 0000 007e c5ea", "01 83 03 01 31"),
        # Another unit, a wrong CRC, and Modbus TCP: silence.
        ("02 03 0000 0001 8439", ""),
        ("01 03 0000 0001 840b", ""),
        ("0001 0000 0006 01 03 008e 0001", ""),
    ],
)
async def test_rtu_requests_over_tcp_get_their_literal_answers(
    plant: SimulatedPlant, request_hex: str, answer: str
) -> None:
    """Literal requests in RTU framing and their literal answers."""
    assert await exchange(plant.rtu_port, request_hex) == answer


async def test_a_request_may_arrive_in_pieces_and_two_may_arrive_at_once(
    plant: SimulatedPlant,
) -> None:
    """A request may come in pieces, and two may come at once."""
    twice = "01 03 02 00 05 78 47 01 03 02 00 02 39 85"
    pieces = ("01 03 00", "00 00 01 84 0a 01 03 008e 00", "01 e421")
    assert await exchange(plant.rtu_port, *pieces) == twice
    answer = "00 01 00 00 00 05 01 03 02 00 02"
    halves = ("0001 0000 0006 01", "03 008e 0001 0001 0000 0006 01 03 008e 0001")
    assert await exchange(plant.tcp_port, *halves) == f"{answer} {answer}"


async def test_half_a_frame_is_forgotten(plant: SimulatedPlant) -> None:
    """After a silence the next request starts from nothing."""
    for port, request, answer in (
        (plant.rtu_port, "01 03 0000 0001 840a", "01 03 02 00 05 78 47"),
        (plant.tcp_port, "0001 0000 0006 01 03 008e 0001", "00 01 00 00 00 05 01 03 02 00 02"),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes.fromhex(request)[:5])
        await asyncio.sleep(0.7)
        writer.write(bytes.fromhex(request))
        assert await reader.read(100) == bytes.fromhex(answer)
        writer.close()


async def test_a_write_changes_the_machine(plant: SimulatedPlant) -> None:
    """What is written on one framing is read on the other."""
    assert plant.machine().word(142) == 2
    await exchange(plant.rtu_port, "01 10 008e 0001 02 0000 b8be")
    answer = await exchange(plant.tcp_port, "0001 0000 0006 01 03 008e 0001")
    assert answer == "00 01 00 00 00 05 01 03 02 00 00"
    assert plant.machine(1).writes[0].values == (0,)
    assert plant.machine(3).writes == []


async def test_a_silent_unit_does_not_affect_the_other_one(plant: SimulatedPlant) -> None:
    """A unit that does not answer leaves the other one alone."""
    plant.machine(1).trouble.silent = True
    assert await exchange(plant.tcp_port, "0001 0000 0006 01 03 008e 0001") == ""
    answer = await exchange(plant.tcp_port, "0001 0000 0006 03 03 008e 0001")
    assert answer == "00 01 00 00 00 05 03 03 02 00 02"
    assert plant.tcp.statistics.unanswered == 1


async def test_tampered_and_late_answers(plant: SimulatedPlant) -> None:
    """For tests of a client an answer can be spoiled or late."""
    plant.rtu.tamper = lambda answer: answer[:-1]
    assert await exchange(plant.rtu_port, "01 03 0000 0001 840a") == "01 03 02 00 05 78"
    plant.rtu.tamper = None
    plant.rtu.delay = SILENCE * 2
    assert await exchange(plant.rtu_port, "01 03 0000 0001 840a") == ""


async def test_the_server_keeps_serving_after_connections_are_dropped(
    plant: SimulatedPlant,
) -> None:
    """Connections can be cut; the server goes on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", plant.tcp_port)
    await asyncio.sleep(0.02)
    plant.tcp.drop_connections()
    assert await reader.read(1) == b""
    writer.close()
    assert await exchange(plant.rtu_port, "01 03 0000 0001 840a") == "01 03 02 00 05 78 47"
    plant.tcp.hang_up = True
    reader, writer = await asyncio.open_connection("127.0.0.1", plant.tcp_port)
    assert await reader.read(1) == b""
    writer.close()


async def test_a_second_client_goes_unheard_until_the_first_one_disconnects(
    plant: SimulatedPlant,
) -> None:
    """A module serves its first client alone: another one is not heard, whatever it says, until that one has gone."""
    plant.tcp.one_client = True
    request = bytes.fromhex("0001 0000 0006 01 03 008e 0001")
    answer = bytes.fromhex("00 01 00 00 00 05 01 03 02 00 02")
    reader, writer = await asyncio.open_connection("127.0.0.1", plant.tcp_port)
    writer.write(request)
    assert await reader.readexactly(11) == answer
    other_reader, other_writer = await asyncio.open_connection("127.0.0.1", plant.tcp_port)
    # A write that nobody heard does not come true later.
    other_writer.write(bytes.fromhex("0002 0000 0009 01 10 008e 0001 02 0000"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SILENCE):
            await other_reader.read(1)
    writer.write(request)
    assert await reader.readexactly(11) == answer
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    other_writer.write(request)
    assert await other_reader.readexactly(11) == answer
    other_writer.close()
    assert plant.machine().writes == []


async def test_only_reads_that_touch_a_silent_block_go_unanswered(plant: SimulatedPlant) -> None:
    """Reads that touch it stay unanswered, all others and all writes are answered."""
    plant.machine().trouble.silent_blocks = ((100, 149), (10000, 10999))
    assert await exchange(plant.tcp_port, "0001 0000 0006 01 03 0062 0003") == ""
    assert await exchange(plant.tcp_port, "0001 0000 0006 01 03 0095 0002") == ""
    assert await exchange(plant.tcp_port, "0001 0000 0006 01 03 2710 0001") == ""
    # 08:00, the start of the third slot.
    answer = "00 01 00 00 00 05 01 03 02 03 20"
    assert await exchange(plant.tcp_port, "0001 0000 0006 01 03 0096 0001") == answer
    written = "00 01 00 00 00 06 01 10 00 8e 00 01"
    assert await exchange(plant.tcp_port, "0001 0000 0009 01 10 008e 0001 02 0000") == written


async def test_rtu_on_the_serial_port_serves_successive_clients_byte_for_byte() -> None:
    """RTU on a pseudo terminal, for one client after the other; no byte is translated or echoed."""
    async with SimulatedPlant(serial=True, tcp_port=None, rtu_port=None) as plant:
        # A client that does not set the terminal up: the line feed in its CRC must still arrive alone.
        terminal = os.open(plant.serial_device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        os.write(terminal, bytes.fromhex("01 03 0000 0001 840a"))
        await asyncio.sleep(0.1)
        assert os.read(terminal, 100) == bytes.fromhex("01 03 02 00 05 78 47")
        os.close(terminal)
        with serial.Serial(plant.serial_device, 9600, timeout=2) as port:
            port.write(bytes.fromhex("01 03 008e 0001 e421"))
            answer = await asyncio.to_thread(port.read, 7)
        assert answer == bytes.fromhex("01 03 02 00 02 39 85")
        assert plant.serial.statistics.requests == 2
    assert plant.serial_device == ""


async def test_requests_registers_and_exceptions_are_counted(plant: SimulatedPlant) -> None:
    """Requests, registers and exceptions are counted."""
    await exchange(
        plant.tcp_port,
        "0001 0000 0006 01 03 008e 0003",
        "0002 0000 0009 01 10 008e 0001 02 0000",
        "0003 0000 0006 01 03 00ee 0001",
    )
    assert plant.tcp.statistics.as_dict() == {
        "connections": 1,
        "requests": 3,
        "unanswered": 0,
        "registers_read": 3,
        "registers_written": 1,
        "exceptions": {"2": 1},
        "busy_seconds": 0,
    }


def test_a_character_is_10_bits_or_11_with_parity_and_a_gap_is_3_5_characters() -> None:
    """One character is 10 bits at 9600 8N1, 11 with parity; a gap is 3.5 characters."""
    line = LineTiming()
    assert line.character == pytest.approx(0.00104166667)
    assert line.gap == pytest.approx(0.00364583333)
    # Eight bytes, a gap, the turnaround; then seven bytes and a gap.
    assert line.before_answer(8) == pytest.approx(0.0269791667)
    assert line.answer(7) == pytest.approx(0.0109375)
    assert LineTiming(parity="E").character == pytest.approx(0.00114583333)
    assert LineTiming(baudrate=115200, stopbits=2).character == pytest.approx(9.548611e-05)


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
async def test_the_line_serves_one_at_a_time(framing: str) -> None:
    """Two clients at once wait for each other: 2 x 37.9 ms at 9600 baud for one register each."""
    async with SimulatedPlant(line=LineTiming()) as plant:
        server = getattr(plant, framing)
        request = "0001 0000 0006 01 03 008e 0001" if framing == "tcp" else "01 03 0000 0001 840a"
        clients = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2)]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        ends = []

        async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes.fromhex(request))
            await reader.readexactly(7)
            ends.append(loop.time() - begun)
            writer.close()

        await asyncio.gather(*(ask(*client) for client in clients))
        assert 0.0375 <= ends[0] <= 0.150
        assert 0.0755 <= ends[1] <= 0.300
        assert server.statistics.busy_seconds == pytest.approx(0.0758333, abs=1e-6)


async def test_the_plant_advances_by_itself_when_it_has_a_speed() -> None:
    """With a speed, the plant moves by itself."""
    async with SimulatedPlant(speed=1000, rtu_port=None) as plant:
        assert plant.rtu_port == 0
        before = plant.machine().inverter.now
        await asyncio.sleep(1.1)
        passed = (plant.machine().inverter.now - before).total_seconds()
    assert 900 <= passed <= 1200


async def test_without_a_speed_time_and_delays_move_only_when_advanced(
    plant: SimulatedPlant,
) -> None:
    """Without a speed time stands still until a test moves it, and delays follow it."""
    machine = plant.machine()
    before = machine.value("system_time")
    await asyncio.sleep(0.05)
    assert machine.value("system_time") == before
    machine.trouble.slow_commit = 60
    machine.write(142, [0])
    plant.advance(59)
    assert machine.word(142) == 2
    plant.advance(1)
    assert machine.word(142) == 0


async def test_a_port_in_use_raises_an_error_and_leaves_nothing_open() -> None:
    """A port in use is an error, and nothing stays open."""
    async with SimulatedPlant(rtu_port=None) as first:
        second = SimulatedPlant(tcp_port=0, rtu_port=first.tcp_port)
        with pytest.raises(OSError):  # noqa: PT011 - the number of the error is the system's
            await second.__aenter__()
        assert second.tcp_port == 0
