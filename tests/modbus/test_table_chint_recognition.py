"""How a meter is recognised, and what it is found to have."""

from __future__ import annotations

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.device.register_reader import RegisterReader
from custom_components.hybrid_inverter.modbus.errors import (
    LinkTimeout,
    RejectedError,
    WrongDeviceError,
)
from custom_components.hybrid_inverter.modbus.find.identify import identify
from custom_components.hybrid_inverter.modbus.model.recognition import OtherDevice, conclude
from custom_components.hybrid_inverter.modbus.tables.chint import DTSU666

from .fake_unit import FakeUnit, full_of_holes
from .table_chint import ASKED, IDENTITIES, Words, image, singles


@pytest.mark.parametrize("name", IDENTITIES)
async def test_meter_is_recognised_with_one_deciding_question(name: str) -> None:
    """Two questions whether it is one of the inverters, one that tells the meters apart, and few others."""
    unit = full_of_holes(image(name))
    identity = await identify(unit)
    assert identity == IDENTITIES[name]
    assert identity.kind == "meter"
    assert not identity.lacks_rated_power
    assert unit.reads == [(0, 1), (0x8F00, 1), *ASKED[name]]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("huawei_dtsu666_h", "huawei_meter"),
        ("sungrow_dtsu666", "sungrow_meter"),
        ("dtsu666_echo", "echoing_meter"),
    ],
)
async def test_similar_meters_are_rejected_by_name(name: str, found: str) -> None:
    """They are refused by their names."""
    unit = full_of_holes(image(name))
    with pytest.raises(WrongDeviceError) as caught:
        await identify(unit)
    assert caught.value.found == found
    assert len(unit.reads) <= 5


@pytest.mark.parametrize(
    ("words", "family"),
    [
        # The second and third phase only; the third only: the frequency tells.
        (singles(0x2006, 0.0, 2301.0, 2296.0) | singles(0x2000, 2301, 3987, 2296), "dtsu666"),
        (singles(0x2006, 0.0, 0.0, 2296.0) | singles(0x2000, 0, 2296, 2296), "dtsu666"),
        # Behind a voltage transformer a phase has 57.7 V.
        (singles(0x2006, 577, 577, 577) | singles(0x2000, 1000, 1000, 1000), "dtsu666"),
        # One phase of three.
        (singles(0x2006, 2301, 0, 0) | singles(0x2000, 2301, 0, 2301), "dtsu666"),
        # No neutral: the voltages between the phases tell.
        (singles(0x2006, 0, 0, 0) | singles(0x2000, 4001, 3999, 4000), "dtsu666"),
    ],
)
async def test_three_phases_of_which_some_are_missing(words: Words, family: str) -> None:
    """The meter is the same, and its ratio too."""
    unit = full_of_holes(image("dtsu666_primary") | words)
    identity = await identify(unit)
    assert (identity.family, identity.facts["ct_ratio"]) == (family, 200)


async def test_a_single_phase_meter_by_its_frequency() -> None:
    """Where a voltage is out of the ordinary."""
    unit = full_of_holes(image("ddsu666_solar") | singles(0x2000, 62.5))
    assert (await identify(unit)).family == "ddsu666"
    assert unit.reads[2:5] == [(0x2000, 8), (0x2044, 2), (0x200E, 2)]


@pytest.mark.parametrize(
    ("name", "family"), [("dtsu666_1000", "dtsu666"), ("ddsu666_solar", "ddsu666")]
)
async def test_a_dead_line_is_known_by_the_settings(name: str, family: str) -> None:
    """Nothing is measured; the keypad code lies in the one or the other register."""
    words = image(name)
    words |= {address: 0 for address in words if 0x2000 <= address < 0x2100}
    unit = full_of_holes(words)
    assert (await identify(unit)).family == family


async def test_settings_alone_do_not_make_a_meter() -> None:
    """What measures something that no meter can is none."""
    unit = full_of_holes(image("dtsu666_1000") | singles(0x2000, 1e-19, 1e30, 0, 7.0, 1, 1))
    unit.registers |= singles(0x2044, 3.0)
    verdict = await conclude(DTSU666.recognise(), RegisterReader(unit, DTSU666).probe)
    assert verdict == OtherDevice("unknown_meter", certain=False)
    with pytest.raises(WrongDeviceError):
        await identify(unit)


