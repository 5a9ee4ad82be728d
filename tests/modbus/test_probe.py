"""What a person is told about an address behind which nothing usable is; over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
import json
from pathlib import Path
import socket
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.errors import LinkBusy
from custom_components.hybrid_inverter.modbus.find import probe as probe_module
from custom_components.hybrid_inverter.modbus.find.identify import Identity
from custom_components.hybrid_inverter.modbus.find.probe import (
    PROBE_TIMEOUT,
    SCAN_SECONDS,
    SCAN_TIMEOUT,
    SCAN_UNITS,
    Failure,
    ProbeError,
    are_at,
    probe,
    scan,
)
from custom_components.hybrid_inverter.modbus.transport.endpoint import Endpoint, SerialEndpoint
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link, TcpEndpoint

from .fault_server import FaultPort, FaultServer, Talk, flood, garbage, hang_up, refusal, slow
from .test_identify import REGISTERS

FIXTURES: Final = Path(__file__).parents[1] / "fixtures"
# Every unit id that a server might answer to.
ALL: Final = frozenset(range(1, 248))


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no longer than a server on this computer needs."""
    monkeypatch.setattr(probe_module, "PROBE_TIMEOUT", 0.2)
    monkeypatch.setattr(probe_module, "SCAN_TIMEOUT", 0.05)
    monkeypatch.setattr(probe_module, "Link", partial(Link, spacing=0.002))


@pytest.fixture(params=list(Framing))
def framing(request: pytest.FixtureRequest) -> Framing:
    """Return each framing; a stick is probed in another way."""
    framing: Framing = request.param
    return framing


def only(server: FaultServer, *units: int) -> None:
    """Have a machine of ours at these unit ids, and nobody at the others."""
    server.silent = ALL - set(units)
    for unit in units:
        server.memory.update({(unit, address): word for address, word in REGISTERS.items()})
        server.memory.update(
            {(unit, address): 0 for address in range(30) if address not in REGISTERS}
        )


def at(server: FaultServer, framing: Framing | None = None) -> TcpEndpoint:
    """Return where a server listens, in its framing or in another."""
    return TcpEndpoint("127.0.0.1", server.port, framing or server.framing)


async def failure_of(endpoint: Endpoint, unit_id: int = 1) -> tuple[Failure, str]:
    """Return why a probe fails, and what it found."""
    with pytest.raises(ProbeError) as caught:
        await probe(endpoint, unit_id)
    error = caught.value
    return error.failure, error.found if error.other is None else str(error.other)


@pytest.fixture
async def mute(socket_enabled: None) -> AsyncIterator[TcpEndpoint]:
    """Return the endpoint of a server that accepts and never answers."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await reader.read(100):
                pass
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    yield TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1], Framing.TCP)
    server.close()
    await server.wait_closed()


# ---------------------------------------------------------------------- a machine of ours


async def test_probe_names_a_supported_device_and_closes_the_connection(
    server: FaultServer,
) -> None:
    """It is named, and the connection is closed: many gateways have only one."""
    only(server, 3)
    identity = await probe(at(server), 3)
    assert (identity.model, identity.serial) == ("JSO8048104", "JSO0000001")
    assert server.accepted == 1
    async with asyncio.timeout(1):
        while server.peers:  # noqa: ASYNC110 - the other side learns it by itself
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("framing", [Framing.RTU])
async def test_a_machine_on_a_serial_port(server: FaultServer) -> None:
    """The same by wire."""
    only(server, 1)
    port = FaultPort(server)
    await port.start()
    identity = await probe(SerialEndpoint(port.device), 1)
    assert identity.serial == "JSO0000001"
    await port.stop()


# ---------------------------------------------------------------------- no connection


async def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person has misspelt it."""

    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    failure, _ = await failure_of(TcpEndpoint("name.invalid", 502, Framing.TCP))
    assert failure is Failure.UNRESOLVED


async def test_a_port_at_which_nobody_listens(server: FaultServer) -> None:
    """The host is there; asked once, as its answer is clear."""
    await server.stop()
    failure, _ = await failure_of(at(server))
    assert failure is Failure.REFUSED


