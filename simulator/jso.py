"""A JSO8048104 as it looks from the wire: what its registers mean to the physics, and which values it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from itertools import pairwise
from typing import ClassVar, Final

from custom_components.hybrid_inverter.modbus.errors import InvalidValueError
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.condition import BY_VOLTAGE
from custom_components.hybrid_inverter.modbus.model.register import Ref, Register, Tier
from custom_components.hybrid_inverter.modbus.model.slots import START_SLOTS
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from . import jso8048104 as data
from .inverter_machine import InverterMachine
from .jso_readings import bms, powers, readings
from .pdu import WRITE_MULTIPLE
from .physics import Inverter, JsoControls, PortUse, Slot, WorkMode

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class JsoMachine(InverterMachine):
    """The registers of one JSO8048104."""

    write_functions: ClassVar[frozenset[int]] = frozenset({WRITE_MULTIPLE})

    def __init__(
        self,
        inverter: Inverter,
        *,
        serial_number: str = data.SERIAL_NUMBER,
        unit: int = 1,
        readable: Sequence[tuple[int, int]] | None = None,
        packs: bool | None = None,
        timer: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Fill the registers; `readable` stands in for the ranges that are served, `packs` adds those of a battery."""
        # All that a machine of the family can have; what it does not serve, nobody sees.
        family = FAMILIES["jso"]
        family = family.fitted([feature.key for feature in family.features], None)
        self._rows = [
            row for row in family.registers.values() if row.tier not in (None, Tier.READ_ONLY)
        ]
        self._bounds = {
            bound.key
            for row in self._rows
            if row.limits is not None
            for bound in (row.limits.minimum, row.limits.maximum)
            if isinstance(bound, Ref)
        }
        super().__init__(
            inverter,
            family,
            model=data.NAME,
            unit=unit,
            registers=family.readable,
            readable=(
                *(data.READABLE if readable is None else readable),
                *(data.PACK_BLOCKS if packs else ()),
            ),
            writable=frozenset(address for row in self._rows for address in row.addresses),
            timer=timer,
        )
        self._store(dict.fromkeys(data.NOT_IMPLEMENTED, 0xFFFF))
        self._store(dict.fromkeys(data.PAIR_WORDS, data.ALL_PAIRS_DISABLED))
        own: dict[str, Value] = {
            "serial_number": serial_number,
            "modbus_address": unit,
            "communication_address": unit,
        }
        for key, value in {**data.IDENTITY, **own, **data.SETTINGS, **data.PACKS}.items():
            self._put(key, value)
        self._obey()

    def _judge(self, words: Mapping[int, int]) -> dict[int, int]:
        """The words that the machine will hold; a value it refuses is silently replaced by the old one."""
        image = {**self._image, **words}
        for place in words.keys() & set(data.PAIR_WORDS):
            image[place] = _merge_pairs(self._image[place], words[place])
        starts = {place: self._image[place] for place in self._slot_starts() if place in words}
        if starts and not self._in_order(image):
            image.update(starts)
        # Taking one value back can break the bounds of another one, so it goes on until all fit.
        while refused := [
            row
            for row in self._rows
            if words.keys() & set(row.addresses) and not self._fits(row, image)
        ]:
            for row in refused:
                mask = 0xFFFF if row.mask is None else row.mask
                for place in row.addresses:
                    image[place] = image[place] & ~mask & 0xFFFF | self._image[place] & mask
        return {place: image[place] for place in words}

    def _fits(self, row: Register, image: Mapping[int, int]) -> bool:
        """Whether a row of an image is something that the machine accepts; what it already holds always is."""
        if all(image[place] == self._image[place] for place in row.addresses):
            return True
        value = row.decode(image)
        if value is None:
            return False
        try:
            row.check(
                value, {key: self.family.registers[key].decode(image) for key in self._bounds}
            )
        except InvalidValueError:
            return False
        return True

    def _slot_starts(self) -> list[int]:
        return [self.family.registers[f"tou_slot_{n}_time"].addresses[0] for n in START_SLOTS]

    def _in_order(self, image: Mapping[int, int]) -> bool:
        """Whether the slots of a day start one after the other."""
        starts = [image[place] for place in self._slot_starts()]
        return all(first <= second for first, second in pairwise(starts))

    def _commit(self, words: Mapping[int, int]) -> None:
        """Make words effective; a clock that was set runs on from there."""
        super()._commit(words)
        clock = self.family.registers["system_time"]
        if words.keys() & set(clock.addresses) and isinstance(
            set_to := clock.decode(self._image), datetime
        ):
            self.inverter.clock = set_to

    def _slots(self) -> tuple[Slot, ...]:
        """The slots in the order in which they begin; one of which the start is no time is left out.

        24:00 is the midnight that the next day begins with. Of those that start at the same time the last one counts.
        """
        slots = []
        for number in START_SLOTS:
            start = self._setting(f"tou_slot_{number}_time")
            if isinstance(start, time):
                slots.append(self._slot(number, start))
        return tuple(sorted(slots, key=lambda slot: slot.start))

    def _slot(self, number: int, start: time) -> Slot:
        return Slot(
            start=start.hour * 60 + start.minute,
            power=self._number(f"tou_slot_{number}_power"),
            soc=self._threshold(f"tou_slot_{number}"),
            grid_charge=self._is(f"tou_slot_{number}_grid_charge"),
            generator_charge=self._is(f"tou_slot_{number}_generator_charge"),
        )

    def _obey(self) -> None:
        """Hand the settings to the inverter."""
        mode, port = self._setting("work_mode"), self._setting("generator_port_mode")
        number, threshold = self._number, self._threshold
        self.inverter.controls = JsoControls(
            enabled=self._is("inverter_enabled"),
            work_mode=WorkMode(mode) if isinstance(mode, str) else WorkMode.ZERO_EXPORT_TO_CT,
            load_first=self._is("energy_pattern", "load_first"),
            solar_sell=self._is("solar_sell"),
            max_sell_power=number("max_sell_power"),
            zero_export_power=number("zero_export_power"),
            max_solar_power=number("max_solar_power"),
            grid_peak_shaving=(
                number("grid_peak_shaving_power") if self._is("grid_peak_shaving") else None
            ),
            shutdown_soc=threshold("battery_shutdown"),
            low_soc=threshold("battery_low"),
            restart_soc=threshold("battery_restart"),
            battery=not self._is("battery_operation_mode", "no_battery"),
            charge_current=number("battery_max_charge_current"),
            discharge_current=number("battery_max_discharge_current"),
            grid_charge=self._is("grid_charge_enabled"),
            grid_charge_current=number("grid_charge_current"),
            generator_charge=self._is("generator_charge_enabled"),
            generator_charge_current=number("generator_charge_current"),
            generator_start_soc=threshold("generator_charge_start"),
            generator_forced=self._is("generator_force"),
            generator_rated_power=number("generator_rated_power"),
            generator_peak_shaving=self._is("generator_peak_shaving"),
            generator_most_run=number("generator_max_run_time"),
            generator_rest=number("generator_down_time"),
            generator_on_grid_input=self._is("generator_on_grid_input"),
            port=PortUse(port) if isinstance(port, str) else PortUse.NOTHING,
            on_soc=threshold("smart_load_on"),
            off_soc=threshold("smart_load_off"),
            smart_load_solar=number("smart_load_min_solar_power"),
            smart_load_on_grid=self._is("on_grid_always_on"),
            export_cutoff=self._is("microinverter_export_cutoff"),
            high_frequency=number("ac_couple_frequency_high"),
            time_of_use=self._is("tou_enabled"),
            weekdays=frozenset(day for day, name in enumerate(WEEKDAYS) if self._is(f"tou_{name}")),
            daily=self.trouble.daily_table,
            slots=self._slots(),
            slot_limits_grid_charge=self.trouble.slot_limits_grid_charge,
        )

    def _threshold(self, key: str) -> float:
        """A SOC that is set in percent, or in volts where the battery is run by its voltage (manual 5.6)."""
        if BY_VOLTAGE.is_met({key: self._setting(key) for key in BY_VOLTAGE.keys}):
            return self.inverter.battery.cells.soc_at(self._number(f"{key}_voltage"))
        return self._number(f"{key}_soc") / 100

    def _publish_trouble(self) -> None:
        faults = self.trouble.faults
        outage = self.trouble.outage or not self.inverter.site.grid.present
        if outage:
            faults |= {data.NO_GRID}
        self._put("fault", faults)
        status = "normal" if self.inverter.running else "standby"
        if self.trouble.faults:
            status = "fault"
        elif outage:
            status = "alarm"
        self._put("status", status)

    def measured(self) -> Mapping[str, Value]:
        """Powers, voltages and currents, and what the battery reports of its own."""
        return powers(self.inverter, built_in=self.trouble.internal_clamp) | bms(self.inverter)

    def _publish(self) -> None:
        """Put what the inverter shows into the registers."""
        shown = readings(self.inverter, built_in=self.trouble.internal_clamp)
        shown["power_switch_state"] = self._is("inverter_enabled")
        for key, value in shown.items():
            self._put(key, value)
        for low, high, count in data.HIGH_WORDS:
            self._store(
                {high + n: 0xFFFF if self._image[low + n] & 0x8000 else 0 for n in range(count)}
            )


def _merge_pairs(old: int, new: int) -> int:
    """A word of two-bit pairs after a write: pairs with a high bit of 0 stay as they were."""
    touched = (new & 0xAAAA) | (new & 0xAAAA) >> 1
    return new & touched | old & ~touched & 0xFFFF
