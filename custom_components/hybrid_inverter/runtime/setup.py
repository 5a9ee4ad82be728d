"""Building what a loaded entry holds, and keeping the device registry and the subentries in step with it."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_MAC, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import (
    CONF_INVERTED,
    CONF_ROLE,
    CONF_TYPE,
    CONF_UNIT_ID,
    DEFAULT_INTERVALS,
    DOMAIN,
    SUBENTRY_METER,
    TYPE_LISTEN,
    MeterRole,
)
from ..entry.data import (
    endpoint_of,
    family_of,
    identity_of,
    source_of,
    tier_of,
    unit_data,
    with_serial,
)
from ..entry.stick_address import async_search
from ..entry.stores import MachineStores
from ..entry.texts import error_text
from ..modbus.device.device import Device
from ..modbus.errors import LinkError
from ..modbus.listen.listener import Listener
from ..modbus.model.register import Group
from ..modbus.transport.connection import Connection
from ..modbus.transport.link import Link, SerialEndpoint
from .coordinator import GroupCoordinator
from .faults import FaultMemory, FaultMonitor
from .machine import Machine
from .runtime import RuntimeData, UnitRuntime


async def async_open_link(hass: HomeAssistant, entry: ConfigEntry) -> RuntimeData:
    """The link of an entry, still without units; it is closed when the entry is unloaded or Home Assistant stops.

    If it cannot be opened, that is ConfigEntryNotReady for the first time, and a stick is searched for. Machines that are
    known are set up as silent ones, and their polls find out when it can be.
    """
    link = connection_of(entry.data)
    # Also of a link that does not open there are diagnostics.
    runtime = entry.runtime_data = RuntimeData(link=link)

    async def close(_: Event) -> None:
        await runtime.async_release()
        await link.close()

    entry.async_on_unload(link.close)
    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, close))
    try:
        await link.connect()
    except LinkError as err:
        if not _is_known(hass, entry):
            # Home Assistant tries again within seconds.
            await async_search(hass, entry)
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="cannot_connect",
                translation_placeholders={"error": error_text(hass, err)},
            ) from err
        link.keep_trying()
        runtime.error = err
    return runtime


def _is_known(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Whether machines of an entry have been set up before."""
    return bool(dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id))


def connection_of(data: Mapping[str, Any]) -> Connection:
    """The link or the listener of an entry with this data; it is not open yet."""
    return Listener(source_of(data)) if data[CONF_TYPE] == TYPE_LISTEN else Link(endpoint_of(data))


async def async_poll_first(hass: HomeAssistant, entry: ConfigEntry, runtime: RuntimeData) -> None:
    """Poll the powers of all units; ConfigEntryNotReady if no machine answers and none ever did."""
    if runtime.error is not None:
        for unit in runtime.units.values():
            unit.coordinators[Group.POWER].async_begin_silent(runtime.error)
        return
    # A silent machine delays the others by no more than its timeout.
    answers = await asyncio.gather(*(unit.async_poll_first() for unit in runtime.units.values()))
    if answers and not any(answers) and not _is_known(hass, entry):
        raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key="no_unit_answers")


