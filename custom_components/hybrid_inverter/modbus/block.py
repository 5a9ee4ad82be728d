"""Settings that are written in one request, and what is in such a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from .codec import Number, Value
from .errors import UndoError
from .register import Group, Register

# The first and last address of words that are read together: a value, or its part without a gap.
type Span = tuple[int, int]

# How far a clock may have gone on between being set and being read back.
CLOCK_ADVANCE: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Block:
    """Settings that are written in one request, with all rows on the run of addresses that the request covers."""

    wanted: Mapping[str, Value]
    # Those that are wanted come first; the others are sent as they were just read.
    rows: Mapping[str, Register]
    span: Span
    # Whether the machine held this before, so that it may hold it again even if it is nothing to choose.
    former: bool = False
    # Whether it gives back what was taken: no tier, bound or budget stands against that.
    owed: bool = False

    @classmethod
    def of_words(cls, row: Register, words: list[int]) -> Block:
        """Return what puts these words of a register back, whatever they mean; UndoError when it has not so many."""
        codec = Number(words=len(words))
        bare = replace(row, codec=codec, limits=None, plausible=None, written_with=())
        value, (span,) = codec.decode(words), row.spans
        if value is None or len(row.addresses) != len(words):
            raise UndoError(row.key)
        return cls({row.key: value}, {row.key: bare}, span, former=True, owed=True)

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


@dataclass(frozen=True, slots=True)
class Written:
    """A setting that was changed, and what it held before."""

    key: str
    before: Value | None
    after: Value


def one_after_another(
    steps: Iterable[tuple[str, Value]], block_of: Callable[[Mapping[str, Value]], Block]
) -> list[Block]:
    """Return the requests that these steps take, in order; what lies in one register one after another shares one."""
    blocks: list[Block] = []
    for key, value in steps:
        block = block_of({key: value})
        if blocks and blocks[-1].span == block.span and key not in blocks[-1].wanted:
            blocks[-1] = block_of({**blocks[-1].wanted, **block.wanted})
        else:
            blocks.append(block)
    return blocks


def addresses_of(spans: Iterable[Span]) -> set[int]:
    """Return every address of these spans."""
    return {address for first, last in spans for address in range(first, last + 1)}


def _is_kept(wanted: Value, held: Value | None) -> bool:
    """Whether a machine that holds this has kept what was written; a clock has gone on."""
    if isinstance(wanted, datetime) and isinstance(held, datetime):
        return timedelta(0) <= held - wanted <= CLOCK_ADVANCE
    return held == wanted
