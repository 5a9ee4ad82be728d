"""The order in which slots that are windows are changed, so that the others stay in force."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.codec import Value
from .window_slots import Slot


def steps_between(held: Sequence[Slot], wanted: Sequence[Slot]) -> list[tuple[str, Value]]:
    """The settings to write, in order, from slots as they are to the same slots as they will be.

    No slot ever acts half-written. What begins anew is written while it is off. What is not needed any more is switched
    off. Then slot after slot is switched off, written and switched on, so that all others stay in force: a change that
    is broken off costs one slot. Only those that would overlap with one that has changed already are off before their
    turn. What begins anew is switched on at the end.
    """
    changed = [pair for pair in zip(held, wanted, strict=True) if pair[0] != pair[1]]
    begun = [pair for pair in changed if pair[0].enabled is False]
    ended = [before for before, after in changed if not after.enabled]
    moved = _one_by_one(
        [pair for pair in changed if pair[0].enabled is not False and pair[1].enabled]
    )
    if moved:
        # One write switches off the last one that ends and the first one that changes.
        ended.sort(key=lambda slot: slot.mode == moved[0][0].mode)
    steps = [step for pair in begun for step in _contents_to_write(*pair)]
    steps += [slot.switched(on=False) for slot in ended]
    off: set[Slot] = set()
    for place, (before, after) in enumerate(moved):
        in_the_way = [
            other for other, _ in moved[place + 1 :] if _overlap(after, other) and other not in off
        ]
        off.update(in_the_way)
        in_force = [] if before in off else [before]
        steps += [slot.switched(on=False) for slot in (*in_the_way, *in_force)]
        steps += [*_contents_to_write(before, after), after.switched(on=True)]
    return [*steps, *(after.switched(on=True) for _, after in begun)]


def _one_by_one(moved: list[tuple[Slot, Slot]]) -> list[tuple[Slot, Slot]]:
    """Slots that change, each after those that its new content would overlap with, as far as there is such an order."""
    ordered: list[tuple[Slot, Slot]] = []
    while moved:
        free = (
            pair
            for pair in moved
            if not any(_overlap(pair[1], other) for other, _ in moved if other is not pair[0])
        )
        ordered.append(next(free, moved[0]))
        moved.remove(ordered[-1])
    return ordered


def _overlap(one: Slot, other: Slot) -> bool:
    """Whether two slots would be in force at the same moment; of one that cannot be read nobody knows."""
    if one.content is None or other.content is None:
        return True
    return one.content.overlap(other.content) is not None


def _contents_to_write(before: Slot, after: Slot) -> list[tuple[str, Value]]:
    """The settings of a slot besides its switch, as far as they differ."""
    if after.content is None:
        return []
    known = before.content.values(before.mode, before.number) if before.content else {}
    written = after.content.values(after.mode, after.number)
    return [(key, value) for key, value in written.items() if known.get(key) != value]
