"""The figures of the Energy dashboard for whole days, compared with what really flowed in the simulated house."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from .checking import expect
from .house import House

TOLERANCE: Final = 0.01

# What the Energy dashboard shows for a day: the kind of source, what it adds up of them, and what it is in the physics.
FIGURES: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "solar production": ("solar", "stat_energy_from", ("pv", "solar")),
    "from the grid": ("grid", "stat_energy_from", ("grid_import",)),
    "to the grid": ("grid", "stat_energy_to", ("grid_export",)),
    "into the batteries": ("battery", "stat_energy_to", ("battery_charge",)),
    "out of the batteries": ("battery", "stat_energy_from", ("battery_discharge",)),
}


async def expect_days(one: House, begin: datetime, days: int, first: date) -> None:
    """Compare each figure of so many days from a midnight on; `first` is the first of them in the house."""
    sources = (await one.home.command("energy/get_prefs"))["energy_sources"]
    statistics = {
        name: [str(source[field]) for source in sources if source["type"] == kind]
        for name, (kind, field, _) in FIGURES.items()
    }
    shown = await _shown(one, [one for ids in statistics.values() for one in ids], begin, days)
    true = await one.plant.get("days")
    wrong = []
    for number in range(days):
        day = true[(first + timedelta(days=number)).isoformat()]
        compared = []
        for name, (_, _, parts) in FIGURES.items():
            expected = sum(day[part] for part in parts)
            found = sum(shown[statistic][number] for statistic in statistics[name])
            compared.append(f"{name} {found:.2f} ({expected:.2f})")
            if abs(found - expected) > TOLERANCE * expected:
                wrong.append(f"day {number + 1}: {name} is {found:.2f} kWh, not {expected:.2f} kWh")
        print(f"        day {number + 1}, kWh: {', '.join(compared)}", flush=True)
    expect(not wrong, "\n".join(wrong))


async def _shown(
    one: House, statistics: list[str], begin: datetime, days: int
) -> dict[str, list[float]]:
    """What the Energy dashboard asks for: by how much each counter has grown on each day."""
    answer: dict[str, list[dict[str, Any]]] = await one.home.command(
        "recorder/statistics_during_period",
        start_time=begin.isoformat(),
        end_time=(begin + timedelta(days=days)).isoformat(),
        statistic_ids=statistics,
        period="day",
        types=["change"],
        units={"energy": "kWh"},
    )
    found = {}
    for statistic in statistics:
        by_day = {
            datetime.fromtimestamp(row["start"] / 1000, UTC): row["change"]
            for row in answer.get(statistic, ())
        }
        found[statistic] = [
            by_day.get(begin + timedelta(days=number), 0.0) for number in range(days)
        ]
    return found