async def test_a_host_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is off, or behind a firewall; whether somebody is there is asked once, not for each unit."""
    connections = 0

    async def never(*_: object, **__: object) -> None:
        nonlocal connections
        connections += 1
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    failure, _ = await failure_of(TcpEndpoint("192.0.2.1", 502, Framing.TCP))
    assert (failure, connections) == (Failure.UNREACHABLE, 1)


async def test_a_serial_port_that_is_not_there() -> None:
    """The adapter was pulled out, or has another name now."""
    failure, _ = await failure_of(SerialEndpoint("/dev/there-is-no-such-port"))
    assert failure is Failure.UNRESOLVED


async def test_a_serial_port_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program reads from it."""

    async def taken(_: Link) -> None:
        raise LinkBusy("another program uses the port")

    monkeypatch.setattr(Link, "connect", taken)
    failure, _ = await failure_of(SerialEndpoint("/dev/ttyUSB0"))
    assert failure is Failure.BUSY


# ---------------------------------------------------------------------- no answer


async def test_a_server_that_never_answers(mute: TcpEndpoint) -> None:
    """Neither in this framing nor in the other, under no unit id."""
    assert await failure_of(mute) == (Failure.NO_ANSWER, "")


async def test_a_server_that_hangs_up(server: FaultServer) -> None:
    """The connection is accepted and closed: somebody is there, and does not talk to us."""
    server.close_at_once = 1000
    assert await failure_of(at(server)) == (Failure.HUNG_UP, "")


async def test_a_server_that_hangs_up_on_the_request(server: FaultServer) -> None:
    """The same a moment later: it looks at what it is asked first."""
    server.faults.extend([hang_up] * 1000)
    assert await failure_of(at(server)) == (Failure.HUNG_UP, "")


async def test_a_server_that_hangs_up_on_the_wrong_framing(server: FaultServer) -> None:
    """It has no other client: in the right framing it answers."""
    only(server, 1)
    # The questions in the wrong framing, which are asked twice.
    server.close_at_once = 2
    other = Framing.RTU if server.framing is Framing.TCP else Framing.TCP
    failure, _ = await failure_of(at(server, other))
    assert failure is Failure.WRONG_FRAMING


@pytest.mark.parametrize(
    "page",
    [
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html><body>Bad</body></html>",
        b"HTTP/1.0 501 Not Implemented\r\n\r\n",
    ],
)
@pytest.mark.parametrize("closes", [False, True])
async def test_the_port_of_a_web_page(server: FaultServer, page: bytes, closes: bool) -> None:
    """It is named at once, and nothing else is tried there."""

    async def show_page(talk: Talk) -> None:
        talk.peer.write(page)
        if closes:
            talk.peer.close()

    server.faults.extend([show_page] * 1000)
    assert await failure_of(at(server)) == (Failure.WEB_PAGE, "")
    assert len(server.requests) == 2


async def test_registers_that_hold_the_name_of_http_are_values(server: FaultServer) -> None:
    """Behind the beginning of an answer the same letters are what the registers hold."""
    only(server, 1)
    server.memory |= {(1, 40): 0x4854, (1, 41): 0x5450, (1, 42): 0x2F31}

    async def in_two_parts(talk: Talk) -> None:
        frame = talk.frame()
        at = frame.index(b"HTTP/")
        talk.peer.write(frame[:at])
        await asyncio.sleep(0.02)
        talk.peer.write(frame[at:])

    server.faults.append(in_two_parts)
    link = Link(at(server), read_retries=0)
    assert await link.read_holding_registers(1, 40, 3) == [0x4854, 0x5450, 0x2F31]
    await link.close()


@pytest.mark.parametrize("fault", [garbage, flood])
async def test_a_server_of_another_kind(server: FaultServer, fault: object) -> None:
    """Whatever it says, it is no Modbus."""
    server.faults.extend([fault] * 1000)  # type: ignore[list-item]
    assert await failure_of(at(server)) == (Failure.NO_ANSWER, "")


