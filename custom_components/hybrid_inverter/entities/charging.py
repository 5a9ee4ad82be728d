"""Whether a battery is being charged, by the power that flows into it."""

from typing import Any, Final, override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass

from ..modbus.model.codec import as_number
from ..modbus.model.part import Part
from .base import ValueEntity
from .descriptions import UnitBinarySensorDescription

BATTERY_POWER: Final = "battery_power"

# Watts that flow into the battery while it is being charged; less may only be how exactly they are measured.
CHARGING_FROM: Final = 50
CHARGING: Final = UnitBinarySensorDescription(
    key="battery_charging",
    value_key=BATTERY_POWER,
    inputs=frozenset({BATTERY_POWER}),
    part=Part.BATTERY,
    device_class=BinarySensorDeviceClass.BATTERY_CHARGING,
)


def is_charging(power: float | None) -> bool | None:
    """Whether power flows in, by the watts that flow out; None while they are not known."""
    return None if power is None else power < -CHARGING_FROM


class ChargingSensor(ValueEntity, BinarySensorEntity):
    """Whether power flows into the battery."""

    entity_description: UnitBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it flows; None while the power is not known."""
        return is_charging(as_number(self.reading))

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.is_on)
