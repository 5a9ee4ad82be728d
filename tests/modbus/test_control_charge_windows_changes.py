"""In which order the words of an order are written, whose a change is, and which order the words are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.control.charge_windows import CONTROL_BY_WINDOWS
from custom_components.hybrid_inverter.modbus.control.order import (
    ControlMode,
    ControlRefusedError,
    Order,
    PowerAt,
)
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

from .charge_window_slots import (
    AT_GRID,
    BUSY,
    CHARGE,
    CLOCK,
    DISCHARGE,
    HOLD,
    IDLE,
    NO_CHARGE,
    NO_EXPORT,
    NOW,
    OWNERS,
    REGISTERS,
    changed,
    order,
    planned,
    situation,
)


def entered(wanted: Order, owners: Mapping[int, int] | None = None, **others: Any) -> list[int]:
    """Return the addresses that are written for an order, one request each."""
    before = {**OWNERS, **(owners or {})}
    after = changed(planned(wanted, owners, **others), owners)
    return addresses(CONTROL_BY_WINDOWS.requests(after, (), REGISTERS, before))


def left(wanted: Order, owners: Mapping[int, int] | None = None, **others: Any) -> list[int]:
    """Return the addresses that are written when an order ends."""
    before = {**OWNERS, **(owners or {})}
    put = changed(planned(wanted, owners, **others), owners)
    target = {address: before[address] for address in put}
    held = {**before, **put}
    return addresses(CONTROL_BY_WINDOWS.requests(target, target.keys(), REGISTERS, held))


def replaced(
    first: Order, then: Order, owners: Mapping[int, int] | None = None, **others: Any
) -> list[int]:
    """Return the addresses that are written when an order takes the place of another one."""
    before = {**OWNERS, **(owners or {})}
    held = {**before, **planned(first, owners, **others).after}
    plan = planned(then, owners, **others)
    wanted = {**before, **plan.after}
    target = {address: word for address, word in wanted.items() if word != held[address]}
    restored = target.keys() - plan.after.keys()
    return addresses(CONTROL_BY_WINDOWS.requests(target, restored, REGISTERS, held))


def addresses(requests: Sequence[Mapping[int, int]]) -> list[int]:
    """Return the only address of each request."""
    assert all(len(request) == 1 for request in requests)
    return [address for request in requests for address in request]


# ---------------------------------------------------------------------- the order on the wire


def test_an_order_is_entered_with_its_mode_last() -> None:
    """Limits and floors, the slot, whether it sells, its switch, the mode."""
    assert entered(CHARGE) == [0x3646, 0x3619, 0x3618, 0x361A, 0x3604, 0x3647]
    assert entered(AT_GRID, may_sell=True) == [
        *(0x3644, 0x3650),
        *(0x362E, 0x362D, 0x362F),
        *(0x3660, 0x3605, 0x3647),
    ]
    assert entered(HOLD, {0x3647: 1}) == [0x3644, 0x3647]
    assert entered(HOLD, hold_ignored=True) == [0x3651, 0x3647]
    assert entered(IDLE) == [0x3636, 0x3647]
    assert entered(NO_EXPORT) == [0x365C, 0x365A]


def test_an_order_is_left_with_its_mode_first() -> None:
    """Then the switch; the power of an export limit is put back before the limit is switched off."""
    assert left(CHARGE) == [0x3647, 0x3604, 0x3619, 0x3618, 0x361A, 0x3646]
    assert left(AT_GRID, may_sell=True) == [
        *(0x3647, 0x3605),
        *(0x362E, 0x362D, 0x362F),
        *(0x3644, 0x3660, 0x3650),
    ]
    assert left(HOLD, hold_ignored=True) == [0x3647, 0x3651]
    assert left(IDLE) == [0x3647, 0x3636]
    assert left(NO_EXPORT) == [0x365A, 0x365C]


def test_a_limit_in_amperes_gives_way_to_one_in_watts_that_is_there_and_comes_back_before_it_goes() -> (
    None
):
    """With 2 in the mode the power may hold anything: it counts from the moment at which the mode does."""
    owners = {0x365C: 2, 0x365B: 0}
    assert entered(NO_EXPORT, owners) == [0x365A, 0x365C]
    assert left(NO_EXPORT, owners) == [0x365C, 0x365A]
    # Of each phase it is a power already.
    by_phase = {0x365C: 3, 0x365A: 300}
    assert entered(NO_EXPORT, by_phase) == [0x365C, 0x365A]
    assert left(NO_EXPORT, by_phase) == [0x365A, 0x365C]
    # It is the last of all that comes back.
    both = [order(ControlMode.CHARGE, power=3000, target_soc=80), NO_EXPORT]
    put = changed(CONTROL_BY_WINDOWS.plan(both, situation(owners)), owners)
    back = {address: {**OWNERS, **owners}[address] for address in put}
    held = {**OWNERS, **owners, **put}
    requests = CONTROL_BY_WINDOWS.requests(back, back.keys(), REGISTERS, held)
    assert addresses(requests)[-3:] == [0x3646, 0x365C, 0x365A]


@pytest.mark.parametrize(
    ("found", "given_back"),
    [
        # Ours still: the owner's 0 A, and the power that does not count beside it.
        (1, {0x365C: 2, 0x365A: 1100}),
        # Broken off before the mode, or put back at the panel, or switched off there.
        (2, {0x365C: 2, 0x365A: 1100}),
        (0, {0x365C: 0, 0x365A: 1100}),
        # A limit for each phase goes by the power: 110 % would be none.
        (3, {0x365C: 3, 0x365A: 0}),
    ],
)
def test_a_power_that_did_not_count_does_not_come_back_to_count(
    found: int, given_back: Mapping[int, int]
) -> None:
    """After a limit of 0 W on a machine whose owner allows 0 A."""
    before, ours = {0x365C: 2, 0x365A: 1100}, {0x365C: 1, 0x365A: 0}
    held = {**OWNERS, **ours, 0x365C: found}
    assert CONTROL_BY_WINDOWS.given_back(before, [ours], held, REGISTERS) == given_back


def test_the_ceiling_goes_down_and_back_up() -> None:
    """A charge to 80 % and its end: 100, 80, 100; the floor for a time without the grid is in neither."""
    assert planned(CHARGE).after[0x3646] == 80
    left_again = CONTROL_BY_WINDOWS.requests({0x3646: 100}, [0x3646], REGISTERS, {0x3646: 80})
    assert left_again == [{0x3646: 100}]
    assert 0x3645 not in {*entered(CHARGE), *left(CHARGE)}


def test_the_ceiling_is_above_the_reserve_all_the_time() -> None:
    """A reserve that is lowered for a charge goes down before it, and up after it."""
    assert entered(CHARGE, {0x3651: 90})[:2] == [0x3651, 0x3646]
    assert left(CHARGE, {0x3651: 90})[-2:] == [0x3646, 0x3651]


def test_the_switches_of_both_kinds_are_never_on_together() -> None:
    """The kind that does not act goes off before, and comes back after, that of the order."""
    acting = {**BUSY, 0x3647: 1}
    assert entered(CHARGE, acting)[-2:] == [0x3605, 0x3604]
    assert left(CHARGE, acting)[:2] == [0x3604, 0x3605]
    by_day = {**acting, 0x3606: 0x1300, 0x3607: 0x1400}
    assert entered(DISCHARGE, by_day)[-2:] == [0x3604, 0x3605]
    assert left(DISCHARGE, by_day)[:2] == [0x3605, 0x3604]


def test_one_order_takes_the_place_of_another() -> None:
    """What would act or let more flow is left last."""
    assert replaced(CHARGE, AT_GRID, may_sell=True) == [
        *(0x3644, 0x3650),
        *(0x362E, 0x362D, 0x362F),
        *(0x3660, 0x3604, 0x3605),
        *(0x3619, 0x3618, 0x361A, 0x3646),
    ]
    # The slots of the owner stay off until the mode is another one.
    assert replaced(CHARGE, HOLD, {**BUSY, 0x3647: 2}) == [
        *(0x3644, 0x3647),
        *(0x3604, 0x3605),
        *(0x3619, 0x3618, 0x361A, 0x3646),
    ]
    # The ceiling comes down when the floor has.
    assert replaced(HOLD, CHARGE)[:2] == [0x3644, 0x3646]
    # It stays on standby until the passive mode is over.
    assert replaced(IDLE, CHARGE)[-2:] == [0x3647, 0x3636]
    # A slot has its new power before it sells, and sells no more before it has.
    assert replaced(NO_CHARGE, DISCHARGE, {0x3660: 1}, may_sell=True) == [0x3644, 0x362F, 0x3660]
    assert replaced(DISCHARGE, NO_CHARGE, may_sell=True) == [0x3660, 0x362F, 0x3644]
    # Nothing but the power.
    assert replaced(CHARGE, order(ControlMode.CHARGE, power=5000, target_soc=80)) == [0x361A]


def test_floor_and_ceiling_keep_their_distance_while_one_order_takes_the_place_of_another() -> None:
    """A floor of 64 % and a ceiling of 70 % may be there together; of 69 % the one that leaves goes first."""
    down = order(ControlMode.DISCHARGE, power=3000, target_soc=64)
    far, near = (order(ControlMode.CHARGE, power=3000, target_soc=up) for up in (70, 69))
    charged = replaced(down, far, soc=65)
    assert (charged[0], charged[-1]) == (0x3646, 0x3644)
    assert replaced(down, near, soc=65)[:2] == [0x3644, 0x3646]
    discharged = replaced(far, down, soc=65)
    assert (discharged[0], discharged[-1]) == (0x3644, 0x3646)
    assert replaced(near, down, soc=65)[:2] == [0x3646, 0x3644]
    # The lock keeps none.
    locked = replaced(near, HOLD, soc=65)
    assert (locked[0], locked[-1]) == (0x3644, 0x3646)


def test_a_slot_that_is_not_needed_any_more_is_off_before_it_is_put_back() -> None:
    """An order over midnight becomes a shorter one, and slot 6 is the owner's again."""
    long = order(ControlMode.CHARGE, NOW + timedelta(hours=8))
    assert replaced(long, order(ControlMode.CHARGE)) == [
        *(0x3619, 0x3604),
        *(0x3616, 0x3617),
    ]


