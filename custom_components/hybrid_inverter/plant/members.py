"""The devices of all entries, and which of them are the members of a plant.

A member is known by its serial number, which stays when its entry is loaded again, moved to another connection or
renamed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from ..const import (
    CONF_CAPACITIES,
    CONF_GRID_INVERTER,
    CONF_MEMBERS,
    CONF_ROLE,
    DOMAIN,
    SUBENTRY_INVERTER,
    MeterRole,
)
from ..entry.data import identity_of, tier_of
from ..modbus.model.codec import RATED_POWER
from ..modbus.model.register import Tier
from ..modbus.tables import FAMILIES
from .balance import Member


@dataclass(frozen=True, slots=True)
class PlantDevice:
    """A device that is set up, whether or not its entry is loaded."""

    entry: ConfigEntry
    subentry: ConfigSubentry
    serial: str

    @property
    def role(self) -> MeterRole | None:
        """The role of a meter; None for an inverter."""
        if self.subentry.subentry_type == SUBENTRY_INVERTER:
            return None
        return MeterRole(self.subentry.data[CONF_ROLE])

    @property
    def name(self) -> str:
        """The name that a person has given it."""
        return self.subentry.title

    @property
    def tier(self) -> Tier:
        """Who may write its settings."""
        return tier_of(self.entry)

    def member(self, capacity: float) -> Member:
        """The device as a member of a plant, with the capacity of its battery in kWh."""
        identity = identity_of(self.subentry.data)
        return Member(
            id=self.serial,
            role=self.role,
            keys=_keys(identity.family, identity.features),
            rated_power=identity.facts[RATED_POWER],
            capacity=capacity,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The members of a plant, as far as they are set up."""

    members: tuple[Member, ...]
    # The names of those that are not set up any more.
    missing: tuple[str, ...]
    # The serial number of the inverter that measures the grid where no meter does.
    sees_grid: str | None
    # The tier that is chosen for each member, which decides what may be changed together.
    tiers: tuple[Tier, ...]


@cache
def _keys(family: str, features: tuple[str, ...]) -> frozenset[str]:
    """The keys of all values that such a device serves."""
    fitted = FAMILIES[family].fitted(features)
    return frozenset(fitted.registers.keys() | fitted.derived.keys())


@callback
def async_devices(hass: HomeAssistant) -> dict[str, PlantDevice]:
    """All devices that are set up, by their serial numbers."""
    return {device.serial: device for device in _devices(hass)}


def _devices(hass: HomeAssistant) -> Iterator[PlantDevice]:
    """All devices that have a serial number."""
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        for subentry in entry.subentries.values():
            if serial := identity_of(subentry.data).serial:
                yield PlantDevice(entry, subentry, serial)


@callback
def async_membership(hass: HomeAssistant, data: Mapping[str, Any]) -> Membership:
    """The members of a plant with this data."""
    devices = async_devices(hass)
    wanted: Mapping[str, str] = data[CONF_MEMBERS]
    capacities: Mapping[str, float] = data[CONF_CAPACITIES]
    return Membership(
        members=tuple(
            devices[serial].member(capacities.get(serial, 0.0))
            for serial in wanted
            if serial in devices
        ),
        missing=tuple(name for serial, name in wanted.items() if serial not in devices),
        sees_grid=data.get(CONF_GRID_INVERTER),
        tiers=tuple(devices[serial].tier for serial in wanted if serial in devices),
    )
