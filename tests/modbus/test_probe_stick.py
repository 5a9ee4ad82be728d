"""What a person is told about a Wi-Fi stick behind which nothing usable is, and how it is spoken to; over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
import socket
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.errors import RejectedError
from custom_components.hybrid_inverter.modbus.find import (
    probe as probe_module,
    probe_stick as module,
)
from custom_components.hybrid_inverter.modbus.find.probe import SCAN_UNITS, Failure, ProbeError
from custom_components.hybrid_inverter.modbus.find.probe_stick import (
    PLAIN_TIMEOUT,
    STICK_SCAN_TIMEOUT,
    STICK_TIMEOUT,
    ask_stick,
    probe_stick,
)
from custom_components.hybrid_inverter.modbus.find.sticks import FoundStick
from custom_components.hybrid_inverter.modbus.transport.endpoint import (
    Framing,
    StickEndpoint,
    TcpEndpoint,
)
from custom_components.hybrid_inverter.modbus.transport.link import Link
from simulator import SimulatedPlant

HOST: Final = "127.0.0.1"
SERIAL: Final = 1700000001
OTHER: Final = 1700000002


class Told:
    """Stands in for the search: what the stick tells of itself."""

    def __init__(self) -> None:
        """Tell nothing."""
        self.sticks: list[FoundStick] = []
        self.asked = 0

    async def __call__(self, host: str | None = None) -> list[FoundStick]:
        """Answer for the host that was asked."""
        assert host is not None
        self.asked += 1
        return self.sticks

    def tell(self, serial: int) -> None:
        """Tell this serial number."""
        self.sticks = [FoundStick(HOST, "02:a5:00:00:00:01", serial)]


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Wait no longer than a server on this computer needs, and ask no real network."""
    fake = Told()
    monkeypatch.setattr(probe_module, "PROBE_TIMEOUT", 0.2)
    monkeypatch.setattr(module, "STICK_TIMEOUT", 0.2)
    monkeypatch.setattr(module, "PLAIN_TIMEOUT", 0.1)
    monkeypatch.setattr(module, "STICK_SCAN_TIMEOUT", 0.1)
    monkeypatch.setattr(probe_module, "SCAN_TIMEOUT", 0.05)
    monkeypatch.setattr(probe_module, "Link", partial(Link, spacing=0.002))
    # At this one nobody listens.
    monkeypatch.setattr(module, "PLAIN_PORT", 1)
    monkeypatch.setattr(module, "find_sticks", fake)
    return fake


