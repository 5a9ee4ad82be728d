"""What an inverter sees of its house: what its own clamps and meters show, and what its sensors make of it."""

from __future__ import annotations

from dataclasses import replace

from .flows import Flows
from .phases import NOTHING, Phases, add, less
from .senses import Senses, scaled
from .surroundings import Surroundings
from .wiring import RIGHT, Place, Wiring


class View:
    """The clamps and sensors of one inverter; without senses they are exact."""

    def __init__(self, site: Surroundings, senses: Senses | None = None) -> None:
        """Begin with every clamp where it belongs."""
        self.senses = senses
        self._site = site
        self._wiring = Wiring()
        self.wiring = self._wiring

    @property
    def wiring(self) -> Wiring:
        """Where the clamps are, and what else it is told of the house."""
        return self._wiring

    @wiring.setter
    def wiring(self, value: Wiring) -> None:
        self._wiring = value
        self._clamps = value.grid
        if self.senses is not None:
            factors = scaled(value.grid.factors, self.senses.grid)
            self._clamps = replace(value.grid, factors=factors)
        # The clamps show what there is, whatever it does itself.
        self.is_right = self._clamps == RIGHT

    def believed(self, around: Phases, own: Phases) -> Phases:
        """What the rest of the house seems to draw, while this flows through its own grid terminal."""
        return around if self.is_right else less(self._grid(add(around, own), own), own)

    def _grid(self, grid: Phases, own: Phases) -> Phases:
        """What the clamps show of what comes from the grid and what it draws itself."""
        clamps = self._clamps
        match clamps.place:
            case Place.GRID:
                flowing = grid
            case Place.INVERTER:
                flowing = own
            case _:
                flowing = self._site.conductors[clamps.place]
        return clamps.power(flowing, NOTHING if clamps.is_straight else self._site.voltages)

    def solar(self, flows: Flows) -> Phases:
        """What it measures at a solar inverter of another maker; nothing without such a meter."""
        if (clamps := self._wiring.solar) is None:
            return NOTHING
        flowing = flows.grid_phases
        if clamps.place is not Place.GRID:
            flowing = self._site.conductors[clamps.place]
        shown = clamps.power(flowing)
        return shown if self.senses is None else scaled(shown, self.senses.solar)

    def of(self, flows: Flows, told: Phases) -> Flows:
        """The flows as it sees them; the inverters in parallel with it have told what they feed."""
        wiring, senses = self._wiring, self.senses
        others = add(told, self.solar(flows))
        grid = self._grid(flows.grid_phases, flows.terminal)
        if senses is None:
            return replace(
                flows, grid_phases=grid, others=others, battery=flows.battery * wiring.battery
            )
        strings = zip(flows.pv, senses.strings, strict=False)
        return Flows(
            pv=tuple(power * gain for power, gain in strings),
            battery=flows.battery * senses.battery * wiring.battery,
            inverter_phases=scaled(flows.inverter_phases, senses.stage),
            backup=scaled(flows.backup, senses.backup),
            smart_load=flows.smart_load,
            port=scaled(flows.port, senses.port),
            generator=flows.generator,
            grid_phases=grid,
            others=others,
        )
