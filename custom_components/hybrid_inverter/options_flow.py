"""The options of an entry."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload

from .const import CONF_TYPE, TYPE_LISTEN
from .flow_schemas import LISTEN_OPTIONS, OPTIONS


class HybridInverterOptionsFlow(OptionsFlowWithReload):
    """How often each group is polled, and what may be written."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the intervals and the tier."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        if self.config_entry.data[CONF_TYPE] == TYPE_LISTEN:
            return await self.async_step_listen()
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(OPTIONS, self.config_entry.options),
        )

    async def async_step_listen(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the intervals where there is only listening."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id=TYPE_LISTEN,
            data_schema=self.add_suggested_values_to_schema(
                LISTEN_OPTIONS, self.config_entry.options
            ),
        )