@callback
def async_give_serials(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Store a serial number for meters that the entry was created with, as they report none themselves."""
    for subentry in entry.subentries.values():
        unit_id, reported = subentry.data[CONF_UNIT_ID], identity_of(subentry.data)
        if (identity := with_serial(entry, unit_id, reported)) is not reported:
            hass.config_entries.async_update_subentry(
                entry,
                subentry,
                data={**subentry.data, **unit_data(unit_id, identity)},
                unique_id=identity.serial,
            )


@callback
def build_unit(
    hass: HomeAssistant,
    entry: ConfigEntry,
    subentry: ConfigSubentry,
    link: Connection,
    stores: MachineStores,
) -> UnitRuntime:
    """A unit as its subentry describes it, without asking the machine; until the entry is unloaded."""
    identity = identity_of(subentry.data)
    machine = build_machine(entry, subentry, link, stores)
    primary = GroupCoordinator(hass, entry, machine, Group.POWER)
    coordinators = {
        group: primary
        if group is primary.group
        else GroupCoordinator(hass, entry, machine, group, primary)
        for group in DEFAULT_INTERVALS
    }
    family = machine.device.family
    unit = UnitRuntime(
        hass=hass,
        entry_id=entry.entry_id,
        subentry_id=subentry.subentry_id,
        machine=machine,
        coordinators=coordinators,
        faults=FaultMonitor(
            coordinators[family.group_of(family.faults.fields[0])],
            family.faults,
            FaultMemory(stores, identity.serial),
        )
        if family.faults
        else None,
        role=MeterRole(subentry.data[CONF_ROLE]) if identity.kind == SUBENTRY_METER else None,
        inverted=subentry.data.get(CONF_INVERTED, False),
        registered=frozenset(
            known.unique_id
            for known in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
            if known.config_subentry_id == subentry.subentry_id
        ),
    )
    entry.async_on_unload(link.add_listener(machine.link_changed))
    entry.async_on_unload(machine.device.add_listener(unit.async_publish))
    return unit


def build_machine(
    entry: ConfigEntry, subentry: ConfigSubentry, link: Connection, stores: MachineStores
) -> Machine:
    """The device side of a unit."""
    identity, unit_id = identity_of(subentry.data), subentry.data[CONF_UNIT_ID]
    family = family_of(subentry.data)
    line = link.unit(unit_id, family.spacing)
    tier = tier_of(entry)
    device = Device(
        line,
        family,
        known=identity.facts,
        features=identity.features,
        tier=tier,
        baudrate=link.endpoint.baudrate if isinstance(link.endpoint, SerialEndpoint) else None,
        wear=stores.wear(identity.serial),
        residues=stores.residues(identity.serial),
        changes=stores.changes(identity.serial),
        journal=stores.journal(identity.serial),
        inverted=subentry.data.get(CONF_INVERTED, False),
        serial=identity.serial,
    )
    return Machine(
        name=subentry.title,
        unit_id=unit_id,
        identity=identity,
        device=device,
        feature_probe=Device(
            line, family, known=identity.facts, features=identity.features, tier=tier
        ),
    )


@callback
def async_register_device(
    hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime, link_id: str
) -> None:
    """Register a machine below its link, and before its parts, which refer to it."""
    identity = unit.identity
    mac = entry.data.get(CONF_MAC)
    # A stick belongs to the machine that it hangs on; two devices cannot share it.
    owner = unit.subentry_id == next(iter(entry.subentries))
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        config_subentry_id=unit.subentry_id,
        identifiers={(DOMAIN, identity.serial)},
        connections={(dr.CONNECTION_NETWORK_MAC, mac)} if mac and owner else set(),
        manufacturer=identity.manufacturer,
        model=identity.model,
        name=unit.name,
        serial_number=unit.device.family.serial and identity.serial,
        sw_version=identity.firmware,
        via_device_id=link_id,
    )


@callback
def async_follow_identity(
    hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime
) -> CALLBACK_TYPE:
    """Keep firmware and features up to date, now and after each poll of the identity; return what ends that."""
    identity = unit.coordinators[Group.IDENTITY]

    @callback
    def polled() -> None:
        if firmware := unit.device.family.firmware_text(identity.data.values):
            dr.async_get(hass).async_update_device(unit.device_id, sw_version=firmware)
            # The firmware decides some bounds.
            unit.coordinators[Group.SETTINGS].async_update_listeners()
        entry.async_create_background_task(
            hass, _async_rediscover(hass, entry, unit), f"{unit.name} features"
        )

    if identity.last_update_success:
        polled()
    return identity.async_add_poll_listener(polled)


async def _async_rediscover(hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime) -> None:
    """Store the features that are found, and the scaling inputs as they are now; a change loads the entry again."""
    found, values = await unit.machine.async_discover(), unit.device.values
    identity = unit.identity.with_scaling_inputs(
        {key: values[key] for key in unit.device.scaling_inputs if key in values}
    )
    if found:
        identity = replace(identity, features=tuple(sorted(found.union(identity.features))))
    if identity != unit.identity:
        subentry = entry.subentries[unit.subentry_id]
        hass.config_entries.async_update_subentry(
            entry, subentry, data={**subentry.data, **unit_data(unit.unit_id, identity)}
        )
