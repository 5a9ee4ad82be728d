"""How the rows of every family's table are written down; a family adds what only its machines have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, TypedDict, Unpack

from ..codec import WORD, Bits, Choice, Codec, Number
from ..register import Group, Limits, Register, Tier

# What most registers hold that the firmware does not have; a measurement with a sign can be -1.
NOT_AVAILABLE: Final = frozenset({WORD})


class Extra(TypedDict, total=False):
    """What a row may have besides its place, its codec and its unit."""

    mask: int
    tier: Tier
    limits: Limits
    plausible: tuple[float, float]
    labels: Mapping[int, str]
    written_with: tuple[str, ...]
    stored: bool
    confidence: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows that are polled together and rest on the same page or document."""

    group: Group
    source: str = ""
    confidence: str = "high"

    # Which of two words lies at the lower address.
    low_first: ClassVar[bool]

    def row(
        self,
        key: str,
        addresses: tuple[int, ...],
        codec: Codec,
        unit: str | None = None,
        **extra: Unpack[Extra],
    ) -> Register:
        """Return a row with any codec."""
        extra.setdefault("confidence", self.confidence)
        return Register(
            key=key,
            addresses=addresses,
            group=self.group,
            codec=codec,
            unit=unit,
            source=self.source,
            **extra,
        )

    def u16(
        self,
        key: str,
        address: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        offset: int = 0,
        absent: frozenset[int] = NOT_AVAILABLE,
        **extra: Unpack[Extra],
    ) -> Register:
        """Return an unsigned number of one word."""
        codec = Number(scale=scale, offset=offset, absent=absent)
        return self.row(key, (address,), codec, unit, **extra)

    def i16(
        self,
        key: str,
        address: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        absent: frozenset[int] = frozenset(),
        **extra: Unpack[Extra],
    ) -> Register:
        """Return a signed number of one word."""
        codec = Number(scale=scale, signed=True, absent=absent)
        return self.row(key, (address,), codec, unit, **extra)

    def u32(
        self,
        key: str,
        first: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        **extra: Unpack[Extra],
    ) -> Register:
        """Return an unsigned number of two words."""
        codec = Number(
            scale=scale, words=2, low_first=self.low_first, absent=frozenset({0xFFFFFFFF})
        )
        return self.row(key, (first, first + 1), codec, unit, **extra)

    def bits(self, key: str, first: int, words: int = 1, **extra: Unpack[Extra]) -> Register:
        """Return a field of flags; all flags at once mean that there is none."""
        none = frozenset({(1 << 16 * words) - 1})
        codec = Bits(words=words, low_first=self.low_first, absent=none)
        return self.row(key, tuple(range(first, first + words)), codec, **extra)

    def choice(
        self,
        key: str,
        address: int,
        meanings: Mapping[int, str | bool],
        *,
        shown_only: frozenset[int] = frozenset(),
        **extra: Unpack[Extra],
    ) -> Register:
        """Return a list of codes, of which some may be there and are not to be chosen."""
        return self.row(key, (address,), Choice(meanings, shown_only), **extra)

    def switch(self, key: str, address: int, **extra: Unpack[Extra]) -> Register:
        """Return a plain on and off."""
        return self.choice(key, address, {0: False, 1: True}, **extra)
