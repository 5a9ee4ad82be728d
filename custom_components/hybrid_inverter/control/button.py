"""The button of battery control: it ends what is ordered, whoever has ordered it."""

from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription

from .entities import OrderEntity, OrderEntityDescription


@dataclass(frozen=True, kw_only=True)
class ControlButtonDescription(OrderEntityDescription, ButtonEntityDescription):
    """What a person does with the orders of a battery."""


CONTROL_BUTTONS: Final = (ControlButtonDescription(key="release_battery"),)


class ReleaseButton(OrderEntity, ButtonEntity):
    """Ends the order of the battery at once; nothing happens if there is none."""

    entity_description: ControlButtonDescription

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available,)

    @override
    async def async_press(self) -> None:
        """End it."""
        await self.battery.async_release(self._context)
