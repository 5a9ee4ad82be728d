"""The dialogs that add an entry or reconfigure it; their steps are in `flow/`, a file for each topic."""

from typing import Any, Final, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentryFlow,
    FlowType,
)
from homeassistant.core import callback

from .const import (
    CONF_TYPE,
    DOMAIN,
    SUBENTRY_INVERTER,
    SUBENTRY_METER,
    TYPE_LISTEN,
    TYPE_PLANT,
)
from .entry.data import is_plant
from .flow.link import LINK_TYPES, STEP_SEARCH, LinkSteps
from .flow.listen import ListenMeterFlow, ListenSteps
from .flow.machines import InverterFlow, MeterFlow
from .flow.options import SOURCE_ADDED, HybridInverterOptionsFlow
from .flow.plant import PlantSteps

# What can be added to an existing entry, by the type of its link.
UNITS: Final[dict[str, type[ConfigSubentryFlow]]] = {
    SUBENTRY_INVERTER: InverterFlow,
    SUBENTRY_METER: MeterFlow,
}
UNIT_FLOWS: Final[dict[str, dict[str, type[ConfigSubentryFlow]]]] = {
    **dict.fromkeys(LINK_TYPES, UNITS),
    TYPE_LISTEN: {SUBENTRY_METER: ListenMeterFlow},
}


class HybridInverterConfigFlow(LinkSteps, ListenSteps, PlantSteps, domain=DOMAIN):
    """Finds a device before anything is saved: by polling it, by listening, or among those that are set up."""

    VERSION = 1
    MINOR_VERSION = 2

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> HybridInverterOptionsFlow:
        """The flow of an entry's options."""
        return HybridInverterOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """The flows of what can be added to an entry."""
        return UNIT_FLOWS.get(config_entry.data[CONF_TYPE], {})

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how the device is connected."""
        return self.async_show_menu(
            step_id="user", menu_options=[*LINK_TYPES, STEP_SEARCH, TYPE_LISTEN, TYPE_PLANT]
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change the members of a plant, or ask where the link leads now; it may be another kind of link."""
        entry = self._get_reconfigure_entry()
        if is_plant(entry):
            return await self.async_step_plant()
        if not entry.subentries:
            return self.async_abort(reason="no_machine")
        if entry.data[CONF_TYPE] == TYPE_LISTEN:
            # An entry that listens stays silent wherever it moves.
            return await self.async_step_listen()
        return self.async_show_menu(step_id="reconfigure", menu_options=LINK_TYPES)

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Go on with what is next, now that the entry is set up."""
        following = await self.hass.config_entries.options.async_init(
            result["result"].entry_id, context={"source": SOURCE_ADDED}
        )
        result["next_flow"] = (FlowType.OPTIONS_FLOW, following["flow_id"])
        return result
