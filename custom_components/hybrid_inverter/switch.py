"""Switches: settings that are on or off."""

from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HybridInverterConfigEntry
from .entity import ControlEntity, Part, UnitEntityDescription, async_add_values

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class UnitSwitchDescription(UnitEntityDescription, SwitchEntityDescription):
    """A setting that is on or off."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG
    writable: bool | None = True


SWITCHES: Final = (
    UnitSwitchDescription(key="solar_sell"),
    UnitSwitchDescription(key="tou_enabled"),
    UnitSwitchDescription(key="grid_charge_enabled", part=Part.BATTERY),
    UnitSwitchDescription(key="on_grid_always_on", part=Part.GENERATOR),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches of every unit."""
    async_add_values(entry, async_add_entities, SWITCHES, UnitSwitch)


class UnitSwitch(ControlEntity, SwitchEntity):
    """A setting that is on or off."""

    entity_description: UnitSwitchDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is on; None while the machine does not say."""
        return self.reading if isinstance(self.reading, bool) else None

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        await self.async_write(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        await self.async_write(False)
