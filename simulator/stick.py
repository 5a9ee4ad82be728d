"""A Wi-Fi stick in front of machines: Solarman V5 frames on TCP, with the habits that real sticks have.

A V5 frame is a start byte, length, control code, sequence, the stick's serial number, a payload, a checksum over all of
that but the start byte, and an end byte. The payload of a request and of its answer ends in an RTU frame. All numbers
are little endian. Of the two sequence bytes an answer repeats the first; the second is the stick's own counter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
import random
import struct
import time
from typing import Any, Final

from .framing import RequestAdu, RtuFraming
from .machine import Machine
from .pdu import READ_HOLDING
from .server import LineTiming, ModbusServer

# That of a stick without another one; no real stick has it.
LOGGER_SERIAL: Final = 1700000001

START: Final = 0xA5
END: Final = 0x15
REQUEST: Final = 0x4510
ANSWER: Final = 0x1510
HEARTBEAT: Final = 0x4710
DATA: Final = 0x4210

# Codes that stand in an answer's payload instead of an RTU frame.
NO_ANSWER: Final = 5
WRONG_SERIAL: Final = 6

# Length of the payload, control code, sequence, the stick's counter, its serial number.
_HEADER: Final = struct.Struct("<HHBBI")
# Frame type 2, sensor, three times; then the RTU frame.
_REQUEST_HEAD: Final = 15
# Frame type 2, status 1, seconds of work, seconds since power on, when that was.
_ANSWER_HEAD: Final = struct.Struct("<BBIII")
_INVERTER: Final = 2
# No request is as long.
_LONGEST: Final = 300
# What the stick reads for its cloud; a value that no machine under test holds.
_OWN_WORD: Final = b"\xa5\xa5"


@dataclass(slots=True, kw_only=True)
class StickHabits:
    """What a stick does to frames, as probabilities from 0 to 1 for each request, and how it is otherwise."""

    # The answer belongs to another request, comes twice, or later than others.
    wrong_sequence: float = 0.0
    duplicate: float = 0.0
    late: float = 0.0
    # A heartbeat, data for the cloud, or an answer to what the stick itself polled, before the answer.
    unsolicited: float = 0.0
    # An error instead of an answer; the machine has not heard the request.
    error_frames: float = 0.0
    # Rubbish before the answer, only a part of it, or the end of the connection instead.
    garbage: float = 0.0
    truncated: float = 0.0
    disconnect: float = 0.0
    # Two zeros after the RTU frame.
    trailing_zeros: float = 0.0

    # Seconds by which a late answer is late.
    late_seconds: float = 4.0
    # After so many seconds a silent machine is reported with an error frame, or not at all.
    timeout: float = 0.3
    reports_silence: bool = True
    # It hears nobody for the first `pause` seconds of every `pause_every` ones; 0 is never.
    pause: float = 0.0
    pause_every: float = 0.0
    # Another client is not heard while there is one, and nobody at all while it is busy with itself.
    one_client: bool = True
    busy: bool = False


PROBABILITIES: Final = (
    "wrong_sequence",
    "duplicate",
    "late",
    "unsolicited",
    "error_frames",
    "garbage",
    "truncated",
    "disconnect",
    "trailing_zeros",
)


def change_habits(habits: StickHabits, changes: Mapping[str, Any]) -> None:
    """Change some of the habits; ValueError, and nothing is changed, when one is wrong."""
    for name, value in changes.items():
        old = getattr(habits, name, None)
        right = (
            isinstance(value, bool)
            if isinstance(old, bool)
            else old is not None
            and isinstance(value, (int, float))
            and not isinstance(value, bool)
            and 0 <= value <= (1 if name in PROBABILITIES else float("inf"))
        )
        if not right:
            raise ValueError(f"no such habit: {name}={value!r}")
    for name, value in changes.items():
        setattr(habits, name, value)


def seal(body: bytes) -> bytes:
    """A frame: start byte, everything up to the payload's end, checksum and end byte."""
    return bytes((START, *body, sum(body) & 0xFF, END))


@dataclass(frozen=True, slots=True)
class StickRequest(RequestAdu):
    """A request with the serial number of the stick that it is meant for; its transaction is the sequence byte."""

    logger_serial: int = 0


