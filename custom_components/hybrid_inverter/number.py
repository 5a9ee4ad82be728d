"""Numbers: settings within bounds, which may depend on another setting."""

from abc import abstractmethod
from dataclasses import dataclass, replace
import math
from typing import Any, Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityCapabilityAttribute,
)
from homeassistant.const import PERCENTAGE, UnitOfPower
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control.entities import async_end_export_limit
from .control.numbers import CONTROL_NUMBERS, ControlNumber
from .entities.base import ControlEntity
from .entities.descriptions import UnitNumberDescription
from .entities.presence import async_add_rows, async_add_values
from .modbus.model.codec import Value, Values, as_number
from .modbus.model.condition import BY_STATE_OF_CHARGE
from .modbus.model.export_limit import EXPORT_LIMIT
from .modbus.model.family import Family
from .modbus.model.part import Part
from .modbus.model.reserve import RESERVE, Reserve, keys_of, reserve_in_force
from .runtime.callers import origin_of
from .runtime.runtime import HybridInverterConfigEntry, UnitRuntime
from .runtime.writes import async_write, display_name

# The device takes one write at a time, and of the same setting the last one of those that wait.
PARALLEL_UPDATES = 0

# Home Assistant refuses what lies beyond the bounds of an entity before the entity is asked, and does not know what sets
# them. No register holds as much as this: whatever else is asked for we judge ourselves, and say why it is refused.
WIDEST: Final = (-(2.0**32), 2.0**32)


@dataclass(frozen=True, kw_only=True)
class ReserveDescription(UnitNumberDescription):
    """The reserve, which rests on several settings of a family."""

    @override
    def polled_from(self, family: Family) -> frozenset[str]:
        """Everything that the reserves of the family rest on; what no family serves where there is none."""
        return keys_of(family.reserves) or frozenset({self.key})


@dataclass(frozen=True, kw_only=True)
class ExportLimitDescription(UnitNumberDescription):
    """The export limit, which rests on several settings of a family."""

    @override
    def polled_from(self, family: Family) -> frozenset[str]:
        """Everything that the limit of the family rests on; what no family serves where there is none."""
        return frozenset({self.key}) if family.export_limit is None else family.export_limit.keys


