"""One machine: read in groups, written through one guard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
import logging
from types import MappingProxyType
from typing import Final

from .derive import Derived
from .errors import (
    DeviceError,
    LinkError,
    LinkTimeout,
    NotAppliedError,
    RejectedError,
    UndoError,
    WriteDeniedError,
    WrongDeviceError,
)
from .family import Family
from .plan import LineCost, plan_reads
from .register import WORD, Group, Ref, Register, Tier, Value
from .unit import Unit
from .wear import WearBudget

_LOGGER = logging.getLogger(__name__)

# A register that the machine refuses rests for a day (design section 5): a firmware update may bring it.
REST_SECONDS: Final = 24 * 60 * 60
# How many changes the diagnostics show.
REMEMBERED_CHANGES: Final = 50
# For how many sets of keys the plan is kept; a group's set changes when an entity is enabled or disabled.
REMEMBERED_PLANS: Final = 16
# How far a clock may have gone on between being set and being read back.
CLOCK_ADVANCE: Final = timedelta(seconds=10)
HALF_A_SECOND: Final = timedelta(seconds=0.5)

# The first and last address of words that are read together: a value, or its part without a gap.
type Span = tuple[int, int]


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
    # The changes that were made in one request, and are put back in one, share a number.
    group: int | None = None

    def belongs_to(self, other: Change) -> bool:
        """Whether the two are put back together; each belongs to itself."""
        return self is other or (self.group is not None and self.group == other.group)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a set of keys takes: registers, what is derived from them, and the reads, each as the spans it brings."""

    rows: Mapping[str, Register]
    derived: tuple[Derived, ...]
    reads: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """Settings that are written in one request, with all rows on the run of addresses that the request covers."""

    wanted: Mapping[str, Value]
    # Those that are wanted come first; the others are sent as they were just read.
    rows: Mapping[str, Register]
    span: Span

    @property
    def addresses(self) -> range:
        """Return the addresses in the order in which their words are sent."""
        return range(self.span[0], self.span[1] + 1)

    @property
    def stored(self) -> set[int]:
        """Return the addresses that the machine keeps in the memory that wears."""
        return {address for row in self.rows.values() if row.stored for address in row.addresses}

    @property
    def groups(self) -> set[Group]:
        """Return the groups in which the settings are polled."""
        return {self.rows[key].group for key in self.wanted}

    def decode(self, image: Mapping[int, int]) -> dict[str, Value | None]:
        """Return what the machine holds of the settings that are wanted."""
        return {key: self.rows[key].decode(image) for key in self.wanted}

    def encode(self, image: Mapping[int, int]) -> list[int]:
        """Return the words to send: those of the image, with what is wanted put into them."""
        words = {address: image[address] for address in self.addresses}
        for key, value in self.wanted.items():
            row = self.rows[key]
            words.update(zip(row.addresses, row.encode(value, words), strict=True))
        return list(words.values())

    def lost(self, image: Mapping[int, int]) -> list[str]:
        """Return the keys of what the machine has not kept."""
        return [
            key
            for key, value in self.decode(image).items()
            if not _is_kept(self.wanted[key], value)
        ]


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
    ) -> None:
        """Take what is already known of the machine (its rated power bounds other values), and of its writes."""
        self._kind = family
        self.features: frozenset[str] = frozenset()
        self.tier = tier
        self.changes: deque[Change] = deque()
        self.wear = wear or WearBudget()
        self._unit = unit
        self._cost = LineCost(baudrate=baudrate or family.baudrate)
        self._readable = tuple(family.readable)
        self._values: dict[str, Value | None] = dict(known or {})
        self.family = family
        self._image: dict[int, int] = {}
        # When each address was read last.
        self._read_at: dict[int, datetime] = {}
        # Refused addresses, and when they are asked for again; and all that were ever logged as refused.
        self._resting: dict[int, float] = {}
        self._logged: set[int] = set()
        self._plans: dict[frozenset[str], _Plan] = {}
        self._write_lock = asyncio.Lock()
        self._group_numbers = count()
        self._listeners: list[Callable[[Group], None]] = []
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
        limits = self.family.registers[key].limits
        if limits is None:
            raise ValueError(f"{key} has no limits")
        return limits.resolve(self._values)

    def add_listener(self, listener: Callable[[Group], None]) -> Callable[[], None]:
        """Call back when a write has changed the values of a group; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # ------------------------------------------------------------------ reading

    async def verify(self, serial: str) -> None:
        """Raise WrongDeviceError when another machine answers than the one with this serial number."""
        row = self.family.registers[self.family.serial]
        await self._read_now([row], urgent=False)
        if (found := self._values[row.key]) != serial:
            raise WrongDeviceError(
                f"a machine with the serial number {found}"
                if found
                else "a machine without a serial number"
            )

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
            except RejectedError as err:
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
        return self.snapshot(keys)

    def snapshot(self, keys: Collection[str]) -> Snapshot:
        """Return these keys as they were last read; failed are those whose last read brought nothing."""
        plan = self._plan(keys)
        failed: set[str] = set()
        absent: set[str] = set()
        for key, row in plan.rows.items():
            if all(address in self._image for address in row.addresses):
                self._values[key] = row.decode(self._image)
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
        spans = sorted({span for row in registers for span in row.spans})
        # What is asked for is asked for; only nothing else that the machine refuses is read along.
        refused = self._resting.keys() - _addresses(spans)
        reads = plan_reads(
            spans,
            readable=self._readable,
            max_read=self.family.max_read,
            cost=self._cost,
            refused=refused,
        )
        return tuple(
            tuple(span for span in spans if read.address <= span[0] and span[1] <= read.last)
            for read in reads
        )

    async def _read(self, spans: Iterable[Span], *, urgent: bool = False) -> dict[int, int]:
        """Read these spans and what lies between them in one request; return the words, which go into the image."""
        firsts, lasts = zip(*spans, strict=True)
        first, last = min(firsts), max(lasts)
        words = await self._unit.read_holding_registers(first, last - first + 1, urgent=urgent)
        brought = dict(zip(range(first, last + 1), words, strict=True))
        self._image.update(brought)
        self._read_at.update(dict.fromkeys(brought, datetime.now(UTC)))
        return brought

    async def _read_now(
        self, registers: Collection[Register], *, urgent: bool = True
    ) -> dict[int, int]:
        """Read these registers and nothing else, before anything that waits if it is urgent; return the words."""
        brought: dict[int, int] = {}
        for spans in self._reads(registers):
            brought |= await self._read(spans, urgent=urgent)
        for row in registers:
            self._values[row.key] = row.decode(brought)
        return brought

    def _forget(self, spans: Iterable[Span]) -> None:
        """Take words out of the image that may not be what the machine holds."""
        for address in _addresses(spans):
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
        sought = [feature for feature in self._kind.features if feature.key not in self.features]
        rows = self._kind.rows_of({key for feature in sought for key in feature.proof.keys})
        for spans in self._reads(rows.values()):
            try:
                self._rest(await self._fetch(spans))
            except LinkTimeout:
                # Some machines keep silent where others refuse. If this one is there, that was its answer.
                await self._read_now([self._kind.registers[self._kind.marker]], urgent=False)
        values = {**self._values, **self._decode(rows)}
        found = {feature.key for feature in sought if feature.proof.holds(values)}
        if found:
            self._fit(self.features | found)
        return frozenset(found)

    def _decode(self, rows: Mapping[str, Register]) -> dict[str, Value | None]:
        """Return the values of those rows whose last read succeeded."""
        brought = {
            key: row.decode(self._image)
            for key, row in rows.items()
            if self._image.keys() >= set(row.addresses)
        }
        self._values.update(brought)
        return brought

    def _fit(self, features: Collection[str]) -> None:
        """Take the family as a machine with these features has it."""
        self.features = frozenset(features)
        rated = self._values.get(self._kind.rated_power)
        self.family = self._kind.fitted(
            self.features, rated if isinstance(rated, (int, float)) else None
        )
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
        """Leave these addresses alone for a day; told once."""
        until = asyncio.get_running_loop().time() + REST_SECONDS
        for span, refusal in refused.items():
            addresses = _addresses([span])
            if not addresses <= self._logged:
                _LOGGER.info("Registers %s to %s are not served (%s)", *span, refusal)
            self._logged |= addresses
            self._resting.update(dict.fromkeys(addresses, until))
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
        could not be reached or said no, NotAppliedError when it said yes and does not hold the value.
        """
        block = self._block({key: value})
        async with self._write_lock:
            await self._write(block, await self._look(block), restore=False)

    async def write_many(self, values: Mapping[str, Value]) -> None:
        """Write settings that lie in one run of addresses in one request: all of them, or none.

        Raises like `write`. When the machine does not keep every one of them, what it held before is put back, again in
        one request, and the NotAppliedError says whether that worked. After a LinkError it holds either all the old
        or all the new ones, as a request is carried out as a whole or not at all.
        """
        block = self._block(values)
        # The bounds as far as they are known, so that nothing goes over the link for a value that is wrong anyway.
        self._check(block)
        async with self._write_lock:
            await self._write(block, await self._look(block), restore=True)

    async def undo(self) -> None:
        """Put the last change back that is still there, through the same guard; a block goes back in one request.

        UndoError when there is none; otherwise raises like `write_many`, and the change stays.
        """
        async with self._write_lock:
            if not self.changes:
                raise UndoError
            last = self.changes[-1]
            undone = [change for change in self.changes if change.belongs_to(last)]
            former: dict[str, Value] = {}
            for change in undone:
                if change.before is None:
                    raise UndoError(change.key)
                former[change.key] = change.before
            kept = [change for change in self.changes if not change.belongs_to(last)]
            block = self._block(former)
            await self._write(block, await self._look(block), restore=len(undone) > 1)
            # Without what this very write has added.
            self.changes = deque(kept)

    async def set_clock(self, key: str, now: Callable[[], datetime]) -> None:
        """Set a clock to the local time that `now` tells when it is sent; raises like `write`.

        It is no change that could be undone: the time that was before has passed.
        """
        async with self._write_lock:
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
        block = self._block(values)
        self._check(block)
        async with self._write_lock:
            image = await self._look(block)
        return {
            address: (image[address], word)
            for address, word in zip(block.addresses, block.encode(image), strict=True)
        }

    def _permit(self, key: str, value: Value) -> Value:
        """Return the value as the register would hold it; WriteDeniedError when the chosen tier may not write it."""
        register = self.family.registers.get(key)
        if register is None or register.tier is None:
            raise WriteDeniedError(key, value, "may not be written")
        if not self.tier.allows(register.tier):
            raise WriteDeniedError(
                key, value, f"needs the tier {register.tier}", tier=register.tier
            )
        return register.normalise(value)

    def _block(self, values: Mapping[str, Value]) -> _Block:
        """Return what is sent for these settings; ValueError when one request cannot hold them."""
        wanted = {key: self._permit(key, value) for key, value in values.items()}
        registers = self.family.registers
        together = {*wanted, *(other for key in wanted for other in registers[key].written_with)}
        places = {address for key in together for address in registers[key].addresses}
        span = (min(places), max(places))
        rows = {key: registers[key] for key in wanted}
        for key, row in registers.items():
            if row.writable and span[0] <= min(row.addresses) and max(row.addresses) <= span[1]:
                rows.setdefault(key, row)
        block = _Block(wanted, rows, span)
        # What is sent along unchanged is written, too, so it has to be something that may be.
        if (
            _addresses(row_span for row in rows.values() for row_span in row.spans)
            != set(block.addresses)
            or len(block.addresses) > self.family.max_write
        ):
            raise ValueError(f"{sorted(wanted)} cannot be written in one request")
        return block

    def _check(self, block: _Block) -> None:
        """Raise InvalidValueError for a value that is off its bounds, those that it comes with included."""
        values = {**self._values, **block.wanted}
        for key, value in block.wanted.items():
            block.rows[key].check(value, values)

    async def _look(self, block: _Block) -> dict[int, int]:
        """Return the words that the machine holds now, after the checks that take a look at it."""
        if any(self._is_resting(row) for row in block.rows.values()):
            key, value = next(iter(block.wanted.items()))
            raise WriteDeniedError(key, value, "is not served by this machine")
        bounds = [row for key in block.wanted for row in self._live_bounds(block.rows[key])]
        # What was polled minutes ago may have been changed at the panel since.
        image = await self._read_now([*block.rows.values(), *bounds])
        self._check(block)
        for key, value in block.wanted.items():
            row = block.rows[key]
            if row.decode(image) is None and all(image[place] == WORD for place in row.addresses):
                raise WriteDeniedError(key, value, "is not served by this machine")
        return image

    async def _write(self, block: _Block, image: dict[int, int], *, restore: bool) -> None:
        """Write, read back, settle, read again; one more try, then give up."""
        before, held = image, block.decode(image)
        changed = [key for key, value in block.wanted.items() if held[key] != value]
        if not changed:
            self._tell(block.groups)
            return
        self.wear.check(changed[0], block.stored)
        await self._send(block, changed, block.encode(image))
        # Some machines are busy right after a write; what counts is what they hold in the end.
        with suppress(RejectedError):
            if not block.lost(await self._read_now(block.rows.values())):
                self._tell(block.groups)
        for attempts_left in (1, 0):
            await asyncio.sleep(self.family.settle)
            image = await self._read_around(block)
            self._tell(block.groups)
            if not (lost := block.lost(image)):
                self._remember({key: (held[key], block.wanted[key]) for key in changed})
                return
            if attempts_left:
                await self._send(block, changed, block.encode(image))
        row = block.rows[lost[0]]
        raise NotAppliedError(
            row.key,
            row.addresses[0],
            block.wanted[row.key],
            row.decode(image),
            restored=restore and await self._restore(block, changed, before, image),
        )

    def _remember(self, changed: Mapping[str, tuple[Value | None, Value]]) -> None:
        """Keep what was changed in one request, with what it was before; a block is forgotten as a whole."""
        now = datetime.now(UTC)
        group = next(self._group_numbers) if len(changed) > 1 else None
        self.changes.extend(
            Change(now, key, before, after, group) for key, (before, after) in changed.items()
        )
        while len(self.changes) > REMEMBERED_CHANGES:
            oldest = self.changes.popleft()
            while self.changes and self.changes[0].belongs_to(oldest):
                self.changes.popleft()

    async def _restore(
        self,
        block: _Block,
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

    async def _send(self, block: _Block, changed: Sequence[str], words: list[int]) -> None:
        """Write the words of a block in one request, and count it for the settings that it changes."""
        if block.stored:
            self.wear.count(changed, block.stored)
        try:
            if self.family.single_write and len(words) == 1:
                await self._unit.write_register(block.span[0], words[0])
            else:
                await self._unit.write_registers(block.span[0], words)
        finally:
            # Whatever came of it, nobody knows what they hold until they are read back.
            self._forget([block.span])

    async def _read_around(self, block: _Block) -> dict[int, int]:
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

    def _tell(self, groups: Collection[Group]) -> None:
        """Tell the listeners that these groups have newer values."""
        for group in groups:
            for listener in tuple(self._listeners):
                listener(group)


def _nearest_second(moment: datetime) -> datetime:
    """Return a time as a clock takes it that has no parts of a second."""
    return (moment + HALF_A_SECOND).replace(microsecond=0)


def _is_kept(wanted: Value, held: Value | None) -> bool:
    """Whether a machine that holds this has kept what was written; a clock has gone on."""
    if isinstance(wanted, datetime) and isinstance(held, datetime):
        return timedelta(0) <= held - wanted <= CLOCK_ADVANCE
    return held == wanted


def _addresses(spans: Iterable[Span]) -> set[int]:
    """Return every address of these spans."""
    return {address for first, last in spans for address in range(first, last + 1)}
