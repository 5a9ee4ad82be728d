"""The budget of writes: what is counted, when it is enough, and when it starts again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
import json
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device import Device
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    LinkTimeout,
    NotAppliedError,
    WriteBudgetError,
)
from custom_components.hybrid_inverter.modbus.register import Tier
from custom_components.hybrid_inverter.modbus.tables.jso import JSO
from custom_components.hybrid_inverter.modbus.wear import WearBudget

from .fake_unit import FakeUnit

FAST: Final = replace(JSO, settle=0.0)
SOLSTICE: Final = date(2026, 6, 21)


@dataclass
class Calendar:
    """A day that a test turns."""

    day: date = SOLSTICE

    def today(self) -> date:
        """Return the day."""
        return self.day


@pytest.fixture
def calendar() -> Calendar:
    """Return the calendar of the budget."""
    return Calendar()


@pytest.fixture
def wear(calendar: Calendar) -> WearBudget:
    """Return a budget that nothing was taken from."""
    return WearBudget(calendar.today)


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine with 5000 W and six slots in order."""
    return FakeUnit({143: 5000, 148: 0, 149: 500, 150: 900, 151: 1300, 152: 1700, 153: 2100})


@pytest.fixture
def device(unit: FakeUnit, wear: WearBudget) -> Device:
    """Return the device that spends the budget."""
    return Device(unit, FAST, known={"rated_power": 8000}, wear=wear)


# ---------------------------------------------------------------------- the counts


def test_counts(wear: WearBudget) -> None:
    """By register, by the setting that was meant, and over all days."""
    wear.count(["work_mode"], [142])
    wear.count(["tou_slot_1_power", "tou_slot_2_power"], [154, 155])
    wear.count(["work_mode"], [142])
    assert wear.registers == {142: 2, 154: 1, 155: 1}
    assert wear.settings == {"work_mode": 2, "tou_slot_1_power": 1, "tou_slot_2_power": 1}
    assert wear.total == 4


def test_the_hundred_and_first(wear: WearBudget) -> None:
    """A register has a hundred writes a day, whatever settings they were for; another one has its own."""
    for _ in range(50):
        wear.count(["tou_enabled"], [146])
        wear.check("tou_sunday", [146])
        wear.count(["tou_sunday"], [146])
    with pytest.raises(WriteBudgetError) as caught:
        wear.check("tou_monday", [145, 146])
    assert (caught.value.key, caught.value.address, caught.value.limit) == ("tou_monday", 146, 100)
    assert str(caught.value) == "register 146 (tou_monday) was written 100 times today"
    assert isinstance(caught.value, DeviceError)
    wear.check("solar_sell", [145])


def test_a_new_day(wear: WearBudget, calendar: Calendar) -> None:
    """The counts of the day start again, the total goes on."""
    for _ in range(100):
        wear.count(["work_mode"], [142])
    calendar.day = date(2026, 6, 22)
    wear.check("work_mode", [142])
    assert (wear.registers, wear.settings, wear.total) == ({}, {}, 100)
    wear.count(["work_mode"], [142])
    assert (wear.registers, wear.settings, wear.total) == ({142: 1}, {"work_mode": 1}, 101)


def test_kept_and_restored(wear: WearBudget, calendar: Calendar) -> None:
    """Through JSON and back: today's counts and the total."""
    for _ in range(100):
        wear.count(["work_mode"], [142])
    kept = json.loads(json.dumps(wear.as_dict()))
    assert kept == {
        "day": "2026-06-21",
        "registers": {"142": 100},
        "settings": {"work_mode": 100},
        "total": 100,
    }
    again = WearBudget(calendar.today)
    again.restore(kept)
    with pytest.raises(WriteBudgetError):
        again.check("work_mode", [142])
    assert (again.settings, again.total) == ({"work_mode": 100}, 100)


def test_restored_on_another_day(wear: WearBudget, calendar: Calendar) -> None:
    """What was written yesterday is in the total only."""
    wear.count(["work_mode"], [142])
    kept = wear.as_dict()
    calendar.day = date(2026, 6, 22)
    again = WearBudget(calendar.today)
    again.restore(kept)
    assert (again.registers, again.settings, again.total) == ({}, {}, 1)
    assert again.as_dict()["day"] == "2026-06-22"


def test_listeners(wear: WearBudget) -> None:
    """They hear every write that is counted, until they do not want to any more."""
    heard: list[int] = []
    stop = wear.add_listener(lambda: heard.append(wear.total))
    wear.count(["work_mode"], [142])
    wear.count(["work_mode"], [142])
    stop()
    wear.count(["work_mode"], [142])
    assert heard == [1, 2]


