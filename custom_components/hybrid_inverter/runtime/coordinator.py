"""Polling: a coordinator for each group of a machine's registers."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import nullcontext
from datetime import timedelta
import math
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HassJobType, HomeAssistant, callback
from homeassistant.helpers.update_coordinator import UpdateFailed

from ..const import LOGGER
from ..entry.data import interval_of
from ..modbus.device.device import Snapshot
from ..modbus.errors import DeviceError, LinkError, LinkErrorCode, WrongDeviceError
from ..modbus.model.register import Group
from ..modbus.transport.turns import going_first
from .back_off import BackOff
from .listened import ListenedCoordinator
from .machine import Machine, may_be_silent
from .poll_failure import poll_failure
from .polled_keys import PolledKeys

# Which part of the powers' interval another group may be early, so that it is polled right behind the poll of the powers
# that is next to its time.
EARLY: Final = 0.4


class GroupCoordinator(ListenedCoordinator):
    """Polls the registers of one group that some enabled entity shows.

    The powers are the primary group: when they are not answered, no other group is polled until they are. While they are
    polled, a group that is polled no more often than they are has no timer of its own: it follows the poll of the powers
    that is next to its time, when the line is free for the rest of their interval.
    """

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        machine: Machine,
        group: Group,
        primary: GroupCoordinator | None = None,
    ) -> None:
        """`primary` is the coordinator of the powers; None for the powers themselves."""
        self.machine = machine
        self.group = group
        self._primary = primary
        self.dependents: list[GroupCoordinator] = []
        if primary is not None:
            primary.dependents.append(self)
        # What is polled.
        self._wanted = PolledKeys(machine.device, group, self.async_contexts)
        # The keys that the last poll has asked for; an attribute, as it is looked at with every poll.
        self.polled = frozenset[str]()
        # Whether other values were put in the place of those of the last poll.
        self._data_replaced = False
        # When the last poll began; 0 before the first.
        self.began = 0.0
        # When the next poll that follows the powers is due, and the seconds from one that has failed to the next one.
        self.due_at = math.inf
        self._pause: float | None = None
        # From the beginning of a poll to that of the next one, in seconds.
        self.interval = interval_of(entry, group)
        self._back_off = BackOff(entry, machine, self.interval)
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            # Not the serial number: a name ends up in log lines that people share.
            name=f"{machine.name} {group}",
            update_interval=timedelta(seconds=self.interval),
            always_update=False,
        )
        # One poll at a time, by a lock that costs less with each of them than Home Assistant's own. That one only keeps
        # requests for a poll apart now: one that comes during a poll is carried out right after it.
        self._turn = asyncio.Lock()
        self._debounced_refresh.function = self.async_refresh
        self._next_poll = HassJob(
            self._poll_on_time, job_type=HassJobType.Callback, cancel_on_shutdown=True
        )

    # ------------------------------------------------------------------ what is polled

    @property
    def keys(self) -> frozenset[str]:
        """The keys that a poll asks for now."""
        return self._wanted.keys

    @property
    def is_polled(self) -> bool:
        """Whether it is polled at its interval: that takes somebody who shows something of it."""
        return bool(self._listeners) and not self.config_entry.pref_disable_polling

    @callback
    def begin_with(self, keys: Collection[str]) -> None:
        """Poll these keys until the entities have been added."""
        self._wanted.begin_with(keys)

    @callback
    def async_entities_added(self) -> None:
        """Poll from now on what is shown."""
        self._wanted.end_beginning()

    @callback
    @override
    def async_add_listener(
        self, update_callback: CALLBACK_TYPE, context: Any = None
    ) -> Callable[[], None]:
        """Call back when the values have changed, or cannot be polled any more; `context` are the keys to poll for it."""
        remove = super().async_add_listener(update_callback, context)
        self._wanted.forget()

        @callback
        def stop() -> None:
            remove()
            self._wanted.forget()

        return stop

    # ------------------------------------------------------------------ when it is polled

    @property
    def _follows(self) -> bool:
        """Whether it is polled behind the powers instead of by a timer of its own."""
        primary = self._primary
        return primary is not None and primary.is_polled and primary.interval <= self.interval

    def _due(self) -> list[GroupCoordinator]:
        """The groups that are to be polled behind these powers, which were just polled."""
        if self.machine.last_error is not None:
            return []
        limit = self.began + EARLY * self.interval
        return [one for one in self.dependents if one.due_at <= limit]

    @callback
    @override
    def _schedule_refresh(self) -> None:
        """See to it that the next poll comes, by a timer or behind the powers."""
        primary, now = self._primary, self.hass.loop.time()
        if primary is not None and self._follows:
            pause = self.interval if self._pause is None else self._pause
            # From one poll of the powers to another, however long it had to wait behind them.
            self.due_at = (primary.began or now) + pause
            return
        self.due_at = math.inf
        self._async_unsub_refresh()
        if not self.config_entry.pref_disable_polling:
            timer = self.hass.loop.call_at(
                self._next_time(now), self._poll_on_time, self._next_poll
            )
            self._unsub_refresh = timer.cancel

    def _next_time(self, now: float) -> float:
        """When the next poll begins: whole intervals after the last one began, however long that one took."""
        if self._pause is not None:
            return now + self._pause
        began = self.began or now
        return began + self.interval * (1 + (now - began) // self.interval)

    @callback
    def _poll_on_time(self, _: HassJob[[Any], None]) -> None:
        """Poll once, as it is time to."""
        self._unsub_refresh = None
        self._run(self._async_poll_on_time(), "poll")

    @callback
    @override
    def _unschedule_refresh(self) -> None:
        """Do not poll it any more, as nobody shows anything of it."""
        self.due_at = math.inf
        super()._unschedule_refresh()
        for dependent in self.dependents:
            dependent.async_take_timer()

    @callback
    def async_take_timer(self) -> None:
        """Have a timer, now that the powers are not polled any more."""
        if self.is_polled and not self._shutdown_requested:
            self._schedule_refresh()

    @callback
    def async_poll_soon(self) -> None:
        """Be due at once, if it has failed: the machine answers again."""
        if not self.last_update_success:
            self.due_at = 0.0

    async def _async_poll_others_in_turn(self, others: Sequence[GroupCoordinator]) -> None:
        """Poll other groups that are due, one after the other, unless that was done in the meantime."""
        for other in others:
            if other in self._due() and not self.hass.is_stopping:
                await other.async_refresh()

    # ------------------------------------------------------------------ a poll

    @override
    async def async_refresh(self) -> None:
        """Poll once, now; the groups that are due follow, and are not waited for."""
        async with self._turn:
            was_shown = self.last_update_success
            try:
                await self._async_refresh()
            except asyncio.CancelledError:
                # That nobody waits for it says nothing of the machine; its powers may have failed since.
                self.last_update_success = was_shown and self.machine.last_error is None
                raise
        if due := self._due():
            self._run(self._async_poll_others_in_turn(due), "others")

    async def _async_poll_on_time(self) -> None:
        """Poll once, and the groups that are due."""
        async with self._turn:
            await self._async_refresh(scheduled=True)
        if due := self._due():
            await self._async_poll_others_in_turn(due)

    async def async_poll_first(self) -> bool:
        """Poll these powers, and nothing else, for the first time; return whether the machine answered."""
        self._await_others()
        await self.async_refresh()
        return self.last_update_success

    @callback
    def async_begin_silent(self, error: DeviceError) -> None:
        """Begin without a poll: the link could not be opened."""
        self._await_others()
        self.machine.note_loss(error)
        self.async_set_update_error(poll_failure(self.hass, self.machine, error))

    def _await_others(self) -> None:
        """Show nothing of the other groups until they are polled."""
        for dependent in self.dependents:
            dependent.last_update_success = False

    async def async_poll_others(self, only: Group | None = None) -> None:
        """Poll the other groups, or only one, for the first time; and these powers if they were not.

        A silent machine is asked once, not once for each group: every request costs a timeout.
        """
        if not self.began:
            self._run(self.async_refresh(), "first poll")
            return
        for dependent in self.dependents:
            is_next = only in (None, dependent.group) and not dependent.began
            if is_next and self.last_update_success:
                # Home Assistant logs the failure of what has not failed before.
                dependent.last_update_success = True
                await dependent.async_refresh()

    @override
    async def _async_update_data(self) -> Snapshot:
        """Poll once, after making sure that it is still the same machine."""
        self.began = self.hass.loop.time()
        self._pause = None
        # Not due again before it has ended.
        self.due_at = math.inf
        machine, primary = self.machine, self._primary
        if machine.last_error is not None and primary is not None and not primary.is_polled:
            await primary.async_refresh()
        if machine.last_error is not None and primary is not None:
            # One request is enough to find out that it answers again, and each takes its time from the others.
            raise self._silent_like_its_powers(machine.last_error)
        keys = self.polled = self._wanted.take()
        try:
            with going_first() if primary is None else nullcontext():
                if not machine.verified:
                    await machine.async_verify()
                # What has failed is tried once more if there is time before the next poll.
                snapshot = await machine.device.poll(keys, self.began + self.interval)
        except DeviceError as err:
            closed = isinstance(err, LinkError) and err.code is LinkErrorCode.CLOSED
            if closed and self.last_update_success:
                # We have closed the link ourselves: the entry is being unloaded, and nothing is wrong.
                return self.data
            # While a machine is silent, a different one may take its place.
            machine.doubt()
            if primary is None:
                raise self._fail(err) from err
            raise await self._async_explain(err, primary) from err
        if primary is not None and machine.last_error is not None:
            # The powers have failed in the meantime.
            raise self._silent_like_its_powers(machine.last_error)
        if not self.last_update_success:
            self._back_off.end()
        if expected := self._wanted.expected:
            # Entities that show more have been announced in the meantime.
            snapshot = machine.device.snapshot(keys | expected)
        # Otherwise listeners are called only for values that differ from those of the last poll.
        self.always_update, self._data_replaced = self._data_replaced, False
        if primary is None and not self.last_update_success:
            machine.last_error = None
            self._retry_failed()
        if machine.must_restore:
            machine.restore_tried = True
            self._run(machine.async_restore(), "restore")
        return snapshot

    def _retry_failed(self) -> None:
        """Have the other groups that have failed polled behind this poll: the machine answers again."""
        for dependent in self.dependents:
            dependent.async_poll_soon()

    # ------------------------------------------------------------------ a poll that fails

    def _fail(self, error: DeviceError) -> UpdateFailed:
        """What to raise for powers that could not be polled; the other groups follow at once."""
        machine = self.machine
        self._pause = self._back_off.next_pause(in_vain=machine.note_loss(error))
        failure = poll_failure(self.hass, machine, error, self._pause)
        if machine.last_error is error:
            for dependent in self.dependents:
                dependent.async_fall_silent(failure)
        elif machine.last_error is not None:
            # A refusal is an answer, too: the machine is back, and may refuse nothing but its powers.
            machine.last_error = None
            self._retry_failed()
        elif self.last_update_success:
            self._run(self._async_poll_others_again(), "check")
        return failure

    @callback
    def async_fall_silent(self, failure: UpdateFailed) -> None:
        """Show nothing any more, as the powers have failed, for which that is logged."""
        self.last_exception = failure
        if self.last_update_success:
            self.last_update_success = False
            # A poll that is under way was begun when it was still shown: what it brings is news, too.
            self._data_replaced = True
            self.async_update_listeners()

    async def _async_poll_others_again(self) -> None:
        """Poll the other groups that show something, now that the powers have failed."""
        for dependent in self.dependents:
            if dependent.last_update_success:
                await dependent.async_refresh()

    async def _async_explain(self, error: DeviceError, primary: GroupCoordinator) -> UpdateFailed:
        """What to raise for a poll without an answer: for these registers only, or because the machine is silent."""
        machine = self.machine
        if machine.last_error is None and (
            may_be_silent(error) or isinstance(error, WrongDeviceError)
        ):
            await primary.async_refresh()
        if not primary.last_update_success:
            return self._silent_like_its_powers(machine.last_error or error)
        self._pause = self._back_off.next_pause(in_vain=False)
        return poll_failure(self.hass, self.machine, error, self._pause)

    def _silent_like_its_powers(self, error: DeviceError) -> UpdateFailed:
        """What to raise while the powers fail, too, which is logged once: for them."""
        self.last_update_success = False
        return poll_failure(self.hass, self.machine, error)

    # ------------------------------------------------------------------ beside the polls

    def _run(self, work: Coroutine[Any, Any, None], what: str, *, eager: bool = True) -> None:
        """Have something done that the poll does not wait for."""
        self.config_entry.async_create_background_task(
            self.hass, work, f"{self.name} {what}", eager_start=eager
        )

    @callback
    def async_publish(self) -> None:
        """Show what a write has just read back."""
        # What was polled for entities that are still being added is kept for them.
        snapshot = self.machine.device.snapshot(self.keys | self.polled)
        if snapshot != self.data:
            self.data = snapshot
            self._data_replaced = True
            self.async_update_listeners()
        if self.machine.last_error is not None:
            # The machine has answered, although not to a poll: poll now instead of when the pause is over.
            primary = self._primary or self
            self._run(primary.async_request_refresh(), "retry")
        elif not self.last_update_success:
            # Something of a group of which nothing was answered is served again.
            self._run(self.async_request_refresh(), "retry")

    @callback
    def async_expect(self, keys: Collection[str]) -> None:
        """Publish and poll these keys, too: entities that show them are about to be added."""
        self._wanted.expect(keys)
        self.data = self.machine.device.snapshot(self.keys)
        self._data_replaced = True

    @callback
    def async_catch_up(self) -> None:
        """Poll soon when something is shown that was not asked for yet."""
        if self.last_update_success:
            # Once for all entities that are added together.
            self._run(self._async_catch_up(), "catch up", eager=False)

    async def _async_catch_up(self) -> None:
        """Poll if the last poll did not ask for everything that is shown."""
        if not self.keys <= self.polled:
            await self.async_refresh()
