"""Binary sensors: what is on or off at a unit."""

from dataclasses import dataclass, replace
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import Part, UnitEntity, UnitEntityDescription, ValueEntity
from .link_device import link_binary_sensors
from .modbus.register import Group
from .roster import async_add_values
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
            ("system_selfcheck", Part.INVERTER),
        )
    ),
    # Settings that no tier may write.
    *(
        replace(RELAY, key=key, part=part)
        for key, part in (
            ("volt_watt_enabled", Part.GRID),
            ("volt_var_enabled", Part.GRID),
            ("watt_var_enabled", Part.GRID),
            ("watt_pf_enabled", Part.GRID),
            ("drm_enabled", Part.GRID),
            ("track_grid_phase", Part.GRID),
            ("grid_tie_meter_2", Part.GRID),
            ("italy_self_check", Part.GRID),
            ("external_relay", Part.INVERTER),
            ("parallel_enabled", Part.INVERTER),
            ("solar_arc_fault", Part.PV),
            ("wind_input_dc1", Part.PV),
            ("wind_input_dc2", Part.PV),
            ("ac_couple_grid_side", Part.GRID),
            ("ac_couple_load_side", Part.LOAD),
            ("off_grid_enabled", Part.LOAD),
            ("battery_auto_wake", Part.BATTERY),
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
        key=switch.key,
        part=switch.part,
        used_when=switch.used_when,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=switch.entity_registry_enabled_default,
        writable=False,
    )
    for switch in SWITCHES
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of the link, and of every unit."""
    async_add_entities(link_binary_sensors(entry))
    await async_add_values(
        entry, async_add_entities, (*BINARY_SENSORS, *READ_ONLY_SETTINGS), UnitBinarySensor
    )
    for subentry_id, unit in entry.runtime_data.units.items():
        async_add_entities([ConnectivitySensor(unit)], config_subentry_id=subentry_id)


class UnitBinarySensor(ValueEntity, BinarySensorEntity):
    """A value that is on or off."""

    entity_description: UnitBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return the value as it was last read."""
        return self.reading if isinstance(self.reading, bool) else None


class ConnectivitySensor(UnitEntity, BinarySensorEntity):
    """Whether the unit answered the last poll; the one entity that is there while it does not."""

    entity_description: UnitBinarySensorDescription

    def __init__(self, unit: UnitRuntime) -> None:
        """Watch the group that is polled most often."""
        super().__init__(unit, CONNECTIVITY, Group.POWER)

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.is_on,)

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
