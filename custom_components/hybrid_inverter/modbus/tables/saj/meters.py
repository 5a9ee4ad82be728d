"""The meters that the device reads: A at the grid, B at an inverter of another maker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...model.derived import Derived, total
from ...model.family import table
from ...model.features import (
    Feature,
    above,
    among,
    both,
    either,
)
from ...model.part import Kind, Part
from ...model.presentation import Name, Named, named, of_phase
from ...model.register import Group, Register
from ..sheet import OF_HOUSE
from .page import (
    AC_VOLTAGE,
    FREQUENCY,
    PHASES,
    SajPage,
)
from .phases import IS_THREE_PHASE, PHASE_VOLTAGE

METERS: Final = {"meter_a": 0xA03C, "meter_b": 0xA053}
PHASE_WORDS: Final = 6

PARTS: Final = {"meter_a": Part.METER_A, "meter_b": Part.METER_B}
FAST: Final = {
    "meter_a": SajPage(Group.POWER, Part.METER_A, powers=OF_HOUSE),
    "meter_b": SajPage(Group.POWER, Part.METER_B, confidence="medium", powers=OF_HOUSE),
}
SLOW: Final = {
    "meter_a": SajPage(Group.ENERGY, Part.METER_A, powers=OF_HOUSE),
    "meter_b": SajPage(Group.ENERGY, Part.METER_B, confidence="medium", powers=OF_HOUSE),
}


def status(meter: str) -> Register:
    """Whether the inverter receives answers of the meter."""
    return FAST[meter].choice(
        Named(f"{meter}_status", Name("meter_status")),
        METERS[meter],
        {0: "offline", 1: "online"},
        confidence="medium",
        shown=True,
        diagnostic=True,
    )


def of_meter(meter: str, phase: str, quantity: str) -> Named:
    """The key of a quantity on a phase; both meters have the same names, as each is a device."""
    return Named(f"{meter}_{phase}_{quantity}", of_phase(f"meter_{{}}_{quantity}", phase).name)


def measured(meter: str, phases: Sequence[str]) -> list[Register]:
    """What a meter measures on these phases; one that the inverter does not hear reads 0."""
    return [
        row
        for phase in phases
        for first in (METERS[meter] + 1 + PHASE_WORDS * PHASES.index(phase),)
        for fast, slow in (
            (FAST[meter].beside(METERS[meter], first), SLOW[meter].beside(METERS[meter], first)),
        )
        for row in (
            fast.u16(
                of_meter(meter, phase, "voltage"), first, "V", scale=0.1, plausible=AC_VOLTAGE
            ),
            fast.i16(of_meter(meter, phase, "current"), first + 1, "A", scale=0.01),
            fast.i16(of_meter(meter, phase, "power"), first + 2, "W"),
            slow.u16(of_meter(meter, phase, "apparent_power"), first + 3, "VA"),
            slow.i16(
                of_meter(meter, phase, "power_factor"),
                first + 4,
                scale=0.001,
                kind=Kind.POWER_FACTOR,
            ),
            slow.u16(
                of_meter(meter, phase, "frequency"),
                first + 5,
                "Hz",
                scale=0.01,
                plausible=FREQUENCY,
            ),
        )
    ]


def sum_of(key: str | Named, part: Part, *inputs: str) -> dict[str, Derived]:
    """A power that is the sum of others."""
    name = named(key)
    return {
        name.key: Derived(
            key=name.key,
            name=name.name,
            inputs=inputs,
            compute=total(*inputs),
            group=Group.POWER,
            unit="W",
            part=part,
            shown=True,
        )
    }


def power_of(meter: str, phases: Sequence[str]) -> dict[str, Derived]:
    """The power of a meter on these phases together."""
    key = Named(f"{meter}_power", Name("meter_power"))
    return sum_of(key, PARTS[meter], *powers(meter, phases))


def powers(meter: str, phases: Sequence[str]) -> list[str]:
    """The keys of the powers on these phases."""
    return [f"{meter}_{phase}_power" for phase in phases]


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
                removable=Name(meter),
                registers=table(status(meter), *measured(meter, PHASES[:1])),
                derived=power_of(meter, PHASES[:1]),
            ),
            Feature(
                key=f"{meter}_three_phase",
                proof=ON_THREE_PHASES[meter],
                removable=Name(meter),
                registers=table(*measured(meter, PHASES[1:])),
                derived=power_of(meter, PHASES),
            ),
        )
    ),
    # The meter is where the house meets the grid; what the device computes itself is one phase, or its own terminal.
    Feature(
        key="three_phase_meter",
        proof=both(IS_THREE_PHASE, ON_THREE_PHASES["meter_a"]),
        removable=Name("meter_a"),
        derived={
            **sum_of("grid_power", Part.GRID, *powers("meter_a", PHASES)),
            **{
                key: derived
                for phase in PHASES
                for key, derived in sum_of(
                    of_phase("grid_{}_power", phase), Part.GRID, f"meter_a_{phase}_power"
                ).items()
            },
        },
    ),
)
