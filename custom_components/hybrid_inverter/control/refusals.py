"""Why nothing is done: what is wrong with a call, and what an inverter cannot carry out, in the words of a person."""

from enum import StrEnum
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..const import DOMAIN
from ..entry.texts import async_text
from ..modbus.control.order import ControlRefusedError, Refusal
from ..runtime.runtime import UnitRuntime
from ..runtime.writes import display_name, display_value

WORK_MODE: Final = "work_mode"
# What messages call an order of the battery, and one about the export.
BATTERY_NAME: Final = "selector.controlled.options.battery"
EXPORT_NAME: Final = "selector.controlled.options.export"

# Where the names of what fills a message are.
NAMES: Final = {
    "mode": "selector.control_mode.options",
    "nearest": "selector.control_mode.options",
    "kind": "selector.slot_mode.options",
}


class Mistake(StrEnum):
    """What is wrong with a call: the key of a message."""

    ONE_END = "control_one_end"
    DURATION = "control_duration"
    UNTIL = "control_until"
    UNTIL_NOW = "control_until_now"
    UNTIL_PAST = "control_until_past"
    OVER = "control_over"
    UNLOADING = "control_unloading"
    TOO_FAR = "control_too_far"
    NO_POWER = "control_no_power"
    NO_LIMIT = "control_no_limit"
    AT_GRID = "control_at_grid"
    ONE_TARGET = "control_one_target"
    TARGET_RANGE = "control_target_range"
    ENERGY = "control_energy"
    ENERGY_MODE = "control_energy_mode"
    NO_CAPACITY = "control_no_capacity"
    VIEW_ONLY = "control_view_only"
    NOT_CONTROLLED = "control_not_controlled"
    MEMBER_MISSING = "control_member_missing"
    GIVE_TO_PLANT = "control_give_to_plant"
    NOT_YOURS = "control_not_yours"
    BUSY = "control_busy"
    NO_MODE = "control_no_mode"
    LEAST_POWER = "control_least_power"


# The messages for which less is known: what is missing, and the message without it.
SHORTER: Final = {
    Refusal.NOT_SUPPORTED: ("nearest", Mistake.NO_MODE),
    Refusal.POWER: ("maximum", Mistake.LEAST_POWER),
}


def mistake(key: Mistake | Refusal, **placeholders: str) -> ServiceValidationError:
    """The error for a call that nothing can be made of."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key.value,
        translation_placeholders=placeholders,
    )


def refusal(unit: UnitRuntime, err: ControlRefusedError) -> ServiceValidationError:
    """The error for an order that an inverter cannot carry out."""
    key: Refusal | Mistake = err.reason
    missing, shorter = SHORTER.get(err.reason, ("", err.reason))
    if missing and missing not in err.details:
        key = shorter
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key.value,
        translation_placeholders={
            name: _spoken(unit, err.reason, name, value) for name, value in err.details.items()
        },
    )


def _spoken(unit: UnitRuntime, reason: Refusal, name: str, value: str | float) -> str:
    """What fills a message: numbers, and the names of modes and settings."""
    if not isinstance(value, str):
        return f"{value:g}"
    if reason is Refusal.RUN_ELSEWHERE:
        return display_value(unit, WORK_MODE, value)
    if name in NAMES:
        return async_text(unit.hass, f"{NAMES[name]}.{value}") or value
    return display_name(unit, value)


def spoken_error(hass: HomeAssistant, err: HomeAssistantError) -> str:
    """An error as a part of another message, in the language that Home Assistant is set to."""
    path = f"exceptions.{err.translation_key}.message"
    text = async_text(hass, path, **(err.translation_placeholders or {}))
    return text or str(err)
