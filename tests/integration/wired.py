"""Seconds that pass in a house while its wiring is tested."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant

from .helpers import bring_forward
from .ordered import go_on
from .test_control_actions import act
from .test_control_life import Home

# Seconds from one look to the next.
STEP = 5


async def seconds(home: Home, count: int) -> None:
    """Let so many seconds pass."""
    for _ in range(0, count, STEP):
        await go_on(home.hass, home.freezer, home.plant, STEP)


async def begin(home: Home, **options: Any) -> asyncio.Task[Any]:
    """Begin the test as a person, and wait until it runs."""
    user = options.pop("user", home.user)
    test = asyncio.create_task(act(home.hass, "test_wiring", home.serial, user=user))
    await settle(home.hass)
    return test


async def settle(hass: HomeAssistant) -> None:
    """Let what was begun get under way."""
    for _ in range(20):
        await asyncio.sleep(0.01)
        bring_forward(hass, 0)


async def report_now(home: Home) -> Any:
    """The report of a test, which takes less than three minutes."""
    test = await begin(home)
    await seconds(home, 175)
    assert test.done()
    return test.result()
