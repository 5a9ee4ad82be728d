"""How much energy a battery holds, and how much it can: its capacity in kilowatt-hours, and its state of charge."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfEnergy
from homeassistant.core import callback

from ..modbus.model.codec import as_number
from ..modbus.model.part import Part
from ..modbus.model.register import Group
from ..runtime.battery_capacity import CAPACITY, VOLTAGE, kilowatt_hours
from ..runtime.coordinator import GroupCoordinator
from ..runtime.runtime import UnitRuntime
from .base import UnitEntity, UnitEntityDescription

SOC: Final = "battery_soc"


@dataclass(frozen=True, kw_only=True)
class BatteryEnergyDescription(UnitEntityDescription, SensorEntityDescription):
    """An energy in a battery."""

    part: Part = Part.BATTERY
    device_class: SensorDeviceClass | None = SensorDeviceClass.ENERGY_STORAGE
    native_unit_of_measurement: str | None = UnitOfEnergy.KILO_WATT_HOUR
    suggested_display_precision: int | None = 1


BATTERY_ENERGIES: Final = (
    BatteryEnergyDescription(
        key="battery_energy_stored",
        inputs=frozenset({CAPACITY, VOLTAGE, SOC}),
        state_class=SensorStateClass.MEASUREMENT,
    ),
    BatteryEnergyDescription(key="battery_capacity_energy", inputs=frozenset({CAPACITY, VOLTAGE})),
)


class BatteryEnergySensor(UnitEntity, SensorEntity):
    """An energy in the battery, as far as the inverter reports what it takes to know it."""

    entity_description: BatteryEnergyDescription

    def __init__(self, unit: UnitRuntime, description: BatteryEnergyDescription) -> None:
        """Follow the powers, and what is polled less often with its own group."""
        group_of = unit.device.family.group_of
        self._by_group: dict[Group, frozenset[str]] = {}
        for key in description.inputs:
            known = self._by_group.get(group_of(key), frozenset())
            self._by_group[group_of(key)] = known | {key}
        super().__init__(
            unit, description, Group.POWER, wanted=self._by_group.pop(Group.POWER, frozenset())
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Have the other groups polled for it, too."""
        await super().async_added_to_hass()
        for group, keys in self._by_group.items():
            coordinator = self.unit.coordinators[group]
            self.async_on_remove(
                coordinator.async_add_listener(
                    partial(self._others_polled, coordinator, keys), keys
                )
            )

    @callback
    def _others_polled(self, coordinator: GroupCoordinator, keys: frozenset[str]) -> None:
        """Write the state if that may have changed: most settings have nothing to do with it."""
        if coordinator.changed is None or not keys.isdisjoint(coordinator.changed):
            self.async_write_if_changed()

    @property
    @override
    def native_value(self) -> float | None:
        """The energy in kilowatt-hours, in tenths; None while it is not known."""
        # Not from the newest values: what cannot be read now keeps the one that it had.
        values = self.unit.device.snapshot(self.entity_description.inputs).values
        capacity = kilowatt_hours(values)
        if SOC not in self.entity_description.inputs or capacity is None:
            return capacity
        soc = as_number(values.get(SOC))
        return None if soc is None else round(capacity * soc / 100, 1)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.native_value)
