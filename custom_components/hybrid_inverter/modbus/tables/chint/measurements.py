"""What the three-phase meter measures now, on the secondary side of its transformers and on the primary one."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Unpack

from ...model.codec import Values, as_number
from ...model.family import table
from ...model.features import Feature, Proof, known
from ...model.part import Kind
from ...model.presentation import Name, Named
from ...model.register import Group, Register
from ..sheet import Extra
from .page import (
    CT_RATIO,
    CURRENT_RATIO,
    FREQUENCY,
    POWER_FACTOR,
    POWER_RATIO,
    PT_RATIO,
    VOLTAGE_RATIO,
    ChintPage,
    each_phase,
    total_and_phases,
)

FAST = ChintPage(Group.POWER)
SLOW = ChintPage(Group.ENERGY)
# In no manual, but served by real meters.
UNDOCUMENTED = ChintPage(Group.POWER, source="measured", confidence="medium")

# Between two phases.
LINES: Final = tuple(
    Named(f"{one}_{other}_voltage", Name("line_voltage", {"phases": f"{one}-{other}".upper()}))
    for one, other in (("l1", "l2"), ("l2", "l3"), ("l3", "l1"))
)


def _powers(
    page: ChintPage, key: str, first: int, unit: str, **extra: Unpack[Extra]
) -> list[Register]:
    """A power on the secondary side, of all phases together and of each, in tenths."""
    return [
        page.single(name, first + 2 * n, unit, scale=0.1, places=1, ratios=POWER_RATIO, **extra)
        for n, name in enumerate(total_and_phases(key))
    ]


def _primary_powers(
    page: ChintPage, key: str, first: int, unit: str, **extra: Unpack[Extra]
) -> list[Register]:
    """A power on the primary side, likewise, in thousands."""
    return [
        page.single(name, first + 2 * n, unit, scale=1000, places=4, **extra)
        for n, name in enumerate(total_and_phases(key))
    ]


ROWS: tuple[Register, ...] = (
    *(
        FAST.single(line, 0x2000 + 2 * n, "V", scale=0.1, places=1, ratios=VOLTAGE_RATIO)
        for n, line in enumerate(LINES)
    ),
    *(
        FAST.single(
            key,
            0x2006 + 2 * n,
            "V",
            scale=0.1,
            places=1,
            ratios=VOLTAGE_RATIO,
            shown=True,
        )
        for n, key in enumerate(each_phase("voltage"))
    ),
    *(
        FAST.single(
            key,
            0x200C + 2 * n,
            "A",
            scale=0.001,
            places=1,
            ratios=CURRENT_RATIO,
            shown=True,
        )
        for n, key in enumerate(each_phase("current"))
    ),
    *_powers(FAST, "power", 0x2012, "W", shown=True),
    *_powers(FAST, "reactive_power", 0x201A, "var"),
    *(
        FAST.single(
            key,
            0x202A + 2 * n,
            scale=0.001,
            places=1,
            plausible=POWER_FACTOR,
            kind=Kind.POWER_FACTOR,
        )
        for n, key in enumerate(total_and_phases("power_factor"))
    ),
    FAST.single("frequency", 0x2044, "Hz", scale=0.01, places=1, plausible=FREQUENCY, shown=True),
)
APPARENT: Final = _powers(UNDOCUMENTED, "apparent_power", 0x2022, "VA")
ANGLES: Final = [
    # Slow, because they lie apart from the rest of what the primary side shows.
    replace(
        UNDOCUMENTED.single(
            key,
            0x2032 + 2 * n,
            "°",
            scale=0.1,
            places=1,
            plausible=(0, 360),
            confidence="low",
            diagnostic=True,
        ),
        group=Group.ENERGY,
    )
    for n, key in enumerate(each_phase("phase_angle"))
]
# Some manuals have it; its scale is printed nowhere, and taken for that of the powers.
DEMAND: Final = SLOW.single(
    "power_demand",
    0x2050,
    "W",
    scale=0.1,
    places=1,
    ratios=POWER_RATIO,
    confidence="medium",
)

PRIMARY: tuple[Register, ...] = (
    *(FAST.single(line, 0x150A + 2 * n, "V", places=2) for n, line in enumerate(LINES)),
    *(
        FAST.single(key, 0x1510 + 2 * n, "V", places=2, shown=True)
        for n, key in enumerate(each_phase("voltage"))
    ),
    *(
        FAST.single(key, 0x1516 + 2 * n, "A", shown=True)
        for n, key in enumerate(each_phase("current"))
    ),
    *_primary_powers(FAST, "power", 0x151C, "W", shown=True),
    *_primary_powers(FAST, "reactive_power", 0x1524, "var"),
    *_primary_powers(UNDOCUMENTED, "apparent_power", 0x152C, "VA"),
    *(
        FAST.single(key, 0x1534 + 2 * n, plausible=POWER_FACTOR, kind=Kind.POWER_FACTOR)
        for n, key in enumerate(total_and_phases("power_factor"))
    ),
    FAST.single("frequency", 0x154E, "Hz", places=2, plausible=FREQUENCY, shown=True),
)

# What is looked at to find out what a meter has, as it is in the registers.
SECONDARY_POWER: Final = FAST.raw("secondary_power", 0x2012)
SECONDARY_APPARENT: Final = FAST.raw("secondary_apparent_power", 0x2022)
PRIMARY_POWER: Final = FAST.raw("primary_power", 0x151C)
UP_TO_FREQUENCY: Final = FAST.piece("up_to_frequency", 0x2022, 0x2043)


def is_apparent(power: float | None, apparent: float | None, slack: float) -> bool:
    """Whether the second can be the apparent power: there is one, and not less than the power but for rounding."""
    if power is None or apparent is None:
        return False
    return apparent > 0 and apparent >= 0.9 * abs(power) - slack


def _shows_apparent_power(values: Values) -> bool:
    """Whether the registers in which some meters have the apparent power hold one."""
    return is_apparent(
        as_number(values.get(SECONDARY_POWER.key)),
        as_number(values.get(SECONDARY_APPARENT.key)),
        slack=100,
    )


def _agree(values: Values) -> bool:
    """Whether both sides show the same power, so that the ratios are those that the meter itself goes by."""
    secondary, primary, ct_ratio, pt_ratio = (
        as_number(values.get(key))
        for key in (SECONDARY_POWER.key, PRIMARY_POWER.key, CT_RATIO, PT_RATIO)
    )
    if secondary is None or primary is None or ct_ratio is None or pt_ratio is None:
        return False
    count = 0.1 * ct_ratio * pt_ratio
    watts = (secondary * count, primary * 1000)
    # They are read one after the other, and rounded.
    return abs(watts[0] - watts[1]) <= 0.05 * max(map(abs, watts)) + 20 + count


FEATURES: Final = (
    Feature(
        key="apparent_power",
        proof=Proof(
            (SECONDARY_POWER.key, SECONDARY_APPARENT.key),
            _shows_apparent_power,
            table(SECONDARY_POWER, SECONDARY_APPARENT),
        ),
        registers=table(*APPARENT),
        unless=frozenset({"primary_measurements"}),
    ),
    Feature(
        key="phase_angles",
        proof=known(ANGLES[0].key),
        registers=table(*ANGLES),
    ),
    Feature(
        key="whole_block",
        proof=replace(known(UP_TO_FREQUENCY.key), rows=table(UP_TO_FREQUENCY)),
        readable=((0x2000, 0x2045),),
        unless=frozenset({"primary_measurements"}),
    ),
    Feature(
        key="demand",
        proof=known(DEMAND.key),
        registers=table(DEMAND),
        unless=frozenset({"new_counters"}),
    ),
    Feature(
        key="primary_measurements",
        proof=Proof(
            (SECONDARY_POWER.key, PRIMARY_POWER.key),
            _agree,
            table(SECONDARY_POWER, PRIMARY_POWER),
        ),
        registers=table(*PRIMARY),
    ),
)
