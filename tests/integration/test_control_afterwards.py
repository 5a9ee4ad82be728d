"""What a start makes of orders that were changed at the panel, or released, while Home Assistant was dead, or whose time nobody knows."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.hybrid_inverter.modbus.device.verified_unit import VerifiedUnit
from simulator.cause import cause

from .dying import Died
from .helpers import SERIAL, driver_in
from .test_control_actions import MORNING, act
from .test_control_life import (  # noqa: F401 - fixtures
    CHARGE,
    HOLD,
    MASK,
    Home,
    home,
    jso,
    make_home,
    windows,
)
from .test_control_repairs import wait
from .test_schedule_windows import SERIAL as SAJ_SERIAL

SELL: Final[dict[str, Any]] = {
    "mode": "discharge",
    "power": 1000,
    "at": "grid",
    "target_soc": 40,
    "duration": 60,
}
# What somebody sets at the panel during an order, and what the owner's words are different in when it is over.
type Found = dict[int, int]
# Of the JSO: what sells, what charges and with how much, the days; of the order's slot from 10:00 to 11:05, the third one,
# its start, watts, percent and flags.
JSO_CHANGES: Final[list[tuple[dict[str, Any], Found, Found]]] = [
    (SELL, {142: 1}, {142: 1}),
    (SELL, {143: 2000}, {143: 2000}),
    # Of the days only Sunday was left; Monday is added at the panel, and the owner has it anyway.
    (SELL, {146: 0x0083}, {}),
    (CHARGE, {130: 0}, {}),
    (CHARGE, {128: 7}, {128: 7}),
    (CHARGE, {150: 1030}, {}),
    (CHARGE, {156: 3000}, {156: 3000}),
    (CHARGE, {168: 95}, {168: 95}),
    # The generator charges, too.
    (CHARGE, {174: 3}, {174: 2}),
    (CHARGE, {130: 0, 168: 95, 174: 3}, {168: 95, 174: 2}),
]
# Of the SAJ: the mode, the ceiling, the switch, the start and the days and power of the seventh slot, which charges; and
# of the discharge the same, with what may be exported.
SAJ_CHANGES: Final[list[tuple[dict[str, Any], Found, Found]]] = [
    (CHARGE, {0x3647: 2}, {0x3647: 2}),
    (CHARGE, {0x3646: 90}, {0x3646: 90}),
    (CHARGE, {MASK: 0}, {}),
    (CHARGE, {0x3618: 0x0B00}, {0x3618: 0x0B00}),
    (CHARGE, {0x361A: 0x7F10}, {0x361A: 0x7F10}),
    (CHARGE, {0x361A: 0x7F10, MASK: 0x41}, {0x361A: 0x7F10, MASK: 1}),
    (SELL, {0x3605: 0x02}, {0x3605: 0x02}),
    (SELL, {0x3605: 0x42, 0x3644: 30}, {0x3605: 0x02, 0x3644: 30}),
    (SELL, {0x3650: 500}, {0x3650: 500}),
    (SELL, {0x3660: 0}, {}),
]

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]


async def change_while_dead(home: Home, found: Mapping[int, int]) -> None:  # noqa: F811 - a fixture
    """Have somebody change words at the panel while nobody is there."""
    await home.life.end(home.entry)
    for address, word in found.items():
        home.plant.machine().panel_change(address, word)
    await home.life.begin(home.entry)


# ---------------------------------------------------------------------- changed at the panel


async def check_changes(
    home: Home,  # noqa: F811 - a fixture
    changes: list[tuple[dict[str, Any], Found, Found]],
) -> None:
    """Check after each change that the order has ended, and whose the words are."""
    for order, found, theirs in changes:
        home.told.clear()
        await home.order(**order)
        assert found.items().isdisjoint(home.words.items()), found
        await change_while_dead(home, found)
        assert home.words == {**home.before, **theirs}, found
        assert home.happened == ["started", "restored_at_start"], found
        for address in theirs:
            home.plant.machine().panel_change(address, home.before[address])


async def test_what_was_changed_of_an_order_in_a_table_ends_it_at_the_start(jso: Home) -> None:  # noqa: F811
    """What somebody has set stays, but for an edge of the order; all else is the owner's."""
    await check_changes(jso, JSO_CHANGES)


