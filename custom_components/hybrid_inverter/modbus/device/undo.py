"""The last changes of a device's settings, and the values that revert them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final

from ..errors import ChangedElsewhereError, UndoError
from ..model.codec import Value
from ..model.stored_value import from_json, to_json
from .image import utc_now
from .write_request import AppliedChange

# How many changes are remembered; the diagnostics show them.
HISTORY_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that was written and applied."""

    when: datetime
    key: str
    before: Value | None
    after: Value
    # The changes that were made together, and are reverted together, share a number.
    group: int | None = None
    # Whether they were made one after another, and are reverted in the opposite order, instead of in one request.
    in_order: bool = False

    def belongs_to(self, other: Change) -> bool:
        """Whether the two are reverted together; each belongs to itself."""
        return self is other or (self.group is not None and self.group == other.group)


class ChangeLog:
    """Remembers changes in the order in which they were made; what was made together is forgotten together."""

    def __init__(self) -> None:
        self._changes: deque[Change] = deque()
        self._group_numbers = count()
        self._listeners: list[Callable[[], None]] = []

    @property
    def changes(self) -> Sequence[Change]:
        """All that are remembered, the oldest first."""
        return self._changes

    def remember(
        self, applied: Sequence[AppliedChange], *, in_order: bool, lent: Collection[str] = ()
    ) -> None:
        """Add settings that were changed together; what the `lent` ones were before is not known."""
        now = utc_now()
        group = next(self._group_numbers) if len(applied) > 1 else None
        self._changes.extend(
            Change(
                now, one.key, None if one.key in lent else one.before, one.after, group, in_order
            )
            for one in applied
        )
        while len(self._changes) > HISTORY_SIZE:
            oldest = self._changes.popleft()
            while self._changes and self._changes[0].belongs_to(oldest):
                self._changes.popleft()
        self._tell()

    def last(self) -> list[Change]:
        """The changes that were made last and together, in order; none when there are none."""
        return [change for change in self._changes if change.belongs_to(self._changes[-1])]

    def forget(self, reverted: Change) -> None:
        """Remove a change that was reverted, and those that were reverted with it."""
        self._changes = deque(change for change in self._changes if not change.belongs_to(reverted))
        self._tell()

    def add_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call back when there are other changes; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self) -> None:
        """Call the listeners back."""
        for listener in tuple(self._listeners):
            listener()

    def as_list(self) -> list[dict[str, Any]]:
        """Everything that `restore` takes, fit for JSON."""
        return [
            {
                "when": change.when.isoformat(),
                "key": change.key,
                "before": to_json(change.before),
                "after": to_json(change.after),
                "group": change.group,
                "in_order": change.in_order,
            }
            for change in self._changes
        ]

    def restore(self, stored: Sequence[Mapping[str, Any]]) -> None:
        """Go on from what `as_list` returned."""
        self._changes = deque(
            Change(
                datetime.fromisoformat(one["when"]),
                one["key"],
                from_json(one["before"]),
                after,
                one["group"],
                one["in_order"],
            )
            for one in stored
            if (after := from_json(one["after"])) is not None
        )
        groups = [change.group for change in self._changes if change.group is not None]
        self._group_numbers = count(max(groups, default=-1) + 1)


def check_unchanged(changes: Sequence[Change], values: Mapping[str, Value | None]) -> None:
    """ChangedElsewhereError when one of these settings holds neither what was written last nor what was before all."""
    written = {change.key: change.after for change in changes}
    before = {change.key: change.before for change in reversed(changes)}
    for key, after in written.items():
        if (held := values[key]) not in (after, before[key]):
            raise ChangedElsewhereError(key, after, held)


def values_before(changes: Sequence[Change]) -> list[tuple[str, Value]]:
    """The settings as they were before these changes; UndoError when that is not known of one."""
    before: list[tuple[str, Value]] = []
    for change in changes:
        if change.before is None:
            raise UndoError(change.key)
        before.append((change.key, change.before))
    return before
