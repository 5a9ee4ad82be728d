"""Polling: a coordinator for each group of a machine's registers."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from ..const import DOMAIN, LOGGER
from ..entry.data import interval_of
from ..entry.texts import error_text
from ..modbus.device.device import Snapshot
from ..modbus.errors import DeviceError, LinkError, LinkErrorCode, WrongDeviceError
from ..modbus.model.register import Group
from ..modbus.transport.turns import going_first
from .back_off import BackOff
from .machine import Machine, may_be_silent

# For how many seconds at most another group waits for the powers that are due, and how many it then stays behind them.
GIVE_WAY: Final = 2.5
BEHIND: Final = 0.05


class GroupCoordinator(DataUpdateCoordinator[Snapshot]):
    """Polls the registers of one group that some enabled entity shows.

    The powers are the primary group: when they are not answered, no other group is polled until they are.
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
        # What is polled until the entities have been added, and as long as none shows anything.
        self._first_keys = frozenset[str]()
        self._entities_added = False
        # What entities show that are being added.
        self._expected = frozenset[str]()
        # What is polled; None when that has to be worked out again.
        self._keys: frozenset[str] | None = None
        # What was asked for last.
        self._polled = frozenset[str]()
        self._poll_listeners: list[CALLBACK_TYPE] = []
        # Whether other values were put in the place of those of the last poll.
        self._data_replaced = False
        # When the last poll began; 0 before the first.
        self.began = 0.0
        # From the beginning of a poll to that of the next one.
        self.interval = timedelta(seconds=interval_of(entry, group))
        self._back_off = BackOff(entry, machine, self.interval.total_seconds())
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            # Not the serial number: a name ends up in log lines that people share.
            name=f"{machine.name} {group}",
            update_interval=self.interval,
            always_update=False,
        )
        self.data = Snapshot({})

    # ------------------------------------------------------------------ what is polled

    @property
    def keys(self) -> frozenset[str]:
        """The keys that enabled entities and the device page show, and those that other values rest on."""
        if self._keys is None:
            self._keys = self._wanted_keys()
        return self._keys

    @property
    def is_polled(self) -> bool:
        """Whether it is polled at its interval: that takes somebody who shows something of it."""
        return bool(self._listeners)

    def _wanted_keys(self) -> frozenset[str]:
        """Work out the keys, after what is shown has changed."""
        shown = frozenset[str]().union(*self.async_contexts())
        if not shown or not self._entities_added:
            shown |= self._first_keys
        shown |= self._expected
        device = self.machine.device
        family = device.family
        if self.group is Group.IDENTITY:
            return shown.union(family.firmware, device.scaling_inputs)
        # A mode may be left at the machine itself, whether or not an entity shows it.
        return shown.union(
            residue.key for residue in family.residues if family.group_of(residue.key) is self.group
        )

    @callback
    def begin_with(self, keys: Collection[str]) -> None:
        """Poll these keys until the entities have been added."""
        self._first_keys = frozenset(keys)
        self._keys = None

    @callback
    def async_entities_added(self) -> None:
        """Poll from now on what is shown."""
        self._entities_added = True
        self._keys = None

    @callback
    @override
    def async_add_listener(
        self, update_callback: CALLBACK_TYPE, context: Any = None
    ) -> Callable[[], None]:
        """Call back when the values have changed, or cannot be polled any more; `context` are the keys to poll for it."""
        remove = super().async_add_listener(update_callback, context)
        self._keys = None

        @callback
        def stop() -> None:
            remove()
            self._keys = None

        return stop

    @callback
    def async_add_poll_listener(
        self, poll_callback: CALLBACK_TYPE, keys: frozenset[str] | None = None
    ) -> Callable[[], None]:
        """Call back after every answered poll, before other listeners, even if all values are the same as before."""
        stop_polling = self.async_add_listener(_do_nothing, keys)
        self._poll_listeners.append(poll_callback)

        @callback
        def stop() -> None:
            stop_polling()
            self._poll_listeners.remove(poll_callback)

        return stop

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Call those who want to know of every poll."""
        if self.last_update_success:
            for poll_callback in tuple(self._poll_listeners):
                try:
                    poll_callback()
                except Exception:
                    # The other listeners are called all the same, as Home Assistant does with those of its own.
                    self.logger.exception("Unexpected error calling a listener of %s", self.name)

    # ------------------------------------------------------------------ a poll

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
        self.async_set_update_error(self._failure(error))

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
        """Poll once, and see to it that the next poll is in time."""
        before, self.began = self.began, self.hass.loop.time()
        try:
            # Not what is polled out of turn, for somebody who waits.
            if before and self.began - before > self.interval.total_seconds() - 1:
                await self._async_give_way()
            return await self._async_poll(until=self.began + self.interval.total_seconds())
        finally:
            self._keep_pace()

    def _keep_pace(self) -> None:
        """Begin the next poll one interval after this one, however long this one took, or the first one after that.

        Home Assistant counts from the whole second in which a poll has ended.
        """
        now, began = self.hass.loop.time(), self.began
        seconds = self.interval.total_seconds()
        late = int(now) - int(began)
        pause = seconds * (1 + (now - began) // seconds) - late
        # Without an interval there would be no next one.
        self.update_interval = timedelta(seconds=pause) or timedelta.resolution

    async def _async_give_way(self) -> None:
        """Let the powers begin if they are about to: they would have to wait for a read that is on the line."""
        if (primary := self._primary) is None:
            return
        interval = primary.interval.total_seconds()
        wait = primary.began + interval - self.began
        if 0 < wait < min(interval / 2, GIVE_WAY):
            await asyncio.sleep(wait + BEHIND)

    async def _async_poll(self, until: float) -> Snapshot:
        """Poll once, after making sure that it is still the same machine; what has failed once more, if `until` allows."""
        machine, primary = self.machine, self._primary
        if machine.last_error is not None and primary is not None and not primary.is_polled:
            await primary.async_refresh()
        if machine.last_error is not None and primary is not None:
            # One request is enough to find out that it answers again, and each takes its time from the others.
            raise self._silent_like_its_powers(machine.last_error)
        keys = self._polled = self.keys
        if self._expected:
            # By the next poll the entities will have said so themselves.
            self._expected = frozenset()
            self._keys = None
        try:
            with going_first() if primary is None else nullcontext():
                if not machine.verified:
                    await machine.async_verify()
                snapshot = await machine.device.poll(keys, until)
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
        if not self.last_update_success:
            self._back_off.end()
        if self._expected:
            # Entities that show more have been announced in the meantime.
            snapshot = machine.device.snapshot(keys | self._expected)
        # Otherwise listeners are called only for values that differ from those of the last poll.
        self.always_update, self._data_replaced = self._data_replaced, False
        if primary is None and not self.last_update_success:
            machine.last_error = None
            self._run(self._async_retry_failed(), "retry")
        if machine.must_restore:
            machine.restore_tried = True
            self._run(machine.async_restore(), "restore")
        return snapshot

    async def _async_retry_failed(self) -> None:
        """Poll the other groups that have failed, now that the machine answers again."""
        for dependent in self.dependents:
            if not dependent.last_update_success:
                await dependent.async_refresh()

    # ------------------------------------------------------------------ a poll that fails

    def _fail(self, error: DeviceError) -> UpdateFailed:
        """What to raise for powers that could not be polled; the other groups follow at once."""
        machine = self.machine
        failure = self._failure(error, self._back_off.next_pause(in_vain=machine.note_loss(error)))
        if machine.last_error is error:
            for dependent in self.dependents:
                dependent.async_fall_silent(failure)
        elif machine.last_error is not None:
            # A refusal is an answer, too: the machine is back, and may refuse nothing but its powers.
            machine.last_error = None
            self._run(self._async_retry_failed(), "retry")
        elif self.last_update_success:
            self._run(self._async_poll_others_again(), "check")
        return failure

    @callback
    def async_fall_silent(self, failure: UpdateFailed) -> None:
        """Show nothing any more, as the powers have failed, for which that is logged."""
        self.last_exception = failure
        if self.last_update_success:
            self.last_update_success = False
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
        return self._failure(error, self._back_off.next_pause(in_vain=False))

    def _silent_like_its_powers(self, error: DeviceError) -> UpdateFailed:
        """What to raise while the powers fail, too, which is logged once: for them."""
        self.last_update_success = False
        return self._failure(error)

    def _failure(self, error: DeviceError, retry_after: float | None = None) -> UpdateFailed:
        """What to raise for a poll that brought nothing."""
        translation_key, placeholder = "no_answer", "error"
        if isinstance(error, WrongDeviceError):
            translation_key, placeholder = "wrong_machine", "found"
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=translation_key,
            translation_placeholders={
                "model": self.machine.identity.model,
                placeholder: error_text(self.hass, error),
            },
            retry_after=retry_after,
        )

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
        snapshot = self.machine.device.snapshot(self.keys | self._polled)
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
        self._expected |= frozenset(keys)
        self._keys = None
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
        if not self.keys <= self._polled:
            await self.async_refresh()


@callback
def _do_nothing() -> None:
    """The listener that keeps a group polled for somebody who is called after every poll."""
