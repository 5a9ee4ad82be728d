"""The select of battery control: what is done with a battery, and how a person orders something else."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.select import SelectEntity
from homeassistant.const import ATTR_MODE, ATTR_NAME
from homeassistant.core import callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..entities.descriptions import UnitSelectDescription
from ..modbus.control.order import ControlMode
from ..runtime.callers import async_owner
from ..runtime.ticks import async_every_minute
from .battery import BATTERY_CONTROL, Battery
from .entities import OrderEntity, OrderEntityDescription
from .preset import order_of
from .request import AUTO


@dataclass(frozen=True, kw_only=True)
class ControlSelectDescription(OrderEntityDescription, UnitSelectDescription):
    """The select of battery control."""


# The attribute that says what each inverter of a plant does.
INVERTERS: Final = "inverters"

CONTROL_SELECTS: Final = (ControlSelectDescription(key=BATTERY_CONTROL),)


class ControlSelect(OrderEntity, SelectEntity):
    """What is in force, by the registers as they were read back; choosing a mode orders it."""

    entity_description: ControlSelectDescription

    def __init__(self, battery: Battery, description: ControlSelectDescription) -> None:
        """Offer what all of its inverters can do."""
        super().__init__(battery, description)
        self.follower.updated, self.follower.ordered = self._handle_update, self._look
        self.follower.wanted = description.polled_from
        offered = battery.modes - {ControlMode.EXPORT_LIMIT}
        self._attr_options = [AUTO, *(mode.value for mode in ControlMode if mode in offered)]
        self._modes: list[str | None] = []
        self._looks: asyncio.Handle | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Look, and look again with whatever may have changed that."""
        self._modes = self.battery.modes_in_force()
        await super().async_added_to_hass()
        self.async_on_remove(self._stop_looking)
        # A slot of the schedule begins without a setting that changes.
        self.async_on_remove(async_every_minute(self.hass, self._look))

    @callback
    def _handle_update(self) -> None:
        """Look once for everything that a poll or a write has brought."""
        self.async_write_if_changed()
        if self._looks is None:
            self._looks = self.hass.loop.call_soon(self._look)

    @callback
    def _look(self) -> None:
        """Look what is in force now."""
        self._stop_looking()
        self._modes = self.battery.modes_in_force()
        self.async_write_if_changed()

    @callback
    def _stop_looking(self) -> None:
        if self._looks is not None:
            self._looks.cancel()
            self._looks = None

    @property
    @override
    def current_option(self) -> str | None:
        """What is in force; None when somebody else runs the battery in a way that has no name here, or several differ."""
        return self._modes[0] if len(set(self._modes)) == 1 else None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """What is in force at each inverter of a plant."""
        if self.battery.plant is None:
            return None
        names = (one.name for one in self.battery.inverters)
        return {
            INVERTERS: [
                {ATTR_NAME: name, ATTR_MODE: mode}
                for name, mode in zip(names, self._modes, strict=False)
            ]
        }

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, *self._modes)

    @override
    async def async_select_option(self, option: str) -> None:
        """Order another mode, or end what is ordered."""
        if option == AUTO:
            await self._async_end()
            return
        request = order_of(
            ControlMode(option),
            self.battery.preset,
            now=dt_util.utcnow(),
            owner=await async_owner(self.hass, self._context),
            of_person=self.is_called_by_person,
        )
        await self.battery.async_order(request, self._context)

    async def _async_end(self) -> None:
        """End what is ordered; a person is told where that is nothing, and the battery is run otherwise all the same.

        An automation may choose it as often as it likes.
        """
        nothing = not self.battery.is_ordered and self.current_option != AUTO
        if nothing and self.is_called_by_person:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="control_not_ordered",
                translation_placeholders={"entity": self.called},
            )
        await self.battery.async_release(self._context)
