"""A diesel generator that an inverter starts and stops by its battery."""

from __future__ import annotations

from typing import Final

from .orders import GeneratorOrders

# Seconds from the start to the first load, and from the last load to the stop: it is let cool down.
WARM_UP: Final = 15.0
COOLING: Final = 180.0
# A longest run of a whole day is none at all.
ENDLESS: Final = 24.0


class Generator:
    """An engine that is off, turns, or turns and is loaded."""

    def __init__(self) -> None:
        """Begin with a cold engine."""
        self.wanted = False
        self.turning = False
        self._forced = False
        self._warm = 0.0
        self._cooling = 0.0
        # Seconds that it has run since the day began or it last rested, and that it still has to rest.
        self._ran = 0.0
        self._rest = 0.0

    @property
    def loaded(self) -> bool:
        """Whether it gives power."""
        return self.wanted and self._warm >= WARM_UP

    def new_day(self) -> None:
        """Let it run as long as it may on a day."""
        self._ran = 0.0

    def decide(self, orders: GeneratorOrders, soc: float, *, allowed: bool) -> None:
        """Start or stop it."""
        released, self._forced = self._forced and not orders.forced, orders.forced
        if not allowed or self._rest > 0:
            self.wanted = False
        elif orders.forced:
            self.wanted = True
        elif soc >= orders.stop_soc:
            self.wanted = False
        elif soc <= orders.start_soc:
            self.wanted = True
        elif released:
            self.wanted = False
        if self.wanted and orders.most_run < ENDLESS and self._ran >= orders.most_run * 3600:
            self.wanted = False
            self._ran = 0.0
            self._rest = orders.rest * 3600

    def step(self, seconds: float) -> None:
        """Let so much time pass."""
        if self.wanted:
            self.turning = True
            self._cooling = COOLING
            self._warm += seconds
            self._ran += seconds
            return
        self._rest = max(0.0, self._rest - seconds)
        self._cooling = max(0.0, self._cooling - seconds)
        self.turning = self.turning and self._cooling > 0
        self._warm = self._warm if self.turning else 0.0
