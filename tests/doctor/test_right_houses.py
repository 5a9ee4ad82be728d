"""In a house that is wired right nothing is ever said. A whole year of them is lived by `scripts/bench --doctor`."""

from datetime import datetime
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.doctor.verdict import State
from lab.doctor_year import live
from simulator.houses import HOUSES

# Midwinter, the windy spring, midsummer, and autumn.
WEEKS: Final = tuple(datetime(2026, month, 8) for month in (1, 4, 7, 10))  # noqa: DTZ001


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", HOUSES)
def test_nothing_is_said_in_four_weeks_of_a_right_house(name: str) -> None:
    """A car, a heat pump, the sun of others, one phase and several inverters included."""
    lived = live(name, WEEKS, days=7)
    assert lived.said == []
    assert lived.verdict is not None
    assert lived.verdict.state is State.RIGHT
