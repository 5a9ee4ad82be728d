"""Adding what is set up to Home Assistant's Energy dashboard, after a person has seen what that is."""

from collections.abc import Iterable
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..energy.dashboard import NoDashboardError, NotAcceptedError, Offer, async_add, async_survey
from ..energy.proposals import Proposal
from ..energy.sources import CAPACITY
from ..entry.texts import async_load_texts, async_text

STEP_ENERGY: Final = "energy"
CONF_SOURCES: Final = "sources"
# Home Assistant's page of the dashboard; a text must not have an address in it.
ENERGY_PAGE: Final = "/energy"


class EnergySteps(OptionsFlow):
    """From what the dashboard lacks to the dashboard with it."""

    async def async_step_energy(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what can be added, and add what is ticked."""
        try:
            survey = await async_survey(self.hass)
        except NoDashboardError:
            return self.async_abort(reason="no_energy_dashboard")
        await async_load_texts(self.hass, "selector")
        if not survey.offers:
            present = [_source_name(self.hass, one) for one in survey.present]
            return self.async_abort(
                reason="energy_complete" if present else "energy_nothing",
                description_placeholders={"sources": _listed(present), "energy_url": ENERGY_PAGE},
            )
        labels = {offer.proposal.key: _label(self.hass, offer) for offer in survey.offers}
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = [one for one in survey.offers if one.proposal.key in user_input[CONF_SOURCES]]
            if chosen:
                return await self._async_add_to_energy(chosen, labels)
            errors[CONF_SOURCES] = "nothing_chosen"
        safe = [offer.proposal.key for offer in survey.offers if offer.is_safe]
        return self.async_show_form(
            step_id=STEP_ENERGY, data_schema=energy_schema(labels, safe), errors=errors
        )

    async def _async_add_to_energy(
        self, chosen: list[Offer], labels: dict[str, str]
    ) -> ConfigFlowResult:
        """Add what was chosen, and say so."""
        try:
            await async_add(self.hass, chosen)
        except NotAcceptedError:
            return self.async_abort(
                reason="energy_not_accepted", description_placeholders={"energy_url": ENERGY_PAGE}
            )
        return self.async_abort(
            reason="energy_added",
            description_placeholders={
                "sources": _listed(labels[offer.proposal.key] for offer in chosen),
                "energy_url": ENERGY_PAGE,
            },
        )


def energy_schema(labels: dict[str, str], ticked: list[str]) -> vol.Schema:
    """The form of what can be added, by its label."""
    config = SelectSelectorConfig(
        options=[SelectOptionDict(value=value, label=label) for value, label in labels.items()],
        multiple=True,
        mode=SelectSelectorMode.LIST,
    )
    return vol.Schema({vol.Required(CONF_SOURCES, default=ticked): SelectSelector(config)})


def _listed(lines: Iterable[str]) -> str:
    """Lines as a list of Markdown."""
    return "\n".join(f"- {line}" for line in lines)


@callback
def _source_name(hass: HomeAssistant, proposal: Proposal) -> str:
    """What a person calls a source."""
    path = f"selector.energy_source.options.{proposal.flow}"
    return async_text(hass, path, device=proposal.device) or proposal.device


@callback
def _label(hass: HomeAssistant, offer: Offer) -> str:
    """A source, and the values that it gets."""
    proposal = offer.proposal
    values = [proposal.names[name] for name in offer.fields if name != CAPACITY]
    if CAPACITY in offer.fields:
        capacity = f"{proposal.source[CAPACITY]:g}"
        path = "selector.energy_source.options.capacity"
        values.append(async_text(hass, path, capacity=capacity) or capacity)
    path = f"selector.energy_source.options.{'completes' if offer.completes else 'adds'}"
    source = _source_name(hass, proposal)
    return async_text(hass, path, source=source, values=", ".join(values)) or source
