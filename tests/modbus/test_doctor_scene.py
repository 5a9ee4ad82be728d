"""The doctor: several inverters and solar meters at one house connection."""

from dataclasses import replace
from typing import Final

from custom_components.hybrid_inverter.modbus.doctor.member import Member, Role
from custom_components.hybrid_inverter.modbus.doctor.solar_phase import SolarPhase
from custom_components.hybrid_inverter.modbus.doctor.verdict import Cause, Finding, State

from .doctor_polls import JSO, Polls, Powers, values

SECOND: Final = replace(JSO, id="second", sees_grid=False)
SOLAR: Final = Member(
    id="solar", family="ddsu666", role=Role.SOLAR_METER, keys=frozenset({"power"})
)


def moment(
    polls: Polls, member: str, shown: dict[str, float | None], own: Powers, seen: Powers
) -> None:
    """Let three polls of both devices bring the same; those of the inverter come first."""
    for _ in range(3):
        polls.poll("jso", values(seen, own))
        polls.doctor.observe(member, polls.time, shown)


def test_the_powers_of_all_inverters_are_added_up() -> None:
    """What only the second one draws is a step for the clamps of the first one."""
    polls = Polls(JSO, SECOND)
    for number in range(12):
        drawn = 1000.0 if number % 2 else 0.0
        other: Powers = (100 + drawn, 100 + drawn, 100 + drawn)
        seen: Powers = (300 + drawn, 300 + drawn, 300 + drawn)
        moment(polls, "second", dict(values((0, 0, 0), other)), (100, 100, 100), seen)
    assert polls.doctor.verdict_of("jso").state is State.RIGHT
    assert polls.doctor.verdict_of("second").suspicions == ()


def shine(polls: Polls, power: float | None, feeds: float, minutes: int) -> None:
    """Let the sun shine on L2 of a house that draws 300 W on each phase; now and then L1 of the backup output draws 1 kW."""
    for number in range(minutes * 4):
        drawn = 1100.0 if number % 2 else 100.0
        seen: Powers = (300 + drawn, 400 - feeds, 400)
        moment(polls, "solar", {"power": power}, (drawn, 100, 100), seen)


def test_the_phase_of_a_solar_inverter_is_found_in_the_sun() -> None:
    """Where the load would be below nothing without it. From then on the clamps can be judged by day, too."""
    polls = Polls(JSO, SOLAR)
    shine(polls, 2000.0, 2000.0, minutes=3)
    assert polls.doctor.verdict().evidence.steps == 0
    shine(polls, 2000.0, 2000.0, minutes=4)
    verdict = polls.doctor.verdict()
    assert verdict.evidence.steps > 4
    assert verdict.suspicions == ()
    assert verdict.unexplained == 0


def test_no_pause_counts_as_sun_on_a_phase() -> None:
    """Nor does the first moment, whatever a clock shows then."""
    feeds = SolarPhase()
    for time in (5000.0, 5060.0, 9000.0, 9060.0, 20000.0):
        feeds.add(time, 2000.0, (-1800.0, 200.0, 200.0))
    assert feeds.phase is None
    feeds.add(20060.0, 2000.0, (-1800.0, 200.0, 200.0))
    assert feeds.phase == 0


def test_a_solar_meter_that_is_not_heard_for_long_counts_for_nothing() -> None:
    """After five minutes; what it does not count any more is then missing."""
    polls = Polls(JSO, SOLAR)
    shine(polls, 2000.0, 2000.0, minutes=8)
    steps = polls.doctor.verdict().evidence.steps
    shine(polls, None, 2000.0, minutes=4)
    assert polls.doctor.verdict().evidence.steps == steps
    shine(polls, None, 2000.0, minutes=12)
    causes = [one.causes for one in polls.doctor.verdict().suspicions]
    assert (Finding(Cause.SOURCE_NOT_COUNTED),) in [cause[-1:] for cause in causes]


def test_the_owner_s_test_knows_where_a_solar_inverter_feeds() -> None:
    """By what the doctor has found."""
    polls = Polls(JSO, SOLAR)
    shine(polls, 2000.0, 2000.0, minutes=8)
    test = polls.doctor.owner_test()
    time = 0.0
    while not test.finished:
        drawn = -(test.order(time) or 0.0) / 3
        own: Powers = (drawn, drawn, drawn)
        # The sun on L2 changes all the time.
        feeds = 1500 + time
        test.observe("jso", time, values((drawn + 200, drawn + 200 - feeds, drawn + 200), own))
        test.observe("solar", time, {"power": feeds})
        time += 5.0
    assert [clamp.response for clamp in test.report().clamps] == [1.0, 1.0, 1.0]
