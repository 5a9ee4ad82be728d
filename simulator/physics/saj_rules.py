"""The settings of a SAJ inverter, and what they mean: its configuration instructions, "Export limit" and "Working mode"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
import math
from typing import Final

from .orders import Moment, Orders

# Volts by which an export limit in amperes is one in watts.
NOMINAL_VOLTAGE: Final = 230.0
# Without a grid the output comes back when there is so much more in the battery than where it went off.
RESTART_MARGIN: Final = 0.05


class SajMode(StrEnum):
    """What the battery is for. Modes of the vendor's app and the factory behave like the first one."""

    SELF_CONSUMPTION = "self_consumption"
    TIME_OF_USE = "time_of_use"
    BACKUP = "backup"
    PASSIVE = "passive"


class ExportLimit(StrEnum):
    """What limits the power that flows into the grid."""

    OFF = "off"
    TOTAL_POWER = "total_power"
    CURRENT = "current"
    EACH_PHASE = "each_phase_power"


class Action(StrEnum):
    """What somebody outside orders in passive mode."""

    STANDBY = "standby"
    DISCHARGE = "discharge"
    CHARGE = "charge"


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day in which the battery is charged or discharged: minutes, weekdays (Monday is 0), watts."""

    start: int
    end: int
    days: frozenset[int]
    power: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SajControls:
    """What somebody has set: watts, amperes per phase, and SOC from 0 to 1."""

    mode: SajMode = SajMode.SELF_CONSUMPTION
    on_grid_floor: float = 0.20
    off_grid_floor: float = 0.10
    charge_limit: float = 1.0
    reserve: float = 0.60
    battery_charge_power: float = math.inf
    battery_discharge_power: float = math.inf
    grid_charge_power: float = math.inf
    grid_discharge_power: float = math.inf
    export_limit: ExportLimit = ExportLimit.OFF
    export_power: float = math.inf
    export_current: float = math.inf
    charge_windows: tuple[Window, ...] = ()
    discharge_windows: tuple[Window, ...] = ()
    # The power of a window limits its charge.
    window_limits_charge: bool = True
    # Outside of the windows the battery serves the house, or rests; within one it may feed the grid, or not.
    outside_self_consumption: bool = True
    battery_export: bool = False
    action: Action = Action.STANDBY
    passive_battery_charge: float = math.inf
    passive_battery_discharge: float = math.inf
    passive_grid_charge: float = math.inf
    passive_grid_discharge: float = math.inf

    def orders(self, moment: Moment) -> Orders:
        """What the settings mean at a moment."""
        serving = self._serving()
        match self.mode:
            case SajMode.TIME_OF_USE:
                return self._in_time_of_use(serving, moment)
            case SajMode.BACKUP:
                return self._in_backup(serving, moment)
            case SajMode.PASSIVE:
                return self._in_passive(serving)
        return serving

    def _serving(self) -> Orders:
        """The orders of self-consumption: loads, then the battery, then the grid."""
        each = {
            ExportLimit.CURRENT: self.export_current * NOMINAL_VOLTAGE,
            ExportLimit.EACH_PHASE: self.export_power,
        }
        whole = self.export_power if self.export_limit is ExportLimit.TOTAL_POWER else math.inf
        return Orders(
            export=min(whole, self.grid_discharge_power),
            phase_export=each.get(self.export_limit, math.inf),
            charge=self.battery_charge_power,
            discharge=self.battery_discharge_power,
            full=self.charge_limit,
            to_load=math.inf,
            floor=self.on_grid_floor,
            shutdown=self.off_grid_floor,
            restart=self.off_grid_floor + RESTART_MARGIN,
        )

    def _charging(self, serving: Orders, watts: float, up_to: float) -> Orders:
        """The orders that fill the battery from PV and grid up to a SOC, and take nothing out of it."""
        return replace(
            serving,
            load_first=False,
            to_load=0.0,
            grid_charge=min(watts, self.grid_charge_power, serving.charge),
            grid_charge_to=up_to,
        )

    def _discharging(self, serving: Orders, watts: float) -> Orders:
        """The orders that give power to the house, and so much more to the grid."""
        return replace(serving, charge=0.0, sells_battery=True, export=min(watts, serving.export))

    def _in_backup(self, serving: Orders, moment: Moment) -> Orders:
        """Keep a reserve, filled from wherever power comes; what is above it serves the house."""
        if moment.battery.soc < self.reserve:
            return self._charging(serving, math.inf, self.reserve)
        return replace(serving, floor=max(serving.floor, self.reserve))

    def _in_time_of_use(self, serving: Orders, moment: Moment) -> Orders:
        """Only charge, or only discharge, as the window in force says; else do what is set for the other times."""
        for power in _in_force(self.charge_windows, moment):
            most = power if self.window_limits_charge else math.inf
            return self._charging(serving, most, self.charge_limit)
        for power in _in_force(self.discharge_windows, moment):
            if self.battery_export:
                # A power of the battery: the sun adds to it.
                return replace(serving, charge=0.0, sells_battery=True, sells=power)
            return replace(serving, charge=0.0)
        if self.outside_self_consumption:
            return serving
        return replace(serving, charge=0.0, to_load=0.0)

    def _in_passive(self, serving: Orders) -> Orders:
        """Do what somebody outside has ordered."""
        limited = replace(
            serving,
            charge=min(serving.charge, self.passive_battery_charge),
            discharge=min(serving.discharge, self.passive_battery_discharge),
        )
        match self.action:
            case Action.CHARGE:
                return self._charging(limited, self.passive_grid_charge, self.charge_limit)
            case Action.DISCHARGE:
                return self._discharging(limited, self.passive_grid_discharge)
        return replace(limited, charge=0.0, to_load=0.0)


def _in_force(windows: tuple[Window, ...], moment: Moment) -> Iterator[float]:
    """The power of each window that is on now."""
    clock = moment.clock
    minute, day = clock.hour * 60 + clock.minute, clock.weekday()
    return (
        window.power
        for window in windows
        if window.start <= minute < window.end and day in window.days
    )
