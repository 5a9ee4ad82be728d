"""The slots of the time of use: seven in which the battery is charged, and seven in which it is discharged."""

from __future__ import annotations

from typing import Final

from ...codec import Bits, Number
from ...codec_time import ByteTime
from ...family import table
from ...features import Feature, known
from ...register import Group, Limits, Register
from .page import EVERYDAY, Page

SLOT_PAGE = Page(Group.SETTINGS)

SLOTS: Final = range(1, 8)
SLOT_WORDS: Final = 3
# A slot's third word: a day a bit, Monday the lowest, and below them the power in percent of the rated one.
DAYS: Final = 0x7F00
POWER: Final = 0x00FF


def slots(kind: str, enabled: int, first: int) -> list[Register]:
    """Return the slots of one kind, from the word of their switches and that of the first slot's start."""
    return [
        row
        for slot in SLOTS
        for start in (first + SLOT_WORDS * (slot - 1),)
        for row in (
            SLOT_PAGE.switch(
                f"{kind}_slot_{slot}_enabled", enabled, mask=1 << slot - 1, tier=EVERYDAY
            ),
            SLOT_PAGE.row(f"{kind}_slot_{slot}_start", (start,), ByteTime(), tier=EVERYDAY),
            SLOT_PAGE.row(f"{kind}_slot_{slot}_end", (start + 1,), ByteTime(), tier=EVERYDAY),
            SLOT_PAGE.row(
                f"{kind}_slot_{slot}_days", (start + 2,), Bits(), mask=DAYS, tier=EVERYDAY
            ),
            SLOT_PAGE.row(
                f"{kind}_slot_{slot}_power",
                (start + 2,),
                Number(),
                "%",
                mask=POWER,
                tier=EVERYDAY,
                limits=Limits(0, 100),
            ),
        )
    ]


ROWS: tuple[Register, ...] = tuple(slots("charge", 0x3604, 0x3606))

FEATURES: Final = (
    Feature(
        key="discharge_slots",
        # A time of day that is out of order is no time; the machine serves its slots all the same.
        proof=known("discharge_slot_1_start", "discharge_slot_1_end", "discharge_slot_1_power"),
        registers=table(*slots("discharge", 0x3605, 0x361B)),
    ),
)
