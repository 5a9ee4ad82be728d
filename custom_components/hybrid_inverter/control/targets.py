"""What an order is for: the inverters that the target of an action means."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers.service import async_get_device_and_config_entry

from ..const import CONF_CAPACITIES, CONF_MEMBERS, DOMAIN
from ..entry.data import is_plant
from ..modbus.control.styles import control_style_of
from ..runtime.issues import machine_name
from ..runtime.lookup import (
    async_check_permission,
    async_plant_of,
    async_running_units,
    unit_of_device,
    units_among,
)
from ..runtime.runtime import UnitRuntime
from ..runtime.targets import no_target, selected_devices
from .driver import Driver
from .plant_members import battery_serials
from .refusals import Mistake, mistake
from .setup import driver_of


@dataclass(frozen=True, slots=True)
class Controlled:
    """An inverter that takes orders."""

    unit: UnitRuntime
    driver: Driver

    @property
    def name(self) -> str:
        """What a person calls it."""
        return machine_name(self.unit.hass, self.unit.entry_id, self.unit.identity)


@dataclass(frozen=True, slots=True)
class Target:
    """An inverter, or those of a plant, which share what is ordered."""

    inverters: tuple[Controlled, ...]
    plant: ConfigEntry | None = None


async def async_targets(call: ServiceCall, policy: str, *, as_whole: bool = True) -> list[Target]:
    """What an action is called for, by somebody who has this permission for all of it.

    ServiceValidationError when there is nothing that takes orders. A device or an entity has to be, or to belong to, an
    inverter or a plant. In an area there are other things, too: of it, only the inverters are meant. A plant is meant
    `as_whole`, or else those of its inverters that are loaded.
    """
    hass = call.hass
    selected = selected_devices(hass, call.data)
    meant = [_meant(hass, device_id, as_whole=as_whole) for device_id in selected.named]
    around = units_among(hass, selected.around)
    meant += ((None, [unit]) for unit in around if driver_of(hass, unit) is not None)
    targets: list[Target] = []
    seen: set[str] = set()
    # One that is meant twice is ordered once, and together with its plant if that is meant.
    for plant, units in sorted(meant, key=lambda one: one[0] is None):
        fresh = [unit for unit in units if unit.identity.serial not in seen]
        seen |= {unit.identity.serial for unit in fresh}
        for unit in fresh:
            await async_check_permission(call, unit, policy)
        if fresh:
            targets.append(Target(tuple(controlled(unit) for unit in fresh), plant))
    if not targets:
        raise no_target()
    return targets


type Meant = tuple[ConfigEntry | None, list[UnitRuntime]]


def _meant(hass: HomeAssistant, device_id: str, *, as_whole: bool) -> Meant:
    """The plant that a device is, and its inverters; or the inverter that it is a part of."""
    _, entry = async_get_device_and_config_entry(
        hass, DOMAIN, device_id, include_child_devices=False
    )
    if is_plant(entry):
        return entry, _inverters_of(hass, entry, as_whole=as_whole)
    return None, [unit_of_device(hass, device_id)]


def _inverters_of(hass: HomeAssistant, plant: ConfigEntry, *, as_whole: bool) -> list[UnitRuntime]:
    """The inverters with a battery of a plant; ServiceValidationError when one is not loaded, if all of them or none go."""
    running, serials = async_running_units(hass), battery_serials(hass, plant)
    units = []
    for serial in serials:
        if serial not in running:
            if not as_whole and not running.keys().isdisjoint(serials):
                continue
            raise mistake(
                Mistake.MEMBER_MISSING,
                plant=plant.title,
                member=plant.data[CONF_MEMBERS][serial],
            )
        units.append(running[serial])
    if not units:
        raise mistake(Mistake.NOT_CONTROLLED, device=plant.title)
    return units


def controlled(unit: UnitRuntime) -> Controlled:
    """A unit that takes orders; ServiceValidationError for one that does not."""
    if (driver := driver_of(unit.hass, unit)) is not None:
        return Controlled(unit, driver)
    is_able = control_style_of(unit.device.family.registers.keys()) is not None
    raise mistake(
        Mistake.VIEW_ONLY if is_able else Mistake.NOT_CONTROLLED,
        device=machine_name(unit.hass, unit.entry_id, unit.identity),
    )


@callback
def counteracting_plant(one: Controlled) -> ConfigEntry | None:
    """The plant of an inverter whose other batteries would take what this one gives; None if there are no others."""
    plant = async_plant_of(one.unit.hass, one.unit.identity.serial, but=None)
    if plant is None or len(battery_serials(one.unit.hass, plant)) < 2:
        return None
    return plant


@callback
def stated_capacity(one: Controlled) -> float | None:
    """The capacity of a battery in kWh that a person has entered for a plant; None where nobody has."""
    plant = async_plant_of(one.unit.hass, one.unit.identity.serial, but=None)
    if plant is None:
        return None
    return plant.data[CONF_CAPACITIES].get(one.unit.identity.serial) or None
