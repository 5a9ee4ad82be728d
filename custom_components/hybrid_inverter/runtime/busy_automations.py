"""Automations that write a setting too often: named in a repair issue, so that somebody can mend them."""

from typing import Final

from homeassistant.core import Context, HomeAssistant, callback

from ..entry.texts import async_text
from ..modbus.errors import WriteBudgetError
from .callers import running_in
from .issues import async_raise, machine_name
from .runtime import UnitRuntime

# The kind of the issue.
BUSY_AUTOMATION: Final = "busy_automation"


@callback
def async_report_busy(
    unit: UnitRuntime, setting: str, err: WriteBudgetError, context: Context | None
) -> None:
    """Raise an issue for a setting, by the name that a person gave it, that was written as often as automations may."""
    async_raise(
        unit.hass,
        unit.identity.serial,
        BUSY_AUTOMATION,
        err.key,
        name=machine_name(unit.hass, unit.entry_id, unit.identity),
        entity=setting,
        limit=str(err.limit),
        automation=_caller(unit.hass, context),
    )


def _caller(hass: HomeAssistant, context: Context | None) -> str:
    """The name and the entity id of the automation, or the script, that runs in a context, or has caused it."""
    if (running := running_in(hass, context)) is not None:
        return f"{running.name} ({running.entity_id})"
    return async_text(hass, "selector.caller.options.unknown") or "?"
