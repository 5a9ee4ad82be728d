"""What a schedule rests on besides its slots: while one of them is to charge, and that is switched off, there is an issue."""

from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..modbus.model.register import Group
from ..modbus.schedule.schedule import Timetable
from ..modbus.schedule.styles import style_of
from ..runtime.issues import async_raise, async_withdraw, machine_name
from ..runtime.runtime import UnitRuntime
from ..runtime.writes import display_name
from .view import schedule_view

# The kind of the issue.
CHARGE_OFF: Final = "charge_off"
# For how long it has to be so: whoever sets a schedule may set the switch next.
LASTING: Final = timedelta(minutes=15)


class ChargeWatch:
    """Watches the switches without which the slots of a unit do not charge."""

    def __init__(self, hass: HomeAssistant, unit: UnitRuntime, watched: frozenset[str]) -> None:
        """`watched` are the keys of these switches."""
        self._hass = hass
        self._unit = unit
        self._view = schedule_view(unit)
        self._watched = watched
        # What was looked at last.
        self._judged: Timetable[Any] | None = None
        # Since when each switch has been in the way, by key.
        self._since: dict[str, datetime] = {}

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Look after each poll of the settings; returns how to stop that."""
        return self._unit.coordinators[Group.SETTINGS].async_add_poll_listener(self._polled)

    @callback
    def _polled(self) -> None:
        """Raise the issue for what is in the way for long, and withdraw it when it is not any more."""
        schedule = self._view.schedule
        if schedule is None or (schedule is self._judged and not self._since):
            return
        substitute = self._unit.machine.substitute
        if substitute is not None and substitute.is_in_force:
            # While an order of the battery is in force, the slots are not their owner's.
            return
        self._judged = schedule
        now, serial = dt_util.utcnow(), self._unit.identity.serial
        blocking = {key for key in schedule.blocked_by if self._unit.device.may_write(key)}
        for key in self._watched - blocking:
            async_withdraw(self._hass, serial, CHARGE_OFF, key, keep_ignored=True)
        self._since = {key: self._since.get(key, now) for key in blocking}
        for key, since in self._since.items():
            if now - since >= LASTING:
                async_raise(
                    self._hass,
                    serial,
                    CHARGE_OFF,
                    key,
                    name=machine_name(self._hass, self._unit.entry_id, self._unit.identity),
                    setting=display_name(self._unit, key),
                )


@callback
def async_watch_charging(hass: HomeAssistant, unit: UnitRuntime) -> CALLBACK_TYPE:
    """Watch the switches that the schedule of a unit rests on; returns what ends that."""
    style = style_of(unit.device.family.registers.keys())
    if style is None or not style.optional:
        return lambda: None
    return ChargeWatch(hass, unit, style.optional).async_start()
