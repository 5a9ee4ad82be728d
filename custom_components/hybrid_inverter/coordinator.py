"""The coordinators of a unit: one for each group of registers that is polled together."""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .const import (
    CONF_INTERVALS,
    CONF_TYPE,
    DOMAIN,
    LOGGER,
    TYPE_STICK,
    MeterRole,
)
from .modbus.connection import Connection
from .modbus.device import Device, Snapshot
from .modbus.errors import DeviceError, LinkError, RejectedError, ResidueError, WrongDeviceError
from .modbus.guard import Rejection
from .modbus.identify import Identity
from .modbus.link import REPEATABLE
from .modbus.register import Group
from .stored import intervals_of

if TYPE_CHECKING:
    from .faults import FaultMonitor

# Within these seconds a machine is left as it was found, or not at all: Home Assistant is about to stop.
RELEASE_SECONDS: Final = 15
# The longest pause, in seconds, between polls that fail one after the other.
LONGEST_PAUSE: Final = 60.0

type HybridInverterConfigEntry = ConfigEntry[RuntimeData]


def _may_be_silence(error: DeviceError) -> bool:
    """Whether the machine as a whole may be silent, and not only refuse what it was asked for."""
    return isinstance(error, LinkError) or (isinstance(error, RejectedError) and error.is_silence)


@dataclass(kw_only=True)
class UnitRuntime:
    """A machine on the link, with its coordinators."""

    subentry_id: str
    # What a person calls the machine.
    name: str
    unit_id: int
    identity: Identity
    device: Device
    # Another one for the same machine, that looks for what only some have: what is polled stays as it is until the
    # entry is loaded again.
    scout: Device
    # What a meter measures; None of an inverter.
    role: MeterRole | None = None
    # Whether a meter is wired the other way round.
    inverted: bool = False
    # The id of the inverter in the device registry, which its parts refer to.
    device_id: str = ""
    coordinators: dict[Group, GroupCoordinator] = field(default_factory=dict)
    # Readings of counters that were not believed, by reason.
    rejections: Counter[Rejection] = field(default_factory=Counter)
    # What watches its faults and the grid; None where the family tells of neither.
    faults: FaultMonitor | None = None
    # Whether the machine has told its serial number since the link was last opened.
    verified: bool = False
    # Why the powers could not be polled, if the machine did not answer; nothing else is asked of it then.
    silence: DeviceError | None = None
    # Whether it was tried to put back what a mode has left behind that is over.
    tidied: bool = False
    # Whether its entities are still being added.
    loading: bool = True
    # The unique ids that the entity registry had when the entry was loaded, whatever they were shown as.
    registered: frozenset[str] = frozenset()

    async def async_first_refresh(self) -> bool:
        """Poll every group once; return whether the unit answered.

        A silent unit is asked once, not once for each group: every question costs a timeout.
        """
        first = self.coordinators[Group.POWER]
        await first.async_refresh()
        for coordinator in self.coordinators.values():
            if coordinator is first:
                continue
            if first.last_update_success:
                await coordinator.async_refresh()
            else:
                coordinator.last_update_success = False
        return first.last_update_success

    async def async_verify(self) -> None:
        """Make sure that it is still the same machine, if the link was opened again since it last told."""
        if not self.verified:
            await self.device.verify(self.identity.serial)
            self.verified = True

    def fell_silent(self, error: DeviceError) -> bool:
        """Take note that the powers could not be polled; return whether the machine was asked in vain."""
        if not _may_be_silence(error):
            return False
        self.silence = error
        # A link that cannot be opened has its own pauses, and the others suffer as much.
        return isinstance(error, (RejectedError, *REPEATABLE))

    @callback
    def link_changed(self, _connected: bool) -> None:
        """Ask for the serial number again: behind an address there may be another machine now."""
        self.verified = False

    @callback
    def publish(self, group: Group) -> None:
        """Show what a write has read back."""
        self.coordinators[group].async_publish()
        if self.silence is not None:
            # It was asked by somebody else than its polls, and has answered.
            self.coordinators[Group.POWER].async_ask_again()

    @callback
    def async_tidy(self, hass: HomeAssistant, entry: HybridInverterConfigEntry) -> None:
        """Put back what a mode has left behind that was left at the machine itself."""
        if not self.device.has_residue:
            self.tidied = False
        elif not self.tidied:
            self.tidied = True
            entry.async_create_background_task(hass, self._async_put_back(), f"{self.name} tidy")

    async def _async_put_back(self) -> None:
        """Do that once; again only where nobody was there to do it."""
        try:
            await self.async_verify()
            await self.device.put_back()
        except DeviceError as err:
            LOGGER.warning(
                "%s was left in another mode, and settings of the last one remain: %s",
                self.name,
                err,
            )
            cause = err.cause if isinstance(err, ResidueError) else err
            self.tidied = not isinstance(cause, LinkError)

    async def async_release(self) -> None:
        """Finish what is being written, and leave the mode that nobody is going to run the machine in any more."""
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self.device.finish()
                if self.device.must_release:
                    await self.async_verify()
                    await self.device.release()
        except (DeviceError, TimeoutError) as err:
            LOGGER.warning(
                "%s was not left as it was found: %s", self.name, err or "it took too long"
            )

    def was_there(self, unique_id: str) -> bool:
        """Whether an entity was there when the entry was loaded; all were, of a unit that had none yet."""
        return not self.registered or unique_id in self.registered

    async def async_look_again(self) -> frozenset[str]:
        """Look for what only some machines have, and return what was not known; nothing while the machine is silent."""
        try:
            return await self.scout.discover()
        except DeviceError as err:
            LOGGER.debug("%s was not asked what it has: %s", self.name, err)
            return frozenset()

    async def async_wake(self) -> None:
        """Poll the other groups that have failed, now that the unit answers again."""
        for group, coordinator in self.coordinators.items():
            if group is not Group.POWER and not coordinator.last_update_success:
                await coordinator.async_refresh()


