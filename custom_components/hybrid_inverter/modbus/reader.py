"""The values of a machine: which are read together, what they are decoded to, and which could not be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from .block import Span
from .codec import RATED_POWER, Value
from .derive import Derived
from .errors import RejectedError
from .family import Family
from .plan import LineCost
from .raw_reader import RawReader, Reads
from .register import Register
from .unit import Unit

# For how many sets of keys the plan is kept; a group's set changes when an entity is enabled or disabled.
REMEMBERED_PLANS: Final = 16


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one poll brought: the values, and the keys that could not be read this time."""

    values: Mapping[str, Value | None]
    failed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a set of keys takes: registers, what is derived from them, and the reads that bring them."""

    rows: Mapping[str, Register]
    derived: tuple[Derived, ...]
    reads: Reads


class Reader:
    """Reads what a machine's family says it has.

    Every read goes into one image of raw registers, and values are decoded from that image, so that a slow poll never
    puts an older value in the place of one that a write has just read back.
    """

    def __init__(
        self,
        unit: Unit,
        family: Family,
        *,
        known: Mapping[str, Value] | None = None,
        baudrate: int | None = None,
        features: Collection[str] = (),
        inverted: bool = False,
    ) -> None:
        """Take what is already known of the machine; an inverted one is wired the other way round."""
        # The family as its table has it, and as this machine has it.
        self.unfitted = family
        self.family = family
        self.features: frozenset[str] = frozenset()
        self._inverted = inverted
        self._values: dict[str, Value | None] = dict(known or {})
        # The rated power stays, whatever the machine says later: limits and shares rest on it.
        self._fixed = {key: value for key, value in (known or {}).items() if key == RATED_POWER}
        # The keys of what other values rest on, and of these what somebody may change at the machine.
        self._needs = family.needs
        self.foundations = self._needs - self._fixed.keys()
        # What the family was fitted with.
        self._facts: dict[str, Value | None] = {}
        self._plans: dict[frozenset[str], _Plan] = {}
        cost = LineCost(baudrate=baudrate or family.baudrate)
        self.raw = RawReader(unit, family, cost, self._plans.clear)
        self.fit(features)

    @property
    def values(self) -> Mapping[str, Value | None]:
        """Return the newest value of every key that was read so far."""
        return self._values

    @property
    def image(self) -> Mapping[int, int]:
        """Return the newest raw word of every address whose last read succeeded."""
        return self.raw.image

    @property
    def resting(self) -> list[int]:
        """Return the addresses that the machine refuses, in order."""
        return self.raw.resting

    @property
    def dropped(self) -> int:
        """Return how many answers were dropped because they could not be true."""
        return self.raw.dropped

    def read_at(self, key: str) -> datetime | None:
        """Return when a register was read last; None when it was not, or its words are from different reads."""
        return self.raw.read_at(self.family.registers[key])

    def limits(self, key: str) -> tuple[float, float]:
        """Return the bounds in force for a key that has limits."""
        return self.family.registers[key].bounds(self._values)

    def served(self, keys: Iterable[str]) -> list[Register]:
        """Return the registers with these keys, as far as the machine has them and does not refuse them."""
        rows = [self.family.registers.get(key) for key in sorted(keys)]
        return [row for row in rows if row is not None and not self.raw.is_resting(row)]

    # ------------------------------------------------------------------ what is polled

    async def poll(self, keys: Collection[str]) -> Snapshot:
        """Read these registers and derived values at the least bus time.

        Raises the DeviceError when nothing at all could be read. Otherwise a refused register rests for a day; a read
        that fails for another reason fails its keys, and a lost link also those of the reads that were still to come.
        """
        self.raw.wake()
        await self.raw.poll(self._plan(keys).reads)
        self.complete()
        return self.snapshot(keys)

    def snapshot(self, keys: Collection[str]) -> Snapshot:
        """Return these keys as they were last read; failed are those whose last read brought nothing."""
        plan = self._plan(keys)
        failed: set[str] = set()
        absent: set[str] = set()
        for key, row in plan.rows.items():
            if all(address in self.image for address in row.addresses):
                self._take([row], self.image)
                continue
            failed.add(key)
            if self.raw.is_resting(row):
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
            active = [row for row in rows.values() if not self.raw.is_resting(row)]
            if len(self._plans) == REMEMBERED_PLANS:
                del self._plans[next(iter(self._plans))]
            plan = self._plans[wanted] = _Plan(rows, derived, self.raw.reads_for(active))
        return plan

    # ------------------------------------------------------------------ what is read for a reason of its own

    async def read(self, keys: Collection[str]) -> Mapping[str, Value | None]:
        """Read these registers, whatever groups they are polled in, and return those that the machine serves.

        LinkError when the machine is not reached, RejectedError when it cannot answer now.
        """
        rows = self.unfitted.rows_of(keys)
        for spans in self.raw.reads_for(rows.values()):
            await self.raw.try_to_read(spans)
        return self.decode(rows)

    async def read_now(
        self, registers: Collection[Register], *, urgent: bool = True
    ) -> dict[int, int]:
        """Read these registers and nothing else, before anything that waits if it is urgent; return the words."""
        brought: dict[int, int] = {}
        for spans in self.raw.reads_for(registers):
            brought |= await self.raw.read(spans, urgent=urgent)
        self._take(registers, brought)
        return brought

    async def read_around(self, registers: Collection[Register]) -> dict[int, int]:
        """Read registers now, with what is polled in the same read as the first of them; return the words."""
        keys, spans = self._polled_with(next(iter(registers)))
        around: dict[int, int] = {}
        # A neighbour that is refused is for the next poll to find.
        with suppress(RejectedError):
            if spans:
                around = await self.raw.read(spans, urgent=True)
                self.snapshot(keys)
        alone = [row for row in registers if not around.keys() >= set(row.addresses)]
        return around | await self.read_now(alone)

    def _polled_with(self, register: Register) -> tuple[Collection[str], tuple[Span, ...]]:
        """Return the largest read that a register is polled in, with the keys that are polled then; empty when none."""
        return max(
            (
                (keys, spans)
                for keys, plan in self._plans.items()
                for spans in plan.reads
                if set(register.spans) <= set(spans)
            ),
            key=lambda polled: len(polled[1]),
            default=(frozenset[str](), ()),
        )

    # ------------------------------------------------------------------ what the words mean

    def decode(self, rows: Mapping[str, Register]) -> dict[str, Value | None]:
        """Return the values of those rows whose last read succeeded."""
        brought = self.brought(rows)
        self._take([row.completed(self._facts) for row in brought.values()], self.image)
        self.complete()
        return {key: self._values[key] for key in brought}

    def brought(self, rows: Mapping[str, Register]) -> dict[str, Register]:
        """Return those rows whose last read succeeded."""
        return {key: row for key, row in rows.items() if self.image.keys() >= set(row.addresses)}

    def _take(self, registers: Iterable[Register], image: Mapping[int, int]) -> None:
        """Take the values of these registers out of an image that has them."""
        for row in registers:
            # What is written as mere words is shown as what it means.
            value = self.family.registers.get(row.key, row).decode(image)
            self._values[row.key] = self._fixed.get(row.key, value)

    def complete(self) -> None:
        """Fit the family again when the machine has told something else of what its values rest on."""
        rows = {key: self.unfitted.registers[key] for key in self._needs}
        self._take(self.brought(rows).values(), self.image)
        if self._facts != {key: self._values.get(key) for key in self._facts}:
            self.fit(self.features)

    def fit(self, features: Collection[str]) -> None:
        """Take the family as a machine with these features has it."""
        self.features = frozenset(features)
        self._facts = {key: self._values.get(key) for key in self._needs}
        family = self.unfitted.fitted(self.features, self._facts)
        self.family = family.inverted() if self._inverted else family
        self.raw.fit(self.family)
