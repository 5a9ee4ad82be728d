"""A SAJ hybrid inverter as it looks from the wire: what its registers mean to the plant, and which values it takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
import math
from typing import ClassVar, Final

from custom_components.hybrid_inverter.modbus.codec import Value
from custom_components.hybrid_inverter.modbus.register import Register
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from . import saj_models as data
from .machine import ILLEGAL_ADDRESS, ILLEGAL_VALUE, WRITE_SINGLE, InverterMachine, Refusal
from .physics import (
    PHASES,
    Action,
    ExportLimit,
    Inverter,
    SajControls,
    SajMode,
    Window,
)
from .saj_models import SajModel

# No meter, one of one phase, one of three.
METER_WIRINGS: Final = {0: 0, 1: 1, 3: 3}
METER_MODES: Final = {0: "disabled", 1: "single_phase_meter", 3: "three_phase_meter"}
COUNTERS: Final = ("battery_charge", "battery_discharge", "inverter", "load", "backup")
ABSENT: Final = 0xFFFF


class SajMachine(InverterMachine):
    """The registers of one inverter of SAJ."""

    write_functions: ClassVar[frozenset[int]] = frozenset({WRITE_SINGLE})

    def __init__(
        self,
        model: SajModel,
        plant: Inverter,
        *,
        serial_number: str = data.SERIAL_NUMBER,
        unit: int = 1,
        readable: Sequence[tuple[int, int]] | None = None,
        packs: bool | None = None,
        timer: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Fill the registers; `readable` stands in for the ranges that are served, `packs` False hides the packs."""
        self._kind = model
        self._zero_packs = model.zero_packs if packs is None else not packs
        family = FAMILIES["saj"]
        # A value may lie elsewhere on some machines, and the place that is not looked at then is served all the same.
        self._rows: dict[str, list[Register]] = defaultdict(list)
        for row in family.every_row():
            self._rows[row.key].append(
                row.completed({"rated_power": model.installation.rated_power})
            )
        super().__init__(
            plant,
            family,
            model=model.name,
            unit=unit,
            registers=data.SERVED,
            readable=data.SERVED if readable is None else readable,
            writable=frozenset((*data.LIMITS, *data.BYTE_LIMITS)),
            timer=timer,
        )
        three_phase = model.installation.phases == 3
        self._store({**data.SETTINGS, **data.VERSIONS})
        self._store(
            {
                0x8F00: model.device_type,
                0x366C: model.device_type,
                0x366D: round(model.installation.rated_power),
                0x3674: 3 if three_phase else 0,
                0x3630: METER_WIRINGS[model.meter_phases[0]],
                0x3633: unit,
                # Inputs that the model does not have.
                **dict.fromkeys(range(0x4071 if model.ac_coupled else 0x4077, 0x407D), ABSENT),
            }
        )
        self._show("serial_number", serial_number)
        self._show("product_code", f"SIM-{model.name}")
        self._publish()
        self._fit()
        self._obey()

    def _fit(self) -> None:
        """Take the family as this machine shows it."""
        values = {
            row.key: row.decode(self._image)
            for feature in self.family.features
            for key in feature.proof.keys
            for row in self._rows[key]
            if all(self._refused(place, 1) is None for place in row.addresses)
        }
        self.family = self.family.fitted(
            {feature.key for feature in self.family.features if feature.proof.holds(values)},
            {"rated_power": self.plant.installation.rated_power},
        )

    # The wire

    def _refused(self, address: int, count: int) -> int | None:
        for first, last, code in self._kind.refused:
            if address <= last and address + count > first:
                return code
        if any(address < wall < address + count for wall in self._kind.walls):
            return ILLEGAL_ADDRESS
        return super()._refused(address, count)

    def _judge(self, words: Mapping[int, int]) -> dict[int, int]:
        """Return the words as they are; Refusal when one is outside what the protocol allows."""
        for place, word in words.items():
            if place in data.LIMITS:
                low, high = data.LIMITS[place]
                fits = low <= word <= high
            else:
                upper, lower = data.BYTE_LIMITS[place]
                fits = word >> 8 <= upper and word & 0xFF <= lower
            if not fits:
                raise Refusal(ILLEGAL_VALUE)
        return dict(words)

    def places_of(self, key: str) -> Sequence[Register]:
        """Return wherever the machine has a value; machines of the family have some in several places."""
        if found := self._rows.get(key):
            return found
        raise KeyError(key)

    # From the registers to the plant

    def _obey(self) -> None:
        """Hand the settings to the plant."""
        number, share = self._number, self._share
        self.plant.controls = SajControls(
            mode=_one_of(SajMode, self._setting("work_mode"), SajMode.SELF_CONSUMPTION),
            on_grid_floor=share("on_grid_discharge_floor"),
            off_grid_floor=share("off_grid_discharge_floor"),
            charge_limit=share("charge_upper_limit"),
            reserve=share("backup_reserve_soc"),
            battery_charge_power=number("battery_charge_power_limit"),
            battery_discharge_power=number("battery_discharge_power_limit"),
            grid_charge_power=number("grid_charge_power_limit"),
            grid_discharge_power=number("grid_discharge_power_limit"),
            export_limit=_one_of(ExportLimit, self._setting("export_limit_mode"), ExportLimit.OFF),
            export_power=number("export_limit_power"),
            export_current=number("export_limit_current"),
            charge_windows=self._windows("charge", data.CHARGE_SLOTS),
            discharge_windows=self._windows("discharge", data.DISCHARGE_SLOTS),
            outside_self_consumption=self._is("tou_outside_mode", "self_consumption"),
            battery_export=self._is("tou_export_from_battery"),
            action=_one_of(Action, self._setting("passive_action"), Action.STANDBY),
            passive_battery_charge=number("passive_battery_charge_power"),
            passive_battery_discharge=number("passive_battery_discharge_power"),
            passive_grid_charge=number("passive_grid_charge_power"),
            passive_grid_discharge=number("passive_grid_discharge_power"),
        )

    def _share(self, key: str) -> float:
        """Return a setting in percent as a share of one."""
        return self._number(key) / 100

    def _windows(self, kind: str, first: int) -> tuple[Window, ...]:
        """Return the slots of a kind that are enabled."""
        rated, windows = self.plant.installation.rated_power, []
        for number in data.SLOTS:
            place = first + 3 * (number - 1)
            start, end, days_power = (self._image[place + word] for word in range(3))
            if self._is(f"{kind}_slot_{number}_enabled"):
                days = frozenset(day for day in range(7) if days_power >> 8 + day & 1)
                power = (days_power & 0xFF) / 100 * rated
                windows.append(Window(_minutes(start), _minutes(end), days, power))
        return tuple(windows)

    # From the plant to the registers

    def _show(self, key: str, value: Value) -> None:
        """Store a value wherever a machine of the family may have it; what no table knows nobody asks for."""
        for row in self._rows.get(key, ()):
            self._put_row(row, value)

    def _publish_trouble(self) -> None:
        faults = self.trouble.faults
        outage = self.trouble.outage or not self.plant.site.grid.present
        if outage:
            faults |= {data.NO_GRID}
        row = self.family.registers["fault"]
        self._store(
            {
                place: sum(1 << bit for bit in range(16) if 16 * index + bit in faults)
                for index, place in enumerate(row.addresses)
            }
        )
        status = "on_grid" if self.plant.running else "waiting"
        if self.trouble.faults:
            status = "fault"
        elif outage:
            status = "off_grid"
        self._show("status", status)

    def _publish(self) -> None:
        """Put what the plant shows into the registers."""
        self._show("system_time", self.plant.clock.replace(microsecond=0))
        for values in (
            self._system(),
            self._strings(),
            self._ports(),
            self._battery(),
            self._packs(),
            self._meters(),
            self._energies(),
        ):
            for key, value in values.items():
                self._show(key, value)
        if self._zero_packs or self.trouble.zero_packs:
            self._store(dict.fromkeys(data.PACKS, 0))

    def _system(self) -> dict[str, Value]:
        """Return temperatures, insulation, and the settings as the control board has them."""
        plant = self.plant
        mode = self._image[0x3647]
        return {
            "heatsink_temperature": plant.heatsink_temperature,
            "ambient_temperature": plant.site.sky.temperature(plant.site.now) + 8,
            "leakage_current": 12,
            "insulation_resistance_1": 2400,
            "insulation_resistance_2": 2350,
            "insulation_resistance_3": 2400,
            "insulation_resistance_4": 2400,
            "fault_record_serial": 3,
            "setting_change_serial": 17,
            "active_work_mode": ("self_consumption", "time_of_use", "backup", "passive")[
                mode if mode < 4 else 0
            ],
            "active_meter_mode": METER_MODES[self._kind.meter_phases[0]],
            "active_soc_high_limit": self._image[0x3646],
            "active_soc_low_limit": self._image[0x3644],
            "active_depth_of_discharge": 100 - self._image[0x3644],
            "active_reserved_soc": self._image[0x3651],
            "active_battery_protocol": "saj_can_b2",
            "bus_voltage_master": 405.0,
            "bus_voltage_slave": 202.5,
        }

    def _strings(self) -> dict[str, Value]:
        """Return what the PV inputs bring, or what a clamp sees of another inverter's."""
        plant = self.plant
        if self._kind.ac_coupled:
            outside = round(plant.site.solar_point.power)
            return {"pv_power": 0, "pv_ct_power": outside, "pv_ct_apparent_power": abs(outside)}
        powers = [round(power) for power in plant.flows.pv]
        values: dict[str, Value] = {
            "pv_power": sum(powers),
            "pv_direction": "producing" if sum(powers) else "no_output",
        }
        for number, (string, power) in enumerate(zip(plant.strings, powers, strict=True), 1):
            volts = string.voltage(power)
            values[f"pv{number}_power"] = power
            values[f"pv{number}_voltage"] = volts
            values[f"pv{number}_current"] = power / volts if volts else 0.0
        return values

    def _ports(self) -> dict[str, Value]:
        """Return the powers, voltages and currents of grid, inverter stage and backup output."""
        plant, flows = self.plant, self.plant.flows
        inverter = [round(power) for power in flows.inverter_phases]
        backup = [round(power) for power in flows.backup]
        grid = [round(power) for power in self.trouble.clamped(flows.grid_phases)]
        terminal = [out - own for out, own in zip(backup, inverter, strict=True)]
        values: dict[str, Value] = {
            "grid_power": sum(grid),
            "grid_ct_power": sum(grid),
            "grid_ct_apparent_power": abs(sum(grid)),
            "grid_internal_power": sum(terminal),
            "grid_internal_apparent_power": abs(sum(terminal)),
            "inverter_power": sum(inverter),
            "inverter_apparent_power": abs(sum(inverter)),
            "backup_power": sum(backup),
            "backup_apparent_power": sum(backup),
            "load_power": round(sum(flows.load)),
            "grid_direction": _direction(sum(grid), "importing", "exporting"),
            "output_direction": "to_load" if sum(backup) else "no_output",
        }
        frequencies = {
            "grid": plant.site.frequency,
            "inverter": plant.output_frequency,
            "backup": plant.output_frequency,
            "grid_side": plant.site.frequency,
        }
        values |= {f"{port}_frequency": hertz for port, hertz in frequencies.items()}
        phases = range(plant.installation.phases)
        for phase in phases:
            name = PHASES[phase]
            for port, volts, power in (
                ("grid", plant.site.voltages[phase], terminal[phase]),
                ("inverter", plant.output_voltages[phase], inverter[phase]),
                ("backup", plant.output_voltages[phase], backup[phase]),
                ("grid_side", plant.site.voltages[phase], terminal[phase]),
            ):
                inner = f"{port}_{name}_internal" if port == "grid" else f"{port}_{name}"
                values[f"{port}_{name}_voltage"] = volts
                values[f"{port}_{name}_frequency"] = frequencies[port]
                values[f"{inner}_power"] = power
                values[f"{inner}_apparent_power"] = abs(power)
                values[f"{inner}_current"] = power / volts if volts else 0.0
                values[f"{inner}_power_factor"] = 1.0 if power >= 0 else -1.0
        if len(phases) == 1:
            values["grid_side_apparent_power"] = abs(terminal[0])
        return values

    def _battery(self) -> dict[str, Value]:
        """Return what the inverter measures at its battery terminals."""
        battery = self.plant.battery
        power = round(battery.power)
        return {
            "battery_voltage": battery.voltage,
            "battery_current": battery.current,
            "battery_current_1": battery.current,
            "battery_current_2": 0.0,
            "battery_power_raw": power,
            "battery_power_dc_raw": power,
            "battery_temperature": battery.temperature,
            "battery_soc": battery.soc * 100,
            "battery_direction": _direction(power, "discharging", "charging"),
        }

    def _packs(self) -> dict[str, Value]:
        """Return what the battery packs tell of themselves; they share the current alike."""
        battery, packs = self.plant.battery, self._kind.packs
        cells = battery.cells
        capacity = cells.capacity / cells.open_voltage(0.5)
        volts = cells.open_voltage(0.0), cells.open_voltage(1.0)
        values: dict[str, Value] = {
            "battery_count": packs,
            "battery_capacity": round(capacity),
            "battery_usable_capacity": round(capacity * battery.soc),
            "battery_online": frozenset(range(packs)),
            "bms_high_voltage_protection": volts[1] * 1.1,
            "bms_low_voltage_warning": volts[0],
            "bms_charge_voltage": volts[1] * 1.05,
            "bms_discharge_cutoff_voltage": volts[0] * 0.95,
            "bms_discharge_current_limit": battery.discharge_limit,
            "bms_charge_current_limit": battery.charge_limit,
        }
        for number in range(1, packs + 1):
            discharged = self.plant.total["battery_discharge"] / packs / 1000
            values |= {
                f"battery_{number}_soc": battery.soc * 100,
                f"battery_{number}_soh": 99.0 - number,
                f"battery_{number}_voltage": battery.voltage,
                f"battery_{number}_current": battery.current / packs,
                f"battery_{number}_temperature": battery.temperature + 0.5 * number,
                f"battery_{number}_cycles": 640 + number,
                f"battery_{number}_discharge_energy_total": math.floor(discharged),
                f"bms_{number}_type": "saj_b2",
                f"bms_{number}_serial_number": f"BMSSIM{number:010d}",
                f"bms_{number}_software_version": "1.107",
                f"bms_{number}_hardware_version": "1.000",
                f"battery_{number}_cell_type": "50_ah",
                f"battery_{number}_serial_number": f"BATSIM{number:010d}",
            }
        return values

    def _meters(self) -> dict[str, Value]:
        """Return what the meters measure: A the house's connection, B a solar inverter."""
        plant = self.plant
        at_grid = self.trouble.clamped(plant.flows.grid_phases)
        powers = {"meter_a": at_grid, "meter_b": plant.site.solar_point.powers}
        values: dict[str, Value] = {}
        for (meter, watts), phases in zip(powers.items(), self._kind.meter_phases, strict=True):
            values[f"{meter}_status"] = "online" if phases else "offline"
            for phase in range(phases):
                name, power = f"{meter}_{PHASES[phase]}", round(watts[phase])
                volts = plant.site.voltages[phase]
                values[f"{name}_voltage"] = volts
                values[f"{name}_current"] = power / volts if volts else 0.0
                values[f"{name}_power"] = power
                values[f"{name}_apparent_power"] = abs(power)
                values[f"{name}_power_factor"] = -1.0 if power < 0 else 1.0
                values[f"{name}_frequency"] = plant.site.frequency
        return values

    def _energies(self) -> dict[str, Value]:
        """Return the counters; a register shows only full hundredths of a kilowatt-hour."""
        plant = self.plant
        values: dict[str, Value] = {"pv_hours_today": 4.2, "pv_hours_total": 8765.4}
        for span, counted in (
            ("today", plant.today),
            ("month", plant.month),
            ("year", plant.year),
            ("total", plant.total),
        ):
            energies = {counter: counted[counter] for counter in COUNTERS}
            energies |= {
                counter: counted[counter] for counter in ("pv", "pv2") if counter in counted
            }
            for way in ("import", "export"):
                by_phase = {phase: counted[f"grid_{phase}_{way}"] for phase in PHASES}
                energies[f"grid_{way}"] = sum(by_phase.values())
                # The first phase's come after the sum, the place of which they take on three phases.
                energies |= {f"grid_{way}_{phase}": by_phase[phase] for phase in PHASES}
            values |= {
                f"{counter}_energy_{span}": math.floor(watt_hours / 10 + 1e-9) / 100
                for counter, watt_hours in energies.items()
            }
        # What shows that the sums are served has a key of its own.
        for way in ("import", "export"):
            values[f"grid_{way}_energy_all_total"] = values[f"grid_{way}_energy_total"]
        return values


def _minutes(word: int) -> int:
    """Return a time of day, an hour and a minute, in minutes."""
    return 60 * (word >> 8) + (word & 0xFF)


def _one_of[Choice: StrEnum](
    choices: type[Choice], value: Value | None, otherwise: Choice
) -> Choice:
    """Return what a setting chooses; modes that only the vendor knows are taken for another one."""
    return next((choice for choice in choices if choice == value), otherwise)


def _direction(power: int, positive: str, negative: str) -> str:
    """Return which way a power flows."""
    if power == 0:
        return "idle"
    return positive if power > 0 else negative
