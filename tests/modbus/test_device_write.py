"""Writing a setting: what is refused, what is sent, and what counts as done."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, time
import math
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device, Snapshot
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    InvalidValueError,
    LinkDesync,
    LinkLost,
    LinkTimeout,
    NotAppliedError,
    RejectedError,
    WriteDeniedError,
)
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.register import Group, Tier
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .fake_unit import FakeUnit, ReadRequest, WriteRequest

SETTLE: Final = 0.01
FAST: Final = replace(JSO, settle=SETTLE)
# Long enough for something to happen within it.
SLOW: Final = replace(JSO, settle=0.08)

# Settings as a machine may hold them.
SETTINGS: Final = {
    104: 20,
    115: 10,  # shutdown
    116: 40,  # restart
    117: 20,  # low
    133: 1,
    142: 1,  # zero_export_to_load
    143: 8000,
    145: 1,
    146: 0x00FF,
    148: 0,
    149: 500,
    150: 900,
    151: 1300,
    152: 1700,
    153: 2100,
    178: 0x2AAA,
}


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine that does what it is told."""
    return FakeUnit(dict(SETTINGS))


@pytest.fixture
def device(unit: FakeUnit) -> Device:
    """Return the device of an 8 kW machine, everyday tier."""
    return Device(unit, FAST, known={"rated_power": 8000})


def listen(device: Device, key: str) -> list[Value | None]:
    """Return a list that grows by the value of a key, as it is published, whenever the listeners are told."""
    heard: list[Value | None] = []

    def hear(group: Group) -> None:
        assert group is Group.SETTINGS
        heard.append(device.snapshot([key]).values.get(key, "unknown"))

    device.add_listener(hear)
    return heard


async def told(device: Device) -> None:
    """Wait until the listeners are told something."""
    event = asyncio.Event()
    stop = device.add_listener(lambda _: event.set())
    await asyncio.wait_for(event.wait(), 1)
    stop()


# ---------------------------------------------------------------------- what is not sent


@pytest.mark.parametrize(
    ("tier", "key", "value", "needs"),
    [
        (Tier.INSTALLER, "no_such_key", 1, None),
        (Tier.INSTALLER, "battery_soc", 50, None),
        (Tier.INSTALLER, "grid_standard", 0, None),
        (Tier.INSTALLER, "pv_power", 0, None),
        (Tier.EVERYDAY, "generator_port_mode", "generator_input", Tier.INSTALLER),
        (Tier.EVERYDAY, "float_voltage", 55.2, Tier.INSTALLER),
        (Tier.READ_ONLY, "work_mode", "selling_first", Tier.EVERYDAY),
    ],
)
async def test_what_may_not_be_written(
    unit: FakeUnit, tier: Tier, key: str, value: Value, needs: Tier | None
) -> None:
    """Nothing goes over the link; the error names the tier that it takes, if there is one."""
    device = Device(unit, FAST, tier=tier)
    assert not device.may_write(key)
    with pytest.raises(WriteDeniedError) as caught:
        await device.write(key, value)
    assert caught.value.details == ({} if needs is None else {"tier": needs})
    assert unit.requests == []


async def test_a_higher_tier_includes_the_lower(unit: FakeUnit) -> None:
    """An installer may also do what everybody may."""
    device = Device(unit, FAST, tier=Tier.INSTALLER)
    assert device.may_write("generator_port_mode")
    assert device.may_write("work_mode")
    await device.write("generator_port_mode", "generator_input")
    assert unit.writes == [(133, (0,))]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("work_mode", "sell_everything"),
        ("work_mode", 1),
        ("solar_sell", 1),
        ("solar_sell", "on"),
        ("battery_low_soc", True),
        ("battery_low_soc", "20"),
        ("battery_low_soc", math.nan),
        ("battery_low_soc", math.inf),
        ("battery_low_soc", 20.5),
        ("battery_low_soc", -1),
        ("battery_low_soc", 65535),
        ("battery_low_soc", 65536 + 20),
        ("tou_slot_1_time", "05:00"),
        ("tou_slot_1_time", time(5, 0, 30)),
    ],
)
async def test_what_no_register_can_hold(
    device: Device, unit: FakeUnit, key: str, value: Any
) -> None:
    """It is refused before the link is bothered."""
    with pytest.raises(InvalidValueError):
        await device.write(key, value)
    assert unit.requests == []


