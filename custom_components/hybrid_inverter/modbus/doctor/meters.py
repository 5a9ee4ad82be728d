"""Whether the two meters that an inverter reads have each other's address."""

from __future__ import annotations

from typing import Final

from .steps import Elapsed

# W that a solar inverter may draw by night, and from which it would be a load.
STANDBY: Final = 60.0
DRAWS: Final = 150.0
# W of the strings below which it is dark, and for how many s before anything follows from it.
DARK: Final = 5.0
DARK_SECONDS: Final = 900.0
# s of powers that no solar inverter has that are needed, and that are remembered; so much of the time may contradict.
NEEDED_SECONDS: Final = 300.0
MEMORY: Final = 1800.0
CONTRADICTING: Final = 0.25


class ExchangedMeters:
    """The evidence for and against it."""

    def __init__(self) -> None:
        self._elapsed = Elapsed()
        self._dark_since: float | None = None
        self._impossible = 0.0
        self._possible = 0.0

    def add(self, time: float, at_grid: float, at_solar: float, sun: float) -> None:
        """Take the W of a moment into account: of both meters, and of the inverter's strings.

        `sun` is infinite where there are no strings.
        """
        seconds = self._elapsed.until(time)
        if sun > DARK:
            self._dark_since = None
        elif self._dark_since is None:
            self._dark_since = time
        if not seconds:
            return
        is_dark = self._dark_since is not None and time - self._dark_since >= DARK_SECONDS
        keep = 1 - seconds / MEMORY
        draws = at_solar < -DRAWS
        if (draws and at_grid > -STANDBY) or (is_dark and at_solar > DRAWS):
            self._impossible = keep * self._impossible + seconds
            self._possible *= keep
        elif at_grid < -DRAWS or (is_dark and abs(at_grid) > DRAWS):
            self._possible = keep * self._possible + seconds
            self._impossible *= keep

    @property
    def are_exchanged(self) -> bool:
        """Whether the two meters have each other's address."""
        return (
            self._impossible >= NEEDED_SECONDS
            and self._possible <= CONTRADICTING * self._impossible
        )
