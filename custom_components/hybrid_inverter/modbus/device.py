"""One machine: read in groups, written through one guard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
import logging
from types import MappingProxyType
from typing import Any, Final

from .block import Block, Span, Written, addresses_of, one_after_another
from .derive import Derived
from .errors import (
    DeviceError,
    ImplausibleError,
    LinkError,
    LinkTimeout,
    NotAppliedError,
    RejectedError,
    ResidueError,
    UndoError,
    WriteDeniedError,
    WrongDeviceError,
)
from .family import Family
from .features import Feature, Values
from .modes import Modes
from .plan import LineCost, plan_reads
from .recognise import Words, conclude
from .register import (
    RATED_POWER,
    WORD,
    Choice,
    Group,
    Ref,
    Register,
    Tier,
    Value,
)
from .residue import Residue, ResidueMemory
from .unit import Unit
from .wear import WearBudget

_LOGGER = logging.getLogger(__name__)

# How often a read is sent whose answer cannot be true.
ATTEMPTS: Final = 2
# How many changes the diagnostics show.
REMEMBERED_CHANGES: Final = 50
# For how many sets of keys the plan is kept; a group's set changes when an entity is enabled or disabled.
REMEMBERED_PLANS: Final = 16
HALF_A_SECOND: Final = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one poll brought: the values, and the keys that could not be read this time."""

    values: Mapping[str, Value | None]
    failed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that was written and kept."""

    when: datetime
    key: str
    before: Value | None
    after: Value
    # The changes that were made together, and are put back together, share a number.
    group: int | None = None
    # Whether they were made one after another, and go back in the opposite order, instead of in one request.
    in_order: bool = False

    def belongs_to(self, other: Change) -> bool:
        """Whether the two are put back together; each belongs to itself."""
        return self is other or (self.group is not None and self.group == other.group)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a set of keys takes: registers, what is derived from them, and the reads, each as the spans it brings."""

    rows: Mapping[str, Register]
    derived: tuple[Derived, ...]
    reads: tuple[tuple[Span, ...], ...]


