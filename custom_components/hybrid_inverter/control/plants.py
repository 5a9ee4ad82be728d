"""The batteries of the plants that are loaded, and which entities they have."""

from collections.abc import Callable, Iterable
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..entities.base import UnitEntityDescription
from ..entities.of_plant import async_add_to_plant
from ..modbus.model.part import Part
from .plant_battery import PlantBattery

# Those of loaded plants by entry id.
PLANT_BATTERIES: Final = HassKey[dict[str, PlantBattery]](f"{DOMAIN}_plant_batteries")


@callback
def async_setup_plant_control(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Follow the batteries of a plant; before its entities are added."""
    batteries = hass.data.setdefault(PLANT_BATTERIES, {})
    batteries[entry.entry_id] = battery = PlantBattery(hass, entry)

    @callback
    def forget() -> None:
        batteries.pop(entry.entry_id, None)

    entry.async_on_unload(forget)
    entry.async_on_unload(battery.async_start())


@callback
def async_add_to_plant_battery[DescriptionT: UnitEntityDescription](
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[DescriptionT],
    entity: Callable[[PlantBattery, DescriptionT], Entity],
) -> None:
    """Add the entities that all batteries of a plant have together, and remove the others."""
    battery = hass.data[PLANT_BATTERIES][entry.entry_id]

    def exists(description: DescriptionT) -> bool:
        """What is about the grid counts only where no inverter feeds it that is not among these."""
        is_whole = description.part is not Part.GRID or battery.controls_export
        return is_whole and battery.serves(description)

    async_add_to_plant(
        hass,
        entry,
        async_add_entities,
        descriptions,
        lambda description: entity(battery, description),
        exists=exists,
        may_come_back=battery.is_incomplete,
    )
