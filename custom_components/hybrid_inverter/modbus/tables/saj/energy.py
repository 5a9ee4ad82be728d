"""The energy counters: of today, this month, this year and ever."""

from __future__ import annotations

from typing import Final

from ...register import Group, Register
from .page import Page

COUNTERS = Page(Group.ENERGY)
# In no document, but read by three projects.
SUMS = Page(Group.ENERGY, source="measured", confidence="medium")

WAYS: Final = ("export", "import")
# Where the counters of each phase begin.
PHASE_COUNTERS: Final = {
    "export": {"l1": 0x40EF, "l2": 0x4147, "l3": 0x414F},
    "import": {"l1": 0x40F7, "l2": 0x4157, "l3": 0x415F},
}

# What the house has sold and bought, on a machine with one phase. The document calls the bought energy "feed-in", which
# a remark in it and a meter have put right.
HOUSE_COUNTERS: tuple[Register, ...] = tuple(
    row
    for way in WAYS
    for row in COUNTERS.counters(f"grid_{way}_energy_{{}}", PHASE_COUNTERS[way]["l1"])
)

ROWS: tuple[Register, ...] = (
    *COUNTERS.counters("battery_charge_energy_{}", 0x40C7),
    *COUNTERS.counters("battery_discharge_energy_{}", 0x40CF),
    *COUNTERS.counters("inverter_energy_{}", 0x40D7),
    *COUNTERS.counters("load_energy_{}", 0x40DF),
    *COUNTERS.counters("backup_energy_{}", 0x40E7),
    *HOUSE_COUNTERS,
)


def phase_counters(phase: str) -> list[Register]:
    """Return what went out and came in on one phase of a machine with three."""
    return [
        row
        for way in WAYS
        for row in COUNTERS.counters(f"grid_{way}_{phase}_energy_{{}}", PHASE_COUNTERS[way][phase])
    ]
