"""What a poll has brought, and what a set of keys takes to be polled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..model.codec import Value
from ..model.derived import Derived
from .read_plan import Reads


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one poll brought: the values, and the keys that could not be read this time."""

    values: Mapping[str, Value | None]
    failed: frozenset[str] = frozenset()

    def differences(self, other: Snapshot) -> frozenset[str]:
        """The keys that have another value than in the other snapshot, or that only one of them has."""
        return frozenset(dict(self.values.items() ^ other.values.items()))


@dataclass(slots=True)
class Plan:
    """The registers, derived values and reads of a set of keys, and the snapshot that they last made."""

    keys: frozenset[str]
    # The keys of its registers, those too that only derived values are made of.
    names: frozenset[str]
    derived: Sequence[Derived]
    # The keys of registers that the device does not have, as far as it has shown.
    absent: frozenset[str]
    reads: Reads
    snapshot: Snapshot | None = None
    # The revision of the image from which it was made.
    revision: int = -1
