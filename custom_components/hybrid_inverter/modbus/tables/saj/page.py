"""How the rows of this family are written down: what its words look like, and which bounds come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Unpack

from ...codec import WORD, Share, Text, Version
from ...register import Limits, Ref, Register, Tier
from ..sheet import Extra, Sheet

EVERYDAY: Final = Tier.EVERYDAY

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


@dataclass(frozen=True, slots=True)
class Page(Sheet):
    """The rows that are polled together and rest on the same document; the high word comes first."""

    source: str = "H2 protocol 2022"

    low_first: ClassVar[bool] = False

    def counters(self, pattern: str, first: int) -> list[Register]:
        """Return the energies of today, this month, this year and ever, of two words each."""
        return [
            self.u32(pattern.format(period), first + 2 * index, "kWh", scale=0.01)
            for index, period in enumerate(PERIODS)
        ]

    def share(self, key: str, address: int, **extra: Unpack[Extra]) -> Register:
        """Return a power in watts that the machine holds as thousandths of its rated power."""
        return self.row(key, (address,), Share(), "W", **extra)

    def text(self, key: str, first: int, words: int) -> Register:
        """Return a text of so many words."""
        return self.row(key, tuple(range(first, first + words)), Text(words))

    def version(self, key: str, address: int) -> Register:
        """Return a firmware or hardware number."""
        return self.row(key, (address,), Version())
