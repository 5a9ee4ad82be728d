"""What the doctor is told of one device: what polls bring anyway, and the orders of its battery."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
import time
from time import monotonic
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
from .issues import async_withdraw_wiring
from .terminals import TOTAL, completed, terminals_of
from .watch import HouseWatch, Values, async_watch_of

# The direction of an order that moves the battery: + is discharging.
SIGNS: Final = {ControlMode.CHARGE: -1, ControlMode.DISCHARGE: 1}

# The groups whose polls may bring something.
GROUPS: Final = (Group.POWER, Group.ENERGY, Group.SETTINGS)
# Seconds within which the polls of two groups are of the same moment: one follows the other.
SAME_MOMENT: Final = 3.0


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
        # The powers of its terminal, and what the last poll of the powers has brought, and when.
        self._terminals: tuple[str, ...] = ()
        self._powers: Values = {}
        self._powers_at = 0.0
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
            async_withdraw_wiring(self._hass, self._serial)
            return
        self._unwatch = watch.async_add_listener(self._judged)
        (member,) = (one for one in watch.house.members if one.id == self._serial)
        self._follow_polls(member)
        if (driver := driver_of(self._hass, self._unit)) is not None:
            self._stops.append(
                driver.keeper.async_add_listener(partial(self._ordered, driver.keeper))
            )

    def _follow_polls(self, member: Member) -> None:
        """Look on when groups are polled that bring something, whatever group that belongs to."""
        device = self._unit.device
        self._terminals = terminals_of(member)
        keys = {key for key in {*keys_of(member), TOTAL} if device.family.serves([key])}
        for group in GROUPS:
            coordinator = self._unit.coordinators[group]
            take = self._powers_polled if group is Group.POWER else self._others_polled
            brought = Brought(coordinator, device.read_along(keys))
            self._stops.append(coordinator.async_follow_polls(partial(take, brought)))

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
    def _powers_polled(self, brought: Brought) -> None:
        """Tell what a poll of the powers has brought, with what others have brought since the last one."""
        powers = brought.take()
        self._powers, self._powers_at = powers, monotonic()
        if powers and (values := completed(powers, self._terminals)) is not None:
            self._tell(values)

    @callback
    def _others_polled(self, brought: Brought) -> None:
        """Complete the powers that were polled right before, or keep what was brought for the next poll of them."""
        values = brought.take()
        family = self._unit.device.family
        group = brought.coordinator.group
        self._slow |= {key: value for key, value in values.items() if family.group_of(key) is group}
        if CLOCK in brought.coordinator.polled:
            self._note_clock()
        if completed(self._powers, self._terminals) is not None:
            return
        is_same_moment = monotonic() - self._powers_at <= SAME_MOMENT
        whole = completed({**values, **self._powers}, self._terminals) if is_same_moment else None
        if whole is not None:
            self._powers = {}
            self._tell(whole)

    def _tell(self, values: Values) -> None:
        if self._slow:
            values = {**values, **self._slow}
            self._slow = {}
        if self.watch is not None:
            self.watch.async_observe(self._serial, values)

    def _note_clock(self) -> None:
        """Keep by how much the clock is off, if it was read again."""
        device = self._unit.device
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
            self.watch.async_ordered(self._serial)
        self._watts = watts


class Brought:
    """What the polls of one group bring for the doctor."""

    def __init__(self, coordinator: GroupCoordinator, along: ReadAlong) -> None:
        self.coordinator = coordinator
        self._along = along
        self._taken_at = time.time()

    def take(self) -> Values:
        """What was read since this was called last."""
        since, self._taken_at = self._taken_at, time.time()
        return self._along.values(self.coordinator.polled, since)
