"""What keeps the voltage that an inverter follows, and what it does for that."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

from .orders import Orders


class Supply(Enum):
    """What keeps the voltage that an inverter follows."""

    GRID = auto()
    # At its own port, in the place of the grid.
    GENERATOR = auto()
    # At its grid terminal: the whole house hangs on it.
    GENERATOR_AT_GRID = auto()
    # Nobody but itself.
    ISLAND = auto()


def by_generator(orders: Orders) -> Orders:
    """The orders while a generator is in the place of the grid: nothing may flow back into it."""
    generator = orders.port.generator
    return replace(
        orders,
        serves_home=True,
        least_import=0.0,
        export=0.0,
        sells_battery=False,
        grid_import=generator.rated_power,
        shaving_floor=orders.shutdown if generator.peak_shaving else 1.0,
        to_load=0.0,
        grid_charge=generator.charge,
        grid_charge_to=generator.stop_soc,
    )
