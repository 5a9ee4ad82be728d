"""What config entries and subentries keep, and the device layer's words for it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT

from .const import (
    CONF_BAUDRATE,
    CONF_FRAMING,
    CONF_IDENTITY,
    CONF_LOGGER_SERIAL,
    CONF_PARITY,
    CONF_STOPBITS,
    CONF_TYPE,
    CONF_UNIT_ID,
    TYPE_NETWORK,
    TYPE_PLANT,
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


def address_of(data: Mapping[str, Any]) -> str | None:
    """Return where a link leads, whatever is spoken over it; None for a plant, which has none."""
    if data[CONF_TYPE] == TYPE_PLANT:
        return None
    return data.get(CONF_DEVICE) or f"{data[CONF_HOST]}:{data[CONF_PORT]}"


def title_of(identity: Identity, data: Mapping[str, Any]) -> str:
    """Return what an entry is called until a person gives it another name."""
    return f"{identity.model} ({address_of(data)})"


def first_unit(entry: ConfigEntry) -> tuple[str, Identity]:
    """Return the subentry id and identity of the unit that an entry was set up with."""
    subentry = next(iter(entry.subentries.values()))
    return subentry.subentry_id, identity_of(subentry.data)


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
