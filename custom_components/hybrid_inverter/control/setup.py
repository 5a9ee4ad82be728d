"""The keepers of loaded entries, and what becomes of their orders when an entry is removed."""

from collections.abc import Iterable
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import CONF_MAX_IMPORT, CONF_MAY_SELL, DOMAIN, LOGGER
from ..entry.data import with_features
from ..entry.stores import MachineStores
from ..modbus.control.lease import LeaseMemory
from ..modbus.control.styles import control_style_of
from ..modbus.errors import DeviceError
from ..modbus.model.export_limit import exports_freely
from ..modbus.transport.connection import Connection
from ..runtime.machine import Machine
from ..runtime.runtime import UnitRuntime
from ..runtime.setup import build_machine, connection_of
from .deadline import TOO_OLD
from .driver import Driver
from .facts import NOTHING_ALLOWED, Permissions
from .issues import ControlIssues
from .keeper import Keeper

# The drivers of loaded inverters by serial number.
DRIVERS: Final = HassKey[dict[str, Driver]](f"{DOMAIN}_control_drivers")


@callback
def async_setup_control(
    hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime, stores: MachineStores
) -> None:
    """Make the keeper of an inverter that can be controlled; before its entities are added."""
    style = control_style_of(unit.device.family.registers.keys())
    if style is None:
        return
    drivers = hass.data.setdefault(DRIVERS, {})
    serial = unit.identity.serial
    keeper = Keeper(
        unit.machine,
        style,
        stores.orders(serial),
        lambda: permissions_of(entry, unit, drivers.get(serial)),
    )
    if not unit.may_write:
        # What could not be put back before it may only be read stays until somebody else does it.
        ControlIssues(hass, entry.entry_id, keeper).async_given_up()
        return
    driver = drivers[serial] = Driver(hass, entry, unit, keeper)

    @callback
    def forget() -> None:
        # It may have moved to another entry, and be driven by that one by now.
        if drivers.get(serial) is driver:
            del drivers[serial]

    entry.async_on_unload(forget)


@callback
def async_start_control(hass: HomeAssistant, unit: UnitRuntime) -> CALLBACK_TYPE:
    """Begin to look after the orders of an inverter; returns how to stop that."""
    driver = driver_of(hass, unit)
    return driver.async_start() if driver is not None else lambda: None


def driver_of(hass: HomeAssistant, unit: UnitRuntime) -> Driver | None:
    """The driver of a loaded inverter; None of what cannot be controlled."""
    return hass.data.get(DRIVERS, {}).get(unit.identity.serial)


def permissions_of(entry: ConfigEntry, unit: UnitRuntime, driver: Driver | None) -> Permissions:
    """What the owner allows; the battery may be sold at first where the export is neither off nor limited."""
    may_sell = entry.options.get(CONF_MAY_SELL)
    if may_sell is None:
        may_sell = exports_freely(unit.device.values)
    return Permissions(
        may_sell=may_sell,
        max_import=entry.options.get(CONF_MAX_IMPORT),
        highest_load=None if driver is None else driver.highest_load,
        forbids_sale=entry.options.get(CONF_MAY_SELL) is False,
    )


async def async_release_removed(
    hass: HomeAssistant,
    entry: ConfigEntry,
    stores: MachineStores,
    subentries: Iterable[ConfigSubentry],
) -> None:
    """Put back what orders have changed at inverters that are removed with their entry or out of it, over a link of its own."""
    link: Connection | None = None
    try:
        for subentry in subentries:
            memory = stores.orders(str(subentry.unique_id))
            if memory.is_empty:
                continue
            link = link or connection_of(entry.data)
            machine = build_machine(entry, subentry, link, stores)
            if (keeper := _keeper_without_entry(machine, memory)) is None:
                continue
            issues = ControlIssues(hass, entry.entry_id, keeper)
            if memory.ended_before(dt_util.utcnow() - TOO_OLD):
                issues.async_left_alone()
                await memory.keep((), {}, {})
                continue
            # An inverter that was busy whenever it was asked for a feature may tell it now.
            if keeper.waits_for_feature and (found := await machine.async_discover()):
                machine = build_machine(entry, with_features(subentry, found), link, stores)
                keeper = _keeper_without_entry(machine, memory) or keeper
            try:
                await keeper.async_release_all()
            except DeviceError as err:
                LOGGER.warning("%s was not left as it was found: %s", machine.name, err)
            if not memory.is_empty:
                issues.async_given_up()
    finally:
        if link is not None:
            await link.close()


def _keeper_without_entry(machine: Machine, memory: LeaseMemory) -> Keeper | None:
    """What ends the orders of an inverter whose entry is not loaded; None of what cannot be controlled."""
    style = control_style_of(machine.device.family.registers.keys())
    if style is None:
        return None
    return Keeper(machine, style, memory, lambda: NOTHING_ALLOWED)
