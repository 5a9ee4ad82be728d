"""What a SAJ inverter measures and counts, by the keys of its table."""

from __future__ import annotations

import math
from typing import Final

from custom_components.hybrid_inverter.modbus.model.codec import Value

from .physics import NOTHING, PHASES, Inverter, Phases, Read
from .saj_models import SajModel

COUNTERS: Final = ("battery_charge", "battery_discharge", "inverter", "load", "backup")


def readings(inverter: Inverter, model: SajModel) -> dict[str, Value]:
    """All values."""
    return {
        **_system(inverter),
        **powers(inverter, model),
        **_packs(inverter, model),
        **_energies(inverter),
    }


def powers(inverter: Inverter, model: SajModel) -> dict[str, Value]:
    """What changes by the second, as its sensors and its meters show it."""
    read, view, volts = inverter.reader(), inverter.view, inverter.site.voltages
    grid, solar = _read(read, inverter.seen.grid_phases), NOTHING
    if view.wiring.solar is not None:
        solar = _read(read, view.solar(inverter.flows))
    return {
        **_strings(inverter, model, read, solar),
        **_ports(inverter, read, volts, grid, solar),
        **_battery(inverter, read),
        **_meters(inverter, model, volts, grid, solar),
    }


def _read(read: Read, phases: Phases) -> Phases:
    """Powers as three sensors read them."""
    return read(phases[0]), read(phases[1]), read(phases[2])


def _system(inverter: Inverter) -> dict[str, Value]:
    """Temperatures, insulation and the like."""
    return {
        "heatsink_temperature": inverter.heatsink_temperature,
        "ambient_temperature": inverter.site.sky.temperature(inverter.site.now) + 8,
        "leakage_current": 12,
        "insulation_resistance_1": 2400,
        "insulation_resistance_2": 2350,
        "insulation_resistance_3": 2400,
        "insulation_resistance_4": 2400,
        "fault_record_serial": 3,
        "setting_change_serial": 17,
        "bus_voltage_master": 405.0,
        "bus_voltage_slave": 202.5,
    }


def _strings(inverter: Inverter, model: SajModel, read: Read, solar: Phases) -> dict[str, Value]:
    """What the PV inputs bring, or what a clamp sees of another inverter's."""
    if model.ac_coupled:
        outside = round(sum(solar))
        return {"pv_power": 0, "pv_ct_power": outside, "pv_ct_apparent_power": abs(outside)}
    powers = [max(0, round(read(power))) if power else 0 for power in inverter.seen.pv]
    values: dict[str, Value] = {
        "pv_power": sum(powers),
        "pv_direction": "producing" if sum(powers) else "no_output",
    }
    for number, (volts, power) in enumerate(
        zip(inverter.string_voltages(), powers, strict=True), 1
    ):
        values[f"pv{number}_power"] = power
        values[f"pv{number}_voltage"] = volts
        values[f"pv{number}_current"] = power / volts if volts else 0.0
    return values


def _ports(
    inverter: Inverter, read: Read, grid_volts: Phases, at_grid: Phases, solar: Phases
) -> dict[str, Value]:
    """Powers, voltages and currents of grid, inverter stage and backup output."""
    seen = inverter.seen
    own = _read(read, seen.inverter_phases)
    stage = [round(power) for power in own]
    backup = [round(power if power <= 0 else max(0.0, read(power))) for power in seen.backup]
    grid = [round(power) for power in at_grid]
    # Reckoned from what it measures, and from what the others in parallel tell.
    load = sum(at_grid) + sum(own) + sum(seen.port) + sum(inverter.told) + sum(solar)
    terminal = [out - own for out, own in zip(backup, stage, strict=True)]
    values: dict[str, Value] = {
        "grid_power": sum(grid),
        "grid_ct_power": sum(grid),
        "grid_ct_apparent_power": abs(sum(grid)),
        "grid_internal_power": sum(terminal),
        "grid_internal_apparent_power": abs(sum(terminal)),
        "inverter_power": sum(stage),
        "inverter_apparent_power": abs(sum(stage)),
        "backup_power": sum(backup),
        "backup_apparent_power": sum(backup),
        "load_power": round(load),
        "grid_direction": _direction(sum(grid), "importing", "exporting"),
        "output_direction": "to_load" if sum(backup) else "no_output",
    }
    frequencies = {
        "grid": inverter.site.frequency,
        "inverter": inverter.output_frequency,
        "backup": inverter.output_frequency,
        "grid_side": inverter.site.frequency,
    }
    values |= {f"{port}_frequency": hertz for port, hertz in frequencies.items()}
    phases, volts_out = range(inverter.installation.phases), inverter.output_voltages
    for phase in phases:
        name = PHASES[phase]
        for port, volts, power in (
            ("grid", grid_volts[phase], terminal[phase]),
            ("inverter", volts_out[phase], stage[phase]),
            ("backup", volts_out[phase], backup[phase]),
            ("grid_side", grid_volts[phase], terminal[phase]),
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


def _battery(inverter: Inverter, read: Read) -> dict[str, Value]:
    """What the inverter measures at its battery terminals."""
    battery = inverter.battery
    shown = read(inverter.seen.battery)
    power, current = round(shown), shown / battery.voltage
    return {
        "battery_voltage": battery.voltage,
        "battery_current": current,
        "battery_current_1": current,
        "battery_current_2": 0.0,
        "battery_power_raw": power,
        "battery_power_dc_raw": power,
        "battery_temperature": battery.temperature,
        "battery_soc": battery.soc * 100,
        "battery_direction": _direction(power, "discharging", "charging"),
    }


def _packs(inverter: Inverter, model: SajModel) -> dict[str, Value]:
    """What the battery packs report; they share the current alike."""
    battery, packs = inverter.battery, model.packs
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
        discharged = inverter.total["battery_discharge"] / packs / 1000
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


def _meters(
    inverter: Inverter, model: SajModel, grid_volts: Phases, at_grid: Phases, solar: Phases
) -> dict[str, Value]:
    """What the meters measure: A the house's connection, B a solar inverter."""
    powers, hertz = {"meter_a": at_grid, "meter_b": solar}, inverter.site.frequency
    values: dict[str, Value] = {}
    for (meter, watts), phases in zip(powers.items(), model.meter_phases, strict=True):
        is_heard = phases and (meter == "meter_a" or inverter.view.wiring.solar is not None)
        values[f"{meter}_status"] = "online" if is_heard else "offline"
        for phase in range(phases):
            name, power = f"{meter}_{PHASES[phase]}", round(watts[phase])
            volts = grid_volts[phase] if is_heard else 0.0
            values[f"{name}_voltage"] = volts
            values[f"{name}_current"] = power / volts if volts else 0.0
            values[f"{name}_power"] = power
            values[f"{name}_apparent_power"] = abs(power)
            values[f"{name}_power_factor"] = -1.0 if power < 0 else 1.0
            values[f"{name}_frequency"] = hertz if is_heard else 0.0
    return values


def _energies(inverter: Inverter) -> dict[str, Value]:
    """The counters in kWh; a register shows only full hundredths of a kilowatt-hour."""
    values: dict[str, Value] = {"pv_hours_today": 4.2, "pv_hours_total": 8765.4}
    for span, counted in (
        ("today", inverter.today),
        ("month", inverter.month),
        ("year", inverter.year),
        ("total", inverter.total),
    ):
        energies = {counter: counted[counter] for counter in COUNTERS}
        energies |= {counter: counted[counter] for counter in ("pv", "pv2") if counter in counted}
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
    """Which way a power flows."""
    if power == 0:
        return "idle"
    return positive if power > 0 else negative
