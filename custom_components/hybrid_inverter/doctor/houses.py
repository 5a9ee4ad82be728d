"""Which devices see the same grid: those of a plant, or else those on the same link."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..const import CONF_GRID_INVERTER, CONF_MEMBERS, MeterRole
from ..entry.data import identity_of
from ..modbus.doctor.member import INSTRUMENTS, STRINGS, Member, Role
from ..modbus.find.identify import Identity
from ..plant.members import PlantDevice, async_devices
from ..runtime.lookup import async_plant_of

# How many PV inputs an inverter has.
MPPT_COUNT: Final = "mppt_count"

# What a device is to the doctor; a meter of a part of the house tells nothing.
ROLES: Final = {
    None: Role.INVERTER,
    MeterRole.GRID: Role.GRID_METER,
    MeterRole.SOLAR: Role.SOLAR_METER,
}


@dataclass(frozen=True, slots=True)
class House:
    """Devices at the same house connection, by their serial numbers."""

    # The id of the entry of the plant, or of the link.
    id: str
    members: tuple[Member, ...]
    # Whether there are other inverters here, of which nobody has said where they feed in.
    has_neighbours: bool

    @property
    def inverters(self) -> tuple[str, ...]:
        """The serial numbers of its inverters."""
        return tuple(one.id for one in self.members if one.role is Role.INVERTER)


@callback
def async_house_of(hass: HomeAssistant, serial: str) -> House | None:
    """The house of a device, whether or not the others are loaded; None of what no doctor looks at."""
    devices = async_devices(hass)
    if (own := devices.get(serial)) is None:
        return None
    plant = async_plant_of(hass, serial, but=None)
    if plant is not None:
        house_id, sees_grid = plant.entry_id, plant.data.get(CONF_GRID_INVERTER)
        found = [one for each, one in devices.items() if each in plant.data[CONF_MEMBERS]]
    else:
        house_id, sees_grid = own.entry.entry_id, None
        found = [
            one
            for each, one in devices.items()
            if one.entry is own.entry and async_plant_of(hass, each, but=None) is None
        ]
    members = tuple(_members(found, sees_grid))
    if all(one.id != serial for one in members):
        return None
    here = {one.id for one in members}
    return House(
        house_id,
        members,
        any(one.role is None and each not in here for each, one in devices.items()),
    )


def _members(devices: Iterable[PlantDevice], sees_grid: str | None) -> Iterable[Member]:
    """The devices as the doctor takes them; `sees_grid` is the inverter that a person has named for the grid.

    Of several inverters of a make that nobody has chosen from, only one may have clamps: none of theirs counts.
    """
    found = {one.serial: (one, identity_of(one.subentry.data)) for one in devices}
    makes = Counter(identity.family for one, identity in found.values() if one.role is None)
    for serial, (one, identity) in sorted(found.items()):
        family = identity.family
        if one.role not in ROLES or family not in INSTRUMENTS:
            continue
        is_alone = makes[family] == 1 and sees_grid is None
        served = one.member(0.0)
        yield Member(
            id=serial,
            family=family,
            role=ROLES[one.role],
            keys=served.keys - _no_inputs(identity),
            rated_power=served.rated_power,
            sees_grid=one.role is not None or is_alone or serial == sees_grid,
        )


def _no_inputs(identity: Identity) -> frozenset[str]:
    """The values of PV inputs that the table has, and this inverter has not."""
    count = identity.facts.get(MPPT_COUNT, len(STRINGS))
    return frozenset(
        f"pv{number}_{value}"
        for number in STRINGS
        if number > count
        for value in ("power", "voltage")
    )
