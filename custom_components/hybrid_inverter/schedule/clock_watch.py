"""The clock that a schedule rests on: while the schedule is in force and the clock is off, there is a repair issue."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..entry.texts import async_text
from ..modbus.errors import DeviceError
from ..modbus.model.register import Group
from ..modbus.schedule.styles import style_of
from ..runtime.clock import CLOCK, drift_of
from ..runtime.issues import async_raise, async_withdraw, machine_name
from ..runtime.runtime import UnitRuntime
from .view import schedule_view

# The kinds of the issue: of a clock that is set from here, and of one that is not.
CLOCK_OFF: Final = "clock_off"
CLOCK_OFF_ELSEWHERE: Final = "clock_off_elsewhere"

# Seconds by which a clock is off, and by which one that was off is right again: between the two nothing changes.
OFF: Final = 300
RIGHT: Final = 180
# How many readings in a row have to show that it is off.
READINGS: Final = 2
# Seconds of an hour, and how much of a difference is still one: that of daylight saving time.
HOUR: Final = 3600
ABOUT: Final = 180
# From two days on the days are said, as of a clock that has lost its date.
DAY: Final = 86400

# When it is read first, and then: nobody shows it, so it is read seldom; more often while it is off.
FIRST: Final = timedelta(minutes=10)
DAILY: Final = timedelta(days=1)
HOURLY: Final = timedelta(hours=1)


class ClockWatch:
    """Watches the clock of a unit."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime) -> None:
        self._hass = hass
        self._entry = entry
        self._unit = unit
        self._view = schedule_view(unit)
        self._clock = unit.coordinators[unit.device.family.group_of(CLOCK)]
        self._kind = CLOCK_OFF if unit.device.may_write(CLOCK) else CLOCK_OFF_ELSEWHERE
        self._due_at = dt_util.utcnow() + FIRST
        # What local time differed from UTC by when the clock was read last.
        self._offset = dt_util.now().utcoffset()
        self._readings_off = 0
        # When the reading was made that was judged last.
        self._judged: datetime | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Look at the clock after polls of the settings, and when it was set; returns how to stop that."""
        settings = self._unit.coordinators[Group.SETTINGS]
        # In another tier it was another one.
        other = CLOCK_OFF_ELSEWHERE if self._kind == CLOCK_OFF else CLOCK_OFF
        async_withdraw(self._hass, self._unit.identity.serial, other)
        stops = (
            settings.async_add_poll_listener(self._polled),
            self._unit.device.add_listener(self._written),
        )

        @callback
        def stop() -> None:
            for one in stops:
                one()

        return stop

    @callback
    def _written(self, group: Group) -> None:
        """Judge a clock that was off and has been set."""
        if self._readings_off and group is self._clock.group:
            self._judge()

    @callback
    def _polled(self) -> None:
        """Judge the clock if it was polled, and have it read if it is time for that."""
        schedule = self._view.schedule
        if schedule is None:
            return
        if not schedule.enabled:
            self._note_right()
        elif CLOCK in self._clock.data.values:
            self._judge()
        elif dt_util.utcnow() >= self._due_at or dt_util.now().utcoffset() != self._offset:
            self._entry.async_create_background_task(
                self._hass, self._async_read(), f"{self._unit.name} clock"
            )

    async def _async_read(self) -> None:
        """Read the clock, and judge it."""
        try:
            await self._unit.async_verify()
            await self._unit.device.read({CLOCK})
        except DeviceError as err:
            # It is read after the next poll then.
            LOGGER.debug("%s: the clock could not be read: %s", self._unit.name, err)
            return
        self._judge()
        self._offset = dt_util.now().utcoffset()
        self._due_at = dt_util.utcnow() + (HOURLY if self._readings_off >= READINGS else DAILY)
        if 0 < self._readings_off < READINGS:
            self._due_at = dt_util.utcnow()

    @callback
    def _judge(self) -> None:
        """Raise the issue when the clock was off twice in a row, and withdraw it when it is right again."""
        device = self._unit.device
        read_at = device.read_at(CLOCK)
        if read_at is None or read_at == self._judged:
            return
        self._judged = read_at
        drift = drift_of(device, device.values.get(CLOCK))
        if drift is not None and abs(drift) < RIGHT:
            self._note_right()
        elif drift is None or abs(drift) >= OFF:
            self._readings_off += 1
            if self._readings_off >= READINGS:
                self._raise(drift)

    @callback
    def _note_right(self) -> None:
        """Withdraw the issue: nothing is wrong, or nothing rests on the clock."""
        self._readings_off = 0
        async_withdraw(self._hass, self._unit.identity.serial, self._kind)

    @callback
    def _raise(self, drift: int | None) -> None:
        """Raise the issue, or have it say what is true by now."""
        path = f"selector.clock_drift.options.{_described(drift)}"
        seconds = abs(drift or 0)
        hours, minutes = divmod(round(seconds / 60), 60)
        time = f"{hours}:{minutes:02} h"
        async_raise(
            self._hass,
            self._unit.identity.serial,
            self._kind,
            fixable=self._kind == CLOCK_OFF,
            name=machine_name(self._hass, self._unit.entry_id, self._unit.identity),
            drift=async_text(self._hass, path, time=time, days=str(seconds // DAY)) or "",
        )


def _described(drift: int | None) -> str:
    """The key of the text about a clock that is off by so many seconds."""
    if drift is None:
        return "no_time"
    side = "ahead" if drift > 0 else "behind"
    if abs(drift) >= 2 * DAY:
        return f"days_{side}"
    return f"hour_{side}" if abs(abs(drift) - HOUR) <= ABOUT else side


@callback
def async_watch_clock(hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime) -> CALLBACK_TYPE:
    """Watch the clock of a unit whose schedule rests on it; returns what ends that."""
    served = unit.device.family.registers.keys()
    if CLOCK not in served or style_of(served) is None:
        return lambda: None
    return ClockWatch(hass, entry, unit).async_start()
