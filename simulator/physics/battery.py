"""A battery of lithium iron phosphate cells, and what its management system allows. It does not age."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Final

# In series; a taller stack of the same energy has less current and more resistance.
CELLS: Final = 16
RESISTANCE: Final = 0.012
# Without a current: the volts of an empty battery, and by how much those of a full one are more.
EMPTY_VOLTAGE: Final = 49.5
RISE: Final = 4.0
# Of each way: what goes in is stored with this loss, and given back with it once more.
EFFICIENCY: Final = 0.975
# Above this SOC the battery takes less and less current, down to a last trickle.
TAPER_SOC: Final = 0.95
TRICKLE: Final = 0.05
# It takes no current in the frost, and all of it from here on; it stands in a cellar.
WARM: Final = 10.0
CELLAR: Final = 21.0
PER_AMPERE: Final = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What was bought: watt-hours, cells in series, and the most amperes in and out."""

    capacity: float = 30720.0
    count: int = CELLS
    charge: float = 150.0
    discharge: float = 150.0

    @property
    def resistance(self) -> float:
        """The ohms of all of them."""
        return RESISTANCE * (self.count / CELLS) ** 2

    def open_voltage(self, soc: float) -> float:
        """The volts without a current."""
        return (EMPTY_VOLTAGE + RISE * soc) * self.count / CELLS

    def soc_at(self, volts: float) -> float:
        """The SOC, 0 to 1, that such a voltage without a current belongs to."""
        return min(1.0, max(0.0, (volts * CELLS / self.count - EMPTY_VOLTAGE) / RISE))


class Battery:
    """What is stored, and how fast it may come and go. Powers are + out of the battery."""

    def __init__(self, cells: Cells, soc: float) -> None:
        """Begin with a state of charge, 0 to 1."""
        self.cells = cells
        self.room_temperature = CELLAR
        self.power = 0.0
        self._stored = soc * cells.capacity
        self.voltage = cells.open_voltage(soc)

    @property
    def soc(self) -> float:
        """The state of charge, 0 to 1."""
        return self._stored / self.cells.capacity

    @soc.setter
    def soc(self, value: float) -> None:
        self._stored = value * self.cells.capacity

    @property
    def current(self) -> float:
        """The amperes, so that voltage x current is the power."""
        return self.power / self.voltage

    def charge_power(self, amperes: float) -> float:
        """The watts that a current into it is now."""
        return amperes * (self.cells.open_voltage(self.soc) + self.cells.resistance * amperes)

    def discharge_power(self, amperes: float) -> float:
        """The watts that a current out of it is now."""
        return amperes * (self.cells.open_voltage(self.soc) - self.cells.resistance * amperes)

    @property
    def temperature(self) -> float:
        """Degrees Celsius: the room's, and a little warmth from the current."""
        return self.room_temperature + PER_AMPERE * abs(self.current)

    @property
    def charge_limit(self) -> float:
        """The amperes that it accepts now: fewer when it is almost full, or cold."""
        if self.soc >= 1:
            return 0.0
        taper = max(TRICKLE, min(1.0, (1 - self.soc) / (1 - TAPER_SOC)))
        return self.cells.charge * taper * min(1.0, max(0.0, self.temperature / WARM))

    @property
    def discharge_limit(self) -> float:
        """The amperes that it gives now."""
        return self.cells.discharge if self._stored > 0 else 0.0

    def most_charge(self, seconds: float, ceiling: float, watts: float) -> float:
        """The part of some watts that it can take for so long without rising above a SOC."""
        room = max(0.0, ceiling * self.cells.capacity - self._stored) / EFFICIENCY
        return min(watts, self.charge_power(self.charge_limit), room * 3600 / seconds)

    def most_discharge(self, seconds: float, floor: float, watts: float) -> float:
        """The part of some watts that it can give for so long without falling below a SOC."""
        left = max(0.0, self._stored - floor * self.cells.capacity) * EFFICIENCY
        return min(watts, self.discharge_power(self.discharge_limit), left * 3600 / seconds)

    def flow(self, power: float, seconds: float) -> None:
        """Give a power, or take it, for so long."""
        self.power = power
        inside = power / EFFICIENCY if power > 0 else power * EFFICIENCY
        stored = self._stored - inside * seconds / 3600
        # What the powers were bounded by is reached, but for the last bit of a float.
        self._stored = min(self.cells.capacity, max(0.0, stored))
        open_voltage = self.cells.open_voltage(self.soc)
        drop = 4 * self.cells.resistance * power
        self.voltage = (open_voltage + math.sqrt(open_voltage**2 - drop)) / 2
