"""The words of one unit as they were last read, and for how long each of them is served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
import math

from ..device.image import Span, addresses_of
from .protocol import ExceptionCode, RefusedError


class MirroredUnit:
    """Serves words that a device was asked for anyway; it follows the device's image.

    A word whose later reads fail is served until it is too old. One that was written is not, until it is read back.
    """

    def __init__(
        self,
        max_ages: Mapping[int, float],
        default_max_age: float,
        is_other: Callable[[], bool] = lambda: False,
    ) -> None:
        """How many seconds each address is served after it was read, and any address that is not among them.

        `is_other` is whether another device answers at present: then nothing is served.
        """
        self._max_ages = dict(max_ages)
        self._default_max_age = default_max_age
        self._is_other = is_other
        self._words: dict[int, int] = {}
        # By the event loop's clock.
        self._read_at: dict[int, float] = {}

    def take(self, first: int, words: Sequence[int]) -> None:
        """Take the words of one read from address `first` on."""
        addresses = range(first, first + len(words))
        self._words.update(zip(addresses, words, strict=True))
        self._read_at.update(dict.fromkeys(addresses, _now()))

    def doubt(self, spans: Iterable[Span]) -> None:
        """Serve none of these words until they are read again."""
        known = addresses_of(spans) & self._words.keys()
        self._read_at.update(dict.fromkeys(known, -math.inf))

    def forget(self) -> None:
        """Serve nothing that was read so far: some of it may be another device's."""
        self._words.clear()
        self._read_at.clear()

    def serve_for(self, max_ages: Mapping[int, float]) -> None:
        """Serve each of these addresses for so many seconds from now on."""
        self._max_ages.update(max_ages)

    def read(self, first: int, count: int) -> list[int]:
        """`count` words from address `first` on; RefusedError where one of them is not known, or is too old."""
        if not self._words or self._is_other():
            raise RefusedError(ExceptionCode.TARGET_FAILED_TO_RESPOND)
        addresses = range(first, first + count)
        try:
            words = [self._words[address] for address in addresses]
        except KeyError:
            raise RefusedError(ExceptionCode.ILLEGAL_DATA_ADDRESS) from None
        now, read_at, max_ages = _now(), self._read_at, self._max_ages
        default = self._default_max_age
        if any(now - read_at[address] > max_ages.get(address, default) for address in addresses):
            raise RefusedError(ExceptionCode.TARGET_FAILED_TO_RESPOND)
        return words


def shortest(ages: Iterable[tuple[Iterable[int], float]]) -> dict[int, float]:
    """The least seconds that are named for each address."""
    by_address: dict[int, float] = {}
    for addresses, seconds in ages:
        for address in addresses:
            by_address[address] = min(seconds, by_address.get(address, math.inf))
    return by_address


def _now() -> float:
    """The time of the event loop, in seconds."""
    return asyncio.get_running_loop().time()
