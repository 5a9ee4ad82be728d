"""One limit of the export in the place of another: in amperes, in watts, and back; never is there none in between.

A machine of 6 kW whose owner allows 0 A. Beside that the power does not count, and is as it left the factory: 110 %.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    NotAppliedError,
    RejectedError,
)
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

from .fake_unit import FakeUnit, Hook
from .test_device_words import at, kinds

FAMILY: Final = replace(SAJ.fitted((), {"rated_power": 6000}), settle=0.0, write_spacing=0.0)
POWER, AMPERES, MODE = 0x365A, 0x365B, 0x365C
# Another word, on which nothing waits.
FLOOR: Final = 0x3644
IN_AMPERES: Final = {POWER: 1100, AMPERES: 0, MODE: 2, FLOOR: 20}
IN_WATTS: Final = {POWER: 0, AMPERES: 0, MODE: 1, FLOOR: 20}


def machine(held: dict[int, int]) -> tuple[FakeUnit, Device]:
    """Return a machine that holds these words, and its device."""
    unit = FakeUnit(dict(held))
    return unit, Device(unit, FAMILY, known={"rated_power": 6000})


def exported(words: dict[int, int]) -> int:
    """Return how many thousandths of 6 kW may flow into the grid at most."""
    return {0: 1100, 1: words[POWER], 2: words[AMPERES], 3: words[POWER]}[words[MODE]]


def watched(unit: FakeUnit) -> list[int]:
    """Return what fills with what may flow after each request."""
    seen: list[int] = []
    unit.tick = lambda: seen.append(exported(unit.registers))
    return seen


def written(unit: FakeUnit) -> list[tuple[int, int]]:
    """Return what was written, address and word."""
    return [(address, words[0]) for address, words in unit.writes]


def ignoring(unit: FakeUnit) -> Hook:
    """Return what makes a machine confirm whatever is written from then on, and carry none of it out."""

    async def ignore() -> None:
        unit.ignored = 99

    return ignore


# ---------------------------------------------------------------------- words, as of an order


async def test_each_of_the_two_is_looked_at_before_the_other_one_is_sent() -> None:
    """Into the limit in watts and out of it."""
    unit, device = machine(IN_AMPERES)
    seen = watched(unit)
    await device.write_words([{POWER: 0}, {MODE: 1}, {FLOOR: 100}])
    assert kinds(unit) == "RWRWWR"
    await device.write_words([{FLOOR: 20}, {MODE: 2}, {POWER: 1100}])
    assert kinds(unit)[6:] == "RWWRWR"
    assert set(seen) == {0}
    assert unit.registers == IN_AMPERES


@pytest.mark.parametrize("other", [0, 3])
async def test_any_other_change_of_the_limit_is_looked_at_once(other: int) -> None:
    """From no limit, or from one of each phase."""
    unit, device = machine({**IN_AMPERES, MODE: other})
    await device.write_words([{MODE: 1}, {POWER: 0}])
    await device.write_words([{POWER: 1100}, {MODE: other}])
    assert kinds(unit) == "RWWR" * 2


async def test_a_power_that_is_not_taken_leaves_the_limit_in_amperes() -> None:
    """It is sent twice, and the mode not at all."""
    unit, device = machine(IN_AMPERES)
    unit.ignored = 2
    with pytest.raises(NotAppliedError) as caught:
        await device.write_words([{POWER: 0}, {MODE: 1}])
    assert (caught.value.key, caught.value.left) == ("export_limit_power", ())
    assert written(unit) == [(POWER, 0)] * 2


async def test_a_mode_that_does_not_come_back_keeps_its_power() -> None:
    """At the end of an order all else comes back, and the two of them are named."""
    unit, device = machine({**IN_WATTS, FLOOR: 100})
    unit.meanwhile = at({2: ignoring(unit)})
    with pytest.raises(NotAppliedError) as caught:
        await device.write_words([{FLOOR: 20}, {MODE: 2}, {POWER: 1100}], all_or_none=False)
    assert caught.value.left == ("export_limit_mode", "export_limit_power")
    assert unit.registers == IN_WATTS
    assert (POWER, 1100) not in written(unit)


async def test_a_mode_that_comes_back_at_the_second_try_is_followed_by_its_power() -> None:
    """Which is sent only then."""
    unit, device = machine(IN_WATTS)
    unit.ignored = 1
    await device.write_words([{MODE: 2}, {POWER: 1100}], all_or_none=False)
    assert written(unit) == [(MODE, 2), (MODE, 2), (POWER, 1100)]


async def test_what_else_is_refused_does_not_keep_the_power_from_coming_back() -> None:
    """It only waits for its mode."""
    unit, device = machine({**IN_WATTS, FLOOR: 100})
    unit.faults.extend([None, RejectedError(3, "floor"), None, None, RejectedError(3, "floor")])
    with pytest.raises(RejectedError) as caught:
        await device.write_words([{FLOOR: 20}, {MODE: 2}, {POWER: 1100}], all_or_none=False)
    assert caught.value.left == ("on_grid_discharge_floor",)
    assert unit.registers == {**IN_AMPERES, FLOOR: 100}


async def test_what_goes_silent_is_told_at_once() -> None:
    """Nothing is sent any more."""
    unit, device = machine(IN_WATTS)
    unit.faults.extend([None, *[RejectedError(11, "no answer")] * 9])
    with pytest.raises(DeviceError):
        await device.write_words([{MODE: 2}, {POWER: 1100}], all_or_none=False)
    assert {address for address, _ in written(unit)} == {MODE}


@pytest.mark.parametrize("taken_back", [True, False])
async def test_an_order_that_is_taken_back_leaves_no_moment_without_a_limit(
    *, taken_back: bool
) -> None:
    """Its last word is refused: the mode comes back, and then the power; without the mode neither does."""
    unit, device = machine(IN_AMPERES)
    seen = watched(unit)
    if not taken_back:
        unit.meanwhile = at({4: ignoring(unit)})
    unit.faults.extend([*[None] * 4, RejectedError(3, "floor")])
    with pytest.raises(RejectedError) as caught:
        await device.write_words([{POWER: 0}, {MODE: 1}, {FLOOR: 100}])
    assert set(seen) == {0}
    if taken_back:
        assert (caught.value.left, unit.registers) == ((), IN_AMPERES)
        assert written(unit)[-2:] == [(MODE, 2), (POWER, 1100)]
    else:
        assert caught.value.left == ("export_limit_mode", "export_limit_power")
        assert unit.registers == IN_WATTS
        assert (POWER, 1100) not in written(unit)


# ---------------------------------------------------------------------- steps, as of the number


STEPS: Final = (("export_limit_power", 3000), ("export_limit_mode", "total_power"))


async def test_a_number_of_watts_is_undone_with_its_mode_first() -> None:
    """500 thousandths, and then the 0 A that were before."""
    unit, device = machine(IN_AMPERES)
    seen = watched(unit)
    await device.write_steps(STEPS)
    assert written(unit) == [(POWER, 500), (MODE, 1)]
    await device.undo()
    assert written(unit)[2:] == [(MODE, 2), (POWER, 1100)]
    assert unit.registers == IN_AMPERES
    assert max(seen) == 500


async def test_an_undo_whose_mode_is_not_taken_leaves_the_power_as_it_is() -> None:
    """3000 W go on being the limit."""
    unit, device = machine(IN_AMPERES)
    await device.write_steps(STEPS)
    seen = watched(unit)
    unit.ignored = 99
    with pytest.raises(NotAppliedError):
        await device.undo()
    assert max(seen) == 500
    assert (POWER, 1100) not in written(unit)


async def test_a_number_that_is_not_taken_whole_is_taken_back() -> None:
    """The mode is confirmed and not kept."""
    unit, device = machine(IN_AMPERES)
    seen = watched(unit)

    async def keep_the_mode() -> None:
        unit.registers[MODE] = 2

    unit.meanwhile = at(dict.fromkeys(range(4, 12), keep_the_mode))
    with pytest.raises(NotAppliedError) as caught:
        await device.write_steps(STEPS)
    assert (caught.value.key, caught.value.left) == ("export_limit_mode", ())
    assert unit.registers == IN_AMPERES
    assert max(seen) <= 500
