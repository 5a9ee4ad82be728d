"""What is already set up, so that nothing is added twice."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.core import callback

from ..const import CONF_TYPE, DOMAIN, TYPE_STICK
from ..entry.data import address_of, owner_of
from ..modbus.find.identify import Identity


@callback
def own_entry(flow: ConfigFlow) -> ConfigEntry | None:
    """The entry that a flow reconfigures; None in a flow that adds one."""
    if flow.source != SOURCE_RECONFIGURE:
        return None
    return flow.hass.config_entries.async_get_known_entry(flow.context["entry_id"])


@callback
def conflicting_entry(
    flow: ConfigFlow, data: Mapping[str, Any], logger_serial: int | None
) -> ConfigEntry | None:
    """Another entry with this address, whatever its other settings, or with this stick, whatever its address."""
    own = own_entry(flow)
    for entry in flow.hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        same_stick = logger_serial is not None and entry.unique_id == str(logger_serial)
        if entry is not own and (same_stick or address_of(entry.data) == address_of(data)):
            return entry
    return None


@callback
def refuse_link(
    flow: ConfigFlow, data: Mapping[str, Any], logger_serial: int | None = None
) -> ConfigFlowResult | None:
    """Abort when another entry has the link; None when none has."""
    if (other := conflicting_entry(flow, data, logger_serial)) is None:
        return None
    if TYPE_STICK not in (data[CONF_TYPE], other.data[CONF_TYPE]):
        return flow.async_abort(reason="already_configured")
    return flow.async_abort(
        reason="stick_already_configured", description_placeholders={"entry": other.title}
    )


@callback
def refuse_device(flow: ConfigFlow, identity: Identity) -> ConfigFlowResult | None:
    """Abort when an entry has this device; None when none has."""
    if (owner := owner_of(flow.hass, identity.serial)) is None:
        return None
    entry, _ = owner
    return flow.async_abort(
        reason="machine_already_configured",
        description_placeholders={"model": identity.model, "entry": entry.title},
    )
