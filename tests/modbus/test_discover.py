"""Finding Wi-Fi sticks: what they are asked, which answers count, and how long that takes; over real datagrams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from socket import gaierror
from time import monotonic
from typing import override
from unittest.mock import patch

import pytest

from custom_components.hybrid_inverter.modbus.find import sticks as discover
from custom_components.hybrid_inverter.modbus.find.sticks import FoundStick, find_sticks, parse

SENDER = "127.0.0.1"
# The address in it is not the one that it comes from.
ANSWER = b"192.0.2.7,02A5000000FF,1234567890"
STICK = FoundStick(SENDER, "02:a5:00:00:00:ff", 1234567890)


@pytest.mark.parametrize(
    ("answer", "stick"),
    [
        (ANSWER, STICK),
        (ANSWER + b"\r\n", STICK),
        (ANSWER + b"\0", STICK),
        (ANSWER + b",LSW5_01", STICK),
        # What it takes for its address is not asked: it is where it answers from.
        (b"203.0.113.66,02A5000000FF,1234567890", STICK),
        (b"0.0.0.0,02A5000000FF,1234567890", STICK),
        (b" 192.0.2.7 , 02a5000000ff , 1234567890 ", STICK),
        (b"192.0.2.7,02:A5:00:00:00:FF,1234567890", STICK),
        (b"192.0.2.7,02A5000000FF,1", FoundStick(SENDER, "02:a5:00:00:00:ff", 1)),
        (
            b"192.0.2.7,02A5000000FF,4294967295",
            FoundStick(SENDER, "02:a5:00:00:00:ff", 4294967295),
        ),
        # Other modules of the same maker tell the name of their kind.
        (b"192.0.2.7,02A5000000FF,HF-LPB100", None),
        (b"192.0.2.7,02A5000000FF,", None),
        (b"192.0.2.7,02A5000000FF", None),
        (b"192.0.2.7,02A5000000FF,0", None),
        (b"192.0.2.7,02A5000000FF,-5", None),
        (b"192.0.2.7,02A5000000FF,1_0", None),
        (b"192.0.2.7,02A5000000FF,4294967296", None),
        (b"192.0.2.7,02A5000000F,1234567890", None),
        (b"192.0.2.7,02A5000000FG,1234567890", None),
        (b"192.0.2.777,02A5000000FF,1234567890", None),
        (b"stick.example,02A5000000FF,1234567890", None),
        ("192.0.2.7,02A5000000FF,١٢٣".encode(), None),
        (b"\xff\xfe,\x00,1", None),
        (b"+ok", None),
        (b"", None),
    ],
)
def test_answer_is_parsed_only_if_it_is_from_a_stick(
    answer: bytes, stick: FoundStick | None
) -> None:
    """An answer is a stick's or nobody's."""
    assert parse(answer, SENDER) == stick


@dataclass
class Responder(asyncio.DatagramProtocol):
    """Answers questions as it is told, one list of answers for each of them."""

    answers: dict[bytes, list[bytes]]
    questions: list[bytes] = field(default_factory=list)
    # How many questions it does not hear.
    deaf: int = 0
    # Who has asked last.
    asker: tuple[str, int] | None = None
    transport: asyncio.DatagramTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self.transport = transport

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.questions.append(data)
        self.asker = addr
        assert self.transport is not None
        if len(self.questions) > self.deaf:
            for answer in self.answers.get(data, []):
                self.transport.sendto(answer, addr)


@pytest.fixture
async def responder(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Responder]:
    """Return somebody on this computer who is asked instead of the whole network."""
    responder = Responder({b"WIFIKIT-214028-READ": [ANSWER]})
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: responder, local_addr=("127.0.0.1", 0)
    )
    monkeypatch.setattr(discover, "DISCOVERY_PORT", transport.get_extra_info("sockname")[1])
    monkeypatch.setattr(discover, "BROADCASTS", ("127.0.0.1",))
    yield responder
    transport.close()


def test_search_is_broadcast_to_the_network_and_this_computer() -> None:
    """Everybody on the network and on this computer, at the port of these sticks."""
    assert discover.BROADCASTS == ("255.255.255.255", "127.255.255.255")
    assert discover.DISCOVERY_PORT == 48899


@pytest.mark.parametrize("question", [b"WIFIKIT-214028-READ", b"HF-A11ASSISTHREAD"])
async def test_stick_that_answers_only_one_of_the_questions_is_found(
    responder: Responder, question: bytes
) -> None:
    """A stick that answers only one of the questions is found; it is asked for as long as the search takes."""
    responder.answers = {question: [ANSWER]}
    started = monotonic()
    assert await find_sticks(0.15) == [STICK]
    assert 0.14 < monotonic() - started < 0.5
    assert responder.questions == [b"WIFIKIT-214028-READ", b"HF-A11ASSISTHREAD"] * 3


async def test_each_stick_is_found_once_in_the_order_of_the_answers(responder: Responder) -> None:
    """Each is there once, in the order of their answers; what is no answer is passed over."""
    other = FoundStick(SENDER, "02:a5:00:00:00:fe", 7)
    answers = [b"nonsense", b"192.0.2.8,02A5000000FE,7", ANSWER, ANSWER]
    responder.answers = dict.fromkeys(discover.QUESTIONS, answers)
    assert await find_sticks(0.06) == [other, STICK]


async def test_a_datagram_that_is_lost(responder: Responder) -> None:
    """The questions are asked again."""
    responder.deaf = 4
    assert await find_sticks(0.15) == [STICK]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_search_of_one_host_ends_with_its_answer(
    responder: Responder, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Only this host is asked, and its answer ends the search."""
    monkeypatch.setattr(discover, "BROADCASTS", ())
    started = monotonic()
    assert await find_sticks(30, host) == [STICK]
    assert monotonic() - started < 5
    await asyncio.sleep(0.02)
    assert responder.questions == [b"WIFIKIT-214028-READ", b"HF-A11ASSISTHREAD"]


