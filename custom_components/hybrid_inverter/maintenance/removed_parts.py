"""What an owner has taken away from a device: noticed, asked about, and forgotten once a person has said so.

A pack or a meter that is silent is mostly a fault, and its values have to stay in sight. So nothing is forgotten by itself.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from ..const import DOMAIN, LOGGER
from ..entry.data import family_of, unit_data
from ..entry.texts import async_load_texts, async_text
from ..modbus.device.device import Device
from ..modbus.errors import DeviceError
from ..modbus.model.features import Feature
from ..modbus.model.register import Group
from ..modbus.transport.link import Link
from ..runtime.issues import async_raise, async_withdraw, issue_id, machine_name, named_in
from ..runtime.runtime import UnitRuntime

# The kind of the issue.
PARTS_GONE: Final = "parts_gone"
# For how long everything that is asked daily has to say so: a battery may be off for a day.
GONE_AFTER: Final = timedelta(days=2)


def removable_features(entry: ConfigEntry, unit: UnitRuntime) -> list[Feature]:
    """The features of a unit that an owner can take away."""
    features = family_of(entry.subentries[unit.subentry_id].data).features
    return [one for one in features if one.removable and one.key in unit.identity.features]


async def async_missing(entry: ConfigEntry, unit: UnitRuntime) -> list[Feature]:
    """Ask a unit which of them it does not show now; raises the DeviceError that keeps it from answering."""
    link, sought = entry.runtime_data.link, removable_features(entry, unit)
    if not sought or not isinstance(link, Link):
        return []
    await unit.async_verify()
    family = family_of(entry.subentries[unit.subentry_id].data)
    line = link.unit(unit.unit_id, family.spacing)
    asked = Device(line, family, known=unit.identity.facts)
    found = await asked.discover({one.key for one in sought})
    return [one for one in sought if one.key not in found]


@callback
def async_forget(
    hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime, features: Iterable[Feature]
) -> None:
    """Take features from what is stored of a unit; the entry is loaded again, and without their entities."""
    gone = {feature.key for feature in features}
    left = tuple(key for key in unit.identity.features if key not in gone)
    subentry = entry.subentries[unit.subentry_id]
    hass.config_entries.async_update_subentry(
        entry,
        subentry,
        data={**subentry.data, **unit_data(unit.unit_id, replace(unit.identity, features=left))},
    )


class PartsWatch:
    """Looks daily for what a unit does not show any more."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime) -> None:
        self._hass = hass
        self._entry = entry
        self._unit = unit
        # Since when each feature is missing, by key.
        self._since: dict[str, datetime] = {}

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Look after each poll of the identity; returns how to stop that."""
        return self._unit.coordinators[Group.IDENTITY].async_add_poll_listener(self._polled)

    @callback
    def _polled(self) -> None:
        self._entry.async_create_background_task(
            self._hass, self._async_look(), f"{self._unit.name} parts"
        )

    async def _async_look(self) -> None:
        """Raise the issue for what is missing for long, and withdraw it when all is there again."""
        unit = self._unit
        try:
            missing = await async_missing(self._entry, unit)
        except DeviceError as err:
            # It is asked again tomorrow.
            LOGGER.debug("%s did not say which parts it has: %s", unit.name, err)
            return
        now = dt_util.utcnow()
        self._since = {one.key: self._since.get(one.key, now) for one in missing}
        # After a start, what is missing is so since the issue was raised.
        asked = self._asked_about()
        gone = [
            one for one in missing if one.key in asked or now - self._since[one.key] >= GONE_AFTER
        ]
        if not gone:
            async_withdraw(self._hass, unit.identity.serial, PARTS_GONE)
            return
        await async_load_texts(self._hass, "selector")
        async_raise(
            self._hass,
            unit.identity.serial,
            PARTS_GONE,
            named=[one.key for one in gone],
            name=machine_name(self._hass, unit.entry_id, unit.identity),
            parts=spoken(self._hass, gone),
        )

    def _asked_about(self) -> frozenset[str]:
        """The keys of what the issue names already."""
        about = issue_id(self._unit.identity.serial, PARTS_GONE)
        issue = ir.async_get(self._hass).async_get_issue(DOMAIN, about)
        return named_in(None if issue is None else issue.data)


def spoken(hass: HomeAssistant, features: Iterable[Feature]) -> str:
    """What people call these features, each once."""
    names = (
        async_text(hass, f"selector.removable.options.{name.key}", **name.placeholders)
        for feature in features
        if (name := feature.removable) is not None
    )
    return ", ".join(dict.fromkeys(filter(None, names)))


@callback
def async_watch_parts(hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime) -> CALLBACK_TYPE:
    """Watch the parts of a unit that an owner can take away; returns what ends that."""
    if not removable_features(entry, unit):
        return lambda: None
    return PartsWatch(hass, entry, unit).async_start()
