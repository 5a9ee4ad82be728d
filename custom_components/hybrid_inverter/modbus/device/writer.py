"""Requests on their way to a device: sent, read back, sent once more, and restored when it does not apply them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from ..errors import (
    DeviceError,
    ImplausibleError,
    LinkError,
    NotAppliedError,
    RejectedError,
)
from ..model.register import Group
from .modes import Modes
from .preparation import Preparation
from .proofs import Proofs
from .register_reader import RegisterReader
from .settling import PAUSE
from .stages import Due, staged_keys
from .verified_unit import VerifiedUnit
from .wear import Origin, WearBudget
from .write_request import AppliedChange, WriteRequest

HALF_A_SECOND: Final = timedelta(seconds=0.5)


class Writer:
    """Writes requests, and believes what the device holds afterwards, not what it answers."""

    def __init__(
        self,
        unit: VerifiedUnit,
        reader: RegisterReader,
        preparation: Preparation,
        modes: Modes,
        wear: WearBudget,
    ) -> None:
        self._unit = unit
        self._reader = reader
        self._preparation = preparation
        self._modes = modes
        self._wear = wear
        self.proofs = Proofs(preparation.related)
        self.settling = preparation.settling
        # When the device takes the next write, by the event loop's clock.
        self._ready_at = 0.0
        self._listeners: list[Callable[[Group], None]] = []

    def add_listener(self, listener: Callable[[Group], None]) -> Callable[[], None]:
        """Call back when a write has changed the values of a group; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, groups: Collection[Group]) -> None:
        """Call the listeners back with the groups that have newer values."""
        for group in groups:
            for listener in tuple(self._listeners):
                listener(group)

    # ------------------------------------------------------------------ one request

    async def write(
        self, request: WriteRequest, image: dict[int, int], *, restore_on_failure: bool = False
    ) -> list[AppliedChange]:
        """Write, read back, settle, read again; one more try, then give up. Returns what was changed."""
        before, held = image, request.decode(image)
        changed = [key for key, value in request.wanted.items() if held[key] != value]
        if not changed:
            self.publish(request.groups)
            return []
        changes = [AppliedChange(key, held[key], request.wanted[key]) for key in changed]
        origin = Origin.RESTORE if self._modes.leaves(changes) else request.origin
        self._wear.check(changed[0], request.stored, origin)
        await self._modes.remember_before(request, changes, image)
        acknowledged = await self.send_or_retry(request, changed, image)
        image = await self._read_back(request, early=acknowledged)
        if request.not_applied(image):
            try:
                acknowledged |= await self.send_or_retry(request, changed, image)
            except DeviceError as err:
                if restore_on_failure and not await self._is_restored(request, before, image):
                    err.left = tuple(changed)
                raise
            image = await self._read_back(request)
        if not (missing := request.not_applied(image)):
            await self._modes.note_changes(request, changes)
            if not request.is_unchecked:
                self.proofs.proved(changes)
            return changes
        row = request.rows[missing[0]]
        kept = row.decode(image)
        raise NotAppliedError(
            row.key,
            row.addresses[0],
            request.wanted[row.key],
            kept,
            acknowledged=acknowledged,
            changed=kept not in (None, held[row.key]),
            restored=restore_on_failure and await self._is_restored(request, before, image),
        )

    async def set_clock(self, key: str, now: Callable[[], datetime]) -> None:
        """Set a clock to what `now` returns when it is sent, once more if the device does not apply it."""
        prepare = self._preparation
        image = await prepare.read_current(prepare.request({key: _nearest_second(now())}))
        acknowledged = False
        for _ in range(2):
            request = prepare.request({key: _nearest_second(now())})
            acknowledged |= await self._send(request, [key], request.encode(image))
            image = await self._read_back(request)
            if not request.not_applied(image):
                return
        row = request.rows[key]
        raise NotAppliedError(
            key,
            row.addresses[0],
            request.wanted[key],
            row.decode(image),
            acknowledged=acknowledged,
        )

    async def _restore(
        self, request: WriteRequest, before: Mapping[int, int], image: Mapping[int, int]
    ) -> bool:
        """Write the words of `before` unless the device holds and keeps them; whether it does in the end."""
        words = [before[address] for address in request.addresses]
        # What was sent and never seen would come into force with nobody behind it: then it is followed by what was before.
        may_come = self.settling.may_come(request.addresses)
        if may_come or words != [image[address] for address in request.addresses]:
            await self._send(request, request.not_applied(before), words)
            image = await self.read_settled(request)
        return words == [image[address] for address in request.addresses]

    async def _is_restored(
        self, request: WriteRequest, before: Mapping[int, int], image: Mapping[int, int]
    ) -> bool:
        """Restore the words of `before` unless the device holds them; whether it is known to do so in the end."""
        try:
            return await self._restore(request, before, image)
        except DeviceError:
            return False

    async def _read_back(self, request: WriteRequest, *, early: bool = False) -> dict[int, int]:
        """The words that the device keeps of what was sent; nobody knows them when it cannot be read."""
        try:
            if early:
                # Some devices are busy right after a write; what counts is what they hold in the end.
                with suppress(RejectedError):
                    if not request.not_applied(
                        await self._reader.read_fresh(request.rows.values())
                    ):
                        self.publish(request.groups)
            return await self.read_settled(request)
        except DeviceError as err:
            err.unconfirmed = True
            raise

    async def read_settled(self, *requests: WriteRequest) -> dict[int, int]:
        """The words that the device keeps after these writes; a setting may have moved its neighbours.

        Of a register that takes longer they are looked at now and then until it holds what was sent, or its time is over:
        nothing waits longer than it has to, and the line is free for others meanwhile.
        """
        await asyncio.sleep(self._reader.family.settle)
        image = await self._look(requests)
        while left := self.settling.left(image):
            await asyncio.sleep(min(PAUSE, left))
            image = await self._look(requests)
        return image

    async def _look(self, requests: Sequence[WriteRequest]) -> dict[int, int]:
        """The words that the device holds now where these requests are written."""
        before = dict(self._reader.image.words)
        rows = [row for request in requests for row in request.rows.values()]
        image = await self._reader.read_with_polled(rows)
        # What was sent is not in the image until it is read back, which publishes it.
        if any(before.get(address) != word for address, word in image.items()):
            self.publish({group for request in requests for group in request.groups})
        self.settling.look(image)
        return image

    async def send_or_retry(
        self, request: WriteRequest, changed: Sequence[str], image: dict[int, int]
    ) -> bool:
        """Send what is wanted; to a device that is busy once more, put into what it holds by then; like `_send`."""
        try:
            return await self._send(request, changed, request.encode(image))
        except RejectedError as err:
            if err.code not in self._reader.family.write_retry:
                raise
        await asyncio.sleep(self._reader.family.recovery)
        image = await self._reader.read_fresh(request.rows.values())
        return await self._send(request, changed, request.encode(image))

    async def _send(self, request: WriteRequest, changed: Sequence[str], words: list[int]) -> bool:
        """Write the words of a request, and count that for the settings that it changes; whether it was acknowledged.

        Raises when the device refused, or when nothing was sent. What was sent and not acknowledged may have been done.
        """
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._ready_at - loop.time())
        self.proofs.sending(changed)
        if request.stored:
            self._wear.count(changed, request.stored)
        sent = may_come = True
        try:
            if self._reader.family.single_write and len(words) == 1:
                await self._unit.write_register(request.span[0], words[0])
            else:
                await self._unit.write_registers(request.span[0], words)
        except DeviceError as err:
            sent, may_come = err.sent, err.is_undecided
            if may_come:
                return False
            if sent and isinstance(err, RejectedError):
                err.key, err.address = changed[0], request.rows[changed[0]].addresses[0]
            raise
        finally:
            self._ready_at = loop.time() + self._reader.family.write_spacing
            if sent:
                # Whatever came of it, nobody knows what they hold until they are read back.
                self._reader.image.doubt([request.span])
            if may_come:
                rows = [request.rows[key] for key in changed]
                self.settling.sent(rows, dict(zip(request.addresses, words, strict=True)))
        return True

    # ------------------------------------------------------------------ one request after another

    async def write_in_order(
        self, requests: Sequence[WriteRequest], image: dict[int, int]
    ) -> list[AppliedChange]:
        """Write these requests in order; when one fails, restore in reverse what has been changed."""
        memory = self._modes.memory
        remembered = memory.copy()
        applied: list[AppliedChange] = []
        sent: list[Due] = []
        try:
            self.publish({group for request in requests for group in request.groups})
            for request in requests:
                if request.not_applied(image):
                    sent.append((request, await self._preparation.read_current(request)))
                    applied += await self._write_or_instead(*sent[-1])
                    words = self._reader.image.words
                    image |= {address: words[address] for address in request.addresses}
        except DeviceError as err:
            await self.take_back(sent, err)
            if not err.left:
                memory.reset(remembered)
                await memory.save()
            raise
        return applied

    async def _write_or_instead(
        self, request: WriteRequest, image: dict[int, int]
    ) -> list[AppliedChange]:
        """Write a request; of a prerequisite that the device does not take, as much as it takes."""
        before, rows = request.decode(image), request.rows.values()
        try:
            return await self.write(request, image)
        except RejectedError, NotAppliedError:
            if not request.is_prerequisite:
                raise
        if request.instead is not None:
            with suppress(RejectedError, NotAppliedError):
                await self.write(request.instead, await self._reader.read_fresh(rows))
        held = request.decode(await self._reader.read_fresh(rows))
        return [
            AppliedChange(key, before[key], value)
            for key, value in held.items()
            if value is not None and value != before[key]
        ]

    async def take_back(self, sent: Sequence[Due], err: DeviceError) -> None:
        """Restore what was before these requests, the last one first, and have their error say whether that worked."""
        err.left = await self._roll_back(sent)
        # All that was sent has been read, unless it is among these.
        err.unconfirmed = bool(err.left)
        if isinstance(err, NotAppliedError):
            err.restored = not err.left

    async def _roll_back(self, sent: Sequence[Due]) -> tuple[str, ...]:
        """Restore what was before these requests, the last one first; the keys for which that did not work."""
        left: dict[str, None] = {}
        reached, staged = True, staged_keys(sent, self._reader.family)
        for request, before in reversed(sent):
            keys = request.not_applied(before)
            # What went in stages comes back in stages, too.
            waits = not staged.isdisjoint(request.wanted) and not staged.isdisjoint(left)
            may_send = reached and not waits
            try:
                restored = may_send and await self._restore_or_retry(request, before)
            except DeviceError:
                # Nobody answers any more, or somebody else does.
                reached = may_send = False
            if not may_send:
                # Nothing was sent since it was read, unless it is not in the image.
                words = self._reader.image.words
                restored = not self.settling.may_come(request.addresses) and all(
                    words.get(a) == before[a] for a in request.addresses
                )
            for key in keys:
                left[key] = None
                if restored:
                    # Also if a later step with the same key was not restored: this was the value before it.
                    del left[key]
        return tuple(left)

    async def _restore_or_retry(self, request: WriteRequest, before: Mapping[int, int]) -> bool:
        """Restore what was there before, with one more try; whether it is there in the end."""
        for attempts_left in (1, 0):
            try:
                image = await self._reader.read_fresh(request.rows.values())
                if await self._restore(request, before, image):
                    return True
            except LinkError:
                if not attempts_left:
                    raise
                await asyncio.sleep(self._reader.family.recovery)
            except RejectedError, ImplausibleError:
                await asyncio.sleep(self._reader.family.recovery)
        return False


def _nearest_second(moment: datetime) -> datetime:
    """A time for a clock that has no fractions of a second."""
    return (moment + HALF_A_SECOND).replace(microsecond=0)
