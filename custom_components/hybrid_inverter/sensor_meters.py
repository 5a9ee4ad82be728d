"""What there is to see of a meter that is read itself."""

from dataclasses import replace
from typing import Final

from .const import MeterRole
from .entity import Part
from .sensor_kinds import (
    APPARENT_POWER,
    CHOICE,
    CURRENT,
    ENERGY,
    FREQUENCY,
    PHASE_ANGLE,
    PLAIN,
    POWER,
    POWER_FACTOR,
    REACTIVE_ENERGY,
    REACTIVE_POWER,
    SECONDS,
    SIGNED_ENERGY,
    VOLTAGE,
    UnitSensorDescription,
    diagnostic,
    fixed,
    hidden,
    phases,
    shown,
)

LINES: Final = ("l1_l2_voltage", "l2_l3_voltage", "l3_l1_voltage")

# Meters count small loads, too.
COUNTED: Final = replace(ENERGY, suggested_display_precision=2)

# What comes from the grid is bought; of a solar inverter it is what it produces, of a load what it consumes.
TOTALS: Final = tuple(
    replace(description, role=role)
    for role in MeterRole
    for description in shown(COUNTED, Part.METER, "import_energy_total", "export_energy_total")
)

METER_SENSORS: Final[tuple[UnitSensorDescription, ...]] = (
    *shown(POWER, Part.METER, "power", *phases("{}_power")),
    *shown(VOLTAGE, Part.METER, "voltage", *phases("{}_voltage")),
    *shown(CURRENT, Part.METER, "current", *phases("{}_current")),
    *shown(FREQUENCY, Part.METER, "frequency"),
    *TOTALS,
    *hidden(VOLTAGE, Part.METER, *LINES),
    *hidden(POWER_FACTOR, Part.METER, "power_factor", *phases("{}_power_factor")),
    *hidden(REACTIVE_POWER, Part.METER, "reactive_power", *phases("{}_reactive_power")),
    *hidden(APPARENT_POWER, Part.METER, "apparent_power", *phases("{}_apparent_power")),
    *hidden(POWER, Part.METER, "power_demand"),
    *diagnostic(PHASE_ANGLE, Part.METER, *phases("{}_phase_angle")),
    *hidden(
        COUNTED,
        Part.METER,
        *phases("{}_import_energy_total", "{}_export_energy_total"),
        "net_import_energy_total",
        "net_export_energy_total",
        *(f"import_energy_t{tariff}_total" for tariff in range(1, 5)),
        *(f"export_energy_t{tariff}_total" for tariff in range(1, 5)),
    ),
    # Whether it is the sum or the difference of both directions depends on the meter.
    *hidden(SIGNED_ENERGY, Part.METER, "combined_energy_total"),
    *hidden(
        REACTIVE_ENERGY, Part.METER, *(f"reactive_energy_q{number}_total" for number in range(1, 5))
    ),
    # How it is set; nobody writes to a meter.
    *fixed(PLAIN, Part.METER, "ct_ratio", "pt_ratio", "software_version", "oem_brand", "oem_type"),
    *fixed(CHOICE, Part.METER, "network_type", "baud_code"),
    *fixed(SECONDS, Part.METER, "display_rotation"),
    *fixed(
        PLAIN,
        Part.METER,
        "unit_address",
        "protocol",
        "backlight_or_type",
        "word_order_or_reserved",
    ),
)
