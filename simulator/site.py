"""Where the house meets the grid, and what meters see there: all inverters, and a solar inverter beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .plant import INVERTER_EFFICIENCY, LONGEST_STEP, NOTHING, Plant
from .surroundings import House, Phases, Sky, noise

# The solar inverter's own roof, on the first phase, and what it draws by night.
SOLAR_PEAK: Final = 3000.0
SOLAR_STANDBY: Final = 3.0
# Its clouds are not those of the other roofs.
SOLAR_SEED: Final = 50
# Reactive power as a share of the power: coils on the way in, the inverters' filters on the way out.
REACTIVE_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a meter sees of a moment: volts, watts and reactive watts of each phase, hertz."""

    volts: Phases = NOTHING
    watts: Phases = NOTHING
    vars: Phases = NOTHING
    hertz: float = 0.0


type Measure = Callable[[], Measurement]


class Site:
    """The connection of a house with these inverters; without any it is a house that only draws."""

    def __init__(self, plants: Sequence[Plant], *, start: datetime, seed: int, solar: bool) -> None:
        """Begin at a local time, with a solar inverter or without."""
        self.plants = plants
        self.now = start
        self._start = start
        self._seed = seed
        self._sky = Sky(seed + SOLAR_SEED)
        self._house = House(seed)
        self._has_solar = solar
        self._load = self._solar = 0.0
        self._powers = NOTHING
        self._look()

    @property
    def solar_power(self) -> float:
        """Return the watts that the solar inverter feeds in; a little less than nothing by night."""
        return self._solar

    def longest_step(self, seconds: float) -> float:
        """Return how much of a time may pass at once, so that all powers hold for all of it."""
        midnights = [
            datetime.combine(clock.date(), datetime.min.time()) + timedelta(days=1) - clock
            for clock in (plant.clock for plant in self.plants)
        ]
        return min(seconds, LONGEST_STEP, *(left.total_seconds() for left in midnights))

    def step(self, seconds: float) -> None:
        """Let a time pass that the inverters' plants have just lived through; it is short enough for all of them."""
        self._look()
        self.now += timedelta(seconds=seconds)

    def _look(self) -> None:
        """Take the powers that hold now."""
        self._solar = 0.0
        if self._has_solar and self._grid_present:
            sunshine = SOLAR_PEAK * INVERTER_EFFICIENCY * self._sky.sunshine(self.now)
            self._solar = sunshine or -SOLAR_STANDBY
        inverters = [plant.flows.grid_phases for plant in self.plants]
        if not inverters:
            home, backup = self._house.demand(self.now)
            inverters = [home, backup]
        l1, l2, l3 = (sum(powers) for powers in zip(*inverters, strict=True))
        self._powers = (l1 - self._solar, l2, l3)

    @property
    def _grid_present(self) -> bool:
        """Whether there is a grid: an outage that one inverter has is the street's."""
        return all(plant.grid_present for plant in self.plants)

    def _hertz(self, seconds: float) -> float:
        return 49.97 + 0.06 * noise(self._seed + 40, seconds, 30)

    def _measurement(self, watts: Phases) -> Measurement:
        """Return what is seen where these powers flow."""
        if not self._grid_present:
            return Measurement()
        seconds = (self.now - self._start).total_seconds()
        v1, v2, v3 = (
            229 + 4 * noise(self._seed + 30 + phase, seconds, 60) - power / 1500
            for phase, power in enumerate(self._powers)
        )
        q1, q2, q3 = (-REACTIVE_SHARE * power for power in watts)
        return Measurement((v1, v2, v3), watts, (q1, q2, q3), self._hertz(seconds))

    def grid(self) -> Measurement:
        """Return what flows in from the grid."""
        return self._measurement(self._powers)

    def solar(self) -> Measurement:
        """Return what flows from the solar inverter into the house."""
        return self._measurement((self._solar, 0.0, 0.0))
