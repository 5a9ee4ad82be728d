"""Codecs and rows: raw vectors worked out by hand, exact inverses, and values that are refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
import math
import struct
from typing import Final

from hypothesis import given, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.errors import InvalidValueError
from custom_components.hybrid_inverter.modbus.model.codec import (
    Bits,
    Choice,
    Codec,
    Float32,
    Hex,
    Number,
    Text,
    Value,
    Version,
)
from custom_components.hybrid_inverter.modbus.model.codec_time import (
    ByteTime,
    ClockTime,
    Hhmm,
    WideClockTime,
)
from custom_components.hybrid_inverter.modbus.model.derived import any_bit, total
from custom_components.hybrid_inverter.modbus.model.family import table
from custom_components.hybrid_inverter.modbus.model.register import (
    Group,
    Limits,
    Ref,
    Register,
    Tier,
)

U16 = Number()
I16 = Number(signed=True)
TENTH = Number(scale=0.1)
HUNDREDTH = Number(scale=0.01)
TEMPERATURE = Number(scale=0.1, offset=1000)
U32 = Number(words=2)
U32_LOW = Number(words=2, low_first=True)
I32 = Number(words=2, signed=True)
I32_LOW = Number(words=2, signed=True, low_first=True)
PERMILLE_OF_TEN = Number(scale=10)
ABSENT = Number(absent=frozenset({0xFFFF}))
MODES = Choice({0: "off", 1: "eco", 2: "full", 5: "eco"})
SWITCH = Choice({0: False, 1: True})
PAIR = Choice({2: False, 3: True})

VECTORS: list[tuple[str, Codec, list[int], Value]] = [
    ("u16", U16, [0xFFFF], 65535),
    ("i16 -1", I16, [0xFFFF], -1),
    ("i16 -48", I16, [65488], -48),
    ("i16 lowest", I16, [0x8000], -32768),
    ("i16 highest", I16, [0x7FFF], 32767),
    ("tenths", TENTH, [2312], 231.2),
    ("hundredths", HUNDREDTH, [5230], 52.3),
    ("ten-thousandths", Number(scale=0.0001, signed=True), [56036], -0.95),
    ("thousandths", Number(scale=0.001), [1000], 1.0),
    ("halves", Number(scale=0.5), [5], 2.5),
    ("quarters", Number(scale=0.25), [3], 0.75),
    ("one and a half", Number(scale=1.5), [3], 4.5),
    ("tens", PERMILLE_OF_TEN, [1200], 12000),
    ("an offset", TEMPERATURE, [1245], 24.5),
    ("an offset, below zero", TEMPERATURE, [980], -2.0),
    ("u32 high word first", U32, [0x0001, 0x3880], 80000),
    ("u32 low word first", U32_LOW, [0x3880, 0x0001], 80000),
    ("u32 of tenths", Number(scale=0.1, words=2, low_first=True), [14464, 1], 8000.0),
    ("u32 largest", U32, [0xFFFF, 0xFFFF], 4294967295),
    ("i32", I32, [0xFFFF, 0xFFFD], -3),
    ("i32 low word first", I32_LOW, [0xFFFD, 0xFFFF], -3),
    ("u48", Number(words=3), [1, 0, 2], 4294967298),
    ("float", Float32(), [0x4366, 0x3333], 230.1999969482422),
    ("float of -1.5", Float32(), [0xBFC0, 0x0000], -1.5),
    ("float low word first", Float32(low_first=True), [0x0000, 0xBFC0], -1.5),
    ("a choice", MODES, [2], "full"),
    ("a choice with two codes", MODES, [1], "eco"),
    ("a switch", SWITCH, [1], True),
    ("a pair", PAIR, [2], False),
    ("no bits", Bits(), [0], frozenset()),
    ("bits", Bits(), [0x8005], frozenset({0, 2, 15})),
    ("bits high word first", Bits(words=2), [0x0001, 0x8000], frozenset({15, 16})),
    (
        "bits low word first",
        Bits(words=4, low_first=True),
        [1, 2, 4, 0x8000],
        frozenset({0, 17, 34, 63}),
    ),
    ("text", Text(5), [0x4A53, 0x4F30, 0x3030, 0x3030, 0x3031], "JSO0000001"),
    ("short text", Text(2), [0x4142, 0x4300], "ABC"),
    ("text with a blank inside", Text(2), [0x4120, 0x4200], "A B"),
    ("hex", Hex(), [0x00A1], "00A1"),
    ("hex of three", Hex(3), [0x2001, 0x1144, 0x1800], "2001-1144-1800"),
    ("hex with one word of ones", Hex(2), [0xFFFF, 0x0001], "FFFF-0001"),
    ("midnight", Hhmm(), [0], time(0, 0)),
    ("half past five", Hhmm(), [530], time(5, 30)),
    ("the last minute", Hhmm(), [2359], time(23, 59)),
    ("the end of the day", Hhmm(), [2400], time(0, 0, fold=1)),
    ("midnight in bytes", ByteTime(), [0], time(0, 0)),
    ("half past five in bytes", ByteTime(), [0x051E], time(5, 30)),
    ("the last minute in bytes", ByteTime(), [0x173B], time(23, 59)),
    ("a version", Version(), [1216], "1.216"),
    ("a version with zeros", Version(), [2050], "2.050"),
    ("the first version", Version(), [7], "0.007"),
    ("the last version", Version(), [0xFFFE], "65.534"),
    (
        "a clock",
        ClockTime(),
        [0x1A06, 0x150C, 0x2238],
        datetime(2026, 6, 21, 12, 34, 56),  # noqa: DTZ001
    ),
    (
        "a clock in four words",
        WideClockTime(),
        [0x07EA, 0x0615, 0x0C22, 0x3800],
        datetime(2026, 6, 21, 12, 34, 56),  # noqa: DTZ001
    ),
]


@pytest.mark.parametrize(
    ("codec", "words", "value"),
    [vector[1:] for vector in VECTORS],
    ids=[vector[0] for vector in VECTORS],
)
def test_raw_words_and_values_convert_both_ways(
    codec: Codec, words: list[int], value: Value
) -> None:
    """Raw words and their value, both ways."""
    decoded = codec.decode(words)
    assert decoded == value
    assert type(decoded) is type(value)
    assert codec.encode(value) == words


@pytest.mark.parametrize(
    ("codec", "words"),
    [
        (ABSENT, [0xFFFF]),
        (Number(words=2, absent=frozenset({0xFFFFFFFF})), [0xFFFF, 0xFFFF]),
        (Number(scale=0.1, offset=1000, absent=frozenset({0})), [0]),
        (Number(signed=True, absent=frozenset({0x8000})), [0x8000]),
        (Float32(), [0x7FC0, 0x0000]),
        (Float32(), [0x7F80, 0x0000]),
        (Float32(), [0xFF80, 0x0000]),
        (MODES, [3]),
        (SWITCH, [2]),
        (PAIR, [0]),
        (PAIR, [1]),
        (Bits(absent=frozenset({0xFFFF})), [0xFFFF]),
        (Text(2), [0, 0]),
        (Text(2), [0x2020, 0x2020]),
        (Text(2), [0xFFFF, 0xFFFF]),
        (Text(2), [0x4142, 0x0A00]),
        (Text(2), [0x4100, 0x4200]),
        (Hex(2), [0xFFFF, 0xFFFF]),
        (Hhmm(), [2401]),
        (Hhmm(), [1260]),
        (Hhmm(), [0xFFFF]),
        (ClockTime(), [0, 0, 0]),
        (ClockTime(), [0x1306, 0x0101, 0]),
        (ClockTime(), [0x1A0D, 0x0101, 0]),
        (ClockTime(), [0x1A02, 0x1E00, 0]),
        (ClockTime(), [0x1A06, 0x1518, 0]),
        (ClockTime(), [0x1A06, 0x150C, 0x3C00]),
        (ClockTime(), [0xFFFF, 0xFFFF, 0xFFFF]),
        (ByteTime(), [0x1800]),
        (ByteTime(), [0x003C]),
        (ByteTime(), [0xFFFF]),
        (Version(), [0xFFFF]),
        (WideClockTime(), [0, 0, 0, 0]),
        (WideClockTime(), [2019, 0x0101, 0, 0]),
        (WideClockTime(), [2026, 0x0D01, 0, 0]),
        (WideClockTime(), [2026, 0x021E, 0, 0]),
        (WideClockTime(), [2026, 0x0615, 0x1800, 0]),
        (WideClockTime(), [2026, 0x0615, 0x0C3C, 0]),
        (WideClockTime(), [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF]),
    ],
)
def test_words_without_a_value(codec: Codec, words: list[int]) -> None:
    """Sentinels, unknown codes and nonsense decode to None."""
    assert codec.decode(words) is None


REFUSED: list[tuple[Codec, object]] = [
    (U16, -1),
    (U16, 65536),
    (U16, 0.5),
    (U16, "1"),
    (U16, True),
    (U16, None),
    (U16, math.nan),
    (U16, math.inf),
    (U16, -math.inf),
    (U16, 10**400),
    (U16, time(1)),
    (I16, 32768),
    (I16, -32769),
    (TENTH, 0.05),
    (TENTH, 6553.6),
    (TENTH, 1e308),
    (HUNDREDTH, 52.305),
    (HUNDREDTH, 52.30001),
    (TEMPERATURE, -100.1),
    (TEMPERATURE, 6453.6),
    (PERMILLE_OF_TEN, 12005),
    (U32, 1 << 32),
    (I32, 1 << 31),
    (ABSENT, 65535),
    (Number(scale=0.1, offset=1000, absent=frozenset({0})), -100.0),
    (Float32(), 0.1),
    (Float32(), 1e39),
    (Float32(), 10**400),
    (Float32(), math.nan),
    (Float32(), math.inf),
    (Float32(), True),
    (Float32(), "1"),
    (MODES, "auto"),
    (MODES, 1),
    (MODES, True),
    (SWITCH, 1),
    (SWITCH, "on"),
    (SWITCH, None),
    (Bits(), frozenset({16})),
    (Bits(), frozenset({-1})),
    (Bits(), frozenset({"a"})),
    (Bits(), 3),
    (Bits(absent=frozenset({0xFFFF})), frozenset(range(16))),
    (Text(2), ""),
    (Text(2), "ABCDE"),
    (Text(2), "ABC "),
    (Text(2), "\0"),
    (Text(2), "A\n"),
    (Text(2), "Ä"),
    (Text(2), 12),
    (Hex(), "a1b2"),
    (Hex(), "FFFF"),
    (Hex(), "12345"),
    (Hex(), "A1"),
    (Hex(), "0xA1"),
    (Hex(), " 0A1"),
    (Hex(), "1_00"),
    (Hex(), ""),
    (Hex(), 161),
    (Hex(2), "0001"),
    (Hex(2), "00010002"),
    (Hhmm(), time(5, 30, 1)),
    (Hhmm(), time(5, 30, 0, 1)),
    (Hhmm(), time(5, 30, tzinfo=UTC)),
    (Hhmm(), 530),
    (Hhmm(), "05:30"),
    (ClockTime(), datetime(2026, 6, 21, tzinfo=UTC)),
    (ClockTime(), datetime(2026, 6, 21, 0, 0, 0, 1)),  # noqa: DTZ001
    (ClockTime(), datetime(2019, 12, 31)),  # noqa: DTZ001
    (ClockTime(), datetime(2256, 1, 1)),  # noqa: DTZ001
    (ClockTime(), time(1)),
    (ByteTime(), time(5, 30, 1)),
    (ByteTime(), time(5, 30, 0, 1)),
    (ByteTime(), time(5, 30, tzinfo=UTC)),
    (ByteTime(), 530),
    (Version(), 1.216),
    (Version(), "1216"),
    (Version(), "1.21"),
    (Version(), "01.216"),
    (Version(), "65.535"),
    (Version(), "65.536"),
    (Version(), "\u0661.216"),
    (Version(), ""),
    (WideClockTime(), datetime(2026, 6, 21, tzinfo=UTC)),
    (WideClockTime(), datetime(2026, 6, 21, 0, 0, 0, 1)),  # noqa: DTZ001
    (WideClockTime(), datetime(2019, 12, 31)),  # noqa: DTZ001
    (WideClockTime(), time(1)),
]


@pytest.mark.parametrize(
    ("codec", "value"),
    REFUSED,
    ids=[f"{type(codec).__name__} {str(value)[:20]!a}" for codec, value in REFUSED],
)
def test_values_that_no_words_hold(codec: Codec, value: Value) -> None:
    """Nothing is wrapped, rounded or clamped: a value that does not fit exactly raises."""
    with pytest.raises(ValueError, match=r"^(is|has|does|cannot) "):
        codec.encode(value)


# ---------------------------------------------------------------------- exact inverses

NUMBERS = st.builds(
    Number,
    scale=st.sampled_from([1, 10, 100, 0.5, 0.25, 0.1, 0.01, 0.001, 0.0001]),
    offset=st.sampled_from([0, 1000, -40]),
    signed=st.booleans(),
    words=st.integers(1, 2),
    low_first=st.booleans(),
    absent=st.sampled_from([frozenset[int](), frozenset({0xFFFF}), frozenset({0, 0xFFFFFFFF})]),
)
WORDS = st.integers(0, 0xFFFF)


def words_of(count: int) -> st.SearchStrategy[list[int]]:
    """Return any raw words of a codec with this many."""
    return st.lists(WORDS, min_size=count, max_size=count)


@given(NUMBERS, st.data())
def test_numbers_are_exact_inverses(codec: Number, data: st.DataObject) -> None:
    """Every raw number that means something encodes to itself again."""
    words = data.draw(words_of(codec.words))
    value = codec.decode(words)
    if value is not None:
        assert codec.encode(value) == words


@given(NUMBERS, st.integers(-(1 << 34), 1 << 34) | st.floats(allow_nan=True))
def test_numbers_hold_the_value_or_raise(codec: Number, value: float) -> None:
    """What is encoded decodes to the same value, and fits into words."""
    try:
        words = codec.encode(value)
    except ValueError:
        return
    assert all(0 <= word <= 0xFFFF for word in words)
    assert codec.decode(words) == pytest.approx(value, rel=0, abs=codec.scale * 2e-6)


@given(st.integers(0, 0xFFFF))
def test_tenths_print_as_short_decimals(raw: int) -> None:
    """A value prints as a person would write it: 23.1, not 23.099999999999998."""
    assert str(TENTH.decode([raw])) == f"{raw // 10}.{raw % 10}"


@given(words_of(2), st.booleans())
def test_floats_are_exact_inverses(words: list[int], low_first: bool) -> None:
    """Every finite single encodes to itself again."""
    codec = Float32(low_first=low_first)
    value = codec.decode(words)
    if value is not None:
        assert codec.encode(value) == words


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_decode_what_the_standard_packs(value: float) -> None:
    """The word order is that of a big-endian single."""
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    assert Float32().decode([high, low]) == value
    assert Float32(low_first=True).decode([low, high]) == value


@given(st.integers(1, 4), st.booleans(), st.data())
def test_bits_are_exact_inverses(count: int, low_first: bool, data: st.DataObject) -> None:
    """Every pattern encodes to itself again, with as many bits as it has ones."""
    codec = Bits(words=count, low_first=low_first)
    words = data.draw(words_of(count))
    bits = codec.decode(words)
    assert bits is not None
    assert len(bits) == sum(word.bit_count() for word in words)
    assert codec.encode(bits) == words


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=9))
def test_texts_are_exact_inverses(text: str) -> None:
    """A text is held exactly, or refused when it would not come back the same."""
    codec = Text(4)
    if 0 < len(text) <= 8 and not text.endswith(" "):
        assert codec.decode(codec.encode(text)) == text
    else:
        with pytest.raises(ValueError, match="cannot be held"):
            codec.encode(text)


@given(words_of(3))
def test_hex_is_an_exact_inverse(words: list[int]) -> None:
    """Every word comes back, in four digits."""
    text = Hex(3).decode(words)
    if text is not None:
        assert Hex(3).encode(text) == words


@given(WORDS)
def test_times_are_exact_inverses(word: int) -> None:
    """Every number that is a time encodes to itself; there are 1440 of them."""
    value = Hhmm().decode([word])
    if value is not None:
        assert Hhmm().encode(value) == [word]


def test_there_are_1440_times() -> None:
    """Each minute of a day has one number."""
    times = {value for word in range(0x10000) if (value := Hhmm().decode([word]))}
    assert len(times) == 1440


@given(WORDS)
def test_times_in_bytes_are_exact_inverses(word: int) -> None:
    """Every word that is a time encodes to itself."""
    value = ByteTime().decode([word])
    if value is not None:
        assert ByteTime().encode(value) == [word]


def test_there_are_1440_times_in_bytes() -> None:
    """Each minute of a day has one word."""
    times = {value for word in range(0x10000) if (value := ByteTime().decode([word]))}
    assert len(times) == 1440


@given(WORDS)
def test_versions_are_exact_inverses(word: int) -> None:
    """Every word but the one that says "not available" comes back."""
    value = Version().decode([word])
    if value is not None:
        assert Version().encode(value) == [word]


@given(st.datetimes(datetime(2020, 1, 1), datetime(9999, 12, 31, 23, 59, 59)))  # noqa: DTZ001
def test_clock_times_in_four_words_are_exact_inverses(moment: datetime) -> None:
    """Every second that the clock can count comes back."""
    whole = moment.replace(microsecond=0)
    assert WideClockTime().decode(WideClockTime().encode(whole)) == whole


@given(st.datetimes(datetime(2020, 1, 1), datetime(2255, 12, 31, 23, 59, 59)))  # noqa: DTZ001
def test_clock_times_are_exact_inverses(moment: datetime) -> None:
    """Every second that the clock can count comes back."""
    whole = moment.replace(microsecond=0)
    assert ClockTime().decode(ClockTime().encode(whole)) == whole


@given(words_of(3))
def test_clock_words_are_exact_inverses(words: list[int]) -> None:
    """Whatever decodes to a time encodes to the same words."""
    value = ClockTime().decode(words)
    if value is not None:
        assert ClockTime().encode(value) == words


@given(
    st.integers(0, 15).flatmap(lambda low: st.tuples(st.just(low), st.integers(low, 15))),
    WORDS,
    WORDS,
)
def test_a_field_leaves_the_other_bits_alone(
    ends: tuple[int, int], before: int, wanted: int
) -> None:
    """Writing a field changes its bits only, and reads back as written; all ones are never written."""
    low, high = ends
    mask = (1 << high + 1) - (1 << low)
    value = wanted & (mask >> low)
    row = Register(key="field", addresses=(9,), group=Group.SETTINGS, codec=Number(), mask=mask)
    expected = before & ~mask & 0xFFFF | value << low
    if mask != 0xFFFF and 0xFFFF in (before, expected):
        with pytest.raises(InvalidValueError):
            row.encode(value, {9: before})
    else:
        assert row.encode(value, {9: before}) == [expected]
        assert row.decode({9: expected}) == value


# ---------------------------------------------------------------------- rows


def row(
    codec: Codec,
    *addresses: int,
    mask: int | None = None,
    limits: Limits | None = None,
    plausible: tuple[float, float] | None = None,
) -> Register:
    """Return a row of the settings."""
    return Register(
        key="row",
        addresses=addresses or (7,),
        group=Group.SETTINGS,
        codec=codec,
        mask=mask,
        limits=limits,
        plausible=plausible,
    )


def test_words_come_in_the_order_of_the_row() -> None:
    """Addresses need not be in order, nor next to each other."""
    firmware = row(Hex(3), 14, 15, 11)
    image = {11: 0x1800, 14: 0x2001, 15: 0x1144}
    assert firmware.decode(image) == "2001-1144-1800"
    assert firmware.encode("2001-1144-1800") == [0x2001, 0x1144, 0x1800]
    assert firmware.spans == [(11, 11), (14, 15)]


@pytest.mark.parametrize("padding", [0xFFFF, 0, 0x2020])
def test_padding_is_no_part_of_a_text(padding: int) -> None:
    """Some devices pad with "not available", also within a word."""
    assert Text(4).decode([0x4142, 0x4300 | padding & 0xFF, padding, padding]) == "ABC"
    assert Text(4).decode([padding] * 4) is None


@pytest.mark.parametrize(
    ("own", "alive", "expected"),
    [
        (0, (0, 0), None),
        (0xFFFF, (0, 0), None),
        (0, (0xFFFF, 0), None),
        (0, (0, 3500), 0),
        (0, (1, 0), 0),
        (0xFFFF, (0, 3500), -1),
        # What is there is told, whatever does not tell of it.
        (57, (0, 0), 57),
    ],
)
def test_nothing_beside_nothing_tells_nothing(
    own: int, alive: tuple[int, int], expected: int | None
) -> None:
    """Where a word shows whether there is what a row tells of."""
    told = replace(row(I16), alive_at=(20, 9))
    assert told.decode({7: own, 20: alive[0], 9: alive[1]}) == expected
    # It is read along.
    assert told.spans == [(7, 7), (9, 9), (20, 20)]


def test_spans_are_runs_of_consecutive_addresses() -> None:
    """The runs of consecutive addresses."""
    assert row(U16, 7).spans == [(7, 7)]
    assert row(U32, 8, 7).spans == [(7, 8)]
    assert row(Text(4), 1, 2, 5, 9).spans == [(1, 2), (5, 5), (9, 9)]


def test_a_missing_address_is_not_a_value() -> None:
    """What was not read raises, it is not unknown."""
    with pytest.raises(KeyError):
        row(U32, 7, 8).decode({7: 1})


@pytest.mark.parametrize(
    ("mask", "word", "expected"),
    [
        (0x0001, 0xFFFE, 0),
        (0x00FF, 0x0203, 3),
        (0xFF00, 0x0203, 2),
        (0x00C0, 0xAECE, 3),
        (0x8000, 0x8000, 1),
        (0x00FF, 0xFFFF, None),
        (0xFFFF, 0xFFFF, 65535),
    ],
)
def test_a_field_is_shifted_down(mask: int, word: int, expected: int | None) -> None:
    """A mask takes its bits; a whole word of ones says that there is no such register."""
    assert row(U16, mask=mask).decode({7: word}) == expected


def test_a_field_needs_its_surroundings() -> None:
    """Without the other bits nothing may be written, and a value must fit the field."""
    field = row(U16, mask=0x00F0)
    assert field.encode(0xA, {7: 0x1234}) == [0x12A4]
    with pytest.raises(InvalidValueError, match="other bits"):
        field.encode(0xA)
    with pytest.raises(InvalidValueError, match="fit into the field"):
        field.encode(0x10, {7: 0x1234})
    with pytest.raises(InvalidValueError, match="not available"):
        field.encode(0xF, {7: 0xFF0F})
    with pytest.raises(InvalidValueError, match="not available"):
        field.encode(0xA, {7: 0xFFFF})


def test_an_error_names_the_row() -> None:
    """A caller learns which value of which row was refused, and why."""
    with pytest.raises(InvalidValueError) as raised:
        row(U16).encode(-1)
    assert (raised.value.key, raised.value.value) == ("row", -1)
    assert raised.value.reason == "does not fit into the register"


@pytest.mark.parametrize(("raw", "expected"), [(0, 0), (100, 100), (101, None), (0xFFFF, None)])
def test_what_cannot_be_true_is_unknown(raw: int, expected: int | None) -> None:
    """The bounds of the plausible are included."""
    assert row(U16, plausible=(0, 100)).decode({7: raw}) == expected


def test_normalised_value_is_what_the_register_would_hold() -> None:
    """A value becomes what the register would hold, in its own type."""
    assert row(HUNDREDTH).normalise(52.300000000001) == 52.3
    held = row(U16).normalise(5.0)
    assert held == 5
    assert isinstance(held, int)
    with pytest.raises(InvalidValueError):
        row(U16).normalise(5.5)


def test_options_are_the_names_of_a_choice_and_exclude_on_and_off() -> None:
    """A choice offers its names, each once; on and off are no names."""
    assert row(MODES).options == ["off", "eco", "full"]
    assert row(SWITCH).options == []
    assert row(U16).options == []


def test_row_is_writable_only_with_a_tier() -> None:
    """Only a row with a tier may be written."""
    assert not row(U16).writable
    assert Register(
        key="row", addresses=(1,), group=Group.POWER, codec=U16, tier=Tier.EVERYDAY
    ).writable


@pytest.mark.parametrize(
    ("tier", "needed", "allowed"),
    [
        (Tier.READ_ONLY, Tier.EVERYDAY, False),
        (Tier.READ_ONLY, Tier.INSTALLER, False),
        (Tier.EVERYDAY, Tier.EVERYDAY, True),
        (Tier.EVERYDAY, Tier.INSTALLER, False),
        (Tier.INSTALLER, Tier.EVERYDAY, True),
        (Tier.INSTALLER, Tier.INSTALLER, True),
    ],
)
def test_each_tier_includes_the_ones_before_it(tier: Tier, needed: Tier, allowed: bool) -> None:
    """Each tier includes the ones before it."""
    assert tier.allows(needed) is allowed


# ---------------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("limits", "value"),
    [
        (Limits(0, 100), -1),
        (Limits(0, 100), 101),
        (Limits(0, 100), 50.5),
        (Limits(0, 100, 5), 52),
        (Limits(0, 100), math.nan),
        (Limits(38, 61, 0.01), 45.005),
        (Limits(38, 61, 0.01), 37.99),
        (Limits(0, 10, 0.5), 0.25),
        (Limits(0, 1435, 5), time(5, 32)),
        (Limits(0, 1435, 5), time(23, 56)),
        (Limits(0, Ref("other", offset=-1)), 50),
        (Limits(0, Ref("rated", factor=1.3)), 10401),
        (Limits(Ref("other", offset=1), 100), 50),
        (Limits(0, Ref("rated", by_value={8000: 190}, default=115)), 191),
        (Limits(0, Ref("rated", by_value={5000: 120, 10000: 210})), 211),
        (Limits(0, Ref("rated", by_value={5000: 120})), 121),
        (Limits(0, Ref("unknown", default=115)), 116),
    ],
)
def test_value_outside_the_bounds_or_off_the_step_is_rejected(limits: Limits, value: Value) -> None:
    """Outside the bounds in force, or off the step."""
    with pytest.raises(InvalidValueError):
        row(U16, limits=limits).check(value, {"other": 50, "rated": 8000.0})


@pytest.mark.parametrize(
    ("limits", "value"),
    [
        (Limits(0, 100), 0),
        (Limits(0, 100), 100),
        (Limits(0, 100, 5), 55),
        (Limits(38, 61, 0.01), 45.01),
        (Limits(38, 61, 0.01), 38),
        (Limits(0.1, 600, 0.1), 0.3),
        (Limits(0, 1435, 5), time(23, 55)),
        (Limits(0, Ref("other", offset=-1)), 49),
        (Limits(0, Ref("volts", offset=-0.01), 0.01), 52.22),
        (Limits(Ref("volts", offset=0.01), 61, 0.01), 52.24),
        (Limits(0, Ref("hours", offset=-0.1), 0.1), 0.2),  # 0.3 - 0.1 is 0.19999999999999998
        (Limits(Ref("days", offset=0.1), 1, 0.1), 0.3),  # 0.2 + 0.1 is 0.30000000000000004
        (Limits(0, Ref("rated", factor=1.3)), 10400),
        (Limits(0, Ref("rated", by_value={8000: 190}, default=115)), 190),
        (Limits(0, Ref("rated", by_value={5000: 120, 10000: 210})), 210),
        (Limits(0, Ref("rated", by_value={5000: 120})), 120),
        (Limits(0, Ref("unknown", default=115)), 115),
        (Limits(0, Ref("unknown")), 10**6),
        (Limits(Ref("unknown"), 100), -(10**6)),
        (Limits(0, Ref("flag", default=7)), 7),
        (None, 10**6),
        (Limits(0, 1), "text"),
    ],
)
def test_value_must_be_within_known_bounds_and_on_the_step(
    limits: Limits | None, value: Value
) -> None:
    """On the bounds and on the step; a bound that nobody knows does not bind."""
    row(U16, limits=limits).check(
        value,
        {"other": 50, "volts": 52.23, "hours": 0.3, "days": 0.2, "rated": 8000.0, "flag": True},
    )


def test_a_refusal_carries_its_numbers() -> None:
    """The message for a person needs the bounds and the step."""
    limited = row(U16, limits=Limits(0, 100, 5))
    with pytest.raises(InvalidValueError) as outside:
        limited.check(105, {})
    assert outside.value.details == {"minimum": 0, "maximum": 100}
    with pytest.raises(InvalidValueError) as between:
        limited.check(52, {})
    assert between.value.details == {"step": 5}


@pytest.mark.parametrize(
    ("value", "details"),
    [
        (20, {"minimum": 21, "maximum": 49, "lowest": 21, "neighbour": "shutdown"}),
        (50, {"minimum": 21, "maximum": 49, "highest": 49, "neighbour": "restart"}),
    ],
)
def test_a_number_between_two_others(value: int, details: dict[str, str | float]) -> None:
    """The refusal names the register that is in the way; while it is not known, nobody is."""
    low = row(U16, limits=Limits(Ref("shutdown", offset=1), Ref("restart", offset=-1)))
    with pytest.raises(InvalidValueError) as outside:
        low.check(value, {"shutdown": 20, "restart": 50})
    assert outside.value.details == details
    low.check(value, {"shutdown": 0, "restart": 100})
    low.check(value, {})


STARTS: Final = {"earlier": time(5, 0), "later": time(8, 30), "nowhere": None}
ORDERED: Final = Limits(Ref("earlier", default=0), Ref("later", default=1435), 5)


@pytest.mark.parametrize(
    ("limits", "value", "details"),
    [
        (
            ORDERED,
            time(4, 55),
            {"minimum": 300, "maximum": 510, "earliest": 300, "neighbour": "earlier"},
        ),
        (
            ORDERED,
            time(8, 35),
            {"minimum": 300, "maximum": 510, "latest": 510, "neighbour": "later"},
        ),
        # Nobody is in the way but the end of the day.
        (
            Limits(0, Ref("nowhere", default=1435), 5),
            time(23, 56),
            {"minimum": 0, "maximum": 1435},
        ),
        (Limits(Ref("earlier"), 1435, 5), time(23, 56), {"minimum": 300, "maximum": 1435}),
    ],
)
def test_a_time_out_of_order(limits: Limits, value: time, details: dict[str, str | float]) -> None:
    """The refusal names the register whose time is in the way."""
    with pytest.raises(InvalidValueError) as outside:
        row(Hhmm(), limits=limits).check(value, STARTS)
    assert outside.value.details == details


@pytest.mark.parametrize("value", [time(5, 0), time(5, 5), time(8, 30)])
def test_same_time_as_a_neighbours_is_in_order(value: time) -> None:
    """The same time as a neighbour's is in order."""
    row(Hhmm(), limits=ORDERED).check(value, STARTS)


