"""Run a simulated plant: `python -m simulator`."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime, time, timedelta
import json
from pathlib import Path
import signal
import sys

from .cause import cause, parse_trouble
from .control import ControlServer
from .jso8048104 import NAME
from .meter_models import METERS
from .models import MODELS
from .options import START, PlantOptions
from .overheard import POLLS
from .physics import Accuracy, Weather
from .physics.installation import STANDBY
from .scenario import Scenario
from .server import LineTiming
from .simulation import SimulatedPlant
from .stick import LOGGER_SERIAL

# The evening before has used the battery up, so that the morning has something to fill.
MIDNIGHT_SOC = 0.35


def _port(text: str) -> int | None:
    """A port number; "none" switches the server off."""
    if text == "none":
        return None
    number = int(text)
    if not 0 <= number <= 0xFFFF:
        raise ValueError(text)
    return number


def _device(text: str) -> tuple[int, str]:
    """The unit id and the model of a machine."""
    unit, _, model = text.partition(":")
    if model not in MODELS and model not in METERS:
        raise ValueError(text)
    return int(unit), model


def _units(text: str) -> tuple[int, ...]:
    """Unit ids between commas."""
    return tuple(int(unit) for unit in text.split(","))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--model", choices=(*MODELS, *METERS), default=NAME)
    parser.add_argument("--serial-number", help="that of the model if not given")
    parser.add_argument(
        "--unit", type=int, action="append", help="Modbus unit id; may be given more than once"
    )
    parser.add_argument(
        "--device",
        type=_device,
        action="append",
        metavar="UNIT:MODEL",
        help="a machine with its unit id, instead of --model and --unit; may be given more than once",
    )
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="a diagnostics download, whose machines then answer instead of simulated ones",
    )
    parser.add_argument(
        "--trouble",
        type=parse_trouble,
        action="append",
        default=[],
        metavar="[UNIT:]NAME[=JSON]",
        help="what is wrong from the start on; may be given more than once (docs/simulator.md)",
    )
    parser.add_argument("--scenario", type=Path, metavar="FILE", help="what goes wrong, and when")
    parser.add_argument("--host", default="127.0.0.1", help="address of the Modbus servers")
    ports = '0 takes a free one, "none" switches it off'
    parser.add_argument("--tcp-port", type=_port, default=5020, help=f"Modbus TCP; {ports}")
    parser.add_argument("--rtu-port", type=_port, default=5021, help=f"RTU over TCP; {ports}")
    parser.add_argument(
        "--line",
        type=_units,
        action="append",
        metavar="UNIT[,UNIT]",
        help="one more Modbus TCP server on a free port, with these units only; may be given more than once",
    )
    parser.add_argument("--stick-port", type=_port, help=f"a Wi-Fi stick, Solarman V5; {ports}")
    parser.add_argument("--stick-udp-port", type=_port, help="where that stick is searched for")
    parser.add_argument("--logger-serial", type=int, default=LOGGER_SERIAL, help="of that stick")
    parser.add_argument(
        "--overheard-port",
        type=_port,
        help=f"a line on which an inverter polls the first meter, to listen to; {ports}",
    )
    parser.add_argument("--overheard-pattern", choices=POLLS, help="what that inverter polls")
    parser.add_argument("--serial", action="store_true", help="RTU on a pseudo terminal as well")
    parser.add_argument(
        "--control-port", type=_port, default=5022, help=f"HTTP control on loopback; {ports}"
    )
    parser.add_argument("--baudrate", type=int, help="be as slow as a serial line of this speed")
    parser.add_argument("--seed", type=int, default=1, help="of clouds and house")
    parser.add_argument(
        "--car", action="store_true", help="an electric car is charged in the evening, 33 kWh"
    )
    parser.add_argument("--heat-pump", action="store_true", help="a heat pump of three phases")
    parser.add_argument(
        "--lively", action="store_true", help="many small appliances go on and off all day"
    )
    parser.add_argument(
        "--weather", type=Weather, choices=Weather, default=Weather.PASSING, help="of each day"
    )
    parser.add_argument(
        "--real-sensors",
        action="store_true",
        help="sensors are off by up to 2 % and noisy, and each inverter uses 60 W itself",
    )
    parser.add_argument("--speed", type=float, default=1.0, help="plant seconds per real second")
    parser.add_argument(
        "--start", type=datetime.fromisoformat, default=START, help="local time of the plant"
    )
    parser.add_argument(
        "--past",
        type=int,
        default=0,
        metavar="DAYS",
        help="live so many days before that one as well, and record what the machines show (GET /recording)",
    )
    parser.add_argument(
        "--clock",
        type=datetime.fromisoformat,
        help="what the inverters' own clocks show at the start, if not that time",
    )
    return parser


async def _run(options: argparse.Namespace) -> None:
    # The day so far is lived through, so that its counters and the battery fit the time of day.
    midnight = datetime.combine(options.start, time())
    midnight -= timedelta(days=options.past)
    passed = options.start - midnight
    machines = PlantOptions(
        model=options.model,
        units=options.unit or (1,),
        devices=dict(options.device) if options.device else None,
        seed=options.seed,
        car=options.car,
        heat_pump=options.heat_pump,
        lively=options.lively,
        weather=options.weather,
        accuracy=Accuracy() if options.real_sensors else None,
        standby=STANDBY if options.real_sensors else 0.0,
        start=midnight,
        clock=options.clock and options.clock - passed,
        soc=MIDNIGHT_SOC,
        speed=options.speed,
        host=options.host,
        tcp_port=options.tcp_port,
        rtu_port=options.rtu_port,
        lines=options.line or (),
        serial=options.serial,
        stick=options.stick_port is not None,
        stick_port=options.stick_port or 0,
        stick_udp_port=options.stick_udp_port,
        logger_serial=options.logger_serial,
        overheard=options.overheard_port is not None,
        overheard_port=options.overheard_port or 0,
        overheard_pattern=options.overheard_pattern,
        line=LineTiming(baudrate=options.baudrate) if options.baudrate else None,
        serial_number=options.serial_number,
        replay=options.replay,
    )
    plant = SimulatedPlant(machines)
    if options.past:
        plant.live_and_record(passed.total_seconds())
    else:
        plant.advance(passed.total_seconds())
    scenario = options.scenario and Scenario.load(options.scenario, options.start)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    control = ControlServer(plant)
    async with plant:
        try:
            for what in options.trouble:
                cause(plant, what)
            if scenario:
                scenario.follow(plant)
            if options.control_port is not None:
                await control.start(options.control_port)
            ports = {
                "tcp": plant.tcp_port or None,
                "rtu": plant.rtu_port or None,
                "lines": plant.line_ports,
                "stick": plant.stick_port or None,
                "stick_udp": plant.stick_udp_port or None,
                "overheard": plant.overheard_port or None,
                "serial": plant.serial_device or None,
                "control": control.port or None,
            }
            # Whoever started us waits for this line.
            print(json.dumps(ports), flush=True)
            await stop.wait()
        finally:
            await control.stop()


def main() -> int:
    """Run until SIGINT or SIGTERM; 1 when a port is taken, or a file or the trouble is none."""
    options = _parser().parse_args()
    try:
        asyncio.run(_run(options))
    except OSError as err:
        print(f"cannot start: {err}", file=sys.stderr)
        return 1
    except ValueError as err:
        print(err, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
