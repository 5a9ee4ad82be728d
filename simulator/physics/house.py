"""The people of a house: what they use, when, and on which phase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
import math
from typing import Final

from .chance import hour_of, noise, random, seconds_of
from .phases import Phases

# What is always on.
BASE: Final = 480.0
# Hour of the day, how many hours wide, watts: breakfast, lunch, the evening.
MEALS: Final = ((7.5, 0.9, 700.0), (12.5, 0.8, 450.0), (19.0, 1.8, 1300.0))
SHARES: Final[Phases] = (0.45, 0.33, 0.22)
# The part of each phase that hangs on the backup output; the rest is before the inverter.
BACKUP_SHARE: Final = 0.55


@dataclass(frozen=True, slots=True)
class Appliance:
    """Something big that runs now and then: watts, for how many seconds, how likely, between which hours."""

    power: float
    seconds: int
    chance: float
    begin: float
    end: float
    # None is any socket of the house.
    phase: int | None = None
    # So much on each of the three.
    three_phase: bool = False
    # On a circuit of the backup output.
    backup: bool = False


APPLIANCES: Final = (
    Appliance(1900.0, 300, 0.08, 6, 23),
    Appliance(2200.0, 1200, 0.2, 17, 20, phase=1),
    Appliance(1700.0, 1800, 0.1, 8, 16, phase=2),
)

# What goes on and off all day in a house that people live in, on circuits of both kinds: fridge, freezer, screens, a
# pump, a cooker, a vacuum cleaner.
SMALL_APPLIANCES: Final = (
    Appliance(130.0, 1200, 0.45, 0, 24, phase=0, backup=True),
    Appliance(90.0, 1500, 0.5, 0, 24, phase=2, backup=True),
    Appliance(300.0, 900, 0.3, 8, 23, phase=1, backup=True),
    Appliance(650.0, 300, 0.12, 0, 24, phase=0),
    Appliance(1400.0, 180, 0.06, 6, 23, phase=1, backup=True),
    Appliance(900.0, 240, 0.06, 7, 22, phase=2),
)
# A heat pump of three phases that heats for half an hour, and then waits.
HEAT_PUMP: Final = (Appliance(850.0, 1800, 0.45, 0, 24, three_phase=True),)


# An electric car that comes home empty each evening: 11 kW on three phases, 33 kWh.
CAR: Final = tuple(Appliance(3680.0, 86400, 1.0, 19, 22, phase=phase) for phase in range(3))


@dataclass(frozen=True, slots=True)
class House:
    """A household on three phases, partly behind the backup output."""

    seed: int
    appliances: tuple[Appliance, ...] = APPLIANCES
    # The circuits of the backup output go up and down on their own, and not together with the others of their phase.
    apart: bool = False

    def demand(self, now: datetime) -> tuple[Phases, Phases]:
        """The watts per phase of the home load and of the backup load."""
        hour, seconds = hour_of(now), seconds_of(now)
        whole = BASE
        for middle, width, power in MEALS:
            whole += power * math.exp(-(((hour - middle) / width) ** 2))
        phases = [
            whole * share * (0.6 + 0.8 * noise(self.seed + 10 + phase, seconds, 420))
            for phase, share in enumerate(SHARES)
        ]
        home = [power * (1 - BACKUP_SHARE) for power in phases]
        backup = [power * BACKUP_SHARE for power in phases]
        if self.apart:
            backup = [
                whole
                * share
                * BACKUP_SHARE
                * (0.6 + 0.8 * noise(self.seed + 50 + phase, seconds, 300))
                for phase, share in enumerate(SHARES)
            ]
        for appliance, phase in self._running(hour, seconds):
            (backup if appliance.backup else home)[phase] += appliance.power
        return (home[0], home[1], home[2]), (backup[0], backup[1], backup[2])

    def car(self, now: datetime) -> Phases:
        """The watts per phase of the home load that charge the car."""
        powers = [0.0, 0.0, 0.0]
        for appliance, phase in self._running(hour_of(now), seconds_of(now)):
            if appliance in CAR:
                powers[phase] += appliance.power
        return powers[0], powers[1], powers[2]

    def _running(self, hour: float, seconds: float) -> Iterator[tuple[Appliance, int]]:
        """The appliances that run, each with its phase."""
        for number, appliance in enumerate(self.appliances):
            if appliance.begin <= hour < appliance.end:
                turn, seed = int(seconds // appliance.seconds), self.seed + 20 + 2 * number
                if random(seed, turn) <= 1 - appliance.chance:
                    continue
                if appliance.three_phase:
                    yield from ((appliance, phase) for phase in range(3))
                    continue
                phase = appliance.phase
                yield appliance, int(random(seed + 1, turn) * 3) if phase is None else phase
