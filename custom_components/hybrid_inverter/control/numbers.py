"""Numbers of battery control: what an order of the select takes, and, while one is in force, what it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberExtraStoredData,
    RestoreNumber,
)
from homeassistant.const import PERCENTAGE, UnitOfPower, UnitOfTime

from ..entities.descriptions import UnitNumberDescription
from ..modbus.control.lease import Lease
from ..modbus.control.order import Order
from ..modbus.control.plan import Told
from ..modbus.model.codec import RATED_POWER, as_number
from ..runtime.runtime import UnitRuntime
from .entities import OrderEntity, OrderEntityDescription
from .preset import CONTROL_DURATION, CONTROL_POWER, CONTROL_TARGET_SOC, WITH_POWER
from .request import OrderRequest

# Watts: less than this an inverter needs for itself.
LEAST_POWER: Final = 100
# Minutes: on the grid of the schedules, and less than a day, of which an inverter would see neither end.
SHORTEST: Final = 5
LONGEST: Final = 1435


@dataclass(frozen=True, kw_only=True)
class ControlNumberDescription(OrderEntityDescription, UnitNumberDescription):
    """A number that an order takes."""

    # What an order says of it, and the same order with another number; None for what stays until an order is over.
    asked: Callable[[Order | Told], float | None] | None = None
    change: Callable[[OrderRequest, float], OrderRequest] | None = None


CONTROL_NUMBERS: Final = (
    ControlNumberDescription(
        key=CONTROL_POWER,
        device_class=NumberDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_min_value=LEAST_POWER,
        native_step=1,
        asked=lambda order: order.power,
        change=lambda request, power: replace(request, power=power),
    ),
    ControlNumberDescription(
        key=CONTROL_TARGET_SOC,
        device_class=NumberDeviceClass.BATTERY,
        native_unit_of_measurement=PERCENTAGE,
        native_min_value=0,
        native_max_value=100,
        native_step=1,
        asked=lambda order: order.target_soc,
        change=lambda request, target: replace(request, target_soc=target),
    ),
    ControlNumberDescription(
        key=CONTROL_DURATION,
        entity_registry_enabled_default=False,
        device_class=NumberDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        native_min_value=SHORTEST,
        native_max_value=LONGEST,
        native_step=5,
    ),
)


class ControlNumber(OrderEntity, RestoreNumber):
    """A number that the next order of the select takes, and that changes the one in force."""

    entity_description: ControlNumberDescription

    def __init__(self, unit: UnitRuntime, description: ControlNumberDescription) -> None:
        """The power is bounded by what the inverter is built for."""
        super().__init__(unit, description)
        rated = as_number(unit.identity.facts.get(RATED_POWER))
        if description.native_max_value is None and rated is not None:
            self._attr_native_max_value = rated

    @override
    async def async_added_to_hass(self) -> None:
        """Go on with what was chosen before the restart."""
        last = await self.async_get_last_number_data()
        if last is not None and last.native_value is not None:
            self.driver.preset[self.entity_description.key] = last.native_value
        await super().async_added_to_hass()

    @property
    @override
    def extra_restore_state_data(self) -> NumberExtraStoredData:
        """What is known again after a restart: what was chosen, and not what an order says."""
        return replace(super().extra_restore_state_data, native_value=self._chosen)

    @property
    def _chosen(self) -> float | None:
        """What the next order takes; None for as much as there is."""
        return self.driver.preset.get(self.entity_description.key)

    @property
    def _changeable(self) -> Lease | None:
        """The order in force, if it has such a number."""
        lease, description = self.keeper.lease(), self.entity_description
        if lease is None or description.change is None or lease.order.mode not in WITH_POWER:
            return None
        return lease

    @property
    @override
    def native_value(self) -> float | None:
        """What the order in force says, or, without one, what the next one takes."""
        lease, asked = self._changeable, self.entity_description.asked
        if lease is not None and asked is not None:
            if (number := asked(lease.order)) is not None:
                return number
            if (told := self.keeper.told_of(lease)) is not None:
                return asked(told)
        return self._chosen

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.native_value)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the order in force until its end, or else what the next one takes; whole numbers arrive as floats."""
        value = int(value) if value.is_integer() else value
        lease, change = self._changeable, self.entity_description.change
        if lease is None or change is None:
            self.driver.preset[self.entity_description.key] = value
            self.async_write_if_changed()
            return
        order = lease.order
        request = OrderRequest(
            mode=order.mode,
            until=order.until,
            owner=lease.owner,
            of_person=self.is_called_by_person,
            power=order.power,
            at=order.at,
            target_soc=order.target_soc,
        )
        await self.async_order(change(request, value))
