"""Binary sensors: what is on or off at a unit."""

from dataclasses import dataclass, replace
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .coordinator import GroupCoordinator, HybridInverterConfigEntry, UnitRuntime
from .entity import Part, UnitEntity, UnitEntityDescription, is_served, part_device_info
from .modbus.register import Group
from .switch import SWITCHES

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class UnitBinarySensorDescription(UnitEntityDescription, BinarySensorEntityDescription):
    """A value that is on or off and only shown."""


RELAY: Final = UnitBinarySensorDescription(
    key="",
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)

BINARY_SENSORS: Final = (
    UnitBinarySensorDescription(key="problem", device_class=BinarySensorDeviceClass.PROBLEM),
    UnitBinarySensorDescription(
        key="grid_connected", part=Part.GRID, device_class=BinarySensorDeviceClass.POWER
    ),
    *(
        replace(RELAY, key=key, part=part)
        for key, part in (
            ("power_switch_state", Part.INVERTER),
            ("relay_inverter", Part.INVERTER),
            ("relay_grid_supply", Part.GRID),
            ("relay_generator", Part.GENERATOR),
            ("relay_dry_contact_1", Part.INVERTER),
            ("relay_dry_contact_2", Part.INVERTER),
            ("bms_force_charge_1", Part.BATTERY),
            ("bms_force_charge_2", Part.BATTERY),
            ("bms_sleep", Part.BATTERY),
        )
    ),
)

CONNECTIVITY: Final = UnitBinarySensorDescription(
    key="connectivity",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)

# Settings that the chosen tier may only look at.
READ_ONLY_SETTINGS: Final = tuple(
    UnitBinarySensorDescription(
        key=switch.key, part=switch.part, entity_category=EntityCategory.DIAGNOSTIC
    )
    for switch in SWITCHES
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of every unit."""
    for subentry_id, unit in entry.runtime_data.units.items():
        async_add_entities(
            [
                *(
                    UnitBinarySensor(unit, item)
                    for item in BINARY_SENSORS
                    if is_served(unit.device, item.key)
                ),
                *(
                    UnitBinarySensor(unit, item)
                    for item in READ_ONLY_SETTINGS
                    if is_served(unit.device, item.key) and not unit.device.may_write(item.key)
                ),
                ConnectivitySensor(unit),
            ],
            config_subentry_id=subentry_id,
        )


class UnitBinarySensor(UnitEntity, BinarySensorEntity):
    """A value that is on or off."""

    entity_description: UnitBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return the value as it was last read."""
        return self.reading if isinstance(self.reading, bool) else None


class ConnectivitySensor(CoordinatorEntity[GroupCoordinator], BinarySensorEntity):
    """Whether the unit answered the last poll; the one entity that is there while it does not."""

    _attr_has_entity_name = True

    def __init__(self, unit: UnitRuntime) -> None:
        """Watch the group that is polled most often."""
        super().__init__(unit.coordinators[Group.POWER])
        self.entity_description = CONNECTIVITY
        self._attr_unique_id = f"{unit.identity.serial}_{CONNECTIVITY.key}"
        self._attr_device_info = part_device_info(unit, CONNECTIVITY.part)

    @property
    @override
    def available(self) -> bool:
        """Return True: that a unit is silent is this entity's message."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the last poll succeeded."""
        return self.coordinator.last_update_success
