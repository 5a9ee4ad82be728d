"""How a machine wants to be asked: reads that are not too long, and writes that are not too close."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
import logging
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import LinkTimeout, RejectedError
from custom_components.hybrid_inverter.modbus.model.codec import Number
from custom_components.hybrid_inverter.modbus.model.family import table
from custom_components.hybrid_inverter.modbus.model.register import Group, Register, Tier
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .conftest import Clock
from .fake_unit import FakeUnit

CAREFUL: Final = replace(
    JSO,
    registers=table(
        *(
            Register(key=f"r{address}", addresses=(address,), group=Group.POWER, codec=Number())
            for address in range(50)
        ),
        Register(
            key="low",
            addresses=(60,),
            group=Group.SETTINGS,
            codec=Number(),
            mask=0x00FF,
            tier=Tier.EVERYDAY,
        ),
        Register(
            key="next",
            addresses=(61,),
            group=Group.SETTINGS,
            codec=Number(),
            tier=Tier.EVERYDAY,
        ),
    ),
    derived={},
    readable=((0, 99),),
    max_read=50,
    fallback_read_length=20,
    max_write=1,
    single_write=True,
    settle=0.0,
    write_retry=frozenset({6, 51}),
)
ALL: Final = [f"r{address}" for address in range(50)]


# ---------------------------------------------------------------------- long reads


async def test_a_machine_that_bears_long_reads() -> None:
    """It gets them."""
    unit = FakeUnit()
    device = Device(unit, CAREFUL)
    await device.poll(ALL)
    await device.poll(ALL)
    assert unit.reads == [(0, 50), (0, 50)]


async def test_refused_for_its_length(caplog: pytest.LogCaptureFixture) -> None:
    """Asked in pieces at once, and in pieces from then on; it is told once."""
    caplog.set_level(logging.INFO)
    unit = FakeUnit(dict.fromkeys(range(50), 7), longest=30)
    device = Device(unit, CAREFUL)
    snapshot = await device.poll(ALL)
    # The last one shows that it was not for another reason.
    assert unit.reads == [(0, 50), (0, 20), (20, 20), (40, 10), (0, 50)]
    assert snapshot.values == dict.fromkeys(ALL, 7)
    unit.requests.clear()
    await device.poll(ALL)
    assert unit.reads == [(0, 20), (20, 20), (40, 10)]
    assert device.quarantined == []
    assert [record.getMessage() for record in caplog.records] == [
        "Reads of more than 20 registers are too long for the device"
    ]


async def test_one_refusal_of_a_long_read_is_not_for_its_length() -> None:
    """The machine takes it when it is asked again, and goes on getting it."""
    unit = FakeUnit(faults=deque([RejectedError(2, "noise")]))
    device = Device(unit, CAREFUL)
    assert (await device.poll(ALL)).failed == frozenset()
    unit.requests.clear()
    unit.faults.append(RejectedError(2, "noise"))
    await device.poll(ALL)
    await device.poll(ALL)
    assert unit.reads == [(0, 50)] * 3


async def test_long_reads_are_tried_again(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """After ten minutes, and after three times in a row after a day; it is told once."""
    caplog.set_level(logging.INFO)
    unit = FakeUnit(longest=30)
    device = Device(unit, CAREFUL)
    short, tried = [(0, 20), (20, 20), (40, 10)], [(0, 50), (0, 20), (20, 20), (40, 10), (0, 50)]
    for pause in (600, 600, 86400, 86400):
        unit.requests.clear()
        await device.poll(ALL)
        assert unit.reads == tried
        unit.requests.clear()
        clock.now += pause - 1
        await device.poll(ALL)
        assert unit.reads == short
        clock.now += 2
    unit.longest = 50
    for _ in range(2):
        unit.requests.clear()
        await device.poll(ALL)
        assert unit.reads == [(0, 50)]
    assert len(caplog.records) == 1


async def test_silent_for_its_length() -> None:
    """Some machines do not answer instead."""
    unit = FakeUnit(faults=deque([LinkTimeout("no answer")]))
    device = Device(unit, CAREFUL)
    assert (await device.poll(ALL)).failed == frozenset()
    assert unit.reads == [(0, 50), (0, 20), (20, 20), (40, 10)]


async def test_read_is_not_shortened_when_the_first_part_is_not_answered_either() -> None:
    """The first piece is not answered either: that is no matter of length, and nothing is concluded from it."""
    unit = FakeUnit(faults=deque([LinkTimeout("no answer")] * 2))
    device = Device(unit, CAREFUL)
    with pytest.raises(LinkTimeout):
        await device.poll(ALL)
    assert unit.reads == [(0, 50), (0, 20)]
    unit.requests.clear()
    await device.poll(ALL)
    assert unit.reads == [(0, 50)]


async def test_busy_is_no_matter_of_length() -> None:
    """It is the poll after this that asks again."""
    unit = FakeUnit(faults=deque([RejectedError(6, "busy")]))
    with pytest.raises(RejectedError):
        await Device(unit, CAREFUL).poll(ALL)
    assert unit.reads == [(0, 50)]


async def test_a_refused_register_is_no_matter_of_length() -> None:
    """It rests, and the reads stay as long as they were."""
    unit = FakeUnit(refused={49: 2})
    device = Device(unit, CAREFUL)
    assert (await device.poll(ALL)).failed == {"r49"}
    unit.requests.clear()
    await device.poll(ALL)
    assert unit.reads == [(0, 49)]


async def test_a_short_read_is_not_cut() -> None:
    """Twenty registers are few enough."""
    unit = FakeUnit(faults=deque([LinkTimeout("no answer")]))
    with pytest.raises(LinkTimeout):
        await Device(unit, CAREFUL).poll(ALL[:20])
    assert unit.reads == [(0, 20)]


# ---------------------------------------------------------------------- writes


async def test_writes_keep_their_distance() -> None:
    """Also the one more try; reads do not wait for it."""
    times: list[tuple[str, float]] = []
    loop = asyncio.get_running_loop()

    class Watched(FakeUnit):
        async def write_register(self, address: int, value: int) -> None:
            times.append(("write", loop.time()))
            await super().write_register(address, value)

    unit = Watched(ignored=1)
    device = Device(unit, replace(CAREFUL, write_spacing=0.08))
    started = loop.time()
    await device.write("low", 1)
    await device.write("next", 2)
    (first, second, third) = [moment for _, moment in times]
    assert first - started < 0.05
    assert second - first >= 0.08
    assert third - second >= 0.08


@pytest.mark.parametrize("code", [6, 51])
async def test_a_busy_machine_is_asked_once_more(code: int) -> None:
    """After a while, and with the other bits as they are by then."""
    unit = FakeUnit({60: 0x0101}, faults=deque([None, RejectedError(code, "not now")]))

    async def change() -> None:
        unit.registers[60] = 0x0201

    unit.meanwhile = deque([None, change])
    device = Device(unit, replace(CAREFUL, recovery=0.08))
    loop = asyncio.get_running_loop()
    started = loop.time()
    await device.write("low", 9)
    assert loop.time() - started >= 0.08
    assert unit.writes == [(60, (0x0109,)), (60, (0x0209,))]
    assert unit.registers[60] == 0x0209


@pytest.mark.parametrize("codes", [[6, 6], [4]])
async def test_and_not_more_than_once(codes: list[int]) -> None:
    """Nor for any other exception."""
    faults = [RejectedError(code, "no") for code in codes]
    unit = FakeUnit(faults=deque([None, faults[0], None, *faults[1:]]))
    with pytest.raises(RejectedError):
        await Device(unit, CAREFUL).write("low", 9)
    assert len(unit.writes) == len(codes)
