"""The physics of one hybrid inverter with its PV, battery, house and grid. No registers, no sockets, no wall clock.

Powers are watts, energies watt-hours, SOC is a share from 0 to 1. Signs: grid + import, battery + discharge,
inverter + out of the inverter. Within a step all powers are constant, so the energy counters are exact integrals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
import math
from typing import Final

from .surroundings import House, Phases, Sky, noise

# Longer steps are cut, so that clouds, thresholds and the battery's end are not jumped over.
LONGEST_STEP: Final = 10.0

# One roof looks south-east, the other south-west.
PV_EAST: Final = (1.0, -1.0)
# Sixteen cells of the battery in series; a taller stack of the same energy has less current and more resistance.
CELLS: Final = 16
BATTERY_RESISTANCE: Final = 0.012
CHARGE_EFFICIENCY: Final = 0.975
INVERTER_EFFICIENCY: Final = 0.97
# Above this SOC the battery takes less and less current.
TAPER_SOC: Final = 0.95
SMART_LOAD_POWER: Final = 1500.0

PHASES: Final = ("l1", "l2", "l3")
NOTHING: Final[Phases] = (0.0, 0.0, 0.0)


class WorkMode(StrEnum):
    """Where the inverter's power may go (manual 5.7)."""

    SELLING_FIRST = "selling_first"
    ZERO_EXPORT_TO_LOAD = "zero_export_to_load"
    ZERO_EXPORT_TO_CT = "zero_export_to_ct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What was bought and built in: watts, the watts of each string, watt-hours, cells in series, phases."""

    rated_power: float = 8000.0
    pv_peaks: tuple[float, float] = (4200.0, 3800.0)
    battery_capacity: float = 30720.0
    cells: int = CELLS
    phases: int = 3

    @property
    def battery_resistance(self) -> float:
        """Return the ohms of the battery."""
        return BATTERY_RESISTANCE * (self.cells / CELLS) ** 2

    def open_voltage(self, soc: float) -> float:
        """Return the volts of the lithium iron phosphate cells without a current."""
        return (49.5 + 4.0 * soc) * self.cells / CELLS

    def spread(self, power: float) -> Phases:
        """Return a power on the phases of the inverter, which feeds them alike."""
        share = power / self.phases
        return (share, share, share) if self.phases == 3 else (share, 0.0, 0.0)

    def wired(self, demand: Phases) -> Phases:
        """Return the power of the house's circuits per phase that there is."""
        return demand if self.phases == 3 else (sum(demand), 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Slot:
    """One row of the time-of-use table; it lasts until the next one starts."""

    start: int  # minutes after midnight
    power: float
    soc: float
    grid_charge: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """What the machine's settings mean to the flows."""

    enabled: bool = True
    work_mode: WorkMode = WorkMode.ZERO_EXPORT_TO_CT
    load_first: bool = True
    solar_sell: bool = False
    grid_charge: bool = False
    max_sell_power: float = 8000.0
    zero_export_power: float = 20.0
    max_solar_power: float = 10400.0
    shutdown_soc: float = 0.20
    low_soc: float = 0.35
    restart_soc: float = 0.50
    # Where charging ends.
    full_soc: float = 1.0
    charge_current: float = 115.0
    discharge_current: float = 115.0
    grid_charge_current: float = 40.0
    smart_load: bool = False
    smart_load_always: bool = False
    smart_load_on_soc: float = 1.0
    smart_load_off_soc: float = 0.95
    smart_load_solar: float = 500.0
    time_of_use: bool = True
    # Monday is 0.
    weekdays: frozenset[int] = frozenset(range(7))
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """The powers of one moment, in watts."""

    pv: tuple[float, float] = (0.0, 0.0)
    battery: float = 0.0
    inverter_phases: Phases = NOTHING
    load: Phases = NOTHING
    backup: Phases = NOTHING
    smart_load: float = 0.0

    @property
    def inverter(self) -> float:
        """Return the inverter's output."""
        return sum(self.inverter_phases)

    @property
    def grid_phases(self) -> Phases:
        """Return what the clamps at the house connection measure: load less inverter."""
        return _add(self.load, (-power for power in self.inverter_phases))

    @property
    def grid(self) -> float:
        """Return the power drawn from the grid."""
        return sum(self.load) - self.inverter


class Plant:
    """One inverter and everything that hangs on it."""

    def __init__(
        self,
        *,
        start: datetime,
        seed: int = 1,
        soc: float = 0.6,
        installation: Installation | None = None,
    ) -> None:
        """Begin at a local time with a battery charged to `soc`."""
        self.installation = installation or Installation()
        self._seed = seed
        self._start = start
        self.now = start
        # The machine's own clock may be set to anything; the sun does not care.
        self.clock_offset = timedelta()
        self.controls = Controls()
        self.grid_present = True
        self.flows = Flows()
        self.running = True
        self.heatsink_temperature = 30.0
        self.sky = Sky(seed)
        self._house = House(seed)
        self._stored = soc * self.installation.battery_capacity
        self._voltage = self.installation.open_voltage(soc)
        self._smart_load_on = False
        self._blackout = False
        self._day = self.clock.date()
        self.today: dict[str, float] = dict.fromkeys(_meters(self.flows), 0.0)
        self.month = dict(self.today)
        self.year = dict(self.today)
        self.total: dict[str, float] = {
            **_FORMER_ENERGY,
            **_by_phase("import", self.installation.wired(_FORMER_IMPORT)),
            **_by_phase("export", self.installation.wired(_FORMER_EXPORT)),
        }

    @property
    def clock(self) -> datetime:
        """Return the time that the machine believes it is."""
        return self.now + self.clock_offset

    @clock.setter
    def clock(self, value: datetime) -> None:
        self.clock_offset = value - self.now

    @property
    def soc(self) -> float:
        """Return the state of charge, 0 to 1."""
        return self._stored / self.installation.battery_capacity

    @soc.setter
    def soc(self, value: float) -> None:
        self._stored = value * self.installation.battery_capacity

    @property
    def battery_voltage(self) -> float:
        """Return the voltage at the battery's terminals."""
        return self._voltage

    @property
    def battery_current(self) -> float:
        """Return the current, + discharging, so that voltage x current is the battery's power."""
        return self.flows.battery / self._voltage

    @property
    def charge_limit(self) -> float:
        """Return the amperes that the battery accepts now."""
        taper = min(1.0, (1 - self.soc) / (1 - TAPER_SOC))
        return 0.0 if self.soc >= 1 else self.controls.charge_current * max(0.05, taper)

    @property
    def battery_temperature(self) -> float:
        """Return degrees Celsius: a cellar, and a little warmth from the current."""
        return 21 + 0.03 * abs(self.battery_current)

    @property
    def grid_voltages(self) -> Phases:
        """Return the volts of the grid per phase; feeding in lifts them a little."""
        if not self.grid_present:
            return NOTHING
        seconds = self._since_start()
        l1, l2, l3 = (
            229 + 4 * noise(self._seed + 30 + phase, seconds, 60) - power / 1500
            for phase, power in enumerate(self.flows.grid_phases)
        )
        return l1, l2, l3

    @property
    def output_voltages(self) -> Phases:
        """Return the volts at the backup output: the grid's while there is one."""
        if not self.running:
            return NOTHING
        return self.grid_voltages if self.grid_present else (230.0, 230.0, 230.0)

    @property
    def frequency(self) -> float:
        """Return the hertz of the grid, or of the island."""
        if not self.grid_present:
            return 50.0
        return 49.97 + 0.06 * noise(self._seed + 40, self._since_start(), 30)

    def _since_start(self) -> float:
        return (self.now - self._start).total_seconds()

    def step(self, seconds: float) -> None:
        """Let time pass; the flows are then those of the last part of it."""
        left = seconds
        while left > 1e-9:
            self._roll_day()
            part = min(left, LONGEST_STEP, self._seconds_to_midnight())
            self._advance(part)
            left -= part
        self._roll_day()

    def _seconds_to_midnight(self) -> float:
        clock = self.clock
        midnight = datetime.combine(clock.date(), datetime.min.time()) + timedelta(days=1)
        return (midnight - clock).total_seconds()

    def _roll_day(self) -> None:
        """Clear the counters of the day, month and year when the machine's clock shows another one."""
        day, before = self.clock.date(), self._day
        if day == before:
            return
        self._day = day
        self.today = dict.fromkeys(self.today, 0.0)
        if (day.year, day.month) != (before.year, before.month):
            self.month = dict.fromkeys(self.month, 0.0)
        if day.year != before.year:
            self.year = dict.fromkeys(self.year, 0.0)

    def _advance(self, seconds: float) -> None:
        """Let a short time pass with constant powers."""
        self.flows = self._balance(seconds)
        hours = seconds / 3600
        power = self.flows.battery
        flow = power / CHARGE_EFFICIENCY if power > 0 else power * CHARGE_EFFICIENCY
        built = self.installation
        self._stored = min(built.battery_capacity, max(0.0, self._stored - flow * hours))
        for meter, watts in _meters(self.flows).items():
            for counted in (self.today, self.month, self.year, self.total):
                counted[meter] += watts * hours
        open_voltage = built.open_voltage(self.soc)
        self._voltage = (
            open_voltage + math.sqrt(open_voltage**2 - 4 * built.battery_resistance * power)
        ) / 2
        self.now += timedelta(seconds=seconds)
        aim = (
            self.sky.temperature(self.now) + 10 + 25 * abs(self.flows.inverter) / built.rated_power
        )
        self.heatsink_temperature += (aim - self.heatsink_temperature) * min(1.0, seconds / 600)

    def _slot(self) -> Slot | None:
        """Return the time-of-use slot in force, if any."""
        clock = self.clock
        controls = self.controls
        if (
            not controls.time_of_use
            or not controls.slots
            or clock.weekday() not in controls.weekdays
        ):
            return None
        minute = clock.hour * 60 + clock.minute
        # Before the first slot of the day the last one of the day before still runs.
        begun = [slot for slot in controls.slots if slot.start <= minute]
        return begun[-1] if begun else controls.slots[-1]

    def _sunshine(self) -> tuple[float, float]:
        """Return what each string could deliver, within the setting for the most PV power."""
        first, second = (
            peak * self.sky.sunshine(self.now, east)
            for peak, east in zip(self.installation.pv_peaks, PV_EAST, strict=True)
        )
        if (both := first + second) > self.controls.max_solar_power:
            share = self.controls.max_solar_power / both
            return first * share, second * share
        return first, second

    def _switch_smart_load(self, sunshine: float) -> float:
        """Return the smart load's power: on with a full battery and sun, off when one of them goes."""
        controls = self.controls
        enough_sun = sunshine >= controls.smart_load_solar
        if self.soc < controls.smart_load_off_soc or not enough_sun:
            self._smart_load_on = False
        elif round(self.soc, 2) >= controls.smart_load_on_soc:
            self._smart_load_on = True
        wanted = self._smart_load_on or (controls.smart_load_always and self.grid_present)
        return SMART_LOAD_POWER if controls.smart_load and wanted else 0.0

    def _balance(self, seconds: float) -> Flows:
        """Return the powers that hold for the next so many seconds."""
        controls = self.controls
        home, backup = map(self.installation.wired, self._house.demand(self.now))
        if self.grid_present:
            self._blackout = False
        else:
            home = NOTHING
        self.running = controls.enabled and not self._blackout
        if not controls.enabled:
            return Flows(load=home)

        pv = self._sunshine()
        smart_load = self._switch_smart_load(sum(pv))
        backup = _add(backup, self.installation.spread(smart_load))
        if self.grid_present:
            flows = self._on_grid(seconds, pv, sum(home), sum(backup))
        else:
            if self._blackout and self.soc >= controls.restart_soc:
                self._blackout = False
            demand = sum(backup)
            possible = sum(pv) + self._most_discharge(seconds, controls.shutdown_soc)
            if self._blackout or possible * INVERTER_EFFICIENCY < demand:
                self._blackout = True
                backup, smart_load = NOTHING, 0.0
            flows = self._dispatch(
                seconds,
                pv,
                need=sum(backup),
                most=sum(backup),
                discharge=self._most_discharge(seconds, controls.shutdown_soc),
                may_sell_battery=False,
                grid_charge=0.0,
            )
        self.running = not self._blackout
        return replace(flows, load=_add(home, backup), backup=backup, smart_load=smart_load)

    def _most_discharge(self, seconds: float, floor: float) -> float:
        """Return the watts that the battery can give for so long without falling below a SOC."""
        left = (
            max(0.0, self._stored - floor * self.installation.battery_capacity) * CHARGE_EFFICIENCY
        )
        return min(self.controls.discharge_current * self._voltage, left * 3600 / seconds)

    def _most_charge(self, seconds: float, ceiling: float) -> float:
        """Return the watts that the battery can take for so long without rising above a SOC."""
        room = (
            max(0.0, ceiling * self.installation.battery_capacity - self._stored)
            / CHARGE_EFFICIENCY
        )
        return min(self.charge_limit * self._voltage, room * 3600 / seconds)

    def _on_grid(
        self, seconds: float, pv: tuple[float, float], home: float, backup: float
    ) -> Flows:
        """Apply the work mode and the time-of-use table while the grid is there."""
        controls = self.controls
        selling_first = controls.work_mode is WorkMode.SELLING_FIRST
        sells = selling_first or controls.solar_sell
        served = backup
        if controls.work_mode is not WorkMode.ZERO_EXPORT_TO_LOAD:
            served += home
        # Without selling, a little power is always drawn, so that a sudden drop of the load exports nothing.
        rated = self.installation.rated_power
        need = min(max(0.0, served - (0.0 if sells else controls.zero_export_power)), rated)
        most = min(need + controls.max_sell_power, rated) if sells else need

        slot = self._slot()
        discharge = 0.0
        charge_to = 0.0
        if slot is not None:
            floor = max(controls.low_soc, slot.soc)
            discharge = min(slot.power, self._most_discharge(seconds, floor))
            if slot.grid_charge:
                charge_to = slot.soc
        elif not controls.time_of_use:
            # Without a table the battery is kept for an outage, and the grid may fill it at any time.
            charge_to = 1.0
        grid_charge = 0.0
        if controls.grid_charge and self.soc < charge_to:
            grid_charge = min(
                controls.grid_charge_current * self._voltage,
                self._most_charge(seconds, charge_to),
            )
        return self._dispatch(
            seconds,
            pv,
            need=need,
            most=most,
            discharge=discharge,
            may_sell_battery=selling_first and slot is not None,
            grid_charge=grid_charge,
        )

    def _dispatch(
        self,
        seconds: float,
        pv: tuple[float, float],
        *,
        need: float,
        most: float,
        discharge: float,
        may_sell_battery: bool,
        grid_charge: float,
    ) -> Flows:
        """Share the PV power out, then let the battery and the grid close the gap.

        `need` and `most` are AC watts that the inverter should and may deliver, the others are DC watts.
        """
        sunshine = sum(pv)
        room = self._most_charge(seconds, self.controls.full_soc)
        need_dc, most_dc = need / INVERTER_EFFICIENCY, most / INVERTER_EFFICIENCY
        if self.controls.load_first:
            to_load = min(sunshine, need_dc)
            charge = min(sunshine - to_load, room)
        else:
            charge = min(sunshine, room)
            to_load = min(sunshine - charge, need_dc)
        sold = min(sunshine - to_load - charge, most_dc - to_load)
        # What nobody takes is not produced.
        used = to_load + charge + sold
        if grid_charge > 0:
            ceiling = used + self.installation.rated_power * INVERTER_EFFICIENCY
            battery = -min(max(charge, grid_charge), room, ceiling)
        elif charge > 0:
            battery = -charge
        else:
            gap = (most_dc if may_sell_battery else need_dc) - to_load - sold
            battery = min(max(0.0, gap), discharge)
        dc = used + battery
        inverter = dc * INVERTER_EFFICIENCY if dc > 0 else dc / INVERTER_EFFICIENCY
        share = used / sunshine if sunshine > 0 else 0.0
        return Flows(
            pv=(pv[0] * share, pv[1] * share),
            battery=battery,
            inverter_phases=self.installation.spread(inverter),
        )


def _add(first: Phases, second: Iterable[float]) -> Phases:
    """Return the sum phase by phase."""
    l1, l2, l3 = (one + other for one, other in zip(first, second, strict=True))
    return l1, l2, l3


def _meters(flows: Flows) -> dict[str, float]:
    """Return the power that each energy counter counts; none is negative."""
    return {
        "pv": sum(flows.pv),
        "battery_charge": max(0.0, -flows.battery),
        "battery_discharge": max(0.0, flows.battery),
        "grid_import": max(0.0, flows.grid),
        "grid_export": max(0.0, -flows.grid),
        "load": sum(flows.load),
        "inverter": max(0.0, flows.inverter),
        "backup": sum(flows.backup),
        "generator": 0.0,
        **{f"pv{number}": power for number, power in enumerate(flows.pv, 1)},
        **_by_phase("import", (max(0.0, power) for power in flows.grid_phases)),
        **_by_phase("export", (max(0.0, -power) for power in flows.grid_phases)),
    }


def _by_phase(way: str, values: Iterable[float]) -> dict[str, float]:
    """Return what goes one way through the house connection, by counter."""
    return {f"grid_{phase}_{way}": value for phase, value in zip(PHASES, values, strict=True)}


# What a machine of some years has counted before; the 0.1 kWh totals need both of their words.
_FORMER_ENERGY: Final = {
    "pv": 21_487_300.0,
    "battery_charge": 8_214_900.0,
    "battery_discharge": 7_655_200.0,
    "grid_import": 9_120_400.0,
    "grid_export": 7_031_600.0,
    "load": 22_803_100.0,
    "inverter": 21_204_500.0,
    "backup": 10_377_800.0,
    "generator": 0.0,
    "pv1": 11_290_500.0,
    "pv2": 10_196_800.0,
}
_FORMER_IMPORT: Final[Phases] = (4_411_700.0, 3_052_900.0, 2_118_300.0)
_FORMER_EXPORT: Final[Phases] = (2_018_400.0, 2_533_600.0, 2_942_100.0)
