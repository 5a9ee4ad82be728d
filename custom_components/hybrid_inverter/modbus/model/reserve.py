"""The reserve: the least state of charge that is left in the battery for an outage while the grid is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .codec import Value, Values, as_number
from .register import Limits, Ref, Register

# The key under which a person meets it, whatever setting it is at the device.
RESERVE: Final = "battery_reserve"
FULL: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """A setting that is the reserve, in percent, and another one that gives way to it."""

    key: str
    limits: Limits
    # What has to stay above it by so much, as far as there is room, and is raised with it.
    above: str
    margin: int
    # The setting and its value with which this is the reserve; always if there is none.
    while_in: tuple[str, Value] | None = None

    @property
    def keys(self) -> frozenset[str]:
        """Everything that it rests on."""
        bounds = (self.limits.minimum, self.limits.maximum)
        neighbours = {bound.key for bound in bounds if isinstance(bound, Ref)}
        return frozenset({self.key, self.above, *neighbours, *(self.while_in or ())[:1]})

    def is_in_force(self, values: Values) -> bool:
        """Whether it is this setting that counts."""
        return self.while_in is None or values.get(self.while_in[0]) == self.while_in[1]

    def steps(
        self, wanted: float, registers: Mapping[str, Register], values: Values
    ) -> list[tuple[str, Value]]:
        """What is written for another reserve, in an order in which the settings fit each other at every step.

        InvalidValueError of the reserve when it is off its bounds. What it has raised is not lowered with it: nobody
        knows what it would be without it.
        """
        replace(registers[self.key], key=RESERVE, limits=self.limits).check(wanted, values)
        steps: list[tuple[str, Value]] = [(self.key, wanted)]
        least, held = min(wanted + self.margin, FULL), as_number(values.get(self.above))
        if held is not None and held < least:
            steps.insert(0, (self.above, least))
        return steps


def reserve_in_force(reserves: Sequence[Reserve], values: Values) -> Reserve:
    """The one of a device's reserves that counts with these values; the last one always does."""
    return next(reserve for reserve in reserves if reserve.is_in_force(values))


def keys_of(reserves: Iterable[Reserve]) -> frozenset[str]:
    """Everything that these reserves rest on."""
    return frozenset[str]().union(*(reserve.keys for reserve in reserves))
