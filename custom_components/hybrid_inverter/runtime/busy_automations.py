"""Automations that write a setting too often: named in a repair issue, so that somebody can mend them."""

from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..modbus.errors import WriteBudgetError
from ..modbus.find.identify import Identity
from .issues import async_raise, machine_name

# The kind of the issue.
BUSY_AUTOMATION: Final = "busy_automation"


@callback
def async_report_busy(
    hass: HomeAssistant,
    entry_id: str,
    identity: Identity,
    err: WriteBudgetError,
    *,
    setting: str,
    automation: str,
) -> None:
    """Raise an issue for a setting that was written as often as automations may; both go by the names that a person knows."""
    async_raise(
        hass,
        identity.serial,
        BUSY_AUTOMATION,
        err.key,
        name=machine_name(hass, entry_id, identity),
        entity=setting,
        limit=str(err.limit),
        automation=automation,
    )
