"""A mode that is run from outside begins at rest: nothing acts in it that was not chosen from here for it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import NotAppliedError, RejectedError

from .fake_unit import FakeUnit
from .test_device_sequence import sent
from .test_residue import HELD, device_of

# The vendor's app has left the order to discharge behind.
LEFT_BEHIND: Final = {**HELD, 20: 1}


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine that does what it is told."""
    return FakeUnit(dict(LEFT_BEHIND))


@pytest.fixture
def saved() -> list[dict[str, Any]]:
    """Return what was saved, each time."""
    return []


@pytest.fixture
def device(unit: FakeUnit, saved: list[dict[str, Any]]) -> Device:
    """Return a device that remembers nothing yet."""
    return device_of(unit, saved)


async def test_an_action_that_was_not_set_from_here_is_set_to_standby_first_and_comes_back_in_the_end(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """The action before the mode; when the mode is left, the mode before the action. Each time anew."""
    for _ in range(2):
        await device.write("mode", "passive")
        assert sent(unit) == [(20, 0), (10, 3)]
        unit.requests.clear()
        await device.write("mode", "home")
        assert sent(unit) == [(10, 0), (20, 1)]
        assert unit.registers == LEFT_BEHIND
        assert saved[-1] == {}
        unit.requests.clear()


@pytest.mark.parametrize("action", ["charge", "discharge"])
async def test_an_action_that_was_set_from_here_acts_also_if_it_was_held_already(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]], action: str
) -> None:
    """Whoever sets the action and then the mode means it, also after a restart in between."""
    word = {"charge": 2, "discharge": 1}[action]
    await device.write("action", action)
    assert unit.registers[20] == word
    unit.requests.clear()
    again = device_of(unit, saved)
    await again.write("mode", "passive")
    assert sent(unit) == [(10, 3)]
    unit.requests.clear()
    await again.write("mode", "home")
    assert unit.registers == LEFT_BEHIND
    assert saved[-1] == {}


async def test_what_was_set_for_the_mode_before_counts_no_more_for_the_next_time(
    device: Device, unit: FakeUnit
) -> None:
    """It ends with the mode."""
    await device.write("action", "discharge")
    await device.write("mode", "passive")
    await device.write("mode", "home")
    unit.requests.clear()
    await device.write("mode", "passive")
    assert sent(unit) == [(20, 0), (10, 3)]


async def test_the_mode_is_not_entered_where_the_action_stays(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """The device confirms standby and does not take it: the error names the action, and nothing is remembered."""
    unit.ignored = 2
    with pytest.raises(NotAppliedError) as caught:
        await device.write("mode", "passive")
    assert caught.value.key == "action"
    assert [address for address, _ in sent(unit)] == [20, 20]
    assert unit.registers == LEFT_BEHIND
    assert saved[-1] == {}


async def test_the_action_comes_back_where_the_mode_is_refused(
    device: Device, unit: FakeUnit, saved: list[dict[str, Any]]
) -> None:
    """All or nothing."""
    write = unit.write_register

    async def refusing(address: int, value: int) -> None:
        if address == 10:
            raise RejectedError(4, "register 10")
        await write(address, value)

    unit.write_register = refusing  # type: ignore[method-assign]
    with pytest.raises(RejectedError):
        await device.write("mode", "passive")
    assert unit.registers == LEFT_BEHIND
    assert saved[-1] == {}


async def test_a_mode_that_is_in_force_already_is_taken_over_with_what_acts_in_it(
    device: Device, unit: FakeUnit
) -> None:
    """Somebody else has entered it and gives orders: choosing it once more sends nothing, and makes it ours."""
    unit.registers[10] = 3
    await device.poll(["mode"])
    await device.write("mode", "passive")
    assert sent(unit) == []
    assert [residue.value for residue in device.entered] == ["passive"]


async def test_undoing_leaves_the_mode_and_restores_the_action(
    device: Device, unit: FakeUnit
) -> None:
    """It is one change."""
    await device.write("mode", "passive")
    await device.undo()
    assert unit.registers == LEFT_BEHIND


async def test_whole_words_are_written_as_they_are(device: Device, unit: FakeUnit) -> None:
    """An order of battery control says itself what acts."""
    await device.write_words([{20: 2}, {10: 3}])
    assert sent(unit) == [(20, 2), (10, 3)]
