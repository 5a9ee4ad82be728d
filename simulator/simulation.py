"""A running simulated plant for tests and demos: machines, their servers, and the time that passes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
import math
import time
from types import TracebackType
from typing import Any, Final, Protocol, Self

from .building import build_machines, build_site
from .diary import Diary
from .inverter_machine import InverterMachine
from .machine import Machine
from .options import PlantOptions
from .pace import Pace
from .pdu import Refusal
from .physics.chance import seconds_of
from .recording import Recording
from .servers import make_servers

# Seconds between two steps of the physics, and how much of the plant's time may pass between them at high speed.
TICK: Final = 0.5
MAX_PLANT_SECONDS: Final = 30.0
# Seconds between two steps of what is recorded: as long as they may be without missing a time slot.
RECORDED_STEP: Final = 60.0


class Alarm(Protocol):
    """Something that is to happen at times of the plant."""

    @property
    def next_at(self) -> datetime | None:
        """When it is due next; None for never again."""
        ...

    def ring(self) -> None:
        """Do what is due."""
        ...


class SimulatedPlant:
    """Machines that listen on a Modbus TCP port, on an RTU-over-TCP port and, if wanted, on a serial port and a stick.

    Use it as an asynchronous context manager. With a `speed` of None time stands still and only `advance` moves it;
    else the physics move twice a second by that many times the real time.
    """

    def __init__(self, options: PlantOptions | None = None, **changes: Any) -> None:
        """Build it; `changes` are fields of the options that shall be otherwise.

        KeyError for an unknown model, ValueError for a download without machines, or no meter to be overheard.
        """
        options = replace(options or PlantOptions(), **changes)
        # None while time stands still.
        self.pace = None if options.speed is None else Pace(options.speed)
        self._stepped = 0.0
        self._elapsed = 0.0
        self._ticker: asyncio.Task[None] | None = None
        self._alarm: Alarm | None = None
        self.site = build_site(options)
        self.diary = Diary(self.site)
        self.machines = build_machines(options, self.site, self.timer)
        self._inverters = [
            machine for machine in self.machines.values() if isinstance(machine, InverterMachine)
        ]
        self._servers = make_servers(options, self.machines)
        self.servers = self._servers.links
        self.tcp = self._servers.tcp
        self.rtu = self._servers.rtu
        self.serial = self._servers.serial
        self.stick = self._servers.stick
        self.stick_search = self._servers.stick_search
        self.overheard = self._servers.overheard
        # What was recorded, if anything was.
        self.recording: Recording | None = None

    async def __aenter__(self) -> Self:
        """Start to listen, and the time if it runs by itself."""
        await self._servers.start()
        if self.pace is not None:
            # Time passes from here on.
            self._stepped = self.pace.elapsed()
            self._ticker = asyncio.create_task(self._tick(self.pace))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the time and all servers."""
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
            self._ticker = None
        await self._servers.stop()

    @property
    def tcp_port(self) -> int:
        """The port of Modbus TCP; 0 when it is off."""
        return self.tcp.port

    @property
    def rtu_port(self) -> int:
        """The port of RTU over TCP; 0 when it is off."""
        return self.rtu.port

    @property
    def serial_device(self) -> str:
        """The path of the serial port; empty when there is none."""
        return self._servers.serial_device

    @property
    def stick_port(self) -> int:
        """The port of the Wi-Fi stick; 0 when there is none."""
        return self.stick.port

    @property
    def stick_udp_port(self) -> int:
        """The port on which the stick is found; 0 when it is not."""
        return self.stick_search.port

    @property
    def line_ports(self) -> tuple[int, ...]:
        """The ports of the servers with some of the units only."""
        return tuple(line.port for line in self._servers.lines)

    @property
    def overheard_port(self) -> int:
        """The port on which the line can be heard; 0 when there is none."""
        return 0 if self.overheard is None else self.overheard.port

    def machine(self, unit: int | None = None) -> Machine:
        """The machine with this unit id, or the first one."""
        return self.machines[next(iter(self.machines)) if unit is None else unit]

    def exchange(self, first: int, second: int) -> None:
        """Have two machines answer at each other's unit id; KeyError when one of them does not exist."""
        machines = self.machines
        machines[first], machines[second] = machines[second], machines[first]

    def set_alarm(self, alarm: Alarm) -> None:
        """Ring an alarm at its times from now on; it takes the place of the one before."""
        self._alarm = alarm
        alarm.ring()

    def advance(self, seconds: float) -> None:
        """Let so much plant time pass at once, and with manual time also the timer of the trouble.

        ValueError for a time that does not pass.
        """
        if not 0 <= seconds < math.inf:
            raise ValueError(f"time cannot pass for {seconds} s")
        self._elapsed += seconds
        self._step(seconds)

    def live_and_record(self, seconds: float) -> None:
        """Let so much plant time pass at once, in long steps, and record what the machines show meanwhile."""
        before, self.site.longest_step = self.site.longest_step, RECORDED_STEP
        self.recording = Recording(self.site, self.machines)
        self.advance(seconds)
        self.recording.stop()
        self.site.longest_step = before

    def timer(self) -> float:
        """The seconds by which delays of the trouble are measured, and writes are stamped."""
        return self._elapsed if self.pace is None else time.monotonic()

    def _step(self, seconds: float) -> None:
        """Let plant time pass for all machines at once; the alarm and other programs have their times."""
        left = seconds
        self._rewrite()
        while (part := self._seconds_to_next(left)) < left:
            self._pass(part)
            left -= part
        self._pass(left)

    def _seconds_to_next(self, limit: float) -> float:
        """The seconds until the alarm or another program is due, `limit` at most."""
        now = seconds_of(self.site.now)
        due = [
            rewrite.seconds_left(now)
            for machine in self.machines.values()
            for rewrite in machine.trouble.rewrites
        ]
        if self._alarm is not None and (at := self._alarm.next_at) is not None:
            due.append(max(0.0, (at - self.site.now).total_seconds()))
        return min((limit, *due))

    def _rewrite(self) -> None:
        """Have other programs write what is due; what the machine refuses by now, they try again."""
        now = seconds_of(self.site.now)
        for machine in self.machines.values():
            for rewrite in machine.trouble.rewrites:
                if not rewrite.seconds_left(now):
                    rewrite.last = now
                    with suppress(Refusal):
                        machine.write(rewrite.address, rewrite.words)

    def _pass(self, seconds: float) -> None:
        for machine in self._inverters:
            machine.settle()
        self.site.step(seconds)
        self._rewrite()
        if self._alarm is not None:
            self._alarm.ring()

    async def _tick(self, pace: Pace) -> None:
        """Move the physics along with the time."""
        while True:
            # At a speed of 0 it looks all the same: somebody may change it.
            await asyncio.sleep(min(TICK, MAX_PLANT_SECONDS / max(1.0, pace.speed)))
            now = pace.elapsed()
            self._step(now - self._stepped)
            self._stepped = now
