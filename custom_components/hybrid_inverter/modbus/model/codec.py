"""The codecs between raw registers and values: numbers, shares, names, bits and texts.

A codec's `decode` and `encode` are exact inverses. A value that a register cannot hold exactly raises; nothing is
wrapped, rounded or clamped on the way out. A raw word that means "not available" decodes to None.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from decimal import Decimal
from functools import cache
import math
import struct
from typing import Final, Protocol

type Value = bool | int | float | str | time | datetime | frozenset[int]
# By key; None where the device says that there is none.
type Values = Mapping[str, Value | None]

WORD: Final = 0xFFFF
# The key of the rated power in watts.
RATED_POWER: Final = "rated_power"


class Codec(Protocol):
    """Between a fixed number of raw words, in the row's order of addresses, and one value."""

    def decode(self, words: Sequence[int]) -> Value | None:
        """The value, or None where the words say that there is none."""
        ...

    def encode(self, value: Value) -> list[int]:
        """The words that decode to exactly this value; ValueError when there are none."""
        ...


class Dependent(ABC):
    """A codec that needs facts which the device reports; without them, values are None."""

    __slots__ = ()

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """The keys of what completes it."""

    @abstractmethod
    def completed(self, facts: Mapping[str, Value | None]) -> Codec:
        """The codec of a device with these values."""


def as_number(value: Value | None) -> float | None:
    """The value if it is a number, else None; a flag is none."""
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else value


def _number(value: Value) -> float:
    """The value; ValueError if it is not a number."""
    if (number := as_number(value)) is None:
        raise ValueError("is not a number")
    return number


