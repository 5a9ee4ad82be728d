"""What is looked at now and then, all of it together: each timer of its own would wake Home Assistant up."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER

# By a clock that nobody sets: what an order rests on is looked at whatever time it is.
INTERVAL: Final = timedelta(seconds=30)


class Ticks:
    """Calls everybody back in the same moment."""

    def __init__(self, hass: HomeAssistant) -> None:
        """No timer runs while nobody is to be called."""
        self._hass = hass
        self._callbacks: list[CALLBACK_TYPE] = []
        self._stop: CALLBACK_TYPE | None = None

    @callback
    def async_add(self, tick: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back every 30 seconds; returns how to stop that."""
        self._callbacks.append(tick)
        if self._stop is None:
            self._stop = async_track_time_interval(
                self._hass, self._tick, INTERVAL, cancel_on_shutdown=True
            )

        @callback
        def remove() -> None:
            self._callbacks.remove(tick)
            if not self._callbacks and self._stop is not None:
                self._stop()
                self._stop = None

        return remove

    @callback
    def _tick(self, _now: datetime) -> None:
        for tick in tuple(self._callbacks):
            try:
                tick()
            except Exception:  # noqa: BLE001 - what fails must not keep the others from being called
                LOGGER.exception("Unexpected error in what is looked at every 30 seconds")


TICKS: Final = HassKey[Ticks](f"{DOMAIN}_ticks")


@callback
def async_every_tick(hass: HomeAssistant, tick: CALLBACK_TYPE) -> CALLBACK_TYPE:
    """Call back every 30 seconds, together with all others; returns how to stop that."""
    if (ticks := hass.data.get(TICKS)) is None:
        ticks = hass.data[TICKS] = Ticks(hass)
    return ticks.async_add(tick)
