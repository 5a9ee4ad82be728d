"""The doctor: what steps and impossible loads tell of the clamps at the house connection."""

from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.doctor.clamp import Clamp
from custom_components.hybrid_inverter.modbus.doctor.member import INSTRUMENTS, keys_of
from custom_components.hybrid_inverter.modbus.doctor.owner_test import ClampReport, TestReport
from custom_components.hybrid_inverter.modbus.doctor.steps import Step
from custom_components.hybrid_inverter.modbus.doctor.verdict import (
    Cause,
    Finding,
    State,
    Suspicion,
    verdict_of,
)

from .doctor_polls import GRID_METER, JSO, Polls, Powers

# The house draws 200 W on each phase; on the backup output are 100 W each, and then 1000 W more on a phase.
STILL: Final[Powers] = (100, 100, 100)
WITH_L1: Final[Powers] = (1100, 100, 100)
WITH_L2: Final[Powers] = (100, 1100, 100)
WITH_L3: Final[Powers] = (100, 100, 1100)
ALL: Final = (WITH_L1, WITH_L2, WITH_L3)


def causes(polls: Polls) -> list[tuple[Finding, ...]]:
    """The causes of all suspicions."""
    return [suspicion.causes for suspicion in polls.doctor.verdict().suspicions]


def shown_right(own: Powers) -> Powers:
    """What clamps show that are right."""
    return own[0] + 200, own[1] + 200, own[2] + 200


def live(shown: dict[Powers, Powers], steps: int) -> Polls:
    """Let the loads on the backup output come and go; the clamps show this of what the inverter draws."""
    polls = Polls()
    for own in (WITH_L1, WITH_L2, WITH_L3):
        polls.alternate((shown[STILL], STILL), (shown[own], own), steps)
    return polls


def test_nothing_is_said_without_evidence() -> None:
    """However long nothing moves."""
    polls = Polls()
    polls.moment((300, 300, 300), STILL, polls=1000)
    verdict = polls.doctor.verdict()
    assert verdict.state is State.GATHERING
    assert verdict.evidence.steps == 0
    assert verdict.evidence.share == 0


def test_clamps_that_show_the_steps_as_they_are_are_right() -> None:
    """Five of each, and two from one phase to the next."""
    polls = live({own: shown_right(own) for own in (STILL, *ALL)}, steps=5)
    verdict = polls.doctor.verdict()
    assert verdict.state is State.RIGHT
    assert verdict.suspicions == ()
    assert verdict.unexplained == 0
    assert verdict.evidence.steps == 17


def test_a_reversed_clamp_shows_the_steps_with_the_other_sign() -> None:
    """And the phase is named."""
    polls = live(
        {
            STILL: (300, -300, 300),
            WITH_L1: (1300, -300, 300),
            WITH_L2: (300, -1300, 300),
            WITH_L3: (300, -300, 1300),
        },
        steps=5,
    )
    assert polls.doctor.verdict().state is State.WRONG
    assert causes(polls) == [(Finding(Cause.CLAMP_REVERSED, ("l2",)),)]


def test_a_load_that_is_covered_by_half_does_not_look_like_a_reversed_clamp() -> None:
    """A heat pump of 6 kW, of which the inverter takes half on, all day long: the clamps move against the inverter."""
    polls = Polls()
    for number in range(40):
        if number % 2:
            polls.moment((1200, 1200, 1200), (-900, -900, -900), stage=3000)
        else:
            polls.moment((200, 200, 200), (100, 100, 100))
    assert polls.doctor.verdict().suspicions == ()


def test_loads_of_two_phases_do_not_look_like_exchanged_clamps() -> None:
    """A hob on L1 and L2 that the inverter takes on with all three phases moves both clamps by half, against it."""
    polls = Polls()
    for number in range(40):
        if number % 2:
            polls.moment((500, 500, -800), (-1000, -1000, -1000), stage=3300)
        else:
            polls.moment((200, 200, 200), (0, 0, 0), stage=0)
    assert polls.doctor.verdict().suspicions == ()


def test_exchanged_clamps_show_half_of_each_other_s_steps() -> None:
    """U x I x cos(120 degrees) is half, against the sign."""
    polls = live(
        {
            STILL: (-150, -150, 300),
            WITH_L1: (-150, -650, 300),
            WITH_L2: (-650, -150, 300),
            WITH_L3: (-150, -150, 1300),
        },
        steps=5,
    )
    assert causes(polls) == [(Finding(Cause.PHASES_EXCHANGED, ("l1", "l2")),)]


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_a_wrong_ratio_makes_all_steps_smaller_or_larger(ratio: float) -> None:
    """All clamps together need no more steps than one."""
    shown: dict[Powers, Powers] = {}
    for own in (STILL, *ALL):
        l1, l2, l3 = shown_right(own)
        shown[own] = (l1 * ratio, l2 * ratio, l3 * ratio)
    polls = live(shown, steps=3)
    assert causes(polls) == [(Finding(Cause.CLAMP_RATIO, ("l1", "l2", "l3"), ratio),)]