@pytest.mark.parametrize("code", [3, 5, 0x0500, 0x0006])
async def test_a_meter_that_begins_like_an_inverter(code: int) -> None:
    """The first register is a keypad code, or a version: an inverter of ours, or a stranger, by chance."""
    for name in ("ddsu666_solar", "dtsu666_1000"):
        unit = full_of_holes(image(name) | {0: code})
        assert (await identify(unit)).family == IDENTITIES[name].family


async def test_device_that_does_not_answer_is_asked_one_question() -> None:
    """Who does not answer is asked one question; a meter refuses what it does not have, and is never silent."""
    unit = FakeUnit(fault=LinkTimeout("unit 1"))
    with pytest.raises(LinkTimeout):
        await identify(unit)
    assert unit.reads == [(0, 1), (0x8F00, 1)]


async def test_a_stranger_that_is_silent_where_a_meter_answers() -> None:
    """It is named all the same."""
    unit = FakeUnit({0: 3})
    unit.faults.extend([None, LinkTimeout("unit 1")])
    with pytest.raises(WrongDeviceError, match="single_phase_hybrid"):
        await identify(unit)
    assert unit.reads == [(0, 1), (0x2000, 8)]


async def test_what_goes_wrong_with_a_meter_is_passed_on() -> None:
    """It was recognised: that its first register looks like another machine's is no news."""
    unit = full_of_holes(image("dtsu666_1000") | {0: 3})
    unit.faults.extend([None, None, RejectedError(6, "busy")])
    with pytest.raises(RejectedError):
        await identify(unit)


async def test_a_brand_of_the_single_phase_meter() -> None:
    """SolaX has its own number in one register."""
    unit = full_of_holes(image("ddsu666_solar") | {0x000B: 166})
    assert (await identify(unit)).model == "DDSU666 (SolaX)"


@pytest.mark.parametrize(
    ("address", "word", "found"),
    [
        (0x0006, 0, "impossible_ct_ratio"),
        (0x0006, 10000, "impossible_ct_ratio"),
        (0x0007, 0, "impossible_pt_ratio"),
        (0x0007, 10000, "impossible_pt_ratio"),
    ],
)
async def test_meter_with_impossible_ratios_is_not_believed(
    address: int, word: int, found: str
) -> None:
    """Nothing that such a meter says could be believed."""
    unit = full_of_holes(image("dtsu666_1000") | {address: word})
    with pytest.raises(WrongDeviceError) as caught:
        await identify(unit)
    assert caught.value.found == found


@pytest.mark.parametrize(
    ("address", "word", "facts"),
    [
        (0x0006, 9999, {"rated_power": 41395860, "ct_ratio": 9999, "pt_ratio": 1.0}),
        (0x0007, 9999, {"rated_power": 172482750, "ct_ratio": 1, "pt_ratio": 999.9}),
        (0x0007, 1, {"rated_power": 17250, "ct_ratio": 1, "pt_ratio": 0.1}),
    ],
)
async def test_largest_ratios_are_accepted(
    address: int, word: int, facts: dict[str, float]
) -> None:
    """They are as good as any: 690 V * 6 A * 9999, 690 V * 999.9 * 250 A, 690 V * 0.1 * 250 A."""
    unit = full_of_holes(image("dtsu666_1000") | {address: word})
    assert (await identify(unit)).facts == facts


@pytest.mark.parametrize(
    ("kilowatts", "found"),
    [
        (-3.02, True),
        # 5 percent, 20 W and a count of 20 W more, which a changing load may bring; and a watt beyond.
        (-3.22, True),
        (-3.24, False),
        (-2.83, True),
        (-2.82, False),
        # A ratio that the meter itself does not go by.
        (-0.0151, False),
        (3.02, False),
        (float("nan"), False),
    ],
)
async def test_both_sides_have_to_show_the_same(kilowatts: float, found: bool) -> None:
    """Otherwise the primary side is not what it is taken for, and the documented one is read."""
    unit = full_of_holes(image("dtsu666_primary") | singles(0x151C, kilowatts))
    features = set((await identify(unit)).features)
    assert ("primary_measurements" in features) is found
    assert ("primary_counters" in features) is found
    assert ({"whole_block", "apparent_power", "new_net_counters"} <= features) is not found


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        # The manual of 2016 calls the phases' counters reserved.
        (singles(0x4020, 0, 0, 0), {"old_phase_counters"}),
        (singles(0x402A, 0, 0, 0), {"old_phase_counters"}),
        # Some take the net counters for reactive ones.
        (singles(0x4026, 5.5), {"old_net_counters"}),
        (singles(0x4026, 0) | singles(0x4030, 0), {"old_net_counters"}),
        # As much out as in: then zeros would fit.
        (
            singles(0x4026, 0, 100.125, 60.125, 25, 15, 0) | singles(0x4000, 200.25),
            {"old_net_counters"},
        ),
        # What is not both ways together is something else.
        (singles(0x4000, 100.125), {"old_combined_counter"}),
        (singles(0x4000, 0), {"old_combined_counter"}),
    ],
)
async def test_counters_that_are_not_what_they_could_be(words: Words, missing: set[str]) -> None:
    """They are not shown."""
    unit = full_of_holes(image("dtsu666_4000") | words)
    features = set((await identify(unit)).features)
    assert set(IDENTITIES["dtsu666_4000"].features) - features == missing


