"""What automations save in a year with prices that change by the hour, and what they write. See scripts/bench --tariff."""

import asyncio
from collections.abc import Mapping
import json
import os
import sys
from typing import Any, Final

from .tariff_cases import CASES, Case

HEADER: Final = (
    f"{'automation':<30}{'bill':>9}{'saving':>9}{'charged':>10}{'import':>9}{'export':>9}{'writes':>8}{'most':>6}"
    f"{'broken':>8}{'took':>8}"
)


async def tariff(days: int, names: list[str] | None) -> bool:
    """Print what each case came to, and how it differs from the same house without an automation; whether all kept the rules."""
    names = names or list(CASES)
    turn = asyncio.Semaphore(os.cpu_count() or 1)

    async def live(name: str) -> dict[str, Any]:
        async with turn:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "lab.tariff_year", name, str(days)),
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await process.communicate()
        years: dict[str, Any] = json.loads(output)
        return years

    wanted = dict.fromkeys([*(CASES[name].beside for name in names), *names])
    results = await asyncio.gather(*map(live, wanted))
    years = dict(zip(wanted, results, strict=True))
    print(f"\n{days} days of the simulated house; EUR, kWh; most writes of a register in a day")
    print(HEADER)
    for name, year in years.items():
        _print(CASES[name], year, years[CASES[name].beside])
    broken = {rule for year in years.values() for rule in year["broken"]}
    if broken:
        print(f"Rules broken: {', '.join(sorted(broken))}")
    return not broken


def _print(case: Case, year: Mapping[str, Any], beside: Mapping[str, Any]) -> None:
    saving = beside["bill"] - year["bill"]
    print(
        f"{case.name:<30}{year['bill']:>9.2f}{saving:>9.2f}{year['charged']:>10.0f}{year['imported']:>9.0f}"
        f"{year['exported']:>9.0f}{year['writes']:>8}{year['most_writes']:>6}"
        f"{sum(year['broken'].values()):>8}{year['seconds']:>6.0f} s"
    )