def between(low: float, high: float, **neighbour: str) -> dict[str, float | str]:
    """Return what a refusal says of these bounds, and of the neighbour that is the `lowest` or `highest` value."""
    ((side, name),) = neighbour.items()
    limit = low if side == "lowest" else high
    return {"minimum": low, "maximum": high, side: limit, "neighbour": name}


@pytest.mark.parametrize(
    ("key", "value", "details"),
    [
        # The firmware was not read yet.
        ("zero_export_power", -1, {"minimum": 0, "maximum": 500}),
        ("zero_export_power", 501, {"minimum": 0, "maximum": 500}),
        ("max_sell_power", 8001, between(0, 8000, highest="rated_power")),
        ("max_solar_power", 10401, between(0, 10400, highest="rated_power")),
        ("battery_low_soc", 10, between(11, 39, lowest="battery_shutdown_soc")),
        ("battery_low_soc", 40, between(11, 39, highest="battery_restart_soc")),
        ("battery_shutdown_soc", 20, between(0, 19, highest="battery_low_soc")),
        ("battery_restart_soc", 20, between(21, 100, lowest="battery_low_soc")),
        # More than the register holds: the neighbours were not read yet.
        ("battery_low_soc", 70000, {"minimum": 0, "maximum": 100}),
        ("battery_low_soc", -1, {"minimum": 0, "maximum": 100}),
        ("tou_slot_1_time", time(0, 7), {"step": 5}),
    ],
)
async def test_what_is_out_of_bounds(
    device: Device, unit: FakeUnit, key: str, value: Value, details: dict[str, float | str]
) -> None:
    """Shutdown < low < restart, nothing above the rated power, and only times that the display can show."""
    with pytest.raises(InvalidValueError) as caught:
        await device.write(key, value)
    assert caught.value.details == pytest.approx(details)
    assert unit.writes == []


async def test_bounds_are_read_before_they_are_checked(device: Device, unit: FakeUnit) -> None:
    """At the panel the restart threshold was raised, and the shutdown one as well, since the last poll."""
    await device.poll(["battery_shutdown_soc", "battery_low_soc", "battery_restart_soc"])
    unit.registers.update({115: 15, 116: 60})
    with pytest.raises(InvalidValueError, match="outside 16 to 59"):
        await device.write("battery_low_soc", 12)
    await device.write("battery_low_soc", 55)
    assert unit.writes == [(117, (55,))]


async def test_an_unknown_bound_is_its_default(device: Device, unit: FakeUnit) -> None:
    """The machine does not serve the low threshold: it bounds nothing, and is not asked for."""
    unit.refused[117] = 2
    await device.poll(["battery_shutdown_soc", "battery_low_soc"])
    unit.requests.clear()
    await device.write("battery_shutdown_soc", 90)
    assert (115, 1) in unit.reads
    assert not any(address <= 117 < address + count for address, count in unit.reads)
    assert unit.writes == [(115, (90,))]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("work_mode", "zero_export_to_load"),
        ("max_sell_power", 8000.0),
        ("tou_sunday", True),
        ("on_grid_always_on", False),
        ("tou_slot_3_time", time(9, 0)),
    ],
)
async def test_an_equal_value_is_not_sent(
    device: Device, unit: FakeUnit, key: str, value: Value
) -> None:
    """The memory of the settings wears; what was read to know that is published."""
    heard = listen(device, key)
    await device.write(key, value)
    assert unit.writes == []
    assert heard == [value]
    assert (len(device.changes), device.wear.total) == (0, 0)


async def test_equal_to_what_the_machine_holds_now(device: Device, unit: FakeUnit) -> None:
    """Since the last poll the panel has set it; and has set another one to something else."""
    await device.poll(["work_mode", "max_sell_power"])
    unit.registers.update({142: 0, 143: 3000})
    await device.write("work_mode", "selling_first")
    assert unit.writes == []
    await device.write("max_sell_power", 8000)
    assert unit.writes == [(143, (8000,))]


