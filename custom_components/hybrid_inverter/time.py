"""Times: settings that are a time of day."""

from datetime import time
from typing import override

from homeassistant.components.time import TimeEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities.base import ControlEntity
from .entities.descriptions import UnitTimeDescription
from .entities.presence import async_add_rows
from .runtime.runtime import HybridInverterConfigEntry

# The device takes one write at a time, and of the same setting the last one of those that wait.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the times of every unit."""
    await async_add_rows(entry, async_add_entities, UnitTime)


class UnitTime(ControlEntity, TimeEntity):
    """A setting that is a time of day, in the device's local time."""

    entity_description: UnitTimeDescription

    @property
    @override
    def native_value(self) -> time | None:
        """The time in force; None while it is not known."""
        return self.reading if isinstance(self.reading, time) else None

    @override
    async def async_set_value(self, value: time) -> None:
        """Write another time."""
        await self.async_write(value)
