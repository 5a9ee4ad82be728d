"""What config entries and subentries keep, and the device layer's words for it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import chain, count
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant

from .const import (
    CONF_BAUDRATE,
    CONF_FRAMING,
    CONF_IDENTITY,
    CONF_INVERTED,
    CONF_LOGGER_SERIAL,
    CONF_PARITY,
    CONF_ROLE,
    CONF_STOPBITS,
    CONF_TYPE,
    CONF_UNIT_ID,
    DOMAIN,
    TYPE_NETWORK,
    TYPE_SERIAL,
    TYPE_STICK,
)
from .modbus.endpoint import Endpoint, Framing, SerialEndpoint, StickEndpoint, TcpEndpoint
from .modbus.identify import Identity


def endpoint_of(data: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint that the data of an entry describes."""
    if data[CONF_TYPE] == TYPE_SERIAL:
        return SerialEndpoint(
            device=data[CONF_DEVICE],
            baudrate=data[CONF_BAUDRATE],
            parity=data[CONF_PARITY],
            stopbits=data[CONF_STOPBITS],
        )
    if data[CONF_TYPE] == TYPE_STICK:
        return StickEndpoint(
            host=data[CONF_HOST], port=data[CONF_PORT], logger_serial=data[CONF_LOGGER_SERIAL]
        )
    return TcpEndpoint(
        host=data[CONF_HOST], port=data[CONF_PORT], framing=Framing(data[CONF_FRAMING])
    )


def stick_data(endpoint: StickEndpoint | TcpEndpoint) -> dict[str, Any]:
    """Return the data of an entry for a stick, which may turn out to speak plain Modbus."""
    address = {CONF_HOST: endpoint.host, CONF_PORT: endpoint.port}
    if isinstance(endpoint, StickEndpoint):
        return {CONF_TYPE: TYPE_STICK, **address, CONF_LOGGER_SERIAL: endpoint.logger_serial}
    return {CONF_TYPE: TYPE_NETWORK, **address, CONF_FRAMING: endpoint.framing}


def address_of(data: Mapping[str, Any]) -> str:
    """Return where a link leads, whatever is spoken over it."""
    return data.get(CONF_DEVICE) or f"{data[CONF_HOST]}:{data[CONF_PORT]}"


def title_of(identity: Identity, data: Mapping[str, Any]) -> str:
    """Return what an entry is called until a person gives it another name."""
    return f"{identity.model} ({address_of(data)})"


def first_unit(entry: ConfigEntry) -> tuple[str, Identity]:
    """Return the subentry id and identity of the unit that an entry was set up with."""
    subentry = next(iter(entry.subentries.values()))
    return subentry.subentry_id, identity_of(subentry.data)


def unit_at(entry: ConfigEntry, unit_id: int) -> ConfigSubentry | None:
    """Return the unit of an entry with this unit id, if there is one."""
    return next(
        (unit for unit in entry.subentries.values() if unit.data[CONF_UNIT_ID] == unit_id), None
    )


def free_unit_id(entry: ConfigEntry) -> int:
    """Return the lowest unit id that no unit of an entry has."""
    return next(unit_id for unit_id in count(1) if unit_at(entry, unit_id) is None)


def owner_of(hass: HomeAssistant, serial: str) -> tuple[ConfigEntry, ConfigSubentry] | None:
    """Return the entry and the subentry of the machine with this serial number, if it is set up."""
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        for subentry in entry.subentries.values():
            if serial and subentry.unique_id == serial:
                return entry, subentry
    return None


def same_machine(known: Identity, found: Identity) -> bool:
    """Whether a machine that answers can be the known one; a meter tells no more than its kind."""
    return known.serial == found.serial if found.serial else known.family == found.family


def with_serial(entry: ConfigEntry, unit_id: int, identity: Identity) -> Identity:
    """Return an identity with a serial number: a meter that tells none is given one, which it keeps for ever."""
    if identity.serial:
        return identity
    first = f"{entry.entry_id}_{unit_id}"
    # A meter that had this unit id when it was added may have another one now.
    taken = {subentry.unique_id for subentry in entry.subentries.values()}
    again = (f"{first}_{number}" for number in count(2))
    return replace(
        identity, serial=next(serial for serial in chain([first], again) if serial not in taken)
    )


def meter_data(unit_id: int, identity: Identity, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a meter's subentry, with what a person has said of it."""
    return {
        **unit_data(unit_id, identity),
        CONF_ROLE: settings[CONF_ROLE],
        CONF_INVERTED: settings[CONF_INVERTED],
    }


def unit_data(unit_id: int, identity: Identity) -> dict[str, Any]:
    """Return the data of a subentry: enough to build all entities while the machine sleeps."""
    stored = asdict(identity)
    stored["facts"] = dict(identity.facts)
    stored["features"] = list(identity.features)
    return {CONF_UNIT_ID: unit_id, CONF_IDENTITY: stored}


def identity_of(data: Mapping[str, Any]) -> Identity:
    """Return the identity that a subentry keeps."""
    stored = data[CONF_IDENTITY]
    return Identity(**{**stored, "features": tuple(stored.get("features", ()))})
