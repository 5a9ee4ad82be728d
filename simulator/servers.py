"""The servers of a plant: every way in which its machines can be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .building import inverters_of
from .framing import RtuFraming, TcpFraming
from .machine import Machine
from .meter import MeterMachine
from .options import PlantOptions
from .overheard import OverheardLine, Talk, polls_for
from .server import ModbusServer
from .stick import Stick
from .stick_search import StickSearch


@dataclass
class Servers:
    """What listens, each a line of its own."""

    options: PlantOptions
    tcp: ModbusServer
    rtu: ModbusServer
    serial: ModbusServer
    stick: Stick
    stick_search: StickSearch
    # None where nobody polls a meter.
    overheard: OverheardLine | None
    # Those with some of the units only.
    lines: tuple[ModbusServer, ...] = ()
    # The path of the serial port; empty when there is none.
    serial_device: str = ""

    @property
    def links(self) -> tuple[ModbusServer, ...]:
        """Those that answer a client."""
        return (self.tcp, self.rtu, self.serial, self.stick, *self.lines)

    async def start(self) -> None:
        """Listen as the options say; OSError when a port is taken, and then nothing listens."""
        options = self.options
        try:
            for server, port in (
                (self.tcp, options.tcp_port),
                (self.rtu, options.rtu_port),
                (self.stick, options.stick_port if options.stick else None),
                *((line, 0) for line in self.lines),
            ):
                if port is not None:
                    await server.start(options.host, port)
            if self.overheard is not None:
                await self.overheard.start(options.host, options.overheard_port)
            if options.stick and options.stick_udp_port is not None:
                await self.stick_search.start(options.host, options.stick_udp_port)
            if options.serial:
                self.serial_device = await self.serial.start_serial()
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop listening, and drop all connections."""
        self.stick_search.stop()
        if self.overheard is not None:
            await self.overheard.stop()
        for server in self.links:
            await server.stop()
        self.serial_device = ""


def make_servers(options: PlantOptions, machines: Mapping[int, Machine]) -> Servers:
    """Servers that do not listen yet.

    KeyError for a line with a unit that there is not, ValueError when a meter shall be overheard and there is none.
    """
    tcp = ModbusServer(machines, TcpFraming(), line=options.line)
    # The network module of some inverters sits inside its one inverter: it has one client, and takes any unit id.
    module = len(machines) == 1 and any(model.module for model in inverters_of(options).values())
    tcp.any_unit = tcp.one_client = module
    return Servers(
        options=options,
        tcp=tcp,
        rtu=ModbusServer(machines, RtuFraming(), line=options.line),
        serial=ModbusServer(machines, RtuFraming(), line=options.line),
        stick=Stick(machines, options.logger_serial, line=options.line, seed=options.seed),
        stick_search=StickSearch(options.logger_serial),
        overheard=_overheard(options, machines) if options.overheard else None,
        lines=tuple(
            ModbusServer({unit: machines[unit] for unit in units}, TcpFraming(), line=options.line)
            for units in options.lines
        ),
    )


def _overheard(options: PlantOptions, machines: Mapping[int, Machine]) -> OverheardLine:
    """A line on which an inverter polls the first meter."""
    meters = {one.unit: one for one in machines.values() if isinstance(one, MeterMachine)}
    if not meters:
        raise ValueError("there is no meter to be overheard")
    first = next(iter(meters.values()))

    def respond(unit: int, pdu: bytes) -> bytes | None:
        return meters[unit].respond(pdu)

    polls = polls_for(first.unit, first.kind.family, options.overheard_pattern)
    return OverheardLine(Talk(respond, polls, seed=options.seed))
