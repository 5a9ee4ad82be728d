"""Values that a machine does not serve itself, computed from the ones it does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from .register import Group, Value

type Inputs = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """One computed value: the keys it is made of, and how."""

    key: str
    inputs: tuple[str, ...]
    compute: Callable[[Inputs], Value | None]
    group: Group
    unit: str | None = None


def total(*keys: str) -> Callable[[Inputs], float | None]:
    """Sum these values; an absent one (a string the machine does not have) counts nothing.

    None when no value is known at all.
    """

    def compute(values: Inputs) -> float | None:
        known = [
            value
            for key in keys
            if isinstance(value := values.get(key), (int, float)) and not isinstance(value, bool)
        ]
        return sum(known) if known else None

    return compute


def any_bit(
    *keys: str, except_bits: Collection[int] = frozenset()
) -> Callable[[Inputs], bool | None]:
    """Whether a flag but these is set in any of these bit fields; None when none of them is known."""

    def compute(values: Inputs) -> bool | None:
        known = [value for key in keys if isinstance(value := values.get(key), frozenset)]
        return any(value.difference(except_bits) for value in known) if known else None

    return compute
