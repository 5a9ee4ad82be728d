"""The generator port: a generator, a smart load or a micro inverter, whichever the settings say."""

from __future__ import annotations

from typing import Final

from .generator import Generator
from .orders import PortOrders, PortUse
from .pv import PvString
from .sky import Light
from .solar_inverter import SolarInverter, frequency_for, throttle

SMART_LOAD: Final = 1500.0
MICRO_INVERTER: Final = SolarInverter((PvString(1800.0),), rated_power=1600.0)
ISLAND_FREQUENCY: Final = 50.0
# From so much SOC below its end on, the frequency of an island rises.
RISE: Final = 0.05


class Port:
    """What hangs on the port, and whether it is on."""

    def __init__(self) -> None:
        """Begin with everything off."""
        self.generator = Generator()
        self.micro_inverter = MICRO_INVERTER
        self._smart_load = False
        self._micro_inverter = True

    def decide(
        self, orders: PortOrders, soc: float, sunshine: float, *, grid: bool, running: bool
    ) -> None:
        """Switch what is connected by the battery, the sun and the grid."""
        generator = orders.generator
        self.generator.decide(
            generator,
            soc,
            allowed=orders.use is PortUse.GENERATOR
            and running
            and not (generator.on_grid_input and grid),
        )
        # A display shows full percents, and the machine compares those.
        if soc < orders.off_soc or sunshine < orders.least_solar:
            self._smart_load = False
        elif round(soc, 2) >= orders.on_soc:
            self._smart_load = True
        if soc >= orders.off_soc:
            self._micro_inverter = False
        elif soc < orders.on_soc:
            self._micro_inverter = True

    def smart_load(self, orders: PortOrders, *, grid: bool) -> float:
        """The watts that the smart load takes."""
        if orders.use is not PortUse.SMART_LOAD:
            return 0.0
        on = self._smart_load or orders.forced or (orders.on_grid and grid)
        return SMART_LOAD if on else 0.0

    def feed(self, orders: PortOrders, light: Light) -> float:
        """The watts that the micro inverter could give."""
        if orders.use is not PortUse.MICRO_INVERTER or not self._micro_inverter:
            return 0.0
        return self.micro_inverter.power(light)


def throttled(
    available: float, most: float, soc: float, full: float, high: float
) -> tuple[float, float]:
    """What AC sources feed an island, at most a power, and the frequency that makes them.

    Towards a full battery the frequency rises to the setting, and the sources give less; so they do when the island
    cannot take more.
    """
    near = min(1.0, max(0.0, (soc - full + RISE) / RISE))
    frequency = ISLAND_FREQUENCY + (high - ISLAND_FREQUENCY) * near
    power = available * throttle(frequency)
    if power <= most:
        return power, frequency
    return most, frequency_for(most / available)
