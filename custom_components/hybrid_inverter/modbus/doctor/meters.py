"""Whether the two meters that an inverter reads have each other's address."""

from __future__ import annotations

from typing import Final

from .steps import MAX_PAUSE

# W that a solar inverter may draw by night, and W below which it is one that draws.
STANDBY: Final = 60.0
DRAWS: Final = 150.0
# W of the strings below which it is dark, and for how many s before anything follows from it.
DARK: Final = 5.0
DARK_SECONDS: Final = 900.0
# W by which the inverter has to move, and the part of it that the meter which sees it has to follow.
MOVED: Final = 300.0
FOLLOWS: Final = 0.25
STILL: Final = 40.0
# What is needed: s of a power that no solar inverter has, or steps; and the share of the time that may contradict.
NEEDED_SECONDS: Final = 300.0
NEEDED_STEPS: Final = 4.0
MEMORY: Final = 1800.0
KEEP: Final = 0.95


class ExchangedMeters:
    """The evidence for and against it."""

    def __init__(self) -> None:
        self._last: tuple[float, float, float, float] | None = None
        self._dark_since: float | None = None
        self._impossible = 0.0
        self._possible = 0.0
        self._exchanged_steps = 0.0
        self._right_steps = 0.0

    def add(self, time: float, at_grid: float, at_solar: float, own: float, sun: float) -> None:
        """Take the W of a moment into account: of both meters, of the inverter's terminal and its strings.

        `sun` is infinite where there are no strings.
        """
        last = self._last
        self._last = time, at_grid, at_solar, own
        if sun > DARK:
            self._dark_since = None
        elif self._dark_since is None:
            self._dark_since = time
        if last is None or time - last[0] > MAX_PAUSE:
            return
        seconds = time - last[0]
        is_dark = self._dark_since is not None and time - self._dark_since >= DARK_SECONDS
        keep = 1 - seconds / MEMORY
        if at_solar < -DRAWS or (is_dark and at_solar > DRAWS):
            self._impossible = keep * self._impossible + seconds
            self._possible *= keep
        elif is_dark and abs(at_grid) > DRAWS:
            self._possible = keep * self._possible + seconds
            self._impossible *= keep
        self._step(at_grid - last[1], at_solar - last[2], own - last[3])

    def _step(self, grid: float, solar: float, own: float) -> None:
        """Count which meter follows the inverter while the other one stands still."""
        if abs(own) < MOVED:
            return
        if abs(solar - own) <= FOLLOWS * abs(own) and abs(grid) <= STILL:
            self._exchanged_steps = KEEP * self._exchanged_steps + 1
            self._right_steps *= KEEP
        elif abs(grid - own) <= FOLLOWS * abs(own) and abs(solar) <= STILL:
            self._right_steps = KEEP * self._right_steps + 1
            self._exchanged_steps *= KEEP

    @property
    def are_exchanged(self) -> bool:
        """Whether they are."""
        if self._impossible >= NEEDED_SECONDS and self._impossible >= 4 * self._possible:
            return True
        return (
            self._exchanged_steps >= NEEDED_STEPS and self._exchanged_steps >= 4 * self._right_steps
        )
