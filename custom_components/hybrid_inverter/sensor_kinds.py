"""What the values of sensors are: their units, device classes and statistics, and where they are shown."""

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
    EntityCategory,
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

from .entity import Part, UnitEntityDescription


@dataclass(frozen=True, kw_only=True)
class UnitSensorDescription(UnitEntityDescription, SensorEntityDescription):
    """A value that is only shown."""


POWER: Final = UnitSensorDescription(
    key="",
    device_class=SensorDeviceClass.POWER,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfPower.WATT,
    suggested_display_precision=0,
)
APPARENT_POWER: Final = replace(
    POWER,
    device_class=SensorDeviceClass.APPARENT_POWER,
    native_unit_of_measurement=UnitOfApparentPower.VOLT_AMPERE,
)
REACTIVE_POWER: Final = replace(
    POWER,
    device_class=SensorDeviceClass.REACTIVE_POWER,
    native_unit_of_measurement=UnitOfReactivePower.VOLT_AMPERE_REACTIVE,
)
VOLTAGE: Final = replace(
    POWER,
    device_class=SensorDeviceClass.VOLTAGE,
    native_unit_of_measurement=UnitOfElectricPotential.VOLT,
    suggested_display_precision=1,
)
CURRENT: Final = replace(
    POWER,
    device_class=SensorDeviceClass.CURRENT,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    suggested_display_precision=1,
)
FREQUENCY: Final = replace(
    POWER,
    device_class=SensorDeviceClass.FREQUENCY,
    native_unit_of_measurement=UnitOfFrequency.HERTZ,
    suggested_display_precision=2,
)
TEMPERATURE: Final = replace(
    POWER,
    device_class=SensorDeviceClass.TEMPERATURE,
    native_unit_of_measurement=UnitOfTemperature.CELSIUS,
    suggested_display_precision=1,
)
MILLIAMPERES: Final = replace(
    CURRENT,
    native_unit_of_measurement=UnitOfElectricCurrent.MILLIAMPERE,
    suggested_display_precision=0,
)
MILLIVOLTS: Final = replace(
    VOLTAGE,
    native_unit_of_measurement=UnitOfElectricPotential.MILLIVOLT,
    suggested_display_precision=0,
)
POWER_FACTOR: Final = replace(
    POWER,
    device_class=SensorDeviceClass.POWER_FACTOR,
    native_unit_of_measurement=None,
    suggested_display_precision=2,
)
PHASE_ANGLE: Final = replace(
    POWER,
    device_class=None,
    state_class=SensorStateClass.MEASUREMENT_ANGLE,
    native_unit_of_measurement=DEGREE,
    suggested_display_precision=1,
)
RESISTANCE: Final = replace(POWER, device_class=None, native_unit_of_measurement="kΩ")
STATE_OF_CHARGE: Final = replace(
    POWER, device_class=SensorDeviceClass.BATTERY, native_unit_of_measurement=PERCENTAGE
)
SHARE: Final = replace(POWER, device_class=None, native_unit_of_measurement=PERCENTAGE)
CAPACITY: Final = replace(POWER, device_class=None, native_unit_of_measurement="Ah")
# Counters: those of today start again at midnight, which is what "increasing" allows.
ENERGY: Final = replace(
    POWER,
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL_INCREASING,
    native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=1,
)
# The inverter's own output counts down while it charges the battery from the grid.
SIGNED_ENERGY: Final = replace(ENERGY, state_class=SensorStateClass.TOTAL)
REACTIVE_ENERGY: Final = replace(
    SIGNED_ENERGY,
    device_class=SensorDeviceClass.REACTIVE_ENERGY,
    native_unit_of_measurement=UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR,
)
RUN_TIME: Final = replace(
    ENERGY,
    device_class=SensorDeviceClass.DURATION,
    native_unit_of_measurement=UnitOfTime.HOURS,
)
SECONDS: Final = replace(RUN_TIME, native_unit_of_measurement=UnitOfTime.SECONDS)
MINUTES: Final = replace(RUN_TIME, native_unit_of_measurement=UnitOfTime.MINUTES)
MILLISECONDS: Final = replace(RUN_TIME, native_unit_of_measurement=UnitOfTime.MILLISECONDS)
PLAIN: Final = UnitSensorDescription(key="", entity_category=EntityCategory.DIAGNOSTIC)
COUNT: Final = replace(PLAIN, state_class=SensorStateClass.MEASUREMENT)
CHOICE: Final = replace(PLAIN, device_class=SensorDeviceClass.ENUM, entity_category=None)


def shown(like: UnitSensorDescription, part: Part, *keys: str) -> list[UnitSensorDescription]:
    """Describe values that are shown unless a person hides them."""
    return [replace(like, key=key, part=part) for key in keys]


def hidden(like: UnitSensorDescription, part: Part, *keys: str) -> list[UnitSensorDescription]:
    """Describe values that a person can switch on."""
    return [
        replace(like, key=key, part=part, entity_registry_enabled_default=False) for key in keys
    ]


def diagnostic(like: UnitSensorDescription, part: Part, *keys: str) -> list[UnitSensorDescription]:
    """Describe values that help to find out what is wrong."""
    return [
        replace(description, entity_category=EntityCategory.DIAGNOSTIC)
        for description in hidden(like, part, *keys)
    ]


def phases(*patterns: str) -> list[str]:
    """Return the keys of the three phases."""
    return [pattern.format(phase) for pattern in patterns for phase in ("l1", "l2", "l3")]


def past(*patterns: str) -> list[str]:
    """Return the keys of the counters of this month and this year."""
    return [pattern.format(period) for pattern in patterns for period in ("month", "year")]


def fixed(kind: UnitSensorDescription, part: Part, *keys: str) -> list[UnitSensorDescription]:
    """Describe settings that no tier may write: they stay as they are, so there are no statistics of them."""
    plain = replace(kind, state_class=None, suggested_display_precision=None)
    return diagnostic(plain, part, *keys)


def points(pattern: str, count: int = 4) -> list[str]:
    """Return the keys of what is numbered: the points of a curve, the packs of a battery."""
    return [pattern.format(number) for number in range(1, count + 1)]


def stand_in(kind: UnitSensorDescription, control: UnitEntityDescription) -> UnitSensorDescription:
    """Describe what shows a setting where the chosen tier may only look at it."""
    return replace(
        kind,
        key=control.key,
        part=control.part,
        used_when=control.used_when,
        entity_registry_enabled_default=control.entity_registry_enabled_default,
        writable=False,
    )
