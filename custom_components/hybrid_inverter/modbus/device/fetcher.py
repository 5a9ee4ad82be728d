"""The reads of a device on their way: sent, checked, repeated where that may help, and narrowed down where they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from operator import itemgetter
from typing import Final

from ..errors import (
    DeviceError,
    ImplausibleError,
    LinkError,
    LinkErrorCode,
    LinkTimeout,
    RejectedError,
)
from ..model.gate import Gate, is_plausible
from ..transport.unit import Unit
from .image import RegisterImage, Span
from .quarantine import Quarantine, Suspect
from .read_plan import ReadPlanner, Reads
from .verified_unit import VerifiedUnit

# How often a read is sent whose answer cannot be true, or refuses what was served before.
ATTEMPTS: Final = 2
# Seconds after which a poll tries once more what has failed; what keeps a device busy has often passed by then.
LAST_TRY_AFTER: Final = 1.0
# What may be over by then.
PASSING: Final = frozenset(
    {
        LinkErrorCode.NO_ANSWER,
        LinkErrorCode.STICK_ERROR,
        LinkErrorCode.UNEXPECTED_ANSWER,
        LinkErrorCode.LOST,
    }
)


@dataclass(slots=True)
class _Outcome:
    """What has become of the reads of a poll, which may be urgent."""

    urgent: bool
    answered: bool = False
    error: DeviceError | None = None
    refused: dict[Span, RejectedError] = field(default_factory=dict)
    # The reads that brought nothing, in order, and those of them whose registers may be the reason.
    missing: list[Sequence[Span]] = field(default_factory=list)
    unanswered: dict[Sequence[Span], DeviceError] = field(default_factory=dict)


class Fetcher:
    """Reads registers into the image, and finds out which of them the device does not serve.

    A read that is refused is halved at once, as that costs little. Silence costs a timeout: what is not answered while
    others are is narrowed down by at most one silent read in each poll.
    """

    def __init__(
        self,
        unit: Unit,
        verified: VerifiedUnit,
        image: RegisterImage,
        quarantine: Quarantine,
        planner: ReadPlanner,
    ) -> None:
        """What is urgent belongs to a write, and comes from the machine that was asked for."""
        self.gates: Sequence[Gate] = ()
        # How many answers were dropped because they could not be true.
        self.dropped = 0
        # What is served again, until somebody takes it.
        self.released: list[Span] = []
        self._unit = unit
        self._verified = verified
        self._image = image
        self._quarantine = quarantine
        self._planner = planner
        # Whether the last poll brought anything.
        self._answering = True
        # The reads that were not answered while nothing was, and in which order they have failed.
        self._unexplained: dict[Sequence[Span], tuple[int, DeviceError]] = {}
        self._failures = count(1)
        # Held by the poll that asks for suspects: what one has found out, another one must not judge by.
        self._asking = asyncio.Lock()

    # ------------------------------------------------------------------ a poll

    async def fetch_all(
        self, reads: Reads, until: float | None = None, *, urgent: bool = False
    ) -> None:
        """Send these reads, of which some may fail; what they do not bring is dropped from the image.

        What is urgent goes before reads that wait. What has failed is tried once more if there is time `until` then, and
        nobody else waits for the line. Raises the DeviceError when nothing at all was read.
        """
        outcome = _Outcome(urgent)
        await self._send(reads, outcome)
        if outcome.missing and await self._may_try_again(outcome, until):
            missing, outcome.missing, outcome.unanswered = outcome.missing, [], {}
            await self._send(missing, outcome)
        for spans in outcome.missing:
            self._image.forget(spans)
        if outcome.refused:
            self._image.forget(outcome.refused)
        if reads and not outcome.answered:
            self._answering = False
            for spans, error in outcome.unanswered.items():
                self._unexplained[spans] = (next(self._failures), error)
            # A device that refuses everything does so for another reason than the addresses.
            raise outcome.error or next(iter(outcome.refused.values()))
        if outcome.answered:
            self._answering = True
            if self._unexplained:
                self._explain(outcome)
        if self._quarantine.addresses and self._answering:
            await self._ask_suspects()
        if outcome.refused or outcome.unanswered:
            self._quarantine.add_refused(outcome.refused)
            for spans, error in outcome.unanswered.items():
                self._quarantine.add_unanswered(spans, error)

    async def _send(self, reads: Sequence[Sequence[Span]], outcome: _Outcome) -> None:
        """Send these reads until the link is lost, or the device has fallen silent."""
        if self._unexplained:
            # The read that is never answered must not keep the device from being heard.
            reads = sorted(reads, key=lambda spans: self._unexplained.get(spans, (0,))[0])
        silences = 0
        for index, spans in enumerate(reads):
            try:
                refused = await self._read_bisecting(spans, urgent=outcome.urgent)
            except (LinkError, RejectedError, ImplausibleError) as err:
                outcome.error = err
                outcome.missing.append(spans)
                if err.may_concern_some:
                    outcome.unanswered[spans] = err
                silences += err.is_silence
                lost = isinstance(err, LinkError) and not err.is_silence
                if lost or silences > 1 or (silences and self._is_silent(err, spans, outcome)):
                    outcome.missing += reads[index + 1 :]
                    return
            else:
                silences = 0
                outcome.refused |= refused
                outcome.answered |= len(refused) < len(spans)

    def _is_silent(self, error: DeviceError, spans: Sequence[Span], outcome: _Outcome) -> bool:
        """Whether nobody is likely to answer the next read, after none has answered this one.

        A timeout is long. But what a device has never answered it may not have.
        """
        if outcome.answered:
            return False
        known = self._image.was_read(spans[0][0], spans[-1][1])
        return not self._answering or (known and isinstance(error, LinkTimeout))

    async def _may_try_again(self, outcome: _Outcome, until: float | None) -> bool:
        """Whether a last try is worth its time; it comes after a pause."""
        if until is None or not self._answering or not self._unit.idle:
            return False
        error = outcome.error
        if isinstance(error, LinkError) and (
            error.code not in PASSING or (error.is_silence and not outcome.answered)
        ):
            # A silent device was asked twice, and the link to one that cannot be reached has its own pauses.
            return False
        if asyncio.get_running_loop().time() + LAST_TRY_AFTER > until:
            return False
        await asyncio.sleep(LAST_TRY_AFTER)
        return self._unit.idle

    def _explain(self, outcome: _Outcome) -> None:
        """Suspect the earlier reads without an answer, now that others are answered, unless they were, too."""
        for spans, (_, error) in self._unexplained.items():
            if spans not in outcome.unanswered and not self._image.holds(spans):
                self._quarantine.add_unanswered(spans, error, at_once=True)
        self._unexplained.clear()

    # ------------------------------------------------------------------ what is not served

    async def _ask_suspects(self) -> None:
        """Read again what was read in vain, until nobody answers; one poll at a time does, and the others go on."""
        if self._asking.locked():
            return
        async with self._asking:
            for suspect in self._quarantine.due():
                try:
                    await self._ask(suspect)
                except DeviceError:
                    return

    async def _ask(self, suspect: Suspect) -> None:
        """Read a suspect apart from all others, in halves where that may tell more."""
        refused: dict[Span, RejectedError] = {}
        parts = suspect.parts
        for index, spans in enumerate(parts):
            try:
                refused |= await self._read_bisecting(spans, once=True)
            except (LinkError, RejectedError) as err:
                if err.may_concern_some:
                    self._note(parts[:index], refused)
                    self._quarantine.narrow(suspect, index, err)
                raise
        self._note(parts, refused)
        if not refused or len(suspect.spans) > 1:
            self._quarantine.release(suspect)
        if not refused and len(parts) > 1:
            self._end_before(parts[1][0][0])

    def _note(self, parts: Sequence[Sequence[Span]], refused: dict[Span, RejectedError]) -> None:
        """Take note of what is served in these parts of a suspect, and of what is refused."""
        self.released += [span for spans in parts for span in spans if span not in refused]
        self._quarantine.add_refused(refused)

    def _end_before(self, start: int) -> bool:
        """Let no read reach across the border before an address, if that can be."""
        if possible := self._planner.may_end_before(start):
            self._quarantine.add_border(start)
        return possible

    # ------------------------------------------------------------------ requests

    async def read_served(self, spans: Sequence[Span]) -> None:
        """Read these spans in one request; what the device refuses is suspected."""
        self._quarantine.add_refused(await self._read_bisecting(spans))

    async def _read_bisecting(
        self, spans: Sequence[Span], *, urgent: bool = False, once: bool = False
    ) -> dict[Span, RejectedError]:
        """Read these spans in one request; which of them the device refuses, and how.

        A refused read is halved until that is known. It costs few requests, and only a few times.
        """
        try:
            await self.read(spans, urgent=urgent, once=once)
        except RejectedError as err:
            if not err.is_refusal:
                raise
            if len(spans) == 1:
                return {spans[0]: err}
        else:
            return {}
        middle = len(spans) // 2
        revision = self._quarantine.revision
        refused = await self._read_bisecting(spans[:middle], urgent=urgent, once=once)
        refused |= await self._read_bisecting(spans[middle:], urgent=urgent, once=once)
        # Unless a border has been found deeper down.
        if not refused and self._quarantine.revision == revision:
            self._end_before(spans[middle][0])
        return refused

    async def read(
        self, spans: Sequence[Span], *, urgent: bool = False, once: bool = False
    ) -> dict[int, int]:
        """Read these spans, in one request unless that is too long for the device; the words by address."""
        if self._quarantine.is_short and (reads := self._planner.short_reads(spans)):
            return await self._read_each(reads, urgent=urgent, once=once)
        try:
            return await self._request(spans, urgent=urgent, once=once)
        except (RejectedError, LinkTimeout) as err:
            if isinstance(err, RejectedError) and not err.is_refusal:
                raise
            refused = isinstance(err, RejectedError)
            reads = self._planner.short_reads(spans)
            if not reads or spans[-1][1] - spans[0][0] < self._image.longest_read:
                raise
        brought = await self._read_each(reads, urgent=urgent, once=once)
        if refused:
            # One refusal may have been for another reason.
            try:
                return await self._request(spans, urgent=urgent, once=once)
            except RejectedError as err:
                if not err.is_refusal:
                    raise
        self._quarantine.add_too_long(self._planner.short_read)
        return brought

    async def _read_each(self, reads: Reads, *, urgent: bool, once: bool) -> dict[int, int]:
        """Send these reads; all their words by address."""
        brought: dict[int, int] = {}
        for spans in reads:
            brought |= await self._request(spans, urgent=urgent, once=once)
        return brought

    async def _request(self, spans: Sequence[Span], *, urgent: bool, once: bool) -> dict[int, int]:
        """Read these spans and what lies between them in one request; the words by address."""
        first, last = spans[0][0], max(map(itemgetter(1), spans))
        length = last - first + 1
        for attempts_left in range(ATTEMPTS - 1, -1, -1):
            try:
                if urgent:
                    words = await self._verified.read_holding_registers(first, length)
                else:
                    words = await self._unit.read_holding_registers(first, length, once=once)
            except RejectedError as err:
                if not attempts_left or not self._may_be_false(err, first, last):
                    raise
                continue
            brought = dict(zip(range(first, last + 1), words, strict=True))
            if not self.gates or is_plausible(brought, self.gates):
                self._image.update(first, words)
                if self._quarantine.limits_reads:
                    self._quarantine.acquit(first, last, is_long=self._planner.is_long(first, last))
                return brought
            self.dropped += 1
        raise ImplausibleError(first, last)

    def _may_be_false(self, refusal: RejectedError, first: int, last: int) -> bool:
        """Whether what is refused was served before, so that it is worth another question."""
        return refusal.is_refusal and refusal.rest is None and self._image.was_read(first, last)
