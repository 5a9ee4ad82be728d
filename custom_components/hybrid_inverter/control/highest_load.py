"""The highest load of the last hour: what a house may use again while its battery is charged from the grid."""

from datetime import datetime, timedelta
from typing import Final

HOUR: Final = timedelta(hours=1)


class HighestLoad:
    """Remembers the loads of an hour, in watts."""

    def __init__(self) -> None:
        # The time and the watts of each poll that was higher than all after it.
        self._loads: list[tuple[datetime, float]] = []

    @property
    def watts(self) -> float | None:
        """The highest; None while none is known."""
        return max((watts for _, watts in self._loads), default=None)

    def note(self, now: datetime, load: float) -> None:
        """Remember the load of a poll."""
        self._loads = [
            (when, watts) for when, watts in self._loads if now - when < HOUR and watts > load
        ]
        self._loads.append((now, load))
