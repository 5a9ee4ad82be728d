"""The modes of a device that leave settings behind: which are entered, which are over, and what held before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ..errors import NotRememberedError
from ..model.codec import Value
from ..model.register import Register
from ..model.residue import Residue, ResidueMemory
from .write_request import AppliedChange, WriteRequest


class Modes:
    """Keeps the memory of what leaving a mode has to restore in step with what is read and written."""

    def __init__(
        self,
        residues: Sequence[Residue],
        memory: ResidueMemory,
        values: Mapping[str, Value | None],
    ) -> None:
        """`values` are the device's newest ones, and go on changing."""
        self.memory = memory
        # Whether there is no such mode.
        self.is_empty = not residues
        self._residues = residues
        self._values = values

    def entered(self) -> list[Residue]:
        """The modes in which the device is run from here, and that we have entered."""
        return [
            residue
            for residue in self._residues
            if residue.run_from_here and self.memory.words(residue, residue.key) is not None
        ]

    def abandoned(self) -> list[Residue]:
        """Those of them that are in force since before Home Assistant has started: nobody runs the device any more."""
        return [
            residue
            for residue in self.entered()
            if self._values.get(residue.key) == residue.value
            and not self.memory.is_running(residue)
        ]

    def leaves(self, changes: Iterable[AppliedChange]) -> bool:
        """Whether these changes leave a mode, and not for another one in which the device is run from here."""
        left = {(change.key, change.before) for change in changes}
        entered = {(change.key, change.after) for change in changes}
        return any((one.key, one.value) in left for one in self._residues) and not any(
            one.run_from_here and (one.key, one.value) in entered for one in self._residues
        )

    def is_over(self, residue: Residue) -> bool:
        """Whether a mode was in force and is not any more, as far as we know; the new one need not have a name."""
        mode = self._values.get(residue.key, residue.value)
        return self.memory.was_in_force(residue) and mode != residue.value

    def rest_before(self, key: str, value: Value) -> tuple[str, Value] | None:
        """The setting that comes before this one and its value, where this enters a mode; None when there is none."""
        for residue in self._residues:
            if (residue.key, residue.value) == (key, value) and residue.rest is not None:
                was_set = self.memory.words(residue, residue.rest[0]) is not None
                return None if was_set else residue.rest
        return None

    def any_over(self) -> bool:
        """Whether a mode is over of which something is still to be restored."""
        return any(map(self.is_over, self._residues))

    def changed_by(self, changes: Iterable[AppliedChange]) -> list[Residue]:
        """The residues whose mode was changed."""
        keys = {change.key for change in changes}
        return [residue for residue in self._residues if residue.key in keys]

    def mode_keys(self, keys: Collection[str]) -> set[str]:
        """The settings that are the modes of these settings, or are among them."""
        return {
            residue.key
            for residue in self._residues
            if residue.key in keys or not set(residue.keys).isdisjoint(keys)
        }

    async def note_poll(self, values: Mapping[str, Value | None]) -> None:
        """Note what a poll says about the modes of which something is remembered."""
        for residue in self._residues:
            if (mode := values.get(residue.key)) == residue.value:
                self.memory.enter(residue)
            elif mode is not None and not self.memory.was_in_force(residue):
                # We wanted to enter it, and did not.
                self.memory.forget(residue, residue.key)
        await self.memory.save()

    async def remember_before(
        self, request: WriteRequest, changes: Iterable[AppliedChange], image: Mapping[int, int]
    ) -> None:
        """Remember, before it is written, what a mode may leave behind: what held before, and what is sent.

        It is the words that are remembered: what they mean need not be known to restore them. NotRememberedError when
        they could not be stored; then nothing must be sent.
        """
        if request.is_unchecked:
            # It restores what is remembered.
            return
        former = self.memory.copy()
        sent = {**image, **dict(zip(request.addresses, request.encode(image), strict=True))}
        remembered: str | None = None
        for residue in self._residues:
            for change in changes:
                enters = change.key == residue.key and change.after == residue.value
                if change.key in residue.keys or enters:
                    row, remembered = request.rows[change.key], change.key
                    self.memory.remember(residue, change.key, row.words(image), row.words(sent))
            if self._values.get(residue.key) == residue.value:
                self.memory.enter(residue)
        if not await self.memory.save() and remembered is not None:
            self.memory.reset(former)
            raise NotRememberedError(remembered)

    async def note_changes(self, request: WriteRequest, changes: Iterable[AppliedChange]) -> None:
        """Note the modes that these changes have entered; what only restores does not run a device."""
        for residue in self._residues:
            if any(one.key == residue.key and one.after == residue.value for one in changes):
                self.memory.enter(residue)
                if not request.is_unchecked:
                    self.memory.run(residue)
        await self.memory.save()

    def enters_forced(self, words: Mapping[str, list[int]], rows: Mapping[str, Register]) -> bool:
        """Whether settings with these words are a mode in which the device is run from here."""
        return any(
            residue.run_from_here
            and residue.key in words
            and rows[residue.key].decode_words(words[residue.key]) == residue.value
            for residue in self._residues
        )

    async def claim(self, request: WriteRequest) -> None:
        """Note what was asked for and is so already: a mode is run from here from now on, and what acts in it was chosen."""
        for residue in self._residues:
            if residue.rest is not None and (key := residue.rest[0]) in request.wanted:
                words = request.rows[key].codec.encode(request.wanted[key])
                self.memory.remember(residue, key, words, words)
            if not residue.run_from_here or request.wanted.get(residue.key) != residue.value:
                continue
            if self.memory.words(residue, residue.key) is None and residue.otherwise is not None:
                words = request.rows[residue.key].codec.encode(residue.otherwise)
                self.memory.remember(residue, residue.key, words, words)
            self.memory.enter(residue)
            self.memory.run(residue)
        await self.memory.save()
