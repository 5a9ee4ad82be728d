"""Putting changes back, and setting the clock, which is no change that can be put back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
import json
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Change, Device
from custom_components.hybrid_inverter.modbus.device.undo import ChangeLog
from custom_components.hybrid_inverter.modbus.errors import (
    ChangedElsewhereError,
    InvalidValueError,
    LinkTimeout,
    NotAppliedError,
    UndoError,
    WriteBudgetError,
    WriteDeniedError,
)
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.register import Tier
from custom_components.hybrid_inverter.modbus.model.stored_value import from_json, to_json
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .fake_unit import FakeUnit

FAST: Final = replace(JSO, settle=0.0)

SETTINGS: Final = {
    115: 10,  # shutdown
    116: 40,  # restart
    117: 20,  # low
    142: 1,  # zero_export_to_load
    143: 8000,
    145: 1,
    146: 0x00FF,
    **{148 + slot: 400 * slot for slot in range(6)},  # 00:00, 04:00, ... 20:00
    **{154 + slot: 1000 + slot for slot in range(6)},
    **{166 + slot: 50 + slot for slot in range(6)},
}


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine that does what it is told."""
    return FakeUnit(dict(SETTINGS))


@pytest.fixture
def device(unit: FakeUnit) -> Device:
    """Return the device of an 8 kW machine, everyday tier."""
    return Device(unit, FAST, known={"rated_power": 8000})


def listed(device: Device) -> list[tuple[str, Value | None, Value]]:
    """Return what the device remembers, without the times."""
    return [(change.key, change.before, change.after) for change in device.changes]


# ---------------------------------------------------------------------- single changes


async def test_undo_writes_the_previous_value_and_drops_the_change(
    device: Device, unit: FakeUnit
) -> None:
    """What was before is written, and the change is gone."""
    await device.write("work_mode", "selling_first")
    await device.undo()
    assert unit.writes == [(142, (0,)), (142, (1,))]
    assert device.values["work_mode"] == "zero_export_to_load"
    assert listed(device) == []


async def test_further_back_each_time(device: Device, unit: FakeUnit) -> None:
    """An undo is no change itself, so the next one goes on with the change before."""
    await device.write("max_sell_power", 5000)
    await device.write("solar_sell", False)
    await device.write("max_sell_power", 6000)
    unit.requests.clear()
    for _ in range(3):
        await device.undo()
    assert unit.writes == [(143, (5000,)), (145, (1,)), (143, (8000,))]
    assert unit.registers == SETTINGS


async def test_undo_without_changes_sends_nothing(device: Device, unit: FakeUnit) -> None:
    """Not at the start, and not when everything is undone; nothing goes over the link."""
    with pytest.raises(UndoError) as caught:
        await device.undo()
    assert caught.value.key is None
    assert unit.requests == []
    await device.write("solar_sell", False)
    await device.undo()
    unit.requests.clear()
    with pytest.raises(UndoError, match="no change to put back"):
        await device.undo()
    assert unit.requests == []


async def test_undo_keeps_bits_that_were_changed_at_the_panel(
    device: Device, unit: FakeUnit
) -> None:
    """At the panel another day was switched off since."""
    await device.write("tou_monday", False)
    unit.registers[146] &= ~0x0080
    await device.undo()
    assert unit.writes == [(146, (0x00FD,)), (146, (0x007F,))]


async def test_undo_of_a_time_takes_the_settings_written_with_it(
    device: Device, unit: FakeUnit
) -> None:
    """Some settings travel with others."""
    await device.write("tou_slot_2_time", time(5, 30))
    await device.undo()
    assert unit.writes[1] == (148, (0, 400, 800, 1200, 1600, 2000))


async def test_undone_at_the_panel(device: Device, unit: FakeUnit) -> None:
    """There is nothing left to send; the change is gone all the same."""
    await device.write("work_mode", "selling_first")
    unit.registers[142] = 1
    await device.undo()
    assert len(unit.writes) == 1
    assert listed(device) == []


# ---------------------------------------------------------------------- what stands in the way


async def test_change_stays_when_a_locked_device_refuses_its_undo(
    device: Device, unit: FakeUnit
) -> None:
    """The change stays, and can be put back later."""
    await device.write("work_mode", "selling_first")
    unit.ignored = 2
    with pytest.raises(NotAppliedError) as caught:
        await device.undo()
    assert (caught.value.wanted, caught.value.held) == ("zero_export_to_load", "selling_first")
    assert listed(device) == [("work_mode", "zero_export_to_load", "selling_first")]
    await device.undo()
    assert unit.registers[142] == 1
    assert listed(device) == []


