"""The sensors of a plant."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.components.sensor import SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..const import DOMAIN
from ..entities.kinds import (
    ENERGY,
    POWER,
    SHARE,
    STATE_OF_CHARGE,
    UnitSensorDescription,
)
from ..entities.write_on_change import WriteOnChangeEntity
from .plant import Plant

# A plant is one device, so its values have translation keys of their own.
PREFIX: Final = "plant_"

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
)


def unique_id(entry: ConfigEntry, description: UnitSensorDescription) -> str:
    """The unique id of an entity."""
    return f"{entry.entry_id}_{description.key}"


@callback
def async_add_plant_sensors(
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the values that the members can provide, and remove the others."""
    registry = er.async_get(hass)
    plant: Plant = entry.runtime_data
    sensors = []
    for description in PLANT_SENSORS:
        known = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id(entry, description))
        # A value that only a missing member can provide may come back.
        if description.key in plant.values or (known and plant.membership.missing):
            sensors.append(PlantSensor(plant, entry, description))
        elif known:
            registry.async_remove(known)
    async_add_entities(sensors)


class PlantSensor(WriteOnChangeEntity, SensorEntity):
    """One value of a plant, unknown while a part of it is."""

    entity_description: UnitSensorDescription
    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self, plant: Plant, entry: ConfigEntry, description: UnitSensorDescription
    ) -> None:
        self.entity_description = description
        self._plant = plant
        self._attr_unique_id = unique_id(entry, description)
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            name=entry.title,
            entry_type=DeviceEntryType.SERVICE,
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Write the state when the plant has new values."""
        await super().async_added_to_hass()
        self.async_on_remove(self._plant.async_add_listener(self.async_write_if_changed))

    @property
    @override
    def native_value(self) -> float | None:
        """The value as it was last computed."""
        return self._plant.values.get(self.entity_description.key)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.native_value,)
