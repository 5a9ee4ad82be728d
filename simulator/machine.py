"""A JSO8048104 as it looks from the wire: registers, their rules, and the trouble such machines make.

It takes request PDUs and gives answer PDUs; framing, unit ids and timing are the server's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from itertools import pairwise
import math
import struct
from typing import Final

from custom_components.hybrid_inverter.modbus.errors import InvalidValueError
from custom_components.hybrid_inverter.modbus.family import Family
from custom_components.hybrid_inverter.modbus.register import Number, Ref, Register, Tier, Value
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from . import jso8048104 as model
from .plant import BATTERY_CAPACITY, Controls, Plant, Slot, WorkMode

READ_HOLDING: Final = 0x03
WRITE_SINGLE: Final = 0x06
WRITE_MULTIPLE: Final = 0x10
MOST_READ: Final = 125
MOST_WRITTEN: Final = 123

ILLEGAL_FUNCTION: Final = 1
ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3
BUSY: Final = 6

SLOTS: Final = range(1, 7)
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PHASES: Final = ("l1", "l2", "l3")
# In series, in each pack.
CELLS: Final = 16


class Refusal(Exception):
    """The machine answers a request with an exception code."""

    def __init__(self, code: int) -> None:
        """Keep the code (Modbus application protocol section 7)."""
        super().__init__(f"Modbus exception {code}")
        self.code = code


class Silence(Exception):
    """The machine gives no answer to a request."""


@dataclass(frozen=True, slots=True)
class Write:
    """A write request that arrived, whether or not it was obeyed."""

    function: int
    address: int
    values: tuple[int, ...]
    # Seconds of the machine's `timer`.
    time: float
    # The exception it was answered with; 0 is an acknowledgement.
    exception: int = 0


@dataclass(slots=True)
class Trouble:
    """What is wrong with the machine at the moment; everything off is a machine in order."""

    # Seconds until a written value can be read back.
    slow_commit: float = 0.0
    # Seconds after which a written value goes back to what it was.
    reverting: float = 0.0
    # Writes are acknowledged and ignored ("Lock out all changes").
    locked: bool = False
    # Every request is answered with exception 6.
    busy: bool = False
    # No request is answered.
    silent: bool = False
    # Fault bits that are set: bit n is fault F(n + 1).
    faults: frozenset[int] = frozenset()
    # The grid is gone.
    outage: bool = False


@dataclass(order=True, slots=True)
class _Change:
    """Words that take effect at a time of the timer."""

    due: float
    words: dict[int, int] = field(compare=False)


class Machine:
    """The registers of one inverter, fed by one plant."""

    def __init__(
        self,
        plant: Plant,
        *,
        serial_number: str = model.SERIAL_NUMBER,
        unit: int = 1,
        family: Family = FAMILIES["jso"],
        readable: Sequence[tuple[int, int]] | None = None,
        packs: model.Packs = model.Packs.REFUSED,
        timer: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Fill the registers; `readable` stands in for the family's ranges, `timer` counts seconds for the trouble."""
        self.plant = plant
        # All that a machine of the family can have; what it does not serve, nobody sees.
        self.family = family.fitted([feature.key for feature in family.features], None)
        self.packs = packs
        self.unit = unit
        self.trouble = Trouble()
        self.writes: list[Write] = []
        self._timer = timer
        self._changes: list[_Change] = []
        self._published_at: datetime | None = None
        self._rows = [
            row for row in self.family.registers.values() if row.tier not in (None, Tier.READ_ONLY)
        ]
        self._writable = frozenset(address for row in self._rows for address in row.addresses)
        self._bounds = {
            bound.key
            for row in self._rows
            if row.limits is not None
            for bound in (row.limits.minimum, row.limits.maximum)
            if isinstance(bound, Ref)
        }
        self._image = dict.fromkeys(_addresses(family.readable), 0)
        # An old firmware serves less than the table knows.
        self._served = frozenset(
            place
            for place in _addresses(family.readable if readable is None else readable)
            if place < model.PACKS_FROM or packs is model.Packs.SERVED
        )
        self._store(dict.fromkeys(model.NOT_IMPLEMENTED, 0xFFFF))
        self._store(dict.fromkeys(model.PAIR_WORDS, model.ALL_PAIRS_DISABLED))
        own: dict[str, Value] = {
            "serial_number": serial_number,
            "modbus_address": unit,
            "communication_address": unit,
        }
        constant = {**model.IDENTITY, **own, **model.SETTINGS, **model.PACKS_SERVED}
        for key, value in constant.items():
            self._put(key, value)
        self._obey()

    # What a test or a person in front of the machine can do

    @property
    def serial_number(self) -> str:
        """Return the serial number that the machine reports."""
        return str(self.value("serial_number"))

    def word(self, address: int) -> int:
        """Return a raw register as a read would serve it now; KeyError when it is not readable."""
        if address not in self._served:
            raise KeyError(address)
        self._refresh()
        return self._image[address]

    def value(self, key: str) -> Value | None:
        """Return the value of a row of the table as a read would give it now."""
        self._refresh()
        return self.family.registers[key].decode(self._image)

    def panel_change(self, address: int, value: int) -> None:
        """Set a raw register as if somebody did it on the display: no questions asked."""
        if address not in self._served:
            raise KeyError(address)
        self._refresh()
        self._commit({address: value})

    def step(self, seconds: float) -> None:
        """Let plant time pass."""
        self._settle()
        self.plant.step(seconds)

    # The wire

    def respond(self, pdu: bytes) -> bytes | None:
        """Return the answer to a request PDU, or None when the machine stays silent."""
        if self.trouble.silent or not pdu:
            return None
        try:
            return self._answer(pdu)
        except Refusal as refusal:
            return bytes((pdu[0] | 0x80, refusal.code))
        except Silence:
            return None

    def _answer(self, pdu: bytes) -> bytes:
        if self.trouble.busy:
            raise Refusal(BUSY)
        if pdu[0] == READ_HOLDING and len(pdu) == 5:
            words = self.read(*struct.unpack(">HH", pdu[1:]))
            return struct.pack(f">BB{len(words)}H", READ_HOLDING, 2 * len(words), *words)
        if pdu[0] == WRITE_MULTIPLE and len(pdu) >= 6:
            return self._answer_write(pdu)
        if pdu[0] == WRITE_SINGLE and len(pdu) == 5:
            # Not served, but whoever tries it wants to be seen.
            address, value = struct.unpack(">HH", pdu[1:])
            self._record(WRITE_SINGLE, address, (value,), ILLEGAL_FUNCTION)
        raise Refusal(ILLEGAL_FUNCTION)

    def _answer_write(self, pdu: bytes) -> bytes:
        address, count, size = struct.unpack(">HHB", pdu[1:6])
        if size != 2 * count or len(pdu) != 6 + size:
            raise Refusal(ILLEGAL_VALUE)
        values = struct.unpack(f">{count}H", pdu[6:])
        try:
            self.write(address, values)
        except Refusal as refusal:
            self._record(WRITE_MULTIPLE, address, values, refusal.code)
            raise
        self._record(WRITE_MULTIPLE, address, values, 0)
        return pdu[:5]

    def _record(self, function: int, address: int, values: tuple[int, ...], exception: int) -> None:
        self.writes.append(Write(function, address, values, self._timer(), exception))

    def read(self, address: int, count: int) -> list[int]:
        """Return raw registers; Refusal as the real machine refuses, Silence where it does not answer."""
        if not 1 <= count <= MOST_READ:
            raise Refusal(ILLEGAL_VALUE)
        places = range(address, address + count)
        if self.packs is model.Packs.SILENT and places[-1] >= model.PACKS_FROM:
            raise Silence
        if not self._served.issuperset(places):
            raise Refusal(ILLEGAL_ADDRESS)
        self._refresh()
        return [self._image[place] for place in places]

    def write(self, address: int, values: Sequence[int]) -> None:
        """Take raw registers; what the machine does not want it silently keeps as it was."""
        if not 1 <= len(values) <= MOST_WRITTEN:
            raise Refusal(ILLEGAL_VALUE)
        words = dict(enumerate(values, address))
        if not words.keys() <= self._writable & self._served:
            raise Refusal(ILLEGAL_ADDRESS)
        self._refresh()
        if self.trouble.locked:
            return
        accepted = self._judge(words)
        before = {place: self._image[place] for place in accepted}
        now = self._timer()
        effective = now + self.trouble.slow_commit
        if self.trouble.slow_commit > 0:
            self._changes.append(_Change(effective, accepted))
        else:
            self._commit(accepted)
        if self.trouble.reverting > 0:
            self._changes.append(_Change(effective + self.trouble.reverting, before))

    def _judge(self, words: Mapping[int, int]) -> dict[int, int]:
        """Return the words that the machine will hold; a value it refuses is replaced by the old one."""
        image = {**self._image, **words}
        for place in words.keys() & set(model.PAIR_WORDS):
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
        return [self.family.registers[f"tou_slot_{n}_time"].addresses[0] for n in SLOTS]

    def _in_order(self, image: Mapping[int, int]) -> bool:
        """Whether the slots of a day start one after the other."""
        starts = [image[place] for place in self._slot_starts()]
        return all(first <= second for first, second in pairwise(starts))

    def _commit(self, words: Mapping[int, int]) -> None:
        """Make words effective."""
        self._store(words)
        clock = self.family.registers["system_time"]
        if words.keys() & set(clock.addresses) and isinstance(
            set_to := clock.decode(self._image), datetime
        ):
            self.plant.clock = set_to
        self._obey()

    def _store(self, words: Mapping[int, int]) -> None:
        self._image.update((place, word) for place, word in words.items() if place in self._image)

    def _put(self, key: str, value: Value) -> None:
        """Store a value with the table's codec, on the grid that the register can hold."""
        row = self.family.registers[key]
        if isinstance(row.codec, Number) and isinstance(value, float):
            value = round(value / row.codec.scale) * row.codec.scale
        words = row.encode(value, self._image)
        self._store(dict(zip(row.addresses, words, strict=True)))

    # Between the registers and the plant

    def _number(self, key: str) -> float:
        """Return a setting as a number; one without a value counts as 0."""
        value = self.family.registers[key].decode(self._image)
        return float(value) if isinstance(value, (int, float)) else 0.0

    def _is(self, key: str, wanted: Value = True) -> bool:
        """Whether a setting has this value."""
        return self.family.registers[key].decode(self._image) == wanted

    def _slot(self, number: int) -> Slot:
        start = self.family.registers[f"tou_slot_{number}_time"].decode(self._image)
        return Slot(
            start=start.hour * 60 + start.minute if isinstance(start, time) else 0,
            power=self._number(f"tou_slot_{number}_power"),
            soc=self._number(f"tou_slot_{number}_soc") / 100,
            grid_charge=self._is(f"tou_slot_{number}_grid_charge"),
        )

    def _obey(self) -> None:
        """Hand the settings to the plant."""
        mode = self.family.registers["work_mode"].decode(self._image)
        self.plant.controls = Controls(
            enabled=self._is("inverter_enabled"),
            work_mode=WorkMode(mode) if isinstance(mode, str) else self.plant.controls.work_mode,
            load_first=self._is("energy_pattern", "load_first"),
            solar_sell=self._is("solar_sell"),
            grid_charge=self._is("grid_charge_enabled"),
            max_sell_power=self._number("max_sell_power"),
            zero_export_power=self._number("zero_export_power"),
            max_solar_power=self._number("max_solar_power"),
            shutdown_soc=self._number("battery_shutdown_soc") / 100,
            low_soc=self._number("battery_low_soc") / 100,
            restart_soc=self._number("battery_restart_soc") / 100,
            charge_current=self._number("battery_max_charge_current"),
            discharge_current=self._number("battery_max_discharge_current"),
            grid_charge_current=self._number("grid_charge_current"),
            smart_load=self._is("generator_port_mode", "smart_load_output"),
            smart_load_always=self._is("on_grid_always_on"),
            smart_load_on_soc=self._number("smart_load_on_soc") / 100,
            smart_load_off_soc=self._number("smart_load_off_soc") / 100,
            smart_load_solar=self._number("smart_load_min_solar_power"),
            time_of_use=self._is("tou_enabled"),
            weekdays=frozenset(day for day, name in enumerate(WEEKDAYS) if self._is(f"tou_{name}")),
            slots=tuple(self._slot(number) for number in SLOTS),
        )

    def _settle(self) -> None:
        """Let the changes take effect that are due, and the trouble reach the plant."""
        now = self._timer()
        for change in sorted(change for change in self._changes if change.due <= now):
            self._changes.remove(change)
            self._commit(change.words)
        self.plant.grid_present = not self.trouble.outage

    def _refresh(self) -> None:
        """Bring the image up to date with the plant."""
        self._settle()
        self._publish_trouble()
        if self._published_at != self.plant.clock:
            self._published_at = self.plant.clock
            self._publish()

    def _publish_trouble(self) -> None:
        faults = self.trouble.faults
        if self.trouble.outage:
            faults |= {model.NO_GRID}
        self._put("fault", faults)
        status = "normal" if self.plant.running else "standby"
        if self.trouble.faults:
            status = "fault"
        elif self.trouble.outage:
            status = "alarm"
        self._put("status", status)

    def _publish(self) -> None:
        """Put what the plant shows into the registers."""
        plant, flows = self.plant, self.plant.flows
        shown = {**self._battery(), **self._packs(), **self._weather(), **self._energies()}
        for key, value in shown.items():
            self._put(key, value)
        # Rounded phase by phase and then added, so that the sums hold to the watt in the registers too.
        inverter = [round(power) for power in flows.inverter_phases]
        grid = [round(power) for power in flows.grid_phases]
        backup = [round(power) for power in flows.backup]
        smart_load = [round(flows.smart_load / 3)] * 3
        self._put_phases("inverter", inverter)
        self._put_phases("grid", grid)
        self._put_phases("grid", grid, "ct_power")
        self._put_phases("backup", backup)
        self._put_phases("load", [ct + own for ct, own in zip(grid, inverter, strict=True)])
        internal = [out - own for out, own in zip(backup, inverter, strict=True)]
        self._put_phases("grid", internal, "internal_power")
        self._put_phases("generator", smart_load)
        self._put("inverter_apparent_power", sum(inverter))
        for phase, grid_volts, volts, *powers in zip(
            PHASES,
            plant.grid_voltages,
            plant.output_voltages,
            inverter,
            grid,
            internal,
            smart_load,
            strict=True,
        ):
            amperes = [power / volts if volts else 0.0 for power in powers]
            self._put(f"grid_{phase}_voltage", grid_volts)
            self._put(f"inverter_{phase}_voltage", volts)
            self._put(f"backup_{phase}_voltage", volts)
            self._put(f"inverter_{phase}_current", amperes[0])
            self._put(f"grid_{phase}_current", amperes[1])
            self._put(f"grid_{phase}_internal_current", amperes[2])
            self._put(f"generator_{phase}_voltage", volts if powers[3] else 0.0)
        self._put("system_time", plant.clock.replace(microsecond=0))
        for low, high, count in model.HIGH_WORDS:
            self._store(
                {high + n: 0xFFFF if self._image[low + n] & 0x8000 else 0 for n in range(count)}
            )

    def _put_phases(self, port: str, powers: Sequence[int], suffix: str = "power") -> None:
        for phase, power in zip(PHASES, powers, strict=True):
            self._put(f"{port}_{phase}_{suffix}", power)
        self._put(f"{port}_{suffix}", sum(powers))

    def _battery(self) -> dict[str, float]:
        """Return what the battery pages show."""
        plant = self.plant
        percent = round(plant.soc * 100)
        temperature = plant.battery_temperature
        return {
            "battery_soc": percent,
            "battery_voltage": plant.battery_voltage,
            "battery_current": plant.battery_current,
            "battery_power": plant.flows.battery,
            "battery_temperature": temperature,
            "battery_corrected_capacity": round(BATTERY_CAPACITY / 51.2),
            "bms_charge_voltage": 57.6,
            "bms_discharge_voltage": 46.0,
            "bms_charge_current_limit": round(plant.charge_limit),
            "bms_discharge_current_limit": 150,
            "bms_soc": percent,
            "bms_voltage": plant.battery_voltage,
            "bms_current": round(plant.battery_current),
            "bms_temperature": temperature,
            "bms_max_charge_current": 150,
            "bms_max_discharge_current": 150,
            "battery_soh": 98,
        }

    def _packs(self) -> dict[str, float]:
        """Return what the two packs of the battery show: half of its current each, and cells a little apart."""
        plant = self.plant
        shown: dict[str, float] = {}
        for name in ("pack_1", "pack_2"):
            shown |= {
                f"{name}_voltage": plant.battery_voltage,
                f"{name}_current": plant.battery_current / 2,
                f"{name}_soc": plant.soc * 100,
                f"{name}_temperature": plant.battery_temperature,
                f"{name}_cell_temperature_max": plant.battery_temperature + 1,
                f"{name}_cell_temperature_min": plant.battery_temperature - 1,
                f"{name}_cell_voltage_max": plant.battery_voltage / CELLS + 0.004,
                f"{name}_cell_voltage_min": plant.battery_voltage / CELLS - 0.004,
            }
        return shown

    def _weather(self) -> dict[str, Value]:
        """Return what depends on the sun and the grid: strings, temperatures, relays, frequencies."""
        plant = self.plant
        on = plant.running
        strings: dict[str, Value] = {}
        for number, power in enumerate(plant.flows.pv, 1):
            # A loaded string sits near its best point; by night nothing is left.
            volts = 590 - 0.006 * power if power >= 1 else 0.0
            strings[f"pv{number}_power"] = round(power)
            strings[f"pv{number}_voltage"] = volts
            strings[f"pv{number}_current"] = power / volts if volts else 0.0
        return {
            **strings,
            "heatsink_temperature": plant.heatsink_temperature,
            # Machines of this kind have no sensor here.
            "dc_temperature": 25.0,
            "grid_frequency": plant.frequency if plant.grid_present else 0.0,
            "inverter_frequency": plant.frequency if on else 0.0,
            "load_frequency": plant.frequency if on else 0.0,
            "power_switch_state": plant.controls.enabled,
            "relay_inverter": on,
            "grid_connected": plant.grid_present,
            "relay_grid_supply": plant.grid_present,
            "ct_self_check_result": frozenset({0, 1, 2}),
        }

    def _energies(self) -> dict[str, float]:
        """Return the counters; a register shows only full tenths of a kilowatt-hour."""
        energies = {}
        for span, counted in (("today", self.plant.today), ("total", self.plant.total)):
            for meter, watt_hours in counted.items():
                energies[f"{meter}_energy_{span}"] = math.floor(watt_hours / 100 + 1e-9) / 10
        return energies


def _addresses(ranges: Sequence[tuple[int, int]]) -> list[int]:
    """Return all addresses in inclusive ranges."""
    return [address for first, last in ranges for address in range(first, last + 1)]


def _merge_pairs(old: int, new: int) -> int:
    """Return a word of two-bit pairs after a write: pairs with a high bit of 0 stay as they were."""
    touched = (new & 0xAAAA) | (new & 0xAAAA) >> 1
    return new & touched | old & ~touched & 0xFFFF


def change_trouble(trouble: Trouble, changes: Mapping[str, object]) -> Trouble:
    """Return the trouble with some of its fields changed; ValueError when a field or its type is wrong."""
    wanted: dict[str, float | bool | frozenset[int]] = {}
    for name, value in changes.items():
        old = getattr(trouble, name, None)
        if isinstance(old, bool) and isinstance(value, bool):
            wanted[name] = value
        elif isinstance(old, float) and isinstance(value, (int, float)):
            wanted[name] = float(value)
        elif isinstance(old, frozenset) and isinstance(value, list):
            wanted[name] = frozenset(int(bit) for bit in value)
        else:
            raise ValueError(f"no such trouble: {name}={value!r}")
    return replace(trouble, **wanted)  # type: ignore[arg-type]
