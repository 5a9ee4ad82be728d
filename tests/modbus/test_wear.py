"""The budget of writes: what is counted, when it is enough, and when it starts again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time
import json
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.device.wear import Origin, WearBudget
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    LinkTimeout,
    NotAppliedError,
    WriteBudgetError,
)
from custom_components.hybrid_inverter.modbus.model.register import Tier
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .fake_unit import FakeUnit

FAST: Final = replace(JSO, settle=0.0)
SOLSTICE: Final = date(2026, 6, 21)


@dataclass
class Calendar:
    """A day that a test turns, and seconds that nobody sets."""

    day: date = SOLSTICE
    seconds: float = 1000.0

    def today(self) -> date:
        """Return the day."""
        return self.day

    def clock(self) -> float:
        """Return the seconds."""
        return self.seconds


@pytest.fixture
def calendar() -> Calendar:
    """Return the calendar of the budget."""
    return Calendar()


@pytest.fixture
def wear(calendar: Calendar) -> WearBudget:
    """Return a budget that nothing was taken from."""
    return WearBudget(calendar.today, clock=calendar.clock)


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine with 5000 W and six slots in order."""
    return FakeUnit({143: 5000, 148: 0, 149: 500, 150: 900, 151: 1300, 152: 1700, 153: 2100})


@pytest.fixture
def device(unit: FakeUnit, wear: WearBudget) -> Device:
    """Return the device that spends the budget."""
    return Device(unit, FAST, known={"rated_power": 8000}, wear=wear)


# ---------------------------------------------------------------------- the counts


def test_writes_are_counted_by_register_setting_and_in_total(wear: WearBudget) -> None:
    """By register, by the setting that was meant, and over all days."""
    wear.count(["work_mode"], [142])
    wear.count(["tou_slot_1_power", "tou_slot_2_power"], [154, 155])
    wear.count(["work_mode"], [142])
    assert wear.registers == {142: 2, 154: 1, 155: 1}
    assert wear.settings == {"work_mode": 2, "tou_slot_1_power": 1, "tou_slot_2_power": 1}
    assert wear.total == 4


def test_register_is_not_written_more_than_eighty_times_a_day(wear: WearBudget) -> None:
    """A register has eighty writes a day, whatever settings they were for; another one has its own."""
    for _ in range(40):
        wear.count(["tou_enabled"], [146])
        wear.check("tou_sunday", [146])
        wear.count(["tou_sunday"], [146])
    with pytest.raises(WriteBudgetError) as caught:
        wear.check("tou_monday", [145, 146])
    assert (caught.value.key, caught.value.address, caught.value.limit) == ("tou_monday", 146, 80)
    assert str(caught.value) == "register 146 (tou_monday) was written 80 times today"
    assert isinstance(caught.value, DeviceError)
    wear.check("solar_sell", [145])


def test_daily_counts_restart_and_totals_go_on(wear: WearBudget, calendar: Calendar) -> None:
    """The counts of the day start again, the total goes on."""
    for _ in range(100):
        wear.count(["work_mode"], [142])
    calendar.day = date(2026, 6, 22)
    wear.check("work_mode", [142])
    assert (wear.registers, wear.settings, wear.total) == ({}, {}, 100)
    wear.count(["work_mode"], [142])
    assert (wear.registers, wear.settings, wear.total) == ({142: 1}, {"work_mode": 1}, 101)


def test_counts_survive_json_and_back(wear: WearBudget, calendar: Calendar) -> None:
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


@pytest.mark.parametrize(
    ("origin", "most"), [(Origin.AUTOMATION, 70), (Origin.PERSON, 80), (Origin.RESTORE, 1000)]
)
def test_an_automation_stops_first_then_a_person_and_what_restores_never(
    wear: WearBudget, caplog: pytest.LogCaptureFixture, origin: Origin, most: int
) -> None:
    """70, 80, and as often as it takes; from the 81st on every restored one is logged."""
    for _ in range(1000):
        with suppress(WriteBudgetError):
            wear.check("work_mode", [142], origin)
            wear.count(["work_mode"], [142])
    assert wear.registers == {142: most}
    assert caplog.text.count("Register 142 (work_mode) is written again") == max(0, most - 80)


def test_a_clock_that_jumps_over_midnight_and_back_empties_no_budget(
    wear: WearBudget, calendar: Calendar
) -> None:
    """A thousand writes at 23:59 and 00:01 in turn: one of the next day's begins anew, and no more than that."""
    written = 0
    for number in range(1000):
        calendar.day = date(2026, 6, 21 + number % 2)
        calendar.seconds += 60
        try:
            wear.check("work_mode", [142])
        except WriteBudgetError:
            continue
        wear.count(["work_mode"], [142])
        written += 1
    # One on the 21st, and the 80 that count for the 22nd.
    assert written == 81


