"""How the rows of this family are written down: what its words look like, and which bounds come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Unpack

from ...register import Ref, Register, Tier
from ..sheet import Extra, Sheet

EVERYDAY: Final = Tier.EVERYDAY
INSTALLER: Final = Tier.INSTALLER

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


@dataclass(frozen=True, slots=True)
class Page(Sheet):
    """The rows that rest on one page of the manual, or on the protocol document only; the low word comes first."""

    source: str = "protocol V105.4"

    low_first: ClassVar[bool] = True

    def pair(self, key: str, address: int, **extra: Unpack[Extra]) -> Register:
        """Return an on and off of two bits: 0 and 1 leave the item as it is, so they tell nothing."""
        return self.choice(key, address, {2: False, 3: True}, **extra)
