"""Repair issues about a machine that a person reads or fixes in a dialog, which is listed in `repairs.py`."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir

from ..const import DOMAIN
from ..modbus.find.identify import Identity

# What an issue keeps: its kind, which is also the key of its texts, the tag of its machine, and what it names, by key.
DATA_KIND: Final = "kind"
DATA_TAG: Final = "tag"
DATA_NAMED: Final = "named"

# Enough to tell the machines of a house apart, and too little to find a serial number by trying them all.
TAG_DIGITS: Final = 6


def machine_name(hass: HomeAssistant, entry_id: str, identity: Identity) -> str:
    """What a person calls a machine."""
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, identity.serial), entry_id)
    return (device and (device.name_by_user or device.name)) or identity.model


def machine_tag(serial: str) -> str:
    """What stands for a serial number in an issue: Home Assistant puts all issues into the diagnostics download."""
    return sha256(serial.encode()).hexdigest()[:TAG_DIGITS]


def issue_id(serial: str, kind: str, about: str = "") -> str:
    """The id of an issue of a machine; `about` tells those of one kind apart. It begins like all issues of the machine."""
    return "_".join(filter(None, (machine_tag(serial), kind, about)))


@callback
def async_kinds_raised(hass: HomeAssistant, serial: str, beginning: str = "") -> list[str]:
    """The kinds of a machine's issues that begin like this, each with what tells it from others of the kind."""
    tag = issue_id(serial, "") + "_"
    return [
        known.removeprefix(tag)
        for domain, known in ir.async_get(hass).issues
        if domain == DOMAIN and known.startswith(tag + beginning)
    ]


@callback
def async_raise(
    hass: HomeAssistant,
    serial: str,
    kind: str,
    about: str = "",
    *,
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    fixable: bool = True,
    named: Iterable[str] = (),
    **placeholders: str,
) -> None:
    """Raise an issue that stays until a person has confirmed it, or until it is withdrawn.

    One that is not fixable has nothing to be confirmed, and is only withdrawn. `named` are the keys of what it names.
    """
    data: dict[str, str | int | float | None] = {DATA_KIND: kind, DATA_TAG: machine_tag(serial)}
    if keys := ",".join(named):
        data[DATA_NAMED] = keys
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id(serial, kind, about),
        data=data,
        is_fixable=fixable,
        is_persistent=True,
        severity=severity,
        translation_key=kind,
        translation_placeholders=placeholders,
    )


def named_in(data: Mapping[str, Any] | None) -> frozenset[str]:
    """The keys of what an issue names, from its data."""
    return frozenset(filter(None, str((data or {}).get(DATA_NAMED, "")).split(",")))


@callback
def async_withdraw(
    hass: HomeAssistant, serial: str, kind: str, about: str = "", *, keep_ignored: bool = False
) -> None:
    """Withdraw an issue, if there is one.

    One that a person ignores is not shown anyway; with `keep_ignored` it stays ignored for the next time.
    """
    registry = ir.async_get(hass)
    issue = registry.async_get_issue(DOMAIN, issue_id(serial, kind, about))
    if issue is not None and not (keep_ignored and issue.dismissed_version is not None):
        registry.async_delete(DOMAIN, issue.issue_id)
