"""A running simulated plant for tests and demos: machines, their servers, and the time that passes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
import time
from types import TracebackType
from typing import Final, Self

from . import jso8048104 as model
from .framing import RtuFraming, TcpFraming
from .machine import Machine
from .plant import Plant
from .server import LineTiming, ModbusServer

START: Final = datetime(2026, 6, 21, 10, 0)  # noqa: DTZ001 - the machine knows no zone
# Seconds between two steps of the physics.
TICK: Final = 0.5


class SimulatedPlant:
    """Inverters that listen on a Modbus TCP port, on an RTU-over-TCP port and, if wanted, on a serial port.

    Use it as an asynchronous context manager. With `speed` None time stands still and only `advance` moves it; else
    the physics move twice a second by that many times the real time.
    """

    def __init__(
        self,
        *,
        units: Sequence[int] = (1,),
        seed: int = 1,
        start: datetime = START,
        soc: float = 0.6,
        speed: float | None = None,
        host: str = "127.0.0.1",
        tcp_port: int | None = 0,
        rtu_port: int | None = 0,
        serial: bool = False,
        line: LineTiming | None = None,
        serial_number: str = model.SERIAL_NUMBER,
        readable: Sequence[tuple[int, int]] | None = None,
        packs: model.Packs = model.Packs.REFUSED,
    ) -> None:
        """Build it; a port of 0 takes a free one, None leaves that server out.

        `serial` adds a pseudo terminal that a client opens as its serial port. Each server is a line of its own.
        Each further unit counts the serial number up by one, and has its own sun and house.
        """
        self.speed = speed
        self._host = host
        self._elapsed = 0.0
        self._ticker: asyncio.Task[None] | None = None
        self.machines = {
            unit: Machine(
                Plant(start=start, seed=seed + 100 * index, soc=soc),
                serial_number=_count_up(serial_number, index),
                unit=unit,
                readable=readable,
                packs=packs,
                timer=self.timer,
            )
            for index, unit in enumerate(units)
        }
        self.tcp = ModbusServer(self.machines, TcpFraming(), line=line)
        self.rtu = ModbusServer(self.machines, RtuFraming(), line=line)
        self.serial = ModbusServer(self.machines, RtuFraming(), line=line)
        self._with_serial = serial
        # The path of the serial port; empty when there is none.
        self.serial_device = ""
        self._ports = ((self.tcp, tcp_port), (self.rtu, rtu_port))

    async def __aenter__(self) -> Self:
        """Start to listen, and the time if it runs by itself."""
        try:
            for server, port in self._ports:
                if port is not None:
                    await server.start(self._host, port)
            if self._with_serial:
                self.serial_device = await self.serial.start_serial()
        except OSError:
            await self._stop()
            raise
        if self.speed is not None:
            self._ticker = asyncio.create_task(self._tick(self.speed))
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
        for server in (self.tcp, self.rtu, self.serial):
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

    def machine(self, unit: int | None = None) -> Machine:
        """Return the machine with this unit id, or the first one."""
        return self.machines[next(iter(self.machines)) if unit is None else unit]

    def advance(self, seconds: float) -> None:
        """Let so much plant time pass at once, and with manual time also the timer of the trouble."""
        self._elapsed += seconds
        for machine in self.machines.values():
            machine.step(seconds)

    def timer(self) -> float:
        """Return the seconds by which delays of the trouble are measured, and writes are stamped."""
        return self._elapsed if self.speed is None else time.monotonic()

    async def _tick(self, speed: float) -> None:
        """Move the plants along with the real time."""
        last = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            for machine in self.machines.values():
                machine.step((now - last) * speed)
            last = now


def _count_up(serial_number: str, by: int) -> str:
    """Return a serial number that ends in a number, counted up."""
    if not by:
        return serial_number
    stem = serial_number.rstrip("0123456789")
    digits = len(serial_number) - len(stem)
    return f"{stem}{int(serial_number[len(stem) :] or 0) + by:0{digits}d}"