async def test_change_stays_when_the_link_is_lost_during_its_undo(
    device: Device, unit: FakeUnit
) -> None:
    """Nobody knows whether it arrived: the change stays."""
    await device.write("work_mode", "selling_first")
    unit.faults.extend([None, LinkTimeout("no answer"), LinkTimeout("no answer")])
    with pytest.raises(LinkTimeout):
        await device.undo()
    assert len(listed(device)) == 1


async def test_undo_whose_answer_is_lost_is_read_back(device: Device, unit: FakeUnit) -> None:
    """It was lost on its way, and is sent once more: the change is undone."""
    await device.write("work_mode", "selling_first")
    unit.faults.extend([None, LinkTimeout("no answer")])
    await device.undo()
    assert unit.registers[142] == 1
    assert listed(device) == []


async def test_undo_beyond_the_present_bounds_is_refused(device: Device, unit: FakeUnit) -> None:
    """The low threshold was lowered; the former shutdown threshold is not below it any more."""
    await device.write("battery_shutdown_soc", 5)
    unit.registers[117] = 8
    with pytest.raises(InvalidValueError, match="outside 0 to 7"):
        await device.undo()
    assert listed(device) == [("battery_shutdown_soc", 10, 5)]
    assert len(unit.writes) == 1


async def test_setting_outside_the_tier_cannot_be_undone(device: Device, unit: FakeUnit) -> None:
    """What one may not write, one may not put back."""
    await device.write("work_mode", "selling_first")
    device.tier = Tier.READ_ONLY
    unit.requests.clear()
    with pytest.raises(WriteDeniedError):
        await device.undo()
    assert unit.requests == []
    assert len(listed(device)) == 1


async def test_a_former_value_without_a_meaning(device: Device, unit: FakeUnit) -> None:
    """The machine held a code that the table does not know."""
    unit.registers[142] = 9
    await device.write("work_mode", "selling_first")
    unit.requests.clear()
    with pytest.raises(UndoError) as caught:
        await device.undo()
    assert caught.value.key == "work_mode"
    assert unit.requests == []
    # The next undo goes one change further back.
    assert listed(device) == []


async def test_undo_counts_as_a_write_and_is_never_refused_for_the_number_of_writes(
    device: Device, unit: FakeUnit
) -> None:
    """Nobody has to wait for midnight to get back what was before."""
    await device.write("work_mode", "selling_first")
    for _ in range(199):
        device.wear.count(["work_mode"], [142])
    with pytest.raises(WriteBudgetError):
        await device.write("work_mode", "zero_export_to_load")
    await device.undo()
    assert unit.registers[142] == 1
    assert device.wear.registers == {142: 201}


# ---------------------------------------------------------------------- changed elsewhere since


@pytest.mark.parametrize("held", [4000, 7000])
async def test_a_setting_that_was_changed_elsewhere_is_not_undone(
    device: Device, unit: FakeUnit, held: int
) -> None:
    """It is told, nothing is sent, and the next undo goes one change further back."""
    await device.write("solar_sell", False)
    await device.write("max_sell_power", 5000)
    unit.registers[143] = held
    with pytest.raises(ChangedElsewhereError) as caught:
        await device.undo()
    assert (caught.value.key, caught.value.written, caught.value.held) == (
        "max_sell_power",
        5000,
        held,
    )
    assert unit.registers[143] == held
    await device.undo()
    assert unit.registers[145] == 1
    assert listed(device) == []


async def test_a_block_of_which_one_was_changed_elsewhere_is_not_undone(
    device: Device, unit: FakeUnit
) -> None:
    """Half of what belongs together is nothing that anybody had wanted."""
    await device.write_many({"tou_slot_1_power": 4000, "tou_slot_2_power": 4000})
    unit.registers[155] = 3000
    with pytest.raises(ChangedElsewhereError, match="tou_slot_2_power"):
        await device.undo()
    assert len(unit.writes) == 1
    assert listed(device) == []


async def test_steps_of_which_one_was_put_back_elsewhere_are_undone(
    device: Device, unit: FakeUnit
) -> None:
    """What holds the value of before needs no write, also when it was changed twice by these steps."""
    await device.write_steps(
        [("solar_sell", False), ("max_sell_power", 6000), ("max_sell_power", 5000)]
    )
    unit.registers[143] = 8000
    await device.undo()
    assert unit.registers == SETTINGS


# ---------------------------------------------------------------------- kept


