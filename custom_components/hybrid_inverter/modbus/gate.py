"""What is true of every answer of a machine, by which one that is garbled, or somebody else's, is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .codec import Value
from .register import Register


@dataclass(frozen=True, slots=True)
class Gate:
    """Rows of which something must be true wherever an answer has all of them; otherwise nothing of it is."""

    rows: tuple[Register, ...]
    holds: Callable[[Sequence[Value | None]], bool]

    def passes(self, words: Mapping[int, int]) -> bool:
        """Whether an answer may be true; one without these rows may."""
        if any(address not in words for row in self.rows for address in row.addresses):
            return True
        return self.holds([row.decode(words) for row in self.rows])