@pytest.mark.parametrize(
    ("key", "value", "address"),
    [
        ("max_sell_power", 5000, 143),
        ("tou_enabled", False, 146),
        ("work_mode", "selling_first", 142),
    ],
)
async def test_a_setting_that_is_not_there_is_not_written(
    device: Device, unit: FakeUnit, key: str, value: Value, address: int
) -> None:
    """A register that reads 0xFFFF is one that the firmware does not have."""
    unit.registers[address] = 0xFFFF
    with pytest.raises(WriteDeniedError, match="is not served"):
        await device.write(key, value)
    assert unit.writes == []


async def test_a_resting_setting_is_not_written(device: Device, unit: FakeUnit) -> None:
    """A poll has found out that the machine refuses it; nor is one that is written together with it."""
    unit.refused.update({143: 2, 150: 2})
    await device.poll(["work_mode", "max_sell_power", "tou_slot_3_time"])
    unit.requests.clear()
    for key, value in (("max_sell_power", 5000), ("tou_slot_1_time", time(1))):
        with pytest.raises(WriteDeniedError, match="is not served"):
            await device.write(key, value)
    assert unit.requests == []


async def test_a_refused_setting_is_not_written(device: Device, unit: FakeUnit) -> None:
    """Not polled so far, and the machine refuses it."""
    unit.refused[143] = 2
    with pytest.raises(RejectedError):
        await device.write("max_sell_power", 5000)
    assert unit.writes == []


# ---------------------------------------------------------------------- what is sent


async def test_one_request_after_another(device: Device, unit: FakeUnit) -> None:
    """Look, write, look at once, look again when it has settled; before everything that waits."""
    heard = listen(device, "work_mode")
    await device.write("work_mode", "zero_export_to_ct")
    look = ReadRequest(142, 1, urgent=True)
    assert unit.requests == [look, WriteRequest(142, (2,)), look, look]
    # What is still the same when it has settled is not published again.
    assert heard == ["zero_export_to_ct"]
    assert device.values["work_mode"] == "zero_export_to_ct"


async def test_listeners_hear_before_it_has_settled(unit: FakeUnit) -> None:
    """A person sees the new value after three requests; who does not listen any more hears nothing."""
    device = Device(unit, replace(JSO, settle=0.05))
    heard = listen(device, "solar_sell")
    deaf: list[Group] = []
    device.add_listener(deaf.append)()
    writing = asyncio.create_task(device.write("solar_sell", False))
    await told(device)
    assert (heard, deaf, len(unit.requests)) == ([False], [], 3)
    await writing
    assert (heard[-1], deaf) == (False, [])


async def test_what_is_polled_together_is_read_again(device: Device, unit: FakeUnit) -> None:
    """Of all reads that were planned for this setting the one that brings most; a neighbour has moved."""
    for polled in (
        ["work_mode"],
        ["work_mode", "max_sell_power", "solar_sell"],
        ["work_mode", "max_sell_power"],
    ):
        await device.poll(polled)
    unit.requests.clear()

    async def move() -> None:
        unit.registers[143] = 4000

    unit.meanwhile.extend([None, None, None, move])
    heard = listen(device, "max_sell_power")
    await device.write("work_mode", "zero_export_to_ct")
    assert unit.reads == [(142, 1), (142, 1), (142, 4)]
    assert heard == [8000, 4000]
    assert device.values["max_sell_power"] == 4000


async def test_a_read_that_only_goes_over_a_setting_is_not_repeated(unit: FakeUnit) -> None:
    """The energy group reads the alarms at 220 and the state of health at 224; nobody polls the setting at 223."""
    device = Device(unit, FAST, tier=Tier.INSTALLER)
    await device.poll(["bms_alarm", "bms_fault", "battery_soh"])
    assert unit.reads == [(220, 5)]
    await device.write("lithium_protocol", 5)
    assert unit.reads == [(220, 5), (223, 1), (223, 1), (223, 1)]


async def test_what_rests_is_not_read_around(device: Device, unit: FakeUnit) -> None:
    """Between the work mode and the others lies a register that the machine refuses."""
    unit.refused[143] = 2
    await device.poll(["work_mode", "max_sell_power", "solar_sell", "tou_enabled"])
    unit.requests.clear()
    await device.write("solar_sell", False)
    assert unit.reads == [(145, 1), (145, 1), (145, 2)]


