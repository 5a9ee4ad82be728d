"""Machines that serve the raw registers of a fixture on a simulated line."""

from collections.abc import Sequence
import json
from pathlib import Path
import struct

FIXTURES = Path(__file__).parents[1] / "fixtures"


class PicturedMachine:
    """Answers reads from an image of its registers, refuses what is not in it, and takes no writes."""

    def __init__(self, name: str) -> None:
        """Take the name of the fixture, in which blocks of words stand by their first address."""
        blocks = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
        self.words: dict[int, int] = {
            int(start, 16) + offset: word
            for start, words in blocks.items()
            for offset, word in enumerate(words)
        }
        # The function codes of all requests.
        self.functions: list[int] = []

    def respond(self, pdu: bytes) -> bytes:
        """Return the answer to a request."""
        function, address, count = struct.unpack(">BHH", pdu[:5])
        self.functions.append(function)
        wanted: Sequence[int] = range(address, address + count)
        if function != 3:
            return bytes((function | 0x80, 1))
        if any(each not in self.words for each in wanted):
            return bytes((function | 0x80, 2))
        return struct.pack(f">BB{count}H", 3, 2 * count, *(self.words[each] for each in wanted))

    def put(self, address: int, number: float) -> None:
        """Put a single of two words at an address."""
        self.words[address], self.words[address + 1] = struct.unpack(
            ">HH", struct.pack(">f", number)
        )

    def step(self, _seconds: float) -> None:
        """Let time pass, which changes nothing."""
