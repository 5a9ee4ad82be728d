"""What happens to a plant in the course of time, from a file: at this time, this trouble."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
import json
from pathlib import Path
from typing import Any

from .cause import NAMES


@dataclass(frozen=True, slots=True)
class Happening:
    """Trouble at a time of the plant."""

    at: datetime
    what: Mapping[str, Any]


class Scenario:
    """Happenings in order, each of which comes once."""

    def __init__(self, entries: Sequence[Mapping[str, Any]], start: datetime) -> None:
        """Take what the file says, with times from the start on; ValueError when something is no happening."""
        happenings = []
        for entry in entries:
            what = dict(entry)
            if not what.keys() - {"unit"} > {"at"}:
                raise ValueError(
                    f"neither a time without trouble, nor trouble without one: {entry}"
                )
            if unknown := what.keys() - NAMES - {"at", "unit"}:
                raise ValueError(f"no such trouble: {', '.join(sorted(unknown))}")
            happenings.append(Happening(_moment(what.pop("at"), start), what))
        self._waiting = deque(sorted(happenings, key=lambda one: one.at))

    @classmethod
    def load(cls, path: Path, start: datetime) -> Scenario:
        """Read a file: a list of objects, each with `at` and the trouble that it brings."""
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise ValueError("a scenario is a list of objects")
        return cls(entries, start)

    @property
    def next_at(self) -> datetime | None:
        """Return when something happens next, if anything does."""
        return self._waiting[0].at if self._waiting else None

    def due(self, now: datetime) -> list[Happening]:
        """Return what has happened until now and was not returned before, in order."""
        happened = []
        while self._waiting and self._waiting[0].at <= now:
            happened.append(self._waiting.popleft())
        return happened


def _moment(at: object, start: datetime) -> datetime:
    """Return seconds after the start, a time of day (the first one from the start on), or a date with a time."""
    if isinstance(at, (int, float)) and not isinstance(at, bool):
        return start + timedelta(seconds=at)
    if not isinstance(at, str):
        raise ValueError(f"no time: {at!r}")
    if len(at) > len("23:59:59"):
        return datetime.fromisoformat(at)
    moment = datetime.combine(start, time.fromisoformat(at))
    return moment if moment >= start else moment + timedelta(days=1)
