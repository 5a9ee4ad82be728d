"""A machine that is polled: plans, snapshots, and what becomes of registers that cannot be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, replace
import time
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device, Snapshot
from custom_components.hybrid_inverter.modbus.device.read_plan import ReadPlanner
from custom_components.hybrid_inverter.modbus.errors import (
    LinkDesync,
    LinkError,
    LinkLost,
    LinkTimeout,
    RejectedError,
    WrongDeviceError,
)
from custom_components.hybrid_inverter.modbus.model.codec import Number
from custom_components.hybrid_inverter.modbus.model.derived import Derived, total
from custom_components.hybrid_inverter.modbus.model.family import Family, table
from custom_components.hybrid_inverter.modbus.model.register import Group, Register
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .conftest import Clock
from .fake_unit import FakeUnit, ReadRequest


def register(key: str, *addresses: int, group: Group = Group.POWER) -> Register:
    """Return an unsigned number."""
    return Register(
        key=key, addresses=addresses, group=group, codec=Number(words=len(addresses) or 1)
    )


def family_of(*rows: Register, derived: dict[str, Derived] | None = None) -> Family:
    """Return a family with these registers, which settles in no time."""
    return replace(
        JSO,
        registers=table(*rows),
        derived=derived or {},
        readable=((0, 999),),
        max_read=100,
        settle=0.01,
    )


def numbered(*addresses: int) -> Family:
    """Return a family with a register `r<address>` at each of these addresses."""
    return family_of(*(register(f"r{address}", address) for address in addresses))


def served(*addresses: int) -> dict[int, int]:
    """Return registers that hold their address and 1000."""
    return {address: 1000 + address for address in addresses}


def keys(*addresses: int) -> list[str]:
    """Return the keys of these addresses in a numbered family."""
    return [f"r{address}" for address in addresses]


# ---------------------------------------------------------------------- a poll that goes well


async def test_polls_registers_and_what_is_derived() -> None:
    """Values are in engineering units; the sum is that of the four strings, whether they are wanted or not."""
    phases = {622: 0xFFB0, 623: 0xFFC4, 624: 0xFFC4}
    unit = FakeUnit(
        {587: 5312, 588: 76, **phases, 625: 0xFF38, 672: 3000, 673: 2610, 674: 0, 675: 0}
    )
    device = Device(unit, JSO)
    snapshot = await device.poll({"battery_voltage", "battery_soc", "grid_power", "pv_power"})
    assert snapshot.values == {
        "battery_voltage": 53.12,
        "battery_soc": 76,
        "grid_power": -200,
        "pv_power": 5610,
    }
    assert snapshot.failed == frozenset()
    # A gap of 33 registers takes 69 ms at 9600 baud, another request 36 ms. The phases say which way a large total goes.
    assert unit.requests == [ReadRequest(587, 2), ReadRequest(622, 4), ReadRequest(672, 4)]
    assert device.values["pv2_power"] == 2610
    assert device.image[625] == 0xFF38


async def test_nothing_wanted_costs_nothing() -> None:
    """A group of which everything is disabled is not read."""
    unit = FakeUnit()
    assert (await Device(unit, JSO).poll([])).values == {}
    assert unit.requests == []


async def test_a_snapshot_cannot_be_changed() -> None:
    """What a poll brought stays as it was, also when the next one brings something else."""
    unit = FakeUnit(served(1))
    device = Device(unit, numbered(1))
    first = await device.poll(keys(1))
    changeable: Any = first
    with pytest.raises(TypeError):
        changeable.values["r1"] = 0
    with pytest.raises(FrozenInstanceError):
        changeable.failed = frozenset({"r1"})
    unit.registers[1] = 7
    second = await device.poll(keys(1))
    assert (first.values, second.values) == ({"r1": 1001}, {"r1": 7})


async def test_snapshots_of_the_same_values_are_equal() -> None:
    """So that whoever compares them sees that there is nothing new."""
    device = Device(FakeUnit(served(1)), numbered(1))
    assert await device.poll(keys(1)) == await device.poll(keys(1))


async def test_plans_once_for_a_set_of_keys() -> None:
    """The order of the keys does not matter, and only the last sixteen sets are remembered."""
    device = Device(FakeUnit(), numbered(*range(50)))
    with patch.object(
        ReadPlanner, "reads_for", autospec=True, side_effect=ReadPlanner.reads_for
    ) as planner:
        for wanted in (keys(1, 2, 3), keys(3, 2, 1), set(keys(1, 2, 3))):
            await device.poll(wanted)
        assert planner.call_count == 1
        for address in range(10, 40):
            await device.poll(keys(address))
        assert planner.call_count == 31
    assert len(device._reader._plans) == 16


async def test_the_speed_of_the_line_decides() -> None:
    """At 115200 baud a gap of 60 registers (10.4 ms) is cheaper than another request (16.7 ms)."""
    fast, slow = FakeUnit(), FakeUnit()
    await Device(fast, numbered(0, 61), baudrate=115200).poll(keys(0, 61))
    await Device(slow, numbered(0, 61)).poll(keys(0, 61))
    assert (fast.reads, slow.reads) == ([(0, 62)], [(0, 1), (61, 1)])


# ---------------------------------------------------------------------- reads that fail


@pytest.mark.parametrize("code", [1, 4, 6, 11])
async def test_another_exception_fails_its_keys_only(code: int, clock: Clock) -> None:
    """Nothing rests, the other read goes on, and the next poll asks again."""
    unit = FakeUnit(served(0, 1, 50))
    device = Device(unit, numbered(0, 1, 50))
    await device.poll(keys(0, 1, 50))
    unit.requests.clear()
    unit.faults.append(RejectedError(code, "unit 1"))
    snapshot = await device.poll(keys(0, 1, 50))
    assert snapshot == Snapshot({"r50": 1050}, frozenset({"r0", "r1"}))
    assert unit.reads == [(0, 2), (50, 1)]
    assert device.snapshot(keys(0, 1, 50)) == snapshot
    assert device.quarantined == []
    clock.now += 5
    assert (await device.poll(keys(0, 1, 50))).failed == frozenset()


async def test_an_exception_to_the_only_read_is_raised() -> None:
    """There is nothing to show."""
    device = Device(FakeUnit(faults=deque([RejectedError(6, "busy")])), numbered(0))
    with pytest.raises(RejectedError):
        await device.poll(keys(0))


async def test_an_exception_while_halving_fails_the_read() -> None:
    """The machine got busy in between: what is refused is found out the next time."""
    unit = FakeUnit(served(0, 1, 50), refused={1: 2})
    unit.faults.extend([None, None, RejectedError(6, "busy")])
    device = Device(unit, numbered(0, 1, 50))
    assert (await device.poll(keys(0, 1, 50))).failed == {"r0", "r1"}
    assert (await device.poll(keys(0, 1, 50))).failed == {"r1"}


@pytest.mark.parametrize("error", [LinkDesync, LinkLost, LinkError])
async def test_a_lost_link_at_the_first_read_is_raised(error: type[LinkError]) -> None:
    """The others are not asked, and nothing old is shown as new."""
    unit = FakeUnit(served(0, 50))
    device = Device(unit, numbered(0, 50))
    await device.poll(keys(0, 50))
    unit.requests.clear()
    unit.faults.append(error("unit 1"))
    with pytest.raises(error):
        await device.poll(keys(0, 50))
    assert unit.reads == [(0, 1)]
    assert device.snapshot(keys(0, 50)).failed == {"r0", "r50"}


async def test_a_lost_link_at_a_later_read_fails_the_rest() -> None:
    """Also later, until they are read again."""
    unit = FakeUnit(served(0, 50, 100))
    device = Device(unit, numbered(0, 50, 100))
    await device.poll(keys(0, 50, 100))
    unit.requests.clear()
    unit.registers[0] = 7
    unit.faults.extend([None, LinkLost("unit 1")])
    snapshot = await device.poll(keys(0, 50, 100))
    assert snapshot == Snapshot({"r0": 7}, frozenset({"r50", "r100"}))
    assert unit.reads == [(0, 1), (50, 1)]
    assert device.snapshot(keys(50, 100)).values == {}
    assert (await device.poll(keys(0, 50, 100))).failed == frozenset()


async def test_an_exception_and_then_no_answer_is_raised() -> None:
    """An exception to one read is no success."""
    unit = FakeUnit(faults=deque([RejectedError(4, "unit 1"), LinkTimeout("unit 1")]))
    with pytest.raises(LinkTimeout):
        await Device(unit, numbered(0, 50)).poll(keys(0, 50))


async def test_a_failed_read_takes_nothing_from_another_group() -> None:
    """The failed read went over a register that another group has read, and that is as good as it was."""
    family = family_of(register("a", 0), register("other", 1, group=Group.ENERGY), register("b", 2))
    unit = FakeUnit({1: 5})
    device = Device(unit, family)
    await device.poll(["other"])
    unit.faults.append(LinkTimeout("unit 1"))
    with pytest.raises(LinkTimeout):
        await device.poll(["a", "b"])
    assert device.snapshot(["other"]).values == {"other": 5}


# ---------------------------------------------------------------------- how old a value is


async def test_what_was_read_lately_is_not_outdated(monkeypatch: pytest.MonkeyPatch) -> None:
    """By every word of a value; what failed, and what a clock that was set back has read in the future, is outdated."""
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    unit = FakeUnit(served(0, 7, 50))
    device = Device(unit, two_strings())
    every = {"r0", "r7", "r50", "sum"}
    assert device.outdated(every, 30) == every
    await device.poll(["r0", "r7"])
    now += 20
    await device.poll(["r50"])
    now += 10
    assert device.outdated(every, 30) == set()
    now += 1
    assert device.outdated(every, 30) == {"r0", "r7", "sum"}
    unit.faults = deque([None, LinkTimeout("no answer")])
    await device.poll(["r0", "r50"])
    assert device.outdated(every, 30) == {"r7", "r50", "sum"}
    now -= 100
    assert device.outdated(every, 30) == every


async def test_what_the_machine_does_not_have_is_never_outdated() -> None:
    """It would be asked for again and again."""
    device = Device(FakeUnit(served(0, 7), refused={50: 2}), two_strings())
    await device.poll(["r0", "r50"])
    await device.poll(["r0", "r50"])
    assert device.outdated({"r0", "r50", "sum"}, 30) == set()


async def test_an_urgent_poll_goes_before_reads_that_wait() -> None:
    """Also where it is halved."""
    unit = FakeUnit(served(0, 50), refused={7: 2})
    device = Device(unit, two_strings())
    await device.poll(["r0", "r7", "r50"], urgent=True)
    assert len(unit.requests) > 2
    assert all(isinstance(one, ReadRequest) and one.urgent for one in unit.requests)
    await device.poll(["r0"])
    last = unit.requests[-1]
    assert isinstance(last, ReadRequest)
    assert not last.urgent


# ---------------------------------------------------------------------- derived values


def two_strings(*, may_lack_some: bool = True) -> Family:
    """Return a family whose sum comes from two reads."""
    derived = Derived(
        key="sum",
        inputs=("r0", "r50"),
        compute=total("r0", "r50"),
        group=Group.POWER,
        may_lack_some=may_lack_some,
    )
    rows = (register("r0", 0), register("r7", 7), register("r50", 50))
    return family_of(*rows, derived={"sum": derived})


async def refused_sums(clock: Clock, unit: FakeUnit, device: Device) -> list[Mapping[str, Any]]:
    """Return what four polls say of the sum from when on its second part is refused."""
    unit.refused[50] = 2
    shown = []
    for _ in range(4):
        clock.now += 5
        shown.append((await device.poll(["r0", "sum"])).values)
    return shown


async def test_a_sum_without_what_the_machine_does_not_have(clock: Clock) -> None:
    """A string that is refused three times, and was never served, does not exist."""
    unit = FakeUnit(served(0, 50))
    shown = await refused_sums(clock, unit, Device(unit, two_strings()))
    assert shown == [{"r0": 1000}, {"r0": 1000}, *[{"r0": 1000, "sum": 1000}] * 2]


async def test_no_sum_without_what_was_there(clock: Clock) -> None:
    """A string that was served until now would be missing in it, however often it is refused."""
    unit = FakeUnit(served(0, 50))
    device = Device(unit, two_strings())
    assert (await device.poll(["sum"])).values == {"sum": 2050}
    assert await refused_sums(clock, unit, device) == [{"r0": 1000}] * 4


async def test_no_sum_without_a_part_that_every_device_has(clock: Clock) -> None:
    """A phase, or the sign of a power, is no string: without it the value would be another one."""
    unit = FakeUnit(served(0, 50))
    shown = await refused_sums(clock, unit, Device(unit, two_strings(may_lack_some=False)))
    assert shown == [{"r0": 1000}] * 4


async def test_no_sum_of_nothing() -> None:
    """A machine without any of them has no sum either."""
    unit = FakeUnit({7: 1}, refused={0: 2, 50: 2})
    snapshot = await Device(unit, two_strings()).poll(["sum", "r7"])
    assert snapshot == Snapshot({"r7": 1}, frozenset({"sum"}))


async def test_no_sum_without_what_could_not_be_read() -> None:
    """A string that did not answer this time would be missing in it."""
    unit = FakeUnit(served(0, 50))
    device = Device(unit, two_strings())
    assert (await device.poll(["sum"])).values == {"sum": 2050}
    unit.faults.extend([None, LinkTimeout("unit 1")])
    snapshot = await device.poll(["r0", "sum"])
    assert snapshot == Snapshot({"r0": 1000}, frozenset({"sum"}))


# ---------------------------------------------------------------------- the machine itself


async def test_verifies_the_serial_number(clock: Clock) -> None:
    """It is asked for even if it rests; another one, or none, is another machine."""
    unit = FakeUnit({3: 0x4A53, 4: 0x4F30, 5: 0x3030, 6: 0x3030, 7: 0x3031})
    device = Device(unit, JSO, serial="JSO0000001")
    assert not device.verified
    await device.verify()
    assert unit.requests == [ReadRequest(3, 5)]
    assert device.verified
    with pytest.raises(WrongDeviceError, match=r"other_serial_number$"):
        await Device(unit, JSO, serial="JSO0000002").verify()
    unit.refused[3] = 2
    for _ in range(3):
        clock.now += 5
        await device.poll(["serial_number", "device_type"])
    assert device.quarantined == [3, 4, 5, 6, 7]
    with pytest.raises(RejectedError):
        await device.verify()
    unit.refused.clear()
    await device.verify()
    unit.registers = dict.fromkeys(range(3, 8), 0xFFFF)
    with pytest.raises(WrongDeviceError, match="no_serial_number"):
        await device.verify()


async def test_bounds_come_from_what_is_known() -> None:
    """The rated power bounds what may be sold; the voltage has fixed bounds; a switch has none."""
    device = Device(FakeUnit(), JSO, known={"rated_power": 12000})
    assert device.limits("max_sell_power") == (0, 12000)
    assert device.limits("float_voltage") == (38, 61)
    with pytest.raises(ValueError, match="solar_sell has no limits"):
        device.limits("solar_sell")


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.key)
def test_what_is_written_together_lies_together(family: Family) -> None:
    """One request can carry it, and one group shows it."""
    for row in family.registers.values():
        if not row.writable:
            continue
        block = [row, *(family.registers[key] for key in row.written_with)]
        addresses = sorted(address for other in block for address in other.addresses)
        assert addresses == list(range(addresses[0], addresses[-1] + 1)), row.key
        assert len(addresses) <= family.max_write, row.key
        assert {other.group for other in block} == {row.group}, row.key
