"""What the entities that show the time-of-use table share."""

from datetime import datetime
from typing import override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .coordinator import UnitRuntime
from .entity import UnitEntity, UnitEntityDescription
from .modbus.register import Group
from .modbus.schedule import Schedule, next_slot, schedule_of


class ScheduleEntity(UnitEntity):
    """An entity whose state follows the time-of-use table, and the time."""

    def __init__(self, unit: UnitRuntime, description: UnitEntityDescription) -> None:
        """Have the whole table polled."""
        super().__init__(unit, description, Group.SETTINGS, wanted=description.polled_keys)
        self._cancel: CALLBACK_TYPE | None = None

    @property
    def schedule(self) -> Schedule | None:
        """Return the table as it was last read; None while not all of it is known."""
        return schedule_of(self.coordinator.data.values)

    @property
    @override
    def available(self) -> bool:
        """Return whether the last poll brought the table."""
        return super().available and self.schedule is not None

    @override
    async def async_added_to_hass(self) -> None:
        """Wait for the first change."""
        await super().async_added_to_hass()
        self._await_change()
        self.async_on_remove(self._stop_waiting)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Show what is in force now, and wait for what comes next; the table may be another one."""
        super()._handle_coordinator_update()
        self._await_change()

    @callback
    def _await_change(self) -> None:
        """Look again when the next slot starts."""
        self._stop_waiting()
        schedule = self.schedule
        if schedule is None:
            return
        now, zone = dt_util.utcnow(), dt_util.get_default_time_zone()
        if (moment := next_slot(schedule, now, zone)) is not None:
            self._cancel = async_track_point_in_utc_time(self.hass, self._changed, moment)

    @callback
    def _changed(self, _: datetime) -> None:
        """Show the next slot."""
        self._cancel = None
        self._handle_coordinator_update()

    @callback
    def _stop_waiting(self) -> None:
        """Forget the next change."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