async def test_changes_survive_json_and_back_with_what_belongs_together(unit: FakeUnit) -> None:
    """A switch, a time of day, a block and steps in order; a block that is made later belongs to none of them."""
    made = ChangeLog()
    device = Device(unit, FAST, known={"rated_power": 8000}, changes=made)
    await device.write("solar_sell", False)
    await device.write("tou_slot_2_time", time(5, 30))
    await device.write_many({"tou_slot_1_power": 4000, "tou_slot_2_power": 4000})
    await device.write_steps([("work_mode", "selling_first"), ("max_sell_power", 5000)])
    kept = json.loads(json.dumps(made.as_list()))
    assert kept[1] == {
        "when": device.changes[1].when.isoformat(),
        "key": "tou_slot_2_time",
        "before": {"time": "04:00:00"},
        "after": {"time": "05:30:00"},
        "group": None,
        "in_order": False,
    }
    log = ChangeLog()
    log.restore(kept)
    assert list(log.changes) == list(device.changes)
    again = Device(unit, FAST, known={"rated_power": 8000}, changes=log)
    await again.write_many({"tou_slot_1_soc": 20, "tou_slot_2_soc": 20})
    for _ in range(5):
        await again.undo()
    assert unit.registers == SETTINGS
    assert listed(again) == []


@pytest.mark.parametrize(
    "value", [None, True, 5, 0.5, "passive", time(5, 30), frozenset({0, 4}), frozenset[int]()]
)
def test_every_value_of_a_setting_survives_json(value: Value | None) -> None:
    """Also days and the time of day, which JSON does not know."""
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


@pytest.mark.parametrize("stored", [[], {}, {"time": 5}, {"time": "noon"}, {"set": ["a"]}])
def test_what_is_no_value_of_a_setting_is_refused(stored: object) -> None:
    """As a list, or a time that is none."""
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        from_json(stored)


async def test_second_undo_waits_for_the_first_and_goes_one_further_back(
    device: Device, unit: FakeUnit
) -> None:
    """The second waits for the first, and puts back what was before that."""
    await device.write("max_sell_power", 5000)
    await device.write("max_sell_power", 6000)
    await asyncio.gather(device.undo(), device.undo())
    assert unit.writes[2:] == [(143, (5000,)), (143, (8000,))]
    assert listed(device) == []


# ---------------------------------------------------------------------- blocks


async def test_a_block_goes_back_in_one_request(device: Device, unit: FakeUnit) -> None:
    """Two slots and what lies between them; the change before it stays for the next time."""
    await device.write("solar_sell", False)
    await device.write_many(
        {"tou_slot_1_power": 4000, "tou_slot_2_power": 1001, "tou_slot_3_power": 5000}
    )
    assert listed(device) == [
        ("solar_sell", True, False),
        ("tou_slot_1_power", 1000, 4000),
        ("tou_slot_3_power", 1002, 5000),
    ]
    unit.requests.clear()
    await device.undo()
    assert unit.writes == [(154, (1000, 1001, 1002))]
    assert listed(device) == [("solar_sell", True, False)]


async def test_two_blocks_are_two_changes(device: Device, unit: FakeUnit) -> None:
    """Each goes back for itself."""
    await device.write_many({"tou_slot_1_power": 4000, "tou_slot_2_power": 4000})
    await device.write_many({"tou_slot_1_soc": 20, "tou_slot_2_soc": 20})
    unit.requests.clear()
    await device.undo()
    assert unit.writes == [(166, (50, 51))]
    await device.undo()
    assert unit.writes == [(166, (50, 51)), (154, (1000, 1001))]


async def test_a_block_that_does_not_go_back(device: Device, unit: FakeUnit) -> None:
    """It stays in the list as a whole."""
    await device.write_many({"tou_slot_1_power": 4000, "tou_slot_2_power": 4000})
    unit.ignored = 2
    with pytest.raises(NotAppliedError):
        await device.undo()
    assert len(listed(device)) == 2
    assert [unit.registers[154], unit.registers[155]] == [4000, 4000]


async def test_a_block_is_forgotten_as_a_whole(device: Device) -> None:
    """Half of a block cannot be put back: when the list is full, all of the oldest one goes."""
    await device.write_many({"tou_slot_1_power": 4000, "tou_slot_2_power": 4000})
    await device.write("solar_sell", False)
    for number in range(48):
        await device.write("max_sell_power", 100 + number)
    assert len(device.changes) == 49
    assert listed(device)[0] == ("solar_sell", True, False)


def test_change_without_a_batch_number_is_undone_alone() -> None:
    """Without a number a change belongs to itself only."""
    now = datetime(2026, 6, 21, tzinfo=UTC)
    alone, same = Change(now, "a", 1, 2), Change(now, "a", 1, 2)
    one, other, third = (
        Change(now, key, 1, 2, group) for key, group in (("a", 0), ("b", 0), ("c", 1))
    )
    assert alone.belongs_to(alone)
    assert not alone.belongs_to(same)
    assert one.belongs_to(other)
    assert not one.belongs_to(third)


# ---------------------------------------------------------------------- the clock


