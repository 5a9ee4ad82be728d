"""The last changes of a machine's settings, and what puts them back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Final

from .block import Written
from .codec import Value
from .errors import UndoError

# How many changes are remembered, which the diagnostics show.
REMEMBERED_CHANGES: Final = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that was written and kept."""

    when: datetime
    key: str
    before: Value | None
    after: Value
    # The changes that were made together, and are put back together, share a number.
    group: int | None = None
    # Whether they were made one after another, and go back in the opposite order, instead of in one request.
    in_order: bool = False

    def belongs_to(self, other: Change) -> bool:
        """Whether the two are put back together; each belongs to itself."""
        return self is other or (self.group is not None and self.group == other.group)


class ChangeLog:
    """Remembers changes in the order in which they were made; what was made together is forgotten together."""

    def __init__(self) -> None:
        """Begin with none."""
        self._changes: deque[Change] = deque()
        self._group_numbers = count()

    @property
    def changes(self) -> Sequence[Change]:
        """Return all that are remembered, the oldest first."""
        return self._changes

    def remember(self, written: Sequence[Written], *, in_order: bool) -> None:
        """Keep what was changed together, with what it was before."""
        now = datetime.now(UTC)
        group = next(self._group_numbers) if len(written) > 1 else None
        self._changes.extend(
            Change(now, one.key, one.before, one.after, group, in_order) for one in written
        )
        while len(self._changes) > REMEMBERED_CHANGES:
            oldest = self._changes.popleft()
            while self._changes and self._changes[0].belongs_to(oldest):
                self._changes.popleft()

    def last(self) -> list[Change]:
        """Return the changes that were made last and together, in order; UndoError when there are none."""
        if not self._changes:
            raise UndoError
        return [change for change in self._changes if change.belongs_to(self._changes[-1])]

    def forget(self, undone: Change) -> None:
        """Forget a change that was put back, and those that were put back with it."""
        self._changes = deque(change for change in self._changes if not change.belongs_to(undone))


def former_values(changes: Sequence[Change]) -> list[tuple[str, Value]]:
    """Return the settings as they were before these changes; UndoError when nobody knows that of one."""
    former: list[tuple[str, Value]] = []
    for change in changes:
        if change.before is None:
            raise UndoError(change.key)
        former.append((change.key, change.before))
    return former
