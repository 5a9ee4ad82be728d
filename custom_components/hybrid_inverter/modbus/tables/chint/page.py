"""The row builder of the meters: singles, through the ratios of the transformers before the meter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Unpack

from ...model.codec import Bits, Float32, FloatNumber
from ...model.part import Part
from ...model.presentation import Name, Named, of_phase
from ...model.register import Register
from ..sheet import Extra, RowBuilder

PHASES: Final = ("l1", "l2", "l3")
QUADRANTS: Final = range(1, 5)

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
class ChintPage(RowBuilder):
    """Builds rows of a meter; the high word comes first."""

    part: Part | None = Part.METER
    source: str = "quick manuals 2016 to 2023"

    low_first: ClassVar[bool] = False

    def single(
        self,
        key: str | Named,
        first: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        places: int = 3,
        ratios: tuple[str, ...] = NO_RATIO,
        **extra: Unpack[Extra],
    ) -> Register:
        """A measurement; so many decimal places of its raw number are real."""
        codec = FloatNumber(scale=scale, places=places, ratios=ratios)
        return self.row(key, (first, first + 1), codec, unit, **extra)

    def counter(
        self,
        key: str | Named,
        first: int,
        unit: str = "kWh",
        ratios: tuple[str, ...] = NO_RATIO,
        **extra: Unpack[Extra],
    ) -> Register:
        """An energy, which the meter counts in thousandths."""
        extra.setdefault("plausible", COUNTER)
        return self.single(key, first, unit, ratios=ratios, **extra)

    def raw(self, key: str, first: int) -> Register:
        """A single as it is in the registers, by which an answer is judged."""
        return self.row(key, (first, first + 1), Float32(), part=None)

    def piece(self, key: str, first: int, last: int) -> Register:
        """Registers that are read only to see whether they are served in one piece."""
        words = last - first + 1
        return self.row(key, tuple(range(first, last + 1)), Bits(words=words), part=None)


def total_and_phases(quantity: str) -> list[str | Named]:
    """The keys of a quantity: of all phases together, and of each."""
    return [quantity, *(of_phase(f"{{}}_{quantity}", phase) for phase in PHASES)]


def quadrant_energy(number: int) -> Named:
    """The key of the reactive energy of a quadrant."""
    return Named(
        f"reactive_energy_q{number}_total",
        Name("reactive_energy_quadrant_total", {"number": str(number)}),
    )


def each_phase(quantity: str) -> list[Named]:
    """The keys of a quantity of each phase."""
    return [of_phase(f"{{}}_{quantity}", phase) for phase in PHASES]