async def test_what_cannot_be_true_proves_nothing() -> None:
    """Half a terawatt-hour has never been counted: what has such a counter is something else."""
    unit = full_of_holes(image("dtsu666_1000") | singles(0x101E, 5e8))
    device = Device(unit, DTSU666, known={"ct_ratio": 1, "pt_ratio": 1.0})
    await device.discover()
    assert "new_counters" not in device.features
    assert device.dropped == 2


async def test_counters_of_a_new_meter() -> None:
    """Zeros prove nothing; as soon as something is counted, what was open is found."""
    words = image("dtsu666_4000")
    words |= {address: 0 for address in words if 0x4000 <= address < 0x4060}
    unit = full_of_holes(words)
    identity = await identify(unit)
    open_questions = {"old_phase_counters", "old_net_counters", "old_combined_counter"}
    assert open_questions.isdisjoint(identity.features)
    assert "old_counters" in identity.features
    feature_probe = Device(unit, DTSU666, known=identity.facts, features=identity.features)
    assert await feature_probe.discover() == frozenset()
    unit.registers |= image("dtsu666_4000")
    assert await feature_probe.discover() == open_questions


async def test_no_number_where_the_new_counters_are() -> None:
    """Then they are where they used to be."""
    words = image("dtsu666_4000") | dict.fromkeys(range(0x101E, 0x1032), 0x7FC0)
    assert "old_counters" in (await identify(full_of_holes(words))).features


@pytest.mark.parametrize(
    ("name", "words", "found"),
    [
        ("ddsu666_solar", singles(0x2008, 0.0), False),
        ("ddsu666_solar", singles(0x2008, 0.4), False),
        ("ddsu666_solar", singles(0x2008, 0.6), True),
        ("dtsu666_primary", singles(0x151C, 0.0) | singles(0x2022, 0.0), False),
        ("dtsu666_primary", singles(0x151C, 0.0) | singles(0x2022, 100.0), True),
        ("dtsu666_primary", singles(0x151C, 0.0) | singles(0x2022, -155.0), False),
    ],
)
async def test_an_apparent_power_is_not_less_than_the_power(
    name: str, words: Words, found: bool
) -> None:
    """What is reserved in a manual may hold anything."""
    features = (await identify(full_of_holes(image(name) | words))).features
    assert ("apparent_power" in features) is found


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (singles(0x4002, 0, 0, 0, 0), "import_tariffs"),
        (singles(0x400C, 50.0), "export_tariffs"),
    ],
)
async def test_tariffs_make_up_the_total(words: Words, missing: str) -> None:
    """Otherwise they are something else."""
    identity = await identify(full_of_holes(image("ddsu666_tariffs") | words))
    assert set(IDENTITIES["ddsu666_tariffs"].features) - set(identity.features) == {missing}


async def test_meter_without_neutral_has_no_phase_voltages_and_no_middle_phase() -> None:
    """Without a neutral the phases' voltages and the middle phase mean nothing, and are not judged either."""
    words = image("dtsu666_1000") | {0x0003: 1} | singles(0x2006, 1e-19, float("nan"), 1e30)
    unit = full_of_holes(words)
    identity = await identify(unit)
    assert "three_wire" in identity.features
    device = Device(unit, DTSU666, known=identity.facts, features=identity.features)
    missing = {
        "l1_voltage",
        "l2_voltage",
        "l3_voltage",
        "l2_power",
        "l2_reactive_power",
        "l2_power_factor",
    }
    assert missing.isdisjoint(device.family.registers)
    assert (await device.poll(["power", "l1_l2_voltage"])).values == {
        "power": 1234.5,
        "l1_l2_voltage": 404.6,
    }
    assert device.dropped == 0
