"""What reveals the family of a meter that is only listened to, and so cannot be polled to find out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# What the ratio of current transformers can be.
CT_RATIOS: Final = range(1, 10000)


@dataclass(frozen=True, slots=True)
class MeterFingerprint:
    """A number of two words, other than zero, that lies within these bounds in a meter of the family."""

    address: int
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What is read from a meter of a family, and what it answers."""

    # Inclusive ranges of registers that no other family has.
    own_registers: Sequence[tuple[int, int]] = ()
    fingerprints: Sequence[MeterFingerprint] = ()
    # Where it keeps the ratio of its current transformers.
    ct_ratio_address: int | None = None
