"""The action test_wiring."""

from collections.abc import Sequence
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import Context, ServiceCall, ServiceResponse, callback
from homeassistant.exceptions import HomeAssistantError
import voluptuous as vol

from ..runtime.lookup import async_running_units
from ..runtime.runtime import UnitRuntime
from ..runtime.targets import TARGET, async_units_of_call, response_of
from .report import async_notify, async_notify_failure, failed_report, report_of
from .wiring_test import WiringTest, async_begin_test, async_run_test

TEST_SCHEMA: Final = vol.Schema(TARGET)


async def async_test_wiring(call: ServiceCall) -> ServiceResponse:
    """Test the wiring with the battery of each inverter, one after the other; the report of each.

    Whoever does not wait for the report finds it in a notification.
    """
    units = await async_units_of_call(call, POLICY_CONTROL)
    if call.return_response:
        return await _async_reports(call, units)
    first, *others = units
    _tell_and_go_on(first, await async_begin_test(first, call.context), others, call.context)
    return None


async def _async_reports(call: ServiceCall, units: Sequence[UnitRuntime]) -> ServiceResponse:
    """The reports of all; the first error is raised when none has come to its end."""
    reports: dict[str, dict[str, Any]] = {}
    errors: list[HomeAssistantError] = []
    for unit in units:
        try:
            report = report_of(call.hass, await async_run_test(_as_loaded(unit), call.context))
        except HomeAssistantError as err:
            errors.append(err)
            report = failed_report(call.hass, err)
        reports[unit.device_id] = report
    if len(errors) == len(units):
        raise errors[0]
    return response_of(reports)


@callback
def _tell_and_go_on(
    unit: UnitRuntime, test: WiringTest, others: Sequence[UnitRuntime], context: Context
) -> None:
    """Show what comes of a test, and begin the next one when it is over."""
    hass = unit.hass
    async_notify(unit, test)

    @callback
    def over(_: Any) -> None:
        if others and not hass.is_stopping:
            hass.async_create_background_task(_async_begin_next(others, context), "wiring test")

    test.done.add_done_callback(over)


async def _async_begin_next(units: Sequence[UnitRuntime], context: Context) -> None:
    """Begin a test with the first of these inverters that can be tested."""
    for at, unit in enumerate(map(_as_loaded, units), 1):
        try:
            test = await async_begin_test(unit, context)
        except HomeAssistantError as err:
            async_notify_failure(unit, err)
        else:
            _tell_and_go_on(unit, test, units[at:], context)
            return


def _as_loaded(unit: UnitRuntime) -> UnitRuntime:
    """An inverter as it is now: its entry may have been loaded again while others were tested."""
    return async_running_units(unit.hass).get(unit.identity.serial, unit)
