"""A change of several settings that is broken off: whoever comes next finishes it, or puts it back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.device.journal import Journal
from custom_components.hybrid_inverter.modbus.device.stepped_changes import Outcome
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    LinkTimeout,
    NotAppliedError,
    NotRememberedError,
    RejectedError,
)
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.residue import ResidueMemory
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .fake_unit import FakeUnit
from .test_device_sequence import HELD, ONE_BY_ONE, sent
from .test_residue import FAMILY as FORCED, HELD as FORCED_HELD, charge

# A slot is switched off, changed in both of its words and switched on, and then the mode is entered.
STEPS: Final[Sequence[tuple[str, Value]]] = (
    ("slot_1", False),
    ("share", 80),
    ("floor", 25),
    ("slot_1", True),
    ("mode", "times"),
)
# 0x50 is 80.
WRITTEN: Final = [(20, 0x0104), (21, 0x7F50), (30, 25), (20, 0x0105), (10, 1)]
WANTED: Final = {**HELD, 21: 0x7F50, 30: 25, 10: 1}
KEYS: Final = ("slot_1", "share", "floor", "mode")


class Killed(Exception):
    """Home Assistant is gone."""


class Disk:
    """A file of the journal, of which every version is kept that was saved."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}
        self.works = True
        self.saved = 0

    async def save(self) -> bool:
        """Save, if the disk is not full."""
        self.saved += self.works
        return self.works

    def device(self, unit: FakeUnit, family: Family = ONE_BY_ONE) -> Device:
        """Return the device of a 6 kW machine, as it is after a start."""
        journal = Journal(self.stored, self.save)
        return Device(unit, family, known={"rated_power": 6000}, journal=journal)


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine that does what it is told."""
    return FakeUnit(dict(HELD))


@pytest.fixture
def disk() -> Disk:
    """Return an empty disk."""
    return Disk()


async def broken_off(unit: FakeUnit, disk: Disk, writes: int, *, carried_out: bool = False) -> None:
    """Have Home Assistant killed with a write on its way after so many; that one may be carried out or not."""
    done = 0
    write = unit.write_register

    async def until_killed(address: int, value: int) -> None:
        nonlocal done
        if done == writes:
            if carried_out:
                await write(address, value)
            raise Killed
        done += 1
        await write(address, value)

    unit.write_register = until_killed  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await disk.device(unit).write_steps(STEPS)
    unit.write_register = write  # type: ignore[method-assign]
    unit.requests.clear()


# ---------------------------------------------------------------------- what is stored


async def test_steps_are_stored_before_the_first_and_forgotten_after_the_last(
    unit: FakeUnit, disk: Disk
) -> None:
    """What each takes and gives, in words; equals are no step."""
    stored: list[Any] = []

    async def look() -> None:
        stored.append(disk.stored.copy())

    # With the first write: the look at all, and the step's own.
    unit.meanwhile = deque([None, None, look])
    device = disk.device(unit)
    await device.write_steps((*STEPS, ("ceiling", 90)))
    assert stored == [
        {
            "steps": [
                {"before": {"slot_1": [1]}, "after": {"slot_1": [0]}},
                {"before": {"share": [50]}, "after": {"share": [80]}},
                {"before": {"floor": [20]}, "after": {"floor": [25]}},
                {"before": {"slot_1": [0]}, "after": {"slot_1": [1]}},
                {"before": {"mode": [0]}, "after": {"mode": [1]}},
            ]
        }
    ]
    assert sent(unit) == WRITTEN
    assert disk.stored == {"steps": []}
    assert disk.saved == 2
    assert not device.is_interrupted


async def test_one_request_is_whole_by_itself(unit: FakeUnit, disk: Disk) -> None:
    """Nothing is stored for it."""
    device = disk.device(unit)
    await device.write("floor", 25)
    await device.write_steps([("slot_1", True), ("floor", 30)])
    assert disk.saved == 0


async def test_nothing_is_written_that_could_not_be_stored(unit: FakeUnit, disk: Disk) -> None:
    """The disk is full: the change is refused before anything is sent."""
    disk.works = False
    device = disk.device(unit)
    with pytest.raises(NotRememberedError):
        await device.write_steps(STEPS)
    assert sent(unit) == []
    assert not device.is_interrupted


async def test_what_was_rolled_back_is_not_interrupted(unit: FakeUnit, disk: Disk) -> None:
    """Everything is as it was, and the caller knows."""
    unit.faults = deque([None] * 6 + [RejectedError(4, "register 21")])
    device = disk.device(unit)
    with pytest.raises(RejectedError):
        await device.write_steps(STEPS)
    assert unit.registers == HELD
    assert disk.stored == {"steps": []}


# ---------------------------------------------------------------------- finished


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("writes", range(5))
async def test_a_change_that_was_broken_off_anywhere_is_finished(
    unit: FakeUnit, disk: Disk, writes: int, carried_out: bool
) -> None:
    """Just what is missing is written, and one undo takes back all of it."""
    await broken_off(unit, disk, writes, carried_out=carried_out)
    device = disk.device(unit)
    assert device.is_interrupted
    resumed = await device.resume()
    assert resumed is not None
    assert (resumed.outcome, resumed.keys, resumed.elsewhere) == (
        Outcome.FINISHED,
        KEYS,
        frozenset(),
    )
    assert sent(unit) == WRITTEN[writes + carried_out :]
    assert unit.registers == WANTED
    assert not device.is_interrupted
    assert await device.resume() is None
    await device.undo()
    assert unit.registers == HELD


async def test_what_a_lost_link_has_left_is_finished_when_it_is_back(
    unit: FakeUnit, disk: Disk
) -> None:
    """The same device goes on; until the link is back every try leaves it as it is."""
    device = disk.device(unit)
    unit.faults = deque([None] * 6)
    unit.meanwhile = deque([None] * 6 + [lost(unit)])
    with pytest.raises(LinkTimeout) as caught:
        await device.write_steps(STEPS)
    assert caught.value.left == ("share", "slot_1")
    assert device.is_interrupted
    with pytest.raises(LinkTimeout):
        await device.resume()
    assert device.is_interrupted
    unit.fault = None
    unit.requests.clear()
    resumed = await device.resume()
    assert resumed is not None
    assert resumed.outcome is Outcome.FINISHED
    assert unit.registers == WANTED


def lost(unit: FakeUnit) -> Any:
    """Return what takes the link away."""

    async def lose() -> None:
        unit.fault = LinkTimeout("no answer")

    return lose


@pytest.mark.parametrize("error", [RejectedError(6, "busy"), RejectedError(4, "not now")])
async def test_a_machine_that_is_busy_is_asked_again_later(
    unit: FakeUnit, disk: Disk, error: DeviceError
) -> None:
    """It has refused nothing, so nothing is put back."""
    await broken_off(unit, disk, 2)
    held = dict(unit.registers)
    device = disk.device(unit)
    # The look at all, twice, that of the step, and its write.
    unit.faults = deque([None, None, None, error])
    with pytest.raises(RejectedError):
        await device.resume()
    assert unit.registers == held
    assert device.is_interrupted
    unit.faults.clear()
    await device.resume()
    assert unit.registers == WANTED


async def test_a_machine_that_answers_no_write_is_asked_again_later(
    unit: FakeUnit, disk: Disk
) -> None:
    """It has refused nothing either: two writes went out, and neither was answered."""
    await broken_off(unit, disk, 2)
    device = disk.device(unit)
    # The look at all, twice, that of the step; between the two writes one read-back.
    unit.faults = deque([None, None, None, LinkTimeout("lost"), None, LinkTimeout("lost")])
    with pytest.raises(NotAppliedError):
        await device.resume()
    assert device.is_interrupted
    await device.resume()
    assert unit.registers == WANTED


# ---------------------------------------------------------------------- put back, or left


@pytest.mark.parametrize("code", [2, 3])
async def test_what_cannot_be_finished_is_put_back(unit: FakeUnit, disk: Disk, code: int) -> None:
    """The machine refuses what is missing."""
    await broken_off(unit, disk, 2)
    unit.refused = {}
    device = disk.device(unit)
    unit.faults = deque([None, None, None, RejectedError(code, "register 30")])
    resumed = await device.resume()
    assert resumed is not None
    assert resumed.outcome is Outcome.PUT_BACK
    assert sent(unit) == [(30, 25), (21, 0x7F32), (20, 0x0105)]
    assert unit.registers == HELD
    assert not device.is_interrupted
    assert not device.changes


@pytest.mark.parametrize(
    ("address", "word", "changed", "held"),
    [
        # A word that is still to be written: what was done is taken back.
        (30, 40, "floor", {30: 40}),
        # A word that was written already: it stays, and the rest is taken back.
        (21, 0x7F63, "share", {21: 0x7F63}),
        # The mode, which comes last.
        (10, 7, "mode", {10: 7}),
    ],
)
async def test_what_was_changed_at_the_panel_stays(
    *, unit: FakeUnit, disk: Disk, address: int, word: int, changed: str, held: dict[int, int]
) -> None:
    """The panel counts more; all that is ours holds again what it did before."""
    await broken_off(unit, disk, 2)
    unit.registers[address] = word
    resumed = await disk.device(unit).resume()
    assert resumed is not None
    assert (resumed.outcome, resumed.elsewhere) == (Outcome.PUT_BACK, {changed})
    assert unit.registers == HELD | held


async def test_other_bits_of_a_word_are_not_the_changes(unit: FakeUnit, disk: Disk) -> None:
    """The panel switches slot 2 on, which shares its word with slot 1: that stays, and the change is finished."""
    await broken_off(unit, disk, 2)
    unit.registers[20] |= 0x0002
    resumed = await disk.device(unit).resume()
    assert resumed is not None
    assert resumed.outcome is Outcome.FINISHED
    assert unit.registers == WANTED | {20: 0x0107}


async def test_a_machine_of_which_nobody_can_tell_how_far_it_came_is_left_alone(
    unit: FakeUnit, disk: Disk
) -> None:
    """A later step is done and an earlier one is not: it was not we who did that."""
    await broken_off(unit, disk, 1)
    unit.registers |= {30: 25, 10: 1}
    held = dict(unit.registers)
    device = disk.device(unit)
    resumed = await device.resume()
    assert resumed is not None
    assert resumed.outcome is Outcome.LEFT
    assert sent(unit) == []
    assert unit.registers == held
    assert not device.is_interrupted


async def test_a_setting_that_the_machine_has_no_more_is_left(unit: FakeUnit, disk: Disk) -> None:
    """A feature that is gone: nothing can be read, and nothing is written."""
    await broken_off(unit, disk, 2)
    rows = {key: row for key, row in ONE_BY_ONE.registers.items() if key != "floor"}
    resumed = await disk.device(unit, replace(ONE_BY_ONE, registers=rows)).resume()
    assert resumed is not None
    assert resumed.outcome is Outcome.LEFT
    assert sent(unit) == []


# ---------------------------------------------------------------------- a table in one request, and its days in another


async def test_table_and_days_of_the_six_slots_are_all_or_nothing(disk: Disk) -> None:
    """Killed between the two requests: the second one is sent after the next start."""
    unit = FakeUnit({146: 0x00FF, **dict.fromkeys(range(154, 160), 5000)})
    family = replace(JSO, settle=0.0)
    requests: list[dict[str, Value]] = [
        {"tou_slot_1_power": 4000, "tou_slot_6_power": 3000},
        {"tou_enabled": False},
    ]
    write = unit.write_registers

    async def killed_by_the_days(address: int, values: list[int]) -> None:
        if address == 146:
            raise Killed
        await write(address, values)

    unit.write_registers = killed_by_the_days  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await disk.device(unit, family).write_many(*requests)
    unit.write_registers = write  # type: ignore[method-assign]
    assert unit.registers[154] == 4000
    assert unit.registers[146] == 0x00FF
    resumed = await disk.device(unit, family).resume()
    assert resumed is not None
    assert resumed.outcome is Outcome.FINISHED
    assert unit.registers[146] == 0x00FE
    assert unit.writes[-1] == (146, (0x00FE,))


async def test_table_is_put_back_when_the_days_are_refused(disk: Disk) -> None:
    """Both, or none of them."""
    unit = FakeUnit({146: 0x00FF, **dict.fromkeys(range(154, 160), 5000)})
    device = disk.device(unit, replace(JSO, settle=0.0))
    before = dict(unit.registers)
    write = unit.write_registers

    async def refusing(address: int, values: list[int]) -> None:
        if address == 146:
            raise RejectedError(4, "register 146")
        await write(address, values)

    unit.write_registers = refusing  # type: ignore[method-assign]
    with pytest.raises(RejectedError):
        await device.write_many({"tou_slot_1_power": 4000}, {"tou_enabled": False})
    assert unit.registers == before
    assert not device.is_interrupted


# ---------------------------------------------------------------------- again and again


@pytest.mark.parametrize(
    "fault", [RejectedError(4, "register 30"), RejectedError(6, "register 30"), LinkTimeout("lost")]
)
async def test_a_machine_that_never_takes_a_step_is_not_written_for_ever(
    unit: FakeUnit, disk: Disk, fault: DeviceError
) -> None:
    """It is busy for ever, or silent, at the third step: after five tries the change is put back, and told."""
    await broken_off(unit, disk, 1)
    write = unit.write_register

    async def never(address: int, value: int) -> None:
        if address == 30:
            fault.sent = True
            raise fault
        await write(address, value)

    unit.write_register = never  # type: ignore[method-assign]
    device, tries = disk.device(unit), 0
    while device.is_interrupted:
        tries += 1
        assert tries < 20
        try:
            resumed = await device.resume()
        except DeviceError:
            continue
    assert tries == 6
    assert resumed is not None
    assert resumed.outcome is Outcome.PUT_BACK
    assert unit.registers == HELD


async def test_a_machine_that_takes_neither_is_left_and_told(unit: FakeUnit, disk: Disk) -> None:
    """Nothing can be written any more, as behind a port that became read-only: ten tries, no more."""
    await broken_off(unit, disk, 2)
    held = dict(unit.registers)

    async def read_only(address: int, value: int) -> None:
        fault = LinkTimeout(f"register {address}, {value}")
        fault.sent = True
        raise fault

    unit.write_register = read_only  # type: ignore[method-assign]
    device = disk.device(unit)
    for _ in range(10):
        with pytest.raises(NotAppliedError):
            await device.resume()
    resumed = await device.resume()
    assert resumed is not None
    assert resumed.outcome is Outcome.LEFT
    assert unit.registers == held
    assert not device.is_interrupted


# ---------------------------------------------------------------------- never into a mode that somebody has to run


@pytest.mark.parametrize("writes", [0, 1, 2])
async def test_a_crash_in_an_undo_does_not_force_the_battery(disk: Disk, writes: int) -> None:
    """The undo of leaving a forced mode is broken off: nobody runs the machine then, so it is not entered."""
    unit = FakeUnit(dict(FORCED_HELD))
    disk_of_modes: dict[str, Any] = {}

    def device_of(running: set[str]) -> Device:
        return Device(
            unit,
            FORCED,
            residues=ResidueMemory(disk_of_modes, running=running),
            journal=Journal(disk.stored, disk.save),
        )

    device = device_of(set())
    await charge(device)
    await device.write("mode", "home")
    assert unit.registers == FORCED_HELD
    write = unit.write_register

    async def until_killed(address: int, value: int) -> None:
        if [21, 20, 10][writes] == address:
            raise Killed
        await write(address, value)

    unit.write_register = until_killed  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await device.undo()
    unit.write_register = write  # type: ignore[method-assign]
    after = device_of(set())
    await after.poll(["mode"])
    resumed = await after.resume()
    assert resumed is not None
    assert resumed.outcome is Outcome.PUT_BACK
    assert unit.registers == FORCED_HELD


# ---------------------------------------------------------------------- another change in between


async def test_a_change_of_other_settings_does_not_make_it_forgotten(
    unit: FakeUnit, disk: Disk
) -> None:
    """A limit is switched off, which takes two steps, before anybody could finish the slot."""
    await broken_off(unit, disk, 2)
    device = disk.device(unit)
    unit.registers |= {40: 1, 41: 500}
    await device.write("limit_mode", "off")
    assert device.is_interrupted
    resumed = await device.resume()
    assert resumed is not None
    assert (resumed.outcome, resumed.keys) == (Outcome.FINISHED, KEYS)
    assert unit.registers[30] == 25
    assert not device.is_interrupted


async def test_two_changes_that_were_broken_off_are_both_finished(
    unit: FakeUnit, disk: Disk
) -> None:
    """The last one first, each by itself."""
    await broken_off(unit, disk, 2)
    unit.registers |= {40: 1, 41: 500}
    write = unit.write_register

    async def killed(address: int, value: int) -> None:
        if address == 40:
            raise Killed
        await write(address, value)

    unit.write_register = killed  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await disk.device(unit).write("limit_mode", "off")
    unit.write_register = write  # type: ignore[method-assign]
    device = disk.device(unit)
    first, second = await device.resume(), await device.resume()
    assert first is not None
    assert second is not None
    assert (first.keys, second.keys) == (("limit", "limit_mode"), KEYS)
    assert first.outcome is second.outcome is Outcome.FINISHED
    assert unit.registers[30] == 25
    assert unit.registers[40] == 0
    assert disk.stored == {"steps": []}


async def test_what_is_set_anew_is_not_overwritten_by_what_was_broken_off(
    unit: FakeUnit, disk: Disk
) -> None:
    """The person wants the slot as it was after all, which takes one write, or sets one of its settings."""
    await broken_off(unit, disk, 1)
    device = disk.device(unit)
    await device.write_steps([("slot_1", True), ("share", 50), ("floor", 20), ("mode", "home")])
    assert unit.registers == HELD
    assert not device.is_interrupted

    await broken_off(unit, disk, 2)
    device = disk.device(unit)
    await device.write("floor", 20)
    resumed = await device.resume()
    assert resumed is not None
    assert resumed.outcome is Outcome.FINISHED
    assert unit.registers == WANTED | {30: 20}
