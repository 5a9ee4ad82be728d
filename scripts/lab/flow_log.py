"""What has flowed in a simulated house, by quarters of an hour."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Final

from simulator.physics import Site

QUARTER: Final = 900
# Grid: as a meter counts that has one register for all phases.
NAMES: Final = (
    *("pv", "house", "grid_import", "grid_export", "battery_charge", "battery_discharge"),
)


class FlowLog:
    """Kilowatt-hours by quarter of an hour, integrated from the powers of the physics."""

    def __init__(self, site: Site, begin: datetime) -> None:
        """Watch a house from now on, which is `begin`, with a zone."""
        self._site = site
        # The house knows no zone, and its time never jumps.
        self._ahead = site.now - begin.astimezone(UTC).replace(tzinfo=None)
        # By the number of the quarter since 1970.
        self.quarters: dict[int, dict[str, float]] = defaultdict(lambda: dict.fromkeys(NAMES, 0.0))
        site.watchers.append(self._watch)

    def energy(self, begin: datetime, end: datetime) -> dict[str, float]:
        """What has flowed between two times with a zone, each at a full quarter of an hour."""
        numbers = range(self._number(begin), self._number(end))
        kept = [self.quarters[number] for number in numbers if number in self.quarters]
        return {name: sum(quarter[name] for quarter in kept) for name in NAMES}

    @staticmethod
    def _number(moment: datetime) -> int:
        return int(moment.timestamp()) // QUARTER

    def _watch(self, seconds: float) -> None:
        """Note what has flowed in the seconds that have just passed."""
        site = self._site
        middle = site.now - timedelta(seconds=seconds / 2) - self._ahead
        quarter = self.quarters[self._number(middle.replace(tzinfo=UTC))]
        hours = seconds / 3_600_000
        grid = site.grid_point.power
        battery = sum(inverter.flows.battery for inverter in site.inverters)
        backup = sum(sum(inverter.flows.backup) for inverter in site.inverters)
        quarter["pv"] += hours * sum(sum(inverter.flows.pv) for inverter in site.inverters)
        quarter["house"] += hours * (sum(site.home) + backup)
        quarter["grid_import"] += hours * max(0.0, grid)
        quarter["grid_export"] += hours * max(0.0, -grid)
        quarter["battery_charge"] += hours * max(0.0, -battery)
        quarter["battery_discharge"] += hours * max(0.0, battery)
