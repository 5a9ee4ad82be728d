"""What is kept of a plant's inverters with a battery, whether or not their entries are loaded."""

from collections.abc import Iterator
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_CAPACITIES, CONF_MEMBERS, SUBENTRY_INVERTER
from ..entities.base import UnitEntityDescription, is_served_by
from ..entry.data import family_of, identity_of, owner_of, tier_of
from ..modbus.control.order import ControlMode
from ..modbus.control.styles import control_style_of
from ..modbus.model.codec import RATED_POWER
from ..modbus.model.family import Family
from ..modbus.model.register import Tier


@callback
def battery_serials(hass: HomeAssistant, plant: ConfigEntry) -> list[str]:
    """The serial numbers of a plant's inverters with a battery, set up or not; a capacity of 0 says that there is none."""
    return [
        serial for serial in _inverters(hass, plant) if plant.data[CONF_CAPACITIES].get(serial) != 0
    ]


def _inverters(hass: HomeAssistant, plant: ConfigEntry) -> Iterator[str]:
    """The serial numbers of a plant's members that are no meters, as far as that is known."""
    for serial in plant.data[CONF_MEMBERS]:
        found = owner_of(hass, serial)
        if found is None or found[1].subentry_type == SUBENTRY_INVERTER:
            yield serial


@dataclass(frozen=True, slots=True)
class BatteryMember:
    """An inverter with a battery, by what is kept of it."""

    family: Family
    tier: Tier
    rated_power: float

    @property
    def modes(self) -> frozenset[ControlMode]:
        """The orders that its battery can carry out."""
        style = control_style_of(self.family.registers.keys())
        return style.modes - {ControlMode.EXPORT_LIMIT} if style else frozenset()

    def serves(self, description: UnitEntityDescription) -> bool:
        """Whether it has what an entity rests on."""
        return is_served_by(self.family, self.tier, description)


@callback
def battery_members(hass: HomeAssistant, plant: ConfigEntry) -> list[BatteryMember]:
    """Those inverters with a battery that are set up."""
    members = []
    for serial in battery_serials(hass, plant):
        if (found := owner_of(hass, serial)) is None:
            continue
        entry, subentry = found
        identity = identity_of(subentry.data)
        members.append(
            BatteryMember(
                family=family_of(subentry.data).fitted(identity.features),
                tier=tier_of(entry),
                rated_power=identity.facts[RATED_POWER],
            )
        )
    return members


@callback
def are_all_batteries(hass: HomeAssistant, plant: ConfigEntry) -> bool:
    """Whether all of a plant's inverters have a battery."""
    return list(_inverters(hass, plant)) == battery_serials(hass, plant)
