"""Raw registers: which requests bring them, what they held last, and which of them the machine refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
import logging
from typing import Final

from .block import Span, addresses_of
from .errors import DeviceError, ImplausibleError, LinkError, LinkTimeout, RejectedError
from .family import Family
from .plan import LineCost, plan_reads
from .recognise import Words
from .register import Register
from .unit import Unit

_LOGGER = logging.getLogger(__name__)

# How often a read is sent whose answer cannot be true.
ATTEMPTS: Final = 2

# Reads, each as the spans that it brings.
type Reads = tuple[tuple[Span, ...], ...]


class RawReader:
    """Reads the registers of a machine into one image of them, as words of which nobody here knows the meaning.

    A word whose last read failed, or that was written and not read back, is taken out of the image: what is in it is
    what the machine said last.
    """

    def __init__(
        self, unit: Unit, family: Family, cost: LineCost, on_change: Callable[[], None]
    ) -> None:
        """Take what is asked and what a read costs; `on_change` is called when other reads are the best from now on."""
        self.image: dict[int, int] = {}
        # How many answers were dropped because they could not be true.
        self.dropped = 0
        self._unit = unit
        self._unfitted = family
        self._family = family
        self._cost = cost
        self._on_change = on_change
        self._readable = tuple(family.readable)
        self._max_read = family.max_read
        # When each address was read last.
        self._read_at: dict[int, datetime] = {}
        # Refused addresses, and when they are asked for again; and all that were ever logged as refused.
        self._resting: dict[int, float] = {}
        self._logged: set[int] = set()

    @property
    def resting(self) -> list[int]:
        """Return the addresses that the machine refuses, in order."""
        return sorted(self._resting)

    def is_resting(self, register: Register) -> bool:
        """Whether the machine refuses an address of this register."""
        return not self._resting.keys().isdisjoint(register.addresses)

    def read_at(self, register: Register) -> datetime | None:
        """Return when a register was read last; None when it was not, or its words are from different reads."""
        times = {self._read_at.get(address) for address in register.addresses}
        return times.pop() if len(times) == 1 else None

    def fit(self, family: Family) -> None:
        """Take the family as the machine turned out to have it; what was found out about its ranges is kept."""
        before, self._family = self._family.readable, family
        self._readable += tuple(span for span in family.readable if span not in before)
        self._on_change()

    # ------------------------------------------------------------------ which requests

    def reads_for(self, registers: Iterable[Register]) -> Reads:
        """Return the cheapest reads for these registers, each as the spans it brings in order of address."""
        return self.reads_of({span for row in registers for span in row.spans})

    def reads_of(self, wanted: Iterable[Span], *, alone: Iterable[Span] = ()) -> Reads:
        """Return the cheapest reads for these spans, likewise.

        Each of those that stand alone may be read, wherever it lies.
        """
        return self._reads_up_to(self._max_read, wanted, alone)

    def _reads_up_to(
        self, longest: int, wanted: Iterable[Span], alone: Iterable[Span] = ()
    ) -> Reads:
        """Return the cheapest reads of at most so many registers."""
        spans = sorted(wanted)
        # What is asked for is asked for; only nothing else that the machine refuses is read along.
        refused = self._resting.keys() - addresses_of(spans)
        reads = plan_reads(
            spans,
            readable=(*self._readable, *alone),
            max_read=longest,
            cost=self._cost,
            refused=refused,
        )
        return tuple(
            tuple(span for span in spans if read.address <= span[0] and span[1] <= read.last)
            for read in reads
        )

    # ------------------------------------------------------------------ reading

    async def ask(self, address: int, count: int) -> Words:
        """Return words of the machine, or None where it refuses them; they stay out of the image."""
        try:
            return await self._unit.read_holding_registers(address, count)
        except RejectedError as err:
            if not err.is_refusal:
                raise
            return None

    async def read(self, spans: Sequence[Span], *, urgent: bool = False) -> dict[int, int]:
        """Read these spans, in one request unless that is too much for the machine; return the words."""
        try:
            return await self._request(spans, urgent=urgent)
        except (RejectedError, LinkTimeout) as err:
            pieces = self._pieces(spans)
            if len(pieces) < 2 or (isinstance(err, RejectedError) and not err.is_refusal):
                raise
        brought: dict[int, int] = {}
        for piece in pieces:
            brought |= await self._request(piece, urgent=urgent)
        longest = self._family.careful_read or self._max_read
        _LOGGER.info("Reads of more than %s registers are too long for the machine", longest)
        self._max_read = longest
        self._on_change()
        return brought

    def _pieces(self, spans: Sequence[Span]) -> Reads:
        """Return reads for the same spans that are too long for no machine; empty when there are no such reads."""
        longest = self._family.careful_read
        if longest is None or spans[-1][1] - spans[0][0] < longest:
            return ()
        return self._reads_up_to(longest, spans)

    async def _request(self, spans: Iterable[Span], *, urgent: bool) -> dict[int, int]:
        """Read these spans and what lies between them in one request; return the words, which go into the image."""
        firsts, lasts = zip(*spans, strict=True)
        first, last = min(firsts), max(lasts)
        for _ in range(ATTEMPTS):
            words = await self._unit.read_holding_registers(first, last - first + 1, urgent=urgent)
            brought = dict(zip(range(first, last + 1), words, strict=True))
            if all(gate.passes(brought) for gate in self._family.gates):
                self.image.update(brought)
                self._read_at.update(dict.fromkeys(brought, datetime.now(UTC)))
                return brought
            self.dropped += 1
        raise ImplausibleError(first, last)

    async def try_to_read(self, spans: Sequence[Span]) -> None:
        """Read these spans; those that the machine refuses rest."""
        self._rest(await self._fetch(spans))

    async def poll(self, reads: Reads) -> None:
        """Send these reads, of which some may fail; what they do not bring is not in the image any more.

        Raises the DeviceError when nothing at all could be read. Otherwise what is refused rests, and with a lost link
        the reads that were still to come are not sent.
        """
        refused: dict[Span, RejectedError] = {}
        error: DeviceError | None = None
        succeeded = not reads
        for index, spans in enumerate(reads):
            try:
                refusals = await self._fetch(spans)
            except LinkError as err:
                error = err
                for missing in reads[index:]:
                    self.forget(missing)
                break
            except (RejectedError, ImplausibleError) as err:
                error = err
                self.forget(spans)
            else:
                refused |= refusals
                succeeded = succeeded or len(refusals) < len(spans)
        self.forget(refused)
        if not succeeded:
            # A machine that refuses everything does so for another reason than the addresses.
            raise error or next(iter(refused.values()))
        self._rest(refused)

    def forget(self, spans: Iterable[Span]) -> None:
        """Take words out of the image that may not be what the machine holds."""
        for address in addresses_of(spans):
            self.image.pop(address, None)

    # ------------------------------------------------------------------ what the machine refuses

    async def _fetch(self, spans: Sequence[Span]) -> dict[Span, RejectedError]:
        """Read these spans in one request; return which of them the machine refuses, and how.

        A refused read is halved until that is known. It costs few requests, and only once: what is found rests.
        """
        try:
            await self.read(spans)
        except RejectedError as err:
            if not err.is_refusal:
                raise
            if len(spans) == 1:
                return {spans[0]: err}
        else:
            return {}
        middle = len(spans) // 2
        readable = self._readable
        refused = await self._fetch(spans[:middle]) | await self._fetch(spans[middle:])
        if not refused and self._readable is readable:
            self._cut(spans[middle][0])
        return refused

    def _cut(self, start: int) -> None:
        """Read nothing across the border before an address any more.

        What lies on its two sides is served, but not together: the read was too long, or the gap is refused.
        """
        if any(
            first < start <= last for row in self._unfitted.every_row() for first, last in row.spans
        ):
            # A value lies across it, and would be torn apart.
            return
        ranges: list[Span] = []
        for low, high in self._readable:
            ranges += [(low, start - 1), (start, high)] if low < start <= high else [(low, high)]
        self._readable = tuple(ranges)
        self._on_change()

    def _rest(self, refused: Mapping[Span, RejectedError]) -> None:
        """Leave these addresses alone as long as their refusal says, which is a day; told once."""
        now = asyncio.get_running_loop().time()
        for span, refusal in refused.items():
            addresses = addresses_of([span])
            if not addresses <= self._logged:
                _LOGGER.info("Registers %s to %s are not served (%s)", *span, refusal)
            self._logged |= addresses
            self._resting.update(dict.fromkeys(addresses, now + refusal.rest))
        if refused:
            self._on_change()

    def wake(self) -> None:
        """Ask again for what has rested long enough."""
        now = asyncio.get_running_loop().time()
        rested = [address for address, until in self._resting.items() if until <= now]
        for address in rested:
            del self._resting[address]
        if rested:
            self._on_change()
