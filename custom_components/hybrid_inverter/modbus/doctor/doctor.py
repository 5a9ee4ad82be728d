"""The doctor: takes what the devices of a plant report, poll by poll, and says what is wired or set wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ..model.codec import Value
from .clamp_set import ClampSet
from .device import Device
from .member import CLOCK_DRIFT, Member, Role
from .meters import ExchangedMeters
from .steps import Sample
from .verdict import Cause, Evidence, Finding, Suspicion, Verdict, verdict_of

# s after an order of ours in which a step is its doing.
ORDER_SECONDS: Final = 45.0
# s after which the values of another device are too old to be added to.
FRESH: Final = 12.0
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
        self._solar = [one for one in self._devices.values() if one.solar]
        whole = all(len(one.terminals) == 3 for one in self._inverters)
        self._clamps: dict[str, ClampSet] = {}
        self._meters: dict[str, ExchangedMeters] = {}
        for device in self._devices.values():
            if self._inverters and device.clamps and device.member.sees_grid:
                phases = 3 if whole and len(device.clamps) == 3 else 1
                self._clamps[device.member.id] = ClampSet(phases)
                if device.solar and device.member.instruments.meters:
                    self._meters[device.member.id] = ExchangedMeters()
        self._clock_readings = dict.fromkeys(self._devices, 0)
        self._ordered_at = -ORDER_SECONDS

    def ordered(self, member: str, time: float, watts: float | None) -> None:
        """Note that an order of ours to a battery begins (W, + discharging), or ends (None)."""
        if member in self._devices:
            self._ordered_at = time

    def observe(self, member: str, time: float, values: Mapping[str, Value | None]) -> None:
        """Take the values of one poll of a device into account; a value that is not among them was not polled."""
        device = self._devices[member]
        pause = time - device.time
        device.take(time, values)
        if isinstance(drift := values.get(CLOCK_DRIFT), float | int):
            is_off = abs(drift) >= CLOCK_OFF
            self._clock_readings[member] = self._clock_readings[member] + 1 if is_off else 0
        if (clamps := self._clamps.get(member)) is None or not device.has_clamps:
            return
        sample = self._sample(device, len(clamps.clamps), time, max(FRESH, 1.3 * pause))
        if sample is not None:
            clamps.add(sample, ordered=time - self._ordered_at <= ORDER_SECONDS)
        if (meters := self._meters.get(member)) is not None:
            meters.add(time, sum(device.seen), sum(device.at_solar), sum(device.own), device.sun)

    def _sample(self, device: Device, phases: int, time: float, fresh: float) -> Sample | None:
        """The powers of a moment; None while one of them is unknown or old."""
        l1 = l2 = l3 = sun = 0.0
        for one in self._inverters:
            if not one.has_terminals or time - one.time > fresh:
                return None
            own = one.own
            l1 += own[0]
            if len(own) == 3:
                l2 += own[1]
                l3 += own[2]
            sun += one.sun
        for one in self._solar:
            if not one.has_solar or time - one.time > fresh:
                return None
            power = one.at_solar
            if len(power) == 3:
                l1, l2, l3 = l1 - power[0], l2 - power[1], l3 - power[2]
            elif phases == 1:
                l1 -= power[0]
            elif abs(power[0]) > STRAY_SOLAR:
                return None
            sun += max(0.0, sum(power))
        if phases == 1:
            return Sample(time, (sum(device.seen),), (l1 + l2 + l3,), sun)
        return Sample(time, device.seen, (l1, l2, l3), sun)

    def verdict(self) -> Verdict:
        """What is known of all devices together."""
        return self._verdict(self._devices)

    def verdict_of(self, member: str) -> Verdict:
        """What is known of the clamps, strings, battery and clock of one device."""
        return self._verdict((member,))

    def _verdict(self, members: Iterable[str]) -> Verdict:
        suspicions: list[Suspicion] = []
        unexplained: list[float] = []
        minutes = steps = 0
        shares: list[float] = []
        for member in members:
            device = self._devices[member]
            suspicions.extend(Suspicion(member, causes) for causes in self._findings(member))
            if (clamps := self._clamps.get(member)) is not None:
                minutes, steps = max(minutes, clamps.minutes), max(steps, clamps.steps)
                shares.append(clamps.share)
                if clamps.missing is not None:
                    unexplained.append(clamps.missing)
            if device.balance is not None:
                unexplained.append(abs(device.balance.off))
        return verdict_of(
            tuple(suspicions),
            round(sum(unexplained)) if unexplained else None,
            Evidence(minutes, steps, min(shares, default=0.0)),
        )

    def _findings(self, member: str) -> list[tuple[Finding, ...]]:
        """What is wrong at a device."""
        found: list[tuple[Finding, ...]] = []
        meters = self._meters.get(member)
        if meters is not None and meters.are_exchanged:
            names = self._devices[member].member.instruments.meters
            found.append((Finding(Cause.METERS_EXCHANGED, names),))
        elif (clamps := self._clamps.get(member)) is not None:
            found.extend(clamps.findings())
        found.extend(self._devices[member].findings())
        if self._clock_readings[member] >= CLOCK_READINGS:
            found.append((Finding(Cause.CLOCK_OFF),))
        return found
