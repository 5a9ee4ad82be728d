"""What is true of every answer of a device, by which one that is garbled, or another device's, is recognised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .codec import Value
from .register import Register


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition on some rows that every answer with all of them meets; one that does not is dropped as a whole."""

    rows: tuple[Register, ...]
    holds: Callable[[Sequence[Value | None]], bool]

    def passes(self, words: Mapping[int, int]) -> bool:
        """Whether an answer, its words by address, may be true; one without these rows may."""
        if any(address not in words for row in self.rows for address in row.addresses):
            return True
        return self.holds([row.decode(words) for row in self.rows])


def is_plausible(words: Mapping[int, int], gates: Iterable[Gate]) -> bool:
    """Whether an answer, its words by address, passes every gate."""
    return all(gate.passes(words) for gate in gates)
