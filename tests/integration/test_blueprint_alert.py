"""What the phone is told: of faults, of the grid, and of a device that does not answer."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)

from .blueprints import automation
from .helpers import SERIAL
from .test_control_actions import device_of
from .test_triggers import ANSWERS, CODES, FAULT, OUTAGE, WARNINGS, show, tell

PHONES: Final = ["notify.phone", "notify.tablet"]


@pytest.fixture
def choices() -> dict[str, Any]:
    """Return what somebody has chosen beside the inverter and the phones."""
    return {}


@pytest.fixture
async def messages(
    hass: HomeAssistant, loaded: MockConfigEntry, choices: dict[str, Any]
) -> AsyncIterator[list[ServiceCall]]:
    """Return what is sent to two phones."""
    sent = async_mock_service(hass, "notify", "send_message")
    inputs = {"devices": [device_of(hass, SERIAL)], "phones": PHONES}
    async with automation(hass, "alert", **inputs | choices):
        yield sent


def fault(hass: HomeAssistant, code: str, kind: str, meaning: str, second: int) -> None:
    """Have the inverter report a code."""
    tell(hass, FAULT, code.lower(), second, code=code, kind=kind, meaning=meaning)


def text(messages: list[ServiceCall], title: str = "JSO8048104") -> list[str]:
    """Return the messages since the last time; all have the device's name as their title, and go to both phones."""
    for message in messages:
        assert message.data["title"] == title
        assert message.data["entity_id"] == PHONES
    told = [message.data["message"] for message in messages]
    messages.clear()
    return told


async def test_a_fault_is_told_with_its_meaning(
    hass: HomeAssistant, messages: list[ServiceCall]
) -> None:
    """And when it is gone; two of one poll are two messages. Warnings only if somebody wants them."""
    fault(hass, "F24", "fault", "DC insulation impedance failure", 1)
    fault(hass, "F18", "fault", "AC over current fault", 1)
    fault(hass, "W02", "warning", "Fan warning", 2)
    await hass.async_block_till_done()
    assert text(messages) == [
        "Fault F24: DC insulation impedance failure",
        "Fault F18: AC over current fault",
    ]
    show(hass, CODES, "F24", codes=["F24"])
    show(hass, CODES, "none", codes=[])
    await hass.async_block_till_done()
    assert text(messages) == ["Fault F24 is gone."]


@pytest.mark.parametrize("choices", [{"news": ["warning", "fault_cleared"]}])
async def test_only_what_was_chosen_is_told(
    hass: HomeAssistant, messages: list[ServiceCall]
) -> None:
    """Warnings, and no faults."""
    fault(hass, "F24", "fault", "DC insulation impedance failure", 1)
    fault(hass, "W02", "warning", "Fan warning", 2)
    tell(hass, OUTAGE, "started", 3)
    show(hass, WARNINGS, "W02", codes=["W02"])
    show(hass, WARNINGS, "none", codes=[])
    await hass.async_block_till_done()
    assert text(messages) == ["Warning W02: Fan warning", "Warning W02 is gone."]


async def test_an_outage_is_told_at_its_begin_and_at_its_end(
    hass: HomeAssistant, messages: list[ServiceCall]
) -> None:
    """With the minutes that it has lasted, if they are known."""
    tell(hass, OUTAGE, "started", 1)
    tell(hass, OUTAGE, "ended", 2, duration=90)
    tell(hass, OUTAGE, "ended", 3, duration=None)
    await hass.async_block_till_done()
    assert text(messages, "JSO8048104 grid") == [
        "The grid has failed.",
        "The grid is back after 2 min.",
        "The grid is back.",
    ]


async def test_silence_is_told_after_ten_minutes(
    hass: HomeAssistant, messages: list[ServiceCall]
) -> None:
    """Of the inverter."""
    show(hass, ANSWERS, STATE_ON)
    show(hass, ANSWERS, STATE_OFF)
    now = dt_util.utcnow()
    async_fire_time_changed(hass, now + timedelta(minutes=9))
    await hass.async_block_till_done()
    assert text(messages) == []
    async_fire_time_changed(hass, now + timedelta(minutes=11))
    await hass.async_block_till_done()
    assert text(messages) == ["It does not answer any more."]
