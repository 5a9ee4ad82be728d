"""Modes in which a machine depends on being run from here: none stays in force when nobody runs it any more."""

import asyncio
from collections.abc import Iterable
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import ATTR_DEVICE_ID, ATTR_NAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN, LOGGER
from ..entry.data import tier_of
from ..entry.stores import MachineStores
from ..entry.texts import async_load_texts, async_text
from ..modbus.errors import DeviceError, LinkError
from ..modbus.model.register import Tier
from ..modbus.model.residue import Residue
from .issues import async_raise, async_withdraw, machine_name
from .machine import Machine
from .runtime import HybridInverterConfigEntry, UnitRuntime
from .setup import build_machine, connection_of

# What is fired when a mode was left that nobody had left in time, and the kinds of the issues.
EVENT_MODE_LEFT: Final = f"{DOMAIN}_mode_left"
MODE_LEFT: Final = "mode_left"
MODE_NOT_LEFT: Final = "mode_not_left"


@callback
def async_leave_abandoned(
    hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime
) -> CALLBACK_TYPE:
    """Leave what Home Assistant has not left before it was stopped, now or when the machine is back.

    Returns what ends that.
    """
    family = unit.device.family
    modes = [residue for residue in family.residues if residue.run_from_here]
    if not modes:
        return lambda: None
    settings = unit.coordinators[family.group_of(modes[0].key)]

    @callback
    def polled() -> None:
        if unit.machine.must_leave:
            entry.async_create_background_task(
                hass, _async_leave(hass, unit), f"{unit.name} leave mode"
            )
        elif not unit.device.entered:
            async_withdraw(hass, unit.identity.serial, MODE_NOT_LEFT)

    if settings.last_update_success:
        polled()
    return settings.async_add_poll_listener(polled)


async def _async_leave(hass: HomeAssistant, unit: UnitRuntime) -> None:
    """Leave the modes in which nobody runs a machine any more, and tell it."""
    try:
        left = await unit.machine.async_leave_abandoned()
    except DeviceError as err:
        LOGGER.warning("%s is still in a mode that nobody runs any more: %s", unit.name, err)
        if not isinstance(err, LinkError):
            await _async_tell_not_left(hass, unit.entry_id, unit.machine)
        return
    serial, name = unit.identity.serial, machine_name(hass, unit.entry_id, unit.identity)
    await async_load_texts(hass, "entity")
    for residue in left:
        now = unit.device.values[residue.key]
        LOGGER.warning("%s was left in the mode %s, and is back in %s", name, residue.value, now)
        hass.bus.async_fire(
            EVENT_MODE_LEFT,
            {
                ATTR_DEVICE_ID: unit.device_id,
                ATTR_NAME: name,
                "setting": residue.key,
                "left": residue.value,
                "now": now,
            },
        )
        async_withdraw(hass, serial, MODE_NOT_LEFT)
        async_raise(
            hass,
            serial,
            MODE_LEFT,
            name=name,
            mode=_text(hass, residue, residue.value),
            now=_text(hass, residue, now),
        )


async def async_hand_over(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> None:
    """Finish what is being written before an entry is unloaded.

    The modes stay, as nearly always it is loaded again at once. Those are left of machines that nobody is going to run:
    of an entry that is disabled, of a machine that was removed from it, and of one that may only be read from now on.
    """
    staying = () if entry.disabled_by else entry.subentries
    only_read = tier_of(entry) is Tier.READ_ONLY
    await asyncio.gather(
        *(
            unit.machine.async_finish()
            if unit.subentry_id in staying and not (only_read and unit.may_write)
            else _async_release(hass, entry, unit.machine)
            for unit in entry.runtime_data.units.values()
        )
    )


async def async_leave_removed(
    hass: HomeAssistant,
    entry: ConfigEntry,
    stores: MachineStores,
    subentries: Iterable[ConfigSubentry],
) -> None:
    """Leave the modes of machines that are removed with their entry or out of it, over a link of its own: the entry's is closed."""
    await stores.async_load()
    link = connection_of(entry.data)
    machines = [build_machine(entry, subentry, link, stores) for subentry in subentries]
    try:
        await asyncio.gather(
            *(
                _async_release(hass, entry, machine)
                for machine in machines
                if machine.device.must_release
            )
        )
    finally:
        await link.close()


async def _async_release(hass: HomeAssistant, entry: ConfigEntry, machine: Machine) -> None:
    """Leave a machine as it was found, and tell it when that was not possible."""
    await machine.async_release()
    await _async_tell_not_left(hass, entry.entry_id, machine)


async def _async_tell_not_left(hass: HomeAssistant, entry_id: str, machine: Machine) -> None:
    """Raise an issue for each mode that should have been left, and was not."""
    await async_load_texts(hass, "entity")
    for residue in machine.device.entered:
        async_raise(
            hass,
            machine.identity.serial,
            MODE_NOT_LEFT,
            severity=ir.IssueSeverity.ERROR,
            name=machine_name(hass, entry_id, machine.identity),
            mode=_text(hass, residue, residue.value),
        )


def _text(hass: HomeAssistant, residue: Residue, value: object) -> str:
    """A mode as its selection shows it."""
    return async_text(hass, f"entity.select.{residue.key}.state.{value}") or str(value)
