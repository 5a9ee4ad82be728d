"""What a table of six slots, its days and the switches beside it do at a moment, whoever has set them."""

from __future__ import annotations

from typing import Final

from ..model.codec import as_number
from ..model.slots import start_key
from .day_table import FLAGS, FULL, SOC, Segment, in_force, read_day
from .order import ControlMode
from .plan import Recurs, Situation
from .six_slot_modes import GRID_CHARGE, LOW_SOC, MAX_CHARGE_CURRENT, SELLING_FIRST, WORK_MODE
from .six_slot_window import minute_of
from .words import Words

ENABLED: Final = "tou_enabled"
# In the order of datetime.weekday().
WEEKDAYS: Final = tuple(
    f"tou_{day}"
    for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
)


def set_days(words: Words) -> frozenset[int]:
    """The days that are set, 0 for Monday; none where the device has no page for them: it then counts on all."""
    return frozenset(number for number, key in enumerate(WEEKDAYS) if words.value(key) is True)


def recurs(words: Words) -> Recurs:
    """When the table does again what it does."""
    return Recurs.DAILY if len(set_days(words)) in (0, len(WEEKDAYS)) else Recurs.WEEKLY


def mode_of(situation: Situation) -> ControlMode | None:
    """The order that the words are at this moment; None while the battery serves the house, as it usually does.

    Without a table the battery is kept for an outage, and the grid may charge it at any time; on a day that the table
    leaves out it is only kept. A target that is reached holds the battery as well, unless it is the owner's own floor.
    """
    words, soc = Words(situation.image, situation.registers), situation.soc
    if situation.clock is None:
        return None
    segment = _segment_in_force(words, situation)
    charges = words.value(GRID_CHARGE) is True
    if segment is None:
        target: float = FULL
        charges = charges and words.value(ENABLED) is False
    else:
        target = _soc_of(segment, situation)
        charges = charges and _is_charged_from_grid(segment, situation)
    sells = segment is not None and words.value(WORK_MODE) == SELLING_FIRST
    if sells and soc is not None and target < min(soc, FULL):
        return ControlMode.DISCHARGE
    if charges and (soc is None or target > soc):
        return ControlMode.CHARGE
    if words.value(MAX_CHARGE_CURRENT) == 0:
        return ControlMode.NO_CHARGE
    floor = as_number(words.value(LOW_SOC)) or 0
    if target >= FULL or (soc is not None and target >= soc and target > floor):
        return ControlMode.HOLD
    return None


def _segment_in_force(words: Words, situation: Situation) -> Segment | None:
    """The segment that counts now; None while the table does not."""
    day, days = read_day(situation.image, situation.registers), set_days(words)
    clock = situation.clock
    if clock is None or not day or words.value(ENABLED) is not True:
        return None
    if days and clock.weekday() not in days:
        return None
    return in_force(day, minute_of(clock.time()))


def _soc_of(segment: Segment, situation: Situation) -> float:
    """The target of a segment; one that cannot be told takes nothing out of the battery."""
    target = as_number(situation.registers[start_key(1, SOC)].decode_words([segment.words.soc]))
    return FULL if target is None else target


def _is_charged_from_grid(segment: Segment, situation: Situation) -> bool:
    """Whether a segment has the flag of a charge from the grid."""
    row = situation.registers[start_key(1, FLAGS)]
    return row.decode({row.addresses[0]: segment.words.flags}) is True
