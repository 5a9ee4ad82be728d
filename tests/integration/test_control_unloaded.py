"""An entry that is unloaded, or a Home Assistant that stops, in the middle of something: it comes to its end before."""

import asyncio
from collections.abc import Callable

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.hybrid_inverter.control.setup import DRIVERS
from custom_components.hybrid_inverter.modbus.device.device import Device

from .test_control_actions import MORNING
from .test_control_life import (
    CHARGE,
    Home,
    home,  # noqa: F401 - a fixture
    jso,  # noqa: F401 - a fixture
    make_home,  # noqa: F401 - a fixture
    stop,
)

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]


@pytest.fixture
def when_read(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Return what has something done once, when settings were read for a change of the orders."""
    poll, things = Device.poll, list[Callable[[], None]]()

    async def poll_and_do(self: Device, *args: object, **options: object) -> object:
        polled = await poll(self, *args, **options)  # type: ignore[arg-type]
        if options.get("urgent") and things:
            things.pop()()
            # What was begun is under way.
            await asyncio.sleep(0.2)
        return polled

    monkeypatch.setattr(Device, "poll", poll_and_do)
    return things.append


async def test_an_order_that_ends_while_its_entry_is_reloaded_has_ended(
    hass: HomeAssistant,
    home: Home,  # noqa: F811 - a fixture
    when_read: Callable[[Callable[[], None]], None],
) -> None:
    """Nothing is broken off, so nothing has to be put right and told at the next start."""
    await home.order(**{**CHARGE, "duration": 5})
    reloads: list[asyncio.Task[bool]] = []
    when_read(
        lambda: reloads.append(
            hass.async_create_task(hass.config_entries.async_reload(home.entry.entry_id))
        )
    )
    await home.wait(10)
    assert await reloads[0]
    assert home.words == home.before
    assert home.happened == ["started", "ended"]
    assert home.issues == set()


async def test_an_order_is_refused_by_an_inverter_that_is_about_to_be_left(
    hass: HomeAssistant,
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """It has waited for its turn since before that, and nobody would end it."""
    keeper = hass.data[DRIVERS][home.serial].keeper
    async with keeper.turn:
        order = hass.async_create_task(home.order(**CHARGE))
        await asyncio.sleep(0.1)
        unload = hass.async_create_task(hass.config_entries.async_unload(home.entry.entry_id))
        await asyncio.sleep(0.5)
    with pytest.raises(ServiceValidationError) as caught:
        await order
    assert caught.value.translation_key == "control_unloading"
    assert await unload
    assert home.writes == 0


async def test_an_order_that_only_home_assistant_ends_does_not_outlive_its_stop(
    hass: HomeAssistant,
    jso: Home,  # noqa: F811 - a fixture
    when_read: Callable[[Callable[[], None]], None],
) -> None:
    """It is given while Home Assistant is told to stop, and refused: the battery would never be charged again."""
    stops: list[asyncio.Task[None]] = []
    when_read(lambda: stops.append(hass.async_create_task(stop(hass))))
    with pytest.raises(ServiceValidationError):
        await jso.order(mode="no_charge", duration=60)
    await stops[0]
    assert jso.words == jso.before
