"""An inverter alone in its house, for tests of the physics."""

from __future__ import annotations

from datetime import datetime

from simulator.physics import Controls, Installation, Inverter, JsoControls, Site, SolarInverter


class LoneInverter(Inverter):
    """One inverter and everything that hangs on it, with a house and a sun of its own."""

    site: Site

    def __init__(
        self,
        *,
        start: datetime,
        seed: int = 1,
        soc: float = 0.6,
        installation: Installation | None = None,
        controls: Controls | None = None,
        solar: SolarInverter | None = None,
    ) -> None:
        """Begin at a local time with a battery charged to `soc`."""
        built = installation or Installation()
        site = Site(start=start, seed=seed, phases=built.phases, solar=solar)
        super().__init__(site, controls or JsoControls(), built, soc=soc)
        site.add(self)

    def step(self, seconds: float) -> None:
        """Let time pass in the house."""
        self.site.step(seconds)

    @property
    def grid_present(self) -> bool:
        """Whether there is a grid."""
        return self.site.grid.present

    @grid_present.setter
    def grid_present(self, value: bool) -> None:
        self.site.grid.alive = value
