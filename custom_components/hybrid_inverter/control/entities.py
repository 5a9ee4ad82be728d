"""What the entities of battery control share: a battery, of an inverter or of a plant, and how they follow its orders."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity

from ..entities.base import (
    UnitEntityDescription,
    async_english_part_name,
    part_device_info,
    unique_id,
)
from ..entities.write_on_change import WriteOnChangeEntity
from ..modbus.control.styles import control_style_of
from ..modbus.device.wear import Origin
from ..modbus.model.family import Family
from ..modbus.model.register import Group
from ..runtime.callers import origin_of
from ..runtime.runtime import UnitRuntime
from .battery import Battery, Follower
from .driver import Driver
from .setup import DRIVERS
from .targets import Controlled


@dataclass(frozen=True, kw_only=True)
class OrderEntityDescription(UnitEntityDescription):
    """An entity of a battery that takes orders."""

    needs_write: bool = True

    @override
    def polled_from(self, family: Family) -> frozenset[str]:
        """Everything that says what is in force; what no family serves where there are no orders."""
        style = control_style_of(family.registers.keys())
        if style is None:
            return frozenset({self.key})
        return style.reads | {key for key in style.optional if family.serves([key])}


class UnitBattery(Battery):
    """The battery of one inverter."""

    def __init__(self, unit: UnitRuntime) -> None:
        driver = driver_for(unit)
        super().__init__(
            unit.hass,
            modes=driver.keeper.style.modes,
            rated_power=driver.rated_power,
            preset=driver.preset,
        )
        self.inverters = (Controlled(unit, driver),)
        self._unit = unit
        self._settings = unit.coordinators[Group.SETTINGS]

    @property
    @override
    def available(self) -> bool:
        """Whether its settings are polled."""
        return self._settings.last_update_success

    @override
    def unique_id(self, description: UnitEntityDescription) -> str:
        """The unique id of an entity of the inverter."""
        return unique_id(self._unit, description)

    @override
    def device_info(self, description: UnitEntityDescription) -> DeviceInfo:
        """The part of the inverter."""
        return part_device_info(self._unit, description.part)

    @override
    def english_device_name(self, description: UnitEntityDescription) -> str:
        """That of the part."""
        return async_english_part_name(self._unit, description.part)


class BatteryEntity(WriteOnChangeEntity):
    """An entity of a battery: of an inverter's, or of those of a plant as one."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    entity_description: UnitEntityDescription

    def __init__(self, battery: Battery, description: UnitEntityDescription) -> None:
        """Follow the settings, and what is ordered."""
        self.battery = battery
        self.entity_description = description
        self._attr_unique_id = battery.unique_id(description)
        self._attr_device_info = battery.device_info(description)
        self._attr_translation_key = description.translation_key or description.key
        self.follower = Follower(
            updated=self.async_write_if_changed, ordered=self.async_write_if_changed
        )

    @property
    @override
    def english_device_name(self) -> str:
        """That of the battery."""
        return self.battery.english_device_name(self.entity_description)

    @override
    async def async_added_to_hass(self) -> None:
        """Update with the settings, and when other orders are in force."""
        await super().async_added_to_hass()
        self.async_on_remove(self.battery.async_follow(self.follower))

    @property
    @override
    def available(self) -> bool:
        """Whether the settings are polled."""
        return self.battery.available


class OrderEntity(BatteryEntity):
    """An entity of the orders of a battery."""

    entity_description: OrderEntityDescription

    async def async_update(self) -> None:
        """Poll the settings, as somebody has asked for it."""
        if self.enabled:
            await self.battery.async_refresh()

    @property
    def called(self) -> str:
        """What messages call it: the name that a person has given it, or its own."""
        entry = self.registry_entry
        return (entry and (entry.name or entry.original_name)) or self.entity_description.key

    @property
    def is_called_by_person(self) -> bool:
        """Whether a person has called, and no automation."""
        return origin_of(self._context) is Origin.PERSON


def driver_for(unit: UnitRuntime) -> Driver:
    """The driver of an inverter that has such entities."""
    return unit.hass.data[DRIVERS][unit.identity.serial]


def of_inverter[DescriptionT: OrderEntityDescription](
    entity: Callable[[Battery, DescriptionT], Entity],
) -> Callable[[UnitRuntime, DescriptionT], Entity]:
    """What makes an entity of the battery of an inverter."""
    return lambda unit, description: entity(UnitBattery(unit), description)
