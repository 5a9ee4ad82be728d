"""Binary sensors: what is on or off at a unit."""

from typing import Any, Final, override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities.base import UnitEntity, ValueEntity
from .entities.descriptions import UnitBinarySensorDescription
from .entities.link import link_binary_sensors
from .entities.presence import async_add_rows, async_add_values
from .modbus.model.codec import as_number
from .modbus.model.part import Part
from .modbus.model.register import Group
from .runtime.runtime import HybridInverterConfigEntry, UnitRuntime

PARALLEL_UPDATES = 0

BATTERY_POWER: Final = "battery_power"

CONNECTIVITY: Final = UnitBinarySensorDescription(
    key="connectivity",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)

# Watts that flow into the battery while it is being charged; less may only be how exactly they are measured.
CHARGING_FROM: Final = 50
CHARGING: Final = UnitBinarySensorDescription(
    key="battery_charging",
    value_key=BATTERY_POWER,
    inputs=frozenset({BATTERY_POWER}),
    part=Part.BATTERY,
    device_class=BinarySensorDeviceClass.BATTERY_CHARGING,
)

# What is not a value of the unit.
DESCRIPTIONS: Final = (CONNECTIVITY, CHARGING)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of the link, and of every unit."""
    async_add_entities(link_binary_sensors(entry))
    await async_add_rows(entry, async_add_entities, UnitBinarySensor)
    await async_add_values(entry, async_add_entities, (CHARGING,), ChargingSensor)
    for subentry_id, unit in entry.runtime_data.units.items():
        async_add_entities([ConnectivitySensor(unit)], config_subentry_id=subentry_id)


class UnitBinarySensor(ValueEntity, BinarySensorEntity):
    """A value that is on or off."""

    entity_description: UnitBinarySensorDescription
    _handle_coordinator_update = ValueEntity.async_handle_own_value

    @property
    @override
    def is_on(self) -> bool | None:
        """The value as it was last read."""
        return self.reading if isinstance(self.reading, bool) else None


class ChargingSensor(ValueEntity, BinarySensorEntity):
    """Whether power flows into the battery."""

    entity_description: UnitBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it flows; None while the power is not known."""
        power = as_number(self.reading)
        return None if power is None else power < -CHARGING_FROM

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.is_on)


class ConnectivitySensor(UnitEntity, BinarySensorEntity):
    """Whether the unit answered the last poll; the one entity that is available while it does not."""

    entity_description: UnitBinarySensorDescription

    def __init__(self, unit: UnitRuntime) -> None:
        """Follow the group that is polled most often."""
        super().__init__(unit, CONNECTIVITY, Group.POWER)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.is_on,)

    @property
    @override
    def available(self) -> bool:
        """Always: that a unit does not answer is what this entity shows."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Whether the last poll succeeded."""
        return self.coordinator.last_update_success