def test_how_many_writes_an_order_costs() -> None:
    """Two slots over midnight cost two more, and three where no free one begins there."""
    filled = {
        **dict.fromkeys(range(0x3606, 0x3630), 0x0101),
        0x3604: 0x01,
        0x3605: 0x01,
    }
    midnight: dict[str, Any] = {"until": NOW + timedelta(hours=8), "power": 3000}
    charge = order(ControlMode.CHARGE, **midnight, target_soc=80)
    discharge = order(ControlMode.DISCHARGE, **midnight, target_soc=40)
    at_grid = order(ControlMode.DISCHARGE, **midnight, at=PowerAt.GRID, target_soc=40)
    # As the slots leave the factory.
    assert [len(entered(one, may_sell=True)) for one in (CHARGE, DISCHARGE, AT_GRID)] == [6, 7, 8]
    assert [len(entered(one, may_sell=True)) for one in (charge, discharge, at_grid)] == [8, 9, 10]
    # With all words different, and slots of the other kind that were waiting for their mode.
    assert len(entered(CHARGE, filled)) == 7
    assert len(entered(AT_GRID, {**filled, 0x3604: 0}, may_sell=True)) == 8
    assert len(entered(AT_GRID, filled, may_sell=True)) == 9
    assert [len(entered(one, filled, may_sell=True)) for one in (charge, discharge, at_grid)] == [
        *(10, 11, 12)
    ]
    assert len(entered(NO_CHARGE, {**filled, 0x3660: 1})) == 7
    assert len(entered(NO_EXPORT)) == 2


