"""The select of battery control: what an inverter does with its battery, and how a person orders something else."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.select import SelectEntity
from homeassistant.core import callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..entities.descriptions import UnitSelectDescription
from ..modbus.control.order import ControlMode
from ..runtime.callers import async_owner
from ..runtime.runtime import UnitRuntime
from ..runtime.writes import display_name
from .entities import BATTERY_CONTROL, OrderEntity, OrderEntityDescription, async_release_battery
from .in_force import mode_in_force
from .preset import order_of
from .request import AUTO


@dataclass(frozen=True, kw_only=True)
class ControlSelectDescription(OrderEntityDescription, UnitSelectDescription):
    """The select of battery control."""


CONTROL_SELECTS: Final = (ControlSelectDescription(key=BATTERY_CONTROL),)


class ControlSelect(OrderEntity, SelectEntity):
    """What is in force, by the registers as they were read back; choosing a mode orders it."""

    entity_description: ControlSelectDescription

    def __init__(self, unit: UnitRuntime, description: ControlSelectDescription) -> None:
        """Offer what the family can do with its battery."""
        wanted = description.polled_from(unit.device.family)
        super().__init__(unit, description, wanted=wanted)
        modes = self.keeper.style.modes - {ControlMode.EXPORT_LIMIT}
        self._attr_options = [AUTO, *(mode.value for mode in ControlMode if mode in modes)]
        self._mode: str | None = None
        self._looks: asyncio.Handle | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Look every minute, too: a slot of the schedule begins without a setting that changes."""
        self._mode = mode_in_force(self.keeper)
        await super().async_added_to_hass()
        self.async_on_remove(async_track_time_change(self.hass, self._look, second=1))
        self.async_on_remove(self._stop_looking)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Look once for everything that a poll or a write has brought."""
        self.async_write_if_changed()
        if self._looks is None:
            self._looks = self.hass.loop.call_soon(self._look)

    @callback
    @override
    def _handle_orders(self) -> None:
        """Look at once."""
        self._look()

    @callback
    def _look(self, _now: datetime | None = None) -> None:
        """Look what is in force now."""
        self._stop_looking()
        self._mode = mode_in_force(self.keeper)
        self.async_write_if_changed()

    @callback
    def _stop_looking(self) -> None:
        if self._looks is not None:
            self._looks.cancel()
            self._looks = None

    @property
    @override
    def current_option(self) -> str | None:
        """What is in force; None when somebody else runs the battery in a way that has no name here."""
        return self._mode

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self._mode)

    @override
    async def async_select_option(self, option: str) -> None:
        """Order another mode, or end what is ordered."""
        if option == AUTO:
            await self._async_end()
            return
        await self.async_order(
            order_of(
                ControlMode(option),
                self.driver.preset,
                now=dt_util.utcnow(),
                owner=await async_owner(self.hass, self._context),
                of_person=self.is_called_by_person,
            )
        )

    async def _async_end(self) -> None:
        """End what is ordered; a person is told where that is nothing, and the battery is run otherwise all the same.

        An automation may choose it as often as it likes.
        """
        nothing = self.keeper.lease() is None and self._mode != AUTO
        if nothing and self.is_called_by_person:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="control_not_ordered",
                translation_placeholders={"entity": display_name(self.unit, BATTERY_CONTROL)},
            )
        await async_release_battery(self.unit, self._context)
