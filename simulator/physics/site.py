"""A house with its inverters on one grid connection, and the time that passes there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from .house import House
from .inverter import Inverter
from .phases import NOTHING, Phases, add, less, times, wired
from .place import Place, Point
from .sky import LATITUDE
from .solar_inverter import SolarInverter

# Longer steps are cut, so that clouds, thresholds and the battery's end are not jumped over.
LONGEST_STEP: Final = 10.0


class Site:
    """A house, its inverters, a solar inverter if there is one, and the two points where meters are.

    The first inverter regulates what flows through the house connection, as a master does. Each further one serves
    its share of the house, by its rated power; the first one sees at its clamps what is then left. The circuits on
    the backup outputs are shared alike.
    """

    def __init__(
        self,
        *,
        start: datetime,
        seed: int = 1,
        phases: int = 3,
        solar: SolarInverter | None = None,
        latitude: float = LATITUDE,
        longest_step: float = LONGEST_STEP,
    ) -> None:
        """Begin at a local time, with a house and without inverters."""
        self.place = Place(start, seed, latitude)
        self.house = House(seed)
        self.inverters: list[Inverter] = []
        self.solar = solar
        # At the house connection, + import, and at the solar inverter, + production.
        self.grid_point = Point(self.place)
        self.solar_point = Point(self.place)
        # What the house really uses, whatever an inverter makes of its clamps.
        self.home: Phases = NOTHING
        self._phases = phases
        self._longest_step = longest_step

    def step(self, seconds: float) -> None:
        """Let time pass; the flows are then those of the last part of it."""
        left = seconds
        while left > 1e-9:
            self._roll()
            part = min(
                left,
                self._longest_step,
                *(inverter.seconds_to_midnight() for inverter in self.inverters),
            )
            if part > LONGEST_STEP:
                # A long step ends with the minute, so that no time slot begins within it.
                part = min(part, 60.0 - self.place.now.second - self.place.now.microsecond / 1e6)
            self._advance(part)
            left -= part
        self._roll()

    def _roll(self) -> None:
        for inverter in self.inverters:
            inverter.roll()

    def _advance(self, seconds: float) -> None:
        """Let a short time pass with constant powers."""
        place = self.place
        light = place.sky.light(place.now)
        for inverter in self.inverters:
            inverter.prepare(light)
        home, circuits = (wired(power, self._phases) for power in self.house.demand(place.now))
        solar = NOTHING
        if place.grid.present and self.solar is not None:
            solar = self.solar.phases(self.solar.power(light))
        if not (place.grid.present or any(one.feeds_house for one in self.inverters)):
            home = NOTHING
        drawn = self._share(seconds, less(home, solar), circuits)
        self.home = home
        place.drawn = drawn if place.grid.present else NOTHING
        for inverter in self.inverters:
            inverter.settle(seconds, drawn, solar)
        self.grid_point.flow(place.drawn, seconds)
        self.solar_point.flow(solar, seconds)
        place.now += timedelta(seconds=seconds)

    def _share(self, seconds: float, net: Phases, circuits: Phases) -> Phases:
        """Let each inverter do its part of what the house draws, and return what is left for the grid."""
        if not self.inverters:
            return add(net, circuits)
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