async def test_an_answer_from_somewhere_else_is_not_that_of_the_host(
    responder: Responder,
) -> None:
    """Another stick's, or anybody's, that reaches us while one host is asked."""
    responder.answers = {}
    asked = asyncio.create_task(find_sticks(0.3, SENDER))
    async with asyncio.timeout(5):
        while not responder.asker:  # noqa: ASYNC110 - nobody says that a datagram has come
            await asyncio.sleep(0.01)
    elsewhere, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.2", 0)
    )
    elsewhere.sendto(ANSWER, responder.asker)
    assert await asked == []
    elsewhere.close()


async def test_no_stick_is_found_when_nothing_answers_in_time(responder: Responder) -> None:
    """No stick is found when the time is over."""
    responder.answers = {}
    assert await find_sticks(0.06) == []
    assert await find_sticks(0.06, "127.0.0.1") == []


@pytest.mark.parametrize("host", ["", "::1"])
async def test_a_host_that_is_none(responder: Responder, host: str) -> None:
    """There is nobody to ask."""
    assert await find_sticks(0.06, host) == []


@pytest.mark.parametrize("error", [gaierror(-2), UnicodeError("label too long")])
async def test_a_name_that_is_not_known(responder: Responder, error: Exception) -> None:
    """Nobody has it."""
    with patch("asyncio.base_events.BaseEventLoop.getaddrinfo", side_effect=error):
        assert await find_sticks(0.06, "stick.example") == []
    assert responder.questions == []


async def test_an_address_that_cannot_be_reached(
    responder: Responder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not spoil the search among the others."""
    monkeypatch.setattr(discover, "BROADCASTS", ("::1", "127.0.0.1"))
    assert await find_sticks(0.06) == [STICK]


async def test_nothing_is_found_and_nothing_fails_without_a_socket(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no socket can be had nothing is found, and nothing fails."""

    async def fail(*_args: object, **_options: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_datagram_endpoint", fail)
    assert await find_sticks(0.06, "127.0.0.1") == []
