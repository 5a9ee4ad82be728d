"""What a simulated plant is made of, and how it is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from . import jso8048104
from .meter_models import MeterModel
from .physics import Accuracy, Weather
from .server import LineTiming
from .stick import LOGGER_SERIAL

START: Final = datetime(2026, 6, 21, 10, 0)  # noqa: DTZ001 - the machine knows no zone


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantOptions:
    """All machines are in one house; the first inverter regulates what flows into the grid.

    Meters for three phases sit where the house meets the grid, those for one behind a solar inverter that feeds in
    beside the others, and exists if they do. Each server is a line of its own. Of a port, 0 takes a free one and None
    leaves the server out.
    """

    # All units are of one model, unless `devices` names the models by their unit ids, or a download is replayed.
    model: str = jso8048104.NAME
    units: Sequence[int] = (1,)
    devices: Mapping[int, str | MeterModel] | None = None
    # A download of diagnostics, or its file: its machines answer as they did then.
    replay: Path | Mapping[str, Any] | None = None

    # The models decide where these are None: the serial number of the first unit of each model (further ones count
    # up), the ranges that are served, and whether battery packs report themselves.
    serial_number: str | None = None
    readable: Sequence[tuple[int, int]] | None = None
    packs: bool | None = None

    # Of clouds and house.
    seed: int = 1
    # An electric car is charged in the evening.
    car: bool = False
    # A heat pump heats, and many small appliances go on and off.
    heat_pump: bool = False
    lively: bool = False
    weather: Weather = Weather.PASSING
    # A solar inverter feeds in beside the others, whether or not something measures it.
    solar: bool = False
    # How far the sensors of the machines are off; None is not at all.
    accuracy: Accuracy | None = None
    # What each inverter itself uses, in watts.
    standby: float = 0.0
    start: datetime = START
    # What the inverters' own clocks show at the start, if not the time of the sun.
    clock: datetime | None = None
    # The batteries' state of charge at the start, 0 to 1.
    soc: float = 0.6
    # Plant seconds per real second; None makes the time stand still, and only `advance` moves it.
    speed: float | None = None

    host: str = "127.0.0.1"
    tcp_port: int | None = 0
    rtu_port: int | None = 0
    # Further servers of Modbus TCP on free ports, each with some of the units only.
    lines: Sequence[Sequence[int]] = ()
    # A pseudo terminal that a client opens as its serial port.
    serial: bool = False
    # A Wi-Fi stick with this serial number; it is found on its UDP port if it has one.
    stick: bool = False
    stick_port: int = 0
    stick_udp_port: int | None = None
    logger_serial: int = LOGGER_SERIAL
    # A line on which somebody else polls the first meter, in a pattern of `simulator.overheard`.
    overheard: bool = False
    overheard_port: int = 0
    overheard_pattern: str | None = None
    # How slow the servers are; None is at once.
    line: LineTiming | None = None

    @property
    def models(self) -> Mapping[int, str | MeterModel]:
        """The models of the simulated machines by their unit ids."""
        if self.devices is not None:
            return self.devices
        return {} if self.replay is not None else dict.fromkeys(self.units, self.model)
