"""What the single-phase meter measures and counts. Some types have more counters than the one that all have.

The smallest type counts what flows back in the same counter as what flows forth.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ...model.codec import Values, as_number
from ...model.family import table
from ...model.features import Feature, Proof, known
from ...model.part import Kind
from ...model.presentation import Name, Named
from ...model.register import Group, Register
from .counters import WAYS
from .measurements import is_apparent
from .page import (
    FREQUENCY,
    POWER_FACTOR,
    QUADRANTS,
    ChintPage,
    quadrant_energy,
)

FAST = ChintPage(Group.POWER)
SLOW = ChintPage(Group.ENERGY)
TARIFF = ChintPage(Group.ENERGY, source="manual of 2016", confidence="medium")

TARIFFS: Final = range(1, 5)
STARTS: Final = {"import": 0x4000, "export": 0x400A}
QUADRANT_STARTS: Final = (0x4014, 0x401E, 0x4028, 0x4032)

ROWS: tuple[Register, ...] = (
    FAST.single("voltage", 0x2000, "V", places=2, shown=True),
    FAST.single("current", 0x2002, "A", shown=True),
    FAST.single("power", 0x2004, "W", scale=1000, places=4, shown=True),
    FAST.single("reactive_power", 0x2006, "var", scale=1000, places=4),
    FAST.single("power_factor", 0x200A, plausible=POWER_FACTOR, kind=Kind.POWER_FACTOR),
    FAST.single("frequency", 0x200E, "Hz", places=2, plausible=FREQUENCY, shown=True),
    SLOW.counter(
        Named("import_energy_total", Name("combined_energy_total")), STARTS["import"], shown=True
    ),
)
# Reserved in a later manual.
APPARENT: Final = FAST.single(
    "apparent_power", 0x2008, "VA", scale=1000, places=4, confidence="medium"
)
# With a counter for each way the first one counts nothing else.
IMPORT, EXPORT = (
    SLOW.counter(f"{way}_energy_total", STARTS[way], shown=True, named_by_role=True) for way in WAYS
)


def tariff_energy(way: str, tariff: int) -> Named:
    """The key of the energy in a tariff."""
    return Named(
        f"{way}_energy_t{tariff}_total",
        Name(f"{way}_energy_tariff_total", {"number": str(tariff)}),
    )


TARIFF_COUNTERS: Final = {
    way: [
        TARIFF.counter(tariff_energy(way, tariff), STARTS[way] + 2 * tariff) for tariff in TARIFFS
    ]
    for way in WAYS
}
QUADRANT_COUNTERS: Final = [
    TARIFF.counter(quadrant_energy(quadrant), start, "kvarh")
    for quadrant, start in zip(QUADRANTS, QUADRANT_STARTS, strict=True)
]

# What is looked at to find out what a meter has.
RAW_POWER: Final = FAST.raw("raw_power", 0x2004)
RAW_APPARENT: Final = FAST.raw("raw_apparent_power", 0x2008)
UP_TO_FREQUENCY: Final = FAST.piece("up_to_frequency", 0x2000, 0x200F)
COUNTER_BLOCK: Final = FAST.piece("counter_block", 0x4000, 0x403B)


def _shows_apparent_power(values: Values) -> bool:
    """Whether the registers in which some meters have the apparent power hold one."""
    return is_apparent(
        as_number(values.get(RAW_POWER.key)), as_number(values.get(RAW_APPARENT.key)), slack=0.01
    )


def _tariffs(way: str) -> Proof:
    """Prove by the tariffs making up the total, in a meter that has counted something."""
    total = SLOW.counter(f"raw_{way}_total", STARTS[way], part=None)
    parts = [
        SLOW.counter(f"raw_{row.key}", row.addresses[0], part=None) for row in TARIFF_COUNTERS[way]
    ]

    def holds(values: Values) -> bool:
        whole = as_number(values.get(total.key)) or 0
        known_parts = [as_number(values.get(part.key)) or 0 for part in parts]
        return whole > 0 and abs(sum(known_parts) - whole) <= 0.05 + 0.002 * whole

    rows = (total, *parts)
    return Proof(tuple(row.key for row in rows), holds, table(*rows))


NEEDS_BLOCK: Final = frozenset({"counter_block"})

FEATURES: Final = (
    Feature(
        key="apparent_power",
        proof=Proof(
            (RAW_POWER.key, RAW_APPARENT.key),
            _shows_apparent_power,
            table(RAW_POWER, RAW_APPARENT),
        ),
        registers=table(APPARENT),
    ),
    Feature(
        key="whole_block",
        proof=replace(known(UP_TO_FREQUENCY.key), rows=table(UP_TO_FREQUENCY)),
        readable=((0x2000, 0x200F),),
    ),
    Feature(
        key="export_counter",
        proof=known(EXPORT.key),
        registers=table(IMPORT, EXPORT),
    ),
    Feature(
        key="counter_block",
        proof=replace(known(COUNTER_BLOCK.key), rows=table(COUNTER_BLOCK)),
        readable=((0x4000, 0x403B),),
    ),
    *(
        Feature(
            key=f"{way}_tariffs",
            proof=_tariffs(way),
            registers=table(*TARIFF_COUNTERS[way]),
            needs=NEEDS_BLOCK,
        )
        for way in WAYS
    ),
    Feature(
        key="reactive_counters",
        proof=known(*(row.key for row in QUADRANT_COUNTERS)),
        registers=table(*QUADRANT_COUNTERS),
        needs=NEEDS_BLOCK,
    ),
)
