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
    Share,
    Text,
    Tier,
    Version,
)

EVERYDAY: Final = Tier.EVERYDAY

NOT_AVAILABLE: Final = frozenset({WORD})
# An input that the machine does not have says either.
NO_INPUT: Final = frozenset({WORD, 0x7FFF})

PERCENT: Final = (0.0, 100.0)
AC_VOLTAGE: Final = (0.0, 500.0)
BATTERY_VOLTAGE: Final = (0.0, 1000.0)
PV_VOLTAGE: Final = (0.0, 1000.0)
# 0 when there is no grid.
FREQUENCY: Final = (0.0, 65.0)
TEMPERATURE: Final = (-50.0, 150.0)

# The machine takes 110 % of its rated power for "no limit".
OVERLOAD: Final = Limits(0, Ref("rated_power", factor=1.1))

PHASES: Final = ("l1", "l2", "l3")
PERIODS: Final = ("today", "month", "year", "total")
WORK_MODES: Final = {0: "self_consumption", 1: "time_of_use", 2: "backup", 3: "passive"}
BATTERY_PROTOCOLS: Final = {
    0: "no_battery",
    2: "lead_acid",
    20: "dyness_high_voltage",
    21: "pylontech_sc0500",
    22: "saj_b2",
}


class Extra(TypedDict, total=False):
    """What a row may have besides its place, its codec and its unit."""

    mask: int
    tier: Tier
    limits: Limits
    plausible: tuple[float, float]
    labels: Mapping[int, str]
    confidence: str


@dataclass(frozen=True, slots=True)
class Page:
    """The rows that are polled together and rest on the same document."""

    group: Group
    source: str = "H2 protocol 2022"
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
        absent: frozenset[int] = NOT_AVAILABLE,
        **extra: Unpack[Extra],
    ) -> Register:
        """Return an unsigned number of one word."""
        return self.row(key, (address,), Number(scale=scale, absent=absent), unit, **extra)

    def i16(
        self,
        key: str,
        address: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        **extra: Unpack[Extra],
    ) -> Register:
        """Return a signed number of one word, which can be -1 and so has no word for "not available"."""
        return self.row(key, (address,), Number(scale=scale, signed=True), unit, **extra)

    def u32(
        self,
        key: str,
        high: int,
        unit: str | None = None,
        *,
        scale: float = 1,
        **extra: Unpack[Extra],
    ) -> Register:
        """Return an unsigned number of two words, the high one first."""
        codec = Number(scale=scale, words=2, absent=frozenset({0xFFFFFFFF}))
        return self.row(key, (high, high + 1), codec, unit, **extra)

    def counters(self, pattern: str, first: int) -> list[Register]:
        """Return the energies of today, this month, this year and ever, of two words each."""
        return [
            self.u32(pattern.format(period), first + 2 * index, "kWh", scale=0.01)
            for index, period in enumerate(PERIODS)
        ]

    def share(self, key: str, address: int, **extra: Unpack[Extra]) -> Register:
        """Return a power in watts that the machine holds as thousandths of its rated power."""
        return self.row(key, (address,), Share(), "W", **extra)

    def bits(self, key: str, address: int, **extra: Unpack[Extra]) -> Register:
        """Return a field of flags; all flags at once mean that there is none."""
        return self.row(key, (address,), Bits(absent=NOT_AVAILABLE), **extra)

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

    def text(self, key: str, first: int, words: int) -> Register:
        """Return a text of so many words."""
        return self.row(key, tuple(range(first, first + words)), Text(words))

    def version(self, key: str, address: int) -> Register:
        """Return a firmware or hardware number."""
        return self.row(key, (address,), Version())
