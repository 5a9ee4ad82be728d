"""Orders that are not any more what they were when it was decided to change them: another one, or changed at the inverter."""

import asyncio
from contextlib import suppress
from typing import Final

from homeassistant.core import HomeAssistant
import pytest

from custom_components.hybrid_inverter.control.request import ControlEventType
from custom_components.hybrid_inverter.modbus.errors import DeviceError
from simulator.cause import cause

from .helpers import driver_in
from .test_control_actions import MORNING, act
from .test_control_life import CHARGE, FLOOR, HOLD, Home, jso, make_home, windows  # noqa: F401 - fixtures
from .test_control_repairs import wait

LIMIT: Final = {"power": 0, "duration": 120}

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]


async def test_what_ends_or_changes_a_harmful_order_leaves_the_next_one_alone(
    hass: HomeAssistant,
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """A charge comes first while its turn is waited for, and goes on."""
    await jso.order(**HOLD)
    found = driver_in(jso.entry)
    keeper = found.keeper
    held = keeper.lease()
    assert held is not None
    async with keeper.turn:
        order = hass.async_create_task(jso.order(**CHARGE))
        await asyncio.sleep(0.1)
        found._harmful = held
        look = hass.async_create_task(found._async_look())
        otherwise = hass.async_create_task(found._async_hold_otherwise(held))
    await order
    ours = jso.words
    await look
    await otherwise
    assert jso.happened == ["started", "started"]
    assert jso.words == ours != jso.before
    assert await keeper.async_release(meant=held, type_=ControlEventType.FAILED) is None
    await jso.release()
    assert jso.words == jso.before


async def test_what_is_changed_at_the_inverter_is_not_written_over_when_its_order_is_renewed(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """The floor of a hold, just before it is to last longer."""
    await windows.order(**HOLD)
    await windows.order(**{**HOLD, "duration": 120})
    windows.plant.machine().panel_change(FLOOR, 30)
    windows.plant.advance(46 * 60)
    await wait(windows.hass, windows.freezer, 46)
    assert windows.words == {**windows.before, FLOOR: 30}
    assert windows.happened == ["started", "overridden"]


async def test_what_is_changed_at_the_inverter_is_not_written_over_when_the_other_order_ends(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """The floor of a hold, just before the export limit beside it is released; both are over."""
    await windows.order(**HOLD)
    await act(windows.hass, "limit_export", windows.serial, **LIMIT)
    windows.plant.machine().panel_change(FLOOR, 30)
    await driver_in(windows.entry).keeper.async_release(is_export_limit=True)
    assert windows.words == {**windows.before, FLOOR: 30}
    assert windows.happened == ["started", "started", "overridden", "overridden"]


async def test_what_is_changed_at_the_inverter_is_not_written_over_by_the_other_way_to_hold(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """The floor of a hold that is not followed."""
    await windows.order(**HOLD)
    keeper = driver_in(windows.entry).keeper
    held = keeper.lease()
    assert held is not None
    windows.plant.machine().panel_change(FLOOR, 30)
    assert not await keeper.async_try_other_hold(held)
    assert windows.words == {**windows.before, FLOOR: 30}
    assert windows.happened == ["started", "overridden"]


async def test_an_order_ends_although_the_other_one_cannot_follow_a_clock_that_was_set(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """The slot of a charge is refused at its new times; the export limit beside it is lifted all the same."""
    await windows.order(**CHARGE)
    alone = windows.words
    await act(windows.hass, "limit_export", windows.serial, **LIMIT)
    assert windows.words != alone
    cause(windows.plant, {"clock": 3600})
    windows.plant.machine().trouble.refused_writes = ((0x3606, 0x361A, 3),)
    with suppress(DeviceError):
        await driver_in(windows.entry).keeper.async_release(is_export_limit=True)
    assert windows.words == alone
