"""Sensors and the event of battery control: until when an order lasts, what may still be written, what has happened."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import callback
from homeassistant.helpers.event import async_track_time_change

from ..modbus.control.lease import Lease
from ..modbus.control.plan import Told
from ..modbus.device.wear import Origin
from ..runtime.runtime import UnitRuntime
from .entities import BATTERY_CONTROL, OrderEntity, OrderEntityDescription
from .request import ControlEvent, ControlEventType, told_response

# What is told of an order beside its end.
OWNER: Final = "owner"
TOLD: Final = ("ends_by", "recurs", "stays")


@dataclass(frozen=True, kw_only=True)
class ControlSensorDescription(OrderEntityDescription, SensorEntityDescription):
    """A sensor of battery control."""


@dataclass(frozen=True, kw_only=True)
class ControlEventDescription(OrderEntityDescription, EventEntityDescription):
    """The event of battery control."""


UNTIL: Final = ControlSensorDescription(
    key="control_until", device_class=SensorDeviceClass.TIMESTAMP
)
WRITES_LEFT: Final = ControlSensorDescription(
    key="control_writes_left",
    state_class=SensorStateClass.MEASUREMENT,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)
CONTROL_SENSORS: Final = (UNTIL, WRITES_LEFT)
CONTROL_EVENTS: Final = (
    ControlEventDescription(
        key=BATTERY_CONTROL, event_types=[type_.value for type_ in ControlEventType]
    ),
)


def control_sensor(unit: UnitRuntime, description: ControlSensorDescription) -> SensorEntity:
    """The entity of a description."""
    return _ENTITIES[description.key](unit, description)


class UntilSensor(OrderEntity, SensorEntity):
    """When the order of the battery ends; unknown while there is none."""

    entity_description: ControlSensorDescription

    def _in_force(self) -> tuple[Lease, Told] | None:
        """The order of the battery, and what was told of it; None while it is only being written."""
        lease = self.keeper.lease()
        told = self.keeper.told_of(lease) if lease is not None else None
        return None if lease is None or told is None else (lease, told)

    @property
    @override
    def native_value(self) -> datetime | None:
        """The end as the inverter keeps it."""
        return None if (order := self._in_force()) is None else order[1].until

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Whose order it is, who ends it, and what becomes of it if Home Assistant does not."""
        if (order := self._in_force()) is None:
            return dict.fromkeys((OWNER, *TOLD))
        lease, told = order
        response = told_response(told)
        return {OWNER: lease.owner, **{name: response[name] for name in TOLD}}

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.native_value, *map(str, self.extra_state_attributes.values()))


class WritesLeftSensor(OrderEntity, SensorEntity):
    """How many more times automations may give or change orders today, by the setting that was written most."""

    entity_description: ControlSensorDescription

    def __init__(self, unit: UnitRuntime, description: ControlSensorDescription) -> None:
        """Look at every register that an order may touch."""
        super().__init__(unit, description)
        registers, writes = unit.device.family.registers, self.keeper.style.writes
        self._addresses = frozenset(
            address for key in writes & registers.keys() for address in registers[key].addresses
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Update after every write, and every hour: the count begins anew with a day in UTC."""
        await super().async_added_to_hass()
        wear = self.unit.device.wear
        self.async_on_remove(wear.add_listener(self.async_write_if_changed))
        self.async_on_remove(async_track_time_change(self.hass, self._new_hour, minute=0, second=1))

    @callback
    def _new_hour(self, _now: datetime) -> None:
        """Show the count of a new day."""
        self.async_write_if_changed()

    @property
    @override
    def native_value(self) -> int:
        """How many there are."""
        return self.unit.device.writes_left(self._addresses, Origin.AUTOMATION)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.native_value)


class OrderEvent(OrderEntity, EventEntity):
    """What happens to the orders of an inverter."""

    entity_description: ControlEventDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what happens from now on."""
        await super().async_added_to_hass()
        self.async_on_remove(self.keeper.async_add_event_listener(self._handle_event))

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of, but for what is written as it happens."""
        return (self.available,)

    @callback
    def _handle_event(self, event: ControlEvent) -> None:
        """Fire once for each."""
        self._trigger_event(event.type.value, dict(event.attributes))
        self.async_write_ha_state()


_ENTITIES: Final[dict[str, Callable[[UnitRuntime, ControlSensorDescription], SensorEntity]]] = {
    UNTIL.key: UntilSensor,
    WRITES_LEFT.key: WritesLeftSensor,
}
