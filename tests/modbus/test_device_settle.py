"""A register that takes its time, as the work mode of a SAJ: what it shows before that is over is no proof."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from dataclasses import replace
import time
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import (
    LinkLost,
    NotAppliedError,
    RejectedError,
)
from custom_components.hybrid_inverter.modbus.model.residue import ResidueMemory
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

from .fake_unit import FakeUnit, ReadRequest
from .test_device_sequence import sent
from .test_device_words import at, ignoring
from .test_residue import FAMILY, HELD

# Seconds that the mode may take, those between two looks at it, and those of a device that takes a part of it.
SETTLE: Final = 0.4
PAUSE: Final = 0.1
LATE: Final = 0.25
MODE: Final = 10
SLOW: Final = replace(
    FAMILY,
    registers={**FAMILY.registers, "mode": replace(FAMILY.registers["mode"], settle=SETTLE)},
    recovery=0.0,
)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often than a device would want."""
    monkeypatch.setattr("custom_components.hybrid_inverter.modbus.device.writer.PAUSE", PAUSE)


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine whose mode takes hold late."""
    return FakeUnit(dict(HELD), commit_after=LATE, slow=frozenset({MODE}))


@pytest.fixture
def kept() -> dict[str, Any]:
    """Return what is remembered of modes."""
    return {}


@pytest.fixture
def device(unit: FakeUnit, kept: dict[str, Any]) -> Device:
    """Return its device."""
    return Device(unit, SLOW, residues=ResidueMemory(kept))


async def all_is_over(unit: FakeUnit) -> None:
    """Wait until whatever was sent has taken hold."""
    await asyncio.sleep(unit.commit_after + 0.1)


# ---------------------------------------------------------------------- read again, and not written again


def test_the_work_mode_of_a_saj_is_such_a_register() -> None:
    """Five seconds; no other setting takes longer than the family's 0.3."""
    assert {row.key: row.settle for row in SAJ.every_row() if row.settle} == {"work_mode": 5.0}


async def test_a_mode_that_takes_hold_late_is_written_once(device: Device, unit: FakeUnit) -> None:
    """It is read until it is there, and no longer."""
    started = time.monotonic()
    await device.write("mode", "backup")
    assert LATE <= time.monotonic() - started < SETTLE
    assert sent(unit) == [(MODE, 2)]
    assert device.values["mode"] == "backup"
    assert [change.after for change in device.last_changes] == ["backup"]


async def test_a_quick_mode_is_as_quick_as_any_setting(device: Device, unit: FakeUnit) -> None:
    """Before it, at once, and when it has settled: nothing is waited for."""
    unit.commit_after = 0.0
    started = time.monotonic()
    await device.write("mode", "backup")
    assert time.monotonic() - started < LATE
    kinds = ["R" if isinstance(one, ReadRequest) else "W" for one in unit.requests]
    assert kinds == ["R", "W", "R", "R"]
    # Nor is what comes next.
    await device.write("mode", "home")
    await device.finish()
    assert time.monotonic() - started < SETTLE


async def test_it_is_not_written_again_before_its_time_is_over(
    device: Device, unit: FakeUnit
) -> None:
    """The first is lost: after its whole time comes the second."""
    unit.ignored = 1
    started = time.monotonic()
    await device.write("mode", "backup")
    assert SETTLE + LATE <= time.monotonic() - started < 2 * SETTLE
    assert sent(unit) == [(MODE, 2), (MODE, 2)]


async def test_a_mode_that_is_not_taken_is_told_after_its_time(
    device: Device, unit: FakeUnit
) -> None:
    """Twice."""
    unit.ignored = 2
    started = time.monotonic()
    with pytest.raises(NotAppliedError) as caught:
        await device.write("mode", "backup")
    assert 2 * SETTLE <= time.monotonic() - started < 3 * SETTLE
    assert (caught.value.key, caught.value.held) == ("mode", "home")
    await all_is_over(unit)
    assert unit.registers == HELD


async def test_the_line_is_free_meanwhile(device: Device, unit: FakeUnit) -> None:
    """Others are read while it takes its time, and the mode itself is looked at now and then."""
    writing = asyncio.create_task(device.write("mode", "backup"))
    await asyncio.sleep(PAUSE / 2)
    started = time.monotonic()
    await device.poll(["charge"])
    assert time.monotonic() - started < PAUSE / 2
    assert not writing.done()
    await writing
    assert len(unit.reads) <= 4 + LATE / PAUSE + 1


