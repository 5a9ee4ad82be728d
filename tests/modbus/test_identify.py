"""Which machine answers, and how strangers are turned away."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    LinkDesync,
    LinkTimeout,
    RejectedError,
    WrongDeviceError,
)
from custom_components.hybrid_inverter.modbus.find.identify import Identity, identify
from custom_components.hybrid_inverter.modbus.model.codec import Number
from custom_components.hybrid_inverter.modbus.model.family import Model, table
from custom_components.hybrid_inverter.modbus.model.recognition import by_code
from custom_components.hybrid_inverter.modbus.model.register import Group, Register
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .fake_unit import FakeUnit

# The identity of a JSO8048104.
REGISTERS: Final = {
    0: 0x0005,
    2: 0x0104,
    # JSO0000001
    3: 0x4A53,
    4: 0x4F30,
    5: 0x3030,
    6: 0x3030,
    7: 0x3031,
    11: 0x1800,
    14: 0x2001,
    15: 0x1144,
    17: 0x1001,
    18: 0xC037,
    # 1 * 65536 + 14464 tenths of a watt, the low word first
    20: 14464,
    21: 1,
    # two strings, three phases
    22: 0x0203,
}

# What other families are recognised by: another maker's inverter, and meters of three makers.
FOREIGN: Final = (0x8F00, 0x2000, 2110, 0x5000)
METER_QUESTIONS: Final = [(0x2000, 8), (2110, 2), (0x5000, 1)]


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine that is ours, and has no register of another family's."""
    return FakeUnit(dict(REGISTERS), refused=dict.fromkeys(FOREIGN, 2))


@pytest.mark.parametrize("marker", [0x0005, 0x0500])
async def test_supported_inverter_is_identified_in_two_requests(
    unit: FakeUnit, marker: int
) -> None:
    """The type is accepted in both spellings; two requests tell everything, and one whether there are packs."""
    unit.registers[0] = marker
    assert await identify(unit) == Identity(
        family="jso",
        serial="JSO0000001",
        manufacturer="JUSTSTANDOUT",
        model="JSO8048104",
        firmware="2001-1144-1800 / 1001-C037",
        facts={"rated_power": 8000, "mppt_count": 2, "phase_count": 3},
    )
    assert unit.reads == [(0, 1), (0, 23), (10002, 1)]


@pytest.mark.parametrize(
    ("low", "high", "model", "watts"),
    [
        (50000, 0, "SUN-5K-SG04LP3", 5000),
        (34464, 1, "SUN-10K-SG04LP3", 10000),
        (54464, 1, "SUN-12K-SG04LP3", 12000),
        # 3 * 65536 + 3392 = 200000
        (3392, 3, "SUN-20K-SG05LP3", 20000),
    ],
)
async def test_a_twin_goes_by_its_rated_power(
    unit: FakeUnit, low: int, high: int, model: str, watts: float
) -> None:
    """Other sizes are known under the name of their maker."""
    unit.registers.update({20: low, 21: high})
    identity = await identify(unit)
    assert (identity.manufacturer, identity.model) == ("Deye", model)
    assert identity.facts["rated_power"] == watts


@pytest.mark.parametrize(
    ("words", "series"),
    [
        ({14: 0x2011, 11: 0x1807}, "SG04LP3"),
        ({14: 0x2105, 11: 0x1809}, "SG05LP3"),
        # One of the words alone does not tell it: it is the series that was built first.
        ({14: 0x2105, 11: 0x1807}, "SG04LP3"),
        ({14: 0xFFFF, 11: 0x1809}, "SG04LP3"),
        # Above 12 kW there is only one: 14000 W are 2 * 65536 + 8928 tenths.
        ({14: 0x2011, 11: 0x1807, 20: 8928, 21: 2}, "SG05LP3"),
    ],
)
async def test_the_firmware_tells_the_series(
    unit: FakeUnit, words: dict[int, int], series: str
) -> None:
    """Words 14 and 11 together."""
    unit.registers.update(words)
    identity = await identify(unit)
    watts = identity.facts["rated_power"]
    assert identity.makers["deye"].name == f"SUN-{watts / 1000:g}K-{series}"


