"""What is written when a mode is over: the settings that it leaves behind hold again what they did before."""

from __future__ import annotations

from collections.abc import Iterable
import logging

from ..errors import (
    DeviceError,
    LinkError,
    ResidueError,
    UndoError,
)
from ..model.residue import Residue
from .modes import Modes
from .preparation import Preparation
from .register_reader import RegisterReader
from .write_request import AppliedChange, WriteRequest
from .writer import Writer

_LOGGER = logging.getLogger(__name__)


class ModeExit:
    """Leaves modes, and restores what they have left behind."""

    def __init__(
        self, reader: RegisterReader, preparation: Preparation, writer: Writer, modes: Modes
    ) -> None:
        self._reader = reader
        self._preparation = preparation
        self._writer = writer
        self._modes = modes

    async def restore_all(self) -> None:
        """Restore what modes that are over have left behind; raises like `restore`."""
        family = self._reader.family
        await self._reader.read_fresh(self._reader.served(self._modes.mode_keys(family.registers)))
        await self.restore(family.residues)

    async def release(self) -> None:
        """Leave the modes that the device is run from here in and that we have entered."""
        if not (entered := self._modes.entered()):
            return
        keys = self._modes.mode_keys([residue.key for residue in entered])
        await self._reader.read_fresh(self._reader.served(keys))
        for residue in entered:
            if self._reader.values[residue.key] == residue.value:
                await self._restore_setting(residue, residue.key)
        await self.restore(entered)

    async def leave_abandoned(self, left: list[Residue]) -> None:
        """Leave the modes that are in force since before Home Assistant has started, and add them to what was left.

        A mode whose settings somebody else has changed meanwhile is theirs now: it stays, and is forgotten.
        """
        memory = self._modes.memory
        for residue in self._modes.abandoned():
            keys = memory.keys(residue)
            rows = self._reader.served(keys)
            image = await self._reader.read_fresh(rows)
            if self._reader.values[residue.key] != residue.value:
                # What it has left behind is restored like that of any mode that is over.
                continue
            if memory.is_ours(residue, {row.key: row.words(image) for row in rows}):
                await self._restore_setting(residue, residue.key)
                left.append(residue)
            else:
                _LOGGER.info("The mode %s is run by somebody else now, and stays", residue.name)
                memory.forget(residue, *keys)
        await memory.save()

    async def restore(
        self, residues: Iterable[Residue], applied: list[AppliedChange] | None = None
    ) -> None:
        """Restore what those of these modes that are over have left behind, and add it to what was applied.

        ResidueError when not all of it could be restored; that stays remembered.
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
                    changes = await self._restore_setting(residue, key)
                except DeviceError as err:
                    left.append(key)
                    cause = err
                else:
                    memory.forget(residue, key)
                    if applied is not None:
                        applied += changes
            memory.forget(residue, residue.key)
        await memory.save()
        if cause is not None:
            raise ResidueError(left, cause) from cause

    async def _restore_setting(self, residue: Residue, key: str) -> list[AppliedChange]:
        """Write the words that a setting held before a mode; what that has changed.

        Within the bounds or not, and whatever tier is chosen by now: the device held them.
        """
        words, row = self._modes.memory.words(residue, key), self._reader.family.registers.get(key)
        if words is None or row is None:
            raise UndoError(key)
        request = WriteRequest.of_words({key: words}, self._reader.family.registers)
        image = await self._preparation.read_current(request)
        applied = await self._writer.write(request, image)
        after = row.decode_words(words)
        return (
            [AppliedChange(key, row.decode(image), after)] if applied and after is not None else []
        )