async def test_a_neighbour_that_is_refused_by_now_fails_no_write(
    device: Device, unit: FakeUnit
) -> None:
    """The write was kept, which is all that was asked."""
    await device.poll(["work_mode", "max_sell_power"])
    unit.requests.clear()
    unit.refused[143] = 2
    await device.write("work_mode", "zero_export_to_ct")
    assert unit.reads == [(142, 1), (142, 1), (142, 2), (142, 2), (142, 1)]
    assert len(device.changes) == 1


async def test_the_six_times_travel_together(device: Device, unit: FakeUnit) -> None:
    """The machine compares them with each other; the other five are as the panel has just set them."""
    await device.poll(["tou_slot_1_time"])
    unit.registers[153] = 2200
    unit.requests.clear()
    await device.write("tou_slot_2_time", time(5, 15))
    assert unit.writes == [(148, (0, 515, 900, 1300, 1700, 2200))]
    # The read around brings the first time only, which is not the one that was written.
    assert unit.reads == [(148, 6), (148, 6), (148, 6)]
    await device.write("tou_slot_1_time", time(0, 5))
    assert unit.writes[1] == (148, (5, 515, 900, 1300, 1700, 2200))
    assert unit.reads[3:] == [(148, 6), (148, 6), (148, 1), (149, 5)]


async def test_a_time_out_of_order_is_not_sent(device: Device, unit: FakeUnit) -> None:
    """The other starts are read before the check; what the last poll said of them is forgotten."""
    await device.poll(["tou_slot_2_time", "tou_slot_3_time", "tou_slot_4_time"])
    unit.registers[151] = 1000
    for value, detail in ((time(10, 5), "latest"), (time(4, 55), "earliest")):
        with pytest.raises(InvalidValueError) as caught:
            await device.write("tou_slot_3_time", value)
        assert detail in caught.value.details
    assert unit.writes == []
    await device.write("tou_slot_3_time", time(10))
    assert unit.writes == [(148, (0, 500, 1000, 1000, 1700, 2100))]


@pytest.mark.parametrize("single_write", [False, True])
async def test_function_code_6_is_used_for_one_register_and_only_where_it_is_served(
    unit: FakeUnit, single_write: bool
) -> None:
    """One register goes by function code 6 only where the machine serves that; six never do."""
    device = Device(unit, replace(FAST, single_write=single_write))
    await device.write("work_mode", "selling_first")
    await device.write("tou_slot_6_time", time(23, 55))
    sent = [request for request in unit.requests if isinstance(request, WriteRequest)]
    assert sent == [
        WriteRequest(142, (0,), single=single_write),
        WriteRequest(148, (0, 500, 900, 1300, 1700, 2355)),
    ]


async def test_clock_that_reads_back_a_little_later_was_kept(
    device: Device, unit: FakeUnit
) -> None:
    """What is read back is a little later than what was set, and was kept all the same."""

    def tick() -> None:
        unit.registers[64] = unit.registers.get(64, 0) + 1

    unit.tick = tick
    await device.write("system_time", datetime(2026, 6, 21, 10, 30, 15))  # noqa: DTZ001
    # 26 * 256 + 6, 21 * 256 + 10, 30 * 256 + 15.
    assert unit.writes == [(62, (6662, 5386, 7695))]
    unit.ignored = 2
    with pytest.raises(NotAppliedError):
        await device.write("system_time", datetime(2026, 6, 21, 9, 0, 0))  # noqa: DTZ001


# ---------------------------------------------------------------------- registers that are shared


async def test_write_keeps_bits_that_were_changed_at_the_panel_since_the_last_poll(
    device: Device, unit: FakeUnit
) -> None:
    """Also those that the panel has changed since the last poll."""
    await device.poll(["tou_enabled", "tou_sunday"])
    unit.registers[146] = 0x1F0F
    await device.write("tou_monday", False)
    assert unit.writes == [(146, (0x1F0D,))]
    assert device.values["tou_sunday"] is False


async def test_the_second_try_keeps_the_other_bits_too(device: Device, unit: FakeUnit) -> None:
    """The first write was ignored, and the panel has changed another bit since."""
    unit.ignored = 1

    async def panel() -> None:
        unit.registers[146] ^= 0x0080

    unit.meanwhile.extend([None, None, None, panel])
    await device.write("tou_monday", False)
    assert unit.writes == [(146, (0x00FD,)), (146, (0x007D,))]


