"""Several units on one link: what a silent one costs the others, and that nothing of it is taken for theirs."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from custom_components.hybrid_inverter.modbus.errors import LinkTimeout, RejectedError
from custom_components.hybrid_inverter.modbus.transport import timeouts
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link, LinkUnit

from .conftest import MakeLink
from .fault_server import Fault, FaultServer, Talk, answer, refusal, silence, slow, word

# Seconds: what an answer may take, and what a unit is waited for that others wait behind.
DEFAULT_TIMEOUT = 0.4
SHORT = 0.06

only_rtu = pytest.mark.parametrize("framing", [Framing.RTU], indirect=True)
without_stick = pytest.mark.parametrize("framing", [*Framing], indirect=True)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the waits of a shared line short."""
    monkeypatch.setattr(timeouts, "MIN_TIMEOUT", SHORT)
    monkeypatch.setattr(timeouts, "FIRST_TIMEOUT", SHORT)


@pytest.fixture
def link(server: FaultServer, make_link: MakeLink) -> Link:
    """Return a link to several units."""
    return make_link(server, timeout=DEFAULT_TIMEOUT)


async def get(link: Link, unit: int, address: int = 10, **settings: float) -> None:
    """Read two registers, and check that they are those of the unit."""
    words = await link.read_holding_registers(unit, address, 2, **settings)  # type: ignore[arg-type]
    assert words == [word(unit, address), word(unit, address + 1)]


async def took(asking: object) -> float:
    """Return the seconds until the link has given up."""
    clock = asyncio.get_running_loop().time
    started = clock()
    with pytest.raises(LinkTimeout):
        await asking  # type: ignore[misc]
    return clock() - started


def units_asked(server: FaultServer) -> list[int]:
    """Return the units of the requests so far."""
    return [request.unit for request in server.requests]


# ---------------------------------------------------------------------- turns


async def test_reads_of_one_unit_do_not_block_another(server: FaultServer, link: Link) -> None:
    """Three reads of one unit do not come before one of another that was asked for later."""
    server.delay = 0.005
    await asyncio.gather(*(get(link, unit) for unit in (1, 1, 1, 2, 3)))
    assert units_asked(server) == [1, 2, 3, 1, 1]


async def test_a_rest_holds_back_one_unit(server: FaultServer, link: Link) -> None:
    """A unit that wants to rest after its answers gets its rest, and the others do not wait for it."""
    LinkUnit(link, 1, spacing=0.1)
    await asyncio.gather(*(get(link, unit) for unit in (1, 1, 1, 2, 2, 2)))
    times = {
        unit: [request.time for request in server.requests if request.unit == unit]
        for unit in (1, 2)
    }
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(times[1]))
    assert times[2][-1] - times[2][0] < 0.09


# ---------------------------------------------------------------------- how long a silent unit is waited for


@without_stick
async def test_a_silent_unit_costs_little(server: FaultServer, link: Link) -> None:
    """The other unit waits no longer than the short wait, in which the first is asked once and once again."""
    await get(link, 1)
    await get(link, 2)
    server.silent = frozenset({2})
    clock = asyncio.get_running_loop().time
    silent = asyncio.create_task(took(get(link, 2)))
    waits = []
    while not silent.done():
        started = clock()
        await get(link, 1)
        waits.append(clock() - started)
        await asyncio.sleep(0.01)
    # The repetition comes when the unit has had all its time: 0.4 s, and again a short wait.
    assert DEFAULT_TIMEOUT + SHORT <= await silent < DEFAULT_TIMEOUT + SHORT + 0.15
    # It has waited twice; a busy computer may have made one of the two longer, but not to all of the unit's time.
    *_, one, other = sorted(waits)
    assert SHORT * 0.7 < one < SHORT + 0.05
    assert other < DEFAULT_TIMEOUT / 2
    assert units_asked(server).count(2) == 1 + 2
    assert server.accepted == 1
    # From then on it is asked once, over the same connection.
    waits = []
    for _ in range(3):
        waits.append(await took(get(link, 2)))
        await get(link, 1)
    assert SHORT <= min(waits) < SHORT + 0.05
    assert max(waits) < DEFAULT_TIMEOUT / 2
    assert units_asked(server).count(2) == 1 + 2 + 3
    assert server.accepted == 1
    assert link.statistics.units[1].success_rate == 1
    # And twice again when it has answered.
    server.silent = frozenset()
    await get(link, 2)
    server.faults.append(silence)
    await get(link, 2)


