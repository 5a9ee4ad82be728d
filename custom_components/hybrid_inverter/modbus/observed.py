"""What can be seen of a connection from outside: that it opens and closes, and the bytes that went over it last."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes that went over a connection, at a time of the event loop's clock."""

    time: float
    sent: bool
    data: bytes


class Observed:
    """Something that opens and closes, and over which bytes go."""

    def __init__(self, frames: int) -> None:
        """Keep so many frames for diagnostics."""
        self._frames: deque[Frame] = deque(maxlen=frames)
        self._listeners: list[Callable[[bool], None]] = []

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Return the last frames, the oldest first."""
        return tuple(self._frames)

    def add_listener(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        """Call back with whether it is connected whenever that changes; return what ends it."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def _tell(self, *, connected: bool) -> None:
        """Tell the listeners that it was opened or closed."""
        for callback in tuple(self._listeners):
            callback(connected)

    def _keep(self, data: bytes, at: float, *, sent: bool) -> None:
        """Keep bytes that have just gone over it."""
        self._frames.append(Frame(at, sent, data))
