"""What happens to a plant in the course of time, from a file: at this time, this trouble."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
import json
import logging
from pathlib import Path
from typing import Any

from .cause import NAMES, cause
from .simulation import SimulatedPlant

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Happening:
    """Trouble at a time of the plant."""

    at: datetime
    what: Mapping[str, Any]


class Scenario:
    """Happenings in order, each of which comes once."""

    def __init__(self, entries: Sequence[Mapping[str, Any]], start: datetime) -> None:
        """`entries` are those of the file, with times from the start on; ValueError when one is wrong."""
        planned = []
        for entry in entries:
            what = dict(entry)
            if not what.keys() - {"unit"} > {"at"}:
                raise ValueError(
                    f"neither a time without trouble, nor trouble without one: {entry}"
                )
            if unknown := what.keys() - NAMES - {"at", "unit"}:
                raise ValueError(f"no such trouble: {', '.join(sorted(unknown))}")
            planned.append(Happening(_moment(what.pop("at"), start), what))
        self._plant: SimulatedPlant | None = None
        self._waiting = deque(sorted(planned, key=lambda one: one.at))

    @classmethod
    def load(cls, path: Path, start: datetime) -> Scenario:
        """Read a file: a list of objects, each with `at` and the trouble that it brings."""
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise ValueError("a scenario is a list of objects")
        return cls(entries, start)

    def follow(self, plant: SimulatedPlant) -> None:
        """Let it happen at a plant, from now on."""
        self._plant = plant
        plant.set_alarm(self)

    @property
    def next_at(self) -> datetime | None:
        """When something happens next, if anything does."""
        return self._waiting[0].at if self._waiting else None

    def ring(self) -> None:
        """Cause what is due at the plant; what it cannot have is logged, and the rest goes on."""
        if (plant := self._plant) is None:
            return
        for happening in self.due(plant.site.now):
            try:
                cause(plant, happening.what)
            except ValueError as err:
                _LOGGER.error("Cannot happen at %s: %s", happening.at, err)  # noqa: TRY400

    def due(self, now: datetime) -> list[Happening]:
        """What has happened until now and was not returned before, in order."""
        happened = []
        while self._waiting and self._waiting[0].at <= now:
            happened.append(self._waiting.popleft())
        return happened


def _moment(at: object, start: datetime) -> datetime:
    """Seconds after the start, a time of day (the first one from the start on), or a date with a time."""
    if isinstance(at, (int, float)) and not isinstance(at, bool):
        return start + timedelta(seconds=at)
    if not isinstance(at, str):
        raise ValueError(f"no time: {at!r}")
    if len(at) > len("23:59:59"):
        return datetime.fromisoformat(at)
    moment = datetime.combine(start, time.fromisoformat(at))
    return moment if moment >= start else moment + timedelta(days=1)
