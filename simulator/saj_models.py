"""The inverters of SAJ that are simulated, and what they hold when they leave the installer's hands: data only.

Addresses and raw values are those of the maker's protocol of 2022; what the models refuse is what owners report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .physics import Installation, SolarInverter
from .physics.pv import SOUTH_EAST, SOUTH_WEST, PvString, Tracker
from .trouble import Refused

SERIAL_NUMBER: Final = "SAJSIM000000000001"

# First and last addresses that are served: settings; measurements and energies; controllers of the battery packs;
# identity; packs and meters.
SERVED: Final = (
    (0x3600, 0x368F),
    (0x4000, 0x4176),
    (0x8E00, 0x8E63),
    (0x8F00, 0x8F1C),
    (0xA000, 0xA066),
)

STRING_AND_PHASE_ENERGIES: Final = (0x4137, 0x4176)
# Observed where a block is not supported; no code of the Modbus specification.
UNSUPPORTED: Final = 65


@dataclass(frozen=True, slots=True, kw_only=True)
class SajModel:
    """What one model has and refuses."""

    name: str
    device_type: int
    installation: Installation
    # Battery packs, and whether they report themselves.
    packs: int = 1
    zero_packs: bool = False
    # Phases of the meters A and B; 0 where there is none.
    meter_phases: tuple[int, int] = (0, 0)
    # Without PV inputs of its own: it sees the PV of another inverter through a clamp.
    solar: SolarInverter | None = None
    # Reads of any of these addresses are refused.
    refused: tuple[Refused, ...] = ()
    # Reads across these addresses are refused, although both sides are served.
    walls: tuple[int, ...] = ()
    # Reached through the maker's network module.
    module: bool = False

    @property
    def ac_coupled(self) -> bool:
        """Whether all its PV is another inverter's."""
        return self.solar is not None


# Volts of a string without a load, and the amperes that a tracker takes.
STRING: Final = 390.0
TRACKER: Final = Tracker(current=16.0)
# The battery packs' amperes in and out.
PACK_CHARGE: Final = 25.0
PACK_DISCHARGE: Final = 30.0


def _built(
    rated_power: float,
    *pv_peaks: float,
    capacity: float,
    cells: int,
    packs: int = 1,
    phases: int = 3,
) -> Installation:
    """What belongs to an inverter of the family."""
    return Installation(
        rated_power=rated_power,
        pv_peaks=pv_peaks,
        string_voltage=STRING,
        tracker=TRACKER,
        battery_capacity=capacity,
        cells=cells,
        battery_charge=PACK_CHARGE * packs,
        battery_discharge=PACK_DISCHARGE * packs,
        phases=phases,
    )


SAJ_MODELS: Final = (
    SajModel(
        name="H2-6K-S2",
        device_type=90,
        installation=_built(6000, 3600, 3200, capacity=10240, cells=64, phases=1),
        refused=((*STRING_AND_PHASE_ENERGIES, UNSUPPORTED),),
        module=True,
    ),
    SajModel(
        name="H2-10K-T2",
        device_type=94,
        installation=_built(10000, 6200, 5800, capacity=20480, cells=112, packs=2),
        packs=2,
        meter_phases=(3, 1),
    ),
    SajModel(
        name="HS2-6K-S2",
        device_type=92,
        installation=_built(6000, 3400, 3000, capacity=15360, cells=64, phases=1),
        refused=((0x4087, 0x4087, 2),),
        walls=(0x40D7, 0x4167),
    ),
    SajModel(
        name="AS2-6K-S",
        device_type=85,
        installation=_built(6000, capacity=10240, cells=64, phases=1),
        solar=SolarInverter(
            (
                PvString(3000, SOUTH_EAST, STRING, TRACKER),
                PvString(2600, SOUTH_WEST, STRING, TRACKER),
            ),
            rated_power=5000,
            phase=0,
        ),
        refused=((*STRING_AND_PHASE_ENERGIES, UNSUPPORTED),),
    ),
    SajModel(
        name="HS3-8K-T2",
        device_type=96,
        installation=_built(8000, 4600, 4200, capacity=15360, cells=112),
        zero_packs=True,
    ),
)

# Start, end, then days and percent, one slot after the other.
CHARGE_SLOTS: Final = 0x3606
DISCHARGE_SLOTS: Final = 0x361B
# 3 words of each of the 14 slots.
_SLOT_STARTS: Final = range(CHARGE_SLOTS, DISCHARGE_SLOTS + 21, 3)

# Smallest and largest raw value that the machine takes. It would take more registers; what protects the grid or the
# battery is not among them, so that nobody gets used to writing it.
LIMITS: Final[Mapping[int, tuple[int, int]]] = {
    0x3604: (0, 0x7F),
    0x3605: (0, 0x7F),
    0x3632: (0, 1),
    0x3636: (0, 2),
    **dict.fromkeys((0x3637, 0x3638, 0x3639, 0x363A), (0, 1100)),
    0x3644: (5, 100),
    0x3645: (5, 100),
    0x3646: (20, 100),
    0x3647: (0, 14),
    **dict.fromkeys((0x364D, 0x364E, 0x364F, 0x3650), (0, 1100)),
    0x3651: (20, 100),
    0x365A: (0, 1100),
    0x365B: (0, 30000),
    0x365C: (0, 3),
    0x365F: (0, 1),
    0x3660: (0, 1),
}
# Largest high and low byte of words that are two numbers: hour and minute, weekdays and percent.
BYTE_LIMITS: Final[Mapping[int, tuple[int, int]]] = {
    **{start + word: (23, 59) for start in _SLOT_STARTS for word in (0, 1)},
    **{start + 2: (0x7F, 100) for start in _SLOT_STARTS},
}

SETTINGS: Final[Mapping[int, int]] = {
    # Every day at 100 percent, but not enabled.
    **{start + 2: 0x7F64 for start in _SLOT_STARTS},
    0x3631: 1,
    0x3632: 1,
    0x3633: 1,
    **dict.fromkeys((0x3637, 0x3638, 0x3639, 0x363A), 1100),
    0x363B: 22,
    0x3644: 20,
    0x3645: 10,
    0x3646: 100,
    0x3647: 0,
    **dict.fromkeys((0x364D, 0x364E, 0x364F, 0x3650), 1100),
    0x3651: 60,
    0x365A: 1100,
    0x365B: 30000,
    0x365F: 1,
    0x3662: 1,
    0x3666: 1,
    0x3668: 1,
    0x3669: 2300,
    0x366A: 5000,
    0x3670: 1000,
    0x3671: 100,
    0x3672: 150,
    0x3673: 200,
    0x3675: 3,
    0x3676: 200,
    0x3678: 1200,
    0x3679: 700,
    0x367A: 5000,
    0x367B: 900,
    0x367C: 30,
}

# Protocol 1.021; display, master and slave software, display, control and power hardware, in thousandths.
VERSIONS: Final[Mapping[int, int]] = {
    0x8F02: 1021,
    0x8F17: 1203,
    0x8F18: 2105,
    0x8F19: 2004,
    0x8F1A: 1000,
    0x8F1B: 1001,
    0x8F1C: 1000,
}

# What the battery packs and their controllers report.
PACKS: Final = (*range(0x8E00, 0x8E64), *range(0xA000, 0xA038))

# The fault that reports a missing grid: E56 is bit 55.
NO_GRID: Final = 55
