"""The settings of a JSO inverter, and what they mean: chapters 5.6, 5.7, 5.9 and 5.10 of its manual."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
import math

from .battery import Battery
from .orders import GeneratorOrders, Moment, Orders, PortOrders, PortUse


class WorkMode(StrEnum):
    """Where the inverter's power may go (manual 5.7)."""

    SELLING_FIRST = "selling_first"
    ZERO_EXPORT_TO_LOAD = "zero_export_to_load"
    ZERO_EXPORT_TO_CT = "zero_export_to_ct"


@dataclass(frozen=True, slots=True)
class Slot:
    """One row of the time-of-use table; it lasts until the next one starts."""

    start: int  # minutes after midnight
    power: float
    soc: float
    grid_charge: bool
    generator_charge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JsoControls:
    """What somebody has set: watts, amperes, hours, and SOC from 0 to 1."""

    enabled: bool = True
    work_mode: WorkMode = WorkMode.ZERO_EXPORT_TO_CT
    load_first: bool = True
    solar_sell: bool = False
    max_sell_power: float = 8000.0
    zero_export_power: float = 20.0
    max_solar_power: float = 10400.0
    # None is no peak shaving.
    grid_peak_shaving: float | None = None
    shutdown_soc: float = 0.20
    low_soc: float = 0.35
    restart_soc: float = 0.50
    # Where charging ends.
    full_soc: float = 1.0
    # Without one nothing goes in or out.
    battery: bool = True
    charge_current: float = 115.0
    discharge_current: float = 115.0
    grid_charge: bool = False
    grid_charge_current: float = 40.0
    generator_charge: bool = False
    generator_charge_current: float = 40.0
    generator_start_soc: float = 0.30
    generator_forced: bool = False
    generator_rated_power: float = 5000.0
    generator_peak_shaving: bool = False
    generator_most_run: float = 24.0
    generator_rest: float = 0.5
    generator_on_grid_input: bool = False
    port: PortUse = PortUse.GENERATOR
    # The smart load's, and the micro inverter's.
    on_soc: float = 1.0
    off_soc: float = 0.95
    smart_load_solar: float = 500.0
    smart_load_on_grid: bool = False
    export_cutoff: bool = False
    high_frequency: float = 52.0
    time_of_use: bool = True
    # Monday is 0.
    weekdays: frozenset[int] = frozenset(range(7))
    # No weekday at all means every day: some displays have no page for them.
    daily: bool = False
    # In order of their starts.
    slots: tuple[Slot, ...] = ()
    # A slot's power is also the most that the grid puts into the battery.
    slot_limits_grid_charge: bool = False

    def orders(self, moment: Moment) -> Orders:
        """What the settings mean at a moment."""
        slot, battery = self._slot(moment), moment.battery
        selling_first = self.work_mode is WorkMode.SELLING_FIRST
        sells = selling_first or self.solar_sell
        shaving = self.grid_peak_shaving
        return Orders(
            enabled=self.enabled,
            serves_home=self.work_mode is not WorkMode.ZERO_EXPORT_TO_LOAD,
            load_first=self.load_first,
            least_import=0.0 if sells else self.zero_export_power,
            export=self.max_sell_power if sells else 0.0,
            sells_battery=selling_first and slot is not None,
            grid_import=math.inf if shaving is None else shaving,
            shaving_floor=1.0 if shaving is None else self.low_soc,
            solar=self.max_solar_power,
            charge=battery.charge_power(self.charge_current) if self.battery else 0.0,
            discharge=battery.discharge_power(self.discharge_current) if self.battery else 0.0,
            full=self.full_soc,
            # Without a table the battery is kept for an outage.
            to_load=0.0 if slot is None else slot.power,
            floor=self.low_soc if slot is None else max(self.low_soc, slot.soc),
            grid_charge=self._grid_charge_power(slot, battery),
            grid_charge_to=self._grid_charge_to(slot),
            shutdown=self.shutdown_soc,
            restart=self.restart_soc,
            port=PortOrders(
                use=self.port,
                generator=self._generator(slot, battery),
                on_soc=self.on_soc,
                off_soc=self.off_soc,
                least_solar=self.smart_load_solar,
                on_grid=self.smart_load_on_grid,
                forced=self.generator_forced,
                export_cutoff=self.export_cutoff,
                high_frequency=self.high_frequency,
            ),
        )

    def _slot(self, moment: Moment) -> Slot | None:
        """The time-of-use slot in force, if any."""
        clock = moment.clock
        if not self.time_of_use or not self.slots:
            return None
        if clock.weekday() not in self.weekdays and (self.weekdays or not self.daily):
            return None
        minute = clock.hour * 60 + clock.minute
        # Before the first slot of the day the last one of the day before still runs.
        return next((slot for slot in reversed(self.slots) if slot.start <= minute), self.slots[-1])

    def _grid_charge_to(self, slot: Slot | None) -> float:
        """The SOC up to which the grid fills the battery; without a table it may do so at any time."""
        if not self.grid_charge:
            return 0.0
        if slot is None:
            return 0.0 if self.time_of_use else 1.0
        return slot.soc if slot.grid_charge else 0.0

    def _grid_charge_power(self, slot: Slot | None, battery: Battery) -> float:
        """The most that the grid puts into the battery."""
        power = battery.charge_power(self.grid_charge_current)
        if slot is not None and self.slot_limits_grid_charge:
            return min(power, slot.power)
        return power

    def _generator(self, slot: Slot | None, battery: Battery) -> GeneratorOrders:
        """When the generator runs: from its start SOC until the battery is full, or for a slot's SOC."""
        start, stop = self.generator_start_soc, self.full_soc
        if slot is not None and slot.generator_charge:
            start = stop = max(start, slot.soc)
        charge = battery.charge_power(self.generator_charge_current)
        return GeneratorOrders(
            start_soc=start,
            stop_soc=stop if self.generator_charge else 0.0,
            forced=self.generator_forced,
            charge=charge if self.generator_charge else 0.0,
            rated_power=self.generator_rated_power,
            peak_shaving=self.generator_peak_shaving,
            most_run=self.generator_most_run,
            rest=self.generator_rest,
            on_grid_input=self.generator_on_grid_input,
        )
