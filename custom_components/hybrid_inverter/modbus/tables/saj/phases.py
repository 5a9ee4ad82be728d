"""What three-phase devices have besides the first phase."""

from __future__ import annotations

from typing import Final

from ...model.derived import Derived, total
from ...model.family import table
from ...model.features import (
    Feature,
    above,
    among,
    both,
    either,
    known,
)
from ...model.part import Part
from ...model.register import Group
from .energy import (
    HOUSE_COUNTERS,
    SUMS,
    WAYS,
    phase_counters,
)
from .page import PERIODS, PHASES
from .power import (
    backup_output,
    grid_side,
    grid_terminal,
    inverter_output,
)

FIRST: Final = PHASES[0]
OTHERS: Final = PHASES[1:]

# A phase that the device does not have reads 0; half of any voltage is a phase.
PHASE_VOLTAGE: Final = 50

IS_THREE_PHASE: Final = either(
    among("grid_type", "three_phase_three_wire", "three_phase_four_wire"),
    above(PHASE_VOLTAGE, *(f"grid_{phase}_voltage" for phase in OTHERS)),
)
HAS_BACKUP: Final = known(f"backup_{FIRST}_voltage")


def phase_sum(way: str, period: str) -> Derived:
    """What went out or came in on all phases."""
    inputs = tuple(f"grid_{way}_{phase}_energy_{period}" for phase in PHASES)
    return Derived(
        key=f"grid_{way}_energy_{period}",
        inputs=inputs,
        compute=total(*inputs),
        group=Group.ENERGY,
        unit="kWh",
        part=Part.GRID,
        shown=period in ("today", "total"),
    )


FEATURES: Final = (
    Feature(
        key="three_phase",
        proof=IS_THREE_PHASE,
        registers=table(
            *(row for phase in OTHERS for row in grid_terminal(phase)),
            *(row for phase in OTHERS for row in inverter_output(phase)),
            *grid_side(OTHERS),
            # What is the house's on one phase is only the first one's on three.
            *phase_counters(FIRST),
        ),
        without=frozenset(row.key for row in HOUSE_COUNTERS) | {"grid_side_apparent_power"},
    ),
    Feature(key="backup_output", proof=HAS_BACKUP, registers=table(*backup_output(FIRST))),
    Feature(
        key="three_phase_backup_output",
        proof=both(IS_THREE_PHASE, HAS_BACKUP),
        registers=table(*(row for phase in OTHERS for row in backup_output(phase))),
    ),
    Feature(
        key="phase_energies",
        # A sum is one only if none of its parts is refused.
        proof=both(
            IS_THREE_PHASE,
            *(known(f"grid_{way}_{phase}_energy_total") for way in WAYS for phase in OTHERS),
        ),
        registers=table(*(row for phase in OTHERS for row in phase_counters(phase))),
        derived={
            value.key: value
            for value in (phase_sum(way, period) for way in WAYS for period in PERIODS)
        },
    ),
    Feature(
        key="three_phase_energies",
        proof=both(IS_THREE_PHASE, known("grid_import_energy_all_total")),
        registers=table(
            *SUMS.counters("grid_import_energy", 0x4167, shown=True),
            *SUMS.counters("grid_export_energy", 0x416F, shown=True),
            # It shows that the sums are served: their other keys are also those of a device with one phase.
            SUMS.u32("grid_import_energy_all_total", 0x416D, "kWh", scale=0.01, part=None),
        ),
    ),
)
