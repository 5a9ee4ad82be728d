"""The house of the demo, lived in for some days: its dashboard is whole, and its energies agree with the physics."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
import os
import time
from typing import Any, Final

from .browse import BROWSER
from .browse_house import entity_ids, look_at_all
from .checking import expect, run_checks, suspicious_lines
from .house import ENERGY_SOURCES, SUMMER, House, house, midnight

# On the computer that decides about a change there has to be one.
HAS_BROWSER: Final = BROWSER is not None or bool(os.environ.get("CI"))
MAX_UP_SECONDS: Final = 60
DAY: Final = 86400
# What is waited for after the last midnight, until Home Assistant has added up the last five minutes of the day.
AFTERWARDS: Final = 900
# How many seconds of the house pass in a second of a check.
SPEED: Final = 720.0
TOLERANCE: Final = 0.01


def _statistics(kind: str, field: str) -> list[str]:
    """What the Energy dashboard adds up for a kind of source."""
    return [str(source[field]) for source in ENERGY_SOURCES if source["type"] == kind]


# What the Energy dashboard shows for a day, and what it is in the physics.
FIGURES: Final[Mapping[str, tuple[list[str], tuple[str, ...]]]] = {
    "solar production": (_statistics("solar", "stat_energy_from"), ("pv", "solar")),
    "from the grid": (_statistics("grid", "stat_energy_from"), ("grid_import",)),
    "to the grid": (_statistics("grid", "stat_energy_to"), ("grid_export",)),
    "into the batteries": (_statistics("battery", "stat_energy_to"), ("battery_charge",)),
    "out of the batteries": (_statistics("battery", "stat_energy_from"), ("battery_discharge",)),
}


class Lived:
    """A house in which some days have passed."""

    def __init__(
        self, one: House, *, begin: datetime, days: int, speed: float, up_seconds: float
    ) -> None:
        """`days` are those that are compared."""
        self.speed = speed
        # When they are over.
        self.end = 0.0
        self.up_seconds = up_seconds
        self.house = one
        self.begin = begin
        self.days = days


async def it_is_up_soon(lived: Lived) -> None:
    """With all machines, the plant, the Energy dashboard and our own."""
    seconds = lived.up_seconds
    expect(seconds < MAX_UP_SECONDS, f"it took {seconds:.0f} s")
    print(f"        up in {seconds:.0f} s", flush=True)


async def the_dashboard_has_its_entities(lived: Lived) -> None:
    """Each that the file names is there."""
    states = await lived.house.home.states()
    missing = sorted({name for name in entity_ids() if name not in states})
    expect(not missing, f"not there: {missing}")


async def time_runs(lived: Lived) -> None:
    """For the machines and for Home Assistant alike."""
    span = lived.days * DAY + AFTERWARDS
    await lived.house.hurry(lived.speed, span)
    lived.end = time.monotonic() + span / lived.speed


async def the_dashboard_is_whole(lived: Lived) -> None:
    """No card of it is an error or a warning, in a real browser at noon."""
    await asyncio.sleep(DAY / 2 / lived.speed)
    if HAS_BROWSER:
        await look_at_all(lived.house.home, now=lived.begin + timedelta(days=0.5))
    else:
        print("        no browser is installed: nobody has looked", flush=True)


async def the_days_pass(lived: Lived) -> None:
    """Until all have been lived."""
    await asyncio.sleep(max(0.0, lived.end - time.monotonic()))
    now = (await lived.house.plant.get("time"))["now"]
    after = SUMMER + timedelta(days=lived.days)
    expect(now > after.isoformat(), f"in the house it is {now}")


async def the_energy_dashboard_agrees_with_the_physics(lived: Lived) -> None:
    """Each figure of each day."""
    shown = await _shown(lived)
    true = await lived.house.plant.get("days")
    wrong = []
    for number in range(lived.days):
        day = true[(SUMMER + timedelta(days=number)).date().isoformat()]
        compared = []
        for name, (statistics, parts) in FIGURES.items():
            expected = sum(day[part] for part in parts)
            found = sum(shown[statistic][number] for statistic in statistics)
            compared.append(f"{name} {found:.2f} ({expected:.2f})")
            if abs(found - expected) > TOLERANCE * expected:
                wrong.append(f"day {number + 1}: {name} is {found:.2f} kWh, not {expected:.2f} kWh")
        print(f"        day {number + 1}, kWh: {', '.join(compared)}", flush=True)
    expect(not wrong, "\n".join(wrong))


async def the_log_is_clean(lived: Lived) -> None:
    """No warning, no error, no deprecation in the log of all the days."""
    lines = suspicious_lines(lived.house.home.log)
    expect(not lines, "\n".join(lines[:20]))


async def _shown(lived: Lived) -> dict[str, list[float]]:
    """What the Energy dashboard asks for: by how much each counter has grown on each day."""
    ids = [statistic for statistics, _ in FIGURES.values() for statistic in statistics]
    answer: dict[str, list[dict[str, Any]]] = await lived.house.home.command(
        "recorder/statistics_during_period",
        start_time=lived.begin.isoformat(),
        end_time=(lived.begin + timedelta(days=lived.days)).isoformat(),
        statistic_ids=ids,
        period="day",
        types=["change"],
        units={"energy": "kWh"},
    )
    found = {}
    for statistic in ids:
        by_day = {
            datetime.fromtimestamp(row["start"] / 1000, UTC): row["change"]
            for row in answer.get(statistic, ())
        }
        found[statistic] = [
            by_day.get(lived.begin + timedelta(days=number), 0.0) for number in range(lived.days)
        ]
    return found


CHECKS: Final = (
    it_is_up_soon,
    the_dashboard_has_its_entities,
    time_runs,
    the_dashboard_is_whole,
    the_days_pass,
    the_energy_dashboard_agrees_with_the_physics,
    the_log_is_clean,
)


async def check_house(days: int = 1, speed: float = SPEED) -> int:
    """Run all checks in order; return how many failed."""
    # At its end, all is still in the past.
    begin = midnight(days + 1)
    started = time.monotonic()
    async with house(begin) as one:
        seconds = time.monotonic() - started
        lived = Lived(one, begin=begin, days=days, speed=speed, up_seconds=seconds)
        return await run_checks(lived, CHECKS, "House")
