"""The owner's test: the battery is ordered to charge and to discharge, and each clamp shows how it is wired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import median
from typing import Final

from ..model.codec import Value
from .clamp import (
    LARGEST_RATIO,
    LEAST_DEVIATION,
    OTHER_PHASE,
    OTHER_PHASE_SPREAD,
    SMALLEST_RATIO,
)
from .clamp_set import SILENT
from .member import Member
from .scene import Scene
from .steps import Powers, Sample
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
# W by which the inverter has to differ between two moments that are compared, and how many such pairs there have to be.
FOLLOWED: Final = 100.0
FEWEST: Final = 5
# How many moments are compared at most, each with each: more of them tell no more, and take the time of others.
MOMENTS: Final = 40
# W, and share of the larger power, by which what a clamp shows may be off.
SLACK: Final = 20.0
SLACK_SHARE: Final = 0.05
# The share of the pairs that one answer has to explain, and by how much more of them than any other.
MOST: Final = 0.5
MORE: Final = 0.15
# By so much the ratios of a clamp of another ratio may differ, in so many of the pairs.
SAME_RATIO: Final = 0.1
SCALED_SHARE: Final = 0.75
# What is told of several clamps at once.
TOGETHER: Final = frozenset({Cause.PHASES_EXCHANGED, Cause.CLAMP_SILENT})


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
        self, members: Iterable[Member], solar_phases: Mapping[str, int] | None = None
    ) -> None:
        """The phases of solar inverters are by their meters' ids."""
        self._scene = Scene(members)
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
    compared = _thinned(samples)
    answers = [_answer(phase, compared) for phase in range(len(names))]
    if all(max(map(abs, sample.seen)) <= SILENT for sample in samples):
        # On the house's side they would show its loads.
        answers = [answer and replace(answer, cause=Cause.CLAMP_SILENT) for answer in answers]
    return [
        _report(member, name, answer, _alike(names, answers, answer))
        for name, answer in zip(names, answers, strict=True)
    ]


def _thinned(samples: list[Sample]) -> list[Sample]:
    """As many of the moments as are compared, spread evenly."""
    count = len(samples)
    if count <= MOMENTS:
        return samples
    return [samples[at * count // MOMENTS] for at in range(MOMENTS)]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a clamp is, and what it shows for each W of the inverter; no cause if it is right."""

    cause: Cause | None
    response: float


def _answer(phase: int, samples: list[Sample]) -> _Answer | None:
    """What explains most of the changes between any two moments; None if nothing does, or two things do."""
    pairs = [
        (other.seen[phase] - one.seen[phase], moved)
        for one, other in combinations(samples, 2)
        if max(map(abs, moved := _less(other.own, one.own))) >= FOLLOWED
    ]
    if len(pairs) < FEWEST:
        return None
    explained = [
        (sum(_explains(factor, spread, seen, moved[on]) for seen, moved in pairs), cause, on)
        for cause, factor, spread, on in _candidates(phase, len(samples[0].own))
    ]
    count, cause, on = max(explained, key=lambda one: one[0])
    rivals = [other for other, kind, _ in explained if kind is not cause]
    if count < MOST * len(pairs):
        return _scaled([(seen, moved[phase]) for seen, moved in pairs])
    if count < max(rivals) + MORE * len(pairs):
        return None
    ratios = [seen / moved[on] for seen, moved in pairs if abs(moved[on]) >= FOLLOWED]
    return _Answer(cause, round(median(ratios), 2)) if ratios else None


def _candidates(phase: int, phases: int) -> list[tuple[Cause | None, float, float, int]]:
    """What a clamp can be: the cause, what it shows of a W on which phase, and by how much that may differ."""
    others = [other for other in range(phases) if other != phase]
    return [
        (None, 1.0, 0.0, phase),
        (Cause.CLAMP_REVERSED, -1.0, 0.0, phase),
        (Cause.CLAMP_HOUSE_SIDE, 0.0, 0.0, phase),
        *((Cause.PHASES_EXCHANGED, OTHER_PHASE, OTHER_PHASE_SPREAD, other) for other in others),
    ]


def _explains(factor: float, spread: float, seen: float, moved: float) -> bool:
    """Whether a clamp that shows so much of a W would show this of what has moved."""
    slack = SLACK + SLACK_SHARE * max(abs(seen), abs(moved)) + spread * abs(moved)
    return abs(seen - factor * moved) <= slack


def _scaled(pairs: list[tuple[float, float]]) -> _Answer | None:
    """A clamp that shows another ratio of its own phase."""
    ratios = [seen / moved for seen, moved in pairs if abs(moved) >= FOLLOWED]
    if len(ratios) < FEWEST:
        return None
    middle = median(ratios)
    agreeing = sum(abs(ratio - middle) <= SAME_RATIO * abs(middle) for ratio in ratios)
    is_ratio = SMALLEST_RATIO <= middle <= LARGEST_RATIO and abs(middle - 1) >= LEAST_DEVIATION
    if not is_ratio or agreeing < SCALED_SHARE * len(ratios):
        return None
    return _Answer(Cause.CLAMP_RATIO, round(middle, 2))


def _less(first: Powers, second: Powers) -> Powers:
    """The difference phase by phase."""
    return tuple([one - other for one, other in zip(first, second, strict=True)])


def _alike(
    names: tuple[str, ...], answers: list[_Answer | None], answer: _Answer | None
) -> tuple[str, ...]:
    """The clamps of which the same is told as of one."""
    return tuple(
        name
        for name, other in zip(names, answers, strict=True)
        if name and answer is not None and other is not None and other.cause is answer.cause
    )


def _report(member: str, name: str, answer: _Answer | None, alike: tuple[str, ...]) -> ClampReport:
    """What a person is told of a clamp, by those that are `alike`."""
    if answer is None:
        return ClampReport(member, name, None)
    if answer.cause is None:
        return ClampReport(member, name, answer.response)
    places = alike if answer.cause in TOGETHER else (name,) if name else ()
    ratio = round(answer.response, 1) if answer.cause is Cause.CLAMP_RATIO else None
    return ClampReport(member, name, answer.response, Finding(answer.cause, places, ratio))
