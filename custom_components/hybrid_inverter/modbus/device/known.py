"""What is known of a device: what it has, what it held when it was last read, and what was changed last."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from ..model.codec import Value
from ..model.family import Family
from .image import WordFollower, utc_now
from .read_along import ReadAlong
from .register_reader import RegisterReader
from .snapshot import Snapshot
from .undo import Change, ChangeLog
from .write_request import AppliedChange


class KnownDevice:
    """A device as it was last read."""

    def __init__(self, reader: RegisterReader, change_log: ChangeLog) -> None:
        self._reader = reader
        self._change_log = change_log

    @property
    def family(self) -> Family:
        """The family as this device has it."""
        return self._reader.family

    @property
    def features(self) -> frozenset[str]:
        """What this device has that not every one of its family has."""
        return self._reader.features

    @property
    def scaling_inputs(self) -> frozenset[str]:
        """The keys that other values are scaled by, and that may change at the device."""
        return self._reader.scaling_inputs

    @property
    def values(self) -> Mapping[str, Value | None]:
        """The newest value of every key that was read so far."""
        return self._reader.values

    @property
    def image(self) -> Mapping[int, int]:
        """The newest raw word of every address whose last read succeeded."""
        return self._reader.image.words

    @property
    def quarantined(self) -> list[int]:
        """The addresses that the device does not serve, in order."""
        return sorted(self._reader.quarantined)

    @property
    def impossible(self) -> int:
        """How many powers were read that a device of this rating cannot deliver."""
        return self._reader.impossible

    @property
    def dropped(self) -> int:
        """How many answers were dropped because they could not be true."""
        return self._reader.dropped

    def read_at(self, key: str) -> datetime | None:
        """When a register was read last, in UTC; None if never, or if its words are from different reads."""
        return self._reader.image.read_at(self.family.registers[key])

    def outdated(self, keys: Collection[str], seconds: float) -> frozenset[str]:
        """Those of these registers and derived values of which something was last read longer ago, or in vain.

        What the device does not serve does not count.
        """
        return frozenset(key for key in keys if not self._is_recent(key, seconds))

    def _is_recent(self, key: str, seconds: float) -> bool:
        derived, image = self.family.derived.get(key), self._reader.image
        rows = self._reader.served((key,) if derived is None else derived.inputs)
        times = [image.read_at(row) if image.has(row) else None for row in rows]
        now = utc_now()
        return all(
            when is not None and 0 <= (now - when).total_seconds() <= seconds for when in times
        )

    def unread(self, keys: Collection[str]) -> frozenset[str]:
        """The registers of these keys and derived values that the device serves and whose last read brought nothing.

        What it has served before does not count as lacking, however often it is refused: it may be back any time.
        """
        family, image = self.family, self._reader.image
        rows = [family.registers.get(name) for name in self._inputs_of(keys)]
        return frozenset(
            row.key
            for row in rows
            if row is not None
            and not image.has(row)
            and (
                not self._reader.quarantine.lacks(row)
                or all(image.was_read(*span) for span in row.spans)
            )
        )

    def _inputs_of(self, keys: Collection[str]) -> set[str]:
        """The keys of these registers, and of those that these derived values are made of."""
        derived = self.family.derived
        return {
            name for key in keys for name in (derived[key].inputs if key in derived else (key,))
        }

    def addresses_of(self, keys: Collection[str]) -> set[int]:
        """The addresses of these registers, and of those that these derived values are made of."""
        registers = self.family.registers
        return {address for name in self._inputs_of(keys) for address in registers[name].addresses}

    def follow_words(self, follower: WordFollower) -> None:
        """Tell one follower of every word that is read from now on."""
        self._reader.image.follow(follower)

    def read_along(self, wanted: Collection[str]) -> ReadAlong:
        """What polls for other keys bring of these."""
        return ReadAlong(self._reader, wanted)

    def limits(self, key: str) -> tuple[float, float]:
        """The bounds in force for a key that has limits; ValueError for another."""
        return self._reader.limits(key)

    def snapshot(self, keys: Collection[str]) -> Snapshot:
        """These keys as they were last read; failed are those whose last read brought nothing."""
        return self._reader.snapshot(keys)

    # ------------------------------------------------------------------ what was changed

    @property
    def changes(self) -> Sequence[Change]:
        """The last changes that were made, the oldest first."""
        return self._change_log.changes

    @property
    def last_changes(self) -> Sequence[Change]:
        """Those that the next undo reverts; none when there is nothing to undo."""
        return self._change_log.last()

    def remember_changes(self, applied: Sequence[AppliedChange], *, in_order: bool) -> None:
        """Remember what was changed together in another way than by a write, so that an undo reverts it."""
        if applied:
            self._change_log.remember(applied, in_order=in_order)

    def forget_change(self, reverted: Change) -> None:
        """Forget a change that was reverted, or is not there any more, with all that was changed together with it."""
        self._change_log.forget(reverted)

    def add_change_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call back when there are other changes; returns how to stop that."""
        return self._change_log.add_listener(listener)
