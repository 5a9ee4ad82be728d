"""Orders whose callers are cancelled, as Home Assistant does with a script that is stopped: none is left half booked."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.control.setup import DRIVERS
from custom_components.hybrid_inverter.modbus.device.device import Device
from simulator import SimulatedPlant
from simulator.machine import Machine

from .test_control_actions import MORNING, act
from .test_control_life import CHARGE, HOLD, Home, jso, make_home, windows  # noqa: F401 - fixtures
from .test_control_many import SELL, home, pair  # noqa: F401 - fixtures
from .test_plant import TWIN_SERIAL

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("socket_enabled", "few_entities", "in_berlin"),
]


async def cancel_after(
    hass: HomeAssistant, machine: Machine, writes: int, call: Coroutine[Any, Any, Any]
) -> None:
    """Cancel a call as soon as so many writes more have arrived."""
    task = hass.async_create_task(call)
    await arrivals(machine, writes, task)
    await cancel(task)


async def arrivals(machine: Machine, writes: int, task: asyncio.Task[Any] | None = None) -> None:
    """Wait until so many writes more have arrived, of a task that goes on if it is known."""
    wanted = len(machine.writes) + writes
    async with asyncio.timeout(20):
        while len(machine.writes) < wanted:
            assert task is None or not task.done()
            await asyncio.sleep(0)


async def cancel(task: asyncio.Task[Any]) -> None:
    """Cancel a task, and wait for its end."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture(params=["jso", "windows"])
def either(request: pytest.FixtureRequest) -> Home:
    """Return the home of a JSO, and that of a SAJ."""
    return request.getfixturevalue(request.param)


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


async def test_an_order_that_is_cancelled_while_it_waits_for_its_turn_is_not_given(
    either: Home,
) -> None:
    """Nobody is there any more who would want it."""
    async with either.hass.data[DRIVERS][either.serial].keeper.turn:
        waiting = either.hass.async_create_task(either.order(**CHARGE))
        await asyncio.sleep(0.1)
        await cancel(waiting)
    shown = await act(either.hass, "get_control", either.serial)
    assert (shown["mode"], either.writes) == ("auto", 0)


async def test_an_order_that_is_cancelled_while_the_inverter_is_read_is_not_given(
    either: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent yet; what comes next has its turn."""
    poll = Device.poll
    tasks: list[asyncio.Task[Any]] = []

    async def poll_and_cancel(self: Device, *args: Any, **options: Any) -> Any:
        polled = await poll(self, *args, **options)
        if tasks:
            tasks.pop().cancel()
        return polled

    monkeypatch.setattr(Device, "poll", poll_and_cancel)
    task = either.hass.async_create_task(either.order(**CHARGE))
    tasks.append(task)
    with pytest.raises(asyncio.CancelledError):
        await task
    shown = await act(either.hass, "get_control", either.serial)
    assert (shown["mode"], either.writes) == ("auto", 0)


async def test_an_order_of_a_plant_that_is_cancelled_at_its_second_inverter_is_carried_out(
    hass: HomeAssistant,
    pair: SimulatedPlant,  # noqa: F811 - a fixture
    home: MockConfigEntry,  # noqa: F811 - a fixture
) -> None:
    """By both, as an order of one inverter is; however often the caller is cancelled."""
    order = hass.async_create_task(act(hass, "control_battery", home.entry_id, **SELL))
    await arrivals(pair.machine(2), 1, order)
    order.cancel()
    await cancel(order)
    # Its turn comes when that of the order is over.
    await act(hass, "control_battery", home.entry_id, **SELL, dry_run=True)
    shown = await act(hass, "get_control", home.entry_id)
    assert [answer["mode"] for answer in shown.values()] == ["discharge", "discharge"]
    # Both sell first.
    assert [pair.machine(unit).word(142) for unit in (1, 2)] == [0, 0]


async def test_an_order_of_a_plant_that_is_cancelled_while_it_is_worked_out_is_not_given(
    hass: HomeAssistant,
    pair: SimulatedPlant,  # noqa: F811 - a fixture
    home: MockConfigEntry,  # noqa: F811 - a fixture
) -> None:
    """Nothing was sent yet."""
    async with hass.data[DRIVERS][TWIN_SERIAL].keeper.turn:
        order = hass.async_create_task(act(hass, "control_battery", home.entry_id, **SELL))
        await asyncio.sleep(0.5)
        await cancel(order)
    shown = await act(hass, "get_control", home.entry_id)
    assert [answer["mode"] for answer in shown.values()] == ["auto", "auto"]
    assert [len(pair.machine(unit).writes) for unit in (1, 2)] == [0, 0]
