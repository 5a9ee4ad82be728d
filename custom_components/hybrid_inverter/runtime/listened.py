"""Who is called after a poll: those who want to know of every one, and those whose values may have changed."""

from collections.abc import Callable
from typing import Any, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..modbus.device.device import Snapshot


class ListenedCoordinator(DataUpdateCoordinator[Snapshot]):
    """A coordinator that also calls back after polls that bring nothing new, and knows what has changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Like Home Assistant's; nothing is known yet."""
        self._poll_listeners: list[CALLBACK_TYPE] = []
        # What the listeners were called for last; None if it was a failure.
        self._told: Snapshot | None = None
        # The keys that have other values than when the listeners were called before; None if all may have. It is an
        # attribute, as every entity looks at it with every poll.
        self.changed: frozenset[str] | None = None
        super().__init__(*args, **kwargs)
        self.data = Snapshot({})

    @callback
    def async_add_poll_listener(
        self, poll_callback: CALLBACK_TYPE, keys: frozenset[str] | None = None
    ) -> Callable[[], None]:
        """Call back after every answered poll, before other listeners, even if all values are the same as before."""
        stop_polling = self.async_keep_polled(keys)
        stop_following = self.async_follow_polls(poll_callback)

        @callback
        def stop() -> None:
            stop_polling()
            stop_following()

        return stop

    @callback
    def async_keep_polled(self, keys: frozenset[str] | None) -> Callable[[], None]:
        """Have keys polled that nobody may show; returns how to stop that."""
        return self.async_add_listener(_do_nothing, keys)

    @callback
    def async_follow_polls(self, poll_callback: CALLBACK_TYPE) -> Callable[[], None]:
        """Call back after every answered poll, like `async_add_poll_listener`, and have nothing polled for that."""
        self._poll_listeners.append(poll_callback)
        return lambda: self._poll_listeners.remove(poll_callback)

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Call those who want to know of every poll."""
        if self.last_update_success:
            for poll_callback in tuple(self._poll_listeners):
                try:
                    poll_callback()
                except Exception:
                    # The other listeners are called all the same, as Home Assistant does with those of its own.
                    self.logger.exception("Unexpected error calling a listener of %s", self.name)

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Call the listeners, which may ask what has changed."""
        told, self._told = self._told, self.data if self.last_update_success else None
        self.changed = None if told is None or self._told is None else self._told.differences(told)
        super().async_update_listeners()


@callback
def _do_nothing() -> None:
    """The listener that keeps a group polled for somebody who does not want to be called."""