def test_clamps_on_the_house_s_side_see_nothing_of_the_inverter() -> None:
    """They show what the house draws, whatever it does."""
    polls = Polls()
    for own, load in zip(ALL, (200.0, 300.0, 400.0), strict=True):
        polls.alternate(((load, load, load), STILL), ((load, load, load), own), 3)
    assert causes(polls) == [(Finding(Cause.CLAMP_HOUSE_SIDE, ("l1", "l2", "l3")),)]


def test_an_import_that_somebody_holds_does_not_look_like_a_clamp_on_the_house_s_side() -> None:
    """Nor does a meter that shows the same for ever: a clamp at the house sees its loads come and go."""
    polls = live(dict.fromkeys((STILL, *ALL), (200.0, 200.0, 200.0)), steps=12)
    assert causes(polls) == []


def test_orders_that_follow_each_other_closely_may_follow_the_house() -> None:
    """An automation covers half of a heat pump in the sun with an order every 30 s: the clamps move against the inverter."""
    polls = Polls()
    polls.doctor.ordered("jso", 0.0)
    polls.moment((-800, -800, -800), (-1000, -1000, -1000), stage=3000, polls=12)
    for number in range(40):
        polls.doctor.ordered("jso", polls.time)
        if number % 2:
            polls.moment((200, 200, 200), (-2000, -2000, -2000), stage=6000, polls=6)
        else:
            polls.moment((-800, -800, -800), (-1000, -1000, -1000), stage=3000, polls=6)
    assert causes(polls) == []


def test_a_step_that_another_clamp_shows_is_not_one_that_none_sees() -> None:
    """Rotated clamps of which one is reversed: the steps of L2 come with a half, and their sign, at the clamp of L1."""
    polls = Polls()
    for base in (300.0, 600.0, 900.0):
        shown = base + 500, base, base
        polls.alternate(((base, base, base), STILL), (shown, WITH_L2), 6)
    assert causes(polls) == []


def test_exchanged_clamps_of_a_double_ratio_are_not_reversed() -> None:
    """Each shows all of the other's steps, against the sign: in the sun, which moves all phases alike, that looks reversed."""
    polls = Polls()
    for number in range(24):
        sun = 1500.0 if number % 2 else 3000.0
        fed = sun / 3 * 0.97
        polls.moment(
            (fed + 300, fed + 300, 600 - 2 * fed), (-fed, -fed, -fed), stage=3 * fed, sun=sun
        )
    assert causes(polls) == []


def test_clamps_on_the_inverter_s_cable_see_nothing_of_the_house() -> None:
    """Or there is nothing to see, which nobody can tell apart."""
    polls = Polls()
    for _ in range(100):
        polls.moment((600, 500, 500), (600, 500, 500), stage=0)
        polls.moment((-600, -500, -500), (-600, -500, -500), stage=2000)
    assert causes(polls) == [
        (Finding(Cause.CLAMP_INVERTER_SIDE, ("l1", "l2", "l3")), Finding(Cause.NO_LOAD_BEFORE))
    ]
    assert polls.doctor.verdict().state is State.UNSURE


def test_clamps_without_a_connection_show_nothing() -> None:
    """While the inverter has a power."""
    polls = Polls()
    for _ in range(100):
        polls.moment((1, 0, -1), (600, 500, 500), stage=0)
        polls.moment((0, 2, 0), (-600, -500, -500), stage=2000)
    assert causes(polls) == [(Finding(Cause.CLAMP_SILENT, ("l1", "l2", "l3")),)]


def test_no_silence_follows_from_a_power_that_stays_the_same() -> None:
    """However much it is, and however much the phases differ: the house may be covered all night long."""
    polls = Polls()
    polls.moment((0, 0, 0), (-600, -100, -500), polls=400)
    assert causes(polls) == []
    assert polls.doctor.verdict().evidence.minutes == 0
    polls.moment((0, 0, 0), (-700, -200, -600), polls=13)
    assert causes(polls) == [(Finding(Cause.CLAMP_SILENT, ("l1", "l2", "l3")),)]


def changed(seen: Powers, own: Powers, shown: float = 1000.0) -> Step:
    """A step of so many W, after which the clamps show so many W together."""
    return Step(
        seconds=5.0,
        seen=seen,
        own=own,
        is_independent=True,
        by_sun=False,
        is_import=True,
        shown=shown,
        size=1000.0,
        level=1000.0,
    )


