"""Follows the requests that are heard: an inverter may poll its meter for more than when the meter was set up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from ..const import CONF_HEARD, CONF_UNIT_ID
from ..entry.data import (
    identity_of,
    requests_data,
    requests_of,
    unit_data,
)
from ..modbus.listen.clues import HeardMeter, meters_of
from ..modbus.listen.heard_family import CT_RATIO, identity_of_heard
from ..modbus.listen.listener import Listener
from ..modbus.transport.connection import Connection

INTERVAL: Final = timedelta(minutes=1)


@callback
def async_follow_heard(
    hass: HomeAssistant, entry: ConfigEntry, link: Connection
) -> Callable[[], None]:
    """Check every minute for new requests on a line that is only listened to; returns how to stop that."""
    if not isinstance(link, Listener):
        return lambda: None

    @callback
    def look(_: datetime) -> None:
        heard = {meter.unit_id: meter for meter in meters_of(link.heard)}
        for subentry in tuple(entry.subentries.values()):
            if (meter := heard.get(subentry.data[CONF_UNIT_ID])) is not None:
                _async_keep(hass, entry, subentry, meter)

    return async_track_time_interval(hass, look, INTERVAL, name=f"{entry.title} listens")


@callback
def _async_keep(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, meter: HeardMeter
) -> None:
    """Add what is new to the data of a meter; the entry is loaded again to show it."""
    known, identity = requests_of(subentry.data), identity_of(subentry.data)
    ratio = meter.ct_ratio
    if ratio is not None and ratio != identity.facts.get(CT_RATIO, ratio):
        facts = identity_of_heard(identity.family, ratio).facts
        identity = replace(identity, facts=facts)
    elif known.issuperset(meter.requests):
        return
    hass.config_entries.async_update_subentry(
        entry,
        subentry,
        data={
            **subentry.data,
            **unit_data(meter.unit_id, identity),
            CONF_HEARD: requests_data(known.union(meter.requests)),
        },
    )
