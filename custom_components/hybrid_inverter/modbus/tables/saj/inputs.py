"""The PV inputs, of which each type of machine has another number, and what they have brought."""

from __future__ import annotations

from typing import Final

from ...derive import Derived, total
from ...family import table
from ...features import Feature, Proof, among, both, either, known
from ...register import Group, Register
from .page import NO_INPUT, PV_VOLTAGE, Page

FAST = Page(Group.POWER)
# No model with a fourth input is known.
UNSEEN = Page(Group.POWER, confidence="medium")
COUNTERS = Page(Group.ENERGY)
UNPROVEN = Page(Group.ENERGY, confidence="medium")

# The types that are public: those without PV inputs, and those with two and three of them.
AC_COUPLED: Final = (85, 86)
TWO_INPUTS: Final = (90, 92)
THREE_INPUTS: Final = (91, 93)

INPUT_WORDS: Final = 3


def type_but(*types: int) -> Proof:
    """Prove by the machine's type being known, and none of these."""
    return Proof(("device_type",), lambda values: values.get("device_type") not in {None, *types})


HAS_PV: Final = type_but(*AC_COUPLED)
# Machines of the other types say "not available" for the inputs that they do not have.
HAS_INPUT: Final = {
    3: either(
        among("device_type", *THREE_INPUTS),
        both(type_but(*AC_COUPLED, *TWO_INPUTS), known("pv3_voltage")),
    ),
    4: both(type_but(*AC_COUPLED, *TWO_INPUTS, *THREE_INPUTS), known("pv4_voltage")),
}


def pv_input(number: int) -> list[Register]:
    """Return what one input brings."""
    first = 0x4071 + INPUT_WORDS * (number - 1)
    page = UNSEEN if number > 3 else FAST
    voltage, current, power = (f"pv{number}_{value}" for value in ("voltage", "current", "power"))
    return [
        page.u16(voltage, first, "V", scale=0.1, absent=NO_INPUT, plausible=PV_VOLTAGE),
        page.u16(current, first + 1, "A", scale=0.01, absent=NO_INPUT),
        page.u16(power, first + 2, "W", absent=NO_INPUT),
    ]


FEATURES: Final = (
    Feature(
        key="pv",
        proof=HAS_PV,
        registers=table(
            FAST.choice("pv_direction", 0x4095, {0: "no_output", 1: "producing"}),
            FAST.i16("pv_power", 0x40A5, "W"),
            *pv_input(1),
            *pv_input(2),
            UNPROVEN.u16("pv_hours_today", 0x40BC, "h", scale=0.1),
            UNPROVEN.u32("pv_hours_total", 0x40BD, "h", scale=0.1),
            *COUNTERS.counters("pv_energy_{}", 0x40BF),
        ),
    ),
    Feature(
        key="ac_coupled",
        proof=among("device_type", *AC_COUPLED),
        derived={
            "pv_power": Derived(
                key="pv_power",
                inputs=("pv_ct_power",),
                compute=total("pv_ct_power"),
                group=Group.POWER,
                unit="W",
            )
        },
    ),
    *(
        Feature(key=f"pv{number}", proof=proof, registers=table(*pv_input(number)))
        for number, proof in HAS_INPUT.items()
    ),
    # Refused by many single-phase machines.
    Feature(
        key="string_energies",
        proof=both(HAS_PV, known("pv2_energy_total")),
        registers=table(*UNPROVEN.counters("pv2_energy_{}", 0x4137)),
    ),
    Feature(
        key="pv3_energies",
        proof=both(HAS_INPUT[3], known("pv3_energy_total")),
        registers=table(*UNPROVEN.counters("pv3_energy_{}", 0x413F)),
    ),
)
