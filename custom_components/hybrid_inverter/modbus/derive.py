"""Values that a machine does not serve itself, computed from the ones it does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from .codec import Value
from .register import Group

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


def no_sign(signs: Mapping[str, Collection[Value]]) -> Callable[[Inputs], bool | None]:
    """Whether no value is one of its signs, and no bit field has a flag that is; None when no value is known."""

    def compute(values: Inputs) -> bool | None:
        known = {key: value for key in signs if (value := values.get(key)) is not None}
        held = {
            key: value if isinstance(value, frozenset) else {value} for key, value in known.items()
        }
        return all(held[key].isdisjoint(signs[key]) for key in held) if held else None

    return compute


def negative_while(key: str, sign_key: str, *signs: Value) -> Callable[[Inputs], float | None]:
    """Return this value, negative for certain while the other one is one of these signs."""

    def compute(values: Inputs) -> float | None:
        value = values.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return -abs(value) if values.get(sign_key) in signs else value

    return compute
