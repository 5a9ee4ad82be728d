"""What the devices that are set up can tell the Energy dashboard, without counting anything twice.

A plant speaks for its members, and a grid meter for the inverters.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import CONF_CAPACITIES, CONF_MEMBERS, DOMAIN, MeterRole
from ..entry.data import is_plant
from ..plant.members import PlantDevice, async_devices
from ..runtime.battery_capacity import kilowatt_hours
from ..runtime.lookup import async_running_units, registered_entity
from .sources import (
    CAPACITY,
    GRID_METER,
    INVERTER_KINDS,
    LOAD_METER,
    SOLAR_METER,
    Flow,
    SourceKind,
)

METER_KINDS: Final = {
    MeterRole.GRID: GRID_METER,
    MeterRole.SOLAR: SOLAR_METER,
    MeterRole.LOAD: LOAD_METER,
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A source for the dashboard, made of the sensors of one device or plant."""

    flow: Flow
    # The device or the plant: what its unique ids begin with, and its name.
    id: str
    device: str
    # As the dashboard stores it.
    source: Mapping[str, Any]
    # What each of its sensors is called, by the field that it fills.
    names: Mapping[str, str]
    # The sensors of other devices that count the same energy.
    rivals: frozenset[str] = frozenset()
    is_meter: bool = False

    @property
    def key(self) -> str:
        """What it is known by in a form."""
        return f"{self.flow}_{self.id}"

    @property
    def statistics(self) -> frozenset[str]:
        """Its sensors."""
        return frozenset(self.source[name] for name in self.names)


@callback
def async_proposals(hass: HomeAssistant) -> list[Proposal]:
    """Everything that the dashboard can be told: plants, then inverters and meters in the order of their entries."""
    devices = async_devices(hass)
    told = {serial: _of_device(hass, device) for serial, device in devices.items()}
    found: list[Proposal] = []
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        if is_plant(entry):
            members = [*_of(told.pop(serial, []) for serial in entry.data[CONF_MEMBERS])]
            found += [_against(members, one) for one in _of_plant(hass, entry)]
    rest = [*_of(told.values())]
    metered = [one for one in rest if one.flow is Flow.GRID and one.is_meter]
    if metered:
        unmetered = [one for one in rest if one.flow is Flow.GRID and not one.is_meter]
        metered = [_against(unmetered, one) for one in metered]
        rest = [*metered, *(one for one in rest if one.flow is not Flow.GRID)]
    found += rest
    homes = [one for one in found if one.flow is Flow.HOME]
    # There is one home; which of several inverters sees all of it is not known.
    return [one for one in found if one.flow is not Flow.HOME or len(homes) == 1]


def _of(groups: Iterable[list[Proposal]]) -> Iterator[Proposal]:
    """All proposals of several devices."""
    for group in groups:
        yield from group


def _against(others: Iterable[Proposal], one: Proposal) -> Proposal:
    """A proposal that counts what these others count, too."""
    counted = (other.statistics for other in others if other.flow is one.flow)
    return replace(one, rivals=one.rivals.union(*counted))


def _of_device(hass: HomeAssistant, device: PlantDevice) -> list[Proposal]:
    """The proposals of an inverter or a meter."""
    if device.role is not None:
        kinds: tuple[SourceKind, ...] = (METER_KINDS[device.role],)
        return [
            replace(one, is_meter=True)
            for one in _made_of(hass, kinds, device.serial, device.name, None)
        ]
    unit = async_running_units(hass).get(device.serial)
    capacity = None if unit is None else kilowatt_hours(unit.device.values)
    return [*_made_of(hass, INVERTER_KINDS, device.serial, device.name, capacity)]


def _of_plant(hass: HomeAssistant, entry: ConfigEntry) -> Iterator[Proposal]:
    """The proposals of a plant."""
    capacity = round(sum(entry.data[CONF_CAPACITIES].values()), 1)
    return _made_of(hass, INVERTER_KINDS, entry.entry_id, entry.title, capacity or None)


def _made_of(
    hass: HomeAssistant,
    kinds: Iterable[SourceKind],
    prefix: str,
    name: str,
    capacity: float | None,
) -> Iterator[Proposal]:
    """What can be made of the sensors with this prefix that are enabled; `capacity` is that of the battery in kWh."""

    def sensor(key: str) -> er.RegistryEntry | None:
        known = registered_entity(hass, Platform.SENSOR, f"{prefix}_{key}")
        return known if known and not known.disabled else None

    for kind in kinds:
        wanted = {**kind.counters, **kind.others}
        sensors = {
            name_of_field: known
            for name_of_field, key in wanted.items()
            if (known := sensor(key)) is not None
        }
        if not kind.counters.keys() <= sensors.keys():
            continue
        source: dict[str, Any] = {
            **kind.constants,
            **{name_of_field: known.entity_id for name_of_field, known in sensors.items()},
        }
        if kind.flow is Flow.BATTERY and capacity:
            source[CAPACITY] = capacity
        names = {
            name_of_field: str(known.name or known.original_name or known.entity_id)
            for name_of_field, known in sensors.items()
        }
        yield Proposal(kind.flow, prefix, name, source, names)
