"""Energy counters of a machine: exact integrals of powers, of the day, the month, the year and all the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date


class Counters:
    """Watt-hours by name, over four spans."""

    def __init__(self, names: Iterable[str], day: date, before: Mapping[str, float]) -> None:
        """Begin on a day, with what had been counted before."""
        self._day = day
        self.today: dict[str, float] = dict.fromkeys(names, 0.0)
        self.month = dict(self.today)
        self.year = dict(self.today)
        self.total: dict[str, float] = self.today | {
            name: before[name] for name in self.today if name in before
        }

    def count(self, powers: Mapping[str, float], seconds: float) -> None:
        """Add powers, in watts, that have flowed for so long."""
        hours = seconds / 3600
        today, month, year, total = self.today, self.month, self.year, self.total
        for name, watts in powers.items():
            if watts:
                energy = watts * hours
                today[name] += energy
                month[name] += energy
                year[name] += energy
                total[name] += energy

    def roll(self, day: date) -> bool:
        """Clear what is of the day, month and year when another one has begun, and return whether one has."""
        before = self._day
        if day == before:
            return False
        self._day = day
        self.today = dict.fromkeys(self.today, 0.0)
        if (day.year, day.month) != (before.year, before.month):
            self.month = dict.fromkeys(self.month, 0.0)
        if day.year != before.year:
            self.year = dict.fromkeys(self.year, 0.0)
        return True
