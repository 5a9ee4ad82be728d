"""One row of a register table: where a value lies, what it means, and who may change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from enum import StrEnum
import math
from typing import Final

from ..errors import InvalidValueError
from .codec import (
    RATED_POWER,
    WORD,
    Choice,
    Codec,
    Dependent,
    Number,
    PermilleOfRated,
    Value,
    Values,
    as_number,
)
from .condition import Condition
from .presentation import Presented

# How many steps at the ends of a register's scale are no power.
SCALE_END: Final = 512
# How far a word goes until it begins again; how many watts no phase has, and by how many a total and its phases may differ.
TURN: Final = 1 << 16
PHASE_END: Final = 1 << 14
PHASES_AGREE: Final = 1000

# The words of a value that may be none.
NOTHING: Final = ({0}, {WORD})

# What some registers hold, in the order of their addresses.
type RegisterWords = Sequence[int]


class Group(StrEnum):
    """What is polled together, at one interval."""

    POWER = "power"
    FAULTS = "faults"
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


def _rated_bounds(codec: Codec, lowest: float, highest: float, rated: float) -> tuple[float, float]:
    """These multiples of the rated power, without the ends of what the register can hold.

    There lie the words of a device that has no reading, or one without a sign that is a little below zero.
    """
    low, high = lowest * rated, highest * rated
    if isinstance(codec, Number) and codec.floor is None:
        end = (1 << 16 * codec.words - codec.signed) - SCALE_END
        return max(low, -end), min(high, end)
    return low, high


def _shift(mask: int) -> int:
    """How far a field lies from the lowest bit."""
    return (mask & -mask).bit_length() - 1


def _minutes(value: time) -> int:
    """A time of day in minutes, in which its bounds count; midnight as the end of the day is after all others."""
    return 24 * 60 if value.fold else value.hour * 60 + value.minute


def _missing_turns(total: int, phases: Sequence[int | None]) -> int:
    """What a signed word lacks of a total in W, by the words of the phases: 65536 up or down, or nothing.

    Nothing also where they are not known, cannot be true, or do not add up even so.
    """
    watts = [word - (TURN if word >= TURN // 2 else 0) for word in phases if word is not None]
    if len(watts) < len(phases) or max(map(abs, watts)) >= PHASE_END:
        return 0
    lacking = round((sum(watts) - total) / TURN) * TURN
    return lacking if abs(sum(watts) - total - lacking) <= PHASES_AGREE else 0


@dataclass(frozen=True, slots=True)
class Ref:
    """A bound that another register of the same device sets; a time of day counts in minutes."""

    key: str
    factor: float = 1
    offset: float = 0
    # Instead of the factor: what the other register's value stands for. One that is not listed stands for what the next
    # larger one does, and one beyond them all for what the largest does.
    by_value: Mapping[float, float] = field(default_factory=dict)
    # What holds while the other register is unknown, or its bound does not count.
    default: float | None = None
    # When it counts; always if there is no condition.
    when: Condition | None = None
    # The number in the other register's value, as the release in a firmware's name; None where there is none.
    number: Callable[[Value | None], float | None] = as_number

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of everything that it rests on."""
        return (self.key, *(self.when.keys if self.when else ()))

    def counts(self, values: Values) -> bool:
        """Whether the other register's value is known, and a bound now."""
        known = values.get(self.key) is not None
        return known and (self.when is None or self.when.is_met(values))

    def resolve(self, values: Values) -> float | None:
        """The bound for these values; None when nothing is known."""
        if not self.counts(values):
            return self.default
        other = values.get(self.key)
        if isinstance(other, time):
            other = _minutes(other)
        number = self.number(other)
        if number is None:
            return self.default
        if self.by_value:
            listed = min(
                (value for value in self.by_value if value >= number), default=max(self.by_value)
            )
            return self.by_value[listed]
        return number * self.factor + self.offset