class StickFraming:
    """Solarman V5 around RTU frames, seen from the stick."""

    # The stick itself reports a unit that does not answer.
    unknown_unit: int | None = None

    def __init__(self, logger_serial: int) -> None:
        """Speak for the stick with this serial number."""
        self.logger_serial = logger_serial
        self._rtu = RtuFraming()
        self._counter = 0
        self._last_sequence = 0
        self._since = time.monotonic()
        self._started = int(time.time())

    def take(self, buffer: bytearray) -> StickRequest | None:
        """Remove one request; whatever cannot be one is dropped without a word."""
        while (start := buffer.find(START)) >= 0:
            del buffer[:start]
            if len(buffer) < 1 + _HEADER.size:
                return None
            length, control, sequence, _, logger_serial = _HEADER.unpack_from(buffer, 1)
            end = 1 + _HEADER.size + length
            if length <= _LONGEST and len(buffer) < end + 2:
                return None
            body = bytes(buffer[1:end])
            if length > _LONGEST or bytes(buffer[: end + 2]) != seal(body):
                del buffer[0]
                continue
            del buffer[: end + 2]
            if control != REQUEST or body[_HEADER.size] != _INVERTER:
                continue
            inner = bytearray(body[_HEADER.size + _REQUEST_HEAD :])
            if (request := self._rtu.take(inner)) is not None:
                self._last_sequence = sequence
                return StickRequest(request.unit, request.pdu, sequence, logger_serial)
        buffer.clear()
        return None

    def pack(self, request: RequestAdu, pdu: bytes) -> bytes:
        """The answer to a request."""
        return self._answer(request.transaction, self._rtu.pack(request, pdu))

    def refuse(self, request: RequestAdu, code: int) -> bytes:
        """An answer that has an error code instead of an RTU frame."""
        return self._answer(request.transaction, code.to_bytes(2, "little"))

    def heartbeat(self) -> bytes:
        """The heartbeat that a stick sends to its cloud every minute."""
        return self._frame(HEARTBEAT, self._last_sequence, b"\x00")

    def data(self) -> bytes:
        """The data of its machine that a stick sends to its cloud every few minutes."""
        return self._frame(DATA, self._last_sequence, self._head() + bytes(100))

    def own_answer(self, request: RequestAdu) -> bytes:
        """An answer to what the stick itself has read: as many registers as the request wants, but others."""
        count = request.pdu[4] if request.pdu[0] == READ_HOLDING else 1
        pdu = bytes((READ_HOLDING, 2 * count)) + count * _OWN_WORD
        return self._answer(0, self._rtu.pack(request, pdu))

    def _answer(self, sequence: int, inner: bytes) -> bytes:
        return self._frame(ANSWER, sequence, self._head() + inner)

    def _head(self) -> bytes:
        """How an answer's payload begins."""
        worked = int(time.monotonic() - self._since)
        return _ANSWER_HEAD.pack(_INVERTER, 1, worked, worked, self._started)

    def _frame(self, control: int, sequence: int, payload: bytes) -> bytes:
        self._counter = (self._counter + 1) & 0xFF
        header = _HEADER.pack(len(payload), control, sequence, self._counter, self.logger_serial)
        return seal(header + payload)


class Stick(ModbusServer):
    """Machines behind a Wi-Fi stick."""

    def __init__(
        self,
        machines: Mapping[int, Machine],
        logger_serial: int = LOGGER_SERIAL,
        *,
        line: LineTiming | None = None,
        seed: int = 1,
    ) -> None:
        """Serve these machines by their unit ids; the seed decides when a habit shows."""
        self.frames = StickFraming(logger_serial)
        super().__init__(machines, self.frames, line=line)
        self.habits = StickHabits()
        self._dice = random.Random(seed)  # noqa: S311 - a repeatable sequence is wanted
        self._unasked = 0

    def _is_occupied(self, client: object) -> bool:
        """Whether this client is not heard."""
        self.one_client = self.habits.one_client
        return super()._is_occupied(client) or self.habits.busy or self._rests()

    def _rests(self) -> bool:
        """Whether this is one of the pauses in which it hears nobody."""
        every = self.habits.pause_every
        return bool(every) and time.monotonic() % every < self.habits.pause

    def _happens(self, probability: float) -> bool:
        return self._dice.random() < probability

    async def _answer(self, request: RequestAdu, send: Callable[[bytes], object]) -> None:
        """Answer a request, or what its habits make of that."""
        if self._happens(self.habits.unsolicited):
            send(self._something_unasked(request))
        answer = await self._serve(request)
        if not answer:
            return
        if self._happens(self.habits.disconnect):
            raise ConnectionResetError
        answer = self._spoil(answer)
        if self._happens(self.habits.late):
            self._spawn(self._send_later(answer, send))
        else:
            send(answer)

    async def _serve(self, request: RequestAdu) -> bytes:
        """The frame that goes back for a request; none when it stays unanswered."""
        assert isinstance(request, StickRequest)  # noqa: S101 - its framing makes no others
        if request.logger_serial != self.frames.logger_serial:
            return self.frames.refuse(request, WRONG_SERIAL)
        if self._happens(self.habits.error_frames):
            return self.frames.refuse(request, NO_ANSWER)
        if answer := await super()._serve(request):
            return answer
        if not self.habits.reports_silence:
            return b""
        await asyncio.sleep(self.habits.timeout)
        return self.frames.refuse(request, NO_ANSWER)

    def _something_unasked(self, request: RequestAdu) -> bytes:
        """One of the frames that nobody asked for, each kind in turn."""
        self._unasked += 1
        match self._unasked % 3:
            case 1:
                return self.frames.heartbeat()
            case 2:
                return self.frames.own_answer(request)
            case _:
                return self.frames.data()

    def _spoil(self, frame: bytes) -> bytes:
        """The bytes that arrive of a frame."""
        if self._happens(self.habits.trailing_zeros):
            length = int.from_bytes(frame[1:3], "little") + 2
            frame = seal(length.to_bytes(2, "little") + frame[3:-2] + bytes(2))
        if self._happens(self.habits.wrong_sequence):
            frame = seal(frame[1:5] + bytes(((frame[5] + 1) & 0xFF,)) + frame[6:-2])
        if self._happens(self.habits.truncated):
            return frame[: self._dice.randrange(1, len(frame))]
        if self._happens(self.habits.garbage):
            # A start byte in it, with a length that swallows a part of what follows.
            frame = bytes((START,)) + self._dice.randbytes(self._dice.randrange(1, 40)) + frame
        if self._happens(self.habits.duplicate):
            frame += frame
        return frame

    async def _send_later(self, answer: bytes, send: Callable[[bytes], object]) -> None:
        await asyncio.sleep(self.habits.late_seconds)
        send(answer)
