"""CHINT's meters: DTSU666 for three phases, DDSU666 for one.

Addresses are those on the wire; every measurement is a single of two words, the high one first. The meters were sold
with several sets of registers, and to several makers of inverters; what one has of them is found by looking. A request
that touches a register which is not there is refused as a whole.
"""

from __future__ import annotations

from typing import Final

from ...model.codec import RATED_POWER, Values, as_number
from ...model.family import Family, Model, table
from . import (
    clues,
    counters,
    gates,
    measurements,
    settings,
    single_phase,
)
from .page import CT_RATIO, PHASES, PT_RATIO
from .recognition import SINGLE_PHASE, THREE_PHASE, is_meter

NOMINAL_VOLTAGE: Final = 230
# The largest of the transformers that a meter is sold with as one set, which has no ratio to tell.
LARGEST_SET: Final = 250
# What a meter for separate transformers measures behind them.
SECONDARY_CURRENT: Final = 6
# Of the sets with a single-phase meter.
SINGLE_PHASE_CURRENT: Final = 100


def _most_power(values: Values) -> float | None:
    """The largest power in watts that a three-phase meter with these ratios can measure."""
    ct_ratio, pt_ratio = as_number(values.get(CT_RATIO)), as_number(values.get(PT_RATIO))
    if ct_ratio is None or pt_ratio is None:
        return None
    current = max(LARGEST_SET, SECONDARY_CURRENT * ct_ratio)
    return round(len(PHASES) * NOMINAL_VOLTAGE * pt_ratio * current)


def _single_phase_power(_: Values) -> float:
    """The largest power in watts that a single-phase meter can measure."""
    return NOMINAL_VOLTAGE * SINGLE_PHASE_CURRENT


# Of a power factor, too: these meters give it the sign of the power.
PHASE_SIGNED: Final = ("power", "reactive_power", "power_factor")

DTSU666: Final = Family(
    key=THREE_PHASE,
    kind="meter",
    registers=table(*settings.THREE_PHASE, *measurements.ROWS),
    derived={},
    features=(
        *settings.FEATURES,
        *measurements.FEATURES,
        *counters.FEATURES,
        # The last one, as it takes from what the others bring.
        settings.THREE_WIRE,
    ),
    readable=(
        # Between them lie the code of the keypad and what erases the counters.
        (0x0000, 0x0000),
        (0x0003, 0x000C),
        (0x002C, 0x002E),
        (0x002F, 0x0034),
        *(
            block
            for start in (0x1000, 0x1800, 0x4000)
            for block in (
                (start, start + 1),
                (start + 0x1E, start + 0x31),
                (start + 0x32, start + 0x51),
            )
        ),
        (0x150A, 0x154F),
        (0x2000, 0x2021),
        (0x2022, 0x2029),
        (0x202A, 0x2031),
        (0x2032, 0x2037),
        (0x2044, 0x2045),
        (0x2050, 0x2051),
        (0xF100, 0xF109),
    ),
    # The longest read that was seen on a real line.
    max_read=64,
    max_write=0,
    single_write=False,
    spacing=0.02,
    settle=0.0,
    clues=clues.THREE_PHASE,
    recognise=is_meter(THREE_PHASE),
    presence_register="software_version",
    models={
        "Sigen Sensor TPX-CH": Model(manufacturer="CHINT", name="DTSU666 (Sigen Sensor TPX-CH)")
    },
    other_model=Model(manufacturer="CHINT", name="DTSU666"),
    model_key="oem_brand",
    identity=("software_version", "network_type", CT_RATIO, PT_RATIO),
    facts=(RATED_POWER, CT_RATIO, PT_RATIO),
    computed={RATED_POWER: _most_power},
    firmware=("software_version",),
    serial=None,
    gates=gates.THREE_PHASE,
    signed=frozenset(
        {
            f"{whose}{key}"
            for whose in ("", *(f"{phase}_" for phase in PHASES))
            for key in PHASE_SIGNED
        }
        | {"power_demand"}
    ),
    swapped_when_inverted=(
        *(
            (f"{whose}import_energy_total", f"{whose}export_energy_total")
            for whose in ("", "net_", *(f"{phase}_" for phase in PHASES))
        ),
        ("reactive_energy_q1_total", "reactive_energy_q3_total"),
        ("reactive_energy_q2_total", "reactive_energy_q4_total"),
    ),
    # Nobody has written down what they are the angles between.
    undefined_when_inverted=frozenset(f"{phase}_phase_angle" for phase in PHASES),
)

DDSU666: Final = Family(
    key=SINGLE_PHASE,
    kind="meter",
    registers=table(*settings.SINGLE_PHASE, *single_phase.ROWS),
    derived={},
    features=single_phase.FEATURES,
    readable=(
        # Before, between and behind them lie the code of the keypad and what erases the counters.
        (0x0001, 0x0001),
        (0x0003, 0x000C),
        (0x2000, 0x200B),
        (0x200E, 0x200F),
        (0x4000, 0x4001),
        (0x400A, 0x400B),
    ),
    max_read=64,
    max_write=0,
    single_write=False,
    spacing=0.02,
    settle=0.0,
    clues=clues.SINGLE_PHASE,
    recognise=is_meter(SINGLE_PHASE),
    presence_register="software_version",
    models={166: Model(manufacturer="CHINT", name="DDSU666 (SolaX)")},
    other_model=Model(manufacturer="CHINT", name="DDSU666"),
    model_key="oem_type",
    identity=("software_version", "oem_type"),
    facts=(RATED_POWER,),
    computed={RATED_POWER: _single_phase_power},
    firmware=("software_version",),
    serial=None,
    gates=gates.SINGLE_PHASE,
    signed=frozenset(PHASE_SIGNED),
    swapped_when_inverted=(
        ("import_energy_total", "export_energy_total"),
        *(
            (f"import_energy_t{tariff}_total", f"export_energy_t{tariff}_total")
            for tariff in single_phase.TARIFFS
        ),
        ("reactive_energy_q1_total", "reactive_energy_q3_total"),
        ("reactive_energy_q2_total", "reactive_energy_q4_total"),
    ),
)
