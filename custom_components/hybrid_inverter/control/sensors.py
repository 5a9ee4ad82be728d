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

from ..modbus.control.plan import EndsBy, Recurs
from ..modbus.device.wear import Origin
from .battery import BATTERY_CONTROL, Battery
from .entities import OrderEntity, OrderEntityDescription
from .request import ControlEvent, ControlEventType
from .targets import Controlled

# What is told of an order beside its end.
OWNER: Final = "owner"
ENDS_BY: Final = "ends_by"
RECURS: Final = "recurs"
STAYS: Final = "stays"
# What is told of several inverters: the one of the values that they have that leaves the most to Home Assistant.
WORST_END: Final = (EndsBy.HOME_ASSISTANT, EndsBy.INVERTER)
WORST_RECURRENCE: Final = (Recurs.DAILY, Recurs.WEEKLY, Recurs.NO)


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


def control_sensor(battery: Battery, description: ControlSensorDescription) -> SensorEntity:
    """The entity of a description."""
    return _ENTITIES[description.key](battery, description)


class UntilSensor(OrderEntity, SensorEntity):
    """When the order of the battery ends; unknown while there is none."""

    entity_description: ControlSensorDescription

    @property
    @override
    def native_value(self) -> datetime | None:
        """The end as the inverter keeps it; of several, the last one."""
        return max((told.until for told in self.battery.told), default=None)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Whose order it is, who ends it, and what becomes of it if Home Assistant does not."""
        if not (told := self.battery.told):
            return dict.fromkeys((OWNER, ENDS_BY, RECURS, STAYS))
        owners = dict.fromkeys(lease.owner for lease in self.battery.leases)
        ends, recurs = {one.ends_by for one in told}, {one.recurs for one in told}
        return {
            OWNER: ", ".join(owners),
            ENDS_BY: next(one.value for one in WORST_END if one in ends),
            RECURS: next(one.value for one in WORST_RECURRENCE if one in recurs),
            STAYS: list(dict.fromkeys(key for one in told for key in one.stays)),
        }

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        if not (told := self.battery.told):
            return (self.available,)
        return (self.available, *told, *(lease.owner for lease in self.battery.leases))


class WritesLeftSensor(OrderEntity, SensorEntity):
    """How many more times automations may give or change orders today, by the setting that was written most."""

    entity_description: ControlSensorDescription

    def __init__(self, battery: Battery, description: ControlSensorDescription) -> None:
        """Update after every write."""
        super().__init__(battery, description)
        self.follower.written = self.async_write_if_changed

    @override
    async def async_added_to_hass(self) -> None:
        """Update every hour, too: the count begins anew with a day in UTC."""
        await super().async_added_to_hass()
        self.async_on_remove(async_track_time_change(self.hass, self._new_hour, minute=0, second=1))

    @callback
    def _new_hour(self, _now: datetime) -> None:
        """Show the count of a new day."""
        self.async_write_if_changed()

    @property
    @override
    def native_value(self) -> int | None:
        """How many there are; of several inverters, the fewest."""
        return min(map(_writes_left, self.battery.inverters), default=None)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.native_value)


def _writes_left(one: Controlled) -> int:
    """How many writes are left of the registers of an inverter that an order may touch."""
    registers, writes = one.unit.device.family.registers, one.driver.keeper.style.writes
    addresses = {
        address for key in writes & registers.keys() for address in registers[key].addresses
    }
    return one.unit.device.wear.left(addresses, Origin.AUTOMATION)


class OrderEvent(OrderEntity, EventEntity):
    """What happens to the orders of a battery."""

    entity_description: ControlEventDescription

    def __init__(self, battery: Battery, description: ControlEventDescription) -> None:
        """Follow what happens from now on."""
        super().__init__(battery, description)
        self.follower.happened = self._handle_event

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of, but for what is written as it happens."""
        return (self.available,)

    @callback
    def _handle_event(self, one: Controlled, happened: ControlEvent) -> None:
        """Fire once for each."""
        if (event := self.battery.gathered(one, happened)) is None:
            return
        self._trigger_event(event.type.value, dict(event.attributes))
        self.async_write_ha_state()


_ENTITIES: Final[dict[str, Callable[[Battery, ControlSensorDescription], SensorEntity]]] = {
    UNTIL.key: UntilSensor,
    WRITES_LEFT.key: WritesLeftSensor,
}
