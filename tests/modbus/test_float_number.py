"""Singles that mean decimal numbers, behind transformers whose ratios the machine tells; and clocks of six words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
import struct
from typing import Final

from hypothesis import given, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.model.codec import (
    FloatNumber,
    Number,
    PermilleOfRated,
    Value,
)
from custom_components.hybrid_inverter.modbus.model.codec_time import WordClockTime
from custom_components.hybrid_inverter.modbus.model.register import Group, Register

ENERGY: Final = FloatNumber()
TENTHS: Final = FloatNumber(scale=0.1, places=1)
KILO: Final = FloatNumber(scale=1000, places=4)
POWER: Final = FloatNumber(scale=0.1, places=1, ratios=("ct_ratio", "pt_ratio"))
COUNTER: Final = FloatNumber(ratios=("ct_ratio", "pt_ratio"))


def words_of(value: float) -> list[int]:
    """Return the words of the single that is nearest."""
    return list(struct.unpack(">2H", struct.pack(">f", value)))


def behind(codec: FloatNumber, ct_ratio: float, pt_ratio: float = 1.0) -> FloatNumber:
    """Return the codec of a machine with these ratios."""
    return codec.completed({"ct_ratio": ct_ratio, "pt_ratio": pt_ratio})


@pytest.mark.parametrize(
    ("codec", "words", "expected"),
    [
        # 0x43170000 is 151, 0x3D0F5C29 is 0.035000000149.
        (behind(POWER, 200), [0xC317, 0x0000], "-3020.0"),
        (behind(COUNTER, 200), [0x3D0F, 0x5C29], "7.0"),
        (behind(COUNTER, 1), [0x3D0F, 0x5C29], "0.035"),
        # 229.899994
        (FloatNumber(places=2), [0x4365, 0xE666], "229.9"),
        # 12345.677734 is the nearest that there is.
        (ENERGY, [0x4640, 0xE6B6], "12345.678"),
        # -0.539099991
        (KILO, [0xBF0A, 0x0275], "-539.1"),
        (behind(POWER, 15, 100.0), words_of(5678), "851700.0"),
        (behind(POWER, 1, 0.3), words_of(1), "0.03"),
        # 3.300000000000000266 would be the product of binary numbers.
        (behind(COUNTER, 3, 1.1), words_of(1), "3.3"),
        (TENTHS, [0x8000, 0x0000], "0.0"),
        (TENTHS, words_of(-0.04), "0.0"),
        (FloatNumber(scale=-0.1, places=1), [0, 0], "0.0"),
        (FloatNumber(scale=-0.1, places=1), words_of(2299), "-229.9"),
        (TENTHS, words_of(1.08e-19), "0.0"),
    ],
)
def test_float_decodes_to_the_shortest_decimal_and_back(
    codec: FloatNumber, words: list[int], expected: str
) -> None:
    """It is printed as a person would write it."""
    assert repr(codec.decode(words)) == expected


@pytest.mark.parametrize("words", [[0x7FC0, 0], [0x7F80, 0], [0xFF80, 0], [0xFFFF, 0xFFFF]])
def test_what_is_no_number(words: list[int]) -> None:
    """There is no value."""
    assert ENERGY.decode(words) is None
    assert behind(POWER, 200).decode(words) is None


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"ct_ratio": 200},
        {"ct_ratio": 200, "pt_ratio": None},
        {"ct_ratio": 0, "pt_ratio": 1.0},
        {"ct_ratio": "200", "pt_ratio": 1.0},
        {"ct_ratio": True, "pt_ratio": 1.0},
    ],
)
def test_without_its_ratios_it_tells_nothing(facts: dict[str, Value | None]) -> None:
    """Neither is it written."""
    codec = POWER.completed(facts)
    assert codec.decode(words_of(151)) is None
    with pytest.raises(ValueError, match="unknown ratios"):
        codec.encode(15.1)
    assert POWER.needs == ("ct_ratio", "pt_ratio")


def test_ratios_that_have_changed() -> None:
    """A codec is completed again with others, or without."""
    codec = behind(behind(POWER, 200), 30)
    assert codec.decode(words_of(100)) == 300.0
    assert codec.completed({}).decode(words_of(100)) is None


@given(st.integers(-200_000, 200_000), st.integers(1, 9999), st.integers(1, 9999))
def test_whole_counts_stay_exact_through_any_ratio(raw: int, ct_ratio: int, tenths: int) -> None:
    """Whole counts through any ratios, to the last place."""
    codec = behind(POWER, ct_ratio, float(Decimal(tenths) / 10))
    exact = Decimal(raw) * ct_ratio * tenths / 100
    assert codec.decode(words_of(raw)) == float(exact)


@given(st.integers(0, 16_000_000), st.sampled_from([1, 20, 33, 120, 200, 9999]))
def test_thousandths_of_a_kilowatt_hour_stay_exact_up_to_16_mwh(raw: int, ct_ratio: int) -> None:
    """A single holds every thousandth of a kilowatt-hour up to 16 MWh."""
    exact = Decimal(raw) / 1000 * ct_ratio
    assert behind(COUNTER, ct_ratio).decode(words_of(raw / 1000)) == float(exact)


CODECS: Final = st.sampled_from(
    [ENERGY, TENTHS, KILO, behind(POWER, 200), behind(COUNTER, 33), behind(COUNTER, 7, 14.3)]
)


@given(CODECS, st.lists(st.integers(0, 0xFFFF), min_size=2, max_size=2))
def test_what_is_decoded_can_be_held(codec: FloatNumber, words: list[int]) -> None:
    """Other words may mean the same, but never something else."""
    value = codec.decode(words)
    if value is not None and abs(value) < 1e30:
        assert codec.decode(codec.encode(value)) == value


@given(CODECS, st.floats(-1e7, 1e7))
def test_the_nearest_can_be_held(codec: FloatNumber, value: float) -> None:
    """It is not further away than half a place, or half the distance of two singles."""
    nearest = codec.nearest(value)
    assert codec.decode(codec.encode(nearest)) == nearest
    factor = codec.scale * (codec.ratio or 1)
    assert abs(nearest - value) <= 0.51 * factor * 10**-codec.places + abs(value) * 2**-23


@given(CODECS, st.floats(allow_nan=True) | st.integers(-(1 << 40), 1 << 40))
def test_the_value_is_held_or_refused(codec: FloatNumber, value: float) -> None:
    """Nothing is rounded on the way out."""
    try:
        words = codec.encode(value)
    except ValueError:
        return
    assert codec.decode(words) == value


@pytest.mark.parametrize("value", ["1", True, None, float("nan"), float("inf"), 1e39, 0.00004])
def test_values_that_no_words_hold(value: Value) -> None:
    """Not a number, too large, or finer than what is real."""
    with pytest.raises(ValueError, match=r"not a number|does not fit|held exactly"):
        ENERGY.encode(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e39])
def test_value_that_does_not_fit_has_no_nearest_float(value: float) -> None:
    """What does not fit has no neighbour."""
    with pytest.raises(ValueError, match="does not fit"):
        ENERGY.nearest(value)


def test_shares_and_ratios_complete_a_row_the_same_way() -> None:
    """Shares and ratios by the same way; what needs nothing stays itself."""
    row = Register(key="limit", addresses=(1,), group=Group.POWER, codec=PermilleOfRated())
    assert row.completed({"rated_power": 6000}).decode({1: 500}) == 3000
    assert row.completed({}).decode({1: 500}) is None
    plain = Register(key="plain", addresses=(1,), group=Group.POWER, codec=Number())
    assert plain.completed({"rated_power": 6000}) is plain


# ---------------------------------------------------------------------- clocks


@pytest.mark.parametrize("year", [26, 2026])
def test_clock_decodes_with_and_without_the_century(year: int) -> None:
    """With or without the century."""
    moment = datetime(2026, 6, 21, 14, 15, 30)  # noqa: DTZ001 - the machine knows no zone
    assert WordClockTime().decode([30, 15, 14, 21, 6, year]) == moment
    assert WordClockTime().encode(moment) == [30, 15, 14, 21, 6, 2026]


@pytest.mark.parametrize(
    "words",
    [
        [0, 0, 0, 0, 0, 0],
        [60, 0, 0, 1, 1, 26],
        [0, 60, 0, 1, 1, 26],
        [0, 0, 24, 1, 1, 26],
        [0, 0, 0, 30, 2, 26],
        [0, 0, 0, 1, 13, 26],
        [0, 0, 0, 1, 1, 1999],
        [0, 0, 0, 1, 1, 0xFFFF],
    ],
)
def test_what_is_no_time(words: list[int]) -> None:
    """It is unknown."""
    assert WordClockTime().decode(words) is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001
def test_clocks_are_exact_inverses(moment: datetime) -> None:
    """Every second comes back."""
    whole = moment.replace(microsecond=0)
    assert WordClockTime().decode(WordClockTime().encode(whole)) == whole


@pytest.mark.parametrize(
    "value",
    [
        "12:00",
        datetime(2026, 6, 21, tzinfo=UTC),
        datetime(2026, 6, 21, 0, 0, 0, 1),  # noqa: DTZ001
        datetime(1999, 6, 21),  # noqa: DTZ001
    ],
)
def test_times_that_no_words_hold(value: Value) -> None:
    """A zone, a fraction of a second, another century."""
    with pytest.raises(ValueError, match="is "):
        WordClockTime().encode(value)
