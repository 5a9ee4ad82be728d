"""The Wi-Fi stick, byte by byte over real sockets: its frames, its habits, and how it is found.

The stick's serial number is 1700000001, 0x6553F101. Its requests and answers are put together here by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
import json
from pathlib import Path
import signal
import socket
import sys

import aiohttp
import pytest

from simulator import SimulatedPlant
from simulator.control import ControlServer

from .wire import exchange

pytestmark = pytest.mark.usefixtures("socket_enabled")

ROOT = Path(__file__).parents[2]

# Read the work mode (142), sequence 0x97: 0x17 + 0x10 + 0x45 + 0x97 + 0x1AA of the serial number + 2 + 0x198 = 0x447.
READ = "a5 1700 1045 9700 01f15365 02 0000 00000000 00000000 00000000 0103008e0001e421 47 15"
# Write 0 to it, sequence 0x98: 0x1A + 0x10 + 0x45 + 0x98 + 0x1AA + 2 + 0x218 = 0x4CB.
WRITE = "a5 1a00 1045 9800 01f15365 02 0000 00000000 00000000 00000000 0110008e0001020000b8be cb 15"
READ_ANSWER = "0103020002 3985"
HEADER = "a5 1500 1015 97"


@pytest.fixture
async def plant() -> AsyncGenerator[SimulatedPlant]:
    """Return a plant behind a stick, whose time stands still."""
    async with SimulatedPlant(stick=True, logger_serial=1700000001) as plant:
        plant.stick.habits.timeout = 0.05
        yield plant


async def answers_to(plant: SimulatedPlant, *requests: str) -> bytes:
    """Return what comes back from the stick."""
    return bytes.fromhex(await exchange(plant.stick_port, *requests))


def frames_of(received: bytes) -> list[bytes]:
    """Return the frames in what came back, each with its right length, checksum and end."""
    frames = []
    while received:
        assert received[0] == 0xA5
        size = 13 + received[1] + 256 * received[2]
        frame, received = received[:size], received[size:]
        assert len(frame) == size
        assert frame[-1] == 0x15
        assert frame[-2] == sum(frame[1:-2]) % 256
        frames.append(frame)
    return frames


def rtu_frame_of(frame: bytes) -> str:
    """Return what follows the three times in an answer."""
    return frame[25:-2].hex()


def without_spaces(text: str) -> str:
    """Return hex without spaces."""
    return text.replace(" ", "")


async def test_an_answer_echoes_the_first_sequence_byte_and_counts_in_the_second(
    plant: SimulatedPlant,
) -> None:
    """An answer repeats the first byte of the sequence, and counts in the second."""
    first, second = frames_of(await answers_to(plant, READ, WRITE))
    assert first[:13].hex() == without_spaces(HEADER + "01 01f15365 0201")
    assert rtu_frame_of(first) == without_spaces(READ_ANSWER)
    assert second[:13].hex() == without_spaces("a5 1600 1015 98 02 01f15365 0201")
    assert rtu_frame_of(second)[:12] == "0110008e0001"
    assert plant.machine().word(142) == 0
    assert plant.stick.statistics.requests == 2


@pytest.mark.parametrize(
    "request_hex",
    [
        # A wrong checksum, a wrong end, another control code, another type of frame.
        READ[:-5] + "48 15",
        READ[:-2] + "16",
        READ.replace("1045", "1047")[:-5] + "49 15",
        READ.replace(" 02 ", " 03 ")[:-5] + "48 15",
        # A wrong CRC inside, and Modbus TCP.
        READ.replace("e421", "e422")[:-5] + "48 15",
        "0001 0000 0006 01 03 008e 0001",
    ],
)
async def test_invalid_frames_go_unanswered_and_the_next_request_is_answered(
    plant: SimulatedPlant, request_hex: str
) -> None:
    """What is no request is not answered, and the next request is."""
    (answer,) = frames_of(await answers_to(plant, request_hex, READ))
    assert rtu_frame_of(answer) == without_spaces(READ_ANSWER)


async def test_requests_may_arrive_in_pieces_or_back_to_back(plant: SimulatedPlant) -> None:
    """Frames may be cut anywhere, and follow each other without a pause."""
    request = without_spaces(READ)
    sticks_that_answer = frames_of(
        await answers_to(plant, "00a5ff", request[:2], request[2:30], request[30:] + request)
    )
    assert [rtu_frame_of(frame) for frame in sticks_that_answer] == [
        without_spaces(READ_ANSWER)
    ] * 2


async def test_the_stick_reports_a_silent_device_or_an_unknown_unit_with_code_5(
    plant: SimulatedPlant,
) -> None:
    """The stick tells of a silent machine and of a unit that nobody has: code 5. Some say nothing."""
    # Unit 2: its RTU frame adds up to 0x18A instead of 0x198.
    other = READ.replace("0103008e0001e421", "0203008e0001e412")[:-5] + "39 15"
    (frame,) = frames_of(await answers_to(plant, other))
    assert frame[:13].hex() == without_spaces("a5 1000 1015 97 01 01f15365 0201")
    assert rtu_frame_of(frame) == "0500"
    plant.machine().trouble.silent = True
    (frame,) = frames_of(await answers_to(plant, READ))
    assert rtu_frame_of(frame) == "0500"
    plant.stick.habits.reports_silence = False
    assert await answers_to(plant, READ) == b""


async def test_a_wrong_serial_number_gets_code_6_and_never_reaches_the_device(
    plant: SimulatedPlant,
) -> None:
    """Code 6, with the right serial number in the frame; the machine is not asked."""
    # 02 instead of 01.
    wrong = READ.replace("01f15365", "02f15365")[:-5] + "48 15"
    (frame,) = frames_of(await answers_to(plant, wrong))
    assert frame[:13].hex() == without_spaces("a5 1000 1015 97 01 01f15365 0201")
    assert rtu_frame_of(frame) == "0600"
    assert plant.stick.statistics.requests == 0


async def test_a_heartbeat_a_foreign_answer_or_data_can_precede_the_answer(
    plant: SimulatedPlant,
) -> None:
    """A heartbeat, then an answer to what the stick itself asked, then data, each before the answer."""
    plant.stick.habits.unsolicited = 1
    sticks_that_answer = frames_of(await answers_to(plant, READ, READ, READ))
    # 0x01 + 0x10 + 0x47 + 0x97 + 0x01 + 0x1AA = 0x29A.
    assert sticks_that_answer[0].hex() == without_spaces("a5 0100 1047 97 01 01f15365 00 9a 15")
    assert sticks_that_answer[2][:6].hex() == "a51500101500"
    # One register, as in the request; it holds what no work mode is.
    assert rtu_frame_of(sticks_that_answer[2])[:10] == "010302a5a5"
    assert sticks_that_answer[4][3:5].hex() == "1042"
    assert [rtu_frame_of(frame) for frame in sticks_that_answer[1::2]] == [
        without_spaces(READ_ANSWER)
    ] * 3


async def test_each_habit_alone_spoils_the_answer_in_its_own_way(plant: SimulatedPlant) -> None:
    """Each habit alone."""
    habits = plant.stick.habits
    habits.wrong_sequence = 1
    (frame,) = frames_of(await answers_to(plant, READ))
    assert (frame[5], rtu_frame_of(frame)) == (0x98, without_spaces(READ_ANSWER))
    habits.wrong_sequence, habits.duplicate = 0, 1
    first, second = frames_of(await answers_to(plant, READ))
    assert first == second
    assert rtu_frame_of(first) == without_spaces(READ_ANSWER)
    habits.duplicate, habits.trailing_zeros = 0, 1
    (frame,) = frames_of(await answers_to(plant, READ))
    assert frame[:6].hex() == "a51700101597"
    assert rtu_frame_of(frame) == without_spaces(READ_ANSWER) + "0000"
    habits.trailing_zeros, habits.truncated = 0, 1
    part = await answers_to(plant, READ)
    assert 0 < len(part) < 34
    assert part.startswith(bytes.fromhex(HEADER)[: len(part)])
    habits.truncated, habits.garbage = 0, 1
    received = await answers_to(plant, READ)
    assert len(received) > 34
    assert received[0] == 0xA5
    (frame,) = frames_of(received[-34:])
    assert rtu_frame_of(frame) == without_spaces(READ_ANSWER)


async def test_an_error_frame_answers_a_request_that_never_reaches_the_device(
    plant: SimulatedPlant,
) -> None:
    """An error frame stands for a request that the machine never heard."""
    plant.stick.habits.error_frames = 1
    (frame,) = frames_of(await answers_to(plant, WRITE))
    assert (frame[5], rtu_frame_of(frame)) == (0x98, "0500")
    assert plant.machine().writes == []


async def test_a_late_answer_arrives_after_the_answer_to_the_next_request(
    plant: SimulatedPlant,
) -> None:
    """A late answer comes after that to the next request."""
    plant.stick.habits.late = 1
    plant.stick.habits.late_seconds = 0.2
    reader, writer = await asyncio.open_connection("127.0.0.1", plant.stick_port)
    writer.write(bytes.fromhex(READ))
    await asyncio.sleep(0.05)
    plant.stick.habits.late = 0
    writer.write(bytes.fromhex(WRITE))
    async with asyncio.timeout(2):
        assert (await reader.readexactly(35))[5] == 0x98
        assert (await reader.readexactly(34))[5] == 0x97
    writer.close()


async def test_the_connection_ends_without_an_answer_although_the_request_was_executed(
    plant: SimulatedPlant,
) -> None:
    """The connection ends instead of an answer, although the machine has heard the request."""
    plant.stick.habits.disconnect = 1
    reader, writer = await asyncio.open_connection("127.0.0.1", plant.stick_port)
    writer.write(bytes.fromhex(WRITE))
    async with asyncio.timeout(2):
        assert await reader.read() == b""
    writer.close()
    assert plant.machine().word(142) == 0


async def test_a_second_client_is_ignored_while_the_first_one_is_connected(
    plant: SimulatedPlant,
) -> None:
    """Another client is not heard while the first is connected, unless the stick can do better."""
    _, writer = await asyncio.open_connection("127.0.0.1", plant.stick_port)
    writer.write(bytes.fromhex(READ))
    await asyncio.sleep(0.05)
    assert await answers_to(plant, READ) == b""
    plant.stick.habits.one_client = False
    assert len(await answers_to(plant, READ)) == 34
    plant.stick.habits.one_client = True
    writer.close()
    await asyncio.sleep(0.05)
    assert len(await answers_to(plant, READ)) == 34


async def test_requests_go_unanswered_while_the_stick_is_busy_or_pausing(
    plant: SimulatedPlant,
) -> None:
    """Nobody is heard while it is busy or takes a rest."""
    plant.stick.habits.busy = True
    assert await answers_to(plant, READ) == b""
    plant.stick.habits.busy = False
    plant.stick.habits.pause_every = plant.stick.habits.pause = 10
    assert await answers_to(plant, READ) == b""
    plant.stick.habits.pause = 0
    assert len(await answers_to(plant, READ)) == 34


def sticks_that_answer(question: bytes, host: str, port: int) -> list[tuple[str, str]]:
    """Return who answers a question, and what, in the order of their addresses."""
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        asker.settimeout(0.2)
        asker.sendto(question, (host, port))
        while True:
            try:
                data, (address, _) = asker.recvfrom(100)
            except TimeoutError:
                return sorted(answers)
            answers.append((address, data.decode()))


async def test_two_sticks_answer_a_broadcast_and_each_one_at_its_own_address() -> None:
    """Two sticks on one computer answer a broadcast, and each one what is sent to its own address."""
    async with (
        SimulatedPlant(stick=True, stick_udp_port=0) as first,
        SimulatedPlant(
            host="127.0.0.2",
            stick=True,
            stick_udp_port=first.stick_udp_port,
            logger_serial=1700000002,
        ) as second,
    ):
        port = first.stick_udp_port
        one = ("127.0.0.1", "127.0.0.1,02A56553F101,1700000001")
        two = ("127.0.0.2", "127.0.0.2,02A56553F102,1700000002")

        async def answers(question: bytes, host: str) -> list[tuple[str, str]]:
            return await asyncio.to_thread(sticks_that_answer, question, host, port)

        assert await answers(b"WIFIKIT-214028-READ", "127.255.255.255") == [one, two]
        assert await answers(b"HF-A11ASSISTHREAD", "127.255.255.255") == [one, two]
        assert await answers(b"WIFIKIT-214028-READ", "127.0.0.1") == [one]
        assert await answers(b"HF-A11ASSISTHREAD", "127.0.0.2") == [two]
        assert await answers(b"AT+", "127.0.0.1") == []
        second.stick_search.deaf = True
        assert await answers(b"WIFIKIT-214028-READ", "127.255.255.255") == [one]
    assert first.stick_udp_port == second.stick_udp_port == 0


async def test_a_stick_listening_on_all_addresses_reports_the_one_facing_the_client() -> None:
    """A stick that listens on every address tells the one that it was asked from."""
    async with SimulatedPlant(host="0.0.0.0", stick=True, stick_udp_port=0) as plant:  # noqa: S104
        port = plant.stick_udp_port
        answers = await asyncio.to_thread(
            sticks_that_answer, b"WIFIKIT-214028-READ", "127.255.255.255", port
        )
        assert answers == [("127.0.0.1", "127.0.0.1,02A56553F101,1700000001")]


async def test_there_is_no_stick_unless_requested() -> None:
    """There is none unless it is asked for."""
    async with SimulatedPlant(stick_udp_port=0) as plant:
        assert (plant.stick_port, plant.stick_udp_port) == (0, 0)


async def test_habits_are_changed_over_http_and_an_invalid_one_changes_nothing(
    plant: SimulatedPlant,
) -> None:
    """Habits are changed over HTTP; a wrong one changes nothing."""
    control = ControlServer(plant)
    await control.start(0)
    url = f"http://127.0.0.1:{control.port}/stick"
    async with aiohttp.ClientSession() as session:
        async with session.post(url, json={"late": 0.1, "busy": True, "pause": 90}) as answer:
            changed = await answer.json()
        assert (changed["late"], changed["busy"], changed["pause"]) == (0.1, True, 90)
        assert (plant.stick.habits.late, plant.stick.habits.busy) == (0.1, True)
        for body in ({"duplicate": 1, "late": 1.1}, {"late": True}, {"busy": 1}, {"lat": 0.1}):
            async with session.post(url, json=body) as answer:
                assert answer.status == 400
        async with session.get(url) as answer:
            assert await answer.json() == changed
        plant.stick.habits.busy = False
        await answers_to(plant, READ)
        async with session.get(f"http://127.0.0.1:{control.port}/statistics") as answer:
            assert (await answer.json())["stick"]["requests"] == 1
    await control.stop()


async def test_the_command_accepts_the_sticks_ports_and_serial_number() -> None:
    """The command takes the stick's ports and serial number."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--tcp-port", "none", "--rtu-port", "none"),
        *("--control-port", "none", "--stick-port", "0", "--stick-udp-port", "0"),
        *("--logger-serial", "1700000003", "--start", "2026-06-21"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            ports = json.loads(await process.stdout.readline())
        # 03 instead of 01.
        request = READ.replace("01f15365", "03f15365")[:-5] + "49 15"
        (frame,) = frames_of(bytes.fromhex(await exchange(ports["stick"], request)))
        assert (frame[7:11].hex(), rtu_frame_of(frame)) == ("03f15365", without_spaces(READ_ANSWER))
        answers = await asyncio.to_thread(
            sticks_that_answer, b"HF-A11ASSISTHREAD", "127.0.0.1", ports["stick_udp"]
        )
        assert answers == [("127.0.0.1", "127.0.0.1,02A56553F103,1700000003")]
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
