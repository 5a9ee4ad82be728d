"""Hybrid inverters and their meters, read and controlled locally over Modbus.

A config entry is a link (a gateway, a stick or a serial port); each machine on it is a subentry with a coordinator for
every group of registers. Only a dead link keeps an entry from loading: a machine that is silent, at night for example,
keeps its entities and shows them as unavailable. An entry can also be a plant: a view of the machines of other entries.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_MAC, EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.typing import ConfigType

from . import (
    binary_sensor,
    button,
    calendar,
    event,
    number,
    select,
    sensor_descriptions,
    sensor_fixed,
    sensor_meters,
    switch,
    time,
    upkeep,
)
from .actions import async_setup_actions
from .changes import async_reload_on_change
from .const import (
    CONF_INVERTED,
    CONF_ROLE,
    CONF_TIER,
    CONF_TYPE,
    CONF_UNIT_ID,
    DEFAULT_INTERVALS,
    DOMAIN,
    SUBENTRY_METER,
    TYPE_LISTEN,
    MeterRole,
)
from .coordinator import GroupCoordinator, HybridInverterConfigEntry, RuntimeData, UnitRuntime
from .entity import UnitEntityDescription, is_served, unique_id, usages_of
from .faults import FaultMemory, FaultMonitor, async_forget_faults, watched_keys
from .following import async_find, async_follow, async_move
from .following_heard import async_follow_heard
from .link_device import async_register_link
from .modbus.connection import Connection
from .modbus.device import Device
from .modbus.errors import LinkError
from .modbus.link import Link, SerialEndpoint
from .modbus.listener import Listener
from .modbus.register import Group, Tier
from .outage import OUTAGE_SENSORS
from .plant import async_remove_plant, async_setup_plant, async_unload_plant
from .plant_members import is_plant
from .residue_store import ResidueStore
from .schedule_sensor import SCHEDULE_SENSORS
from .slot_days import READ_ONLY_SLOT_DAYS, SLOT_DAYS
from .stored import endpoint_of, family_of, identity_of, source_of, unit_data, with_serial
from .wear_store import WearStore

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

# What each platform can show, to know before the first poll what enabled entities will want.
DESCRIPTIONS: Final[dict[Platform, tuple[UnitEntityDescription, ...]]] = {
    Platform.BINARY_SENSOR: (
        *binary_sensor.BINARY_SENSORS,
        *binary_sensor.READ_ONLY_SETTINGS,
    ),
    Platform.BUTTON: button.BUTTONS,
    Platform.CALENDAR: calendar.CALENDARS,
    Platform.EVENT: event.EVENTS,
    Platform.NUMBER: number.NUMBERS,
    Platform.SELECT: (*select.SELECTS, *SLOT_DAYS),
    Platform.SENSOR: (
        *sensor_descriptions.SENSORS,
        *sensor_meters.METER_SENSORS,
        *sensor_fixed.FIXED_SETTINGS,
        *sensor_descriptions.CODES,
        *sensor_descriptions.READ_ONLY_SETTINGS,
        *READ_ONLY_SLOT_DAYS,
        *OUTAGE_SENSORS,
        *upkeep.UPKEEP,
        *SCHEDULE_SENSORS,
    ),
    Platform.SWITCH: switch.SWITCHES,
    Platform.TIME: time.TIMES,
}

# What every unit has, whatever its family.
ALWAYS: Final[tuple[tuple[Platform, UnitEntityDescription], ...]] = (
    (Platform.BINARY_SENSOR, binary_sensor.CONNECTIVITY),
    (Platform.SENSOR, sensor_descriptions.REJECTED),
)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, which are there whether or not an entry is loaded."""
    async_setup_actions(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> bool:
    """Open the link and start polling the units on it; or look at the members of a plant."""
    if is_plant(entry):
        return await async_setup_plant(hass, entry)
    link = _connection(entry.data)
    entry.async_on_unload(link.close)
    runtime = RuntimeData(link=link)

    async def close(_: Event) -> None:
        await runtime.async_release()
        await link.close()

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, close))
    try:
        await link.connect()
    except LinkError as err:
        if (host := await async_find(entry)) is not None:
            # Home Assistant tries again within seconds.
            async_move(hass, entry, host)
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="cannot_connect",
            translation_placeholders={"error": str(err)},
        ) from err

    memory = FaultMemory(hass, entry)
    await memory.async_load()
    wear = WearStore(hass, entry.entry_id)
    await wear.async_load()
    entry.async_on_unload(wear.async_close)
    residues = ResidueStore(hass, entry.entry_id)
    await residues.async_load()
    entry.runtime_data = runtime
    _give_serials(hass, entry)
    for subentry in entry.subentries.values():
        unit = _build_unit(hass, entry, link, wear, residues, subentry)
        runtime.units[subentry.subentry_id] = unit
        if (rules := unit.device.family.faults) is not None:
            unit.faults = FaultMonitor(hass, unit, rules, memory)
        entry.async_on_unload(link.add_listener(unit.link_changed))
        entry.async_on_unload(unit.device.add_listener(unit.publish))
        # There is much to look up for a unit, and others want their turn.
        await asyncio.sleep(0)
    entry.async_on_unload(async_reload_on_change(hass, entry))
    entry.async_on_unload(async_follow_heard(hass, entry, link))

    # A silent machine holds up nobody for longer than the link waits for it.
    answers = await asyncio.gather(*(unit.async_first_refresh() for unit in runtime.units.values()))
    known_before = bool(dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id))
    if answers and not any(answers) and not known_before:
        raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key="no_unit_answers")

    link_id = async_register_link(hass, entry)
    for unit in runtime.units.values():
        _register_device(hass, entry, unit, link_id)
        _remove_orphans(hass, entry, unit)
        await asyncio.sleep(0)
        identity = unit.coordinators[Group.IDENTITY]
        for listener in (
            partial(_update_firmware, dr.async_get(hass), unit),
            partial(_look_again, hass, entry, unit),
        ):
            entry.async_on_unload(identity.async_add_listener(listener))
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    for unit in runtime.units.values():
        unit.loading = False
        if unit.faults is not None:
            entry.async_on_unload(unit.faults.async_start())
        _look_again(hass, entry, unit)
    if entry.unique_id is not None:
        entry.async_on_unload(async_follow(hass, entry))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> bool:
    """Remove the entities, and leave the machines as they were found; the link closes behind that."""
    if is_plant(entry):
        return await async_unload_plant(hass, entry)
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await entry.runtime_data.async_release()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> None:
    """Forget what was kept outside of the entry."""
    if is_plant(entry):
        await async_remove_plant(hass, entry)
        return
    await async_forget_faults(hass, entry)
    await WearStore(hass, entry.entry_id).async_remove()
    await ResidueStore(hass, entry.entry_id).async_remove()


