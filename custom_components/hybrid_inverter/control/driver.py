"""What keeps a keeper going: its timers, what it learns from polls, and what a person is told when it cannot go on."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..const import CONF_MAX_IMPORT, LOGGER
from ..modbus.control.lease import Lease
from ..modbus.control.order import ControlMode, ControlRefusedError
from ..modbus.control.plan import EndsBy
from ..modbus.errors import DeviceError, WriteBudgetError
from ..modbus.model.codec import RATED_POWER, as_number
from ..modbus.model.register import Group
from ..runtime.machine import may_pass
from ..runtime.runtime import UnitRuntime
from ..runtime.ticks import INTERVAL, async_every_tick
from .deadline import TOO_OLD
from .facts import BATTERY_POWER, LOAD_POWER, PV_POWER, SOC
from .flow import LASTING, FlowWatch, Verdict
from .highest_load import HighestLoad
from .issues import ControlIssues
from .keeper import Keeper
from .preset import preset_of
from .request import ControlEventType
from .substitute import OrdersInstead
from .waiting_release import Release, WaitingRelease

# What may keep an order from being looked after.
TROUBLE: Final = (DeviceError, ControlRefusedError, HomeAssistantError)

# How long a battery may be discharged while it is held, before the family's other way to hold it is tried.
HOLD_FOLLOWED: Final = timedelta(seconds=60)
# The longest wait before an inverter that does not let go of an order is written to again: its memory wears out.
MAX_PAUSE: Final = timedelta(hours=1)

# Orders that do harm when nobody ends them, and that an orderly stop ends, where the inverter would not.
RUN_FROM_HERE: Final = frozenset({ControlMode.IDLE, ControlMode.NO_CHARGE})


class Driver:
    """Drives the keeper of one inverter for as long as its entry is loaded."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime, keeper: Keeper
    ) -> None:
        self.keeper = keeper
        self.rated_power = as_number(unit.identity.facts.get(RATED_POWER))
        # What the entities have chosen for the next order, by the key of the number.
        self.preset = preset_of(self.rated_power)
        self._hass = hass
        self._entry = entry
        self._unit = unit
        self._power = unit.coordinators[Group.POWER]
        # Whether what was in force before the start is dealt with.
        self._adopted = keeper.memory.is_empty
        self._looking = asyncio.Lock()
        self._watch: FlowWatch | None = None
        self._watched: Lease | None = None
        self._was_reached = False
        self._told_verdict: Verdict | None = None
        # The order that does harm, and has to end before its time.
        self._harmful: Lease | None = None
        # The order for which the other way to hold the battery was tried.
        self._held_otherwise: Lease | None = None
        # The orders whose ends are waited for, and these.
        self._known: tuple[tuple[Lease, ...], list[datetime]] = ((), [])
        self._end_timer: CALLBACK_TYPE | None = None
        self._issues = ControlIssues(hass, unit.entry_id, keeper)
        # How long an inverter is left alone that has refused what an order takes, or to let go of it, and until when.
        self._pause = INTERVAL
        self._not_before: datetime | None = None
        # Since when what is over, or was released, could not be put back.
        self._over_since: datetime | None = None
        # The release that waits.
        self._waiting = WaitingRelease(hass, self._release)
        # How to stop following the powers; None while nobody does.
        self._unfollow: CALLBACK_TYPE | None = None
        # Whether the load of the last hour bounds what may be bought.
        self._notes_load = entry.options.get(CONF_MAX_IMPORT) is not None
        self._load = HighestLoad()

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Follow polls and the time; returns how to stop that."""
        stops = (
            async_every_tick(self._hass, self._tick),
            self.keeper.async_add_listener(self._changed),
            self._issues.async_start(),
        )
        self._unit.machine.on_release.append(self.async_leave)
        self._unit.machine.after_release.append(self._left)
        self._unit.machine.on_finish.append(self.async_finish)
        self._unit.machine.substitute = OrdersInstead(self._unit, self.keeper)
        self._follow()
        if self._power.last_update_success:
            self._polled()

        @callback
        def stop() -> None:
            for end in (*stops, self._cancel_end, self.async_keep):
                end()
            if self._unfollow is not None:
                self._unfollow()

        return stop

    @callback
    def _follow(self) -> None:
        """Follow the powers while there is something to learn from them; nobody else may show them."""
        is_needed = not self._adopted or bool(self.keeper.leases) or self._notes_load
        if is_needed and self._unfollow is None:
            family = self._unit.device.family
            keys = frozenset(
                key
                for key in (BATTERY_POWER, SOC, LOAD_POWER, PV_POWER)
                if family.serves([key]) and family.group_of(key) is Group.POWER
            )
            self._unfollow = self._power.async_add_poll_listener(self._polled, keys)
        elif not is_needed and self._unfollow is not None:
            self._unfollow()
            self._unfollow = None

    @callback
    def _cancel_end(self) -> None:
        """Do not wait any longer for the end of the orders in force."""
        if self._end_timer is not None:
            self._end_timer()
            self._end_timer = None

    @property
    def highest_load(self) -> float | None:
        """The highest load of the last hour in watts; None while none is known."""
        return self._load.watts

    # ------------------------------------------------------------------ a release that waits

    @callback
    def async_release_soon(self, release: Release) -> None:
        """Release unless the same owner gives another order within some seconds."""
        if not self.keeper.is_left:
            self._waiting.async_begin(release)

    @callback
    def async_keep(self) -> Release | None:
        """Do not release what was about to be, as the next order is here; what has waited to do it."""
        return self._waiting.async_take()

    @callback
    def _release(self, release: Release) -> None:
        """Carry a release out whose time has come."""
        self._go_on_at_once()
        self._run(release(), "release")

    async def async_finish(self) -> None:
        """Order nothing any more, release what waits to be, and let everything that is under way come to its end."""
        self.keeper.is_left = True
        if (release := self.async_keep()) is not None:
            await release()
        async with self.keeper.turn:
            pass

    # ------------------------------------------------------------------ what drives it

    @property
    def _is_pausing(self) -> bool:
        """Whether the inverter is left alone for some time."""
        return self._not_before is not None and dt_util.utcnow() < self._not_before

    def _go_on_at_once(self) -> None:
        """Forget the pauses that an inverter was left alone for."""
        self._pause, self._not_before = INTERVAL, None

    @callback
    def _tick(self) -> None:
        """Look now and then whether the inverter still holds what an order has put there."""
        if self._is_pausing:
            return
        if not self.keeper.memory.is_empty:
            self._run(self._async_look(), "look")

    @callback
    def _polled(self) -> None:
        """Learn from a poll of the powers."""
        if (load := as_number(self._unit.device.values.get(LOAD_POWER))) is not None:
            self._load.note(dt_util.utcnow(), load)
        if not self._adopted:
            if not self._is_pausing:
                self._run(self._async_look(), "adopt")
        elif (lease := self.keeper.lease()) is not None:
            self._judge(lease)

    @callback
    def _changed(self) -> None:
        """Wait for the end of the orders in force."""
        self._follow()
        if self.keeper.memory.is_empty:
            self._issues.async_put_back()
        leases = self.keeper.leases
        ends = [told.until for one in leases if (told := self.keeper.told_of(one))]
        if (leases, ends) == self._known:
            return
        self._known = leases, ends
        self._go_on_at_once()
        self._cancel_end()
        if ends:
            self._end_timer = async_track_point_in_utc_time(self._hass, self._due, min(ends))

    @callback
    def _due(self, _now: datetime) -> None:
        self._end_timer = None
        # However long an inverter was left alone that has refused the order, its end is tried afresh.
        self._go_on_at_once()
        self._run(self._async_look(waits=True), "end")

    def _run(self, work: Any, what: str) -> None:
        self._entry.async_create_background_task(
            self._hass, work, f"{self._unit.name} control {what}"
        )

    async def _async_look(self, *, waits: bool = False) -> None:
        """Adopt, end or compare; one that `waits` comes after a look that may have missed what it is for."""
        if self.keeper.is_left:
            return
        if self._looking.locked() and not waits:
            return
        async with self._looking:
            if self._unit.machine.last_error is not None and not self._power.is_polled:
                await self._power.async_refresh()
            if self._unit.machine.last_error is None:
                await self._async_look_once()

    async def _async_look_once(self) -> None:
        keeper, written = self.keeper, self._writes
        try:
            if not self._adopted:
                await self._async_adopt()
            elif keeper.leases:
                try:
                    await self._async_end_early()
                    await keeper.async_renew()
                finally:
                    # An order that cannot be made to last longer ends all the same.
                    await keeper.async_end_due()
                await keeper.async_compare()
            else:
                await keeper.async_release_all()
            self._issues.async_put_back()
            self._over_since = None
            self._go_on_at_once()
        except TROUBLE as err:
            self._tell_failure(err, has_written=self._writes > written)

    async def _async_end_early(self) -> None:
        """End what does harm, and what was released and could not be ended then, unless its release still waits."""
        lease = self.keeper.lease()
        if lease is None or self.keeper.is_over(lease):
            return
        if self._is_harmful:
            await self.keeper.async_release(meant=lease, type_=ControlEventType.FAILED)
        elif lease.is_released and not self._waiting:
            await self.keeper.async_carry_out_release(lease.owner)

    async def async_put_back(self) -> None:
        """End what is over or does harm, and put back what is left of it; raises what keeps it from being done."""
        keeper = self.keeper
        if not self._adopted:
            with suppress(ControlRefusedError):
                await self._async_adopt()
        if keeper.leases and self._adopted:
            await self._async_end_early()
            await keeper.async_end_due()
        else:
            await keeper.async_release_all()

    async def _async_adopt(self) -> None:
        """Deal with what was in force before the start."""
        keeper, memory = self.keeper, self.keeper.memory
        if (now := await keeper.async_now()) is None:
            return
        if memory.ended_before(now - TOO_OLD):
            self._issues.async_left_alone()
            await memory.keep((), {}, {})
        elif keeper.waits_for_feature:
            # What can be put back is, at its time, and what stays is told until the feature is found.
            if any(map(keeper.is_over, keeper.leases)):
                await keeper.async_release_all()
                self._issues.async_given_up()
            return
        else:
            await keeper.async_adopt(now)
        self._adopted = True
        self._issues.async_looked_after()
        self._changed()

    @property
    def _writes(self) -> int:
        """How often the inverter was written to."""
        return self._unit.device.wear.total

    def _tell_failure(self, err: Exception, *, has_written: bool) -> None:
        """Tell that an order could not be ended, if that is what has failed; leave an inverter alone that was written to in vain."""
        LOGGER.debug("%s: its orders could not be looked after: %s", self._unit.name, err)
        if isinstance(err, WriteBudgetError):
            # What ends an order is never refused.
            self._issues.async_written_too_often(err)
            return
        now, leases = dt_util.utcnow(), self.keeper.leases
        is_over = not leases or any(one.is_released for one in leases)
        self._over_since = (self._over_since or now) if is_over else None
        ends = [one.order.until for one in leases]
        if self._over_since is not None:
            ends.append(self._over_since)
        since = LASTING if self._is_harmful else now - min(ends)
        if isinstance(err, DeviceError) and (has_written or not may_pass(err)):
            self._not_before = now + self._pause
            self._pause = min(2 * self._pause, MAX_PAUSE)
        if since >= LASTING:
            self._issues.async_not_put_back()

    # ------------------------------------------------------------------ what flows

    def _judge(self, lease: Lease) -> None:
        """Compare what flows with what was ordered."""
        keeper, now = self.keeper, dt_util.utcnow()
        if (told := keeper.told_of(lease)) is None or keeper.is_over(lease):
            return
        if self._watch is None or self._watched != lease:
            self._watch, self._watched = FlowWatch(began=now), lease
            self._was_reached, self._told_verdict = told.target_reached, None
        watch, values = self._watch, self._unit.device.values
        if lease.order.mode is ControlMode.IDLE and values.get("grid_connected") is False:
            self._quit(lease, "grid lost")
            return
        verdict = watch.judge(now, told, lease.order.at, values)
        if watch.reached and not self._was_reached:
            self._was_reached = True
            keeper.async_tell(ControlEventType.TARGET_REACHED, lease)
        is_held = watch.is_held and self._held_otherwise != lease
        if is_held and watch.wrong_for(now) >= HOLD_FOLLOWED:
            self._held_otherwise = lease
            self._run(self._async_hold_otherwise(lease), "hold")
        if verdict is Verdict.WRONG_WAY:
            self._quit(lease, "wrong way")
        elif verdict is not self._told_verdict and verdict is not Verdict.FOLLOWED:
            why = watch.why.value if watch.why else None
            keeper.async_tell(ControlEventType.NOT_FOLLOWED, lease, reason=why)
        self._told_verdict = verdict

    @callback
    def _quit(self, lease: Lease, why: str) -> None:
        """End an order that does harm; what does not work is tried again now and then, and not at every poll."""
        if self._harmful != lease:
            self._harmful = lease
            self._go_on_at_once()
            self._run(self._async_look(waits=True), why)

    @property
    def _is_harmful(self) -> bool:
        """Whether the order in force is one that has to end before its time."""
        return self._harmful is not None and self._harmful == self.keeper.lease()

    async def _async_hold_otherwise(self, lease: Lease) -> None:
        """Hold the battery in the other way of its family; once, unless the inverter was not even written to."""
        written = self._writes
        try:
            await self.keeper.async_try_other_hold(lease)
        except TROUBLE as err:
            if isinstance(err, DeviceError) and may_pass(err) and self._writes == written:
                self._held_otherwise = None
            LOGGER.debug("%s: the battery could not be held: %s", self._unit.name, err)

    # ------------------------------------------------------------------ the end

    @callback
    def _left(self) -> None:
        """Tell what could not be put back at an inverter that is given up: nobody looks after it any more."""
        if self._unit.is_given_up:
            self._issues.async_given_up()

    async def async_leave(self) -> None:
        """End what nobody would end: everything when the inverter is given up, some of it when Home Assistant stops."""
        keeper = self.keeper
        if self._unit.is_given_up:
            keeper.is_left = True
            await keeper.async_release_all()
            return
        await self.async_finish()
        if (lease := keeper.lease()) is not None and lease.order.mode in RUN_FROM_HERE:
            told = keeper.told_of(lease)
            if told is None or told.ends_by is EndsBy.HOME_ASSISTANT:
                waits = keeper.waits_for_feature
                await (keeper.async_release_all() if waits else keeper.async_release())
