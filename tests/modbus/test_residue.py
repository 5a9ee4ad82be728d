"""What a mode leaves behind is put back when it is left: by us, at the panel, or because nobody is there any more."""

from __future__ import annotations

from collections import deque
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.device.wear import Origin, WearBudget
from custom_components.hybrid_inverter.modbus.errors import (
    LinkTimeout,
    NotAppliedError,
    NotRememberedError,
    RejectedError,
    ResidueError,
    WriteBudgetError,
)
from custom_components.hybrid_inverter.modbus.model.codec import Choice
from custom_components.hybrid_inverter.modbus.model.family import table
from custom_components.hybrid_inverter.modbus.model.register import Limits, Tier
from custom_components.hybrid_inverter.modbus.model.residue import Residue, ResidueMemory

from .fake_unit import FakeUnit
from .test_device_sequence import ONE_BY_ONE, row, sent

# Made like a machine with a mode that is run from outside, and one that holds the battery at a reserve.
FAMILY: Final = replace(
    ONE_BY_ONE,
    registers=table(
        row(
            "mode", 10, Choice({0: "home", 2: "backup", 3: "passive", 7: "ageing"}, frozenset({7}))
        ),
        row("action", 20, Choice({0: "standby", 1: "discharge", 2: "charge"})),
        row("charge", 21, limits=Limits(0, 1100)),
        row("discharge", 22, limits=Limits(0, 1100)),
        row("reserve", 30, limits=Limits(20, 100)),
        row("floor", 31),
    ),
    prerequisites={},
    residues=(
        Residue(
            key="mode",
            value="passive",
            keys=("action", "charge", "discharge"),
            run_from_here=True,
            otherwise="home",
            rest=("action", "standby"),
        ),
        Residue(key="mode", value="backup", keys=("reserve",)),
    ),
)
HELD: Final = {10: 0, 20: 0, 21: 1000, 22: 900, 30: 40, 31: 10}


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine that does what it is told."""
    return FakeUnit(dict(HELD))


@pytest.fixture
def saved() -> list[dict[str, Any]]:
    """Return what was saved, each time."""
    return []


def device_of(
    unit: FakeUnit, saved: list[dict[str, Any]], running: set[str] | None = None
) -> Device:
    """Return a device that goes on from what was saved last; `running` is known since Home Assistant has started."""
    kept = deepcopy(saved[-1]) if saved else {}

    async def save() -> bool:
        saved.append(deepcopy(kept))
        return True

    return Device(unit, FAMILY, residues=ResidueMemory(kept, save, running))


@pytest.fixture
def device(unit: FakeUnit, saved: list[dict[str, Any]]) -> Device:
    """Return a device that remembers nothing yet."""
    return device_of(unit, saved)


async def charge(device: Device) -> None:
    """Prepare and enter the passive mode."""
    await device.write("charge", 300)
    await device.write("action", "charge")
    await device.write("mode", "passive")


# ---------------------------------------------------------------------- left by us


async def test_leaving_writes_the_mode_first_and_then_its_changed_settings(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """First the mode, then what was written of its settings, in the table's order; the others are not touched."""
    await charge(device)
    await device.write("charge", 500)
    unit.requests.clear()
    await device.write("mode", "home")
    assert sent(unit) == [(10, 0), (20, 0), (21, 1000)]
    assert unit.registers == HELD
    assert saved[-1] == {}
    assert not device.has_residue
    assert not device.must_release