async def test_a_person_says_who_has_made_it(unit: FakeUnit) -> None:
    """No register tells it; until somebody has, it goes by the likeliest name."""
    identity = await identify(unit)
    assert identity.likeliest_maker == "juststandout"
    names = {
        maker: (named.manufacturer, named.model)
        for maker in identity.makers
        for named in (identity.with_maker(maker),)
    }
    assert names == {
        "juststandout": ("JUSTSTANDOUT", "JSO8048104"),
        "deye": ("Deye", "SUN-8K-SG04LP3"),
        "sunsynk": ("Sunsynk", "SUNSYNK-8K-SG04LP3"),
        "other": ("", "Hybrid 8K (SG04LP3)"),
    }
    # It is not asked again.
    assert not identity.with_maker("deye").makers
    unit.registers.update({20: 34464, 21: 1})
    twin = await identify(unit)
    assert twin.likeliest_maker == "deye"
    assert twin.makers["juststandout"] == Model(
        manufacturer="JUSTSTANDOUT", name="Hybrid 10K (SG04LP3)"
    )


async def test_what_a_machine_does_not_tell_is_assumed(unit: FakeUnit) -> None:
    """An old firmware answers 0xFFFF: two strings and three phases, and no firmware text."""
    unit.registers.update(dict.fromkeys((11, 14, 15, 17, 18, 22), 0xFFFF))
    identity = await identify(unit)
    assert identity.facts == {"rated_power": 8000, "mppt_count": 2, "phase_count": 3}
    assert identity.firmware is None


async def test_half_of_the_firmware(unit: FakeUnit) -> None:
    """What is there is shown."""
    unit.registers.update({17: 0xFFFF, 18: 0xFFFF})
    assert (await identify(unit)).firmware == "2001-1144-1800"


@pytest.mark.parametrize(
    ("marker", "found"),
    [
        (0x0002, "string_inverter"),
        (0x0003, "single_phase_hybrid"),
        (0x0300, "single_phase_hybrid"),
        (0x0006, "high_voltage_hybrid"),
        (0x0104, "storage_system"),
    ],
)
async def test_unsupported_inverter_is_named_and_might_be_a_meter(
    unit: FakeUnit, marker: int, found: str
) -> None:
    """No other inverter is asked for; it might be a meter, whose first register holds any number."""
    unit.registers[0] = marker
    with pytest.raises(WrongDeviceError) as caught:
        await identify(unit)
    assert caught.value.found == found
    assert unit.reads == [(0, 1), *METER_QUESTIONS]


@pytest.mark.parametrize(
    ("marker", "type_text"),
    [(0x0000, "0x0000"), (0x1234, "0x1234"), (0xFFFF, "0xffff")],
)
async def test_an_unknown_type_is_told(unit: FakeUnit, marker: int, type_text: str) -> None:
    """Only what another family would have is read besides, and it is refused."""
    unit.registers[0] = marker
    with pytest.raises(WrongDeviceError) as caught:
        await identify(unit)
    assert (caught.value.found, caught.value.details) == ("unknown_type", {"type": type_text})
    assert unit.reads == [(0, 1), (0x8F00, 1), *METER_QUESTIONS]


@pytest.mark.parametrize(
    ("registers", "found", "details"),
    [
        (dict.fromkeys(range(3, 8), 0), "no_serial_number", {}),
        (dict.fromkeys(range(3, 8), 0xFFFF), "no_serial_number", {}),
        # "[x](y.z) ", "**1234567*", "<b>1234567", "_123456789", "`123456789" and "-123456789".
        ({3: 0x5B78, 4: 0x5D28, 5: 0x792E, 6: 0x7A29, 7: 0x2020}, "impossible_serial_number", {}),
        ({3: 0x2A2A, 4: 0x3132, 5: 0x3334, 6: 0x3536, 7: 0x372A}, "impossible_serial_number", {}),
        ({3: 0x3C62, 4: 0x3E31, 5: 0x3233, 6: 0x3435, 7: 0x3637}, "impossible_serial_number", {}),
        ({3: 0x5F31, 4: 0x3233, 5: 0x3435, 6: 0x3637, 7: 0x3839}, "impossible_serial_number", {}),
        ({3: 0x6031, 4: 0x3233, 5: 0x3435, 6: 0x3637, 7: 0x3839}, "impossible_serial_number", {}),
        ({3: 0x2D31, 4: 0x3233, 5: 0x3435, 6: 0x3637, 7: 0x3839}, "impossible_serial_number", {}),
        ({20: 0xFFFF, 21: 0xFFFF}, "no_rated_power", {}),
        ({20: 0, 21: 0}, "impossible_rated_power", {"power": "0"}),
        # 49990, and 3 * 65536 + 3393 tenths of a watt
        ({20: 49990, 21: 0}, "impossible_rated_power", {"power": "4999"}),
        ({20: 3393, 21: 3}, "impossible_rated_power", {"power": "20000.1"}),
    ],
)
async def test_a_machine_that_only_looks_like_ours(
    unit: FakeUnit, registers: dict[int, int], found: str, details: dict[str, str]
) -> None:
    """Register 0 holds the right number by chance, or the machine is not ready."""
    unit.registers.update(registers)
    with pytest.raises(WrongDeviceError) as caught:
        await identify(unit)
    assert (caught.value.found, caught.value.details) == (found, details)


