"""What is wrong in a house is found within 15 minutes that tell anything, and nothing else is ever said."""

from typing import Final, NamedTuple

import pytest

from custom_components.hybrid_inverter.modbus.doctor.verdict import Suspicion
from lab.doctor_year import MINUTE, POLL, WatchedHouse
from simulator.fast_house import FastHouse
from simulator.houses import DAYS, HOUSES
from simulator.miswiring import MISWIRINGS, Miswiring
from simulator.physics import Accuracy

# Minutes of a day that a mistake may take, and for how many it is watched after it has been found.
LIMIT: Final = 9 * 60
WATCHED: Final = 30
ADEQUATE_MINUTES: Final = 15
# Of all mistakes, on each kind of day.
FOUND_SHARE: Final = 19 / 20
# The terminals of a SAJ are polled with its energies, once a minute.
SAJ: Final = {name: wrong for name, wrong in MISWIRINGS.items() if name.startswith("saj")}


class Outcome(NamedTuple):
    """What was said of a mistake: when it was found, after how many minutes that told anything, and what was untrue."""

    found: int | None
    minutes: float
    untrue: tuple[Suspicion, ...]


def is_true(suspicion: Suspicion, wrong: Miswiring) -> bool:
    """Whether the mistake is among the causes; of the clamps that are concerned some may be named before the others."""
    return any(
        cause.cause == wrong.cause and (not wrong.places or set(cause.places) <= set(wrong.places))
        for cause in suspicion.causes
    )


def is_found(suspicion: Suspicion, wrong: Miswiring) -> bool:
    """Whether the mistake is among the causes, with all its places and its ratio."""
    return any(
        cause.cause == wrong.cause
        and (not wrong.places or cause.places == wrong.places)
        and (wrong.ratio is None or cause.ratio == pytest.approx(wrong.ratio, abs=0.1))
        for cause in suspicion.causes
    )


def outcome_of(wrong: Miswiring, day: str, poll: float) -> Outcome:
    """Live a day with a mistake, and a poll every so many seconds."""
    watched = WatchedHouse(
        FastHouse(HOUSES[wrong.house], DAYS[day], seed=1, wiring=wrong, step=poll)
    )
    found, minutes = None, 0.0
    untrue: list[Suspicion] = []
    for minute in range(1, LIMIT + 1):
        suspicions = watched.verdict_after(round(MINUTE / poll)).suspicions
        untrue.extend(one for one in suspicions if not is_true(one, wrong))
        if found is None and (named := [one for one in suspicions if is_found(one, wrong)]):
            found, minutes = minute, named[0].minutes
        if found is not None and minute >= found + WATCHED:
            break
    return Outcome(found, minutes, tuple(untrue))


def test_the_sensors_are_as_bad_as_real_ones() -> None:
    """Two percent off for good, and noise of 5 W and 0.4 percent with every reading."""
    assert Accuracy() == Accuracy(gain=0.02, noise=0.004, watts=5.0)


def test_there_are_twenty_mistakes() -> None:
    """At least."""
    assert len(MISWIRINGS) >= 20


def late(outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
    """What was not found, or not in time."""
    return {
        name: one
        for name, one in outcomes.items()
        if one.found is None or one.minutes > ADEQUATE_MINUTES
    }


@pytest.mark.timeout(240)
@pytest.mark.parametrize("day", DAYS)
def test_mistakes_are_found_and_never_mistaken_for_others(day: str) -> None:
    """Nineteen of twenty, on a clear day, a grey one in November, and one of broken clouds."""
    outcomes = {name: outcome_of(wrong, day, POLL) for name, wrong in MISWIRINGS.items()}
    assert {name: one.untrue for name, one in outcomes.items() if one.untrue} == {}
    assert len(late(outcomes)) <= (1 - FOUND_SHARE) * len(outcomes), late(outcomes)


@pytest.mark.parametrize("day", DAYS)
def test_one_poll_a_minute_is_enough(day: str) -> None:
    """But for a string that has been in the shade since the first light of a grey day, which nobody can know."""
    outcomes = {name: outcome_of(wrong, day, MINUTE) for name, wrong in SAJ.items()}
    assert {name: one.untrue for name, one in outcomes.items() if one.untrue} == {}
    assert late(outcomes).keys() == ({"saj_string_shaded"} if day == "grey" else set())
