"""What only some devices of a family have, and what in their registers shows that they have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .codec import Value, Values, as_number
from .derived import Derived
from .presentation import Name
from .register import Register, Tier


@dataclass(frozen=True, slots=True)
class Proof:
    """The keys that are read, and the condition that their values have to meet."""

    keys: tuple[str, ...]
    holds: Callable[[Values], bool]
    # Rows that are read only for this.
    rows: Mapping[str, Register] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something that a device has or does not have: an input, a phase, a meter, a battery pack.

    Its rows and derived values are there for the devices that have it, and replace those of the family with the
    same keys. Once found it stays: a meter that is silent is a fault, not another device.
    """

    key: str
    proof: Proof
    registers: Mapping[str, Register] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)
    # What a device with this feature does not have, although the family does.
    without: frozenset[str] = frozenset()
    # Inclusive address ranges that a device with this feature serves in one piece.
    readable: Sequence[tuple[int, int]] = ()
    # It is probed only on devices with all of these other features, and none of those.
    needs: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    # What an owner may take away one day, as people call it; those of one thing have the same name. None: it is built in.
    removable: Name | None = None
    # It is there to be written by this tier, and so not worth a question for a lower one.
    tier: Tier = Tier.READ_ONLY


def known(*keys: str) -> Proof:
    """Prove by any of these being something else than "not available"."""
    return Proof(keys, lambda values: any(values.get(key) is not None for key in keys))


def above(threshold: float, *keys: str) -> Proof:
    """Prove by any of these numbers being larger."""

    def holds(values: Values) -> bool:
        numbers = (as_number(values.get(key)) for key in keys)
        return any(number is not None and number > threshold for number in numbers)

    return Proof(keys, holds)


def among(key: str, *accepted: Value) -> Proof:
    """Prove by a value being one of these."""
    return Proof((key,), lambda values: values.get(key) in accepted)


def has_bit(key: str, bit: int) -> Proof:
    """Prove by a flag of a bit field."""

    def holds(values: Values) -> bool:
        flags = values.get(key)
        return isinstance(flags, frozenset) and bit in flags

    return Proof((key,), holds)


def either(*proofs: Proof) -> Proof:
    """Prove by any of these."""
    return _together(proofs, lambda values: any(proof.holds(values) for proof in proofs))


def both(*proofs: Proof) -> Proof:
    """Prove by all of these."""
    return _together(proofs, lambda values: all(proof.holds(values) for proof in proofs))


def _together(proofs: Sequence[Proof], holds: Callable[[Values], bool]) -> Proof:
    """A proof that reads all keys of these."""
    keys = tuple(dict.fromkeys(key for proof in proofs for key in proof.keys))
    return Proof(keys, holds, {key: row for proof in proofs for key, row in proof.rows.items()})
