"""Answers that come after their request was given up: never taken for another request's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from custom_components.hybrid_inverter.modbus.errors import LinkError, LinkTimeout, RejectedError
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link

from .conftest import TIMEOUT, MakeLink
from .fault_server import (
    Fault,
    FaultServer,
    Talk,
    answer,
    late,
    refusal,
    shifted,
    silence,
    twice,
    word,
)

only_rtu = pytest.mark.parametrize("framing", [Framing.RTU], indirect=True)
only_tcp = pytest.mark.parametrize("framing", [Framing.TCP], indirect=True)


@pytest.mark.parametrize("delay", [TIMEOUT + 0.001, TIMEOUT + 0.01, TIMEOUT + 0.05])
async def test_late_answer_after_a_reconnect_is_never_taken_for_a_later_value(
    server: FaultServer, make_link: MakeLink, delay: float
) -> None:
    """A gateway gives the late answer to whoever is connected then; every later value is its own."""
    link = make_link(server, read_retries=0)
    server.faults.append(late(delay))
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 0, 4)
    server.delay = 0.02
    for address in range(50, 60):
        assert await link.read_holding_registers(1, address, 4) == [
            word(1, address + offset) for offset in range(4)
        ]


def _lose_then_deliver() -> list[Fault]:
    """Return two faults: the first keeps its answer back, the second sends it before its own."""
    lost: list[bytes] = []

    async def keep(talk: Talk) -> None:
        lost.append(talk.frame())

    async def deliver(talk: Talk) -> None:
        talk.peer.write(lost.pop())
        await answer(talk)

    return [keep, deliver]


@pytest.mark.parametrize("kind", ["timeout", "cancelled", "lost"])
async def test_late_answer_before_the_next(
    server: FaultServer, make_link: MakeLink, kind: str
) -> None:
    """However the answer was lost, it is recognised before the next one and thrown away."""
    link = make_link(server, read_retries=0)
    await link.connect()
    server.faults.extend(_lose_then_deliver())
    asking = asyncio.create_task(link.read_holding_registers(1, 0, 4))
    if kind != "timeout":
        await asyncio.sleep(0.02)
        if kind == "cancelled":
            asking.cancel()
        else:
            server.hang_up()
    with pytest.raises((LinkError, asyncio.CancelledError)):
        await asking
    assert await link.read_holding_registers(1, 50, 4) == [1807, 1838, 1869, 1900]
    assert link.statistics.late_answers == 1
    assert link.statistics.desyncs == 0


@only_rtu
async def test_reads_another_count_first(server: FaultServer, make_link: MakeLink) -> None:
    """Before the next request on RTU the link is reopened, and a count read that nobody else asked for."""
    link = make_link(server, read_retries=0)
    server.faults.append(silence)
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 7, 4)
    assert await link.read_holding_registers(1, 50, 3) == [1807, 1838, 1869]
    assert await link.read_holding_registers(1, 50, 4) == [1807, 1838, 1869, 1900]
    # Not 4, which was lost, and not 3, which comes next; and no more once the unit has answered.
    assert server.wanted == [(1, 3, 7, 4), (1, 3, 50, 2), (1, 3, 50, 3), (1, 3, 50, 4)]
    assert server.accepted == 2


@only_rtu
@pytest.mark.parametrize(
    ("lost", "following", "probe"),
    [
        ((1, 3, 7, 1), 1, (1, 3, 50, 2)),
        ((1, 3, 7, 1), 2, (1, 3, 50, 3)),
        ((1, 3, 7, 2), 1, (1, 3, 50, 3)),
        ((1, 3, 7, 125), 10, (1, 3, 50, 124)),
        ((1, 16, 7, 5), 10, (1, 3, 50, 1)),
        ((1, 16, 7, 5), 1, (1, 3, 50, 2)),
        ((1, 6, 7, 1), 1, (1, 3, 50, 2)),
    ],
)
async def test_late_answer_is_recognised_by_its_count_of_registers(
    server: FaultServer,
    make_link: MakeLink,
    lost: tuple[int, int, int, int],
    following: int,
    probe: tuple[int, int, int, int],
) -> None:
    """The count differs from the lost read's and from the next request's; after a write it is small."""
    link = make_link(server, read_retries=0, timeout=0.05)
    server.faults.append(silence)
    unit, function, address, count = lost
    ask: Mapping[int, Callable[[], Awaitable[object]]] = {
        3: lambda: link.read_holding_registers(unit, address, count),
        6: lambda: link.write_register(unit, address, 9),
        16: lambda: link.write_registers(unit, address, [9] * count),
    }
    with pytest.raises(LinkTimeout):
        await ask[function]()
    await link.read_holding_registers(1, 50, following)
    assert server.wanted == [lost, probe, (1, 3, 50, following)]


@only_rtu
async def test_late_confirmation_of_a_write(server: FaultServer, make_link: MakeLink) -> None:
    """The confirmation of a write that was given up does not confirm the same write sent again."""
    link = make_link(server)
    server.faults.extend([*_lose_then_deliver(), silence])
    with pytest.raises(LinkTimeout):
        await link.write_registers(1, 10, [1])
    with pytest.raises(LinkTimeout):
        await link.write_registers(1, 10, [2])
    assert server.wanted == [(1, 16, 10, 1), (1, 3, 10, 2), (1, 16, 10, 1)]


@only_rtu
async def test_an_exception_may_be_the_late_answer(
    server: FaultServer, make_link: MakeLink
) -> None:
    """The lost request's exception answers the probe; the probe's true answer comes before the next one's."""
    link = make_link(server, read_retries=0)
    held: list[bytes] = []

    async def refuse_late(talk: Talk) -> None:
        await refusal(6)(talk)
        held.append(talk.frame())

    async def both(talk: Talk) -> None:
        talk.peer.write(held.pop())
        await answer(talk)

    server.faults.extend([silence, refuse_late, both])
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 0, 4)
    assert await link.read_holding_registers(1, 50, 3) == [1807, 1838, 1869]
    assert link.statistics.late_answers == 1
    # The unit has answered for certain; nothing is asked on the side any more.
    await link.read_holding_registers(1, 50, 3)
    assert len(server.requests) == 4


