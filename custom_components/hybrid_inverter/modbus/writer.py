"""Requests on their way to a machine: sent, read back, sent once more, and put back when it does not keep them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from .block import Block, Written
from .errors import DeviceError, LinkError, NotAppliedError, RejectedError
from .modes import Modes
from .prepare import Preparation
from .reader import Reader
from .register import Group
from .unit import Unit
from .wear import WearBudget

HALF_A_SECOND: Final = timedelta(seconds=0.5)


class Writer:
    """Writes requests, and believes what the machine holds afterwards, not what it answers."""

    def __init__(
        self,
        unit: Unit,
        reader: Reader,
        preparation: Preparation,
        modes: Modes,
        wear: WearBudget,
    ) -> None:
        """Take the machine, what is known of it, what is checked before, and what is remembered of its writes."""
        self._unit = unit
        self._reader = reader
        self._preparation = preparation
        self._modes = modes
        self._wear = wear
        # When the machine takes the next write.
        self._free_at = 0.0
        self._listeners: list[Callable[[Group], None]] = []

    def add_listener(self, listener: Callable[[Group], None]) -> Callable[[], None]:
        """Call back when a write has changed the values of a group; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, groups: Collection[Group]) -> None:
        """Tell the listeners that these groups have newer values."""
        for group in groups:
            for listener in tuple(self._listeners):
                listener(group)

    # ------------------------------------------------------------------ one request

    async def write(self, block: Block, image: dict[int, int], *, restore: bool) -> list[Written]:
        """Write, read back, settle, read again; one more try, then give up. Return what was changed."""
        before, held = image, block.decode(image)
        changed = [key for key, value in block.wanted.items() if held[key] != value]
        if not changed:
            self._tell(block.groups)
            return []
        if not block.owed:
            self._wear.check(changed[0], block.stored)
        written = [Written(key, held[key], block.wanted[key]) for key in changed]
        await self._modes.keep_former(block, written, image)
        await self._deliver(block, changed, image)
        # Some machines are busy right after a write; what counts is what they hold in the end.
        with suppress(RejectedError):
            if not block.lost(await self._reader.read_now(block.rows.values())):
                self._tell(block.groups)
        for attempts_left in (1, 0):
            image = await self._settle(block)
            if not (lost := block.lost(image)):
                await self._modes.enter(written)
                return written
            if attempts_left:
                await self._deliver(block, changed, image)
        row = block.rows[lost[0]]
        raise NotAppliedError(
            row.key,
            row.addresses[0],
            block.wanted[row.key],
            row.decode(image),
            restored=restore and await self._restore(block, changed, before, image),
        )

    async def set_clock(self, key: str, now: Callable[[], datetime]) -> None:
        """Set a clock to what `now` tells when it is sent, once more if the machine does not keep it."""
        prepare = self._preparation
        image = await prepare.look(prepare.block({key: _nearest_second(now())}))
        for _ in range(2):
            block = prepare.block({key: _nearest_second(now())})
            await self._send(block, [key], block.encode(image))
            await asyncio.sleep(self._reader.family.settle)
            image = await self._reader.read_now(block.rows.values())
            self._tell(block.groups)
            if not block.lost(image):
                return
        row = block.rows[key]
        raise NotAppliedError(key, row.addresses[0], block.wanted[key], row.decode(image))

    async def _restore(
        self,
        block: Block,
        changed: Sequence[str],
        before: Mapping[int, int],
        image: Mapping[int, int],
    ) -> bool:
        """Put back what was there before, if it is not there any more; return whether it is in the end."""
        words = [before[address] for address in block.addresses]
        if words != [image[address] for address in block.addresses]:
            await self._send(block, changed, words)
            image = await self._settle(block)
        return words == [image[address] for address in block.addresses]

    async def _settle(self, block: Block) -> dict[int, int]:
        """Return the words that the machine keeps after a write; a setting may have moved its neighbours."""
        await asyncio.sleep(self._reader.family.settle)
        image = await self._reader.read_around(block.rows.values())
        self._tell(block.groups)
        return image

    async def _deliver(self, block: Block, changed: Sequence[str], image: dict[int, int]) -> None:
        """Send what is wanted; a machine that is busy gets it once more, put into what it holds by then."""
        try:
            await self._send(block, changed, block.encode(image))
        except RejectedError as err:
            if err.code not in self._reader.family.write_retry:
                raise
            await asyncio.sleep(self._reader.family.recovery)
            image = await self._reader.read_now(block.rows.values())
            await self._send(block, changed, block.encode(image))

    async def _send(self, block: Block, changed: Sequence[str], words: list[int]) -> None:
        """Write the words of a block in one request, and count it for the settings that it changes."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._free_at - loop.time())
        if block.stored:
            self._wear.count(changed, block.stored)
        try:
            if self._reader.family.single_write and len(words) == 1:
                await self._unit.write_register(block.span[0], words[0])
            else:
                await self._unit.write_registers(block.span[0], words)
        finally:
            self._free_at = loop.time() + self._reader.family.write_spacing
            # Whatever came of it, nobody knows what they hold until they are read back.
            self._reader.raw.forget([block.span])

    # ------------------------------------------------------------------ one request after another

    async def write_in_order(self, blocks: Sequence[Block], image: dict[int, int]) -> list[Written]:
        """Write these requests in order; when one fails, put back in reverse what has been changed."""
        memory = self._modes.memory
        kept = memory.copy()
        written: list[Written] = []
        touched: list[tuple[Block, dict[int, int]]] = []
        try:
            for block in blocks:
                self._tell(block.groups)
                if block.lost(image):
                    touched.append((block, await self._preparation.look(block)))
                    written += await self.write(*touched[-1], restore=False)
                    image |= {address: self._reader.image[address] for address in block.addresses}
        except DeviceError as err:
            err.left = await self._roll_back(touched)
            if isinstance(err, NotAppliedError):
                err.restored = not err.left
            if not err.left:
                memory.reset(kept)
                await memory.save()
            raise
        return written

    async def _roll_back(self, touched: Sequence[tuple[Block, dict[int, int]]]) -> tuple[str, ...]:
        """Put these requests back, the last one first; return the keys of which that did not work."""
        left: dict[str, None] = {}
        reached = True
        for block, before in reversed(touched):
            keys = block.lost(before)
            try:
                restored = reached and await self._recover(block, keys, before)
            except LinkError:
                restored = reached = False
            for key in keys:
                left[key] = None
                if restored:
                    # Also if a later step with the same key was not put back: this was the value before it.
                    del left[key]
        return tuple(left)

    async def _recover(
        self, block: Block, changed: Sequence[str], before: Mapping[int, int]
    ) -> bool:
        """Put back what was there before, with one more try; return whether it is there in the end."""
        for attempts_left in (1, 0):
            try:
                image = await self._reader.read_now(block.rows.values())
                if await self._restore(block, changed, before, image):
                    return True
            except LinkError:
                if not attempts_left:
                    raise
                await asyncio.sleep(self._reader.family.recovery)
            except RejectedError:
                await asyncio.sleep(self._reader.family.recovery)
        return False


def _nearest_second(moment: datetime) -> datetime:
    """Return a time as a clock takes it that has no parts of a second."""
    return (moment + HALF_A_SECOND).replace(microsecond=0)
