"""Hybrid inverters and their meters, read and controlled locally over Modbus.

A config entry is a link (a gateway, a stick or a serial port); each machine on it is a subentry with a coordinator for
every group of registers. A machine has to answer when the entry is set up for the first time. One that is silent later, at
night for example, or behind a dead link, keeps its entities, which are unavailable then. An entry can also be a plant: a
view of the machines of other entries.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from . import binary_sensor, button, calendar, event, number, select, sensor
from .const import DOMAIN
from .control.plants import async_setup_plant_control
from .control.setup import async_release_removed, async_setup_control, async_start_control
from .doctor.setup import async_setup_doctor
from .entities.descriptions import ByPlatform
from .entities.kept import async_keep_enabled
from .entities.link import async_register_link
from .entities.registry import async_remove_orphans, enabled_keys
from .entry.data import identity_of, is_plant, owner_of
from .entry.reload import async_reload_on_change
from .entry.removed_units import async_let_go, async_take_over, async_watch_removed_units
from .entry.stores import MachineStores
from .maintenance.remove_device import async_remove_device
from .maintenance.removed_parts import async_watch_parts
from .plant.plant import async_remove_plant, async_setup_plant, async_unload_plant
from .runtime.choices import async_translate_choices
from .runtime.faults import async_remove_issues_of
from .runtime.forced_modes import (
    async_hand_over,
    async_leave_abandoned,
    async_leave_removed,
)
from .runtime.heard_requests import async_follow_heard
from .runtime.interrupted_changes import async_resume_interrupted
from .runtime.listed_registers import async_poll_listed
from .runtime.mirror import async_poll_identity, async_start_mirror
from .runtime.other_machine import async_watch_machine
from .runtime.runtime import HybridInverterConfigEntry
from .runtime.setting_news import async_follow_settings
from .runtime.setup import (
    async_follow_identity,
    async_give_serials,
    async_open_link,
    async_poll_first,
    async_register_device,
    build_unit,
)
from .runtime.stick_address import async_follow
from .schedule.charge_watch import async_watch_charging
from .schedule.clock_watch import async_watch_clock
from .services import async_setup_actions

CONFIG_SCHEMA: Final = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.TIME,
]

# The entities that are not values of a unit.
OTHER_DESCRIPTIONS: Final[ByPlatform] = {
    Platform.BINARY_SENSOR: binary_sensor.DESCRIPTIONS,
    Platform.BUTTON: button.DESCRIPTIONS,
    Platform.CALENDAR: calendar.CALENDARS,
    Platform.EVENT: event.DESCRIPTIONS,
    Platform.NUMBER: number.DESCRIPTIONS,
    Platform.SELECT: select.DESCRIPTIONS,
    Platform.SENSOR: sensor.DESCRIPTIONS,
}


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, which exist whether or not an entry is loaded."""
    async_setup_actions(hass)
    await async_translate_choices(hass)
    async_watch_removed_units(hass, _async_remove_units)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Set an entry up: a link, or a plant."""
    return await _kind_of(entry).setup(hass, entry)


async def async_migrate_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Bring an entry of an older version up to date."""
    if entry.minor_version < 2:
        if not is_plant(entry):
            async_keep_enabled(hass, entry)
        hass.config_entries.async_update_entry(entry, minor_version=2)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Remove the entities, and end what goes on behind them."""
    return await _kind_of(entry).unload(hass, entry)


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete what is kept beside the entry."""
    await _kind_of(entry).remove(hass, entry)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: ConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Whether a person may delete a device: that of a part that is gone."""
    return await async_remove_device(hass, entry, device)


async def _async_setup_link(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> bool:
    """Open the link and start polling the units on it; ConfigEntryNotReady if it leads nowhere for the first time."""
    async_give_serials(hass, entry)
    # Who is taken out from now on is let go when the entry is loaded again; who was before, while the link is closed, as
    # many gateways serve one client only.
    entry.async_on_unload(async_reload_on_change(hass, entry))
    await _async_leave_taken_out(hass, entry)
    runtime = await async_open_link(hass, entry)
    stores = MachineStores(hass, entry.entry_id)
    await stores.async_load()
    entry.async_on_unload(stores.async_close)
    await _async_forget_gone(hass, entry, stores)
    for subentry in entry.subentries.values():
        unit = build_unit(hass, entry, subentry, runtime.link, stores)
        unit.begin_with(enabled_keys(unit, OTHER_DESCRIPTIONS))
        runtime.units[subentry.subentry_id] = unit
        async_setup_control(hass, entry, unit, stores)
        async_setup_doctor(hass, entry, unit)
        # There is much to look up for a unit, and others want their turn.
        await asyncio.sleep(0)
    entry.async_on_unload(async_follow_heard(hass, entry, runtime.link))
    await async_start_mirror(hass, entry)

    await async_poll_first(hass, entry, runtime)

    link_id = async_register_link(hass, entry)
    for unit in runtime.units.values():
        if unit.subentry_id in entry.subentries:
            async_register_device(hass, entry, unit, link_id)
            async_remove_orphans(hass, entry, unit, OTHER_DESCRIPTIONS)
            await asyncio.sleep(0)
    runtime.drop_others(entry.subentries)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    runtime.drop_others(entry.subentries)
    for unit in runtime.units.values():
        if unit.faults is not None:
            entry.async_on_unload(unit.faults.async_start())
        entry.async_on_unload(async_follow_identity(hass, entry, unit))
        entry.async_on_unload(async_watch_parts(hass, entry, unit))
        if unit.may_write:
            entry.async_on_unload(async_follow_settings(hass, entry, unit))
        entry.async_on_unload(async_leave_abandoned(hass, entry, unit))
        entry.async_on_unload(async_resume_interrupted(hass, entry, unit))
        entry.async_on_unload(async_start_control(hass, unit))
        entry.async_on_unload(async_watch_clock(hass, entry, unit))
        entry.async_on_unload(async_watch_charging(hass, unit))
        entry.async_on_unload(async_watch_machine(hass, unit))
        entry.async_on_unload(async_poll_identity(entry, unit))
        entry.async_on_unload(async_poll_listed(hass, entry, unit))
        # The powers are shown in the meantime.
        entry.async_create_task(hass, unit.async_poll_others(), f"{unit.name} first polls")
    if entry.unique_id is not None:
        entry.async_on_unload(async_follow(hass, entry))
    return True


async def _async_unload_link(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> bool:
    """Remove the entities, and hand the machines over to whoever comes next; then the link is closed."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        units = entry.runtime_data.units
        gone = {key: unit for key, unit in units.items() if key not in entry.subentries}
        _remove_issues(hass, {unit.identity.serial for unit in gone.values()})
        was_disabled = entry.disabled_by
        await async_hand_over(hass, entry)
        if entry.disabled_by is not was_disabled:
            # Nobody goes on with those that were to stay.
            await async_hand_over(hass, entry)
        async_let_go(hass, entry, gone)
    return unloaded


