"""What was bought and built in with an inverter, and what it had counted when it is first looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from .battery import CELLS, Cells
from .flows import by_phase
from .phases import Phases, wired
from .pv import SOUTH_EAST, SOUTH_WEST, PvString, Roof, Tracker

# What an inverter of some kilowatts uses itself while it runs, in watts.
STANDBY: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Watts, the watts of each string, watt-hours, cells in series, amperes, phases."""

    rated_power: float = 8000.0
    pv_peaks: tuple[float, ...] = (5400.0, 4800.0)
    roofs: tuple[Roof, ...] = (SOUTH_EAST, SOUTH_WEST)
    string_voltage: float = 590.0
    tracker: Tracker = field(default_factory=Tracker)
    battery_capacity: float = 30720.0
    cells: int = CELLS
    battery_charge: float = 150.0
    battery_discharge: float = 150.0
    phases: int = 3
    # What the inverter itself uses while it runs; 0 keeps sums exact.
    standby: float = 0.0

    @property
    def strings(self) -> tuple[PvString, ...]:
        """The strings, one on each roof."""
        return tuple(
            PvString(peak, roof, self.string_voltage, self.tracker)
            for peak, roof in zip(self.pv_peaks, self.roofs, strict=False)
        )

    @property
    def battery(self) -> Cells:
        """The battery's cells."""
        return Cells(
            capacity=self.battery_capacity,
            count=self.cells,
            charge=self.battery_charge,
            discharge=self.battery_discharge,
        )

    @property
    def former_energy(self) -> dict[str, float]:
        """What its counters hold when it is first looked at."""
        return {
            **_FORMER_ENERGY,
            **by_phase("import", wired(_FORMER_IMPORT, self.phases)),
            **by_phase("export", wired(_FORMER_EXPORT, self.phases)),
        }


# What a machine of some years has counted before; the 0.1 kWh totals need both of their words.
_FORMER_ENERGY: Final = {
    "pv": 21_487_300.0,
    "battery_charge": 8_214_900.0,
    "battery_discharge": 7_655_200.0,
    "grid_import": 9_120_400.0,
    "grid_export": 7_031_600.0,
    "load": 22_803_100.0,
    "inverter": 21_204_500.0,
    "backup": 10_377_800.0,
    "pv1": 11_290_500.0,
    "pv2": 10_196_800.0,
}
_FORMER_IMPORT: Final[Phases] = (4_411_700.0, 3_052_900.0, 2_118_300.0)
_FORMER_EXPORT: Final[Phases] = (2_018_400.0, 2_533_600.0, 2_942_100.0)
