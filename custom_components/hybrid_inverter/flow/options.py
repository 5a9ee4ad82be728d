"""The options of an entry."""

from typing import Any

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlowWithReload,
)

from ..const import CONF_MAY_SELL, CONF_TYPE, SUBENTRY_INVERTER, TYPE_LISTEN
from ..modbus.model.export_limit import exports_freely
from .schemas import CONTROL_OPTIONS, LISTEN_OPTIONS, OPTIONS


class HybridInverterOptionsFlow(OptionsFlowWithReload):
    """How often each group is polled, what may be written, and what orders of the battery may do."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the intervals and the tier, and, where there is an inverter, what orders may do."""
        if user_input is not None:
            return self.async_create_entry(data=self._chosen(user_input))
        if self.config_entry.data[CONF_TYPE] == TYPE_LISTEN:
            return await self.async_step_listen()
        units = self.config_entry.subentries.values()
        has_inverter = any(unit.subentry_type == SUBENTRY_INVERTER for unit in units)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                CONTROL_OPTIONS if has_inverter else OPTIONS,
                {CONF_MAY_SELL: self._sells_at_first, **self.config_entry.options},
            ),
        )

    @property
    def _sells_at_first(self) -> bool:
        """Whether the battery may be sold while nobody has chosen: where an inverter exports without a limit."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return False
        units = self.config_entry.runtime_data.units.values()
        return any(exports_freely(unit.device.values) for unit in units)

    def _chosen(self, answers: dict[str, Any]) -> dict[str, Any]:
        """The answers without a permission that was left as it is shown: it goes on following the inverter."""
        may_sell, before = answers.get(CONF_MAY_SELL), self.config_entry.options
        if CONF_MAY_SELL in before or may_sell is not self._sells_at_first:
            return answers
        return {key: answer for key, answer in answers.items() if key != CONF_MAY_SELL}

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
