"""Selects: settings with a fixed list of choices, and what is done with a battery."""

from typing import Final, override

from homeassistant.components.select import SelectEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control.entities import of_inverter
from .control.plants import async_add_to_plant_battery
from .control.select import CONTROL_SELECTS, ControlSelect
from .entities.base import ControlEntity
from .entities.descriptions import UnitSelectDescription
from .entities.presence import async_add_rows, async_add_values
from .entry.data import is_plant
from .modbus.model.part import Kind
from .runtime.runtime import HybridInverterConfigEntry
from .schedule.slot_days import DaysSelect

# The device takes one write at a time, and of the same setting the last one of those that wait.
PARALLEL_UPDATES = 0

# What is not a setting of the unit.
DESCRIPTIONS: Final = CONTROL_SELECTS


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the selects of every unit; or that of a plant."""
    if is_plant(entry):
        async_add_to_plant_battery(hass, entry, async_add_entities, CONTROL_SELECTS, ControlSelect)
        return
    await async_add_rows(
        entry,
        async_add_entities,
        lambda unit, item: (DaysSelect if item.kind is Kind.DAYS else UnitSelect)(unit, item),
    )
    await async_add_values(entry, async_add_entities, DESCRIPTIONS, of_inverter(ControlSelect))


class UnitSelect(ControlEntity, SelectEntity):
    """A setting with a fixed list of choices."""

    entity_description: UnitSelectDescription

    @property
    @override
    def options(self) -> list[str]:
        """What may be chosen, and what is in force if that is something else."""
        offered, shown = self.entity_description.options or [], self.current_option
        return offered if shown is None else list(dict.fromkeys([*offered, shown]))

    @property
    @override
    def current_option(self) -> str | None:
        """The choice in force; None for a code that the table does not know."""
        return self.reading if isinstance(self.reading, str) else None

    @override
    async def async_select_option(self, option: str) -> None:
        """Write another choice."""
        await self.async_write(option)
