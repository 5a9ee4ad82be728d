"""The envelope that Wi-Fi sticks put around RTU frames: Solarman V5, on TCP port 8899.

Start A5, length of the payload, control code, sequence number, logger serial, payload, checksum, end 15; numbers are
little endian, and the checksum is the sum of all bytes between start and checksum, modulo 256. Of the sequence number
the stick sends back the first byte and counts its own answers in the second. It is as talkative as any box that also
serves a cloud: heartbeats and other clients' answers come over the same connection, so an answer is only what is
around a sound frame with the number of the request in flight.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from secrets import randbelow
from typing import Final

START: Final = 0xA5
END: Final = 0x15
# Start, length, control code, sequence number and logger serial.
HEADER_SIZE: Final = 11
# Checksum and end.
TRAILER_SIZE: Final = 2
# The longest payload that is accepted; an RTU frame has at most 256 bytes, a push to the cloud about as many.
MAX_PAYLOAD: Final = 1024

REQUEST: Final = 0x4510
ANSWER: Final = 0x1510
HEARTBEAT: Final = 0x4710
# The low byte of every control code.
CONTROL_LOW: Final = 0x10

# Frame type 2 (inverter), sensor type, and three times that a request leaves empty.
REQUEST_HEAD: Final = bytes([2]) + bytes(14)
# Frame type, status, and three times in seconds.
ANSWER_HEAD_SIZE: Final = 14
INVERTER: Final = 2
# The shortest RTU frame is an exception: unit, function, code and checksum. What is shorter is an error code.
MIN_RTU: Final = 5

# What is wrong, in an error of the stick: it has another serial than the request says.
WRONG_SERIAL: Final = 6

# Sequence numbers are 1 to 255; other clients, and sticks on their own account, use 0 for everything.
NUMBERS: Final = 0xFF
# From one number to the next. Who counts in ones does not keep step with it, and all 255 have their turn.
STEP: Final = 97
# How many of our last sequence numbers are remembered.
HISTORY_SIZE: Final = 32


class Dropped(StrEnum):
    """Why something that was received is no answer."""

    HEARTBEAT = "heartbeat"
    # Another kind of frame: a push to the cloud, a handshake, an answer that is not the inverter's.
    OTHER_KIND = "other_kind"
    # An answer to a request of ours that was given up.
    LATE = "late"
    DUPLICATE = "duplicate"
    # A sequence number that is none of ours: another client's answer.
    FOREIGN = "foreign"
    OTHER_SERIAL = "other_serial"
    # Bytes that belong to no sound frame.
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """What the stick answers to the request in flight: an RTU frame, or an error code of its own."""

    frame: bytes
    error: int | None
    # The serial that the stick gives as its own.
    logger_serial: int


class Envelope:
    """Wraps requests to one stick, and finds the answers in what it sends."""

    def __init__(self, logger_serial: int) -> None:
        """`logger_serial` is the serial of the stick, not of the inverter. The first sequence number is random.

        Two clients of one stick that both began with the same number would take each other's answers for their own.
        """
        self._serial = logger_serial
        self._sequence = 1 + randbelow(NUMBERS)
        # Our last sequence numbers, the oldest first, and whether the stick has answered them.
        self._requested: dict[int, bool] = {}
        # The number of the request in flight.
        self._awaited: int | None = None
        self._buffer = b""
        # What was received and is no answer, by its kind.
        self.dropped: Counter[Dropped] = Counter()
        # Bytes without meaning since the last sound frame or request.
        self.noise = 0

    @property
    def is_mid_frame(self) -> bool:
        """Whether a frame has begun and its end has not come."""
        return bool(self._buffer)

    def wrap(self, frame: bytes) -> bytes:
        """A request around this RTU frame, under the next sequence number."""
        self._sequence = 1 + (self._sequence - 1 + STEP) % NUMBERS
        self._awaited = self._sequence
        self._requested[self._sequence] = False
        if len(self._requested) > HISTORY_SIZE:
            del self._requested[next(iter(self._requested))]
        self.noise = 0
        payload = REQUEST_HEAD + frame
        body = (
            len(payload).to_bytes(2, "little")
            + REQUEST.to_bytes(2, "little")
            + self._sequence.to_bytes(2, "little")
            + self._serial.to_bytes(4, "little")
            + payload
        )
        return bytes([START]) + body + bytes([_checksum(body), END])

    def give_up(self) -> None:
        """Await no answer any more; one that comes later is late."""
        self._awaited = None

    def restart(self) -> None:
        """Forget the beginning of a frame; its end does not come over a new connection."""
        self._buffer = b""
        self.noise = 0

    def unwrap(self, data: bytes) -> list[Unwrapped]:
        """The answers to the request in flight that these bytes complete; everything else is counted.

        A frame is looked for at every start byte, so that one that was cut off does not hide the one behind it.
        """
        self._buffer += data
        found: list[Unwrapped] = []
        # Up to where everything is used or of no use; where the first frame begins that is not complete yet.
        used, begun = 0, -1
        at = self._buffer.find(START)
        while at >= 0:
            size = _size(self._buffer[at : at + HEADER_SIZE])
            whole = self._buffer[at : at + size]
            if size and len(whole) < size:
                begun = at if begun < 0 else begun
            elif size and _is_sound(whole):
                self._count_noise(at - used)
                self.noise = 0
                if (unwrapped := self._open(whole)) is not None:
                    found.append(unwrapped)
                used, begun = at + size, -1
                at = self._buffer.find(START, used)
                continue
            at = self._buffer.find(START, at + 1)
        keep = len(self._buffer) if begun < 0 else begun
        self._count_noise(keep - used)
        self._buffer = self._buffer[keep:]
        return found

    def _open(self, frame: bytes) -> Unwrapped | None:
        """What a sound frame says to the request in flight; None, and counted, when that is nothing."""
        control = int.from_bytes(frame[3:5], "little")
        number = frame[5]
        serial = int.from_bytes(frame[7:11], "little")
        payload = frame[HEADER_SIZE:-TRAILER_SIZE]
        why = self._reason_to_drop(control, number, payload)
        inner = payload[ANSWER_HEAD_SIZE:]
        error = int.from_bytes(inner, "little") if len(inner) < MIN_RTU else None
        if why is None and serial != self._serial and error is None:
            why = Dropped.OTHER_SERIAL
        if why is not None:
            self.dropped[why] += 1
            return None
        self._requested[number] = True
        return Unwrapped(inner, error, serial)

    def _reason_to_drop(self, control: int, number: int, payload: bytes) -> Dropped | None:
        """Why a frame is no answer to the request in flight; None when it is one."""
        if control == HEARTBEAT:
            return Dropped.HEARTBEAT
        if control != ANSWER or len(payload) <= ANSWER_HEAD_SIZE or payload[0] != INVERTER:
            return Dropped.OTHER_KIND
        if number not in self._requested:
            return Dropped.FOREIGN
        if self._requested[number]:
            return Dropped.DUPLICATE
        return None if number == self._awaited else Dropped.LATE

    def _count_noise(self, size: int) -> None:
        """Count bytes that were passed over."""
        if size:
            self.noise += size
            self.dropped[Dropped.NOISE] += 1


def _checksum(body: bytes) -> int:
    """The checksum of everything between start and checksum."""
    return sum(body) % 0x100


def _size(header: bytes) -> int:
    """The size of the frame that begins with this, perhaps incomplete, header; 0 when none does."""
    if len(header) < HEADER_SIZE:
        return HEADER_SIZE + TRAILER_SIZE if header[3:4] in (b"", bytes([CONTROL_LOW])) else 0
    length = int.from_bytes(header[1:3], "little")
    if length > MAX_PAYLOAD or header[3] != CONTROL_LOW:
        return 0
    return HEADER_SIZE + length + TRAILER_SIZE


def _is_sound(frame: bytes) -> bool:
    """Whether the end byte and the checksum of a whole frame are right."""
    return frame[-1] == END and frame[-2] == _checksum(frame[1:-2])
