"""The names of devices and links until a person gives them others."""

from collections.abc import Iterable
from itertools import chain, count
import re

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import LOCALE_EN, async_get_translations

from ..const import DOMAIN, MeterRole
from ..modbus.find.identify import Identity
from ..modbus.find.scan import Candidate
from .data import address_of
from .texts import async_english_text, async_text


@callback
def async_inverter_name(hass: HomeAssistant, identity: Identity) -> str:
    """The model, with the end of the serial number if another device already has this name."""
    # What is in parentheses is for the device page; a name is said aloud.
    name = identity.model.partition(" (")[0]
    return f"{name} {identity.serial[-4:]}" if name in _taken(hass) else name


async def async_meter_name(hass: HomeAssistant, role: MeterRole, now: str = "") -> str:
    """The name of a meter's role, with a number if another device already has this name.

    A meter with the name `now` keeps it, unless it is the name of another role.
    """
    names = await _meter_names(hass, hass.config.language)
    # One that was added while the house spoke English has an English name.
    english = await _meter_names(hass, LOCALE_EN)
    others = {name for each in (names, english) for one, name in each.items() if one is not role}
    if now and re.sub(r" \d+$", "", now) not in others:
        return now
    taken = _taken(hass) - {now}
    candidates = (f"{names[role]} {number}" for number in count(2))
    return next(name for name in chain([names[role]], candidates) if name not in taken)


async def async_labels(hass: HomeAssistant, candidates: Iterable[Candidate]) -> dict[str, str]:
    """Labels of the units that a search has found, by unit id."""
    texts = await async_get_translations(hass, hass.config.language, "selector", [DOMAIN])
    labels = {}
    for candidate in candidates:
        identity = candidate.identity
        what = texts[f"component.{DOMAIN}.selector.found.options.{_kind_of(identity)}"]
        name = f"{identity.manufacturer} {identity.model} ({what})" if identity else what
        labels[str(candidate.unit_id)] = f"{candidate.unit_id}: {name}"
    return labels


@callback
def async_english_name(hass: HomeAssistant, name: str) -> str:
    """A name in English, if it is that of a meter's role in the language of the house; any other as it is."""
    for role in MeterRole:
        path = f"device.{role}_meter.name"
        translated = async_text(hass, path)
        if translated and (found := re.fullmatch(rf"{re.escape(translated)}( \d+)?", name)):
            return f"{async_english_text(hass, path)}{found[1] or ''}"
    return name


@callback
def async_place_of_link(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """The host that a link leads to, with the port if another link leads to the same host.

    None for a serial port: the path of an adapter says nothing to a person, and holds its serial number.
    """
    host = entry.data.get(CONF_HOST)
    hosts = [other.data.get(CONF_HOST) for other in hass.config_entries.async_entries(DOMAIN)]
    return address_of(entry.data) if host and hosts.count(host) > 1 else host


async def _meter_names(hass: HomeAssistant, language: str) -> dict[MeterRole, str]:
    """The names of meters by their role."""
    texts = await async_get_translations(hass, language, "device", [DOMAIN])
    return {role: texts[f"component.{DOMAIN}.device.{role}_meter.name"] for role in MeterRole}


@callback
def _taken(hass: HomeAssistant) -> set[str]:
    """The names of all devices."""
    return {
        subentry.title
        for entry in hass.config_entries.async_entries(DOMAIN)
        for subentry in entry.subentries.values()
    }


def _kind_of(identity: Identity | None) -> str:
    """Whether a device is an inverter or a meter, as far as it is known."""
    return "unknown" if identity is None else identity.kind
