"""How often settings are written: a device keeps them in an EEPROM, whose cells endure a limited number of writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from enum import Enum, auto
import logging
import sys
import time
from typing import Any, Final

from ..errors import WriteBudgetError
from .image import utc_now

_LOGGER = logging.getLogger(__name__)

# Seconds.
DAY: Final = 24 * 60 * 60


class Origin(Enum):
    """Who wants a setting to be written."""

    AUTOMATION = auto()
    PERSON = auto()
    # What held before is written again: undone, put back, or a mode that is left.
    RESTORE = auto()


# How often a register may be written in a day. An EEPROM cell endures a hundred thousand to a million writes: at a hundred
# a day, 3 to 27 years. An automation leaves some to a person, who leaves some to what has to be put back; that is written
# however often it was: worse than a cell that wears is a battery that stays forced.
WRITES_PER_DAY: Final = {Origin.AUTOMATION: 70, Origin.PERSON: 80}


def utc_day() -> date:
    """Today's date in UTC."""
    return utc_now().date()


class WearBudget:
    """Today's writes by register and by setting, and how many there may be.

    With a new day the counts start again, but not with a day that is over already: a clock that is set back gets a new
    count only after 24 hours. Every register of a request counts, also the neighbours that have to be sent
    along: whether a device spares a cell whose value stays the same, nobody knows.
    """

    def __init__(
        self,
        today: Callable[[], date] = utc_day,
        *,
        clock: Callable[[], float] = time.monotonic,
        limits: Mapping[Origin, int] = WRITES_PER_DAY,
    ) -> None:
        """`clock` returns seconds that nobody sets; `limits` are the numbers of writes of each register in a day."""
        self.total = 0
        self._today = today
        self._clock = clock
        self._limits = limits
        self._day = today()
        self._began = clock()
        self._registers: Counter[int] = Counter()
        self._settings: Counter[str] = Counter()
        self._listeners: list[Callable[[], None]] = []

    @property
    def registers(self) -> Counter[int]:
        """Today's writes by address."""
        self._reset_on_new_day()
        return self._registers

    @property
    def settings(self) -> Counter[str]:
        """Today's writes by the key of the setting that was meant."""
        self._reset_on_new_day()
        return self._settings

    def check(
        self,
        key: str,
        addresses: Iterable[int],
        origin: Origin = Origin.PERSON,
        *,
        times: int = 1,
    ) -> None:
        """Raise WriteBudgetError when one of these registers, which carry a setting, may not be written so often today.

        What restores is never refused; beyond every limit it is logged.
        """
        limit = self._limits.get(origin)
        for address in sorted(addresses):
            writes = self.registers[address]
            if limit is None:
                if writes >= max(self._limits.values()):
                    _LOGGER.warning(
                        "Register %d (%s) is written again, to restore it, after %d writes today",
                        address,
                        key,
                        writes,
                    )
            elif writes + times > limit:
                raise WriteBudgetError(key, address, limit)

    def left(self, addresses: Iterable[int], origin: Origin) -> int:
        """How often each of these registers may still be written today; of what restores as often as anybody wants."""
        limit = self._limits.get(origin, sys.maxsize)
        most = max((self.registers[address] for address in addresses), default=0)
        return max(0, limit - most)

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
        """Everything that `restore` takes, fit for JSON."""
        return {
            "registers": {str(address): count for address, count in self.registers.items()},
            "settings": dict(self.settings),
            "day": self._day.isoformat(),
            "total": self.total,
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Continue from what `as_dict` returned; the counts of another day are in the total only."""
        self.total = stored["total"]
        self._day = date.fromisoformat(stored["day"])
        self._began = self._clock()
        self._registers = Counter({int(key): count for key, count in stored["registers"].items()})
        self._settings = Counter(stored["settings"])

    def _reset_on_new_day(self) -> None:
        """Start the day's counts again when a new day has begun."""
        today, now = self._today(), self._clock()
        if today > self._day or (today < self._day and now - self._began >= DAY):
            self._day = today
            self._began = now
            self._registers.clear()
            self._settings.clear()
