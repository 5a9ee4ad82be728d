"""What comes before a write: the requests that settings take, and what is checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from .block import Block, addresses_of, one_after_another
from .codec import WORD, Choice, Value
from .errors import WriteDeniedError
from .modes import Modes
from .reader import Reader
from .register import Group, Ref, Register, Tier


class Preparation:
    """Makes requests of settings, as the machine takes them, and checks that they may be sent."""

    def __init__(self, reader: Reader, modes: Modes, tier: Tier) -> None:
        """Take what is known of the machine, and the tier that somebody has chosen for it."""
        self.tier = tier
        self._reader = reader
        self._modes = modes

    def block(self, values: Mapping[str, Value], *, former: bool = False) -> Block:
        """Return what is sent for these settings; ValueError when one request cannot hold them."""
        wanted = {key: self._permit(key, value) for key, value in values.items()}
        family = self._reader.family
        registers = family.registers
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
            or len(block.addresses) > family.max_write
        ):
            raise ValueError(f"{sorted(wanted)} cannot be written in one request")
        return block

    def former_block(self, values: Mapping[str, Value]) -> Block:
        """Return what is sent to put these settings back, which the machine held before."""
        return self.block(values, former=True)

    def blocks(self, steps: Sequence[tuple[str, Value]]) -> list[Block]:
        """Return what is sent for these settings one after another, checked as far as their bounds are known."""
        blocks = one_after_another(steps, self.block)
        self.check(*blocks)
        return blocks

    def _permit(self, key: str, value: Value) -> Value:
        """Return the value as the register would hold it; WriteDeniedError when the chosen tier may not write it."""
        register = self._reader.family.registers.get(key)
        if register is None or register.tier is None:
            raise WriteDeniedError(key, value, "may not be written")
        if not self.tier.allows(register.tier):
            raise WriteDeniedError(
                key, value, f"needs the tier {register.tier}", tier=register.tier
            )
        return _open(register).normalise(value)

    def check(self, *blocks: Block) -> None:
        """Raise InvalidValueError for a value that is off its bounds, those that are written with or before it included."""
        values = dict(self._reader.values)
        for block in blocks:
            values.update(block.wanted)
            for key, value in block.wanted.items():
                block.rows[key].check(value, values)

    async def look(self, *blocks: Block) -> dict[int, int]:
        """Return the words that the machine holds now, after the checks that take a look at it."""
        rows: dict[str, Register] = {}
        for block in blocks:
            if any(self._reader.raw.is_resting(row) for row in block.rows.values()):
                key, value = next(iter(block.wanted.items()))
                raise WriteDeniedError(key, value, "is not served by this machine")
            for key in block.wanted:
                rows |= {row.key: row for row in self._live_bounds(block.rows[key])}
            modes = self._reader.served(self._modes.keys_for(block.wanted))
            rows |= {row.key: row for row in modes} | dict(block.rows)
        # What was polled minutes ago may have been changed at the panel since.
        image = await self._reader.read_now(rows.values())
        self.check(*blocks)
        for block in blocks:
            for key, value in block.wanted.items():
                row = block.rows[key]
                held = row.decode(image)
                if held is None and all(image[place] == WORD for place in row.addresses):
                    raise WriteDeniedError(key, value, "is not served by this machine")
                if held != value and not block.former:
                    # What is only shown can be chosen where it is in force anyway.
                    self._reader.family.registers[key].normalise(value)
        return image

    def _live_bounds(self, register: Register) -> list[Register]:
        """Return the settings that bound this one; what is fixed for the machine's life is not read again."""
        if register.limits is None:
            return []
        refs = [
            bound
            for bound in (register.limits.minimum, register.limits.maximum)
            if isinstance(bound, Ref)
        ]
        rows = [self._reader.family.registers[ref.key] for ref in refs]
        return [
            row
            for row in rows
            if row.group is not Group.IDENTITY and not self._reader.raw.is_resting(row)
        ]

    async def lead_up(self, blocks: list[Block]) -> tuple[list[Block], dict[int, int]]:
        """Return what is written for these steps, with what leads up to them, and the words that the machine holds."""
        image = await self.look(*blocks)
        values = dict(self._reader.values)
        steps: list[tuple[str, Value]] = []
        for block in blocks:
            for key, value in block.wanted.items():
                if values.get(key) != value:
                    steps += [
                        (lead, self._reader.limits(lead)[1] if before is None else before)
                        for lead, before in self._reader.family.leads.get((key, value), ())
                    ]
                steps.append((key, value))
                values[key] = value
        led = one_after_another(steps, self.block)
        return (blocks, image) if led == blocks else (led, await self.look(*led))


def outcome(blocks: Iterable[Block], image: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Return the words of these requests by address, each as it is in the image and as it would be after all of them."""
    after = dict(image)
    addresses: dict[int, None] = {}
    for block in blocks:
        after.update(zip(block.addresses, block.encode(after), strict=True))
        addresses |= dict.fromkeys(block.addresses)
    return {address: (image[address], after[address]) for address in addresses}


def _open(register: Register) -> Register:
    """Return a register that takes all that it can hold, also what is only shown."""
    if isinstance(register.codec, Choice) and register.codec.shown_only:
        return replace(register, codec=replace(register.codec, shown_only=frozenset()))
    return register
