"""One row of a register table, and the codecs between raw registers and values.

A codec's `decode` and `encode` are exact inverses. A value that a register cannot hold exactly raises; nothing is
wrapped, rounded or clamped on the way out. A raw word that means "not available" decodes to None.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cache
import math
import struct
from typing import Final, Protocol

from .errors import InvalidValueError

type Value = bool | int | float | str | time | datetime | frozenset[int]

WORD: Final = 0xFFFF
# The key of the rated power in watts.
RATED_POWER: Final = "rated_power"


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


class Codec(Protocol):
    """Between a fixed number of raw words, in the row's order of addresses, and one value."""

    def decode(self, words: Sequence[int]) -> Value | None:
        """Return the value, or None where the words say that there is none."""
        ...

    def encode(self, value: Value) -> list[int]:
        """Return the words that decode to exactly this value; ValueError when there are none."""
        ...


class Dependent(ABC):
    """A codec that only what the machine tells of itself completes; until then it tells nothing."""

    __slots__ = ()

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Return the keys of what completes it."""

    @abstractmethod
    def completed(self, facts: Mapping[str, Value | None]) -> Codec:
        """Return the codec of a machine with these values."""


def as_number(value: Value | None) -> float | None:
    """Return a value that is a number."""
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else value


def _shift(mask: int) -> int:
    """Return how far a field lies from the lowest bit."""
    return (mask & -mask).bit_length() - 1


@cache
def _decimals(scale: float) -> int:
    """Return how many decimal places a multiple of the scale can have."""
    exponent = Decimal(str(scale)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@cache
def _product(*factors: float) -> float:
    """Return a product of decimal numbers without the hair that binary ones add."""
    return float(math.prod(Decimal(str(factor)) for factor in factors))


@dataclass(frozen=True, slots=True)
class Number:
    """An integer of one or more words: value = (raw - offset) * scale."""

    scale: float = 1
    offset: int = 0
    signed: bool = False
    words: int = 1
    low_first: bool = False
    absent: frozenset[int] = frozenset()

    def decode(self, words: Sequence[int]) -> int | float | None:
        """Return the value in engineering units."""
        raw = 0
        for word in reversed(words) if self.low_first else words:
            raw = raw << 16 | word
        if raw in self.absent:
            return None
        if self.signed and raw >> (16 * self.words - 1):
            raw -= 1 << 16 * self.words
        if self.scale == 1:
            return raw - self.offset
        value = (raw - self.offset) * self.scale
        # A binary float is a hair off the decimal value; the scale says how many places are real.
        return round(value, _decimals(self.scale)) if isinstance(value, float) else value

    def encode(self, value: Value) -> list[int]:
        """Return the words of a value that lies on the scale's grid and fits."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError("is not a number")
        try:
            raw = round(value / self.scale) + self.offset
        except (OverflowError, ValueError) as err:
            raise ValueError("does not fit into the register") from err
        bits = 16 * self.words
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if self.signed else (0, (1 << bits) - 1)
        if not low <= raw <= high:
            raise ValueError("does not fit into the register")
        words = [raw >> 16 * index & WORD for index in range(self.words)]
        if not self.low_first:
            words.reverse()
        if (held := self.decode(words)) is None or not math.isclose(
            held, value, rel_tol=0, abs_tol=self.scale * 1e-6
        ):
            raise ValueError("cannot be held exactly by the register")
        return words