@without_stick
async def test_a_lost_frame_is_not_noticed(server: FaultServer, link: Link) -> None:
    """The other unit goes first, then the read is repeated."""
    await get(link, 1)
    await get(link, 2)
    server.faults.append(silence)
    reading = asyncio.create_task(get(link, 2))
    await asyncio.sleep(0.01)
    await get(link, 1)
    assert not reading.done()
    await reading
    assert link.statistics.retries == 1
    assert server.accepted == 1


@without_stick
async def test_a_unit_that_was_never_heard(server: FaultServer, link: Link) -> None:
    """It is asked twice without a pause: setting up does not wait for it."""
    LinkUnit(link, 1)
    server.silent = frozenset({2})
    assert 2 * SHORT <= await took(get(link, 2)) < 2 * SHORT + 0.08
    await get(link, 1)


async def test_alone_on_the_line(server: FaultServer, make_link: MakeLink) -> None:
    """A unit that shares the line with nobody has all the time of the link, twice."""
    link = make_link(server, timeout=0.15)
    LinkUnit(link, 1)
    server.silent = frozenset({1})
    assert 0.3 <= await took(get(link, 1)) < 0.4


@without_stick
async def test_alone_among_silent_ones(server: FaultServer, make_link: MakeLink) -> None:
    """Nobody waits behind a unit while all the others are silent."""
    link = make_link(server, timeout=0.15)
    LinkUnit(link, 1)
    LinkUnit(link, 2)
    server.silent = frozenset({1, 2})
    assert await took(get(link, 1)) < 0.3
    assert await took(get(link, 2)) >= 0.3


async def test_a_stick_is_waited_for(socket_enabled: None, make_link: MakeLink) -> None:
    """It has its own talk with the machine between ours, whoever waits."""
    server = FaultServer(Framing.RTU, logger_serial=1700000001)
    await server.start()
    try:
        link = make_link(server, timeout=0.15)
        await get(link, 1)
        server.silent = frozenset({2})
        for _ in range(2):
            assert 0.3 <= await took(get(link, 2)) < 0.4
        await get(link, 1)
    finally:
        await link.close()
        await server.stop()


@without_stick
async def test_what_belongs_to_a_write_has_all_the_time(server: FaultServer, link: Link) -> None:
    """A machine that stores what was written may take its time, and so may the reads around that."""
    await get(link, 1)
    await get(link, 2)
    server.faults.extend([slow(0.2), slow(0.2)])
    await get(link, 2, urgent=True)
    await link.write_register(2, 10, 7)


@without_stick
async def test_a_slow_unit_is_waited_for(server: FaultServer, link: Link) -> None:
    """Twice as long as it needed for its slowest answer, by the number of registers."""
    await get(link, 1)
    server.faults.append(slow(0.1))
    await get(link, 2, timeout=DEFAULT_TIMEOUT)
    server.faults.append(slow(0.15))
    await get(link, 2)
    assert link.statistics.retries == 0
    # 2 registers take 39 ms on the usual line, and 60 take 160 ms.
    server.faults.append(slow(0.35))
    await link.read_holding_registers(2, 10, 60)
    assert link.statistics.retries == 0


async def test_late_answers_make_patient(server: FaultServer, link: Link) -> None:
    """A unit whose answer came after it was given up is slower than was thought, and gets all the time."""
    await get(link, 1)
    await get(link, 2)

    async def late(talk: Talk) -> None:
        talk.server.send_later(SHORT + 0.02, talk.frame())

    server.faults.append(late)
    await get(link, 2)
    server.faults.append(slow(0.3))
    await get(link, 2)
    assert link.statistics.late_answers == (0 if server.kind == "stick" else 1)


async def test_behind_a_silent_unit(server: FaultServer, link: Link) -> None:
    """A gateway that still waits for one unit answers for the next one later: that one gets all the time."""
    await get(link, 1)
    await get(link, 2)
    server.silent = frozenset({2})

    async def after_the_gateway(talk: Talk) -> None:
        await asyncio.sleep(0.2)
        await answer(talk)

    asking = asyncio.create_task(link.read_holding_registers(2, 10, 2, timeout=SHORT, retries=0))
    await asyncio.sleep(0.01)
    server.faults.append(after_the_gateway)
    await get(link, 1)
    with pytest.raises(LinkTimeout):
        await asking
    assert link.statistics.retries == 0


