"""Settings that are written in one request, and what is in such a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ..errors import UndoError
from ..model.codec import Number, Value
from ..model.register import Group, Register
from .image import Span
from .wear import Origin

# How far a clock may have gone on between being set and being read back.
CLOCK_ADVANCE: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """Settings that are written in one request, with all rows on the run of addresses that the request covers."""

    wanted: Mapping[str, Value]
    # Those that are wanted come first; the others are sent as they were just read.
    rows: Mapping[str, Register]
    span: Span
    # Whether the device held this before, so that it may hold it again even if it is not offered as a choice.
    is_restore: bool = False
    # Whether neither tier nor bounds stand against it: it gives back what a mode has taken.
    is_unchecked: bool = False
    # Whether it only leads up to another one, and what is written instead if the device does not take it.
    is_prerequisite: bool = False
    instead: WriteRequest | None = None
    # Who wants it; what restores is never refused for the number of writes.
    origin: Origin = Origin.PERSON

    @classmethod
    def of_words(
        cls, words: Mapping[str, Sequence[int]], registers: Mapping[str, Register]
    ) -> WriteRequest:
        """A request that gives registers these raw words, whatever they mean.

        UndoError for a register that there is not, or that has another number of words.
        """
        wanted: dict[str, Value] = {}
        rows: dict[str, Register] = {}
        for key, held in words.items():
            codec, row = Number(words=len(held)), registers.get(key)
            value = codec.decode(held)
            if row is None or value is None or len(row.addresses) != len(held):
                raise UndoError(key)
            wanted[key] = value
            rows[key] = replace(row, codec=codec, limits=None, plausible=None, written_with=())
        addresses = {address for row in rows.values() for address in row.addresses}
        span = (min(addresses), max(addresses))
        return cls(
            wanted,
            with_neighbours(rows, span, registers),
            span,
            is_restore=True,
            is_unchecked=True,
            origin=Origin.RESTORE,
        )

    @classmethod
    def of_image(
        cls, words: Mapping[int, int], registers: Mapping[str, Register], origin: Origin
    ) -> WriteRequest:
        """A request that gives a run of addresses these whole words, each under the key of its first setting.

        ValueError where they are no run, and for an address without a setting, or with a part of one.
        """
        settings = settings_of_one_word(registers.values())
        wanted: dict[str, Value] = {}
        rows: dict[str, Register] = {}
        for address in sorted(words):
            first = settings.get(address)
            if first is None:
                raise ValueError(f"register {address} is no setting of one word")
            wanted[first.key] = words[address]
            rows[first.key] = replace(
                first,
                codec=Number(),
                mask=None,
                alive_at=(),
                limits=None,
                plausible=None,
                written_with=(),
            )
        if not words or max(words) - min(words) >= len(words):
            raise ValueError(f"registers {sorted(words)} are no run")
        span = (min(words), max(words))
        return cls(
            wanted,
            with_neighbours(rows, span, registers),
            span,
            is_unchecked=True,
            origin=origin,
        )

    @property
    def addresses(self) -> range:
        """The addresses in the order in which their words are sent."""
        return range(self.span[0], self.span[1] + 1)

    @property
    def stored(self) -> set[int]:
        """The addresses that the device keeps in memory that wears."""
        return {address for row in self.rows.values() if row.stored for address in row.addresses}

    @property
    def groups(self) -> set[Group]:
        """The groups in which the settings are polled."""
        return {self.rows[key].group for key in self.wanted}

    def decode(self, image: Mapping[int, int]) -> dict[str, Value | None]:
        """The wanted settings as they are in an image of raw words."""
        return {key: self.rows[key].decode(image) for key in self.wanted}

    def encode(self, image: Mapping[int, int]) -> list[int]:
        """The words to send: those of the image, with the wanted settings put into them."""
        words = {address: image[address] for address in self.addresses}
        for key, value in self.wanted.items():
            row = self.rows[key]
            words.update(zip(row.addresses, row.encode(value, words), strict=True))
        return list(words.values())

    def words(self, image: Mapping[int, int]) -> dict[str, list[int]]:
        """The words of the wanted settings in an image, by key."""
        return {key: self.rows[key].words(image) for key in self.wanted}

    def not_applied(self, image: Mapping[int, int]) -> list[str]:
        """The keys of the wanted settings that are not in an image of raw words."""
        return [
            key
            for key, value in self.decode(image).items()
            if not _is_applied(self.wanted[key], value)
        ]


def settings_of_one_word(rows: Iterable[Register]) -> dict[int, Register]:
    """The first setting on each address that can be written as a whole word."""
    settings: dict[int, Register] = {}
    for row in rows:
        for address in row.addresses if row.writable else ():
            settings.setdefault(address, row)
    return {address: row for address, row in settings.items() if len(row.addresses) == 1}


@dataclass(frozen=True, slots=True)
class AppliedChange:
    """A setting that was changed, and what it held before."""

    key: str
    before: Value | None
    after: Value


def with_neighbours(
    rows: Mapping[str, Register], span: Span, registers: Mapping[str, Register]
) -> dict[str, Register]:
    """These rows, and the others on a run of addresses that are sent along with them."""
    along = {
        key: row
        for key, row in registers.items()
        if span[0] <= min(row.addresses) and max(row.addresses) <= span[1] and row.writable
    }
    return {**rows, **{key: row for key, row in along.items() if key not in rows}}


def requests_in_order(
    steps: Iterable[tuple[str, Value]], request_for: Callable[[Mapping[str, Value]], WriteRequest]
) -> list[WriteRequest]:
    """The requests that these steps take, in order; consecutive settings of the same registers share one."""
    requests: list[WriteRequest] = []
    for key, value in steps:
        request = request_for({key: value})
        if requests and requests[-1].span == request.span and key not in requests[-1].wanted:
            requests[-1] = request_for({**requests[-1].wanted, **request.wanted})
        else:
            requests.append(request)
    return requests


def _is_applied(wanted: Value, held: Value | None) -> bool:
    """Whether a device that holds this has applied what was written; a clock has gone on."""
    if isinstance(wanted, datetime) and isinstance(held, datetime):
        return timedelta(0) <= held - wanted <= CLOCK_ADVANCE
    return held == wanted
