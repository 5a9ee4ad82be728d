"""Those who want to know what is in force, and what happens to orders."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from homeassistant.core import CALLBACK_TYPE, callback

from ..modbus.control.lease import Lease
from ..modbus.control.plan import Told
from .request import ControlEvent, ControlEventType, told_response


class Listeners(ABC):
    """Tells everybody who listens."""

    def __init__(self) -> None:
        self._listeners: list[CALLBACK_TYPE] = []
        self._event_listeners: list[Callable[[ControlEvent], None]] = []

    @abstractmethod
    def told_of(self, lease: Lease) -> Told | None:
        """What its owner was told of an order in force."""

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back when other orders are in force; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_add_event_listener(self, listener: Callable[[ControlEvent], None]) -> CALLBACK_TYPE:
        """Call back when something happens to an order; returns how to stop that."""
        self._event_listeners.append(listener)
        return lambda: self._event_listeners.remove(listener)

    @callback
    def async_tell_all(
        self, type_: ControlEventType, leases: Sequence[Lease], **details: Any
    ) -> None:
        """Tell what has happened at once to some orders."""
        for place, lease in enumerate(leases):
            self.async_tell(type_, lease, is_repeated=place > 0, **details)

    @callback
    def async_tell(
        self, type_: ControlEventType, lease: Lease, *, is_repeated: bool = False, **details: Any
    ) -> None:
        """Tell what has happened to an order; `is_repeated` if it was told of another one already."""
        attributes: dict[str, Any] = {"owner": lease.owner, "mode": lease.order.mode.value}
        if (told := self.told_of(lease)) is not None:
            attributes |= told_response(told)
        event = ControlEvent(type_, {**attributes, **details}, is_repeated=is_repeated)
        for listener in tuple(self._event_listeners):
            listener(event)
        self.async_update()

    @callback
    def async_update(self) -> None:
        """Tell that other orders are in force, or that they are told of otherwise."""
        for listener in tuple(self._listeners):
            listener()
