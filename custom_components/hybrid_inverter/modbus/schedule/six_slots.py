"""The style of a time-of-use table of six slots that share the day, on days that they have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Final

from ..model.codec import Value, Values
from ..model.condition import BY_VOLTAGE
from ..model.slots import START_SLOTS, start_key
from .clock import MINUTES_PER_DAY, hh_mm, minutes_of
from .day_slots import Rule, Slot, Window, expand, lasting_slots, windows_of
from .days import DAYS, day_names
from .schedule import (
    DEFAULT_RULE,
    SHARED_DAYS,
    Bounds,
    Description,
    JsonValue,
    ScheduleRequest,
    ScheduleWrites,
    Segment,
    Sentence,
    Text,
    check_fields,
)

ENABLED: Final = "tou_enabled"

# Down to where the battery is used when nothing else is asked for.
LOWEST: Final = {False: "battery_low_soc", True: "battery_low_voltage"}

# What a slot can charge the battery from, and the setting that has to be on as well.
CHARGERS: Final = {"grid": "grid_charge_enabled", "generator": "generator_charge_enabled"}

FIELDS: Final = ("time", "power", "voltage", "soc", "grid_charge", "generator_charge")
# The fields of a window besides its times.
WINDOW_FIELDS: Final = ("target", "power", "grid_charge", "generator_charge")
# All that a schedule is made of, and what has to be known to make another one.
KEYS: Final = frozenset(
    {
        ENABLED,
        *(f"tou_{day}" for day in DAYS),
        *(start_key(slot, field) for slot in START_SLOTS for field in FIELDS),
        *BY_VOLTAGE.keys,
        *LOWEST.values(),
    }
)

SUMMARIES: Final = {
    (): Text.USE_BATTERY,
    ("grid",): Text.CHARGE_FROM_GRID,
    ("generator",): Text.CHARGE_FROM_GENERATOR,
    ("grid", "generator"): Text.CHARGE_FROM_BOTH,
}
SWITCHED_OFF: Final = {
    "grid": Text.GRID_SWITCHED_OFF,
    "generator": Text.GENERATOR_SWITCHED_OFF,
}


@dataclass(frozen=True, slots=True)
class SlotTable:
    """The six slots, and the days, 0 for Monday, on which they count."""

    enabled: bool
    days: frozenset[int]
    # None for one of which the start cannot be told: the slot before it goes on.
    slots: tuple[Slot[Rule | None] | None, ...]
    # What of a slot, by its number, holds what cannot be, as 25:75 for its start.
    unreadable: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    by_voltage: bool = False
    # Of what a slot can charge from, what does not charge, whatever the slots say.
    switched_off: frozenset[str] = frozenset()

    @property
    def unit(self) -> str:
        """Unit of the targets."""
        return "V" if self.by_voltage else "%"

    @property
    def blocked_by(self) -> frozenset[str]:
        """The settings that are off, and without which a slot that counts does not charge."""
        if not self.switched_off:
            return frozenset()
        segments = (segment for weekday in self.days for segment in self.on(weekday))
        sources = {name for segment in segments for name in segment.rule.sources}
        return frozenset(CHARGERS[name] for name in sources & self.switched_off)

    def on(self, weekday: int) -> list[Segment[Rule]]:
        """Segments of a weekday, in order.

        The inverter goes by the weekday of the moment, so a slot over midnight ends there when the next day is not
        enabled.
        """
        slots = {number: slot for number, slot in enumerate(self.slots, 1) if slot is not None}
        if not self.enabled or not slots or weekday not in self.days:
            return []
        numbers = {slot.start: number for number, slot in slots.items()}
        lasting = lasting_slots(tuple(slots.values()))
        begun = [(minutes_of(slot.start), slot) for slot in lasting]
        if lasting[0].start != time():
            begun.insert(0, (0, lasting[-1]))
        ends = [*(start for start, _ in begun[1:]), MINUTES_PER_DAY]
        return [
            Segment(numbers[slot.start], start, end, slot.rule)
            for (start, slot), end in zip(begun, ends, strict=True)
            if slot.rule is not None
        ]

    def describe(self, rule: Rule) -> Description:
        """What a rule does with the battery, and which of its charges are switched off."""
        charging = tuple(name for name in rule.sources if name not in self.switched_off)
        idle = [name for name in rule.sources if name in self.switched_off]
        return Description(
            Sentence(SUMMARIES[charging], {"target": f"{rule.target:g} {self.unit}"}),
            (
                Sentence(Text.BATTERY_POWER, {"power": f"{rule.power:g} W"}),
                *(Sentence(SWITCHED_OFF[name]) for name in idle),
            ),
        )

    def as_response(self) -> dict[str, JsonValue]:
        """The whole, as slots and as windows."""
        days: list[JsonValue] = [*day_names(self.days)]
        return {
            "enabled": self.enabled,
            "days": days,
            "unit": self.unit,
            "slots": slots_as_response(self.slots, self.unreadable),
            "windows": [
                {
                    "start": hh_mm(window.start),
                    "end": hh_mm(window.end),
                    **window.rule.as_response(),
                }
                for window in windows_of([slot for slot in self.slots if slot is not None])
            ],
        }


def slots_as_response(
    slots: Sequence[Slot[Rule | None] | None], unreadable: Mapping[int, Sequence[str]]
) -> list[JsonValue]:
    """Slots in a response, with what of them cannot be read."""
    response: list[JsonValue] = []
    for number, slot in enumerate(slots, 1):
        told: dict[str, JsonValue] = {"slot": number}
        if slot is not None:
            told |= {"start": hh_mm(slot.start), **(slot.rule.as_response() if slot.rule else {})}
        if number in unreadable:
            told["unreadable"] = [*unreadable[number]]
        response.append(told)
    return response


class SixSlots:
    """The style of a table of six slots: they are written in one request, the days after them."""

    keys: Final = KEYS
    optional: Final = frozenset(CHARGERS.values())

    def read(self, values: Values) -> SlotTable | None:
        """The table in these values, readable or not; None while not all of it was read."""
        by_voltage, enabled = runs_by_voltage(values), values.get(ENABLED)
        keys = {number: field_keys(number, by_voltage=by_voltage) for number in START_SLOTS}
        if enabled is None or not all(
            values.keys() >= set(some.values()) for some in keys.values()
        ):
            return None
        held = {
            number: {field: values[key] for field, key in some.items()}
            for number, some in keys.items()
        }
        unreadable = {
            number: tuple(field for field, value in fields.items() if value is None)
            for number, fields in held.items()
            if None in fields.values()
        }
        days = frozenset(number for number, day in enumerate(DAYS) if values.get(f"tou_{day}"))
        switched_off = frozenset(name for name, key in CHARGERS.items() if values.get(key) is False)
        return SlotTable(
            bool(enabled),
            days,
            tuple(_slot(**fields) for fields in held.values()),
            unreadable,
            by_voltage,
            switched_off,
        )

    def writes_for(
        self,
        request: ScheduleRequest,
        held: SlotTable,
        values: Values,
        bounds: Callable[[str], Bounds],
    ) -> ScheduleWrites:
        """The six slots for a request, in one write request, and the days in another; ScheduleError when refused."""
        check_fields(
            request,
            whole=(DEFAULT_RULE, SHARED_DAYS),
            window=WINDOW_FIELDS,
            needed=("target",),
        )
        target = bounds(target_key(1, by_voltage=held.by_voltage))
        power = bounds(start_key(1, "power"))
        lowest = values.get(LOWEST[held.by_voltage])
        usual: dict[str, Any] = {
            "target": lowest if isinstance(lowest, (int, float)) else target.minimum,
            "power": power.maximum,
        }
        windows = [
            Window(
                window.start,
                window.end,
                Rule(**{"power": power.maximum, **window.given_fields(WINDOW_FIELDS)}),
            )
            for window in request.windows
        ]
        default = Rule(**{**usual, **(request.default_rule or {})})
        slots = expand(windows, default, count=len(START_SLOTS), target=target, power=power)
        requests = [values_of(slots, by_voltage=held.by_voltage)]
        if days := _days(request):
            requests.append(days)
        charged = frozenset[str]().union(*(slot.rule.sources for slot in slots))
        return ScheduleWrites(
            slots=slots_as_response(slots, {}),
            requests=tuple(requests),
            switched_off=tuple(sorted(charged & held.switched_off)),
        )


SIX_SLOTS: Final = SixSlots()


# ---------------------------------------------------------------------- between slots and a table's keys


def runs_by_voltage(values: Values) -> bool:
    """Whether the targets are volts; a battery of which the operation mode is not known runs by state of charge."""
    operation_mode, _ = BY_VOLTAGE.keys
    return values.get(operation_mode) is not None and BY_VOLTAGE.is_met(values)


def target_key(slot: int, *, by_voltage: bool) -> str:
    """Key of a slot's target."""
    return start_key(slot, "voltage") if by_voltage else start_key(slot, "soc")