@pytest.mark.parametrize(
    ("key", "value", "held", "written"),
    [
        ("on_grid_always_on", True, 0x2AAA, 0x2AEA),
        ("on_grid_always_on", False, 0x2AEA, 0x2AAA),
        ("grid_peak_shaving", True, 0x2AAA, 0x2ABA),
        ("microinverter_export_cutoff", True, 0x2AAA, 0x2AAB),
        # It was never switched on.
        ("on_grid_always_on", True, 0x2A2A, 0x2AEA),
        # 1 says nothing about what is in force.
        ("on_grid_always_on", False, 0x0040, 0x0080),
        ("on_grid_always_on", True, 0x0040, 0x00C0),
    ],
)
async def test_pair_of_bits_switches_one_item_and_leaves_the_others(
    device: Device, unit: FakeUnit, *, key: str, value: bool, held: int, written: int
) -> None:
    """Ten switches an item off, eleven on; the other items of the register stay."""
    unit.registers[178] = held
    await device.write(key, value)
    assert unit.writes == [(178, (written,))]


async def test_an_item_that_was_never_switched_on_is_off(device: Device, unit: FakeUnit) -> None:
    """Its pair is 00; switching it off sends nothing, and undoing that it was switched on sends the code of off."""
    unit.registers[178] = 0x2A2A
    await device.write("on_grid_always_on", False)
    assert unit.writes == []
    await device.write("on_grid_always_on", True)
    await device.undo()
    assert unit.writes == [(178, (0x2AEA,)), (178, (0x2AAA,))]


async def test_two_bits_of_a_register_at_once(device: Device, unit: FakeUnit) -> None:
    """Neither write undoes the other."""
    await asyncio.gather(
        device.write("tou_monday", False),
        device.write("tou_sunday", False),
        device.write("tou_enabled", False),
    )
    assert unit.registers[146] == 0x007C
    assert unit.writes == [(146, (0x00FD,)), (146, (0x007D,)), (146, (0x007C,))]


# ---------------------------------------------------------------------- what the machine makes of it


async def test_a_write_that_is_ignored_is_tried_once_more(device: Device, unit: FakeUnit) -> None:
    """Then the error says where, what was wanted and what is held; nothing was published that is not held."""
    unit.ignored = 99
    heard = listen(device, "work_mode")
    with pytest.raises(NotAppliedError) as caught:
        await device.write("work_mode", "selling_first")
    error = caught.value
    assert (error.key, error.address) == ("work_mode", 142)
    assert (error.wanted, error.held) == ("selling_first", "zero_export_to_load")
    assert not error.changed
    assert unit.writes == [(142, (0,)), (142, (0,))]
    assert set(heard) == {"zero_export_to_load"}
    assert len(device.changes) == 0
    assert device.wear.settings == {"work_mode": 2}


@pytest.mark.parametrize(
    ("wanted", "word", "kept", "held"),
    [(-20, 65516, 65515, -21), (0, 0, 65535, -1), (40, 40, 39, 39)],
)
async def test_a_firmware_that_keeps_one_less(
    device: Device, unit: FakeUnit, *, wanted: int, word: int, kept: int, held: int
) -> None:
    """It has changed something, and the error says to what."""

    def keep() -> None:
        if unit.registers[104] == word:
            unit.registers[104] = kept

    unit.registers[15] = 0x1144
    await device.poll(["main_firmware"])
    unit.tick = keep
    with pytest.raises(NotAppliedError) as caught:
        await device.write("zero_export_power", wanted)
    error = caught.value
    assert (error.wanted, error.held, error.changed) == (wanted, held, True)
    assert device.values["zero_export_power"] == held


async def test_write_succeeds_on_the_second_try(device: Device, unit: FakeUnit) -> None:
    """A machine that has missed the first one."""
    unit.ignored = 1
    await device.write("work_mode", "selling_first")
    assert unit.registers[142] == 0
    assert len(unit.writes) == 2


async def test_a_late_commit_is_no_failure(unit: FakeUnit) -> None:
    """Half the time to settle is early enough; the value is not published before."""
    device = Device(unit, SLOW)
    unit.commit_after = 0.04
    heard = listen(device, "work_mode")
    await device.write("work_mode", "selling_first")
    assert unit.writes == [(142, (0,))]
    assert heard == ["selling_first"]