@cache
def decimals(scale: float) -> int:
    """How many decimal places a multiple of the scale can have."""
    exponent = Decimal(str(scale)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@cache
def _product(*factors: float) -> float:
    """A product of decimal numbers without the hair that binary ones add."""
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
    # Of a signed number that hardly goes below zero: the lowest; what would be lower is a large one.
    floor: int | None = None

    @property
    def _range(self) -> tuple[int, int]:
        """The lowest and the highest raw number."""
        count = 1 << 16 * self.words
        low = (-count // 2 if self.floor is None else self.floor) if self.signed else 0
        return low, low + count - 1

    def decode(self, words: Sequence[int]) -> int | float | None:
        """The value in engineering units."""
        raw = 0
        for word in reversed(words) if self.low_first else words:
            raw = raw << 16 | word
        if raw in self.absent:
            return None
        if self.signed:
            count = 1 << 16 * self.words
            if raw >= count + (-count // 2 if self.floor is None else self.floor):
                raw -= count
        if self.scale == 1:
            return raw - self.offset
        value = (raw - self.offset) * self.scale
        # A binary float is a hair off the decimal value; the scale says how many places are real.
        return round(value, decimals(self.scale)) if isinstance(value, float) else value

    def encode(self, value: Value) -> list[int]:
        """The words of a value that lies on the scale's grid and fits."""
        number = _number(value)
        try:
            raw = round(number / self.scale) + self.offset
        except (OverflowError, ValueError) as err:
            raise ValueError("does not fit into the register") from err
        low, high = self._range
        if not low <= raw <= high:
            raise ValueError("does not fit into the register")
        words = [raw >> 16 * index & WORD for index in range(self.words)]
        if not self.low_first:
            words.reverse()
        if (held := self.decode(words)) is None or not math.isclose(
            held, number, rel_tol=0, abs_tol=self.scale * 1e-6
        ):
            raise ValueError("cannot be held exactly by the register")
        return words


@dataclass(frozen=True, slots=True)
class PermilleOfRated(Dependent):
    """A power in watts that the register holds as thousandths of the rated power (`full`, in watts).

    The one codec that rounds: a device of 6 kW holds only every sixth watt. A value is written as the nearest
    step, and shown as the device holds it, in whole watts.
    """

    full: float | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The rated power's key."""
        return (RATED_POWER,)

    def completed(self, facts: Mapping[str, Value | None]) -> PermilleOfRated:
        """The shares of a device's rated power."""
        return PermilleOfRated(as_number(facts.get(RATED_POWER)))

    def decode(self, words: Sequence[int]) -> int | None:
        """The power; None when the rated power is not known, or the word says that there is none."""
        return None if self.full is None or words[0] == WORD else round(words[0] * self.full / 1000)

    def encode(self, value: Value) -> list[int]:
        """The word of the step that is nearest."""
        number = _number(value)
        if self.full is None:
            raise ValueError("cannot be told in shares of an unknown rated power")
        if not 0 <= number <= self.full * 64:
            raise ValueError("does not fit into the register")
        return [round(number * 1000 / self.full)]

    def nearest(self, bound: float) -> float:
        """The power of the step that is nearest to a bound, if there is one."""
        if self.full is None or not math.isfinite(bound):
            return bound
        return round(round(bound * 1000 / self.full) * self.full / 1000)


@dataclass(frozen=True, slots=True)
class Float32:
    """An IEEE 754 single of two words."""

    low_first: bool = False

    def decode(self, words: Sequence[int]) -> float | None:
        """The value; NaN and infinities mean that there is none."""
        ordered = reversed(words) if self.low_first else words
        value: float = struct.unpack(">f", struct.pack(">2H", *ordered))[0]
        return value if math.isfinite(value) else None

    def encode(self, value: Value) -> list[int]:
        """The words of a value that a single holds exactly."""
        number = _number(value)
        try:
            packed = struct.pack(">f", number)
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

    A single is a hair off the decimal number that the device means, and a ratio makes the hair thicker: `places` says
    how many decimal places of the raw number are real.
    """

    scale: float = 1
    places: int = 3
    # The keys of the transformer ratios that it is measured through, and their product once they are known.
    ratios: tuple[str, ...] = ()
    ratio: float | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The ratios' keys."""
        return self.ratios

    def completed(self, facts: Mapping[str, Value | None]) -> FloatNumber:
        """The codec behind a device's transformers."""
        known = [number for key in self.ratios if (number := as_number(facts.get(key)))]
        ratio = _product(*known) if len(known) == len(self.ratios) else None
        return replace(self, ratio=ratio)

    @property
    def _factor(self) -> float | None:
        """What a raw number is multiplied by, if that is known."""
        if not self.ratios:
            return self.scale
        return None if self.ratio is None else _product(self.scale, self.ratio)

    def decode(self, words: Sequence[int]) -> float | None:
        """The value; None while a ratio is not known, and for NaN and infinities."""
        raw = FLOAT32.decode(words)
        if raw is None or (factor := self._factor) is None:
            return None
        value = round(round(raw, self.places) * factor, self.places + decimals(factor))
        # There is no negative zero.
        return value + 0.0

    def encode(self, value: Value) -> list[int]:
        """The words of the single that is nearest, if it means this value."""
        words = self._nearest_words(value)
        if self.decode(words) != value:
            raise ValueError("cannot be held exactly by the register")
        return words

    def nearest(self, value: float) -> float:
        """The value that can be held and is nearest; ValueError when there is none."""
        held = self.decode(self._nearest_words(value))
        if held is None:
            raise ValueError("does not fit into the register")
        return held

    def _nearest_words(self, value: Value) -> list[int]:
        """The words of the single that is nearest to a value."""
        number = _number(value)
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
    # The codes that a device may hold, and that are not offered.
    shown_only: frozenset[int] = frozenset()

    def decode(self, words: Sequence[int]) -> str | bool | None:
        """The meaning of the code."""
        return self.meanings.get(words[0])

    def encode(self, value: Value) -> list[int]:
        """The first code with this meaning that may be chosen."""
        for code, meaning in self._offered.items():
            if type(meaning) is type(value) and meaning == value:
                return [code]
        raise ValueError(f"is not one of {sorted(map(str, self.options))}")

    @property
    def options(self) -> list[str | bool]:
        """The meanings that may be chosen, each once, in the order of the table."""
        return list(dict.fromkeys(self._offered.values()))

    @property
    def _offered(self) -> dict[int, str | bool]:
        """The codes that may be chosen."""
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
        """The numbers of the set bits, the lowest bit being 0."""
        raw = 0
        for word in reversed(words) if self.low_first else words:
            raw = raw << 16 | word
        if raw in self.absent:
            return None
        bits = frozenset(bit for bit in range(16 * self.words) if raw >> bit & 1)
        return bits - self.reserved

    def encode(self, value: Value) -> list[int]:
        """The words with exactly these bits set."""
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
    """ASCII, two characters a word, the high byte first, padded with zeros, blanks or "not available"."""

    words: int

    def decode(self, words: Sequence[int]) -> str | None:
        """The text; None when it is empty or not printable ASCII."""
        raw = b"".join(word.to_bytes(2) for word in words).rstrip(b"\0 \xff")
        if not raw or not all(0x20 <= byte < 0x7F for byte in raw):
            return None
        return raw.decode("ascii")

    def encode(self, value: Value) -> list[int]:
        """The words, padded with zeros."""
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
        """The digits; None when every word says "not available"."""
        if all(word == WORD for word in words):
            return None
        return "-".join(f"{word:04X}" for word in words)

    def encode(self, value: Value) -> list[int]:
        """The words of a text in exactly this form."""
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
        """The number; None when the word says "not available"."""
        return None if words[0] == WORD else f"{words[0] // 1000}.{words[0] % 1000:03d}"

    def encode(self, value: Value) -> list[int]:
        """The word of a text in exactly this form."""
        digits = value.replace(".", "") if isinstance(value, str) else ""
        words = [int(digits) if digits.isascii() and digits.isdecimal() else WORD]
        if words[0] > WORD or self.decode(words) != value:
            raise ValueError("is not of the form 1.234")
        return words
