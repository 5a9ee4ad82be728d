"""How each model is recognised, and what it is found to have."""

from __future__ import annotations

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import WrongDeviceError
from custom_components.hybrid_inverter.modbus.find.identify import identify
from custom_components.hybrid_inverter.modbus.model.codec import WORD
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

from .fake_unit import FakeUnit
from .table_saj import FEATURES, RATED, unit_of


@pytest.mark.parametrize("model", FEATURES)
async def test_each_model_has_exactly_its_features(model: str) -> None:
    """What each model is found to have, and nothing else."""
    device = Device(unit_of(model), SAJ, known={"rated_power": RATED[model]})
    assert await device.discover() == FEATURES[model]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("h2_10k_t2", "Hybrid 10K"),
        ("h2_6k_s2", "H2-6K-S2"),
        ("hs2_6k_s2", "HS2-6K-S2"),
        ("as2_6k_s", "AS2-6K-S"),
        ("hs3_8k_t2", "Hybrid 8K"),
    ],
)
async def test_each_model_is_recognised_although_it_lacks_the_jso_registers(
    model: str, name: str
) -> None:
    """Each model is recognised, named and found out about, although it has no JSO's registers."""
    unit = unit_of(model)
    unit.refused[0] = 2
    identity = await identify(unit)
    assert (identity.family, identity.manufacturer, identity.model) == ("saj", "SAJ", name)
    assert identity.serial == image_serial(model)
    assert identity.firmware == "1.216 / 3.105 / 3.106"
    assert identity.facts["rated_power"] == RATED[model]
    assert not identity.lacks_rated_power
    assert set(identity.features) == FEATURES[model]


def image_serial(model: str) -> str:
    """Return the serial number that is in the image of a model."""
    return {
        "h2_10k_t2": "H2T20000000000000001",
        "h2_6k_s2": "H2S20000000000000001",
        "hs2_6k_s2": "HS2S2000000000000001",
        "as2_6k_s": "AS2S0000000000000001",
        "hs3_8k_t2": "HS3T2000000000000001",
    }[model]


async def test_a_machine_that_does_not_tell_its_rated_power() -> None:
    """A person is asked, and the other values do not need it."""
    unit = unit_of("h2_6k_s2")
    unit.refused |= {0: 2, 0x366D: 2}
    identity = await identify(unit)
    assert identity.lacks_rated_power
    assert identity.model == "H2-xK-S2"


def padded(unit: FakeUnit) -> FakeUnit:
    """Return a machine whose texts end in "not available" instead of zeros."""
    for address in range(0x8F03, 0x8F17):
        if unit.registers.get(address, 0) == 0:
            unit.registers[address] = WORD
    return unit


@pytest.mark.parametrize("marker", [1, 60, 83, 256, 0x0130, 0xFFFE])
async def test_an_unpublished_type_is_told_by_its_serial_number(marker: int) -> None:
    """T2, T3 and HS3 have types that nobody has published; a person is asked, and sees which it is."""
    unit = padded(unit_of("h2_10k_t2"))
    unit.refused[0] = 2
    unit.registers[0x8F00] = marker
    identity = await identify(unit)
    assert identity.family == "saj"
    assert identity.serial == "H2T20000000000000001"
    assert identity.model == "Hybrid 10K"
    assert identity.is_doubtful
    # It has what it has, whatever its type.
    assert {"pv", "three_phase", "meter_a"} <= set(identity.features)


@pytest.mark.parametrize("marker", [85, 90, 94, 255])
async def test_a_type_of_the_series_is_not_asked_for(marker: int) -> None:
    """Also those between the published ones."""
    unit = unit_of("h2_10k_t2")
    unit.refused[0] = 2
    unit.registers[0x8F00] = marker
    assert not (await identify(unit)).is_doubtful


@pytest.mark.parametrize(
    "texts",
    [
        {},
        # Six characters, and something else than letters and digits.
        {0x8F03: 0x4832, 0x8F04: 0x4832, 0x8F05: 0x4832},
        dict.fromkeys(range(0x8F03, 0x8F0D), 0x2A2A),
        # A serial number before a product code that is no text.
        {**dict.fromkeys(range(0x8F03, 0x8F0D), 0x4832), 0x8F0D: 0x0102},
    ],
)
async def test_a_stranger_is_no_inverter_of_an_unknown_type(texts: dict[int, int]) -> None:
    """What has no serial number where these inverters have theirs is another machine, as is one that refuses it."""
    for refused in ({}, {0x8F03: 2}):
        unit = FakeUnit({0x8F00: 300, **texts}, refused={0: 2, 0x2000: 2, 2110: 2, **refused})
        with pytest.raises(WrongDeviceError):
            await identify(unit)


