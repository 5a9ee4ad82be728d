"""The PV inputs, of which each type of device has another number, and what they have brought."""

from __future__ import annotations

from typing import Final

from ...model.derived import Derived, total
from ...model.family import table
from ...model.features import (
    Feature,
    Proof,
    among,
    both,
    either,
    known,
)
from ...model.part import Part
from ...model.presentation import numbered
from ...model.register import Group, Register
from ..sheet import INTO_DEVICE, THROUGH_DEVICE
from .page import PV_VOLTAGE, SajPage

FAST = SajPage(Group.POWER, Part.PV, powers=INTO_DEVICE)
# No model with a fourth input is known.
UNSEEN = SajPage(Group.POWER, Part.PV, confidence="medium", powers=INTO_DEVICE)
COUNTERS = SajPage(Group.ENERGY, Part.PV)
UNPROVEN = SajPage(Group.ENERGY, Part.PV, confidence="medium")

# The types that are public: those without PV inputs, and those with two and three of them.
AC_COUPLED: Final = (85, 86)
TWO_INPUTS: Final = (90, 92)
THREE_INPUTS: Final = (91, 93)

INPUT_WORDS: Final = 3
# What a device may draw where the sun does not shine, in watts.
NIGHT_LOSS: Final = -500
# The inputs that every device with PV inputs has.
ALWAYS_THERE: Final = (1, 2)


def type_but(*types: int) -> Proof:
    """Prove by the device's type being known, and none of these."""
    return Proof(("device_type",), lambda values: values.get("device_type") not in {None, *types})


HAS_PV: Final = type_but(*AC_COUPLED)
# Devices of the other types say "not available" for the inputs that they do not have.
HAS_INPUT: Final = {
    3: either(
        among("device_type", *THREE_INPUTS),
        both(type_but(*AC_COUPLED, *TWO_INPUTS), known("pv3_voltage")),
    ),
    4: both(type_but(*AC_COUPLED, *TWO_INPUTS, *THREE_INPUTS), known("pv4_voltage")),
}


def pv_input(number: int) -> list[Register]:
    """What one input brings."""
    first = 0x4071 + INPUT_WORDS * (number - 1)
    page = UNSEEN if number > 3 else FAST
    voltage, current, power = (
        numbered(f"pv{{}}_{value}", number, "_string") for value in ("voltage", "current", "power")
    )
    return [
        page.u16(voltage, first, "V", scale=0.1, plausible=PV_VOLTAGE),
        page.u16(current, first + 1, "A", scale=0.01),
        page.u16(power, first + 2, "W", shown=number in ALWAYS_THERE),
    ]


FEATURES: Final = (
    Feature(
        key="pv",
        proof=HAS_PV,
        registers=table(
            FAST.choice("pv_direction", 0x4095, {0: "no_output", 1: "producing"}, diagnostic=True),
            FAST.i16(
                "pv_power",
                0x40A5,
                "W",
                # Of a large device it is more than a signed word holds.
                floor=NIGHT_LOSS,
                of_rated=THROUGH_DEVICE,
                shown=True,
            ),
            *pv_input(1),
            *pv_input(2),
            UNPROVEN.u16("pv_hours_today", 0x40BC, "h", scale=0.1, diagnostic=True),
            UNPROVEN.u32("pv_hours_total", 0x40BD, "h", scale=0.1, diagnostic=True),
            *COUNTERS.counters("pv_energy", 0x40BF, shown=True),
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
                part=Part.PV,
                shown=True,
            )
        },
    ),
    *(
        Feature(key=f"pv{number}", proof=proof, registers=table(*pv_input(number)))
        for number, proof in HAS_INPUT.items()
    ),
    # Refused by many single-phase devices.
    Feature(
        key="string_energies",
        proof=both(HAS_PV, known("pv2_energy_total")),
        registers=table(*UNPROVEN.counters(numbered("pv{}_energy", 2, "_string"), 0x4137)),
    ),
    Feature(
        key="pv3_energies",
        proof=both(HAS_INPUT[3], known("pv3_energy_total")),
        registers=table(*UNPROVEN.counters(numbered("pv{}_energy", 3, "_string"), 0x413F)),
    ),
)
