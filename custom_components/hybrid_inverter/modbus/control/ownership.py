"""Whose the words of a device are where orders have put something: the owner's again, an order's, or somebody else's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..model.codec import WORD


def given_back(
    before: Mapping[int, int],
    put_there: Sequence[Mapping[int, int]],
    held: Mapping[int, int],
    flags: Collection[int],
) -> dict[int, int]:
    """The owner's words when orders are over, by address: what was before where the device still holds what they have put there.

    Somebody else has set what it holds otherwise. `put_there` are the words of one state of the orders, or of two between
    which a change was broken off. At the addresses in `flags` each bit counts by itself: a word of them that somebody has
    changed keeps no bit of an order.
    """
    return {
        address: _given_back(
            word,
            [words[address] for words in put_there if address in words],
            held[address],
            is_flags=address in flags,
        )
        for address, word in before.items()
        if address in held
    }


def _given_back(before: int, put_there: Sequence[int], held: int, *, is_flags: bool) -> int:
    """What one word is to be."""
    if held in put_there:
        return before
    if not is_flags or before == WORD:
        return held
    moved = 0
    for word in put_there:
        moved |= word ^ before
    return before & moved | held & ~moved
