"""State and fault codes: the beginning of the status block, and what is to be said of the codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...model.codec import Bits
from ...model.derived import Derived, any_bit, no_sign
from ...model.faults import FaultRules
from ...model.part import Kind, Part
from ...model.register import Group, Register
from .page import SajPage

WORDS: Final = 6
BITS: Final = 16 * WORDS

# The codes that the protocol calls reserved: what they would mean is not known.
RESERVED_CODES: Final = frozenset(
    {6, 11, 13, 14, 49, 52, 57, 58, *range(71, 76), *range(84, 88), *range(93, 97)}
)
RESERVED_BITS: Final = frozenset(code - 1 for code in RESERVED_CODES)

LABELS: Final[Mapping[int, str]] = {
    bit: f"E{bit + 1:02d}" for bit in range(BITS) if bit not in RESERVED_BITS
}

# "No grid", once as the control board and once as the display board tells it.
NO_GRID_BITS: Final = frozenset({55, 87})

ROWS: Final[tuple[Register, ...]] = (
    SajPage(Group.FAULTS, Part.INVERTER).choice(
        "status",
        0x4004,
        {
            0: "initialising",
            1: "waiting",
            2: "on_grid",
            3: "off_grid",
            4: "bypass",
            5: "fault",
            6: "updating",
            7: "test",
            8: "self_check",
            9: "reset",
        },
        shown=True,
    ),
    Register(
        key="fault",
        # Codes 1 to 32, 33 to 64 and 65 to 96; each pair has its high word first.
        addresses=(0x4008, 0x4007, 0x400A, 0x4009, 0x4006, 0x4005),
        group=Group.FAULTS,
        part=Part.INVERTER,
        shown=True,
        codec=Bits(
            words=WORDS,
            low_first=True,
            absent=frozenset({(1 << BITS) - 1}),
            reserved=RESERVED_BITS,
        ),
        labels=LABELS,
        source="H2 protocol 2022",
    ),
)

DERIVED: Final[Mapping[str, Derived]] = {
    "problem": Derived(
        key="problem",
        inputs=("fault",),
        # An outage is not a defect; a meter or a battery that is not heard is one, although it is called a warning.
        compute=any_bit("fault", except_bits=NO_GRID_BITS),
        group=Group.FAULTS,
        part=Part.INVERTER,
        shown=True,
        kind=Kind.PROBLEM,
    ),
    "grid_connected": Derived(
        key="grid_connected",
        inputs=("fault", "status"),
        compute=no_sign({"fault": NO_GRID_BITS, "status": {"off_grid"}}),
        group=Group.FAULTS,
        part=Part.GRID,
        shown=True,
        kind=Kind.GRID_PRESENT,
    ),
}

RULES: Final = FaultRules(
    fields=("fault",),
    no_grid=frozenset(LABELS[bit] for bit in NO_GRID_BITS),
    grid="grid_connected",
    # The manual has no table of faults: these are the codes whose name says what to look at.
    remedies=frozenset(
        {
            # Grid wiring, PV voltage and the earth
            *("E03", "E04", "E15", "E91"),
            # Fans and temperatures
            *("E17", "E18", "E19", "E20", "E35", "E36"),
            # Arc, leakage current and insulation
            *("E21", "E59", "E63"),
            # Battery and loads
            *("E26", "E28", "E29", "E30", "E69"),
            # Grid voltages and frequency
            *("E41", "E42", "E43", "E44", "E45", "E46", "E47", "E50", "E51"),
            *("E76", "E77", "E78", "E79", "E80", "E81", "E82", "E83"),
            # Lines to the meter and to the battery
            *("E66", "E70"),
            # How the PV inputs are wired
            "E89",
        }
    ),
    warnings=frozenset({"E66", "E70"}),
)