async def test_a_mode_that_is_being_left_is_not_restored_by_somebody_else_too(
    device: Device, unit: FakeUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll in between sees that it is over, and that this is being taken care of."""
    await charge(device)
    write, seen = unit.write_register, []

    async def watched(address: int, value: int) -> None:
        seen.append(device.has_residue)
        await write(address, value)

    monkeypatch.setattr(unit, "write_register", watched)
    await device.write("mode", "home")
    assert seen == [False, False, False]


async def test_words_before_the_first_write_are_saved_before_it_is_sent(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """The words before our first write, saved before it is sent."""
    name = "mode=passive"
    await device.write("charge", 300)
    ours = {"charge": [[1000], [300]]}
    assert saved == [{name: {"before": {"charge": [1000]}, "in_force": False, "ours": ours}}]
    await device.write("charge", 500)
    ours = {"charge": [[300], [500]]}
    assert saved[1:] == [{name: {"before": {"charge": [1000]}, "in_force": False, "ours": ours}}]
    await device.write("mode", "passive")
    before, ours = {"charge": [1000], "mode": [0]}, {**ours, "mode": [[0], [3]]}
    assert saved[2:] == [
        {name: {"before": before, "in_force": False, "ours": ours}},
        {name: {"before": before, "in_force": True, "ours": ours}},
    ]

    unit.fault = LinkTimeout("no answer")
    unit.faults = deque([None])
    with pytest.raises(LinkTimeout):
        await device.write("discharge", 100)
    assert saved[-1][name]["before"] == {"charge": [1000], "mode": [0], "discharge": [900]}


async def test_what_is_equal_is_not_sent(device: Device, unit: FakeUnit) -> None:
    """Somebody else has put it back already."""
    await charge(device)
    unit.registers |= {20: 0, 21: 1000}
    unit.requests.clear()
    await device.write("mode", "home")
    assert sent(unit) == [(10, 0)]


async def test_what_was_set_before_the_mode_was_entered_comes_back_when_it_is_left(
    device: Device, unit: FakeUnit
) -> None:
    """A reserve for an outage is set, the mode entered, the reserve raised once more: it is what it was before all."""
    await device.write("reserve", 50)
    await device.write("mode", "backup")
    await device.write("reserve", 90)
    await device.write("mode", "home")
    assert sent(unit) == [(30, 50), (10, 2), (30, 90), (10, 0), (30, 40)]
    assert unit.registers == HELD


async def test_undone_on_both_sides(device: Device, unit: FakeUnit) -> None:
    """Leaving is undone with what it has put back, before the mode; then it is remembered again."""
    await charge(device)
    await device.write("mode", "home")
    unit.requests.clear()
    await device.undo()
    assert sent(unit) == [(21, 300), (20, 2), (10, 3)]
    await device.undo()
    assert unit.registers == HELD


async def test_rolled_back_write_takes_the_remembered_settings_with_it(
    device: Device, unit: FakeUnit
) -> None:
    """A mode that is entered and left with others; the memory goes with what is rolled back."""
    await device.write_steps([("charge", 300), ("mode", "passive")])
    await device.write_steps([("mode", "home"), ("floor", 15)])
    assert sent(unit) == [(21, 300), (10, 3), (10, 0), (31, 15), (21, 1000)]
    unit.faults = deque([None] * 10 + [RejectedError(4, "no")])
    with pytest.raises(RejectedError):
        await device.write_steps([("charge", 300), ("mode", "passive"), ("floor", 20)])
    assert unit.registers == {**HELD, 31: 15}
    assert device.residues.kept == {}


async def test_what_cannot_be_put_back(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """It is named and stays remembered; the rest is put back, and the mode stays left."""
    await charge(device)
    unit.refused = {}
    unit.requests.clear()

    async def lock() -> None:
        unit.ignored = 2

    # The mode takes a look, a write and two reads; then a look, and the write.
    unit.meanwhile = deque([None] * 5 + [lock])
    with pytest.raises(ResidueError, match="action") as caught:
        await device.write("mode", "home")
    assert caught.value.left == ("action",)
    assert isinstance(caught.value.cause, NotAppliedError)
    assert unit.registers == {**HELD, 20: 2}
    assert saved[-1]["mode=passive"]["before"] == {"action": [0]}
    assert device.has_residue
    assert [change.key for change in device.changes][-2:] == ["mode", "charge"]
    await device.put_back()
    assert unit.registers == HELD
    assert saved[-1] == {}


async def test_a_dead_link_is_not_asked_for_each(device: Device, unit: FakeUnit) -> None:
    """What was still to come is left, too."""
    await charge(device)
    unit.faults = deque([None] * 4 + [LinkTimeout("no answer")] * 9)
    with pytest.raises(ResidueError) as caught:
        await device.write("mode", "home")
    assert caught.value.left == ("action", "charge")
    assert len(unit.faults) == 8


# ---------------------------------------------------------------------- left at the panel


async def test_left_at_the_panel(device: Device, unit: FakeUnit) -> None:
    """A poll shows it; what is then put back is no change that could be undone."""
    await charge(device)
    await device.poll(["mode"])
    assert not device.has_residue
    unit.registers[10] = 2
    await device.poll(["mode"])
    assert device.has_residue
    changes = list(device.changes)
    unit.requests.clear()
    await device.put_back()
    assert sent(unit) == [(20, 0), (21, 1000)]
    assert list(device.changes) == changes
    assert not device.has_residue


async def test_back_in_the_mode_meanwhile(device: Device, unit: FakeUnit) -> None:
    """Whoever has left it has come back: it is looked at before anything is sent."""
    await charge(device)
    unit.registers[10] = 0
    await device.poll(["mode"])
    unit.registers[10] = 3
    unit.requests.clear()
    await device.put_back()
    assert sent(unit) == []
    assert device.must_release


async def test_prepared_and_not_entered(device: Device, unit: FakeUnit) -> None:
    """What is prepared stays until the mode was in force, whoever has entered and left it."""
    await device.write("charge", 300)
    await device.poll(["mode"])
    assert not device.has_residue
    unit.registers[10] = 3
    await device.poll(["mode"])
    unit.registers[10] = 0
    await device.poll(["mode"])
    assert device.has_residue
    await device.put_back()
    assert unit.registers == HELD


async def test_mode_that_never_came_into_force_is_forgotten_after_a_poll(
    device: Device, unit: FakeUnit
) -> None:
    """The mode that was before is forgotten when a poll shows that the new one is not in force."""
    unit.ignored = 2
    with pytest.raises(NotAppliedError):
        await device.write("mode", "passive")
    await device.poll(["mode"])
    assert not device.must_release


# ---------------------------------------------------------------------- what stands against other writes


async def test_in_a_tier_that_only_looks(device: Device, unit: FakeUnit) -> None:
    """What we have changed is put back, whoever may write by then: when the mode is left, and by leaving it."""
    await charge(device)
    device.tier = Tier.READ_ONLY
    await device.release()
    assert unit.registers == HELD
    device.tier = Tier.EVERYDAY
    await charge(device)
    device.tier = Tier.READ_ONLY
    unit.registers[10] = 2
    await device.poll(["mode"])
    await device.put_back()
    assert unit.registers == {**HELD, 10: 2}


async def test_value_outside_the_bounds_is_restored_too(device: Device, unit: FakeUnit) -> None:
    """The machine's own app had set a reserve that nobody may choose here."""
    unit.registers |= {10: 2, 30: 10}
    await device.write("reserve", 90)
    await device.write("mode", "home")
    assert unit.registers == {**HELD, 30: 10}


async def test_a_mode_without_a_name(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """Nor an action with one: the words are enough to put them back."""
    unit.registers |= {10: 5, 20: 9}
    await charge(device)
    assert saved[-1]["mode=passive"]["before"] == {"charge": [1000], "action": [9], "mode": [5]}
    await device.release()
    assert unit.registers == {**HELD, 10: 5, 20: 9}
    assert saved[-1] == {}
    await device.poll(["mode", "action", "charge"])
    assert (device.values["mode"], device.values["action"]) == (None, None)
    assert device.values["charge"] == 1000


async def test_words_of_another_register(unit: FakeUnit, saved: list[dict[str, Any]]) -> None:
    """What an older version remembered of a register with other words is told, and nothing is sent for it."""
    saved.append(
        {"mode=passive": {"before": {"action": [0, 1], "charge": [1000]}, "in_force": True}}
    )
    unit.registers[21] = 300
    device = device_of(unit, saved)
    with pytest.raises(ResidueError) as caught:
        await device.put_back()
    assert caught.value.left == ("action",)
    assert unit.registers == HELD


async def test_when_the_budget_is_spent(unit: FakeUnit) -> None:
    """Two writes a day: the memory wears, but a battery that is kept from working is worse."""
    device = Device(unit, FAMILY, wear=WearBudget(limits={Origin.PERSON: 2}))
    await charge(device)
    await device.write("charge", 500)
    await device.release()
    assert unit.registers == HELD


# ---------------------------------------------------------------------- nobody is there any more


async def test_released_mode_is_left_before_its_settings_are_restored_once(
    device: Device, unit: FakeUnit
) -> None:
    """The former mode first, then its settings; once."""
    unit.registers[10] = 2
    await charge(device)
    unit.requests.clear()
    await device.release()
    assert sent(unit) == [(10, 2), (20, 0), (21, 1000)]
    assert not device.must_release
    unit.requests.clear()
    await device.release()
    assert unit.requests == []


async def test_released_into_what_nobody_can_choose(device: Device, unit: FakeUnit) -> None:
    """The machine was in that mode before, so it is put back."""
    unit.registers[10] = 7
    await charge(device)
    await device.release()
    assert unit.registers == {**HELD, 10: 7}


async def test_mode_that_others_entered_or_that_runs_by_itself_is_not_released(
    device: Device, unit: FakeUnit
) -> None:
    """Not from a mode that others have entered, nor from one that runs by itself."""
    unit.registers[10] = 3
    await device.write("charge", 300)
    assert not device.must_release
    await device.write("mode", "backup")
    await device.write("reserve", 90)
    assert not device.must_release
    unit.requests.clear()
    await device.release()
    assert unit.requests == []


async def test_released_after_it_was_left_at_the_panel(device: Device, unit: FakeUnit) -> None:
    """The mode of the panel stays; the settings are put back."""
    await charge(device)
    unit.registers[10] = 2
    unit.requests.clear()
    await device.release()
    assert sent(unit) == [(20, 0), (21, 1000)]


async def test_memory_of_a_mode_survives_a_crash(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """The memory of before goes on: while the mode is in force, and when it was left meanwhile."""
    await charge(device)
    second = device_of(unit, saved)
    await second.poll(["mode"])
    assert second.must_release
    assert not second.has_residue
    unit.registers[10] = 0
    third = device_of(unit, saved)
    await third.poll(["mode"])
    assert third.has_residue
    await third.put_back()
    assert unit.registers == HELD
    assert saved[-1] == {}


async def test_a_poll_returns_what_is_written_while_a_mode_is_saved(unit: FakeUnit) -> None:
    """To save takes its time, in which a write may read back newer values than the poll has brought."""
    writes: deque[int] = deque()

    async def save() -> bool:
        if writes:
            await device.write("floor", writes.pop())
        return True

    device = Device(unit, FAMILY, residues=ResidueMemory(save=save))
    await device.write("charge", 300)
    unit.registers[10] = 3
    writes.append(20)
    snapshot = await device.poll(["mode", "floor"])
    assert snapshot.values == {"mode": "passive", "floor": 20}


# ---------------------------------------------------------------------- nobody was there when it should have been left


async def test_a_mode_that_a_crash_left_in_force_is_left_when_somebody_is_there_again(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """The mode that was before, then its settings; what another start finds is nothing more."""
    await charge(device)
    assert not device.must_leave
    again = device_of(unit, saved)
    assert not again.must_leave
    await again.poll(["mode"])
    assert again.must_leave
    unit.requests.clear()
    assert [residue.name for residue in await again.leave_abandoned()] == ["mode=passive"]
    await again.put_back()
    assert sent(unit) == [(10, 0), (20, 0), (21, 1000)]
    assert unit.registers == HELD
    assert saved[-1] == {}
    assert not again.must_leave


async def test_a_mode_that_was_entered_since_the_start_stays_over_a_reload(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """Another device for the same machine, in the same run of Home Assistant, until nobody runs it any more."""
    running: set[str] = set()
    await charge(device_of(unit, saved, running))
    assert running == {"mode=passive"}
    again = device_of(unit, saved, running)
    await again.poll(["mode"])
    assert not again.must_leave
    assert again.must_release
    again.residues.give_up()
    assert again.must_leave


@pytest.mark.parametrize(("address", "word"), [(20, 1), (21, 301), (21, 0)])
async def test_a_mode_that_somebody_else_runs_by_now_is_not_left(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]], address: int, word: int
) -> None:
    """One of the settings holds neither what was written nor what was before: it is theirs, and nothing is sent."""
    await charge(device)
    unit.registers[address] = word
    held = dict(unit.registers)
    again = device_of(unit, saved)
    await again.poll(["mode"])
    unit.requests.clear()
    assert await again.leave_abandoned() == []
    assert sent(unit) == []
    assert unit.registers == held
    assert saved[-1] == {}
    assert not again.must_leave


@pytest.mark.parametrize("word", [300, 500, 1000])
async def test_a_write_that_a_crash_has_cut_off_is_ours_whether_it_was_carried_out_or_not(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]], word: int
) -> None:
    """It holds what was there before the last write, what that sent, or what was before all."""
    await charge(device)
    await device.write("charge", 500)
    unit.registers[21] = word
    again = device_of(unit, saved)
    await again.poll(["mode"])
    assert len(await again.leave_abandoned()) == 1
    await again.put_back()
    assert unit.registers == HELD


async def test_a_crash_between_the_write_of_the_mode_and_its_note_is_left_too(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """What was stored before the mode was written is enough."""
    await charge(device)
    saved[:] = [one for one in saved if not one["mode=passive"]["in_force"]]
    again = device_of(unit, saved)
    await again.poll(["mode"])
    assert again.must_leave
    await again.leave_abandoned()
    await again.put_back()
    assert unit.registers == HELD


async def test_a_memory_of_an_older_version_without_what_it_wrote_counts_as_ours(
    unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """It only has what was before."""
    saved.append({"mode=passive": {"before": {"charge": [1000], "mode": [0]}, "in_force": True}})
    unit.registers |= {10: 3, 21: 300}
    device = device_of(unit, saved)
    await device.poll(["mode"])
    assert len(await device.leave_abandoned()) == 1
    await device.put_back()
    assert unit.registers == HELD


async def test_left_at_the_panel_before_it_is_looked_at_is_not_left_again(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """Between the poll and the leaving somebody has chosen another mode: that one stays, only the settings go back."""
    await charge(device)
    again = device_of(unit, saved)
    await again.poll(["mode"])
    unit.registers[10] = 2
    unit.requests.clear()
    assert await again.leave_abandoned() == []
    await again.put_back()
    assert sent(unit) == [(20, 0), (21, 1000)]


# ---------------------------------------------------------------------- a memory that is not there


def forgetful(unit: FakeUnit, *, from_save: int = 1) -> Device:
    """Return a device whose disk is full from this save on."""
    saves: list[None] = []

    async def save() -> bool:
        saves.append(None)
        return len(saves) < from_save

    return Device(unit, FAMILY, residues=ResidueMemory(save=save))


@pytest.mark.parametrize(
    ("key", "value"), [("mode", "passive"), ("charge", 300), ("reserve", 90), ("mode", "backup")]
)
async def test_a_mode_whose_memory_cannot_be_stored_is_refused_and_nothing_is_sent(
    unit: FakeUnit, key: str, value: str | int
) -> None:
    """Neither the mode nor one of its settings: after a crash nobody would know what was before."""
    device = forgetful(unit)
    with pytest.raises(NotRememberedError) as caught:
        await device.write(key, value)
    assert caught.value.key == key
    assert unit.registers == HELD
    assert sent(unit) == []
    assert device.residues.kept == {}
    assert not device.must_release


async def test_a_disk_that_is_full_does_not_keep_a_mode_from_being_left(unit: FakeUnit) -> None:
    """Nor other settings from being written: nothing has to be remembered for them."""
    device = forgetful(unit, from_save=5)
    await charge(device)
    await device.write("floor", 15)
    await device.write("mode", "home")
    assert unit.registers == {**HELD, 31: 15}


async def test_a_mode_is_left_although_its_memory_was_lost(unit: FakeUnit) -> None:
    """Another mode is chosen; and who asks for the mode again runs the machine, so that it is left at the end."""
    unit.registers[10] = 3
    await Device(unit, FAMILY).write("mode", "home")
    assert unit.registers == HELD
    unit.registers[10] = 3
    device = Device(unit, FAMILY)
    await device.write("mode", "passive")
    assert device.must_release
    assert not device.must_leave
    await device.release()
    assert unit.registers == HELD


async def test_a_mode_that_others_run_is_claimed_by_nothing_but_choosing_it(unit: FakeUnit) -> None:
    """A power that is written within it is no claim."""
    unit.registers[10] = 3
    device = Device(unit, FAMILY)
    await device.write("charge", 300)
    assert not device.must_release


# ---------------------------------------------------------------------- the budget


@pytest.mark.parametrize("mode", ["home", "backup"])
async def test_a_forced_mode_is_left_however_often_it_was_written_today(
    unit: FakeUnit, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    """By whoever wants it, and by undoing it; it is counted and logged. To enter it again is refused."""
    wear = WearBudget()
    device = Device(unit, FAMILY, wear=wear)
    await charge(device)
    wear.count(["mode"] * 99, [10] * 99)
    await device.write("mode", mode, origin=Origin.AUTOMATION)
    assert (
        "Register 10 (mode) is written again, to restore it, after 100 writes today" in caplog.text
    )
    with pytest.raises(WriteBudgetError, match="register 10"):
        await device.write("mode", "passive")
    await device.undo()
    assert device.values["mode"] == "passive"
    await device.undo()
    assert unit.registers[10] == 0
    assert wear.registers[10] == 103


# ---------------------------------------------------------------------- what was set long before the mode


class Clock:
    """A clock for those who wait long."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """Return seconds."""
        return self.now


def device_by(clock: Clock, unit: FakeUnit, kept: dict[str, Any]) -> Device:
    """Return a device that goes on from what was kept, and looks at this clock."""
    return Device(unit, FAMILY, residues=ResidueMemory(kept, clock=clock))


@pytest.mark.parametrize("by_whom", ["us", "the panel"])
@pytest.mark.parametrize("seconds", [601, 30 * 86400, -86400])
async def test_what_was_set_long_before_the_mode_stays_when_it_is_left(
    unit: FakeUnit, seconds: int, by_whom: str
) -> None:
    """The owner's own reserve, whoever enters the mode, after a restart, and when the clock was set back."""
    clock, kept = Clock(), dict[str, Any]()
    await device_by(clock, unit, kept).write("reserve", 60)
    clock.now += seconds
    device = device_by(clock, unit, kept)
    if by_whom == "us":
        await device.write("mode", "backup")
        await device.write("mode", "home")
    else:
        unit.registers[10] = 2
        await device.poll(["mode"])
        unit.registers[10] = 0
        await device.poll(["mode"])
        await device.put_back()
    assert unit.registers == {**HELD, 30: 60}


async def test_what_is_set_for_the_mode_gives_way_to_what_was_set_long_before(
    unit: FakeUnit,
) -> None:
    """60 to stay; a month later 80 and 90 for an outage, however long that lasts: it is 60 again."""
    clock, kept = Clock(), dict[str, Any]()
    device = device_by(clock, unit, kept)
    await device.write("reserve", 60)
    clock.now += 30 * 86400
    await device.write("reserve", 80)
    clock.now += 500
    await device.write("reserve", 90)
    clock.now += 500
    await device.write("mode", "backup")
    clock.now += 3 * 86400
    await device.write("reserve", 95)
    clock.now += 3 * 86400
    device = device_by(clock, unit, kept)
    await device.poll(["mode"])
    await device.write("mode", "home")
    assert unit.registers == {**HELD, 30: 60}
    assert kept == {}


async def test_a_memory_of_a_version_that_did_not_note_the_time_is_of_what_stays(
    unit: FakeUnit,
) -> None:
    """Nobody knows how old it is, unless the mode is in force; then it was set for it."""
    for in_force, left_with in ((False, 60), (True, 40)):
        unit.registers[30] = 60
        kept = {"mode=backup": {"before": {"reserve": [40]}, "in_force": in_force}}
        unit.registers[10] = 2
        device = device_by(Clock(), unit, kept)
        await device.poll(["mode"])
        await device.write("mode", "home")
        assert unit.registers[30] == left_with


async def test_what_was_set_for_a_mode_that_is_run_from_here_is_restored_however_old(
    unit: FakeUnit,
) -> None:
    """It limits the battery in no other mode, and nobody is to find it in force again."""
    clock = Clock()
    device = device_by(clock, unit, {})
    await device.write("charge", 300)
    clock.now += 30 * 86400
    await device.write("mode", "passive")
    await device.write("mode", "home")
    assert unit.registers == HELD


async def test_a_setting_that_rests_does_not_make_a_forced_mode_somebody_elses(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """The machine does not serve one of its settings for now: the mode is left all the same."""
    await charge(device)
    again = device_of(unit, saved)
    await again.poll(["mode"])
    unit.refused = {21: 2}
    await again.poll(["mode", "charge"])
    assert [residue.name for residue in await again.leave_abandoned()] == ["mode=passive"]
    assert unit.registers[10] == 0
