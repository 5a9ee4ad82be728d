"""Raw bytes of a line on which others talk: which reads were answered, and what was passed over."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.listen import sniffer
from custom_components.hybrid_inverter.modbus.listen.sniffer import Exchange, RtuSniffer

from .fault_server import crc16

# What a Deye sends to its meter, as published with its checksum; 0x151E is 5406.
DEYE = bytes.fromhex("0103151e0006a1c2")
# 1.5, -0.25 and 0.0 as numbers of single precision.
POWERS = (0x3FC0, 0x0000, 0xBE80, 0x0000, 0x0000, 0x0000)
# What a Sofar sends: the ratio, three powers, the import counters.
RATIO = bytes.fromhex("010300060001640b")
SOFAR = bytes.fromhex("0103201400068e0c")
COUNTERS = bytes.fromhex("0103101e000c2109")


def frame(text: str) -> bytes:
    """Return a frame with its checksum."""
    body = bytes.fromhex(text)
    return body + crc16(body)


def answer(words: tuple[int, ...], unit: int = 1, function: int = 3) -> bytes:
    """Return the answer to a read."""
    body = bytes((unit, function, 2 * len(words))) + b"".join(word.to_bytes(2) for word in words)
    return body + crc16(body)


POWERS_ANSWER = answer(POWERS)
HEARD = [(1, 0x151E, POWERS)]


def listen(*pieces: bytes, ear: RtuSniffer | None = None) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return unit, address and words of what is found in pieces that come in quick succession."""
    ear = ear or RtuSniffer()
    found: list[Exchange] = []
    for number, piece in enumerate(pieces):
        found += ear.take(piece, 100 + 0.001 * number)
    return [(exchange.unit, exchange.address, exchange.words) for exchange in found]


def test_request_and_the_answer_behind_it_make_an_exchange() -> None:
    """A request and the answer right behind it."""
    ear = RtuSniffer()
    assert ear.take(DEYE, 5.0) == []
    assert ear.take(POWERS_ANSWER, 5.02) == [Exchange(1, 5406, POWERS, 5.02, clear=True)]
    assert ear.statistics.as_dict() == {
        "bytes_received": 25,
        "bytes_understood": 25,
        "requests": 1,
        "exchanges": 1,
        "refusals": 0,
        "unanswered": 0,
        "responses_without_request": 0,
        "others": 0,
        "damaged": 0,
        "understood": 1.0,
    }


def test_byte_by_byte_and_all_at_once() -> None:
    """It does not matter in which pieces the bytes come, nor what is between them."""
    talk = (DEYE + POWERS_ANSWER) * 3
    assert listen(*(bytes([byte]) for byte in talk)) == HEARD * 3
    assert listen(talk) == HEARD * 3


def test_function_4_and_other_units() -> None:
    """Some inverters read input registers, and some meters have other unit ids."""
    # The published request of a Sigenergy inverter.
    request = bytes.fromhex("0a04151c00103577")
    words = tuple(range(1, 17))
    assert listen(request, answer(words, 10, 4)) == [(10, 0x151C, words)]


def test_answer_belongs_to_the_request_before_it() -> None:
    """Each answer belongs to the request before it."""
    counters = tuple(range(100, 112))
    talk = RATIO + answer((40,)) + SOFAR + POWERS_ANSWER + COUNTERS + answer(counters)
    assert listen(talk) == [(1, 6, (40,)), (1, 0x2014, POWERS), (1, 0x101E, counters)]


@pytest.mark.parametrize(
    ("before", "between", "behind"),
    [
        (b"\x00", b"", b""),
        (b"\xff\x01\x03", b"", b""),
        (b"", b"\x00", b""),
        (b"", b"\xff\xff\xff\xff", b""),
        (b"", b"\x01\x03\x0c", b""),
        (b"", b"", b"\x01\x03\x15\x1e"),
        # The end of an answer, and the beginning of a request that was cut off.
        (POWERS_ANSWER[5:], b"", DEYE[:5]),
        # Somebody asks twice.
        (DEYE, b"", b""),
        (DEYE + DEYE, b"", b""),
    ],
)
def test_noise_and_half_frames(before: bytes, between: bytes, behind: bytes) -> None:
    """A few bytes around and between the frames cost nothing, nor does a request that is repeated."""
    talk = before + DEYE + between + POWERS_ANSWER + behind + DEYE + POWERS_ANSWER
    assert listen(talk) == HEARD * 2


