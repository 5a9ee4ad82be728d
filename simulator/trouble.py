"""What can be wrong with a machine: data that the machine follows, and that is changed from JSON while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
import math
from typing import Any, Final

from .physics import Clamps, Place, Wiring

# What Modbus allows (application protocol section 6.3).
MAX_READ: Final = 125
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
        """Count a read."""
        if self.reads is not None:
            self.reads -= 1
        if self.seconds is not None and self.until is None:
            self.until = now + self.seconds


@dataclass(slots=True)
class Rewrite:
    """Words that another program, an energy manager say, writes again after so many seconds of the plant."""

    address: int
    words: tuple[int, ...]
    seconds: float
    # When it did so last, in seconds of the plant; None before the first time.
    last: float | None = None

    def seconds_left(self, now: float) -> float:
        """The seconds until it is due, to the microsecond; 0 when it is, or when the time was set back."""
        if self.last is None or now < self.last:
            return 0.0
        return max(0.0, round(self.last + self.seconds - now, 6))


@dataclass(slots=True)
class Trouble:
    """What is wrong with the machine at the moment; everything off is a machine in order."""

    # Seconds until a written value can be read back.
    slow_commit: float = 0.0
    # The addresses of which that is true; all of them if there are none here.
    slow_registers: frozenset[int] = frozenset()
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
    # Writes of any of these addresses are refused.
    refused_writes: tuple[Refused, ...] = ()
    # So many of the next writes are obeyed, and their answers get lost.
    lost_answers: int = 0
    # What another program writes again and again.
    rewrites: tuple[Rewrite, ...] = ()
    # How other firmware differs. Addresses whose new words are stored, but the flows go on by the old ones.
    without_effect: frozenset[int] = frozenset()
    # Of a JSO: a time-of-use table without any weekday holds on every day.
    daily_table: bool = False
    # Of a JSO: a slot's power limits the charge from the grid too.
    slot_limits_grid_charge: bool = False
    # Of a SAJ: the percent of a charge slot do not limit it.
    slot_charges_fully: bool = False
    # First and last addresses of which no read is answered.
    silent_blocks: tuple[tuple[int, int], ...] = ()
    # What is refused on top of what the model refuses anyway.
    refused_blocks: tuple[Refused, ...] = ()
    # The most registers that one read may ask for.
    longest_read: int = MAX_READ
    # The battery packs report nothing: all their registers are 0.
    zero_packs: bool = False
    # So many of the next reads bring numbers of two words of which the high one is from before the last change.
    torn_reads: int = 0
    # So many of the next reads are answered with words that lie one register further on.
    shifted_reads: int = 0
    # The phases, counted from 1, whose transformer is the wrong way round.
    reversed_phases: frozenset[int] = frozenset()
    # The phase on which the transformer of each phase sits: 2, 1, 3 are the first two swapped.
    phase_order: tuple[int, ...] = UNSWAPPED
    # What the transformers show of a watt, because of a wrong ratio.
    clamp_ratio: float = 1.0
    # Of an inverter: around which cable they sit.
    clamp_place: Place = Place.GRID
    # Of an inverter: it goes by the transformers at its own grid terminal, and those of the house are not used.
    internal_clamp: bool = False
    # Of a SAJ with two meters: each is where the other belongs, or the one of the solar inverter is not heard.
    meters_exchanged: bool = False
    solar_meter_lost: bool = False
    # Of an inverter: what its battery meter shows of a watt.
    battery_ratio: float = 1.0
    # Of an inverter: the share of each string's light that reaches it.
    string_light: tuple[float, ...] = ()
    # Wild values instead of the true ones.
    spikes: tuple[Spike, ...] = ()

    @property
    def firmware(self) -> tuple[object, ...]:
        """How the firmware differs; what the settings mean depends on it."""
        return (
            self.without_effect,
            self.daily_table,
            self.slot_limits_grid_charge,
            self.slot_charges_fully,
        )

    @property
    def installed(self) -> tuple[object, ...]:
        """What is wrong with the wires and the strings."""
        return (
            self.reversed_phases,
            self.phase_order,
            self.clamp_ratio,
            self.clamp_place,
            self.internal_clamp,
            self.meters_exchanged,
            self.solar_meter_lost,
            self.battery_ratio,
            self.string_light,
        )

    def commit_seconds(self, places: Iterable[int]) -> float:
        """The seconds until values that were written to these addresses can be read back."""
        is_slow = not (self.slow_registers and self.slow_registers.isdisjoint(places))
        return self.slow_commit if is_slow else 0.0

    def clamps(self, place: Place = Place.GRID) -> Clamps:
        """The transformers as they are."""
        if self.installed == IN_ORDER.installed:
            return Clamps(place)
        ratio = self.clamp_ratio
        first, second, third = (phase - 1 for phase in self.phase_order)
        l1, l2, l3 = (-ratio if phase in self.reversed_phases else ratio for phase in UNSWAPPED)
        return Clamps(place, (first, second, third), (l1, l2, l3))

    def wiring(self, solar_phases: int, *, linked: bool) -> Wiring:
        """What an inverter sees with a meter of so many phases at a solar inverter."""
        at_grid, at_solar = self.clamp_place, Place.SOLAR
        if self.internal_clamp:
            at_grid = Place.INVERTER
        elif self.meters_exchanged:
            at_grid, at_solar = Place.SOLAR, Place.GRID
        solar = None
        if solar_phases and not self.solar_meter_lost:
            l1, l2, l3 = (float(phase <= solar_phases) for phase in UNSWAPPED)
            solar = Clamps(at_solar, factors=(l1, l2, l3))
        return Wiring(
            grid=self.clamps(at_grid), solar=solar, linked=linked, battery=self.battery_ratio
        )


def change_trouble(trouble: Trouble, changes: Mapping[str, object]) -> Trouble:
    """The trouble with some of its fields changed; ValueError when a field or its type is wrong.

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
    """A parser of blocks of addresses, of so many numbers each."""

    def parse(value: list[Any]) -> object:
        if any(len(block) != size for block in value):
            raise ValueError(f"{size} numbers each")
        return tuple(tuple(map(_whole, block)) for block in value)

    return parse


