"""What leads to the units of an entry: a link that polls them, or a listener that hears others do so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .endpoint import Endpoint
from .events import Frame
from .unit import Unit


class Counts(Protocol):
    """What was sent and received so far."""

    def as_dict(self) -> dict[str, object]:
        """Everything, for diagnostics."""
        ...


class Connection(Protocol):
    """Opens and closes, notifies when it is lost, and has units."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it leads."""
        ...

    @property
    def statistics(self) -> Counts:
        """What was sent and received so far."""
        ...

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The last frames, the oldest first."""
        ...

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        ...

    @property
    def reachable(self) -> bool:
        """Whether the last attempt to open it succeeded."""
        ...

    def add_listener(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        """Call back with whether it is connected whenever that changes; what is returned ends it."""
        ...

    def unit(self, unit_id: int, spacing: float = 0) -> Unit:
        """One of the units behind it, which is left alone for so many seconds after each answer."""
        ...

    async def connect(self) -> None:
        """Open it if it is not open; the LinkError says why that failed."""
        ...

    def keep_trying(self) -> None:
        """See to it that it is opened as soon as it can be, now that this has failed."""
        ...

    async def close(self) -> None:
        """Close for good."""
        ...
