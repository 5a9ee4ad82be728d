"""The values of a plant as sensors, and whether its batteries are being charged."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.sensor import SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..entities.battery_energy import BATTERY_ENERGIES
from ..entities.charging import BATTERY_POWER, CHARGING, is_charging
from ..entities.kinds import (
    ENERGY,
    POWER,
    SHARE,
    STATE_OF_CHARGE,
    UnitSensorDescription,
)
from ..entities.of_plant import (
    PREFIX,
    async_add_to_plant,
    async_plant_name,
    plant_device_info,
    plant_unique_id,
)
from ..entities.write_on_change import WriteOnChangeEntity
from .plant import Plant

ENERGIES: Final = (
    "pv_energy",
    "battery_charge_energy",
    "battery_discharge_energy",
    "grid_import_energy",
    "grid_export_energy",
    "load_energy",
)


def _described(kind: UnitSensorDescription, *keys: str) -> Iterator[UnitSensorDescription]:
    """Descriptions of values of a plant."""
    for key in keys:
        yield replace(kind, key=key, translation_key=f"{PREFIX}{key}")


PLANT_SENSORS: Final = (
    *_described(POWER, "pv_power", "grid_power", "battery_power", "load_power"),
    *_described(STATE_OF_CHARGE, "battery_soc"),
    *_described(
        ENERGY, *(f"{energy}_{period}" for period in ("today", "total") for energy in ENERGIES)
    ),
    *_described(SHARE, "autarky_today", "self_consumption_today"),
    *_described(
        replace(
            POWER,
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
        ),
        "balance_error",
    ),
    *(replace(item, translation_key=f"{PREFIX}{item.key}") for item in BATTERY_ENERGIES),
)


# Whether the batteries together are being charged.
PLANT_BINARY_SENSORS: Final = (replace(CHARGING, translation_key=f"{PREFIX}{CHARGING.key}"),)


@callback
def async_add_plant_values[DescriptionT: EntityDescription](
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[DescriptionT],
    entity: Callable[[Plant, ConfigEntry, DescriptionT], Entity],
) -> None:
    """Add what rests on values that the members can provide, and remove the others."""
    plant: Plant = entry.runtime_data
    async_add_to_plant(
        hass,
        entry,
        async_add_entities,
        descriptions,
        lambda description: entity(plant, entry, description),
        exists=lambda description: value_key_of(description) in plant.values,
        may_come_back=bool(plant.membership.missing),
    )


def value_key_of(description: EntityDescription) -> str:
    """The key of the value of a plant that an entity shows."""
    return BATTERY_POWER if description.key == CHARGING.key else description.key


class PlantEntity(WriteOnChangeEntity):
    """What is shown of one value of a plant, unknown while a part of it is."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, plant: Plant, entry: ConfigEntry, description: EntityDescription) -> None:
        self.entity_description = description
        self._plant = plant
        self._attr_unique_id = plant_unique_id(entry, description)
        self._attr_device_info = plant_device_info(entry)
        self._entry = entry

    @property
    @override
    def english_device_name(self) -> str:
        """That of the plant."""
        return async_plant_name(self.hass, self._entry)

    @override
    async def async_added_to_hass(self) -> None:
        """Write the state when the plant has new values."""
        await super().async_added_to_hass()
        self.async_on_remove(self._plant.async_add_listener(self.async_write_if_changed))

    @property
    def value(self) -> float | None:
        """The value as it was last computed."""
        return self._plant.values.get(value_key_of(self.entity_description))


class PlantSensor(PlantEntity, SensorEntity):
    """One value of a plant."""

    @property
    @override
    def native_value(self) -> float | None:
        """The value as it was last computed."""
        return self.value

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.native_value,)


class PlantChargingSensor(PlantEntity, BinarySensorEntity):
    """Whether more flows into the batteries of a plant than out of them."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it does; None while the power is not known."""
        return is_charging(self.value)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.is_on,)
