"""Requests of one change that wait for each other, as one limit of the export takes the place of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..model.codec import Value
from ..model.family import Family
from ..model.register import Register
from .write_request import WriteRequest

# A request, and the words that are held before it is sent.
type Due = tuple[WriteRequest, dict[int, int]]


def staged_keys(changes: Sequence[Due], family: Family) -> frozenset[str]:
    """The settings of which one is only written when the device holds the one before it; none of nearly all changes."""
    limit = family.export_limit
    if limit is None or limit.elsewhere is None:
        return frozenset()
    mode = family.registers.get(limit.elsewhere[0])
    keys = frozenset[str]()
    for request, before in changes:
        if mode is not None and mode.key in request.wanted:
            after = dict(zip(request.addresses, request.encode(before), strict=True))
            keys |= limit.staged_keys(_value(mode, before), _value(mode, after))
    return keys


def stages(changes: Sequence[Due], family: Family) -> list[Sequence[Due]]:
    """These changes in order, in stages that end with what the next one waits for; one stage of nearly all changes."""
    keys = staged_keys(changes, family)
    ends = [
        number
        for number, (request, _) in enumerate(changes, 1)
        if not keys.isdisjoint(request.wanted)
    ]
    return [changes[one:other] for one, other in pairwise([0, *ends[:-1], len(changes)])]


def _value(row: Register, words: Mapping[int, int]) -> dict[str, Value | None]:
    """What a setting is with these words."""
    return {row.key: row.decode(words)}
