"""Steering a running house into a situation in which everything that follows can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Final

from custom_components.hybrid_inverter.modbus.model.codec_time import ByteTime, Hhmm

from .inverter_machine import InverterMachine
from .machine import Machine
from .physics import NOTHING, Phases, Site, SolarInverter
from .physics.house import House
from .physics.phases import alike
from .physics.pv import PvString
from .physics.solar_inverter import EFFICIENCY
from .simulation import SimulatedPlant

# Seconds that pass after the steering if nothing else is said: the flows are those of the new situation then.
MOMENT: Final = 1.0


@dataclass(frozen=True, slots=True)
class SteadyHouse(House):
    """A household that always uses the same, before and behind the backup output."""

    home: Phases = NOTHING
    circuits: Phases = NOTHING

    def demand(self, now: datetime) -> tuple[Phases, Phases]:
        """The watts per phase."""
        return self.home, self.circuits


@dataclass(frozen=True, slots=True)
class SteadyString(PvString):
    """A string under a sun that never moves: it always delivers its peak."""

    def power(self, light: object) -> float:
        """Its watts."""
        return self.peak


def steer(plant: SimulatedPlant, machine: Machine, changes: Mapping[str, object]) -> None:
    """Lay some of the things down that STEERS has, for one inverter and its house; what is not named stays.

    ValueError for what there is not. After it, a moment has passed.
    """
    if not isinstance(machine, InverterMachine):
        raise ValueError("only an inverter can be steered")
    if unknown := changes.keys() - STEERS.keys() - {"advance"}:
        raise ValueError(f"no such steer: {', '.join(sorted(unknown))}")
    for name, value in changes.items():
        if name != "advance":
            STEERS[name](plant.site, machine, value)
    plant.advance(_number(changes.get("advance", MOMENT)))


def _set_time(site: Site, _: InverterMachine, value: object) -> None:
    """Jump to another time of the same day, "12:00"."""
    moment = time.fromisoformat(str(value))
    site.now = datetime.combine(site.now, moment)


def _set_soc(_: Site, machine: InverterMachine, value: object) -> None:
    machine.inverter.soc = _number(value) / 100


def _set_room(_: Site, machine: InverterMachine, value: object) -> None:
    machine.inverter.battery.room_temperature = _number(value)


def _set_sun(_: Site, machine: InverterMachine, value: object) -> None:
    """Let all its strings together deliver so much, as long as the process runs."""
    inverter = machine.inverter
    share = _number(value) / len(inverter.strings)
    inverter.strings = tuple(
        SteadyString(share, string.roof, string.volts, string.tracker)
        for string in inverter.strings
    )


def _set_port_sun(_: Site, machine: InverterMachine, value: object) -> None:
    """Let the micro inverter at its port deliver so much."""
    machine.inverter.port.micro_inverter = SolarInverter(
        (SteadyString(_number(value) / EFFICIENCY),)
    )


def _set_home(site: Site, machine: InverterMachine, value: object) -> None:
    site.house = replace(_steady(site.house), home=_phases(machine, value))


def _set_backup(site: Site, machine: InverterMachine, value: object) -> None:
    site.house = replace(_steady(site.house), circuits=_phases(machine, value))


def _steady(house: House) -> SteadyHouse:
    """The household that was laid down before, or one that uses nothing yet."""
    return house if isinstance(house, SteadyHouse) else SteadyHouse(house.seed)


def _set_grid(site: Site, _: InverterMachine, value: object) -> None:
    site.grid.alive = bool(value)


def _set_settings(_: Site, machine: InverterMachine, value: object) -> None:
    """Set what somebody could at the display, by canonical keys; a time of day is "12:00"."""
    if not isinstance(value, dict):
        raise ValueError("settings must be a JSON object")
    for key, wanted in value.items():
        row = machine.family.registers[key]
        timed = isinstance(row.codec, Hhmm | ByteTime)
        machine.panel_set(key, time.fromisoformat(wanted) if timed else wanted)


# Each by its field: watts but for the time of day, the SOC in percent, the degrees Celsius at the battery, whether there
# is a grid, and the settings.
STEERS: Final[Mapping[str, Callable[[Site, InverterMachine, object], None]]] = {
    "time": _set_time,
    "soc": _set_soc,
    "room": _set_room,
    "sun": _set_sun,
    "port_sun": _set_port_sun,
    "home": _set_home,
    "backup": _set_backup,
    "grid": _set_grid,
    "settings": _set_settings,
}


def _phases(machine: InverterMachine, value: object) -> Phases:
    """Watts on all phases alike."""
    return alike(_number(value), machine.inverter.installation.phases)


def _number(value: object) -> float:
    """A number from JSON; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"not a number: {value!r}")
    return float(value)
