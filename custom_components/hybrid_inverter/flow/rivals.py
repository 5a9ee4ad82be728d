"""Who else uses a connection: most gateways and sticks serve one client at a time, and a serial port always does."""

from collections.abc import Iterator, Mapping
import os
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import IntegrationNotFound, async_get_integration

from ..const import DOMAIN
from .address import typed_address

MODBUS: Final = "modbus"
# Where integrations keep the path of a serial port.
SERIAL_KEYS: Final = (CONF_DEVICE, CONF_PORT, "serial_port", "device_path", "usb_path")
# How Home Assistant's Modbus integration calls a gateway that passes the bytes of a serial line on.
SOCKET: Final = "socket://"
# An entry in one of these states has its connection open, or tries to open it.
IN_USE: Final = (
    ConfigEntryState.LOADED,
    ConfigEntryState.SETUP_RETRY,
    ConfigEntryState.SETUP_IN_PROGRESS,
)

# A host and its port, or the path of a serial port.
type Place = tuple[str, ...]


async def async_users_of(hass: HomeAssistant, data: Mapping[str, Any]) -> list[str]:
    """The names of the other integrations that use the connection in the data of an entry."""
    entries = [
        entry
        for entry in hass.config_entries.async_entries(include_ignore=False, include_disabled=False)
        if entry.domain != DOMAIN and entry.state in IN_USE
    ]
    shared = dict(_shared_connections(hass))
    users = await hass.async_add_executor_job(_users_of, data, entries, shared)
    return list(dict.fromkeys([await _async_name(hass, user) for user in users]))


def _users_of(
    data: Mapping[str, Any], entries: list[ConfigEntry], shared: Mapping[Place, list[str]]
) -> list[ConfigEntry]:
    """Those of the entries that use a connection, by their own data or through the shared connections."""
    (wanted,) = _places(data)
    holders = {
        entry_id
        for place, entry_ids in shared.items()
        if _resolved(place) == wanted
        for entry_id in entry_ids
    }
    return [
        entry
        for entry in entries
        if entry.entry_id in holders or wanted in {*_places(entry.data), *_places(entry.options)}
    ]


def _places(held: Mapping[str, Any]) -> Iterator[Place]:
    """The places that the data or the options of an entry may lead to."""
    host, port = held.get(CONF_HOST), held.get(CONF_PORT)
    if isinstance(host, str) and port is not None:
        yield (host.strip().lower(), str(port))
        return
    for path in (held.get(key) for key in SERIAL_KEYS):
        if isinstance(path, str):
            yield _resolved((path,))


def _resolved(place: Place) -> Place:
    """A place as it is spelled nowhere else: a serial port has several paths."""
    return tuple(os.path.realpath(part) if part.startswith("/") else part for part in place)


@callback
def _shared_connections(hass: HomeAssistant) -> Iterator[tuple[Place, list[str]]]:
    """The connections that are shared through Home Assistant's Modbus integration, with the ids of the entries on them."""
    if MODBUS not in hass.config.components:
        return
    from homeassistant.components.modbus.connection import async_get_connection_info

    for info in async_get_connection_info(hass):
        kind, where, *port = info.endpoint
        if kind == "serial" and not where.startswith(SOCKET):
            yield (where,), list(info.units)
            continue
        host, socket_port = typed_address(where)
        yield (host, str(port[0] if port else socket_port)), list(info.units)


async def _async_name(hass: HomeAssistant, entry: ConfigEntry) -> str:
    """The title of an entry, and the integration that it is of."""
    try:
        integration = (await async_get_integration(hass, entry.domain)).name
    except IntegrationNotFound:
        integration = entry.domain
    return f"{entry.title} ({integration})"
