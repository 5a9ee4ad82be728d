"""Adding an inverter to a link that is in use."""

from typing import Any, ClassVar, override

from homeassistant.config_entries import SubentryFlowResult
import voluptuous as vol

from .const import CONF_RATED_POWER, SUBENTRY_INVERTER
from .flow_schemas import UNIT_ID, rated_power_schema
from .flow_units import UnitFlow
from .naming import async_inverter_name
from .stored import unit_data


class InverterFlow(UnitFlow):
    """An inverter tells who it is, and some of them not how strong they are."""

    kind: ClassVar[str] = SUBENTRY_INVERTER
    settings: ClassVar[vol.Schema] = vol.Schema(UNIT_ID)

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask whether the unit id is known."""
        return await self._async_ask_for_the_way("user")

    @override
    async def _async_identified(self) -> SubentryFlowResult:
        """Go on with the rated power, if the inverter does not tell it."""
        return await self.async_step_rated_power()

    async def async_step_rated_power(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the rated power of an inverter that does not tell it; the others are done."""
        identity = self._identity
        if user_input is not None:
            identity = identity.with_rated_power(user_input[CONF_RATED_POWER])
        if identity.lacks_rated_power:
            return self.async_show_form(
                step_id=CONF_RATED_POWER,
                data_schema=rated_power_schema(identity.rated_powers),
                description_placeholders={"model": identity.model, "serial": identity.serial},
            )
        return self.async_create_entry(
            title=async_inverter_name(self.hass, identity),
            data=unit_data(self._unit_id, identity),
            unique_id=identity.serial,
        )
