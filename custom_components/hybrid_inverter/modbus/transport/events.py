"""What can be seen of a connection from outside: that it opens and closes, and the bytes that went over it last."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

# The longest frame there can be, an RTU frame in the envelope of a stick, has 284 bytes. What is longer is noise, of which
# the beginning says enough.
KEPT_BYTES: Final = 300


class Frame(NamedTuple):
    """Bytes that went over a connection together, at a time of the event loop's clock."""

    time: float
    sent: bool
    # Of those that are more than a frame can have only the first.
    data: bytes
    # How many there were.
    size: int


class ConnectionEvents:
    """Keeps the last frames of a connection, and notifies listeners when it opens and closes."""

    def __init__(self, frames: int) -> None:
        """`frames` is how many are kept, for diagnostics."""
        self._frames: deque[Frame] = deque(maxlen=frames)
        self._opened = 0
        # The number of the connection that is open, counted from 1; 0 while none is.
        self.connection = 0
        self._listeners: list[Callable[[bool], None]] = []

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The last frames, the oldest first."""
        return tuple(self._frames)

    def add_listener(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        """Call back with whether it is connected whenever that changes; what is returned ends it."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def notify(self, *, connected: bool) -> None:
        """Number the connection, and notify the listeners that it was opened or closed."""
        self._opened += connected
        self.connection = self._opened if connected else 0
        for callback in tuple(self._listeners):
            callback(connected)

    def record_frame(self, data: bytes, at: float, *, sent: bool) -> None:
        """Keep bytes that have just gone over it."""
        self._frames.append(Frame(at, sent, data[:KEPT_BYTES], len(data)))
