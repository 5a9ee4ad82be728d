"""How the rows of the meters are written down: singles, through the ratios of the transformers before the meter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Unpack

from ...codec import Bits, Float32, FloatNumber
from ...register import Register
from ..sheet import Extra, Sheet

PHASES: Final = ("l1", "l2", "l3")
QUADRANTS: Final = ("q1", "q2", "q3", "q4")

CT_RATIO: Final = "ct_ratio"
PT_RATIO: Final = "pt_ratio"
# What a value on the secondary side of the transformers is multiplied by.
NO_RATIO: Final = ()
VOLTAGE_RATIO: Final = (PT_RATIO,)
CURRENT_RATIO: Final = (CT_RATIO,)
POWER_RATIO: Final = (CT_RATIO, PT_RATIO)

FREQUENCY: Final = (40.0, 70.0)
# Rounded by the meter, it may be a hair beyond 1.
POWER_FACTOR: Final = (-1.01, 1.01)
COUNTER: Final = (0.0, 1e9)


@dataclass(frozen=True, slots=True)
class Page(Sheet):
    """The rows that are polled together and rest on the same documents; the high word comes first."""

    source: str = "quick manuals 2016 to 2023"

    low_first: ClassVar[bool] = False

    def single(
        self,
        key: str,
        first: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        places: int = 3,
        ratios: tuple[str, ...] = NO_RATIO,
        **extra: Unpack[Extra],
    ) -> Register:
        """Return a measurement; so many decimal places of its raw number are real."""
        codec = FloatNumber(scale=scale, places=places, ratios=ratios)
        return self.row(key, (first, first + 1), codec, unit, **extra)

    def counter(
        self, key: str, first: int, unit: str = "kWh", ratios: tuple[str, ...] = NO_RATIO
    ) -> Register:
        """Return an energy, which the meter counts in thousandths."""
        return self.single(key, first, unit, ratios=ratios, plausible=COUNTER)

    def raw(self, key: str, first: int) -> Register:
        """Return a single as it is in the registers, by which an answer is judged."""
        return self.row(key, (first, first + 1), Float32())

    def piece(self, key: str, first: int, last: int) -> Register:
        """Return registers that are asked for only to see whether they are served, and in one piece."""
        words = last - first + 1
        return self.row(key, tuple(range(first, last + 1)), Bits(words=words))