@pytest.mark.parametrize("later", [date(2026, 6, 22), date(2026, 7, 21), date(2027, 6, 21)])
def test_a_clock_that_was_a_day_a_month_or_a_year_ahead_blocks_for_a_day_at_most(
    wear: WearBudget, calendar: Calendar, later: date
) -> None:
    """It is set right again: what was written counts for 24 hours, and then a new day begins."""
    calendar.day = later
    for _ in range(80):
        wear.check("work_mode", [142])
        wear.count(["work_mode"], [142])
    calendar.day = SOLSTICE
    calendar.seconds += 86_399
    with pytest.raises(WriteBudgetError):
        wear.check("work_mode", [142])
    calendar.seconds += 1
    wear.check("work_mode", [142])
    wear.count(["work_mode"], [142])
    assert wear.as_dict() == {
        "day": "2026-06-21",
        "registers": {"142": 1},
        "settings": {"work_mode": 1},
        "total": 81,
    }


def test_counts_of_a_day_to_come_are_kept_over_a_restart(
    wear: WearBudget, calendar: Calendar
) -> None:
    """The clock was ahead when they were stored; nobody knows when that was, so they count for 24 hours from now."""
    calendar.day = date(2026, 6, 23)
    wear.count(["work_mode"] * 80, [142] * 80)
    kept = wear.as_dict()
    calendar.day = SOLSTICE
    again = WearBudget(calendar.today, clock=calendar.clock)
    again.restore(kept)
    with pytest.raises(WriteBudgetError):
        again.check("work_mode", [142])
    calendar.seconds += 86_400
    again.check("work_mode", [142])


def test_listeners_hear_every_counted_write_until_removed(wear: WearBudget) -> None:
    """They hear every write that is counted, until they do not want to any more."""
    heard: list[int] = []
    stop = wear.add_listener(lambda: heard.append(wear.total))
    wear.count(["work_mode"], [142])
    wear.count(["work_mode"], [142])
    stop()
    wear.count(["work_mode"], [142])
    assert heard == [1, 2]


def test_device_without_a_given_budget_has_one_all_the_same() -> None:
    """A device that is given no budget has one all the same."""
    device = Device(FakeUnit(), FAST)
    for _ in range(100):
        device.wear.count(["work_mode"], [142])
    with pytest.raises(WriteBudgetError):
        device.wear.check("work_mode", [142])


# ---------------------------------------------------------------------- the guard


async def test_a_device_stops_after_eighty_and_after_seventy_of_automations(
    device: Device, unit: FakeUnit, calendar: Calendar
) -> None:
    """The next one is refused before it is sent; after midnight it is sent."""
    for number in range(70):
        await device.write("max_sell_power", 4000 + number, origin=Origin.AUTOMATION)
    for write in (
        device.write("max_sell_power", 3000, origin=Origin.AUTOMATION),
        device.write_many({"max_sell_power": 3000}, origin=Origin.AUTOMATION),
        device.write_steps([("max_sell_power", 3000)], origin=Origin.AUTOMATION),
    ):
        with pytest.raises(WriteBudgetError) as caught:
            await write
        assert caught.value.limit == 70
    for number in range(70, 80):
        await device.write("max_sell_power", 4000 + number)
    assert len(unit.writes) == 80
    with pytest.raises(WriteBudgetError) as caught:
        await device.write("max_sell_power", 3000)
    assert (caught.value.key, caught.value.address, caught.value.limit) == (
        "max_sell_power",
        143,
        80,
    )
    assert len(unit.writes) == 80
    assert unit.registers[143] == 4079
    # The value that it holds anyway needs no write, and another register has its own budget.
    await device.write("max_sell_power", 4079)
    await device.write("solar_sell", True)
    assert unit.writes[80:] == [(145, (1,))]
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


async def test_second_try_counts_as_a_write(
    device: Device, unit: FakeUnit, wear: WearBudget
) -> None:
    """A machine may have written what it does not keep."""
    unit.ignored = 2
    with pytest.raises(NotAppliedError):
        await device.write("max_sell_power", 4000)
    assert (wear.registers, wear.settings, wear.total) == ({143: 2}, {"max_sell_power": 2}, 2)


async def test_a_second_try_is_not_cut_short(
    device: Device, unit: FakeUnit, wear: WearBudget
) -> None:
    """What was begun is brought to its end, so that no setting stays half way."""
    for _ in range(79):
        wear.count(["max_sell_power"], [143])
    unit.ignored = 1
    await device.write("max_sell_power", 4000)
    assert unit.registers[143] == 4000
    assert wear.registers == {143: 81}


async def test_what_got_no_answer_counts(device: Device, unit: FakeUnit, wear: WearBudget) -> None:
    """It may have arrived, and so may the second try."""
    unit.faults.extend([None, LinkTimeout("no answer")])
    await device.write("max_sell_power", 4000)
    assert wear.registers == {143: 2}


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