class Device:
    """A machine behind a unit, seen through its family's table.

    Every read goes into one image of raw registers, and values are decoded from that image, so that a slow poll never
    puts an older value in the place of one that a write has just read back. A word whose last read failed, or that was
    written and not read back, is taken out of the image: what is in it is what the machine said last.
    """

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
        self._kind = family
        self.features: frozenset[str] = frozenset()
        self.tier = tier
        self.changes: deque[Change] = deque()
        self.wear = wear or WearBudget()
        self.residues = residues or ResidueMemory()
        # How many answers were dropped because they could not be true.
        self.dropped = 0
        self._inverted = inverted
        self._unit = unit
        self._cost = LineCost(baudrate=baudrate or family.baudrate)
        self._readable = tuple(family.readable)
        self._max_read = family.max_read
        self._values: dict[str, Value | None] = dict(known or {})
        # The rated power stays, whatever the machine says later: limits and shares rest on it.
        self._fixed = {key: value for key, value in (known or {}).items() if key == RATED_POWER}
        # The keys of what other values rest on, and of these what somebody may change at the machine.
        self._needs = family.needs
        self.foundations = self._needs - self._fixed.keys()
        # What the family was fitted with.
        self._facts: dict[str, Value | None] = {}
        self.family = family
        self._image: dict[int, int] = {}
        # When each address was read last.
        self._read_at: dict[int, datetime] = {}
        # Refused addresses, and when they are asked for again; and all that were ever logged as refused.
        self._resting: dict[int, float] = {}
        self._logged: set[int] = set()
        self._plans: dict[frozenset[str], _Plan] = {}
        self._write_lock = asyncio.Lock()
        # When the machine takes the next write.
        self._free_at = 0.0
        self._group_numbers = count()
        self._listeners: list[Callable[[Group], None]] = []
        self._modes = Modes(family.residues, self.residues, self._values)
        self._fit(features)

    @property
    def values(self) -> Mapping[str, Value | None]:
        """Return the newest value of every key that was read so far."""
        return self._values

    @property
    def image(self) -> Mapping[int, int]:
        """Return the newest raw word of every address whose last read succeeded."""
        return self._image

    @property
    def resting(self) -> list[int]:
        """Return the addresses that the machine refuses, in order."""
        return sorted(self._resting)

    def read_at(self, key: str) -> datetime | None:
        """Return when a register was read last; None when it was not, or its words are from different reads."""
        times = {self._read_at.get(address) for address in self.family.registers[key].addresses}
        return times.pop() if len(times) == 1 else None

    def may_write(self, key: str) -> bool:
        """Whether the chosen tier allows to write this key."""
        register = self.family.registers.get(key)
        return (
            register is not None and register.tier is not None and self.tier.allows(register.tier)
        )

    def limits(self, key: str) -> tuple[float, float]:
        """Return the bounds in force for a key that has limits."""
        return self.family.registers[key].bounds(self._values)

    def add_listener(self, listener: Callable[[Group], None]) -> Callable[[], None]:
        """Call back when a write has changed the values of a group; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # ------------------------------------------------------------------ reading

    async def verify(self, serial: str) -> None:
        """Raise WrongDeviceError when another machine answers than the one with this serial number.

        A machine without one has to be of the family. What its values rest on is read again.
        """
        await self._read_now([self._kind.registers[key] for key in self.foundations], urgent=False)
        self._complete()
        if self._kind.serial is None:
            if await conclude(self._kind.recognise(), self._ask_for) is not True:
                raise WrongDeviceError(f"a machine that is not {self._kind.what}")
            return
        row = self.family.registers[self._kind.serial]
        await self._read_now([row], urgent=False)
        if (found := self._values[row.key]) != serial:
            raise WrongDeviceError(
                f"a machine with the serial number {found}"
                if found
                else "a machine without a serial number"
            )

    async def _ask_for(self, address: int, count: int) -> Words:
        """Return words of the machine, or None where it refuses them."""
        try:
            return await self._unit.read_holding_registers(address, count)
        except RejectedError as err:
            if not err.is_refusal:
                raise
            return None

    async def poll(self, keys: Collection[str]) -> Snapshot:
        """Read these registers and derived values at the least bus time.

        Raises the DeviceError when nothing at all could be read. Otherwise a refused register rests for a day; a read
        that fails for another reason fails its keys, and a lost link also those of the reads that were still to come.
        """
        self._wake()
        reads = self._plan(keys).reads
        refused: dict[Span, RejectedError] = {}
        error: DeviceError | None = None
        succeeded = not reads
        for index, spans in enumerate(reads):
            try:
                refusals = await self._fetch(spans)
            except LinkError as err:
                error = err
                for missing in reads[index:]:
                    self._forget(missing)
                break
            except (RejectedError, ImplausibleError) as err:
                error = err
                self._forget(spans)
            else:
                refused |= refusals
                succeeded = succeeded or len(refusals) < len(spans)
        self._forget(refused)
        if not succeeded:
            # A machine that refuses everything does so for another reason than the addresses.
            raise error or next(iter(refused.values()))
        self._rest(refused)
        self._complete()
        snapshot = self.snapshot(keys)
        if not self._write_lock.locked():
            # Whoever writes does so itself.
            await self._modes.watch(snapshot.values)
        return snapshot

    def snapshot(self, keys: Collection[str]) -> Snapshot:
        """Return these keys as they were last read; failed are those whose last read brought nothing."""
        plan = self._plan(keys)
        failed: set[str] = set()
        absent: set[str] = set()
        for key, row in plan.rows.items():
            if all(address in self._image for address in row.addresses):
                self._take([row], self._image)
                continue
            failed.add(key)
            if self._is_resting(row):
                absent.add(key)
        for derived in plan.derived:
            # What the machine does not have counts nothing; what it has and could not be read would be missing.
            missing = failed.intersection(derived.inputs)
            if missing <= absent and len(missing) < len(derived.inputs):
                self._values[derived.key] = derived.compute(
                    {key: None if key in missing else self._values[key] for key in derived.inputs}
                )
            else:
                failed.add(derived.key)
        return Snapshot(
            MappingProxyType({key: self._values[key] for key in keys if key not in failed}),
            frozenset(failed.intersection(keys)),
        )

    def _plan(self, keys: Collection[str]) -> _Plan:
        """Return what these keys take; worked out once for each set."""
        wanted = frozenset(keys)
        if (plan := self._plans.get(wanted)) is None:
            derived = tuple(self.family.derived[key] for key in wanted & self.family.derived.keys())
            names = wanted - self.family.derived.keys()
            rows = {
                name: self.family.registers[name]
                for name in names.union(*(value.inputs for value in derived))
            }
            active = [row for row in rows.values() if not self._is_resting(row)]
            if len(self._plans) == REMEMBERED_PLANS:
                del self._plans[next(iter(self._plans))]
            plan = self._plans[wanted] = _Plan(rows, derived, self._reads(active))
        return plan

    def _reads(self, registers: Iterable[Register]) -> tuple[tuple[Span, ...], ...]:
        """Return the cheapest reads for these registers, each as the spans it brings in order of address."""
        return self._reads_of({span for row in registers for span in row.spans}, self._max_read)

    def _reads_of(
        self, wanted: Iterable[Span], longest: int, *, alone: Iterable[Span] = ()
    ) -> tuple[tuple[Span, ...], ...]:
        """Return the cheapest reads of at most so many registers for these spans, likewise.

        Each of those that stand alone may be read, wherever it lies.
        """
        spans = sorted(wanted)
        # What is asked for is asked for; only nothing else that the machine refuses is read along.
        refused = self._resting.keys() - addresses_of(spans)
        reads = plan_reads(
            spans,
            readable=(*self._readable, *alone),
            max_read=longest,
            cost=self._cost,
            refused=refused,
        )
        return tuple(
            tuple(span for span in spans if read.address <= span[0] and span[1] <= read.last)
            for read in reads
        )

    async def _read(self, spans: Sequence[Span], *, urgent: bool = False) -> dict[int, int]:
        """Read these spans, in one request unless that is too much for the machine; return the words."""
        try:
            return await self._ask(spans, urgent=urgent)
        except (RejectedError, LinkTimeout) as err:
            pieces = self._pieces(spans)
            if len(pieces) < 2 or (isinstance(err, RejectedError) and not err.is_refusal):
                raise
        brought: dict[int, int] = {}
        for piece in pieces:
            brought |= await self._ask(piece, urgent=urgent)
        longest = self.family.careful_read or self._max_read
        _LOGGER.info("Reads of more than %s registers are too long for the machine", longest)
        self._max_read = longest
        self._plans.clear()
        return brought

    def _pieces(self, spans: Sequence[Span]) -> Sequence[tuple[Span, ...]]:
        """Return reads for the same spans that are too long for no machine; empty when there are no such reads."""
        longest = self.family.careful_read
        if longest is None or spans[-1][1] - spans[0][0] < longest:
            return ()
        return self._reads_of(spans, longest)

    async def _ask(self, spans: Iterable[Span], *, urgent: bool) -> dict[int, int]:
        """Read these spans and what lies between them in one request; return the words, which go into the image."""
        firsts, lasts = zip(*spans, strict=True)
        first, last = min(firsts), max(lasts)
        for _ in range(ATTEMPTS):
            words = await self._unit.read_holding_registers(first, last - first + 1, urgent=urgent)
            brought = dict(zip(range(first, last + 1), words, strict=True))
            if all(gate.passes(brought) for gate in self.family.gates):
                self._image.update(brought)
                self._read_at.update(dict.fromkeys(brought, datetime.now(UTC)))
                return brought
            self.dropped += 1
        raise ImplausibleError(first, last)

    async def _read_now(
        self, registers: Collection[Register], *, urgent: bool = True
    ) -> dict[int, int]:
        """Read these registers and nothing else, before anything that waits if it is urgent; return the words."""
        brought: dict[int, int] = {}
        for spans in self._reads(registers):
            brought |= await self._read(spans, urgent=urgent)
        self._take(registers, brought)
        return brought

    def _take(self, registers: Iterable[Register], image: Mapping[int, int]) -> None:
        """Take the values of these registers out of an image that has them."""
        for row in registers:
            # What is written as mere words is shown as what it means.
            value = self.family.registers.get(row.key, row).decode(image)
            self._values[row.key] = self._fixed.get(row.key, value)

    def _forget(self, spans: Iterable[Span]) -> None:
        """Take words out of the image that may not be what the machine holds."""
        for address in addresses_of(spans):
            self._image.pop(address, None)

    # ------------------------------------------------------------------ what the machine has

    async def read(self, keys: Collection[str]) -> Mapping[str, Value | None]:
        """Read these registers, whatever groups they are polled in, and return those that the machine serves.

        LinkError when the machine is not reached, RejectedError when it cannot answer now.
        """
        rows = self._kind.rows_of(keys)
        for spans in self._reads(rows.values()):
            self._rest(await self._fetch(spans))
        return self._decode(rows)

    async def discover(self) -> frozenset[str]:
        """Look for what only some machines of the family have; return the features that were not known before.

        Raises like `read`; what was found before that is kept.
        """
        before = self.features
        waiting = [feature for feature in self._kind.features if feature.key not in before]
        while waiting:
            undecided = {feature.key for feature in waiting}
            now = [one for one in waiting if undecided.isdisjoint(one.needs | one.unless)]
            waiting = [one for one in waiting if one not in now]
            found = await self._look_for(
                [
                    feature
                    for feature in now
                    if feature.needs <= self.features and feature.unless.isdisjoint(self.features)
                ]
            )
            if found:
                self._fit(self.features | found)
        return self.features - before

    async def portrait(self) -> Mapping[int, int]:
        """Return the words of what tells which machine this is and what it has, as far as it answers.

        It is asked like one that nobody has met before, so that whoever has these words can recognise it.
        """
        stranger = Device(self._unit, self._kind)

        async def ask(address: int, count: int) -> Words:
            if (words := await self._ask_for(address, count)) is not None:
                recognised.update(enumerate(words, address))
            return words

        recognised: dict[int, int] = {}
        with suppress(DeviceError):
            if await conclude(self._kind.recognise(), ask) is not True:
                recognised.clear()
            await stranger.read(self._kind.identity)
            await stranger.discover()
        return {**recognised, **stranger.image}

    async def _look_for(self, sought: Collection[Feature]) -> set[str]:
        """Return which of these features the machine has."""
        looked_at = {key: row for feature in sought for key, row in feature.proof.rows.items()}
        keys = {key for feature in sought for key in feature.proof.keys} - looked_at.keys()
        rows = self._kind.rows_of(keys)
        spans = [span for row in (*rows.values(), *looked_at.values()) for span in row.spans]
        for together in self._reads_of(spans, self._max_read, alone=spans):
            try:
                self._rest(await self._fetch(together))
            except LinkTimeout:
                # Some machines keep silent where others refuse. If this one is there, that was its answer.
                await self._read_now([self._kind.registers[self._kind.marker]], urgent=False)
            except ImplausibleError:
                # What cannot be true proves nothing.
                continue
        values: Values = {
            **self._values,
            **self._decode(rows),
            **{key: row.decode(self._image) for key, row in self._brought(looked_at).items()},
        }
        return {feature.key for feature in sought if feature.proof.holds(values)}

    def _decode(self, rows: Mapping[str, Register]) -> dict[str, Value | None]:
        """Return the values of those rows whose last read succeeded."""
        brought = self._brought(rows)
        self._take([row.completed(self._facts) for row in brought.values()], self._image)
        self._complete()
        return {key: self._values[key] for key in brought}

    def _brought(self, rows: Mapping[str, Register]) -> dict[str, Register]:
        """Return those rows whose last read succeeded."""
        return {key: row for key, row in rows.items() if self._image.keys() >= set(row.addresses)}

    def _complete(self) -> None:
        """Fit the family again when the machine has told something else of what its values rest on."""
        rows = {key: self._kind.registers[key] for key in self._needs}
        self._take(self._brought(rows).values(), self._image)
        if self._facts != {key: self._values.get(key) for key in self._facts}:
            self._fit(self.features)

    def _fit(self, features: Collection[str]) -> None:
        """Take the family as a machine with these features has it."""
        self.features = frozenset(features)
        self._facts = {key: self._values.get(key) for key in self._needs}
        before = self.family.readable
        family = self._kind.fitted(self.features, self._facts)
        self.family = family.inverted() if self._inverted else family
        # What was found out about the others is kept.
        self._readable += tuple(span for span in family.readable if span not in before)
        self._plans.clear()

    # ------------------------------------------------------------------ what the machine refuses

    async def _fetch(self, spans: Sequence[Span]) -> dict[Span, RejectedError]:
        """Read these spans in one request; return which of them the machine refuses, and how.

        A refused read is halved until that is known. It costs few requests, and only once: what is found rests.
        """
        try:
            await self._read(spans)
        except RejectedError as err:
            if not err.is_refusal:
                raise
            if len(spans) == 1:
                return {spans[0]: err}
        else:
            return {}
        middle = len(spans) // 2
        readable = self._readable
        refused = await self._fetch(spans[:middle]) | await self._fetch(spans[middle:])
        if not refused and self._readable is readable:
            self._cut(spans[middle][0])
        return refused

    def _cut(self, start: int) -> None:
        """Read nothing across the border before an address any more.

        What lies on its two sides is served, but not together: the read was too long, or the gap is refused.
        """
        if any(
            first < start <= last for row in self._kind.every_row() for first, last in row.spans
        ):
            # A value lies across it, and would be torn apart.
            return
        ranges: list[Span] = []
        for low, high in self._readable:
            ranges += [(low, start - 1), (start, high)] if low < start <= high else [(low, high)]
        self._readable = tuple(ranges)
        self._plans.clear()

    def _rest(self, refused: Mapping[Span, RejectedError]) -> None:
        """Leave these addresses alone as long as their refusal says, which is a day; told once."""
        now = asyncio.get_running_loop().time()
        for span, refusal in refused.items():
            addresses = addresses_of([span])
            if not addresses <= self._logged:
                _LOGGER.info("Registers %s to %s are not served (%s)", *span, refusal)
            self._logged |= addresses
            self._resting.update(dict.fromkeys(addresses, now + refusal.rest))
        if refused:
            self._plans.clear()

    def _wake(self) -> None:
        """Ask again for what has rested long enough."""
        now = asyncio.get_running_loop().time()
        rested = [address for address, until in self._resting.items() if until <= now]
        for address in rested:
            del self._resting[address]
        if rested:
            self._plans.clear()

    def _is_resting(self, register: Register) -> bool:
        """Whether the machine refuses an address of this register."""
        return not self._resting.keys().isdisjoint(register.addresses)

    # ------------------------------------------------------------------ writing

    async def write(self, key: str, value: Value) -> None:
        """Write a setting, and return when the machine has kept it.

        WriteDeniedError and InvalidValueError before anything is sent, LinkError and RejectedError when the machine
        could not be reached or said no, NotAppliedError when it said yes and does not hold the value, ResidueError when
        only what a mode has left behind could not be put back. What has to be written before it, is; then it is
        like `write_steps`.
        """
        block = self._block({key: value})
        if (key, block.wanted[key]) in self.family.leads:
            await self.write_steps([(key, value)])
            return
        await self._alone(self._write_one(block, restore=False))

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
        block = self._block(values)
        # The bounds as far as they are known, so that nothing goes over the link for a value that is wrong anyway.
        self._check(block)
        await self._alone(self._write_one(block, restore=True))

    async def _write_one(self, block: Block, *, restore: bool) -> None:
        """Write one request, and draw the conclusions."""
        await self._conclude(await self._write(block, await self._look(block), restore=restore))

    async def write_steps(self, steps: Sequence[tuple[str, Value]]) -> None:
        """Write settings one after another, a key as often as it comes; all are checked before the first is sent.

        Raises like `write`. When a step fails, what the steps before it have changed is put back in reverse; `left` of
        the error has the keys of which that did not work, and a NotAppliedError says whether it did.
        """
        blocks = one_after_another(steps, self._block)
        self._check(*blocks)
        await self._alone(self._write_blocks(blocks))

    async def _write_blocks(self, blocks: list[Block]) -> None:
        """Write requests in order, with what leads up to them, and draw the conclusions."""
        blocks, image = await self._prepare(blocks)
        await self._conclude(await self._carry_out(blocks, image), in_order=True)

    async def finish(self) -> None:
        """Return when nothing is being written: a change of several settings is not torn apart."""
        async with self._write_lock:
            pass

    async def _alone(self, doing: Coroutine[Any, Any, None]) -> None:
        """Carry a write out while there is no other one, and to its end, also when whoever waits for it is cancelled.

        Half of it would be worse than all of it. Who is cancelled before it has begun has asked for nothing.
        """
        try:
            await self._write_lock.acquire()
        except asyncio.CancelledError:
            doing.close()
            raise
        task = asyncio.create_task(doing)
        task.add_done_callback(self._finished)
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise
        task.result()

    def _finished(self, _: asyncio.Task[None]) -> None:
        """Let the next one write."""
        self._write_lock.release()

    async def undo(self) -> None:
        """Put the last change back that is still there, through the same guard; what was made together goes together.

        UndoError when there is none; otherwise raises like the write that made it, and the change stays.
        """
        await self._alone(self._undo())

    async def _undo(self) -> None:
        """Do that, while nobody else writes."""
        if not self.changes:
            raise UndoError
        last = self.changes[-1]
        former: list[tuple[str, Value]] = []
        for change in self.changes:
            if change.belongs_to(last):
                if change.before is None:
                    raise UndoError(change.key)
                former.append((change.key, change.before))
        if last.in_order:
            blocks = one_after_another(reversed(former), self._former_block)
            written = await self._carry_out(blocks, await self._look(*blocks))
        else:
            block = self._former_block(dict(former))
            image = await self._look(block)
            written = await self._write(block, image, restore=len(former) > 1)
        self.changes = deque(change for change in self.changes if not change.belongs_to(last))
        await self._clear(self._modes.among(written), [])

    async def set_clock(self, key: str, now: Callable[[], datetime]) -> None:
        """Set a clock to the local time that `now` tells when it is sent; raises like `write`.

        It is no change that could be undone: the time that was before has passed.
        """
        await self._alone(self._set_clock(key, now))

    async def _set_clock(self, key: str, now: Callable[[], datetime]) -> None:
        """Do that, while nobody else writes."""
        image = await self._look(self._block({key: _nearest_second(now())}))
        for _ in range(2):
            block = self._block({key: _nearest_second(now())})
            await self._send(block, [key], block.encode(image))
            await asyncio.sleep(self.family.settle)
            image = await self._read_now(block.rows.values())
            self._tell(block.groups)
            if not block.lost(image):
                return
        row = block.rows[key]
        raise NotAppliedError(key, row.addresses[0], block.wanted[key], row.decode(image))

    async def preview(self, values: Mapping[str, Value]) -> dict[int, tuple[int, int]]:
        """Return the words that `write_many` would send by address, each as it is and as it would be; send nothing."""
        if self._one_by_one:
            return await self.preview_steps(tuple(values.items()))
        block = self._block(values)
        self._check(block)
        async with self._write_lock:
            return _outcome([block], await self._look(block))

    async def preview_steps(self, steps: Sequence[tuple[str, Value]]) -> dict[int, tuple[int, int]]:
        """Return the words that `write_steps` deals with, each as it is and as it would be in the end."""
        blocks = one_after_another(steps, self._block)
        self._check(*blocks)
        async with self._write_lock:
            return _outcome(*await self._prepare(blocks))

    @property
    def _one_by_one(self) -> bool:
        """Whether the machine takes no more than one register in a write."""
        return self.family.max_write == 1

    def _permit(self, key: str, value: Value) -> Value:
        """Return the value as the register would hold it; WriteDeniedError when the chosen tier may not write it."""
        register = self.family.registers.get(key)
        if register is None or register.tier is None:
            raise WriteDeniedError(key, value, "may not be written")
        if not self.tier.allows(register.tier):
            raise WriteDeniedError(
                key, value, f"needs the tier {register.tier}", tier=register.tier
            )
        return _open(register).normalise(value)

    def _former_block(self, values: Mapping[str, Value]) -> Block:
        """Return what is sent to put these settings back, which the machine held before."""
        return self._block(values, former=True)

    def _block(self, values: Mapping[str, Value], *, former: bool = False) -> Block:
        """Return what is sent for these settings; ValueError when one request cannot hold them."""
        wanted = {key: self._permit(key, value) for key, value in values.items()}
        registers = self.family.registers
        together = {*wanted, *(other for key in wanted for other in registers[key].written_with)}
        places = {address for key in together for address in registers[key].addresses}
        span = (min(places), max(places))
        rows = {key: _open(registers[key]) for key in wanted}
        for key, row in registers.items():
            if row.writable and span[0] <= min(row.addresses) and max(row.addresses) <= span[1]:
                rows.setdefault(key, row)
        block = Block(wanted, rows, span, former)
        # What is sent along unchanged is written, too, so it has to be something that may be.
        if (
            addresses_of(row_span for row in rows.values() for row_span in row.spans)
            != set(block.addresses)
            or len(block.addresses) > self.family.max_write
        ):
            raise ValueError(f"{sorted(wanted)} cannot be written in one request")
        return block

    def _check(self, *blocks: Block) -> None:
        """Raise InvalidValueError for a value that is off its bounds, those that are written with or before it included."""
        values = dict(self._values)
        for block in blocks:
            values.update(block.wanted)
            for key, value in block.wanted.items():
                block.rows[key].check(value, values)

    async def _look(self, *blocks: Block) -> dict[int, int]:
        """Return the words that the machine holds now, after the checks that take a look at it."""
        rows: dict[str, Register] = {}
        for block in blocks:
            if any(self._is_resting(row) for row in block.rows.values()):
                key, value = next(iter(block.wanted.items()))
                raise WriteDeniedError(key, value, "is not served by this machine")
            for key in block.wanted:
                rows |= {row.key: row for row in self._live_bounds(block.rows[key])}
            rows |= {row.key: row for row in self._modes_of(block.wanted)} | dict(block.rows)
        # What was polled minutes ago may have been changed at the panel since.
        image = await self._read_now(rows.values())
        self._check(*blocks)
        for block in blocks:
            for key, value in block.wanted.items():
                row = block.rows[key]
                held = row.decode(image)
                if held is None and all(image[place] == WORD for place in row.addresses):
                    raise WriteDeniedError(key, value, "is not served by this machine")
                if held != value and not block.former:
                    # What is only shown can be chosen where it is in force anyway.
                    self.family.registers[key].normalise(value)
        return image

    async def _prepare(self, blocks: list[Block]) -> tuple[list[Block], dict[int, int]]:
        """Return what is written for these steps, with what leads up to them, and the words that the machine holds."""
        image = await self._look(*blocks)
        values = dict(self._values)
        steps: list[tuple[str, Value]] = []
        for block in blocks:
            for key, value in block.wanted.items():
                if values.get(key) != value:
                    steps += [
                        (lead, self.limits(lead)[1] if before is None else before)
                        for lead, before in self.family.leads.get((key, value), ())
                    ]
                steps.append((key, value))
                values[key] = value
        led = one_after_another(steps, self._block)
        return (blocks, image) if led == blocks else (led, await self._look(*led))

    async def _carry_out(self, blocks: Sequence[Block], image: dict[int, int]) -> list[Written]:
        """Write these requests in order; when one fails, put back in reverse what has been changed."""
        kept = self.residues.copy()
        written: list[Written] = []
        touched: list[tuple[Block, dict[int, int]]] = []
        try:
            for block in blocks:
                self._tell(block.groups)
                if block.lost(image):
                    touched.append((block, await self._look(block)))
                    written += await self._write(*touched[-1], restore=False)
                    image |= {address: self._image[address] for address in block.addresses}
        except DeviceError as err:
            err.left = await self._roll_back(touched)
            if isinstance(err, NotAppliedError):
                err.restored = not err.left
            if not err.left:
                self.residues.reset(kept)
                await self.residues.save()
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
                image = await self._read_now(block.rows.values())
                if await self._restore(block, changed, before, image):
                    return True
            except LinkError:
                if not attempts_left:
                    raise
                await asyncio.sleep(self.family.recovery)
            except RejectedError:
                await asyncio.sleep(self.family.recovery)
        return False

    async def _write(self, block: Block, image: dict[int, int], *, restore: bool) -> list[Written]:
        """Write, read back, settle, read again; one more try, then give up. Return what was changed."""
        before, held = image, block.decode(image)
        changed = [key for key, value in block.wanted.items() if held[key] != value]
        if not changed:
            self._tell(block.groups)
            return []
        if not block.owed:
            self.wear.check(changed[0], block.stored)
        written = [Written(key, held[key], block.wanted[key]) for key in changed]
        await self._modes.keep_former(block, written, image)
        await self._deliver(block, changed, image)
        # Some machines are busy right after a write; what counts is what they hold in the end.
        with suppress(RejectedError):
            if not block.lost(await self._read_now(block.rows.values())):
                self._tell(block.groups)
        for attempts_left in (1, 0):
            await asyncio.sleep(self.family.settle)
            image = await self._read_around(block)
            self._tell(block.groups)
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

    async def _conclude(self, written: list[Written], *, in_order: bool = False) -> None:
        """Put back what modes that were left by these changes leave behind, and remember it all as one change."""
        made = len(written)
        try:
            await self._clear(self._modes.among(written), written)
        finally:
            self._remember(written, in_order=in_order or len(written) > made)

    def _remember(self, written: Sequence[Written], *, in_order: bool) -> None:
        """Keep what was changed together, with what it was before; it is forgotten as a whole."""
        now = datetime.now(UTC)
        group = next(self._group_numbers) if len(written) > 1 else None
        self.changes.extend(
            Change(now, one.key, one.before, one.after, group, in_order) for one in written
        )
        while len(self.changes) > REMEMBERED_CHANGES:
            oldest = self.changes.popleft()
            while self.changes and self.changes[0].belongs_to(oldest):
                self.changes.popleft()

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
            await asyncio.sleep(self.family.settle)
            image = await self._read_around(block)
            self._tell(block.groups)
        return words == [image[address] for address in block.addresses]

    def _live_bounds(self, register: Register) -> list[Register]:
        """Return the settings that bound this one; what is fixed for the machine's life is not read again."""
        if register.limits is None:
            return []
        refs = [
            bound
            for bound in (register.limits.minimum, register.limits.maximum)
            if isinstance(bound, Ref)
        ]
        rows = [self.family.registers[ref.key] for ref in refs]
        return [
            row for row in rows if row.group is not Group.IDENTITY and not self._is_resting(row)
        ]

    async def _deliver(self, block: Block, changed: Sequence[str], image: dict[int, int]) -> None:
        """Send what is wanted; a machine that is busy gets it once more, put into what it holds by then."""
        try:
            await self._send(block, changed, block.encode(image))
        except RejectedError as err:
            if err.code not in self.family.write_retry:
                raise
            await asyncio.sleep(self.family.recovery)
            image = await self._read_now(block.rows.values())
            await self._send(block, changed, block.encode(image))

    async def _send(self, block: Block, changed: Sequence[str], words: list[int]) -> None:
        """Write the words of a block in one request, and count it for the settings that it changes."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._free_at - loop.time())
        if block.stored:
            self.wear.count(changed, block.stored)
        try:
            if self.family.single_write and len(words) == 1:
                await self._unit.write_register(block.span[0], words[0])
            else:
                await self._unit.write_registers(block.span[0], words)
        finally:
            self._free_at = loop.time() + self.family.write_spacing
            # Whatever came of it, nobody knows what they hold until they are read back.
            self._forget([block.span])

    async def _read_around(self, block: Block) -> dict[int, int]:
        """Read a block and what is polled in the same read, as a setting may move its neighbours; return the words."""
        register = next(iter(block.rows.values()))
        keys, spans = max(
            (
                (keys, spans)
                for keys, plan in self._plans.items()
                for spans in plan.reads
                if set(register.spans) <= set(spans)
            ),
            key=lambda polled: len(polled[1]),
            default=(frozenset[str](), ()),
        )
        around: dict[int, int] = {}
        # A neighbour that is refused is for the next poll to find.
        with suppress(RejectedError):
            if spans:
                around = await self._read(spans, urgent=True)
                self.snapshot(keys)
        alone = [row for row in block.rows.values() if not around.keys() >= set(row.addresses)]
        return around | await self._read_now(alone)

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
        await self._alone(self._put_back())

    async def _put_back(self) -> None:
        """Do that, while nobody else writes."""
        await self._read_now(self._modes_of(self.family.registers))
        await self._clear(self.family.residues, [])

    async def release(self) -> None:
        """Leave the modes that the machine is run from here in and that we have entered; raises like `write`.

        The mode that was before is in force again, and then the settings hold what they did.
        """
        await self._alone(self._release())

    async def _release(self) -> None:
        """Do that, while nobody else writes."""
        if not (entered := self._modes.entered()):
            return
        await self._read_now(self._modes_of([residue.key for residue in entered]))
        for residue in entered:
            if self._values[residue.key] == residue.value:
                await self._return(residue, residue.key)
        await self._clear(entered, [])

    def _modes_of(self, keys: Collection[str]) -> list[Register]:
        """Return the settings that are the modes of these settings, or are among them, as far as they are served."""
        rows = [self.family.registers.get(key) for key in sorted(self._modes.keys_for(keys))]
        return [row for row in rows if row is not None and not self._is_resting(row)]

    async def _clear(self, residues: Iterable[Residue], written: list[Written]) -> None:
        """Put back what these modes have left behind if they are over, and add it to what was written.

        ResidueError when not all of it could be put back; that stays remembered.
        """
        left: list[str] = []
        cause: DeviceError | None = None
        for residue in residues:
            if not self._modes.is_over(residue):
                continue
            for key in residue.keys:
                if self.residues.words(residue, key) is None:
                    continue
                if isinstance(cause, LinkError):
                    left.append(key)
                    continue
                try:
                    written += await self._return(residue, key)
                except DeviceError as err:
                    left.append(key)
                    cause = err
                else:
                    self.residues.forget(residue, key)
            self.residues.forget(residue, residue.key)
        await self.residues.save()
        if cause is not None:
            raise ResidueError(left, cause) from cause

    async def _return(self, residue: Residue, key: str) -> list[Written]:
        """Write the words that a setting held before a mode, and return what that has changed.

        Whatever they mean, within the bounds or not, and whatever tier is chosen by now: the machine held them.
        """
        words, row = self.residues.words(residue, key), self.family.registers.get(key)
        if words is None or row is None:
            raise UndoError(key)
        block = Block.of_words(row, words)
        before = await self._look(block)
        written = await self._write(block, before, restore=False)
        after = row.decode_words(words)
        return [Written(key, row.decode(before), after)] if written and after is not None else []

    def _tell(self, groups: Collection[Group]) -> None:
        """Tell the listeners that these groups have newer values."""
        for group in groups:
            for listener in tuple(self._listeners):
                listener(group)


def _log_failure(task: asyncio.Task[None]) -> None:
    """Log why a write failed of which nobody waits for the end any more."""
    if not task.cancelled() and (err := task.exception()) is not None:
        _LOGGER.warning("A write that nobody waited for any more has failed: %s", err)


def _nearest_second(moment: datetime) -> datetime:
    """Return a time as a clock takes it that has no parts of a second."""
    return (moment + HALF_A_SECOND).replace(microsecond=0)


def _open(register: Register) -> Register:
    """Return a register that takes all that it can hold, also what is only shown."""
    if isinstance(register.codec, Choice) and register.codec.shown_only:
        return replace(register, codec=replace(register.codec, shown_only=frozenset()))
    return register


def _outcome(blocks: Iterable[Block], image: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Return the words of these requests by address, each as it is in the image and as it would be after all of them."""
    after = dict(image)
    addresses: dict[int, None] = {}
    for block in blocks:
        after.update(zip(block.addresses, block.encode(after), strict=True))
        addresses |= dict.fromkeys(block.addresses)
    return {address: (image[address], after[address]) for address in addresses}
