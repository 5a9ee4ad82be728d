"""The owner's test: the battery is ordered to charge and to discharge, and each clamp shows how it is wired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final

from ..model.codec import Value
from .clamp import OTHER_PHASE
from .member import Member
from .scene import Scene
from .steps import Sample
from .verdict import Cause, Finding

POWER: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the test: the order in W (+ discharging), until when in s, and from when on everything has settled."""

    watts: float | None
    settled: float
    end: float


STAGES: Final = (
    Stage(None, 0.0, 20.0),
    Stage(-POWER, 50.0, 80.0),
    Stage(POWER, 110.0, 140.0),
    Stage(None, 152.0, 168.0),
)
DURATION: Final = STAGES[-1].end
# W by which the inverter has to differ between two moments that are compared.
FOLLOWED: Final = 100.0
# By so much (of a watt for a watt) two comparisons may differ that agree, the share of all that have to, and how many at least.
AGREEING: Final = 0.2
MOST: Final = 0.5
FEWEST: Final = 5
# What a clamp shows of a W at the inverter, with what it may be off.
RIGHT_SPREAD: Final = 0.2
OTHER_PHASE_SPREAD: Final = 0.28
NOTHING_SPREAD: Final = 0.15


@dataclass(frozen=True, slots=True)
class ClampReport:
    """What one clamp showed: W for each W of the inverter, 1 if it is right; None if it cannot be told."""

    member: str
    phase: str
    response: float | None
    finding: Finding | None = None

    @property
    def is_right(self) -> bool:
        """Whether it is known to be right."""
        return self.response is not None and self.finding is None


@dataclass(frozen=True, slots=True)
class TestReport:
    """What the test showed, clamp by clamp."""

    # It is no test of pytest.
    __test__ = False

    clamps: tuple[ClampReport, ...]

    @property
    def is_certain(self) -> bool:
        """Whether every clamp could be told."""
        return bool(self.clamps) and all(clamp.response is not None for clamp in self.clamps)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, each once."""
        found = dict.fromkeys(clamp.finding for clamp in self.clamps if clamp.finding is not None)
        return tuple(found)


class OwnerTest:
    """One run of the test; it only says what to order, and does not order anything itself."""

    def __init__(
        self,
        members: Iterable[Member],
        subject: str,
        solar_phases: Mapping[str, int] | None = None,
    ) -> None:
        """`subject` is the id of the inverter that is ordered; the phases of solar inverters are by their meters' ids."""
        self._scene = Scene(members)
        self.subject = subject
        for member, phase in (solar_phases or {}).items():
            self._scene.solar_phases[member].phase = phase
        # What clamps and terminals have shown while everything had settled.
        self._seen: dict[str, list[Sample]] = {member: [] for member in self._scene.clamps}
        self._began: float | None = None
        self._now = 0.0

    def order(self, time: float) -> float | None:
        """The W that have to be in force now, + discharging; None for no order."""
        elapsed = self._elapsed(time)
        return next((stage.watts for stage in STAGES if elapsed < stage.end), None)

    def _elapsed(self, time: float) -> float:
        """The s since the test began, which it does when it is first asked."""
        if self._began is None:
            self._began = time
        self._now = time
        return time - self._began

    @property
    def finished(self) -> bool:
        """Whether all its parts are over."""
        return self._began is not None and self._now - self._began >= DURATION

    def observe(self, member: str, time: float, values: Mapping[str, Value | None]) -> None:
        """Take the values of one poll of a device into account."""
        elapsed = self._elapsed(time)
        self._scene.take(member, time, values)
        has_settled = any(stage.settled <= elapsed < stage.end for stage in STAGES)
        for seen_by, sample in self._scene.samples():
            if has_settled:
                self._seen[seen_by].append(sample)

    def report(self) -> TestReport:
        """What is known at the end."""
        return TestReport(
            tuple(
                report
                for member, samples in self._seen.items()
                for report in _reports(member, self._scene.clamps[member], samples)
            )
        )


def _reports(member: str, names: tuple[str, ...], samples: list[Sample]) -> list[ClampReport]:
    """What the clamps of one device showed."""
    responses = [_response(phase, samples) for phase in range(len(names))]
    crossed = tuple(
        name
        for name, response in zip(names, responses, strict=True)
        if len(names) > 1
        and response is not None
        and abs(response - OTHER_PHASE) < OTHER_PHASE_SPREAD
    )
    return [
        ClampReport(member, name, response, _finding(name, response, crossed))
        for name, response in zip(names, responses, strict=True)
    ]


def _response(phase: int, samples: list[Sample]) -> float | None:
    """The W at a clamp for each W of the inverter, by comparing all moments with each other; None if too few agree."""
    found = []
    for one, other in combinations(samples, 2):
        moved = other.own[phase] - one.own[phase]
        if abs(moved) >= FOLLOWED:
            found.append((other.seen[phase] - one.seen[phase]) / moved)
    if not found:
        return None
    middle = median(found)
    agreeing = [one for one in found if abs(one - middle) <= AGREEING * max(1.0, abs(middle))]
    if len(agreeing) < max(FEWEST, MOST * len(found)):
        return None
    return round(sum(agreeing) / len(agreeing), 2)


def _finding(name: str, response: float | None, crossed: tuple[str, ...]) -> Finding | None:
    """What follows from the response of a clamp, by those that are on another conductor."""
    places = (name,) if name else ()
    if response is None or abs(response - 1) <= RIGHT_SPREAD:
        return None
    if name in crossed:
        return Finding(Cause.PHASES_EXCHANGED, crossed)
    if response < 0 and abs(response) > NOTHING_SPREAD:
        return Finding(Cause.CLAMP_REVERSED, places)
    if abs(response) <= NOTHING_SPREAD:
        return Finding(Cause.CLAMP_HOUSE_SIDE, places)
    return Finding(Cause.CLAMP_RATIO, places, round(response, 1))
