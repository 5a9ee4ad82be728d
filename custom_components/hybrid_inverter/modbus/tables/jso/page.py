"""How the rows of this family are written down: what its words look like, and which bounds come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypedDict, Unpack

from ...register import (
    WORD,
    Bits,
    Choice,
    Codec,
    Group,
    Limits,
    Number,
    Ref,
    Register,
    Tier,
)

EVERYDAY: Final = Tier.EVERYDAY
INSTALLER: Final = Tier.INSTALLER

# Settings, BMS and identity registers that the firmware does not have; a measurement with a sign can be -1.
NOT_AVAILABLE: Final = frozenset({WORD})
# A battery temperature of raw 0 (-100 degC) and a state of health of 0 were never delivered.
ZERO: Final = frozenset({0})

PERCENT: Final = (0.0, 100.0)
BATTERY_VOLTAGE: Final = (0.0, 100.0)
AC_VOLTAGE: Final = (0.0, 500.0)
PV_VOLTAGE: Final = (0.0, 1000.0)
# 0 when there is no grid.
FREQUENCY: Final = (0.0, 70.0)
TEMPERATURE: Final = (-50.0, 150.0)

RATED: Final = Ref("rated_power", default=8000)
# The data sheets by rated power; the display text of the smallest model where the rating is not listed.
BATTERY_CURRENT: Final = Ref(
    "rated_power",
    by_value={
        8000: 190,
        12000: 240,
        14000: 260,
        15000: 280,
        16000: 300,
        18000: 330,
        20000: 350,
    },
    default=115,
)


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
class Page:
    """The rows that rest on one page of the manual, or on the protocol document only."""

    group: Group
    source: str = "protocol V105.4"
    confidence: str = "high"

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
        low: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        **extra: Unpack[Extra],
    ) -> Register:
        """Return an unsigned number of two words, the low one first."""
        codec = Number(scale=scale, words=2, low_first=True, absent=frozenset({0xFFFFFFFF}))
        return self.row(key, (low, low + 1), codec, unit, **extra)

    def bits(self, key: str, first: int, words: int = 1, **extra: Unpack[Extra]) -> Register:
        """Return a field of flags, the low word first; all flags at once mean that there is none."""
        codec = Bits(words=words, low_first=True, absent=frozenset({(1 << 16 * words) - 1}))
        return self.row(key, tuple(range(first, first + words)), codec, **extra)

    def choice(
        self,
        key: str,
        address: int,
        meanings: Mapping[int, str | bool],
        **extra: Unpack[Extra],
    ) -> Register:
        """Return a list of codes."""
        return self.row(key, (address,), Choice(meanings), **extra)

    def switch(self, key: str, address: int, **extra: Unpack[Extra]) -> Register:
        """Return a plain on and off."""
        return self.choice(key, address, {0: False, 1: True}, **extra)

    def pair(self, key: str, address: int, **extra: Unpack[Extra]) -> Register:
        """Return an on and off of two bits: 0 and 1 leave the item as it is, so they tell nothing."""
        return self.choice(key, address, {2: False, 3: True}, **extra)
