"""What can be asked of a unit, within the limits of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

READ: Final = 0x03
WRITE_ONE: Final = 0x06
WRITE_SEVERAL: Final = 0x10
# Set in the function code of a Modbus exception.
REFUSED: Final = 0x80

# Modbus application protocol sections 6.3 and 6.12.
MAX_READ: Final = 125
MAX_WRITTEN: Final = 123
# Unit ids that address one unit; 0 is a broadcast.
UNITS: Final = range(1, 248)
WORDS: Final = range(0x10000)
# How many reads are kept: a device is polled with the same few again and again.
KEPT_READS: Final = 256


@dataclass(frozen=True, slots=True)
class Request:
    """A read of `count` holding registers from `address` on, or a write of `values` to them."""

    unit: int
    function: int
    address: int
    count: int
    values: tuple[int, ...] = ()


@lru_cache(KEPT_READS)
def read_request(unit: int, address: int, count: int) -> Request:
    """Function code 3; ValueError for what the protocol cannot express."""
    _check(unit, address, count, MAX_READ)
    return Request(unit, READ, address, count)


def write_request(unit: int, address: int, values: Sequence[int]) -> Request:
    """Function code 16; ValueError for what the protocol cannot express."""
    _check(unit, address, len(values), MAX_WRITTEN)
    return Request(unit, WRITE_SEVERAL, address, len(values), _words(values))


def write_one_request(unit: int, address: int, value: int) -> Request:
    """Function code 6; ValueError for what the protocol cannot express."""
    _check(unit, address, 1, 1)
    return Request(unit, WRITE_ONE, address, 1, _words([value]))


def _check(unit: int, address: int, count: int, most: int) -> None:
    """ValueError when unit, count or addresses do not exist."""
    if unit not in UNITS:
        raise ValueError(f"unit id {unit} is not 1 to 247")
    if not 1 <= count <= most:
        raise ValueError(f"{count} registers are not 1 to {most}")
    if address not in WORDS or address + count - 1 not in WORDS:
        raise ValueError(f"registers {address} to {address + count - 1} do not exist")


def _words(values: Sequence[int]) -> tuple[int, ...]:
    """The values; ValueError when one does not fit into a register."""
    if not all(value in WORDS for value in values):
        raise ValueError(f"{list(values)} are not words")
    return tuple(values)