@callback
def _give_serials(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> None:
    """Give a meter that an entry was made with a serial number, as it tells none itself."""
    for subentry in entry.subentries.values():
        unit_id, told = subentry.data[CONF_UNIT_ID], identity_of(subentry.data)
        if (identity := with_serial(entry, unit_id, told)) is not told:
            hass.config_entries.async_update_subentry(
                entry,
                subentry,
                data={**subentry.data, **unit_data(unit_id, identity)},
                unique_id=identity.serial,
            )


def _connection(data: Mapping[str, Any]) -> Connection:
    """Return what leads to the machines of an entry; it is not open yet."""
    return Listener(source_of(data)) if data[CONF_TYPE] == TYPE_LISTEN else Link(endpoint_of(data))


def _build_unit(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    link: Connection,
    wear: WearStore,
    residues: ResidueStore,
    subentry: ConfigSubentry,
) -> UnitRuntime:
    """Return a unit from what its subentry keeps, without asking the machine."""
    registry = er.async_get(hass)
    identity = identity_of(subentry.data)
    unit_id = subentry.data[CONF_UNIT_ID]
    inverted = subentry.data.get(CONF_INVERTED, False)
    family = family_of(subentry.data)
    line = link.unit(unit_id, family.spacing)
    device = Device(
        line,
        family,
        known=identity.facts,
        features=identity.features,
        tier=Tier(entry.options.get(CONF_TIER, Tier.EVERYDAY)),
        baudrate=link.endpoint.baudrate if isinstance(link.endpoint, SerialEndpoint) else None,
        wear=wear.budget(identity.serial),
        residues=residues.memory(identity.serial),
        inverted=inverted,
    )
    unit = UnitRuntime(
        subentry_id=subentry.subentry_id,
        name=subentry.title,
        role=MeterRole(subentry.data[CONF_ROLE]) if identity.kind == SUBENTRY_METER else None,
        inverted=inverted,
        unit_id=unit_id,
        identity=identity,
        device=device,
        scout=Device(line, family, known=identity.facts, features=identity.features),
        registered=frozenset(
            known.unique_id
            for known in er.async_entries_for_config_entry(registry, entry.entry_id)
            if known.config_subentry_id == subentry.subentry_id
        ),
    )
    enabled = _enabled_keys(registry, unit)
    unit.coordinators = {
        group: GroupCoordinator(
            hass,
            entry,
            unit,
            group,
            {key for key in enabled if device.family.group_of(key) is group},
        )
        for group in DEFAULT_INTERVALS
    }
    return unit


def _enabled_keys(registry: er.EntityRegistry, unit: UnitRuntime) -> set[str]:
    """Return the keys that will be shown, as far as the entity registry knows, and those that are watched."""
    keys = set(watched_keys(unit.device.family.faults))
    for platform, description in _descriptions(unit):
        deciding = {key for usage in usages_of(unit, description) for key in usage.keys}
        keys |= deciding
        if not (polled := description.polled_from(unit.device.family)):
            continue
        known_as = unique_id(unit, description)
        if deciding and not unit.was_there(known_as):
            continue
        entity_id = registry.async_get_entity_id(platform, DOMAIN, known_as)
        known = registry.async_get(entity_id) if entity_id else None
        if not known.disabled if known else description.entity_registry_enabled_default:
            keys |= polled
    return keys


def _descriptions(unit: UnitRuntime) -> Iterator[tuple[Platform, UnitEntityDescription]]:
    """Return what is shown of a unit in the chosen tier, each with its platform."""
    for platform, descriptions in DESCRIPTIONS.items():
        for description in descriptions:
            if is_served(unit, description):
                yield platform, description


def _remove_orphans(
    hass: HomeAssistant, entry: HybridInverterConfigEntry, unit: UnitRuntime
) -> None:
    """Forget entities that are never there now: another tier shows a setting as another entity."""
    registry = er.async_get(hass)
    expected = {
        (platform, unique_id(unit, description)) for platform, description in _descriptions(unit)
    }
    expected.update((platform, unique_id(unit, description)) for platform, description in ALWAYS)
    for known in er.async_entries_for_config_entry(registry, entry.entry_id):
        if (
            known.config_subentry_id == unit.subentry_id
            and (known.domain, known.unique_id) not in expected
        ):
            registry.async_remove(known.entity_id)


def _register_device(
    hass: HomeAssistant, entry: HybridInverterConfigEntry, unit: UnitRuntime, link_id: str
) -> None:
    """Register the inverter below its link, and before its parts, which refer to it."""
    identity = unit.identity
    mac = entry.data.get(CONF_MAC)
    # A stick belongs to the machine that it hangs on; two devices cannot share it.
    owner = unit.subentry_id == next(iter(entry.subentries))
    device = dr.async_get(hass).async_get_or_create(
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
    unit.device_id = device.id


@callback
def _update_firmware(registry: dr.DeviceRegistry, unit: UnitRuntime) -> None:
    """Show the firmware that runs now; the daily reading finds a new one."""
    snapshot = unit.coordinators[Group.IDENTITY].data
    if firmware := unit.device.family.firmware_text(snapshot.values):
        registry.async_update_device(unit.device_id, sw_version=firmware)


@callback
def _look_again(hass: HomeAssistant, entry: HybridInverterConfigEntry, unit: UnitRuntime) -> None:
    """Look for what the machine has, whenever it has told who it is."""
    if unit.coordinators[Group.IDENTITY].last_update_success:
        entry.async_create_background_task(
            hass, _async_look_again(hass, entry, unit), f"{unit.name} features"
        )


async def _async_look_again(
    hass: HomeAssistant, entry: HybridInverterConfigEntry, unit: UnitRuntime
) -> None:
    """Keep with the unit what is found of it, or was changed at it, and load the entry again to show it."""
    found, values = await unit.async_look_again(), unit.device.values
    identity = unit.identity.with_foundations(
        {key: values[key] for key in unit.device.foundations if key in values}
    )
    if found:
        identity = replace(identity, features=tuple(sorted(found.union(identity.features))))
    if identity == unit.identity:
        return
    subentry = entry.subentries[unit.subentry_id]
    # This loads the entry again.
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, **unit_data(unit.unit_id, identity)}
    )