RESERVES: Final = (
    ReserveDescription(
        key=RESERVE,
        part=Part.BATTERY,
        visible_if=(BY_STATE_OF_CHARGE,),
        needs_write=True,
        device_class=NumberDeviceClass.BATTERY,
        native_unit_of_measurement=PERCENTAGE,
        native_step=1,
    ),
)
EXPORT_LIMITS: Final = (
    ExportLimitDescription(
        key=EXPORT_LIMIT,
        part=Part.GRID,
        needs_write=True,
        device_class=NumberDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_step=1,
    ),
)
# What is not one setting of the unit.
DESCRIPTIONS: Final = (*RESERVES, *EXPORT_LIMITS, *CONTROL_NUMBERS)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the numbers of every unit."""
    await async_add_rows(entry, async_add_entities, UnitNumber)
    await async_add_values(entry, async_add_entities, RESERVES, ReserveNumber)
    await async_add_values(entry, async_add_entities, EXPORT_LIMITS, ExportLimitNumber)
    await async_add_values(entry, async_add_entities, CONTROL_NUMBERS, ControlNumber)


class UnitNumber(ControlEntity, NumberEntity):
    """A setting within bounds."""

    entity_description: UnitNumberDescription

    _range: tuple[float, float] = WIDEST

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Value and bounds: another setting may move these."""
        return (*super().state_key(), *self.bounds)

    @property
    def bounds(self) -> tuple[float, float]:
        """The bounds in force."""
        return self.coordinator.machine.device.limits(self.entity_description.key)

    @property
    @override
    def native_min_value(self) -> float:
        """The smallest value that may be asked for, or is shown as the smallest."""
        return self._range[0]

    @property
    @override
    def native_max_value(self) -> float:
        """The largest value that may be asked for, or is shown as the largest."""
        return self._range[1]

    @property
    @override
    def capability_attributes(self) -> dict[str, Any]:
        """What the number offers: the bounds in force, in the unit that a person has chosen."""
        # Home Assistant converts and rounds the native ones.
        self._range = self.bounds
        try:
            return super().capability_attributes
        finally:
            self._range = WIDEST

    @property
    @override
    def native_value(self) -> float | None:
        """The value in force."""
        return as_number(self.reading)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Write another value; whole numbers arrive as floats."""
        value = self._within_what_is_shown(value)
        await self.async_write(
            int(value) if math.isfinite(value) and value == int(value) else value
        )

    def _within_what_is_shown(self, value: float) -> float:
        """The bound in force instead of a value that is beyond it because the bound is shown rounded, in another unit."""
        shown = self.capability_attributes
        low, high = self.bounds
        lowest, highest = (
            self.convert_to_native_value(shown[name])
            for name in (NumberEntityCapabilityAttribute.MIN, NumberEntityCapabilityAttribute.MAX)
        )
        return min(max(value, low), high) if lowest <= value <= highest else value


class CombinedNumber(UnitNumber):
    """A number that several settings make up, and that moves every one that has to move, as one change."""

    def __init__(self, unit: UnitRuntime, description: UnitNumberDescription, key: str) -> None:
        """Poll everything that it rests on; `key` is the setting that it shows."""
        inputs = description.polled_from(unit.device.family)
        super().__init__(unit, replace(description, value_key=key, inputs=inputs))

    @abstractmethod
    def steps(self, wanted: float, values: Values) -> list[tuple[str, Value]]:
        """What is written for another number, in order; InvalidValueError when it is off its bounds."""

    @override
    async def async_write(self, value: Value) -> None:
        """Write another number; an error names the setting that it is about."""
        await async_write(
            self.unit,
            display_name(self.unit, self.entity_description.key),
            lambda: self._async_write_steps(value),
            several=True,
            context=self._context,
        )

    async def _async_write_steps(self, value: Value) -> None:
        """Write what it takes, with the other settings as they are now."""
        device = self.unit.device
        values = {**device.values, **await device.read(self.entity_description.inputs)}
        if (wanted := as_number(value)) is not None:
            steps = self.steps(wanted, values)
            await device.write_steps(steps, origin=origin_of(self._context))


class ReserveNumber(CombinedNumber):
    """The reserve for an outage."""

    def __init__(self, unit: UnitRuntime, description: ReserveDescription) -> None:
        """Show the reserve that a family has in any mode until another one is in force."""
        super().__init__(unit, description, unit.device.family.reserves[-1].key)

    @property
    def _reserve(self) -> Reserve:
        """What the reserve is in the mode that the unit is in."""
        device = self.unit.device
        return reserve_in_force(device.family.reserves, device.values)

    @property
    @override
    def reading(self) -> Value | None:
        """The reserve that was last read."""
        return self.coordinator.data.values.get(self._reserve.key)

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        """The bounds in force."""
        return self._reserve.limits.resolve(self.unit.device.values)

    @override
    def steps(self, wanted: float, values: Values) -> list[tuple[str, Value]]:
        """What the reserve takes."""
        return self._reserve.steps(wanted, self.unit.device.family.registers, values)


class ExportLimitNumber(CombinedNumber):
    """The most that may flow into the grid, in watts; at its maximum nothing is limited."""

    def __init__(self, unit: UnitRuntime, description: ExportLimitDescription) -> None:
        """Follow the settings of the family; ValueError for one that has no limit."""
        if (limit := unit.device.family.export_limit) is None:
            raise ValueError(f"{unit.name} has no export limit")
        super().__init__(unit, description, limit.key)
        self._limit = limit

    @property
    @override
    def reading(self) -> Value | None:
        """The limit that the settings made up when they were last read."""
        return self._limit.watts(self.coordinator.data.values, self.bounds[1])

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        """The bounds in force."""
        return self.unit.device.limits(self._limit.key)

    @override
    def steps(self, wanted: float, values: Values) -> list[tuple[str, Value]]:
        """What the limit takes."""
        return self._limit.steps(wanted, self.unit.device.family.registers, values)

    @override
    async def async_write(self, value: Value) -> None:
        """Write another limit; one that somebody has ordered for some time gives way to it."""
        await async_end_export_limit(self.unit, self._context)
        await super().async_write(value)
