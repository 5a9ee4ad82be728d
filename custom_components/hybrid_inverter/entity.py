"""What all entities of a unit share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Any, Final, override

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import GroupCoordinator, HybridInverterConfigEntry, UnitRuntime
from .modbus.device import Device
from .modbus.errors import (
    DeviceError,
    InvalidValueError,
    NotAppliedError,
    RejectedError,
    WriteDeniedError,
)
from .modbus.register import Value


class Part(StrEnum):
    """The devices below an inverter's own."""

    INVERTER = "inverter"
    PV = "pv"
    BATTERY = "battery"
    GRID = "grid"
    LOAD = "load"
    GENERATOR = "generator"


# "grid_l2_power" and "pv3_voltage" share their names with the other phases and strings.
NUMBERED: Final = re.compile(
    r"^(?P<before>.*?)(?P<kind>(?<=_)l|(?<=^pv))(?P<number>\d)(?P<after>_.*)$"
)


def translation_of(key: str) -> tuple[str, dict[str, str]]:
    """Return the translation key of a canonical key, and its placeholders."""
    if (match := NUMBERED.match(key)) is None:
        return key, {}
    if match["kind"] == "l":
        return f"{match['before']}phase{match['after']}", {"phase": f"L{match['number']}"}
    return f"{match['before']}string{match['after']}", {"number": match["number"]}


@dataclass(frozen=True, kw_only=True)
class UnitEntityDescription(EntityDescription):
    """An entity of a unit; its key is the canonical key of the value it shows."""

    part: Part = Part.INVERTER


def part_device_info(unit: UnitRuntime, part: Part) -> DeviceInfo:
    """Return the device that a part of a unit is shown as."""
    serial = unit.identity.serial
    if part is Part.INVERTER:
        return DeviceInfo(identifiers={(DOMAIN, serial)})
    return DeviceInfo(
        identifiers={(DOMAIN, f"{serial}_{part}")},
        manufacturer=unit.identity.manufacturer,
        translation_key=part,
        via_device_id=unit.device_id,
    )


class UnitEntity(CoordinatorEntity[GroupCoordinator]):
    """One value of a unit."""

    _attr_has_entity_name = True
    entity_description: UnitEntityDescription

    def __init__(self, unit: UnitRuntime, description: UnitEntityDescription) -> None:
        """Take the coordinator of the group that the value is polled in."""
        key = description.key
        super().__init__(unit.coordinators[unit.device.family.group_of(key)], context=key)
        self.entity_description = description
        self._shown: tuple[Any, ...] = ()
        self._attr_unique_id = f"{unit.identity.serial}_{key}"
        self._attr_device_info = part_device_info(unit, description.part)
        self._attr_translation_key, self._attr_translation_placeholders = translation_of(key)

    @property
    def reading(self) -> Value | None:
        """Return the value as it was last read."""
        return self.coordinator.data.values.get(self.entity_description.key)

    @property
    @override
    def available(self) -> bool:
        """Return whether the last poll brought this value."""
        return super().available and self.entity_description.key in self.coordinator.data.values

    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available, self.reading)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state when there is something new in it."""
        if (fingerprint := self.fingerprint()) != self._shown:
            self._shown = fingerprint
            super()._handle_coordinator_update()


def is_served(device: Device, key: str) -> bool:
    """Whether machines of this family have the value."""
    return key in device.family.registers or key in device.family.derived


def async_add_controls[DescriptionT: UnitEntityDescription](
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[DescriptionT],
    entity: Callable[[UnitRuntime, DescriptionT], Entity],
) -> None:
    """Add a control for every setting that the chosen tier allows to write."""
    for subentry_id, unit in entry.runtime_data.units.items():
        async_add_entities(
            [
                entity(unit, description)
                for description in descriptions
                if unit.device.may_write(description.key)
            ],
            config_subentry_id=subentry_id,
        )


class ControlEntity(UnitEntity):
    """A value that can be written."""

    async def async_write(self, value: Value) -> None:
        """Write through the device's guard, and say in a person's words what went wrong."""
        device = self.coordinator.unit.device
        key = self.entity_description.key
        try:
            await device.write(key, value)
        except InvalidValueError as err:
            raise self._refusal(err) from err
        except DeviceError as err:
            # The write may have been carried out all the same; the next poll will tell.
            await self.coordinator.async_request_refresh()
            raise self._failure(err) from err

    def _refusal(self, err: InvalidValueError) -> ServiceValidationError:
        """Return what to raise for a value that was not sent."""
        match err:
            case WriteDeniedError(details={"tier": tier}):
                translation_key, placeholders = "needs_tier", {"tier": str(tier)}
            case WriteDeniedError():
                translation_key, placeholders = "not_served", {}
            case InvalidValueError(details={"minimum": minimum, "maximum": maximum}):
                translation_key = "out_of_range"
                placeholders = {"minimum": f"{minimum:g}", "maximum": f"{maximum:g}"}
            case InvalidValueError(details={"step": step}):
                translation_key, placeholders = "off_step", {"step": f"{step:g}"}
            case _:
                translation_key, placeholders = "invalid_value", {"reason": err.reason}
        return ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=translation_key,
            translation_placeholders={
                "entity": self._spoken_name,
                "value": str(err.value),
                **placeholders,
            },
        )

    def _failure(self, err: DeviceError) -> HomeAssistantError:
        """Return what to raise for a write that did not go through."""
        match err:
            case NotAppliedError():
                translation_key = "not_applied"
                placeholders = {
                    "address": str(err.address),
                    "wanted": str(err.wanted),
                    "held": str(err.held),
                }
            case RejectedError():
                translation_key, placeholders = "rejected", {"code": str(err.code)}
            case _:
                translation_key, placeholders = "write_not_confirmed", {"error": str(err)}
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=translation_key,
            translation_placeholders={"entity": self._spoken_name, **placeholders},
        )

    @property
    def _spoken_name(self) -> str:
        """Return what a person calls this entity."""
        return self.name if isinstance(self.name, str) else self.entity_description.key
