"""What the time-of-use tables do to the flows at their edges, and what firmware makes of them one way or the other.

The house uses 1500 W in the dark and the battery is at 60 %; 1500 W out of the inverter are 1546 W out of the battery.
"""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from simulator import SimulatedPlant

from .houses import set_load, set_sun

# A Sunday and the Monday after it.
SUNDAY_EVENING = datetime(2026, 6, 21, 23)
MONDAY_NIGHT = datetime(2026, 6, 22, 2)
JSO, SAJ = "JSO8048104", "H2-10K-T2"
HOUR = 3600


def dark_house(model: str, start: datetime, words: Mapping[int, int] | None = None) -> Any:
    """Return a machine in this house that holds these words."""
    plant = SimulatedPlant(model=model, start=start, soc=0.6)
    machine: Any = plant.machine()
    set_sun(machine.inverter, 0)
    set_load(machine.inverter, home=1500)
    for address, word in (words or {}).items():
        machine.panel_change(address, word)
    return machine


def battery_power(machine: Any, *, soc: float = 60) -> int:
    """Return the power of the battery at the end of the next ten seconds, which it begins at a SOC."""
    machine.inverter.soc = soc / 100
    machine.step(10)
    power: int = machine.value("battery_power")
    return power


# ---------------------------------------------------------------------- JSO: the days and times of the table


def test_a_slot_over_midnight_ends_when_the_weekday_of_the_clock_is_not_enabled() -> None:
    """The last slot, from 18:00 to 01:00, serves the house on Sunday, and on Monday there is no slot."""
    machine = dark_house(JSO, SUNDAY_EVENING, {146: 0x81})
    assert battery_power(machine) == 1546
    machine.step(HOUR)
    assert battery_power(machine) == 0


def test_the_weekday_is_that_of_the_machines_own_clock() -> None:
    """On Monday at half past midnight a clock that is an hour late still has Sunday."""
    machine = dark_house(JSO, datetime(2026, 6, 22, 0, 30), {146: 0x81})
    assert battery_power(machine) == 0
    machine.inverter.clock = datetime(2026, 6, 21, 23, 30)
    assert battery_power(machine) == 1546
    machine.step(30 * 60)
    assert battery_power(machine) == 0


def test_a_table_without_a_weekday_holds_on_no_day_or_on_every_day_by_firmware() -> None:
    """With bit 0 alone there is no slot, unless the display has no weekdays; with any weekday only that one counts."""
    machine = dark_house(JSO, SUNDAY_EVENING, {146: 0x01})
    assert battery_power(machine) == 0
    machine.trouble.daily_table = True
    assert battery_power(machine) == 1546
    machine.step(24 * HOUR)
    assert battery_power(machine) == 1546
    # Only Sundays, and it is a Monday by now.
    machine.panel_change(146, 0x81)
    assert battery_power(machine) == 0
    machine.panel_change(146, 0x00)
    assert battery_power(machine) == 0


# The slots start at 01:00, 05:00, 08:00, 10:00 and 15:00; the last of these keeps 100 %, the sixth one serves to 35 %.
TABLE = {170: 100, 171: 35}


def test_a_slot_that_starts_at_the_end_of_the_day_holds_from_midnight_to_the_first_one() -> None:
    """24:00 is after 15:00: until then the slot before it is in force."""
    machine = dark_house(JSO, SUNDAY_EVENING, {**TABLE, 153: 2400})
    assert battery_power(machine) == 0
    machine.step(HOUR)
    assert machine.inverter.clock.hour == 0
    assert battery_power(machine) == 1546
    # At 01:00 the first slot begins, which keeps 80 %.
    machine.step(HOUR)
    assert battery_power(machine) == 0


def test_of_two_slots_that_start_at_midnight_the_last_one_counts() -> None:
    """00:00 keeps 80 %, 24:00 is the same time and stands further down in the table."""
    machine = dark_house(JSO, MONDAY_NIGHT, {**TABLE, 148: 0, 153: 2400})
    assert battery_power(machine) == 1546
    machine.panel_change(153, 1800)
    assert battery_power(machine) == 0


def test_a_slot_whose_start_is_no_time_is_left_out() -> None:
    """The one before it goes on over midnight to the first one."""
    machine = dark_house(JSO, SUNDAY_EVENING, {170: 35, 171: 100, 153: 2575})
    assert battery_power(machine) == 1546
    machine.step(HOUR)
    assert battery_power(machine) == 1546


