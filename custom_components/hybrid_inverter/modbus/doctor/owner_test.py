"""The owner's test: the battery is ordered to charge and to discharge, and each clamp shows how it is wired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
import math
from statistics import median
from typing import Final

from ..model.codec import Value
from .clamp import OTHER_PHASE, OTHER_PHASE_SPREAD
from .device import Device
from .member import PHASES, Member, Role
from .steps import Powers
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
# W on a phase by which the inverter has to follow.
FOLLOWED: Final = 100.0
# By so much (of a watt for a watt) two changes may differ that agree.
AGREEING: Final = 0.2
# W between two polls of a part in which everything has settled that are a load of the house.
DISTURBED: Final = 250.0
# What a clamp shows of a W at the inverter: right, reversed, nothing.
SPREAD: Final = 0.2


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

    def __init__(self, members: Iterable[Member], subject: str) -> None:
        """`subject` is the id of the inverter that is ordered."""
        self._devices = {member.id: Device(member) for member in members}
        self._subject = self._devices[subject]
        self._others = [
            one
            for one in self._devices.values()
            if one.member.role is Role.INVERTER and one.terminals
        ]
        self._seen: dict[str, list[list[Powers]]] = {
            one.member.id: [[] for _ in STAGES]
            for one in self._devices.values()
            if one.clamps and one.member.sees_grid
        }
        self._own: list[list[Powers]] = [[] for _ in STAGES]
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
        device = self._devices[member]
        device.take(time, values)
        for number, stage in enumerate(STAGES):
            if not stage.settled <= elapsed < stage.end:
                continue
            if member in self._seen and device.has_clamps:
                self._seen[member][number].append(device.seen)
            if device is self._subject and all(one.has_terminals for one in self._others):
                self._own[number].append(_summed([one.own for one in self._others]))

    def report(self) -> TestReport:
        """What is known at the end."""
        own = [_typical(samples) for samples in self._own]
        reports: list[ClampReport] = []
        for member, stages in self._seen.items():
            seen = [_typical(samples) for samples in stages]
            reports.extend(_report(member, seen, own))
        return TestReport(tuple(reports))


def _summed(powers: list[Powers]) -> Powers:
    """The sum by phase; devices with different numbers of phases are summed whole."""
    if len({len(one) for one in powers}) > 1:
        return (sum(sum(one) for one in powers),)
    return tuple(sum(phase) for phase in zip(*powers, strict=True))


def _typical(samples: list[Powers]) -> Powers | None:
    """The median by phase, `nan` for a phase on which a load came or went meanwhile; None without samples."""
    if not samples:
        return None
    return tuple(
        math.nan if max(phase) - min(phase) > DISTURBED else median(phase)
        for phase in zip(*samples, strict=True)
    )


def _report(member: str, seen: list[Powers | None], own: list[Powers | None]) -> list[ClampReport]:
    """What the clamps of one device showed."""
    moments = [
        (at_clamp, at_terminal)
        for at_clamp, at_terminal in zip(seen, own, strict=True)
        if at_clamp is not None and at_terminal is not None
    ]
    if not moments:
        return []
    if {len(powers) for moment in moments for powers in moment} != {3}:
        moments = [((sum(one),), (sum(other),)) for one, other in moments]
    phases = len(moments[0][0])
    responses = [_response(phase, moments) for phase in range(phases)]
    crossed = tuple(
        PHASES[phase]
        for phase, response in enumerate(responses)
        if response is not None and abs(response - OTHER_PHASE) <= OTHER_PHASE_SPREAD
    )
    return [
        ClampReport(
            member,
            PHASES[phase] if phases > 1 else "",
            response,
            _finding(PHASES[phase] if phases > 1 else "", response, crossed),
        )
        for phase, response in enumerate(responses)
    ]


def _response(phase: int, moments: list[tuple[Powers, Powers]]) -> float | None:
    """The W at a clamp for each W of the inverter, by most of the changes; None if no two agree, or others do as well."""
    found = []
    for (seen_then, own_then), (seen, own) in combinations(moments, 2):
        moved = own[phase] - own_then[phase]
        ratio = (seen[phase] - seen_then[phase]) / moved if abs(moved) >= FOLLOWED else math.nan
        if not math.isnan(ratio):
            found.append(ratio)
    agreeing = [
        [other for other in found if abs(other - one) <= AGREEING * max(1.0, abs(one))]
        for one in found
    ]
    best = max(agreeing, key=len, default=[])
    rivals = (one for one in agreeing if len(one) == len(best))
    if len(best) < 2 or any(abs(one[0] - best[0]) > 2 * AGREEING for one in rivals):
        return None
    return round(sum(best) / len(best), 2)


def _finding(phase: str, response: float | None, crossed: tuple[str, ...]) -> Finding | None:
    """What follows from the response of a clamp, by those that are on another conductor."""
    places = (phase,) if phase else ()
    if response is None or abs(response - 1) <= SPREAD:
        return None
    if abs(response + 1) <= SPREAD:
        return Finding(Cause.CLAMP_REVERSED, places)
    if phase in crossed:
        return Finding(Cause.PHASES_EXCHANGED, crossed)
    if abs(response) <= SPREAD / 2:
        return Finding(Cause.CLAMP_HOUSE_SIDE, places)
    return Finding(Cause.CLAMP_RATIO, places, response)
