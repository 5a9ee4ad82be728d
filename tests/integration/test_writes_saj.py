"""A machine that takes one register at a time: what is told when not all of it worked, and what must not stay behind."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import RELOAD_AFTER_UPDATE_DELAY
from homeassistant.const import (
    ATTR_ENTITY_ID,
    EVENT_HOMEASSISTANT_STOP,
    STATE_UNAVAILABLE,
    Platform,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
)

from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.transport.link import Link
from custom_components.hybrid_inverter.runtime.machine import RELEASE_SECONDS
from simulator import SimulatedPlant

from .helpers import find, unit_of
from .test_schedule_windows import (
    CHARGE_1,
    CHARGE_MASK,
    DISCHARGE_1,
    NIGHT,
    SERIAL,
    WINDOWS,
    WORK_MODE,
    WRITTEN,
    act,
    set_up,
)

ACTION: Final = 0x3636
POWERS: Final = {
    "passive_grid_charge_power": 0x3637,
    "passive_grid_discharge_power": 0x3638,
    "passive_battery_charge_power": 0x3639,
    "passive_battery_discharge_power": 0x363A,
}
PASSIVE: Final = (WORK_MODE, ACTION, *POWERS.values())


@pytest.fixture
async def real(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SimulatedPlant]:
    """Return a machine of 6 kW that is given all the time that it wants."""
    monkeypatch.setattr("custom_components.hybrid_inverter.runtime.setup.Link", Link)
    async with SimulatedPlant(model="H2-6K-S2") as plant:
        plant.advance(60)
        yield plant


async def call(hass: HomeAssistant, platform: Platform, key: str, value: str | float) -> None:
    """Set a number or choose an option."""
    entity_id = find(hass, platform, key, SERIAL)
    assert entity_id is not None, key
    action, field = {
        Platform.NUMBER: ("set_value", "value"),
        Platform.SELECT: ("select_option", "option"),
    }[platform]
    await hass.services.async_call(
        platform, action, {ATTR_ENTITY_ID: entity_id, field: value}, blocking=True
    )


async def charge(hass: HomeAssistant, *keys: str) -> None:
    """Charge in the passive mode with 1200 W, which are 200 thousandths of 6000 W."""
    await hass.async_block_till_done(wait_background_tasks=True)
    await call(hass, Platform.SELECT, "work_mode", "passive")
    for key in keys:
        await call(hass, Platform.NUMBER, key, 1200)
    await call(hass, Platform.SELECT, "passive_action", "charge")


def held(plant: SimulatedPlant) -> list[int]:
    """Return the words of the passive mode."""
    return [plant.machine().word(address) for address in PASSIVE]


# ---------------------------------------------------------------------- the passive mode, in real time


@pytest.mark.usefixtures("all_shown")
async def test_stopped_in_the_passive_mode(hass: HomeAssistant, real: SimulatedPlant) -> None:
    """Everything that was changed is back within the time that Home Assistant gives, and the link is closed."""
    entry = await set_up(hass, real, "discharge_slots")
    before = held(real)
    await charge(hass, *POWERS)
    assert held(real) == [3, 2, 200, 200, 200, 200]
    stopped = hass.loop.time()
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.loop.time() - stopped < RELEASE_SECONDS
    assert held(real) == before == [0, 0, 1100, 1100, 1100, 1100]
    assert not entry.runtime_data.link.connected


@pytest.mark.usefixtures("all_shown")
async def test_the_passive_mode_is_left(hass: HomeAssistant, real: SimulatedPlant) -> None:
    """By choosing another one: the mode goes first, then its settings do."""
    await set_up(hass, real, "discharge_slots")
    await charge(hass, "passive_battery_charge_power")
    assert held(real) == [3, 2, 1100, 1100, 200, 1100]
    arrived = len(real.machine().writes)
    await call(hass, Platform.SELECT, "work_mode", "time_of_use")
    assert held(real) == [1, 0, 1100, 1100, 1100, 1100]
    writes = real.machine().writes[arrived:]
    assert [(write.address, write.values) for write in writes] == [
        (WORK_MODE, (1,)),
        (ACTION, (0,)),
        (0x3639, (1100,)),
    ]


# ---------------------------------------------------------------------- what is told


@pytest.mark.usefixtures("all_shown")
async def test_what_a_mode_has_left_behind(hass: HomeAssistant, saj: SimulatedPlant) -> None:
    """The mode was changed, and the message names what was not, as a person calls it."""
    await set_up(hass, saj, "discharge_slots")
    await charge(hass, "passive_battery_charge_power")
    saj.machine().trouble.ignored_writes = frozenset({0x3639})
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, Platform.SELECT, "work_mode", "self_consumption")
    assert str(caught.value) == (
        "Work mode was changed, but not all settings that belong to the previous mode could be restored: "
        "the device did not keep what was written to register 13881. "
        "Left as they were in that mode: Passive charge power. "
        "These settings may keep limiting the inverter: check them, and set them yourself"
    )
    assert held(saj) == [0, 0, 1100, 1100, 200, 1100]
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_what_is_left_half_changed(hass: HomeAssistant, saj: SimulatedPlant) -> None:
    """Of a schedule that was not kept, what could not be put back either is named."""
    entry = await set_up(hass, saj, "discharge_slots")
    machine = saj.machine()

    def jam(_: Group) -> None:
        if machine.word(CHARGE_1 + 1) == 0x0500:
            machine.trouble.ignored_writes = frozenset({CHARGE_1, DISCHARGE_1 + 1})

    entry.async_on_unload(unit_of(entry).device.add_listener(jam))
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, entry, "set_schedule", windows=WINDOWS)
    assert caught.value.translation_key == "interrupted"
    assert caught.value.translation_placeholders == {
        "entity": "Schedule",
        "left": "Charge slot 1 start",
        "error": "the device did not keep what was written to register 13852",
    }
    assert [machine.word(CHARGE_1 + word) for word in range(3)] == [0x0100, 0, 0x7F64]
    assert machine.word(CHARGE_MASK) == 0
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_days_that_are_not_kept(hass: HomeAssistant, saj: SimulatedPlant) -> None:
    """The message has their names."""
    entry = await set_up(hass, saj, "discharge_slots")
    saj.machine().trouble.ignored_writes = frozenset({CHARGE_1 + 2})
    days = ["monday", "wednesday"]
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, entry, "set_schedule", windows=[{**NIGHT, "days": days}])
    assert caught.value.translation_key == "schedule_not_applied"
    assert caught.value.translation_placeholders == {
        "address": "13832",
        "wanted": "Monday, Wednesday",
        "held": "Every day",
    }
    await hass.async_block_till_done(wait_background_tasks=True)


# ---------------------------------------------------------------------- nobody waits for it any more


async def test_an_automation_that_is_stopped(hass: HomeAssistant, saj: SimulatedPlant) -> None:
    """Its schedule is written as a whole, as it was begun."""
    entry = await set_up(hass, saj, "discharge_slots")
    machine, device = saj.machine(), unit_of(entry).device
    begun = asyncio.Event()

    def hear(_: Group) -> None:
        if machine.writes:
            begun.set()

    entry.async_on_unload(device.add_listener(hear))
    call_ = hass.async_create_task(act(hass, entry, "set_schedule", windows=WINDOWS, enabled=True))
    await begun.wait()
    assert len(machine.writes) < len(WRITTEN)
    call_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call_
    await device.finish()
    assert [(write.address, *write.values) for write in machine.writes] == [
        *WRITTEN,
        (WORK_MODE, 1),
    ]


# ---------------------------------------------------------------------- an hour


@pytest.mark.parametrize("once_served", [False, True])
async def test_an_hour_without_a_refused_request(
    hass: HomeAssistant,
    *,
    saj: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
    once_served: bool,
) -> None:
    """The machine refuses 0x4137 and what follows, also where it once served them and they are shown; all else is there."""
    features = ("discharge_slots", "string_energies") if once_served else ("discharge_slots",)
    entry = await set_up(hass, saj, *features)
    gone: set[str] = set()
    if once_served:
        registry = er.async_get(hass)
        for period in ("today", "month", "year", "total"):
            entity_id = find(hass, Platform.SENSOR, f"pv2_energy_{period}", SERIAL)
            assert entity_id is not None
            registry.async_update_entity(entity_id, disabled_by=None)
            gone.add(entity_id)
        # Home Assistant loads the entry again by itself.
        freezer.tick(timedelta(seconds=RELOAD_AFTER_UPDATE_DELAY + 1))
        async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert unavailable(hass) == gone

    async def five_seconds() -> None:
        freezer.tick(timedelta(seconds=5))
        saj.advance(5)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    # It takes three refusals in a row until a register is left alone: that of the first poll, and one in each of these.
    for _ in range(2):
        await five_seconds()
    statistics = entry.runtime_data.link.statistics
    refused, asked = statistics.exceptions.total(), statistics.total.requests
    assert refused > 0
    for second in range(5, 3605, 5):
        await five_seconds()
        assert unavailable(hass) == gone, second
        assert statistics.exceptions.total() == refused, second
    # The powers were polled 720 times, with two reads or more each.
    assert statistics.total.requests - asked > 1440


def unavailable(hass: HomeAssistant) -> set[str]:
    """Return the entities that show nothing."""
    return {
        state.entity_id for state in hass.states.async_all() if state.state == STATE_UNAVAILABLE
    }
