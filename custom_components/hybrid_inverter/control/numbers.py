"""Numbers of battery control: what an order of the select takes, and, while one is in force, what it is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
import math
from typing import Any, Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberExtraStoredData,
    RestoreNumber,
)
from homeassistant.const import PERCENTAGE, UnitOfPower, UnitOfTime
from homeassistant.core import Context
from homeassistant.exceptions import ServiceValidationError

from ..const import DOMAIN
from ..entities.descriptions import UnitNumberDescription
from ..modbus.control.lease import Lease
from ..modbus.control.order import Order
from ..modbus.control.plan import Told
from .battery import Battery
from .entities import OrderEntity, OrderEntityDescription
from .preset import CONTROL_DURATION, CONTROL_POWER, CONTROL_TARGET_SOC, WITH_POWER
from .shares import whole_power
from .times import LONGEST, MINUTE, SHORTEST

# Watts: less than this an inverter needs for itself.
LEAST_POWER: Final = 100


@dataclass(frozen=True, kw_only=True)
class ControlNumberDescription(OrderEntityDescription, UnitNumberDescription):
    """A number that an order takes."""

    # What an order says of it, what it is of the orders of several inverters, and how the order in force is changed; None
    # for what stays until an order is over.
    asked: Callable[[Order | Told], float | None] | None = None
    joined: Callable[[list[float], Battery], float | None] | None = None
    change: Callable[[Battery, float, Context | None], Awaitable[None]] | None = None


def _power_of_all(powers: list[float], battery: Battery) -> float:
    """The power in watts of an order that is shared."""
    return whole_power(powers, battery.leases[0].order.at, battery.target)


def _same_for_all(targets: list[float], _battery: Battery) -> float | None:
    """The target in percent that all have; None where they differ."""
    return targets[0] if len(set(targets)) == 1 else None


CONTROL_NUMBERS: Final = (
    ControlNumberDescription(
        key=CONTROL_POWER,
        device_class=NumberDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_min_value=LEAST_POWER,
        native_step=1,
        asked=lambda order: order.power,
        joined=_power_of_all,
        change=Battery.async_change_power,
    ),
    ControlNumberDescription(
        key=CONTROL_TARGET_SOC,
        device_class=NumberDeviceClass.BATTERY,
        native_unit_of_measurement=PERCENTAGE,
        native_min_value=0,
        native_max_value=100,
        native_step=1,
        asked=lambda order: order.target_soc,
        joined=_same_for_all,
        change=Battery.async_change_target,
    ),
    ControlNumberDescription(
        key=CONTROL_DURATION,
        entity_registry_enabled_default=False,
        device_class=NumberDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        native_min_value=SHORTEST // MINUTE,
        native_max_value=LONGEST // MINUTE,
        native_step=5,
    ),
)


class ControlNumber(OrderEntity, RestoreNumber):
    """A number that the next order of the select takes, and that changes the one in force."""

    entity_description: ControlNumberDescription

    def __init__(self, battery: Battery, description: ControlNumberDescription) -> None:
        """The power is bounded by what the inverters are built for."""
        super().__init__(battery, description)
        if description.native_max_value is None and battery.rated_power is not None:
            self._attr_native_max_value = battery.rated_power

    @override
    async def async_added_to_hass(self) -> None:
        """Go on with what was chosen before the restart."""
        last = await self.async_get_last_number_data()
        if last is not None and last.native_value is not None:
            self.battery.preset[self.entity_description.key] = last.native_value
        await super().async_added_to_hass()

    @property
    @override
    def extra_restore_state_data(self) -> NumberExtraStoredData:
        """What is known again after a restart: what was chosen, and not what an order says."""
        return replace(super().extra_restore_state_data, native_value=self._chosen)

    @property
    def _chosen(self) -> float | None:
        """What the next order takes; None for as much as there is."""
        chosen = self.battery.preset.get(self.entity_description.key)
        return None if chosen is None else _plain(chosen)

    @property
    def _changeable(self) -> list[Lease]:
        """The order in force at each inverter, if it has such a number."""
        leases, change = self.battery.leases, self.entity_description.change
        if change is None or not leases or leases[0].order.mode not in WITH_POWER:
            return []
        # One that is released only waits for the next one.
        return [] if any(lease.is_released for lease in leases) else leases

    @property
    @override
    def native_value(self) -> float | None:
        """What the order in force says, or, without one, what the next one takes."""
        asked, joined = self.entity_description.asked, self.entity_description.joined
        if asked is None or joined is None or not (leases := self._changeable):
            return self._chosen
        numbers = [asked(lease.order) for lease in leases]
        if None in numbers:
            if not (told := self.battery.told):
                return self._chosen
            numbers = [
                asked(one) if number is None else number
                for number, one in zip(numbers, told, strict=True)
            ]
        known = [number for number in numbers if number is not None]
        whole = joined(known, self.battery) if len(known) == len(numbers) else None
        return None if whole is None else _plain(whole)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.native_value)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the order in force until its end, or else what the next one takes; whole numbers arrive as floats."""
        if not math.isfinite(value):
            # Home Assistant lets it pass, as it is neither below nor above a bound.
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="out_of_range",
                translation_placeholders={
                    "entity": self.called,
                    "value": str(value),
                    "minimum": f"{self.native_min_value:g}",
                    "maximum": f"{self.native_max_value:g}",
                },
            )
        value = _plain(value)
        change = self.entity_description.change
        if change is not None and self._changeable:
            await change(self.battery, value, self._context)
            return
        self.battery.preset[self.entity_description.key] = value
        self.async_write_if_changed()


def _plain(value: float) -> float:
    """A number without the decimals of a whole one."""
    return int(value) if float(value).is_integer() else value