def test_the_end_of_a_day_is_after_every_start() -> None:
    """24:00 bounds the start before it by the end of the day, and may be put back wherever a machine has held it."""
    row(Hhmm(), limits=ORDERED).check(time(23, 55), {"earlier": time(5, 0), "later": time(fold=1)})
    row(Hhmm(), limits=Limits(Ref("earlier"), 1435, 5)).check(time(fold=1), STARTS)
    with pytest.raises(InvalidValueError):
        row(Hhmm(), limits=ORDERED).check(time(4, 55), {"earlier": time(5, 0), "later": time()})


def test_a_cell_that_may_be_blank_is_written_as_if_it_held_zeros() -> None:
    """The others of its bits are off then; a register that the machine lacks is still refused."""
    masked = row(SWITCH, mask=0x0002)
    with pytest.raises(InvalidValueError):
        masked.encode(True, {7: 0xFFFF})
    blank = replace(masked, may_be_blank=True)
    assert blank.encode(True, {7: 0xFFFF}) == [0x0002]
    assert blank.encode(False, {7: 0xFFFF}) == [0x0000]
    assert blank.encode(True, {7: 0x8000}) == [0x8002]


@given(st.integers(0, 6100))
def test_hundredths_are_on_their_step(raw: int) -> None:
    """Whatever a register of hundredths holds is on the step of a hundredth."""
    value = HUNDREDTH.decode([raw])
    assert value is not None
    row(HUNDREDTH, limits=Limits(0, 61, 0.01)).check(value, {})


