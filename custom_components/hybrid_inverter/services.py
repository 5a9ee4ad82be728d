"""The actions: what is done to an inverter as a whole, and not to one of its entities."""

from typing import Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.service import async_register_admin_service
import voluptuous as vol

from .const import DOMAIN
from .control.services import (
    CONTROL_SCHEMA,
    LIMIT_SCHEMA,
    RELEASE_SCHEMA,
    STATE_SCHEMA,
    async_control_battery,
    async_get_control,
    async_limit_export,
    async_release_battery,
)
from .dashboard.services import DASHBOARD_SCHEMA, async_get_dashboard
from .doctor.services import TEST_SCHEMA, async_test_wiring
from .maintenance.adopt_entities import ADOPT_SCHEMA, async_adopt_entities
from .maintenance.read_registers import READ_SCHEMA, async_read_registers
from .planners.services import CONFIGURATION_SCHEMA, async_get_planner_configuration
from .runtime.targets import TARGET, async_units_of_call
from .runtime.undo import async_undo
from .schedule.request import GET_SCHEMA, SET_SCHEMA
from .schedule.services import async_get_schedule, async_set_schedule

UNDO_SCHEMA: Final = vol.Schema(TARGET)


@callback
def async_setup_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        "get_schedule",
        async_get_schedule,
        schema=GET_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        "set_schedule",
        async_set_schedule,
        schema=SET_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN, "undo_last_change", async_undo_last_change, schema=UNDO_SCHEMA
    )
    for name, action, schema in (
        ("control_battery", async_control_battery, CONTROL_SCHEMA),
        ("release_battery", async_release_battery, RELEASE_SCHEMA),
        ("limit_export", async_limit_export, LIMIT_SCHEMA),
        ("test_wiring", async_test_wiring, TEST_SCHEMA),
    ):
        hass.services.async_register(
            DOMAIN, name, action, schema=schema, supports_response=SupportsResponse.OPTIONAL
        )
    for name, reading, schema in (
        ("get_control", async_get_control, STATE_SCHEMA),
        ("read_registers", async_read_registers, READ_SCHEMA),
        ("get_dashboard", async_get_dashboard, DASHBOARD_SCHEMA),
        (
            "get_planner_configuration",
            async_get_planner_configuration,
            CONFIGURATION_SCHEMA,
        ),
    ):
        hass.services.async_register(
            DOMAIN, name, reading, schema=schema, supports_response=SupportsResponse.ONLY
        )
    # Only an administrator renames entities.
    async_register_admin_service(
        hass,
        DOMAIN,
        "adopt_entities",
        async_adopt_entities,
        schema=ADOPT_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )


async def async_undo_last_change(call: ServiceCall) -> None:
    """Put the last change of a setting back, of each inverter; the first error is raised when all have had their turn."""
    errors: list[HomeAssistantError] = []
    for unit in await async_units_of_call(call, POLICY_CONTROL):
        try:
            await async_undo(unit)
        except HomeAssistantError as err:
            errors.append(err)
    if errors:
        raise errors[0]
