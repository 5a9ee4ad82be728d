"""A release that waits for the next order of the same owner, which would only have to write what differs."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

# Seconds that it waits.
SUCCESSOR: Final = 10

type Release = Callable[[], Awaitable[None]]


class WaitingRelease:
    """At most one release of an inverter's battery."""

    def __init__(self, hass: HomeAssistant, due: Callable[[Release], None]) -> None:
        """`due` is called back with a release whose time has come."""
        self._hass = hass
        self._due = due
        self._release: Release | None = None
        self._timer: CALLBACK_TYPE | None = None

    def __bool__(self) -> bool:
        """Whether one waits."""
        return self._release is not None

    @callback
    def async_begin(self, release: Release) -> None:
        """Wait with a release, instead of the one that has waited."""
        self.async_take()
        self._release = release
        self._timer = async_call_later(self._hass, SUCCESSOR, self._is_due)

    @callback
    def async_take(self) -> Release | None:
        """What has waited, which does not go on."""
        if self._timer is not None:
            self._timer()
        release, self._release, self._timer = self._release, None, None
        return release

    @callback
    def _is_due(self, _now: datetime) -> None:
        if (release := self.async_take()) is not None:
            self._due(release)
