"""Orders whose callers are cancelled, as Home Assistant does with a script that is stopped: none is left half booked."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import SimulatedPlant
from simulator.machine import Machine

from .test_control_actions import MORNING, act
from .test_control_life import CHARGE, HOLD, Home, make_home, windows  # noqa: F401 - fixtures
from .test_control_many import SELL, home, pair  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("socket_enabled", "few_entities", "in_berlin"),
]


async def cancel_after(
    hass: HomeAssistant, machine: Machine, writes: int, call: Coroutine[Any, Any, Any]
) -> None:
    """Cancel a call as soon as so many writes more have arrived."""
    wanted = len(machine.writes) + writes
    task = hass.async_create_task(call)
    while len(machine.writes) < wanted:
        assert not task.done()
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_charge_that_is_cancelled_after_any_write_is_followed_by_a_hold(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """A charge of a SAJ is carried out to its end, and what is held after it is put back as its owner has set it."""
    machine = windows.plant.machine()
    for writes in (1, 2, 3):
        del windows.told[:]
        await cancel_after(windows.hass, machine, writes, windows.order(**CHARGE))
        await windows.order(**HOLD)
        assert windows.happened == ["started", "started"]
        await windows.release()
        assert windows.happened == ["started", "started", "released"]
        assert windows.words == windows.before


async def test_a_release_that_is_cancelled_is_carried_out(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """The next order finds what the owner has set."""
    await windows.order(**CHARGE)
    await cancel_after(windows.hass, windows.plant.machine(), 1, windows.release())
    await windows.order(**HOLD)
    await windows.release()
    assert windows.happened == ["started", "released", "started", "released"]
    assert windows.words == windows.before


async def test_an_order_of_a_plant_that_is_cancelled_at_its_second_inverter_is_taken_back(
    hass: HomeAssistant,
    pair: SimulatedPlant,  # noqa: F811 - a fixture
    home: MockConfigEntry,  # noqa: F811 - a fixture
) -> None:
    """Both are as before."""
    before = [[pair.machine(unit).word(place) for place in range(108, 178)] for unit in (1, 2)]
    order = act(hass, "control_battery", home.entry_id, **SELL)
    await cancel_after(hass, pair.machine(2), 1, order)
    after = [[pair.machine(unit).word(place) for place in range(108, 178)] for unit in (1, 2)]
    assert after == before
    shown = await act(hass, "get_control", home.entry_id)
    assert [answer["mode"] for answer in shown.values()] == ["auto", "auto"]
