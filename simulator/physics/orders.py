"""What an inverter is to do at a moment, whatever brand's settings have led to it. Watts, and SOC from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
import math
from typing import NamedTuple, Protocol

from .battery import Battery


class Moment(NamedTuple):
    """What a machine's rules look at: its own clock, and its battery."""

    clock: datetime
    battery: Battery


class PortUse(StrEnum):
    """What hangs on the generator port (manual 5.9)."""

    NOTHING = "nothing"
    GENERATOR = "generator_input"
    SMART_LOAD = "smart_load_output"
    MICRO_INVERTER = "micro_inverter_input"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorOrders:
    """When the generator runs, and what for."""

    # At or below the first SOC it starts, at the second it stops; `forced` does not look at the battery.
    start_soc: float = 0.0
    stop_soc: float = 0.0
    forced: bool = False
    # Into the battery.
    charge: float = 0.0
    # The most that it shall give; with `peak_shaving` the battery helps when the load alone is more.
    rated_power: float = 5000.0
    peak_shaving: bool = False
    # Hours; it runs no longer in one go and on one day, and then rests.
    most_run: float = 24.0
    rest: float = 0.0
    # It feeds the grid's terminal when there is no grid, and with it the whole house.
    on_grid_input: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PortOrders:
    """What the generator port is for."""

    use: PortUse = PortUse.NOTHING
    generator: GeneratorOrders = field(default_factory=GeneratorOrders)
    # A smart load or a micro inverter goes on and off at these SOC values, a smart load only with so much sun.
    on_soc: float = 1.0
    off_soc: float = 0.95
    least_solar: float = 500.0
    # The smart load is on while there is a grid, or always.
    on_grid: bool = False
    forced: bool = False
    # The micro inverter's power may not flow into the grid.
    export_cutoff: bool = False
    # The island's frequency when the battery has reached `off_soc`.
    high_frequency: float = 52.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the settings of a machine mean to its flows."""

    enabled: bool = True
    # It serves the whole house, or only its backup output.
    serves_home: bool = True
    # PV power goes to the load before it goes to the battery.
    load_first: bool = True
    # So much is always drawn, so that a sudden drop of the load exports nothing.
    least_import: float = 0.0
    # What may flow into the grid, altogether and on the worst phase, and whether out of the battery too.
    export: float = 0.0
    phase_export: float = math.inf
    sells_battery: bool = False
    # The most that the battery gives beside what the loads take; what the sun gives comes on top of it.
    sells: float = math.inf
    # Peak shaving: what may be drawn, and down to which SOC the battery helps.
    grid_import: float = math.inf
    shaving_floor: float = 1.0
    solar: float = math.inf
    # The battery: the most in and out for whatever purpose, and where charging ends.
    charge: float = math.inf
    discharge: float = math.inf
    full: float = 1.0
    # What it gives to the load while there is a grid.
    to_load: float = 0.0
    floor: float = 0.0
    # What comes from the grid into the battery, and up to which SOC.
    grid_charge: float = 0.0
    grid_charge_to: float = 0.0
    # Without a grid: where the output goes off, and where it comes back.
    shutdown: float = 0.0
    restart: float = 0.0
    port: PortOrders = field(default_factory=PortOrders)

    def orders(self, moment: Moment) -> Orders:
        """Themselves: orders that never change are settings too."""
        return self


@dataclass(frozen=True, slots=True)
class Ordered:
    """Settings of which an order for the battery stands in the way: watts, + discharging, whatever flows at the grid."""

    settings: Controls
    watts: float

    def orders(self, moment: Moment) -> Orders:
        """What is to be done instead of what is set."""
        own = self.settings.orders(moment)
        if self.watts < 0:
            return replace(
                own,
                load_first=False,
                to_load=0.0,
                grid_charge=min(-self.watts, own.charge),
                grid_charge_to=own.full,
            )
        return replace(
            own,
            charge=0.0,
            sells_battery=True,
            export=math.inf,
            to_load=self.watts,
            discharge=min(self.watts, own.discharge),
        )


class Controls(Protocol):
    """The settings of one brand's machine."""

    def orders(self, moment: Moment) -> Orders:
        """What they mean at a moment."""
        ...