@without_stick
async def test_reads_waiting_for_a_silent_unit_fail_without_being_sent(
    server: FaultServer, link: Link
) -> None:
    """What waits for the same unit is not asked as well once it is known to be silent."""
    await get(link, 1)
    for address in (10, 20, 30):
        await get(link, 2, address)
    server.requests.clear()
    server.silent = frozenset({2})
    results = await asyncio.gather(
        *(get(link, 2, address) for address in (10, 20, 30)), return_exceptions=True
    )
    assert [type(result) for result in results] == [LinkTimeout] * 3
    assert units_asked(server).count(2) <= 4
    before = len(server.requests)
    # A question that is asked later is one.
    with pytest.raises(LinkTimeout):
        await get(link, 2)
    assert len(server.requests) == before + 1


@without_stick
async def test_where_a_machine_never_answers(server: FaultServer, link: Link) -> None:
    """A read that was never answered says nothing of the others: they are asked, and repeated."""
    await get(link, 1)
    await get(link, 2)

    async def only_elsewhere(talk: Talk) -> None:
        if talk.request.address != 200:
            await answer(talk)

    server.faults.extend([only_elsewhere] * 20)
    results = await asyncio.gather(get(link, 2, 200), get(link, 2), return_exceptions=True)
    assert [type(result) for result in results] == [LinkTimeout, type(None)]
    server.faults.clear()
    server.faults.append(silence)
    await get(link, 2)


@without_stick
async def test_exception_11_of_a_gateway_costs_the_others_no_time(
    server: FaultServer, make_link: MakeLink
) -> None:
    """Exception 11 of a gateway means that a unit is silent: nobody else waits for the line because of it."""
    link = make_link(server, timeout=0.15)
    await get(link, 1)
    server.faults.append(refusal(11))
    with pytest.raises(RejectedError):
        await get(link, 2)
    server.silent = frozenset({1})
    assert await took(get(link, 1)) >= 0.3
    server.silent = frozenset()
    await get(link, 2)


# ---------------------------------------------------------------------- the connection


@without_stick
async def test_a_dead_connection_is_given_up(server: FaultServer, link: Link) -> None:
    """When nobody answers any more, the third unanswered request in a row ends it, and a new one is opened."""
    await get(link, 1)
    await get(link, 2)
    await get(link, 3)
    gone = server.peers[0]

    async def only_others(talk: Talk) -> None:
        if talk.peer is not gone:
            await answer(talk)

    server.faults.extend([only_others] * 8)
    results = await asyncio.gather(*(get(link, unit) for unit in (1, 2, 3)), return_exceptions=True)
    assert server.accepted == 2
    assert len([result for result in results if result is None]) >= 1
    for unit in (1, 2, 3):
        await get(link, unit)
    assert server.accepted == 2


@only_rtu
@pytest.mark.parametrize("torn", [1, 3, 6])
async def test_half_an_answer_ends_it(server: FaultServer, link: Link, torn: int) -> None:
    """Its other half would be the beginning of another unit's answer."""
    await get(link, 1)

    async def cut(talk: Talk) -> None:
        talk.peer.write(talk.frame()[:torn])

    server.faults.append(cut)
    with pytest.raises(LinkTimeout):
        await get(link, 2, retries=0)
    await get(link, 1)
    assert server.accepted == 2


@only_rtu
async def test_noise_instead_of_an_answer_ends_it(server: FaultServer, link: Link) -> None:
    """Some stray bytes may be a part of something."""
    await get(link, 1)

    async def noise(talk: Talk) -> None:
        talk.peer.write(b"\xff\x00")

    server.faults.append(noise)
    with pytest.raises(LinkTimeout):
        await get(link, 2, retries=0)
    await get(link, 1)
    assert server.accepted == 2


@only_rtu
async def test_noise_before_anything_was_asked(server: FaultServer, link: Link) -> None:
    """What somebody else says on the line when we come is no answer to anything."""
    await link.connect()
    server.peers[0].write(bytes(20))
    await asyncio.sleep(0.02)
    await get(link, 1)
    assert server.accepted == 2


# ---------------------------------------------------------------------- late answers over a connection that was kept


