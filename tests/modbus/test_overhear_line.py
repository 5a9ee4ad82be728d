"""A whole line, heard through noise, damage and loss: much is understood, and nothing wrong is ever believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
import struct

import pytest

from custom_components.hybrid_inverter.modbus.errors import DeviceError
from custom_components.hybrid_inverter.modbus.listen.heard import ConfirmedReadings
from custom_components.hybrid_inverter.modbus.listen.sniffer import RtuSniffer
from simulator.overheard import POLLS, LineTrouble, Poll, Talk

from .fault_server import crc16

PERIOD = 0.1
OLDEST = 30.0


@dataclass
class Meter:
    """Holds in every pair of registers a number that says which one it is and when it was measured."""

    # How often it measures, in exchanges.
    refresh: int = 10
    asked: int = 0

    def words(self, address: int, measured: int) -> bytes:
        """Return the two registers of a value, 1 to 3 percent of it being when it was measured."""
        size = 1 + 0.013 * (address % 512) + 0.00013 * (measured % 97)
        return struct.pack(">f", size if address % 4 else -size)

    def respond(self, unit: int, pdu: bytes) -> bytes:
        """Answer a read."""
        function, address, count = struct.unpack(">BHH", pdu)
        self.asked += 1
        measured = self.asked // self.refresh
        values = b"".join(
            self.words(place, measured) for place in range(address, address + count + 1, 2)
        )
        return bytes((function, 2 * count)) + values[: 2 * count]

    def may_say(self, address: int, words: list[int]) -> bool:
        """Whether a pair of registers held these words within the last half minute.

        What is hardly ever heard whole holds longer than ten seconds, as it seems to be asked for seldom.
        """
        raw = b"".join(word.to_bytes(2) for word in words)
        last = self.asked // self.refresh
        ago = int(OLDEST / PERIOD) // self.refresh
        return any(self.words(address, last - back) == raw for back in range(ago + 2))


@dataclass
class Outcome:
    """What came of listening to many exchanges."""

    ear: RtuSniffer
    asked: int = 0
    right: int = 0
    # Reads that brought nothing.
    nothing: int = 0
    wrong: list[tuple[int, list[int]]] = field(default_factory=list)


def listen(
    polls: tuple[Poll, ...],
    trouble: LineTrouble,
    exchanges: int,
    *,
    refresh: int = 10,
    seed: int = 1,
    tamper: Callable[[bytes], bytes] = lambda piece: piece,
) -> Outcome:
    """Listen to so many exchanges, and once a second look at every value that is asked for, and at others."""
    meter = Meter(refresh)
    talk = Talk(meter.respond, polls, seed=seed)
    talk.trouble = trouble
    ear, memory = RtuSniffer(), ConfirmedReadings()
    outcome = Outcome(ear)
    for number in range(exchanges):
        for offset, piece in zip((0.0, 0.03), talk.next(), strict=True):
            now = number * PERIOD + offset
            for exchange in ear.take(tamper(piece), now):
                memory.add(exchange)
        if number % 10:
            continue
        heard = {
            (request.unit, address)
            for request, _ in memory.requests()
            for address in range(request.address, request.address + request.count - 1, 2)
        } | {
            (poll.unit, address)
            for poll in polls
            for address in range(poll.address, poll.address + poll.count - 1, 2)
        }
        for unit, address in heard:
            try:
                words = memory.words(unit, address, 2, now)
            except DeviceError:
                outcome.nothing += 1
                continue
            if meter.may_say(address, words):
                outcome.right += 1
            else:
                outcome.wrong.append((address, words))
    outcome.asked = meter.asked
    return outcome


@pytest.mark.parametrize("pattern", POLLS)
def test_every_exchange_on_a_clean_line_is_understood(pattern: str) -> None:
    """On a clean line every exchange is understood, and the values are there from the second exchange on."""
    polls = POLLS[pattern]
    outcome = listen(polls, LineTrouble(), 1000)
    assert outcome.ear.statistics.exchanges == outcome.asked == 1000
    assert outcome.ear.statistics.understood == 1.0
    assert outcome.wrong == []
    values = sum(poll.count // 2 for poll in polls)
    # Looked at once a second, and the first time nothing was heard twice.
    assert outcome.right == 99 * values
    assert outcome.nothing == values


def test_clean_line_and_a_meter_that_measures_all_the_time() -> None:
    """No two answers are the same, and all are believed."""
    outcome = listen(POLLS["deye_three_phase"], LineTrouble(), 1000, refresh=1)
    assert outcome.wrong == []
    assert outcome.right == 99 * 3


@pytest.mark.parametrize("pattern", ["deye_three_phase", "sofar", "deye_12k"])
def test_nothing_wrong_with_5_percent_of_the_bytes_corrupted(pattern: str) -> None:
    """A quarter of an hour of what was tried for whole days; most is lost, and some is still right."""
    outcome = listen(POLLS[pattern], LineTrouble(corrupted=0.05), 8000)
    assert outcome.wrong == []
    assert outcome.right > 400
    # 0.95 to the power of the bytes of a request and its answer is about what can be understood.
    assert 0.1 * outcome.asked < outcome.ear.statistics.exchanges < 0.5 * outcome.asked


@pytest.mark.parametrize(
    "trouble",
    [
        LineTrouble(missing=0.05),
        LineTrouble(noise=0.5),
        LineTrouble(corrupted=0.02, missing=0.02, noise=0.2),
        LineTrouble(corrupted=0.002),
    ],
    ids=["missing", "noise", "all", "a little"],
)
def test_nothing_wrong_with_other_trouble(trouble: LineTrouble) -> None:
    """Bytes that are missing, bursts of noise, and all of it together."""
    outcome = listen(POLLS["sofar"], trouble, 4000, refresh=30)
    assert outcome.wrong == []
    assert outcome.right > 300


def test_nothing_wrong_from_damage_that_passes_the_checksum() -> None:
    """By chance one damaged frame in 65536 passes; here every twentieth does: more than come by in years."""
    chance = Random(5)  # noqa: S311 - a repeatable sequence is wanted
    forged = 0

    def tamper(piece: bytes) -> bytes:
        nonlocal forged
        if chance.random() >= 0.05 or len(piece) < 8:
            return piece
        forged += 1
        body = bytearray(piece[:-2])
        # Of a request the address, of an answer any of its values.
        first, last = (2, 3) if len(piece) == 8 else (3, len(body) - 1)
        for _ in range(2):
            body[chance.randint(first, last)] = chance.randrange(256)
        return bytes(body) + crc16(body)

    outcome = listen(POLLS["sofar"], LineTrouble(corrupted=0.05), 10000, refresh=30, tamper=tamper)
    assert forged > 800
    assert outcome.wrong == []
    assert outcome.right > 500


def test_requests_alone_or_answers_alone_give_no_values() -> None:
    """Requests alone, or answers alone, say nothing."""
    requests = listen(POLLS["sofar"], LineTrouble(answers_lost=True), 100)
    assert (requests.ear.statistics.requests, requests.ear.statistics.exchanges) == (100, 0)
    answers = listen(POLLS["sofar"], LineTrouble(requests_lost=True), 100)
    # The last one is so short that a request may still come of it.
    assert (answers.ear.statistics.responses_without_request, answers.ear.statistics.exchanges) == (
        99,
        0,
    )
    assert requests.right == answers.right == 0
