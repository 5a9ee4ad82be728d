"""What is looked at now and then, all of it together: each timer of its own would wake Home Assistant up."""

from datetime import timedelta
import time
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HassJobType, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER

# What an order rests on is looked at no less often, even if somebody sets the clock meanwhile.
INTERVAL: Final = timedelta(seconds=30)
# Seconds behind the full and the half minute at which that is done.
BEHIND: Final = 1.0
MINUTE: Final = 60


class Ticks:
    """Calls everybody back in the same moments: right after a minute has begun, and half a minute later."""

    def __init__(self, hass: HomeAssistant) -> None:
        """No timer runs while nobody is to be called."""
        self._hass = hass
        # Who is called every time, and who once a minute.
        self._callbacks: list[CALLBACK_TYPE] = []
        self._minutely: list[CALLBACK_TYPE] = []
        # The minute in which the latter were called last.
        self._minute = 0
        self._stop: CALLBACK_TYPE | None = None
        self._job = HassJob(
            self._tick, "ticks", job_type=HassJobType.Callback, cancel_on_shutdown=True
        )

    @callback
    def async_add(self, tick: CALLBACK_TYPE, *, each_minute: bool) -> CALLBACK_TYPE:
        """Call back with every tick, or once a minute; returns how to stop that."""
        callbacks = self._minutely if each_minute else self._callbacks
        callbacks.append(tick)
        if self._stop is None:
            self._minute = _minute()
            self._wait()

        @callback
        def remove() -> None:
            callbacks.remove(tick)
            if not self._callbacks and not self._minutely and self._stop is not None:
                self._stop()
                self._stop = None

        return remove

    def _wait(self) -> None:
        """Wait for the next tick, by a clock that nobody sets."""
        interval, loop = INTERVAL.total_seconds(), self._hass.loop
        seconds = interval - (time.time() - BEHIND) % interval
        self._stop = loop.call_at(loop.time() + seconds, self._tick, self._job).cancel

    @callback
    def _tick(self, _job: HassJob[[Any], None]) -> None:
        self._wait()
        due = [*self._callbacks]
        if (minute := _minute()) != self._minute:
            self._minute = minute
            due += self._minutely
        for tick in due:
            try:
                tick()
            except Exception:  # noqa: BLE001 - what fails must not keep the others from being called
                LOGGER.exception("Unexpected error in what is looked at every 30 seconds")


def _minute() -> int:
    """The minute that the clock shows, counted since 1970."""
    return int(time.time() // MINUTE)


TICKS: Final = HassKey[Ticks](f"{DOMAIN}_ticks")


@callback
def _add(hass: HomeAssistant, tick: CALLBACK_TYPE, *, each_minute: bool) -> CALLBACK_TYPE:
    if (ticks := hass.data.get(TICKS)) is None:
        ticks = hass.data[TICKS] = Ticks(hass)
    return ticks.async_add(tick, each_minute=each_minute)


@callback
def async_every_tick(hass: HomeAssistant, tick: CALLBACK_TYPE) -> CALLBACK_TYPE:
    """Call back every 30 seconds, together with all others; returns how to stop that."""
    return _add(hass, tick, each_minute=False)


@callback
def async_every_minute(hass: HomeAssistant, tick: CALLBACK_TYPE) -> CALLBACK_TYPE:
    """Call back a second after each minute of the clock has begun, together with all others; returns how to stop that."""
    return _add(hass, tick, each_minute=True)
