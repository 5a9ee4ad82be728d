"""Binary sensors: what is on or off at a unit."""

from typing import Any, Final, override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities.base import UnitEntity, ValueEntity
from .entities.charging import CHARGING, ChargingSensor
from .entities.descriptions import UnitBinarySensorDescription
from .entities.link import link_binary_sensors
from .entities.presence import async_add_rows, async_add_values
from .entry.data import is_plant
from .modbus.model.register import Group
from .plant.sensors import PLANT_BINARY_SENSORS, PlantChargingSensor, async_add_plant_values
from .runtime.runtime import HybridInverterConfigEntry, UnitRuntime

PARALLEL_UPDATES = 0

CONNECTIVITY: Final = UnitBinarySensorDescription(
    key="connectivity",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)

# What is not a value of the unit.
DESCRIPTIONS: Final = (CONNECTIVITY, CHARGING)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of the link, and of every unit; or those of a plant."""
    if is_plant(entry):
        async_add_plant_values(
            hass, entry, async_add_entities, PLANT_BINARY_SENSORS, PlantChargingSensor
        )
        return
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
