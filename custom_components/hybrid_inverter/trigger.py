"""The triggers: what happens at an inverter, at the grid, to a setting, to the schedule, and to an order of the battery."""

from asyncio import Task
from typing import Any, ClassVar, Final, override

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN, EventEntityStateAttribute
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.const import STATE_OFF, STATE_UNAVAILABLE, Platform
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, State, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.trigger import (
    ENTITY_STATE_TRIGGER_SCHEMA,
    EntityTargetStateTriggerBase,
    EntityTriggerBase,
    NotTriggeredReasonReporter,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
import voluptuous as vol

from .control.automations import CONTROL_TRIGGERS
from .entities.link import LINK_CONNECTIVITY
from .event import ENDED, STARTED
from .modbus.model.codec import as_number
from .modbus.model.condition import BY_STATE_OF_CHARGE
from .modbus.model.reserve import reserve_in_force
from .runtime.automations import (
    Teller,
    options_schema,
    some_of,
    telling,
    unit_of_entity,
)
from .runtime.setting_news import ATTR_CHANGE, CHANGED_ELSEWHERE, TAKEN_BACK
from .schedule.automations import ACTIVE_SLOTS, SLOT_OPTION, active_slot, is_slot

EVENTS: Final = {EVENT_DOMAIN: DomainSpec()}
SENSORS: Final = {SENSOR_DOMAIN: DomainSpec()}
BINARY_SENSORS: Final = {Platform.BINARY_SENSOR.value: DomainSpec()}

CONF_CODE: Final = "code"
CONF_KIND: Final = "kind"
ATTR_CODES: Final = "codes"

FAULT: Final = "fault"
WARNING: Final = "warning"
KINDS: Final = (FAULT, WARNING)
CHANGES: Final = (CHANGED_ELSEWHERE, TAKEN_BACK)
FAULT_SCHEMA: Final = ENTITY_STATE_TRIGGER_SCHEMA.extend(
    options_schema(
        {
            vol.Optional(CONF_KIND): some_of(KINDS),
            vol.Optional(CONF_CODE): vol.All(
                cv.ensure_list, vol.Length(min=1), [vol.All(cv.string, vol.Strip, vol.Upper)]
            ),
        }
    )
)


class UnitEventTrigger(StatelessEntityTriggerBase):
    """Something that an event of a unit tells."""

    _domain_specs = EVENTS
    _teller: ClassVar[Teller]
    # What the event tells.
    _types: frozenset[str]

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """The event of whatever belongs to a unit."""
        return telling(self._hass, entities, self._teller)

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        """Whether it is what was waited for."""
        return state.attributes.get(EventEntityStateAttribute.EVENT_TYPE) in self._types


class GridLostTrigger(UnitEventTrigger):
    """The grid has gone."""

    _teller = (Platform.EVENT, "outage")
    _types = frozenset({STARTED})


class GridBackTrigger(UnitEventTrigger):
    """The grid is there again."""

    _teller = (Platform.EVENT, "outage")
    _types = frozenset({ENDED})


class SettingChangedTrigger(UnitEventTrigger):
    """A setting that Home Assistant has made holds something else: changed elsewhere, or taken back by the machine."""

    _schema = ENTITY_STATE_TRIGGER_SCHEMA.extend(
        options_schema({vol.Optional(ATTR_CHANGE): some_of(CHANGES)})
    )
    _teller = (Platform.EVENT, "setting_changed")

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Read which changes are asked for."""
        super().__init__(hass, config)
        self._types = frozenset(self._options.get(ATTR_CHANGE, CHANGES))


class FaultAppearedTrigger(UnitEventTrigger):
    """A code of a fault or a warning has appeared."""

    _schema = FAULT_SCHEMA
    _teller = (Platform.EVENT, FAULT)

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Several codes of one poll appear in the same millisecond, which is all that the state tells."""
        return from_state.state != to_state.state or from_state.attributes != to_state.attributes

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        """Whether it is of the kind and the codes that are asked for."""
        attributes = state.attributes
        return _is_asked_for(self._options, attributes.get(CONF_KIND), attributes.get(CONF_CODE))


class FaultClearedTrigger(EntityTriggerBase):
    """A code of a fault or a warning is gone: once for each, which the trigger names with its kind."""

    _domain_specs = SENSORS
    _schema = FAULT_SCHEMA
    # What is gone when a silent machine is back has been cleared, too.
    _excluded_from_states: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """The codes of each sensor as they were last known, and those that are gone since."""
        super().__init__(hass, config)
        self._known: dict[str, frozenset[str]] = {}
        self._gone: list[tuple[str, str]] = []

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """The sensors of the codes of whatever belongs to an inverter."""
        tellers = [(Platform.SENSOR, kind) for kind in KINDS]
        found = telling(self._hass, entities, *tellers)
        for entity_id in found - self._known.keys():
            # The machine may be silent before one of these codes is gone.
            state = self._hass.states.get(entity_id)
            if state is not None and state.state not in self._excluded_states:
                self._known[entity_id] = _codes(state)
        return found

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Whether codes that are asked for are gone."""
        entity_id = to_state.entity_id
        before, now = self._known.get(entity_id, _codes(from_state)), _codes(to_state)
        self._known[entity_id] = now
        unit = unit_of_entity(self._hass, entity_id)
        if unit is None or (faults := unit.faults) is None:
            return False
        warnings = telling(self._hass, [entity_id], (Platform.SENSOR, WARNING))
        field = WARNING if entity_id in warnings else FAULT
        self._gone = [
            (code, kind)
            for code in sorted(before - now - faults.rules.no_grid)
            if _is_asked_for(self._options, kind := faults.kind(field, code), code)
        ]
        return bool(self._gone)

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Run the actions for each code."""

        @callback
        def run(
            extra_trigger_payload: dict[str, Any],
            description: str,
            context: Context | None = None,
        ) -> Task[Any]:
            tasks = [
                run_action(
                    {**extra_trigger_payload, CONF_CODE: code, CONF_KIND: kind},
                    description,
                    context,
                )
                for code, kind in self._gone
            ]
            return tasks[-1]

        return await super().async_attach_runner(run, did_not_trigger)


def _is_asked_for(options: dict[str, Any], kind: str | None, code: str | None) -> bool:
    """Whether an automation with these options waits for a code of a kind."""
    return kind in options.get(CONF_KIND, KINDS) and code in options.get(CONF_CODE, (code,))


def _codes(state: State) -> frozenset[str]:
    """The codes that a sensor shows."""
    return frozenset(state.attributes.get(ATTR_CODES, ()))


class DeviceSilentTrigger(EntityTargetStateTriggerBase):
    """An inverter, a meter or a link has not answered for some time."""

    _domain_specs = BINARY_SENSORS
    _primary_entities_only = False

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Wait for the state that says that nobody answers."""
        super().__init__(hass, config)
        self._to_states = {STATE_OFF}

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """What tells whether the unit or the link of any of them answers."""
        tellers = [(Platform.BINARY_SENSOR, key) for key in ("connectivity", LINK_CONNECTIVITY.key)]
        return telling(self._hass, entities, *tellers)


class SlotStartedTrigger(EntityTriggerBase):
    """A slot of the schedule is in force from now on."""

    _domain_specs = SENSORS
    _schema = ENTITY_STATE_TRIGGER_SCHEMA.extend(options_schema(SLOT_OPTION))
    # Without a slot in force, its number is unknown.
    _excluded_from_states: ClassVar[frozenset[str]] = frozenset({STATE_UNAVAILABLE})

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """What tells which slot of an inverter is in force."""
        return telling(self._hass, entities, *ACTIVE_SLOTS)

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Whether it is another slot than before: one that charges may directly follow another one that does."""
        return active_slot(from_state) != active_slot(to_state)

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        """Whether it is one that is asked for."""
        return is_slot(state, self._options)


class ReserveReachedTrigger(EntityTriggerBase):
    """The battery was used down to its reserve for an outage."""

    _domain_specs = SENSORS
    _schema = ENTITY_STATE_TRIGGER_SCHEMA

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """The state of charge of the battery of whatever belongs to an inverter."""
        return telling(self._hass, entities, (Platform.SENSOR, "battery_soc"))

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Whether it was above the reserve before, and is no longer."""
        reserve = _reserve_of(self._hass, to_state.entity_id)
        before, now = _percent(from_state), _percent(to_state)
        if reserve is None or before is None or now is None:
            return False
        return now <= reserve < before


def _reserve_of(hass: HomeAssistant, entity_id: str) -> float | None:
    """The reserve in percent of the unit that an entity belongs to; None where there is none, or it is not known."""
    unit = unit_of_entity(hass, entity_id)
    if unit is None or not (reserves := unit.device.family.reserves):
        return None
    values = unit.device.values
    if not BY_STATE_OF_CHARGE.is_met(values):
        return None
    return as_number(values.get(reserve_in_force(reserves, values).key))


def _percent(state: State) -> float | None:
    """What a sensor shows, as a number."""
    try:
        return float(state.state)
    except ValueError:
        return None


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "fault_appeared": FaultAppearedTrigger,
    "fault_cleared": FaultClearedTrigger,
    "grid_lost": GridLostTrigger,
    "grid_back": GridBackTrigger,
    "setting_changed": SettingChangedTrigger,
    "device_silent": DeviceSilentTrigger,
    "slot_started": SlotStartedTrigger,
    "battery_reserve_reached": ReserveReachedTrigger,
    **CONTROL_TRIGGERS,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """What Home Assistant asks for."""
    return TRIGGERS
