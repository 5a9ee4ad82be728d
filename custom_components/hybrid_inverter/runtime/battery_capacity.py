"""The capacity of a battery, as far as its inverter reports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..modbus.model.codec import Value

# The capacity in Ah that an inverter reports, and the voltage that it measures.
CAPACITY: Final = "battery_capacity"
VOLTAGE: Final = "battery_voltage"

# A low-voltage battery has sixteen cells of 3.2 V. The number of cells of a high-voltage one is unknown, so its present
# voltage is used, which is a few percent off.
LOW_VOLTAGES: Final = (40.0, 60.0)
LOW_NOMINAL: Final = 51.2


def kilowatt_hours(values: Mapping[str, Value | None]) -> float | None:
    """The capacity in kWh, in tenths; None when the inverter does not report it."""
    ampere_hours, volts = values.get(CAPACITY), values.get(VOLTAGE)
    if not isinstance(ampere_hours, (int, float)) or not isinstance(volts, (int, float)):
        return None
    low, high = LOW_VOLTAGES
    nominal = LOW_NOMINAL if low <= volts <= high else volts
    return round(ampere_hours * nominal / 1000, 1) or None
