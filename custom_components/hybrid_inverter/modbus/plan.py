"""Which reads fetch a set of registers at the least bus time.

The bus is the bottleneck: at 9600 baud a byte takes a millisecond. Reading a few unused registers along is cheaper than
another request, up to a point that the line's speed and the machine's turnaround decide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

# A read request has 8 bytes and its answer 5 around the registers; each is framed by 3.5 silent characters
# (Modbus over serial line V1.02, sections 2.5.1 and 2.3).
REQUEST_BYTES: Final = 8 + 5
REQUEST_CHARACTERS: Final = REQUEST_BYTES + 2 * 3.5
REGISTER_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class LineCost:
    """What a read costs on a line, in seconds."""

    baudrate: int = 9600
    # Start bit, eight data bits, parity and stop bits.
    bits_per_character: int = 10
    # From the last byte of a request to the first byte of its answer.
    turnaround: float = 0.015

    @property
    def character(self) -> float:
        """Return the seconds that a character takes."""
        return self.bits_per_character / self.baudrate

    @property
    def per_request(self) -> float:
        """Return what a request costs, whatever it reads."""
        return REQUEST_CHARACTERS * self.character + self.turnaround

    @property
    def per_register(self) -> float:
        """Return what each register adds."""
        return REGISTER_BYTES * self.character

    def of(self, reads: Iterable[Read]) -> float:
        """Return what these reads cost together."""
        return sum(self.per_request + read.count * self.per_register for read in reads)


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """One request: `count` registers from `address` on."""

    address: int
    count: int

    @property
    def last(self) -> int:
        """Return the last address."""
        return self.address + self.count - 1


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in order, those that share an address joined into one."""
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
    """Return the cheapest reads that fetch all spans, each span in one piece.

    A span is the first and last address of a value; its words are read in one request, so that they belong together.
    A read stays within one of the inclusive `readable` ranges, crosses no `refused` address and has at most `max_read`
    registers. ValueError for a span that no single read can fetch. Dynamic programming over the spans in order of
    address: the best plan up to a span is the best plan up to an earlier one, and one read for all in between.
    """
    wanted = _merge(spans)

    def allowed(first: int, last: int) -> bool:
        return (
            last - first < max_read
            and any(low <= first and last <= high for low, high in readable)
            and not any(first <= address <= last for address in refused)
        )

    best: list[tuple[float, tuple[Read, ...]]] = [(0.0, ())]
    for index, (_, last) in enumerate(wanted):
        candidates = []
        for start in range(index, -1, -1):
            first = wanted[start][0]
            if not allowed(first, last):
                break
            read = Read(first, last - first + 1)
            before, reads = best[start]
            candidates.append((before + cost.of((read,)), (*reads, read)))
        if not candidates:
            raise ValueError(f"no single read can fetch the registers {wanted[index]}")
        best.append(min(candidates, key=lambda candidate: candidate[0]))
    return best[-1][1]
