"""What all entities of a unit share."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from ..const import DOMAIN
from ..entry.names import async_english_name
from ..entry.texts import async_english_text
from ..modbus.model.codec import Value
from ..modbus.model.condition import Condition
from ..modbus.model.family import Family
from ..modbus.model.part import WHOLE, Kind, Part
from ..modbus.model.register import Group, Tier
from ..runtime.coordinator import GroupCoordinator
from ..runtime.faults import FaultMonitor, News
from ..runtime.runtime import UnitRuntime
from ..runtime.writes import async_write_setting
from .english_ids import async_device_name
from .write_on_change import WriteOnChangeEntity


@dataclass(frozen=True, kw_only=True)
class UnitEntityDescription(EntityDescription):
    """An entity of a unit."""

    part: Part = Part.INVERTER
    # The canonical key of the value that it rests on; empty where there is none.
    value_key: str = ""
    # The canonical keys of all values that are polled for it.
    inputs: frozenset[str] = frozenset()
    # What the value is where its unit does not say it.
    kind: Kind | None = None
    # The conditions under which it exists; all of them have to be met.
    visible_if: tuple[Condition, ...] = ()
    # Whether it exists only where the chosen tier may write the value, or, with no value, any setting.
    needs_write: bool = False

    def polled_from(self, family: Family) -> frozenset[str]:
        """The canonical keys that are polled for it from a device of this family, which needs to have all of them."""
        return self.inputs


def unique_id(unit: UnitRuntime, description: UnitEntityDescription) -> str:
    """The unique id of an entity, which stays wherever its device is connected."""
    return f"{unit.identity.serial}_{description.key}"


def part_identifier(unit: UnitRuntime, part: Part) -> tuple[str, str]:
    """The identifier of the device that a part of a unit is shown as."""
    serial = unit.identity.serial
    return (DOMAIN, serial if part in WHOLE else f"{serial}_{part}")


def part_device_info(unit: UnitRuntime, part: Part) -> DeviceInfo:
    """The device that a part of a unit is shown as."""
    if part in WHOLE:
        return DeviceInfo(identifiers={part_identifier(unit, part)})
    return DeviceInfo(
        identifiers={part_identifier(unit, part)},
        manufacturer=unit.identity.manufacturer,
        model=unit.identity.model,
        translation_key=part,
        translation_placeholders={"inverter": unit.name},
        via_device_id=unit.device_id,
    )


@callback
def async_english_part_name(unit: UnitRuntime, part: Part) -> str:
    """What the device of a part is called in the ids of its entities: as a person has called it, or in English."""
    name = async_english_name(unit.hass, unit.name)
    if part not in WHOLE:
        name = async_english_text(unit.hass, f"device.{part}.name", inverter=name) or name
    return async_device_name(unit.hass, part_identifier(unit, part), unit.entry_id, name)


def is_served(unit: UnitRuntime, description: UnitEntityDescription) -> bool:
    """Whether a unit has what an entity rests on that is not simply one of its values."""
    return is_served_by(unit.device.family, unit.device.tier, description)


def is_served_by(family: Family, tier: Tier, description: UnitEntityDescription) -> bool:
    """Whether a device as it is fitted has what an entity rests on, where this tier may be written."""
    if not family.serves(description.polled_from(family)):
        return False
    if not description.needs_write:
        return True
    return any(
        row.tier is not None and tier.allows(row.tier)
        for row in family.registers.values()
        if description.value_key in ("", row.key)
    )


def conditions_of(unit: UnitRuntime, description: UnitEntityDescription) -> list[Condition]:
    """The conditions of an entity, as far as the unit has the settings that they depend on."""
    serves = unit.device.family.serves
    return [condition for condition in description.visible_if if serves(condition.keys)]


class UnitEntity(WriteOnChangeEntity, CoordinatorEntity[GroupCoordinator]):
    """An entity of a unit, updated when its group was polled."""

    _attr_has_entity_name = True
    entity_description: UnitEntityDescription

    def __init__(
        self,
        unit: UnitRuntime,
        description: UnitEntityDescription,
        group: Group,
        wanted: frozenset[str] | None = None,
    ) -> None:
        """The coordinator of the group also polls the wanted keys."""
        super().__init__(unit.coordinators[group], context=wanted)
        self.unit = unit
        self.entity_description = description
        self._attr_unique_id = unique_id(unit, description)
        self._attr_device_info = part_device_info(unit, description.part)
        self._attr_translation_key = description.translation_key or description.key

    @property
    @override
    def english_device_name(self) -> str:
        """That of the part."""
        return async_english_part_name(self.unit, self.entity_description.part)

    # A poll that has brought something new.
    _handle_coordinator_update = WriteOnChangeEntity.async_write_if_changed


class ValueEntity(UnitEntity):
    """One value of a unit."""

    def __init__(self, unit: UnitRuntime, description: UnitEntityDescription) -> None:
        self._value_key = description.value_key
        group = unit.device.family.group_of(self._value_key)
        super().__init__(unit, description, group, wanted=description.inputs)

    @property
    def reading(self) -> Value | None:
        """The value that was last read."""
        return self.coordinator.data.values.get(self._value_key)

    @property
    @override
    def available(self) -> bool:
        """Whether the last poll brought this value."""
        coordinator = self.coordinator
        return coordinator.last_update_success and self._value_key in coordinator.data.values

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.reading)

    @callback
    def async_handle_own_value(self) -> None:
        """Write the state if it has changed: for entities whose state rests on this value alone."""
        changed = self.coordinator.changed
        if changed is None or self._value_key in changed:
            self.async_write_if_changed()


class FaultEntity(UnitEntity):
    """What the fault monitor of a unit reports."""

    def __init__(
        self, unit: UnitRuntime, monitor: FaultMonitor, description: UnitEntityDescription
    ) -> None:
        """Available while the unit answers; the monitor polls what it needs."""
        super().__init__(unit, description, monitor.group)
        self._monitor = monitor

    @override
    async def async_added_to_hass(self) -> None:
        """Be updated after the monitor has evaluated a poll."""
        await super().async_added_to_hass()
        self.async_on_remove(self._monitor.async_add_listener(self._handle_news))

    @callback
    @abstractmethod
    def _handle_news(self, news: News) -> None:
        """Show what a poll has brought."""


class ControlEntity(ValueEntity):
    """A value that can be written."""

    async def async_write(self, value: Value) -> None:
        """Write the value; raise an error with a translated message if it could not be written."""
        await async_write_setting(self.unit, self.entity_description.key, value, self._context)
