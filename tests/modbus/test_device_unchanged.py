"""A poll that brings nothing new: nothing is decoded, computed or made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
import sys
from types import CodeType
from unittest.mock import patch

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.device.read_plan import ReadPlanner
from custom_components.hybrid_inverter.modbus.errors import LinkTimeout, RejectedError
from custom_components.hybrid_inverter.modbus.model.codec import Number, Value
from custom_components.hybrid_inverter.modbus.model.derived import Derived
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.register import Group, Register
from custom_components.hybrid_inverter.modbus.tables.chint import DTSU666
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .conftest import Clock
from .fake_unit import FakeUnit
from .test_device import family_of, keys, numbered, register, served


@pytest.fixture
def decoded() -> Iterator[list[str]]:
    """The keys of the registers that are decoded while the test runs, in order."""
    calls: list[str] = []
    decode = Register.decode

    def counted(row: Register, image: Mapping[int, int]) -> Value | None:
        calls.append(row.key)
        return decode(row, image)

    with patch.object(Register, "decode", counted):
        yield calls


async def test_a_poll_of_the_same_words_decodes_nothing(decoded: list[str]) -> None:
    """Whatever kind of collection the keys are in; the snapshot is the same object."""
    device = Device(FakeUnit(served(0, 1, 50)), numbered(0, 1, 50))
    first = await device.poll(keys(0, 1, 50))
    assert sorted(decoded) == ["r0", "r1", "r50"]
    decoded.clear()
    assert await device.poll(set(keys(50, 1, 0))) is first
    assert device.snapshot(keys(0, 1, 50)) is first
    assert decoded == []


async def test_a_poll_of_the_same_words_enters_few_functions() -> None:
    """Seven for the poll, and four for each of its reads, of a device without modes that leave anything behind."""
    device = Device(FakeUnit(), JSO, known={"rated_power": 8000})
    wanted = frozenset({"battery_soc", "battery_voltage"})
    await device.poll(wanted)
    entered: list[str] = []

    def note(code: CodeType, _: int) -> None:
        if "/modbus/device/" in code.co_filename:
            entered.append(code.co_name)

    tool, event = sys.monitoring.PROFILER_ID, sys.monitoring.events.PY_START
    sys.monitoring.use_tool_id(tool, "entered functions")
    try:
        sys.monitoring.register_callback(tool, event, note)
        sys.monitoring.set_events(tool, event)
        await device.poll(wanted)
    finally:
        sys.monitoring.free_tool_id(tool)
    assert entered == [
        *("poll", "poll", "_plan", "fetch_all", "_send"),
        *("_read_bisecting", "read", "_request", "update"),
        *("snapshot", "_plan"),
    ]


async def test_only_what_has_changed_is_decoded(decoded: list[str]) -> None:
    """One word of three is another one."""
    unit = FakeUnit(served(0, 1, 50))
    device = Device(unit, numbered(0, 1, 50))
    first = await device.poll(keys(0, 1, 50))
    decoded.clear()
    unit.registers[1] = 7
    second = await device.poll(keys(0, 1, 50))
    assert decoded == ["r1"]
    assert (first.values["r1"], second.values["r1"]) == (1001, 7)
    assert await device.poll(keys(0, 1, 50)) is second


async def test_another_group_does_not_make_a_snapshot_old(decoded: list[str]) -> None:
    """The words of the one group have changed, those of the other have not."""
    unit = FakeUnit(served(0, 50))
    device = Device(unit, numbered(0, 50))
    first = await device.poll(keys(0))
    await device.poll(keys(50))
    unit.registers[50] = 7
    await device.poll(keys(50))
    decoded.clear()
    assert await device.poll(keys(0)) is first
    assert decoded == []


async def test_words_that_are_back_after_others_have_seen_new_ones_are_decoded_again() -> None:
    """Two sets of keys that have a register in common, and are polled in turn."""
    unit = FakeUnit(served(0, 1))
    device = Device(unit, numbered(0, 1))
    await device.poll(keys(0, 1))
    unit.registers[0] = 7
    assert (await device.poll(keys(0))).values == {"r0": 7}
    unit.registers[0] = 1000
    assert (await device.poll(keys(0, 1))).values == {"r0": 1000, "r1": 1001}
    assert (await device.poll(keys(0))).values == {"r0": 1000}
    assert device.values["r0"] == 1000


async def test_a_value_of_which_only_half_was_read_again_is_not_decoded_for_others() -> None:
    """Its words lie at 0 and 50, in two reads: 1000 * 65536 + 1050; the first of them is read along with another one."""
    wide = replace(register("wide", 0), addresses=(0, 50), codec=Number(words=2))
    unit = FakeUnit(served(0, 1, 50))
    device = Device(unit, family_of(wide, register("r0", 0), register("r1", 1)))
    assert (await device.poll(["wide"])).values == {"wide": 65_537_050}
    unit.registers |= {0: 1001, 50: 0}
    assert (await device.poll(["r0", "r1"])).values == {"r0": 1001, "r1": 1001}
    assert device.values["wide"] == 65_537_050
    assert (await device.poll(["wide"])).values == {"wide": 65_601_536}


async def test_a_defect_that_keeps_a_value_from_being_decoded_makes_every_poll_fail() -> None:
    """Nobody is shown the old value in its place, nor that of another register which was not decoded either."""
    unit = FakeUnit(served(0, 1))
    device = Device(unit, numbered(0, 1))
    await device.poll(keys(0, 1))
    unit.registers |= {0: 7, 1: 8}
    with patch.object(Number, "decode", side_effect=ZeroDivisionError):
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await device.poll(keys(0, 1))
    assert (await device.poll(keys(0, 1))).values == {"r0": 7, "r1": 8}


async def test_other_words_of_the_same_value_make_no_new_snapshot() -> None:
    """Of the word at 0 only the lowest bit is polled."""
    unit = FakeUnit({0: 0b01})
    device = Device(unit, family_of(replace(register("bit", 0), mask=1)))
    first = await device.poll(["bit"])
    unit.registers[0] = 0b11
    assert await device.poll(["bit"]) is first
    assert first.values == {"bit": 1}


async def test_what_a_write_has_read_back_is_in_the_next_snapshot() -> None:
    """Also when the device holds the old value again by then."""
    unit = FakeUnit(served(0))
    device = Device(unit, numbered(0))
    await device.poll(keys(0))
    row = device.family.registers["r0"]
    unit.registers[0] = 7
    await device._reader.read_fresh([row])
    assert (device.values["r0"], device.snapshot(keys(0)).values) == (7, {"r0": 7})
    unit.registers[0] = 1000
    assert (await device.poll(keys(0))).values == {"r0": 1000}
    assert device.values["r0"] == 1000


async def test_a_failed_read_makes_a_new_snapshot_and_so_does_its_return(clock: Clock) -> None:
    """The second of two reads gets no answer, once."""
    unit = FakeUnit(served(0, 50))
    device = Device(unit, numbered(0, 50))
    first = await device.poll(keys(0, 50))
    unit.faults.extend([None, LinkTimeout("unit 1")])
    failed = await device.poll(keys(0, 50))
    assert (failed.values, failed.failed) == ({"r0": 1000}, {"r50"})
    clock.now += 5
    again = await device.poll(keys(0, 50))
    assert (again.values, again.failed) == ({"r0": 1000, "r50": 1050}, frozenset())
    assert again is not first


async def test_a_register_that_is_refused_from_now_on_makes_a_new_snapshot() -> None:
    """That stays the same then."""
    unit = FakeUnit(served(0, 50))
    device = Device(unit, numbered(0, 50))
    await device.poll(keys(0, 50))
    unit.refused[50] = 2
    refused = await device.poll(keys(0, 50))
    assert (refused.values, refused.failed) == ({"r0": 1000}, {"r50"})
    assert await device.poll(keys(0, 50)) is refused


async def test_a_derived_value_is_computed_when_an_input_has_changed() -> None:
    """Not when another value has."""
    computed: list[Mapping[str, Value | None]] = []

    def compute(values: Mapping[str, Value | None]) -> Value | None:
        computed.append(dict(values))
        return len(computed)

    derived = Derived(key="sum", inputs=("r0", "r1"), compute=compute, group=Group.POWER)
    rows = (register("r0", 0), register("r1", 1), register("r2", 2))
    unit = FakeUnit(served(0, 1, 2))
    device = Device(unit, family_of(*rows, derived={"sum": derived}))
    for _ in range(2):
        assert (await device.poll(["sum", "r2"])).values == {"sum": 1, "r2": 1002}
    unit.registers[2] = 7
    assert (await device.poll(["sum", "r2"])).values == {"sum": 1, "r2": 7}
    unit.registers[1] = 8
    assert (await device.poll(["sum", "r2"])).values == {"sum": 2, "r2": 7}
    assert computed == [{"r0": 1000, "r1": 1001}, {"r0": 1000, "r1": 8}]


async def test_the_same_words_mean_something_else_with_another_ratio() -> None:
    """A current transformer of 10:1 instead of 1:1: 230 (0x4366 0000) at 0x2012 is 23 W or 230 W."""
    family: Family = DTSU666.fitted(())
    assert family.needs == {"ct_ratio", "pt_ratio"}
    unit = FakeUnit({0x0006: 1, 0x0007: 10, 0x2012: 0x4366, 0x2013: 0x0000})
    device = Device(unit, DTSU666)
    wanted = ["ct_ratio", "pt_ratio", "power"]
    await device.poll(wanted)
    assert (await device.poll(wanted)).values["power"] == 23
    unit.registers[0x0006] = 10
    await device.poll(wanted)
    assert (await device.poll(wanted)).values["power"] == 230


async def test_a_plan_is_made_again_only_after_a_refusal() -> None:
    """Once for the first poll, and once without the refused register."""
    unit = FakeUnit(served(0, 1))
    device = Device(unit, numbered(0, 1))
    with patch.object(
        ReadPlanner, "reads_for", autospec=True, side_effect=ReadPlanner.reads_for
    ) as planner:
        for _ in range(3):
            await device.poll(keys(0, 1))
        assert planner.call_count == 1
        unit.refused[1] = 2
        for _ in range(3):
            await device.poll(keys(0, 1))
        assert planner.call_count == 2


async def test_an_exception_of_a_poll_leaves_nothing_of_the_old_snapshot() -> None:
    """The words are the same when it answers again, and so are the values."""
    unit = FakeUnit(served(0))
    device = Device(unit, numbered(0))
    first = await device.poll(keys(0))
    unit.faults.append(RejectedError(6, "busy"))
    with pytest.raises(RejectedError):
        await device.poll(keys(0))
    assert device.snapshot(keys(0)).failed == {"r0"}
    assert await device.poll(keys(0)) == first
