"""The row builder of this family: what its words look like, and which bounds come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Unpack

from ...model.codec import RATED_POWER
from ...model.presentation import Named
from ...model.register import Limits, Ref, Register, Tier
from ..sheet import Extra, RowBuilder

EVERYDAY: Final = Tier.EVERYDAY
INSTALLER: Final = Tier.INSTALLER

# A battery temperature of raw 0 (-100 °C) and a state of health of 0 were never delivered.
ZERO: Final = frozenset({0})

PERCENT: Final = (0.0, 100.0)
BATTERY_VOLTAGE: Final = (0.0, 100.0)
AC_VOLTAGE: Final = (0.0, 500.0)
PV_VOLTAGE: Final = (0.0, 1000.0)
# 0 when there is no grid.
FREQUENCY: Final = (0.0, 70.0)
TEMPERATURE: Final = (-50.0, 150.0)

# As large as the largest device of the family.
POWER: Final = Limits(0, Ref(RATED_POWER, default=8000), most=20000)
# The data sheets by rated power; the display text of the smallest model while that is not known.
BATTERY_CURRENT: Final = Limits(
    0,
    Ref(
        RATED_POWER,
        by_value={
            5000: 120,
            6000: 150,
            8000: 190,
            10000: 210,
            12000: 240,
            14000: 260,
            15000: 280,
            16000: 300,
            18000: 330,
            20000: 350,
        },
        default=115,
    ),
    most=350,
)
# What a generator or a connection to the grid may give; some devices take as much as three times 32 A carry.
CONNECTION: Final = Limits(0, 16000, most=22000)


@dataclass(frozen=True, slots=True)
class JsoPage(RowBuilder):
    """Builds rows that rest on one page of the manual, or on the protocol document only; the low word comes first."""

    source: str = "protocol V105.4"

    low_first: ClassVar[bool] = True

    def pair(self, key: str | Named, address: int, **extra: Unpack[Extra]) -> Register:
        """A flag of two bits: 2 turns it off and 3 on, while 0 and 1 leave it as it is.

        A device whose item was never turned on holds 0.
        """
        return self.choice(key, address, {2: False, 3: True, 0: False}, **extra)
