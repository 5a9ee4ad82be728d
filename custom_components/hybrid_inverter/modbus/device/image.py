"""The raw registers of a device as they were last read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
import time
from typing import Protocol

from ..model.register import Register

# The first and last address of words that are read together: a value, or its part without a gap.
type Span = tuple[int, int]


def utc_now() -> datetime:
    """What time it is. It follows `time.time`, which the demo lets run faster."""
    return datetime.fromtimestamp(time.time(), UTC)


class WordFollower(Protocol):
    """Is told of every word that is read."""

    def take(self, first: int, words: Sequence[int]) -> None:
        """Take the words of one read from address `first` on."""
        ...

    def doubt(self, spans: Iterable[Span]) -> None:
        """Take note that nobody knows these words until they are read again."""
        ...


class RegisterImage:
    """The newest word of every address whose last read succeeded.

    A word whose last read failed, or that was written and not read back, is not in it.
    """

    def __init__(self) -> None:
        self._words: dict[int, int] = {}
        # Rises with every change of a word: while it stays, everything that was decoded holds.
        self.revision = 0
        # When each read was answered last, in seconds since 1970, as that costs least.
        self.answered_at: dict[Span, float] = {}
        self._follower: WordFollower | None = None
        self._changed: set[int] = set()

    @property
    def words(self) -> Mapping[int, int]:
        """Every word by its address."""
        return self._words

    def update(self, first: int, words: Sequence[int]) -> None:
        """Take over the words of one read from address `first` on."""
        addresses = range(first, first + len(words))
        held = [*map(self._words.get, addresses)]
        if held != list(words):
            self._changed.update(
                address
                for address, old, new in zip(addresses, held, words, strict=True)
                if old != new
            )
            self._words.update(zip(addresses, words, strict=True))
            self.revision += 1
        self.answered_at[first, addresses[-1]] = time.time()
        if self._follower is not None:
            self._follower.take(first, words)

    def follow(self, follower: WordFollower) -> None:
        """Tell one follower of every word that is read from now on."""
        self._follower = follower

    def doubt(self, spans: Collection[Span]) -> None:
        """Drop words that were written, until they are read back."""
        self.forget(spans)
        if self._follower is not None:
            self._follower.doubt(spans)

    def forget(self, spans: Iterable[Span]) -> None:
        """Drop words that may not be what the device holds."""
        lost = addresses_of(spans) & self._words.keys()
        for address in lost:
            del self._words[address]
        self._changed |= lost
        self.revision += bool(lost)

    def take_changed(self) -> set[int]:
        """The addresses whose words have changed, or were dropped, since this was asked last."""
        changed, self._changed = self._changed, set()
        return changed

    def has(self, register: Register) -> bool:
        """Whether the last read of each word of a register succeeded."""
        return self._words.keys() >= set(register.read_from)

    def holds(self, spans: Iterable[Span]) -> bool:
        """Whether the last read of each of these words succeeded."""
        return self._words.keys() >= addresses_of(spans)

    def was_read(self, first: int, last: int) -> bool:
        """Whether one read has ever brought all words from `first` to `last`."""
        return any(low <= first and last <= high for low, high in self.answered_at)

    @property
    def longest_read(self) -> int:
        """How many words the longest read has brought so far."""
        return max((last - first + 1 for first, last in self.answered_at), default=0)

    def read_at(self, register: Register) -> datetime | None:
        """When a register was read last, in UTC; None if never, or if its words are from different reads."""
        times = {self._address_read_at(address) for address in register.addresses}
        when = times.pop() if len(times) == 1 else None
        return None if when is None else datetime.fromtimestamp(when, UTC)

    def _address_read_at(self, address: int) -> float | None:
        covering = (
            when for (first, last), when in self.answered_at.items() if first <= address <= last
        )
        return max(covering, default=None)


def addresses_of(spans: Iterable[Span]) -> set[int]:
    """Every address of these spans."""
    return {address for first, last in spans for address in range(first, last + 1)}