async def test_a_value_that_is_taken_back_is_written_again(unit: FakeUnit) -> None:
    """It was there right after the write, and gone when it should have settled."""
    device = Device(unit, SLOW)
    unit.reverted, unit.revert_after = 1, 0.02
    heard = listen(device, "solar_sell")
    await device.write("solar_sell", False)
    assert heard == [False, True, False]
    assert unit.writes == [(145, (0,)), (145, (0,))]
    assert unit.registers[145] == 0


async def test_a_value_that_is_always_taken_back_is_noticed(unit: FakeUnit) -> None:
    """Another master, or a rule of the machine; what is shown in the end is what it holds."""
    device = Device(unit, SLOW)
    unit.reverted, unit.revert_after = 99, 0.02
    heard = listen(device, "tou_slot_2_time")
    with pytest.raises(NotAppliedError) as caught:
        await device.write("tou_slot_2_time", time(8))
    assert (caught.value.wanted, caught.value.held) == (time(8), time(5))
    assert heard == [time(8), time(5), time(5)]
    assert len(unit.writes) == 2


async def test_a_machine_that_is_busy_with_the_write(device: Device, unit: FakeUnit) -> None:
    """The look right after it is refused; the one after the pause decides."""
    unit.faults.extend([None, None, RejectedError(6, "busy")])
    heard = listen(device, "work_mode")
    await device.write("work_mode", "selling_first")
    assert (len(unit.writes), heard) == (1, ["selling_first"])


async def test_a_write_that_is_refused_is_not_repeated(device: Device, unit: FakeUnit) -> None:
    """The error says what was refused; until the next read the value is not known."""
    await device.poll(["work_mode", "max_sell_power"])
    unit.faults.extend([None, RejectedError(4, "unit 1")])
    with pytest.raises(RejectedError) as caught:
        await device.write("work_mode", "selling_first")
    assert (caught.value.key, caught.value.address) == ("work_mode", 142)
    assert not caught.value.unconfirmed
    assert len(unit.writes) == 1
    snapshot = device.snapshot(["work_mode", "max_sell_power"])
    assert snapshot == Snapshot({"max_sell_power": 8000}, frozenset({"work_mode"}))


# No answer, another one's answer, a gateway that got none, and a machine that takes its time.
UNANSWERED: Final = (
    LinkTimeout("unit 1"),
    LinkLost("gone"),
    LinkDesync("not an answer"),
    RejectedError(5, "later"),
    RejectedError(10, "no way there"),
    RejectedError(11, "no answer"),
)


@pytest.mark.parametrize("error", UNANSWERED, ids=str)
async def test_a_write_that_was_kept_and_whose_answer_was_lost_is_a_success(
    device: Device, unit: FakeUnit, error: DeviceError
) -> None:
    """What the machine holds decides, and it is written once."""

    async def carry_out() -> None:
        unit.registers[142] = 0

    heard = listen(device, "work_mode")
    unit.meanwhile.extend([None, carry_out])
    unit.faults.extend([None, error])
    await device.write("work_mode", "selling_first")
    assert unit.writes == [(142, (0,))]
    assert heard == ["selling_first"]
    assert [(change.before, change.after) for change in device.changes] == [
        ("zero_export_to_load", "selling_first")
    ]


@pytest.mark.parametrize("error", UNANSWERED, ids=str)
async def test_a_write_that_was_lost_on_its_way_is_sent_once_more(
    device: Device, unit: FakeUnit, error: DeviceError
) -> None:
    """The machine does not hold it when it is read back."""
    unit.faults.extend([None, error])
    await device.write("work_mode", "selling_first")
    assert unit.writes == [(142, (0,)), (142, (0,))]
    assert unit.registers[142] == 0


@pytest.mark.parametrize("error", UNANSWERED, ids=str)
async def test_two_writes_without_an_answer_have_changed_nothing(
    device: Device, unit: FakeUnit, error: DeviceError
) -> None:
    """It answers when it is read, and holds what it did: that is known."""
    unit.faults.extend([None, error, None, error])
    with pytest.raises(NotAppliedError, match="without an answer") as caught:
        await device.write("work_mode", "selling_first")
    assert not caught.value.acknowledged
    assert not caught.value.unconfirmed
    assert caught.value.held == "zero_export_to_load"
    assert len(unit.writes) == 2
    assert device.snapshot(["work_mode"]).values == {"work_mode": "zero_export_to_load"}


