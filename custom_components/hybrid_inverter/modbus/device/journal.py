"""A change of several settings that is under way: its steps are stored before the first one is sent.

So whatever ends it, a crash, a stop or a lost link, somebody can finish it later, or take it back.
"""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from ..errors import DeviceError, NotRememberedError
from ..model.residue import Save
from .write_request import WriteRequest

# The parts of what is stored: the steps, and those of changes that were broken off before.
STEPS: Final = "steps"
EARLIER: Final = "earlier"


@dataclass(frozen=True, slots=True)
class Step:
    """One request: the words of its settings before and after it, by key."""

    before: Mapping[str, list[int]]
    after: Mapping[str, list[int]]

    def without(self, keys: Collection[str]) -> Step | None:
        """The same without these settings; None when there are no others."""
        before, after = (
            {key: words for key, words in part.items() if key not in keys}
            for part in (self.before, self.after)
        )
        return Step(before, after) if after else None


class Journal:
    """The steps of a change that has begun and is neither finished nor taken back; none when there is no such change.

    A change that is broken off waits while another one is made, which may be broken off, too: the last one comes first.
    """

    def __init__(self, stored: dict[str, Any] | None = None, save: Save | None = None) -> None:
        """`stored` is changed in place and fit for JSON; `save` stores it."""
        self._stored = {} if stored is None else stored
        self._save = save

    @property
    def steps(self) -> list[Step]:
        """The steps, in order, those that were carried out among them."""
        return [Step(**step) for step in self._stored.get(STEPS, ())]

    @asynccontextmanager
    async def keeping(self, steps: Sequence[Step]) -> AsyncIterator[None]:
        """Keep these steps for as long as they are carried out, and when only some of them were.

        NotRememberedError when they could not be stored. One request is carried out as a whole, or not at all.
        """
        if len(steps) < 2:
            yield
            return
        waiting = self._changes
        if not await self._keep([steps, *waiting]):
            await self._keep(waiting)
            raise NotRememberedError(next(iter(steps[0].after)))
        try:
            yield
        except DeviceError as err:
            if not err.left:
                await self._keep(waiting)
            raise
        await self.forget()

    async def forget(self) -> None:
        """Note that nothing is left to be done of the last change."""
        await self._keep(self._changes[1:])

    async def supersede(self, keys: Collection[str]) -> None:
        """Note that these settings were written anew: what was broken off is not to write them any more."""
        changes = self._changes
        left = [list(filter(None, (step.without(keys) for step in steps))) for steps in changes]
        if left != changes:
            await self._keep(list(filter(None, left)))

    @property
    def _changes(self) -> list[list[Step]]:
        """All changes that were broken off, the last one first."""
        stored = [self._stored.get(STEPS, ()), *self._stored.get(EARLIER, ())]
        return [[Step(**step) for step in steps] for steps in stored if steps]

    async def _keep(self, changes: Sequence[Sequence[Step]]) -> bool:
        """Store these changes; whether they are stored."""
        last, *earlier = [[asdict(step) for step in steps] for steps in changes] or [[]]
        self._stored.clear()
        self._stored[STEPS] = last
        if earlier:
            self._stored[EARLIER] = earlier
        return self._save is None or await self._save()


def steps_of(requests: Iterable[WriteRequest], image: Mapping[int, int]) -> list[Step]:
    """What these requests do, one after another, to a device that holds this image; those that do nothing are no steps."""
    words = dict(image)
    steps: list[Step] = []
    for request in requests:
        if request.not_applied(words):
            before = request.words(words)
            words.update(zip(request.addresses, request.encode(words), strict=True))
            steps.append(Step(before, request.words(words)))
    return steps


def changed_elsewhere(steps: Iterable[Step], held: Mapping[str, list[int]]) -> set[str]:
    """The settings that hold what they did neither before the steps nor after any of them."""
    known = [words for step in steps for words in (step.before, step.after)]
    return {
        key for key, words in held.items() if all(words != known_of.get(key) for known_of in known)
    }


def steps_done(
    steps: Sequence[Step], held: Mapping[str, list[int]], ignored: Collection[str] = ()
) -> int | None:
    """How many of the steps were carried out by a device that holds this; None when it cannot be told.

    Settings that are ignored may hold anything.
    """
    told = {key: words for key, words in held.items() if key not in ignored}
    states = [words_before(steps)]
    for step in steps:
        states.append({**states[-1], **step.after})
    return max(
        (
            number
            for number, state in enumerate(states)
            if all(state[key] == words for key, words in told.items())
        ),
        default=None,
    )


def words_before(steps: Sequence[Step]) -> dict[str, list[int]]:
    """The words that the settings of these steps held before the first one."""
    return {key: words for step in reversed(steps) for key, words in step.before.items()}
