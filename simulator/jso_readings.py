"""What a JSO8048104 measures and counts, by the keys of its table."""

from __future__ import annotations

from collections.abc import Sequence
import math
from typing import Final

from custom_components.hybrid_inverter.modbus.model.codec import Value

from . import jso8048104 as data
from .physics import PHASES, Inverter, Read

METERS: Final = (
    *("pv", "battery_charge", "battery_discharge", "grid_import", "grid_export"),
    *("load", "inverter", "generator"),
)


def readings(inverter: Inverter, *, built_in: bool = False) -> dict[str, Value]:
    """All values; `built_in`: it goes by the transformers at its own grid terminal."""
    return {
        **powers(inverter, built_in=built_in),
        **bms(inverter),
        **_packs(inverter),
        **_states(inverter),
        **_energies(inverter),
    }


def powers(inverter: Inverter, *, built_in: bool = False) -> dict[str, Value]:
    """What changes by the second, as its sensors show it.

    It measures its output, its port, its own grid terminal, and the house connection through the transformers there.
    The load and the backup output are reckoned from these.
    """
    read, seen = inverter.reader(), inverter.seen
    # Rounded phase by phase and then added, so that the sums hold to the watt in the registers too.
    stage = [round(read(power)) for power in seen.inverter_phases]
    port = [round(read(power)) if power else 0 for power in seen.port]
    backup = [round(read(power)) if power else 0 for power in seen.backup]
    internal = [out - own - fed for out, own, fed in zip(backup, stage, port, strict=True)]
    clamps = [0, 0, 0] if built_in else [round(read(power)) for power in seen.grid_phases]
    grid = internal if built_in else clamps
    told = [round(power) for power in seen.others]
    load = [sum(parts) for parts in zip(grid, stage, port, told, strict=True)]
    # The port shows what goes through it, whichever way.
    shown = [fed + round(seen.smart_load / 3) for fed in port]
    values: dict[str, Value] = {
        **_strings(inverter, read),
        **_battery(inverter, read),
        **_phases("inverter", stage),
        **_phases("grid", grid),
        **_phases("grid", clamps, "ct_power"),
        **_phases("backup", backup),
        **_phases("load", load),
        **_phases("grid", internal, "internal_power"),
        **_phases("generator", shown),
        "inverter_apparent_power": sum(stage),
        "grid_frequency": inverter.site.frequency,
        "inverter_frequency": inverter.output_frequency,
        "load_frequency": inverter.output_frequency,
    }
    for number, (phase, grid_volts, volts) in enumerate(
        zip(PHASES, inverter.site.voltages, inverter.output_voltages, strict=True)
    ):
        values[f"grid_{phase}_voltage"] = grid_volts
        values[f"inverter_{phase}_voltage"] = volts
        values[f"backup_{phase}_voltage"] = volts
        values[f"inverter_{phase}_current"] = _current(stage[number], volts)
        values[f"grid_{phase}_current"] = _current(grid[number], volts)
        values[f"grid_{phase}_internal_current"] = _current(internal[number], volts)
        values[f"generator_{phase}_voltage"] = volts if shown[number] else 0.0
    return values


def _current(watts: float, volts: float) -> float:
    """The amperes of a power."""
    return watts / volts if volts else 0.0


def _phases(port: str, powers: Sequence[int], suffix: str = "power") -> dict[str, Value]:
    """Each phase and their sum."""
    l1, l2, l3 = powers
    return {
        f"{port}_l1_{suffix}": l1,
        f"{port}_l2_{suffix}": l2,
        f"{port}_l3_{suffix}": l3,
        f"{port}_{suffix}": l1 + l2 + l3,
    }


def _strings(inverter: Inverter, read: Read) -> dict[str, Value]:
    """What the strings bring."""
    values: dict[str, Value] = {}
    for number, (volts, power) in enumerate(
        zip(inverter.string_voltages(), inverter.seen.pv, strict=True), 1
    ):
        watts = max(0, round(read(power))) if power else 0
        values[f"pv{number}_power"] = watts
        values[f"pv{number}_voltage"] = volts
        values[f"pv{number}_current"] = watts / volts if volts else 0.0
    return values


def _battery(inverter: Inverter, read: Read) -> dict[str, Value]:
    """What it measures at its battery terminals itself."""
    battery = inverter.battery
    power = read(inverter.seen.battery)
    return {
        "battery_soc": round(battery.soc * 100),
        "battery_voltage": battery.voltage,
        "battery_current": power / battery.voltage,
        "battery_power": power,
        "battery_temperature": battery.temperature,
    }


def bms(inverter: Inverter) -> dict[str, Value]:
    """What the battery itself reports."""
    battery = inverter.battery
    return {
        "battery_corrected_capacity": round(battery.cells.capacity / 51.2),
        "bms_charge_voltage": 57.6,
        "bms_discharge_voltage": 46.0,
        "bms_charge_current_limit": round(battery.charge_limit),
        "bms_discharge_current_limit": round(battery.discharge_limit),
        "bms_soc": round(battery.soc * 100),
        "bms_voltage": battery.voltage,
        "bms_current": round(battery.current),
        "bms_temperature": battery.temperature,
        "bms_max_charge_current": round(battery.cells.charge),
        "bms_max_discharge_current": round(battery.cells.discharge),
        "battery_soh": 98,
    }


def _packs(inverter: Inverter) -> dict[str, Value]:
    """What the two packs of the battery show: half of its current each, and cells a little apart."""
    battery = inverter.battery
    cell = battery.voltage / data.PACK_CELLS
    shown: dict[str, Value] = {}
    for name in ("pack_1", "pack_2"):
        shown |= {
            f"{name}_voltage": battery.voltage,
            f"{name}_current": battery.current / 2,
            f"{name}_soc": battery.soc * 100,
            f"{name}_temperature": battery.temperature,
            f"{name}_cell_temperature_max": battery.temperature + 1,
            f"{name}_cell_temperature_min": battery.temperature - 1,
            f"{name}_cell_voltage_max": cell + 0.004,
            f"{name}_cell_voltage_min": cell - 0.004,
        }
    return shown


def _states(inverter: Inverter) -> dict[str, Value]:
    """Temperatures, relays and the clock."""
    return {
        "heatsink_temperature": inverter.heatsink_temperature,
        # Machines of this kind have no sensor here.
        "dc_temperature": 25.0,
        "relay_inverter": inverter.running,
        "relay_generator": any(inverter.flows.port) or inverter.flows.smart_load > 0,
        "grid_connected": inverter.on_grid,
        "relay_grid_supply": inverter.on_grid,
        "ct_self_check_result": frozenset({0, 1, 2}),
        "system_time": inverter.clock.replace(microsecond=0),
    }


def _energies(inverter: Inverter) -> dict[str, Value]:
    """The counters; a register shows only full tenths of a kilowatt-hour."""
    energies: dict[str, Value] = {}
    for span, counted in (("today", inverter.today), ("total", inverter.total)):
        energies[f"generator_hours_{span}"] = counted["generator_hours"]
        for meter in METERS:
            energies[f"{meter}_energy_{span}"] = math.floor(counted[meter] / 100 + 1e-9) / 10
    return energies
