"""Changes of several steps, and what becomes of one that was broken off: it is finished, or taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..errors import DeviceError, NotAppliedError, RejectedError, UndoError
from .journal import Journal, Step, changed_elsewhere, steps_done, steps_of, words_before
from .modes import Modes
from .preparation import Preparation
from .register_reader import RegisterReader
from .undo import ChangeLog
from .write_request import AppliedChange, WriteRequest
from .writer import Writer

# How often a device that is busy, or gives no answer, is made to finish a change; then as often to take it back. Each
# time it may have written a part of it, and its memory wears.
TRIES: Final = 5


class Outcome(StrEnum):
    """What has become of a change that was broken off."""

    FINISHED = "finished"
    PUT_BACK = "put_back"
    # It was changed elsewhere so that nobody can tell how far it had come, or the device takes neither.
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Resumed:
    """What has become of a change, which settings it is about, and which of them somebody else has changed since."""

    outcome: Outcome
    keys: tuple[str, ...]
    elsewhere: frozenset[str] = frozenset()


class SteppedChanges:
    """Makes changes of several steps, and goes on with one where it was broken off."""

    def __init__(
        self,
        reader: RegisterReader,
        preparation: Preparation,
        writer: Writer,
        journal: Journal,
        change_log: ChangeLog,
    ) -> None:
        self._reader = reader
        self._preparation = preparation
        self._writer = writer
        self._journal = journal
        self._change_log = change_log
        # How often going on with a change has failed.
        self._failures = 0

    @property
    def is_interrupted(self) -> bool:
        """Whether a change has begun that is neither finished nor taken back; one that is being made among them."""
        return bool(self._journal.steps)

    async def carry_out(
        self, requests: Sequence[WriteRequest], image: dict[int, int]
    ) -> list[AppliedChange]:
        """Write these requests in order; what breaks that off is made good by `resume`."""
        async with self._journal.keeping(steps_of(requests, image)):
            applied = await self._writer.write_in_order(requests, image)
        await self.supersede({key for request in requests for key in request.wanted})
        return applied

    async def supersede(self, keys: Collection[str]) -> None:
        """Note that these settings were written: what was broken off before does not write them any more."""
        await self._journal.supersede(keys)

    async def resume(self, modes: Modes) -> Resumed | None:
        """Finish it; None when there is none. Raises the DeviceError of a device that is not reached, or busy.

        When a setting of it was changed elsewhere meanwhile, that stays, and the rest is put back; so it is when the
        device does not take what is missing, and when that would be a mode in which somebody has to run the device.
        """
        if not (steps := self._journal.steps):
            return None
        keys = tuple(dict.fromkeys(key for step in steps for key in step.after))
        try:
            held = await self._held(steps)
            elsewhere = frozenset(changed_elsewhere(steps, held))
            done = steps_done(steps, held, elsewhere)
            outcome = (
                Outcome.LEFT if done is None else await self._go_on(steps, done, elsewhere, modes)
            )
        except UndoError:
            # The device does not have these settings any more.
            outcome, elsewhere = Outcome.LEFT, frozenset()
        await self._journal.forget()
        self._failures = 0
        return Resumed(outcome, keys, elsewhere)

    async def _go_on(
        self, steps: Sequence[Step], done: int, elsewhere: frozenset[str], modes: Modes
    ) -> Outcome:
        """Write what is missing, or else take back what was done, but for what was changed elsewhere."""
        missing = [step.after for step in steps[done:]]
        rows = self._reader.family.registers
        may_finish = (
            self._failures < TRIES
            and not elsewhere
            and not any(modes.enters_forced(words, rows) for words in missing)
        )
        if may_finish and await self._is_taken(missing):
            self._remember(steps)
            return Outcome.FINISHED
        taken_back = [
            {key: words for key, words in step.before.items() if key not in elsewhere}
            for step in reversed(steps[:done])
        ]
        if self._failures < 2 * TRIES:
            await self._is_taken(filter(None, taken_back))
        held = await self._held(steps)
        is_as_before = all(
            held[key] == words for key, words in words_before(steps).items() if key not in elsewhere
        )
        return Outcome.PUT_BACK if is_as_before else Outcome.LEFT

    async def _held(self, steps: Sequence[Step]) -> dict[str, list[int]]:
        """The words that the settings of these steps hold now."""
        requests = self._requests(step.after for step in steps)
        image = await self._preparation.read_current(*requests)
        return {key: words for request in requests for key, words in request.words(image).items()}

    async def _is_taken(self, words: Iterable[Mapping[str, list[int]]]) -> bool:
        """Write these words, a request each; whether the device takes them."""
        requests = self._requests(words)
        if not requests:
            return True
        image = await self._preparation.read_current(*requests)
        try:
            await self._writer.write_in_order(requests, image)
        except DeviceError as err:
            if isinstance(err, NotAppliedError) and err.acknowledged:
                return False
            if isinstance(err, RejectedError) and err.is_refusal:
                return False
            self._failures += 1
            raise
        return True

    def _requests(self, words: Iterable[Mapping[str, list[int]]]) -> list[WriteRequest]:
        """The requests that give settings these words."""
        registers = self._reader.family.registers
        return [WriteRequest.of_words(some, registers) for some in words]

    def _remember(self, steps: Sequence[Step]) -> None:
        """Remember the whole change, so that it can be undone as if nothing had broken it off."""
        rows = self._reader.family.registers
        changes = [
            [
                AppliedChange(key, rows[key].decode_words(step.before[key]), after)
                for key, words in step.after.items()
                if (after := rows[key].decode_words(words)) is not None
            ]
            for step in steps
        ]
        if self._reader.family.max_write == 1:
            self._change_log.remember([one for some in changes for one in some], in_order=True)
        else:
            for some in changes:
                self._change_log.remember(some, in_order=False)
