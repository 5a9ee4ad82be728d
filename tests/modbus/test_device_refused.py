"""Registers that a machine refuses: found at once, believed after three refusals in a row, and never for good."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
import logging
from random import Random

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.device import fetcher, quarantine
from custom_components.hybrid_inverter.modbus.device.device import Device, Snapshot
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    LinkTimeout,
    RejectedError,
)
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.tables.jso import JSO
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ
from custom_components.hybrid_inverter.modbus.transport.link import TEMPORARY

from .conftest import Clock
from .fake_unit import FakeUnit
from .test_device import family_of, keys, numbered, register, served

DAY = 86400


async def reads_of(device: Device, unit: FakeUnit, *addresses: int) -> list[tuple[int, int]]:
    """Poll, and return what that sends."""
    unit.requests.clear()
    await device.poll(keys(*addresses))
    return unit.reads


# ---------------------------------------------------------------------- what the machine never had


async def test_a_refused_register_is_found_by_halving(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Seven requests find one of eight; the other seven, and the other read, are there at once.

    Two more refusals, each of one register, and it is left alone; that is told once.
    """
    caplog.set_level(logging.INFO)
    unit = FakeUnit(served(*range(8), 50), refused={5: 2})
    device = Device(unit, numbered(*range(8), 50))
    wanted = (*range(8), 50)
    snapshot = await device.poll(keys(*wanted))
    assert unit.reads == [(0, 8), (0, 4), (4, 4), (4, 2), (4, 1), (5, 1), (6, 2), (50, 1)]
    assert snapshot.failed == {"r5"}
    assert snapshot.values == {
        "r0": 1000,
        "r1": 1001,
        "r2": 1002,
        "r3": 1003,
        "r4": 1004,
        "r6": 1006,
        "r7": 1007,
        "r50": 1050,
    }
    for _ in range(2):
        assert device.quarantined == []
        assert not caplog.records
        clock.now += 5
        assert await reads_of(device, unit, *wanted) == [(0, 5), (6, 2), (50, 1), (5, 1)]
    assert device.quarantined == [5]
    clock.now += 5
    assert await reads_of(device, unit, *wanted) == [(0, 5), (6, 2), (50, 1)]
    assert await device.poll(keys(*wanted)) == snapshot
    told = [record.getMessage() for record in caplog.records]
    assert told == ["Registers 5 to 5 are not served (register 5: Modbus exception 2)"]


async def test_set_up_polls_one_group_after_the_other_and_asks_once(clock: Clock) -> None:
    """The polls of the other groups, within the same second, do not ask again."""
    unit = FakeUnit(served(0, 50), refused={1: 2})
    device = Device(unit, numbered(0, 1, 50))
    await device.poll(keys(0, 1))
    clock.now += 0.9
    assert await reads_of(device, unit, 50) == [(50, 1)]
    clock.now += 0.2
    assert await reads_of(device, unit, 50) == [(50, 1), (1, 1)]


async def test_both_words_of_a_value_rest(clock: Clock) -> None:
    """A value of two words is not taken apart."""
    family = family_of(register("a", 0), register("wide", 1, 2), register("b", 3))
    unit = FakeUnit({0: 1, 1: 2, 2: 3, 3: 4}, refused={2: 3})
    device = Device(unit, family)
    for _ in range(3):
        snapshot = await device.poll(["a", "wide", "b"])
        assert snapshot == Snapshot({"a": 1, "b": 4}, frozenset({"wide"}))
        clock.now += 5
    assert device.quarantined == [1, 2]


async def test_a_value_of_two_parts_rests_with_either() -> None:
    """The firmware number lies at 14, 15 and 11; the boot version at 11 alone is not concerned."""
    unit = FakeUnit({11: 0x1800, 14: 0x2001, 15: 0x1144}, refused={15: 2})
    snapshot = await Device(unit, JSO).poll(["main_firmware", "main_fw_boot"])
    assert snapshot == Snapshot({"main_fw_boot": "1800"}, frozenset({"main_firmware"}))


