"""What the meters are set to. Nothing of it is written: an inverter that loses its meter does not limit its export.

Two registers have no row: the code of the keypad, which is for its owner, and the one that erases the counters.
"""

from __future__ import annotations

from typing import Final

from ...model.codec import Text
from ...model.codec_time import WordClockTime
from ...model.family import table
from ...model.features import Feature, among, known
from ...model.register import Group, Register
from .page import (
    CT_RATIO,
    PHASES,
    PT_RATIO,
    ChintPage,
)

INFO = ChintPage(Group.IDENTITY)
SETUP = ChintPage(Group.SETTINGS)
MEASURED = ChintPage(Group.IDENTITY, source="measured", confidence="medium")

BAUD_RATES: Final = {0: "1200", 1: "2400", 2: "4800", 3: "9600", 4: "19200"}

THREE_PHASE: tuple[Register, ...] = (
    INFO.u16("software_version", 0x0000),
    INFO.choice("network_type", 0x0003, {0: "three_phase_four_wire", 1: "three_phase_three_wire"}),
    INFO.u16(CT_RATIO, 0x0006, plausible=(1, 9999)),
    INFO.u16(PT_RATIO, 0x0007, scale=0.1, plausible=(0.1, 999.9)),
    SETUP.u16("display_rotation", 0x000A, "s"),
    # The manuals disagree about these two: light or type, word order or nothing.
    SETUP.u16("backlight_or_type", 0x000B, confidence="medium"),
    SETUP.u16("word_order_or_reserved", 0x000C, confidence="low"),
    # Two lists of codes exist.
    SETUP.u16("protocol", 0x002C, confidence="low"),
    SETUP.choice("baud_code", 0x002D, BAUD_RATES),
    SETUP.u16("unit_address", 0x002E),
)

SINGLE_PHASE: tuple[Register, ...] = (
    INFO.u16("software_version", 0x0001),
    INFO.u16("oem_type", 0x000B, confidence="medium"),
    SETUP.choice("network_type", 0x0003, {2: "single_phase"}, confidence="low"),
    SETUP.u16("protocol", 0x0005),
    SETUP.u16("unit_address", 0x0006),
    # Reserved: nothing is multiplied by them.
    SETUP.u16(PT_RATIO, 0x0007, scale=0.1, confidence="low"),
    SETUP.u16(CT_RATIO, 0x0008, confidence="low"),
    SETUP.choice("baud_code", 0x000C, {code: BAUD_RATES[code] for code in range(4)}),
)

CLOCK = SETUP.row(
    "clock", tuple(range(0x002F, 0x0035)), WordClockTime(), confidence="medium", part=None
)
BRAND = MEASURED.row("oem_brand", tuple(range(0xF100, 0xF10A)), Text(10))

FEATURES: Final = (
    Feature(
        key="clock",
        proof=known(CLOCK.key),
        registers=table(CLOCK),
        unless=frozenset({"new_counters"}),
    ),
    Feature(key="oem_brand", proof=known(BRAND.key), registers=table(BRAND)),
)

# It has no neutral: what is told of the phases against it, and of the middle one, means nothing.
THREE_WIRE: Final = Feature(
    key="three_wire",
    proof=among("network_type", "three_phase_three_wire"),
    without=frozenset(
        {
            *(f"{phase}_voltage" for phase in PHASES),
            "l2_power",
            "l2_reactive_power",
            "l2_power_factor",
        }
    ),
)