async def test_one_answer_out_of_two_is_an_answer(device: Device, unit: FakeUnit) -> None:
    """The first one was lost, the second one acknowledged and ignored."""
    unit.ignored = 1
    unit.faults.extend([None, LinkTimeout("unit 1")])
    with pytest.raises(NotAppliedError) as caught:
        await device.write("work_mode", "selling_first")
    assert caught.value.acknowledged


@pytest.mark.parametrize("error", [LinkTimeout("unit 1"), RejectedError(4, "no")], ids=str)
async def test_only_what_cannot_be_read_back_is_not_known(
    device: Device, unit: FakeUnit, error: DeviceError
) -> None:
    """The write may have been carried out, and the read-back fails."""
    unit.faults.extend([None, LinkTimeout("unit 1"), error])
    with pytest.raises(type(error)) as caught:
        await device.write("work_mode", "selling_first")
    assert caught.value.unconfirmed
    assert len(unit.writes) == 1


async def test_a_write_that_never_went_out_has_changed_nothing(
    device: Device, unit: FakeUnit
) -> None:
    """The link was closed while it waited for its turn: what was read before still holds."""
    closed = LinkLost("closed")

    async def close() -> None:
        raise closed

    unit.meanwhile.extend([None, close])
    with pytest.raises(LinkLost) as caught:
        await device.write("work_mode", "selling_first")
    assert not caught.value.unconfirmed
    assert device.snapshot(["work_mode"]).values == {"work_mode": "zero_export_to_load"}


@pytest.mark.parametrize("passed", [2, 3])
async def test_a_link_that_is_lost_behind_the_write(
    device: Device, unit: FakeUnit, passed: int
) -> None:
    """At once, or while it settles: the error is passed on, and the next write works."""
    await device.poll(["work_mode"])
    unit.faults.extend([*[None] * passed, LinkTimeout("unit 1")])
    with pytest.raises(LinkTimeout) as caught:
        await device.write("work_mode", "selling_first")
    assert caught.value.unconfirmed
    assert len(unit.writes) == 1
    assert ("work_mode" in device.snapshot(["work_mode"]).values) == (passed == 3)
    await device.write("work_mode", "zero_export_to_ct")
    assert unit.registers[142] == 2


async def test_a_link_that_is_down_before_the_write(device: Device, unit: FakeUnit) -> None:
    """Without a look there is no write."""
    unit.fault = LinkTimeout("unit 1")
    with pytest.raises(LinkTimeout) as caught:
        await device.write("work_mode", "selling_first")
    assert not caught.value.unconfirmed
    assert unit.writes == []


async def test_a_write_that_is_given_up_while_it_settles(unit: FakeUnit) -> None:
    """The device is as usable as before, and knows what the machine held last."""
    device = Device(unit, SLOW)
    writing = asyncio.create_task(device.write("work_mode", "selling_first"))
    await told(device)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert device.snapshot(["work_mode"]).values == {"work_mode": "selling_first"}
    await device.write("max_sell_power", 5000)
    assert unit.writes == [(142, (0,)), (143, (5000,))]


# ---------------------------------------------------------------------- writes that wait


async def test_of_two_hundred_values_the_last_is_written(device: Device, unit: FakeUnit) -> None:
    """Somebody moves a slider while another write is under way: those that waited end without writing."""
    await asyncio.gather(
        device.write("work_mode", "selling_first"),
        *(device.write("zero_export_power", 100 + number) for number in range(200)),
    )
    assert unit.writes == [(142, (0,)), (104, (299,))]
    assert [change.key for change in device.changes] == ["work_mode", "zero_export_power"]


async def test_of_two_settings_in_turn_the_last_values_are_written(
    device: Device, unit: FakeUnit
) -> None:
    """Neither rests on the other, so that each is written once."""
    await asyncio.gather(
        device.write("work_mode", "selling_first"),
        *(
            device.write(key, value + number)
            for number in range(50)
            for key, value in (("zero_export_power", 100), ("max_sell_power", 5000))
        ),
    )
    assert unit.writes == [(142, (0,)), (104, (149,)), (143, (5049,))]


