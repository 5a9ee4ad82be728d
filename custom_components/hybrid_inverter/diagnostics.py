"""The download that a person attaches to a report: what was read, and how the link behaves."""

from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_MAC
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .const import CONF_INVERTED, CONF_LOGGER_SERIAL, CONF_ROLE, CONF_UNIT_ID, DOMAIN
from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import Part, part_identifier
from .modbus.register import Text
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
    return {
        "link": _link(entry),
        "options": dict(entry.options),
        "units": [_unit(unit) for unit in entry.runtime_data.units.values()],
    }


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
            _unit(unit)
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


def _unit(unit: UnitRuntime) -> dict[str, Any]:
    """Return everything about a unit but what identifies it."""
    device = unit.device
    identity = asdict(unit.identity)
    # What a machine holds as text identifies it: serial numbers.
    secret = [row for row in device.family.registers.values() if isinstance(row.codec, Text)]
    secret_keys = {row.key for row in secret}
    secret_addresses = {address for row in secret for address in row.addresses}
    return {
        CONF_UNIT_ID: unit.unit_id,
        "identity": async_redact_data({**identity, "facts": dict(identity["facts"])}, TO_REDACT),
        CONF_ROLE: unit.role,
        CONF_INVERTED: unit.inverted,
        "tier": device.tier,
        "polls": {
            group: {
                "interval": coordinator.update_interval.total_seconds()
                if coordinator.update_interval
                else None,
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
            {
                address: word
                for address, word in device.image.items()
                if address not in secret_addresses
            }
        ),
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
