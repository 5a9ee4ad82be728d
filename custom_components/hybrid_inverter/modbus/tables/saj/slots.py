"""The slots of the time of use: seven in which the battery is charged, and seven in which it is discharged."""

from __future__ import annotations

from typing import Final

from ...model.codec import Bits, Number
from ...model.codec_time import ByteTime
from ...model.family import table
from ...model.features import Feature, known
from ...model.part import Kind, Part
from ...model.presentation import numbered
from ...model.register import Group, Limits, Register
from ...model.slots import WINDOW_SLOTS
from .page import EVERYDAY, SajPage

SLOT_PAGE = SajPage(Group.SETTINGS, Part.INVERTER)

SLOT_WORDS: Final = 3
# A slot's third word: a day a bit, Monday the lowest, and below them the power in percent of the rated one.
DAYS: Final = 0x7F00
POWER: Final = 0x00FF


def slots(kind: str, enabled: int, first: int) -> list[Register]:
    """The slots of one kind, from the word of their switches and that of the first slot's start."""
    return [
        row
        for slot in WINDOW_SLOTS
        for start in (first + SLOT_WORDS * (slot - 1),)
        for row in (
            SLOT_PAGE.switch(
                numbered(f"{kind}_slot_{{}}_enabled", slot),
                enabled,
                mask=1 << slot - 1,
                tier=EVERYDAY,
                may_be_blank=True,
            ),
            SLOT_PAGE.row(
                numbered(f"{kind}_slot_{{}}_start", slot),
                (start,),
                ByteTime(),
                tier=EVERYDAY,
                may_be_blank=True,
            ),
            SLOT_PAGE.row(
                numbered(f"{kind}_slot_{{}}_end", slot),
                (start + 1,),
                ByteTime(),
                tier=EVERYDAY,
                may_be_blank=True,
            ),
            SLOT_PAGE.row(
                numbered(f"{kind}_slot_{{}}_days", slot),
                (start + 2,),
                Bits(),
                mask=DAYS,
                tier=EVERYDAY,
                may_be_blank=True,
                kind=Kind.DAYS,
            ),
            SLOT_PAGE.row(
                numbered(f"{kind}_slot_{{}}_power", slot),
                (start + 2,),
                Number(),
                "%",
                mask=POWER,
                tier=EVERYDAY,
                may_be_blank=True,
                limits=Limits(0, 100),
            ),
        )
    ]


ROWS: tuple[Register, ...] = tuple(slots("charge", 0x3604, 0x3606))

FEATURES: Final = (
    Feature(
        key="discharge_slots",
        # A time of day that is out of order is no time; the device serves its slots all the same.
        proof=known("discharge_slot_1_start", "discharge_slot_1_end", "discharge_slot_1_power"),
        registers=table(*slots("discharge", 0x3605, 0x361B)),
    ),
)
