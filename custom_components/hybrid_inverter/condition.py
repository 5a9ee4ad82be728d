"""The conditions: what the battery is made to do now, whether the grid is there, and which slot is in force."""

from typing import Final, override

from homeassistant.components.select import DOMAIN as SELECT_DOMAIN
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.const import CONF_MODE, STATE_ON, Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import (
    ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL,
    Condition,
    ConditionConfig,
    EntityConditionBase,
    EntityStateConditionBase,
)
import voluptuous as vol

from .control.automations import BATTERY_MODES, CONTROL_SELECT, modes_chosen
from .runtime.automations import options_schema, some_of, telling
from .schedule.automations import ACTIVE_SLOTS, SLOT_OPTION, is_slot

SELECTIONS: Final = {SELECT_DOMAIN: DomainSpec()}
BINARY_SENSORS: Final = {Platform.BINARY_SENSOR.value: DomainSpec()}
SENSORS: Final = {SENSOR_DOMAIN: DomainSpec()}


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
        """The selection of the mode of whatever belongs to an inverter."""
        return telling(self._hass, entities, CONTROL_SELECT)


class GridIsPresent(EntityStateConditionBase):
    """The grid is there."""

    _domain_specs = BINARY_SENSORS

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Be met while the state says that the grid is there."""
        super().__init__(hass, config)
        self._states = {STATE_ON}

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """What tells of the grid of whatever belongs to an inverter."""
        return telling(self._hass, entities, (Platform.BINARY_SENSOR, "grid_connected"))


class SlotIsActive(EntityConditionBase):
    """A slot of the schedule is in force, any or one of some."""

    _domain_specs = SENSORS
    _schema = ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL.extend(options_schema(SLOT_OPTION))

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Read which slots are asked for."""
        super().__init__(hass, config)
        self._options = config.options

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """What tells which slot of an inverter is in force."""
        return telling(self._hass, entities, *ACTIVE_SLOTS)

    @override
    def is_valid_state(self, entity_state: State) -> bool:
        """Whether it is one that is asked for."""
        return is_slot(entity_state, self._options)


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "battery_is_controlled": BatteryIsControlled,
    "grid_is_present": GridIsPresent,
    "slot_is_active": SlotIsActive,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """What Home Assistant asks for."""
    return CONDITIONS
