"""The energy counters: of today, this month, this year and ever."""

from __future__ import annotations

from typing import Final

from ...model.part import Kind, Part
from ...model.presentation import of_phase
from ...model.register import Group, Register
from .page import SajPage

COUNTERS = SajPage(Group.ENERGY, Part.GRID)
# In no document, but read by three projects.
SUMS = SajPage(Group.ENERGY, Part.GRID, source="measured", confidence="medium")

WAYS: Final = ("export", "import")
# Where the counters of each phase begin.
PHASE_COUNTERS: Final = {
    "export": {"l1": 0x40EF, "l2": 0x4147, "l3": 0x414F},
    "import": {"l1": 0x40F7, "l2": 0x4157, "l3": 0x415F},
}

# What the house has sold and bought, on a device with one phase. The document calls the bought energy "feed-in", which
# a remark in it and a meter have put right.
HOUSE_COUNTERS: tuple[Register, ...] = tuple(
    row
    for way in WAYS
    for row in COUNTERS.counters(f"grid_{way}_energy", PHASE_COUNTERS[way]["l1"], shown=True)
)

ROWS: tuple[Register, ...] = (
    *COUNTERS.counters("battery_charge_energy", 0x40C7, part=Part.BATTERY, shown=True),
    *COUNTERS.counters("battery_discharge_energy", 0x40CF, part=Part.BATTERY, shown=True),
    *COUNTERS.counters("inverter_energy", 0x40D7, part=Part.INVERTER, kind=Kind.MAY_FALL),
    *COUNTERS.counters("load_energy", 0x40DF, part=Part.LOAD, shown=True),
    *COUNTERS.counters("backup_energy", 0x40E7, part=Part.LOAD),
    *HOUSE_COUNTERS,
)


def phase_counters(phase: str) -> list[Register]:
    """What went out and came in on one phase of a device with three."""
    return [
        row
        for way in WAYS
        for row in COUNTERS.counters(
            of_phase(f"grid_{way}_{{}}_energy", phase), PHASE_COUNTERS[way][phase]
        )
    ]