def test_without_a_calendar() -> None:
    """A device that is given no budget has one all the same."""
    device = Device(FakeUnit(), FAST)
    for _ in range(100):
        device.wear.count(["work_mode"], [142])
    with pytest.raises(WriteBudgetError):
        device.wear.check("work_mode", [142])


# ---------------------------------------------------------------------- the guard


async def test_a_device_stops_after_a_hundred(
    device: Device, unit: FakeUnit, calendar: Calendar
) -> None:
    """The next one is refused before it is sent; after midnight it is sent."""
    for number in range(100):
        await device.write("max_sell_power", 4000 + number)
    assert len(unit.writes) == 100
    with pytest.raises(WriteBudgetError) as caught:
        await device.write("max_sell_power", 3000)
    assert (caught.value.key, caught.value.address, caught.value.limit) == (
        "max_sell_power",
        143,
        100,
    )
    assert len(unit.writes) == 100
    assert unit.registers[143] == 4099
    # The value that it holds anyway needs no write, and another register has its own budget.
    await device.write("max_sell_power", 4099)
    await device.write("solar_sell", True)
    assert unit.writes[100:] == [(145, (1,))]
    calendar.day = date(2026, 6, 22)
    await device.write("max_sell_power", 3000)
    assert unit.registers[143] == 3000


async def test_equal_values_do_not_count(device: Device, wear: WearBudget) -> None:
    """Nothing is sent for them."""
    for _ in range(101):
        await device.write("max_sell_power", 5000)
    assert (wear.registers, wear.total) == ({}, 0)


async def test_what_is_carried_along_counts(device: Device, wear: WearBudget) -> None:
    """The starts of the six slots travel together, so each of their registers is written."""
    await device.write("tou_slot_2_time", time(4, 30))
    assert wear.registers == {148: 1, 149: 1, 150: 1, 151: 1, 152: 1, 153: 1}
    assert wear.settings == {"tou_slot_2_time": 1}


async def test_the_second_try_counts(device: Device, unit: FakeUnit, wear: WearBudget) -> None:
    """A machine may have written what it does not keep."""
    unit.ignored = 2
    with pytest.raises(NotAppliedError):
        await device.write("max_sell_power", 4000)
    assert (wear.registers, wear.settings, wear.total) == ({143: 2}, {"max_sell_power": 2}, 2)


async def test_a_second_try_is_not_cut_short(
    device: Device, unit: FakeUnit, wear: WearBudget
) -> None:
    """What was begun is brought to its end, so that no setting stays half way."""
    for _ in range(99):
        wear.count(["max_sell_power"], [143])
    unit.ignored = 1
    await device.write("max_sell_power", 4000)
    assert unit.registers[143] == 4000
    assert wear.registers == {143: 101}


async def test_what_got_no_answer_counts(device: Device, unit: FakeUnit, wear: WearBudget) -> None:
    """It may have arrived."""
    unit.faults.extend([None, LinkTimeout("no answer")])
    with pytest.raises(LinkTimeout):
        await device.write("max_sell_power", 4000)
    assert wear.registers == {143: 1}


async def test_a_block_counts_for_all_its_registers(
    device: Device, unit: FakeUnit, wear: WearBudget
) -> None:
    """Two slots with one between them: three registers are sent, two settings were meant."""
    await device.write_many({"tou_slot_1_power": 1000, "tou_slot_3_power": 3000})
    assert unit.writes == [(154, (1000, 0, 3000))]
    assert wear.registers == {154: 1, 155: 1, 156: 1}
    assert wear.settings == {"tou_slot_1_power": 1, "tou_slot_3_power": 1}
    for _ in range(99):
        wear.count(["tou_slot_2_power"], [155])
    with pytest.raises(WriteBudgetError, match="register 155"):
        await device.write_many({"tou_slot_1_power": 1500, "tou_slot_3_power": 3000})
    assert len(unit.writes) == 1


async def test_the_clock_does_not_count(unit: FakeUnit, wear: WearBudget) -> None:
    """It is not kept in the memory that wears; everything else that may be written is."""
    device = Device(unit, FAST, tier=Tier.INSTALLER, wear=wear)
    await device.set_clock("system_time", lambda: datetime(2026, 6, 21, 10, 0, 5))  # noqa: DTZ001
    assert len(unit.writes) == 1
    assert (wear.registers, wear.settings, wear.total) == ({}, {}, 0)
    assert [row.key for row in JSO.registers.values() if not row.stored] == ["system_time"]
