"""Which reads fetch a set of registers at the least bus time.

The bus is the bottleneck: at 9600 baud a byte takes a millisecond. Reading a few unused registers along is cheaper than
another request, up to a point that the line's speed and the device's turnaround decide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
import math

from ..model.family import Family
from ..model.register import Register
from ..transport.line_cost import LineCost, Read
from .image import Span, addresses_of
from .quarantine import Quarantine

# Reads, each as the spans that it brings.
type Reads = tuple[tuple[Span, ...], ...]


def not_readable(readable: Sequence[Span], addresses: Iterable[int]) -> list[int]:
    """Those of these addresses that lie in none of the inclusive readable ranges."""
    return [
        address
        for address in addresses
        if not any(low <= address <= high for low, high in readable)
    ]


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that share an address joined into one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def plan_reads(
    spans: Iterable[tuple[int, int]],
    *,
    readable: Sequence[tuple[int, int]],
    max_read: int,
    cost: LineCost,
    refused: Collection[int] = (),
) -> tuple[Read, ...]:
    """The cheapest reads that fetch all spans, each span in one piece.

    A span is the first and last address of a value; its words are read in one request, so that they belong together.
    A read stays within one of the inclusive `readable` ranges, crosses no `refused` address and has at most `max_read`
    registers. ValueError for a span that no single read can fetch. Dynamic programming over the spans in order of
    address: the best plan up to a span is the best plan up to an earlier one, and one read for all in between.
    """
    wanted = _merge(spans)
    reach = [_reach(first, readable, max_read, refused) for first, _ in wanted]
    # For each number of spans what their cheapest plan costs, and with which span its last read begins.
    best = [(0.0, 0)]
    for index, (_, last) in enumerate(wanted):
        cheapest = (math.inf, index)
        for start in range(index, -1, -1):
            if last > reach[start]:
                break
            length = last - wanted[start][0] + 1
            whole = best[start][0] + cost.of_one(length)
            if whole < cheapest[0]:
                cheapest = (whole, start)
        if cheapest[0] == math.inf:
            raise ValueError(f"no single read can fetch the registers {wanted[index]}")
        best.append(cheapest)
    reads: list[Read] = []
    end = len(wanted)
    while end:
        start = best[end][1]
        first = wanted[start][0]
        reads.append(Read(first, wanted[end - 1][1] - first + 1))
        end = start
    return tuple(reversed(reads))


def _reach(first: int, readable: Sequence[Span], max_read: int, refused: Collection[int]) -> int:
    """The last address that a read from `first` on may bring; lower than `first` where there can be none."""
    ends = [high for low, high in readable if low <= first <= high]
    stops = [address - 1 for address in refused if address >= first]
    return min(first + max_read - 1, max(ends, default=first - 1), *stops)


class ReadPlanner:
    """The cheapest reads of one device, within what it has turned out to take."""

    def __init__(self, family: Family, cost: LineCost, quarantine: Quarantine) -> None:
        """What is in quarantine is not read along."""
        self._table = self._family = family
        self._cost = cost
        self._quarantine = quarantine
        self._readable = tuple(family.readable)

    @property
    def short_read(self) -> int:
        """How many registers are too many for no device."""
        return self._family.fallback_read_length or self._family.max_read

    @property
    def max_read(self) -> int:
        """The most registers that one read may bring."""
        return self.short_read if self._quarantine.is_short else self._family.max_read

    def fit(self, family: Family) -> None:
        """Add the ranges of a fitted family; the others stay."""
        before, self._family = self._family.readable, family
        self._readable += tuple(span for span in family.readable if span not in before)

    def reads_for(self, registers: Iterable[Register]) -> Reads:
        """The cheapest reads for these registers, each as the spans it brings in order of address."""
        return self.reads_of({span for row in registers for span in row.spans})

    def reads_of(self, wanted: Iterable[Span], *, alone: Iterable[Span] = ()) -> Reads:
        """The cheapest reads for these spans; each of `alone` may be read wherever it lies."""
        return self._reads_up_to(self.max_read, wanted, alone)

    def short_reads(self, spans: Sequence[Span]) -> Reads:
        """Reads of the same spans that are too long for no device; empty when one read of them is short enough."""
        if not self.is_long(spans[0][0], spans[-1][1]):
            return ()
        return self._reads_up_to(self.short_read, spans)

    def is_long(self, first: int, last: int) -> bool:
        """Whether a read of these addresses is too long for some devices."""
        return last - first >= self.short_read

    def may_end_before(self, start: int) -> bool:
        """Whether a read may end before an address: no value lies across that border, and would be torn apart."""
        return not any(
            first < start <= last for row in self._table.every_row() for first, last in row.spans
        )

    @property
    def _ranges(self) -> tuple[Span, ...]:
        """The ranges within which one read may reach."""
        ranges = self._readable
        for start in self._quarantine.borders:
            ranges = tuple(
                part
                for low, high in ranges
                for part in (
                    ((low, start - 1), (start, high)) if low < start <= high else ((low, high),)
                )
            )
        return ranges

    def _reads_up_to(
        self, longest: int, wanted: Iterable[Span], alone: Iterable[Span] = ()
    ) -> Reads:
        """The cheapest reads of at most `longest` registers."""
        spans = tuple(sorted(wanted))
        # A refused register that is wanted is read; none is read along.
        refused = self._quarantine.addresses - addresses_of(spans)
        return _reads_by_span(spans, (*self._ranges, *alone), longest, self._cost, refused)


# A device is planned for again when it is identified, set up and probed.
@lru_cache(maxsize=256)
def _reads_by_span(
    spans: tuple[Span, ...],
    readable: tuple[Span, ...],
    max_read: int,
    cost: LineCost,
    refused: frozenset[int],
) -> Reads:
    """The cheapest reads for sorted spans, each as the spans that it brings."""
    reads = plan_reads(spans, readable=readable, max_read=max_read, cost=cost, refused=refused)
    return tuple(
        tuple(span for span in spans if read.address <= span[0] and span[1] <= read.last)
        for read in reads
    )
