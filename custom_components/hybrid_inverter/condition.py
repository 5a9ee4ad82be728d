"""The condition: what the battery is made to do now, by an order or by what is set at the inverter."""

from typing import Final, override

from homeassistant.components.select import DOMAIN as SELECT_DOMAIN
from homeassistant.const import CONF_MODE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import (
    ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL,
    Condition,
    ConditionConfig,
    EntityStateConditionBase,
)
import voluptuous as vol

from .control.automations import (
    BATTERY_MODES,
    battery_controls,
    modes_chosen,
    options_schema,
    some_of,
)

SELECTIONS: Final = {SELECT_DOMAIN: DomainSpec()}


class BatteryIsControlled(EntityStateConditionBase):
    """The battery is controlled, in any mode or in one of some; otherwise it does what its owner has set."""

    _domain_specs = SELECTIONS
    _schema = ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL.extend(
        options_schema({vol.Optional(CONF_MODE): some_of(BATTERY_MODES)})
    )

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Read which modes are asked for."""
        super().__init__(hass, config)
        self._states = set(modes_chosen(config.options, BATTERY_MODES))

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Of all selections only that of the mode."""
        return battery_controls(self._hass, super().entity_filter(entities))


CONDITIONS: Final[dict[str, type[Condition]]] = {"battery_is_controlled": BatteryIsControlled}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """What Home Assistant asks for."""
    return CONDITIONS
