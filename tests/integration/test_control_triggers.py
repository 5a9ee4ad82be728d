"""The triggers and the condition of battery control, in automations."""

from typing import Any, Final

from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.const import STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import condition, entity_registry as er, trigger
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service
import voluptuous as vol

from custom_components.hybrid_inverter.const import DOMAIN

from .helpers import SERIAL, unit_of

STARTED: Final = "battery_control_started"
TARGET_REACHED: Final = "battery_control_target_reached"
NOT_FOLLOWED: Final = "battery_control_not_followed"
ENDED: Final = "battery_control_ended"


def show(hass: HomeAssistant, entry: MockConfigEntry, platform: Platform, key: str) -> str:
    """Return an entity of the inverter that has not told anything yet."""
    unit = unit_of(entry)
    entity = er.async_get(hass).async_get_or_create(
        platform,
        DOMAIN,
        f"{SERIAL}_{key}",
        config_entry=entry,
        config_subentry_id=unit.subentry_id,
        device_id=unit.device_id,
    )
    hass.states.async_set(entity.entity_id, STATE_UNKNOWN)
    return entity.entity_id


def tell(
    hass: HomeAssistant, entity_id: str, happened: str, mode: str = "charge", second: int = 0
) -> None:
    """Have something happen to an order."""
    hass.states.async_set(
        entity_id,
        f"2026-06-21T08:00:{second:02}.000+00:00",
        {"event_type": happened, "mode": mode, "owner": "Cheap hours"},
    )


async def automate(
    hass: HomeAssistant, entry: MockConfigEntry, name: str, **options: Any
) -> list[ServiceCall]:
    """Return what an automation with this trigger for the inverter is going to do."""
    calls: list[ServiceCall] = async_mock_service(hass, "test", "noted")
    assert await async_setup_component(
        hass,
        AUTOMATION,
        {
            AUTOMATION: {
                "triggers": {
                    "trigger": f"{DOMAIN}.{name}",
                    "target": {"device_id": unit_of(entry).device_id},
                    "options": options,
                },
                "actions": {
                    "action": "test.noted",
                    "data": {
                        "happened": "{{ trigger.to_state.attributes.event_type }}",
                        "mode": "{{ trigger.to_state.attributes.mode }}",
                        "owner": "{{ trigger.to_state.attributes.owner }}",
                    },
                },
            }
        },
    )
    return calls


def noted(calls: list[ServiceCall]) -> list[tuple[str, str]]:
    """Return what has happened, and to orders of which mode."""
    return [(call.data["happened"], call.data["mode"]) for call in calls]


EVERYTHING: Final = (
    *("started", "extended", "changed", "target_reached", "not_followed", "ended", "released"),
    *("overridden", "failed", "restored_at_start", "adopted_at_start"),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (STARTED, ["started"]),
        (TARGET_REACHED, ["target_reached"]),
        (NOT_FOLLOWED, ["not_followed"]),
        (ENDED, ["ended", "released", "overridden", "failed", "restored_at_start"]),
    ],
)
async def test_each_trigger_waits_for_what_its_name_says(
    hass: HomeAssistant, loaded: MockConfigEntry, name: str, expected: list[str]
) -> None:
    """Of everything that can happen to an order; the first event of all counts."""
    event = show(hass, loaded, Platform.EVENT, "battery_control")
    calls = await automate(hass, loaded, name)
    for second, happened in enumerate(EVERYTHING):
        tell(hass, event, happened, second=second)
    await hass.async_block_till_done()
    assert noted(calls) == [(happened, "charge") for happened in expected]
    assert {call.data["owner"] for call in calls} == {"Cheap hours"}


