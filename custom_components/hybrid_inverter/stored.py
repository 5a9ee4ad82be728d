"""What config entries and subentries keep, and the device layer's words for it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT

from .const import (
    CONF_BAUDRATE,
    CONF_FRAMING,
    CONF_IDENTITY,
    CONF_PARITY,
    CONF_STOPBITS,
    CONF_TYPE,
    CONF_UNIT_ID,
    TYPE_SERIAL,
)
from .modbus.identify import Identity
from .modbus.link import Endpoint, Framing, SerialEndpoint, TcpEndpoint


def endpoint_of(data: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint that the data of an entry describes."""
    if data[CONF_TYPE] == TYPE_SERIAL:
        return SerialEndpoint(
            device=data[CONF_DEVICE],
            baudrate=data[CONF_BAUDRATE],
            parity=data[CONF_PARITY],
            stopbits=data[CONF_STOPBITS],
        )
    return TcpEndpoint(
        host=data[CONF_HOST], port=data[CONF_PORT], framing=Framing(data[CONF_FRAMING])
    )


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
