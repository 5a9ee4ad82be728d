"""The slots in which a device charges and discharges by the clock, counted from 1, and the keys of their settings.

Two styles exist: starts of which each slot lasts until the next one's, and windows with a start and an end.
"""

from typing import Final

# Of the starts.
START_SLOTS: Final = range(1, 7)

# Of the windows, for each mode.
WINDOW_SLOTS: Final = range(1, 8)
CHARGE: Final = "charge"
DISCHARGE: Final = "discharge"
MODES: Final = (CHARGE, DISCHARGE)


def start_key(slot: int, field: str) -> str:
    """`tou_slot_3_power`."""
    return f"tou_slot_{slot}_{field}"


def window_key(mode: str, slot: int, field: str) -> str:
    """`charge_slot_3_power`."""
    return f"{mode}_slot_{slot}_{field}"
