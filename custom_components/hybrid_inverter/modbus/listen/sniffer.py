"""What two others say to each other on a line: raw RTU bytes in, answered reads out. Nothing here can send.

A frame is known by its length and its checksum alone, never by the silence around it, which a gateway does not pass on.
An answer says neither which registers it holds nor which request it belongs to, so it counts only directly behind its
request; with anything lost or damaged in between it is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from ..transport.pymodbus_codec import is_intact
from ..transport.reception import STRAY_BYTES
from ..transport.request import MAX_READ, REFUSED, UNITS

# Read holding registers, read input registers: meters answer both from the same registers.
READS: Final = frozenset({3, 4})
# Functions whose request has eight bytes, whose answer says how long it is, and whose request does so.
SHORT: Final = frozenset(range(1, 7))
COUNTED_ANSWERS: Final = frozenset(range(1, 5))
COUNTED_REQUESTS: Final = frozenset({15, 16})
REFUSALS: Final = frozenset(function | REFUSED for function in SHORT | COUNTED_REQUESTS)

REQUEST_SIZE: Final = 8
REFUSAL_SIZE: Final = 5
# Seconds without a byte after which no frame goes on, and no answer comes any more. A gateway that collects bytes is
# faster than this, and an inverter that has not got an answer by then asks again.
SILENCE: Final = 0.5
# Over about how many bytes the clarity is taken, and from where on a line is clear. With nine of ten bytes in sound
# frames a damaged one that passes its checksum comes along less than once in a month.
CLARITY_BYTES: Final = 512
CLEAR: Final = 0.9


@dataclass(frozen=True, slots=True)
class Exchange:
    """A read and its answer, with the time at which the answer was complete."""

    unit: int
    address: int
    words: tuple[int, ...]
    time: float
    # Whether nearly everything that was heard lately was understood.
    clear: bool = True


@dataclass(slots=True)
class SnifferStatistics:
    """How much was heard, and how much of it understood."""

    bytes_received: int = 0
    # Bytes of sound frames.
    bytes_understood: int = 0
    # Requests to read registers, those that were answered, those that were refused, and those that were not answered
    # or whose answer was damaged.
    requests: int = 0
    exchanges: int = 0
    refusals: int = 0
    unanswered: int = 0
    # Sound answers behind no request.
    responses_without_request: int = 0
    # Sound frames that read no registers.
    others: int = 0
    # Runs of bytes that are no frame: damaged ones, and noise.
    damaged: int = 0

    @property
    def understood(self) -> float:
        """The share of the bytes that were part of a sound frame, 0 to 1."""
        return self.bytes_understood / self.bytes_received if self.bytes_received else 0.0

    def as_dict(self) -> dict[str, float]:
        """Everything, for diagnostics."""
        return {**asdict(self), "understood": round(self.understood, 4)}


@dataclass(frozen=True, slots=True)
class _PendingRead:
    """A request that waits for its answer."""

    unit: int
    function: int
    address: int
    count: int

    def is_answered_by(self, frame: bytes) -> bool:
        """Whether a sound frame with as many words as were asked for comes from the one that was pending."""
        return frame[:3] == bytes((self.unit, self.function, 2 * self.count))

    def is_refused_by(self, frame: bytes) -> bool:
        """Whether a sound frame is the exception that the one who was asked answers with."""
        return frame[:2] == bytes((self.unit, self.function | REFUSED))


class RtuSniffer:
    """Finds the reads that were answered in bytes that come in pieces of any size."""

    def __init__(self) -> None:
        self.statistics = SnifferStatistics()
        # The share of the last bytes that were part of a sound frame, 0 to 1.
        self.clarity = 1.0
        # What is no frame, but may become one.
        self._buffer = b""
        self._time = 0.0
        self._pending: _PendingRead | None = None
        # Bytes since the last sound frame.
        self._strays = 0

    def take(self, data: bytes, time: float) -> list[Exchange]:
        """The answered reads that these bytes complete; `time` is when they came, in seconds."""
        found: list[Exchange] = []
        if time - self._time > SILENCE:
            self._scan(found, ended=True)
            self._expect_nothing()
        self._time = time
        self.statistics.bytes_received += len(data)
        self._buffer += data
        self._scan(found, ended=False)
        return found

    def restart(self) -> None:
        """Forget the beginning of a frame; its end does not come over a new connection."""
        self._buffer = b""
        self._expect_nothing()

    def _scan(self, found: list[Exchange], *, ended: bool) -> None:
        """Look for a frame at every byte, and stop at one that is not complete unless everything has `ended`."""
        buffer = self._buffer
        at = 0
        while at < len(buffer):
            size = self._size_at(buffer, at, ended=ended)
            if size is None:
                break
            if size:
                self._count_sound(size)
                if (exchange := self._interpret(buffer[at : at + size])) is not None:
                    found.append(exchange)
                at += size
            else:
                self._skip_byte()
                at += 1
        self._buffer = buffer[at:]

    def _size_at(self, buffer: bytes, at: int, *, ended: bool) -> int | None:
        """The size of the sound frame at a place; 0 when there is none, None while there may be one."""
        awaited = self._pending is not None and self._pending.is_answered_by(buffer[at : at + 3])
        for size in _sizes(buffer, at, awaited=awaited):
            end = at + size
            if end > len(buffer):
                if not ended:
                    return None
            elif is_intact(buffer[at:end]):
                return size
        return 0

    def _interpret(self, frame: bytes) -> Exchange | None:
        """The answered read that a sound frame ends; any other frame is counted."""
        pending, self._pending = self._pending, None
        self._strays = 0
        unit, function = frame[:2]
        if function in READS and len(frame) == REQUEST_SIZE:
            self.statistics.requests += 1
            self.statistics.unanswered += pending is not None
            address, count = int.from_bytes(frame[2:4]), int.from_bytes(frame[4:6])
            if 1 <= count <= MAX_READ:
                self._pending = _PendingRead(unit, function, address, count)
        elif pending is not None and pending.is_answered_by(frame):
            self.statistics.exchanges += 1
            values = memoryview(frame)[3:-2]
            words = tuple(int.from_bytes(values[i : i + 2]) for i in range(0, len(values), 2))
            return Exchange(unit, pending.address, words, self._time, self.clarity >= CLEAR)
        elif pending is not None and pending.is_refused_by(frame):
            self.statistics.refusals += 1
        else:
            self.statistics.unanswered += pending is not None
            if function in READS:
                self.statistics.responses_without_request += 1
            else:
                self.statistics.others += 1
        return None

    def _count_sound(self, size: int) -> None:
        """Count the bytes of a sound frame."""
        self.statistics.bytes_understood += size
        self.clarity += (1 - self.clarity) * size / CLARITY_BYTES

    def _skip_byte(self) -> None:
        """Count a byte that begins no frame."""
        self.clarity -= self.clarity / CLARITY_BYTES
        self.statistics.damaged += self._strays == 0
        self._strays += 1
        if self._strays > STRAY_BYTES:
            self._expect_nothing()

    def _expect_nothing(self) -> None:
        """Expect no answer any more."""
        self.statistics.unanswered += self._pending is not None
        self._pending = None


def _sizes(buffer: bytes, at: int, *, awaited: bool) -> Iterator[int]:
    """Yield the sizes that a frame at a place may have, the likeliest first; of one that is hardly begun the least.

    What begins like the `awaited` answer is looked at as that before anything else.
    """
    if buffer[at] not in UNITS:
        return
    head = buffer[at : at + 7]
    if len(head) < 3:
        yield REFUSAL_SIZE
        return
    function = head[1]
    if function in SHORT:
        answer = REFUSAL_SIZE + head[2]
        if awaited:
            yield answer
        yield REQUEST_SIZE
        if not awaited and function in COUNTED_ANSWERS and _is_byte_count(function, head[2]):
            yield answer
    elif function in COUNTED_REQUESTS:
        yield REQUEST_SIZE
        count = int.from_bytes(head[4:6])
        # Registers have two bytes each, and eight coils share one.
        if len(head) == 7 and head[6] in (2 * count, (count + 7) // 8):
            yield REQUEST_SIZE + 1 + head[6]
    elif function in REFUSALS:
        yield REFUSAL_SIZE


def _is_byte_count(function: int, size: int) -> bool:
    """Whether an answer may say that so many bytes follow."""
    return size > 0 and (function not in READS or size % 2 == 0)
