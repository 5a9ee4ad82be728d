"""What an owner sets while an order begins, goes on or ends is the owner's, and nothing of an order outlives it."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.entry.json_store import JsonStore
from custom_components.hybrid_inverter.modbus.device.verified_unit import VerifiedUnit
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.writes import async_write_setting

from .helpers import driver_in, refresh, unit_of
from .test_control_actions import MORNING, act, device_of
from .test_control_life import (
    CHARGE,
    FLOOR,
    HOLD,
    Home,
    home,  # noqa: F401 - a fixture
    jso,  # noqa: F401 - a fixture
    make_home,  # noqa: F401 - a fixture
    windows,  # noqa: F401 - a fixture
)
from .test_control_many import SELL
from .test_control_repairs import wait
from .test_interrupted import BEFORE, CHARGE_MASK, OTHERS, hold, issues

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]

# Registers of the JSO: its work mode, and the state of charge of its last slot.
WORK_MODE: Final = 142
LAST_SLOT: Final = 171
# Whether it charges from the grid, and whether it sells.
GRID_CHARGE: Final = 130
SOLAR_SELL: Final = 145


async def undo(one: Home) -> None:
    """Undo the last change, as its button does; that may be refused."""
    with suppress(HomeAssistantError):
        await one.hass.services.async_call(
            DOMAIN,
            "undo_last_change",
            {"device_id": device_of(one.hass, one.serial)},
            blocking=True,
        )


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes a fifth of a second."""
    saved = JsonStore.async_save_proved

    async def slowly(self: JsonStore, content: dict[str, Any]) -> bool:
        await asyncio.sleep(0.2)
        return await saved(self, content)

    monkeypatch.setattr(JsonStore, "async_save_proved", slowly)


# ---------------------------------------------------------------------- undoing