@pytest.mark.parametrize("way", ["undo", "leave", "release", "put back at start", "words"])
async def test_every_way_to_write_a_mode_waits_for_it(
    device: Device, unit: FakeUnit, kept: dict[str, Any], way: str
) -> None:
    """It is written once, whoever leaves it: the undo, another mode, a stop, the next start, an order."""
    await device.write("mode", "passive")
    unit.requests.clear()
    if way == "undo":
        await device.undo()
    elif way == "leave":
        await device.write("mode", "home")
    elif way == "release":
        await device.release()
    elif way == "words":
        await device.write_words([{MODE: 0}])
    else:
        again = Device(unit, SLOW, residues=ResidueMemory(deepcopy(kept)))
        await again.poll(["mode"])
        assert [one.value for one in await again.leave_abandoned()] == ["passive"]
    assert sent(unit) == [(MODE, 0)]
    assert unit.registers == HELD


# ---------------------------------------------------------------------- taken back


def lose(unit: FakeUnit, *, after: int) -> None:
    """Have the connection lost for good after so many more requests."""
    unit.faults.extend([None] * after)
    unit.fault = LinkLost("gone")


async def test_what_may_still_take_hold_is_written_back(device: Device, unit: FakeUnit) -> None:
    """A later word is refused while the mode shows the old one: that is sent behind the new one, and looked at in the end."""
    unit.faults.extend([None, None, RejectedError(4, "register 20")])
    with pytest.raises(RejectedError) as caught:
        await device.write_words([{MODE: 3}, {20: 2}])
    assert caught.value.left == ()
    assert sent(unit) == [(MODE, 3), (20, 2), (MODE, 0)]
    assert unit.registers == HELD
    await all_is_over(unit)
    assert unit.registers == HELD


async def test_what_is_written_back_is_looked_at_when_all_of_it_has_taken_hold(
    device: Device, unit: FakeUnit
) -> None:
    """The old mode shows before anything has: that the device has lost it is only seen later, and it is sent once more."""
    unit.faults.extend([None, None, RejectedError(4, "register 20")])
    # Behind these three come two reads, each of what is to be restored.
    unit.meanwhile = at({5: ignoring(unit)})
    with pytest.raises(RejectedError) as caught:
        await device.write_words([{MODE: 3}, {20: 2}])
    assert caught.value.left == ()
    assert sent(unit) == [(MODE, 3), (20, 2), (MODE, 0), (MODE, 0)]
    assert unit.registers == HELD


async def test_a_mode_that_takes_even_longer_is_followed_by_what_was_before(
    device: Device, unit: FakeUnit
) -> None:
    """Both of its writes take hold when it was given up long ago, and then the old one does."""
    unit.commit_after = 2.5 * SETTLE
    with pytest.raises(NotAppliedError) as caught:
        await device.write_words([{MODE: 3}])
    assert (caught.value.restored, caught.value.left) == (True, ())
    assert sent(unit) == [(MODE, 3), (MODE, 3), (MODE, 0)]
    await all_is_over(unit)
    assert unit.registers == HELD


async def test_steps_are_taken_back_in_the_same_way(device: Device, unit: FakeUnit) -> None:
    """The mode is not taken: it is followed by the old one, and what came before it is restored."""
    unit.registers[20] = 1
    unit.commit_after = 2.5 * SETTLE
    with pytest.raises(NotAppliedError):
        await device.write("mode", "passive")
    assert sent(unit) == [(20, 0), (MODE, 3), (MODE, 3), (MODE, 0), (20, 1)]
    await all_is_over(unit)
    assert unit.registers == {**HELD, 20: 1}


async def test_a_link_that_is_lost_before_it_is_seen_leaves_it_undecided(
    device: Device, unit: FakeUnit
) -> None:
    """It showed the old one when it was looked at last, which is no proof."""
    # The read before it, the write, and the first look.
    lose(unit, after=3)
    with pytest.raises(LinkLost) as caught:
        await device.write_words([{MODE: 3}])
    assert (caught.value.left, caught.value.unconfirmed) == (("mode",), True)
    await all_is_over(unit)
    assert unit.registers == {**HELD, MODE: 3}


async def test_what_was_left_undecided_is_waited_for_before_the_next_write(
    device: Device, unit: FakeUnit, kept: dict[str, Any]
) -> None:
    """The old mode is asked for while it still shows, and nothing of the new one is forgotten meanwhile."""
    # The read before it, the write, and two looks.
    lose(unit, after=4)
    with pytest.raises(LinkLost):
        await device.write("mode", "backup")
    unit.fault = None
    assert (await device.poll(["mode"])).values == {"mode": "home"}
    assert kept["mode=backup"]["before"] == {"mode": [0]}
    await device.write("mode", "home")
    assert sent(unit) == [(MODE, 2), (MODE, 0)]
    assert unit.registers == HELD


async def test_words_are_not_read_before_that(device: Device, unit: FakeUnit) -> None:
    """Nor is the device given up."""
    lose(unit, after=4)
    with pytest.raises(LinkLost):
        await device.write("mode", "backup")
    unit.fault = None
    assert await device.read_words([MODE]) == {MODE: 2}
    lose(unit, after=4)
    with pytest.raises(LinkLost):
        await device.write("mode", "home")
    await device.finish()
    assert unit.registers == HELD
