"""Which bytes are the answer to a request.

An answer counts only as one whole frame that can be nothing else: the right transaction id, unit, function, length and
checksum, and of a write its own beginning. A Modbus client that takes what comes next for its answer shows the values
of other registers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from ..errors import LinkDesync
from .endpoint import Framing
from .pymodbus_codec import is_intact
from .request import KEPT_READS, READ, REFUSED, WRITE_ONE, WRITE_SEVERAL

# What sticks leave behind an RTU frame: nothing, or the checksum of a frame with its checksum.
TAILS: Final = (b"", b"\x00\x00")
# How many stray bytes before or behind an RTU frame are taken for a transceiver that changes direction.
STRAY_BYTES: Final = 4

# What an answer over Modbus TCP is recognised by: transaction and protocol id. What its size is known from: these, the
# length, unit id, function code and the byte behind that.
TCP_START: Final = 4
TCP_HEAD: Final = 9
# Unit id, function code and four bytes: the confirmation of a write. Unit id, function code and exception code.
CONFIRMATION_LENGTH: Final = 6
REFUSAL_LENGTH: Final = 3


class Expected(NamedTuple):
    """The two answers that the request that was sent can have: the one asked for, and a Modbus exception."""

    sent: bytes
    unit: int
    function: int
    # How many words a read asks for; of a write how many it writes, or the one that it writes.
    words: int
    # Of either answer, the bytes that are known beforehand and the size of the whole frame.
    shapes: tuple[tuple[bytes, int], ...]

    @classmethod
    def of(cls, sent: bytes, framing: Framing) -> Expected:
        """What may answer the frame that was sent."""
        if framing is Framing.RTU:
            return cls(sent, *_answers_to(sent[:6], framing))
        unit, function, words, (answer, refusal) = _answers_to(sent[6:12], framing)
        # Transaction and protocol id come back.
        head = sent[:TCP_START]
        shapes = ((head + answer[0], answer[1]), (head + refusal[0], refusal[1]))
        return cls(sent, unit, function, words, shapes)

    def size_of(self, data: bytes) -> int:
        """The size of the answer that this data is, or may become; 0 when it is none."""
        for known, size in self.shapes:
            if data[: len(known)] == known[: len(data)]:
                return size
        return 0


@lru_cache(KEPT_READS)
def _answers_to(
    body: bytes, framing: Framing
) -> tuple[int, int, int, tuple[tuple[bytes, int], tuple[bytes, int]]]:
    """Unit, function and words of a request, and the shapes of its answers, of which over Modbus TCP the first four bytes are missing.

    `body` is unit id, function code and the four bytes behind that (Modbus application protocol 6.3, 6.6, 6.12 and 7).
    """
    unit, function, words = body[0], body[1], int.from_bytes(body[4:])
    refusal = bytes((unit, function | REFUSED))
    if function == READ:
        known, size = body[:2] + bytes([2 * words]), 3 + 2 * words
    else:
        # A write is answered by its own beginning.
        known, size = body, CONFIRMATION_LENGTH
    if framing is Framing.RTU:
        shapes = ((known, size + 2), (refusal, REFUSAL_LENGTH + 2))
    else:
        # The length counts from the unit id.
        shapes = (
            (size.to_bytes(2) + known, 6 + size),
            (REFUSAL_LENGTH.to_bytes(2) + refusal, 6 + REFUSAL_LENGTH),
        )
    return unit, function, words, shapes


def tcp_answer_size(data: bytes) -> int:
    """The size of the Modbus TCP answer that begins with this data; 0 when it is none, or its length is not its own."""
    length, function = int.from_bytes(data[TCP_START:6]), data[7]
    if function & REFUSED:
        own = REFUSAL_LENGTH
    elif function == READ and not data[8] % 2:
        own = 3 + data[8]
    else:
        own = CONFIRMATION_LENGTH if function in (WRITE_ONE, WRITE_SEVERAL) else 0
    return 6 + length if length == own else 0


# Stands for the answer to no request at all.
NOTHING: Final = Expected(b"", 0, 0, 0, ())
# Stands for a request that the adapter has sent back to us, and for a whole answer to an earlier request.
ECHO: Final = Expected(b"", 0, 0, 0, ())
STALE: Final = Expected(b"", 0, 0, 0, ())


class ResponseMatcher:
    """Finds the answer to one request in what is received from then on."""

    __slots__ = (
        "_buffer",
        "_earlier",
        "_echo",
        "_echoes",
        "_framing",
        "_missing",
        "_strays",
        "_unsolicited",
        "answered",
        "echoed",
        "expected",
        "got_reaction",
        "late",
        "stale",
        "waiting",
    )

    def __init__(
        self,
        framing: Framing,
        expected: Expected = NOTHING,
        missing: Iterable[Expected] = (),
        *,
        earlier: Collection[bytes] = (),
        echoes: bool = False,
    ) -> None:
        """`missing` are the answers to earlier requests that may still come.

        `earlier` is how the last requests began where that tells one from another; whole answers to them are passed
        over. `echoes` is whether the adapter is known to send back what was sent, before the answer.
        """
        self._framing = framing
        self.expected = expected
        self._missing = tuple(missing)
        self._earlier = earlier
        # What may come back before the answer. Of one written register that is the answer itself, unless reads come back.
        self._echoes = echoes
        self._echo = b""
        if framing is Framing.RTU and (echoes or expected.function != WRITE_ONE):
            self._echo = expected.sent
        # Whether the frame that was sent came back.
        self.echoed = False
        # How many whole answers to earlier requests came, beside those that were missing, until somebody has counted.
        self.stale = 0
        self._buffer = b""
        self._strays = 0
        # Until the answer has come or is given up.
        self.waiting = expected is not NOTHING
        self.answered = False
        # Whether the other side has said anything to the request, be it of no use.
        self.got_reaction = False
        # The answers that came late and were thrown away, until somebody has counted them.
        self.late: list[Expected] = []
        # What came behind the answer, or after it was given up, and is no late answer.
        self._unsolicited = b""

    @property
    def unsolicited_bytes(self) -> int:
        """How many bytes came that belong to no answer."""
        return len(self._unsolicited)

    @property
    def is_mid_frame(self) -> bool:
        """Whether an answer has begun and its end has not come."""
        return bool(self._buffer)

    @property
    def is_clean(self) -> bool:
        """Whether everything received was whole frames."""
        return not self._buffer and not self._strays

    def receive(self, data: bytes) -> bytes | None:
        """The answer once it is complete; LinkDesync as soon as what was received cannot become one."""
        self._buffer += data
        while self._buffer:
            match, size = self._recognise(self._buffer, (self.expected, *self._missing))
            if match is None:
                self._skip_stray()
                continue
            if size > len(self._buffer):
                return None
            frame, self._buffer = self._buffer[:size], self._buffer[size:]
            if match is self.expected:
                behind, self._buffer = self._buffer, b""
                self.waiting = False
                self.answered = True
                if behind:
                    self.receive_unsolicited(behind)
                return frame
            self._pass_over(match)
        return None

    def receive_whole(self, frame: bytes) -> bytes:
        """The answer, received as a frame of its own; LinkDesync when it is another one."""
        size = self.expected.size_of(frame)
        if not size or frame[size:] not in TAILS or not self._is_intact(frame[:size]):
            raise LinkDesync(f"{frame[:12].hex(' ')} is no answer to the request")
        self.waiting = False
        self.answered = True
        return frame[:size]

    def receive_unsolicited(self, data: bytes) -> None:
        """Take what is received while nothing is waited for, and throw late answers away.

        Behind the answer to a request another one in the name of the same unit is none that is merely late: it may be
        the true one, and then the one before was not.
        """
        self._unsolicited += data
        candidates = (
            tuple(missing for missing in self._missing if missing.unit != self.expected.unit)
            if self.answered
            else (self.expected, *self._missing)
        )
        while self._unsolicited:
            match, size = self._recognise(self._unsolicited, candidates)
            if match is None or size > len(self._unsolicited):
                return
            self._unsolicited = self._unsolicited[size:]
            self._pass_over(match)

    def _recognise(
        self, data: bytes, candidates: Iterable[Expected]
    ) -> tuple[Expected | None, int]:
        """What the data begins with, or may turn out to, and its size: an answer to one of these, or ECHO or STALE."""
        size = len(self._echo)
        may_be_echo = size > 0 and data[:size] == self._echo[: len(data)]
        if may_be_echo and (self._echoes or len(data) >= size):
            return ECHO, size
        match, answer_size = self._find(data, candidates)
        if match is None and may_be_echo:
            return ECHO, size
        if match is None and (stale_size := self._stale_size(data)):
            return STALE, stale_size
        return match, answer_size

    def _pass_over(self, match: Expected) -> None:
        """Take note of something whole that is not the answer."""
        if match is ECHO:
            self._echo = b""
            self.echoed = True
        elif match is STALE:
            self.stale += 1
        else:
            self.late.append(match)

    def _stale_size(self, data: bytes) -> int:
        """The size of the answer to an earlier request that the data is, or may become; 0 when it is none."""
        start = data[:TCP_START]
        if not any(earlier.startswith(start) for earlier in self._earlier):
            return 0
        return TCP_HEAD if len(data) < TCP_HEAD else tcp_answer_size(data)

    def _find(self, data: bytes, candidates: Iterable[Expected]) -> tuple[Expected | None, int]:
        """Whose answer the data begins with, or may turn out to, and the size of that answer."""
        for candidate in candidates:
            size = candidate.size_of(data)
            if size and (size > len(data) or self._is_intact(data[:size])):
                return candidate, size
        return None, 0

    def _is_intact(self, frame: bytes) -> bool:
        """Whether the checksum is right, where the framing has one."""
        return self._framing is Framing.TCP or is_intact(frame)

    def _skip_stray(self) -> None:
        """Pass over a byte before the frame; LinkDesync when there are too many."""
        if self._framing is Framing.TCP or self._strays == STRAY_BYTES:
            raise LinkDesync(f"{self._buffer[:12].hex(' ')} is no answer to the request")
        self._strays += 1
        self._buffer = self._buffer[1:]
