"""The fields of the actions of the schedule, and the request that the data of a call makes."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..modbus.model.slots import CHARGE, DISCHARGE, MODES
from ..modbus.schedule.days import DAYS
from ..modbus.schedule.schedule import RequestedWindow, ScheduleRequest
from ..runtime.targets import TARGET

ATTR_WINDOWS: Final = "windows"
ATTR_CHARGE_WINDOWS: Final = "charge_windows"
ATTR_DISCHARGE_WINDOWS: Final = "discharge_windows"
ATTR_OTHERWISE: Final = "otherwise"
ATTR_DAYS: Final = "days"
ATTR_ENABLED: Final = "enabled"
ATTR_DRY_RUN: Final = "dry_run"
ATTR_START: Final = "start"
ATTR_END: Final = "end"
ATTR_MODE: Final = "mode"
ATTR_TARGET: Final = "target"
ATTR_POWER: Final = "power"
ATTR_GRID_CHARGE: Final = "grid_charge"
ATTR_GENERATOR_CHARGE: Final = "generator_charge"
ATTR_CHARGE_FROM: Final = "charge_from"

# What a window can charge the battery from, and the field that says so of it alone.
SOURCES: Final = {"grid": ATTR_GRID_CHARGE, "generator": ATTR_GENERATOR_CHARGE}

# The lists whose windows are all of one mode; those of the other list may be of any, or of none.
MODE_OF: Final = {ATTR_CHARGE_WINDOWS: CHARGE, ATTR_DISCHARGE_WINDOWS: DISCHARGE}
LISTS: Final = (ATTR_WINDOWS, *MODE_OF)

DAY_LIST: Final = vol.All(cv.ensure_list, [vol.In(DAYS)])
# The style of an inverter's schedule decides which of the fields it has and needs.
WINDOW: Final = vol.Schema(
    {
        vol.Required(ATTR_START): cv.time,
        vol.Required(ATTR_END): cv.time,
        vol.Optional(ATTR_MODE): vol.In(MODES),
        vol.Optional(ATTR_TARGET): vol.Coerce(float),
        vol.Optional(ATTR_POWER): vol.Coerce(float),
        vol.Optional(ATTR_GRID_CHARGE): cv.boolean,
        vol.Optional(ATTR_GENERATOR_CHARGE): cv.boolean,
        vol.Optional(ATTR_CHARGE_FROM): vol.All(cv.ensure_list, [vol.In(SOURCES)]),
        vol.Optional(ATTR_DAYS): DAY_LIST,
    }
)
WINDOW_OF_MODE: Final = vol.Schema(
    {
        vol.Required(ATTR_START): cv.time,
        vol.Required(ATTR_END): cv.time,
        vol.Required(ATTR_POWER): vol.Coerce(float),
        vol.Optional(ATTR_DAYS): DAY_LIST,
    }
)
OTHERWISE: Final = vol.Schema(
    {
        vol.Optional(ATTR_TARGET): vol.Coerce(float),
        vol.Optional(ATTR_POWER): vol.Coerce(float),
    }
)
GET_SCHEMA: Final = vol.Schema(TARGET)
SET_SCHEMA: Final = vol.Schema(
    {
        **TARGET,
        vol.Optional(ATTR_WINDOWS): vol.All(
            cv.ensure_list, [vol.All(cv.has_at_least_one_key(ATTR_TARGET, ATTR_MODE), WINDOW)]
        ),
        **{vol.Optional(name): vol.All(cv.ensure_list, [WINDOW_OF_MODE]) for name in MODE_OF},
        vol.Optional(ATTR_OTHERWISE): OTHERWISE,
        vol.Optional(ATTR_DAYS): DAY_LIST,
        vol.Optional(ATTR_ENABLED): cv.boolean,
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
    }
)


def request_of(data: Mapping[str, Any]) -> ScheduleRequest:
    """The request in the data of an action: the windows of all lists, in the order of `LISTS`."""
    windows = [_with_sources(window) for window in data.get(ATTR_WINDOWS, ())]
    for name, mode in MODE_OF.items():
        windows += [{**window, ATTR_MODE: mode} for window in data.get(name, ())]
    return ScheduleRequest(
        windows=tuple(
            RequestedWindow(**{**window, ATTR_DAYS: _days(window.get(ATTR_DAYS))})
            for window in windows
        ),
        default_rule=data.get(ATTR_OTHERWISE),
        days=_days(data.get(ATTR_DAYS)),
        enabled=data.get(ATTR_ENABLED),
    )


def _with_sources(window: Mapping[str, Any]) -> dict[str, Any]:
    """A window with a field for each of what it charges from, instead of one for all."""
    chosen = window.get(ATTR_CHARGE_FROM, ())
    given = {key: value for key, value in window.items() if key != ATTR_CHARGE_FROM}
    return {**given, **{SOURCES[source]: True for source in chosen}}


def _days(names: list[str] | None) -> frozenset[int] | None:
    """Numbers of days, 0 for Monday."""
    return None if names is None else frozenset(map(DAYS.index, names))
