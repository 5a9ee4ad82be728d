"""What the entities of battery control share: their inverter, and how they give and end its orders."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.core import Context, callback

from ..entities.base import UnitEntity, UnitEntityDescription
from ..modbus.control.styles import control_style_of
from ..modbus.device.wear import Origin
from ..modbus.model.family import Family
from ..modbus.model.register import Group
from ..runtime.callers import origin_of
from ..runtime.runtime import UnitRuntime
from .driver import Driver
from .orders import async_order, async_release
from .request import OrderRequest
from .setup import DRIVERS, driver_of
from .targets import Controlled

# The key of the select, after which messages call whatever is ordered.
BATTERY_CONTROL: Final = "battery_control"


@dataclass(frozen=True, kw_only=True)
class OrderEntityDescription(UnitEntityDescription):
    """An entity of an inverter that takes orders."""

    needs_write: bool = True

    @override
    def polled_from(self, family: Family) -> frozenset[str]:
        """Everything that says what is in force; what no family serves where there are no orders."""
        style = control_style_of(family.registers.keys())
        if style is None:
            return frozenset({self.key})
        return style.reads | {key for key in style.optional if family.serves([key])}


class OrderEntity(UnitEntity):
    """An entity that follows the orders of an inverter."""

    entity_description: OrderEntityDescription

    def __init__(
        self,
        unit: UnitRuntime,
        description: OrderEntityDescription,
        wanted: frozenset[str] | None = None,
    ) -> None:
        """Be available while the settings are polled; the wanted keys are polled with them."""
        super().__init__(unit, description, Group.SETTINGS, wanted=wanted)
        self.driver = driver_for(unit)
        self.keeper = self.driver.keeper

    @override
    async def async_added_to_hass(self) -> None:
        """Update when other orders are in force."""
        await super().async_added_to_hass()
        self.async_on_remove(self.keeper.async_add_listener(self._handle_orders))

    @callback
    def _handle_orders(self) -> None:
        """Show other orders."""
        self.async_write_if_changed()

    async def async_order(self, request: OrderRequest) -> None:
        """Give an order; raise an error with a translated message if it could not be carried out."""
        await async_order(Controlled(self.unit, self.driver), request, self._context)

    @property
    def is_called_by_person(self) -> bool:
        """Whether a person has called, and no automation."""
        return origin_of(self._context) is Origin.PERSON


def driver_for(unit: UnitRuntime) -> Driver:
    """The driver of an inverter that has such entities."""
    return unit.hass.data[DRIVERS][unit.identity.serial]


async def async_release_battery(unit: UnitRuntime, context: Context | None = None) -> None:
    """End the order of the battery at once, whoever has given it; nothing happens if there is none."""
    await async_release(Controlled(unit, driver_for(unit)), context=context)


async def async_end_export_limit(unit: UnitRuntime, context: Context | None) -> None:
    """End an export limit that was ordered, if there is one: its owner now sets another one for good."""
    if (driver := driver_of(unit.hass, unit)) is not None:
        await async_release(Controlled(unit, driver), is_export_limit=True, context=context)
