"""The triggers: what has happened to an order of the battery, or to an export limit."""

from typing import Final, override

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN, EventEntityStateAttribute
from homeassistant.const import ATTR_MODE, CONF_MODE
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.trigger import (
    ENTITY_STATE_TRIGGER_SCHEMA,
    NotTriggeredReasonReporter,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerConfig,
)
import voluptuous as vol

from .control.automations import MODES, battery_controls, modes_chosen, options_schema, some_of
from .control.request import ControlEventType

CONF_REASON: Final = "reason"

EVENTS: Final = {EVENT_DOMAIN: DomainSpec()}
# How an order can come to its end.
REASONS: Final = tuple(
    reason.value
    for reason in (
        ControlEventType.ENDED,
        ControlEventType.RELEASED,
        ControlEventType.OVERRIDDEN,
        ControlEventType.FAILED,
        ControlEventType.RESTORED_AT_START,
    )
)


class OrderTrigger(StatelessEntityTriggerBase):
    """Something that has happened to an order, of any mode or of some."""

    _domain_specs = EVENTS
    _schema = ENTITY_STATE_TRIGGER_SCHEMA.extend(
        options_schema({vol.Optional(CONF_MODE): some_of(MODES)})
    )
    # What may have happened.
    _types: frozenset[str]

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Read which modes are asked for."""
        super().__init__(hass, config)
        self._modes = modes_chosen(config.options, MODES)

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Of all events only those that tell of battery control."""
        return battery_controls(self._hass, super().entity_filter(entities))

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Two orders may end in the same millisecond, which is all that the state tells."""
        return from_state.state != to_state.state or _told(from_state) != _told(to_state)

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        """Whether it is what was waited for."""
        happened, mode = _told(state)
        return happened in self._types and mode in self._modes


def _told(state: State) -> tuple[str | None, str | None]:
    """What has happened, and to an order of which mode."""
    attributes = state.attributes
    return attributes.get(EventEntityStateAttribute.EVENT_TYPE), attributes.get(ATTR_MODE)


class StartedTrigger(OrderTrigger):
    """An order is in force."""

    _types = frozenset({ControlEventType.STARTED})


class TargetReachedTrigger(OrderTrigger):
    """The battery holds what it was to hold; the order goes on."""

    _types = frozenset({ControlEventType.TARGET_REACHED})


class NotFollowedTrigger(OrderTrigger):
    """For some minutes something else flows than was ordered; the order goes on."""

    _types = frozenset({ControlEventType.NOT_FOLLOWED})


class EndedTrigger(OrderTrigger):
    """An order is no longer in force, for any reason or for some."""

    _schema = ENTITY_STATE_TRIGGER_SCHEMA.extend(
        options_schema(
            {vol.Optional(CONF_MODE): some_of(MODES), vol.Optional(CONF_REASON): some_of(REASONS)}
        )
    )

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Read which modes and reasons are asked for."""
        super().__init__(hass, config)
        self._types = frozenset((config.options or {}).get(CONF_REASON, REASONS))


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "battery_control_started": StartedTrigger,
    "battery_control_target_reached": TargetReachedTrigger,
    "battery_control_not_followed": NotFollowedTrigger,
    "battery_control_ended": EndedTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """What Home Assistant asks for."""
    return TRIGGERS
