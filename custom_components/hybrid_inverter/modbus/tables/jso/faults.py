"""Relays, warnings and faults, and what the fault table of the manual says of the codes besides their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...model.derived import Derived, any_bit
from ...model.faults import FaultRules
from ...model.part import Kind, Part
from ...model.register import Group, Register
from .page import JsoPage

PROTOCOL = JsoPage(Group.FAULTS, Part.GENERATOR)
GRID = JsoPage(Group.FAULTS, Part.GRID, "manual 5.2 Grid page")
MAIN = JsoPage(Group.FAULTS, Part.INVERTER, "manual 5.1 Main screen")
FAULTS = JsoPage(Group.FAULTS, Part.INVERTER, "manual 7 Fault table")

# Bit 34 of the fault field: no grid. The manual lists it with the faults; it is the grid's.
NO_GRID_BIT: Final = 34

ROWS: tuple[Register, ...] = (
    PROTOCOL.switch("relay_inverter", 552, mask=0x0001, part=Part.INVERTER),
    GRID.switch("grid_connected", 552, mask=0x0004, shown=True, kind=Kind.GRID_PRESENT),
    PROTOCOL.switch("relay_generator", 552, mask=0x0008),
    PROTOCOL.switch("relay_grid_supply", 552, mask=0x0010, confidence="medium", part=Part.GRID),
    PROTOCOL.switch(
        "relay_dry_contact_1", 552, mask=0x0080, confidence="medium", part=Part.INVERTER
    ),
    PROTOCOL.switch(
        "relay_dry_contact_2", 552, mask=0x0100, confidence="medium", part=Part.INVERTER
    ),
    MAIN.bits(
        "warning",
        553,
        words=2,
        # What most of them mean is not documented; they are counted as the faults are.
        labels={bit: f"W{bit + 1:02d}" for bit in range(32)},
        shown=True,
    ),
    FAULTS.bits(
        "fault", 555, words=4, labels={bit: f"F{bit + 1:02d}" for bit in range(64)}, shown=True
    ),
)

DERIVED: Final[Mapping[str, Derived]] = {
    "problem": Derived(
        key="problem",
        inputs=("fault",),
        # An outage is not a defect.
        compute=any_bit("fault", except_bits={NO_GRID_BIT}),
        group=Group.FAULTS,
        part=Part.INVERTER,
        shown=True,
        kind=Kind.PROBLEM,
    ),
}

# Manual section 7, fault table: each code there with its solutions, but for F35.
RULES: Final = FaultRules(
    fields=("fault", "warning"),
    no_grid=frozenset({f"F{NO_GRID_BIT + 1}"}),
    grid="grid_connected",
    remedies=frozenset(
        {
            "F08",
            "F13",
            "F18",
            "F20",
            "F22",
            "F23",
            "F24",
            "F26",
            "F29",
            "F34",
            "F41",
            "F42",
            "F47",
            "F48",
            "F56",
            "F58",
            "F63",
            "F64",
        }
    ),
    # "Generally, it will disappear automatically": a changed setting, and a parallel system that is starting.
    lasting_after={"F13": 60, "F29": 60},
)