def _phase_order(value: list[Any]) -> object:
    """An order of the three phases."""
    if sorted(value) != list(UNSWAPPED):
        raise ValueError("each of the three phases once")
    return tuple(map(_whole, value))


def _shares(value: list[Any]) -> object:
    """Shares of something."""
    if not all(0 <= share <= 1 for share in value):
        raise ValueError("shares from 0 to 1")
    return tuple(map(float, value))


def _spikes(value: list[Any]) -> object:
    """Spikes, which have not been read yet."""
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


def _rewrites(value: list[Any]) -> object:
    """Rewrites, none of which has happened yet."""
    return tuple(_rewrite(**rewrite) for rewrite in value)


def _rewrite(*, address: int, words: list[Any], seconds: float) -> Rewrite:
    if not all(0 <= _whole(word) <= 0xFFFF for word in words):
        raise ValueError("a register holds 0 to 65535")
    if not 1 <= seconds < math.inf:
        raise ValueError("a second or more")
    return Rewrite(_whole(address), tuple(words), float(seconds))


def _whole(value: Any) -> int:
    """A whole number; TypeError for anything else."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value


# What makes a field of a list that is not a set of numbers.
_LISTS: Final[Mapping[str, Callable[[list[Any]], object]]] = {
    "silent_blocks": _blocks(2),
    "refused_blocks": _blocks(3),
    "refused_writes": _blocks(3),
    "rewrites": _rewrites,
    "phase_order": _phase_order,
    "spikes": _spikes,
    "string_light": _shares,
}

TROUBLES: Final = tuple(field.name for field in fields(Trouble))
IN_ORDER: Final = Trouble()


def _trouble_value(name: str, old: object, value: object) -> object:
    """A value from JSON in the type that a field has."""
    if isinstance(old, Place) and isinstance(value, str) and value in Place:
        return Place(value)
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
