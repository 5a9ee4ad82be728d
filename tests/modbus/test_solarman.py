"""The envelope of a Wi-Fi stick, byte by byte: what is sent, what counts as an answer, and what is passed over."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.transport import solarman
from custom_components.hybrid_inverter.modbus.transport.solarman import Dropped, Envelope, Unwrapped

from .stick_frames import answer_of, v5

# A made-up serial; 49 96 02 d2 in hexadecimal.
SERIAL = 1234567890
# Unit 1, read register 10; it holds 0x0237.
READ = bytes.fromhex("01 03 000a 0001 a408")
WORD = bytes.fromhex("01 03 02 0237 f8f2")

# Start, length 15 + 8, control code, number 98, serial, type, sensor, three times, frame, checksum, end.
REQUEST = "a5 1700 1045 6200 d2029649 02 0000 00000000 00000000 00000000 010300 0a0001a408 3e 15"
# The same number, the stick's own counter; type, status, 123456 s, 3600 s and a time of 2024.
ANSWER = "a5 1500 1015 628f d2029649 02 01 40e20100 100e0000 00a3e165 0103020237f8f2 34 15"
ZEROS_BEHIND = (
    "a5 1700 1015 628f d2029649 02 01 40e20100 100e0000 00a3e165 0103020237f8f2 0000 36 15"
)
ERROR = "a5 1000 1015 6290 d2029649 02 01 40e20100 100e0000 00a3e165 0500 0c 15"
# From a stick with the serial 99.
ERROR_OF_ANOTHER = "a5 1000 1015 6290 63000000 02 01 40e20100 100e0000 00a3e165 0600 bd 15"
ANSWER_OF_ANOTHER = (
    "a5 1500 1015 628f 63000000 02 01 40e20100 100e0000 00a3e165 0103020237f8f2 e4 15"
)
HEARTBEAT = "a5 0100 1047 6291 d2029649 00 fe 15"
# Frame type 1: of the stick itself.
OF_THE_STICK = "a5 1500 1015 628f d2029649 01 01 40e20100 100e0000 00a3e165 0103020237f8f2 33 15"
# The number of nobody's request, with an answer of the same shape.
OTHER_NUMBER = "a5 1500 1015 638f d2029649 02 01 40e20100 100e0000 00a3e165 0103020237f8f2 35 15"

ANSWERED = [Unwrapped(WORD, None, SERIAL)]


@pytest.fixture
def envelope() -> Envelope:
    """Return an envelope whose first number is 98."""
    with patch.object(solarman, "randbelow", return_value=0):
        return Envelope(SERIAL)


@pytest.fixture
def asked(envelope: Envelope) -> Envelope:
    """Return an envelope with a request on its way, under number 98."""
    envelope.wrap(READ)
    return envelope


def take(envelope: Envelope, text: str) -> list[Unwrapped]:
    """Return what an envelope finds in bytes."""
    return envelope.unwrap(bytes.fromhex(text))


# ---------------------------------------------------------------------- requests


def test_request_frame_matches_the_published_one_byte_for_byte(envelope: Envelope) -> None:
    """A request is wrapped as published, every byte."""
    assert envelope.wrap(READ) == bytes.fromhex(REQUEST)


def test_sequence_numbers_are_never_0_and_repeat_only_after_255(envelope: Envelope) -> None:
    """Every request has another number, never 0 and not the next one, until all 255 were used."""
    numbers = [envelope.wrap(READ)[5] for _ in range(256)]
    assert numbers[:3] == [98, 195, 37]
    assert set(numbers[:255]) == set(range(1, 256))
    assert numbers[255] == 98


def test_two_clients_of_a_stick_start_with_different_numbers() -> None:
    """Two clients of one stick do not count in step."""
    assert len({Envelope(SERIAL).wrap(READ)[5] for _ in range(50)}) > 10


@pytest.mark.parametrize("drawn", [0, 254])
def test_first_number_is_none_that_others_use(drawn: int) -> None:
    """Whatever is drawn, 0 is not used: other clients have nothing but 0."""
    with patch.object(solarman, "randbelow", return_value=drawn):
        assert 1 <= Envelope(SERIAL).wrap(READ)[5] <= 255


# ---------------------------------------------------------------------- answers


def test_answer_is_unwrapped_for_the_number_that_was_requested(asked: Envelope) -> None:
    """The RTU frame comes out, for the number that was asked."""
    assert take(asked, ANSWER) == ANSWERED
    assert not asked.dropped


def test_zeros_behind_the_frame_are_left(asked: Envelope) -> None:
    """Some sticks put two zeros behind the checksum; what they mean is not decided here."""
    assert take(asked, ZEROS_BEHIND) == [Unwrapped(WORD + b"\0\0", None, SERIAL)]


def test_payload_too_short_for_rtu_is_an_error_code(asked: Envelope) -> None:
    """What is too short for an RTU frame is an error code."""
    assert take(asked, ERROR) == [Unwrapped(b"\x05\x00", 5, SERIAL)]


def test_error_of_a_stick_with_another_serial(asked: Envelope) -> None:
    """It tells the serial that it has; nothing else may come from another stick."""
    assert take(asked, ERROR_OF_ANOTHER) == [Unwrapped(b"\x06\x00", 6, 99)]


@pytest.mark.parametrize(
    ("received", "why"),
    [
        (HEARTBEAT, Dropped.HEARTBEAT),
        (OF_THE_STICK, Dropped.OTHER_KIND),
        (OTHER_NUMBER, Dropped.FOREIGN),
        (ANSWER_OF_ANOTHER, Dropped.OTHER_SERIAL),
        # A request, as one that speaks another language sends it back.
        (REQUEST, Dropped.OTHER_KIND),
        # Checksum, end and the length are wrong; there is no such control code.
        (ANSWER.replace("34 15", "35 15"), Dropped.NOISE),
        (ANSWER.replace("34 15", "34 16"), Dropped.NOISE),
        (ANSWER.replace("a5 1500", "a5 1405"), Dropped.NOISE),
        (ANSWER.replace("a5 1500 10", "a5 1500 11"), Dropped.NOISE),
        ("00 01 02", Dropped.NOISE),
    ],
)
def test_what_is_no_answer(asked: Envelope, received: str, why: Dropped) -> None:
    """It is counted, nothing of it comes out, and the answer behind it does."""
    assert take(asked, received) == []
    assert asked.dropped == {why: 1}
    assert take(asked, ANSWER) == ANSWERED
    assert asked.dropped == {why: 1}


def test_answer_before_any_request(envelope: Envelope) -> None:
    """Nobody has asked yet, so it is another client's."""
    assert take(envelope, ANSWER) == []
    assert envelope.dropped == {Dropped.FOREIGN: 1}