class Watch:
    """A time that a test moves."""

    def __init__(self, *parts: int) -> None:
        """Set it."""
        self.time = datetime(*parts)  # type: ignore[arg-type, misc]  # noqa: DTZ001 - a machine knows no zone

    def now(self) -> datetime:
        """Return the time."""
        return self.time


async def test_the_clock_is_set_in_one_request(device: Device, unit: FakeUnit) -> None:
    """10:00:05 on the 21st of June 2026."""
    await device.set_clock("system_time", Watch(2026, 6, 21, 10, 0, 5).now)
    assert unit.writes == [(62, (0x1A06, 0x150A, 0x0005))]
    assert device.values["system_time"] == datetime(2026, 6, 21, 10, 0, 5)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("microsecond", "written"), [(0, 5), (499_999, 5), (500_000, 6), (999_999, 6)]
)
async def test_to_the_nearest_second(
    device: Device, unit: FakeUnit, microsecond: int, written: int
) -> None:
    """A machine takes no parts of a second."""
    watch = Watch(2026, 6, 21, 10, 0, 5, microsecond)
    await device.set_clock("system_time", watch.now)
    assert unit.writes == [(62, (0x1A06, 0x150A, written))]


async def test_change_has_the_time_at_which_it_was_sent(device: Device, unit: FakeUnit) -> None:
    """The look before it took eight seconds, as the link was busy, and the first try was in vain."""
    watch = Watch(2026, 6, 21, 10, 59, 55)

    async def wait() -> None:
        watch.time += timedelta(seconds=8)

    unit.meanwhile.extend([wait, None, wait])
    unit.ignored = 1
    await device.set_clock("system_time", watch.now)
    # 10:59:55 + 8 s, and 8 s more.
    assert unit.writes == [(62, (0x1A06, 0x150B, 0x0003)), (62, (0x1A06, 0x150B, 0x000B))]


async def test_a_clock_that_goes_on(device: Device, unit: FakeUnit) -> None:
    """By the time it is read back it has moved; ten seconds are too much."""
    later = {62: 0x1A06, 63: 0x150A, 64: 0x000F}

    async def go_on() -> None:
        unit.registers.update(later)

    unit.meanwhile.extend([None, None, go_on])
    await device.set_clock("system_time", Watch(2026, 6, 21, 10, 0, 5).now)
    assert len(unit.writes) == 1
    later[64] = 0x0010
    unit.meanwhile.extend([None, None, go_on, None, go_on])
    with pytest.raises(NotAppliedError) as caught:
        await device.set_clock("system_time", Watch(2026, 6, 21, 10, 0, 5).now)
    assert caught.value.address == 62
    assert caught.value.held == datetime(2026, 6, 21, 10, 0, 16)  # noqa: DTZ001


async def test_a_clock_that_was_lost(device: Device, unit: FakeUnit) -> None:
    """After a power cut it may show the year 2000; that is what setting is for."""
    unit.registers.update({62: 0x0001, 63: 0x0100, 64: 0x0000})
    await device.set_clock("system_time", Watch(2026, 6, 21, 10, 0, 5).now)
    assert unit.registers[62] == 0x1A06


async def test_a_clock_that_may_not_be_set(device: Device, unit: FakeUnit) -> None:
    """Neither without the tier nor without a clock."""
    unit.registers.update(dict.fromkeys((62, 63, 64), 0xFFFF))
    with pytest.raises(WriteDeniedError, match="is not served"):
        await device.set_clock("system_time", Watch(2026, 6, 21, 10, 0, 5).now)
    device.tier = Tier.READ_ONLY
    with pytest.raises(WriteDeniedError, match="needs the tier everyday"):
        await device.set_clock("system_time", Watch(2026, 6, 21, 10, 0, 5).now)
    assert unit.writes == []


async def test_the_clock_is_no_change(device: Device, unit: FakeUnit) -> None:
    """The time that it showed before has passed; what is undone is the change before it."""
    await device.write("solar_sell", False)
    await device.set_clock("system_time", Watch(2026, 6, 21, 10, 0, 5).now)
    await device.undo()
    assert unit.writes[2:] == [(145, (1,))]


async def test_when_a_value_was_read(device: Device, unit: FakeUnit) -> None:
    """Not before it was; then at the last read of all its registers together."""
    assert device.read_at("system_time") is None
    before = datetime.now(UTC)
    await device.poll(["system_time"])
    after = datetime.now(UTC)
    read_at = device.read_at("system_time")
    assert read_at is not None
    assert before <= read_at <= after
    await device.poll(["work_mode"])
    assert device.read_at("system_time") == read_at
    unit.fault = LinkTimeout("no answer")
    with pytest.raises(LinkTimeout):
        await device.poll(["system_time"])
    assert device.read_at("system_time") == read_at
