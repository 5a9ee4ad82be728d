"""The row builder of this family: what its words look like, and which bounds come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Unpack

from ...model.codec import (
    RATED_POWER,
    WORD,
    PermilleOfRated,
    Text,
    Version,
)
from ...model.presentation import Named, named
from ...model.register import (
    Limits,
    Ref,
    Register,
    Tier,
)
from ..sheet import Extra, RowBuilder

EVERYDAY: Final = Tier.EVERYDAY

PERCENT: Final = (0.0, 100.0)
AC_VOLTAGE: Final = (0.0, 500.0)
# Of a grid that is there. Now and then a device reports 0 for one poll, and nothing tells that from a grid that is gone.
GRID_VOLTAGE: Final = (100.0, 300.0)
GRID_FREQUENCY: Final = (45.0, 65.0)
BATTERY_VOLTAGE: Final = (0.0, 1000.0)
PV_VOLTAGE: Final = (0.0, 1000.0)
# 0 while nothing is put out.
FREQUENCY: Final = (0.0, 65.0)
TEMPERATURE: Final = (-50.0, 150.0)

# The device takes 110 % of its rated power for "no limit".
OVERLOAD: Final = Limits(0, Ref(RATED_POWER, factor=1.1))

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
class SajPage(RowBuilder):
    """Builds rows of this family; the high word comes first."""

    source: str = "H2 protocol 2022"

    low_first: ClassVar[bool] = False
    not_available: ClassVar[frozenset[int]] = frozenset({WORD, 0x7FFF})

    def counters(self, key: str | Named, first: int, **extra: Unpack[Extra]) -> list[Register]:
        """The energies of today, this month, this year and in total, of two words each; the keys end in the period.

        Where they are shown at first, today's and the total are.
        """
        shown = extra.get("shown", False)
        return [
            self.u32(
                named(key).followed_by(period),
                first + 2 * index,
                "kWh",
                scale=0.01,
                **(extra | {"shown": shown and period in ("today", "total")}),
            )
            for index, period in enumerate(PERIODS)
        ]

    def share(self, key: str | Named, address: int, **extra: Unpack[Extra]) -> Register:
        """A power in watts that the device holds as thousandths of its rated power."""
        return self.row(key, (address,), PermilleOfRated(), "W", **extra)

    def text(self, key: str | Named, first: int, words: int, **extra: Unpack[Extra]) -> Register:
        """A text of so many words."""
        return self.row(key, tuple(range(first, first + words)), Text(words), **extra)

    def version(self, key: str | Named, address: int) -> Register:
        """A firmware or hardware number."""
        return self.row(key, (address,), Version())