def test_answer_far_behind_its_request_is_not_used() -> None:
    """An answer far behind the request may belong to another one that was damaged."""
    assert listen(DEYE + b"\x00" * 5 + POWERS_ANSWER + DEYE + POWERS_ANSWER) == HEARD
    ear = RtuSniffer()
    damaged = SOFAR[:2] + b"\x21" + SOFAR[3:]
    assert listen(DEYE + damaged + POWERS_ANSWER, ear=ear) == []
    assert (
        ear.statistics.responses_without_request,
        ear.statistics.unanswered,
        ear.statistics.damaged,
    ) == (1, 1, 1)


def test_answer_without_request_is_not_used() -> None:
    """Nobody knows what it is about."""
    ear = RtuSniffer()
    assert listen(POWERS_ANSWER * 3, ear=ear) == []
    assert ear.statistics.responses_without_request == 3
    assert ear.statistics.understood == 1.0


@pytest.mark.parametrize("place", range(25))
def test_any_damaged_byte_drops_the_exchange_but_not_the_next_one(place: int) -> None:
    """Whichever byte is wrong, the exchange is dropped and the next one is heard."""
    talk = bytearray(DEYE + POWERS_ANSWER)
    talk[place] ^= 0x15
    ear = RtuSniffer()
    assert listen(bytes(talk) + DEYE + POWERS_ANSWER, ear=ear) == HEARD
    assert ear.statistics.exchanges == 1
    assert ear.statistics.damaged >= 1


@pytest.mark.parametrize("place", range(25))
def test_any_missing_byte_drops_the_exchange_but_not_the_next_one(place: int) -> None:
    """Likewise with a byte that never came."""
    talk = DEYE + POWERS_ANSWER
    assert listen(talk[:place] + talk[place + 1 :] + talk + talk) in (HEARD * 2, HEARD * 3)


@pytest.mark.parametrize(
    "reply",
    [
        answer(POWERS, unit=2),
        answer(POWERS, function=4),
        answer(POWERS[:5]),
        answer((*POWERS, 0)),
    ],
)
def test_answer_of_another_kind(reply: bytes) -> None:
    """Unit, function and length have to fit."""
    ear = RtuSniffer()
    assert listen(DEYE + reply, ear=ear) == []
    assert (ear.statistics.responses_without_request, ear.statistics.unanswered) == (1, 1)


def test_refusals_answer_a_request_and_writes_are_skipped() -> None:
    """A Modbus exception answers a request, and what reads nothing is passed over as a whole."""
    ear = RtuSniffer()
    write_one = frame("010600020001")
    write_many = frame("0110000600020400010002")
    write_many_echo = frame("011000060002")
    coils = frame("010f0000000a02cd01")
    talk = (
        DEYE
        + frame("018302")
        + write_one * 2
        + write_many
        + write_many_echo
        + coils
        + frame("019001")
        + DEYE
        + POWERS_ANSWER
    )
    assert listen(talk, ear=ear) == HEARD
    assert (ear.statistics.refusals, ear.statistics.others, ear.statistics.unanswered) == (1, 6, 0)
    assert ear.statistics.understood == 1.0


def test_unanswered_request_is_recognised_when_it_is_repeated() -> None:
    """A meter that keeps silent is asked again, even where the request looks like the beginning of an answer."""
    ear = RtuSniffer()
    # 16 registers from 0x2000: the answer begins with 01 03 20, as the request does.
    request = frame("010320000010")
    words = tuple(range(16))
    assert listen(request * 3 + answer(words), ear=ear) == [(1, 0x2000, words)]
    assert (ear.statistics.requests, ear.statistics.unanswered) == (3, 2)


def test_answer_that_begins_like_a_request() -> None:
    """The first eight bytes of an answer may be a sound request by themselves; the request before it decides."""
    # Twelve bytes follow, as the answer says; the third word makes the checksum of the first eight bytes right.
    head = bytes.fromhex("01030c000301")
    start = head + crc16(head)
    body = start + bytes(7)
    reply = body + crc16(body)
    ear = RtuSniffer()
    ear.take(start, 0)
    assert (
        ear.statistics.others + ear.statistics.requests + ear.statistics.responses_without_request
        == 1
    )
    words = tuple(int.from_bytes(reply[i : i + 2]) for i in range(3, 15, 2))
    assert listen(*(bytes([byte]) for byte in DEYE + reply)) == [(1, 0x151E, words)]


