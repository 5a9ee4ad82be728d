"""The export limit: how many watts may flow into the grid, as one number, whatever settings a family has for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from .codec import Value, Values, as_number
from .register import Register

# The key under which a person meets it.
EXPORT_LIMIT: Final = "export_limit"

# A setting and a value of it.
type Held = tuple[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLimit:
    """A setting in watts, and those that decide whether it counts; a family has either a mode or a switch."""

    key: str
    # The mode in which it counts, and the one in which nothing is limited.
    limited: Held | None = None
    free: Held | None = None
    # The mode in which another setting is the limit, so that this one may hold anything meanwhile.
    elsewhere: Held | None = None
    # The switch as it is while nothing may flow, and while something may.
    barred: Held | None = None
    open: Held | None = None
    # What makes the switch count for nothing, and what it gives way to when nothing may flow: by whether something at the
    # house connection is measured.
    regardless: Held | None = None
    otherwise: Mapping[bool, Held] = field(default_factory=dict)

    @property
    def keys(self) -> frozenset[str]:
        """Everything that it rests on."""
        others = (
            *(self.limited, self.free, self.elsewhere),
            *(self.barred, self.open, self.regardless),
        )
        return frozenset({self.key, *(held[0] for held in others if held is not None)})

    def watts(self, values: Values, most: float) -> float | None:
        """What may flow with these settings, `most` where nothing limits it; None for a limit that is no power."""
        if _is(values, self.free):
            return most
        if self.limited is not None and not _is(values, self.limited):
            return None
        if _is(values, self.barred) and not _is(values, self.regardless):
            return 0
        return as_number(values.get(self.key))

    def steps(
        self,
        wanted: float,
        registers: Mapping[str, Register],
        values: Values,
        *,
        sees_grid: bool = True,
    ) -> list[Held]:
        """What is written for another limit, in order; InvalidValueError when it is off its bounds.

        A limit is switched on before it is changed, and after it where another one is in force until then: never does more
        flow meanwhile than before or after.
        """
        row = replace(registers[self.key], key=EXPORT_LIMIT)
        row.check(wanted, values, values.get(self.key))
        most = row.bounds(values, values.get(self.key))[1]
        if self.free is not None and wanted >= most:
            return [self.free]
        if self.barred is not None and wanted <= 0:
            gives_way = _is(values, self.regardless)
            return [*_given(self.otherwise[sees_grid] if gives_way else None), self.barred]
        limit = [*_given(self.limited), (self.key, wanted)]
        if _is(values, self.elsewhere):
            limit.reverse()
        return [*limit, *_given(self.open)]

    def staged_keys(self, before: Values, after: Values) -> frozenset[str]:
        """The settings of which a change writes one only when the device holds the one before it; mostly none.

        Where one limit takes the place of another, neither may be in force with what it holds while the other one is.
        """
        if self.elsewhere is None or _is(before, self.elsewhere) == _is(after, self.elsewhere):
            return frozenset()
        if _is(before, self.free) or _is(after, self.free):
            return frozenset()
        return frozenset({self.key, self.elsewhere[0]})


def _is(values: Values, held: Held | None) -> bool:
    """Whether a setting holds this value."""
    return held is not None and values.get(held[0]) == held[1]


def _given(held: Held | None) -> list[Held]:
    """The step that gives a setting this value, if there is one."""
    return [] if held is None else [held]


def exports_freely(values: Values) -> bool:
    """Whether the owner lets surplus flow into the grid, by what the inverter is set to; unknown is no."""
    if (mode := values.get("export_limit_mode")) is not None:
        return mode == "off"
    return values.get("work_mode") == "selling_first" or values.get("solar_sell") is True