async def test_what_was_never_served_is_asked_again_after_a_day(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not asked before, and then by itself; still refused it rests again without another word."""
    caplog.set_level(logging.INFO)
    unit = FakeUnit(served(0, 1), refused={1: 2})
    device = Device(unit, numbered(0, 1))
    assert await reads_of(device, unit, 0, 1) == [(0, 2), (0, 1), (1, 1)]
    for _ in range(2):
        clock.now += 5
        assert await reads_of(device, unit, 0, 1) == [(0, 1), (1, 1)]
    clock.now += DAY - 1
    assert await reads_of(device, unit, 0, 1) == [(0, 1)]
    clock.now += 2
    assert await reads_of(device, unit, 0, 1) == [(0, 1), (1, 1)]
    assert [record.name for record in caplog.records].count(quarantine.__name__) == 1
    clock.now += DAY - 1
    assert await reads_of(device, unit, 0, 1) == [(0, 1)]
    unit.refused.clear()
    clock.now += 2
    assert (await device.poll(keys(0, 1))).values == {"r0": 1000, "r1": 1001}
    assert device.quarantined == []
    assert await reads_of(device, unit, 0, 1) == [(0, 2)]


async def test_a_group_of_resting_registers_is_not_asked(clock: Clock) -> None:
    """Its keys have failed, without a request."""
    unit = FakeUnit(served(0, 1, 2), refused={1: 2, 2: 2})
    device = Device(unit, numbered(0, 1, 2))
    for _ in range(3):
        await device.poll(keys(0, 1, 2))
        clock.now += 5
    unit.requests.clear()
    snapshot = await device.poll(keys(1, 2))
    assert snapshot == Snapshot({}, frozenset({"r1", "r2"}))
    assert unit.requests == []


async def test_a_machine_that_refuses_everything_is_not_believed() -> None:
    """It may be starting; its registers do not rest, and the next poll brings them."""
    unit = FakeUnit(served(0, 1, 50), fault=RejectedError(2, "starting"))
    device = Device(unit, numbered(0, 1, 50))
    with pytest.raises(RejectedError):
        await device.poll(keys(0, 1, 50))
    assert device.quarantined == []
    unit.fault = None
    assert (await device.poll(keys(0, 1, 50))).failed == frozenset()


# ---------------------------------------------------------------------- what the machine has served


@pytest.mark.parametrize("code", [0, 2, 3, 65])
@pytest.mark.parametrize("read", [0, 1, 2])
async def test_after_any_number_of_single_refusals_the_plan_is_that_of_the_first_poll(
    code: int, read: int, clock: Clock
) -> None:
    """Whichever read is refused, once in each poll: it is asked for again at once, and nothing is concluded."""
    unit = FakeUnit(served(*range(8), 100, 224))
    device = Device(unit, numbered(*range(8), 100, 224))
    wanted = (*range(8), 100, 224)
    plan = [(0, 8), (100, 1), (224, 1)]
    assert await reads_of(device, unit, *wanted) == plan
    for _ in range(20):
        clock.now += 5
        unit.faults = deque([*[None] * read, RejectedError(code, "noise")])
        assert await reads_of(device, unit, *wanted) == sorted([*plan, plan[read]])
        assert device.snapshot(keys(*wanted)).failed == frozenset()
        clock.now += 5
        assert await reads_of(device, unit, *wanted) == plan
    assert device.quarantined == []


async def test_a_single_refusal_in_the_first_poll_is_forgotten_in_the_second(clock: Clock) -> None:
    """Of a long read, whose halves are served then, and of a read of one value."""
    unit = FakeUnit(served(*range(8), 224))
    device = Device(unit, numbered(*range(8), 224))
    wanted = (*range(8), 224)
    unit.faults = deque([RejectedError(2, "noise"), None, None, RejectedError(2, "noise")])
    assert (await device.poll(keys(*wanted))).failed == {"r224"}
    clock.now += 5
    assert await reads_of(device, unit, *wanted) == [(0, 8), (224, 1)]
    assert device.snapshot(keys(*wanted)).failed == frozenset()


async def test_what_was_served_rests_for_ten_minutes_only(clock: Clock) -> None:
    """A firmware may have lost it; two questions in each of three polls, and then one by itself."""
    unit = FakeUnit(served(0, 1))
    device = Device(unit, numbered(0, 1))
    await device.poll(keys(0, 1))
    unit.refused[1] = 2
    assert await reads_of(device, unit, 0, 1) == [(0, 2), (0, 2), (0, 1), (1, 1), (1, 1)]
    assert device.snapshot(keys(0, 1)) == Snapshot({"r0": 1000}, frozenset({"r1"}))
    assert 1 not in device.image
    for _ in range(2):
        clock.now += 5
        assert await reads_of(device, unit, 0, 1) == [(0, 1), (1, 1), (1, 1)]
    clock.now += 599
    assert await reads_of(device, unit, 0, 1) == [(0, 1)]
    clock.now += 2
    unit.refused.clear()
    assert await reads_of(device, unit, 0, 1) == [(0, 1), (1, 1)]
    assert device.snapshot(keys(0, 1)).failed == frozenset()


# ---------------------------------------------------------------------- reads that are too much


async def test_only_the_gap_is_refused(clock: Clock) -> None:
    """Both sides are served, so nothing rests; after three polls they are not read together for a day."""
    unit = FakeUnit(served(0, 1, 2, 3, 6, 7, 8, 9), refused={4: 2})
    wanted = (0, 1, 2, 3, 6, 7, 8, 9)
    device = Device(unit, numbered(*wanted))
    for _ in range(3):
        assert await reads_of(device, unit, *wanted) == [(0, 10), (0, 4), (6, 4)]
        assert device.snapshot(keys(*wanted)).failed == frozenset()
        clock.now += 5
    assert await reads_of(device, unit, *wanted) == [(0, 4), (6, 4)]
    assert device.quarantined == []
    clock.now += DAY
    assert await reads_of(device, unit, *wanted) == [(0, 10), (0, 4), (6, 4)]
    assert await reads_of(device, unit, *wanted) == [(0, 4), (6, 4)]
    unit.refused.clear()
    clock.now += DAY
    for _ in range(2):
        assert await reads_of(device, unit, *wanted) == [(0, 10)]


async def test_a_border_that_was_crossed_before_holds_for_ten_minutes(clock: Clock) -> None:
    """What was read in one piece is read in two, and then in one again."""
    unit = FakeUnit(served(*range(8)))
    device = Device(unit, numbered(*range(8)))
    await device.poll(keys(*range(8)))
    unit.longest = 4
    for _ in range(3):
        clock.now += 5
        assert await reads_of(device, unit, *range(8)) == [(0, 8), (0, 8), (0, 4), (4, 4)]
    clock.now += 599
    assert await reads_of(device, unit, *range(8)) == [(0, 4), (4, 4)]
    unit.longest = 8
    clock.now += 2
    assert await reads_of(device, unit, *range(8)) == [(0, 8)]


async def test_a_gap_that_is_not_in_the_middle_is_found(clock: Clock) -> None:
    """The border is drawn where the gap is, and only there."""
    unit = FakeUnit(served(0, 3, 4, 5), refused={2: 2})
    device = Device(unit, numbered(0, 3, 4, 5))
    for _ in range(3):
        halved = [(0, 6), (0, 4), (0, 1), (3, 1), (4, 2)]
        assert await reads_of(device, unit, 0, 3, 4, 5) == halved
        clock.now += 5
    assert await reads_of(device, unit, 0, 3, 4, 5) == [(0, 1), (3, 3)]


async def test_a_read_that_is_too_long_is_cut(clock: Clock) -> None:
    """The machine takes 40 registers at once, the table says 100; nothing is refused, and nothing rests."""
    unit = FakeUnit(served(*range(60)), longest=40)
    device = Device(unit, numbered(*range(60)))
    for _ in range(3):
        assert await reads_of(device, unit, *range(60)) == [(0, 60), (0, 30), (30, 30)]
        clock.now += 5
    assert device.snapshot(keys(*range(60))).failed == frozenset()
    assert device.quarantined == []
    assert await reads_of(device, unit, *range(60)) == [(0, 30), (30, 30)]
    assert await reads_of(device, unit, *range(20, 40)) == [(20, 10), (30, 10)]


async def test_no_border_goes_through_a_value() -> None:
    """A value of two words lies across the middle of what is too long; it stays readable."""
    family = family_of(*(register(f"r{a}", a) for a in range(10)), register("wide", 4, 5))
    unit = FakeUnit(served(*range(10)), longest=5)
    device = Device(unit, family)
    assert len((await device.poll(keys(*range(10)))).values) == 10
    # 1004 * 65536 + 1005.
    assert (await device.poll(["wide"])).values == {"wide": 65799149}
    assert unit.reads == [(0, 10), (0, 5), (5, 5), (4, 2)]


# ---------------------------------------------------------------------- whatever happens


@settings(max_examples=100, deadline=None)
@given(
    rows=st.sets(st.integers(0, 60), min_size=1),
    refused=st.sets(st.integers(0, 60), max_size=8),
    longest=st.integers(5, 60),
)
async def test_whatever_is_refused_the_rest_is_there(
    rows: set[int], refused: set[int], longest: int
) -> None:
    """In the first poll already; and after some polls nothing is asked for that is refused."""
    unit = FakeUnit(served(*range(61)), refused=dict.fromkeys(refused, 2), longest=longest)
    device = Device(unit, numbered(*rows))
    if rows <= refused:
        with pytest.raises(RejectedError):
            await device.poll(keys(*rows))
        return
    loop = asyncio.get_running_loop()
    with pytest.MonkeyPatch.context() as patched:
        clock = Clock(loop.time())
        patched.setattr(quarantine, "_now", lambda: clock.now)
        for _ in range(36):
            clock.now += 5
            unit.requests.clear()
            snapshot = await device.poll(keys(*rows))
            assert snapshot.values == {f"r{address}": 1000 + address for address in rows - refused}
            assert snapshot.failed == {f"r{address}" for address in rows & refused}
    assert device.quarantined == sorted(rows & refused)
    assert all(
        count <= longest and refused.isdisjoint(range(address, address + count))
        for address, count in unit.reads
    )


class Repeating(FakeUnit):
    """A unit that sends a read once more where a link does."""

    async def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False, once: bool = False
    ) -> list[int]:
        """Return the words of the first or second answer."""
        try:
            return await super().read_holding_registers(address, count, urgent=urgent)
        except (LinkTimeout, RejectedError) as err:
            if once or (isinstance(err, RejectedError) and err.code not in TEMPORARY):
                raise
            return await super().read_holding_registers(address, count, urgent=urgent)


def noise(share: float, random: Random) -> DeviceError | None:
    """Return what becomes of a request on a line where this share of them goes wrong."""
    if random.random() >= share:
        return None
    code = random.choice([0, 2, 2, 3, 4, 6, 11])
    return LinkTimeout("noise") if code == 0 else RejectedError(code, "noise")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("share", "most", "missing"), [(0.05, 40, 3), (0.25, 50, 20)])
async def test_ten_minutes_of_noise_leave_nothing_behind(
    seed: int,
    share: float,
    most: int,
    missing: int,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """36 requests a minute bring all of 360 reads; what is asked again adds to them, and nothing else does.

    Few reads are missed, nothing rests, and afterwards the plan is that of the first poll.
    """
    monkeypatch.setattr(fetcher, "LAST_TRY_AFTER", 0.0)
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    unit = Repeating(served(*range(8), 100, 101, 224))
    device = Device(unit, numbered(*range(8), 100, 101, 224))
    wanted = (*range(8), 100, 101, 224)
    plan = [(0, 8), (100, 2), (224, 1)]
    assert await reads_of(device, unit, *wanted) == plan
    unit.requests.clear()
    missed = 0
    for _ in range(120):
        clock.now += 5
        unit.faults = deque(noise(share, random) for _ in range(60))
        with suppress(DeviceError):
            await device.poll(keys(*wanted), asyncio.get_running_loop().time() + 5)
        missed += len(device.snapshot(keys(0, 100, 224)).failed)
    assert len(unit.requests) / 10 <= most
    assert missed <= missing
    assert device.quarantined == []
    unit.faults.clear()
    for _ in range(2):
        clock.now += 5
        await device.poll(keys(*wanted))
    assert await reads_of(device, unit, *wanted) == plan


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", [JSO, SAJ], ids=lambda family: family.key)
async def test_faults_and_the_grid_are_known_on_a_line_where_a_quarter_of_the_requests_goes_wrong(
    family: Family, seed: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes long, in nineteen of twenty polls, and never three polls in a row without one of them."""
    monkeypatch.setattr(fetcher, "LAST_TRY_AFTER", 0.0)
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    unit = Repeating()
    device = Device(unit, family, known={"rated_power": 6000})
    groups = [
        [key for key in (*family.registers, *family.derived) if family.group_of(key) is group]
        for group in (Group.POWER, Group.FAULTS)
    ]
    watched = {"problem", "fault", "grid_connected"} & {*groups[0], *groups[1]}
    assert len(watched) >= 2
    known = []
    for _ in range(120):
        clock.now += 5
        unit.faults = deque(noise(0.25, random) for _ in range(200))
        for group in groups:
            with suppress(DeviceError):
                await device.poll(group, asyncio.get_running_loop().time() + 5)
        known.append(not device.snapshot(watched).failed)
    assert known.count(True) >= 114
    assert all(any(known[first : first + 3]) for first in range(118))
    assert device.quarantined == []
