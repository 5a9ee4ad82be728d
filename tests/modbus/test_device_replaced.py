"""A write that gives way to a later one of the same setting: what its caller is told, and what the register holds then."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.device.wear import Origin
from custom_components.hybrid_inverter.modbus.errors import (
    InvalidValueError,
    LinkTimeout,
    NotAppliedError,
    RejectedError,
    WriteBudgetError,
)
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .fake_unit import FakeUnit

FAST: Final = replace(JSO, settle=0.01)

# What is read before a threshold is written, and before the power.
THRESHOLDS: Final = (115, 3)
POWER: Final = (104, 1)

SETTINGS: Final = {
    104: 20,  # zero_export_power
    115: 10,  # shutdown
    116: 40,  # restart
    117: 20,  # low
    142: 1,  # zero_export_to_load
    143: 8000,  # max_sell_power
}


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine that does what it is told."""
    return FakeUnit(dict(SETTINGS))


@pytest.fixture
async def device(unit: FakeUnit) -> Device:
    """Return the device of an 8 kW machine, with its thresholds as they were polled."""
    device = Device(unit, FAST, known={"rated_power": 8000})
    await device.poll(["battery_shutdown_soc", "battery_restart_soc", "battery_low_soc"])
    unit.requests.clear()
    return device


def begin(device: Device, key: str, *values: int) -> list[asyncio.Task[None]]:
    """Begin to write the work mode, and one setting several times, which waits for that."""
    steps = [("work_mode", "selling_first"), *((key, value) for value in values)]
    return [asyncio.create_task(device.write(*step)) for step in steps]


async def errors(tasks: list[asyncio.Task[None]]) -> list[BaseException | None]:
    """Return what each of them has ended with: None for success."""
    async with asyncio.timeout(5):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def outcomes(tasks: list[asyncio.Task[None]]) -> list[type[BaseException] | None]:
    """Return the kinds of what each of them has ended with."""
    return [None if error is None else type(error) for error in await errors(tasks)]


async def asked(unit: FakeUnit, read: tuple[int, int]) -> None:
    """Wait until this read is on its way, which is not answered yet."""
    async with asyncio.timeout(1):
        while read not in unit.reads:  # noqa: ASYNC110 - nobody says so
            await asyncio.sleep(0)


# ---------------------------------------------------------------------- the later one is refused


async def test_the_earlier_value_is_written_when_the_later_is_out_of_live_bounds(
    device: Device, unit: FakeUnit
) -> None:
    """Somebody at the panel has lowered the restart threshold to 30, so that 25 may be written and 35 may not."""
    unit.registers[116] = 30
    ends = await outcomes(begin(device, "battery_low_soc", 25, 35))
    assert ends == [None, None, InvalidValueError]
    assert unit.writes == [(142, (0,)), (117, (25,))]


async def test_a_person_writes_when_the_later_automation_has_used_up_its_writes(
    device: Device, unit: FakeUnit
) -> None:
    """Of 80 writes a day an automation may use 70."""
    for _ in range(70):
        device.wear.count(["zero_export_power"], [104])
    tasks = begin(device, "zero_export_power", 100)
    later = device.write("zero_export_power", 200, origin=Origin.AUTOMATION)
    ends = await outcomes([*tasks, asyncio.create_task(later)])
    assert ends == [None, None, WriteBudgetError]
    assert unit.writes == [(142, (0,)), (104, (100,))]


async def test_each_is_told_of_its_own_value_when_all_are_refused(
    device: Device, unit: FakeUnit
) -> None:
    """The message to a person names the value."""
    unit.registers[116] = 30
    ends = await errors(begin(device, "battery_low_soc", 33, 34, 35))
    assert [end.value for end in ends if isinstance(end, InvalidValueError)] == [33, 34, 35]
    assert unit.writes == [(142, (0,))]


async def test_of_many_values_the_last_that_is_not_refused_is_written(
    device: Device, unit: FakeUnit
) -> None:
    """Those before it end as it does."""
    unit.registers[116] = 30
    ends = await outcomes(begin(device, "battery_low_soc", 21, 22, 25, 35, 36))
    assert ends == [None, None, None, None, InvalidValueError, InvalidValueError]
    assert unit.writes == [(142, (0,)), (117, (25,))]


async def test_a_value_that_comes_while_the_later_is_refused_is_written_instead(
    device: Device, unit: FakeUnit
) -> None:
    """The earlier value would not last."""
    unit.registers[116] = 30
    tasks = begin(device, "battery_low_soc", 25, 35)
    await asked(unit, THRESHOLDS)
    tasks.append(asyncio.create_task(device.write("battery_low_soc", 27)))
    assert await outcomes(tasks) == [None, None, InvalidValueError, None]
    assert unit.writes == [(142, (0,)), (117, (27,))]


