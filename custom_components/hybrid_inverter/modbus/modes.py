"""The modes of a machine that leave something behind: which are entered, which are over, and what held before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from .block import Block, Written
from .codec import Value
from .residue import Residue, ResidueMemory


class Modes:
    """Keeps the memory of what modes will have to put back in step with what is read and written."""

    def __init__(
        self,
        residues: Sequence[Residue],
        memory: ResidueMemory,
        values: Mapping[str, Value | None],
    ) -> None:
        """Take what the machine's modes leave behind, and its newest values, which go on changing."""
        self.memory = memory
        self._residues = residues
        self._values = values

    def entered(self) -> list[Residue]:
        """Return the modes that the machine is run from here in, and whose former mode is remembered."""
        return [
            residue
            for residue in self._residues
            if residue.prepared and self.memory.words(residue, residue.key) is not None
        ]

    def is_over(self, residue: Residue) -> bool:
        """Whether a mode was in force and is not any more, as far as we know; another one need not have a name."""
        mode = self._values.get(residue.key, residue.value)
        return self.memory.was_in_force(residue) and mode != residue.value

    def any_over(self) -> bool:
        """Whether a mode is over of which something is still to be put back."""
        return any(map(self.is_over, self._residues))

    def among(self, written: Iterable[Written]) -> list[Residue]:
        """Return the residues whose mode was changed."""
        keys = {one.key for one in written}
        return [residue for residue in self._residues if residue.key in keys]

    def keys_for(self, keys: Collection[str]) -> set[str]:
        """Return the settings that are the modes of these settings, or are among them."""
        return {
            residue.key
            for residue in self._residues
            if residue.key in keys or not set(residue.keys).isdisjoint(keys)
        }

    async def watch(self, values: Mapping[str, Value | None]) -> None:
        """Take note of what a poll says about the modes of which something is remembered."""
        for residue in self._residues:
            if (mode := values.get(residue.key)) == residue.value:
                self.memory.enter(residue)
            elif mode is not None and not self.memory.was_in_force(residue):
                # We wanted to enter it, and did not.
                self.memory.forget(residue, residue.key)
        await self.memory.save()

    async def keep_former(
        self, block: Block, written: Iterable[Written], image: Mapping[int, int]
    ) -> None:
        """Remember, before it is written, what a mode may leave behind and what held before.

        It is the words of the image that are remembered: what they mean need not be known to put them back.
        """
        for residue in self._residues:
            is_in_force = self._values.get(residue.key) == residue.value
            for one in written:
                belongs = one.key in residue.keys and (residue.prepared or is_in_force)
                enters = one.key == residue.key and one.after == residue.value
                if belongs or enters:
                    self.memory.remember(residue, one.key, block.rows[one.key].words(image))
            if is_in_force:
                self.memory.enter(residue)
        await self.memory.save()

    async def enter(self, written: Iterable[Written]) -> None:
        """Take note of the modes that these changes have entered."""
        for residue in self._residues:
            if any(one.key == residue.key and one.after == residue.value for one in written):
                self.memory.enter(residue)
        await self.memory.save()
