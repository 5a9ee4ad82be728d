"""Words that were sent to registers which take their time: whether they may still take hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ..model.register import Register

# Seconds between two looks at a register that does not hold yet what was sent.
PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Sent:
    """A word, and until when it may take hold, by the event loop's clock."""

    word: int
    due: float
    # Whether the register proves it by showing it: not while another word may still come, and go again.
    is_shown: bool


class Settling:
    """What was sent to such registers, by address, until it is seen in force.

    A register that still shows its old word proves nothing before its time is over: whoever believed it would take what
    comes into force later for somebody else's.
    """

    def __init__(self) -> None:
        self._sent: dict[int, _Sent] = {}

    def sent(self, rows: Iterable[Register], words: Mapping[int, int]) -> None:
        """Note that the device was sent these words by address, those of these rows among them."""
        now = _now()
        for row in rows:
            for address in row.addresses if row.settle else ():
                word, last = words[address], self._sent.get(address)
                is_shown = last is None or last.due <= now or (last.word == word and last.is_shown)
                self._sent[address] = _Sent(word, now + row.settle, is_shown)

    def look(self, image: Mapping[int, int]) -> None:
        """Forget what an image of raw words that was just read proves."""
        now = _now()
        for address, one in list(self._sent.items()):
            if image.get(address) == one.word and (one.is_shown or one.due <= now):
                del self._sent[address]

    def may_come(self, addresses: Iterable[int]) -> bool:
        """Whether something was sent to these that was never seen in force."""
        return not self._sent.keys().isdisjoint(addresses)

    def left(self, image: Mapping[int, int] | None = None) -> float:
        """Seconds until everything, or what is in an image, is what the device will keep; 0 when it is."""
        among = self._sent.keys() if image is None else self._sent.keys() & image.keys()
        due = max((self._sent[address].due for address in among), default=0.0)
        # The event loop may wake up a hair too early.
        return max(0.0, round(due - _now(), 3))

    async def over(self) -> None:
        """Wait until what is read is what the device will keep."""
        await asyncio.sleep(self.left())


def _now() -> float:
    """Seconds of the event loop's clock."""
    return asyncio.get_running_loop().time()