@dataclass(frozen=True, slots=True)
class Share(Dependent):
    """A power in watts that the register holds as thousandths of the rated power (`full`, in watts).

    The one codec that rounds: a person thinks in watts, of which a machine of 6 kW knows every sixth. What is written
    goes to the nearest step, and what is shown is what the machine holds, in whole watts.
    """

    full: float | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the rated power's key."""
        return (RATED_POWER,)

    def completed(self, facts: Mapping[str, Value | None]) -> Share:
        """Return the shares of a machine's rated power."""
        return Share(as_number(facts.get(RATED_POWER)))

    def decode(self, words: Sequence[int]) -> int | None:
        """Return the power; None when the rated power is not known, or the word says that there is none."""
        return None if self.full is None or words[0] == WORD else round(words[0] * self.full / 1000)

    def encode(self, value: Value) -> list[int]:
        """Return the word of the step that is nearest."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError("is not a number")
        if self.full is None:
            raise ValueError("cannot be told in shares of an unknown rated power")
        if not 0 <= value <= self.full * 64:
            raise ValueError("does not fit into the register")
        return [round(value * 1000 / self.full)]

    def nearest(self, bound: float) -> float:
        """Return the power of the step that is nearest to a bound, if there is one."""
        if self.full is None or not math.isfinite(bound):
            return bound
        return round(round(bound * 1000 / self.full) * self.full / 1000)


@dataclass(frozen=True, slots=True)
class Float32:
    """An IEEE 754 single of two words."""

    low_first: bool = False

    def decode(self, words: Sequence[int]) -> float | None:
        """Return the value; NaN and infinities mean that there is none."""
        ordered = reversed(words) if self.low_first else words
        value: float = struct.unpack(">f", struct.pack(">2H", *ordered))[0]
        return value if math.isfinite(value) else None

    def encode(self, value: Value) -> list[int]:
        """Return the words of a value that a single holds exactly."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError("is not a number")
        try:
            packed = struct.pack(">f", value)
        except (OverflowError, struct.error) as err:
            raise ValueError("does not fit into the register") from err
        words = list(struct.unpack(">2H", packed))
        if self.low_first:
            words.reverse()
        if self.decode(words) != value:
            raise ValueError("cannot be held exactly by the register")
        return words


FLOAT32: Final = Float32()


@dataclass(frozen=True, slots=True)
class FloatNumber(Dependent):
    """A measurement as an IEEE 754 single of two words, the high one first: value = raw * scale * ratios.

    A single is a hair off the decimal number that the machine means, and a ratio makes the hair thicker: `places` says
    how many decimal places of the raw number are real.
    """

    scale: float = 1
    places: int = 3
    # The keys of the transformer ratios that it is measured through, and their product once they are known.
    ratios: tuple[str, ...] = ()
    ratio: float | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the ratios' keys."""
        return self.ratios

    def completed(self, facts: Mapping[str, Value | None]) -> FloatNumber:
        """Return the codec behind a machine's transformers."""
        known = [number for key in self.ratios if (number := as_number(facts.get(key)))]
        ratio = _product(*known) if len(known) == len(self.ratios) else None
        return replace(self, ratio=ratio)

    @property
    def _factor(self) -> float | None:
        """Return what a raw number is multiplied by, if that is known."""
        if not self.ratios:
            return self.scale
        return None if self.ratio is None else _product(self.scale, self.ratio)

    def decode(self, words: Sequence[int]) -> float | None:
        """Return the value; None while a ratio is not known, and for NaN and infinities."""
        raw = FLOAT32.decode(words)
        if raw is None or (factor := self._factor) is None:
            return None
        value = round(round(raw, self.places) * factor, self.places + _decimals(factor))
        # There is no negative zero.
        return value + 0.0

    def encode(self, value: Value) -> list[int]:
        """Return the words of the single that is nearest, if it means this value."""
        words = self._nearest_words(value)
        if self.decode(words) != value:
            raise ValueError("cannot be held exactly by the register")
        return words

    def nearest(self, value: float) -> float:
        """Return the value that can be held and is nearest; ValueError when there is none."""
        held = self.decode(self._nearest_words(value))
        if held is None:
            raise ValueError("does not fit into the register")
        return held

    def _nearest_words(self, value: Value) -> list[int]:
        """Return the words of the single that is nearest to a value."""
        if (number := as_number(value)) is None:
            raise ValueError("is not a number")
        if (factor := self._factor) is None:
            raise ValueError("cannot be told through unknown ratios")
        try:
            packed = struct.pack(">f", number / factor)
        except OverflowError as err:
            raise ValueError("does not fit into the register") from err
        return list(struct.unpack(">2H", packed))