async def test_another_setting_in_between_keeps_its_place(device: Device, unit: FakeUnit) -> None:
    """The low threshold may be 55 only after the restart threshold is 60, whatever that becomes later."""
    await asyncio.gather(
        device.write("solar_sell", False),
        device.write("battery_restart_soc", 60),
        device.write("battery_low_soc", 55),
        device.write("battery_restart_soc", 58),
    )
    assert unit.writes == [(145, (0,)), (116, (60,)), (117, (55,)), (116, (58,))]


async def test_several_settings_at_once_are_not_replaced(device: Device, unit: FakeUnit) -> None:
    """A schedule that waits is written although one of its settings is set behind it, and the other way round."""
    await asyncio.gather(
        device.write("solar_sell", False),
        device.write("tou_slot_1_soc", 50),
        device.write_many({"tou_slot_1_soc": 60, "tou_slot_2_soc": 60}),
        device.write("tou_slot_1_soc", 70),
    )
    assert unit.writes == [(145, (0,)), (166, (50,)), (166, (60, 60)), (166, (70,))]


async def test_a_replaced_write_is_made_when_the_later_one_is_given_up(
    device: Device, unit: FakeUnit
) -> None:
    """The automation with the later value was stopped while it waited: the earlier value is what is wanted."""
    first = asyncio.create_task(device.write("work_mode", "selling_first"))
    earlier = asyncio.create_task(device.write("zero_export_power", 100))
    later = asyncio.create_task(device.write("zero_export_power", 200))
    await asyncio.sleep(0)
    later.cancel()
    await asyncio.gather(first, earlier)
    assert unit.writes == [(142, (0,)), (104, (100,))]


# ---------------------------------------------------------------------- polls at the same time


async def test_a_poll_that_a_write_overtakes(device: Device, unit: FakeUnit) -> None:
    """Its first read brought the old value before; it publishes the new one."""

    async def write() -> None:
        await device.write("work_mode", "selling_first")

    await device.poll(["work_mode", "max_solar_power"])
    unit.requests.clear()
    unit.meanwhile.extend([None, write])
    snapshot = await device.poll(["work_mode", "max_solar_power"])
    assert snapshot.values == {"work_mode": "selling_first", "max_solar_power": 0}
    assert unit.requests[0] == ReadRequest(142, 1)
    assert unit.requests[1] == ReadRequest(340, 1)
    assert unit.writes == [(142, (0,))]


async def test_a_poll_that_fails_while_a_write_looks(unit: FakeUnit) -> None:
    """The words that the write has read are its own: the failure of the poll takes nothing from them."""
    device = Device(unit, replace(FAST, max_read=1))

    async def poll() -> None:
        unit.faults.append(LinkTimeout("unit 1"))
        with pytest.raises(LinkTimeout):
            await device.poll(["battery_shutdown_soc", "battery_low_soc"])

    unit.meanwhile.extend([None, poll])
    await device.write("battery_low_soc", 30)
    assert unit.writes == [(117, (30,))]


# ---------------------------------------------------------------------- what is remembered


async def test_each_change_is_remembered_and_each_write_counted(device: Device) -> None:
    """When, which, from what to what; and how often each was written."""
    await device.write("work_mode", "selling_first")
    await device.write("work_mode", "zero_export_to_ct")
    await device.write("tou_slot_1_time", time(0, 5))
    assert [(change.key, change.before, change.after) for change in device.changes] == [
        ("work_mode", "zero_export_to_load", "selling_first"),
        ("work_mode", "selling_first", "zero_export_to_ct"),
        ("tou_slot_1_time", time(0), time(0, 5)),
    ]
    assert all(change.when.utcoffset() is not None for change in device.changes)
    assert device.wear.settings == {"work_mode": 2, "tou_slot_1_time": 1}


async def test_fifty_changes_are_remembered(unit: FakeUnit) -> None:
    """And no more, however long it runs."""
    device = Device(unit, replace(JSO, settle=0))
    for number in range(60):
        await device.write("zero_export_power", 100 + number)
    assert [change.after for change in device.changes] == list(range(110, 160))