@dataclass(kw_only=True)
class RuntimeData:
    """What a loaded entry holds: the link, and the units on it by subentry id."""

    link: Connection
    units: dict[str, UnitRuntime] = field(default_factory=dict)

    async def async_release(self) -> None:
        """Leave the machines as they were found."""
        await asyncio.gather(*(unit.async_release() for unit in self.units.values()))


class GroupCoordinator(DataUpdateCoordinator[Snapshot]):
    """Polls the registers of one group that some enabled entity shows."""

    config_entry: HybridInverterConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: HybridInverterConfigEntry,
        unit: UnitRuntime,
        group: Group,
        first_keys: Collection[str],
    ) -> None:
        """Poll `first_keys` until entities have said what they show."""
        self.unit = unit
        self.group = group
        self._first_keys = frozenset(first_keys)
        # What was asked for last.
        self._polled = frozenset[str]()
        # Seconds that the last failed poll has imposed; 0 after one that did not fail.
        self._pause = 0.0
        seconds = intervals_of(entry.data)[group]
        if (option := CONF_INTERVALS.get(group)) is not None:
            seconds = entry.options.get(option, seconds)
        # From the beginning of a poll to that of the next one.
        self.interval = timedelta(seconds=seconds)
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            # Not the serial number: a name ends up in log lines that people share.
            name=f"{unit.name} {group}",
            update_interval=self.interval,
        )
        self.data = Snapshot({})

    def _back_off(self, *, in_vain: bool) -> float | None:
        """Return the seconds until the next poll, now that one has failed; None for as many as always.

        A silent machine is asked less and less, as what it is waited for is taken from the others on the link. A stick
        has other things to do than to answer us, and is not to be pressed while it does them.
        """
        stick = self.config_entry.data[CONF_TYPE] == TYPE_STICK
        if not stick and not in_vain:
            return None
        seconds = self.interval.total_seconds()
        longer = 2 * (self._pause or seconds) if stick or self._pause else seconds
        self._pause = max(seconds, min(longer, LONGEST_PAUSE))
        return self._pause

    @property
    def keys(self) -> frozenset[str]:
        """Return what enabled entities show, what the device page does, and what other values rest on."""
        shown = frozenset[str]().union(*self.async_contexts())
        if self.unit.loading or not shown:
            shown |= self._first_keys
        family = self.unit.device.family
        if self.group is Group.IDENTITY:
            return shown.union(family.firmware, self.unit.device.foundations)
        # A mode may be left at the machine itself, whether or not somebody looks at it here.
        return shown.union(
            residue.key for residue in family.residues if family.group_of(residue.key) is self.group
        )

    @override
    async def _async_update_data(self) -> Snapshot:
        """Poll once, and see to it that the next poll is in time."""
        began = self.hass.loop.time()
        try:
            return await self._async_poll()
        finally:
            self._keep_pace(began)

    def _keep_pace(self, began: float) -> None:
        """Begin the next poll one interval after this one, however long this one took, or the first one after that.

        Home Assistant counts from the whole second in which a poll has ended.
        """
        now = self.hass.loop.time()
        seconds = self.interval.total_seconds()
        late = int(now) - int(began)
        pause = seconds * (1 + (now - began) // seconds) - late
        # Without an interval there would be no next one.
        self.update_interval = timedelta(seconds=pause) or timedelta.resolution

    async def _async_poll(self) -> Snapshot:
        """Poll once, after making sure that it is still the same machine."""
        unit = self.unit
        if unit.silence is not None and self.group is not Group.POWER:
            # One question is enough to find out that it answers again, and every one costs the others their time.
            raise self._silent_like_its_powers(unit.silence)
        keys = self._polled = self.keys
        try:
            await unit.async_verify()
            snapshot = await unit.device.poll(keys)
        except WrongDeviceError as err:
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="wrong_machine",
                translation_placeholders={"model": unit.identity.model, "found": err.found},
            ) from err
        except DeviceError as err:
            # While a machine is silent, another one may take its place.
            unit.verified = False
            if self.group is not Group.POWER:
                raise await self._async_explain(err) from err
            raise self._no_answer(err, self._back_off(in_vain=unit.fell_silent(err))) from err
        self._pause = 0.0
        if self.group is Group.POWER and not self.last_update_success:
            unit.silence = None
            self.config_entry.async_create_background_task(
                self.hass, unit.async_wake(), f"{self.name} wake"
            )
        unit.async_tidy(self.hass, self.config_entry)
        return snapshot

    async def _async_explain(self, error: DeviceError) -> UpdateFailed:
        """Return what to raise, now that there was no answer: for these registers only, or because the machine is silent."""
        unit = self.unit
        if unit.silence is None and _may_be_silence(error):
            await unit.coordinators[Group.POWER].async_refresh()
        if unit.silence is not None:
            return self._silent_like_its_powers(unit.silence)
        return self._no_answer(error, self._back_off(in_vain=False))

    def _silent_like_its_powers(self, error: DeviceError) -> UpdateFailed:
        """Return what to raise while the machine is silent, which is written to the log once: for its powers."""
        self.last_update_success = False
        return self._no_answer(error)

    def _no_answer(self, error: DeviceError, retry_after: float | None = None) -> UpdateFailed:
        """Return what to raise for a poll that brought nothing."""
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="no_answer",
            translation_placeholders={"model": self.unit.identity.model, "error": str(error)},
            retry_after=retry_after,
        )

    @callback
    def async_ask_again(self) -> None:
        """Poll now instead of when the pause is over."""
        self.config_entry.async_create_background_task(
            self.hass, self.async_request_refresh(), f"{self.name} ask again"
        )

    @callback
    def async_publish(self) -> None:
        """Show what a write has just read back."""
        self.data = self.unit.device.snapshot(self.keys)
        self.async_update_listeners()

    @callback
    def async_expect(self, keys: Collection[str]) -> None:
        """Have at hand what was read along of these keys, for entities that are about to show them."""
        brought = self.unit.device.snapshot(keys)
        self.data = Snapshot({**self.data.values, **brought.values}, self.data.failed)

    @callback
    def async_catch_up(self) -> None:
        """Poll soon when something is shown that was not asked for yet."""
        if self.last_update_success:
            # Once for all entities that are added together.
            self.config_entry.async_create_background_task(
                self.hass, self._async_catch_up(), f"{self.name} catch up", eager_start=False
            )

    async def _async_catch_up(self) -> None:
        """Poll if the last poll did not ask for everything that is shown."""
        if not self.keys <= self._polled:
            await self.async_refresh()
