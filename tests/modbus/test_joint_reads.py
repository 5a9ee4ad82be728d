"""Polls that follow each other, planned as one: a register between two groups is cheaper than a request more."""

from __future__ import annotations

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import LinkTimeout, RejectedError
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .conftest import Clock
from .fake_unit import FakeUnit
from .test_device import keys, numbered, served

FIRST, SECOND = frozenset(keys(0, 1)), frozenset(keys(5, 6, 200))


def device_of(unit: FakeUnit) -> Device:
    """Two groups that lie side by side, and a register of the second one far away."""
    return Device(unit, numbered(0, 1, 5, 6, 200))


async def test_two_polls_together_read_what_lies_side_by_side_once() -> None:
    """Both bring their own values: 1000 and the address."""
    unit = FakeUnit(served(0, 1, 5, 6, 200))
    device = device_of(unit)
    with device.polled_together(FIRST, SECOND):
        assert (await device.poll(FIRST)).values == {"r0": 1000, "r1": 1001}
        second = await device.poll(SECOND)
    assert second.values == {"r5": 1005, "r6": 1006, "r200": 1200}
    assert unit.reads == [(0, 7), (200, 1)]


async def test_a_poll_by_itself_reads_its_own() -> None:
    """Before such a block, behind it, of one group alone, and the second time in it: somebody has asked for newer values."""
    unit = FakeUnit(served(0, 1, 5, 6, 200))
    device = device_of(unit)
    await device.poll(FIRST)
    with device.polled_together(FIRST):
        await device.poll(FIRST)
    assert unit.reads == [(0, 2), (0, 2)]
    with device.polled_together(FIRST, SECOND):
        await device.poll(FIRST)
        await device.poll(FIRST)
    assert unit.reads[2:] == [(0, 7), (0, 2)]
    unit.requests.clear()
    await device.poll(SECOND)
    assert unit.reads == [(5, 2), (200, 1)]


async def test_other_keys_than_were_announced_are_read_by_themselves() -> None:
    """An entity was enabled in the meantime."""
    unit = FakeUnit(served(0, 1, 5, 6, 200))
    device = device_of(unit)
    with device.polled_together(FIRST, SECOND):
        await device.poll(FIRST)
        await device.poll(keys(5))
    assert unit.reads == [(0, 7), (5, 1)]


async def test_what_was_not_answered_together_is_asked_for_apart(clock: Clock) -> None:
    """The silence may have been for the neighbours' sake."""
    unit = FakeUnit(served(0, 1, 5, 6, 200))
    device = device_of(unit)
    await device.poll(FIRST)
    unit.requests.clear()
    unit.faults.append(LinkTimeout("no answer"))
    with device.polled_together(FIRST, SECOND):
        with pytest.raises(LinkTimeout):
            await device.poll(FIRST)
        second = await device.poll(SECOND)
    # What was not answered while others are is asked for once more at once, and was not to blame.
    assert unit.reads == [(0, 7), (5, 2), (200, 1), (0, 7)]
    assert second.failed == frozenset()


async def test_a_refused_neighbour_takes_nothing_from_the_first_poll() -> None:
    """The first one is halved until it is known what is refused; the second one brings the rest."""
    unit = FakeUnit(served(0, 1, 5, 6, 200), refused={6: 2})
    device = device_of(unit)
    with device.polled_together(FIRST, SECOND):
        first = await device.poll(FIRST)
        second = await device.poll(SECOND)
    assert first.values == {"r0": 1000, "r1": 1001}
    assert second.values == {"r5": 1005, "r200": 1200}
    assert second.failed == {"r6"}


async def test_a_refusal_of_everything_is_told_to_both() -> None:
    """As each would be told by itself."""
    device = device_of(FakeUnit(served(0, 1, 5, 6, 200), fault=RejectedError(6, "busy")))
    with device.polled_together(FIRST, SECOND):
        for group in (FIRST, SECOND):
            with pytest.raises(RejectedError):
                await device.poll(group)


async def test_the_doctor_hears_of_what_a_longer_read_has_brought() -> None:
    """Its keys lie in the second group's own read, which was not sent."""
    unit = FakeUnit(served(0, 1, 5, 6, 200))
    device = device_of(unit)
    along = device.read_along(keys(6))
    with device.polled_together(FIRST, SECOND):
        await device.poll(FIRST)
        await device.poll(SECOND)
    assert along.values(SECOND, since=1.0) == {"r6": 1006}


async def test_a_jso_reads_its_fault_words_with_its_counters_where_both_are_due() -> None:
    """500 to 558: 17 words more than the counters, 36 ms at 9600 baud; a request of their own takes 50 ms."""
    unit = FakeUnit()
    device = Device(unit, JSO, known={"rated_power": 8000})
    faults = frozenset({"grid_connected", "fault", "warning"})
    counters = frozenset(
        {
            "status",
            "battery_charge_energy_today",
            "grid_import_energy_total",
            "pv_energy_total",
            "heatsink_temperature",
        }
    )
    with device.polled_together(faults, counters):
        await device.poll(faults)
        await device.poll(counters)
    assert unit.reads == [(500, 59)]
