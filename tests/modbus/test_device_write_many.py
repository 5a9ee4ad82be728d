"""Writing several settings at once: all of them or none, in one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import (
    InvalidValueError,
    LinkLost,
    NotAppliedError,
    RejectedError,
    WriteDeniedError,
)
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.register import Group, Tier
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .conftest import Clock
from .fake_unit import FakeUnit, ReadRequest, WriteRequest

SETTLE: Final = 0.01
FAST: Final = replace(JSO, settle=SETTLE)
# Long enough for something to happen within it.
SLOW: Final = replace(JSO, settle=0.08)

# The table on page 5.7 of the manual: 01:00 80 % from the grid, 05:00 40 %, 08:00 40 %, 10:00 80 %, 15:00 40 %,
# 18:00 35 %, each with 5000 W. The second slot has a mark that no setting of ours is about.
OLD: Final = (
    *(100, 500, 800, 1000, 1500, 1800),
    *(5000, 5000, 5000, 5000, 5000, 5000),
    *(4900, 5020, 5090, 5140, 4710, 4900),
    *(80, 40, 40, 80, 40, 35),
    *(0x0001, 0x0004, 0, 0, 0, 0),
)
# The same with 02:00, 90 % and the generator in the first slot, and the grid in the second.
NEW: Final = (
    *(200, 500, 800, 1000, 1500, 1800),
    *(5000, 5000, 5000, 5000, 5000, 5000),
    *(4900, 5020, 5090, 5140, 4710, 4900),
    *(90, 40, 40, 80, 40, 35),
    *(0x0003, 0x0005, 0, 0, 0, 0),
)
WANTED: Final[dict[str, Value]] = {
    "tou_slot_1_time": time(2),
    "tou_slot_1_soc": 90,
    "tou_slot_1_generator_charge": True,
    "tou_slot_2_grid_charge": True,
    # As it is already.
    "tou_slot_6_power": 5000,
    "tou_slot_6_grid_charge": False,
}


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine with the manual's table."""
    return FakeUnit(dict(enumerate(OLD, 148)))


@pytest.fixture
def device(unit: FakeUnit) -> Device:
    """Return the device of an 8 kW machine, everyday tier."""
    return Device(unit, FAST, known={"rated_power": 8000})


def table(unit: FakeUnit) -> tuple[int, ...]:
    """Return the thirty words that the machine holds."""
    return tuple(unit.registers[address] for address in range(148, 178))


async def test_thirty_words_are_written_in_one_request_ahead_of_polls(
    device: Device, unit: FakeUnit
) -> None:
    """Thirty words in one write; other registers and bits are sent as they were just read, before polls."""
    await device.write_many(WANTED)
    assert unit.writes == [(148, NEW)]
    assert [request for request in unit.requests if isinstance(request, WriteRequest)] == [
        WriteRequest(148, NEW)
    ]
    assert unit.requests[0] == ReadRequest(148, 30, urgent=True)
    assert table(unit) == NEW
    # Before it, right after it, and when it has settled.
    assert unit.reads == [(148, 30)] * 3


async def test_two_bits_of_a_word(device: Device, unit: FakeUnit) -> None:
    """Both are in it, and the ones that nobody named are as they were."""
    unit.registers[172] = 0x0025
    await device.write_many({"tou_slot_1_grid_charge": False, "tou_slot_1_generator_charge": True})
    assert unit.writes == [(172, (0x0026,))]


async def test_what_the_panel_changed_meanwhile(device: Device, unit: FakeUnit) -> None:
    """What was polled is not what is sent."""
    await device.poll(["tou_slot_3_soc"])
    unit.registers[168] = 45
    await device.write_many(WANTED)
    assert unit.writes[0][1][168 - 148] == 45


async def test_equal_values_are_not_sent(device: Device, unit: FakeUnit) -> None:
    """One look, and no write."""
    heard: list[Group] = []
    device.add_listener(heard.append)
    await device.write_many({"tou_slot_1_time": time(1), "tou_slot_6_soc": 35})
    assert unit.writes == []
    assert unit.reads == [(148, 24)]
    assert heard == [Group.SETTINGS]
    assert len(device.changes) == 0


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"tou_slot_1_soc": 90, "tou_slot_2_soc": 101}, InvalidValueError),
        ({"tou_slot_1_soc": 90, "tou_slot_2_soc": "40"}, InvalidValueError),
        ({"tou_slot_1_soc": 90, "tou_slot_2_power": 8001}, InvalidValueError),
        ({"tou_slot_1_soc": 90, "tou_slot_2_time": time(2, 3)}, InvalidValueError),
        ({"tou_slot_1_soc": 90, "tou_slot_2_sell": True}, WriteDeniedError),
        ({"tou_slot_1_soc": 90, "battery_soc": 50}, WriteDeniedError),
        # Farther apart than one write reaches, and with a register between them that is nobody's to write.
        ({"tou_slot_1_soc": 90, "max_solar_power": 5000}, ValueError),
        ({"max_sell_power": 90, "solar_sell": True}, ValueError),
    ],
)
async def test_one_wrong_value_refuses_all(
    device: Device, unit: FakeUnit, values: Mapping[str, Any], error: type[Exception]
) -> None:
    """Nothing at all goes over the link."""
    with pytest.raises(error):
        await device.write_many(values)
    with pytest.raises(error):
        await device.preview(values)
    assert unit.requests == []


