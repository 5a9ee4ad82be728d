"""What goes on for the doctor while an entry is loaded."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..runtime.runtime import UnitRuntime
from .feed import Feed
from .report import report_of, verdict_as_dict
from .wiring_test import async_end_with

# What tells the doctor of loaded devices, by their serial numbers.
FEEDS: Final = HassKey[dict[str, Feed]](f"{DOMAIN}_wiring_feeds")


@callback
def async_setup_doctor(hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime) -> None:
    """Tell the doctor of a device from its first poll on; before its entities are added."""
    feeds, serial = hass.data.setdefault(FEEDS, {}), unit.identity.serial
    feed = feeds[serial] = Feed(hass, unit)
    entry.async_on_unload(feed.async_start())
    async_end_with(entry, unit)

    @callback
    def forget() -> None:
        # It may have moved to another entry, which tells the doctor by now.
        if feeds.get(serial) is feed:
            del feeds[serial]

    entry.async_on_unload(forget)


def feed_of(unit: UnitRuntime) -> Feed:
    """What tells the doctor of a loaded device."""
    return unit.hass.data[FEEDS][unit.identity.serial]


@callback
def async_wiring_diagnostics(unit: UnitRuntime) -> dict[str, Any] | None:
    """What is known of the wiring of a device, and what the last test of its house has shown; None where nobody judges it."""
    feed = unit.hass.data.get(FEEDS, {}).get(unit.identity.serial)
    if feed is None or (watch := feed.watch) is None:
        return None
    return {
        **verdict_as_dict(watch.verdict_at(unit.identity.serial)),
        "last_test": watch.outcome and report_of(unit.hass, watch.outcome),
    }
