"""What is true of every answer of these meters.

An answer that is shifted by a register, or somebody else's, holds singles that are tiny, huge or no numbers. A phase
that is not connected reads 0, and a lost one floats at a few volts: both are true. So is a frequency or a power
factor of 0, where there is nothing to measure; but a meter lives on the voltage that it measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...model.codec import Value
from ...model.gate import Gate
from ...model.register import Group
from .page import PHASES, ChintPage

RAW = ChintPage(Group.POWER)

# Nothing that is measured or counted is smaller, unless it is 0.
TINY: Final = 1e-6
# A voltage that a meter can live on; behind a voltage transformer a phase has 57.7 V.
ALIVE: Final = 40


def _is_within(value: Value | None, low: float, high: float) -> bool:
    """Whether it is a number within bounds, and not a tiny one."""
    return isinstance(value, float) and low <= value <= high and (not value or abs(value) >= TINY)


def within(key: str, address: int, low: float, high: float) -> Gate:
    """Demand a number within bounds."""
    return Gate((RAW.raw(key, address),), lambda values: _is_within(values[0], low, high))


def nothing_or(key: str, address: int, low: float, high: float) -> Gate:
    """Demand a number within bounds where there is something to measure."""

    def holds(values: Sequence[Value | None]) -> bool:
        return not values[0] or _is_within(values[0], low, high)

    return Gate((RAW.raw(key, address),), holds)


def alive(first: int, volt: float) -> Gate:
    """Demand a voltage on some phase; `volt` is what a volt is in the registers."""

    def holds(values: Sequence[Value | None]) -> bool:
        return any(isinstance(value, float) and value >= ALIVE * volt for value in values)

    rows = (RAW.raw(f"{phase}_voltage", first + 2 * n) for n, phase in enumerate(PHASES))
    return Gate(tuple(rows), holds)


def counters(*addresses: int) -> list[Gate]:
    """Demand energies that can have been counted."""
    return [within("energy_total", address, 0, 1e8) for address in addresses]


THREE_PHASE: Final = (
    # Secondary side: tenths of volts and watts, thousandths, hundredths of hertz.
    *(nothing_or("line_voltage", 0x2000 + 2 * n, 0, 6000) for n in range(3)),
    *(within(f"{phase}_voltage", 0x2006 + 2 * n, 0, 3500) for n, phase in enumerate(PHASES)),
    alive(0x2006, 10),
    within("power", 0x2012, -1e7, 1e7),
    nothing_or("power_factor", 0x202A, -1010, 1010),
    nothing_or("frequency", 0x2044, 4000, 7000),
    # Primary side: volts, up to those of the medium voltage; kilowatts, up to those of a thousand houses.
    *(nothing_or("line_voltage", 0x150A + 2 * n, 0, 60e3) for n in range(3)),
    *(within(f"{phase}_voltage", 0x1510 + 2 * n, 0, 36e3) for n, phase in enumerate(PHASES)),
    alive(0x1510, 1),
    within("power", 0x151C, -1e5, 1e5),
    nothing_or("power_factor", 0x1534, -1.01, 1.01),
    nothing_or("frequency", 0x154E, 40, 70),
    *counters(0x101E, 0x1028, 0x401E, 0x4028, 0x181E, 0x1828),
)

SINGLE_PHASE: Final = (
    within("voltage", 0x2000, 50, 350),
    within("power", 0x2004, -100, 100),
    nothing_or("power_factor", 0x200A, -1.01, 1.01),
    # Old ones hold nonsense where the frequency is, always: it is unknown then, and the rest is as true as ever.
    *counters(0x4000, 0x400A),
)
