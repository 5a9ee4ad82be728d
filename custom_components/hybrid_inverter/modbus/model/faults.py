"""Fault codes and outages as a person knows them: something that begins, lasts and is over.

A poll only shows which bits are set. The watches follow them from one poll to the next; the time is an argument.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

# A code that is in a single poll only is a flicker, and so is a single poll without it.
POLLS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRules:
    """What is true of the fault codes of a family."""

    # The bit fields that hold codes; the table labels every bit of them with one.
    fields: tuple[str, ...]
    # The codes of the grid's absence, which is no defect, and the key of whether the grid is connected.
    no_grid: frozenset[str]
    grid: str
    # The codes for which there is something to do.
    remedies: frozenset[str]
    # The codes that the manufacturer calls warnings, in a field that holds faults as well.
    warnings: frozenset[str] = frozenset()
    # How many seconds to wait for the codes that mostly go away by themselves.
    lasting_after: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CodeChanges:
    """What one poll has changed, as codes in order."""

    # In this poll and not in the one before.
    appeared: tuple[str, ...] = ()
    # Present for long enough to be reported.
    lasting: tuple[str, ...] = ()
    # No longer present.
    gone: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sighting:
    """A code that has appeared: since when, and in how many polls in a row it was seen or missed."""

    since: datetime | None = None
    seen: int = 0
    missed: int = 0
    lasting: bool = False


class CodeWatch:
    """Follows the codes of one bit field from poll to poll."""

    def __init__(self, lasting_after: Mapping[str, float], known: Iterable[str] = ()) -> None:
        """`lasting_after` has the seconds after which a code lasts, `known` the codes that were active before a restart."""
        self._lasting_after = lasting_after
        self._sightings = {code: _Sighting() for code in known}

    @property
    def active(self) -> list[str]:
        """The codes that have appeared and are not gone, in order."""
        return sorted(self._sightings)

    def update(self, codes: Collection[str], now: datetime) -> CodeChanges:
        """What the codes of one poll change."""
        appeared = tuple(sorted(set(codes) - self._sightings.keys()))
        self._sightings.update((code, _Sighting()) for code in appeared)
        lasting: list[str] = []
        gone: list[str] = []
        for code in self.active:
            sighting = self._sightings[code]
            if code in codes:
                if self._begins_to_last(code, sighting, now):
                    lasting.append(code)
            elif self._is_missed_for_good(sighting):
                gone.append(code)
                del self._sightings[code]
        return CodeChanges(appeared, tuple(lasting), tuple(gone))

    def _begins_to_last(self, code: str, sighting: _Sighting, now: datetime) -> bool:
        """Count a poll with the code; whether it is the one from which it lasts."""
        if sighting.since is None:
            sighting.since = now
        sighting.seen += 1
        sighting.missed = 0
        waited = now - sighting.since >= timedelta(seconds=self._lasting_after.get(code, 0))
        if sighting.lasting or sighting.seen < POLLS or not waited:
            return False
        sighting.lasting = True
        return True

    @staticmethod
    def _is_missed_for_good(sighting: _Sighting) -> bool:
        """Count a poll without the code; whether it is gone."""
        sighting.since = None
        sighting.seen = 0
        sighting.missed += 1
        return sighting.missed >= POLLS


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without the grid; it has no end while it lasts."""

    start: datetime
    end: datetime | None = None

    def duration(self, now: datetime) -> timedelta:
        """How long it was, or has been so far; 0 where the clock was set back."""
        return max((self.end or now) - self.start, timedelta(0))


class OutageWatch:
    """Follows the grid from poll to poll."""

    def __init__(self, last: Outage | None = None) -> None:
        """`last` is the last known outage, which may still last."""
        self.last = last

    @property
    def lasts(self) -> bool:
        """Whether the grid is absent."""
        return self.last is not None and self.last.end is None

    def update(self, *, off_grid: bool, now: datetime) -> bool:
        """Whether an outage has just begun or ended with this poll."""
        if off_grid is self.lasts:
            return False
        self.last = Outage(self.last.start, now) if self.last and self.lasts else Outage(now)
        return True
