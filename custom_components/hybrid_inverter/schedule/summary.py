"""The sentence with which set_schedule answers: what the schedule of an inverter is, in the language of the house."""

from collections.abc import Mapping, Sequence
from typing import Final

from homeassistant.core import HomeAssistant

from ..entry.texts import async_text
from ..modbus.model.slots import CHARGE
from ..modbus.schedule.clock import hh_mm
from ..modbus.schedule.days import day_names
from ..modbus.schedule.schedule import RequestedWindow, ScheduleRequest, Text

# What has become of a request: the keys of the sentences.
SET: Final = "set"
UNCHANGED: Final = "unchanged"
DRY_RUN: Final = "dry_run"
LATER: Final = "later"
# What fills and follows them: a window, none of them, the days, and that the inverter does not follow the schedule.
WINDOW: Final = "window"
EMPTY: Final = "empty"
ON_DAYS: Final = "on_days"
OFF: Final = "off"

# What a window charges the battery from: the grid, the generator.
CHARGES: Final[Mapping[tuple[bool, bool], Text]] = {
    (False, False): Text.USE_BATTERY,
    (True, False): Text.CHARGE_FROM_GRID,
    (False, True): Text.CHARGE_FROM_GENERATOR,
    (True, True): Text.CHARGE_FROM_BOTH,
}
SWITCHED_OFF: Final = {
    "grid": Text.GRID_SWITCHED_OFF,
    "generator": Text.GENERATOR_SWITCHED_OFF,
}


def summary_of(
    hass: HomeAssistant,
    outcome: str,
    request: ScheduleRequest,
    *,
    name: str,
    unit: str,
    enabled: bool,
    switched_off: Sequence[str],
) -> str:
    """What has become of a request for the inverter of this name, `unit` being that of the targets.

    The texts of the category `selector` have to be loaded.
    """
    windows = "; ".join(_window(hass, window, unit) for window in request.windows)
    sentences = [_text(hass, outcome, name=name, windows=windows or _text(hass, EMPTY))]
    if request.days is not None:
        sentences.append(_text(hass, ON_DAYS, days=_days(hass, request.days)))
    sentences += [_event(hass, SWITCHED_OFF[source]) for source in switched_off]
    if not enabled:
        sentences.append(_text(hass, OFF))
    return " ".join(sentences)


def _window(hass: HomeAssistant, window: RequestedWindow, unit: str) -> str:
    """A window: from when until when, and what the battery does."""
    if window.mode is not None:
        text = Text.CHARGE if window.mode == CHARGE else Text.DISCHARGE
        what = _event(hass, text, power=f"{window.power:g} W")
    else:
        text = CHARGES[bool(window.grid_charge), bool(window.generator_charge)]
        what = _event(hass, text, target=f"{window.target:g} {unit}")
    days = "" if window.days is None else f" ({_days(hass, window.days)})"
    return _text(hass, WINDOW, start=hh_mm(window.start), end=hh_mm(window.end), what=what) + days


def _days(hass: HomeAssistant, days: frozenset[int]) -> str:
    """The names of some days."""
    return ", ".join(
        async_text(hass, f"selector.day.options.{day}") or day for day in day_names(days)
    )


def _event(hass: HomeAssistant, text: Text, **placeholders: str) -> str:
    """What the calendar calls something, too."""
    return async_text(hass, f"selector.schedule_event.options.{text}", **placeholders) or text


def _text(hass: HomeAssistant, key: str, **placeholders: str) -> str:
    """One of the sentences."""
    return async_text(hass, f"selector.schedule_summary.options.{key}", **placeholders) or key