# ---------------------------------------------------------------------- what is never done

# Nobody but the owner moves these: the floor for a time without the grid, what the battery takes and gives at most, and
# the powers of the passive mode.
FORBIDDEN: Final = {0x3645, 0x364D, 0x364E, 0x3637, 0x3638, 0x3639, 0x363A}


def test_only_these_settings_are_ever_written() -> None:
    """All slots, and nine settings."""
    named = {REGISTERS[key].addresses[0] for key in CONTROL_BY_WINDOWS.writes}
    assert named == {
        *range(0x3604, 0x3630),
        *(0x3636, 0x3644, 0x3646, 0x3647, 0x3650, 0x3651, 0x365A, 0x365C, 0x3660),
    }
    assert CONTROL_BY_WINDOWS.writes <= CONTROL_BY_WINDOWS.reads | CONTROL_BY_WINDOWS.optional
    assert CONTROL_BY_WINDOWS.reads <= SAJ.registers.keys()
    assert CONTROL_BY_WINDOWS.reads | CONTROL_BY_WINDOWS.optional <= REGISTERS.keys()
    assert CONTROL_BY_WINDOWS.modes == set(ControlMode)


# Thousandths of 10 kW that 0, 10 and 300 A are at 230 V: nothing, 2300 W, and more than there is.
AMPERES: Final = {0: 0, 1000: 230, 30000: 1100}


