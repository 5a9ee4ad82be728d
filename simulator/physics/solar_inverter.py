"""A solar inverter without a battery, coupled to the house on its AC side."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Final

from .phases import NOTHING, Phases, alike
from .pv import PvString
from .sky import Light

EFFICIENCY: Final = 0.97
# It feeds fully up to the first frequency, and nothing from the second on.
THROTTLED_FROM: Final = 50.2
STOPPED_AT: Final = 52.0


@dataclass(frozen=True, slots=True)
class SolarInverter:
    """Some strings, and how they are turned into AC power: the most watts, and the phase (None is all three)."""

    strings: tuple[PvString, ...]
    rated_power: float = math.inf
    phase: int | None = None
    # What it draws by night.
    standby: float = 0.0

    def power(self, light: Light) -> float:
        """The watts that it gives now; a little less than nothing by night."""
        power = sum(string.power(light) for string in self.strings) * EFFICIENCY
        return min(power, self.rated_power) or -self.standby

    def phases(self, power: float) -> Phases:
        """A power on the phases that it feeds."""
        if self.phase is None:
            return alike(power, 3)
        powers = list(NOTHING)
        powers[self.phase] = power
        return powers[0], powers[1], powers[2]


def throttle(frequency: float) -> float:
    """The share of its power that a solar inverter gives at a frequency."""
    share = (STOPPED_AT - frequency) / (STOPPED_AT - THROTTLED_FROM)
    return min(1.0, max(0.0, share))


def frequency_for(share: float) -> float:
    """The lowest frequency at which a solar inverter gives no more than a share of its power."""
    return STOPPED_AT - share * (STOPPED_AT - THROTTLED_FROM)