def keep(lost: list[bytes]) -> Fault:
    """Return a fault that keeps the answer back."""

    async def fault(talk: Talk) -> None:
        lost.append(talk.frame())

    return fault


def deliver(lost: list[bytes], *, before: bool) -> Fault:
    """Return a fault that sends the answers that were kept back before, or behind, the right one."""

    async def fault(talk: Talk) -> None:
        if not before:
            await answer(talk)
        while lost:
            talk.peer.write(lost.pop(0))
        if before:
            await answer(talk)

    return fault


@without_stick
@pytest.mark.parametrize("before", [True, False], ids=["before", "behind"])
async def test_late_answer_during_another_units_exchange(
    server: FaultServer, link: Link, before: bool
) -> None:
    """It is thrown away, the connection is kept, and on its next question the unit tells the truth."""
    await get(link, 1)
    lost: list[bytes] = []
    server.faults.extend([keep(lost), deliver(lost, before=before)])
    with pytest.raises(LinkTimeout):
        await get(link, 2, 50, retries=0)
    await get(link, 1, 60)
    for address in (70, 80):
        await get(link, 2, address)
        await get(link, 1, address)
    assert link.statistics.late_answers == 1
    assert link.statistics.desyncs == 0
    assert server.accepted == 1


@without_stick
async def test_late_answer_while_nobody_asks(server: FaultServer, link: Link) -> None:
    """Between two exchanges it is known as what it is."""
    await get(link, 1)
    lost: list[bytes] = []
    server.faults.append(keep(lost))
    with pytest.raises(LinkTimeout):
        await get(link, 2, 50, retries=0)
    server.send_later(0, lost[0])
    await asyncio.sleep(0.02)
    assert link.statistics.late_answers == 1
    await get(link, 1, 60)
    await get(link, 2, 70)
    assert server.accepted == 1


@without_stick
async def test_late_answers_to_several_questions(server: FaultServer, link: Link) -> None:
    """All answers of a unit that was silent for a while come at once, as another one is asked."""
    await get(link, 1)
    lost: list[bytes] = []
    for address in (50, 60, 70):
        server.faults.append(keep(lost))
        with pytest.raises(LinkTimeout):
            await get(link, 2, address, retries=0)
        await get(link, 1)
    server.faults.append(deliver(lost, before=True))
    await get(link, 1, 60)
    assert link.statistics.late_answers == 3
    await get(link, 2, 80)
    assert server.accepted == 1


@only_rtu
async def test_late_answer_on_the_next_probe(server: FaultServer, link: Link) -> None:
    """It comes before the answer to the read that tells them apart: the value is that of the last question."""
    await get(link, 1)
    lost: list[bytes] = []
    server.faults.append(keep(lost))
    with pytest.raises(LinkTimeout):
        await get(link, 2, 50, retries=0)
    await get(link, 1)
    server.faults.append(deliver(lost, before=True))
    await get(link, 2, 70)
    assert server.wanted[-3:] == [(1, 3, 10, 2), (2, 3, 70, 1), (2, 3, 70, 2)]
    assert link.statistics.late_answers == 1
    assert server.accepted == 1


@only_rtu
async def test_late_answer_in_two_pieces(server: FaultServer, link: Link) -> None:
    """One piece comes while nobody asks, the other during the next exchange: no value is wrong."""
    await get(link, 1)
    lost: list[bytes] = []
    server.faults.append(keep(lost))
    with pytest.raises(LinkTimeout):
        await get(link, 2, 50, retries=0)
    server.send_later(0, lost[0][:5])
    await asyncio.sleep(0.02)
    lost[0] = lost[0][5:]
    server.faults.append(deliver(lost, before=True))
    await get(link, 1, 60)
    await get(link, 2, 70)
    await get(link, 1, 80)


@only_rtu
async def test_an_answer_behind_the_answer_of_the_same_unit(
    server: FaultServer, link: Link
) -> None:
    """It may be the true one to what was just asked, even when one of this shape is missing: that is made sure of."""
    await get(link, 1)

    async def stale_first(talk: Talk) -> None:
        await answer(talk)
        talk.peer.write(talk.frame())

    server.faults.append(stale_first)
    await get(link, 1, 20)
    await asyncio.sleep(0.02)
    await get(link, 1, 30)
    assert server.wanted[-3:] == [(1, 3, 20, 2), (1, 3, 30, 1), (1, 3, 30, 2)]
    assert server.accepted == 2