def test_duplicate_answer_is_discarded(asked: Envelope) -> None:
    """A second answer under the same number is thrown away, at once and behind the next request."""
    assert take(asked, ANSWER + ANSWER) == ANSWERED
    asked.wrap(READ)
    assert take(asked, ANSWER) == []
    assert asked.dropped == {Dropped.DUPLICATE: 2}


def test_answer_is_late_once_its_request_was_given_up(asked: Envelope) -> None:
    """An answer is late once its request was given up, whether another one was sent by then or not."""
    asked.give_up()
    assert take(asked, ANSWER) == []
    asked.wrap(READ)
    asked.wrap(READ)
    assert take(asked, v5_with_number(195)) == []
    assert take(asked, v5_with_number(37)) == ANSWERED
    assert asked.dropped == {Dropped.LATE: 2}


def v5_with_number(number: int) -> str:
    """Return the answer under another number, in hexadecimal."""
    return answer_of(WORD, sequence=number).hex()


def test_sequence_number_is_forgotten_after_32_more_requests(asked: Envelope) -> None:
    """After 32 more requests a number is as good as a stranger's."""
    for _ in range(31):
        asked.wrap(READ)
    assert take(asked, ANSWER) == []
    asked.wrap(READ)
    assert take(asked, ANSWER) == []
    assert asked.dropped == {Dropped.LATE: 1, Dropped.FOREIGN: 1}


