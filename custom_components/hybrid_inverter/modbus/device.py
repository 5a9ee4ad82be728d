"""One machine: read in groups, written through one guard."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import logging
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
from .plan import LineCost, Read, plan_reads
from .register import WORD, Group, Ref, Register, Tier, Value
from .unit import Unit

_LOGGER = logging.getLogger(__name__)

# A register that the machine refuses rests for a day (design section 5): a firmware update may bring it.
REST_SECONDS: Final = 24 * 60 * 60
# How many changes the diagnostics show.
REMEMBERED_CHANGES: Final = 50


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


class Device:
    """A machine behind a unit, seen through its family's table.

    Every read goes into one image of raw registers, and values are decoded from that image, so that a slow poll never
    puts an older value in the place of one that a write has just read back.
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
        self._max_read = family.max_read
        self._values: dict[str, Value | None] = dict(known or {})
        self._image: dict[int, int] = {}
        # Addresses whose last read brought nothing, so that the image holds an older word or none.
        self._stale: set[int] = set()
        self._resting: dict[int, float] = {}
        self._plans: dict[frozenset[str], tuple[Read, ...]] = {}
        self._write_lock = asyncio.Lock()
        self._listeners: list[Callable[[Group], None]] = []

    @property
    def values(self) -> Mapping[str, Value | None]:
        """Return the newest value of every key that was read so far."""
        return self._values

    @property
    def image(self) -> Mapping[int, int]:
        """Return the newest raw word of every address that was read so far."""
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
            raise WrongDeviceError(f"a machine with the serial number {found}")

    async def poll(self, keys: Collection[str]) -> Snapshot:
        """Read these registers and derived values at the least bus time.

        Raises the DeviceError when nothing at all could be read. A refused register rests for a day; a read that
        fails for another reason fails its keys, and a lost link also those of the reads that were still to come.
        """
        self._wake()
        active = [row for row in self._registers_behind(keys) if not self._is_resting(row)]
        error: DeviceError | None = None
        reads = self._plan(active)
        succeeded = not reads
        for index, read in enumerate(reads):
            try:
                await self._fetch(read, active)
            except LinkError as err:
                error = err
                self._stale.update(_addresses(reads[index:]))
                break
            except RejectedError as err:
                error = err
                self._stale.update(_addresses([read]))
            else:
                succeeded = True
        if error is not None and not succeeded:
            raise error
        return self.snapshot(keys)

    def snapshot(self, keys: Collection[str]) -> Snapshot:
        """Return these keys as they were last read; failed are those whose last read brought nothing."""
        values: dict[str, Value | None] = {}
        failed: set[str] = set()
        for row in self._registers_behind(keys):
            if self._is_current(row):
                values[row.key] = self._values[row.key] = row.decode(self._image)
            else:
                failed.add(row.key)
        for key in keys:
            if (derived := self.family.derived.get(key)) is None:
                continue
            if failed.issuperset(derived.inputs):
                failed.add(key)
            else:
                values[key] = self._values[key] = self._derive(derived, failed)
        return Snapshot(
            {key: values[key] for key in keys if key in values},
            frozenset(failed.intersection(keys)),
        )

    def _is_current(self, register: Register) -> bool:
        """Whether every word of a register was there when it was last asked for."""
        return all(
            address in self._image and address not in self._stale and address not in self._resting
            for address in register.addresses
        )

    def _store(self, read: Read, words: Iterable[int]) -> None:
        """Put what a read brought into the image."""
        addresses = range(read.address, read.last + 1)
        self._image.update(zip(addresses, words, strict=True))
        self._stale.difference_update(addresses)

    def _derive(self, derived: Derived, failed: Collection[str]) -> Value | None:
        """Compute a value; an input that failed is not known, rather than as it was before."""
        return derived.compute(
            {key: None if key in failed else self._values.get(key) for key in derived.inputs}
        )

    def _registers_behind(self, keys: Iterable[str]) -> list[Register]:
        """Return the registers that these keys are, or are derived from, each once."""
        names: dict[str, None] = {}
        for key in keys:
            derived = self.family.derived.get(key)
            names.update(dict.fromkeys(derived.inputs if derived else (key,)))
        return [self.family.registers[name] for name in names]

    def _plan(self, registers: Iterable[Register]) -> tuple[Read, ...]:
        """Return the reads for these registers; planned once for each set."""
        rows = list(registers)
        names = frozenset(row.key for row in rows)
        if (plan := self._plans.get(names)) is None:
            plan = plan_reads(
                [span for row in rows for span in row.spans],
                readable=self.family.readable,
                max_read=self._max_read,
                cost=self._cost,
                refused=self._resting,
            )
            self._plans[names] = plan
        return plan

    async def _fetch(self, read: Read, registers: Collection[Register]) -> None:
        """Read into the image; on a refusal find out which registers it is about.

        Halving costs few requests, and only once: what is found rests.
        """
        try:
            words = await self._unit.read_holding_registers(read.address, read.count)
        except RejectedError as err:
            if not err.is_refusal:
                raise
            await self._narrow_down(read, registers, err)
        else:
            self._store(read, words)

    async def _narrow_down(
        self, read: Read, registers: Collection[Register], refusal: RejectedError
    ) -> None:
        """Split a refused read in two until the registers are known that the machine does not serve."""
        inside = sorted(
            {
                span
                for row in registers
                for span in row.spans
                if read.address <= span[0] and span[1] <= read.last
            }
        )
        middle = len(inside) // 2
        if not middle:
            self._rest(range(read.address, read.last + 1), refusal)
            return
        left, right = inside[:middle], inside[middle:]
        before = len(self._resting)
        for half in (left, right):
            first, last = half[0][0], max(span[1] for span in half)
            await self._fetch(Read(first, last - first + 1), registers)
        if len(self._resting) == before:
            # Both halves are served, so it is what lies between them, or the length, that is not.
            end, start = max(span[1] for span in left), right[0][0]
            if start > end + 1:
                self._rest(range(end + 1, start), refusal)
            else:
                self._max_read = min(self._max_read, read.count - 1)
                self._plans.clear()

    def _rest(self, addresses: Iterable[int], refusal: RejectedError) -> None:
        """Leave these addresses alone for a day; told once."""
        until = asyncio.get_running_loop().time() + REST_SECONDS
        refused = list(addresses)
        _LOGGER.info("Registers %s to %s are not served (%s)", refused[0], refused[-1], refusal)
        self._resting.update(dict.fromkeys(refused, until))
        self._plans.clear()

    def _wake(self) -> None:
        """Forget the addresses that have rested long enough."""
        if not self._resting:
            return
        now = asyncio.get_running_loop().time()
        rested = [address for address, until in self._resting.items() if until <= now]
        for address in rested:
            del self._resting[address]
        if rested:
            self._plans.clear()

    def _is_resting(self, register: Register) -> bool:
        """Whether the machine refuses an address of this register."""
        return bool(self._resting) and not self._resting.keys().isdisjoint(register.addresses)

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
        async with self._write_lock:
            await self._write(register, value)

    async def _write(self, register: Register, value: Value) -> None:
        """Check, write, read back, settle, read again; one more try, then give up."""
        wanted = register.normalise(value)
        block = [register, *(self.family.registers[key] for key in register.written_with)]
        bounds = self._live_bounds(register)
        cached = self._values.get(register.key)
        if bounds or register.mask or len(block) > 1 or cached is None or cached == wanted:
            # What was polled minutes ago may have been changed at the panel since.
            await self._read_now([*block, *bounds])
        register.check(wanted, self._values)
        before = self._values[register.key]
        if before is None and all(self._image[address] == WORD for address in register.addresses):
            raise WriteDeniedError(register.key, value, "is not served by this machine")
        if before == wanted:
            self._tell(block)
            return
        await self._send(block, register, wanted)
        await self._read_now(block)
        if self._values[register.key] == wanted:
            self._tell(block)
        for attempts_left in (1, 0):
            await asyncio.sleep(self.family.settle)
            await self._read_around(register)
            if self._values[register.key] == wanted:
                self.changes.append(Change(datetime.now(UTC), register.key, before, wanted))
                return
            if attempts_left:
                await self._send(block, register, wanted)
        raise NotAppliedError(
            register.key, register.addresses[0], wanted, self._values[register.key]
        )

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
        return [row for row in rows if row.group is not Group.IDENTITY]

    async def _send(self, block: list[Register], register: Register, value: Value) -> None:
        """Write a register, and in the same request those that the machine wants with it.

        The other bits, and the other registers, are as they were read a moment ago.
        """
        words = register.encode(value, self._image)
        image = {
            address: self._image[address]
            for row in block
            if row is not register
            for address in row.addresses
        }
        image.update(zip(register.addresses, words, strict=True))
        first = min(image)
        values = [image[address] for address in range(first, max(image) + 1)]
        self.write_counts[register.key] += 1
        if self.family.single_write and len(values) == 1:
            await self._unit.write_register(first, values[0])
        else:
            await self._unit.write_registers(first, values)

    async def _read_now(self, registers: Collection[Register], *, urgent: bool = True) -> None:
        """Read these registers and nothing else, before anything that waits if it is urgent."""
        for read in self._plan(registers):
            words = await self._unit.read_holding_registers(read.address, read.count, urgent=urgent)
            self._store(read, words)
        for row in registers:
            self._values[row.key] = row.decode(self._image)

    async def _read_around(self, register: Register) -> None:
        """Read what is polled together with a register, and publish it: a setting may move its neighbours."""
        read = next(
            (
                read
                for plan in self._plans.values()
                for read in plan
                if read.count > len(register.addresses)
                and read.address <= min(register.addresses)
                and max(register.addresses) <= read.last
            ),
            None,
        )
        if read is None:
            await self._read_now([register])
            self._tell([register])
            return
        words = await self._unit.read_holding_registers(read.address, read.count, urgent=True)
        self._store(read, words)
        around = [
            row
            for row in self.family.registers.values()
            if row.key in self._values
            and read.address <= min(row.addresses)
            and max(row.addresses) <= read.last
        ]
        for row in around:
            self._values[row.key] = row.decode(self._image)
        self._tell([register, *around])

    def _tell(self, registers: Iterable[Register]) -> None:
        """Tell the listeners which groups have newer values."""
        for group in dict.fromkeys(row.group for row in registers):
            for listener in tuple(self._listeners):
                listener(group)


def _addresses(reads: Iterable[Read]) -> set[int]:
    """Return every address of these reads."""
    return {address for read in reads for address in range(read.address, read.last + 1)}
