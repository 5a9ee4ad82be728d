"""What a few seconds of listening say: which meters are polled, and what is wrong when none is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import count
import struct

import pytest

from custom_components.hybrid_inverter.modbus.errors import LinkError, LinkRefused
from custom_components.hybrid_inverter.modbus.listen.clues import HeardMeter, meters_of
from custom_components.hybrid_inverter.modbus.listen.heard import ConfirmedReadings, Request
from custom_components.hybrid_inverter.modbus.listen.session import (
    SECONDS,
    Unheard,
    UnheardError,
    listen_for,
)
from custom_components.hybrid_inverter.modbus.listen.sniffer import Exchange
from custom_components.hybrid_inverter.modbus.transport.link import (
    Framing,
    SerialEndpoint,
    TcpEndpoint,
)
from simulator.overheard import POLLS, LineTrouble, Poll, Respond
from tests.overheard import overheard_line

from .heard_meter import SINGLE_PHASE, THREE_PHASE, holding


async def listen(
    respond: Respond, polls: tuple[Poll, ...], trouble: LineTrouble | None = None
) -> tuple[HeardMeter, ...]:
    """Return what is heard of a line, that is faster than a real one, within a moment."""
    async with overheard_line(respond, polls, period=0.005) as line:
        line.turnaround = 0.0
        if trouble is not None:
            line.talk.trouble = trouble
        source = TcpEndpoint("127.0.0.1", line.port, Framing.RTU)
        try:
            return await listen_for(source, seconds=0.35, settled=0.15)
        finally:
            assert line.statistics.bytes_from_clients == 0


pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.mark.parametrize(
    ("pattern", "numbers", "family", "ct_ratio", "lacks_ct_ratio"),
    [
        # Primary values need no ratio.
        ("deye_three_phase", THREE_PHASE, "dtsu666", None, False),
        ("deye_12k", THREE_PHASE, "dtsu666", None, True),
        ("sofar", THREE_PHASE, "dtsu666", 40, False),
        ("foxess", THREE_PHASE, "dtsu666", None, False),
        ("deye_single_phase", SINGLE_PHASE, "ddsu666", None, False),
        # These are line voltages then, which are measured through no current transformer.
        ("deye_single_phase", THREE_PHASE, "dtsu666", None, False),
        ("foxess_single_phase", SINGLE_PHASE, "ddsu666", None, False),
        ("foxess_single_phase", THREE_PHASE, "dtsu666", None, False),
        # A power of zero is as well a line voltage that is not connected.
        ("foxess_single_phase", {}, None, None, False),
    ],
)
async def test_addresses_and_values_tell_which_meter_it_is(
    pattern: str,
    numbers: Mapping[int, float],
    family: str | None,
    ct_ratio: int | None,
    *,
    lacks_ct_ratio: bool,
) -> None:
    """Addresses and values tell which meter it is, and whether the ratio has to be asked for."""
    polls = POLLS[pattern]
    (meter,) = await listen(holding(numbers), polls)
    assert meter.unit_id == 1
    assert set(meter.requests) == {Request(1, poll.address, poll.count) for poll in polls}
    assert (meter.family, meter.ct_ratio, meter.lacks_ct_ratio) == (
        family,
        ct_ratio,
        lacks_ct_ratio,
    )
    assert 0.002 < meter.period < 0.1


async def test_two_meters_are_told_apart_and_one_that_never_answers_is_none() -> None:
    """Two meters are told apart, and one that never answers is none."""
    polls = (Poll(0x151E, 6), Poll(0x151E, 6, unit=2), Poll(0x2014, 6, unit=3))
    meters = await listen(holding(THREE_PHASE, units=(1, 2)), polls)
    assert [meter.unit_id for meter in meters] == [1, 2]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (LineTrouble(silent=True), Unheard.NOTHING),
        (LineTrouble(corrupted=1.0), Unheard.NOISE),
        # One answer in some fifty survives.
        (LineTrouble(requests_lost=True, corrupted=0.2), Unheard.NOISE),
        (LineTrouble(corrupted=0.06), Unheard.TOO_LITTLE),
        (LineTrouble(unanswered=True), Unheard.ONLY_REQUESTS),
        (LineTrouble(answers_lost=True), Unheard.ONLY_REQUESTS),
        (LineTrouble(requests_lost=True), Unheard.ONLY_ANSWERS),
    ],
    ids=lambda value: value.name if isinstance(value, Unheard) else "",
)
async def test_reason_is_given_when_no_usable_meter_is_heard(
    trouble: LineTrouble, reason: Unheard
) -> None:
    """Where no meter is heard it is said why."""
    measured = count(100)

    def restless(unit: int, pdu: bytes) -> bytes:
        # Never the same twice, so that a damaged line bears nothing out.
        return bytes((3, 12)) + struct.pack(">3f", *(next(measured) for _ in range(3)))

    with pytest.raises(UnheardError) as caught:
        await listen(restless, POLLS["deye_three_phase"], trouble)
    assert caught.value.reason is reason


async def test_writes_alone_are_not_a_meter() -> None:
    """Somebody talks Modbus there, but reads no registers; a write of one is answered by itself."""
    with pytest.raises(UnheardError) as caught:
        await listen(lambda _, pdu: pdu, (Poll(6, 1, function=6),))
    assert caught.value.reason is Unheard.NO_READS


async def test_ends_early_and_tells_how_far_it_is() -> None:
    """It goes on as long as something new comes up, and not the whole time."""
    told: list[float] = []
    async with overheard_line(holding(THREE_PHASE), POLLS["sofar"], period=0.01) as line:
        source = TcpEndpoint("127.0.0.1", line.port, Framing.RTU)
        clock = asyncio.get_running_loop().time
        started = clock()
        await listen_for(source, seconds=10, settled=0.2, progress=told.append)
        assert clock() - started < 2
    assert told == sorted(told)
    assert told[0] == pytest.approx(0, abs=0.01)
    assert told[-1] == 1.0
    assert SECONDS == 15


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (TcpEndpoint("127.0.0.1", 1, Framing.RTU), LinkRefused),
        (SerialEndpoint("/dev/there-is-no-such-port"), LinkError),
    ],
)
async def test_connection_that_cannot_be_opened_is_a_link_error(
    source: TcpEndpoint | SerialEndpoint, error: type[LinkError]
) -> None:
    """A connection that cannot be opened is an error of the link."""
    with pytest.raises(error):
        await listen_for(source, seconds=0.1)


def told(*answers: tuple[int, tuple[int, ...]]) -> HeardMeter:
    """Return what unit 1 is, that answered these words from these addresses twice."""
    memory = ConfirmedReadings()
    for time in (0.0, 1.0):
        for address, words in answers:
            memory.add(Exchange(1, address, words, time))
    (meter,) = meters_of(memory)
    return meter


def test_contradicting_values_leave_the_meter_unidentified() -> None:
    """230 V as of a single-phase meter, and 230.1 V in tenths as of a three-phase one: nobody knows."""
    meter = told((0x2000, (0x4366, 0x0000)), (0x2006, (0x450F, 0xD000)))
    assert meter.family is None


@pytest.mark.parametrize(("word", "ratio"), [(1, 1), (9999, 9999), (0, None), (10000, None)])
def test_ratio_beyond_the_meters_range_is_ignored(word: int, ratio: int | None) -> None:
    """A ratio beyond what the meter can be set to is none."""
    meter = told((0x0006, (word,)), (0x2014, (0, 0)))
    assert (meter.ct_ratio, meter.lacks_ct_ratio) == (ratio, ratio is None)


def test_frequency_alone_says_nothing_of_the_phases() -> None:
    """Where the single-phase meter has its frequency, the other one has a current."""
    assert told((0x200E, (0x4248, 0x0000))).family is None
