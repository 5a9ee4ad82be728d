"""How much energy a battery holds, as far as its inverter tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .codec import Value

# What an inverter says of its battery: the charge that it holds, and what it measures at the terminals.
CAPACITY: Final = "battery_capacity"
VOLTAGE: Final = "battery_voltage"

# A battery of this class has sixteen cells of 3.2 V. Of one with a high voltage nobody says how many it has, and it is
# taken by what it has now, which is a few percent off.
LOW_VOLTAGES: Final = (40.0, 60.0)
LOW_NOMINAL: Final = 51.2


def kilowatt_hours(values: Mapping[str, Value | None]) -> float | None:
    """Return the capacity in kilowatt-hours, in tenths; None when the inverter does not tell."""
    ampere_hours, volts = values.get(CAPACITY), values.get(VOLTAGE)
    if not isinstance(ampere_hours, (int, float)) or not isinstance(volts, (int, float)):
        return None
    low, high = LOW_VOLTAGES
    nominal = LOW_NOMINAL if low <= volts <= high else volts
    return round(ampere_hours * nominal / 1000, 1) or None
