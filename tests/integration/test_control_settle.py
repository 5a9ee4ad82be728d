"""A SAJ that takes a new work mode late: orders and settings wait for it, and none comes into force that nobody looks after."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.hybrid_inverter.modbus.device.write_request import WriteRequest
from custom_components.hybrid_inverter.modbus.device.writer import Writer
from custom_components.hybrid_inverter.modbus.errors import LinkLost
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from simulator import SimulatedPlant
from simulator.cause import cause

from .helpers import driver_in
from .test_control_actions import MORNING, act
from .test_schedule_windows import SERIAL, WORK_MODE, set_up
from .test_writes_saj import call

# Seconds that a mode may take, and those that it takes within them and beyond; a real one may take 5.
SETTLE: Final = 1.0
LATE: Final = 0.6
TOO_LATE: Final = 2.4
PASSIVE: Final = 3

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]


@pytest.fixture
async def late(
    hass: HomeAssistant, loop_goes_on: None, saj: SimulatedPlant, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SimulatedPlant]:
    """Return a machine that takes its mode late, and whose time goes on with ours."""
    family = FAMILIES["saj"]
    mode = replace(family.registers["work_mode"], settle=SETTLE)
    monkeypatch.setitem(
        FAMILIES, "saj", replace(family, registers={**family.registers, "work_mode": mode})
    )
    cause(saj, {"slow_commit": LATE, "slow_registers": [WORK_MODE]})

    async def go_on() -> None:
        before = hass.loop.time()
        while True:
            await asyncio.sleep(0.02)
            now = hass.loop.time()
            saj.advance(now - before)
            before = now

    going = asyncio.create_task(go_on())
    yield saj
    going.cancel()


def modes(plant: SimulatedPlant) -> list[int]:
    """Return the modes that were written."""
    return [write.values[0] for write in plant.machine().writes if write.address == WORK_MODE]


async def test_a_mode_that_takes_hold_late_is_no_failure(
    hass: HomeAssistant, late: SimulatedPlant
) -> None:
    """It is written once, and the call returns when it is in force."""
    await set_up(hass, late, "discharge_slots")
    await call(hass, Platform.SELECT, "work_mode", "backup")
    assert late.machine().value("work_mode") == "backup"
    assert modes(late) == [2]


@pytest.mark.usefixtures("few_entities")
async def test_an_order_waits_for_its_mode_and_its_end_too(
    hass: HomeAssistant, late: SimulatedPlant, hass_admin_user: MockUser
) -> None:
    """Passive for as long as the order is in force, and the owner's mode behind it."""
    entry = await set_up(hass, late, "discharge_slots")
    await act(hass, "control_battery", SERIAL, mode="idle", duration=60)
    assert late.machine().word(WORK_MODE) == PASSIVE
    assert len(driver_in(entry).keeper.leases) == 1
    await act(hass, "release_battery", SERIAL, user=hass_admin_user)
    assert late.machine().word(WORK_MODE) == 0
    assert driver_in(entry).keeper.memory.is_empty
    assert modes(late) == [PASSIVE, 0]


@pytest.mark.usefixtures("few_entities")
@pytest.mark.parametrize("mode", ["idle", "charge"])
async def test_a_mode_that_is_later_than_that_does_not_outlive_its_order(
    hass: HomeAssistant, late: SimulatedPlant, mode: str
) -> None:
    """The order has failed, and what comes into force of it all the same is followed by the owner's mode."""
    entry = await set_up(hass, late, "discharge_slots")
    cause(late, {"slow_commit": TOO_LATE})
    with pytest.raises(HomeAssistantError, match="13895"):
        await act(hass, "control_battery", SERIAL, mode=mode, duration=60)
    assert driver_in(entry).keeper.memory.is_empty
    *ordered, last = modes(late)
    assert len(ordered) == 2
    assert last == 0
    await asyncio.sleep(TOO_LATE + 0.2)
    assert late.machine().word(WORK_MODE) == 0


async def test_an_order_rests_on_what_an_undecided_write_comes_to(
    hass: HomeAssistant,
    late: SimulatedPlant,
    monkeypatch: pytest.MonkeyPatch,
    hass_admin_user: MockUser,
) -> None:
    """The link is lost before a mode is seen, and an order follows at once: that mode is the owner's."""
    entry = await set_up(hass, late, "discharge_slots")
    look, losses = Writer._look, [LinkLost("gone")]

    async def lose_once(writer: Writer, requests: Sequence[WriteRequest]) -> dict[int, int]:
        if losses:
            raise losses.pop()
        return await look(writer, requests)

    monkeypatch.setattr(Writer, "_look", lose_once)
    with pytest.raises(HomeAssistantError):
        await call(hass, Platform.SELECT, "work_mode", "backup")
    await act(hass, "control_battery", SERIAL, mode="hold", duration=60)
    assert driver_in(entry).keeper.memory.before[WORK_MODE] == 2
    assert late.machine().word(WORK_MODE) == 0
    await act(hass, "release_battery", SERIAL, user=hass_admin_user)
    assert late.machine().word(WORK_MODE) == 2
