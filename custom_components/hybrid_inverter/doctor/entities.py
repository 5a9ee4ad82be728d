"""What the doctor says of an inverter, and the button that starts its test."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfPower
from homeassistant.core import callback

from ..control.entities import OrderEntityDescription
from ..entities.base import UnitEntity, UnitEntityDescription
from ..modbus.doctor.member import INSTRUMENTS
from ..modbus.doctor.verdict import Cause, State, Verdict
from ..modbus.model.family import Family
from ..modbus.model.register import Group
from ..runtime.runtime import UnitRuntime
from .report import as_dict, async_notify
from .setup import feed_of
from .wiring_test import async_begin_test

# The state of several certain causes.
SEVERAL: Final = "several"
EVIDENCE: Final = "evidence"
MINUTES: Final = "minutes"
STEPS: Final = "steps"
CAUSES: Final = "causes"
LAST_TEST: Final = "last_test"


@dataclass(frozen=True, kw_only=True)
class WiringSensorDescription(UnitEntityDescription, SensorEntityDescription):
    """What the doctor says of an inverter."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC

    @override
    def polled_from(self, family: Family) -> frozenset[str]:
        """Nothing; what no device serves where there is nothing to judge."""
        return frozenset() if _is_judged(family) else frozenset({self.key})


@dataclass(frozen=True, kw_only=True)
class WiringButtonDescription(OrderEntityDescription, ButtonEntityDescription):
    """The button of the test; it exists where the battery takes orders."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC

    @override
    def polled_from(self, family: Family) -> frozenset[str]:
        """Nothing, where the battery takes orders."""
        return super().polled_from(family) & {self.key}


WIRING: Final = WiringSensorDescription(
    key="wiring",
    device_class=SensorDeviceClass.ENUM,
    options=[
        *(state.value for state in State if state is not State.WRONG),
        SEVERAL,
        *(cause.value for cause in Cause if cause is not Cause.NO_LOAD_BEFORE),
    ],
)
UNEXPLAINED: Final = WiringSensorDescription(
    key="unexplained_power",
    device_class=SensorDeviceClass.POWER,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfPower.WATT,
    suggested_display_precision=0,
    entity_registry_enabled_default=False,
)
WIRING_SENSORS: Final = (WIRING, UNEXPLAINED)
WIRING_BUTTONS: Final = (WiringButtonDescription(key="test_wiring"),)


def _is_judged(family: Family) -> bool:
    """Whether a device is an inverter of which there is anything to judge."""
    return family.key in INSTRUMENTS and bool(INSTRUMENTS[family.key].terminals)


def wiring_sensor(unit: UnitRuntime, description: WiringSensorDescription) -> SensorEntity:
    """The entity of a description."""
    return (WiringSensor if description is WIRING else UnexplainedSensor)(unit, description)


class DoctorSensor(UnitEntity, SensorEntity):
    """Something that the doctor says of an inverter."""

    entity_description: WiringSensorDescription

    def __init__(self, unit: UnitRuntime, description: WiringSensorDescription) -> None:
        """Follow the group of the settings, which is polled anyway; nothing is polled for it."""
        super().__init__(unit, description, Group.SETTINGS)
        self._feed = feed_of(unit)
        # What was said last.
        self._said: tuple[Any, ...] = ()

    @abstractmethod
    def said(self) -> tuple[Any, ...]:
        """Everything that the state is made of while it is available."""

    @override
    async def async_added_to_hass(self) -> None:
        """Update with every verdict."""
        self._said = self.said()
        await super().async_added_to_hass()
        self.async_on_remove(self._feed.async_add_listener(self._judged))

    @callback
    def _judged(self) -> None:
        """Take a new verdict; polls in between bring no other one."""
        self._said = self.said()
        self.async_write_if_changed()

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, *self._said)

    @property
    @override
    def available(self) -> bool:
        """Whether the powers are polled. A silent device's settings are given up just before its powers."""
        powers = self.unit.coordinators[Group.POWER]
        return self.coordinator.last_update_success and powers.last_update_success

    @property
    def verdict(self) -> Verdict | None:
        """What is known now; None where nobody judges the inverter."""
        watch = self._feed.watch
        return None if watch is None else watch.verdict_at(self.unit.identity.serial)


class WiringSensor(DoctorSensor):
    """What is wrong with the wiring, in a word, and how much is known of it."""

    _unrecorded_attributes = frozenset({EVIDENCE, MINUTES, STEPS, CAUSES, LAST_TEST})

    @property
    @override
    def native_value(self) -> str | None:
        """The only cause, or how it stands."""
        if (verdict := self.verdict) is None:
            return None
        if verdict.state is not State.WRONG:
            return verdict.state.value
        causes = {one.causes[0].cause.value for one in verdict.suspicions}
        return causes.pop() if len(causes) == 1 else SEVERAL

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """How much evidence there is, what was found, and what the last test has shown."""
        watch, verdict = self._feed.watch, self.verdict
        if watch is None or verdict is None:
            return {}
        outcome = watch.outcome
        return {
            EVIDENCE: round(100 * verdict.share),
            MINUTES: round(verdict.evidence.minutes),
            STEPS: verdict.evidence.steps,
            CAUSES: [as_dict(finding) for one in verdict.suspicions for finding in one.causes],
            LAST_TEST: outcome and outcome.result.value,
        }

    @override
    def said(self) -> tuple[Any, ...]:
        """The state, and what is told beside it."""
        # Minutes and steps are counted on for ever, and are shown as of the last change.
        shown = {MINUTES: None, STEPS: None}
        return (self.native_value, str(self.extra_state_attributes | shown))


class UnexplainedSensor(DoctorSensor):
    """The power in W that does not add up; about 0 where everything is right."""

    @property
    @override
    def native_value(self) -> float | None:
        """The power as of the last minute."""
        verdict = self.verdict
        return None if verdict is None else verdict.unexplained

    @override
    def said(self) -> tuple[Any, ...]:
        """The power."""
        return (self.native_value,)


class TestButton(UnitEntity, ButtonEntity):
    """Starts the test; its result comes in a notification."""

    # It is no test of pytest.
    __test__ = False

    entity_description: WiringButtonDescription

    def __init__(self, unit: UnitRuntime, description: WiringButtonDescription) -> None:
        """Follow the group of the settings, which the test changes for a while."""
        super().__init__(unit, description, Group.SETTINGS)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available,)

    @override
    async def async_press(self) -> None:
        """Start it, and do not wait for its end."""
        async_notify(self.unit, await async_begin_test(self.unit, self._context))
