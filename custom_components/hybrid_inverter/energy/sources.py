"""What the Energy dashboard is told of a device: which of its values fill which field of a source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class Flow(StrEnum):
    """What flows through a source: the type of a source of the dashboard, or one of its devices."""

    GRID = "grid"
    SOLAR = "solar"
    BATTERY = "battery"
    HOME = "home"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class SourceKind:
    """How a source is made of the values of a device: fields of the dashboard, and the keys of the values."""

    flow: Flow
    # The counters that it cannot be without, and what makes it complete.
    counters: Mapping[str, str]
    others: Mapping[str, str]
    # Fields that hold no value of a device.
    constants: Mapping[str, Any] = field(default_factory=dict)


# Grid and batteries have the dashboard's signs: positive on import, and while discharging.
GRID: Final = SourceKind(
    Flow.GRID,
    {"stat_energy_from": "grid_import_energy_total"},
    {"stat_energy_to": "grid_export_energy_total", "stat_rate": "grid_power"},
    {"cost_adjustment_day": 0.0},
)
SOLAR: Final = SourceKind(
    Flow.SOLAR,
    {"stat_energy_from": "pv_energy_total"},
    {"stat_rate": "pv_power"},
    {"config_entry_solar_forecast": None},
)
BATTERY: Final = SourceKind(
    Flow.BATTERY,
    {
        "stat_energy_from": "battery_discharge_energy_total",
        "stat_energy_to": "battery_charge_energy_total",
    },
    {"stat_rate": "battery_power", "stat_soc": "battery_soc"},
)
HOME: Final = SourceKind(
    Flow.HOME, {"stat_energy_to": "load_energy_total"}, {"stat_rate": "load_power"}
)

GRID_METER: Final = SourceKind(
    Flow.GRID,
    # A meter with one counter for both ways does not know what was imported.
    {"stat_energy_from": "import_energy_total", "stat_energy_to": "export_energy_total"},
    {"stat_rate": "power"},
    GRID.constants,
)
SOLAR_METER: Final = SourceKind(
    Flow.SOLAR, {"stat_energy_from": "import_energy_total"}, {"stat_rate": "power"}, SOLAR.constants
)
LOAD_METER: Final = SourceKind(
    Flow.DEVICE, {"stat_consumption": "import_energy_total"}, {"stat_rate": "power"}
)

# What an inverter, or a plant, can tell; a meter tells what it measures.
INVERTER_KINDS: Final = (GRID, SOLAR, BATTERY, HOME)
# Where the dashboard keeps the usable capacity of a battery, in kWh.
CAPACITY: Final = "capacity"
