"""Which bytes are the answer to a request, decided before pymodbus sees them.

pymodbus accepts answers that are not ours (any length, transaction id 0, on RTU whatever comes next) and raises inside
the event loop's callbacks when it cannot decode one. So it is only shown one whole frame that can be nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pymodbus.framer import FramerRTU

from .endpoint import Framing
from .errors import LinkDesync

READ: Final = 0x03
# Set in the function code of a Modbus exception.
REFUSED: Final = 0x80
# What sticks leave behind an RTU frame: nothing, or the checksum of a frame with its checksum.
TAILS: Final = (b"", b"\x00\x00")
# How many stray bytes before or behind an RTU frame are taken for a transceiver that changes direction.
STRAY_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Expected:
    """The two answers that a request can have: the one asked for, and a Modbus exception."""

    unit: int
    function: int
    address: int
    # The registers to read; of a write the registers or the value written.
    count: int
    # Of either answer, the bytes that are known beforehand and the size of the whole frame.
    shapes: tuple[tuple[bytes, int], ...]

    @classmethod
    def of(cls, sent: bytes, framing: Framing) -> Expected:
        """Return what may answer the frame that was sent (Modbus application protocol 6.3, 6.6, 6.12 and 7)."""
        body = sent[6:12] if framing is Framing.TCP else sent[:6]
        unit, function = body[:2]
        count = int.from_bytes(body[4:6])
        # A write is answered by its own beginning.
        known, size = (
            (body[:2] + bytes([2 * count]), 3 + 2 * count) if function == READ else (body, 6)
        )
        refusal = bytes((unit, function | REFUSED))
        shapes: tuple[tuple[bytes, int], ...]
        if framing is Framing.TCP:
            # Transaction and protocol id come back; the length counts from the unit id.
            shapes = tuple(
                (sent[:4] + length.to_bytes(2) + start, 6 + length)
                for start, length in ((known, size), (refusal, 3))
            )
        else:
            shapes = ((known, size + 2), (refusal, 5))
        return cls(unit, function, int.from_bytes(body[2:4]), count, shapes)

    def size_of(self, data: bytes) -> int:
        """Return the size of the answer that this data is, or may become; 0 when it is none."""
        for known, size in self.shapes:
            if data[: len(known)] == known[: len(data)]:
                return size
        return 0


class Reception:
    """What is received while one request waits for its answer."""

    __slots__ = (
        "_framing",
        "_lost",
        "_own",
        "_start",
        "_strays",
        "_unasked",
        "answered",
        "expected",
        "heard",
        "late",
        "pending",
        "waiting",
    )

    expected: Expected

    def __init__(self, framing: Framing, lost: Iterable[Expected]) -> None:
        """Take the framing, and the requests whose answers never came and may still come."""
        self._framing = framing
        self._lost = tuple(lost)
        self._own: tuple[Expected, ...] = ()
        self._start = 0
        self._strays = 0
        # From sending the request until its answer came or was given up.
        self.waiting = False
        self.answered = False
        # Whether the other side has said anything to the request, be it of no use.
        self.heard = False
        # The requests whose answers came late, and were thrown away.
        self.late: list[Expected] = []
        # What came behind the answer, or after it was given up, and is no late answer.
        self._unasked = b""
        # Whether something was received that is not a whole frame yet.
        self.pending = False

    @property
    def surplus(self) -> int:
        """Return how many bytes came that nobody asked for."""
        return len(self._unasked)

    @property
    def was_sent(self) -> bool:
        """Whether there was a request at all."""
        return bool(self._own)

    @property
    def clean(self) -> bool:
        """Whether everything received was whole frames."""
        return not self.pending and not self._strays

    def sent(self, frame: bytes) -> None:
        """Expect the answer to this frame."""
        self.expected = Expected.of(frame, self._framing)
        self._own = (self.expected,)
        self.waiting = True

    def take(self, received: bytes) -> bytes:
        """Return the answer, or nothing while it is incomplete.

        Takes everything received since the request. Raises LinkDesync as soon as no answer can come of it.
        """
        while rest := received[self._start :]:
            candidate, size = self._find(rest, (self.expected, *self._lost))
            if candidate is None:
                self._skip_stray(rest)
                continue
            if size > len(rest):
                self.pending = True
                return b""
            self._start += size
            self.pending = False
            if candidate is self.expected:
                self.waiting = False
                self.answered = True
                self.overhear(rest[size:])
                return rest[:size]
            self.late.append(candidate)
        return b""

    def overhear(self, fresh: bytes) -> None:
        """Take what is received while nothing is waited for, and throw late answers away.

        Behind the answer to a request another one in the name of the same unit is none that is merely late: it may be
        the true one, and then the one before was not.
        """
        self._unasked += fresh
        candidates = (
            [lost for lost in self._lost if lost.unit != self.expected.unit]
            if self.answered
            else [*self._own, *self._lost]
        )
        while self._unasked:
            candidate, size = self._find(self._unasked, candidates)
            if candidate is None or size > len(self._unasked):
                return
            self._unasked = self._unasked[size:]
            self.late.append(candidate)

    def _find(self, data: bytes, candidates: Iterable[Expected]) -> tuple[Expected | None, int]:
        """Return whose answer the data begins with, or may turn out to, and the size of that answer."""
        for candidate in candidates:
            size = candidate.size_of(data)
            if size and (size > len(data) or self._is_intact(data[:size])):
                return candidate, size
        return None, 0

    def take_whole(self, frame: bytes) -> bytes:
        """Return the answer, received as a frame of its own; LinkDesync when it is another one."""
        size = self.expected.size_of(frame)
        if not size or frame[size:] not in TAILS or not self._is_intact(frame[:size]):
            raise LinkDesync(f"{frame[:12].hex(' ')} is no answer to the request")
        self.waiting = False
        self.answered = True
        return frame[:size]

    def _is_intact(self, frame: bytes) -> bool:
        """Whether the checksum is right, where the framing has one."""
        return self._framing is Framing.TCP or FramerRTU.check_CRC(
            frame[:-2], int.from_bytes(frame[-2:])
        )

    def _skip_stray(self, rest: bytes) -> None:
        """Pass over a byte before the frame; LinkDesync when there are too many."""
        if self._framing is Framing.TCP or self._strays == STRAY_BYTES:
            raise LinkDesync(f"{rest[:12].hex(' ')} is no answer to the request")
        self._strays += 1
        self._start += 1