async def _async_remove_link(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> None:
    """Leave the machines as they were found, and delete the files and the repair issues of an entry."""
    stores = MachineStores(hass, entry.entry_id)
    machines = [*async_take_over(hass, entry), *entry.subentries.values()]
    await _async_leave(hass, entry, stores, machines)
    await stores.async_remove()


async def _async_leave_taken_out(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Leave machines that were taken out of an entry while it was being unloaded or loaded.

    One that is in it again goes on with its order.
    """
    here = _serials(entry.subentries.values())
    gone = async_take_over(hass, entry)
    if gone := [one for one in gone if identity_of(one.data).serial not in here]:
        await _async_remove_units(hass, entry, gone)


async def _async_remove_units(
    hass: HomeAssistant, entry: ConfigEntry, gone: Sequence[ConfigSubentry]
) -> None:
    """Do the same for machines that were taken out of an entry which is not loaded.

    What cannot be put back now stays in the files: it is put back if the machine is added again.
    """
    stores = MachineStores(hass, entry.entry_id)
    await _async_leave(hass, entry, stores, gone)
    await stores.async_forget_others(_serials(entry.subentries.values()))
    await stores.async_close()


async def _async_leave(
    hass: HomeAssistant,
    entry: ConfigEntry,
    stores: MachineStores,
    subentries: Iterable[ConfigSubentry],
) -> None:
    """Leave machines as they were found, and delete their repair issues, but for that of what could not be put back."""
    machines = list(subentries)
    _remove_issues(hass, _serials(machines))
    await async_leave_removed(hass, entry, stores, machines)
    await async_release_removed(hass, entry, stores, machines)


async def _async_forget_gone(
    hass: HomeAssistant, entry: ConfigEntry, stores: MachineStores
) -> None:
    """Forget the machines that are in the entry no more, also where nobody has noticed it when they were taken out."""
    _remove_issues(hass, await stores.async_forget_others(_serials(entry.subentries.values())))


def _remove_issues(hass: HomeAssistant, serials: Iterable[str]) -> None:
    """Delete the repair issues of machines that are gone; one that is in some entry by now, be it another one, keeps them."""
    async_remove_issues_of(hass, *(serial for serial in serials if owner_of(hass, serial) is None))


def _serials(subentries: Iterable[ConfigSubentry]) -> set[str]:
    """The serial numbers of machines."""
    return {identity_of(subentry.data).serial for subentry in subentries}


async def _async_setup_plant(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Add up what the members measure, and follow what is ordered of their batteries."""
    async_setup_plant_control(hass, entry)
    return await async_setup_plant(hass, entry)


@dataclass(frozen=True, slots=True)
class EntryKind:
    """What is done with an entry of one kind."""

    setup: Callable[[HomeAssistant, ConfigEntry], Awaitable[bool]]
    unload: Callable[[HomeAssistant, ConfigEntry], Awaitable[bool]]
    remove: Callable[[HomeAssistant, ConfigEntry], Awaitable[None]]


LINK: Final = EntryKind(_async_setup_link, _async_unload_link, _async_remove_link)
PLANT: Final = EntryKind(_async_setup_plant, async_unload_plant, async_remove_plant)


def _kind_of(entry: ConfigEntry) -> EntryKind:
    """The kind of an entry: a link with machines, or a plant, which is a view of machines of other entries."""
    return PLANT if is_plant(entry) else LINK
