"""Automations that order something of the battery again and again: the day's writes end, and somebody is told whose they were."""

from collections import Counter
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.runtime.issues import machine_tag

from .helpers import SERIAL, unit_of
from .test_control_actions import MORNING, act, device_of
from .test_control_life import HOLD, Home, home, jso, make_home, windows  # noqa: F401 - fixtures
from .test_control_repairs import wait
from .test_schedule_windows import SERIAL as SAJ_SERIAL

# The setting that a refused hold is about: the table, and the floor.
WORN: Final = {SERIAL: "tou_slot_1_time", SAJ_SERIAL: "on_grid_discharge_floor"}
NAMES: Final = {SERIAL: "JSO8048104", SAJ_SERIAL: "H2-6K-S2"}

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]


async def toggler(home: Home) -> None:  # noqa: F811 - a fixture
    """Set up an automation that holds the battery for an hour, or releases it, at every event *toggle*."""
    target = {"device_id": device_of(home.hass, home.serial)}
    automation = {
        "alias": "Nervous",
        "mode": "queued",
        "triggers": {"trigger": "event", "event_type": "toggle"},
        "actions": {
            "choose": {
                "conditions": "{{ trigger.event.data.hold }}",
                "sequence": {
                    "action": f"{DOMAIN}.control_battery",
                    "target": target,
                    "data": {"mode": "hold", "duration": 60},
                },
            },
            "default": {"action": f"{DOMAIN}.release_battery", "target": target},
        },
    }
    assert await async_setup_component(home.hass, "automation", {"automation": automation})
    await home.hass.async_block_till_done()


def repairs(hass: HomeAssistant) -> dict[str, dict[str, str] | None]:
    """Return the issues of the integration, with what fills them."""
    return {
        issue.issue_id: issue.translation_placeholders
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
    }


def most_written(home: Home) -> int:  # noqa: F811 - a fixture
    """Return how often the register was written that was written most."""
    return max(Counter(write.address for write in home.plant.machine().writes).values())


async def test_an_automation_that_toggles_two_hundred_times_ends_released_and_is_named(
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """After seventy writes of a register it is refused; a person has ten more, and may always release."""
    await toggler(home)
    # Where every future was made is of no interest, and takes most of the time.
    home.hass.loop.set_debug(False)
    for _ in range(200):
        for is_held in (True, False):
            home.hass.bus.async_fire("toggle", {"hold": is_held})
            await home.hass.async_block_till_done()
        if home.words != home.before:
            # The release waits ten seconds for another order.
            home.plant.advance(240)
            await wait(home.hass, home.freezer, 4)
    assert home.words == home.before
    assert home.happened == ["started", "released"] * 35
    assert most_written(home) == 70
    assert repairs(home.hass) == {
        f"{machine_tag(home.serial)}_busy_automation_{WORN[home.serial]}": {
            "name": NAMES[home.serial],
            "entity": "Battery control",
            "limit": "70",
            "automation": "Nervous (automation.nervous)",
        }
    }
    for _ in range(5):
        await act(home.hass, "control_battery", home.serial, user=home.user, **HOLD)
        await home.release()
    assert most_written(home) == 80
    with pytest.raises(ServiceValidationError) as refused:
        await act(home.hass, "control_battery", home.serial, user=home.user, **HOLD)
    assert refused.value.translation_placeholders == {"entity": "Battery control", "limit": "80"}
    assert home.words == home.before


async def test_an_order_that_the_budget_does_not_renew_ends_and_its_owner_is_named(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """It was asked for again at 10:01, until 12:01; when it is to be written at 10:46, others have used the writes up."""
    await jso.order(**HOLD, owner="planner")
    await jso.order(mode="hold", duration=120, owner="planner")
    for _ in range(69):
        unit_of(jso.entry).device.wear.count((), range(148, 178))
    jso.plant.advance(47 * 60)
    await wait(jso.hass, jso.freezer, 47)
    told = repairs(jso.hass)[f"{machine_tag(SERIAL)}_busy_automation_tou_slot_1_time"]
    assert told == {
        "name": "JSO8048104",
        "entity": "Battery control",
        "limit": "70",
        "automation": "planner",
    }
    jso.plant.advance(20 * 60)
    await wait(jso.hass, jso.freezer, 20)
    assert jso.happened == ["started", "ended"]
    assert jso.words == jso.before