# ---------------------------------------------------------------------- JSO: what limits a charge from the grid

# From 01:00 on the first slot charges to 80 %, at 1000 W if that is a limit; 40 A are 2095 W at 52.4 V.
CHARGING = {130: 1, 154: 1000}


def test_the_power_of_a_jso_slot_limits_the_grid_charge_or_does_not_by_firmware() -> None:
    """Usually the current alone does."""
    machine = dark_house(JSO, MONDAY_NIGHT, CHARGING)
    assert battery_power(machine) == pytest.approx(-2095, abs=2)
    assert machine.value("grid_power") == pytest.approx(1500 + 2160, abs=3)
    machine.trouble.slot_limits_grid_charge = True
    assert battery_power(machine) == -1000
    assert machine.value("grid_power") == pytest.approx(1500 + 1031, abs=2)
    machine.panel_change(154, 5000)
    assert battery_power(machine) == pytest.approx(-2095, abs=2)


@pytest.mark.parametrize(
    ("limit", "battery", "grid"),
    [
        # 40 A and the house are less.
        (5000, -2095, 3660),
        # 1500 W are left for the battery, 97 % of which get there.
        (3000, -1455, 3000),
        # The house alone is more, and the battery makes up for it.
        (1000, 515, 1000),
    ],
)
def test_the_grid_charge_of_a_jso_leaves_the_house_connection_below_the_peak_shaving_power(
    limit: int, battery: int, grid: int
) -> None:
    """The items of register 178 are pairs of bits: 11 turns this one on, and 10 the others off."""
    machine = dark_house(JSO, MONDAY_NIGHT, {130: 1, 178: 0xAABA, 191: limit})
    assert battery_power(machine) == pytest.approx(battery, abs=2)
    assert machine.value("grid_power") == pytest.approx(grid, abs=3)


# ---------------------------------------------------------------------- SAJ: slots, reserve and floor

# The first charge slot, every day from 01:00 to 05:00 at 10 % of 10 kW, is on.
SLOT = {0x3606: 0x0100, 0x3607: 0x0500, 0x3608: 0x7F0A, 0x3604: 0x01, 0x3647: 1}


def test_the_percent_of_a_saj_charge_slot_limit_it_or_do_not_by_firmware() -> None:
    """Without them it charges with all that comes through the inverter: 97 % of 10 kW."""
    machine = dark_house(SAJ, MONDAY_NIGHT, SLOT)
    assert battery_power(machine) == -1000
    assert machine.value("grid_power") == pytest.approx(1500 + 1031, abs=3)
    machine.trouble.slot_charges_fully = True
    assert battery_power(machine) == -9700
    # What may come from the grid, 300 thousandths of 10 kW, is a limit all the same.
    machine.write(0x364F, [300])
    assert battery_power(machine) == -3000
    assert machine.value("grid_power") == pytest.approx(1500 + 3093, abs=3)


def test_a_saj_reserve_above_the_soc_charges_with_all_power() -> None:
    """80 % at 60: 97 % of 10 kW; 59 % serves the house."""
    machine = dark_house(SAJ, MONDAY_NIGHT, {0x3651: 80, 0x3647: 2})
    assert battery_power(machine) == -9700
    machine.write(0x3651, [59])
    assert battery_power(machine) == 1546


def test_a_floor_that_is_stored_and_ignored() -> None:
    """At 100 the battery rests, but for firmware that goes on by the floor of before, until it knows better."""
    machine = dark_house(SAJ, MONDAY_NIGHT)
    machine.trouble.without_effect = frozenset({0x3644})
    machine.write(0x3644, [100])
    assert machine.word(0x3644) == 100
    assert battery_power(machine) == 1546
    machine.write(0x3644, [90])
    assert battery_power(machine) == 1546
    # That floor is 20.
    assert battery_power(machine, soc=20) == 0
    machine.trouble.without_effect = frozenset()
    assert machine.word(0x3644) == 90
    assert battery_power(machine) == 0


def test_words_that_have_no_effect_leave_all_others_theirs() -> None:
    """A slot whose times do nothing is as it was, while the mode is obeyed."""
    machine = dark_house(SAJ, MONDAY_NIGHT, SLOT)
    machine.trouble.without_effect = frozenset({0x3606, 0x3607})
    machine.write(0x3606, [0x0600])
    machine.write(0x3607, [0x0700])
    assert battery_power(machine) == -1000
    machine.write(0x3647, [0])
    assert battery_power(machine) == 1546