def test_what_the_next_phase_shows_counts_from_the_first_step_of_its_own() -> None:
    """That always the same appliance follows the inverter is no sign of a reversed clamp, whatever was seen before."""
    clamp = Clamp()
    for _ in range(3):
        clamp.step(0, changed((-1000, 0, 0), (1000, 0, 0)))
    for _ in range(8):
        clamp.step(0, changed((-1000, -600, 0), (1000, 1000, 0)))
    assert clamp.beside == (-0.6, -0.6)
    assert not clamp.is_reversed_by_many


def test_imports_that_a_clamp_has_not_seen_count_while_their_steps_do() -> None:
    """Two in a row make a range; one long after them begins it again."""
    clamp = Clamp()
    for shown in (1000.0, 500.0):
        clamp.step(0, changed((0, 0, 0), (1000, 0, 0), shown))
    assert clamp.imported == (500.0, 1000.0)
    for _ in range(60):
        clamp.step(0, changed((1000, 0, 0), (1000, 0, 0)))
    clamp.step(0, changed((0, 0, 0), (1000, 0, 0), 700.0))
    assert clamp.imported == (700.0, 700.0)


def test_a_load_below_nothing_has_two_causes_until_something_moves() -> None:
    """A clamp shows 500 W of export while the inverter draws 300 W: it is reversed, or somebody else feeds in."""
    polls = Polls()
    polls.moment((-500, 500, 500), (300, 300, 300), polls=80)
    reversed_or_source = (
        Finding(Cause.CLAMP_REVERSED, ("l1",)),
        Finding(Cause.SOURCE_NOT_COUNTED),
    )
    assert polls.doctor.verdict().suspicions == (Suspicion("jso", reversed_or_source, minutes=6.0),)
    assert polls.doctor.verdict().state is State.UNSURE
    assert polls.doctor.verdict().unexplained == pytest.approx(800, abs=5)
    polls.alternate(((-500, 500, 500), (300, 300, 300)), ((-1500, 500, 500), (1300, 300, 300)), 2)
    assert causes(polls) == [(Finding(Cause.CLAMP_REVERSED, ("l1",)),)]


def test_a_load_below_nothing_at_a_clamp_that_is_right_is_a_source_that_nobody_counts() -> None:
    """A solar inverter of 1000 W on L1 that no meter sees."""
    polls = Polls()
    still, with_load = ((-600, 500, 500), (300, 300, 300)), ((400, 500, 500), (1300, 300, 300))
    polls.alternate(still, with_load, 6)
    polls.moment(*still, polls=70)
    assert causes(polls) == [(Finding(Cause.SOURCE_NOT_COUNTED),)]


def test_what_is_wrong_for_certain_is_all_that_is_needed_until_it_is_left_out() -> None:
    """As the sun of a neighbour is, in whose house nobody looks: the clamps of L2 and L3 are not known by that."""
    polls = Polls()
    still, with_load = ((-600, 500, 500), (300, 300, 300)), ((400, 500, 500), (1300, 300, 300))
    polls.alternate(still, with_load, 6)
    polls.moment(*still, polls=70)
    verdict = polls.doctor.verdict()
    assert (verdict.share, verdict.evidence.share) == (1.0, 0.0)
    left = verdict_of((), verdict.unexplained, verdict.evidence)
    assert (left.state, left.share) == (State.GATHERING, 0.0)


def test_a_clamp_that_shows_a_little_too_much_is_no_source_that_nobody_counts() -> None:
    """A sixth too much: steps do not show it for certain, and 6 kW of export leave 1 kW that nobody uses."""
    polls = Polls()
    polls.alternate(((300, 300, 300), STILL), ((1300, 300, 300), WITH_L1), 6)
    polls.moment((-7000, 300, 300), (-6000, 100, 100), stage=6000, polls=400)
    assert causes(polls) == []


def test_what_has_been_mended_is_not_said_any_more() -> None:
    """After a few steps that show it."""
    polls = Polls()
    polls.alternate(((-300, 300, 300), STILL), ((-1300, 300, 300), WITH_L1), 6)
    assert causes(polls) == [(Finding(Cause.CLAMP_REVERSED, ("l1",)),)]
    polls.alternate(((300, 300, 300), STILL), ((1300, 300, 300), WITH_L1), 5)
    polls.moment((300, 300, 300), STILL, polls=15)
    assert causes(polls) == []


def show(polls: Polls, *findings: Finding | None) -> None:
    """Have a test show this of the clamps of L1, L2 and L3; None of one that is right."""
    names = ("l1", "l2", "l3")
    polls.doctor.tested(
        TestReport(
            tuple(
                ClampReport(JSO.id, name, 1.0 if finding is None else -1.0, finding)
                for name, finding in zip(names, findings, strict=True)
            )
        )
    )