@only_rtu
async def test_every_attempt_to_resynchronise_asks_another_count(
    server: FaultServer, make_link: MakeLink
) -> None:
    """As long as a unit is silent every attempt asks another count, and none is sent without an answer to it."""
    link = make_link(server, read_retries=0, timeout=0.03)
    server.silent = frozenset({1})
    for _ in range(12):
        with pytest.raises(LinkTimeout):
            await link.read_holding_registers(1, 0, 4)
    assert [count for *_, count in server.wanted] == [4, 3, 2, 1, 5, 6, 7, 8, 9, 10, 3, 2]
    server.silent = frozenset()
    assert await link.read_holding_registers(1, 0, 1) == [257]


@only_rtu
async def test_a_silent_unit_does_not_disturb_the_others(
    server: FaultServer, make_link: MakeLink
) -> None:
    """Another unit's answer carries its id: it needs no resynchronisation, and a late one is thrown away."""
    link = make_link(server, read_retries=0)
    server.faults.extend(_lose_then_deliver())
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(5, 0, 4)
    await link.write_registers(1, 0, [1, 2])
    assert await link.read_holding_registers(1, 0, 2) == [1, 2]
    assert server.wanted == [(5, 3, 0, 4), (1, 16, 0, 2), (1, 3, 0, 2)]
    assert link.statistics.late_answers == 1


@only_rtu
async def test_does_not_stay_one_answer_behind(server: FaultServer, link: Link) -> None:
    """An answer that nobody asked for shows that the one before may have been wrong; the next ones are right."""

    async def stale_first(talk: Talk) -> None:
        # From before this link was made: the same shape, and other registers' values.
        talk.peer.write(talk.frame(shifted(talk)))
        await asyncio.sleep(0.005)
        await answer(talk)

    server.faults.append(stale_first)
    await link.read_holding_registers(1, 0, 2)
    await asyncio.sleep(0.02)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert server.wanted == [(1, 3, 0, 2), (1, 3, 10, 1), (1, 3, 10, 2)]
    assert server.accepted == 2


@only_rtu
async def test_resynchronises_after_a_doubled_answer(server: FaultServer, link: Link) -> None:
    """Two answers in one go: one of them belongs to nobody."""
    server.faults.append(twice)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert await link.read_holding_registers(1, 20, 2) == [877, 908]
    assert server.wanted == [(1, 3, 10, 2), (1, 3, 20, 1), (1, 3, 20, 2)]


@only_tcp
async def test_late_end_of_an_answer(server: FaultServer, link: Link) -> None:
    """Half an answer leaves the connection out of step, so it is given up: its end meets nobody's request."""

    async def halves(talk: Talk) -> None:
        frame = talk.frame()
        talk.peer.write(frame[:8])
        await asyncio.sleep(TIMEOUT + 0.03)
        talk.peer.write(frame[8:])

    server.faults.append(halves)
    with pytest.raises(LinkTimeout):
        await link.write_register(1, 10, 3)
    server.delay = 0.06
    await link.write_register(1, 10, 4)
    assert link.statistics.desyncs == 0


@only_tcp
async def test_transactions_go_on_over_a_new_connection(
    server: FaultServer, make_link: MakeLink
) -> None:
    """Starting at 1 again, as pymodbus does, an answer to the last connection's request would fit the new one's."""
    link = make_link(server, read_retries=0)
    stale: list[bytes] = []

    async def keep_and_hang_up(talk: Talk) -> None:
        stale.append(talk.frame())
        talk.peer.close()

    async def stale_first(talk: Talk) -> None:
        talk.peer.write(stale.pop())
        await answer(talk)

    server.faults.extend([keep_and_hang_up, stale_first])
    with pytest.raises(LinkError):
        await link.read_holding_registers(1, 0, 2)
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert server.accepted == 2


async def test_refusals_of_a_resynchronising_read_do_not_count(
    server: FaultServer, make_link: MakeLink
) -> None:
    """A count that the machine refuses answers the question as well; the request behind it is not harmed."""
    link = make_link(server, read_retries=0)
    server.faults.append(silence)
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 7, 1)
    if server.kind == "rtu":
        server.faults.append(refusal(2))
    assert await link.read_holding_registers(1, 7, 1) == [474]
    server.faults.append(refusal(2))
    with pytest.raises(RejectedError):
        await link.read_holding_registers(1, 7, 1)


@only_rtu
async def test_where_a_machine_never_answers(server: FaultServer, make_link: MakeLink) -> None:
    """What is never answered there keeps nothing else from being read."""
    link = make_link(server, read_retries=0)
    server.faults.append(silence)
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 100, 3)
    # From now on nothing is answered at this address, whatever the count.
    answered = server.wanted
    assert await link.read_holding_registers(1, 0, 2) == [257, 288]
    assert (1, 3, 100) not in {wanted[:3] for wanted in answered[1:]}


@only_rtu
async def test_resynchronises_at_the_end_of_the_registers(
    server: FaultServer, make_link: MakeLink
) -> None:
    """Where fewer registers follow than are to be read first, those before them are read."""
    link = make_link(server, read_retries=0)
    server.faults.append(silence)
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 65000, 4)
    assert await link.read_holding_registers(1, 65535, 1) == [word(1, 65535)]
    assert server.wanted[1:] == [(1, 3, 65533, 3), (1, 3, 65535, 1)]
