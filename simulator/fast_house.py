"""A house without sockets and registers: what each machine would have shown, a minute or a few seconds at a time.

It is for whoever needs a year of readings within minutes. The readings are those that a poll of the machine's registers
decodes to; tests/simulator/test_fast_house.py compares them key by key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from custom_components.hybrid_inverter.modbus.model.codec import Number, Value, as_number
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.register import Register

from .cause import cause
from .houses import BuiltHouse, Day
from .inverter_machine import InverterMachine
from .machine import Machine
from .meter import MeterMachine
from .miswiring import Miswiring, mended
from .options import PlantOptions
from .physics import PHASES, Accuracy, Weather
from .physics.chance import random
from .physics.installation import STANDBY
from .physics.orders import Ordered
from .simulation import SimulatedPlant

type Values = Mapping[str, Value | None]

# Machines are polled one after the other, and measure by themselves: a reading may be so many seconds old.
OLDEST: Final = 1.5
# Makes the seed of that chance another one than those of the sensors.
_OLD: Final = 90_000

METERS: Final = ("meter_a", "meter_b")
_PORTS: Final = ("grid", "inverter", "backup", "load", "generator")
_SUFFIXES: Final = ("power", "voltage", "ct_power", "internal_power")
# What is read of a machine, as far as it has it.
KEYS: Final = (
    *(f"{port}_{suffix}" for port in _PORTS for suffix in _SUFFIXES),
    *(f"{port}_{phase}_{suffix}" for port in _PORTS for phase in PHASES for suffix in _SUFFIXES),
    *(f"pv{number}_{what}" for number in (1, 2) for what in ("power", "voltage", "current")),
    *("pv_power", "pv_ct_power", "grid_frequency"),
    *(
        "battery_power",
        "battery_power_raw",
        "battery_voltage",
        "battery_current",
        "battery_soc",
        "bms_current",
    ),
    *(
        f"{meter}_{phase}_{what}"
        for meter in METERS
        for phase in PHASES
        for what in ("power", "voltage")
    ),
    *("meter_a_power", "meter_b_power"),
    *("power", "voltage"),
    *(f"{phase}_{what}" for phase in PHASES for what in ("power", "voltage")),
)


class Reading(NamedTuple):
    """What one poll of a machine brought: its unit id, seconds since the start, and the values by key."""

    unit: int
    time: float
    values: Values


class FastHouse:
    """A house whose time passes in steps, each of which ends with a reading of every machine."""

    def __init__(
        self,
        house: BuiltHouse,
        day: Day | None = None,
        *,
        start: datetime | None = None,
        weather: Weather = Weather.CHANGING,
        seed: int = 1,
        wiring: Miswiring | None = None,
        step: float = 60.0,
        exact: bool = False,
        oldest: float = OLDEST,
        soc: float = 0.6,
    ) -> None:
        """Live a `day`, or from `start` on in a `weather`.

        Where it is `exact`, no sensor is off, no reading is old, and no inverter uses anything itself.
        """
        options = PlantOptions(
            devices=house.devices,
            seed=seed,
            soc=soc,
            lively=True,
            accuracy=None if exact else Accuracy(),
            standby=0.0 if exact else STANDBY,
        )
        begins = day.start if day is not None else start or options.start
        options = replace(
            options,
            start=begins,
            weather=weather if day is None else day.weather,
            **house.options,
        )
        self.plant = SimulatedPlant(options)
        self.site = self.plant.site
        self.site.longest_step = max(step, self.site.longest_step)
        self.seed = seed
        self._step = step
        self._oldest = 0.0 if exact else oldest
        self._time = 0.0
        self._number = 0
        self._wiring: Miswiring | None = None
        self._later: Miswiring | None = None
        for unit, settings in house.settings.items():
            for key, value in settings.items():
                self.plant.machines[unit].panel_set(key, value)
        # What is only counted is not looked at.
        self.site.watchers.clear()
        for machine in self.plant.machines.values():
            machine.settle()
        self._plans = {unit: _plan(machine) for unit, machine in self.plant.machines.items()}
        self._shown: dict[int, Values] = {}
        self._pass(step)
        self._look()
        if wiring is not None and wiring.after:
            self._later = wiring
        else:
            self.wire(wiring)

    @property
    def families(self) -> dict[int, str]:
        """The family of each machine by its unit id."""
        return {unit: machine.family.key for unit, machine in self.plant.machines.items()}

    def wire(self, wiring: Miswiring | None) -> None:
        """Wire the house another way from now on; None is the right one."""
        self._later = None
        if self._wiring is not None:
            cause(self.plant, mended(self._wiring), self._wiring.unit)
        self._wiring = wiring
        if wiring is not None:
            cause(self.plant, wiring.trouble, wiring.unit)
        for machine in self.plant.machines.values():
            machine.settle()

    def order(self, unit: int, watts: float | None) -> None:
        """Order the battery of an inverter to give watts, or to take them where they are negative; None releases it."""
        machine = self.plant.machines[unit]
        if not isinstance(machine, InverterMachine):
            raise TypeError(f"{machine.model} has no battery")
        inverter = machine.inverter
        settings = inverter.controls
        if isinstance(settings, Ordered):
            settings = settings.settings
        inverter.controls = settings if watts is None else Ordered(settings, watts)

    def step(self) -> tuple[Reading, ...]:
        """Let a step pass, and read every machine."""
        if self._later is not None and self._time >= self._later.after * 60:
            self.wire(self._later)
        self._pass(self._step)
        before = self._shown
        self._look()
        return tuple(
            Reading(unit, self._time, before[unit] if self._is_old(unit) else values)
            for unit, values in self._shown.items()
        )

    def run(self, minutes: float) -> Iterator[Reading]:
        """Let minutes pass, and give all readings in turn."""
        for _ in range(round(minutes * 60 / self._step)):
            yield from self.step()

    def _pass(self, seconds: float) -> None:
        self.site.step(seconds)
        for machine in self.plant.machines.values():
            if isinstance(machine, MeterMachine):
                machine.now = self.site.now
        self._time += seconds
        self._number += 1

    def _look(self) -> None:
        """Read every machine as it is now."""
        self._shown = {unit: plan() for unit, plan in self._plans.items()}

    def _is_old(self, unit: int) -> bool:
        """Whether a machine has been read just before the last change."""
        share = self._oldest / (self._step + self._oldest)
        return share > 0 and random(self.seed * _OLD + unit, self._number) < share


def _plan(machine: Machine) -> Callable[[], Values]:
    """What reads a machine."""
    rows = machine.family.registers
    keys = [key for key in KEYS if key in rows]
    if isinstance(machine, MeterMachine):
        return lambda: machine.measured(keys)
    assert isinstance(machine, InverterMachine)  # noqa: S101 - there are no others
    shown = {key: _shows(rows[key]) for key in keys}
    sums = _sums(machine.family)

    def read() -> Values:
        measured, inverter = machine.measured(), machine.inverter
        # A meter that is not heard has no values.
        lost = tuple(meter for meter in METERS if measured.get(f"{meter}_status") == "offline")
        values: dict[str, Value | None] = {
            key: None if lost and key.startswith(lost) else show(value)
            for key, show in shown.items()
            if isinstance(value := measured.get(key), (int, float))
        }
        for key, parts in sums.items():
            known = [value for part in parts if (value := as_number(values.get(part))) is not None]
            values[key] = sum(known) if known else None
        values["work_mode"] = machine.setting("work_mode")
        values["clock_drift"] = (inverter.clock - inverter.now).total_seconds()
        return values

    return read


def _sums(family: Family) -> dict[str, tuple[str, ...]]:
    """The values that a machine does not serve, by those that they are the sums of."""
    return {
        key: tuple(name for name in value.inputs if family.registers[name].unit == "W")
        for key, value in family.derived.items()
        if key in KEYS
    }


def _shows(row: Register) -> Callable[[float], float]:
    """What a register makes of a number: the nearest of its steps."""
    codec = row.codec
    assert isinstance(codec, Number)  # noqa: S101 - measurements of inverters are nothing else
    scale = codec.scale
    if scale == 1:
        return round
    places = len(f"{scale:.6f}".rstrip("0").partition(".")[2])
    return lambda value: round(round(value / scale) * scale, places)