@pytest.mark.parametrize(("marker", "code"), [(82, "saj_as1"), (84, "saj_h1")])
async def test_other_series_are_reported_by_name(marker: int, code: str) -> None:
    """They are called by their name."""
    unit = FakeUnit({0x8F00: marker}, refused={0: 2})
    with pytest.raises(WrongDeviceError, match=code):
        await identify(unit)


@pytest.mark.parametrize(
    ("types", "voltages", "found"),
    [
        ((91, 93), (WORD, WORD), {"pv", "pv3"}),
        ((90, 92), (0, 0), {"pv"}),
        ((85, 86), (0, 0), {"ac_coupled"}),
        ((94, 255), (0, WORD), {"pv", "pv3"}),
        ((94, 255), (3000, 0), {"pv", "pv3", "pv4"}),
        ((94, 255), (0x7FFF, 0x7FFF), {"pv"}),
    ],
)
async def test_pv_inputs_follow_the_type_or_what_the_inputs_report(
    types: tuple[int, ...], voltages: tuple[int, int], found: set[str]
) -> None:
    """By the type where it is public, otherwise by what the inputs say."""
    for marker in types:
        unit = FakeUnit({0x8F00: marker, 0x4077: voltages[0], 0x407A: voltages[1]})
        inputs = await Device(unit, SAJ).discover() & {"pv", "pv3", "pv4", "ac_coupled"}
        assert inputs == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({}, False),
        ({0x3674: 1}, False),
        ({0x3674: 2}, True),
        ({0x3674: 3}, True),
        ({0x4038: 2300}, True),
        ({0x403F: 2300}, True),
        ({0x4038: 120}, False),
    ],
)
async def test_phases_follow_the_setting_or_a_voltage_on_another_phase(
    words: dict[int, int], found: bool
) -> None:
    """By what the machine is set to, or by a voltage on another phase."""
    features = await Device(FakeUnit({0x8F00: 94, **words}), SAJ).discover()
    assert ("three_phase" in features) is found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({}, set()),
        ({0xA00B: 0b0101}, {"battery_1", "battery_3"}),
        ({0xA012: 5000}, {"battery_packs", "battery_2"}),
        ({0xA020: 3500}, {"battery_packs", "battery_4"}),
        ({0xA000: 1}, {"battery_packs"}),
    ],
)
async def test_battery_packs_follow_the_mask_or_their_reports(
    words: dict[int, int], found: set[str]
) -> None:
    """By the mask, or by what they report."""
    features = await Device(FakeUnit({0x8F00: 90, **words}), SAJ).discover()
    assert {key for key in features if key.startswith("battery_")} == found


@pytest.mark.parametrize("refused", [0x4151, 0x4155, 0x415D, 0x4165])
async def test_a_sum_needs_all_its_parts(refused: int) -> None:
    """Without the sums, and with a phase refused, nothing is called the energy of the house."""
    unit = unit_of("h2_10k_t2")
    unit.refused |= dict.fromkeys(range(0x4167, 0x4177), 2)
    unit.refused |= {refused: 2, refused + 1: 2} if refused != 0x4151 else {}
    device = Device(unit, SAJ, known={"rated_power": 10000})
    features = await device.discover()
    assert "three_phase_energies" not in features
    assert ("phase_energies" in features) is (refused == 0x4151)
    served = "grid_import_energy_total" in device.family.derived
    assert served is (refused == 0x4151)
    if served:
        values = (
            await device.poll({"grid_import_energy_total", "grid_export_energy_total"})
        ).values
        # 640 + 600 + 560, and 1055.36 + 955.36 + 1155.36.
        assert values == {
            "grid_import_energy_total": pytest.approx(1800.0),
            "grid_export_energy_total": pytest.approx(3166.08),
        }


def test_proofs_can_be_read() -> None:
    """What a feature is proven by is a row of the family, or of a feature."""
    rows = {row.key for row in SAJ.every_row()}
    for feature in SAJ.features:
        assert set(feature.proof.keys) <= rows, feature.key
