"""A plan in the making, for one order, on a device whose slots are windows: its settings, and what is told of them."""

from __future__ import annotations

from dataclasses import dataclass, field
import math
from typing import Final

from ..model.codec import as_number
from .order import ControlMode, ControlRefusedError, Order, Refusal
from .plan import Limited, Situation, Why
from .window_slots import has
from .words import Words

WORK_MODE: Final = "work_mode"
SELF_CONSUMPTION: Final = "self_consumption"
TIME_OF_USE: Final = "time_of_use"
BACKUP: Final = "backup"
PASSIVE: Final = "passive"
FLOOR: Final = "on_grid_discharge_floor"
CEILING: Final = "charge_upper_limit"
RESERVE: Final = "backup_reserve_soc"
# Whether a slot that discharges may feed the grid from the battery.
BATTERY_EXPORT: Final = "tou_export_from_battery"
OUTSIDE_MODE: Final = "tou_outside_mode"
STANDBY: Final = "standby"
PASSIVE_ACTION: Final = "passive_action"
GRID_CHARGE: Final = "grid_charge_power_limit"
GRID_DISCHARGE: Final = "grid_discharge_power_limit"
BATTERY_CHARGE: Final = "battery_charge_power_limit"
BATTERY_DISCHARGE: Final = "battery_discharge_power_limit"
EXPORT_MODE: Final = "export_limit_mode"
EXPORT_POWER: Final = "export_limit_power"
EXPORT_CURRENT: Final = "export_limit_current"

# Percent of the rated power: with 0 a slot goes on charging a little.
MIN_SHARE: Final = 1
MAX_SHARE: Final = 100
# Thousandths of the rated power: no limit.
NO_LIMIT: Final = 1100
# Volts by which a limit in amperes is one in watts.
NOMINAL_VOLTAGE: Final = 230


def known_soc(situation: Situation) -> float:
    """State of charge in percent; ControlRefusedError when it is not known."""
    if situation.soc is None:
        raise ControlRefusedError(Refusal.NO_SOC)
    return situation.soc


@dataclass(frozen=True, slots=True)
class Draft:
    """The words of a device while an order is put into them, and why less becomes of it."""

    order: Order
    situation: Situation
    words: Words
    limited: list[Limited] = field(default_factory=list)

    @property
    def soc(self) -> float:
        """State of charge in percent; ControlRefusedError when it is not known."""
        return known_soc(self.situation)

    def limit(self, why: Why, value: float | None = None) -> None:
        """Note why less becomes of the order, and what it is instead."""
        self.limited.append(Limited(why, value))

    def has(self, *keys: str) -> bool:
        """Whether the device has these settings."""
        return has(self.situation, *keys)

    def number(self, key: str) -> float:
        """What a setting holds; ControlRefusedError when that is no number."""
        if (number := as_number(self.words.value(key))) is None:
            raise ControlRefusedError(Refusal.NOT_READABLE, setting=key)
        return number

    def bound(self, key: str) -> float:
        """What a limit holds, in watts; infinite where the device has none."""
        number = as_number(self.words.value(key)) if self.has(key) else None
        return math.inf if number is None else number

    def changed(self, *keys: str) -> tuple[str, ...]:
        """Those of these settings that differ from what the owner has set."""
        registers, changed = self.situation.registers, self.words.changed
        return tuple(
            key for key in keys if key in registers and registers[key].addresses[0] in changed
        )

    def share(self, watts: float) -> int:
        """The percentage of the rated power that is nearest, and not nothing."""
        return min(max(round(watts * 100 / self.situation.rated_power), MIN_SHARE), MAX_SHARE)

    def watts(self, share: float) -> float:
        """Watts of a percentage of the rated power."""
        return share * self.situation.rated_power / 100

    def permille(self, watts: float) -> int:
        """The most thousandths of the rated power that are not more than this."""
        return min(math.floor(watts * 1000 / self.situation.rated_power), NO_LIMIT)

    def asked_power(self) -> float:
        """What was asked for in watts, or all that there is; ControlRefusedError when it is nothing."""
        power = self.order.power
        if power is not None and power <= 0:
            raise self.power_refused()
        return self.situation.rated_power if power is None else power

    def within(self, power: float, limit: str) -> float:
        """Watts that the device can do, with one of its limits."""
        most = min(self.situation.rated_power, self.bound(limit))
        if power > most:
            self.limit(Why.DEVICE_LIMIT, most)
        return min(power, most)

    def power_refused(self, most: float | None = None) -> ControlRefusedError:
        """The refusal of a power that is too small, or for which there is no more room than so many watts."""
        rated = self.situation.rated_power
        return ControlRefusedError(
            Refusal.POWER,
            minimum=self.watts(MIN_SHARE),
            maximum=rated if most is None else max(math.floor(most), 0),
        )

    def not_supported(self, nearest: ControlMode | None = None) -> ControlRefusedError:
        """The refusal of what this device cannot do, and what comes nearest to it, if anything does."""
        near = {} if nearest is None else {"nearest": nearest.value}
        return ControlRefusedError(Refusal.NOT_SUPPORTED, mode=self.order.mode.value, **near)

    def export_limit(self) -> int | None:
        """The tightest export limit that is in force, in thousandths of the rated power; None for none.

        A limit for each phase counts as if there were one. ControlRefusedError when it cannot be told.
        """
        match self.words.value(EXPORT_MODE):
            case "off":
                return None
            case "total_power" | "each_phase_power":
                return self.words.word(EXPORT_POWER)
            case "current" if self.has(EXPORT_CURRENT):
                return self.permille(self.number(EXPORT_CURRENT) * NOMINAL_VOLTAGE)
        raise ControlRefusedError(Refusal.NOT_READABLE, setting=EXPORT_MODE)

    def export_allowed(self) -> float | None:
        """What may be exported in watts; None where nothing limits it, or only each phase of its own."""
        if not self.has(EXPORT_MODE, EXPORT_POWER):
            return None
        mode = self.words.value(EXPORT_MODE)
        if mode == "total_power" or (mode == "each_phase_power" and not self.number(EXPORT_POWER)):
            return self.number(EXPORT_POWER)
        return None
