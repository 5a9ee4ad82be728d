"""The data of config entries and subentries, as objects of the device layer and back."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from itertools import chain, count
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant

from ..const import (
    CONF_BAUDRATE,
    CONF_FRAMING,
    CONF_HEARD,
    CONF_IDENTITY,
    CONF_INTERVALS,
    CONF_INVERTED,
    CONF_LOGGER_SERIAL,
    CONF_PARITY,
    CONF_ROLE,
    CONF_STOPBITS,
    CONF_TIER,
    CONF_TYPE,
    CONF_UNIT_ID,
    DEFAULT_INTERVALS,
    DOMAIN,
    LISTEN_INTERVALS,
    TYPE_LISTEN,
    TYPE_NETWORK,
    TYPE_PLANT,
    TYPE_STICK,
)
from ..modbus.find.identify import Identity
from ..modbus.listen.clues import HeardMeter
from ..modbus.listen.heard import Request
from ..modbus.listen.heard_family import as_heard
from ..modbus.model.family import Family
from ..modbus.model.register import Group, Tier
from ..modbus.tables import FAMILIES
from ..modbus.transport.endpoint import (
    Endpoint,
    Framing,
    SerialEndpoint,
    StickEndpoint,
    TcpEndpoint,
)


def is_plant(entry: ConfigEntry) -> bool:
    """Whether an entry is a plant; any other leads to devices of its own."""
    return bool(entry.data.get(CONF_TYPE) == TYPE_PLANT)


def endpoint_of(data: Mapping[str, Any]) -> Endpoint:
    """The endpoint that the data of an entry describes."""
    if data[CONF_TYPE] == TYPE_STICK:
        return StickEndpoint(
            host=data[CONF_HOST], port=data[CONF_PORT], logger_serial=data[CONF_LOGGER_SERIAL]
        )
    return source_of(data)


def source_of(data: Mapping[str, Any]) -> TcpEndpoint | SerialEndpoint:
    """The serial port or the gateway that the data of an entry describes."""
    if CONF_DEVICE in data:
        return SerialEndpoint(
            device=data[CONF_DEVICE],
            baudrate=data[CONF_BAUDRATE],
            parity=data[CONF_PARITY],
            stopbits=data[CONF_STOPBITS],
        )
    # An entry that listens has no framing: the bytes are those of the line.
    framing = Framing(data.get(CONF_FRAMING, Framing.RTU))
    return TcpEndpoint(host=data[CONF_HOST], port=data[CONF_PORT], framing=framing)


def interval_of(entry: ConfigEntry, group: Group) -> int:
    """The seconds between two polls of a group, as a person has chosen them, or by default.

    The fault codes are polled no more often than the powers: whoever has chosen a long interval wants a quiet line.
    """
    defaults = LISTEN_INTERVALS if entry.data[CONF_TYPE] == TYPE_LISTEN else DEFAULT_INTERVALS
    seconds: int = defaults[group]
    if (option := CONF_INTERVALS.get(group)) is not None:
        seconds = entry.options.get(option, seconds)
    if group is Group.FAULTS:
        seconds = max(seconds, interval_of(entry, Group.POWER))
    return seconds


def tier_of(entry: ConfigEntry) -> Tier:
    """Who may write the settings of an entry's devices, as a person has chosen, or by default."""
    return Tier(entry.options.get(CONF_TIER, Tier.EVERYDAY))


def stick_data(endpoint: StickEndpoint | TcpEndpoint) -> dict[str, Any]:
    """The data of an entry for a stick, which may turn out to use plain Modbus."""
    address = {CONF_HOST: endpoint.host, CONF_PORT: endpoint.port}
    if isinstance(endpoint, StickEndpoint):
        return {CONF_TYPE: TYPE_STICK, **address, CONF_LOGGER_SERIAL: endpoint.logger_serial}
    return {CONF_TYPE: TYPE_NETWORK, **address, CONF_FRAMING: endpoint.framing}


def address_of(data: Mapping[str, Any]) -> str | None:
    """The address of a link, whatever its protocol; None for a plant, which has none."""
    if CONF_HOST in data:
        return f"{data[CONF_HOST]}:{data[CONF_PORT]}"
    return data.get(CONF_DEVICE)


