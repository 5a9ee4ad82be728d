"""The values of a device: which reads bring them, what they are decoded to, and which could not be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Final

from ..errors import LinkTimeout, RejectedError
from ..model.codec import RATED_POWER, Value
from ..model.derived import Derived
from ..model.family import Family
from ..model.recognition import Words
from ..model.register import Group, Register
from ..transport.line_cost import LineCost
from ..transport.unit import Unit
from .fetcher import Fetcher
from .image import RegisterImage, Span
from .listed_words import ListedWords
from .quarantine import Quarantine
from .read_plan import ReadPlanner, Reads
from .snapshot import Plan, Snapshot
from .verified_unit import VerifiedUnit

# For how many sets of keys the plan is kept; a group's set changes when an entity is enabled or disabled.
MAX_PLANS: Final = 16


class RegisterReader:
    """Reads what a device's family says it has.

    Every read goes into one image of raw registers, and values are decoded from that image, so that a slow poll never
    replaces a value that a write has just read back with an older one. A value is decoded when its words change.
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
        verified: VerifiedUnit | None = None,
    ) -> None:
        """`verified` is the unit as writes use it, which everything urgent is read through."""
        # The family as its table has it, and as this device has it.
        self.unfitted = family
        self.family = family
        self.features: frozenset[str] = frozenset()
        self.image = RegisterImage()
        self.quarantine = Quarantine(self.image)
        self._cost = LineCost(baudrate=baudrate or family.baudrate)
        self.planner = ReadPlanner(family, self._cost, self.quarantine)
        self._unit = unit
        self._verified = verified or VerifiedUnit(unit, None)
        self._fetcher = Fetcher(unit, self._verified, self.image, self.quarantine, self.planner)
        # Made when somebody has words polled.
        self._listed: ListedWords | None = None
        # What is served again, and was read beside the polls of its group.
        self.released = self._fetcher.released
        self._inverted = inverted
        self._values: dict[str, Value | None] = dict(known or {})
        # The rated power stays, whatever the device reports later: limits and shares rest on it.
        self._fixed = {key: value for key, value in (known or {}).items() if key == RATED_POWER}
        # The keys that other values are scaled by, and those of them that may change at the device.
        self._needs = family.needs
        self.scaling_inputs = self._needs - self._fixed.keys()
        # What the family was fitted with, and the revision of the image for which that holds.
        self._facts: dict[str, Value | None] = {}
        self._fitted_at = -1
        # What each value was made of, so that it is made again only of something else.
        self._decoded: dict[str, tuple[Register, list[int | None]]] = {}
        # The registers whose values follow the image, by key, and who lies at an address; those whose words have changed
        # since they were decoded, and those whose last read brought nothing.
        self._followed: dict[str, Register] = {}
        self._keys_at: dict[int, list[str]] = {}
        self._stale: set[str] = set()
        self._missing: set[str] = set()
        self._computed: dict[str, tuple[Derived, list[Value | None], bool]] = {}
        # How often a power was more than the device can deliver, and what has such words now.
        self.impossible = 0
        self._impossible: set[str] = set()
        self._plans: dict[frozenset[str], Plan] = {}
        # The revision of the quarantine for which they hold.
        self._planned_at = 0
        self.fit(features)

    @property
    def dropped(self) -> int:
        """How many answers were dropped because they could not be true."""
        return self._fetcher.dropped

    @property
    def values(self) -> Mapping[str, Value | None]:
        """The newest value of every key that was read so far."""
        return self._values

    def limits(self, key: str) -> tuple[float, float]:
        """The bounds in force for a key that has limits; ValueError for another."""
        return self.family.registers[key].bounds(self._values, self._values.get(key))

    def served(self, keys: Iterable[str]) -> list[Register]:
        """The registers with these keys that the device has."""
        rows = [self.family.registers.get(key) for key in sorted(keys)]
        return [row for row in rows if row is not None and not self.quarantine.lacks(row)]

    # ------------------------------------------------------------------ polling

    async def poll(
        self, keys: Collection[str], until: float | None = None, *, urgent: bool = False
    ) -> Snapshot:
        """Read these registers and derived values at the least bus time.

        The same snapshot as the last poll's, the object itself, when no value has changed. Raises the DeviceError when
        nothing at all could be read. Otherwise a read that fails fails its keys, and is tried once more if there is time
        `until` then, by the event loop's clock; what is refused or not answered again and again is quarantined. What is
        urgent goes before reads that wait.
        """
        if self.quarantine.limits_reads:
            self.quarantine.release_due()
        await self._fetcher.fetch_all(self._plan(keys).reads, until, urgent=urgent)
        if self._fitted_at != self.image.revision:
            self.refit()
        return self.snapshot(keys)

    async def poll_words(self, addresses: Collection[int], until: float | None = None) -> None:
        """Poll mere words, as `poll` does, but for what is not served of them: the polls of registers do not ask for it."""
        if self._listed is None:
            self._listed = ListedWords(
                self._unit, self._verified, self.image, self.family, self._cost
            )
        presence = self.unfitted.registers[self.unfitted.presence_register].spans
        await self._listed.poll(addresses, presence, self.quarantine.addresses, until)

    @property
    def quarantined(self) -> set[int]:
        """The addresses that the device is known not to serve, those of mere words too."""
        listed = self._listed
        return self.quarantine.quarantined.union(listed.quarantined if listed else ())

    def take_released(self) -> set[Group]:
        """The groups of what is served again, once."""
        released = set(self.released)
        self.released.clear()
        return {
            row.group
            for row in self.family.registers.values()
            if not released.isdisjoint(row.spans)
        }

    def snapshot(self, keys: Collection[str]) -> Snapshot:
        """These keys as they were last read; failed are those whose last read brought nothing."""
        plan = self._plan(keys)
        if plan.snapshot is None or plan.revision != self.image.revision:
            plan.snapshot = self._take_snapshot(plan)
            plan.revision = self.image.revision
        return plan.snapshot

    def reads_for(self, keys: Collection[str]) -> Reads:
        """The reads that a poll for these keys sends."""
        return self._plan(keys).reads

    def _plan(self, keys: Collection[str]) -> Plan:
        """What these keys take; worked out once for each set, until other reads are the best."""
        if self._planned_at != self.quarantine.revision:
            self._planned_at = self.quarantine.revision
            self._plans.clear()
        wanted = frozenset(keys)
        if (plan := self._plans.get(wanted)) is None:
            if len(self._plans) == MAX_PLANS:
                del self._plans[next(iter(self._plans))]
            plan = self._plans[wanted] = self._new_plan(wanted)
        return plan

    def _new_plan(self, wanted: frozenset[str]) -> Plan:
        family = self.family
        derived = [family.derived[key] for key in wanted & family.derived.keys()]
        names = (wanted - family.derived.keys()).union(*(value.inputs for value in derived))
        rows = [family.registers[name] for name in names]
        absent = frozenset(row.key for row in rows if self.quarantine.was_never_served(row))
        reads = self.planner.reads_for(row for row in rows if not self.quarantine.separates(row))
        for row in rows:
            self._follow(row)
        return Plan(wanted, names, derived, absent, reads)

    def _take_snapshot(self, plan: Plan) -> Snapshot:
        """Decode what has changed; the plan's last snapshot when nothing has."""
        self._catch_up(plan.names)
        failed = self._missing & plan.names
        for derived in plan.derived:
            # What the device may lack, and has never served, counts nothing; without anything else there is no value.
            missing = failed.intersection(derived.inputs)
            may_lack = derived.may_lack_some and len(missing) < len(derived.inputs)
            if not missing or (may_lack and missing <= plan.absent):
                self._compute(derived, missing)
            else:
                failed.add(derived.key)
        values = {key: self._values[key] for key in plan.keys if key not in failed}
        not_read = plan.keys & failed
        last = plan.snapshot
        if last is not None and last.failed == not_read and last.values == values:
            return last
        return Snapshot(MappingProxyType(values), not_read)

    # ------------------------------------------------------------------ reading for another reason

    async def read(self, keys: Collection[str]) -> Mapping[str, Value | None]:
        """Read these registers, whatever groups they are polled in, and return those that the device serves.

        LinkError when the device is not reached, RejectedError when it cannot answer now.
        """
        rows = self.unfitted.rows_of(keys)
        for spans in self.planner.reads_for(rows.values()):
            if not await self.read_served(spans):
                await self._read_halves(spans)
        return self.decode(rows)

    async def _read_halves(self, spans: Sequence[Span]) -> None:
        """Read what the device does not keep silent about, of spans that it was silent about together.

        Each question costs a timeout; a block of which neither half is answered is likely to be one that it lacks.
        """
        middle = len(spans) // 2
        halves = (spans[:middle], spans[middle:]) if middle else ()
        silent = [half for half in halves if not await self.read_served(half)]
        if len(silent) < len(halves):
            for half in silent:
                await self._read_halves(half)

    async def read_served(self, spans: Sequence[Span]) -> bool:
        """Read these spans in one request, and leave out what the device refuses; whether it did not keep silent.

        LinkError and RejectedError like `read`.
        """
        try:
            await self._fetcher.read_served(spans)
        except (LinkTimeout, RejectedError) as err:
            if not err.may_concern_some:
                raise
            # Some devices keep silent where others refuse. If this one answers now, silence was its refusal.
            presence = self.unfitted.registers[self.unfitted.presence_register]
            await self.read_fresh([presence], urgent=False)
            return False
        return True

    async def read_fresh(
        self, registers: Collection[Register], *, urgent: bool = True
    ) -> dict[int, int]:
        """Read registers and nothing else, before waiting reads if it is urgent; the words by address."""
        brought: dict[int, int] = {}
        for spans in self.planner.reads_for(registers):
            brought |= await self._fetcher.read(spans, urgent=urgent)
        for row in registers:
            if not self._decode(row, self.image.words):
                self._decode_apart(row, brought)
        return brought

    async def read_with_polled(self, registers: Collection[Register]) -> dict[int, int]:
        """Read registers now, with what is polled in the same read as the first of them; the words by address."""
        keys, spans = self._polled_with(next(iter(registers)))
        brought: dict[int, int] = {}
        # A neighbour that is refused is for the next poll to find.
        with suppress(RejectedError):
            if spans:
                brought = await self._fetcher.read(spans, urgent=True)
                self.snapshot(keys)
        # Not everything that a poll reads along is decoded by it.
        alone = [row for row in registers if not self._decode_apart(row, brought)]
        return brought | await self.read_fresh(alone)

    async def probe(self, address: int, count: int) -> Words:
        """Words as the device reports them, or None where it refuses them; they stay out of the image."""
        try:
            return await self._unit.read_holding_registers(address, count)
        except RejectedError as err:
            if not err.is_refusal:
                raise
            return None

    def _polled_with(self, register: Register) -> tuple[frozenset[str], Sequence[Span]]:
        """The largest read that a register is polled in, with the keys that are polled then; empty when none."""
        own = set(register.spans)
        polled = (
            (keys, spans)
            for keys, plan in self._plans.items()
            for spans in plan.reads
            if own <= set(spans)
        )
        return max(polled, key=lambda one: len(one[1]), default=(frozenset(), ()))

    # ------------------------------------------------------------------ what the words mean

    def decode(self, rows: Mapping[str, Register]) -> dict[str, Value | None]:
        """The values of those rows whose last read succeeded."""
        read = [key for key, row in rows.items() if self.image.has(row)]
        for key in read:
            self._decode(rows[key].completed(self._facts), self.image.words)
        self.refit()
        return {key: self._values[key] for key in read}

    def _follow(self, row: Register) -> None:
        """Decode a register from now on whenever its words have changed in the image."""
        row = self.family.registers.get(row.key, row)
        if row.key not in self._followed:
            self._followed[row.key] = row
            self._stale.add(row.key)
            for address in row.read_from:
                self._keys_at.setdefault(address, []).append(row.key)

    def _catch_up(self, names: frozenset[str]) -> None:
        """Decode those of these that have changed in the image; of others, only half of the words may have been read."""
        for address in self.image.take_changed():
            self._stale.update(self._keys_at.get(address, ()))
        if not (due := self._stale & names):
            return
        for key in due:
            if self._decode_row(self._followed[key], self.image.words):
                self._missing.discard(key)
            else:
                self._missing.add(key)
        # Not before: what an unexpected error has kept from being decoded is no value that anybody may show.
        self._stale -= due

    def _decode_apart(self, row: Register, words: Mapping[int, int]) -> bool:
        """Decode from other words than those of the image, which may be newer when it is looked at next."""
        if row.key in self._followed:
            self._stale.add(row.key)
        return self._decode(row, words)

    def _decode(self, row: Register, words: Mapping[int, int]) -> bool:
        """Whether these words hold a register; its value is worked out when its words have changed."""
        # A register is decoded as the family has it, also one that is read as mere words.
        return self._decode_row(self.family.registers.get(row.key, row), words)

    def _decode_row(self, row: Register, words: Mapping[int, int]) -> bool:
        """The same of a row that is as the family has it."""
        held = [words.get(address) for address in row.read_from]
        if None in held:
            return False
        if self._decoded.get(row.key) != (row, held):
            value = row.decode(words)
            self._values[row.key] = self._fixed.get(row.key, value)
            self._decoded[row.key] = (row, held)
            if value is None and row.exceeds_rating(words):
                self.impossible += 1
                self._impossible.add(row.key)
            else:
                self._impossible.discard(row.key)
        return True

    def _compute(self, derived: Derived, missing: Collection[str]) -> None:
        """Work a derived value out when one of its inputs has changed; those that are missing count as unknown.

        What is not known because its words are impossible would be missing in it.
        """
        inputs = [None if key in missing else self._values[key] for key in derived.inputs]
        possible = self._impossible.isdisjoint(derived.inputs)
        if self._computed.get(derived.key) != (derived, inputs, possible):
            self._values[derived.key] = (
                derived.compute(dict(zip(derived.inputs, inputs, strict=True)))
                if possible
                else None
            )
            self._computed[derived.key] = (derived, inputs, possible)

    def refit(self) -> None:
        """Fit the family again when the device reports something else of what its values are scaled by."""
        self._fitted_at = self.image.revision
        self._catch_up(self._needs)
        if any(self._values.get(key) != value for key, value in self._facts.items()):
            self.fit(self.features)

    def fit(self, features: Collection[str]) -> None:
        """Take the family as a device with these features has it."""
        self.features = frozenset(features)
        self._facts = {key: self._values.get(key) for key in self._needs}
        family = self.unfitted.fitted(self.features, self._facts | self._fixed)
        self.family = family.inverted() if self._inverted else family
        self.planner.fit(self.family)
        self._fetcher.gates = self.family.gates
        self._plans.clear()
        for known in (self._followed, self._keys_at, self._stale, self._missing):
            known.clear()
        for key in self._needs:
            self._follow(self.unfitted.registers[key])
