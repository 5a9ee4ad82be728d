"""Writing a state only when it has changed, as every state that is written costs processor time."""

from abc import abstractmethod
from typing import Any, override

from homeassistant.core import callback

from .english_ids import EnglishIdEntity


class WriteOnChangeEntity(EnglishIdEntity):
    """An entity that is updated often, and writes its state only when it has changed."""

    # The key of the state that was written last.
    _shown: tuple[Any, ...] = ()

    @abstractmethod
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""

    @override
    async def async_added_to_hass(self) -> None:
        """Remember the first state."""
        await super().async_added_to_hass()
        self._shown = self.state_key()

    @callback
    def async_write_if_changed(self) -> None:
        """Write the state if it has changed."""
        if (state_key := self.state_key()) != self._shown:
            self._shown = state_key
            self.async_write_ha_state()
