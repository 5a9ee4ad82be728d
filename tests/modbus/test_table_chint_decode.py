"""What the images decode to, also of a meter that is wired the other way round."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.chint import DTSU666

from .fake_unit import full_of_holes
from .table_chint import (
    COMPACT,
    IDENTITIES,
    OLD,
    PRIMARY,
    SECONDARY,
    SOLAR,
    TARIFFS,
    VALUES,
    device_of,
    fitted,
    image,
    singles,
)


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [(name, key, expected) for name, values in VALUES.items() for key, expected in values.items()],
)
def test_every_value_of_each_meter_image_decodes_exactly(
    name: str, key: str, expected: Value | None
) -> None:
    """Every value of each image, to the last decimal place."""
    value = fitted(name).registers[key].decode(image(name))
    assert value == expected
    assert repr(value) == repr(expected)


@pytest.mark.parametrize("name", VALUES)
def test_every_value_is_expected(name: str) -> None:
    """No row of a meter goes without a value that was worked out by hand."""
    assert fitted(name).registers.keys() == VALUES[name].keys()
    assert fitted(name).derived == {}


@pytest.mark.parametrize(
    ("key", "expected"), [item for item in SECONDARY.items() if item[0] != "oem_brand"]
)
def test_meter_without_a_primary_side_is_read_through_its_ratios(
    key: str, expected: Value | None
) -> None:
    """A meter without a primary side is read through its ratios, which come to the same but for the last digit."""
    features = {
        "apparent_power",
        "phase_angles",
        "new_counters",
        "new_net_counters",
        "new_combined_counter",
        "new_reactive_counters",
    }
    family = DTSU666.fitted(features, {"ct_ratio": 200, "pt_ratio": 1.0})
    value = family.registers[key].decode(image("dtsu666_primary"))
    assert repr(value) == repr(expected)


def test_values_scale_with_voltage_and_current_transformers() -> None:
    """10 kV to 100 V, 75 A to 5 A: volts by 100, amperes by 15, watts and kilowatt-hours by 1500."""
    family = DTSU666.fitted({"new_counters"}, {"ct_ratio": 15, "pt_ratio": 100.0})
    words = {
        **singles(0x2000, 1001.0),
        **singles(0x200C, 2345.0),
        **singles(0x2012, 5678.0),
        **singles(0x101E, 0.123),
    }
    values = {
        key: family.registers[key].decode(words)
        for key in ("l1_l2_voltage", "l1_current", "power", "import_energy_total")
    }
    assert values == {
        "l1_l2_voltage": 10010.0,
        "l1_current": 35.175,
        "power": 851700.0,
        "import_energy_total": 184.5,
    }


@pytest.mark.parametrize("facts", [{}, {"ct_ratio": 200}, {"ct_ratio": None, "pt_ratio": 1.0}])
def test_without_its_ratios_a_meter_tells_nothing(facts: dict[str, Value | None]) -> None:
    """A power that is 200 times too small would be worse."""
    family = DTSU666.fitted({"new_counters"}, facts)
    words = image("dtsu666_primary")
    for key in ("power", "l1_reactive_power", "import_energy_total"):
        assert family.registers[key].decode(words) is None
    assert family.registers["frequency"].decode(words) == 50.01


INVERTED: Final = {
    "dtsu666_primary": {
        **PRIMARY,
        "power": 3020.0,
        "l1_power": 1040.0,
        "l2_power": 960.0,
        "l3_power": 1020.0,
        "reactive_power": -660.0,
        "l1_reactive_power": -220.0,
        "l2_reactive_power": -200.0,
        "l3_reactive_power": -240.0,
        "power_factor": 0.977,
        "l1_power_factor": 0.978,
        "l2_power_factor": 0.979,
        "l3_power_factor": 0.973,
        "import_energy_total": 12.43,
        "l1_import_energy_total": 4.21,
        "l2_import_energy_total": 4.02,
        "l3_import_energy_total": 4.2,
        "net_import_energy_total": 12.43,
        "export_energy_total": 7.0,
        "l1_export_energy_total": 2.4,
        "l2_export_energy_total": 2.2,
        "l3_export_energy_total": 2.4,
        "net_export_energy_total": 7.0,
        "reactive_energy_q1_total": 0.0,
        "reactive_energy_q2_total": 1.58,
        "reactive_energy_q3_total": 0.0,
        "reactive_energy_q4_total": 2.63,
    },
    "dtsu666_4000": {
        **OLD,
        "power": -3960.0,
        "l1_power": -2310.0,
        "l2_power": -1155.0,
        "l3_power": -495.0,
        "reactive_power": -396.0,
        "l1_reactive_power": -231.0,
        "l2_reactive_power": -115.5,
        "l3_reactive_power": -49.5,
        "power_factor": -0.995,
        "l1_power_factor": -0.995,
        "l2_power_factor": -0.996,
        "l3_power_factor": -0.994,
        "power_demand": -3630.0,
        "import_energy_total": 148.5,
        "l1_import_energy_total": 82.5,
        "l2_import_energy_total": 41.25,
        "l3_import_energy_total": 24.75,
        "net_import_energy_total": 78.375,
        "export_energy_total": 3304.125,
        "l1_export_energy_total": 1324.125,
        "l2_export_energy_total": 1155.0,
        "l3_export_energy_total": 825.0,
        "net_export_energy_total": 3234.0,
        "reactive_energy_q1_total": 8.25,
        "reactive_energy_q2_total": 49.5,
        "reactive_energy_q3_total": 181.5,
        "reactive_energy_q4_total": 16.5,
    },
    "ddsu666_solar": {
        **SOLAR,
        "power": 539.1,
        "reactive_power": -12.3,
        "power_factor": 0.999,
        "import_energy_total": 789.01,
        "export_energy_total": 1234.56,
    },
    # Its only counter counts both ways.
    "ddsu666_compact": {**COMPACT},
    "ddsu666_tariffs": {
        **TARIFFS,
        "power": -1002.1,
        "reactive_power": 154.2,
        "power_factor": -0.988,
        "import_energy_total": 50.0,
        "import_energy_t1_total": 20.5,
        "import_energy_t2_total": 15.0,
        "import_energy_t3_total": 10.0,
        "import_energy_t4_total": 4.5,
        "export_energy_total": 100.5,
        "export_energy_t1_total": 40.25,
        "export_energy_t2_total": 30.0,
        "export_energy_t3_total": 20.0,
        "export_energy_t4_total": 10.25,
        "reactive_energy_q1_total": 3.75,
        "reactive_energy_q2_total": 5.0,
        "reactive_energy_q3_total": 1.25,
        "reactive_energy_q4_total": 2.5,
    },
}

# Nobody has written down what they are the angles between.
LOST: Final = {"l1_phase_angle", "l2_phase_angle", "l3_phase_angle"}


@pytest.mark.parametrize("name", INVERTED)
async def test_inverted_meter_changes_signs_directions_and_quadrants_only(name: str) -> None:
    """A meter that is wired the other way round: signs, ways and quadrants change, and nothing else."""
    unit = full_of_holes(image(name))
    device = device_of(name, unit, inverted=True)
    expected = {key: value for key, value in INVERTED[name].items() if key not in LOST}
    assert device.family.registers.keys() == expected.keys()
    snapshot = await device.poll(expected)
    assert snapshot.values == expected
    # There is no power of minus nothing.
    assert all(not str(value).startswith("-0.0") or value for value in snapshot.values.values())


@pytest.mark.parametrize("name", INVERTED)
def test_meter_inverted_twice_is_as_before_except_for_undefined_values(name: str) -> None:
    """It is as it was, but for what was lost."""
    family = fitted(name)
    twice = family.inverted().inverted()
    assert twice.registers == {key: row for key, row in family.registers.items() if key not in LOST}


async def test_inverted_and_looked_at_again() -> None:
    """What an inverted meter has is found all the same, and is inverted too."""
    unit = full_of_holes(image("dtsu666_primary"))
    device = Device(
        unit, DTSU666, known={"ct_ratio": 200, "pt_ratio": 1.0}, inverted=True, serial=""
    )
    await device.discover()
    assert device.features == set(IDENTITIES["dtsu666_primary"].features)
    snapshot = await device.poll(["power", "import_energy_total"])
    assert snapshot.values == {"power": 3020.0, "import_energy_total": 12.43}
    unit.registers[0x0006] = 100
    await device.verify()
    assert (await device.poll(["power"])).values == {"power": 3020.0}


def test_an_inverter_has_nothing_to_invert() -> None:
    """It is the same table."""
    for key in ("jso", "saj"):
        family = FAMILIES[key].fitted(())
        assert family.inverted() == family


def test_only_numbers_with_a_sign_are_turned() -> None:
    """A slip in the table is found when it is made."""
    family = replace(DTSU666, signed=frozenset({"network_type"}))
    with pytest.raises(TypeError, match="network_type is no number"):
        family.fitted(()).inverted()
