"""The options of an entry, and what comes after adding it."""

from typing import Any, Final

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlowWithReload,
)

from ..const import (
    CONF_MAY_SELL,
    CONF_TYPE,
    DOCS_URL,
    SUBENTRY_INVERTER,
    TYPE_LISTEN,
)
from ..entry.data import first_unit, is_plant
from ..entry.mirror import may_mirror
from ..modbus.model.export_limit import exports_freely
from .energy import STEP_ENERGY, EnergySteps
from .mirror import STEP_MIRROR, MirrorSteps
from .schemas import CONTROL_OPTIONS, LISTEN_OPTIONS, OPTIONS

# Where an options flow comes from that goes on from adding the entry.
SOURCE_ADDED: Final = "added"
STEP_SETTINGS: Final = "settings"
STEP_FINISH: Final = "finish"
# Where the page about what is next leads; a text must not have an address in it.
NEXT_LINKS: Final = {
    "control_url": f"{DOCS_URL}/battery-control.md",
    "dashboard_url": f"{DOCS_URL}/dashboard.md",
    "plant_url": f"{DOCS_URL}/plant.md",
    "schedule_url": f"{DOCS_URL}/schedule.md",
}


class HybridInverterOptionsFlow(EnergySteps, MirrorSteps, OptionsFlowWithReload):
    """The Energy dashboard, how often each group is polled, what may be written, what orders may do, and the mirror."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to do: there are no settings of a plant, and nothing is polled where there is only listening."""
        of_plant = is_plant(self.config_entry)
        if self._is_next:
            if of_plant:
                return await self.async_step_next_plant()
            if self._has_inverter:
                return await self.async_step_next_inverter()
            return await self.async_step_next_meter()
        if of_plant:
            return await self.async_step_energy()
        choices = [self._settings, STEP_ENERGY]
        if may_mirror(self.config_entry):
            choices.append(STEP_MIRROR)
        return self.async_show_menu(step_id="init", menu_options=choices)

    @property
    def _is_next(self) -> bool:
        """Whether this goes on from adding the entry.

        The page of Home Assistant 2026.11 is told the flow that does, but opens one of its own, in whose favour that one
        is ended.
        """
        manager = self.hass.config_entries.options
        waiting = [
            flow["flow_id"]
            for flow in manager.async_progress_by_handler(self.handler)
            if flow["flow_id"] != self.flow_id and flow["context"].get("source") == SOURCE_ADDED
        ]
        for flow_id in waiting:
            manager.async_abort(flow_id)
        return self.source == SOURCE_ADDED or bool(waiting)

    @property
    def _settings(self) -> str:
        """The step that asks for the settings of a link."""
        listens = self.config_entry.data[CONF_TYPE] == TYPE_LISTEN
        return TYPE_LISTEN if listens else STEP_SETTINGS

    @property
    def _has_inverter(self) -> bool:
        """Whether there is an inverter on the link."""
        units = self.config_entry.subentries.values()
        return any(unit.subentry_type == SUBENTRY_INVERTER for unit in units)

    async def async_step_next_plant(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that a plant was added, and what can be done with it."""
        return self._show_next("next_plant", [STEP_ENERGY], plant=self.config_entry.title)

    async def async_step_next_inverter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say which inverter was added, and what can be done with it."""
        _, identity = first_unit(self.config_entry)
        choices = [STEP_ENERGY, self._settings]
        return self._show_next(
            "next_inverter", choices, model=identity.model, serial=identity.serial
        )

    async def async_step_next_meter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say which meter was added, and what can be done with it."""
        _, identity = first_unit(self.config_entry)
        return self._show_next("next_meter", [STEP_ENERGY, self._settings], model=identity.model)

    def _show_next(self, step_id: str, choices: list[str], **added: str) -> ConfigFlowResult:
        """Show what can be done now, or left for later."""
        return self.async_show_menu(
            step_id=step_id,
            menu_options=[*choices, STEP_FINISH],
            description_placeholders={**NEXT_LINKS, **added},
        )

    async def async_step_finish(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Leave everything as it is."""
        return self.async_create_entry(data=dict(self.config_entry.options))

    async def async_step_settings(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the intervals and the tier, and, where there is an inverter, what orders may do."""
        if user_input is not None:
            return self.async_create_entry(data=self._chosen(user_input) | self._mirror)
        return self.async_show_form(
            step_id=STEP_SETTINGS,
            data_schema=self.add_suggested_values_to_schema(
                CONTROL_OPTIONS if self._has_inverter else OPTIONS,
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
