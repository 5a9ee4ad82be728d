"""The device side of a unit: which machine it is, whether it answers, and how it is left when nobody runs it any more."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, Protocol

from ..const import LOGGER
from ..modbus.device.device import Device
from ..modbus.device.wear import Origin
from ..modbus.errors import (
    DeviceError,
    LinkError,
    RejectedError,
    ResidueError,
    WrongDeviceError,
)
from ..modbus.find.identify import Identity
from ..modbus.model.counter_guard import Rejection
from ..modbus.model.residue import Residue
from ..modbus.transport.link import REPEATABLE
from .settings_ledger import SettingsLedger

# Seconds to restore what a mode has changed when an entry is unloaded: Home Assistant may be about to stop.
RELEASE_SECONDS: Final = 15


def may_be_silent(error: DeviceError) -> bool:
    """Whether the machine as a whole may not answer, or only refuses what it was asked for."""
    return isinstance(error, LinkError) or (isinstance(error, RejectedError) and error.is_silence)


def may_pass(error: DeviceError) -> bool:
    """Whether the machine was not reached, or is busy: it has refused nothing, and may do it when it is polled next."""
    cause = error.cause if isinstance(error, ResidueError) else error
    return isinstance(cause, LinkError) or (
        isinstance(cause, RejectedError) and not cause.is_refusal
    )


class Substitute(Protocol):
    """Somebody who has put other words in the place of the owner's for a while."""

    @property
    def is_in_force(self) -> bool:
        """Whether other words are in the place of the owner's now."""
        ...

    async def async_owners_words(self) -> Mapping[int, int]:
        """Read what the owner has set, by address, whatever is in its place; raises the DeviceError."""
        ...

    async def async_become_owners(
        self, words: Mapping[int, int], origin: Origin, *, dry_run: bool = False
    ) -> int:
        """Make these the owner's words; what is in their place stays there until it ends. Raises the DeviceError.

        Returns how many requests that takes now.
        """
        ...


class Machine:
    """A machine on the link, without anything that Home Assistant shows of it."""

    def __init__(
        self, *, name: str, unit_id: int, identity: Identity, device: Device, feature_probe: Device
    ) -> None:
        # What a person calls the machine.
        self.name = name
        self.unit_id = unit_id
        self.identity = identity
        self.device = device
        # A second device for the same machine that looks for features: what is polled stays as it is until the entry is
        # loaded again.
        self.feature_probe = feature_probe
        # What is ours of its settings.
        self.settings = SettingsLedger(device)
        # Readings of counters that were not plausible, by reason.
        self.rejections = Counter[Rejection]()
        # Whether the machine has reported its serial number since the link was last opened: what polls ask at no cost.
        self.verified = False
        # Whether another machine has answered in its place since this one was last verified, and what is told of that.
        self.is_exchanged = False
        self.on_exchange: list[Callable[[], None]] = []
        # Why the powers could not be polled, while the machine does not answer, or another one does; it is asked for
        # nothing else then.
        self.last_error: DeviceError | None = None
        # Whether restoring the settings of a mode that is over was tried.
        self.restore_tried = False
        # Whether leaving a mode that is in force since before Home Assistant has started was tried.
        self.leave_tried = False
        # Who has put other words in the place of the owner's; None where nobody can.
        self.substitute: Substitute | None = None
        # Goes on with a change of several settings that was broken off, and tells it; raises the DeviceError.
        self.async_resume: Callable[[], Awaitable[object]] = device.resume
        # What else is ended before the machine is left.
        self.on_release: list[Callable[[], Awaitable[None]]] = []
        # What is told of what could not be ended then.
        self.after_release: list[Callable[[], None]] = []
        # What must not wait any longer when its entry is unloaded.
        self.on_finish: list[Callable[[], Awaitable[None]]] = []

    async def async_verify(self) -> None:
        """Ask for the serial number if the link was opened again since the last time; WrongDeviceError if it differs."""
        if self.verified:
            return
        try:
            await self.device.verify()
        except WrongDeviceError:
            self.is_exchanged = True
            for tell in self.on_exchange:
                tell()
            raise
        self.verified, self.is_exchanged = True, False

    def doubt(self) -> None:
        """Verify before the next poll or write: while a machine is silent, another one may take its place."""
        self.verified = False
        self.device.doubt()

    def link_changed(self, _connected: bool) -> None:
        """Verify before the next poll, and try again what was tried over the last connection."""
        self.verified = False
        self.leave_tried = False

    @property
    def is_silent(self) -> bool:
        """Whether it does not answer."""
        return self.last_error is not None and may_be_silent(self.last_error)

    def note_loss(self, error: DeviceError) -> bool:
        """Note why the powers could not be polled if it is not here; return whether it let us wait in vain."""
        if not may_be_silent(error) and not isinstance(error, WrongDeviceError):
            return False
        self.last_error = error
        # A link that cannot be opened has pauses of its own, and all machines on it are alike.
        return self.is_silent and isinstance(error, (RejectedError, *REPEATABLE))

    @property
    def must_restore(self) -> bool:
        """Whether a mode was left at the machine itself whose settings are still to be restored, and nobody tried."""
        if not self.device.has_residue:
            self.restore_tried = False
            return False
        return not self.restore_tried

    async def async_restore(self) -> None:
        """Restore the settings of modes that are over, once; again only when the machine was busy or not reached."""
        self.restore_tried = True
        try:
            await self.async_verify()
            await self.device.put_back()
        except DeviceError as err:
            LOGGER.warning(
                "%s was left in another mode, and settings of the last one remain: %s",
                self.name,
                err,
            )
            self.restore_tried = not may_pass(err)

    @property
    def must_leave(self) -> bool:
        """Whether a mode is in force in which nobody runs the machine any more, and nobody tried to leave it."""
        return self.device.must_leave and not self.leave_tried

    async def async_leave_abandoned(self) -> list[Residue]:
        """Leave such modes, and restore their settings; those that were left. Raises the DeviceError.

        It is tried once; again only after a lost link, or when the machine was busy.
        """
        self.leave_tried = True
        try:
            await self.async_verify()
            left = await self.device.leave_abandoned()
        except DeviceError as err:
            self.leave_tried = not may_pass(err)
            raise
        if left:
            await self.async_restore()
        return left

    async def async_finish(self) -> None:
        """Finish what is being written; modes stay, as somebody is about to go on."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RELEASE_SECONDS):
                for end in self.on_finish:
                    await end()
                await self.device.finish()

    async def async_release(self) -> None:
        """Finish what is being written, and leave a mode in which the machine depends on being run from here."""
        # What cannot be left now is left as soon as somebody is there again.
        self.device.residues.give_up()
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                for end in self.on_release:
                    await end()
                await self.device.finish()
                if self.device.must_release:
                    await self.async_verify()
                    await self.device.release()
        except TimeoutError:
            LOGGER.warning("%s was not left as it was found: it took too long", self.name)
        except DeviceError as err:
            LOGGER.warning("%s was not left as it was found: %s", self.name, err)
        for tell in self.after_release:
            tell()

    async def async_discover(self) -> frozenset[str]:
        """Look for features; return those that were not known, none while the machine does not answer."""
        try:
            return await self.feature_probe.discover()
        except DeviceError as err:
            LOGGER.debug("%s did not say which features it has: %s", self.name, err)
            return frozenset()
