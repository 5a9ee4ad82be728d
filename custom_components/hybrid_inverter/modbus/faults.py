"""Fault codes and outages as a person knows them: something that begins, lasts and is over.

A poll only tells which bits are set. What is decided here from one poll to the next knows neither a clock nor a link:
whoever polls says when it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

# A code that shows up in a single poll is a flicker, and so is a single poll without it.
POLLS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRules:
    """What is true of the fault codes of a family."""

    # The bit fields that hold codes; the table labels every bit of them with one.
    fields: tuple[str, ...]
    # The codes of the grid's absence, which is nobody's defect, and the value that says whether the grid is connected.
    no_grid: frozenset[str]
    grid: str
    # The codes for which there is something to do.
    remedies: frozenset[str]
    # The codes that the maker calls warnings, in a field that holds faults as well.
    warnings: frozenset[str] = frozenset()
    # How many seconds to wait for the codes that mostly go away by themselves.
    patience: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one poll has changed, as codes in order."""

    # Seen now and not before.
    appeared: tuple[str, ...] = ()
    # There for as long as it takes to be worth a person's time.
    lasting: tuple[str, ...] = ()
    # Not there any more.
    gone: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sighting:
    """A code that has appeared: since when and how often it was seen, or missed, without a break."""

    since: datetime | None = None
    seen: int = 0
    missed: int = 0
    lasting: bool = False


class CodeWatch:
    """Follows the codes of one bit field from poll to poll."""

    def __init__(self, patience: Mapping[str, float], known: Iterable[str] = ()) -> None:
        """Take the seconds that codes are waited for, and the codes that were there before a restart."""
        self._patience = patience
        self._sightings = {code: _Sighting() for code in known}

    @property
    def active(self) -> list[str]:
        """Return the codes that have appeared and are not gone, in order."""
        return sorted(self._sightings)

    def judge(self, codes: Collection[str], now: datetime) -> Verdict:
        """Take the codes of one poll; return what that changes."""
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
        return Verdict(appeared, tuple(lasting), tuple(gone))

    def _begins_to_last(self, code: str, sighting: _Sighting, now: datetime) -> bool:
        """Count a poll with the code; return whether it is the one that makes it last."""
        if sighting.since is None:
            sighting.since = now
        sighting.seen += 1
        sighting.missed = 0
        waited = now - sighting.since >= timedelta(seconds=self._patience.get(code, 0))
        if sighting.lasting or sighting.seen < POLLS or not waited:
            return False
        sighting.lasting = True
        return True

    @staticmethod
    def _is_missed_for_good(sighting: _Sighting) -> bool:
        """Count a poll without the code; return whether it is gone."""
        sighting.since = None
        sighting.seen = 0
        sighting.missed += 1
        return sighting.missed >= POLLS


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without the grid; without an end while it lasts."""

    start: datetime
    end: datetime | None = None

    def duration(self, now: datetime) -> timedelta:
        """Return how long it was, or has been so far; a clock that was set back makes no negative one."""
        return max((self.end or now) - self.start, timedelta(0))


class OutageWatch:
    """Follows the grid from poll to poll."""

    def __init__(self, last: Outage | None = None) -> None:
        """Take the last outage that is known of, which may still last."""
        self.last = last

    @property
    def lasts(self) -> bool:
        """Whether the grid is gone."""
        return self.last is not None and self.last.end is None

    def judge(self, *, off_grid: bool, now: datetime) -> bool:
        """Take what one poll says of the grid; return whether an outage has just begun or ended."""
        if off_grid is self.lasts:
            return False
        self.last = Outage(self.last.start, now) if self.last and self.lasts else Outage(now)
        return True
