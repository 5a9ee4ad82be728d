"""What really flowed in the house on each day, whatever the machines make of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Final

from .physics import Site

NAMES: Final = (
    "pv",
    "solar",
    "grid_import",
    "grid_export",
    "battery_charge",
    "battery_discharge",
    "house",
    "bought",
    "sold",
)


class Diary:
    """Kilowatt-hours by day, integrated from the powers of the physics; a meter's by phase, as it counts them.

    What is bought and sold is what a meter counts that adds the phases up.
    """

    def __init__(self, site: Site) -> None:
        """Watch a house from now on."""
        self._site = site
        self.days: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(NAMES, 0.0))
        site.watchers.append(self._watch)

    def _watch(self, seconds: float) -> None:
        """Write down what flowed during the seconds that have just passed."""
        site = self._site
        day = self.days[(site.now - timedelta(seconds=seconds)).date().isoformat()]
        grid = site.grid_point.powers
        used = sum(site.home) + sum(sum(inverter.flows.backup) for inverter in site.inverters)
        batteries = [inverter.flows.battery for inverter in site.inverters]
        for name, watts in (
            ("pv", sum(sum(inverter.flows.pv) for inverter in site.inverters)),
            ("solar", max(0.0, site.solar_point.power)),
            ("grid_import", sum(max(0.0, power) for power in grid)),
            ("grid_export", sum(max(0.0, -power) for power in grid)),
            ("battery_charge", sum(max(0.0, -power) for power in batteries)),
            ("battery_discharge", sum(max(0.0, power) for power in batteries)),
            ("house", used),
            ("bought", max(0.0, sum(grid))),
            ("sold", max(0.0, -sum(grid))),
        ):
            day[name] += watts * seconds / 3_600_000