async def test_read_only_tier_refuses_the_whole_request(unit: FakeUnit) -> None:
    """It refuses the whole as it refuses the parts."""
    device = Device(unit, FAST, tier=Tier.READ_ONLY)
    with pytest.raises(WriteDeniedError):
        await device.write_many(WANTED)
    assert unit.requests == []


async def test_values_that_bound_each_other(device: Device, unit: FakeUnit) -> None:
    """Shutdown < low < restart holds for what is written together, not for what was there before."""
    unit.registers |= {115: 10, 116: 40, 117: 20}
    await device.write_many(
        {"battery_shutdown_soc": 50, "battery_restart_soc": 70, "battery_low_soc": 60}
    )
    assert unit.writes == [(115, (50, 70, 60))]
    with pytest.raises(InvalidValueError):
        await device.write_many({"battery_shutdown_soc": 30, "battery_low_soc": 30})
    assert len(unit.writes) == 1


async def test_each_setting_that_changed_is_remembered_at_the_same_moment(device: Device) -> None:
    """A change for each setting that is another one now, at the same moment, and no other."""
    await device.write_many(WANTED)
    assert [(change.key, change.before, change.after) for change in device.changes] == [
        ("tou_slot_1_time", time(1), time(2)),
        ("tou_slot_1_soc", 80, 90),
        ("tou_slot_1_generator_charge", False, True),
        ("tou_slot_2_grid_charge", False, True),
    ]
    assert len({change.when for change in device.changes}) == 1
    assert device.wear.settings == {
        "tou_slot_1_time": 1,
        "tou_slot_1_soc": 1,
        "tou_slot_1_generator_charge": 1,
        "tou_slot_2_grid_charge": 1,
    }


async def test_locked_device_is_written_twice_and_nothing_is_restored(
    device: Device, unit: FakeUnit
) -> None:
    """Two tries; the old block is there, so it is not put back."""
    unit.ignored = 99
    with pytest.raises(NotAppliedError) as caught:
        await device.write_many(WANTED)
    assert caught.value.restored
    assert (caught.value.key, caught.value.address) == ("tou_slot_1_time", 148)
    assert (caught.value.wanted, caught.value.held) == (time(2), time(1))
    assert unit.writes == [(148, NEW), (148, NEW)]
    assert table(unit) == OLD
    assert len(device.changes) == 0


async def test_half_of_it_kept(device: Device, unit: FakeUnit) -> None:
    """The machine takes the start back each time: then the rest goes back as well, in one request."""

    def keep_the_start() -> None:
        unit.registers[148] = 100

    unit.tick = keep_the_start
    with pytest.raises(NotAppliedError) as caught:
        await device.write_many(WANTED)
    assert caught.value.restored
    assert unit.writes == [(148, NEW), (148, NEW), (148, OLD)]
    assert table(unit) == OLD
    assert device.snapshot(["tou_slot_1_soc"]).values == {"tou_slot_1_soc": 80}
    assert len(device.changes) == 0


async def test_the_old_block_is_not_kept_either(device: Device, unit: FakeUnit) -> None:
    """The error does not say that everything is as before."""

    def insist() -> None:
        if unit.writes:
            unit.registers[148] = 300

    unit.tick = insist
    with pytest.raises(NotAppliedError) as caught:
        await device.write_many(WANTED)
    assert not caught.value.restored
    assert len(unit.writes) == 3


async def test_request_succeeds_on_the_second_try(device: Device, unit: FakeUnit) -> None:
    """A machine that has missed the first one."""
    unit.ignored = 1
    await device.write_many(WANTED)
    assert unit.writes == [(148, NEW), (148, NEW)]
    assert table(unit) == NEW