@dataclass(frozen=True, slots=True)
class Choice:
    """A code that stands for a name, or for on and off. A code without a meaning decodes to None."""

    meanings: Mapping[int, str | bool]
    # The codes that a machine may hold, and that nobody is to choose.
    shown_only: frozenset[int] = frozenset()

    def decode(self, words: Sequence[int]) -> str | bool | None:
        """Return the meaning of the code."""
        return self.meanings.get(words[0])

    def encode(self, value: Value) -> list[int]:
        """Return the first code with this meaning that may be chosen."""
        for code, meaning in self._offered.items():
            if type(meaning) is type(value) and meaning == value:
                return [code]
        raise ValueError(f"is not one of {sorted(map(str, self.options))}")

    @property
    def options(self) -> list[str | bool]:
        """Return the meanings that may be chosen, each once, in the order of the table."""
        return list(dict.fromkeys(self._offered.values()))

    @property
    def _offered(self) -> dict[int, str | bool]:
        """Return the codes that may be chosen."""
        return {
            code: meaning for code, meaning in self.meanings.items() if code not in self.shown_only
        }


@dataclass(frozen=True, slots=True)
class Bits:
    """A field of flags: the numbers of the bits that are set."""

    words: int = 1
    low_first: bool = False
    absent: frozenset[int] = frozenset()
    # The bits that stand for nothing, whatever they are.
    reserved: frozenset[int] = frozenset()

    def decode(self, words: Sequence[int]) -> frozenset[int] | None:
        """Return the numbers of the set bits, the lowest bit being 0."""
        raw = 0
        for word in reversed(words) if self.low_first else words:
            raw = raw << 16 | word
        if raw in self.absent:
            return None
        bits = frozenset(bit for bit in range(16 * self.words) if raw >> bit & 1)
        return bits - self.reserved

    def encode(self, value: Value) -> list[int]:
        """Return the words with exactly these bits set."""
        if not isinstance(value, frozenset) or not all(
            bit in range(16 * self.words) and bit not in self.reserved for bit in value
        ):
            raise ValueError("is not a set of bit numbers of this register")
        raw = sum(1 << bit for bit in value)
        if raw in self.absent:
            raise ValueError("cannot be told from 'not available'")
        words = [raw >> 16 * index & WORD for index in range(self.words)]
        return words if self.low_first else words[::-1]


@dataclass(frozen=True, slots=True)
class Text:
    """ASCII, two characters a word, the high byte first, padded with zeros or blanks."""

    words: int

    def decode(self, words: Sequence[int]) -> str | None:
        """Return the text; None when it is empty or not printable ASCII."""
        raw = b"".join(word.to_bytes(2) for word in words).rstrip(b"\0 ")
        if not raw or not all(0x20 <= byte < 0x7F for byte in raw):
            return None
        return raw.decode("ascii")

    def encode(self, value: Value) -> list[int]:
        """Return the words, padded with zeros."""
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise ValueError("is not printable ASCII text")
        raw = value.encode("ascii").ljust(2 * self.words, b"\0")
        words = [int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)]
        if len(words) != self.words or self.decode(words) != value:
            raise ValueError("cannot be held exactly by the register")
        return words


@dataclass(frozen=True, slots=True)
class Hex:
    """Each word as four upper-case hex digits, joined with dashes (firmware numbers)."""

    words: int = 1

    def decode(self, words: Sequence[int]) -> str | None:
        """Return the digits; None when every word says "not available"."""
        if all(word == WORD for word in words):
            return None
        return "-".join(f"{word:04X}" for word in words)

    def encode(self, value: Value) -> list[int]:
        """Return the words of a text in exactly this form."""
        parts = value.split("-") if isinstance(value, str) else []
        try:
            words = [int(part, 16) for part in parts]
        except ValueError:
            words = []
        if len(words) != self.words or max(words) > WORD or self.decode(words) != value:
            raise ValueError("is not of the form XXXX-XXXX")
        return words


@dataclass(frozen=True, slots=True)
class Version:
    """A firmware number in thousandths, as text with all its digits."""

    def decode(self, words: Sequence[int]) -> str | None:
        """Return the number; None when the word says "not available"."""
        return None if words[0] == WORD else f"{words[0] // 1000}.{words[0] % 1000:03d}"

    def encode(self, value: Value) -> list[int]:
        """Return the word of a text in exactly this form."""
        digits = value.replace(".", "") if isinstance(value, str) else ""
        words = [int(digits) if digits.isascii() and digits.isdecimal() else WORD]
        if words[0] > WORD or self.decode(words) != value:
            raise ValueError("is not of the form 1.234")
        return words


