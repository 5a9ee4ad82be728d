"""The house of the demo, lived in for some days with a fast clock: its energies agree with the physics."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .checking import expect, run_checks, suspicious_lines
from .energy_days import expect_days
from .house import SUMMER, House, house, midnight

# What is waited for after a midnight, until Home Assistant has added up the last five minutes of the day.
AFTERWARDS: Final = timedelta(minutes=15)
# How many seconds of the house pass in a second of a check; and around midnight, where what a busy computer reads a
# second late would count for the wrong day.
SPEED: Final = 720.0
MIDNIGHT_SPEED: Final = 60.0
# How long before a midnight that begins.
BEFORE: Final = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Lived:
    """A house in which some days pass from a midnight on; the last one is over."""

    house: House
    begin: datetime
    days: int


async def the_days_pass(lived: Lived) -> None:
    """For the machines and for Home Assistant alike."""
    for number in range(1, lived.days + 1):
        over = SUMMER + timedelta(days=number)
        await lived.house.hurry_to(over - BEFORE, SPEED)
        await lived.house.hurry_to(over + AFTERWARDS, MIDNIGHT_SPEED)


async def the_energy_dashboard_agrees_with_the_physics(lived: Lived) -> None:
    """Each figure of each day."""
    await expect_days(lived.house, lived.begin, lived.days, SUMMER.date())


async def the_log_is_clean(lived: Lived) -> None:
    """No warning, no error, no deprecation in the log of all the days."""
    lines = suspicious_lines(lived.house.home.log)
    expect(not lines, "\n".join(lines[:20]))


CHECKS: Final = (
    the_days_pass,
    the_energy_dashboard_agrees_with_the_physics,
    the_log_is_clean,
)


async def check_house(days: int = 1) -> int:
    """Run all checks in order; return how many failed."""
    # At its end, all is still in the past.
    begin = midnight(days + 1)
    async with house(begin) as one:
        lived = Lived(house=one, begin=begin, days=days)
        return await run_checks(lived, CHECKS, "House")
