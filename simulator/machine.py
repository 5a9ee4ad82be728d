"""A machine as it looks from the wire: registers, who may read and write them, and the trouble such machines make.

It takes request PDUs and gives answer PDUs; framing, unit ids and timing are the server's business. What one brand's
registers mean, and which values it takes, is the business of the classes made from this one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
import struct
from typing import Any, ClassVar, Final

from custom_components.hybrid_inverter.modbus.model.codec import Choice, FloatNumber, Number, Value
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.register import Register

from .pdu import (
    BUSY,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    MAX_WRITTEN,
    READ_HOLDING,
    WRITE_MULTIPLE,
    WRITE_SINGLE,
    Refusal,
    words_of,
)
from .trouble import MAX_READ, Spike, Trouble

# The units of counters.
COUNTER_UNITS: Final = frozenset({"kWh", "kvarh", "h"})
# How many reads are remembered.
REMEMBERED_READS: Final = 2000


@dataclass(frozen=True, slots=True)
class Write:
    """A write request that arrived, whether or not it was obeyed."""

    function: int
    address: int
    values: tuple[int, ...]
    # Seconds of the machine's `timer`.
    time: float
    # The exception it was answered with; 0 is an acknowledgement.
    exception: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """A read request that was answered with registers."""

    address: int
    count: int
    # Seconds of the machine's `timer`.
    time: float


@dataclass(order=True, slots=True)
class _Change:
    """Words that take effect at a time of the timer."""

    due: float
    words: dict[int, int] = field(compare=False)


class Machine(ABC):
    """The registers of one machine."""

    # The function codes that it takes writes with.
    write_functions: ClassVar[frozenset[int]]

    def __init__(
        self,
        family: Family,
        *,
        model: str,
        unit: int,
        registers: Sequence[tuple[int, int]],
        readable: Sequence[tuple[int, int]],
        writable: frozenset[int],
        timer: Callable[[], float],
    ) -> None:
        """Make the registers in inclusive ranges, all 0, of which the readable ones are served.

        `timer` counts seconds for the trouble.
        """
        self.family = family
        self.model = model
        self.unit = unit
        self.trouble = Trouble()
        self.writes: list[Write] = []
        self.reads: deque[Read] = deque(maxlen=REMEMBERED_READS)
        self._timer = timer
        self._changes: list[_Change] = []
        # What was published last, and the words before that.
        self._published: object = None
        self._former: dict[int, int] = {}
        self._high_words = {
            row.addresses[-1 if getattr(row.codec, "low_first", False) else 0]
            for row in family.every_row()
            if len(row.addresses) == 2
        }
        # The counters that somebody has set back, each with what it had counted then.
        self._origins: dict[str, float] = {}
        self._writable = writable
        self._image = dict.fromkeys(_addresses(registers), 0)
        self._served = frozenset(_addresses(readable))

    # What a test or a person in front of the machine can do

    @abstractmethod
    def glance(self) -> dict[str, Any]:
        """What a person wants to know first, fit for JSON."""

    def word(self, address: int) -> int:
        """A raw register as a read would serve it now; KeyError when it is not readable."""
        if address not in self._served:
            raise KeyError(address)
        self._refresh()
        return self._image[address]

    def value(self, key: str) -> Value | None:
        """The value of a row of the table, or of what it derives, as a read would give it now."""
        return self.values((key,))[key]

    def values(self, keys: Iterable[str]) -> dict[str, Value | None]:
        """The values of several rows, or of what is derived, at one moment."""
        self._refresh()
        return {key: self._decoded(key) for key in keys}

    def _decoded(self, key: str) -> Value | None:
        if (derived := self.family.derived.get(key)) is not None:
            return derived.compute({name: self._decoded(name) for name in derived.inputs})
        return self.family.registers[key].decode(self._image)

    def panel_set(self, key: str, value: Value) -> None:
        """Set a value as if somebody did it on the display, which offers all that there is."""
        self._refresh()
        for row in self.places_of(key):
            codec = row.codec
            whole = replace(codec, shown_only=frozenset()) if isinstance(codec, Choice) else codec
            words = replace(row, codec=whole).encode(value, self._image)
            self._commit(dict(zip(row.addresses, words, strict=True)))

    def panel_change(self, address: int, value: int) -> None:
        """Set a raw register as if somebody did it on the display, without a check."""
        if address not in self._served:
            raise KeyError(address)
        self._refresh()
        self._commit({address: value})

    def places_of(self, key: str) -> Sequence[Register]:
        """All rows that hold a value; KeyError when the machine does not have it."""
        return (self.family.registers[key],)

    def restart(self, key: str) -> None:
        """Have a counter begin again from 0; KeyError for what the machine does not have, ValueError for no counter."""
        row = self.places_of(key)[0]
        if row.unit not in COUNTER_UNITS or not isinstance(count := self.value(key), (int, float)):
            raise ValueError(f"{key} is no counter")
        self._origins[key] = self._origins.get(key, 0.0) + count
        self._published = None

    @abstractmethod
    def step(self, seconds: float) -> None:
        """Let time pass."""

    # The wire

    def respond(self, pdu: bytes) -> bytes | None:
        """The answer to a request PDU, or None when the machine stays silent."""
        if self.trouble.silent or not pdu:
            return None
        try:
            return self._answer(pdu)
        except Refusal as refusal:
            return bytes((pdu[0] | 0x80, refusal.code))

    def _answer(self, pdu: bytes) -> bytes | None:
        if self.trouble.busy:
            raise Refusal(BUSY)
        if pdu[0] == READ_HOLDING and len(pdu) == 5:
            address, count = struct.unpack(">HH", pdu[1:])
            if any(_touches(address, count, *block) for block in self.trouble.silent_blocks):
                return None
            words = self.read(address, count)
            self.reads.append(Read(address, count, self._timer()))
            return struct.pack(f">BB{len(words)}H", READ_HOLDING, 2 * len(words), *words)
        if pdu[0] in {WRITE_SINGLE, WRITE_MULTIPLE} and len(pdu) >= 5:
            return self._answer_write(pdu)
        raise Refusal(ILLEGAL_FUNCTION)

    def _answer_write(self, pdu: bytes) -> bytes | None:
        address, values = words_of(pdu)
        exception = self._try_to_write(pdu[0], address, values)
        # Whoever tries a function that is not served, or a wrong address, wants to be seen too.
        self.writes.append(Write(pdu[0], address, values, self._timer(), exception))
        if self.trouble.lost_answers:
            self.trouble.lost_answers -= 1
            return None
        if exception:
            raise Refusal(exception)
        return pdu[:5]

    def _try_to_write(self, function: int, address: int, values: Sequence[int]) -> int:
        """Write, and return the exception code that it is answered with; 0 is an acknowledgement."""
        if function not in self.write_functions:
            return ILLEGAL_FUNCTION
        for first, last, code in self.trouble.refused_writes:
            if _touches(address, len(values), first, last):
                return code
        try:
            self.write(address, values)
        except Refusal as refusal:
            return refusal.code
        return 0

    def read(self, address: int, count: int) -> list[int]:
        """Raw registers; Refusal where the real machine refuses them."""
        if not 1 <= count <= min(MAX_READ, self.trouble.longest_read):
            raise Refusal(ILLEGAL_VALUE)
        if (code := self._refused(address, count)) is not None:
            raise Refusal(code)
        self._refresh()
        places = range(address, address + count)
        if self.trouble.shifted_reads:
            self.trouble.shifted_reads -= 1
            return [self._image.get(place + 1, 0) for place in places]
        if self.trouble.torn_reads:
            self.trouble.torn_reads -= 1
            return self._torn(places)
        spiked = self._spiked(places)
        return [spiked.get(place, self._image[place]) for place in places]

    def _spiked(self, places: Sequence[int]) -> dict[int, int]:
        """The wild words that a read of these places brings instead of the true ones."""
        words: dict[int, int] = {}
        now = self._timer()
        for spike in self.trouble.spikes:
            wild = self.wild_words(spike)
            if not spike.is_over(now) and not wild.keys().isdisjoint(places):
                spike.is_read(now)
                words |= wild
        return words

    def wild_words(self, spike: Spike) -> dict[int, int]:
        """The words of a spike by address; KeyError or ValueError when the machine cannot have it."""
        if isinstance(spike.register, int):
            if spike.register not in self._served:
                raise KeyError(spike.register)
            return {spike.register: spike.value}
        return {
            place: word
            for row in self.places_of(spike.register)
            for place, word in zip(row.addresses, row.encode(spike.value, self._image), strict=True)
        }

    def _torn(self, places: Sequence[int]) -> list[int]:
        """Words of which the high ones of two are from before the last change."""
        return [
            (self._former if place in self._high_words else self._image).get(
                place, self._image[place]
            )
            for place in places
        ]

    def _refused(self, address: int, count: int) -> int | None:
        """The exception code that a read is answered with, if any."""
        for first, last, code in self.trouble.refused_blocks:
            if _touches(address, count, first, last):
                return code
        served = self._served.issuperset(range(address, address + count))
        return None if served else ILLEGAL_ADDRESS

    def write(self, address: int, values: Sequence[int]) -> None:
        """Store raw registers; Refusal where the real machine refuses them."""
        words = self._writable_words(address, values)
        self._refresh()
        if self.trouble.locked:
            return
        accepted = {
            place: word
            for place, word in self._judge(words).items()
            if place not in self.trouble.ignored_writes
        }
        before = {place: self._image[place] for place in accepted}
        now = self._timer()
        effective = now + (delay := self.trouble.commit_seconds(accepted))
        if delay > 0:
            self._changes.append(_Change(effective, accepted))
        else:
            self._commit(accepted)
        if self.trouble.reverting > 0:
            self._changes.append(_Change(effective + self.trouble.reverting, before))

    def check_write(self, address: int, values: Sequence[int]) -> None:
        """Refusal for registers that the real machine would refuse."""
        self._judge(self._writable_words(address, values))

    def _writable_words(self, address: int, values: Sequence[int]) -> dict[int, int]:
        """The words of a write by address; Refusal when there are too many, or not all of them can be written."""
        if not 1 <= len(values) <= MAX_WRITTEN:
            raise Refusal(ILLEGAL_VALUE)
        words = dict(enumerate(values, address))
        if not words.keys() <= self._writable & self._served:
            raise Refusal(ILLEGAL_ADDRESS)
        return words

    # What a brand's machine does

    @abstractmethod
    def _judge(self, words: Mapping[int, int]) -> dict[int, int]:
        """The words that the machine will hold of what is written; Refusal when it reports that it does not."""

    @abstractmethod
    def _state(self) -> object:
        """A value that changes whenever there is something to publish."""

    @abstractmethod
    def _publish(self) -> None:
        """Put what is to be seen into the registers."""

    # The image

    def _commit(self, words: Mapping[int, int]) -> None:
        """Make words effective."""
        self._store(words)

    def _store(self, words: Mapping[int, int]) -> None:
        self._image.update((place, word) for place, word in words.items() if place in self._image)

    def _put(self, key: str, value: Value) -> None:
        """Store a value with the table's codec, on the grid that the register can hold."""
        self._put_row(self.family.registers[key], value)

    def _put_row(self, row: Register, value: Value) -> None:
        if isinstance(row.codec, Number) and isinstance(value, float):
            value = round(value / row.codec.scale) * row.codec.scale
        if isinstance(row.codec, FloatNumber) and isinstance(value, float):
            value = row.codec.nearest(value)
        words = row.encode(value, self._image)
        self._store(dict(zip(row.addresses, words, strict=True)))

    def _setting(self, key: str) -> Value | None:
        """The value of a setting."""
        return self.family.registers[key].decode(self._image)

    def _number(self, key: str) -> float:
        """A setting as a number; one without a value counts as 0."""
        value = self._setting(key)
        return float(value) if isinstance(value, (int, float)) else 0.0

    def _is(self, key: str, wanted: Value = True) -> bool:
        """Whether a setting has this value."""
        return self._setting(key) == wanted

    def settle(self) -> None:
        """Let the changes take effect that are due."""
        now = self._timer()
        for change in sorted(change for change in self._changes if change.due <= now):
            self._changes.remove(change)
            self._commit(change.words)

    def _refresh(self) -> None:
        """Bring the image up to date."""
        self.settle()
        state = self._state()
        if self._published != state:
            self._published = state
            self._former = dict(self._image)
            self._publish()
            self._set_back()

    def _set_back(self) -> None:
        """Have the counters that began again show what they have counted since."""
        for key, origin in list(self._origins.items()):
            for row in self.places_of(key):
                if not isinstance(count := row.decode(self._image), (int, float)):
                    continue
                if count < origin:
                    # A new day has set it back itself.
                    self._origins.pop(key, None)
                    break
                self._put_row(row, float(count - origin))


def _addresses(ranges: Sequence[tuple[int, int]]) -> list[int]:
    """All addresses in inclusive ranges."""
    return [address for first, last in ranges for address in range(first, last + 1)]


def _touches(address: int, count: int, first: int, last: int) -> bool:
    """Whether a request has any address of a block."""
    return address <= last and address + count > first
