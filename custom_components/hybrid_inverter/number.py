"""Numbers: settings within bounds, which may depend on another setting."""

from dataclasses import replace
from typing import Any, Final, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control.combined import COMBINED_NUMBERS, CombinedDescription
from .control.entities import of_inverter
from .control.numbers import CONTROL_NUMBERS, ControlNumber
from .control.plant_numbers import PLANT_NUMBERS, PlantNumber
from .control.plants import async_add_to_plant_battery
from .entities.base import ControlEntity
from .entities.bounded_number import BoundedNumber
from .entities.descriptions import UnitNumberDescription
from .entities.presence import async_add_rows, async_add_values
from .entry.data import is_plant
from .modbus.model.codec import Value, as_number
from .runtime.runtime import HybridInverterConfigEntry, UnitRuntime

# The device takes one write at a time, and of the same setting the last one of those that wait.
PARALLEL_UPDATES = 0

# What is not one setting of the unit.
DESCRIPTIONS: Final = (*COMBINED_NUMBERS, *CONTROL_NUMBERS)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the numbers of every unit; or those of a plant."""
    if is_plant(entry):
        async_add_to_plant_battery(hass, entry, async_add_entities, CONTROL_NUMBERS, ControlNumber)
        async_add_to_plant_battery(hass, entry, async_add_entities, PLANT_NUMBERS, PlantNumber)
        return
    await async_add_rows(entry, async_add_entities, UnitNumber)
    await async_add_values(entry, async_add_entities, COMBINED_NUMBERS, CombinedNumber)
    await async_add_values(entry, async_add_entities, CONTROL_NUMBERS, of_inverter(ControlNumber))


class UnitNumber(ControlEntity, BoundedNumber):
    """A setting within bounds."""

    entity_description: UnitNumberDescription

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Value and bounds: another setting may move these."""
        return (*super().state_key(), *self.bounds)

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        """The bounds in force."""
        return self.coordinator.machine.device.limits(self.entity_description.key)

    @property
    @override
    def native_value(self) -> float | None:
        """The value in force."""
        return as_number(self.reading)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Write another value."""
        await self.async_write(self.asked_for(value))


class CombinedNumber(UnitNumber):
    """A number that several settings make up."""

    def __init__(self, unit: UnitRuntime, description: CombinedDescription) -> None:
        """Poll everything that it rests on."""
        self.setting = setting = description.setting(unit, description.key)
        super().__init__(
            unit, replace(description, value_key=setting.value_key, inputs=setting.inputs)
        )

    @property
    @override
    def reading(self) -> Value | None:
        """The number that the settings made up when they were last read."""
        return self.setting.reading

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        """The bounds in force."""
        return self.setting.bounds

    @override
    async def async_write(self, value: Value) -> None:
        """Write another number; an error names the setting that it is about."""
        if (wanted := as_number(value)) is not None:
            await self.setting.async_write(wanted, self._context)
