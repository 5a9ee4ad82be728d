"""What is written when a mode is over: the settings that it leaves behind hold again what they did before."""

from __future__ import annotations

from collections.abc import Iterable

from .block import Block, Written
from .errors import DeviceError, LinkError, ResidueError, UndoError
from .modes import Modes
from .prepare import Preparation
from .reader import Reader
from .residue import Residue
from .writer import Writer


class ModeExit:
    """Leaves modes, and puts back what they have left behind."""

    def __init__(
        self, reader: Reader, preparation: Preparation, writer: Writer, modes: Modes
    ) -> None:
        """Take what is known of the machine and of its modes, and what writes to it."""
        self._reader = reader
        self._preparation = preparation
        self._writer = writer
        self._modes = modes

    async def put_back(self) -> None:
        """Put back what modes that are over have left behind."""
        family = self._reader.family
        await self._reader.read_now(self._reader.served(self._modes.keys_for(family.registers)))
        await self.clear(family.residues, [])

    async def release(self) -> None:
        """Leave the modes that the machine is run from here in and that we have entered."""
        if not (entered := self._modes.entered()):
            return
        keys = self._modes.keys_for([residue.key for residue in entered])
        await self._reader.read_now(self._reader.served(keys))
        for residue in entered:
            if self._reader.values[residue.key] == residue.value:
                await self._return(residue, residue.key)
        await self.clear(entered, [])

    async def clear(self, residues: Iterable[Residue], written: list[Written]) -> None:
        """Put back what these modes have left behind if they are over, and add it to what was written.

        ResidueError when not all of it could be put back; that stays remembered.
        """
        memory = self._modes.memory
        left: list[str] = []
        cause: DeviceError | None = None
        for residue in residues:
            if not self._modes.is_over(residue):
                continue
            for key in residue.keys:
                if memory.words(residue, key) is None:
                    continue
                if isinstance(cause, LinkError):
                    left.append(key)
                    continue
                try:
                    written += await self._return(residue, key)
                except DeviceError as err:
                    left.append(key)
                    cause = err
                else:
                    memory.forget(residue, key)
            memory.forget(residue, residue.key)
        await memory.save()
        if cause is not None:
            raise ResidueError(left, cause) from cause

    async def _return(self, residue: Residue, key: str) -> list[Written]:
        """Write the words that a setting held before a mode, and return what that has changed.

        Whatever they mean, within the bounds or not, and whatever tier is chosen by now: the machine held them.
        """
        words, row = self._modes.memory.words(residue, key), self._reader.family.registers.get(key)
        if words is None or row is None:
            raise UndoError(key)
        block = Block.of_words(row, words)
        before = await self._preparation.look(block)
        written = await self._writer.write(block, before, restore=False)
        after = row.decode_words(words)
        return [Written(key, row.decode(before), after)] if written and after is not None else []
