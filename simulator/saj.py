"""A SAJ hybrid inverter as it looks from the wire: what its registers mean to the plant, and which values it takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
import math
from typing import ClassVar, Final

from custom_components.hybrid_inverter.modbus.register import Register, Value
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from . import saj_models as data
from .machine import ILLEGAL_ADDRESS, ILLEGAL_VALUE, WRITE_SINGLE, Inverter, Refusal
from .plant import INVERTER_EFFICIENCY, NOTHING, PHASES, Controls, Plant, Slot, WorkMode
from .saj_models import SajModel

# Longer steps are cut, so that no time slot begins or ends unseen.
LONGEST_STEP: Final = 60.0
# No meter, one of one phase, one of three.
METER_WIRINGS: Final = {0: 0, 1: 1, 3: 3}
METER_MODES: Final = {0: "disabled", 1: "single_phase_meter", 3: "three_phase_meter"}
COUNTERS: Final = ("battery_charge", "battery_discharge", "inverter", "load", "backup")
ABSENT: Final = 0xFFFF


class SajMachine(Inverter):
    """The registers of one inverter of SAJ."""

    write_functions: ClassVar[frozenset[int]] = frozenset({WRITE_SINGLE})

    def __init__(
        self,
        model: SajModel,
        plant: Plant,
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
            self._rows[row.key].append(row)
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

    # From the registers to the plant

    def step(self, seconds: float) -> None:
        """Let plant time pass; what the time slots say is looked at every minute of it."""
        left = seconds
        while left > 1e-9:
            self._settle()
            self._obey()
            part = min(left, LONGEST_STEP)
            self.plant.step(part)
            left -= part

    def _obey(self) -> None:
        """Hand the settings to the plant."""
        controls = Controls(
            work_mode=WorkMode.ZERO_EXPORT_TO_CT,
            solar_sell=True,
            max_sell_power=self._export_limit(),
            max_solar_power=math.inf,
            shutdown_soc=self._number("off_grid_discharge_floor") / 100,
            low_soc=self._number("on_grid_discharge_floor") / 100,
            restart_soc=self._number("off_grid_discharge_floor") / 100 + 0.05,
            full_soc=self._number("charge_upper_limit") / 100,
            charge_current=self._amperes(self._number("battery_charge_power_limit")),
            discharge_current=self._amperes(self._number("battery_discharge_power_limit")),
            grid_charge_current=self._amperes(self._number("grid_charge_power_limit")),
            slots=(self._all_day(discharge=math.inf),),
        )
        match self._setting("work_mode"):
            case "time_of_use":
                controls = self._in_time_of_use(controls)
            case "backup":
                controls = self._in_backup(controls)
            case "passive":
                controls = self._in_passive(controls)
        self.plant.controls = controls

    def _amperes(self, watts: float) -> float:
        """Return the battery current of a power."""
        return watts / self.plant.battery_voltage

    def _all_day(
        self, *, discharge: float = 0.0, soc: float = 0.0, grid_charge: bool = False
    ) -> Slot:
        """Return a slot that lasts until it is replaced."""
        return Slot(start=0, power=discharge, soc=soc, grid_charge=grid_charge)

    def _export_limit(self) -> float:
        """Return the watts that may flow into the grid."""
        built = self.plant.installation
        limits = {
            "total_power": self._number("export_limit_power"),
            "current": self._number("export_limit_current") * 230 * built.phases,
            "each_phase_power": self._number("export_limit_power") * built.phases,
        }
        limit = limits.get(str(self._setting("export_limit_mode")), built.rated_power)
        return min(limit, self._number("grid_discharge_power_limit"))

    def _charging_with(self, controls: Controls, watts: float, up_to: float) -> Controls:
        """Return the controls that fill the battery from PV and grid up to a state of charge."""
        return replace(
            controls,
            load_first=False,
            grid_charge=True,
            grid_charge_current=self._amperes(min(watts, self._number("grid_charge_power_limit"))),
            slots=(self._all_day(soc=up_to, grid_charge=True),),
        )

    def _in_backup(self, controls: Controls) -> Controls:
        """Keep a reserve, filled from wherever power comes; what is above it serves the house."""
        reserve = self._number("backup_reserve_soc") / 100
        if self.plant.soc < reserve:
            return self._charging_with(controls, math.inf, reserve)
        return replace(controls, slots=(self._all_day(discharge=math.inf, soc=reserve),))

    def _in_time_of_use(self, controls: Controls) -> Controls:
        """Charge or discharge as the slot in force says, else do what is set for the other times."""
        rated = self.plant.installation.rated_power
        for share in self._slots_in_force("charge", data.CHARGE_SLOTS):
            return self._charging_with(controls, share * rated, controls.full_soc)
        for share in self._slots_in_force("discharge", data.DISCHARGE_SLOTS):
            if not self._is("tou_export_from_battery"):
                return controls
            return replace(
                controls,
                work_mode=WorkMode.SELLING_FIRST,
                max_sell_power=min(share * rated, controls.max_sell_power),
            )
        if self._is("tou_outside_mode", "self_consumption"):
            return controls
        return replace(controls, slots=(self._all_day(),))

    def _slots_in_force(self, kind: str, first: int) -> Iterator[float]:
        """Return the share of the rated power of each slot of a kind that is on now."""
        clock = self.plant.clock
        now = clock.hour << 8 | clock.minute
        for number in data.SLOTS:
            place = first + 3 * (number - 1)
            start, end, days_power = (self._image[place + word] for word in range(3))
            if (
                self._is(f"{kind}_slot_{number}_enabled")
                and start <= now < end
                and days_power >> 8 + clock.weekday() & 1
            ):
                yield (days_power & 0xFF) / 100

    def _in_passive(self, controls: Controls) -> Controls:
        """Do what somebody outside has ordered."""
        charge = self._number("passive_battery_charge_power")
        discharge = self._number("passive_battery_discharge_power")
        limited = replace(
            controls,
            charge_current=min(controls.charge_current, self._amperes(charge)),
            discharge_current=min(controls.discharge_current, self._amperes(discharge)),
        )
        match self._setting("passive_action"):
            case "charge":
                watts = min(charge, self._number("passive_grid_charge_power"))
                return self._charging_with(limited, watts, controls.full_soc)
            case "discharge":
                sold = min(controls.max_sell_power, self._number("passive_grid_discharge_power"))
                return replace(limited, work_mode=WorkMode.SELLING_FIRST, max_sell_power=sold)
            case _:
                return replace(limited, charge_current=0.0, slots=(self._all_day(),))

    # From the plant to the registers

    def _show(self, key: str, value: Value) -> None:
        """Store a value wherever a machine of the family may have it; what no table knows nobody asks for."""
        for row in self._rows.get(key, ()):
            self._put_row(row, value)

    def _publish_trouble(self) -> None:
        faults = self.trouble.faults
        if self.trouble.outage:
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
        elif self.trouble.outage:
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
            "ambient_temperature": plant.sky.temperature(plant.now) + 8,
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
        flows = self.plant.flows
        if self._kind.ac_coupled:
            outside = round(sum(flows.pv) * INVERTER_EFFICIENCY)
            return {"pv_power": 0, "pv_ct_power": outside, "pv_ct_apparent_power": outside}
        powers = [round(power) for power in flows.pv]
        values: dict[str, Value] = {
            "pv_power": sum(powers),
            "pv_direction": "producing" if sum(powers) else "no_output",
        }
        for number, power in enumerate(powers, 1):
            volts = 390 - 0.006 * power if power else 0.0
            values[f"pv{number}_power"] = power
            values[f"pv{number}_voltage"] = volts
            values[f"pv{number}_current"] = power / volts if volts else 0.0
        return values

    def _inverter_phases(self) -> list[int]:
        """Return the watts per phase that this inverter gives, without those of a foreign PV inverter."""
        flows = self.plant.flows
        if not self._kind.ac_coupled:
            return [round(power) for power in flows.inverter_phases]
        foreign = round(sum(flows.pv) * INVERTER_EFFICIENCY)
        return [round(flows.inverter) - foreign, 0, 0]

    def _ports(self) -> dict[str, Value]:
        """Return the powers, voltages and currents of grid, inverter stage and backup output."""
        plant, flows = self.plant, self.plant.flows
        inverter = self._inverter_phases()
        backup = [round(power) for power in flows.backup]
        grid = [round(power) for power in flows.grid_phases]
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
            "grid": plant.frequency if plant.grid_present else 0.0,
            "inverter": plant.frequency if plant.running else 0.0,
            "backup": plant.frequency if plant.running else 0.0,
            "grid_side": plant.frequency if plant.grid_present else 0.0,
        }
        values |= {f"{port}_frequency": hertz for port, hertz in frequencies.items()}
        phases = range(plant.installation.phases)
        for phase in phases:
            name = PHASES[phase]
            for port, volts, power in (
                ("grid", plant.grid_voltages[phase], terminal[phase]),
                ("inverter", plant.output_voltages[phase], inverter[phase]),
                ("backup", plant.output_voltages[phase], backup[phase]),
                ("grid_side", plant.grid_voltages[phase], terminal[phase]),
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
        plant = self.plant
        power = round(plant.flows.battery)
        return {
            "battery_voltage": plant.battery_voltage,
            "battery_current": plant.battery_current,
            "battery_current_1": plant.battery_current,
            "battery_current_2": 0.0,
            "battery_power_raw": power,
            "battery_power_dc_raw": power,
            "battery_temperature": plant.battery_temperature,
            "battery_soc": plant.soc * 100,
            "battery_direction": _direction(power, "discharging", "charging"),
        }

    def _packs(self) -> dict[str, Value]:
        """Return what the battery packs tell of themselves; they share the current alike."""
        plant, packs = self.plant, self._kind.packs
        capacity = plant.installation.battery_capacity / plant.installation.open_voltage(0.5)
        volts = plant.installation.open_voltage(0.0), plant.installation.open_voltage(1.0)
        values: dict[str, Value] = {
            "battery_count": packs,
            "battery_capacity": round(capacity),
            "battery_usable_capacity": round(capacity * plant.soc),
            "battery_online": frozenset(range(packs)),
            "bms_high_voltage_protection": volts[1] * 1.1,
            "bms_low_voltage_warning": volts[0],
            "bms_charge_voltage": volts[1] * 1.05,
            "bms_discharge_cutoff_voltage": volts[0] * 0.95,
            "bms_discharge_current_limit": 30.0 * packs,
            "bms_charge_current_limit": 25.0 * packs,
        }
        for number in range(1, packs + 1):
            discharged = plant.total["battery_discharge"] / packs / 1000
            values |= {
                f"battery_{number}_soc": plant.soc * 100,
                f"battery_{number}_soh": 99.0 - number,
                f"battery_{number}_voltage": plant.battery_voltage,
                f"battery_{number}_current": plant.battery_current / packs,
                f"battery_{number}_temperature": plant.battery_temperature + 0.5 * number,
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
        """Return what the meters measure: A the house's connection, B an inverter that gives nothing now."""
        plant = self.plant
        powers = {"meter_a": plant.flows.grid_phases, "meter_b": NOTHING}
        values: dict[str, Value] = {}
        for (meter, watts), phases in zip(powers.items(), self._kind.meter_phases, strict=True):
            values[f"{meter}_status"] = "online" if phases else "offline"
            for phase in range(phases):
                name, power = f"{meter}_{PHASES[phase]}", round(watts[phase])
                volts = plant.grid_voltages[phase]
                values[f"{name}_voltage"] = volts
                values[f"{name}_current"] = power / volts if volts else 0.0
                values[f"{name}_power"] = power
                values[f"{name}_apparent_power"] = abs(power)
                values[f"{name}_power_factor"] = -1.0 if power < 0 else 1.0
                values[f"{name}_frequency"] = plant.frequency if plant.grid_present else 0.0
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
            if self._kind.ac_coupled:
                energies["inverter"] = counted["battery_discharge"] * INVERTER_EFFICIENCY
            else:
                energies |= {counter: counted[counter] for counter in ("pv", "pv2")}
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


def _direction(power: int, positive: str, negative: str) -> str:
    """Return which way a power flows."""
    if power == 0:
        return "idle"
    return positive if power > 0 else negative
