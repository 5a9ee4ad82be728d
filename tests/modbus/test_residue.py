"""What a mode leaves behind is put back when it is left: by us, at the panel, or because nobody is there any more."""

from __future__ import annotations

from collections import deque
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.codec import Choice
from custom_components.hybrid_inverter.modbus.device import Device
from custom_components.hybrid_inverter.modbus.errors import (
    LinkTimeout,
    NotAppliedError,
    RejectedError,
    ResidueError,
)
from custom_components.hybrid_inverter.modbus.family import table
from custom_components.hybrid_inverter.modbus.register import Limits, Tier
from custom_components.hybrid_inverter.modbus.residue import Residue, ResidueMemory
from custom_components.hybrid_inverter.modbus.wear import WearBudget

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
    leads={},
    residues=(
        Residue(key="mode", value="passive", keys=("action", "charge", "discharge"), prepared=True),
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


def device_of(unit: FakeUnit, saved: list[dict[str, Any]]) -> Device:
    """Return a device that goes on from what was saved last."""
    kept = deepcopy(saved[-1]) if saved else {}

    async def save() -> None:
        saved.append(deepcopy(kept))

    return Device(unit, FAMILY, residues=ResidueMemory(kept, save))


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


async def test_left_by_us(device: Device, unit: FakeUnit, saved: list[dict[str, Any]]) -> None:
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


async def test_what_is_remembered(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """The words before our first write, saved before it is sent."""
    name = "mode=passive"
    await device.write("charge", 300)
    assert saved == [{name: {"before": {"charge": [1000]}, "in_force": False}}]
    await device.write("charge", 500)
    assert len(saved) == 1
    await device.write("mode", "passive")
    assert saved[1:] == [
        {name: {"before": {"charge": [1000], "mode": [0]}, "in_force": False}},
        {name: {"before": {"charge": [1000], "mode": [0]}, "in_force": True}},
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


async def test_a_mode_whose_settings_count_only_within_it(device: Device, unit: FakeUnit) -> None:
    """A reserve that was set before the mode is what a person wants; one within it goes with the mode."""
    await device.write("reserve", 50)
    await device.write("mode", "backup")
    await device.write("reserve", 90)
    await device.write("mode", "home")
    assert sent(unit) == [(30, 50), (10, 2), (30, 90), (10, 0), (30, 50)]


async def test_undone_on_both_sides(device: Device, unit: FakeUnit) -> None:
    """Leaving is undone with what it has put back, before the mode; then it is remembered again."""
    await charge(device)
    await device.write("mode", "home")
    unit.requests.clear()
    await device.undo()
    assert sent(unit) == [(21, 300), (20, 2), (10, 3)]
    await device.undo()
    assert unit.registers == HELD


async def test_within_steps(device: Device, unit: FakeUnit) -> None:
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
    assert saved[-1] == {"mode=passive": {"before": {"action": [0]}, "in_force": True}}
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


async def test_an_entry_that_failed(device: Device, unit: FakeUnit) -> None:
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


async def test_outside_the_bounds(device: Device, unit: FakeUnit) -> None:
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
    device = Device(unit, FAMILY, wear=WearBudget(limit=2))
    await charge(device)
    await device.write("charge", 500)
    await device.release()
    assert unit.registers == HELD


# ---------------------------------------------------------------------- nobody is there any more


async def test_released(device: Device, unit: FakeUnit) -> None:
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


async def test_not_released(device: Device, unit: FakeUnit) -> None:
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


async def test_after_a_crash(device: Device, unit: FakeUnit, saved: list[dict[str, Any]]) -> None:
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