@pytest.mark.parametrize("code", [2, 3])
async def test_a_machine_without_register_0(unit: FakeUnit, code: int) -> None:
    """Somebody is there, and it is none of ours."""
    unit.refused[0] = code
    with pytest.raises(WrongDeviceError) as caught:
        await identify(unit)
    assert (caught.value.found, caught.value.details) == ("refuses_register", {"address": "0"})


@pytest.mark.parametrize(
    "error",
    [
        LinkTimeout("unit 1"),
        LinkDesync("unit 1"),
        RejectedError(4, "unit 1"),
        RejectedError(6, "unit 1"),
        RejectedError(11, "unit 1"),
    ],
)
@pytest.mark.parametrize("passed", [0, 1])
async def test_what_says_nothing_about_the_machine_is_passed_on(
    unit: FakeUnit, error: DeviceError, passed: int
) -> None:
    """It is not taken for a stranger."""
    unit.faults.extend([*[None] * passed, error, error])
    with pytest.raises(type(error)) as caught:
        await identify(unit)
    assert caught.value is error


async def test_the_next_family_is_asked_for(
    unit: FakeUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that the first family does not know, or that refuses its register, may be of the second."""
    other = replace(
        JSO,
        key="other",
        recognise=by_code(100, frozenset({77})),
    )
    monkeypatch.setitem(FAMILIES, "other", other)
    unit.registers.update({0: 0x1234, 100: 77})
    assert (await identify(unit)).family == "other"
    unit.registers[100] = 78
    with pytest.raises(WrongDeviceError, match="unknown_type, type 0x004e"):
        await identify(unit)
    # One that the first family knows for a stranger is named, whatever the others would say.
    unit.registers[0] = 0x0003
    with pytest.raises(WrongDeviceError, match="single_phase_hybrid"):
        await identify(unit)


def test_model_name_follows_the_rated_power_and_has_an_x_when_it_is_unknown() -> None:
    """By rated power in watts; an unknown one has an x in the place of the number."""
    assert JSO.model({"rated_power": 8000.0}) == Model(
        manufacturer="JUSTSTANDOUT", name="JSO8048104"
    )
    assert JSO.model({"rated_power": 6500}) == Model(manufacturer="Deye", name="SUN-6.5K-SG04LP3")
    assert JSO.model({}) == Model(manufacturer="Deye", name="SUN-xK-SG04LP3")


def test_registers_and_derived_values_are_polled_in_the_group_of_the_table() -> None:
    """Registers and derived values are polled in the group that the table says."""
    assert JSO.group_of("pv1_power") is Group.POWER
    assert JSO.group_of("pv_power") is Group.POWER
    assert JSO.group_of("work_mode") is Group.SETTINGS


def test_a_table_has_every_key_once() -> None:
    """A row that was copied and not renamed is found."""
    rows = [
        Register(key=key, addresses=(address,), group=Group.POWER, codec=Number())
        for key, address in (("a", 1), ("b", 2), ("a", 3))
    ]
    assert list(table(*rows[:2])) == ["a", "b"]
    with pytest.raises(ValueError, match=r"keys that stand twice: \['a'\]"):
        table(*rows)
