"""Powers that a machine of its rating cannot deliver: unknown, and counted."""

from __future__ import annotations

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.model.codec import Number
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.jso import JSO
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

from .fake_unit import FakeUnit


@pytest.mark.parametrize(
    ("family", "rated", "key", "address", "word", "watts"),
    [
        # What comes in: twice the rated power at most.
        ("jso", 8000, "pv1_power", 672, 16000, 16000),
        ("jso", 8000, "pv1_power", 672, 16001, None),
        ("jso", 8000, "pv1_power", 672, 0xFFFE, None),
        ("jso", 12000, "pv4_power", 675, 24000, 24000),
        ("jso", 12000, "pv4_power", 675, 24001, None),
        ("saj", 6000, "pv2_power", 0x4076, 12000, 12000),
        ("saj", 6000, "pv2_power", 0x4076, 12001, None),
        # What flows through it, either way.
        ("jso", 8000, "battery_power", 590, 16000, 16000),
        ("jso", 8000, "battery_power", 590, 16001, None),
        ("jso", 8000, "battery_power", 590, 0xC180, -16000),
        ("jso", 8000, "battery_power", 590, 0xC17F, None),
        ("jso", 20000, "battery_power", 590, 0x7E00, 32256),
        ("jso", 20000, "battery_power", 590, 0x8000, None),
        ("jso", 8000, "inverter_power", 636, 0x7FFF, None),
        ("jso", 8000, "inverter_l2_power", 634, 0x8001, None),
        ("saj", 6000, "inverter_power", 0x40A9, 12001, None),
        # What a house takes is up to its fuses; the ends of the scale are no power.
        ("jso", 8000, "grid_power", 625, 25000, 25000),
        ("jso", 8000, "grid_power", 625, 0x8000, None),
        ("jso", 8000, "grid_power", 625, 0x7FFF, None),
        ("jso", 8000, "grid_power", 625, 0x8200, -32256),
        ("jso", 8000, "grid_ct_power", 619, 0x8000, None),
        ("jso", 8000, "load_power", 653, 0x8000, None),
        ("jso", 8000, "backup_power", 643, 0xFFFE, -2),
        ("jso", 8000, "generator_power", 667, 0x8000, None),
        ("saj", 6000, "load_power", 0x40A0, 0x8000, None),
        ("saj", 6000, "grid_power", 0x40AD, 0x8000, None),
        ("saj", 6000, "backup_power", 0x40AB, 13000, 13000),
        ("saj", 6000, "backup_power", 0x40AB, 0xFFFE, None),
        # PV has one direction: more than a signed word holds, or a little below zero.
        ("saj", 30000, "pv_power", 0x40A5, 40000, 40000),
        ("saj", 30000, "pv_power", 0x40A5, 60000, 60000),
        ("saj", 30000, "pv_power", 0x40A5, 60001, None),
        ("saj", 30000, "pv_power", 0x40A5, 0xFFF0, -16),
        ("saj", 30000, "pv_power", 0x40A5, 0xFE0C, -500),
        ("saj", 30000, "pv_power", 0x40A5, 0xFE0B, None),
        ("saj", 6000, "pv_power", 0x40A5, 40000, None),
    ],
)
async def test_a_power_beyond_the_rating_is_unknown_and_counted(
    family: str, rated: int, key: str, address: int, word: int, watts: int | None
) -> None:
    """At the bound it is shown, one beyond it is not."""
    unit = FakeUnit({address: word})
    device = Device(unit, FAMILIES[family], known={"rated_power": rated}, features=("pv",))
    assert (await device.poll([key])).values == {key: watts}
    assert device.impossible == (watts is None)


async def test_a_large_machine_shows_what_its_inputs_bring() -> None:
    """30 kW, 20 kW at each input: 40 kW, which is 40000 and not -25536."""
    unit = FakeUnit({0x40A5: 40000, 0x4073: 20000, 0x4076: 20000})
    device = Device(unit, SAJ, known={"rated_power": 30000}, features=("pv",))
    snapshot = await device.poll(["pv_power", "pv1_power", "pv2_power"])
    assert snapshot.values == {"pv_power": 40000, "pv1_power": 20000, "pv2_power": 20000}


async def test_a_sum_of_which_a_part_is_impossible_is_unknown() -> None:
    """It would lack a string; an absent one it does not lack. Each new reading counts once."""
    unit = FakeUnit({672: 0xFFFE, 673: 3000, 674: 0xFFFF, 675: 0})
    device = Device(unit, JSO, known={"rated_power": 8000})
    wanted = ["pv_power", "pv1_power", "pv2_power"]
    for _ in range(2):
        assert (await device.poll(wanted)).values == {
            "pv_power": None,
            "pv1_power": None,
            "pv2_power": 3000,
        }
    assert device.impossible == 1
    unit.registers[672] = 2500
    assert (await device.poll(wanted)).values["pv_power"] == 5500
    unit.registers[672] = 0xFFFF
    assert (await device.poll(wanted)).values["pv_power"] == 3000
    unit.registers[672] = 0xFFF0
    assert (await device.poll(wanted)).values["pv_power"] is None
    assert device.impossible == 2


async def test_without_a_rating_there_is_no_bound() -> None:
    """A machine that does not report it, and whose owner has not entered it."""
    unit = FakeUnit({625: 0x8000})
    device = Device(unit, JSO)
    assert (await device.poll(["grid_power"])).values == {"grid_power": -32768}
    assert device.impossible == 0


def test_settings_have_no_bound_of_this_kind() -> None:
    """Their limits say what may be written, and what is held is shown."""
    for family in (JSO, SAJ):
        assert not any(row.of_rated for row in family.every_row() if row.writable)


@pytest.mark.parametrize("raw", [0, 1, 65035, 65036, 65535])
def test_a_number_with_a_floor_comes_back(raw: int) -> None:
    """What is decoded is encoded as it was."""
    codec = Number(signed=True, floor=-500)
    value = codec.decode([raw])
    assert value == (raw if raw < 65036 else raw - 65536)
    assert codec.encode(value) == [raw]


@pytest.mark.parametrize("value", [-501, 65036])
def test_a_number_with_a_floor_holds_nothing_else(value: int) -> None:
    """Neither below nor above."""
    with pytest.raises(ValueError, match="does not fit"):
        Number(signed=True, floor=-500).encode(value)
