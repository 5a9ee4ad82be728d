"""The doctor: takes what the devices of a plant report, poll by poll, and says what is wired or set wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
import math
from typing import Final

from ..model.codec import Value
from .clamp_set import ClampSet
from .device import Device
from .member import CLOCK_DRIFT, PHASES, Member, Role
from .meters import ExchangedMeters
from .solar_phase import SolarPhase
from .steps import Sample
from .verdict import Cause, Evidence, Finding, Suspicion, Verdict, verdict_of

# s after an order of ours in which a step is its doing.
ORDER_SECONDS: Final = 45.0
# s by which the values of another device may be older or newer, and by which they count as of the same moment.
FRESH: Final = 12.0
SAME_MOMENT: Final = 1.0
# s after which a solar meter that is not heard counts for nothing.
LOST: Final = 300.0
# W of solar power of which nobody knows the phase, up to which it does not matter.
STRAY_SOLAR: Final = 60.0
# s by which a clock is off, and by how many readings in a row.
CLOCK_OFF: Final = 300.0
CLOCK_READINGS: Final = 3


class Doctor:
    """Everything that is known of the wiring of a plant. Times are in s of any steady clock."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._devices = {member.id: Device(member) for member in members}
        self._inverters = [
            one
            for one in self._devices.values()
            if one.member.role is Role.INVERTER and one.terminals
        ]
        solar = [one for one in self._devices.values() if one.solar]
        # What a meter of its own measures, no inverter's clamp measures better.
        own_meters = [one for one in solar if one.member.role is Role.SOLAR_METER]
        self._solar = own_meters or solar
        self._solar_phases = {one.member.id: SolarPhase() for one in self._solar}
        whole = all(len(one.terminals) == 3 for one in self._inverters)
        self._clamps: dict[str, ClampSet] = {}
        self._meters: dict[str, ExchangedMeters] = {}
        for device in self._devices.values():
            if self._inverters and device.clamps and device.member.sees_grid:
                names: tuple[str, ...] = ("",) if len(device.clamps) == 3 else PHASES[:1]
                if whole and len(device.clamps) == 3:
                    names = PHASES
                self._clamps[device.member.id] = ClampSet(names)
                if device.solar and device.member.instruments.meters:
                    self._meters[device.member.id] = ExchangedMeters()
        self._clock_readings = dict.fromkeys(self._devices, 0)
        self._ordered_at = -ORDER_SECONDS
        # The devices whose clamps are to be judged as of a moment, once the others have been heard.
        self._waiting: dict[str, float] = {}
        self._newest = 0.0

    def ordered(self, member: str, time: float, watts: float | None) -> None:
        """Note that an order of ours to a battery begins (W, + discharging), or ends (None)."""
        if member in self._devices:
            self._ordered_at = time

    def observe(self, member: str, time: float, values: Mapping[str, Value | None]) -> None:
        """Take the values of one poll of a device into account; a value that is not among them was not polled."""
        device = self._devices[member]
        device.take(time, values)
        self._newest = time
        if isinstance(drift := values.get(CLOCK_DRIFT), float | int):
            is_off = abs(drift) >= CLOCK_OFF
            self._clock_readings[member] = self._clock_readings[member] + 1 if is_off else 0
        if member in self._clamps and device.has_clamps:
            self._waiting[member] = time
            if (meters := self._meters.get(member)) is not None and device.has_solar:
                sun = device.sun if device.has_strings else math.inf
                meters.add(time, sum(device.seen), sum(device.at_solar), sun)
        if self._waiting:
            self._judge_waiting()

    def _judge_waiting(self) -> None:
        """Judge the clamps of whose moment all other devices have been heard."""
        heard = min((one.time for one in self._inverters), default=0.0)
        for one in self._solar:
            if self._newest - one.solar_time <= LOST:
                heard = min(heard, one.solar_time)
        for member, time in list(self._waiting.items()):
            if time - heard > SAME_MOMENT:
                continue
            del self._waiting[member]
            clamps = self._clamps[member]
            if (
                sample := self._sample(self._devices[member], len(clamps.clamps), time)
            ) is not None:
                clamps.add(sample, ordered=time - self._ordered_at <= ORDER_SECONDS)

    def _sample(self, device: Device, phases: int, time: float) -> Sample | None:
        """The powers of a moment; None while one of them is unknown or old."""
        own = [0.0, 0.0, 0.0]
        sun = stage = 0.0
        for one in self._inverters:
            if not one.has_terminals or abs(time - one.time) > FRESH:
                return None
            for phase, power in enumerate(one.own):
                own[phase] += power
            sun += one.sun
            stage += one.stage
        heard = []
        for one in self._solar:
            if abs(time - one.solar_time) <= FRESH:
                sun += max(0.0, sum(one.at_solar))
                heard.append(one)
            elif time - one.solar_time <= LOST:
                return None
        if phases == 1:
            whole = sum(own) - sum(sum(one.at_solar) for one in heard)
            return Sample(time, (sum(device.seen),), (whole,), sun, stage)
        for one in heard:
            if len(one.at_solar) == len(own):
                own = [power - fed for power, fed in zip(own, one.at_solar, strict=True)]
            elif not self._feed_one_phase(one, device, time, own):
                return None
        return Sample(time, device.seen, (own[0], own[1], own[2]), sun, stage)

    def _feed_one_phase(self, solar: Device, device: Device, time: float, own: list[float]) -> bool:
        """Let a solar inverter feed its only phase; False while it feeds, and nobody knows which one that is."""
        power, feeds = sum(solar.at_solar), self._solar_phases[solar.member.id]
        loads = tuple(seen - drawn for seen, drawn in zip(device.seen, own, strict=True))
        feeds.add(time, power, loads)
        if feeds.phase is not None:
            own[feeds.phase] -= power
        return feeds.phase is not None or abs(power) <= STRAY_SOLAR

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
        is_certain = bool(suspicions) and all(one.is_certain for one in suspicions)
        return verdict_of(
            tuple(suspicions),
            round(sum(unexplained)) if unexplained else None,
            Evidence(round(minutes), steps, 1.0 if is_certain else min(shares, default=0.0)),
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
            found.append(Suspicion(member, causes, clamps.minutes_of(causes[0].places)))
        found.extend(Suspicion(member, causes) for causes in device.findings())
        if self._clock_readings[member] >= CLOCK_READINGS:
            found.append(Suspicion(member, (Finding(Cause.CLOCK_OFF),)))
        return found
