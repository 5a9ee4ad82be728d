"""What can be wrong with a machine: data that the machine goes by, and that is changed from JSON while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

# What Modbus allows (application protocol section 6.3).
MOST_READ: Final = 125
UNSWAPPED: Final = (1, 2, 3)

# First and last address, and the exception code that a read of any of them is answered with.
type Refused = tuple[int, int, int]


@dataclass(slots=True)
class Spike:
    """A wild value instead of the true one, in so many reads, for so many seconds from the first on, or until taken away."""

    # A key of the register table with a value, or an address with a raw word.
    register: str | int
    value: Any
    reads: int | None = None
    seconds: float | None = None
    # When it ends, on the machine's timer; known once it was read.
    until: float | None = None

    def is_over(self, now: float) -> bool:
        """Whether it has been read often or long enough."""
        return self.reads == 0 or (self.until is not None and now >= self.until)

    def is_read(self, now: float) -> None:
        """Take note that somebody has read it."""
        if self.reads is not None:
            self.reads -= 1
        if self.seconds is not None and self.until is None:
            self.until = now + self.seconds


@dataclass(slots=True)
class Trouble:
    """What is wrong with the machine at the moment; everything off is a machine in order."""

    # Seconds until a written value can be read back.
    slow_commit: float = 0.0
    # Seconds after which a written value goes back to what it was.
    reverting: float = 0.0
    # Writes are acknowledged and ignored ("Lock out all changes").
    locked: bool = False
    # Every request is answered with exception 6.
    busy: bool = False
    # No request is answered.
    silent: bool = False
    # Fault bits that are set: bit n is fault F(n + 1) of a JSO, E(n + 1) of a SAJ.
    faults: frozenset[int] = frozenset()
    # The grid is gone.
    outage: bool = False
    # Addresses whose writes are acknowledged and ignored.
    ignored_writes: frozenset[int] = frozenset()
    # First and last addresses of which no read is answered.
    silent_blocks: tuple[tuple[int, int], ...] = ()
    # What is refused on top of what the model refuses anyway.
    refused_blocks: tuple[Refused, ...] = ()
    # The most registers that one read may ask for.
    longest_read: int = MOST_READ
    # The battery packs tell nothing of themselves: all their registers are 0.
    zero_packs: bool = False
    # So many of the next reads bring numbers of two words of which the high one is from before the last change.
    torn_reads: int = 0
    # So many of the next reads are answered with words that lie one register further on.
    shifted_reads: int = 0
    # The phases, counted from 1, whose transformer is the wrong way round.
    reversed_phases: frozenset[int] = frozenset()
    # The phase on which the transformer of each phase sits: 2, 1, 3 are the first two swapped.
    phase_order: tuple[int, ...] = UNSWAPPED
    # Wild values instead of the true ones.
    spikes: tuple[Spike, ...] = ()

    def clamped[Power: (int, float)](
        self, powers: tuple[Power, Power, Power]
    ) -> tuple[Power, Power, Power]:
        """Return the powers of the phases as the transformers show them."""
        l1, l2, l3 = (
            -powers[phase - 1] if place in self.reversed_phases else powers[phase - 1]
            for place, phase in enumerate(self.phase_order, 1)
        )
        return l1, l2, l3


def change_trouble(trouble: Trouble, changes: Mapping[str, object]) -> Trouble:
    """Return the trouble with some of its fields changed; ValueError when a field or its type is wrong.

    What is null is in order again.
    """
    wanted: dict[str, Any] = {
        name: getattr(IN_ORDER, name)
        if value is None and name in TROUBLES
        else _trouble_value(name, getattr(trouble, name, None), value)
        for name, value in changes.items()
    }
    return replace(trouble, **wanted)


def _blocks(size: int) -> Callable[[list[Any]], object]:
    """Return what makes blocks of addresses, of so many numbers each."""

    def parse(value: list[Any]) -> object:
        if any(len(block) != size for block in value):
            raise ValueError(f"{size} numbers each")
        return tuple(tuple(map(_whole, block)) for block in value)

    return parse


def _phase_order(value: list[Any]) -> object:
    """Return an order of the three phases."""
    if sorted(value) != list(UNSWAPPED):
        raise ValueError("each of the three phases once")
    return tuple(map(_whole, value))


def _spikes(value: list[Any]) -> object:
    """Return spikes, which have not been read yet."""
    return tuple(_spike(**spike) for spike in value)


def _spike(
    *, register: str | int, value: Any, reads: int | None = None, seconds: float | None = None
) -> Spike:
    if not isinstance(register, str):
        if not 0 <= _whole(value) <= 0xFFFF:
            raise ValueError("a register holds 0 to 65535")
        _whole(register)
    if reads is not None and _whole(reads) < 1:
        raise ValueError("one read or more")
    return Spike(register, value, reads, None if seconds is None else float(seconds))


def _whole(value: Any) -> int:
    """Return a whole number as such."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value


# What makes a field of a list that is not a set of numbers.
_LISTS: Final[Mapping[str, Callable[[list[Any]], object]]] = {
    "silent_blocks": _blocks(2),
    "refused_blocks": _blocks(3),
    "phase_order": _phase_order,
    "spikes": _spikes,
}

TROUBLES: Final = tuple(field.name for field in fields(Trouble))
IN_ORDER: Final = Trouble()


def _trouble_value(name: str, old: object, value: object) -> object:
    """Return a value from JSON in the type that a field has."""
    if isinstance(old, bool) and isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if isinstance(old, float):
            return float(value)
        if isinstance(old, int) and not isinstance(old, bool) and isinstance(value, int):
            return value
    if isinstance(value, list):
        try:
            if isinstance(old, frozenset):
                return frozenset(map(_whole, value))
            if (parse := _LISTS.get(name)) is not None:
                return parse(value)
        except (TypeError, ValueError) as err:
            raise ValueError(f"no such trouble: {name}={value!r} ({err})") from err
    raise ValueError(f"no such trouble: {name}={value!r}")
