"""Any registers of the readable areas, whether or not the table knows them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..model.codec import Value
from .read_plan import not_readable
from .register_reader import RegisterReader


@dataclass(frozen=True, slots=True)
class RawWord:
    """What a device holds at one address; None where it refused the read."""

    address: int
    word: int | None
    # What the table makes of it, by key: nothing where it does not know the register. An implausible value is None.
    values: dict[str, Value | None] = field(default_factory=dict)


async def read_raw(reader: RegisterReader, first: int, count: int) -> list[RawWord]:
    """Read `count` readable registers from `first` on, in order; nothing of it is kept.

    No request is longer than any device takes, or crosses the border of a readable range. Raises LinkError when the device
    is not reached, RejectedError when it cannot answer now. What it refuses is told apart from what it serves.
    """
    words: dict[int, int] = {}
    for address, length in _requests(reader, first, count):
        await _read_served(reader, address, length, words)
    values: dict[int, dict[str, Value | None]] = {}
    for row in reader.family.registers.values():
        if words.keys() >= set(row.addresses):
            for address in row.addresses:
                values.setdefault(address, {})[row.key] = row.decode(words)
    return [
        RawWord(address, words.get(address), values.get(address, {}))
        for address in range(first, first + count)
    ]


def _requests(reader: RegisterReader, first: int, count: int) -> list[tuple[int, int]]:
    """The requests that read these addresses, each as its first one and how many; ValueError for one out of reach."""
    readable = reader.family.readable
    if unreadable := not_readable(readable, range(first, first + count)):
        raise ValueError(f"registers {unreadable} are not read")
    requests = []
    address, end = first, first + count
    while address < end:
        reach = max(high for low, high in readable if low <= address <= high)
        length = min(end - address, reach + 1 - address, reader.planner.short_read)
        requests.append((address, length))
        address += length
    return requests


async def _read_served(
    reader: RegisterReader, first: int, count: int, words: dict[int, int]
) -> None:
    """Add the words that the device serves; a read that is refused is halved until it is known what is not served."""
    if (brought := await reader.probe(first, count)) is not None:
        words.update(enumerate(brought, first))
    elif count > 1:
        half = count // 2
        await _read_served(reader, first, half, words)
        await _read_served(reader, first + half, count - half, words)
