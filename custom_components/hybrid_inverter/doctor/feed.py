"""What the doctor is told of one device: what polls bring anyway, and the orders of its battery."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
import time
from typing import Any, Final

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..control.keeper import Keeper
from ..control.setup import driver_of
from ..modbus.control.order import ControlMode
from ..modbus.device.read_along import ReadAlong
from ..modbus.doctor.member import CLOCK_DRIFT, Member, keys_of
from ..modbus.model.codec import RATED_POWER, Value, as_number
from ..modbus.model.register import Group
from ..runtime.clock import CLOCK, drift_of
from ..runtime.coordinator import GroupCoordinator
from ..runtime.runtime import UnitRuntime
from .watch import HouseWatch, Values, async_watch_of

# The direction of an order that moves the battery: + is discharging.
SIGNS: Final = {ControlMode.CHARGE: -1, ControlMode.DISCHARGE: 1}


class Feed:
    """Tells the doctor of its house what is polled of one device; nothing is polled for it."""

    def __init__(self, hass: HomeAssistant, unit: UnitRuntime) -> None:
        self._hass = hass
        self._unit = unit
        self._serial = unit.identity.serial
        self.watch: HouseWatch | None = None
        self._listeners: list[CALLBACK_TYPE] = []
        # How to stop hearing of new verdicts, and of polls and orders.
        self._unwatch: CALLBACK_TYPE | None = None
        self._stops: list[Callable[[], None]] = []
        # What groups that are polled seldom have brought since the last poll of the powers.
        self._slow: dict[str, Value | None] = {}
        # When the clock was read whose drift was told last.
        self._clock_read_at: datetime | None = None
        # The watts that are ordered.
        self._watts: float | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Tell it from now on; returns how to stop that."""
        self._attach()
        stop_following = async_dispatcher_connect(
            self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed
        )

        @callback
        def stop() -> None:
            stop_following()
            self._detach()

        return stop

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back with every verdict of the house, whichever that is; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def _entry_changed(self, *_: Any) -> None:
        """Go to the doctor of another house, where the device belongs to another one now."""
        if async_watch_of(self._hass, self._serial) is not self.watch:
            self._detach()
            self._attach()

    @callback
    def _attach(self) -> None:
        self.watch = watch = async_watch_of(self._hass, self._serial)
        if watch is None:
            return
        self._unwatch = watch.async_add_listener(self._judged)
        (member,) = (one for one in watch.house.members if one.id == self._serial)
        self._follow_polls(member)
        if (driver := driver_of(self._hass, self._unit)) is not None:
            self._stops.append(
                driver.keeper.async_add_listener(partial(self._ordered, driver.keeper))
            )

    def _follow_polls(self, member: Member) -> None:
        """Look on when groups are polled that may bring something."""
        device = self._unit.device
        by_group: dict[Group, set[str]] = {Group.POWER: set()}
        for key in keys_of(member):
            if device.family.serves([key]):
                by_group.setdefault(device.family.group_of(key), set()).add(key)
        if device.family.serves([CLOCK]):
            by_group.setdefault(device.family.group_of(CLOCK), set())
        for group, keys in by_group.items():
            coordinator = self._unit.coordinators[group]
            take = self._powers_polled if group is Group.POWER else self._others_polled
            poll = partial(take, coordinator, Brought(coordinator, device.read_along(keys)))
            self._stops.append(coordinator.async_follow_polls(poll))

    @callback
    def _detach(self) -> None:
        for stop in self._stops:
            stop()
        self._stops.clear()
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        self.watch = None

    @callback
    def _judged(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    # ------------------------------------------------------------------ what is told

    @callback
    def _powers_polled(self, _: GroupCoordinator, brought: Brought) -> None:
        """Tell what a poll of the powers has brought, with what others have brought since the last one."""
        values = brought.take()
        if self._slow:
            values = {**values, **self._slow}
            self._slow.clear()
        if values and self.watch is not None:
            self.watch.async_observe(self._serial, values)

    @callback
    def _others_polled(self, coordinator: GroupCoordinator, brought: Brought) -> None:
        """Keep what a poll of another group has brought for the next one of the powers."""
        self._slow.update(brought.take())
        device = self._unit.device
        if CLOCK not in coordinator.polled:
            return
        read_at = device.read_at(CLOCK)
        if read_at is not None and read_at != self._clock_read_at:
            self._clock_read_at = read_at
            self._slow[CLOCK_DRIFT] = drift_of(device, device.values.get(CLOCK))

    @callback
    def _ordered(self, keeper: Keeper) -> None:
        """Tell which order is in force now, if that has changed."""
        watts: float | None = None
        lease = keeper.lease()
        if lease is not None and (sign := SIGNS.get(lease.order.mode)):
            rated = as_number(self._unit.identity.facts.get(RATED_POWER)) or 0.0
            watts = sign * (lease.order.power or rated)
        if watts != self._watts and self.watch is not None:
            self.watch.async_ordered(self._serial, watts)
        self._watts = watts


class Brought:
    """What the polls of one group bring for the doctor."""

    def __init__(self, coordinator: GroupCoordinator, along: ReadAlong) -> None:
        self._coordinator = coordinator
        self._along = along
        self._taken_at = time.time()

    def take(self) -> Values:
        """What was read since this was called last."""
        since, self._taken_at = self._taken_at, time.time()
        return self._along.values(self._coordinator.polled, since)
