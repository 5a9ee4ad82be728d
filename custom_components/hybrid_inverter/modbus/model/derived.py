"""Values that a device does not serve itself, computed from the ones it does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from .codec import Value, Values, as_number
from .presentation import Presented
from .register import Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Presented):
    """One computed value: the keys it is made of, and how."""

    inputs: tuple[str, ...]
    compute: Callable[[Values], Value | None]
    group: Group
    unit: str | None = None
    # Whether the device may lack some of the inputs, which count nothing then; without one that it has, there is no value.
    may_lack_some: bool = False


def total(*keys: str) -> Callable[[Values], float | None]:
    """Sum these values; one of which the device says that there is none (a phase, a string) counts nothing.

    None when no value is known at all.
    """

    def compute(values: Values) -> float | None:
        known = [value for key in keys if (value := as_number(values.get(key))) is not None]
        return sum(known) if known else None

    return compute


def any_bit(
    *keys: str, except_bits: Collection[int] = frozenset()
) -> Callable[[Values], bool | None]:
    """Whether a flag but these is set in any of these bit fields; None when none of them is known."""

    def compute(values: Values) -> bool | None:
        known = [value for key in keys if isinstance(value := values.get(key), frozenset)]
        return any(value.difference(except_bits) for value in known) if known else None

    return compute


def no_sign(signs: Mapping[str, Collection[Value]]) -> Callable[[Values], bool | None]:
    """Whether no value is one of its signs, and no bit field has a flag that is; None when no value is known."""

    def compute(values: Values) -> bool | None:
        known = {key: value for key in signs if (value := values.get(key)) is not None}
        held = {
            key: value if isinstance(value, frozenset) else {value} for key, value in known.items()
        }
        return all(held[key].isdisjoint(signs[key]) for key in held) if held else None

    return compute


def negative_while(key: str, sign_key: str, *signs: Value) -> Callable[[Values], float | None]:
    """A value that is made negative while the other one is one of these signs."""

    def compute(values: Values) -> float | None:
        if (value := as_number(values.get(key))) is None:
            return None
        return -abs(value) if values.get(sign_key) in signs else value

    return compute
