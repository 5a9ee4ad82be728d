"""An inverter alone in its house."""

from __future__ import annotations

from datetime import datetime

from .installation import Installation
from .inverter import Inverter
from .jso_rules import JsoControls
from .orders import Controls
from .site import Site
from .solar_inverter import SolarInverter


class Plant(Inverter):
    """One inverter and everything that hangs on it, with a house and a sun of its own."""

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
        super().__init__(
            Site(start=start, seed=seed, phases=built.phases, solar=solar),
            controls or JsoControls(),
            built,
            soc=soc,
        )

    @property
    def grid_present(self) -> bool:
        """Return whether there is a grid."""
        return self.site.grid.present

    @grid_present.setter
    def grid_present(self, value: bool) -> None:
        self.site.grid.alive = value
