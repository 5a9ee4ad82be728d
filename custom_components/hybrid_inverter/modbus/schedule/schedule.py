"""Schedules as data: what is asked for, what the slots of a family hold, and what has to be written.

Families keep their schedules in different ways: a `ScheduleStyle` knows one of them and reads a `Timetable`. The
calendar, the sensors and the actions know only these two. Nothing here does I/O or knows the time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import time
from enum import StrEnum
from typing import Any, Final, Protocol

from ..model.codec import Value, Values

# What the response of an action is made of.
type JsonValue = dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Smallest and largest number of a setting, both included, and the step between them."""

    minimum: float
    maximum: float
    step: float


class Reason(StrEnum):
    """Why a requested schedule is refused: the key of a message, which the details fill."""

    UNKNOWN_FIELD = "schedule_unknown_field"
    UNKNOWN_WINDOW_FIELD = "schedule_unknown_window_field"
    MISSING_FIELD = "schedule_missing_field"
    NO_WINDOWS = "schedule_no_windows"
    NO_DAYS = "schedule_no_days"
    NO_SLOTS = "schedule_no_slots"
    NOT_ON_STEP = "schedule_not_on_step"
    EMPTY = "schedule_empty_window"
    LAST_MINUTE = "schedule_last_minute"
    OVERLAP = "schedule_overlap"
    TARGET = "schedule_target"
    POWER = "schedule_power"
    DEFAULT_TARGET = "schedule_default_target"
    DEFAULT_POWER = "schedule_default_power"
    TOO_MANY = "schedule_too_many_slots"
    TOO_MANY_WINDOWS = "schedule_too_many_windows"
    STAYS_ON = "schedule_stays_on"
    WITH_MODES = "schedule_with_modes"
    WITHOUT_MODES = "schedule_without_modes"


class ScheduleError(Exception):
    """A requested schedule that the device cannot hold."""

    def __init__(self, reason: Reason, **details: str) -> None:
        super().__init__(f"{reason}: {details}")
        self.reason = reason
        self.details = details


# ---------------------------------------------------------------------- what is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedWindow:
    """A window that is asked for; None where a field was not given."""

    start: time
    end: time
    # Watts.
    power: float | None = None
    # Percent, or volts where the battery is run by voltage.
    target: float | None = None
    grid_charge: bool | None = None
    generator_charge: bool | None = None
    mode: str | None = None
    # 0 for Monday.
    days: frozenset[int] | None = None

    def given_fields(self, names: Collection[str]) -> dict[str, Any]:
        """Those of the named fields that were given."""
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRequest:
    """A schedule that is asked for; None where a field was not given."""

    windows: tuple[RequestedWindow, ...]
    # Target and power between the windows.
    default_rule: Mapping[str, float] | None = None
    days: frozenset[int] | None = None
    enabled: bool | None = None


# The fields that only some schedules have as a whole, as the action calls them.
DEFAULT_RULE: Final = "otherwise"
SHARED_DAYS: Final = "days"
# The field that tells the kinds of schedules apart: windows have modes, or targets.
MODE: Final = "mode"


def check_fields(
    request: ScheduleRequest,
    *,
    whole: Collection[str] = (),
    window: Collection[str],
    needed: Collection[str],
) -> None:
    """Raise ScheduleError for a field that the device does not have, or one that it needs and that is not given.

    `whole` and `window` are the fields of the whole and of a window, besides those that every schedule has.
    """
    for name, value in ((DEFAULT_RULE, request.default_rule), (SHARED_DAYS, request.days)):
        if name not in whole and value is not None:
            raise ScheduleError(Reason.UNKNOWN_FIELD, field=name)
    has_modes = MODE in window
    if any((requested.mode is not None) != has_modes for requested in request.windows):
        raise ScheduleError(Reason.WITH_MODES if has_modes else Reason.WITHOUT_MODES)
    known = {"start", "end", *window}
    for number, requested in enumerate(request.windows, 1):
        for item in fields(requested):
            given = getattr(requested, item.name) is not None
            if given and item.name not in known:
                raise ScheduleError(
                    Reason.UNKNOWN_WINDOW_FIELD, window=str(number), field=item.name
                )
            if not given and item.name in needed:
                raise ScheduleError(Reason.MISSING_FIELD, window=str(number), field=item.name)


