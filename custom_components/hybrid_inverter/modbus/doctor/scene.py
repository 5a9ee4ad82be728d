"""The devices of a plant as the clamps see them: what flows at one moment at each clamp, and at all terminals together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ..model.codec import Value
from .device import Device
from .member import PHASES, Member, Role
from .solar_phase import SolarPhase
from .steps import Sample

# s by which the values of another device may be older or newer, and by which they count as of the same moment.
FRESH: Final = 12.0
SAME_MOMENT: Final = 1.0
# s after which a solar meter that is not heard counts for nothing.
LOST: Final = 300.0
# W of solar power of which nobody knows the phase, up to which it does not matter.
STRAY_SOLAR: Final = 60.0


class Scene:
    """The newest values of all devices."""

    def __init__(self, members: Iterable[Member]) -> None:
        self.devices = {member.id: Device(member) for member in members}
        self._inverters = [
            one
            for one in self.devices.values()
            if one.member.role is Role.INVERTER and one.terminals
        ]
        solar = [one for one in self.devices.values() if one.solar]
        # What a meter of its own measures, no inverter's clamp measures better.
        own_meters = [one for one in solar if one.member.role is Role.SOLAR_METER]
        self._solar = own_meters or solar
        self.solar_phases = {one.member.id: SolarPhase() for one in self._solar}
        whole = all(len(one.terminals) == len(PHASES) for one in self._inverters)
        # The names of the clamps of each device that has some at the house connection: what several phases show together
        # has none.
        self.clamps: dict[str, tuple[str, ...]] = {}
        for member, device in self.devices.items():
            if self._inverters and device.clamps and device.member.sees_grid:
                is_whole = len(device.clamps) == len(PHASES)
                together = ("",) if is_whole else PHASES[:1]
                self.clamps[member] = PHASES if whole and is_whole else together
        # The devices whose clamps are to be looked at as of a moment, once the others have been heard.
        self._waiting: dict[str, float] = {}
        self._newest = 0.0

    def take(self, member: str, time: float, values: Mapping[str, Value | None]) -> Device:
        """Take the values of one poll of a device into account."""
        device = self.devices[member]
        device.take(time, values)
        self._newest = time
        if member in self.clamps and device.has_clamps:
            self._waiting[member] = time
        return device

    def samples(self) -> Iterator[tuple[str, Sample]]:
        """What the clamps show of whose moment all other devices have been heard."""
        if not self._waiting:
            return
        heard = min(one.time for one in self._inverters)
        for one in self._solar:
            if self._newest - one.solar_time <= LOST:
                heard = min(heard, one.solar_time)
        for member, time in list(self._waiting.items()):
            if time - heard <= SAME_MOMENT:
                del self._waiting[member]
                if (sample := self._sample(member, time)) is not None:
                    yield member, sample

    def _sample(self, member: str, time: float) -> Sample | None:
        """The powers of a moment; None while one of them is unknown or old."""
        device = self.devices[member]
        own = [0.0] * len(PHASES)
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
        if len(self.clamps[member]) == 1:
            whole = sum(own) - sum(sum(one.at_solar) for one in heard)
            return Sample(time, (sum(device.seen),), (whole,), sun, stage)
        for one in heard:
            if len(one.at_solar) == len(own):
                own = [power - fed for power, fed in zip(own, one.at_solar, strict=True)]
            elif not self._feed_one_phase(one, device, time, own):
                return None
        return Sample(time, device.seen, tuple(own), sun, stage)

    def _feed_one_phase(self, solar: Device, device: Device, time: float, own: list[float]) -> bool:
        """Let a solar inverter feed its only phase; False while it feeds, and nobody knows which one that is."""
        power, feeds = sum(solar.at_solar), self.solar_phases[solar.member.id]
        loads = tuple(seen - drawn for seen, drawn in zip(device.seen, own, strict=True))
        feeds.add(time, power, loads)
        if feeds.phase is not None:
            own[feeds.phase] -= power
        return feeds.phase is not None or abs(power) <= STRAY_SOLAR
