"""What a year brings to the house of the demo, without servers and as fast as it can be computed. See scripts/bench."""

from collections.abc import Mapping
from datetime import datetime
import time
from typing import Final

from simulator.diary import NAMES
from simulator.simulation import SimulatedPlant

from .house import MACHINES

BEGIN: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - the machines know no zone
DAYS: Final = 365
# Seconds between two steps of the physics: as long as they may be without missing a time slot.
STEP: Final = 60.0


def live(days: int) -> Mapping[str, float]:
    """The kilowatt-hours of so many days from New Year on."""
    plant = SimulatedPlant(devices=MACHINES, car=True, start=BEGIN, tcp_port=None, rtu_port=None)
    plant.site.longest_step = STEP
    plant.advance(days * 86400)
    return {name: sum(day[name] for day in plant.diary.days.values()) for name in NAMES}


def year() -> None:
    """Print how long a year takes, and its energies."""
    began = time.monotonic()
    energies = live(DAYS)
    took = time.monotonic() - began
    machines = ", ".join(MACHINES.values())
    print(f"\n{DAYS} days of {machines} in steps of {STEP:.0f} s: lived in {took:.0f} s")
    for name, energy in energies.items():
        print(f"{name:<20}{energy:>8.0f} kWh")
