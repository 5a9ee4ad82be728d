"""Times: settings that are a time of day."""

from dataclasses import dataclass
from datetime import time
from typing import Final, override

from homeassistant.components.time import TimeEntity, TimeEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HybridInverterConfigEntry
from .entity import ControlEntity, UnitEntityDescription
from .modbus.schedule_six import SLOTS
from .roster import async_add_values
from .timed_slots import TIMED_SLOTS

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class UnitTimeDescription(UnitEntityDescription, TimeEntityDescription):
    """A setting that is a time of day."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG
    writable: bool | None = True


TIMES: Final = tuple(
    UnitTimeDescription(key=key, entity_registry_enabled_default=False)
    for key in (
        *(f"tou_slot_{slot}_time" for slot in SLOTS),
        *(f"{slot}_{end}" for slot in TIMED_SLOTS for end in ("start", "end")),
    )
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the times of every unit."""
    await async_add_values(entry, async_add_entities, TIMES, UnitTime)


class UnitTime(ControlEntity, TimeEntity):
    """A setting that is a time of day, in the machine's local time."""

    entity_description: UnitTimeDescription

    @property
    @override
    def native_value(self) -> time | None:
        """Return the time in force; None while the machine does not say."""
        return self.reading if isinstance(self.reading, time) else None

    @override
    async def async_set_value(self, value: time) -> None:
        """Write another time."""
        await self.async_write(value)
