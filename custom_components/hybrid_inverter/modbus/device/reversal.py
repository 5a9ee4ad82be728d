"""Undoing: the last change of a device's settings is reverted, unless somebody else has changed them since."""

from __future__ import annotations

from ..errors import ChangedElsewhereError, UndoError
from .mode_exit import ModeExit
from .modes import Modes
from .preparation import Preparation
from .register_reader import RegisterReader
from .stepped_changes import SteppedChanges
from .undo import ChangeLog, check_unchanged, values_before
from .write_request import requests_in_order
from .writer import Writer


class Reversal:
    """Reverts changes, the last one first."""

    def __init__(
        self,
        reader: RegisterReader,
        preparation: Preparation,
        writer: Writer,
        stepped: SteppedChanges,
        change_log: ChangeLog,
    ) -> None:
        self._reader = reader
        self._preparation = preparation
        self._writer = writer
        self._stepped = stepped
        self._change_log = change_log

    async def run(self, modes: Modes, mode_exit: ModeExit) -> None:
        """Revert the last change, and restore what a mode that is left by that leaves behind.

        UndoError when there is none, or what was before it is not known; it is dropped with that and with a
        ChangedElsewhereError, and stays when it could not be reverted.
        """
        if not (changes := self._change_log.last()):
            raise UndoError
        try:
            before = values_before(changes)
        except UndoError:
            self._change_log.forget(changes[-1])
            raise
        restore = self._preparation.restore_request
        in_order = changes[-1].in_order
        requests = (
            requests_in_order(reversed(before), restore) if in_order else [restore(dict(before))]
        )
        image = await self._preparation.read_current(*requests)
        try:
            check_unchanged(changes, self._reader.values)
        except ChangedElsewhereError:
            # The next undo goes one change further back.
            self._change_log.forget(changes[-1])
            raise
        if in_order:
            applied = await self._stepped.carry_out(requests, image)
        else:
            (request,) = requests
            several = len(before) > 1
            applied = await self._writer.write(request, image, restore_on_failure=several)
            await self._stepped.supersede(request.wanted)
        self._change_log.forget(changes[-1])
        await mode_exit.restore(modes.changed_by(applied))
