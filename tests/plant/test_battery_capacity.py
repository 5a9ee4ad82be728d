"""How much a battery holds, by what its inverter tells of it."""

from __future__ import annotations

import pytest

from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.runtime.battery_capacity import kilowatt_hours


@pytest.mark.parametrize(
    ("ampere_hours", "volts", "expected"),
    [
        # 600 Ah of sixteen cells of 3.2 V, whatever they have now: 30.72 kWh.
        (600, 53.29, 30.7),
        (600, 48.0, 30.7),
        # 50 Ah at 212.4 V, a stack of the SAJ.
        (50, 212.4, 10.6),
        # No battery, or one that is not known.
        (0, 53.3, None),
        (600, 0.0, None),
        (None, 53.3, None),
        (600, None, None),
    ],
)
def test_capacity_in_kwh_is_ampere_hours_times_the_nominal_or_present_voltage(
    ampere_hours: Value, volts: Value, expected: float | None
) -> None:
    """Capacity in Ah times the nominal voltage, or the one that it has now."""
    read = {"battery_capacity": ampere_hours, "battery_voltage": volts}
    assert kilowatt_hours(read) == expected
    assert kilowatt_hours({}) is None
