"""The action test_wiring."""

from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import ServiceCall, ServiceResponse
import voluptuous as vol

from ..runtime.targets import TARGET, async_units_of_call, response_of
from .report import async_notify, report_of
from .wiring_test import async_begin_test, async_run_test

TEST_SCHEMA: Final = vol.Schema(TARGET)


async def async_test_wiring(call: ServiceCall) -> ServiceResponse:
    """Test the wiring with the battery of each inverter, one after the other; the report of each.

    Whoever does not wait for the report finds it in a notification.
    """
    units = await async_units_of_call(call, POLICY_CONTROL)
    reports: dict[str, dict[str, Any]] = {}
    for unit in units:
        if call.return_response:
            outcome = await async_run_test(unit, call.context)
            reports[unit.device_id] = report_of(call.hass, outcome)
        else:
            async_notify(unit, await async_begin_test(unit, call.context))
    return response_of(reports) if call.return_response else None
