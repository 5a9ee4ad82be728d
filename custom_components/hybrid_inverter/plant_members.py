"""Which machines there are, in all entries, and which of them are a plant's members.

A member is known by the serial number of its identity: it stays when its entry is loaded again, moved to another
connection or given another name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeGuard

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .const import (
    CONF_CAPACITIES,
    CONF_GRID_INVERTER,
    CONF_MEMBERS,
    CONF_ROLE,
    CONF_TYPE,
    DOMAIN,
    SUBENTRY_INVERTER,
    TYPE_PLANT,
    MeterRole,
)
from .coordinator import RuntimeData, UnitRuntime
from .modbus.codec import RATED_POWER
from .modbus.tables import FAMILIES
from .plant_balance import Member
from .stored import identity_of

if TYPE_CHECKING:
    from .plant import PlantConfigEntry


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that is set up, whether or not its entry is loaded."""

    entry: ConfigEntry
    subentry: ConfigSubentry
    serial: str

    @property
    def role(self) -> MeterRole | None:
        """Return what flows through it; None for an inverter."""
        if self.subentry.subentry_type == SUBENTRY_INVERTER:
            return None
        return MeterRole(self.subentry.data[CONF_ROLE])

    @property
    def name(self) -> str:
        """Return what a person calls it."""
        return self.subentry.title

    def member(self, capacity: float) -> Member:
        """Return it as a member of a plant, with the capacity of its battery."""
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
    # The names of those that are not any more.
    missing: tuple[str, ...]
    # The serial number of the inverter that tells of the grid where there is no meter.
    sees_grid: str | None


@cache
def _keys(family: str, features: tuple[str, ...]) -> frozenset[str]:
    """Return the keys of all values that such a machine serves."""
    fitted = FAMILIES[family].fitted(features)
    return frozenset(fitted.registers.keys() | fitted.derived.keys())


def is_plant(entry: ConfigEntry) -> TypeGuard[PlantConfigEntry]:
    """Whether an entry is a plant; any other has machines of its own."""
    return entry.data.get(CONF_TYPE) == TYPE_PLANT


@callback
def async_machines(hass: HomeAssistant) -> dict[str, Machine]:
    """Return all machines that are set up, by their serial numbers."""
    return {machine.serial: machine for machine in _machines(hass)}


def _machines(hass: HomeAssistant) -> Iterator[Machine]:
    """Return all machines that have told who they are."""
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        for subentry in entry.subentries.values():
            if serial := identity_of(subentry.data).serial:
                yield Machine(entry, subentry, serial)


@callback
def async_membership(hass: HomeAssistant, data: Mapping[str, Any]) -> Membership:
    """Return the members of a plant with this data."""
    machines = async_machines(hass)
    wanted: Mapping[str, str] = data[CONF_MEMBERS]
    capacities: Mapping[str, float] = data[CONF_CAPACITIES]
    return Membership(
        members=tuple(
            machines[serial].member(capacities.get(serial, 0.0))
            for serial in wanted
            if serial in machines
        ),
        missing=tuple(name for serial, name in wanted.items() if serial not in machines),
        sees_grid=data.get(CONF_GRID_INVERTER),
    )


@callback
def async_plant_of(
    hass: HomeAssistant, serial: str, *, but: ConfigEntry | None
) -> ConfigEntry | None:
    """Return the plant, but this one, that a machine is a member of; None when it is in none."""
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        if entry is not but and is_plant(entry) and serial in entry.data[CONF_MEMBERS]:
            return entry
    return None


@callback
def async_running_units(hass: HomeAssistant) -> dict[str, UnitRuntime]:
    """Return the machines of all loaded entries by their serial numbers."""
    return {
        unit.identity.serial: unit
        for entry in hass.config_entries.async_loaded_entries(DOMAIN)
        if isinstance(entry.runtime_data, RuntimeData)
        for unit in entry.runtime_data.units.values()
    }
