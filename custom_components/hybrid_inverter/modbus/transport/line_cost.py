"""What a read costs on a serial line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# A read request has 8 bytes and its answer 5 around the registers; each is framed by 3.5 silent characters
# (Modbus over serial line V1.02, sections 2.5.1 and 2.3).
REQUEST_BYTES: Final = 8 + 5
REQUEST_CHARACTERS: Final = REQUEST_BYTES + 2 * 3.5
REGISTER_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class LineCost:
    """What a read costs on a line, in seconds."""

    baudrate: int = 9600
    # Start bit, eight data bits, parity and stop bits.
    bits_per_character: int = 10
    # From the last byte of a request to the first byte of its answer.
    turnaround: float = 0.015

    @property
    def character(self) -> float:
        """Seconds that a character takes."""
        return self.bits_per_character / self.baudrate

    @property
    def per_request(self) -> float:
        """Seconds that a request takes, whatever it reads."""
        return REQUEST_CHARACTERS * self.character + self.turnaround

    @property
    def per_register(self) -> float:
        """Seconds that each register adds."""
        return REGISTER_BYTES * self.character

    def of_one(self, registers: int) -> float:
        """Seconds that a read of so many registers takes."""
        return self.per_request + registers * self.per_register

    def of(self, reads: Iterable[Read]) -> float:
        """Seconds that these reads take together."""
        return sum(self.of_one(read.count) for read in reads)


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """One request: `count` registers from `address` on."""

    address: int
    count: int

    @property
    def last(self) -> int:
        """The last address."""
        return self.address + self.count - 1
