"""One view of the schedule for all entities of a unit: parsed when it has changed, with one timer for its next slot."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..modbus.device.device import Snapshot
from ..modbus.model.codec import Value
from ..modbus.model.register import Group
from ..modbus.schedule.occurrences import Outlook, outlook_of
from ..modbus.schedule.schedule import Timetable
from ..modbus.schedule.styles import keys_of, style_of
from ..runtime.coordinator import GroupCoordinator
from ..runtime.runtime import UnitRuntime

# The views of loaded entries, each by the coordinator that polls its settings.
VIEWS: Final[HassKey[dict[GroupCoordinator, ScheduleView]]] = HassKey(f"{DOMAIN}_schedule_views")


class ScheduleView:
    """The schedule of a unit as it was last polled, and what it says now."""

    def __init__(self, unit: UnitRuntime) -> None:
        self._unit = unit
        self._coordinator = unit.coordinators[Group.SETTINGS]
        served = unit.device.family.registers.keys()
        self._style = style_of(served)
        self._keys = keys_of(self._style, served) if self._style else frozenset[str]()
        # What was polled last, and what of it the schedule was parsed from.
        self._snapshot: Snapshot | None = None
        self._values: Mapping[str, Value | None] = {}
        self._schedule: Timetable[Any] | None = None
        self._outlook: Outlook[Any] | None = None
        self._listeners: list[CALLBACK_TYPE] = []
        self._cancel_timer: CALLBACK_TYPE | None = None

    @property
    def schedule(self) -> Timetable[Any] | None:
        """The schedule; None while not all of it is known."""
        snapshot = self._coordinator.data
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            values = {key: snapshot.values[key] for key in self._keys & snapshot.values.keys()}
            if values != self._values:
                self._values = values
                self._schedule = self._parse()
                self._outlook = None
        return self._schedule

    @property
    def outlook(self) -> Outlook[Any] | None:
        """What the schedule says now, the same object until that changes; None while it is not known."""
        if (schedule := self.schedule) is None:
            return None
        now, zone = dt_util.utcnow(), dt_util.get_default_time_zone()
        before = self._outlook
        if before is None or not before.is_valid(now, zone):
            self._outlook = outlook_of(schedule, now, zone)
            # Home Assistant may ask at the very moment at which the timer is due: the others are still to be told.
            if before is None or before.until is None or now < before.until:
                self._start_timer()
        return self._outlook

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Have a listener called when another slot starts; the result removes it."""
        self._listeners.append(listener)
        self._start_timer()

        @callback
        def remove() -> None:
            self._listeners.remove(listener)
            self._start_timer()

        return remove

    @callback
    def async_polled(self) -> None:
        """Let all listeners show what has changed without a change of settings: the clock was set, or the time zone."""
        before = self._outlook
        if before is not None and self.outlook is not before:
            for listener in tuple(self._listeners):
                listener()

    def _parse(self) -> Timetable[Any] | None:
        """The schedule in the values at hand; a power in percent needs the rated power of the unit."""
        if self._style is None:
            return None
        schedule: Timetable[Any] | None = self._style.read(
            {**self._unit.identity.facts, **self._values}
        )
        return schedule

    @callback
    def _start_timer(self) -> None:
        """Wait for the next slot while somebody listens."""
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None
        if self._listeners and self._outlook is not None and self._outlook.until is not None:
            self._cancel_timer = async_track_point_in_utc_time(
                self._coordinator.hass, self._slot_started, self._outlook.until
            )

    @callback
    def _slot_started(self, _: datetime) -> None:
        """Let all listeners show the slot that has started."""
        self._cancel_timer = None
        for listener in tuple(self._listeners):
            listener()
        self._start_timer()


def schedule_view(unit: UnitRuntime) -> ScheduleView:
    """The view of a unit, which all its entities share until its entry is unloaded."""
    coordinator = unit.coordinators[Group.SETTINGS]
    views = coordinator.hass.data.setdefault(VIEWS, {})
    if (view := views.get(coordinator)) is None:
        view = views[coordinator] = ScheduleView(unit)

        @callback
        def forget() -> None:
            del views[coordinator]

        coordinator.config_entry.async_on_unload(forget)
        coordinator.config_entry.async_on_unload(
            coordinator.async_add_poll_listener(view.async_polled)
        )
    return view
