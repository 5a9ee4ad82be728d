"""The address of a Wi-Fi stick, which the router may change at any time.

What a router or a search says of a stick may be long out of date, or made up. An entry leads to another address only when
its machine does not answer where the entry leads, and has proved at the other address that it is there.
"""

from collections.abc import Iterable
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.network import is_ip_address

from ..const import CONF_UNIT_ID, DOMAIN, LOGGER
from ..modbus.find.probe import are_at
from ..modbus.find.probe_stick import STICK_TIMEOUT
from ..modbus.find.sticks import find_sticks
from .data import endpoint_of, first_unit, identity_of, title_of

# The address that was last said of the stick of an entry, by the entry's id: it may not be ready when it gets it.
SAID: Final[HassKey[dict[str, str]]] = HassKey(f"{DOMAIN}_stick_addresses")


async def async_hear(hass: HomeAssistant, entry: ConfigEntry, host: str) -> None:
    """Take note that an entry's stick is said to be at this address, and follow it there if it is."""
    hass.data.setdefault(SAID, {})[entry.entry_id] = host
    if not _may_move(entry, host):
        return
    async with entry.setup_lock:
        loaded = entry.state is ConfigEntryState.LOADED
    if not (loaded and await entry.runtime_data.async_answers()):
        await _async_follow(hass, entry, [host])


async def async_search(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Search for the stick of an entry whose machines do not answer; return whether the entry leads to it now.

    The unique id of an entry for a stick is the stick's logger serial.
    """
    if entry.unique_id is None or not is_ip_address(entry.data[CONF_HOST]):
        return False
    said = hass.data.get(SAID, {}).get(entry.entry_id)
    found = [
        stick.host for stick in await find_sticks() if str(stick.logger_serial) == entry.unique_id
    ]
    return await _async_follow(hass, entry, [*found, *([said] if said else [])])


def _may_move(entry: ConfigEntry, host: str) -> bool:
    """Whether an entry may be moved to this address; a name is the name server's to follow."""
    return entry.data[CONF_HOST] != host and is_ip_address(entry.data[CONF_HOST])


async def _async_follow(hass: HomeAssistant, entry: ConfigEntry, hosts: Iterable[str]) -> bool:
    """Let an entry lead to the first of these addresses at which its machine is, and use it at once if it is in use."""
    machines = {
        subentry.data[CONF_UNIT_ID]: identity_of(subentry.data)
        for subentry in entry.subentries.values()
    }
    for host in dict.fromkeys(hosts):
        endpoint = endpoint_of({**entry.data, CONF_HOST: host})
        if not _may_move(entry, host) or not await are_at(endpoint, machines, STICK_TIMEOUT):
            continue
        # Somebody else may have found it meanwhile.
        if _may_move(entry, host):
            _move(hass, entry, host)
        return True
    return False


@callback
def _move(hass: HomeAssistant, entry: ConfigEntry, host: str) -> None:
    """Let an entry lead to this address."""
    data = {**entry.data, CONF_HOST: host}
    title = entry.title
    # A name that a person gave stays.
    if title == title_of(identity := first_unit(entry)[1], entry.data):
        title = title_of(identity, data)
    hass.config_entries.async_update_entry(entry, data=data, title=title)
    LOGGER.info("%s has another address now, and is polled there", entry.title)
    if entry.state in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY):
        hass.config_entries.async_schedule_reload(entry.entry_id)
