"""What all entities of a unit share."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Any, Final, override

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_translate_state
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import GroupCoordinator, HybridInverterConfigEntry, UnitRuntime
from .modbus.errors import (
    DeviceError,
    InvalidValueError,
    NotAppliedError,
    RejectedError,
    WriteDeniedError,
    WrongDeviceError,
)
from .modbus.register import Group, Value


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
    return f"{match['before']}_string{match['after']}", {"number": match["number"]}


@dataclass(frozen=True, kw_only=True)
class UnitEntityDescription(EntityDescription):
    """An entity of a unit; its key is the canonical key of the value it shows."""

    part: Part = Part.INVERTER
    # Whether the entity is there only where the chosen tier may write the value, or only where it may not.
    writable: bool | None = None


def unique_id(unit: UnitRuntime, description: UnitEntityDescription) -> str:
    """Return what an entity is known by for ever, wherever its machine is connected."""
    return f"{unit.identity.serial}_{description.key}"


def part_device_info(unit: UnitRuntime, part: Part) -> DeviceInfo:
    """Return the device that a part of a unit is shown as."""
    serial = unit.identity.serial
    if part is Part.INVERTER:
        return DeviceInfo(identifiers={(DOMAIN, serial)})
    return DeviceInfo(
        identifiers={(DOMAIN, f"{serial}_{part}")},
        manufacturer=unit.identity.manufacturer,
        model=unit.identity.model,
        translation_key=part,
        translation_placeholders={"inverter": unit.name},
        via_device_id=unit.device_id,
    )


def is_served(unit: UnitRuntime, description: UnitEntityDescription) -> bool:
    """Whether the unit has the value, and the chosen tier shows it in this form."""
    family, key = unit.device.family, description.key
    if key not in family.registers and key not in family.derived:
        return False
    return description.writable in (None, unit.device.may_write(key))


class UnitEntity(CoordinatorEntity[GroupCoordinator]):
    """An entity of a unit, whose state is written only when there is something new in it."""

    _attr_has_entity_name = True
    entity_description: UnitEntityDescription

    def __init__(
        self,
        unit: UnitRuntime,
        description: UnitEntityDescription,
        group: Group,
        wanted: str | None = None,
    ) -> None:
        """Take the coordinator of a group, and have it poll the wanted key."""
        super().__init__(unit.coordinators[group], context=wanted)
        self.entity_description = description
        self._shown: tuple[Any, ...] = ()
        self._attr_unique_id = unique_id(unit, description)
        self._attr_device_info = part_device_info(unit, description.part)
        self._attr_translation_key, self._attr_translation_placeholders = translation_of(
            description.key
        )

    @abstractmethod
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""

    @override
    async def async_added_to_hass(self) -> None:
        """Remember what is shown first."""
        await super().async_added_to_hass()
        self._shown = self.fingerprint()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state when there is something new in it."""
        if (fingerprint := self.fingerprint()) != self._shown:
            self._shown = fingerprint
            super()._handle_coordinator_update()


class ValueEntity(UnitEntity):
    """One value of a unit."""

    def __init__(self, unit: UnitRuntime, description: UnitEntityDescription) -> None:
        """Take the coordinator of the group that the value is polled in."""
        key = description.key
        super().__init__(unit, description, unit.device.family.group_of(key), wanted=key)

    @property
    def reading(self) -> Value | None:
        """Return the value as it was last read."""
        return self.coordinator.data.values.get(self.entity_description.key)

    @property
    @override
    def available(self) -> bool:
        """Return whether the last poll brought this value."""
        return super().available and self.entity_description.key in self.coordinator.data.values

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available, self.reading)


@callback
def async_add_values[DescriptionT: UnitEntityDescription](
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[DescriptionT],
    entity: Callable[[UnitRuntime, DescriptionT], Entity],
) -> None:
    """Add an entity for every value that a unit has and the chosen tier shows in this form."""
    for subentry_id, unit in entry.runtime_data.units.items():
        async_add_entities(
            [
                entity(unit, description)
                for description in descriptions
                if is_served(unit, description)
            ],
            config_subentry_id=subentry_id,
        )


class ControlEntity(ValueEntity):
    """A value that can be written."""

    async def async_write(self, value: Value) -> None:
        """Write through the device's guard, and say in a person's words what went wrong."""
        try:
            await self.coordinator.unit.async_write(self.entity_description.key, value)
        except InvalidValueError as err:
            raise self._refusal(err) from err
        except DeviceError as err:
            # The write may have been carried out all the same. Whoever called need not wait until a poll tells.
            self.coordinator.config_entry.async_create_background_task(
                self.hass, self.coordinator.async_request_refresh(), f"{self.entity_id} read back"
            )
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
                translation_key, placeholders = "invalid_value", {}
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
                    "wanted": self._spoken(err.wanted),
                    "held": self._spoken(err.held),
                }
            case WrongDeviceError():
                translation_key, placeholders = "written_to_nobody", {"found": err.found}
            case RejectedError():
                translation_key, placeholders = "rejected", {"code": str(err.code)}
            case _:
                translation_key, placeholders = "write_not_confirmed", {"error": str(err)}
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=translation_key,
            translation_placeholders={"entity": self._spoken_name, **placeholders},
        )

    def _spoken(self, value: object) -> str:
        """Return what a person calls a value of this entity."""
        if isinstance(value, bool):
            value = STATE_ON if value else STATE_OFF
        if not isinstance(value, str):
            return str(value)
        return async_translate_state(
            self.hass, value, self.platform.domain, DOMAIN, self.translation_key, None
        )

    @property
    def _spoken_name(self) -> str:
        """Return what a person calls this entity."""
        return self.name if isinstance(self.name, str) else self.entity_description.key