async def test_taken_back_while_it_settles(unit: FakeUnit) -> None:
    """It was there right after the write; the second look counts."""
    device = Device(unit, SLOW, known={"rated_power": 8000})
    unit.reverted, unit.revert_after = 99, 0.02
    with pytest.raises(NotAppliedError) as caught:
        await device.write_many(WANTED)
    assert caught.value.restored
    assert table(unit) == OLD


@pytest.mark.parametrize(
    ("passed", "held"),
    [
        # Before the look, right behind the write, and while it settles.
        (0, OLD),
        (2, NEW),
        (3, NEW),
    ],
)
async def test_a_link_that_is_lost(
    device: Device, unit: FakeUnit, passed: int, held: tuple[int, ...]
) -> None:
    """Whenever that is, the caller gets the error, and the machine holds all the old or all the new words."""
    unit.faults.extend([*[None] * passed, LinkLost("gone")])
    with pytest.raises(LinkLost) as caught:
        await device.write_many(WANTED)
    assert caught.value.unconfirmed == (passed > 0)
    assert table(unit) == held
    assert len(unit.writes) == (passed > 0)
    await device.write_many(WANTED)
    assert table(unit) == NEW


async def test_a_write_without_an_answer_is_sent_once_more(device: Device, unit: FakeUnit) -> None:
    """It was lost on its way: the machine holds the old words when it is read back."""
    unit.faults.extend([None, LinkLost("gone")])
    await device.write_many(WANTED)
    assert unit.writes == [(148, NEW), (148, NEW)]
    assert table(unit) == NEW


async def test_what_was_kept_in_part_goes_back_when_the_second_try_is_refused(
    device: Device, unit: FakeUnit
) -> None:
    """The machine has taken the start back; the second write is refused, and the rest goes back as well."""

    async def take_the_start_back() -> None:
        unit.registers[148] = 100

    unit.meanwhile.extend([None, None, None, take_the_start_back])
    unit.faults.extend([None, None, None, None, RejectedError(4, "unit 1")])
    with pytest.raises(RejectedError) as caught:
        await device.write_many(WANTED)
    assert caught.value.left == ()
    assert unit.writes == [(148, NEW), (148, NEW), (148, OLD)]
    assert table(unit) == OLD


async def test_what_was_kept_in_part_and_does_not_go_back_is_named(
    device: Device, unit: FakeUnit
) -> None:
    """The link is gone with the second try."""

    async def take_the_start_back() -> None:
        unit.registers[148] = 100

    unit.meanwhile.extend([None, None, None, take_the_start_back])
    unit.faults.extend([None, None, None, None, RejectedError(4, "no"), *[LinkLost("gone")] * 9])
    with pytest.raises(RejectedError) as caught:
        await device.write_many(WANTED)
    assert caught.value.left == (
        "tou_slot_1_time",
        "tou_slot_1_soc",
        "tou_slot_1_generator_charge",
        "tou_slot_2_grid_charge",
    )


async def test_refused_request_is_not_tried_again(device: Device, unit: FakeUnit) -> None:
    """The machine says no: nothing is tried again."""
    unit.faults.extend([None, RejectedError(4, "unit 1")])
    with pytest.raises(RejectedError):
        await device.write_many(WANTED)
    assert unit.writes == [(148, NEW)]
    assert table(unit) == OLD


async def test_what_is_not_served(device: Device, unit: FakeUnit, clock: Clock) -> None:
    """Neither a register that rests, nor one that says so; a cell of the table that says so is only blank."""
    unit.registers[143] = 0xFFFF
    with pytest.raises(WriteDeniedError):
        await device.write("max_sell_power", 20)
    unit.registers |= {148: 0xFFFF, 166: 0xFFFF, 172: 0xFFFF}
    await device.write_many(WANTED)
    # The bits of the first slot's word that were not asked for are off.
    assert table(unit) == (*NEW[:24], 0x0002, *NEW[25:])
    unit.refused[150] = 2
    for _ in range(3):
        clock.now += 5
        await device.poll(["tou_slot_3_time", "tou_slot_3_soc"])
    unit.requests.clear()
    with pytest.raises(WriteDeniedError):
        await device.write_many(WANTED)
    assert unit.requests == []


async def test_a_preview_sends_nothing(device: Device, unit: FakeUnit) -> None:
    """It tells every word of the write, as it is and as it would be."""
    words = await device.preview(WANTED)
    assert list(words) == list(range(148, 178))
    assert {address: pair for address, pair in words.items() if pair[0] != pair[1]} == {
        148: (100, 200),
        166: (80, 90),
        172: (0x0001, 0x0003),
        173: (0x0004, 0x0005),
    }
    assert unit.writes == []
    assert table(unit) == OLD
