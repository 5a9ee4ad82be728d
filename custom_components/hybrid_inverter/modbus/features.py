"""What only some machines of a family have, and what in their registers shows that they have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .codec import Value
from .derive import Derived
from .register import Register

type Values = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Proof:
    """The keys that are looked at, and what they have to say."""

    keys: tuple[str, ...]
    holds: Callable[[Values], bool]
    # Rows that are looked at for this only: the machine's other values have other names.
    rows: Mapping[str, Register] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something that a machine has or does not have: an input, a phase, a meter, a battery pack.

    Its rows and derived values are there for the machines that have it, and stand in for those of the family with the
    same keys. Once found it stays: a meter that is silent is a fault, not another machine.
    """

    key: str
    proof: Proof
    registers: Mapping[str, Register] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)
    # What a machine with this feature does not have, although the family does.
    without: frozenset[str] = frozenset()
    # Inclusive address ranges that a machine with this feature serves in one piece.
    readable: Sequence[tuple[int, int]] = ()
    # It is looked for only on machines with all of these other features, and none of those.
    needs: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()


def known(*keys: str) -> Proof:
    """Prove by any of these being something else than "not available"."""
    return Proof(keys, lambda values: any(values.get(key) is not None for key in keys))


def above(threshold: float, *keys: str) -> Proof:
    """Prove by any of these numbers being larger."""

    def holds(values: Values) -> bool:
        numbers = (values.get(key) for key in keys)
        return any(isinstance(number, (int, float)) and number > threshold for number in numbers)

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
    """Return a proof that looks at all that these look at."""
    keys = tuple(dict.fromkeys(key for proof in proofs for key in proof.keys))
    return Proof(keys, holds, {key: row for proof in proofs for key, row in proof.rows.items()})
