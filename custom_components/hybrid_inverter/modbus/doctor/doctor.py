"""The doctor: takes what the devices of a plant report, poll by poll, and says what is wired or set wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
import math
from typing import Final

from ..model.codec import Value
from .clamp_set import ClampSet
from .member import CLOCK_DRIFT, Member
from .meters import ExchangedMeters
from .owner_test import OwnerTest, TestReport
from .scene import Scene
from .verdict import Cause, Evidence, Finding, Suspicion, Verdict, verdict_of

# s after an order of ours in which a step is its doing.
ORDER_SECONDS: Final = 45.0
# s without any order before it: those that follow each other sooner follow the house themselves.
ORDER_PAUSE: Final = 300.0
# s by which a clock is off, and by how many readings in a row.
CLOCK_OFF: Final = 300.0
CLOCK_READINGS: Final = 3


class Doctor:
    """Everything that is known of the wiring of a plant. Times are in s of any steady clock."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._members = tuple(members)
        self._scene = Scene(self._members)
        self._devices = self._scene.devices
        self._clamps = {member: ClampSet(names) for member, names in self._scene.clamps.items()}
        self._meters = {
            member: ExchangedMeters()
            for member in self._clamps
            if self._devices[member].solar and self._devices[member].member.instruments.meters
        }
        self._clock_readings = dict.fromkeys(self._devices, 0)
        # When an order came that follows nothing, and when the last one came.
        self._ordered_at = self._last_order = -math.inf

    def ordered(self, member: str, time: float) -> None:
        """Note that an order of ours to a battery begins, changes or ends."""
        if member in self._devices:
            if time - self._last_order >= ORDER_PAUSE:
                self._ordered_at = time
            self._last_order = time

    def judges_clamps(self, member: str) -> bool:
        """Whether a device has clamps, or is a meter, at the house connection."""
        return member in self._clamps

    def recall(self, member: str, places: Iterable[str]) -> None:
        """Know of the strings of a device that they exist, although they give nothing."""
        for place in places:
            self._devices[member].recall(place)

    def observe(self, member: str, time: float, values: Mapping[str, Value | None]) -> None:
        """Take the values of one poll of a device into account; a value that is not among them was not polled."""
        device = self._scene.take(member, time, values)
        if isinstance(drift := values.get(CLOCK_DRIFT), (int, float)):
            is_off = abs(drift) >= CLOCK_OFF
            self._clock_readings[member] = self._clock_readings[member] + 1 if is_off else 0
        meters = self._meters.get(member)
        if meters is not None and device.has_clamps and device.has_solar:
            sun = device.sun if device.knows_sun else math.inf
            meters.add(time, sum(device.seen), sum(device.at_solar), sun)
        for seen_by, sample in self._scene.samples():
            ordered = sample.time - self._ordered_at <= ORDER_SECONDS
            self._clamps[seen_by].add(sample, ordered=ordered)

    def owner_test(self) -> OwnerTest:
        """A test that knows already which phases solar inverters feed."""
        phases = {
            member: feeds.phase
            for member, feeds in self._scene.solar_phases.items()
            if feeds.phase is not None
        }
        return OwnerTest(self._members, phases)

    def tested(self, report: TestReport) -> None:
        """Know what such a test has shown, as far as it could tell."""
        shown: dict[str, dict[str, Finding | None]] = {}
        for clamp in report.clamps:
            if clamp.response is not None:
                shown.setdefault(clamp.member, {})[clamp.phase] = clamp.finding
        for member, by_clamp in shown.items():
            self._clamps[member].tested(by_clamp)

    def verdict(self) -> Verdict:
        """What is known of all devices together."""
        return self._verdict(self._devices)

    def verdict_of(self, member: str) -> Verdict:
        """What is known of the clamps, strings, battery and clock of one device."""
        return self._verdict((member,))

    def _verdict(self, members: Iterable[str]) -> Verdict:
        suspicions: list[Suspicion] = []
        unexplained: list[float] = []
        minutes, steps = 0.0, 0
        shares: list[float] = []
        for member in members:
            device = self._devices[member]
            suspicions.extend(self._suspicions(member))
            if (clamps := self._clamps.get(member)) is not None:
                minutes, steps = max(minutes, clamps.minutes), max(steps, clamps.steps)
                shares.append(clamps.share)
                if clamps.missing is not None:
                    unexplained.append(clamps.missing)
            elif device.balance is not None:
                shares.append(device.balance.share)
            if device.balance is not None:
                unexplained.append(abs(device.balance.off))
        return verdict_of(
            tuple(suspicions),
            round(sum(unexplained)) if unexplained else None,
            Evidence(round(minutes), steps, min(shares, default=0.0)),
        )

    def _suspicions(self, member: str) -> list[Suspicion]:
        """What is wrong at a device."""
        device = self._devices[member]
        found: list[Suspicion] = []
        meters, clamps = self._meters.get(member), self._clamps.get(member)
        if meters is not None and meters.are_exchanged:
            names = device.member.instruments.meters
            found.append(Suspicion(member, (Finding(Cause.METERS_EXCHANGED, names),)))
        elif clamps is not None and (causes := clamps.findings()):
            found.append(Suspicion(member, causes, clamps.minutes_of(causes[0])))
        found.extend(Suspicion(member, causes) for causes in device.findings())
        if self._clock_readings[member] >= CLOCK_READINGS:
            found.append(Suspicion(member, (Finding(Cause.CLOCK_OFF),)))
        return found
