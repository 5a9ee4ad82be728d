"""Numbers: settings within bounds that the machine, or another setting, gives."""

from dataclasses import dataclass
import math
from typing import Any, Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfPower
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import ControlEntity, Part, UnitEntityDescription, async_add_values

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class UnitNumberDescription(UnitEntityDescription, NumberEntityDescription):
    """A setting whose bounds and step come from the register table."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG
    writable: bool | None = True
    # A slider writes on every pixel; settings live in a memory that wears.
    mode: NumberMode | None = NumberMode.BOX


def soc(key: str, part: Part) -> UnitNumberDescription:
    """Describe a threshold in percent of the battery's state of charge."""
    return UnitNumberDescription(key=key, part=part, native_unit_of_measurement=PERCENTAGE)


def power(key: str, part: Part) -> UnitNumberDescription:
    """Describe a limit in watts."""
    return UnitNumberDescription(
        key=key,
        part=part,
        device_class=NumberDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
    )


NUMBERS: Final = (
    soc("battery_shutdown_soc", Part.BATTERY),
    soc("battery_low_soc", Part.BATTERY),
    soc("battery_restart_soc", Part.BATTERY),
    power("max_sell_power", Part.GRID),
    power("zero_export_power", Part.GRID),
    soc("smart_load_on_soc", Part.GENERATOR),
    soc("smart_load_off_soc", Part.GENERATOR),
    power("smart_load_min_solar_power", Part.GENERATOR),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the numbers of every unit."""
    async_add_values(entry, async_add_entities, NUMBERS, UnitNumber)


class UnitNumber(ControlEntity, NumberEntity):
    """A setting within bounds."""

    entity_description: UnitNumberDescription

    def __init__(self, unit: UnitRuntime, description: UnitNumberDescription) -> None:
        """Take the step from the register table."""
        super().__init__(unit, description)
        limits = unit.device.family.registers[description.key].limits
        if limits is None:
            raise ValueError(f"{description.key} has no limits")
        self._attr_native_step = limits.step

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return what the state is made of; another setting may move the bounds."""
        return (*super().fingerprint(), *self._bounds)

    @property
    def _bounds(self) -> tuple[float, float]:
        """Return the bounds in force."""
        return self.coordinator.unit.device.limits(self.entity_description.key)

    @property
    @override
    def native_min_value(self) -> float:
        """Return the smallest value that may be written."""
        return self._bounds[0]

    @property
    @override
    def native_max_value(self) -> float:
        """Return the largest value that may be written."""
        return self._bounds[1]

    @property
    @override
    def native_value(self) -> float | None:
        """Return the value in force."""
        value = self.reading
        return None if isinstance(value, bool) or not isinstance(value, (int, float)) else value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Write another value; whole numbers arrive as floats."""
        await self.async_write(
            int(value) if math.isfinite(value) and value == int(value) else value
        )
