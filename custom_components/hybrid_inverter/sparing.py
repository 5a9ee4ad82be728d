"""Writing a state only when there is something new in it: each state that is written costs Home Assistant its time."""

from abc import abstractmethod
from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity


class SparingEntity(Entity):
    """An entity that is asked often for news, and writes its state only when there are some."""

    # What the state that was written last is made of.
    _shown: tuple[Any, ...] = ()

    @abstractmethod
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""

    @override
    async def async_added_to_hass(self) -> None:
        """Remember what is shown first."""
        await super().async_added_to_hass()
        self._shown = self.fingerprint()

    @callback
    def async_write_news(self) -> None:
        """Write the state when there is something new in it."""
        if (fingerprint := self.fingerprint()) != self._shown:
            self._shown = fingerprint
            self.async_write_ha_state()
