"""Buttons: things that a machine is told to do once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import UnitEntity, UnitEntityDescription
from .modbus.register import Group
from .roster import async_add_values
from .writing import async_undo, async_write, spoken_name

PARALLEL_UPDATES = 1

CLOCK: Final = "system_time"


def local_time() -> datetime:
    """Return the time that it is on the walls around Home Assistant, daylight saving time included."""
    return dt_util.now().replace(tzinfo=None)


async def async_sync_clock(unit: UnitRuntime) -> None:
    """Set the clock of a unit to the time that it is when the request goes out."""
    coordinator = unit.coordinators[unit.device.family.group_of(CLOCK)]
    await async_write(
        coordinator,
        spoken_name(coordinator, CLOCK),
        lambda: unit.device.set_clock(CLOCK, local_time),
    )


@dataclass(frozen=True, kw_only=True)
class UnitButtonDescription(UnitEntityDescription, ButtonEntityDescription):
    """Something that a unit is told to do."""

    press: Callable[[UnitRuntime], Awaitable[None]]
    entity_category: EntityCategory | None = EntityCategory.CONFIG
    entity_registry_enabled_default: bool = False


BUTTONS: Final = (
    UnitButtonDescription(key="sync_clock", source=CLOCK, writable=True, press=async_sync_clock),
    UnitButtonDescription(key="undo_last_change", about_writes=True, press=async_undo),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of every unit."""
    await async_add_values(entry, async_add_entities, BUTTONS, UnitButton)


class UnitButton(UnitEntity, ButtonEntity):
    """Something that a unit is told to do."""

    entity_description: UnitButtonDescription

    def __init__(self, unit: UnitRuntime, description: UnitButtonDescription) -> None:
        """Watch the group of the settings, which is what a button changes."""
        super().__init__(unit, description, Group.SETTINGS)

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available,)

    @override
    async def async_press(self) -> None:
        """Do it."""
        await self.entity_description.press(self.coordinator.unit)