async def test_a_trigger_may_wait_for_some_modes(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """One or several."""
    event = show(hass, loaded, Platform.EVENT, "battery_control")
    calls = await automate(hass, loaded, STARTED, mode=["charge", "export_limit"])
    for second, mode in enumerate(("hold", "charge", "discharge", "export_limit", "no_charge")):
        tell(hass, event, "started", mode, second)
    await hass.async_block_till_done()
    assert noted(calls) == [("started", "charge"), ("started", "export_limit")]


async def test_the_end_may_be_waited_for_by_its_reason(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """One that is given alone is no list."""
    event = show(hass, loaded, Platform.EVENT, "battery_control")
    calls = await automate(hass, loaded, ENDED, reason="overridden")
    for second, happened in enumerate(("ended", "overridden", "released")):
        tell(hass, event, happened, second=second)
    await hass.async_block_till_done()
    assert noted(calls) == [("overridden", "charge")]


async def test_two_orders_that_end_at_the_same_time_end_both(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The state of an event only tells when it was, in milliseconds."""
    event = show(hass, loaded, Platform.EVENT, "battery_control")
    calls = await automate(hass, loaded, ENDED)
    tell(hass, event, "released", "hold")
    tell(hass, event, "released", "export_limit")
    await hass.async_block_till_done()
    assert noted(calls) == [("released", "hold"), ("released", "export_limit")]


async def test_other_events_of_the_inverter_do_not_trigger(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """An outage begins and ends with the same words."""
    outage = show(hass, loaded, Platform.EVENT, "outage")
    calls = await automate(hass, loaded, STARTED)
    tell(hass, outage, "started")
    await hass.async_block_till_done()
    assert calls == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (STARTED, {"mode": "auto"}),
        (STARTED, {"mode": []}),
        (STARTED, {"reason": "ended"}),
        (ENDED, {"reason": "started"}),
    ],
)
async def test_a_trigger_with_an_option_that_it_does_not_have_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, name: str, options: dict[str, Any]
) -> None:
    """Before anybody waits for it."""
    config = {
        "platform": f"{DOMAIN}.{name}",
        "target": {"device_id": unit_of(loaded).device_id},
        "options": options,
    }
    with pytest.raises(vol.Invalid):
        await trigger.async_validate_trigger_config(hass, [config])


# ---------------------------------------------------------------------- the condition


async def is_met(hass: HomeAssistant, entry: MockConfigEntry, **options: Any) -> bool | None:
    """Return whether the battery is controlled, as the condition says."""
    config = await condition.async_validate_condition_config(
        hass,
        {
            "condition": f"{DOMAIN}.battery_is_controlled",
            "target": {"device_id": unit_of(entry).device_id},
            "options": options,
        },
    )
    checker = await condition.async_from_config(hass, config)
    return checker.async_check()


@pytest.mark.parametrize(
    ("state", "any_mode", "to_charge"),
    [
        ("auto", False, False),
        ("hold", True, False),
        ("charge", True, True),
        ("discharge", True, False),
        ("no_charge", True, False),
        ("idle", True, False),
        ("unknown", False, False),
        ("unavailable", False, False),
    ],
)
async def test_the_condition_tells_what_the_battery_does(
    hass: HomeAssistant, *, loaded: MockConfigEntry, state: str, any_mode: bool, to_charge: bool
) -> None:
    """In any mode, or in the one that is asked for."""
    select = show(hass, loaded, Platform.SELECT, "battery_control")
    hass.states.async_set(select, state)
    assert await is_met(hass, loaded) is any_mode
    assert await is_met(hass, loaded, mode="charge") is to_charge


async def test_the_condition_takes_several_modes(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """One of them is enough."""
    select = show(hass, loaded, Platform.SELECT, "battery_control")
    hass.states.async_set(select, "hold")
    assert await is_met(hass, loaded, mode=["charge", "hold"]) is True
    assert await is_met(hass, loaded, mode=["charge", "discharge"]) is False


async def test_other_selections_of_the_inverter_do_not_count(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Whatever they are called."""
    work_mode = show(hass, loaded, Platform.SELECT, "work_mode")
    select = show(hass, loaded, Platform.SELECT, "battery_control")
    hass.states.async_set(work_mode, "charge")
    hass.states.async_set(select, "auto")
    assert await is_met(hass, loaded) is False
