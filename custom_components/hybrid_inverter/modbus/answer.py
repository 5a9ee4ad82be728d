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
        "_start",
        "_strays",
        "answered",
        "expected",
        "heard",
        "late",
        "pending",
        "surplus",
        "waiting",
    )

    expected: Expected

    def __init__(self, framing: Framing, lost: Iterable[Expected]) -> None:
        """Take the framing, and the requests whose answers never came and may still come."""
        self._framing = framing
        self._lost = tuple(lost)
        self._start = 0
        self._strays = 0
        # From sending the request until its answer came or was given up.
        self.waiting = False
        self.answered = False
        # Whether the other side has said anything to the request, be it of no use.
        self.heard = False
        # Late answers that were thrown away.
        self.late = 0
        # Bytes behind the answer, for which nobody asked.
        self.surplus = 0
        # Whether something was received that is not a whole frame yet.
        self.pending = False

    def sent(self, frame: bytes) -> None:
        """Expect the answer to this frame."""
        self.expected = Expected.of(frame, self._framing)
        self.waiting = True

    def take(self, received: bytes) -> bytes:
        """Return the answer, or nothing while it is incomplete.

        Takes everything received since the request. Raises LinkDesync as soon as no answer can come of it.
        """
        while rest := received[self._start :]:
            for candidate in (self.expected, *self._lost):
                size = candidate.size_of(rest)
                if size > len(rest):
                    self.pending = True
                    return b""
                if size and self._is_intact(rest[:size]):
                    break
            else:
                self._skip_stray(rest)
                continue
            self._start += size
            self.pending = False
            if candidate is self.expected:
                self.waiting = False
                self.answered = True
                self.surplus = len(rest) - size
                return rest[:size]
            self.late += 1
        return b""

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
