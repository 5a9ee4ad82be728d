"""The download that a person attaches to a report: what was read, and how the link behaves.

The simulator makes a machine of it again that answers as this one did (docs/simulator.md).
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_MAC
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .const import (
    CONF_INVERTED,
    CONF_LOGGER_SERIAL,
    CONF_ROLE,
    CONF_TYPE,
    CONF_UNIT_ID,
    DOMAIN,
    TYPE_LISTEN,
)
from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import Part, part_identifier
from .modbus.codec import WORD, Text
from .modbus.family import Family
from .modbus.tables import FAMILIES
from .plant_diagnostics import plant_diagnostics
from .plant_members import is_plant

REDACTED: Final = "**REDACTED**"
TO_REDACT: Final = {CONF_HOST, CONF_DEVICE, CONF_LOGGER_SERIAL, CONF_MAC, "serial"}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: HybridInverterConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of a link and of all units on it, or of a plant."""
    if is_plant(entry):
        return plant_diagnostics(entry)
    units = [await _unit(entry, unit) for unit in entry.runtime_data.units.values()]
    return {"link": _link(entry), "options": dict(entry.options), "units": units}


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: HybridInverterConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return the diagnostics of the link, or of the unit that a device is, or is a part of; or of a plant."""
    if is_plant(entry):
        return plant_diagnostics(entry)
    names = {name for domain, name in device.identifiers if domain == DOMAIN}
    if entry.entry_id in names:
        return {"link": _link(entry)}
    return {
        "units": [
            await _unit(entry, unit)
            for unit in entry.runtime_data.units.values()
            if device.identifiers.intersection(part_identifier(unit, part) for part in Part)
        ]
    }


def _link(entry: HybridInverterConfigEntry) -> dict[str, Any]:
    """Return everything about a link but where it leads."""
    link = entry.runtime_data.link
    return {
        **async_redact_data(entry.data, TO_REDACT),
        "connected": link.connected,
        "reachable": link.reachable,
        "statistics": link.statistics.as_dict(),
    }


async def _unit(entry: HybridInverterConfigEntry, unit: UnitRuntime) -> dict[str, Any]:
    """Return everything about a unit but what identifies it."""
    device = unit.device
    identity = asdict(unit.identity)
    image = {**await _portrait(entry, unit), **unit.scout.image, **device.image}
    family = FAMILIES[unit.identity.family]
    secret_keys = {row.key for row in family.every_row() if isinstance(row.codec, Text)}
    secret = _secret(family, image)
    return {
        CONF_UNIT_ID: unit.unit_id,
        "identity": async_redact_data({**identity, "facts": dict(identity["facts"])}, TO_REDACT),
        CONF_ROLE: unit.role,
        CONF_INVERTED: unit.inverted,
        "tier": device.tier,
        "polls": {
            group: {
                "interval": coordinator.interval.total_seconds(),
                "successful": coordinator.last_update_success,
                "failed": sorted(coordinator.data.failed),
            }
            for group, coordinator in unit.coordinators.items()
        },
        "values": {
            key: sorted(value) if isinstance(value, frozenset) else value
            for key, value in sorted(device.values.items())
            if key not in secret_keys
        },
        "resting": device.resting,
        "changes": [asdict(change) for change in device.changes],
        "wear": device.wear.as_dict(),
        "registers": _blocks(
            {address: word for address, word in image.items() if address not in secret}
        ),
        # Where the machine has something to say that is not told here.
        "redacted": sorted(secret),
    }


async def _portrait(entry: HybridInverterConfigEntry, unit: UnitRuntime) -> Mapping[int, int]:
    """Return what the machine is recognised by; nothing of one that is silent, or that nobody asks."""
    if entry.data[CONF_TYPE] == TYPE_LISTEN or unit.silence is not None:
        return {}
    return await unit.device.portrait()


def _secret(family: Family, image: Mapping[int, int]) -> set[int]:
    """Return the addresses of what identifies a machine, wherever one of the family may have it: serial numbers.

    They are all that these machines hold as text. Words that say nothing do not say who it is either.
    """
    return {
        address
        for row in family.every_row()
        if isinstance(row.codec, Text)
        and {image.get(address, 0) for address in row.addresses} not in ({0}, {WORD})
        for address in row.addresses
        if address in image
    }


def _blocks(image: dict[int, int]) -> dict[str, str]:
    """Return raw words as hex, a block of consecutive addresses a line, by the first address."""
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
