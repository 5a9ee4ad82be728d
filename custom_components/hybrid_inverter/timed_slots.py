"""The slots in which a machine charges and discharges by the clock, and the days on which a slot counts."""

from collections.abc import Mapping
from typing import Final

from .modbus.codec import Value
from .modbus.schedule import DAYS

# "charge_slot_1" to "discharge_slot_7".
TIMED_SLOTS: Final = tuple(
    f"{kind}_slot_{number}" for kind in ("charge", "discharge") for number in range(1, 8)
)

CUSTOM: Final = "custom"
# Monday is bit 0, as in `datetime.weekday`.
DAYS_OF: Final[Mapping[str, frozenset[int]]] = {
    "every_day": frozenset(range(7)),
    "weekdays": frozenset(range(5)),
    "weekend": frozenset({5, 6}),
    **{day: frozenset({number}) for number, day in enumerate(DAYS)},
}


def days_named(days: Value | None) -> str | None:
    """Return what a set of days is called; `custom` for one without a name, None when it is not known."""
    if not isinstance(days, frozenset):
        return None
    return next((name for name, named in DAYS_OF.items() if named == days), CUSTOM)
