"""The meters that the machine reads: A at the grid, B at an inverter of another maker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ...derive import Derived, total
from ...family import table
from ...features import Feature, above, among, both, either
from ...register import Group, Register
from . import faults
from .page import AC_VOLTAGE, FREQUENCY, PHASES, Page
from .phases import IS_THREE_PHASE, PHASE_VOLTAGE
from .power import STATUS

METERS: Final = {"meter_a": 0xA03C, "meter_b": 0xA053}
PHASE_WORDS: Final = 6

FAST: Final = {
    "meter_a": Page(Group.POWER),
    "meter_b": Page(Group.POWER, confidence="medium"),
}
SLOW: Final = {
    "meter_a": Page(Group.ENERGY),
    "meter_b": Page(Group.ENERGY, confidence="medium"),
}


def status(meter: str) -> Register:
    """Return whether the machine hears the meter."""
    return FAST[meter].choice(
        f"{meter}_status", METERS[meter], {0: "offline", 1: "online"}, confidence="medium"
    )


def measured(meter: str, phases: Sequence[str]) -> list[Register]:
    """Return what a meter measures on these phases."""
    fast, slow = FAST[meter], SLOW[meter]
    return [
        row
        for phase in phases
        for first in (METERS[meter] + 1 + PHASE_WORDS * PHASES.index(phase),)
        for row in (
            fast.u16(f"{meter}_{phase}_voltage", first, "V", scale=0.1, plausible=AC_VOLTAGE),
            fast.i16(f"{meter}_{phase}_current", first + 1, "A", scale=0.01),
            fast.i16(f"{meter}_{phase}_power", first + 2, "W"),
            slow.u16(f"{meter}_{phase}_apparent_power", first + 3, "VA"),
            slow.i16(f"{meter}_{phase}_power_factor", first + 4, scale=0.001),
            slow.u16(
                f"{meter}_{phase}_frequency", first + 5, "Hz", scale=0.01, plausible=FREQUENCY
            ),
        )
    ]


def sum_of(key: str, *inputs: str) -> dict[str, Derived]:
    """Return a power that is the sum of others."""
    return {
        key: Derived(key=key, inputs=inputs, compute=total(*inputs), group=Group.POWER, unit="W")
    }


def powers(meter: str, phases: Sequence[str]) -> list[str]:
    """Return the keys of the powers on these phases."""
    return [f"{meter}_{phase}_power" for phase in phases]


# A meter is one more thing to read by the second: state and faults make room for it.
SLOWED_ROWS: Final = tuple(replace(row, group=Group.ENERGY) for row in (STATUS, *faults.ROWS))
SLOWED: Final = {
    key: replace(derived, group=Group.ENERGY) for key, derived in faults.DERIVED.items()
}

# A meter that is not there, or has no such phase, reads 0.
ON_THREE_PHASES: Final = {
    meter: above(PHASE_VOLTAGE, f"{meter}_l2_voltage", f"{meter}_l3_voltage") for meter in METERS
}

FEATURES: Final = (
    *(
        feature
        for meter in METERS
        for feature in (
            Feature(
                key=meter,
                proof=either(
                    among(f"{meter}_status", "online"), above(PHASE_VOLTAGE, f"{meter}_l1_voltage")
                ),
                registers=table(status(meter), *measured(meter, PHASES[:1]), *SLOWED_ROWS),
                derived={**sum_of(f"{meter}_power", *powers(meter, PHASES[:1])), **SLOWED},
            ),
            Feature(
                key=f"{meter}_three_phase",
                proof=ON_THREE_PHASES[meter],
                registers=table(*measured(meter, PHASES[1:])),
                derived=sum_of(f"{meter}_power", *powers(meter, PHASES)),
            ),
        )
    ),
    # The meter is where the house meets the grid; what the machine computes itself is one phase, or its own terminal.
    Feature(
        key="three_phase_meter",
        proof=both(IS_THREE_PHASE, ON_THREE_PHASES["meter_a"]),
        derived={
            **sum_of("grid_power", *powers("meter_a", PHASES)),
            **{
                key: derived
                for phase in PHASES
                for key, derived in sum_of(f"grid_{phase}_power", f"meter_a_{phase}_power").items()
            },
        },
    ),
)
