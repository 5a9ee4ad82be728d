"""One machine: read in groups, written through one guard."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import logging
from types import MappingProxyType
from typing import Final

from .derive import Derived
from .errors import (
    DeviceError,
    LinkError,
    NotAppliedError,
    RejectedError,
    WriteDeniedError,
    WrongDeviceError,
)
from .family import Family
from .plan import LineCost, plan_reads
from .register import WORD, Group, Ref, Register, Tier, Value
from .unit import Unit

_LOGGER = logging.getLogger(__name__)

# A register that the machine refuses rests for a day (design section 5): a firmware update may bring it.
REST_SECONDS: Final = 24 * 60 * 60
# How many changes the diagnostics show.
REMEMBERED_CHANGES: Final = 50
# For how many sets of keys the plan is kept; a group's set changes when an entity is enabled or disabled.
REMEMBERED_PLANS: Final = 16
# How far a clock may have gone on between being set and being read back.
CLOCK_ADVANCE: Final = timedelta(seconds=10)

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
    ) -> None:
        """Take what is already known of the machine (its rated power bounds other values)."""
        self.family = family
        self.tier = tier
        self.changes: deque[Change] = deque(maxlen=REMEMBERED_CHANGES)
        self.write_counts: Counter[str] = Counter()
        self._unit = unit
        self._cost = LineCost(baudrate=baudrate or family.baudrate)
        self._readable = tuple(family.readable)
        self._values: dict[str, Value | None] = dict(known or {})
        self._image: dict[int, int] = {}
        # Refused addresses, and when they are asked for again; and all that were ever logged as refused.
        self._resting: dict[int, float] = {}
        self._logged: set[int] = set()
        self._plans: dict[frozenset[str], _Plan] = {}
        self._write_lock = asyncio.Lock()
        self._listeners: list[Callable[[Group], None]] = []

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
            first < start <= last
            for row in self.family.registers.values()
            for first, last in row.spans
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
        register = self.family.registers.get(key)
        if register is None or register.tier is None:
            raise WriteDeniedError(key, value, "may not be written")
        if not self.tier.allows(register.tier):
            raise WriteDeniedError(
                key, value, f"needs the tier {register.tier}", tier=register.tier
            )
        wanted = register.normalise(value)
        async with self._write_lock:
            await self._write(register, wanted)

    async def _write(self, register: Register, wanted: Value) -> None:
        """Check, write, read back, settle, read again; one more try, then give up."""
        block = [register, *(self.family.registers[key] for key in register.written_with)]
        if any(self._is_resting(row) for row in block):
            raise WriteDeniedError(register.key, wanted, "is not served by this machine")
        # What was polled minutes ago may have been changed at the panel since.
        image = await self._read_now([*block, *self._live_bounds(register)])
        register.check(wanted, self._values)
        before = register.decode(image)
        if before is None and all(image[address] == WORD for address in register.addresses):
            raise WriteDeniedError(register.key, wanted, "is not served by this machine")
        if before == wanted:
            self._tell(register.group)
            return
        await self._send(block, wanted, image)
        # Some machines are busy right after a write; what counts is what they hold in the end.
        with suppress(RejectedError):
            if _is_kept(wanted, register.decode(await self._read_now(block))):
                self._tell(register.group)
        for attempts_left in (1, 0):
            await asyncio.sleep(self.family.settle)
            image = await self._read_around(block)
            self._tell(register.group)
            if _is_kept(wanted, register.decode(image)):
                self.changes.append(Change(datetime.now(UTC), register.key, before, wanted))
                return
            if attempts_left:
                await self._send(block, wanted, image)
        raise NotAppliedError(register.key, register.addresses[0], wanted, register.decode(image))

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

    async def _send(
        self, block: Sequence[Register], value: Value, image: Mapping[int, int]
    ) -> None:
        """Write the first register of a block, and in the same request those that the machine wants with it.

        The other bits, and the other registers, are sent as in the image, which was read a moment ago.
        """
        register = block[0]
        words = {address: image[address] for row in block for address in row.addresses}
        words.update(zip(register.addresses, register.encode(value, image), strict=True))
        first, last = min(words), max(words)
        values = [words[address] for address in range(first, last + 1)]
        self.write_counts[register.key] += 1
        try:
            if self.family.single_write and len(values) == 1:
                await self._unit.write_register(first, values[0])
            else:
                await self._unit.write_registers(first, values)
        finally:
            # Whatever came of it, nobody knows what they hold until they are read back.
            self._forget([(first, last)])

    async def _read_around(self, block: Sequence[Register]) -> dict[int, int]:
        """Read a block and what is polled in the same read, as a setting may move its neighbours; return the words."""
        register = block[0]
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
        alone = [row for row in block if not around.keys() >= set(row.addresses)]
        return around | await self._read_now(alone)

    def _tell(self, group: Group) -> None:
        """Tell the listeners that a group has newer values."""
        for listener in tuple(self._listeners):
            listener(group)


def _is_kept(wanted: Value, held: Value | None) -> bool:
    """Whether a machine that holds this has kept what was written; a clock has gone on."""
    if isinstance(wanted, datetime) and isinstance(held, datetime):
        return timedelta(0) <= held - wanted <= CLOCK_ADVANCE
    return held == wanted


def _addresses(spans: Iterable[Span]) -> set[int]:
    """Return every address of these spans."""
    return {address for first, last in spans for address in range(first, last + 1)}