# ---------------------------------------------------------------------- the stream


def test_beginning_of_a_frame_before_the_answer(asked: Envelope) -> None:
    """A frame that was cut off, even one of a thousand bytes, does not hide the one behind it."""
    assert take(asked, "a5 0004 1015 628f d2029649 02 01") == []
    assert take(asked, ANSWER) == ANSWERED


def test_start_byte_within_a_frame(asked: Envelope) -> None:
    """What looks like the beginning of another frame, where a frame is cut in two, is a part of it."""
    frame = bytes.fromhex("01 03 06 a50500 104500 0000")
    answer = answer_of(frame, sequence=98)
    assert asked.unwrap(answer[:34]) == []
    assert asked.unwrap(answer[34:]) == [Unwrapped(frame, None, SERIAL)]
    assert not asked.dropped


def test_forgets_the_beginning_with_the_connection(asked: Envelope) -> None:
    """What comes over a new connection is no end of what came over the last one."""
    assert take(asked, ANSWER[:60]) == []
    asked.restart()
    assert take(asked, ANSWER[60:]) == []
    assert asked.dropped == {Dropped.NOISE: 1}


def test_counts_noise_since_the_last_frame(asked: Envelope) -> None:
    """Noise ends with a sound frame, a request or a connection; a frame that may still become one is no noise."""
    take(asked, "ff" * 500)
    take(asked, "a5")
    assert asked.noise == 500
    take(asked, "11 22 33 44")
    assert asked.noise == 505
    take(asked, HEARTBEAT)
    assert asked.noise == 0
    take(asked, "ff")
    asked.wrap(READ)
    assert asked.noise == 0
    take(asked, "ff")
    asked.restart()
    assert asked.noise == 0


def test_buffer_holds_less_than_two_of_the_longest_frames(asked: Envelope) -> None:
    """However much nonsense comes, less than two of the longest frames is kept."""
    for _ in range(100):
        take(asked, "a5 0004 10 45" * 50)
    assert len(asked._buffer) <= 1037 + 250


frames = st.binary(min_size=5, max_size=256)
noises = st.binary(max_size=40).map(lambda data: data.replace(b"\xa5", b"\xa4"))


@given(frames, st.integers(0, 2**32 - 1))
def test_any_frame_comes_out_as_it_went_in(frame: bytes, serial: int) -> None:
    """Whatever the frame and the serial, the request holds it and the answer brings it."""
    envelope = Envelope(serial)
    request = envelope.wrap(frame)
    assert request[26:-2] == frame
    assert int.from_bytes(request[7:11], "little") == serial
    answer = answer_of(frame, sequence=request[5], serial=serial)
    assert envelope.unwrap(answer) == [Unwrapped(frame, None, serial)]


@given(frames, noises, noises, st.data())
def test_answer_comes_out_once_however_the_stream_is_cut(
    frame: bytes, before: bytes, between: bytes, data: st.DataObject
) -> None:
    """However the stream is cut, with noise and other frames around it, the answer comes out once."""
    envelope = Envelope(SERIAL)
    number = envelope.wrap(READ)[5]
    answer = answer_of(frame, sequence=number)
    stream = before + v5(b"\x00", control=0x4710, sequence=number) + between + answer * 2
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20).map(sorted))
    found = [
        unwrapped
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for unwrapped in envelope.unwrap(stream[start:end])
    ]
    assert found == [Unwrapped(frame, None, SERIAL)]
    assert envelope.dropped[Dropped.DUPLICATE] == 1
    assert envelope.dropped[Dropped.HEARTBEAT] == 1


@given(frames, st.integers(1), st.integers(1, 255))
def test_frame_with_one_wrong_byte_is_discarded(frame: bytes, place: int, change: int) -> None:
    """A frame with a single wrong byte never comes out; the sum shows every one of them."""
    envelope = Envelope(SERIAL)
    answer = bytearray(answer_of(frame, sequence=envelope.wrap(READ)[5]))
    answer[place % len(answer)] ^= change
    assert envelope.unwrap(bytes(answer)) == []
