"""A running simulated plant for tests and demos: machines, their servers, and the time that passes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
import logging
from pathlib import Path
import time
from types import TracebackType
from typing import Any, Final, Self

from . import jso8048104
from .cause import cause
from .diary import Diary
from .framing import RtuFraming, TcpFraming
from .machine import InverterMachine, Machine
from .meter import METER_MACHINES, MeterMachine
from .meter_models import METERS, MeterModel, Place
from .models import MODELS, Model
from .overheard import OverheardLine, Talk, polls_for
from .pace import Pace
from .physics import Inverter, Site, SolarInverter
from .physics.house import APPLIANCES, CAR
from .physics.pv import PvString
from .replay import replayed
from .scenario import Scenario
from .server import LineTiming, ModbusServer
from .stick import LOGGER_SERIAL, Stick
from .stick_search import StickSearch

_LOGGER = logging.getLogger(__name__)

START: Final = datetime(2026, 6, 21, 10, 0)  # noqa: DTZ001 - the machine knows no zone
# Seconds between two steps of the physics, and how much of the plant's time may pass between them at high speed.
TICK: Final = 0.5
MOST_PLANT_SECONDS: Final = 30.0
# What a meter for a solar inverter sits at: on the first phase, with a small thirst by night.
SOLAR_INVERTER: Final = SolarInverter((PvString(3000.0),), phase=0, standby=3.0)


class SimulatedPlant:
    """Machines that listen on a Modbus TCP port, on an RTU-over-TCP port and, if wanted, on a serial port and a stick.

    Use it as an asynchronous context manager. With `speed` None time stands still and only `advance` moves it; else
    the physics move twice a second by that many times the real time.
    """

    def __init__(
        self,
        *,
        model: str = jso8048104.NAME,
        units: Sequence[int] = (1,),
        devices: Mapping[int, str | MeterModel] | None = None,
        seed: int = 1,
        car: bool = False,
        start: datetime = START,
        soc: float = 0.6,
        speed: float | None = None,
        host: str = "127.0.0.1",
        tcp_port: int | None = 0,
        rtu_port: int | None = 0,
        serial: bool = False,
        stick: bool = False,
        stick_port: int = 0,
        stick_udp_port: int | None = None,
        logger_serial: int = LOGGER_SERIAL,
        overheard: bool = False,
        overheard_port: int = 0,
        overheard_pattern: str | None = None,
        line: LineTiming | None = None,
        serial_number: str | None = None,
        readable: Sequence[tuple[int, int]] | None = None,
        packs: bool | None = None,
        replay: Path | Mapping[str, Any] | None = None,
    ) -> None:
        """Build it; a port of 0 takes a free one, None leaves that server out. KeyError for an unknown model.

        `devices` are the models of the machines by their unit ids; without them all units are of one model. Meters for
        three phases sit where the house meets the grid, those for one behind a solar inverter that feeds in beside the
        others, and is there if they are.
        Without a serial number, `readable` ranges and `packs` (whether battery packs tell of themselves) it is the
        model that decides; so it does whether the TCP port is one of a module, with one client and any unit id.

        `serial` adds a pseudo terminal that a client opens as its serial port, `stick` a Wi-Fi stick with this serial
        number, which is found on its UDP port if it has one. Each server is a line of its own.
        `overheard` adds a line on which somebody else asks the first meter, in a pattern of `simulator.overheard`; whoever
        connects hears it. ValueError when there is no meter.
        `replay` is a download of diagnostics, or its file: its machines answer as they did then, and there are no others
        unless `devices` says so. ValueError when no machine can be made of it.
        With a `car`, it is charged in the evening.
        All machines are in one house; the first inverter regulates what flows into the grid. Each further unit of a
        model counts the serial number up by one.
        """
        # None while time stands still.
        self.pace = None if speed is None else Pace(speed)
        self._stepped = 0.0
        self._host = host
        self._elapsed = 0.0
        self._ticker: asyncio.Task[None] | None = None
        if devices is None:
            devices = {} if replay is not None else dict.fromkeys(units, model)
        models = devices
        meters = {
            unit: name if isinstance(name, MeterModel) else METERS[name]
            for unit, name in models.items()
            if isinstance(name, MeterModel) or name in METERS
        }
        kinds = {unit: MODELS[str(name)] for unit, name in models.items() if unit not in meters}
        self.site = Site(
            start=start,
            seed=seed,
            phases=max((kind.installation.phases for kind in kinds.values()), default=3),
            solar=_solar(kinds.values(), meters.values()),
            appliances=APPLIANCES + CAR if car else APPLIANCES,
        )
        self.diary = Diary(self.site)
        built = Counter[int]()
        self.machines: dict[int, Machine] = {}
        self._inverters: list[InverterMachine] = []
        for unit in models:
            if (meter := meters.get(unit)) is not None:
                self.machines[unit] = self._meter(meter, unit)
                continue
            kind = kinds[unit]
            machine = kind.build(
                Inverter(self.site, installation=kind.installation, soc=soc),
                serial_number=_count_up(serial_number or kind.serial_number, built[id(kind)]),
                unit=unit,
                readable=readable,
                packs=packs,
                timer=self.timer,
            )
            built[id(kind)] += 1
            self.machines[unit] = machine
            self._inverters.append(machine)
        if replay is not None:
            self.machines |= replayed(replay, timer=self.timer)
        self.tcp = ModbusServer(self.machines, TcpFraming(), line=line)
        # A network module is inside its one inverter.
        module = len(self.machines) == 1 and any(kind.module for kind in kinds.values())
        self.tcp.any_unit = self.tcp.one_client = module
        self.rtu = ModbusServer(self.machines, RtuFraming(), line=line)
        self.serial = ModbusServer(self.machines, RtuFraming(), line=line)
        self.stick = Stick(self.machines, logger_serial, line=line, seed=seed)
        self.stick_search = StickSearch(logger_serial)
        self._stick_udp_port = stick_udp_port if stick else None
        self.overheard = self._overheard_line(overheard_pattern, seed) if overheard else None
        self._overheard_port = overheard_port
        self._with_serial = serial
        self.servers: tuple[ModbusServer, ...] = (self.tcp, self.rtu, self.serial, self.stick)
        self._scenario: Scenario | None = None
        # The path of the serial port; empty when there is none.
        self.serial_device = ""
        self._ports = (
            (self.tcp, tcp_port),
            (self.rtu, rtu_port),
            (self.stick, stick_port if stick else None),
        )

    async def __aenter__(self) -> Self:
        """Start to listen, and the time if it runs by itself."""
        try:
            for server, port in self._ports:
                if port is not None:
                    await server.start(self._host, port)
            if self.overheard is not None:
                await self.overheard.start(self._host, self._overheard_port)
            if self._stick_udp_port is not None:
                await self.stick_search.start(self._host, self._stick_udp_port)
            if self._with_serial:
                self.serial_device = await self.serial.start_serial()
        except OSError:
            await self._stop()
            raise
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
        await self._stop()

    async def _stop(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
            self._ticker = None
        self.stick_search.stop()
        if self.overheard is not None:
            await self.overheard.stop()
        for server in self.servers:
            await server.stop()
        self.serial_device = ""

    @property
    def tcp_port(self) -> int:
        """Return the port of Modbus TCP; 0 when it is off."""
        return self.tcp.port

    @property
    def rtu_port(self) -> int:
        """Return the port of RTU over TCP; 0 when it is off."""
        return self.rtu.port

    @property
    def stick_port(self) -> int:
        """Return the port of the Wi-Fi stick; 0 when there is none."""
        return self.stick.port

    @property
    def stick_udp_port(self) -> int:
        """Return the port on which the stick is found; 0 when it is not."""
        return self.stick_search.port

    @property
    def overheard_port(self) -> int:
        """Return the port on which the line can be heard; 0 when there is none."""
        return 0 if self.overheard is None else self.overheard.port

    def _overheard_line(self, pattern: str | None, seed: int) -> OverheardLine:
        """Return a line on which an inverter asks the first meter."""
        meters = [one for one in self.machines.values() if isinstance(one, MeterMachine)]
        if not meters:
            raise ValueError("there is no meter to be overheard")
        units = {meter.unit: meter for meter in meters}

        def respond(asked: int, pdu: bytes) -> bytes | None:
            return units[asked].respond(pdu)

        polls = polls_for(meters[0].unit, meters[0].kind.family, pattern)
        return OverheardLine(Talk(respond, polls, seed=seed))

    def _meter(self, model: MeterModel, unit: int) -> MeterMachine:
        """Return a meter that counts at its place in the house whatever passes there."""
        measure = {Place.GRID: self.site.measure_grid, Place.SOLAR: self.site.measure_solar}
        machine = METER_MACHINES[model.family](
            model, measure[model.place], start=self.site.now, unit=unit, timer=self.timer
        )
        self.site.watchers.append(machine.step)
        return machine

    def machine(self, unit: int | None = None) -> Machine:
        """Return the machine with this unit id, or the first one."""
        return self.machines[next(iter(self.machines)) if unit is None else unit]

    def exchange(self, first: int, second: int) -> None:
        """Have two machines answer at each other's unit id; KeyError when one of them is not there."""
        machines = self.machines
        machines[first], machines[second] = machines[second], machines[first]

    def follow(self, scenario: Scenario) -> None:
        """Let happen what a scenario says, from now on."""
        self._scenario = scenario
        self._happen()

    def _happen(self) -> None:
        """Cause the trouble that is due."""
        if self._scenario is not None:
            for happening in self._scenario.due(self.site.now):
                try:
                    cause(self, happening.what)
                except ValueError as err:
                    # The others go on, and so does the time.
                    _LOGGER.error("Cannot happen at %s: %s", happening.at, err)  # noqa: TRY400

    def advance(self, seconds: float) -> None:
        """Let so much plant time pass at once, and with manual time also the timer of the trouble."""
        self._elapsed += seconds
        self._step(seconds)

    def _step(self, seconds: float) -> None:
        """Let plant time pass for all machines at once, and what is to happen at its time."""
        left = seconds
        while (part := self._seconds_to_trouble(left)) < left:
            self._pass(part)
            self._happen()
            left -= part
        self._pass(left)
        self._happen()

    def _seconds_to_trouble(self, most: float) -> float:
        """Return the seconds until something happens, or so many when nothing does before."""
        if self._scenario is None or (at := self._scenario.next_at) is None:
            return most
        return min(most, max(0.0, (at - self.site.now).total_seconds()))

    def _pass(self, seconds: float) -> None:
        for machine in self._inverters:
            machine.settle()
        self.site.step(seconds)

    def timer(self) -> float:
        """Return the seconds by which delays of the trouble are measured, and writes are stamped."""
        return self._elapsed if self.pace is None else time.monotonic()

    async def _tick(self, pace: Pace) -> None:
        """Move the plants along with the time."""
        while True:
            # At a speed of 0 it looks all the same: somebody may change it.
            await asyncio.sleep(min(TICK, MOST_PLANT_SECONDS / max(1.0, pace.speed)))
            now = pace.elapsed()
            self._step(now - self._stepped)
            self._stepped = now


def _solar(kinds: Iterable[Model], meters: Iterable[MeterModel]) -> SolarInverter | None:
    """Return the solar inverter that a machine cannot do without, or the one that a meter is for."""
    for kind in kinds:
        if kind.solar is not None:
            return kind.solar
    return SOLAR_INVERTER if any(meter.place is Place.SOLAR for meter in meters) else None


def _count_up(serial_number: str, by: int) -> str:
    """Return a serial number that ends in a number, counted up."""
    if not by:
        return serial_number
    stem = serial_number.rstrip("0123456789")
    digits = len(serial_number) - len(stem)
    return f"{stem}{int(serial_number[len(stem) :] or 0) + by:0{digits}d}"
