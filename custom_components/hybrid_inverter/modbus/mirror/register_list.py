"""The list of registers that are polled for the mirror alone, as a person writes it: "1: 100-120, 0x200; 2: 7"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
import re
from typing import Final

from .protocol import ADDRESSES

# How many registers of a unit may be listed: each is a register that the line has to carry.
MAX_LISTED: Final = 100

_UNIT: Final = re.compile(r"(\d{1,3})\s*:(.*)")
_RANGE: Final = re.compile(r"(0x[0-9a-f]{1,4}|\d{1,5})(?:\s*-\s*(0x[0-9a-f]{1,4}|\d{1,5}))?")

type RegisterList = Mapping[int, Sequence[int]]


class UnreadableListError(ValueError):
    """A list with a part that cannot be understood."""

    def __init__(self, part: str) -> None:
        """`part` is what cannot be understood, as it was written."""
        super().__init__(part)
        self.part = part


def parse(text: str) -> RegisterList:
    """The addresses of each unit id, in order; UnreadableListError names what cannot be understood."""
    listed: dict[int, set[int]] = {}
    for line in filter(None, map(str.strip, re.split(r"[;\n]", text))):
        if (written := _UNIT.fullmatch(line)) is None:
            raise UnreadableListError(line)
        unit_id, ranges = written.groups()
        listed.setdefault(int(unit_id), set()).update(_addresses(ranges, line))
    return {unit_id: sorted(addresses) for unit_id, addresses in listed.items()}


def _addresses(text: str, line: str) -> Iterator[int]:
    """The addresses of ranges with commas between them; a range that is missing is named by its line."""
    for part in map(str.strip, text.lower().split(",")):
        if (written := _RANGE.fullmatch(part)) is None:
            raise UnreadableListError(part or line)
        first = _number(written[1])
        last = first if written[2] is None else _number(written[2])
        if not first <= last < ADDRESSES:
            raise UnreadableListError(part)
        yield from range(first, last + 1)


def _number(text: str) -> int:
    """A number, in decimal or in hexadecimal with 0x."""
    return int(text, 16) if text.startswith("0x") else int(text)
