"""The powers of one moment at one inverter. Watts: grid + import, battery + discharge, inverter + out of it."""

from __future__ import annotations

from dataclasses import dataclass

from .phases import NOTHING, PHASES, Phases, add, less


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """What flows at the terminals of one inverter, and through the house connection that its clamps are on."""

    pv: tuple[float, ...] = ()
    battery: float = 0.0
    inverter_phases: Phases = NOTHING
    # At the backup output, what hangs on the smart-load port included.
    backup: Phases = NOTHING
    smart_load: float = 0.0
    # What comes in at the generator port.
    port: Phases = NOTHING
    # A generator in the place of the grid.
    generator: float = 0.0
    grid_phases: Phases = NOTHING
    # What others in the house feed on the AC side, as far as it is known.
    others: Phases = NOTHING

    @property
    def inverter(self) -> float:
        """The inverter's output."""
        return sum(self.inverter_phases)

    @property
    def grid(self) -> float:
        """The power drawn from the grid."""
        return sum(self.grid_phases)

    @property
    def load(self) -> Phases:
        """The load of the house: what comes from the grid, this inverter, its port and all others."""
        return add(add(self.grid_phases, self.inverter_phases), add(self.port, self.others))

    @property
    def terminal(self) -> Phases:
        """What the inverter draws at its own grid terminal."""
        return less(less(self.backup, self.inverter_phases), self.port)

    def meters(self, *, turning: bool) -> dict[str, float]:
        """The power that each energy counter counts; none is negative."""
        l1, l2, l3 = self.grid_phases
        grid, inverter, battery = l1 + l2 + l3, sum(self.inverter_phases), self.battery
        return {
            "pv": sum(self.pv),
            "battery_charge": max(0.0, -battery),
            "battery_discharge": max(0.0, battery),
            "grid_import": max(0.0, grid),
            "grid_export": max(0.0, -grid),
            "load": max(0.0, grid + inverter + sum(self.port) + sum(self.others)),
            "inverter": max(0.0, inverter),
            "backup": max(0.0, sum(self.backup)),
            "generator": sum(self.port) + self.generator,
            # Hours are the energy of one watt.
            "generator_hours": 1.0 if turning else 0.0,
            **{f"pv{number}": power for number, power in enumerate(self.pv, 1)},
            "grid_l1_import": max(0.0, l1),
            "grid_l2_import": max(0.0, l2),
            "grid_l3_import": max(0.0, l3),
            "grid_l1_export": max(0.0, -l1),
            "grid_l2_export": max(0.0, -l2),
            "grid_l3_export": max(0.0, -l3),
        }


def by_phase(way: str, values: Phases) -> dict[str, float]:
    """What goes one way through the house connection, by counter."""
    return {f"grid_{phase}_{way}": value for phase, value in zip(PHASES, values, strict=True)}