async def test_an_undo_does_not_sell_again_after_the_order_that_sold_was_ended_by_its_owner(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """What the work mode was before is the order's doing, and nobody would end it."""
    await jso.order(**SELL)
    assert jso.words[WORK_MODE] == 0
    await async_write_setting(unit_of(jso.entry), "work_mode", "zero_export_to_ct")
    await jso.wait(1)
    assert jso.happened == ["started", "overridden"]
    await undo(jso)
    await jso.wait(120)
    assert jso.words == jso.before


async def test_an_undo_does_not_hold_the_battery_again(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """The floor of 100 % was an order's."""
    floor = windows.before[FLOOR]
    await windows.order(**HOLD)
    assert windows.words[FLOOR] == 100
    await async_write_setting(unit_of(windows.entry), "on_grid_discharge_floor", floor)
    await windows.wait(120)
    await undo(windows)
    await windows.wait(120)
    assert windows.words == windows.before


async def test_a_setting_beside_an_order_can_be_undone(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """No order has anything to do with the beeper."""
    await jso.order(**SELL)
    unit = unit_of(jso.entry)
    held = (await unit.device.read(["beep"]))["beep"]
    await async_write_setting(unit, "beep", not held)
    await undo(jso)
    assert unit.device.values["beep"] is held


# ---------------------------------------------------------------------- setting


@pytest.mark.usefixtures("slow_disk")
@pytest.mark.parametrize("is_end", [False, True])
async def test_a_slot_that_is_set_while_an_order_begins_or_ends_stays_set(
    jso: Home,  # noqa: F811 - a fixture
    is_end: bool,
) -> None:
    """It is confirmed while the order is being stored."""
    if is_end:
        await jso.order(**HOLD)
    change = jso.hass.async_create_task(jso.release() if is_end else jso.order(**HOLD))
    await asyncio.sleep(0.1)
    await async_write_setting(unit_of(jso.entry), "tou_slot_6_soc", 50)
    await change
    await jso.wait(1)
    if not is_end:
        await jso.release()
    assert jso.words == jso.before | {LAST_SLOT: 50}


@pytest.mark.usefixtures("slow_disk")
async def test_a_floor_that_is_set_while_an_order_begins_is_the_owners(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """The same, one register at a time."""
    change = windows.hass.async_create_task(windows.order(**HOLD))
    await asyncio.sleep(0.1)
    await async_write_setting(unit_of(windows.entry), "on_grid_discharge_floor", 30)
    await change
    await windows.wait(1)
    await windows.release()
    assert windows.words == windows.before | {FLOOR: 30}


async def test_what_a_person_sets_as_an_order_holds_it_stays_when_the_order_ends(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """Charging from the grid is switched on during a charge, which has switched it on as well."""
    assert jso.before[GRID_CHARGE] == 0
    await jso.order(**CHARGE)
    assert jso.words[GRID_CHARGE] == 1
    await async_write_setting(unit_of(jso.entry), "grid_charge_enabled", value=True)
    await jso.wait(1)
    assert jso.happened == ["started"]
    await jso.release()
    assert jso.words == jso.before | {GRID_CHARGE: 1}


async def test_what_is_undone_while_an_order_holds_the_same_is_undone_after_it(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """Selling was switched off and on again; while a limit of 0 W keeps it off, the last change is undone."""
    unit = unit_of(jso.entry)
    await async_write_setting(unit, "solar_sell", value=False)
    await async_write_setting(unit, "solar_sell", value=True)
    await act(jso.hass, "limit_export", jso.serial, power=0, duration=60)
    assert jso.words[SOLAR_SELL] == 0
    await undo(jso)
    await act(jso.hass, "limit_export", jso.serial)
    assert jso.words == jso.before | {SOLAR_SELL: 0}


# ---------------------------------------------------------------------- later


async def test_what_an_order_was_to_become_ends_with_it(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """A longer hold was kept for later; then somebody changed a slot at the display, and a charge was ordered."""
    await jso.order(**HOLD, owner="a")
    await jso.order(mode="hold", duration=120, owner="a")
    held = next(address for address in range(166, 172) if jso.words[address] == 100)
    jso.plant.machine().panel_change(held, 45)
    await jso.wait(1)
    assert jso.happened == ["started", "overridden"]
    await jso.order(**{**CHARGE, "duration": 180}, owner="a")
    await jso.wait(60)
    assert (await act(jso.hass, "get_control", jso.serial))["mode"] == "charge"


async def test_a_clock_that_is_set_back_makes_no_order_longer(
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By 45 minutes, in the 50th minute of an hour."""
    driver = driver_in(windows.entry)
    passed = 0.0
    monkeypatch.setattr(driver.keeper.deadlines, "_clock", lambda: passed)
    await windows.order(**HOLD)
    windows.freezer.move_to("2026-06-21 08:50:00+00:00")
    passed = 49 * 60
    await wait(windows.hass, windows.freezer, 0.5)
    assert windows.words[FLOOR] == 100
    windows.freezer.move_to("2026-06-21 08:05:00+00:00")
    for minute in range(50, 63):
        passed = minute * 60
        await wait(windows.hass, windows.freezer, 1)
    assert windows.words == windows.before


# ---------------------------------------------------------------------- what was broken off, and what cannot be read


async def test_a_schedule_that_was_broken_off_is_finished_before_an_order(
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the slot that its first step has switched off would pass for what the owner wants."""
    hold(windows.plant, BEFORE)
    await refresh(windows.hass, windows.entry, Group.SETTINGS)
    machine = windows.plant.machine()
    write, sent = VerifiedUnit.write_register, 0

    async def break_off(self: VerifiedUnit, *args: Any) -> None:
        nonlocal sent
        sent += 1
        await write(self, *args)
        if sent == 1:
            machine.trouble.silent = True

    with monkeypatch.context() as patch:
        patch.setattr(VerifiedUnit, "write_register", break_off)
        with pytest.raises(HomeAssistantError):
            await act(windows.hass, "set_schedule", windows.serial, windows=OTHERS)
    await windows.hass.async_block_till_done(wait_background_tasks=True)
    assert machine.word(CHARGE_MASK) == 0
    machine.trouble.silent = False
    await windows.order(**CHARGE)
    assert issues(windows.hass) == {"change_finished"}
    await windows.release()
    await refresh(windows.hass, windows.entry, Group.SETTINGS)
    assert machine.word(CHARGE_MASK) == 1


async def test_what_an_order_that_cannot_be_read_has_changed_is_put_back(
    windows: Home,  # noqa: F811 - a fixture
    hass_storage: dict[str, Any],
) -> None:
    """A later version has stored a mode that this one does not know."""
    await windows.order(**HOLD)
    await windows.life.end(windows.entry)
    (key,) = [key for key in hass_storage if key.endswith(".control")]
    (part,) = hass_storage[key]["data"].values()
    part["leases"][0]["mode"] = "freeze"
    await windows.life.begin(windows.entry)
    await windows.wait(5)
    assert windows.words == windows.before
