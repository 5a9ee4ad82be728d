"""The owner's test in the simulator's houses: three minutes that name reversed and exchanged clamps, whatever the house does."""

from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.doctor.owner_test import TestReport
from custom_components.hybrid_inverter.modbus.doctor.verdict import Cause, Finding
from lab.doctor_year import POLL, WatchedHouse
from simulator.fast_house import FastHouse
from simulator.houses import DAYS, HOUSES
from simulator.miswiring import MISWIRINGS, Miswiring

# The mistakes at an inverter's clamps that the test is for.
CLAMPS: Final = {
    name: wrong
    for name, wrong in MISWIRINGS.items()
    if wrong.cause in {"clamp_reversed", "phases_exchanged"}
}
# Clamps that see nothing of the inverter.
UNREACHED: Final = ("jso_house_side", "jso_internal")
RIGHT: Final = ("jso_plain", "saj_heat_pump", "two_makes", "single_phase")
# The units that may be inverters.
INVERTERS: Final = {1, 2}
# Minutes of the day after which somebody starts the test.
STARTS: Final = (10, 95)


def run(house: FastHouse, start: int) -> TestReport:
    """The report of a test that is started after so many minutes."""
    watched = WatchedHouse(house)
    watched.verdict_after(round(start * 60 / POLL))
    test = watched.doctor.owner_test()
    ordered: float | None = None
    time = 0.0
    while not test.finished:
        if (order := test.order(time)) != ordered:
            # Another inverter would take the power on, and nothing would be seen at the house connection.
            for unit in INVERTERS & house.families.keys():
                if house.families[unit] in {"jso", "saj"}:
                    house.order(unit, order)
            ordered = order
        time += POLL
        for reading in house.step():
            test.observe(str(reading.unit), time, reading.values)
    assert ordered is None
    assert time <= 180
    return test.report()


def wrong_clamps(wrong: Miswiring) -> set[Finding]:
    """What has to be found: reversed clamps one by one, exchanged ones together."""
    if wrong.cause == Cause.PHASES_EXCHANGED:
        return {Finding(Cause.PHASES_EXCHANGED, wrong.places)}
    return {Finding(Cause.CLAMP_REVERSED, (place,)) for place in wrong.places}


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", CLAMPS)
def test_wrong_clamps_are_named_in_three_minutes(name: str, day: str) -> None:
    """A clamp at which a load came or went at the wrong moment cannot be told; the test is then started again."""
    wrong = CLAMPS[name]
    found: set[Finding] = set()
    for start in STARTS:
        house = FastHouse(HOUSES[wrong.house], DAYS[day], seed=1, wiring=wrong, step=POLL)
        for finding in run(house, start).findings:
            assert finding.cause == wrong.cause
            assert set(finding.places) <= set(wrong.places)
            found.add(finding)
    assert found >= wrong_clamps(wrong)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", UNREACHED)
def test_clamps_on_the_houses_side_and_silent_ones_are_told_apart(name: str, day: str) -> None:
    """Only the former show anything."""
    wrong = MISWIRINGS[name]
    reports = [
        run(FastHouse(HOUSES[wrong.house], DAYS[day], seed=1, wiring=wrong, step=POLL), start)
        for start in STARTS
    ]
    found = {finding.cause.value for report in reports for finding in report.findings}
    assert found == {wrong.cause}


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_named_in_a_right_house(name: str, day: str) -> None:
    """Whether or not every clamp can be told."""
    reports = [
        run(FastHouse(HOUSES[name], DAYS[day], seed=1, step=POLL), start) for start in STARTS
    ]
    assert [report.findings for report in reports] == [()] * len(STARTS)


def test_most_clamps_of_a_plain_house_can_be_told() -> None:
    """On a clear day and a grey one; small clouds disturb it."""
    reports = [
        run(FastHouse(HOUSES[name], DAYS[day], seed=1, step=POLL), start)
        for name in ("jso_plain", "saj_plain")
        for day in ("clear", "grey")
        for start in STARTS
    ]
    told = [clamp.is_right for report in reports for clamp in report.clamps]
    assert sum(told) >= 0.9 * len(told)
