"""What Home Assistant makes of a unit of measurement, or of a kind: device class, state class and precision."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    DEGREE,
    PERCENTAGE,
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfReactiveEnergy,
    UnitOfReactivePower,
    UnitOfTemperature,
    UnitOfTime,
)

from ..modbus.model.part import Kind
from .base import UnitEntityDescription


@dataclass(frozen=True, kw_only=True)
class UnitSensorDescription(UnitEntityDescription, SensorEntityDescription):
    """A value that is only shown."""


def _measured(
    unit: str | None, precision: int, device_class: SensorDeviceClass | None = None
) -> UnitSensorDescription:
    """A measurement; precision is the number of decimals that are shown where the register does not say it."""
    return UnitSensorDescription(
        key="",
        device_class=device_class,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=unit,
        suggested_display_precision=precision,
    )


POWER: Final = _measured(UnitOfPower.WATT, 0, SensorDeviceClass.POWER)
VOLTAGE: Final = _measured(UnitOfElectricPotential.VOLT, 1, SensorDeviceClass.VOLTAGE)
SHARE: Final = _measured(PERCENTAGE, 0)
STATE_OF_CHARGE: Final = _measured(PERCENTAGE, 0, SensorDeviceClass.BATTERY)
DURATION: Final = _measured(UnitOfTime.SECONDS, 1, SensorDeviceClass.DURATION)
# Counters: today's start again at midnight, which is what "increasing" allows.
ENERGY: Final = replace(
    _measured(UnitOfEnergy.KILO_WATT_HOUR, 1, SensorDeviceClass.ENERGY),
    state_class=SensorStateClass.TOTAL_INCREASING,
)

PLAIN: Final = UnitSensorDescription(key="")

UNITS: Final[Mapping[str | None, UnitSensorDescription]] = {
    kind.native_unit_of_measurement: kind
    for kind in (
        POWER,
        _measured(UnitOfApparentPower.VOLT_AMPERE, 0, SensorDeviceClass.APPARENT_POWER),
        _measured(UnitOfReactivePower.VOLT_AMPERE_REACTIVE, 0, SensorDeviceClass.REACTIVE_POWER),
        VOLTAGE,
        _measured(UnitOfElectricPotential.MILLIVOLT, 0, SensorDeviceClass.VOLTAGE),
        _measured(UnitOfElectricCurrent.AMPERE, 1, SensorDeviceClass.CURRENT),
        _measured(UnitOfElectricCurrent.MILLIAMPERE, 0, SensorDeviceClass.CURRENT),
        _measured(UnitOfFrequency.HERTZ, 2, SensorDeviceClass.FREQUENCY),
        _measured(UnitOfTemperature.CELSIUS, 1, SensorDeviceClass.TEMPERATURE),
        replace(_measured(DEGREE, 1), state_class=SensorStateClass.MEASUREMENT_ANGLE),
        SHARE,
        _measured("kΩ", 0),
        _measured("mΩ", 0),
        _measured("Ah", 0),
        _measured("mV/°C/cell", 0),
        ENERGY,
        replace(
            _measured(
                UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR,
                1,
                SensorDeviceClass.REACTIVE_ENERGY,
            ),
            state_class=SensorStateClass.TOTAL,
        ),
        # Hours of operation are counted.
        replace(
            DURATION,
            native_unit_of_measurement=UnitOfTime.HOURS,
            state_class=SensorStateClass.TOTAL_INCREASING,
        ),
        DURATION,
        *(
            replace(DURATION, native_unit_of_measurement=unit)
            for unit in (UnitOfTime.DAYS, UnitOfTime.MINUTES, UnitOfTime.MILLISECONDS)
        ),
    )
}

KINDS: Final[Mapping[Kind | None, UnitSensorDescription]] = {
    Kind.STATE_OF_CHARGE: STATE_OF_CHARGE,
    Kind.HEALTH: SHARE,
    Kind.POWER_FACTOR: _measured(None, 2, SensorDeviceClass.POWER_FACTOR),
    Kind.COUNT: replace(PLAIN, state_class=SensorStateClass.MEASUREMENT),
    Kind.MAY_FALL: replace(ENERGY, state_class=SensorStateClass.TOTAL),
}

# How many decimals at most are shown of a measurement, where that is more than what is usual for its unit.
FINEST: Final[Mapping[str | None, int]] = {
    UnitOfElectricPotential.VOLT: 3,
    UnitOfElectricCurrent.AMPERE: 3,
    UnitOfEnergy.KILO_WATT_HOUR: 2,
    UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR: 2,
}

# How the keys of counters end that start again from 0, and how the time is written that they count in.
PERIODS: Final = {"_today": "%Y-%m-%d", "_month": "%Y-%m", "_year": "%Y"}
