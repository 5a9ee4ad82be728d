"""One device: read in groups; every write is prepared, sent and read back in one way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from ..model.codec import Value
from ..model.family import Family
from ..model.register import Group, Tier
from ..model.residue import Residue, ResidueMemory
from ..transport.unit import Unit
from . import discovery, raw_read
from .journal import Journal
from .known import KnownDevice
from .mode_exit import ModeExit
from .modes import Modes
from .preparation import Preparation, words_before_and_after
from .register_reader import RegisterReader
from .reversal import Reversal
from .snapshot import Snapshot
from .stepped_changes import Resumed, SteppedChanges
from .undo import Change, ChangeLog
from .verified_unit import VerifiedUnit
from .wear import Origin, WearBudget
from .word_writer import WordWriter, keys_on
from .write_lock import WriteLock
from .write_request import AppliedChange, WriteRequest
from .writer import Writer

__all__ = ["Change", "Device", "Snapshot"]


class Device(KnownDevice):
    """A device behind a Modbus unit, seen through its family's table: how it is read, and how it is written."""

    def __init__(
        self,
        unit: Unit,
        family: Family,
        *,
        known: Mapping[str, Value] | None = None,
        tier: Tier = Tier.EVERYDAY,
        baudrate: int | None = None,
        wear: WearBudget | None = None,
        features: Collection[str] = (),
        residues: ResidueMemory | None = None,
        changes: ChangeLog | None = None,
        journal: Journal | None = None,
        inverted: bool = False,
        serial: str | None = None,
    ) -> None:
        """`known` are values that stay known, as the rated power, which bounds others.

        An inverted device is wired the other way round. What is written reaches only the device with this serial
        number, or, where the family has none, one of the family; None lets it reach whichever is there.
        """
        verified = self._verified_unit = VerifiedUnit(
            unit, None if serial is None else lambda: discovery.verify(reader, serial)
        )
        reader = RegisterReader(
            unit,
            family,
            known=known,
            baudrate=baudrate,
            features=features,
            inverted=inverted,
            verified=verified,
        )
        self._change_log = changes or ChangeLog()
        super().__init__(reader, self._change_log)
        self.wear = wear or WearBudget()
        self.residues = residues or ResidueMemory()
        # Where somebody has put other words in the place of the owner's, and sees to what modes leave behind.
        self.leased = frozenset[int]()
        self._unit = unit
        self._modes = Modes(family.residues, self.residues, reader.values)
        self._preparation = Preparation(reader, self._modes, tier)
        self._writer = Writer(verified, reader, self._preparation, self._modes, self.wear)
        # Tells what is written, and what was proved.
        self.proofs = self._writer.proofs
        self._word_writer = WordWriter(reader, self._writer, self.wear)
        self._mode_exit = ModeExit(reader, self._preparation, self._writer, self._modes)
        self._write_lock = WriteLock()
        self._changes = SteppedChanges(
            reader, self._preparation, self._writer, journal or Journal(), self._change_log
        )
        self._reversal = Reversal(
            reader, self._preparation, self._writer, self._changes, self._change_log
        )

    @property
    def tier(self) -> Tier:
        """The tier up to which somebody has allowed to write."""
        return self._preparation.tier

    @tier.setter
    def tier(self, tier: Tier) -> None:
        self._preparation.tier = tier

    def may_write(self, key: str) -> bool:
        """Whether the chosen tier allows to write this key."""
        register = self.family.registers.get(key)
        return (
            register is not None and register.tier is not None and self.tier.allows(register.tier)
        )

    def add_listener(self, listener: Callable[[Group], None]) -> Callable[[], None]:
        """Call back when a group has newer values beside its polls, as after a write; returns how to stop that."""
        return self._writer.add_listener(listener)

    # ------------------------------------------------------------------ reading

    async def read(self, keys: Collection[str]) -> Mapping[str, Value | None]:
        """Read these registers now, whatever groups they are polled in; raises like the reader."""
        return await self._reader.read(keys)

    @property
    def verified(self) -> bool:
        """Whether it has reported its serial number over the connection that is open."""
        return self._verified_unit.verified

    async def verify(self) -> None:
        """Raise WrongDeviceError when another device answers than the one with the serial number.

        A device without one has to be of the family. What its values are scaled by is read again.
        """
        await self._verified_unit.verify()

    def doubt(self) -> None:
        """Verify before the next write: while a device is silent, another one may take its place."""
        self._verified_unit.doubt()

    async def discover(self, among: Collection[str] | None = None) -> frozenset[str]:
        """Look for what only some devices of the family have, in this tier; the features that were not known before.

        Only `among` these, if given. Raises like `read`; what was found before that is kept.
        """
        return await discovery.discover(self._reader, self.tier, among)

    async def identification_dump(self) -> Mapping[int, int]:
        """The words that show which device this is and what it has, as far as it answers.

        It is read like an unknown device, so that it can be recognised by these words alone.
        """
        return await discovery.identification_dump(
            RegisterReader(self._unit, self._reader.unfitted)
        )

    async def poll(
        self, keys: Collection[str], until: float | None = None, *, urgent: bool = False
    ) -> Snapshot:
        """Poll like the reader, and take note of the modes that the device is in."""
        snapshot = await self._reader.poll(keys, until, urgent=urgent)
        if self._reader.released:
            self._writer.publish(self._reader.take_released())
        nothing_to_note = self._modes.is_empty or self.leased or self._write_lock.locked()
        if nothing_to_note or self._writer.settling.left():
            # A write notes them itself, and what it has left undecided is not known yet.
            return snapshot
        await self._modes.note_poll(snapshot.values)
        # To save what was noted takes its time, in which a write may have read back newer values.
        return self._reader.snapshot(keys)

    async def poll_words(self, addresses: Collection[int], until: float | None = None) -> None:
        """Poll mere words like the reader."""
        await self._reader.poll_words(addresses, until)

    # ------------------------------------------------------------------ writing

    async def write(self, key: str, value: Value, *, origin: Origin = Origin.PERSON) -> None:
        """Write a setting, and return when the device has applied it.

        WriteDeniedError and InvalidValueError before anything is sent, LinkError and RejectedError when the device
        could not be reached or refused, WrongDeviceError when another one answers, NotAppliedError when it does not hold
        the value, ResidueError when only what a mode has left behind could not be restored, WriteBudgetError when its
        register was written too often today for this origin; `unconfirmed` of the error says that something was sent and
        could not be read back. Its prerequisites are written before it; then it is like `write_steps`. While it waits,
        it gives way to a later one of the same setting, and ends as that one does, or is carried out when that one is
        refused before it is sent; unless one between them may rest on its value.
        """
        request = self._preparation.request({key: value}, origin=origin)
        if self._preparation.has_prerequisites(key, request.wanted[key]):
            requests = self._preparation.requests([(key, value)], origin)
            write = self._write_in_order(requests, origin)
        else:
            write = self._write_one(request, restore_on_failure=False)
        related = self._preparation.related(key)
        await self._write_lock.run_to_end(write, setting=key, related=related)

    async def write_many(
        self, *requests: Mapping[str, Value], origin: Origin = Origin.PERSON
    ) -> None:
        """Write settings that lie in one run of addresses in one request, and further ones in others: all, or none.

        Raises like `write`. When the device does not apply every one of them, what it held before is restored, again in
        one request each, and the NotAppliedError says whether that worked. After another error that is unconfirmed, and
        with one request alone, it holds either all the old or all the new ones: that is carried out as a whole or not at all.

        A device that takes one register at a time gets them one after another, as by `write_steps`.
        """
        if self.family.max_write == 1:
            steps = [step for values in requests for step in values.items()]
            await self.write_steps(steps, origin=origin)
            return
        prepared = [self._preparation.request(values, origin=origin) for values in requests]
        # Nothing goes over the link for a value that is wrong anyway, as far as the bounds are known.
        self._preparation.check(*prepared)
        await self._write_lock.run_to_end(self._write_all(prepared))

    async def write_steps(
        self, steps: Sequence[tuple[str, Value]], *, origin: Origin = Origin.PERSON
    ) -> None:
        """Write settings one after another, a key as often as it comes; all are checked before the first is sent.

        Raises like `write`. When a step fails, what the steps before it have changed is restored in reverse; `left` of
        the error has the keys for which that did not work, and a NotAppliedError says whether it did.
        """
        requests = self._preparation.requests(steps, origin)
        await self._write_lock.run_to_end(self._write_in_order(requests, origin))

    async def set_clock(self, key: str, now: Callable[[], datetime]) -> None:
        """Set a clock to the local time that `now` returns when it is sent; raises like `write`.

        It cannot be undone: the time that was before has passed.
        """
        await self._write_lock.run_to_end(self._writer.set_clock(key, now))

    async def undo(self) -> None:
        """Revert the last change that is still there, checked like any write; what was made together goes together.

        UndoError when there is none, or when nobody knows what was before it, ChangedElsewhereError when a setting of it was
        changed elsewhere since: for both the change is dropped. Otherwise raises like the write that made it, and it stays.
        """
        await self._write_lock.run_to_end(self._reversal.run(self._modes, self._mode_exit))

    async def finish(self) -> None:
        """Return when nothing is being written, and nothing may take hold that was: no change is interrupted or missed."""
        async with self._write_lock:
            await self._writer.settling.over()

    async def preview(self, values: Mapping[str, Value]) -> dict[int, tuple[int, int]]:
        """The words that `write_many` would send by address, each as it is and as it would be; sends nothing."""
        if self.family.max_write == 1:
            return await self.preview_steps(tuple(values.items()))
        request = self._preparation.request(values)
        self._preparation.check(request)
        async with self._write_lock:
            image = await self._preparation.read_current(request)
        return words_before_and_after([request], image)

    async def preview_steps(self, steps: Sequence[tuple[str, Value]]) -> dict[int, tuple[int, int]]:
        """The words that `write_steps` deals with, each as it is and as it would be in the end; sends nothing."""
        requests = self._preparation.requests(steps)
        async with self._write_lock:
            requests, image = await self._preparation.with_prerequisites(requests)
        return words_before_and_after(requests, image)

    async def _write_one(self, request: WriteRequest, *, restore_on_failure: bool) -> None:
        image = await self._preparation.read_current(request)
        applied = await self._writer.write(request, image, restore_on_failure=restore_on_failure)
        if not applied:
            await self._modes.claim(request)
        await self._changes.supersede(request.wanted)
        await self._conclude(applied)

    async def _write_in_order(self, requests: list[WriteRequest], origin: Origin) -> None:
        requests, image = await self._preparation.with_prerequisites(requests, origin)
        applied = await self._changes.carry_out(requests, image)
        if not applied:
            for request in requests:
                await self._modes.claim(request)
        await self._conclude(applied, in_order=True)

    async def _write_all(self, requests: list[WriteRequest]) -> None:
        if len(requests) == 1:
            await self._write_one(requests[0], restore_on_failure=True)
            return
        image = await self._preparation.read_current(*requests)
        applied = await self._changes.carry_out(requests, image)
        # Each request is undone by itself.
        for request in requests:
            await self._conclude([change for change in applied if change.key in request.wanted])

    async def _conclude(self, applied: list[AppliedChange], *, in_order: bool = False) -> None:
        """Restore what modes that were left by these changes leave behind, and remember it all as one change."""
        wanted = len(applied)
        try:
            await self._mode_exit.restore(self._modes.changed_by(applied), applied)
        finally:
            # What was held where another's words were is not the owner's: nobody goes back to that.
            lent = keys_on(self.leased, self.family.registers)
            in_order |= len(applied) > wanted
            self._change_log.remember(applied, in_order=in_order, lent=lent)

    # ------------------------------------------------------------------ raw words

    async def read_words(self, addresses: Collection[int]) -> dict[int, int]:
        """The words that the device holds now at these addresses, each as a whole; raises like `read`.

        It waits for a write that is under way. ValueError for an address that no register of the family has.
        """
        async with self._write_lock:
            return await self._word_writer.read(addresses)

    async def read_raw(self, first: int, count: int) -> list[raw_read.RawWord]:
        """Read any registers of the readable areas, as `raw_read` does; writes go before each of its requests."""
        return await raw_read.read_raw(self._reader, first, count)

    async def write_words(
        self,
        requests: Sequence[Mapping[int, int]],
        *,
        origin: Origin = Origin.PERSON,
        just_read: Mapping[int, int] | None = None,
        all_or_none: bool = True,
    ) -> None:
        """Have the device hold these words, each request a run of addresses, in this order: all or none, or as many as it takes.

        Without `all_or_none`, `left` of the error has the keys of those that it has not taken, if it has taken any. What
        it holds already is not sent. It settles once after all of them. Raises like `write_steps`; a NotAppliedError
        is about the first register that was not kept, with its words. Neither tier nor bounds are checked, and nothing
        can be undone. Words that were `just_read`, by address, are not read again before; ChangedMeanwhileError when they are
        others by now. ValueError for a request that is no run, or too long, or that has another register than settings.
        """
        prepared = self._word_writer.requests(requests, origin)
        await self._write_lock.run_to_end(self._write_words(prepared, just_read, all_or_none))

    async def _write_words(
        self, requests: list[WriteRequest], just_read: Mapping[int, int] | None, all_or_none: bool
    ) -> None:
        await self._word_writer.write(requests, just_read=just_read, all_or_none=all_or_none)
        addresses = {address for request in requests for address in request.addresses}
        await self._changes.supersede(keys_on(addresses, self.family.registers))

    def check_budget(self, requests: Sequence[Mapping[int, int]], origin: Origin) -> None:
        """Raise WriteBudgetError when a register could not be written today as often as in all these requests.

        ValueError like `write_words`; what restores is never refused.
        """
        prepared = self._word_writer.requests(requests, origin)
        if origin is not Origin.RESTORE:
            self._word_writer.check_budget(prepared)

    # ------------------------------------------------------------------ what was broken off

    @property
    def is_interrupted(self) -> bool:
        """Whether a change of several settings was broken off, and nobody goes on with it."""
        return self._changes.is_interrupted and not self._write_lock.locked()

    async def resume(self) -> Resumed | None:
        """Go on with a change that was broken off, now that the device is there again; None when there is none.

        Raises like `write` when it cannot be told or done now; then the change stays interrupted.
        """
        return await self._write_lock.run_to_end(self._changes.resume(self._modes))

    # ------------------------------------------------------------------ what a mode leaves behind

    @property
    def has_residue(self) -> bool:
        """Whether a mode is over of which something is still to be restored; a write that leaves it does so itself."""
        return not self.leased and not self._write_lock.locked() and self._modes.any_over()

    @property
    def entered(self) -> list[Residue]:
        """The modes that we have entered in which the device is run from here, as far as we know."""
        return self._modes.entered()

    @property
    def must_release(self) -> bool:
        """Whether there is such a mode."""
        return bool(self.entered)

    @property
    def must_leave(self) -> bool:
        """Whether such a mode is in force, and nobody runs the device any more; a write may be about to change that."""
        return not self.leased and not self._write_lock.locked() and bool(self._modes.abandoned())

    async def put_back(self) -> None:
        """Restore what modes that are over have left behind; raises like `write`. It cannot be undone."""
        await self._write_lock.run_to_end(self._mode_exit.restore_all())

    async def leave_abandoned(self) -> list[Residue]:
        """Leave the modes that are in force since before Home Assistant has started; those that were left.

        Raises like `write`. What they have left behind is still to be put back.
        """
        left: list[Residue] = []
        await self._write_lock.run_to_end(self._mode_exit.leave_abandoned(left))
        return left

    async def release(self) -> None:
        """Leave the modes that the device is run from here in and that we have entered; raises like `write`.

        The mode that was before is in force again, and then the settings hold what they did.
        """
        await self._write_lock.run_to_end(self._mode_exit.release())