async def test_what_was_changed_of_an_order_in_slots_ends_it_at_the_start(windows: Home) -> None:  # noqa: F811
    """What somebody has set stays, and no slot of ours is on."""
    await check_changes(windows, SAJ_CHANGES)


async def test_what_was_changed_beside_an_order_is_the_owners_and_the_order_goes_on(
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """The target of the sixth slot of a table; the switch of the first slot of a SAJ, which waits for the order to end."""
    found, meanwhile, theirs = {
        SERIAL: ({171: 50}, {171: 50}, {171: 50}),
        SAJ_SERIAL: ({MASK: 0x41}, {}, {MASK: 1}),
    }[home.serial]
    await home.order(**CHARGE)
    ours = home.words
    await change_while_dead(home, found)
    assert home.words == {**ours, **meanwhile}
    assert home.happened == ["started", "adopted_at_start"]
    await home.release()
    assert home.words == {**home.before, **theirs}


async def test_an_order_that_cannot_be_worked_out_again_is_put_back_with_what_is_theirs(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """There is no battery any more, and beside the order the sixth slot has another target."""
    await jso.order(**CHARGE)
    await change_while_dead(jso, {111: 2, 171: 50})
    assert jso.words == {**jso.before, 111: 2, 171: 50}
    assert jso.happened == ["started", "restored_at_start"]


# ---------------------------------------------------------------------- released


async def test_what_was_released_before_a_crash_is_released_at_the_start(home: Home) -> None:  # noqa: F811
    """The ten seconds in which the next order may come were not over; what it was told stands on the disk before the answer."""
    await home.order(**HOLD, owner="planner")
    answer = await act(home.hass, "release_battery", home.serial, owner="planner")
    assert answer == {"mode": "auto", "releases_in": 10}
    await home.restart()
    assert home.words == home.before
    assert home.happened == ["started", "restored_at_start"]


async def test_the_order_that_follows_a_release_goes_on_after_a_crash(home: Home) -> None:  # noqa: F811
    """The same one again, of which nothing is written, and another one after another release."""
    for order in (HOLD, CHARGE):
        await home.order(**order, owner="planner")
        await act(home.hass, "release_battery", home.serial, owner="planner")
        await home.order(**order, owner="planner")
        ours = home.words
        await home.restart()
        assert home.words == ours != home.before
    await wait(home.hass, home.freezer, 1)
    assert home.happened == ["started", "adopted_at_start"] * 2


# ---------------------------------------------------------------------- who knows the time


def set_computer(home: Home, moment: str) -> None:  # noqa: F811 - a fixture
    """Set the computer's clock."""
    home.freezer.move_to(moment)


async def test_while_the_computer_does_not_know_the_time_the_inverters_clock_counts(
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """After a crash it has begun with the first of January: half an hour later the order goes on, and an hour later it ends."""
    await home.order(**HOLD)
    ours = home.words
    await home.life.end(home.entry)
    home.plant.advance(1800)
    set_computer(home, "2026-01-01 00:00:00+00:00")
    await home.life.begin(home.entry)
    assert home.words == ours
    assert home.happened == ["started", "adopted_at_start"]
    await home.wait(30)
    assert home.words == ours
    await home.wait(6)
    assert home.words == home.before
    assert home.happened[2:] == ["ended"]


async def test_an_order_that_is_over_by_the_inverters_clock_is_put_back_at_the_start(
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """The computer's clock never becomes right."""
    await home.order(mode="no_charge", duration=60)
    await home.life.end(home.entry)
    home.plant.advance(2 * 3600)
    set_computer(home, "2026-01-01 00:00:00+00:00")
    await home.life.begin(home.entry)
    assert home.words == home.before
    assert home.happened == ["started", "restored_at_start"]


@pytest.mark.parametrize("shown", ["2024-01-01T00:00:00", "2026-07-15T00:00:00"])
async def test_nothing_is_written_while_nobody_knows_the_time(home: Home, shown: str) -> None:  # noqa: F811
    """The inverter's clock makes no sense either: it has lost its time, or is weeks ahead. Then the computer's is set."""
    await home.order(**HOLD)
    ours, arrived = home.words, home.writes
    await home.life.end(home.entry)
    cause(home.plant, {"clock": shown})
    set_computer(home, "2026-01-01 00:00:00+00:00")
    await home.life.begin(home.entry)
    await wait(home.hass, home.freezer, 1)
    assert (home.words, home.writes, home.happened) == (ours, arrived, ["started"])
    set_computer(home, "2026-06-21 10:00:00+00:00")
    await wait(home.hass, home.freezer, 1)
    assert home.words == home.before
    assert home.happened == ["started", "restored_at_start"]


async def test_a_computer_that_loses_the_time_ends_an_order_when_it_has_lasted_as_long(
    home: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither clock is right any more; what passes is still counted. No edge moves by a clock that is wrong."""
    driver = driver_in(home.entry)
    passed = 0.0
    monkeypatch.setattr(driver.keeper.deadlines, "_clock", lambda: passed)
    await home.order(**HOLD)
    await home.wait(0.5)
    ours, arrived = home.words, home.writes
    set_computer(home, "2026-01-01 00:00:00+00:00")
    cause(home.plant, {"clock": "2024-01-01T00:00:00"})
    passed = 3500
    await wait(home.hass, home.freezer, 0.5)
    assert (home.words, home.writes) == (ours, arrived)
    # The table of a JSO8048104 ends at full five minutes.
    passed = 3900
    await wait(home.hass, home.freezer, 0.5)
    assert home.words == home.before
    assert home.happened == ["started", "ended"]


# ---------------------------------------------------------------------- broken off, and not known yet


async def test_what_is_left_of_two_orders_is_put_back_after_a_silence_and_a_crash(
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A discharge gives way to a charge, of which one write arrives; of what puts both back, one more before the crash.

    The switches of the slots are those of the discharge all the time.
    """
    trouble = windows.plant.machine().trouble
    await windows.order(**SELL)
    write, sent = VerifiedUnit.write_register, 0

    async def write_and_lose(self: VerifiedUnit, address: int, value: int) -> None:
        nonlocal sent
        sent += 1
        trouble.silent = sent > 1
        await write(self, address, value)

    with monkeypatch.context() as patch:
        patch.setattr(VerifiedUnit, "write_register", write_and_lose)
        with pytest.raises(HomeAssistantError):
            await windows.order(**CHARGE)
    assert windows.words[0x3605] == 0x40
    trouble.silent = False
    windows.life.die_after(1)
    driver = driver_in(windows.entry)
    with pytest.raises(Died):
        await driver.keeper.async_release_all()
    assert windows.words[0x3605] == 0x40
    await windows.restart()
    assert windows.words == windows.before


async def test_an_order_that_comes_before_its_inverter_is_looked_after_finds_nothing_half_done(
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """Two writes of a charge arrive before a crash, and the inverter is silent at the start: nobody has overridden anything."""
    home.life.die_after(2)
    with suppress(Died):
        await home.order(**CHARGE)
    await home.life.end(home.entry)
    trouble = home.plant.machine().trouble
    trouble.silent = True
    await home.life.begin(home.entry)
    assert home.words != home.before
    trouble.silent = False
    await home.order(**HOLD)
    assert home.happened == ["restored_at_start", "started"]
    await home.release()
    assert home.words == home.before