def some_owner(random: Random) -> dict[int, int]:
    """Return what somebody may have set."""
    return {
        0x3604: random.randrange(64),
        0x3605: random.randrange(64),
        **{
            first + word: random.choice((0x0000, 0x0600, 0x1200, 0x1600, 0x173B))
            for first in range(0x3606, 0x3630, 3)
            for word in (0, 1)
        },
        0x3644: random.choice((5, 20, 50, 95)),
        0x3646: random.choice((60, 90, 100)),
        0x3647: random.randrange(3),
        0x3650: random.choice((0, 250, 1100)),
        0x3651: random.choice((20, 50, 80)),
        0x365A: random.choice((0, 300, 1100)),
        0x365B: random.choice(tuple(AMPERES)),
        0x365C: random.randrange(4),
        0x365F: random.randrange(2),
        0x3660: random.randrange(2),
    }


def some_order(random: Random) -> Order:
    """Return an order that somebody may give."""
    return order(
        random.choice(list(ControlMode)),
        NOW + timedelta(minutes=random.randrange(5, 1436)),
        power=random.choice((None, 0, 800, 3000, 12000)),
        at=random.choice(list(PowerAt)),
        target_soc=random.choice((None, 10, 45, 70, 100)),
    )


@pytest.mark.parametrize("seed", range(20))
def test_no_floor_is_ever_lowered_and_no_limit_raised(seed: int) -> None:
    """At no write of no order, nor when one takes the place of another; and all is back at the end."""
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    owners = {**OWNERS, **some_owner(random)}
    held, taken = dict(owners), 0
    for _ in range(40):
        try:
            plan = CONTROL_BY_WINDOWS.plan(
                [some_order(random)],
                situation(owners, soc=random.choice((15, 60, 100)), may_sell=random.random() < 0.5),
            )
        except ControlRefusedError:
            continue
        taken += 1
        held = written(held, {**owners, **plan.after}, plan.after.keys(), owners)
    assert taken > 5
    assert written(held, owners, (), owners) == owners


def exported(words: Mapping[int, int]) -> int:
    """Return how many thousandths of the rated power may flow into the grid at most."""
    by_power = words[0x365A]
    return {0: 1100, 1: by_power, 2: AMPERES[words[0x365B]], 3: by_power}[words[0x365C]]


def written(
    held: Mapping[int, int],
    wanted: Mapping[int, int],
    kept: Collection[int],
    owners: Mapping[int, int],
) -> dict[int, int]:
    """Return what a device holds after all writes, each of which is looked at."""
    now = dict(held)
    target = {address: word for address, word in wanted.items() if word != held[address]}
    restored = target.keys() - set(kept)
    for request in CONTROL_BY_WINDOWS.requests(target, restored, REGISTERS, held):
        now |= request
        assert FORBIDDEN.isdisjoint(request)
        assert now[0x3644] >= owners[0x3644]
        assert now[0x3646] <= owners[0x3646]
        # But for the lock, and where its owner has set them closer.
        assert now[0x3644] in (owners[0x3644], 100) or now[0x3646] > now[0x3644] + 5
        assert now[0x3650] <= owners[0x3650]
        assert now[0x3651] in (20, owners[0x3651])
        assert now[0x3646] > now[0x3651] or owners[0x3646] <= owners[0x3651]
        assert exported(now) <= exported(owners)
        if now[0x3647] == 1 and owners[0x3647] != 1:
            # Nothing acts that was waiting, and never a charge and a discharge at the same time.
            assert now[0x3604] & owners[0x3604] == now[0x3605] & owners[0x3605] == 0
            assert 0 in (now[0x3604], now[0x3605])
    return now


# ---------------------------------------------------------------------- whose a change is


def absorbed(
    found: Mapping[int, int], owners: Mapping[int, int], wanted: Order = CHARGE
) -> dict[int, int] | None:
    """Return the owner's words after a device holds this while an order is in force."""
    before = {**OWNERS, **owners}
    return CONTROL_BY_WINDOWS.absorbed(planned(wanted, owners), before, found, situation(owners))


def test_a_slot_that_is_switched_at_the_panel_is_the_owners() -> None:
    """Slot 3 on beside ours, one of the other kind on, and slot 1 off."""
    acting = {**BUSY, 0x3647: 1}
    on = absorbed({0x3604: 0x45}, acting)
    assert on == {**OWNERS, **acting, 0x3604: 0x05}
    other = absorbed({0x3605: 0x20}, {})
    assert other == {**OWNERS, 0x3605: 0x20}
    off = absorbed({0x3604: 0x40}, acting)
    assert off == {**OWNERS, **acting, 0x3604: 0x00}


