"""A house with its inverters on one grid connection, and the time that passes there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from .grid import Grid
from .house import APPLIANCES, Appliance, House
from .inverter import Inverter
from .phases import NOTHING, Phases, add, less, times, wired
from .point import Measurement, Point
from .sky import LATITUDE, Sky, Weather
from .solar_inverter import SolarInverter
from .wiring import Place

# Longer steps are cut, so that clouds, thresholds and the battery's end are not jumped over.
MAX_STEP: Final = 10.0


class Site:
    """A house under a sky, its inverters, a solar inverter if there is one, and the points where meters are.

    The first inverter regulates what flows through the house connection, as a master does. Each further one serves
    its share of the house, by its rated power; the first one regulates what is then left. The circuits on the backup
    outputs are shared alike. Each knows of the rest of the house only what its own clamps and meters show.
    """

    def __init__(
        self,
        *,
        start: datetime,
        seed: int = 1,
        phases: int = 3,
        solar: SolarInverter | None = None,
        latitude: float = LATITUDE,
        weather: Weather = Weather.PASSING,
        longest_step: float = MAX_STEP,
        appliances: tuple[Appliance, ...] = APPLIANCES,
        apart: bool = False,
    ) -> None:
        """Begin at a local time, with a house and without inverters."""
        self.now = start
        self.sky = Sky(seed, latitude, weather)
        self.house = House(seed, appliances, apart)
        self.grid = Grid(seed, start)
        self.inverters: list[Inverter] = []
        self.solar = solar
        # At the house connection, + import, and at the solar inverter, + production.
        self.grid_point = Point()
        self.solar_point = Point()
        # Before the car, + consumption.
        self.car_point = Point()
        # What the house really uses before the inverters, whatever one of them makes of its clamps.
        self.home: Phases = NOTHING
        self.conductors: dict[Place, Phases] = dict.fromkeys(Place, NOTHING)
        # Who wants to know of each part of the time, with the seconds that the powers of now have held for.
        self.watchers: list[Callable[[float], None]] = []
        self._phases = phases
        self.longest_step = longest_step

    def add(self, inverter: Inverter) -> None:
        """Build an inverter in; the first one regulates what flows through the house connection."""
        self.inverters.append(inverter)

    @property
    def voltages(self) -> Phases:
        """The volts of the grid per phase."""
        return self.grid.voltages(self.now, self.grid_point.powers)

    @property
    def frequency(self) -> float:
        """The hertz of the grid."""
        return self.grid.frequency(self.now)

    def measure_grid(self) -> Measurement:
        """What a meter at the house connection sees."""
        return self.grid_point.measurement(self.voltages, self.frequency)

    def measure_solar(self) -> Measurement:
        """What a meter at the solar inverter sees."""
        return self.solar_point.measurement(self.voltages, self.frequency)

    def measure_car(self) -> Measurement:
        """What a meter before the car sees."""
        return self.car_point.measurement(self.voltages, self.frequency)

    def step(self, seconds: float) -> None:
        """Let time pass; the flows are then those of the last part of it."""
        left = seconds
        while left > 1e-9:
            self._roll()
            part = min(left, self.longest_step)
            for inverter in self.inverters:
                part = min(part, inverter.seconds_to_midnight())
            if part > MAX_STEP:
                # A long step ends with the minute, so that no time slot begins within it.
                part = min(part, 60.0 - self.now.second - self.now.microsecond / 1e6)
            self._advance(part)
            left -= part
        self._roll()

    def _roll(self) -> None:
        for inverter in self.inverters:
            inverter.roll()

    def _advance(self, seconds: float) -> None:
        """Let a short time pass with constant powers."""
        # An outage that one inverter has is the street's.
        self.grid.cut_off = any(inverter.cut_off for inverter in self.inverters)
        present = self.grid.present
        light = self.sky.light(self.now)
        for inverter in self.inverters:
            inverter.prepare(light)
        home, circuits = (wired(power, self._phases) for power in self.house.demand(self.now))
        car = wired(self.house.car(self.now), self._phases)
        if not present and not any(inverter.feeds_house for inverter in self.inverters):
            home = car = NOTHING
        solar = NOTHING
        if present and self.solar is not None:
            solar = self.solar.phases(self.solar.power(light))
        self.conductors[Place.HOUSE] = home
        self.conductors[Place.SOLAR] = solar
        drawn = self._share(seconds, less(home, solar), circuits)
        self.conductors[Place.GRID] = drawn
        self.home = home
        fed = NOTHING
        for inverter in self.inverters:
            fed = add(fed, inverter.fed)
        for inverter in self.inverters:
            inverter.settle(seconds, drawn, fed, solar)
        self.grid_point.flow(drawn if present else NOTHING, seconds)
        self.solar_point.flow(solar, seconds)
        self.car_point.flow(car, seconds)
        self.now += timedelta(seconds=seconds)
        for watch in self.watchers:
            watch(seconds)

    def _share(self, seconds: float, net: Phases, circuits: Phases) -> Phases:
        """Let each inverter do its part of what the house draws, and return what is left for the grid."""
        if not self.inverters:
            return add(net, circuits) if self.grid.present else NOTHING
        first, *others = self.inverters
        circuits = times(circuits, 1 / len(self.inverters))
        rated = sum(inverter.installation.rated_power for inverter in self.inverters)
        left = net
        for inverter in others:
            part = times(net, inverter.installation.rated_power / rated)
            inverter.balance(seconds, part, wired(circuits, inverter.installation.phases))
            left = add(left, inverter.flows.terminal)
        first.balance(seconds, left, wired(circuits, first.installation.phases))
        return add(left, first.flows.terminal)
