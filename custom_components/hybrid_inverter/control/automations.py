"""The triggers of battery control: what has happened to an order; and what they share with its condition."""

from collections.abc import Iterable
from typing import Any, Final, override

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN, EventEntityStateAttribute
from homeassistant.const import ATTR_MODE, CONF_MODE, Platform
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

from ..modbus.control.order import ControlMode
from ..runtime.automations import options_schema, some_of, telling
from .battery import BATTERY_CONTROL
from .request import ControlEventType

# What tells which mode is in force, and what happens to orders.
CONTROL_SELECT: Final = (Platform.SELECT, BATTERY_CONTROL)
CONTROL_EVENT: Final = (Platform.EVENT, BATTERY_CONTROL)

# The modes of an order, and those of them that are about the battery.
MODES: Final = tuple(mode.value for mode in ControlMode)
BATTERY_MODES: Final = tuple(mode for mode in MODES if mode != ControlMode.EXPORT_LIMIT)

EVENTS: Final = {EVENT_DOMAIN: DomainSpec()}

CONF_REASON: Final = "reason"

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


def modes_chosen(options: dict[str, Any] | None, otherwise: Iterable[str]) -> set[str]:
    """The modes that an automation asks for, or these."""
    return set((options or {}).get(CONF_MODE, otherwise))


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
        """The event of battery control of whatever belongs to an inverter."""
        return telling(self._hass, entities, CONTROL_EVENT)

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


CONTROL_TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "battery_control_started": StartedTrigger,
    "battery_control_target_reached": TargetReachedTrigger,
    "battery_control_not_followed": NotFollowedTrigger,
    "battery_control_ended": EndedTrigger,
}