# ---------------------------------------------------------------------- the later one fails


async def test_both_fail_when_the_machine_refuses_the_later(device: Device, unit: FakeUnit) -> None:
    """It was sent, so that nothing more is sent for the earlier one."""
    tasks = begin(device, "zero_export_power", 100, 200)
    await asked(unit, POWER)
    unit.faults.extend([None, RejectedError(3, "register 104")])
    assert await outcomes(tasks) == [None, RejectedError, RejectedError]
    assert unit.writes == [(142, (0,)), (104, (200,))]
    assert unit.registers[104] == 20


async def test_both_fail_when_the_machine_does_not_keep_the_later(
    device: Device, unit: FakeUnit
) -> None:
    """Either caller hears of the value that was sent; what was not kept twice is not tried with another value."""
    tasks = begin(device, "zero_export_power", 100, 200)
    await asked(unit, POWER)
    unit.ignored = 2
    ends = await errors(tasks)
    assert [str(end) for end in ends if isinstance(end, NotAppliedError)] == [
        "register 104 (zero_export_power) holds 20 after 200 was written twice",
        "register 104 (zero_export_power) holds 20 after 200 was written twice",
    ]
    assert unit.writes == [(142, (0,)), (104, (200,)), (104, (200,))]


async def test_all_fail_at_once_when_nobody_answers(device: Device, unit: FakeUnit) -> None:
    """A device that is away is asked once, and not once for each of fifty values of a slider."""
    unit.fault = LinkTimeout("unit 1")
    ends = await outcomes(begin(device, "zero_export_power", *range(100, 150)))
    assert ends == [LinkTimeout] * 51
    assert unit.reads == [(142, 1), POWER]
    assert unit.writes == []


# ---------------------------------------------------------------------- callers that are cancelled


async def test_the_earlier_is_written_when_the_later_is_refused_after_its_caller_has_gone(
    device: Device, unit: FakeUnit, caplog: pytest.LogCaptureFixture
) -> None:
    """The later one was under way; why it has failed is in the log."""
    unit.registers[116] = 30
    tasks = begin(device, "battery_low_soc", 25, 35)
    await asked(unit, THRESHOLDS)
    tasks[2].cancel()
    assert await outcomes(tasks) == [None, None, asyncio.CancelledError]
    assert unit.writes == [(142, (0,)), (117, (25,))]
    assert "A write that nobody waited for any more has failed: battery_low_soc: 35" in caplog.text


async def test_nothing_is_written_for_an_earlier_caller_who_has_gone(
    device: Device, unit: FakeUnit
) -> None:
    """The later one was under way, and is refused then."""
    unit.registers[116] = 30
    tasks = begin(device, "battery_low_soc", 25, 35)
    await asked(unit, THRESHOLDS)
    tasks[1].cancel()
    assert await outcomes(tasks) == [None, asyncio.CancelledError, InvalidValueError]
    assert unit.writes == [(142, (0,))]


async def test_the_later_goes_on_when_the_earlier_caller_has_gone(
    device: Device, unit: FakeUnit
) -> None:
    """It is carried out in the turn of the earlier one, and ends well all the same."""
    tasks = begin(device, "zero_export_power", 100, 200)
    await asked(unit, POWER)
    tasks[1].cancel()
    assert await outcomes(tasks) == [None, asyncio.CancelledError, None]
    assert unit.writes == [(142, (0,)), (104, (200,))]


async def test_a_caller_who_has_gone_is_passed_over_by_those_that_waited_with_it(
    device: Device, unit: FakeUnit
) -> None:
    """The one before it and the one behind it end as the last one does."""
    tasks = begin(device, "zero_export_power", 100, 150, 180, 200)
    await asked(unit, POWER)
    tasks[2].cancel()
    assert await outcomes(tasks) == [None, None, asyncio.CancelledError, None, None]
    assert unit.writes == [(142, (0,)), (104, (200,))]


async def test_the_device_is_free_after_a_write_in_the_turn_of_another(
    device: Device, unit: FakeUnit
) -> None:
    """Who has nothing left to write gives the turn back."""
    assert await outcomes(begin(device, "zero_export_power", 100, 200)) == [None, None, None]
    async with asyncio.timeout(5):
        await device.write("max_sell_power", 5000)
    assert unit.writes == [(142, (0,)), (104, (200,)), (143, (5000,))]
