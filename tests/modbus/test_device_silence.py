"""Registers about which a machine keeps silent, or fails, while it answers all others; and a machine that is silent."""

from __future__ import annotations

import asyncio
from collections import deque
import logging

import pytest

from custom_components.hybrid_inverter.modbus.device import fetcher
from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    LinkDesync,
    LinkErrorCode,
    LinkLost,
    LinkTimeout,
    RejectedError,
)
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.register import Group

from .conftest import Clock
from .fake_unit import FakeUnit, ReadRequest
from .test_device import family_of, keys, numbered, register, served

WANTED = (*range(8), 50)
HOUR = 3600


async def reads_of(device: Device, unit: FakeUnit, *addresses: int) -> list[tuple[int, int]]:
    """Poll, five seconds later, and return what that sends."""
    unit.requests.clear()
    await device.poll(keys(*addresses))
    return unit.reads


def trouble(code: int | None, *addresses: int) -> FakeUnit:
    """Return a unit that serves all but some registers; None is silence, everything else an exception."""
    unit = FakeUnit(served(*WANTED))
    if code is None:
        unit.silent.update(addresses)
    else:
        unit.refused.update(dict.fromkeys(addresses, code))
    return unit


# ---------------------------------------------------------------------- some registers


@pytest.mark.parametrize("code", [None, 4, 10, 11])
async def test_registers_without_an_answer_are_found_by_one_vain_read_in_each_poll(
    code: int | None, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes on while more and more of the read's other values are there; then one is left alone, and told once."""
    caplog.set_level(logging.INFO)
    unit = trouble(code, 5)
    device = Device(unit, numbered(*WANTED))
    polls = [
        # The read behind the one in vain is sent.
        ([(0, 8), (50, 1)], range(8)),
        ([(50, 1), (0, 8)], range(8)),
        ([(50, 1), (0, 4), (4, 4)], range(4, 8)),
        ([(0, 4), (50, 1), (4, 2)], range(4, 8)),
        ([(0, 4), (50, 1), (6, 2), (4, 1), (5, 1)], [5]),
    ]
    for reads, failed in polls:
        assert device.quarantined == []
        assert await reads_of(device, unit, *WANTED) == reads
        assert device.snapshot(keys(*WANTED)).failed == set(keys(*failed))
        clock.now += 5
    for _ in range(10):
        assert await reads_of(device, unit, *WANTED) == [(0, 5), (6, 2), (50, 1)]
        clock.now += 5
    assert device.quarantined == [5]
    assert [record.getMessage() for record in caplog.records] == [
        "Registers 5 to 5 are not served (no answer to register 5)"
        if code is None
        else f"Registers 5 to 5 are not served (register 5: Modbus exception {code})"
    ]


async def test_what_was_not_answered_is_asked_once_only(clock: Clock) -> None:
    """A link does not repeat it: the poll is over after one timeout."""
    unit = trouble(None, 5)
    device = Device(unit, numbered(*WANTED))
    for _ in range(3):
        clock.now += 5
        await reads_of(device, unit, *WANTED)
    assert unit.requests == [
        ReadRequest(50, 1),
        ReadRequest(0, 4, once=True),
        ReadRequest(4, 4, once=True),
    ]


async def test_two_silent_registers_cost_no_more_than_one_vain_read_in_a_poll(clock: Clock) -> None:
    """In different halves of a read."""
    unit = trouble(None, 1, 6)
    device = Device(unit, numbered(*WANTED))
    for _ in range(14):
        reads = await reads_of(device, unit, *WANTED)
        touching = [read for read in reads if {1, 6} & set(range(read[0], read[0] + read[1]))]
        assert len(touching) <= 1
        clock.now += 5
    assert device.quarantined == [1, 6]
    assert device.snapshot(keys(*WANTED)).failed == {"r1", "r6"}


async def test_a_silent_register_is_asked_again_by_itself(clock: Clock) -> None:
    """After a day, if it was never served; it is there in the same poll."""
    unit = trouble(None, 5)
    device = Device(unit, numbered(*WANTED))
    for _ in range(5):
        await device.poll(keys(*WANTED))
        clock.now += 5
    clock.now += 86400
    assert await reads_of(device, unit, *WANTED) == [(0, 5), (6, 2), (50, 1), (5, 1)]
    unit.silent.clear()
    clock.now += 86400 - 1
    assert await reads_of(device, unit, *WANTED) == [(0, 5), (6, 2), (50, 1)]
    clock.now += 2
    assert (await device.poll(keys(*WANTED))).failed == frozenset()
    assert await reads_of(device, unit, *WANTED) == [(0, 8), (50, 1)]


async def test_what_was_served_until_now_is_asked_again_after_ten_minutes(clock: Clock) -> None:
    """It has fallen silent while the machine was running."""
    unit = trouble(None)
    device = Device(unit, numbered(*WANTED))
    await device.poll(keys(*WANTED))
    unit.silent.add(5)
    # The whole machine might have fallen silent; the next poll begins with another read.
    clock.now += 5
    with pytest.raises(LinkTimeout):
        await device.poll(keys(*WANTED))
    clock.now += 5
    assert await reads_of(device, unit, *WANTED) == [(50, 1), (0, 8)]
    for _ in range(4):
        clock.now += 5
        await device.poll(keys(*WANTED))
    assert device.quarantined == [5]
    clock.now += 599
    assert await reads_of(device, unit, *WANTED) == [(0, 5), (6, 2), (50, 1)]
    clock.now += 2
    assert await reads_of(device, unit, *WANTED) == [(0, 5), (6, 2), (50, 1), (5, 1)]


async def test_one_lost_answer_costs_nothing_but_its_values(clock: Clock) -> None:
    """The next poll has as many requests as ever, and the one after that is as it was."""
    unit = trouble(None)
    device = Device(unit, numbered(*WANTED))
    await device.poll(keys(*WANTED))
    unit.faults = deque([None, LinkTimeout("lost")])
    clock.now += 5
    assert await reads_of(device, unit, *WANTED) == [(0, 8), (50, 1)]
    assert device.snapshot(keys(*WANTED)).failed == {"r50"}
    clock.now += 5
    assert await reads_of(device, unit, *WANTED) == [(0, 8), (50, 1)]
    assert device.snapshot(keys(*WANTED)).failed == frozenset()
    assert await reads_of(device, unit, *WANTED) == [(0, 8), (50, 1)]


async def test_a_silent_gap_is_not_read_along(clock: Clock) -> None:
    """Both sides are served: the read ends before it, from the third time on."""
    unit = FakeUnit(served(0, 1, 4, 5, 50), silent={3})
    device = Device(unit, numbered(0, 1, 4, 5, 50))
    for _ in range(12):
        await device.poll(keys(0, 1, 4, 5, 50))
        clock.now += 5
    assert await reads_of(device, unit, 0, 1, 4, 5, 50) == [(0, 2), (4, 2), (50, 1)]
    assert device.snapshot(keys(0, 1, 4, 5, 50)).failed == frozenset()
    assert device.quarantined == []


async def test_refused_and_silent_registers_in_one_read(clock: Clock) -> None:
    """Each is found in its way."""
    unit = trouble(None, 6)
    unit.refused[1] = 2
    device = Device(unit, numbered(*WANTED))
    for _ in range(12):
        await device.poll(keys(*WANTED))
        clock.now += 5
    assert device.quarantined == [1, 6]
    assert device.snapshot(keys(*WANTED)).failed == {"r1", "r6"}


# ---------------------------------------------------------------------- a group of its own


def two_groups() -> Family:
    """Return a family with settings, which are read at once, and powers."""
    return family_of(
        *(register(f"r{address}", address, group=Group.SETTINGS) for address in range(8)),
        register("r50", 50),
    )


async def test_silent_registers_of_a_slow_group_are_found_in_the_polls_of_a_fast_one(
    clock: Clock,
) -> None:
    """The only read of the settings fails; the powers are polled on, and tell when settings are there."""
    unit = trouble(None, 5)
    device = Device(unit, two_groups())
    told: list[Group] = []
    device.add_listener(told.append)
    with pytest.raises(LinkTimeout):
        await device.poll(keys(*range(8)))
    polls = [
        ([(50, 1), (0, 8)], []),
        ([(50, 1), (0, 4), (4, 4)], [Group.SETTINGS]),
        ([(50, 1), (4, 2)], []),
        ([(50, 1), (6, 2), (4, 1), (5, 1)], [Group.SETTINGS]),
        ([(50, 1)], []),
    ]
    for reads, groups in polls:
        assert await reads_of(device, unit, 50) == reads
        assert told == groups
        told.clear()
        clock.now += 5
    assert device.snapshot(keys(*range(8))).failed == {"r5"}
    assert await reads_of(device, unit, *range(8)) == [(0, 5), (6, 2)]


# ---------------------------------------------------------------------- the machine


async def test_a_silent_machine_is_not_searched_for_silent_registers(clock: Clock) -> None:
    """One read in each poll shows that it is silent; and it is back with the first poll after that."""
    unit = FakeUnit(served(0, 50, 100))
    device = Device(unit, numbered(0, 50, 100))
    plan = [(0, 1), (50, 1), (100, 1)]
    assert await reads_of(device, unit, 0, 50, 100) == plan
    unit.fault = LinkTimeout("silent")
    sent = []
    for _ in range(4):
        clock.now += 5
        unit.requests.clear()
        with pytest.raises(LinkTimeout):
            await device.poll(keys(0, 50, 100))
        sent.append(unit.reads)
    assert sent == [[(0, 1)], [(50, 1)], [(100, 1)], [(0, 1)]]
    unit.fault = None
    clock.now += 5
    assert sorted(await reads_of(device, unit, 0, 50, 100)) == plan
    assert device.snapshot(keys(0, 50, 100)).failed == frozenset()
    assert await reads_of(device, unit, 0, 50, 100) == plan
    assert device.quarantined == []


async def test_a_machine_with_a_silent_register_is_back_after_an_outage(clock: Clock) -> None:
    """Although the first of its reads is never answered, which nobody knows yet."""
    unit = trouble(None, 5)
    device = Device(unit, numbered(*WANTED))
    unit.fault = LinkTimeout("silent")
    for _ in range(3):
        with pytest.raises(LinkTimeout):
            await device.poll(keys(*WANTED))
        clock.now += 5
    unit.fault = None
    for _ in range(2):
        try:
            await device.poll(keys(*WANTED))
        except LinkTimeout:
            clock.now += 5
    assert device.snapshot(keys(*WANTED)).values["r50"] == 1050
    for _ in range(6):
        clock.now += 5
        await device.poll(keys(*WANTED))
    assert device.quarantined == [5]


async def test_a_machine_that_dies_in_a_poll_is_left_after_two_silent_reads(clock: Clock) -> None:
    """What was read before is shown; the rest would cost a timeout each."""
    unit = FakeUnit(served(0, 50, 100, 150))
    device = Device(unit, numbered(0, 50, 100, 150))
    await device.poll(keys(0, 50, 100, 150))
    unit.faults = deque([None, LinkTimeout("silent"), LinkTimeout("silent")])
    clock.now += 5
    assert await reads_of(device, unit, 0, 50, 100, 150) == [(0, 1), (50, 1), (100, 1)]
    assert device.snapshot(keys(0, 50, 100, 150)).failed == {"r50", "r100", "r150"}


# ---------------------------------------------------------------------- the last try


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a poll try again without a pause."""
    monkeypatch.setattr(fetcher, "LAST_TRY_AFTER", 0.0)


def later(seconds: float = 5) -> float:
    """Return a time of the event loop."""
    return asyncio.get_running_loop().time() + seconds


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "error",
    [
        LinkDesync("foreign"),
        LinkLost("closed"),
        *(RejectedError(code, "noise") for code in (1, 4, 6, 10, 11)),
    ],
    ids=str,
)
async def test_what_a_poll_has_missed_is_tried_once_more(error: DeviceError, clock: Clock) -> None:
    """Within its interval, so that nothing is blank."""
    unit = FakeUnit(served(0, 50))
    device = Device(unit, numbered(0, 50))
    first = await device.poll(keys(0, 50))
    unit.faults.append(error)
    assert await device.poll(keys(0, 50), later()) == first
    unit.requests.clear()
    unit.faults.extend([None, error, error])
    assert (await device.poll(keys(0, 50), later())).failed == {"r50"}
    assert unit.reads == [(0, 1), (50, 1), (50, 1)]


@pytest.mark.usefixtures("at_once")
async def test_a_read_without_an_answer_is_tried_once_more_when_others_are_answered(
    clock: Clock,
) -> None:
    """The machine is there."""
    unit = FakeUnit(served(0, 50))
    device = Device(unit, numbered(0, 50))
    first = await device.poll(keys(0, 50))
    unit.faults.extend([None, LinkTimeout("lost")])
    assert await device.poll(keys(0, 50), later()) == first


@pytest.mark.usefixtures("at_once")
async def test_there_is_no_last_try_where_it_would_take_time_from_others() -> None:
    """Others wait for the line, the interval is over, or the machine is silent, or was, or cannot be reached."""
    unit = FakeUnit(served(0, 50))
    device = Device(unit, numbered(0, 50))
    await device.poll(keys(0, 50))

    async def reads_in_vain(error: DeviceError, until: float) -> int:
        unit.requests.clear()
        unit.fault = error
        with pytest.raises(DeviceError):
            await device.poll(keys(0, 50), until)
        unit.fault = None
        return len(unit.requests)

    busy = RejectedError(6, "busy")
    assert await reads_in_vain(busy, later()) == 4
    assert await reads_in_vain(busy, later()) == 2
    await device.poll(keys(0, 50))
    unit.idle = False
    assert await reads_in_vain(busy, later()) == 2
    unit.idle = True
    await device.poll(keys(0, 50))
    assert await reads_in_vain(busy, later(-1)) == 2
    await device.poll(keys(0, 50))
    for silent in (LinkTimeout("silent"), LinkTimeout("", LinkErrorCode.CONNECT_TIMEOUT)):
        assert await reads_in_vain(silent, later()) == 1
        await device.poll(keys(0, 50))


async def test_the_last_try_comes_a_second_later() -> None:
    """A machine that was busy often is not any more by then; where there is no second left, there is none."""
    unit = FakeUnit(served(0))
    device = Device(unit, numbered(0))
    await device.poll(keys(0))
    unit.faults.append(RejectedError(6, "busy"))
    started = later(0)
    assert (await device.poll(keys(0), later(3))).values == {"r0": 1000}
    assert later(0) - started >= 1
    unit.faults.append(RejectedError(6, "busy"))
    with pytest.raises(RejectedError):
        await device.poll(keys(0), later(0.9))


# ---------------------------------------------------------------------- two polls at a time


@pytest.mark.parametrize("code", [None, 4])
@pytest.mark.parametrize("bad", [0, 5, 7])
async def test_two_polls_at_a_time_leave_only_the_guilty_register_alone(
    code: int | None, bad: int, clock: Clock
) -> None:
    """The powers are polled while the settings are: what one of them finds out, the other one does not judge by."""
    unit = FakeUnit(served(*WANTED, 60))
    if code is None:
        unit.silent.add(bad)
    else:
        unit.refused[bad] = code
    device = Device(unit, numbered(*WANTED, 60))
    for _ in range(12):
        await asyncio.gather(device.poll(keys(*WANTED)), device.poll(keys(60)))
        clock.now += 5
    assert device.quarantined == [bad]


async def test_what_is_served_again_is_found_by_one_of_two_polls_at_a_time(clock: Clock) -> None:
    """Neither of them fails."""
    unit = FakeUnit(served(*WANTED, 60))
    unit.silent.add(5)
    device = Device(unit, numbered(*WANTED, 60))
    await device.poll(keys(*WANTED))
    unit.silent.clear()
    clock.now += 5
    await asyncio.gather(device.poll(keys(*WANTED)), device.poll(keys(60)))
    assert not device.snapshot(keys(*WANTED)).failed