def field_keys(slot: int, *, by_voltage: bool) -> dict[str, str]:
    """Keys of a slot's settings by what a window calls them."""
    return {
        "start": start_key(slot, "time"),
        "power": start_key(slot, "power"),
        "target": target_key(slot, by_voltage=by_voltage),
        "grid_charge": start_key(slot, "grid_charge"),
        "generator_charge": start_key(slot, "generator_charge"),
    }


def values_of(slots: Sequence[Slot[Rule]], *, by_voltage: bool) -> dict[str, Value]:
    """The settings to write for these slots."""
    values: dict[str, Value] = {}
    for number, slot in zip(START_SLOTS, slots, strict=True):
        rule = slot.rule
        fields: dict[str, Value] = {
            "start": slot.start,
            "power": rule.power,
            "target": rule.target,
            "grid_charge": rule.grid_charge,
            "generator_charge": rule.generator_charge,
        }
        keys = field_keys(number, by_voltage=by_voltage)
        values |= {keys[field]: value for field, value in fields.items()}
    return values


def _slot(
    *,
    start: Value | None,
    power: Value | None,
    target: Value | None,
    grid_charge: Value | None,
    generator_charge: Value | None,
) -> Slot[Rule | None] | None:
    """A slot as far as it can be told; None of one whose start cannot."""
    if not isinstance(start, time):
        return None
    if (
        not isinstance(target, (int, float))
        or not isinstance(power, (int, float))
        or grid_charge is None
        or generator_charge is None
    ):
        return Slot(start, None)
    rule = Rule(
        target=target,
        power=power,
        grid_charge=bool(grid_charge),
        generator_charge=bool(generator_charge),
    )
    return Slot(start, rule)


def _days(request: ScheduleRequest) -> dict[str, Value]:
    """The settings to write for the days and for time of use as a whole; empty when neither is asked for."""
    values: dict[str, Value] = {}
    if request.days is not None:
        values |= {f"tou_{name}": day in request.days for day, name in enumerate(DAYS)}
    if request.enabled is not None:
        values[ENABLED] = request.enabled
    return values
