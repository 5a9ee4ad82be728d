"""The download that a person attaches to a report: what was read, and how the link behaves.

The simulator can rebuild from it a machine that answers as this one did (docs/simulator.md).
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .const import (
    CONF_INVERTED,
    CONF_ROLE,
    CONF_TYPE,
    CONF_UNIT_ID,
    DOMAIN,
    TYPE_LISTEN,
)
from .doctor.setup import async_wiring_diagnostics
from .entities.base import part_identifier
from .entry.data import is_plant, unit_data
from .entry.redaction import OWNERS, TO_REDACT, redacted_bytes, redacted_text, renamed
from .entry.stores import MachineStores
from .modbus.model.codec import WORD
from .modbus.model.family import Family
from .modbus.model.part import Part
from .modbus.tables import FAMILIES
from .plant.diagnostics import async_plant_diagnostics
from .runtime.coordinator import GroupCoordinator
from .runtime.runtime import HybridInverterConfigEntry, RuntimeData, UnitRuntime


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: HybridInverterConfigEntry
) -> dict[str, Any]:
    """The diagnostics of a link and of all units on it, or of a plant; as much as there is while it is not loaded."""
    if is_plant(entry):
        return {"entry": _entry(entry), **await async_plant_diagnostics(hass, entry)}
    runtime = _runtime(entry)
    units = [await _unit(entry, unit) for unit in (runtime.units.values() if runtime else ())]
    return {
        "entry": _entry(entry),
        "link": _link(hass, entry),
        "options": async_redact_data(dict(entry.options), TO_REDACT),
        "units": units,
        "stored": await _stored(hass, entry),
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: HybridInverterConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """The diagnostics of the link, or of the unit that a device is, or is a part of; of anything else the entry's."""
    runtime = _runtime(entry)
    if runtime is None:
        return await async_get_config_entry_diagnostics(hass, entry)
    names = {name for domain, name in device.identifiers if domain == DOMAIN}
    if entry.entry_id in names:
        return {"link": _link(hass, entry)}
    return {
        "units": [
            await _unit(entry, unit)
            for unit in runtime.units.values()
            if device.identifiers.intersection(part_identifier(unit, part) for part in Part)
        ]
    }


def _runtime(entry: HybridInverterConfigEntry) -> RuntimeData | None:
    """What an entry for a link holds; after a set-up that failed, as much as there was. None while it is not in use."""
    runtime = getattr(entry, "runtime_data", None)
    return runtime if isinstance(runtime, RuntimeData) else None


def _entry(entry: HybridInverterConfigEntry) -> dict[str, Any]:
    """Whether an entry is in use, and if not, why."""
    return {
        "state": entry.state.value,
        "disabled_by": entry.disabled_by,
        "error": entry.reason and redacted_text(entry, entry.reason),
    }


def _link(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> dict[str, Any]:
    """Everything about a link but where it leads."""
    data: dict[str, Any] = async_redact_data(dict(entry.data), TO_REDACT)
    if (runtime := _runtime(entry)) is None:
        return data
    link = runtime.link
    return {
        **data,
        "connected": link.connected,
        "reachable": link.reachable,
        "statistics": link.statistics.as_dict(),
        "mirror": runtime.mirror and runtime.mirror.as_dict(),
        "frames": [
            {
                "seconds_ago": round(hass.loop.time() - frame.time, 3),
                "direction": "sent" if frame.sent else "received",
                "size": frame.size,
                "bytes": redacted_bytes(frame.data),
            }
            for frame in link.frames
        ],
    }


async def _stored(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> dict[str, Any]:
    """What is kept of the units of an entry, in it and beside it."""
    subentries = entry.subentries.values()
    names = {str(unit.unique_id): f"unit_{unit.data[CONF_UNIT_ID]}" for unit in subentries}
    files = await MachineStores(hass, entry.entry_id).async_contents()
    return {
        "units": [async_redact_data(unit.data, TO_REDACT) for unit in subentries],
        "files": {
            name: async_redact_data(renamed(content, names), OWNERS)
            for name, content in files.items()
        },
    }


async def _unit(entry: HybridInverterConfigEntry, unit: UnitRuntime) -> dict[str, Any]:
    """Everything about a unit but what identifies it."""
    device = unit.device
    image = {
        **await _identification_dump(entry, unit),
        **unit.machine.feature_probe.image,
        **device.image,
    }
    family = FAMILIES[unit.identity.family]
    secret_keys = {row.key for row in family.text_rows()}
    secret = _secret(family, image)
    return {
        **async_redact_data(unit_data(unit.unit_id, unit.identity), TO_REDACT),
        CONF_ROLE: unit.role,
        CONF_INVERTED: unit.inverted,
        "tier": device.tier,
        "polls": {
            group: {
                "interval": coordinator.interval,
                "successful": coordinator.last_update_success,
                "failed": sorted(coordinator.data.failed),
                "error": _last_error(entry, coordinator),
            }
            for group, coordinator in unit.coordinators.items()
        },
        "values": {
            key: sorted(value) if isinstance(value, frozenset) else value
            for key, value in sorted(device.values.items())
            if key not in secret_keys
        },
        "quarantined": device.quarantined,
        # Answers and powers that cannot be true.
        "dropped": device.dropped,
        "impossible": device.impossible,
        "changes": [asdict(change) for change in device.changes],
        "wear": device.wear.as_dict(),
        "wiring": async_wiring_diagnostics(unit),
        "registers": _blocks(
            {address: word for address, word in image.items() if address not in secret}
        ),
        # Addresses that were read and are left out here.
        "redacted": sorted(secret),
    }


def _last_error(entry: HybridInverterConfigEntry, coordinator: GroupCoordinator) -> str | None:
    """Why the last poll brought nothing; None when it brought something."""
    if coordinator.last_update_success or (error := coordinator.last_exception) is None:
        return None
    return redacted_text(entry, str(error))


async def _identification_dump(
    entry: HybridInverterConfigEntry, unit: UnitRuntime
) -> Mapping[int, int]:
    """The registers that the machine is recognised by; none of one that cannot be asked, or is only listened to."""
    if (
        entry.state is not ConfigEntryState.LOADED
        or entry.data[CONF_TYPE] == TYPE_LISTEN
        or unit.machine.is_silent
    ):
        return {}
    return await unit.device.identification_dump()


def _secret(family: Family, image: Mapping[int, int]) -> set[int]:
    """The addresses of serial numbers, wherever a machine of the family may have one. Empty words identify nobody."""
    return {
        address
        for row in family.text_rows()
        if {image.get(address, 0) for address in row.addresses} not in ({0}, {WORD})
        for address in row.addresses
        if address in image
    }


def _blocks(image: dict[int, int]) -> dict[str, str]:
    """Raw words in hexadecimal by the first address of each block of consecutive addresses."""
    blocks: dict[str, str] = {}
    start = previous = -2
    for address in sorted(image):
        if address != previous + 1:
            start = address
            blocks[str(start)] = f"{image[address]:04X}"
        else:
            blocks[str(start)] += f" {image[address]:04X}"
        previous = address
    return blocks
