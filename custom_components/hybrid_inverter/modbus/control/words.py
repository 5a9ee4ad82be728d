"""The raw words of a device, changed setting by setting on paper: nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.codec import Value
from ..model.register import Register


class Words:
    """A copy of a device's words that settings are put into."""

    def __init__(self, image: Mapping[int, int], registers: Mapping[str, Register]) -> None:
        """`image` has the words of every setting that is looked at."""
        self._before = image
        self._words = dict(image)
        self._registers = registers
        self._put: set[int] = set()

    def value(self, key: str) -> Value | None:
        """What a setting holds now."""
        return self._registers[key].decode(self._words)

    def put(self, key: str, value: Value) -> None:
        """Have a setting hold a value; InvalidValueError when it cannot."""
        row = self._registers[key]
        self._words.update(zip(row.addresses, row.encode(value, self._words), strict=True))
        self._put.update(row.addresses)

    def word(self, key: str) -> int:
        """The whole first word of a setting, with whatever else is in it."""
        return self._words[self._registers[key].addresses[0]]

    def put_word(self, key: str, word: int) -> None:
        """Put a whole word where a setting begins."""
        address = self._registers[key].addresses[0]
        self._words[address] = word
        self._put.add(address)

    @property
    def touched(self) -> frozenset[int]:
        """The addresses of all that something was put into, be it what was there before."""
        return frozenset(self._put)

    def at(self, addresses: Iterable[int]) -> dict[int, int]:
        """The words at these addresses, changed or not."""
        return {address: self._words[address] for address in addresses}

    @property
    def changed(self) -> dict[int, int]:
        """The words that differ from what they were, by address."""
        return {
            address: word for address, word in self._words.items() if word != self._before[address]
        }
