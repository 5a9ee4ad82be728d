"""How long to wait after a poll that has failed."""

from typing import Final

from homeassistant.config_entries import ConfigEntry

from ..const import CONF_TYPE, TYPE_STICK
from .machine import Machine

# The longest pause, in seconds, between polls that fail one after the other.
MAX_PAUSE: Final = 60.0
# Seconds until the next poll where the link cannot be opened, which is not tried more often than it allows.
RECONNECT_PAUSE: Final = 1.0


class BackOff:
    """The pauses of a coordinator between polls that fail one after the other.

    A silent machine is polled less and less, as the time spent on waiting is lost for the others on the link; one that
    has the link to itself is not. A stick has other things to do than to answer us, and is not to be pressed while it
    does them.
    """

    def __init__(self, entry: ConfigEntry, machine: Machine, interval: float) -> None:
        """`interval` is how many seconds pass between polls that do not fail."""
        self._entry = entry
        self._machine = machine
        self._interval = interval
        # Seconds of pause after the last failed poll; 0 after one that did not fail.
        self._pause = 0.0

    def end(self) -> None:
        """Begin anew with the next failure."""
        self._pause = 0.0

    def next_pause(self, *, in_vain: bool) -> float | None:
        """The seconds until the next poll, now that one has failed; None for as many as always.

        `in_vain` is whether the line was kept waiting for nothing.
        """
        stick = self._entry.data[CONF_TYPE] == TYPE_STICK
        if not self._entry.runtime_data.link.reachable:
            return None if stick else RECONNECT_PAUSE
        if not stick and not (in_vain and self._has_company):
            self._pause = 0.0
            return None
        longer = 2 * (self._pause or self._interval) if stick or self._pause else self._interval
        self._pause = max(self._interval, min(longer, MAX_PAUSE))
        return self._pause

    @property
    def _has_company(self) -> bool:
        """Whether another machine on the link answers."""
        return any(
            unit.machine is not self._machine and unit.machine.last_error is None
            for unit in self._entry.runtime_data.units.values()
        )
