"""The row builder of every family's table; a family adds the codecs that only its devices have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
import math
from typing import ClassVar, Final, Self, TypedDict, Unpack

from ..model.codec import (
    WORD,
    Bits,
    Choice,
    Codec,
    Number,
)
from ..model.condition import Condition
from ..model.part import Kind, Part
from ..model.presentation import Named, named
from ..model.register import (
    Group,
    Limits,
    Register,
    Tier,
)

# What most registers hold that the firmware does not have; a measurement with a sign can be -1.
NOT_AVAILABLE: Final = frozenset({WORD})
# What else a register holds whose value is never 0 while there is what it tells of, as the voltage of a battery.
SILENT: Final = NOT_AVAILABLE | {0}

# Multiples of the rated power. What flows through a device is less than twice of it, which inverters give for seconds, and
# batteries and PV inputs never reach. What flows into and out of a house is up to its fuses.
THROUGH_DEVICE: Final = (-2.0, 2.0)
INTO_DEVICE: Final = (0.0, 2.0)
OF_HOUSE: Final = (-math.inf, math.inf)


class Extra(TypedDict, total=False):
    """What a row may have besides its address, its codec and its unit."""

    part: Part | None
    shown: bool
    diagnostic: bool
    primary: bool
    when: tuple[Condition, ...]
    kept: bool
    kind: Kind
    named_by_role: bool
    mask: int
    tier: Tier
    limits: Limits
    plausible: tuple[float, float]
    of_rated: tuple[float, float]
    alive_at: tuple[int, ...]
    phases: tuple[int, ...]
    labels: Mapping[int, str]
    written_with: tuple[str, ...]
    settle: float
    stored: bool
    may_be_blank: bool
    confidence: str


@dataclass(frozen=True, slots=True)
class RowBuilder:
    """Builds rows that are polled together, belong to one part, and rest on the same page or document."""

    group: Group
    # None: no person sees them, unless a row says what it belongs to.
    part: Part | None = None
    source: str = ""
    confidence: str = "high"
    # What its powers can be, in multiples of the rated power.
    powers: tuple[float, float] | None = None
    # The words that show whether there is what they tell of.
    alive_at: tuple[int, ...] = ()

    # Which of two words lies at the lower address.
    low_first: ClassVar[bool]
    # The words with which a device says that it does not have a number.
    not_available: ClassVar[frozenset[int]] = NOT_AVAILABLE

    def of(self, part: Part) -> Self:
        """The same rows, of another part."""
        return replace(self, part=part)

    def beside(self, *alive_at: int) -> Self:
        """The same rows, which tell nothing with a 0 while these words are 0."""
        return replace(self, alive_at=alive_at)

    def row(
        self,
        key: str | Named,
        addresses: tuple[int, ...],
        codec: Codec,
        unit: str | None = None,
        **extra: Unpack[Extra],
    ) -> Register:
        """A row with any codec."""
        extra.setdefault("part", self.part)
        extra.setdefault("confidence", self.confidence)
        if self.powers is not None and unit in ("W", "VA"):
            extra.setdefault("of_rated", self.powers)
        extra.setdefault("alive_at", self.alive_at)
        name = named(key)
        return Register(
            key=name.key,
            name=name.name,
            addresses=addresses,
            group=self.group,
            codec=codec,
            unit=unit,
            source=self.source,
            **extra,
        )

    def u16(
        self,
        key: str | Named,
        address: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        offset: int = 0,
        absent: frozenset[int] | None = None,
        **extra: Unpack[Extra],
    ) -> Register:
        """An unsigned number of one word; `absent` is what says that there is none, if not what is usual."""
        codec = Number(
            scale=scale, offset=offset, absent=self.not_available if absent is None else absent
        )
        return self.row(key, (address,), codec, unit, **extra)

    def i16(
        self,
        key: str | Named,
        address: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        absent: frozenset[int] = frozenset(),
        floor: int | None = None,
        **extra: Unpack[Extra],
    ) -> Register:
        """A signed number of one word."""
        codec = Number(scale=scale, signed=True, absent=absent, floor=floor)
        return self.row(key, (address,), codec, unit, **extra)

    def u32(
        self,
        key: str | Named,
        first: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        **extra: Unpack[Extra],
    ) -> Register:
        """An unsigned number of two words."""
        codec = Number(
            scale=scale, words=2, low_first=self.low_first, absent=frozenset({0xFFFFFFFF})
        )
        return self.row(key, (first, first + 1), codec, unit, **extra)

    def bits(
        self, key: str | Named, first: int, words: int = 1, **extra: Unpack[Extra]
    ) -> Register:
        """A field of flags; all of them set means "not available"."""
        none = frozenset({(1 << 16 * words) - 1})
        codec = Bits(words=words, low_first=self.low_first, absent=none)
        return self.row(key, tuple(range(first, first + words)), codec, **extra)

    def choice(
        self,
        key: str | Named,
        address: int,
        meanings: Mapping[int, str | bool],
        *,
        shown_only: frozenset[int] = frozenset(),
        **extra: Unpack[Extra],
    ) -> Register:
        """A list of codes, of which some may be held but not written."""
        return self.row(key, (address,), Choice(meanings, shown_only), **extra)

    def switch(self, key: str | Named, address: int, **extra: Unpack[Extra]) -> Register:
        """A flag: 0 is off, 1 is on."""
        return self.choice(key, address, {0: False, 1: True}, **extra)