def test_half_a_second_of_silence_ends_frames_and_requests() -> None:
    """After half a second no frame goes on and no answer comes; before that a gateway may be slow."""
    for pause, found in ((0.45, HEARD), (0.55, [])):
        ear = RtuSniffer()
        ear.take(DEYE, 10.0)
        late = ear.take(POWERS_ANSWER, 10.0 + pause)
        assert [(one.unit, one.address, one.words) for one in late] == found
        ear = RtuSniffer()
        ear.take(DEYE + POWERS_ANSWER[:9], 10.0)
        late = ear.take(POWERS_ANSWER[9:], 10.0 + pause)
        assert [(one.unit, one.address, one.words) for one in late] == found


def test_silence_ends_the_wait_for_a_long_frame() -> None:
    """What looks like the beginning of a long answer holds up the exchange behind it no longer than the pause."""
    ear = RtuSniffer()
    assert ear.take(b"\x01\x03\xfa" + DEYE + POWERS_ANSWER, 10.0) == []
    assert ear.take(DEYE, 11.0) == [Exchange(1, 5406, POWERS, 10.0)]


def test_nothing_is_carried_over_to_a_new_connection() -> None:
    """The end of a frame does not come over a new connection, and the answer to a request of before neither."""
    ear = RtuSniffer()
    ear.take(DEYE, 10.0)
    ear.restart()
    assert ear.take(POWERS_ANSWER, 10.1) == []
    ear.take(DEYE + POWERS_ANSWER[:10], 10.2)
    ear.restart()
    assert listen(DEYE + POWERS_ANSWER, ear=ear) == HEARD


def test_line_is_clear_while_nine_of_ten_bytes_are_understood() -> None:
    """A line is clear as long as nine of ten bytes are understood."""
    ear = RtuSniffer()
    noise = b"\x00" * 25
    for number in range(40):
        (exchange,) = ear.take(DEYE + POWERS_ANSWER + b"\x00", 0.1 * number)
        assert exchange.clear
    for number in range(40):
        ear.take(noise, 4 + 0.1 * number)
    assert ear.clarity < 0.2
    exchanges = [ear.take(DEYE + POWERS_ANSWER, 8 + 0.1 * number)[0] for number in range(60)]
    assert not exchanges[0].clear
    assert exchanges[-1].clear


@given(st.lists(st.binary(max_size=40), max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_counted_and_an_exchange_after_a_pause_is_heard(pieces: list[bytes]) -> None:
    """Whatever comes, little of it is kept, all of it is counted, and an exchange behind it is heard after a pause."""
    ear = RtuSniffer()
    for number, piece in enumerate(pieces):
        ear.take(piece, 0.01 * number)
        assert len(ear._buffer) < 300
    assert ear.statistics.bytes_received == sum(map(len, pieces))
    found = ear.take(DEYE + POWERS_ANSWER, 2.0)
    assert [(one.unit, one.address, one.words) for one in found[-1:]] == HEARD


@given(
    st.lists(
        st.tuples(
            st.integers(1, 247),
            st.sampled_from([3, 4]),
            st.integers(0, 0xFFFF),
            st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125),
        ),
        max_size=6,
    ),
    st.data(),
)
@settings(max_examples=200, deadline=None)
def test_hears_everything_on_a_clean_line(
    exchanges: list[tuple[int, int, int, list[int]]], data: st.DataObject
) -> None:
    """Whatever is asked and answered is heard, however the bytes are cut into pieces."""
    talk = b"".join(
        frame(f"{unit:02x}{function:02x}{address:04x}{len(words):04x}")
        + answer(tuple(words), unit, function)
        for unit, function, address, words in exchanges
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(talk)), max_size=8)))
    pieces = [talk[a:b] for a, b in zip([0, *cuts], [*cuts, len(talk)], strict=True)]
    assert listen(*pieces) == [
        (unit, address, tuple(words)) for unit, _, address, words in exchanges
    ]


@pytest.mark.parametrize("pattern", ["04", "0103fa", "0110 0000 007b f6", "010320", "00", "0183"])
def test_cost_of_sniffing_is_linear_in_the_bytes(pattern: str) -> None:
    """Of what looks most like frames each byte is checked no more often than there are bytes in the longest frame."""
    noise = bytes.fromhex(pattern) * 1000
    checked = 0
    check = sniffer.is_intact

    def count(frame: bytes) -> bool:
        nonlocal checked
        checked += len(frame)
        return check(frame)

    ear = RtuSniffer()
    with patch.object(sniffer, "is_intact", count):
        for at in range(0, len(noise), 64):
            ear.take(noise[at : at + 64], at * 0.001)
    assert checked < 100 * len(noise)
