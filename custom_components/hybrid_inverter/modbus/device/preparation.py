"""What comes before a write: the requests that settings take, and what is checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
import math

from ..errors import InvalidValueError, WriteDeniedError
from ..model.codec import WORD, Choice, Value, as_number
from ..model.register import (
    Group,
    Ref,
    Register,
    Tier,
)
from .image import addresses_of
from .modes import Modes
from .register_reader import RegisterReader
from .settling import Settling
from .wear import Origin
from .write_request import WriteRequest, requests_in_order, with_neighbours


class Preparation:
    """Makes requests of settings, and checks that they may be sent."""

    def __init__(self, reader: RegisterReader, modes: Modes, tier: Tier) -> None:
        self.tier = tier
        # What was sent, and may still take hold.
        self.settling = Settling()
        self._reader = reader
        self._modes = modes

    def request(
        self,
        values: Mapping[str, Value],
        *,
        is_restore: bool = False,
        origin: Origin = Origin.PERSON,
    ) -> WriteRequest:
        """The request that writes these settings; ValueError when one request cannot hold them."""
        wanted = {key: self._permitted(key, value) for key, value in values.items()}
        family = self._reader.family
        registers = family.registers
        together = {*wanted, *(other for key in wanted for other in registers[key].written_with)}
        addresses = {address for key in together for address in registers[key].addresses}
        span = (min(addresses), max(addresses))
        rows = with_neighbours(
            {key: _accepting_all(registers[key]) for key in wanted}, span, registers
        )
        request = WriteRequest(wanted, rows, span, is_restore, origin=origin)
        # What is sent along unchanged is written, too, so it has to be writable.
        writable = addresses_of(row_span for row in rows.values() for row_span in row.spans)
        if writable != set(request.addresses) or len(request.addresses) > family.max_write:
            raise ValueError(f"{sorted(wanted)} cannot be written in one request")
        return request

    def restore_request(self, values: Mapping[str, Value]) -> WriteRequest:
        """The request that gives these settings values which the device held before."""
        return self.request(values, is_restore=True, origin=Origin.RESTORE)

    def requests(
        self, steps: Sequence[tuple[str, Value]], origin: Origin = Origin.PERSON
    ) -> list[WriteRequest]:
        """The requests that write these settings one after another, checked as far as their bounds are known."""
        requests = requests_in_order(steps, partial(self.request, origin=origin))
        self.check(*requests)
        return requests

    def _permitted(self, key: str, value: Value) -> Value:
        """The value as the register would hold it; WriteDeniedError when the chosen tier may not write it."""
        register = self._reader.family.registers.get(key)
        if register is None or register.tier is None:
            raise WriteDeniedError(key, value, "may not be written")
        if not self.tier.allows(register.tier):
            raise WriteDeniedError(
                key, value, f"needs the tier {register.tier}", tier=register.tier
            )
        try:
            held = _accepting_all(register).normalise(value)
        except InvalidValueError:
            # Of what does not fit anyway the bounds say more.
            self._check_bounds(register, value)
            raise
        if held != value:
            # What is a little beyond a bound is not rounded to it.
            self._check_bounds(register, value)
        return held

    def _check_bounds(self, register: Register, value: Value) -> None:
        """Raise InvalidValueError when a value that the register does not hold as it is lies off its bounds."""
        if isinstance(value, float) and not math.isfinite(value):
            return
        try:
            register.check(value, self._reader.values, self._reader.values.get(register.key))
        except InvalidValueError as err:
            if "minimum" in err.details:
                raise

    def check(self, *requests: WriteRequest) -> None:
        """Raise InvalidValueError for a value outside its bounds, which settings of the same requests may have moved."""
        values = dict(self._reader.values)
        for request in requests:
            values.update(request.wanted)
            for key, value in request.wanted.items():
                held = value if request.is_restore else self._reader.values.get(key)
                request.rows[key].check(value, values, held)

    async def read_current(self, *requests: WriteRequest) -> dict[int, int]:
        """The words that the device holds now, after every check that needs them."""
        rows: dict[str, Register] = {}
        for request in requests:
            if any(self._reader.quarantine.lacks(row) for row in request.rows.values()):
                key, value = next(iter(request.wanted.items()))
                raise WriteDeniedError(key, value, "is not served by this device")
            for key in request.wanted:
                rows |= {row.key: row for row in self._variable_bounds(request.rows[key])}
            modes = self._reader.served(self._modes.mode_keys(request.wanted))
            rows |= {row.key: row for row in modes} | dict(request.rows)
        # What an earlier write has left undecided takes hold first, or it would pass for somebody else's.
        await self.settling.over()
        # What was polled minutes ago may have been changed at the panel since.
        image = await self._reader.read_fresh(rows.values())
        self.check(*requests)
        for request in requests:
            for key, value in request.wanted.items():
                row = request.rows[key]
                held = row.decode(image)
                blank = all(image[address] == WORD for address in row.addresses)
                if held is None and blank and not row.may_be_blank:
                    raise WriteDeniedError(key, value, "is not served by this device")
                if held != value and not request.is_restore:
                    # A value that is shown and not offered may be chosen where it is in force anyway.
                    self._reader.family.registers[key].normalise(value)
        return image

    def related(self, key: str) -> set[str]:
        """The settings for which it matters whether they are written before or after this one."""
        family = self._reader.family
        groups = [
            *({row.key, *_bounding(row), *row.written_with} for row in family.registers.values()),
            *({residue.key, *residue.keys} for residue in family.residues),
            *(
                {setting, *(other for other, _ in others)}
                for (setting, _), others in family.prerequisites.items()
            ),
        ]
        return set().union(*(group for group in groups if key in group))

    def _variable_bounds(self, register: Register) -> list[Register]:
        """The settings that bound this one; what is fixed for the device's life is not read again."""
        rows = [self._reader.family.registers[key] for key in _bounding(register)]
        return [
            row
            for row in rows
            if row.group is not Group.IDENTITY and not self._reader.quarantine.lacks(row)
        ]

    def has_prerequisites(self, key: str, value: Value) -> bool:
        """Whether something may have to be written before this setting is given this value."""
        needs_others = (key, value) in self._reader.family.prerequisites
        return needs_others or self._modes.rest_before(key, value) is not None

    async def with_prerequisites(
        self, requests: list[WriteRequest], origin: Origin = Origin.PERSON
    ) -> tuple[list[WriteRequest], dict[int, int]]:
        """These requests with those that have to come before them, and the words that the device holds."""
        image = await self.read_current(*requests)
        values = dict(self._reader.values)
        extended: list[WriteRequest] = []
        for request in requests:
            for key, value in request.wanted.items():
                if values.get(key) == value:
                    continue
                if rest := self._modes.rest_before(key, value):
                    extended.append(self.request(dict([rest]), origin=origin))
                extended += [
                    self._prerequisite(other, needed, origin)
                    for other, needed in self._reader.family.prerequisites.get((key, value), ())
                ]
            extended.append(request)
            values |= request.wanted
        if extended == requests:
            return requests, image
        return extended, await self.read_current(*extended)

    def _prerequisite(self, key: str, needed: Value | None, origin: Origin) -> WriteRequest:
        """The request for what comes before another setting; None is the largest that there may be.

        Where that is more than the value which bounds it, not every device takes so much.
        """
        if needed is not None:
            return replace(self.request({key: needed}, origin=origin), is_prerequisite=True)
        limits = self._reader.family.registers[key].limits
        values = [self._reader.limits(key)[1]]
        if limits is not None and isinstance(limits.maximum, Ref):
            bound = as_number(self._reader.values.get(limits.maximum.key))
            if bound is not None and bound < values[0]:
                values.append(bound)
        largest, *smaller = [
            replace(self.request({key: value}, origin=origin), is_prerequisite=True)
            for value in values
        ]
        return replace(largest, instead=next(iter(smaller), None))


def words_before_and_after(
    requests: Iterable[WriteRequest], image: Mapping[int, int]
) -> dict[int, tuple[int, int]]:
    """The words of these requests by address, each as it is in the image and as it would be after all of them."""
    after = dict(image)
    addresses: dict[int, None] = {}
    for request in requests:
        after.update(zip(request.addresses, request.encode(after), strict=True))
        addresses |= dict.fromkeys(request.addresses)
    return {address: (image[address], after[address]) for address in addresses}


def _bounding(register: Register) -> list[str]:
    """The keys of what bounds a register."""
    limits = register.limits
    bounds = () if limits is None else (limits.minimum, limits.maximum)
    return [key for bound in bounds if isinstance(bound, Ref) for key in bound.keys]


def _accepting_all(register: Register) -> Register:
    """A register that takes every value it can hold, also those that are shown and not offered."""
    if isinstance(register.codec, Choice) and register.codec.shown_only:
        return replace(register, codec=replace(register.codec, shown_only=frozenset()))
    return register
