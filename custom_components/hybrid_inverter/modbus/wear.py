"""How often settings are written: a machine keeps them in an EEPROM, whose cells bear a limited number of writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from .errors import WriteBudgetError

# An EEPROM cell bears a hundred thousand to a million writes: at a hundred a day, 3 to 27 years.
WRITES_PER_DAY: Final = 100


def utc_day() -> date:
    """Return the day that it is at Greenwich, for callers that know no other."""
    return datetime.now(UTC).date()


class WearBudget:
    """What was written today, register by register and setting by setting, and when it is enough.

    A day is what the caller says; with a new one the counts start again. All that a request carries counts, also the
    neighbours that it has to carry along: whether a machine spares a cell that stays as it is, nobody knows.
    """

    def __init__(self, today: Callable[[], date] = utc_day, *, limit: int = WRITES_PER_DAY) -> None:
        """Ask `today` for the day, and allow each register so many writes in it."""
        self.total = 0
        self._today = today
        self._limit = limit
        self._day = today()
        self._registers: Counter[int] = Counter()
        self._settings: Counter[str] = Counter()
        self._listeners: list[Callable[[], None]] = []

    @property
    def registers(self) -> Counter[int]:
        """Return today's writes by address."""
        self._turn_page()
        return self._registers

    @property
    def settings(self) -> Counter[str]:
        """Return today's writes by the key of the setting that was meant."""
        self._turn_page()
        return self._settings

    def check(self, key: str, addresses: Iterable[int]) -> None:
        """Raise WriteBudgetError when one of the registers that a setting is written with has had its writes of today."""
        for address in sorted(addresses):
            if self.registers[address] >= self._limit:
                raise WriteBudgetError(key, address, self._limit)

    def count(self, keys: Collection[str], addresses: Iterable[int]) -> None:
        """Count one request that sets these keys and carries these registers."""
        self.registers.update(addresses)
        self.settings.update(keys)
        self.total += len(keys)
        for listener in tuple(self._listeners):
            listener()

    def add_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call back after every write that was counted; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def as_dict(self) -> dict[str, Any]:
        """Return everything that `restore` takes, fit for JSON."""
        return {
            "registers": {str(address): count for address, count in self.registers.items()},
            "settings": dict(self.settings),
            "day": self._day.isoformat(),
            "total": self.total,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from what `as_dict` returned once; what is of another day counts for the total only."""
        self.total = kept["total"]
        self._day = date.fromisoformat(kept["day"])
        self._registers = Counter({int(key): count for key, count in kept["registers"].items()})
        self._settings = Counter(kept["settings"])

    def _turn_page(self) -> None:
        """Start to count again when the day is another one."""
        if (today := self._today()) != self._day:
            self._day = today
            self._registers.clear()
            self._settings.clear()