@dataclass(frozen=True, slots=True)
class Hhmm:
    """A time of day as the decimal number hour * 100 + minute."""

    def decode(self, words: Sequence[int]) -> time | None:
        """Return the time; None for a number that is no time of day."""
        hour, minute = divmod(words[0], 100)
        return time(hour, minute) if hour < 24 and minute < 60 else None

    def encode(self, value: Value) -> list[int]:
        """Return the word of a time with whole minutes."""
        if not isinstance(value, time):
            raise ValueError("is not a time of day")
        if value.second or value.microsecond or value.tzinfo:
            raise ValueError("has more than hours and minutes")
        return [value.hour * 100 + value.minute]


@dataclass(frozen=True, slots=True)
class ByteTime:
    """A time of day as two bytes: the hour, the minute."""

    def decode(self, words: Sequence[int]) -> time | None:
        """Return the time; None for a word that is no time of day, 24:00 included."""
        hour, minute = words[0].to_bytes(2)
        return time(hour, minute) if hour < 24 and minute < 60 else None

    def encode(self, value: Value) -> list[int]:
        """Return the word of a time with whole minutes."""
        if not isinstance(value, time):
            raise ValueError("is not a time of day")
        if value.second or value.microsecond or value.tzinfo:
            raise ValueError("has more than hours and minutes")
        return [value.hour << 8 | value.minute]


@dataclass(frozen=True, slots=True)
class ClockTime:
    """Date and time in three words of bytes: year - 2000, month; day, hour; minute, second. Local, no zone."""

    first_year: int = 2020

    def decode(self, words: Sequence[int]) -> datetime | None:
        """Return the time; None when it is no date, or from before the machine can have been built."""
        year, month, day, hour, minute, second = b"".join(word.to_bytes(2) for word in words)
        if 2000 + year < self.first_year:
            return None
        try:
            return datetime(2000 + year, month, day, hour, minute, second)  # noqa: DTZ001 - the machine knows no zone
        except ValueError:
            return None

    def encode(self, value: Value) -> list[int]:
        """Return the words of a local time with whole seconds."""
        if not isinstance(value, datetime) or value.tzinfo or value.microsecond:
            raise ValueError("is not a local time with whole seconds")
        if not self.first_year <= value.year <= 2255:
            raise ValueError("is outside the years that the clock counts")
        return [
            value.year - 2000 << 8 | value.month,
            value.day << 8 | value.hour,
            value.minute << 8 | value.second,
        ]


@dataclass(frozen=True, slots=True)
class WideClockTime:
    """Date and time in four words: the year; month, day; hour, minute; second, nothing. Local, no zone."""

    first_year: int = 2020

    def decode(self, words: Sequence[int]) -> datetime | None:
        """Return the time; None when it is no date, or from before the machine can have been built."""
        year, *others = words
        month, day, hour, minute, second, _ = b"".join(word.to_bytes(2) for word in others)
        if year < self.first_year:
            return None
        try:
            return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the machine knows no zone
        except ValueError:
            return None

    def encode(self, value: Value) -> list[int]:
        """Return the words of a local time with whole seconds."""
        if not isinstance(value, datetime) or value.tzinfo or value.microsecond:
            raise ValueError("is not a local time with whole seconds")
        if value.year < self.first_year:
            raise ValueError("is outside the years that the clock counts")
        return [
            value.year,
            value.month << 8 | value.day,
            value.hour << 8 | value.minute,
            value.second << 8,
        ]


@dataclass(frozen=True, slots=True)
class WordClockTime:
    """Date and time in a word each: second, minute, hour, day, month, year, of which the century may be left out."""

    first_year: int = 2000

    def decode(self, words: Sequence[int]) -> datetime | None:
        """Return the time; None when it is no date, or from before the machine can have been built."""
        second, minute, hour, day, month, year = words
        year += 2000 if year < 100 else 0
        try:
            moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the machine knows no zone
        except ValueError:
            return None
        return moment if year >= self.first_year else None

    def encode(self, value: Value) -> list[int]:
        """Return the words of a local time with whole seconds, the century among them."""
        if not isinstance(value, datetime) or value.tzinfo or value.microsecond:
            raise ValueError("is not a local time with whole seconds")
        if value.year < self.first_year:
            raise ValueError("is outside the years that the clock counts")
        return [value.second, value.minute, value.hour, value.day, value.month, value.year]


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
