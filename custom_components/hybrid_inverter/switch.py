"""Switches: settings that are on or off."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities.base import ControlEntity
from .entities.descriptions import UnitSwitchDescription
from .entities.presence import async_add_rows
from .runtime.runtime import HybridInverterConfigEntry

# The device takes one write at a time, and of the same setting the last one of those that wait.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches of every unit."""
    await async_add_rows(entry, async_add_entities, UnitSwitch)


class UnitSwitch(ControlEntity, SwitchEntity):
    """A setting that is on or off."""

    entity_description: UnitSwitchDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it is on; None while it is not known."""
        return self.reading if isinstance(self.reading, bool) else None

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        await self.async_write(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        await self.async_write(False)