def check_step(window: int, moments: Sequence[time], minutes: int) -> None:
    """Raise ScheduleError for a time of a window that is not a multiple of so many minutes."""
    for moment in moments:
        if moment.minute % minutes or moment.second or moment.microsecond:
            raise ScheduleError(
                Reason.NOT_ON_STEP,
                window=str(window),
                time=moment.isoformat().removesuffix(":00"),
                minutes=str(minutes),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleWrites:
    """What has to be written for a schedule, and the slots that the device holds afterwards."""

    slots: list[JsonValue]
    # The settings of each are written in one request, in this order.
    requests: tuple[Mapping[str, Value], ...] = ()
    # Written one after the other, and in this order only.
    steps: tuple[tuple[str, Value], ...] = ()
    # `grid` or `generator`: charged from by a slot, but switched off by another setting.
    switched_off: tuple[str, ...] = ()


# ---------------------------------------------------------------------- what a device holds


class Text(StrEnum):
    """A sentence about a slot: the key of a text, which placeholders fill."""

    CHARGE_FROM_GRID = "charge_from_grid"
    CHARGE_FROM_GENERATOR = "charge_from_generator"
    CHARGE_FROM_BOTH = "charge_from_grid_and_generator"
    USE_BATTERY = "use_battery"
    BATTERY_POWER = "battery_power"
    GRID_SWITCHED_OFF = "grid_charge_switched_off"
    GENERATOR_SWITCHED_OFF = "generator_charge_switched_off"
    CHARGE = "charge"
    DISCHARGE = "discharge"
    CHARGE_DETAILS = "charge_details"
    DISCHARGE_DETAILS = "discharge_details"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text, and the numbers with their units that fill it."""

    text: Text
    placeholders: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Description:
    """What a rule does with the battery, for a person to read."""

    summary: Sentence
    details: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Segment[RuleT]:
    """A part of a day with one rule: from one minute until another; a day ends with minute 1440."""

    slot: int
    start: int
    end: int
    rule: RuleT


class Timetable[RuleT](Protocol):
    """The schedule that a device holds."""

    @property
    def enabled(self) -> bool:
        """Whether the device follows it."""
        ...

    @property
    def blocked_by(self) -> frozenset[str]:
        """The keys of settings that are off, and without which a slot that counts does not do what it says."""
        ...

    @property
    def unit(self) -> str:
        """Unit of the targets of its windows."""
        ...

    def on(self, weekday: int) -> Sequence[Segment[RuleT]]:
        """Segments of a weekday, 0 for Monday, in order; none where the schedule does not count."""
        ...

    def describe(self, rule: RuleT) -> Description:
        """What a rule does with the battery."""
        ...

    def as_response(self) -> dict[str, JsonValue]:
        """The response of get_schedule; set_schedule takes its windows."""
        ...


class ScheduleStyle[TableT](Protocol):
    """How some families keep their schedules."""

    @property
    def keys(self) -> frozenset[str]:
        """Settings that a schedule is made of, and those that are needed to make another one."""
        ...

    @property
    def optional(self) -> frozenset[str]:
        """Further settings of a schedule that only some of the devices have."""
        ...

    def read(self, values: Values) -> TableT | None:
        """The schedule in these values; None while not all of it is known."""
        ...

    def writes_for(
        self,
        request: ScheduleRequest,
        held: TableT,
        values: Values,
        bounds: Callable[[str], Bounds],
    ) -> ScheduleWrites:
        """What has to be written for a request; ScheduleError when it is refused.

        `bounds` gives those of a setting of this device.
        """
        ...
