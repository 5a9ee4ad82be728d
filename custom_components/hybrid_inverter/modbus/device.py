"""One machine: read in groups, written through one guard."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from . import examine
from .block import Block, Written, one_after_another
from .codec import Value
from .family import Family
from .mode_exit import ModeExit
from .modes import Modes
from .prepare import Preparation, outcome
from .reader import Reader, Snapshot
from .register import Group, Tier
from .residue import ResidueMemory
from .undo import Change, ChangeLog, former_values
from .unit import Unit
from .wear import WearBudget
from .write_lock import WriteLock
from .writer import Writer

__all__ = ["Change", "Device", "Snapshot"]


class Device(Reader):
    """A machine behind a unit, seen through its family's table: what it reads, and the ways in which it is written."""

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
        inverted: bool = False,
    ) -> None:
        """Take what is already known of the machine (its rated power bounds other values), and of its writes.

        An inverted one is wired the other way round.
        """
        super().__init__(
            unit, family, known=known, baudrate=baudrate, features=features, inverted=inverted
        )
        self.wear = wear or WearBudget()
        self.residues = residues or ResidueMemory()
        self._unit = unit
        self._modes = Modes(family.residues, self.residues, self.values)
        self._preparation = Preparation(self, self._modes, tier)
        self._writer = Writer(unit, self, self._preparation, self._modes, self.wear)
        self._mode_exit = ModeExit(self, self._preparation, self._writer, self._modes)
        self._write_lock = WriteLock()
        self._change_log = ChangeLog()

    @property
    def tier(self) -> Tier:
        """Return how much somebody has chosen to allow to write."""
        return self._preparation.tier

    @tier.setter
    def tier(self, tier: Tier) -> None:
        """Allow to write more, or less, from now on."""
        self._preparation.tier = tier

    @property
    def changes(self) -> Sequence[Change]:
        """Return the last changes that were made, the oldest first."""
        return self._change_log.changes

    def may_write(self, key: str) -> bool:
        """Whether the chosen tier allows to write this key."""
        register = self.family.registers.get(key)
        return (
            register is not None and register.tier is not None and self.tier.allows(register.tier)
        )

    def add_listener(self, listener: Callable[[Group], None]) -> Callable[[], None]:
        """Call back when a write has changed the values of a group; returns how to stop that."""
        return self._writer.add_listener(listener)

    # ------------------------------------------------------------------ reading

    async def verify(self, serial: str) -> None:
        """Raise WrongDeviceError when another machine answers than the one with this serial number.

        A machine without one has to be of the family. What its values rest on is read again.
        """
        await examine.verify(self, serial)

    async def discover(self) -> frozenset[str]:
        """Look for what only some machines of the family have; return the features that were not known before.

        Raises like `read`; what was found before that is kept.
        """
        return await examine.discover(self)

    async def portrait(self) -> Mapping[int, int]:
        """Return the words of what tells which machine this is and what it has, as far as it answers.

        It is asked like one that nobody has met before, so that whoever has these words can recognise it.
        """
        return await examine.portrait(Reader(self._unit, self.unfitted))

    async def poll(self, keys: Collection[str]) -> Snapshot:
        """Read like any reader, and take note of the modes that the machine is in; raises like it."""
        snapshot = await super().poll(keys)
        if not self._write_lock.locked():
            # Whoever writes does so itself.
            await self._modes.watch(snapshot.values)
        return snapshot

    # ------------------------------------------------------------------ writing

    async def write(self, key: str, value: Value) -> None:
        """Write a setting, and return when the machine has kept it.

        WriteDeniedError and InvalidValueError before anything is sent, LinkError and RejectedError when the machine
        could not be reached or said no, NotAppliedError when it said yes and does not hold the value, ResidueError when
        only what a mode has left behind could not be put back. What has to be written before it, is; then it is
        like `write_steps`.
        """
        block = self._preparation.block({key: value})
        if (key, block.wanted[key]) in self.family.leads:
            await self.write_steps([(key, value)])
            return
        await self._write_lock.carry_out(self._write_one(block, restore=False))

    async def write_many(self, values: Mapping[str, Value]) -> None:
        """Write settings that lie in one run of addresses in one request: all of them, or none.

        Raises like `write`. When the machine does not keep every one of them, what it held before is put back, again in
        one request, and the NotAppliedError says whether that worked. After a LinkError it holds either all the old
        or all the new ones, as a request is carried out as a whole or not at all.

        A machine that takes one register at a time gets them one after another, as by `write_steps`.
        """
        if self._one_by_one:
            await self.write_steps(tuple(values.items()))
            return
        block = self._preparation.block(values)
        # The bounds as far as they are known, so that nothing goes over the link for a value that is wrong anyway.
        self._preparation.check(block)
        await self._write_lock.carry_out(self._write_one(block, restore=True))

    async def write_steps(self, steps: Sequence[tuple[str, Value]]) -> None:
        """Write settings one after another, a key as often as it comes; all are checked before the first is sent.

        Raises like `write`. When a step fails, what the steps before it have changed is put back in reverse; `left` of
        the error has the keys of which that did not work, and a NotAppliedError says whether it did.
        """
        blocks = self._preparation.blocks(steps)
        await self._write_lock.carry_out(self._write_blocks(blocks))

    async def set_clock(self, key: str, now: Callable[[], datetime]) -> None:
        """Set a clock to the local time that `now` tells when it is sent; raises like `write`.

        It is no change that could be undone: the time that was before has passed.
        """
        await self._write_lock.carry_out(self._writer.set_clock(key, now))

    async def undo(self) -> None:
        """Put the last change back that is still there, through the same guard; what was made together goes together.

        UndoError when there is none; otherwise raises like the write that made it, and the change stays.
        """
        await self._write_lock.carry_out(self._undo())

    async def finish(self) -> None:
        """Return when nothing is being written: a change of several settings is not torn apart."""
        async with self._write_lock:
            pass

    async def preview(self, values: Mapping[str, Value]) -> dict[int, tuple[int, int]]:
        """Return the words that `write_many` would send by address, each as it is and as it would be; send nothing."""
        if self._one_by_one:
            return await self.preview_steps(tuple(values.items()))
        block = self._preparation.block(values)
        self._preparation.check(block)
        async with self._write_lock:
            return outcome([block], await self._preparation.look(block))

    async def preview_steps(self, steps: Sequence[tuple[str, Value]]) -> dict[int, tuple[int, int]]:
        """Return the words that `write_steps` deals with, each as it is and as it would be in the end."""
        blocks = self._preparation.blocks(steps)
        async with self._write_lock:
            return outcome(*await self._preparation.lead_up(blocks))

    @property
    def _one_by_one(self) -> bool:
        """Whether the machine takes no more than one register in a write."""
        return self.family.max_write == 1

    async def _write_one(self, block: Block, *, restore: bool) -> None:
        """Write one request, and draw the conclusions."""
        image = await self._preparation.look(block)
        await self._conclude(await self._writer.write(block, image, restore=restore))

    async def _write_blocks(self, blocks: list[Block]) -> None:
        """Write requests in order, with what leads up to them, and draw the conclusions."""
        blocks, image = await self._preparation.lead_up(blocks)
        await self._conclude(await self._writer.write_in_order(blocks, image), in_order=True)

    async def _conclude(self, written: list[Written], *, in_order: bool = False) -> None:
        """Put back what modes that were left by these changes leave behind, and remember it all as one change."""
        made = len(written)
        try:
            await self._mode_exit.clear(self._modes.among(written), written)
        finally:
            self._change_log.remember(written, in_order=in_order or len(written) > made)

    async def _undo(self) -> None:
        """Put the last change back, while nobody else writes."""
        changes = self._change_log.last()
        former = former_values(changes)
        if changes[-1].in_order:
            blocks = one_after_another(reversed(former), self._preparation.former_block)
            image = await self._preparation.look(*blocks)
            written = await self._writer.write_in_order(blocks, image)
        else:
            block = self._preparation.former_block(dict(former))
            image = await self._preparation.look(block)
            written = await self._writer.write(block, image, restore=len(former) > 1)
        self._change_log.forget(changes[-1])
        await self._mode_exit.clear(self._modes.among(written), [])

    # ------------------------------------------------------------------ what a mode leaves behind

    @property
    def has_residue(self) -> bool:
        """Whether a mode is over of which something is still to be put back."""
        return self._modes.any_over()

    @property
    def must_release(self) -> bool:
        """Whether we have entered a mode in which the machine is run from here, as far as we know."""
        return bool(self._modes.entered())

    async def put_back(self) -> None:
        """Put back what modes that are over have left behind; raises like `write`. It cannot be undone."""
        await self._write_lock.carry_out(self._mode_exit.put_back())

    async def release(self) -> None:
        """Leave the modes that the machine is run from here in and that we have entered; raises like `write`.

        The mode that was before is in force again, and then the settings hold what they did.
        """
        await self._write_lock.carry_out(self._mode_exit.release())
