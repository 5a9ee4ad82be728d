"""Steering a running house into a situation in which everything that follows can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Final

from custom_components.hybrid_inverter.modbus.codec_time import ByteTime, Hhmm

from .machine import InverterMachine, Machine
from .physics import NOTHING, Phases, SolarInverter
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
        """Return the watts per phase."""
        return self.home, self.circuits


@dataclass(frozen=True, slots=True)
class SteadyString(PvString):
    """A string under a sun that never moves: it always delivers its peak."""

    def power(self, light: object) -> float:
        """Return its watts."""
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
            STEERS[name](machine, value)
    plant.advance(_number(changes.get("advance", MOMENT)))


def _set_time(machine: InverterMachine, value: object) -> None:
    """Jump to another time of the same day, "12:00"."""
    moment = time.fromisoformat(str(value))
    machine.plant.now = datetime.combine(machine.plant.now, moment)


def _set_soc(machine: InverterMachine, value: object) -> None:
    machine.plant.soc = _number(value) / 100


def _set_sun(machine: InverterMachine, value: object) -> None:
    """Let all its strings together deliver so much, as long as the process runs."""
    plant = machine.plant
    share = _number(value) / len(plant.strings)
    plant.strings = tuple(
        SteadyString(share, string.roof, string.volts, string.tracker) for string in plant.strings
    )


def _set_port_sun(machine: InverterMachine, value: object) -> None:
    """Let the micro inverter at its port deliver so much."""
    machine.plant.port.micro_inverter = SolarInverter((SteadyString(_number(value) / EFFICIENCY),))


def _set_home(machine: InverterMachine, value: object) -> None:
    site = machine.plant.site
    site.house = replace(_steady(site.house), home=_phases(machine, value))


def _set_backup(machine: InverterMachine, value: object) -> None:
    site = machine.plant.site
    site.house = replace(_steady(site.house), circuits=_phases(machine, value))


def _steady(house: House) -> SteadyHouse:
    """Return the household that was laid down before, or one that uses nothing yet."""
    return house if isinstance(house, SteadyHouse) else SteadyHouse(house.seed)


def _set_grid(machine: InverterMachine, value: object) -> None:
    machine.plant.site.grid.alive = bool(value)


def _set_settings(machine: InverterMachine, value: object) -> None:
    """Set what somebody could at the display, by canonical keys; a time of day is "12:00"."""
    if not isinstance(value, dict):
        raise ValueError("settings must be a JSON object")
    for key, wanted in value.items():
        row = machine.family.registers[key]
        timed = isinstance(row.codec, Hhmm | ByteTime)
        machine.panel_set(key, time.fromisoformat(wanted) if timed else wanted)


# Each by its field: watts but for the time of day, the SOC in percent, whether there is a grid, and the settings.
STEERS: Final[Mapping[str, Callable[[InverterMachine, object], None]]] = {
    "time": _set_time,
    "soc": _set_soc,
    "sun": _set_sun,
    "port_sun": _set_port_sun,
    "home": _set_home,
    "backup": _set_backup,
    "grid": _set_grid,
    "settings": _set_settings,
}


def _phases(machine: InverterMachine, value: object) -> Phases:
    """Return watts on all phases alike."""
    return alike(_number(value), machine.plant.installation.phases)


def _number(value: object) -> float:
    """Return a number from JSON; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"not a number: {value!r}")
    return float(value)