@dataclass(frozen=True, slots=True)
class Limits:
    """The smallest and largest value that may be written, both included, and the step between values."""

    minimum: float | Ref
    maximum: float | Ref
    step: float = 1
    # The largest value that any device of the family takes, where the maximum is worked out: up to it, whatever a
    # device holds shows that its own maximum is no lower.
    most: float | None = None
    # The same of the minimum.
    least: float | None = None

    def resolve(self, values: Values) -> tuple[float, float]:
        """The bounds in force, with other registers' values put in."""

        def number(bound: float | Ref, otherwise: float) -> float:
            if isinstance(bound, Ref):
                known = bound.resolve(values)
                return otherwise if known is None else known
            return bound

        return number(self.minimum, -math.inf), number(self.maximum, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(Presented):
    """One value that a device serves: where it lies, what it means, who may change it."""

    # In the order of the codec; they need not be contiguous.
    addresses: tuple[int, ...]
    group: Group
    codec: Codec
    # As Home Assistant spells it.
    unit: str | None = None
    # The value is only these bits of a single word, shifted down; the others belong to other values.
    mask: int | None = None
    # The lowest tier that may write it; None: it is never written.
    tier: Tier | None = None
    limits: Limits | None = None
    # Values outside these bounds cannot be true and are not published.
    plausible: tuple[float, float] | None = None
    # The same in multiples of the rated power: what no device of that rating can deliver.
    of_rated: tuple[float, float] | None = None
    # Words that are not all 0 or 0xFFFF while there is what this tells of, as the voltage of a pack; while they are, a
    # 0 or a 0xFFFF here tells nothing.
    alive_at: tuple[int, ...] = ()
    # The words of the three phases of which it is the total, which may be more than a signed word of its own holds.
    phases: tuple[int, ...] = ()
    # The addresses of all words that the value is made of.
    read_from: tuple[int, ...] = field(init=False, repr=False, compare=False)
    # What the numbers of a bit field, or of an open list of codes, stand for.
    labels: Mapping[int, str] = field(default_factory=dict)
    # The other registers that must be written in the same request.
    written_with: tuple[str, ...] = ()
    # Seconds that the device may take to apply what is written, where that is longer than its family's time to settle.
    settle: float = 0
    # Whether the device keeps it in the memory that wears; a clock is not kept there.
    stored: bool = True
    # Whether 0xFFFF in it is a cell that nobody has filled, and not a register that the device does not have.
    may_be_blank: bool = False
    # The page of the manual, or what else the row rests on.
    source: str = ""
    confidence: str = "high"

    def __post_init__(self) -> None:
        """Put the addresses together once: they are asked for whenever the value may have changed."""
        object.__setattr__(self, "read_from", self.addresses + self.alive_at + self.phases)

    @property
    def writable(self) -> bool:
        """Whether any tier may write it."""
        return self.tier is not None

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The runs of consecutive addresses that are read, each as its first and last one."""
        runs: list[tuple[int, int]] = []
        for address in sorted(self.read_from):
            if runs and address == runs[-1][1] + 1:
                runs[-1] = (runs[-1][0], address)
            else:
                runs.append((address, address))
        return runs

    @property
    def is_flag(self) -> bool:
        """Whether it is on or off."""
        return isinstance(self.codec, Choice) and not self.names

    @property
    def options(self) -> list[str]:
        """The names that a choice offers; empty for everything else."""
        if not isinstance(self.codec, Choice):
            return []
        return [option for option in self.codec.options if isinstance(option, str)]

    @property
    def names(self) -> list[str]:
        """The names a choice can show, those that it does not offer too; empty for everything else."""
        if not isinstance(self.codec, Choice):
            return []
        return list(
            dict.fromkeys(name for name in self.codec.meanings.values() if isinstance(name, str))
        )

    def completed(self, facts: Values) -> Register:
        """The row of a device with these values, on which its codec and what can be true may rest."""
        row = self
        if isinstance(self.codec, Dependent):
            row = replace(row, codec=self.codec.completed(facts))
        if self.of_rated and (rated := as_number(facts.get(RATED_POWER))):
            row = replace(row, plausible=_rated_bounds(self.codec, *self.of_rated, rated))
        return row

    def exceeds_rating(self, image: Mapping[int, int]) -> bool:
        """Whether an image of raw registers holds a power that no device of this rating can deliver."""
        if not (self.of_rated and self.plausible):
            return False
        number = as_number(self.codec.decode(self.words(image)))
        return number is not None and not self.plausible[0] <= number <= self.plausible[1]

    def decode(self, image: Mapping[int, int]) -> Value | None:
        """The value in an image of raw registers; KeyError when an address is missing."""
        if self.mask not in (None, WORD) and image[self.addresses[0]] == WORD:
            return None
        words = self.words(image)
        if self.alive_at and set(words) in NOTHING and self._is_silent(image):
            return None
        value = self.decode_words(words)
        if self.phases and isinstance(value, int):
            return value + _missing_turns(value, [image.get(address) for address in self.phases])
        return value

    def _is_silent(self, image: Mapping[int, int]) -> bool:
        """Whether nothing shows that there is what it tells of."""
        return {0, WORD}.issuperset(image.get(address) for address in self.alive_at)

    def words(self, image: Mapping[int, int]) -> list[int]:
        """The words for the codec from an image of raw registers; KeyError when an address is missing."""
        words = [image[address] for address in self.addresses]
        return words if self.mask is None else [(words[0] & self.mask) >> _shift(self.mask)]

    def decode_words(self, words: Sequence[int]) -> Value | None:
        """The value of such words."""
        value = self.codec.decode(words)
        if (
            self.plausible
            and isinstance(value, (int, float))
            and not self.plausible[0] <= value <= self.plausible[1]
        ):
            return None
        return value

    def encode(self, value: Value, image: Mapping[int, int] | None = None) -> list[int]:
        """The words to write, in the order of the addresses.

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
        if held == WORD and self.may_be_blank:
            held = 0
        word = held & ~self.mask & WORD | bits
        if self.mask != WORD and WORD in (held, word):
            raise InvalidValueError(self.key, value, "cannot be told from 'not available'")
        return [word]

    def normalise(self, value: Value) -> Value:
        """The value as the register would hold it; InvalidValueError when it cannot."""
        try:
            held = self.codec.decode(self.codec.encode(value))
        except ValueError as err:
            raise InvalidValueError(self.key, value, str(err)) from err
        if held is None:
            raise InvalidValueError(self.key, value, "means 'not available' to the machine")
        return held

    def bounds(self, values: Values, held: Value | None = None) -> tuple[float, float]:
        """The bounds in force with these values of other registers; ValueError when it has none.

        What a device holds, or has held, is within them. Those of a share are powers that the device can hold: the
        nearest to what is computed.
        """
        if self.limits is None:
            raise ValueError(f"{self.key} has no limits")
        low, high = self.limits.resolve(values)
        if self.limits.most is not None and (number := as_number(held)) is not None:
            high = max(high, min(number, self.limits.most))
        if self.limits.least is not None and (number := as_number(held)) is not None:
            low = min(low, max(number, self.limits.least))
        if not isinstance(self.codec, PermilleOfRated):
            return low, high
        return self.codec.nearest(low), self.codec.nearest(high)

    def check(self, value: Value, values: Values, held: Value | None = None) -> None:
        """Raise InvalidValueError when the value is off its bounds or its step; `held` is as for `bounds`.

        Times of day are bounded in minutes. The register that is in the way is named as `neighbour`, with the `lowest` or
        `highest` value that it allows, or the `earliest` or `latest` time.
        """
        if self.limits is None or not isinstance(value, (int, float, time)):
            return
        if isinstance(value, time) and value.fold:
            # Only what a device has held at the end of a day is put back there.
            return
        number: float = _minutes(value) if isinstance(value, time) else value
        low, high = self.bounds(values, held)
        # A bound that is computed from another value is a hair off the step.
        hair = self.limits.step * 1e-6
        if not low - hair <= number <= high + hair:
            details: dict[str, str | float] = {"minimum": low, "maximum": high}
            sides, limit, bound = (
                (("lowest", "earliest"), low, self.limits.minimum)
                if number < low
                else (("highest", "latest"), high, self.limits.maximum)
            )
            if isinstance(bound, Ref) and bound.counts(values):
                details |= {sides[isinstance(value, time)]: limit, "neighbour": bound.key}
            raise InvalidValueError(self.key, value, f"is outside {low:g} to {high:g}", **details)
        steps = number / self.limits.step
        if not math.isclose(steps, round(steps), rel_tol=0, abs_tol=1e-6):
            raise InvalidValueError(
                self.key,
                value,
                f"is not a multiple of {self.limits.step:g}",
                step=self.limits.step,
            )
