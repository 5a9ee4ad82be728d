"""What leads to the units of an entry: a link that asks them, or a listener that hears others ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .endpoint import Endpoint
from .unit import Unit


class Counts(Protocol):
    """What was done and heard so far."""

    def as_dict(self) -> dict[str, object]:
        """Return everything, for diagnostics."""
        ...


class Connection(Protocol):
    """Opens and closes, tells when it is lost, and has units."""

    @property
    def endpoint(self) -> Endpoint:
        """Return where it leads."""
        ...

    @property
    def statistics(self) -> Counts:
        """Return what was done and heard so far."""
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
        """Call back with whether it is connected whenever that changes; return what ends it."""
        ...

    def unit(self, unit_id: int, spacing: float = 0) -> Unit:
        """Return one of the units behind it, which rests for so many seconds after each answer."""
        ...

    async def connect(self) -> None:
        """Open it if it is not open; the LinkError says why that failed."""
        ...

    async def close(self) -> None:
        """Close for good."""
        ...