async def test_a_server_that_goes_away(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was there, and takes no connection any more; that is not asked for ever."""
    monkeypatch.setattr(probe_module, "SCAN_SECONDS", 0.3)

    async def leave(_: object) -> None:
        server.hang_up()
        assert server._server is not None
        server._server.close()

    server.faults.append(leave)
    async with asyncio.timeout(3):
        assert await failure_of(at(server)) == (Failure.NO_ANSWER, "")


async def test_a_serial_line_without_an_answer(socket_enabled: None) -> None:
    """A serial line has one framing; no other is tried."""
    server = FaultServer(Framing.RTU, silent=ALL)
    port = FaultPort(server)
    await port.start()
    assert await failure_of(SerialEndpoint(port.device)) == (Failure.NO_ANSWER, "")
    await port.stop()


# ---------------------------------------------------------------------- an answer, but not the one


async def test_probe_names_the_framing_that_works(server: FaultServer) -> None:
    """The same unit answers in the other framing, which is named."""
    only(server, 1)
    other = Framing.RTU if server.framing is Framing.TCP else Framing.TCP
    name = {Framing.TCP: "Modbus TCP", Framing.RTU: "RTU over TCP"}[server.framing]
    assert await failure_of(at(server, other)) == (Failure.WRONG_FRAMING, name)


async def test_probe_names_the_unit_ids_that_answer(server: FaultServer) -> None:
    """The ones that answer are named; the one that did not is not asked again, nor is anything asked twice."""
    only(server, 2, 16)
    assert await failure_of(at(server), 5) == (Failure.WRONG_UNIT, "2, 16")
    asked = [unit for unit, function, address, count in server.wanted if unit != 5]
    assert asked == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]


async def test_a_unit_that_refuses_is_there(server: FaultServer) -> None:
    """Another vendor's machine under another unit id is somebody, too."""
    server.silent = frozenset(range(2, 248)) - {3}
    server.faults.append(refusal(11))
    server.faults.append(refusal(2))
    assert await failure_of(at(server)) == (Failure.WRONG_UNIT, "3")


async def test_the_wrong_unit_id_on_a_serial_line(socket_enabled: None) -> None:
    """The same by wire."""
    server = FaultServer(Framing.RTU)
    only(server, 4)
    port = FaultPort(server)
    await port.start()
    assert await failure_of(SerialEndpoint(port.device)) == (Failure.WRONG_UNIT, "4")
    await port.stop()


@pytest.mark.parametrize("code", [10, 11])
async def test_a_gateway_that_speaks_for_a_silent_unit(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """It says so in the right framing, so no other is tried; what it says of other units is no answer either."""
    only(server, 9)
    server.silent = frozenset(range(10, 248))
    # Unit 1, then 2 to 8.
    server.faults.extend([refusal(code)] * 8)
    scanned: list[Framing] = []

    async def spy(endpoint: Endpoint, units: Iterable[int], answer_within: float) -> list[int]:
        scanned.append(endpoint.framing)
        return await scan(endpoint, units, answer_within)

    monkeypatch.setattr(probe_module, "scan", spy)
    assert await failure_of(at(server)) == (Failure.WRONG_UNIT, "9")
    assert scanned == [server.framing]
    assert server.wanted[:10] == [(unit, 3, 0, 1) for unit in range(1, 11)]


async def test_probe_names_an_unsupported_device_where_its_type_is_known(
    server: FaultServer,
) -> None:
    """It is named where its type is known, and said to refuse or to be unknown where it is not."""
    only(server, 1)
    server.memory[1, 0] = 0x0003
    assert await failure_of(at(server)) == (
        Failure.WRONG_DEVICE,
        "another device answers here: single_phase_hybrid",
    )
    server.memory[1, 0] = 0x0777
    # Each family is asked about at its own register; this machine has the first one's only.
    server.faults.extend([slow(0), refusal(2)])
    assert await failure_of(at(server)) == (
        Failure.WRONG_DEVICE,
        "another device answers here: unknown_type, type 0x0777",
    )
    server.faults.extend([refusal(2), refusal(2)])
    assert await failure_of(at(server)) == (
        Failure.WRONG_DEVICE,
        "another device answers here: refuses_register, address 0",
    )


async def test_probe_passes_on_a_devices_failure(server: FaultServer) -> None:
    """It answers, so it is there; what it says is passed on."""
    only(server, 1)
    server.faults.extend([refusal(4)] * 2)
    failure, found = await failure_of(at(server))
    assert failure is Failure.WRONG_DEVICE
    assert found == "another device answers here: modbus_exception, code 4"


@pytest.mark.parametrize("code", [5, 6])
async def test_a_busy_device_is_no_other_device(server: FaultServer, code: int) -> None:
    """Another program reads it; what it is, it has no time to say."""
    only(server, 1)
    server.faults.extend([refusal(code)] * 1000)
    assert await failure_of(at(server)) == (Failure.DEVICE_BUSY, str(code))


# ---------------------------------------------------------------------- machines that are known

# What the servers' machines are known as: the first is the one of these registers.
KNOWN: Final = Identity(
    family="jso",
    serial="JSO0000001",
    manufacturer="JUSTSTANDOUT",
    model="JSO8048104",
    firmware=None,
    facts={"rated_power": 8000, "mppt_count": 2, "phase_count": 3},
)
OTHER: Final = replace(KNOWN, serial="JSO0000002")
METER: Final = replace(KNOWN, family="dtsu666", serial="entry_11")


@pytest.mark.parametrize(
    ("machines", "there"),
    [
        ({1: KNOWN}, True),
        ({1: OTHER}, False),
        # One is silent, as at night; the other one proves it.
        ({3: OTHER, 1: KNOWN}, True),
        ({3: KNOWN}, False),
        # One is there, and another is not the one that it was.
        ({1: KNOWN, 2: KNOWN}, True),
        ({1: KNOWN, 2: OTHER}, False),
        # A meter has no number, so that any would do; here no meter answers.
        ({1: KNOWN, 11: METER}, True),
        ({11: METER}, False),
        ({3: KNOWN, 1: METER}, False),
        ({1: METER}, False),
        ({}, False),
    ],
)
async def test_machines_prove_that_they_are_at_an_endpoint(
    server: FaultServer, machines: dict[int, Identity], there: bool
) -> None:
    """By a serial number that is right, and by none that is wrong."""
    only(server, 1, 2)
    assert await are_at(at(server), machines, 0.1) is there


async def test_a_meter_proves_itself_by_its_kind_where_it_is_alone(server: FaultServer) -> None:
    """It has no number; beside an inverter, whose number would prove it, it proves nothing."""
    image = json.loads((FIXTURES / "chint_dtsu666_1000.json").read_text(encoding="utf-8"))
    server.memory.update(
        {
            (11, address): word
            for start, words in image.items()
            for address, word in enumerate(words, int(start, 16))
        }
    )
    server.silent = ALL - {11}
    assert await are_at(at(server), {11: METER}, 0.1) is True
    assert await are_at(at(server), {11: METER, 1: KNOWN}, 0.1) is False


async def test_machines_are_not_where_nobody_is(server: FaultServer, mute: TcpEndpoint) -> None:
    """Neither at a closed port, nor where nobody answers, nor where all answers are errors."""
    assert await are_at(mute, {1: KNOWN}, 0.05) is False
    only(server, 1)
    server.faults.extend([refusal(4)] * 100)
    assert await are_at(at(server), {1: KNOWN}, 0.1) is False
    await server.stop()
    assert await are_at(at(server), {1: KNOWN}, 0.1) is False


# ---------------------------------------------------------------------- time


async def test_a_scan_ends_in_time(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found until then counts."""
    monkeypatch.setattr(probe_module, "SCAN_SECONDS", 0.3)
    only(server, 1)
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert await scan(at(server), range(1, 248), 0.1) == [1]
    assert 0.25 < loop.time() - started < 0.6
    assert len(server.requests) < 8


async def test_an_answer_that_comes_late_is_not_the_next_ones(server: FaultServer) -> None:
    """Unit 1 answers when unit 2 is asked already, and there is no unit 2."""
    only(server, 1)
    server.faults.append(slow(0.08))
    assert await scan(at(server), [1, 2, 3], 0.05) == []


async def test_a_whole_search_takes_no_longer_than_a_person_waits(mute: TcpEndpoint) -> None:
    """A question and its repetition of 0.2 s, one in the other framing, and fifteen units of 0.05 s: 1.35 s."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    await failure_of(mute)
    assert 1.3 < loop.time() - started < 2.2


def test_a_person_waits_half_a_minute_at_most() -> None:
    """Connect, ask twice, ask in the other framing, and search, each as long as it may take."""
    assert 4 * PROBE_TIMEOUT + SCAN_SECONDS <= 30
    assert SCAN_TIMEOUT * len(SCAN_UNITS) <= SCAN_SECONDS