# ---------------------------------------------------------------------- around the rows


def test_key_that_occurs_twice_in_a_table_is_rejected() -> None:
    """A table with a key twice would hide a row."""
    one, other = row(U16, 1), row(U16, 2)
    assert table(one) == {"row": one}
    with pytest.raises(ValueError, match="row"):
        table(one, other)


@pytest.mark.parametrize(
    ("compute", "values", "expected"),
    [
        (total("a", "b"), {"a": 3400, "b": 2210}, 5610),
        (total("a", "b"), {"a": 3400, "b": None}, 3400),
        (total("a", "b"), {"a": 3400}, 3400),
        (total("a", "b"), {"a": 0, "b": 0}, 0),
        (total("a", "b"), {"a": None, "b": None}, None),
        (total("a", "b"), {"a": True, "b": "1"}, None),
        (any_bit("a"), {"a": frozenset({3})}, True),
        (any_bit("a"), {"a": frozenset()}, False),
        (any_bit("a", "b"), {"a": frozenset(), "b": frozenset({1})}, True),
        (any_bit("a", "b"), {"a": None, "b": frozenset()}, False),
        (any_bit("a"), {"a": None}, None),
    ],
)
def test_derived_values_use_what_is_known_and_are_unknown_without(
    compute: Callable[[dict[str, Value | None]], Value | None],
    values: dict[str, Value | None],
    expected: Value | None,
) -> None:
    """Sums and flags over what is known; nothing known is unknown."""
    assert compute(values) == expected


def test_codecs_take_any_sequence() -> None:
    """A decoder does not care which sequence the words come in."""
    words: Sequence[int] = (0x4142, 0x4300)
    assert Text(2).decode(words) == "ABC"
    assert U32_LOW.decode(words) == 0x43004142