@pytest.fixture
async def plant(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return a JSO8048104 behind a stick, which tells of a silent machine within 20 ms."""
    async with SimulatedPlant(stick=True, logger_serial=SERIAL) as plant:
        plant.stick.habits.timeout = 0.02
        yield plant


@asynccontextmanager
async def mute(*, hang_up: bool = False) -> AsyncIterator[int]:
    """Listen on a port and say nothing, or close every connection."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while not hang_up and await reader.read(100):
                pass
        writer.close()

    server = await asyncio.start_server(listen, HOST, 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def failure_of(port: int, serial: int | None = SERIAL, unit_id: int = 1) -> tuple[str, str]:
    """Return why a probe fails, and what it found."""
    with pytest.raises(ProbeError) as caught:
        await probe_stick(HOST, port, serial, unit_id)
    error = caught.value
    return error.failure, error.found if error.other is None else error.other.found


# ---------------------------------------------------------------------- a machine of ours


async def test_stick_is_probed_in_its_own_envelope_and_the_connection_closed(
    plant: SimulatedPlant, told: Told
) -> None:
    """In its own envelope; the connection is closed behind us, and nothing else is tried."""
    reached = await probe_stick(HOST, plant.stick_port, SERIAL, 1)
    assert reached.endpoint == StickEndpoint(HOST, plant.stick_port, logger_serial=SERIAL)
    assert (reached.identity.model, reached.identity.serial) == ("JSO8048104", "JSO0000001")
    assert told.asked == 0
    assert plant.tcp.statistics.requests == 0


@pytest.mark.parametrize("serial", [SERIAL, None])
async def test_plain_modbus_on_the_same_port(plant: SimulatedPlant, serial: int | None) -> None:
    """Some sticks speak Modbus TCP where others have their envelope."""
    reached = await probe_stick(HOST, plant.tcp_port, serial, 1)
    assert reached.endpoint == TcpEndpoint(HOST, plant.tcp_port, Framing.TCP)
    assert reached.identity.serial == "JSO0000001"


@pytest.mark.parametrize("serial", [SERIAL, None])
async def test_plain_modbus_on_its_own_port(
    plant: SimulatedPlant, monkeypatch: pytest.MonkeyPatch, serial: int | None
) -> None:
    """Others on 502, and have 8899 closed, or open for something else."""
    monkeypatch.setattr(module, "PLAIN_PORT", plant.tcp_port)
    reached = await probe_stick(HOST, 2, serial, 1)
    assert reached.endpoint == TcpEndpoint(HOST, plant.tcp_port, Framing.TCP)
    async with mute() as port:
        reached = await probe_stick(HOST, port, serial, 1)
    assert reached.endpoint == TcpEndpoint(HOST, plant.tcp_port, Framing.TCP)


# ---------------------------------------------------------------------- no connection


async def test_a_stick_without_a_local_port(socket_enabled: None, told: Told) -> None:
    """Newer ones have none, however much they tell of themselves."""
    assert await failure_of(2) == ("no_local_port", "")
    told.tell(SERIAL)
    assert await failure_of(2) == ("no_local_port", "")
    assert await failure_of(2, None) == ("no_local_port", "")


async def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    """Asked once: there is no other way to a host that does not exist."""
    lookups = 0

    async def unknown(*_: object, **__: object) -> None:
        nonlocal lookups
        lookups += 1
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(ProbeError) as caught:
        await probe_stick("name.invalid", 8899, SERIAL, 1)
    assert caught.value.failure is Failure.UNRESOLVED
    assert lookups == 1
    assert told.asked == 0


async def test_a_host_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    """It is off; unless it tells who it is: then somebody else has its only connection."""

    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    assert await failure_of(8899) == ("cannot_connect", "")
    told.tell(SERIAL)
    assert await failure_of(8899) == ("stick_busy", "")


# ---------------------------------------------------------------------- a stick, but not the one


async def test_stick_with_another_serial_number_is_asked_once(
    plant: SimulatedPlant, told: Told
) -> None:
    """The stick says which one it has; it is asked once, as no other way can help."""
    assert await failure_of(plant.stick_port, OTHER) == ("wrong_logger_serial", "1700000001")
    assert told.asked == 0


async def test_the_wrong_serial_number_of_a_silent_stick(socket_enabled: None, told: Told) -> None:
    """It does not answer a request for another one, but a search."""
    told.tell(OTHER)
    async with mute() as port:
        assert await failure_of(port) == ("wrong_logger_serial", "1700000002")


async def test_a_stick_of_another_kind(socket_enabled: None) -> None:
    """It takes the connection, and understands nothing."""
    async with mute() as port:
        assert await failure_of(port) == ("other_stick", "")


async def test_stick_without_a_known_serial_number_asks_for_it(socket_enabled: None) -> None:
    """Neither does the stick tell it, nor does it speak anything that does without."""
    async with mute() as port:
        assert await failure_of(port, None) == ("no_logger_serial", "")


@asynccontextmanager
async def saying(*words: bytes) -> AsyncIterator[tuple[int, list[float]]]:
    """Say the next of these words to everything that is asked, the last one again and again; and note when."""
    asked: list[float] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await reader.read(100):
                writer.write(words[min(len(asked), len(words) - 1)])
                asked.append(asyncio.get_running_loop().time())
        writer.close()

    server = await asyncio.start_server(listen, HOST, 0)
    yield server.sockets[0].getsockname()[1], asked
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "word",
    [b"AT+YZCMPVER=MW3_16U_5406_2.32-D1\r\n\r\n", b"+ok\r\n\r\n", b"+ERR=-1\r\n\r\n"],
)
async def test_a_stick_that_knows_at_commands_only_is_named_at_once(
    socket_enabled: None, told: Told, word: bytes
) -> None:
    """After one question, and neither the stick itself nor other unit ids are asked."""
    async with saying(word) as (port, asked):
        assert await failure_of(port) == ("only_at_commands", "")
    assert len(asked) == 1
    assert told.asked == 0


async def test_a_stick_that_knows_at_commands_may_have_plain_modbus(
    plant: SimulatedPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a port of its own."""
    monkeypatch.setattr(module, "PLAIN_PORT", plant.tcp_port)
    async with saying(b"+ok\r\n") as (port, _):
        reached = await probe_stick(HOST, port, SERIAL, 1)
    assert reached.endpoint == TcpEndpoint(HOST, plant.tcp_port, Framing.TCP)


async def test_a_web_page_at_the_port_of_a_stick(socket_enabled: None, told: Told) -> None:
    """Somebody has typed 80."""
    async with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, _):
        assert await failure_of(port) == ("web_page", "")
    assert told.asked == 0


# ---------------------------------------------------------------------- busy


@pytest.mark.parametrize("code", [5, 6])
async def test_a_busy_inverter_behind_a_stick(
    plant: SimulatedPlant, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """The stick works, and the inverter says that it is busy: it is the one, and no other machine."""

    async def busy(*_: object, **__: object) -> None:
        raise RejectedError(code, "unit 1")

    monkeypatch.setattr(module, "identify_at", busy)
    monkeypatch.setattr(probe_module, "identify_at", busy)
    assert await failure_of(plant.stick_port) == ("device_busy", str(code))


async def test_a_stick_that_hangs_up(socket_enabled: None) -> None:
    """Another client has it."""
    async with mute(hang_up=True) as port:
        assert await failure_of(port) == ("stick_busy", "")
        assert await failure_of(port, None) == ("stick_busy", "")


async def test_a_stick_that_does_not_listen(plant: SimulatedPlant, told: Told) -> None:
    """It takes the connection and says who it is, but does not hear us."""
    told.tell(SERIAL)
    plant.stick.habits.busy = True
    assert await failure_of(plant.stick_port) == ("stick_busy", "")


# ---------------------------------------------------------------------- behind the stick


async def test_silent_device_behind_a_stick_is_reported_as_such(
    plant: SimulatedPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stick says so, whatever unit it is asked for: it is understood, so no other way is tried."""
    monkeypatch.setattr(module, "PLAIN_PORT", plant.tcp_port)
    plant.stick.habits.error_frames = 1.0
    assert await failure_of(plant.stick_port) == ("no_inverter", "")


@pytest.mark.parametrize("reports_silence", [True, False])
async def test_probe_of_a_stick_names_the_unit_id_that_answers(
    plant: SimulatedPlant, reports_silence: bool
) -> None:
    """The one that answers is named, whether or not the stick says that the other one does not."""
    plant.stick.habits.reports_silence = reports_silence
    assert await failure_of(plant.stick_port, unit_id=9) == ("wrong_unit", "1")


async def test_the_wrong_unit_id_over_plain_modbus(plant: SimulatedPlant) -> None:
    """The same where the stick speaks Modbus TCP and reports a path that leads nowhere."""
    assert await failure_of(plant.tcp_port, None, unit_id=9) == ("wrong_unit", "1")


async def test_probe_of_a_stick_names_an_unsupported_device(plant: SimulatedPlant) -> None:
    """It is named; no other way would find another one."""
    plant.machine().panel_change(0, 3)
    assert await failure_of(plant.stick_port) == (
        "wrong_device",
        "single_phase_hybrid",
    )
    assert plant.tcp.statistics.requests == 0


# ---------------------------------------------------------------------- asking


async def test_search_returns_what_the_stick_reports_or_nothing(told: Told) -> None:
    """What the stick tells, or nothing."""
    assert await ask_stick(HOST) is None
    told.tell(SERIAL)
    assert await ask_stick(HOST) == FoundStick(HOST, "02:a5:00:00:00:01", SERIAL)


def test_how_long_a_person_waits() -> None:
    """Each of two families is asked for twice, in three ways; then the stick itself, and the other unit ids."""
    ways = STICK_TIMEOUT + 2 * PLAIN_TIMEOUT
    assert 2 * 2 * ways + 3 + STICK_SCAN_TIMEOUT * (len(SCAN_UNITS) - 1) <= 35
