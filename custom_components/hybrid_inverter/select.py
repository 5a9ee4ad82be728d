"""Selects: settings with a fixed list of choices."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import ControlEntity, Part, UnitEntityDescription
from .roster import async_add_values
from .slot_days import SLOT_DAYS, DaysSelect

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class UnitSelectDescription(UnitEntityDescription, SelectEntityDescription):
    """A setting whose options come from the register table."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG
    writable: bool | None = True


SELECTS: Final = (
    UnitSelectDescription(key="work_mode"),
    UnitSelectDescription(key="energy_pattern"),
    UnitSelectDescription(key="generator_port_mode", part=Part.GENERATOR),
    UnitSelectDescription(
        key="battery_chemistry", part=Part.BATTERY, entity_registry_enabled_default=False
    ),
    UnitSelectDescription(
        key="battery_operation_mode", part=Part.BATTERY, entity_registry_enabled_default=False
    ),
    UnitSelectDescription(key="export_limit_mode", part=Part.GRID),
    UnitSelectDescription(key="passive_action", entity_registry_enabled_default=False),
    UnitSelectDescription(key="tou_outside_mode", entity_registry_enabled_default=False),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the selects of every unit."""
    await async_add_values(entry, async_add_entities, SELECTS, UnitSelect)
    await async_add_values(entry, async_add_entities, SLOT_DAYS, DaysSelect)


class UnitSelect(ControlEntity, SelectEntity):
    """A setting with a fixed list of choices."""

    entity_description: UnitSelectDescription

    def __init__(self, unit: UnitRuntime, description: UnitSelectDescription) -> None:
        """Take the options from the register table."""
        super().__init__(unit, description)
        self._offered = unit.device.family.registers[description.key].options

    @property
    @override
    def options(self) -> list[str]:
        """Return what may be chosen, and what is in force if that is something else."""
        shown = self.current_option
        return self._offered if shown is None else list(dict.fromkeys([*self._offered, shown]))

    @property
    @override
    def current_option(self) -> str | None:
        """Return the choice in force; None for a code that the table does not know."""
        return self.reading if isinstance(self.reading, str) else None

    @override
    async def async_select_option(self, option: str) -> None:
        """Write another choice."""
        await self.async_write(option)