def test_a_test_that_shows_a_mended_clamp_needs_no_steps() -> None:
    """And its evidence is enough to say that all is right."""
    polls = Polls()
    polls.alternate(((-300, 300, 300), STILL), ((-1300, 300, 300), WITH_L1), 6)
    assert causes(polls) == [(Finding(Cause.CLAMP_REVERSED, ("l1",)),)]
    show(polls, None, None, None)
    verdict = polls.doctor.verdict()
    assert verdict.suspicions == ()
    assert verdict.state is State.RIGHT


@pytest.mark.parametrize(
    "finding",
    [
        Finding(Cause.CLAMP_REVERSED, ("l3",)),
        Finding(Cause.CLAMP_RATIO, ("l3",), 0.5),
    ],
)
def test_what_a_test_shows_takes_the_place_of_steps_that_say_something_else(
    finding: Finding,
) -> None:
    """The clamp of L1 was reversed; now it is right, and something else is wrong at L3."""
    polls = Polls()
    polls.alternate(((-300, 300, 300), STILL), ((-1300, 300, 300), WITH_L1), 6)
    show(polls, None, None, finding)
    assert causes(polls) == [(finding,)]


def test_a_test_shows_clamps_that_are_exchanged() -> None:
    """Both of them, without a step before."""
    polls = Polls()
    polls.moment((300, 300, 300), STILL)
    finding = Finding(Cause.PHASES_EXCHANGED, ("l1", "l2"))
    show(polls, finding, finding, None)
    assert causes(polls) == [(finding,)]


def test_a_test_that_could_not_tell_changes_nothing() -> None:
    """What was known of the clamp stays known, as does what steps do not tell."""
    polls = Polls()
    polls.alternate(((-300, 300, 300), STILL), ((-1300, 300, 300), WITH_L1), 6)
    reversed_l1 = [(Finding(Cause.CLAMP_REVERSED, ("l1",)),)]
    polls.doctor.tested(TestReport((ClampReport(JSO.id, "l1", None),)))
    assert causes(polls) == reversed_l1
    show(polls, Finding(Cause.CLAMP_HOUSE_SIDE, ("l1",)), None, None)
    assert causes(polls) == reversed_l1


def test_a_test_that_shows_what_was_known_forgets_nothing() -> None:
    """The minutes in which something was told count on, of clamps that are right as of one that is not."""
    right = {own: shown_right(own) for own in (STILL, *ALL)}
    polls = live(right, steps=5)
    before = polls.doctor.verdict()
    assert before.evidence.minutes > 0
    show(polls, None, None, None)
    assert polls.doctor.verdict() == before
    polls = live({own: (-l1, l2, l3) for own, (l1, l2, l3) in right.items()}, steps=5)
    before = polls.doctor.verdict()
    show(polls, Finding(Cause.CLAMP_REVERSED, ("l1",)), None, None)
    assert polls.doctor.verdict() == before


def test_a_test_does_not_forget_a_source_that_nobody_counts() -> None:
    """The clamp was known to be right, and the test says the same."""
    polls = Polls()
    still, with_load = ((-600, 500, 500), (300, 300, 300)), ((400, 500, 500), (1300, 300, 300))
    polls.alternate(still, with_load, 6)
    polls.moment(*still, polls=70)
    uncounted = [(Finding(Cause.SOURCE_NOT_COUNTED),)]
    assert causes(polls) == uncounted
    show(polls, None, None, None)
    assert causes(polls) == uncounted


def test_a_meter_is_judged_by_what_the_inverter_draws_at_the_same_moment() -> None:
    """The devices are polled one after the other; a meter that is older than the inverter's step waits for it."""
    polls = Polls(JSO, GRID_METER)
    for number in range(8):
        own = WITH_L1 if number % 2 else STILL
        for _ in range(3):
            polls.moment(shown_right(own), own, polls=1)
            l1, l2, l3 = shown_right(own)
            polls.poll("meter", {"l1_power": -l1, "l2_power": l2, "l3_power": l3})
    assert [one.member for one in polls.doctor.verdict().suspicions] == ["meter"]
    assert causes(polls) == [(Finding(Cause.CLAMP_REVERSED, ("l1",)),)]


def test_nothing_is_concluded_from_what_an_inverter_works_out_itself() -> None:
    """Such a balance always adds up; of the power of a battery its measured current is made."""
    for family, instruments in INSTRUMENTS.items():
        derived = instruments.derived - {"battery_power"}
        used = {
            key
            for groups in (instruments.clamps, instruments.terminals, instruments.solar)
            for keys in groups
            for key in keys
        }
        assert used & derived == set(), family
    assert keys_of(JSO) == JSO.keys
