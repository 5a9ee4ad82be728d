"""What the fault table of the manual says of the codes, besides their meaning."""

from __future__ import annotations

from typing import Final

from ...faults import FaultRules

# Bit 34 of the fault field: no grid. The manual lists it with the faults; it is the grid's.
NO_GRID_BIT: Final = 34

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
    patience={"F13": 60, "F29": 60},
)
