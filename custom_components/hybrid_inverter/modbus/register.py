"""One row of a register table: where a value lies, what it means, and who may change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from enum import StrEnum
import math

from .codec import WORD, Choice, Codec, Dependent, Share, Value
from .errors import InvalidValueError


class Group(StrEnum):
    """What is read together, and how often (design section 5)."""

    POWER = "power"
    ENERGY = "energy"
    SETTINGS = "settings"
    IDENTITY = "identity"


class Tier(StrEnum):
    """Who may write a register; each tier includes the ones before it."""

    READ_ONLY = "read_only"
    EVERYDAY = "everyday"
    INSTALLER = "installer"

    def allows(self, needed: Tier) -> bool:
        """Whether a person in this tier may write what needs the other one."""
        order = list(Tier)
        return order.index(needed) <= order.index(self)


def _shift(mask: int) -> int:
    """Return how far a field lies from the lowest bit."""
    return (mask & -mask).bit_length() - 1


def _minutes(value: time) -> int:
    """Return a time of day in minutes, in which its bounds count."""
    return value.hour * 60 + value.minute


@dataclass(frozen=True, slots=True)
class Ref:
    """A bound that another register of the same machine sets; a time of day counts in minutes."""

    key: str
    factor: float = 1
    offset: float = 0
    # Instead of the factor: what the other register's value stands for.
    by_value: Mapping[float, float] = field(default_factory=dict)
    # What holds while the other register is unknown, or its value is not listed.
    default: float | None = None

    def resolve(self, values: Mapping[str, Value | None]) -> float | None:
        """Return the bound for these values; None when nothing is known."""
        other = values.get(self.key)
        if isinstance(other, time):
            other = _minutes(other)
        if isinstance(other, bool) or not isinstance(other, (int, float)):
            return self.default
        if self.by_value:
            return self.by_value.get(other, self.default)
        return other * self.factor + self.offset


@dataclass(frozen=True, slots=True)
class Limits:
    """The smallest and largest value that may be written, both included, and the step between values."""

    minimum: float | Ref
    maximum: float | Ref
    step: float = 1

    def resolve(self, values: Mapping[str, Value | None]) -> tuple[float, float]:
        """Return the bounds in force, with other registers' values put in."""

        def number(bound: float | Ref, otherwise: float) -> float:
            if isinstance(bound, Ref):
                known = bound.resolve(values)
                return otherwise if known is None else known
            return bound

        return number(self.minimum, -math.inf), number(self.maximum, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One value that a machine serves: where it lies, what it means, who may change it."""

    key: str
    # In the order in which the codec takes them; they need not be contiguous.
    addresses: tuple[int, ...]
    group: Group
    codec: Codec
    unit: str | None = None
    # The value is only these bits of a single word, shifted down; the others belong to somebody else.
    mask: int | None = None
    # The tier that may write it; None: nobody.
    tier: Tier | None = None
    limits: Limits | None = None
    # Values outside these bounds cannot be true and are not published.
    plausible: tuple[float, float] | None = None
    # What the numbers of a bit field, or of an open list of codes, stand for.
    labels: Mapping[int, str] = field(default_factory=dict)
    # The other registers that must be written in the same request.
    written_with: tuple[str, ...] = ()
    # Whether the machine keeps it in the memory that wears; a clock is not kept there.
    stored: bool = True
    # The page of the manual, or what else the row rests on.
    source: str = ""
    confidence: str = "high"

    @property
    def writable(self) -> bool:
        """Whether any tier may write it."""
        return self.tier is not None

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Return the runs of consecutive addresses, each as its first and last one."""
        runs: list[tuple[int, int]] = []
        for address in sorted(self.addresses):
            if runs and address == runs[-1][1] + 1:
                runs[-1] = (runs[-1][0], address)
            else:
                runs.append((address, address))
        return runs

    @property
    def options(self) -> list[str]:
        """Return the names a choice offers; empty for everything else."""
        if not isinstance(self.codec, Choice):
            return []
        return [option for option in self.codec.options if isinstance(option, str)]

    @property
    def names(self) -> list[str]:
        """Return the names a choice can show, those that it does not offer too; empty for everything else."""
        if not isinstance(self.codec, Choice):
            return []
        return list(
            dict.fromkeys(name for name in self.codec.meanings.values() if isinstance(name, str))
        )

    def completed(self, facts: Mapping[str, Value | None]) -> Register:
        """Return the row of a machine with these values, on which its codec may rest."""
        if not isinstance(self.codec, Dependent):
            return self
        return replace(self, codec=self.codec.completed(facts))

    def decode(self, image: Mapping[int, int]) -> Value | None:
        """Return the value in an image of raw registers; KeyError when an address is missing."""
        if self.mask not in (None, WORD) and image[self.addresses[0]] == WORD:
            return None
        return self.decode_words(self.words(image))

    def words(self, image: Mapping[int, int]) -> list[int]:
        """Return what the codec takes from an image of raw registers; KeyError when an address is missing."""
        words = [image[address] for address in self.addresses]
        return words if self.mask is None else [(words[0] & self.mask) >> _shift(self.mask)]

    def decode_words(self, words: Sequence[int]) -> Value | None:
        """Return the value of such words."""
        value = self.codec.decode(words)
        if (
            self.plausible
            and isinstance(value, (int, float))
            and not self.plausible[0] <= value <= self.plausible[1]
        ):
            return None
        return value

    def encode(self, value: Value, image: Mapping[int, int] | None = None) -> list[int]:
        """Return the words to write, in the order of the addresses.

        A masked register needs the image it is written into, so that the other bits stay as they are.
        """
        try:
            words = self.codec.encode(value)
        except ValueError as err:
            raise InvalidValueError(self.key, value, str(err)) from err
        if self.mask is None:
            return words
        if image is None:
            raise InvalidValueError(
                self.key, value, "needs the register's other bits to be written"
            )
        bits = words[0] << _shift(self.mask)
        if bits & ~self.mask:
            raise InvalidValueError(self.key, value, "does not fit into the field")
        held = image[self.addresses[0]]
        word = held & ~self.mask & WORD | bits
        if self.mask != WORD and WORD in (held, word):
            raise InvalidValueError(self.key, value, "cannot be told from 'not available'")
        return [word]

    def normalise(self, value: Value) -> Value:
        """Return the value as the register would hold it; InvalidValueError when it cannot."""
        try:
            held = self.codec.decode(self.codec.encode(value))
        except ValueError as err:
            raise InvalidValueError(self.key, value, str(err)) from err
        if held is None:
            raise InvalidValueError(self.key, value, "means 'not available' to the machine")
        return held

    def bounds(self, values: Mapping[str, Value | None]) -> tuple[float, float]:
        """Return the bounds in force with these values of other registers; ValueError when it has none.

        Those of a share are powers that the machine can hold: the nearest to what is computed.
        """
        if self.limits is None:
            raise ValueError(f"{self.key} has no limits")
        low, high = self.limits.resolve(values)
        if not isinstance(self.codec, Share):
            return low, high
        return self.codec.nearest(low), self.codec.nearest(high)

    def check(self, value: Value, values: Mapping[str, Value | None]) -> None:
        """Raise InvalidValueError when the value is off its bounds or its step.

        Times of day are bounded in minutes; the register whose time is in the way is named as `neighbour`,
        and its time is the `earliest` or `latest` that there may be.
        """
        if self.limits is None or not isinstance(value, (int, float, time)):
            return
        number: float = _minutes(value) if isinstance(value, time) else value
        low, high = self.bounds(values)
        # A bound that is computed from another value is a hair off the step.
        hair = self.limits.step * 1e-6
        if not low - hair <= number <= high + hair:
            details: dict[str, str | float] = {"minimum": low, "maximum": high}
            side, limit, bound = (
                ("earliest", low, self.limits.minimum)
                if number < low
                else ("latest", high, self.limits.maximum)
            )
            if isinstance(bound, Ref) and isinstance(values.get(bound.key), time):
                details |= {side: limit, "neighbour": bound.key}
            raise InvalidValueError(self.key, value, f"is outside {low:g} to {high:g}", **details)
        steps = number / self.limits.step
        if not math.isclose(steps, round(steps), rel_tol=0, abs_tol=1e-6):
            raise InvalidValueError(
                self.key,
                value,
                f"is not a multiple of {self.limits.step:g}",
                step=self.limits.step,
            )