@pytest.mark.parametrize(
    "found",
    [
        # Ours is off; one is on that we have switched off.
        {0x3604: 0x01},
        {0x3605: 0x02},
        # A word of the slot, the ceiling, and the mode in a plan that has changed it.
        {0x3619: 0x1600},
        {0x3646: 100},
        {0x3604: 0x45, 0x361A: 0x4032},
    ],
)
def test_a_change_of_the_order_itself_takes_over(found: Mapping[int, int]) -> None:
    """Whoever does that is in charge."""
    assert absorbed(found, {**BUSY, 0x3647: 1}) is None


def test_another_mode_at_the_panel_takes_over() -> None:
    """Also where the order has the mode of its owner."""
    assert absorbed({0x3647: 2}, {}) is None
    assert absorbed({0x3647: 0}, {0x3647: 1}) is None
    assert absorbed({0x3647: 1}, {}, HOLD) is None
    assert absorbed({0x3647: 1}, {0x3647: 1}, HOLD) is None


def test_what_is_no_part_of_the_order_is_the_owners() -> None:
    """The reserve of the backup mode is not ours while it charges in a slot."""
    reserve = absorbed({0x3651: 70}, {})
    assert reserve == {**OWNERS, 0x3651: 70}


# ---------------------------------------------------------------------- which order the words are


@pytest.mark.parametrize(
    ("wanted", "situated"),
    [
        (CHARGE, {}),
        (DISCHARGE, {}),
        (DISCHARGE, {"may_sell": True}),
        (NO_CHARGE, {}),
        (HOLD, {}),
        (HOLD, {"hold_ignored": True}),
        (IDLE, {}),
    ],
)
def test_an_order_in_force_is_told_from_the_words(
    wanted: Order, situated: Mapping[str, Any]
) -> None:
    """As soon as the device holds them."""
    after = planned(wanted, **situated).after
    assert CONTROL_BY_WINDOWS.mode_of(situation(after)) is wanted.mode


TOU: Final = {**BUSY, 0x3647: 1}


@pytest.mark.parametrize(
    ("owners", "clock", "mode"),
    [
        ({}, CLOCK, None),
        # Slots that wait for their mode.
        (BUSY, CLOCK, None),
        (TOU, CLOCK, ControlMode.NO_CHARGE),
        (TOU, CLOCK.replace(hour=19, minute=59), ControlMode.NO_CHARGE),
        (TOU, CLOCK.replace(hour=20), None),
        (TOU, CLOCK.replace(hour=4), ControlMode.CHARGE),
        (TOU, None, None),
        ({**TOU, 0x3660: 1}, CLOCK, ControlMode.DISCHARGE),
        ({**TOU, 0x3620: 0x7F32}, CLOCK, ControlMode.DISCHARGE),
        # On Mondays only; over midnight of Saturday.
        ({**TOU, 0x3620: 0x0164}, CLOCK, None),
        ({**TOU, 0x361E: 0x1600, 0x3620: 0x2064}, CLOCK, ControlMode.NO_CHARGE),
        # A floor that is over everything.
        ({**TOU, 0x3644: 100}, CLOCK, ControlMode.HOLD),
        ({**TOU, 0x3644: 100}, CLOCK.replace(hour=4), ControlMode.CHARGE),
        ({0x3644: 99}, CLOCK, None),
        ({0x3647: 3, 0x3636: 0}, CLOCK, ControlMode.IDLE),
        ({0x3647: 3, 0x3636: 1}, CLOCK, ControlMode.DISCHARGE),
        ({0x3647: 3, 0x3636: 2}, CLOCK, ControlMode.CHARGE),
        ({0x3647: 3, 0x3636: 9}, CLOCK, None),
        ({0x3647: 2, 0x3651: 61}, CLOCK, ControlMode.CHARGE),
        ({0x3647: 2, 0x3651: 60}, CLOCK, ControlMode.HOLD),
        ({0x3647: 2, 0x3651: 59}, CLOCK, ControlMode.HOLD),
        ({0x3647: 2, 0x3651: 58}, CLOCK, None),
        ({0x3647: 10}, CLOCK, None),
    ],
)
def test_which_order_the_words_are(
    owners: Mapping[int, int], clock: datetime | None, mode: ControlMode | None
) -> None:
    """Whoever has written them, at 60 %."""
    assert CONTROL_BY_WINDOWS.mode_of(situation(owners, clock=clock)) is mode


def test_a_reserve_means_nothing_while_nobody_knows_what_is_in_the_battery() -> None:
    """It may charge, or hold, or serve."""
    assert CONTROL_BY_WINDOWS.mode_of(situation({0x3647: 2, 0x3651: 60}, soc=None)) is None