def title_of(identity: Identity, data: Mapping[str, Any]) -> str:
    """The title of an entry until a person gives it another name."""
    # The URL of a serial port may end with a secret.
    place = str(address_of(data)).partition("?")[0]
    return f"{identity.model} ({place})"


def first_unit(entry: ConfigEntry) -> tuple[str, Identity]:
    """The subentry id and the identity of the unit that an entry was set up with."""
    subentry = next(iter(entry.subentries.values()))
    return subentry.subentry_id, identity_of(subentry.data)


def unit_at(entry: ConfigEntry, unit_id: int) -> ConfigSubentry | None:
    """The unit of an entry with this unit id, if there is one."""
    return next(
        (unit for unit in entry.subentries.values() if unit.data[CONF_UNIT_ID] == unit_id), None
    )


def free_unit_id(entry: ConfigEntry) -> int:
    """The lowest unit id that no unit of an entry has."""
    return next(unit_id for unit_id in count(1) if unit_at(entry, unit_id) is None)


def owner_of(hass: HomeAssistant, serial: str) -> tuple[ConfigEntry, ConfigSubentry] | None:
    """The entry and the subentry of the device with this serial number, if it is set up."""
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        for subentry in entry.subentries.values():
            if serial and subentry.unique_id == serial:
                return entry, subentry
    return None


def same_device(expected: Identity, found: Identity) -> bool:
    """Whether the device that answers can be the expected one; a meter without a serial number only by its family."""
    return expected.serial == found.serial if found.serial else expected.family == found.family


def with_serial(entry: ConfigEntry, unit_id: int, identity: Identity) -> Identity:
    """The identity with a serial number: a meter that reports none is given one, which it keeps for good."""
    if identity.serial:
        return identity
    first = f"{entry.entry_id}_{unit_id}"
    # A meter that was added with this unit id may have another one now.
    taken = {subentry.unique_id for subentry in entry.subentries.values()}
    again = (f"{first}_{number}" for number in count(2))
    return replace(
        identity, serial=next(serial for serial in chain([first], again) if serial not in taken)
    )


def meter_data(unit_id: int, identity: Identity, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a meter's subentry, with what a person has entered."""
    return {
        **unit_data(unit_id, identity),
        CONF_ROLE: settings[CONF_ROLE],
        CONF_INVERTED: settings[CONF_INVERTED],
    }


def heard_data(
    meter: HeardMeter, identity: Identity, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """The data of a subentry for a meter that is only listened to."""
    return {
        **meter_data(meter.unit_id, identity, settings),
        CONF_HEARD: requests_data(meter.requests),
    }


def requests_data(requests: Iterable[Request]) -> list[list[int]]:
    """Requests as they are stored."""
    return sorted([request.address, request.count] for request in requests)


def requests_of(data: Mapping[str, Any]) -> frozenset[Request]:
    """The requests to a meter that were heard."""
    unit_id = data[CONF_UNIT_ID]
    return frozenset(Request(unit_id, address, count) for address, count in data[CONF_HEARD])


def family_of(data: Mapping[str, Any]) -> Family:
    """The table of a device; of one that is only listened to, as much as is heard."""
    identity = identity_of(data)
    family = FAMILIES[identity.family]
    if CONF_HEARD not in data:
        return family
    return as_heard(family, requests_of(data), identity.facts)


def unit_data(unit_id: int, identity: Identity) -> dict[str, Any]:
    """The data of a subentry: enough to build all entities while the device does not answer."""
    stored = asdict(identity)
    # They are questions, and were answered.
    del stored["is_doubtful"], stored["makers"]
    stored["facts"] = dict(identity.facts)
    stored["features"] = list(identity.features)
    return {CONF_UNIT_ID: unit_id, CONF_IDENTITY: stored}


def identity_of(data: Mapping[str, Any]) -> Identity:
    """The identity that a subentry keeps."""
    stored = data[CONF_IDENTITY]
    return Identity(**{**stored, "features": tuple(stored.get("features", ()))})


def with_features(subentry: ConfigSubentry, found: Iterable[str]) -> ConfigSubentry:
    """The subentry of a device of which these features are known, too; it is not stored."""
    identity, unit_id = identity_of(subentry.data), subentry.data[CONF_UNIT_ID]
    features = tuple(sorted({*identity.features, *found}))
    data = {**subentry.data, **unit_data(unit_id, replace(identity, features=features))}
    return replace(subentry, data=MappingProxyType(data))
