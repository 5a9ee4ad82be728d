"""The tables of CHINT's meters, against raw images and values that were both worked out by hand.

An image (fixtures/chint_*.json) is a run of raw words by its first address; what is in no run is refused:

- dtsu666_primary: current transformers of 1000 to 5 (a ratio of 200), 3020 W sold; it shows the primary side as well.
- dtsu666_1000: no transformers, 1234.5 W bought on one phase, a little sold on another.
- dtsu666_4000: an old one with a ratio of 33, a clock and a demand.
- ddsu666_solar: a single-phase meter with a counter for either way, 539.1 W sold.
- ddsu666_compact: the smallest one: a single counter, and nonsense where the frequency is.
- ddsu666_tariffs: the one with four tariffs and four quadrants.
- huawei_dtsu666_h, sungrow_dtsu666, dtsu666_echo: what only looks like one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
import json
from pathlib import Path
import struct
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.codec import Value
from custom_components.hybrid_inverter.modbus.device import Device
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    ImplausibleError,
    LinkTimeout,
    RejectedError,
    WriteDeniedError,
    WrongDeviceError,
)
from custom_components.hybrid_inverter.modbus.family import Family
from custom_components.hybrid_inverter.modbus.identify import Identity, identify
from custom_components.hybrid_inverter.modbus.plan import LineCost, Read
from custom_components.hybrid_inverter.modbus.register import Group, Tier
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.chint import DDSU666, DTSU666

from .fake_unit import FakeUnit, full_of_holes

FIXTURES: Final = Path(__file__).parents[1] / "fixtures"
METERS: Final = (DTSU666, DDSU666)

type Words = dict[int, int]


@cache
def _image(name: str) -> Mapping[int, int]:
    runs = json.loads((FIXTURES / f"chint_{name}.json").read_text(encoding="utf-8"))
    return {
        address: word
        for first, words in runs.items()
        for address, word in enumerate(words, int(first, 16))
    }


def image(name: str) -> Words:
    """Return the raw words of a meter by address."""
    return dict(_image(name))


def singles(first: int, *values: float) -> Words:
    """Return the words of IEEE 754 singles, the high one first."""
    raw = struct.unpack(f">{2 * len(values)}H", struct.pack(f">{len(values)}f", *values))
    return dict(enumerate(raw, first))


PRIMARY: Final[dict[str, Value | None]] = {
    "software_version": 109,
    "network_type": "three_phase_four_wire",
    "ct_ratio": 200,
    "pt_ratio": 1.0,
    "display_rotation": 10,
    "backlight_or_type": 1,
    "word_order_or_reserved": 4,
    "protocol": 3,
    "baud_code": "9600",
    "unit_address": 10,
    "oem_brand": "Sigen Sensor TPX-CH",
    "l1_l2_voltage": 398.1,
    "l2_l3_voltage": 397.5,
    "l3_l1_voltage": 399.0,
    "l1_voltage": 229.9,
    "l2_voltage": 230.1,
    "l3_voltage": 229.6,
    "l1_current": 4.6,
    "l2_current": 4.2,
    "l3_current": 4.4,
    "power": -3020.0,  # -3.02 kW
    "l1_power": -1040.0,
    "l2_power": -960.0,
    "l3_power": -1020.0,
    "reactive_power": 660.0,
    "l1_reactive_power": 220.0,
    "l2_reactive_power": 200.0,
    "l3_reactive_power": 240.0,
    "apparent_power": 3147.0,
    "l1_apparent_power": 1076.0,
    "l2_apparent_power": 995.0,
    "l3_apparent_power": 1076.0,
    "power_factor": -0.977,
    "l1_power_factor": -0.978,
    "l2_power_factor": -0.979,
    "l3_power_factor": -0.973,
    "l1_phase_angle": 167.8,
    "l2_phase_angle": 168.2,
    "l3_phase_angle": 166.9,
    "frequency": 50.01,
    "import_energy_total": 7.0,
    "l1_import_energy_total": 2.4,
    "l2_import_energy_total": 2.2,
    "l3_import_energy_total": 2.4,
    "net_import_energy_total": 7.0,
    "export_energy_total": 12.43,
    "l1_export_energy_total": 4.21,
    "l2_export_energy_total": 4.02,
    "l3_export_energy_total": 4.2,
    "net_export_energy_total": 12.43,
    "combined_energy_total": 19.43,
    "reactive_energy_q1_total": 0.0,
    "reactive_energy_q2_total": 2.63,
    "reactive_energy_q3_total": 0.0,
    "reactive_energy_q4_total": 1.58,
}
# The same meter by its secondary side: thousandths of 200 kWh and tenths of 200 W.
SECONDARY: Final[dict[str, Value | None]] = {
    **PRIMARY,
    "apparent_power": 3100.0,  # 155 * 0.1 * 200
    "l1_apparent_power": 1060.0,
    "l2_apparent_power": 980.0,
    "l3_apparent_power": 1060.0,
    "export_energy_total": 12.4,  # 0.062 * 200
    "l1_export_energy_total": 4.2,
    "l2_export_energy_total": 4.0,
    "l3_export_energy_total": 4.2,
    "net_export_energy_total": 12.4,
    "combined_energy_total": 19.4,
    "reactive_energy_q2_total": 2.6,
    "reactive_energy_q4_total": 1.6,
}
NEW: Final[dict[str, Value | None]] = {
    "software_version": 207,
    "network_type": "three_phase_four_wire",
    "ct_ratio": 1,
    "pt_ratio": 1.0,
    "display_rotation": 0,
    "backlight_or_type": 10,
    "word_order_or_reserved": 0,
    "protocol": 5,
    "baud_code": "9600",
    "unit_address": 1,
    "l1_l2_voltage": 404.6,
    "l2_l3_voltage": 400.9,
    "l3_l1_voltage": 399.8,
    "l1_voltage": 233.4,
    "l2_voltage": 234.1,
    "l3_voltage": 228.8,
    "l1_current": 5.432,
    "l2_current": 0.123,
    "l3_current": 0.0,
    "power": 1234.5,
    "l1_power": 1251.2,
    "l2_power": -16.7,
    "l3_power": 0.0,
    "reactive_power": -231.0,
    "l1_reactive_power": -229.8,
    "l2_reactive_power": -1.2,
    "l3_reactive_power": 0.0,
    "power_factor": 0.983,
    "l1_power_factor": 0.985,
    "l2_power_factor": -0.512,
    "l3_power_factor": 1.0,
    "frequency": 49.98,
    # The nearest single is 12345.6777.
    "import_energy_total": 12345.678,
    "l1_import_energy_total": 9000.125,
    "l2_import_energy_total": 2345.553,
    "l3_import_energy_total": 1000.0,
    "net_import_energy_total": 12100.5,
    "export_energy_total": 567.891,
    "l1_export_energy_total": 500.111,
    "l2_export_energy_total": 60.78,
    "l3_export_energy_total": 7.0,
    "net_export_energy_total": 322.713,
    "reactive_energy_q1_total": 10.5,
    "reactive_energy_q2_total": 0.0,
    "reactive_energy_q3_total": 0.0,
    "reactive_energy_q4_total": 250.25,
}
OLD: Final[dict[str, Value | None]] = {
    "software_version": 103,
    "network_type": "three_phase_four_wire",
    "ct_ratio": 33,
    "pt_ratio": 1.0,
    "display_rotation": 0,
    "backlight_or_type": 1,
    "word_order_or_reserved": 0,
    "protocol": 2,
    "baud_code": "9600",
    "unit_address": 42,
    "clock": datetime(2026, 6, 21, 14, 15, 30),  # noqa: DTZ001 - the meter knows no zone
    "l1_l2_voltage": 397.5,
    "l2_l3_voltage": 398.0,
    "l3_l1_voltage": 399.0,
    "l1_voltage": 230.0,
    "l2_voltage": 229.0,
    "l3_voltage": 231.0,
    "l1_current": 33.0,
    "l2_current": 16.5,
    "l3_current": 8.25,
    "power": 3960.0,  # 1200 * 0.1 * 33
    "l1_power": 2310.0,
    "l2_power": 1155.0,
    "l3_power": 495.0,
    "reactive_power": 396.0,
    "l1_reactive_power": 231.0,
    "l2_reactive_power": 115.5,
    "l3_reactive_power": 49.5,
    "power_factor": 0.995,
    "l1_power_factor": 0.995,
    "l2_power_factor": 0.996,
    "l3_power_factor": 0.994,
    "frequency": 50.0,
    "power_demand": 3630.0,
    "combined_energy_total": 3452.625,
    "import_energy_total": 3304.125,  # 100.125 * 33
    "l1_import_energy_total": 1324.125,
    "l2_import_energy_total": 1155.0,
    "l3_import_energy_total": 825.0,
    "net_import_energy_total": 3234.0,
    "export_energy_total": 148.5,
    "l1_export_energy_total": 82.5,
    "l2_export_energy_total": 41.25,
    "l3_export_energy_total": 24.75,
    "net_export_energy_total": 78.375,
    "reactive_energy_q1_total": 181.5,
    "reactive_energy_q2_total": 16.5,
    "reactive_energy_q3_total": 8.25,
    "reactive_energy_q4_total": 49.5,
}
SOLAR: Final[dict[str, Value | None]] = {
    "software_version": 504,
    "oem_type": 0,
    "network_type": "single_phase",
    "protocol": 2,
    "unit_address": 1,
    "pt_ratio": 1.0,
    "ct_ratio": 1,
    "baud_code": "9600",
    "voltage": 229.9,
    "current": 2.345,
    "power": -539.1,
    "reactive_power": 12.3,
    "apparent_power": 539.3,
    "power_factor": -0.999,
    "frequency": 50.02,
    "import_energy_total": 1234.56,
    "export_energy_total": 789.01,
}
COMPACT: Final[dict[str, Value | None]] = {
    "software_version": 101,
    "oem_type": 0,
    "network_type": "single_phase",
    "protocol": 2,
    "unit_address": 1,
    "pt_ratio": 1.0,
    "ct_ratio": 1,
    "baud_code": "9600",
    "voltage": 221.9,
    "current": 0.025,
    "power": 0.0,
    "reactive_power": 0.0,
    "apparent_power": 5.7,  # 0.0057 kVA
    "power_factor": 0.0,
    "frequency": None,
    "import_energy_total": 42.07,
}
TARIFFS: Final[dict[str, Value | None]] = {
    "software_version": 102,
    "oem_type": 0,
    "network_type": "single_phase",
    "protocol": 2,
    "unit_address": 1,
    "pt_ratio": 1.0,
    "ct_ratio": 1,
    "baud_code": "9600",
    "voltage": 234.5,
    "current": 4.321,
    "power": 1002.1,
    "reactive_power": -154.2,
    "apparent_power": 1013.9,
    "power_factor": 0.988,
    "frequency": 49.97,
    "import_energy_total": 100.5,
    "import_energy_t1_total": 40.25,
    "import_energy_t2_total": 30.0,
    "import_energy_t3_total": 20.0,
    "import_energy_t4_total": 10.25,
    "export_energy_total": 50.0,
    "export_energy_t1_total": 20.5,
    "export_energy_t2_total": 15.0,
    "export_energy_t3_total": 10.0,
    "export_energy_t4_total": 4.5,
    "reactive_energy_q1_total": 1.25,
    "reactive_energy_q2_total": 2.5,
    "reactive_energy_q3_total": 3.75,
    "reactive_energy_q4_total": 5.0,
}

VALUES: Final = {
    "dtsu666_primary": PRIMARY,
    "dtsu666_1000": NEW,
    "dtsu666_4000": OLD,
    "ddsu666_solar": SOLAR,
    "ddsu666_compact": COMPACT,
    "ddsu666_tariffs": TARIFFS,
}
IDENTITIES: Final = {
    "dtsu666_primary": Identity(
        family="dtsu666",
        serial="",
        manufacturer="CHINT",
        model="DTSU666 (Sigen Sensor TPX-CH)",
        firmware="109",
        # Three phases of 230 V, and 6 A * 200 behind the transformers.
        facts={"rated_power": 828000, "ct_ratio": 200, "pt_ratio": 1.0},
        features=(
            "new_counters",
            "oem_brand",
            "phase_angles",
            "primary_combined_counter",
            "primary_counters",
            "primary_measurements",
            "primary_net_counters",
            "primary_reactive_counters",
        ),
    ),
    "dtsu666_1000": Identity(
        family="dtsu666",
        serial="",
        manufacturer="CHINT",
        model="DTSU666",
        firmware="207",
        # The largest set is for 250 A.
        facts={"rated_power": 172500, "ct_ratio": 1, "pt_ratio": 1.0},
        features=("new_counters", "new_net_counters", "new_reactive_counters"),
    ),
    "dtsu666_4000": Identity(
        family="dtsu666",
        serial="",
        manufacturer="CHINT",
        model="DTSU666",
        firmware="103",
        facts={"rated_power": 172500, "ct_ratio": 33, "pt_ratio": 1.0},
        features=(
            "clock",
            "demand",
            "old_combined_counter",
            "old_counters",
            "old_net_counters",
            "old_phase_counters",
            "old_reactive_counters",
        ),
    ),
    "ddsu666_solar": Identity(
        family="ddsu666",
        serial="",
        manufacturer="CHINT",
        model="DDSU666",
        firmware="504",
        facts={"rated_power": 23000},
        features=("apparent_power", "export_counter", "whole_block"),
    ),
    "ddsu666_compact": Identity(
        family="ddsu666",
        serial="",
        manufacturer="CHINT",
        model="DDSU666",
        firmware="101",
        facts={"rated_power": 23000},
        features=("apparent_power",),
    ),
    "ddsu666_tariffs": Identity(
        family="ddsu666",
        serial="",
        manufacturer="CHINT",
        model="DDSU666",
        firmware="102",
        facts={"rated_power": 23000},
        features=(
            "apparent_power",
            "counter_block",
            "export_counter",
            "export_tariffs",
            "import_tariffs",
            "reactive_counters",
        ),
    ),
}
# What it takes to tell that it is one, what it is, and what it has.
ASKED: Final[dict[str, list[tuple[int, int]]]] = {
    "dtsu666_primary": [
        (0x2000, 8),
        *[(0x0000, 1), (0x0003, 5)],
        *[(0x0003, 1), (0x101E, 2), (0x151C, 2), (0x2012, 2), (0x2032, 2), (0xF100, 10)],
        (0x181E, 2),
        *[(0x1800, 2), (0x181E, 20), (0x1832, 32)],
    ],
    "dtsu666_1000": [
        (0x2000, 8),
        *[(0x0000, 1), (0x0003, 5)],
        *[(0x0003, 1), (0x101E, 2), (0x151C, 2), (0x2012, 2), (0x2032, 2), (0xF100, 10)],
        # The second of them is found to be refused, and each of what it was asked for together.
        *[(0x2012, 2), (0x2022, 34), (0x2022, 2), (0x2022, 34)],
        *[(0x1000, 2), (0x101E, 20), (0x1032, 32)],
    ],
    "dtsu666_4000": [
        (0x2000, 8),
        *[(0x0000, 1), (0x0003, 5)],
        *[(0x0003, 1), (0x101E, 2), (0x151C, 2), (0x2012, 2), (0x2032, 2), (0xF100, 10)],
        (0x002F, 6),
        *[(0x2012, 2), (0x2022, 34), (0x2022, 2), (0x2022, 34)],
        *[(0x2050, 2), (0x401E, 2)],
        *[(0x4000, 2), (0x401E, 20), (0x4032, 32)],
    ],
    "ddsu666_solar": [
        (0x2000, 8),
        *[(0x0001, 1), (0x000B, 1)],
        *[(0x2000, 16), (0x4000, 60), (0x4000, 60), (0x400A, 2)],
    ],
    "ddsu666_compact": [
        (0x2000, 8),
        *[(0x0001, 1), (0x000B, 1)],
        *[(0x2000, 16), (0x2000, 16), (0x2004, 6)],
        *[(0x4000, 60), (0x4000, 60), (0x400A, 2)],
    ],
    "ddsu666_tariffs": [
        (0x2000, 8),
        *[(0x0001, 1), (0x000B, 1)],
        *[(0x2000, 16), (0x2000, 16), (0x2004, 6)],
        (0x4000, 60),
        (0x4000, 52),
    ],
}


def fitted(name: str) -> Family:
    """Return the family as a meter has it."""
    identity = IDENTITIES[name]
    return FAMILIES[identity.family].fitted(identity.features, identity.facts)


def device_of(name: str, unit: FakeUnit, **extra: Any) -> Device:
    """Return the device layer's view of a meter that was identified before."""
    identity = IDENTITIES[name]
    return Device(
        unit,
        FAMILIES[identity.family],
        known=identity.facts,
        features=identity.features,
        **extra,
    )


# ---------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [(name, key, expected) for name, values in VALUES.items() for key, expected in values.items()],
)
def test_images(name: str, key: str, expected: Value | None) -> None:
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
def test_secondary_side(key: str, expected: Value | None) -> None:
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


def test_a_voltage_transformer() -> None:
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


# ---------------------------------------------------------------------- who it is


@pytest.mark.parametrize("name", IDENTITIES)
async def test_identity(name: str) -> None:
    """With one question that tells the meters apart, and few others."""
    unit = full_of_holes(image(name))
    identity = await identify(unit, "meter")
    assert identity == IDENTITIES[name]
    assert identity.kind == "meter"
    assert not identity.lacks_rated_power
    assert unit.reads == ASKED[name]


@pytest.mark.parametrize("name", IDENTITIES)
async def test_of_any_kind(name: str) -> None:
    """Two questions more: whether it is one of the inverters."""
    unit = full_of_holes(image(name))
    assert await identify(unit) == IDENTITIES[name]
    assert unit.reads == [(0, 1), (0x8F00, 1), *ASKED[name]]


@pytest.mark.parametrize("name", IDENTITIES)
async def test_no_inverter(name: str) -> None:
    """Who looks for an inverter is told of the meter, for one question more."""
    unit = full_of_holes(image(name))
    with pytest.raises(WrongDeviceError) as caught:
        await identify(unit, "inverter")
    assert caught.value.found == ("a DTSU666 meter" if "dtsu" in name else "a DDSU666 meter")
    assert unit.reads == [(0, 1), (0x8F00, 1), (0x2000, 8)]


async def test_no_meter() -> None:
    """Who looks for a meter is told of the inverter."""
    refused = dict.fromkeys((0x2000, 2110, 0x5000, 0x8F00), 2)
    unit = FakeUnit({0: 5}, refused=refused)
    with pytest.raises(WrongDeviceError) as caught:
        await identify(unit, "meter")
    assert caught.value.found == "a low-voltage three-phase hybrid inverter"
    assert unit.reads == [(0x2000, 8), (2110, 2), (0x5000, 1), (0, 1)]


@pytest.mark.parametrize("kind", [None, "meter", "inverter"])
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("huawei_dtsu666_h", "a Huawei DTSU666-H or DDSU666-H meter"),
        ("sungrow_dtsu666", "a Sungrow DTSU666 meter"),
        ("dtsu666_echo", "a meter that answers with the addresses of its registers"),
    ],
)
async def test_look_alikes(name: str, found: str, kind: str | None) -> None:
    """They are refused by their names."""
    unit = full_of_holes(image(name))
    with pytest.raises(WrongDeviceError) as caught:
        await identify(unit, kind)
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
    identity = await identify(unit, "meter")
    assert (identity.family, identity.facts["ct_ratio"]) == (family, 200)


async def test_a_single_phase_meter_by_its_frequency() -> None:
    """Where a voltage is out of the ordinary."""
    unit = full_of_holes(image("ddsu666_solar") | singles(0x2000, 62.5))
    assert (await identify(unit, "meter")).family == "ddsu666"
    assert unit.reads[:3] == [(0x2000, 8), (0x2044, 2), (0x200E, 2)]


@pytest.mark.parametrize(
    ("name", "family"), [("dtsu666_1000", "dtsu666"), ("ddsu666_solar", "ddsu666")]
)
async def test_a_dead_line_is_known_by_the_settings(name: str, family: str) -> None:
    """Nothing is measured; the keypad code lies in the one or the other register."""
    words = image(name)
    words |= {address: 0 for address in words if 0x2000 <= address < 0x2100}
    unit = full_of_holes(words)
    assert (await identify(unit, "meter")).family == family


async def test_settings_alone_do_not_make_a_meter() -> None:
    """What measures something that no meter can is none."""
    unit = full_of_holes(image("dtsu666_1000") | singles(0x2000, 1e-19, 1e30, 0, 7.0, 1, 1))
    unit.registers |= singles(0x2044, 3.0)
    with pytest.raises(WrongDeviceError) as caught:
        await identify(unit, "meter")
    assert caught.value.found == "a machine that is none of the known meters"


@pytest.mark.parametrize("code", [3, 5, 0x0500, 0x0006])
async def test_a_meter_that_begins_like_an_inverter(code: int) -> None:
    """The first register is a keypad code, or a version: an inverter of ours, or a stranger, by chance."""
    for name in ("ddsu666_solar", "dtsu666_1000"):
        unit = full_of_holes(image(name) | {0: code})
        assert (await identify(unit)).family == IDENTITIES[name].family
        with pytest.raises(WrongDeviceError, match="666 meter"):
            await identify(unit, "inverter")


async def test_silence() -> None:
    """Who does not answer is asked one question; a meter refuses what it does not have, and is never silent."""
    unit = FakeUnit(fault=LinkTimeout("unit 1"))
    with pytest.raises(LinkTimeout):
        await identify(unit, "meter")
    assert unit.reads == [(0x2000, 8)]
    unit.requests.clear()
    with pytest.raises(LinkTimeout):
        await identify(unit)
    assert unit.reads == [(0, 1), (0x8F00, 1)]


async def test_a_stranger_that_is_silent_where_a_meter_answers() -> None:
    """It is named all the same."""
    unit = FakeUnit({0: 3})
    unit.faults.extend([None, LinkTimeout("unit 1")])
    with pytest.raises(WrongDeviceError, match="single-phase hybrid"):
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
        (0x0006, 0, "a DTSU666 meter with an impossible ct ratio"),
        (0x0006, 10000, "a DTSU666 meter with an impossible ct ratio"),
        (0x0007, 0, "a DTSU666 meter with an impossible pt ratio"),
        (0x0007, 10000, "a DTSU666 meter with an impossible pt ratio"),
    ],
)
async def test_impossible_ratios(address: int, word: int, found: str) -> None:
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
async def test_the_largest_ratios(address: int, word: int, facts: dict[str, float]) -> None:
    """They are as good as any: 690 V * 6 A * 9999, 690 V * 999.9 * 250 A, 690 V * 0.1 * 250 A."""
    unit = full_of_holes(image("dtsu666_1000") | {address: word})
    assert (await identify(unit)).facts == facts


# ---------------------------------------------------------------------- what it has


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
    scout = Device(unit, DTSU666, known=identity.facts, features=identity.features)
    assert await scout.discover() == frozenset()
    unit.registers |= image("dtsu666_4000")
    assert await scout.discover() == open_questions


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


async def test_three_wires() -> None:
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


# ---------------------------------------------------------------------- how it is asked


EVERYDAY: Final = (
    *(f"l{n}_{quantity}" for n in (1, 2, 3) for quantity in ("voltage", "current", "power")),
    "power",
    "frequency",
)
COUNTERS: Final = ("import_energy_total", "export_energy_total")


@pytest.mark.parametrize(
    ("name", "keys", "reads", "milliseconds"),
    [
        # 20 registers and 2: twice 20 characters and 15 ms, and two characters for each register.
        ("dtsu666_primary", EVERYDAY, [(0x1510, 20), (0x154E, 2)], 117.5),
        ("dtsu666_1000", EVERYDAY, [(0x2006, 20), (0x2044, 2)], 117.5),
        ("dtsu666_4000", EVERYDAY, [(0x2006, 20), (0x2044, 2)], 117.5),
        ("ddsu666_solar", ("voltage", "current", "power", "frequency"), [(0x2000, 16)], 69.17),
        (
            "ddsu666_compact",
            ("voltage", "current", "power", "frequency"),
            [(0x2000, 6), (0x200E, 2)],
            88.33,
        ),
        ("dtsu666_primary", COUNTERS, [(0x181E, 12)], 60.83),
        ("dtsu666_1000", COUNTERS, [(0x101E, 12)], 60.83),
        ("dtsu666_4000", COUNTERS, [(0x401E, 12)], 60.83),
        ("ddsu666_solar", COUNTERS, [(0x4000, 2), (0x400A, 2)], 80.0),
        ("ddsu666_compact", COUNTERS[:1], [(0x4000, 2)], 40.0),
        ("ddsu666_tariffs", COUNTERS, [(0x4000, 12)], 60.83),
    ],
)
async def test_a_cycle_is_short(
    name: str, keys: tuple[str, ...], reads: list[tuple[int, int]], milliseconds: float
) -> None:
    """One or two requests on a line of 9600 baud; another request is cheaper than eighteen registers."""
    unit = full_of_holes(image(name))
    device = device_of(name, unit)
    snapshot = await device.poll(keys)
    assert snapshot.values == {key: VALUES[name][key] for key in keys}
    assert unit.reads == reads
    seconds = LineCost().of(Read(*read) for read in reads)
    assert round(seconds * 1000, 2) == milliseconds


async def test_one_request_where_the_block_has_no_holes() -> None:
    """From the voltages to the frequency, if the power factors in between are wanted too."""
    unit = full_of_holes(image("dtsu666_primary"))
    device = Device(
        unit,
        DTSU666,
        known={"ct_ratio": 200, "pt_ratio": 1.0},
        features=("apparent_power", "phase_angles", "whole_block", "new_counters"),
    )
    keys = [*EVERYDAY, "power_factor", "apparent_power", "l3_phase_angle"]
    await device.poll(keys)
    assert unit.reads == [(0x2006, 64)]


@pytest.mark.parametrize("name", IDENTITIES)
@pytest.mark.parametrize("group", list(Group))
async def test_groups_can_be_polled(name: str, group: Group) -> None:
    """All of a group at once, of which nothing is refused."""
    unit = full_of_holes(image(name))
    device = device_of(name, unit)
    keys = [key for key in device.family.registers if device.family.group_of(key) is group]
    snapshot = await device.poll(keys)
    assert snapshot.failed == frozenset()
    assert snapshot.values == {key: VALUES[name][key] for key in keys}
    assert device.resting == []
    assert all(count <= 64 for _, count in unit.reads)


@pytest.mark.parametrize("family", METERS, ids=lambda family: family.key)
def test_every_row_can_be_read(family: Family) -> None:
    """It lies in one of the pieces that are served; those of a feature may come with it."""
    whole = family.fitted([feature.key for feature in family.features])
    for row in family.every_row():
        for first, last in row.spans:
            assert any(low <= first and last <= high for low, high in whole.readable), row.key
            assert last - first < family.max_read


@pytest.mark.parametrize(
    ("family", "secret"), [(DTSU666, (1, 2)), (DDSU666, (0, 2))], ids=["dtsu666", "ddsu666"]
)
def test_the_code_and_the_eraser_are_left_alone(family: Family, secret: tuple[int, int]) -> None:
    """Neither has a row, and neither is read along with something else."""
    whole = family.fitted([feature.key for feature in family.features])
    for address in secret:
        assert not any(low <= address <= high for low, high in whole.readable)
        assert not any(address in row.addresses for row in family.every_row())


@pytest.mark.parametrize("family", METERS, ids=lambda family: family.key)
def test_families(family: Family) -> None:
    """How they want to be asked."""
    assert FAMILIES[family.key] is family
    assert (family.kind, family.serial) == ("meter", None)
    assert (family.max_read, family.max_write, family.baudrate) == (64, 0, 9600)
    assert {family.registers[key].group for key in family.identity} == {Group.IDENTITY}
    units = {"V", "A", "W", "var", "VA", "Hz", "kWh", "kvarh", "°", "s", None}
    assert {row.unit for row in family.every_row()} <= units
    for row in family.every_row():
        assert row.source
        assert row.confidence in {"high", "medium", "low"}


# ---------------------------------------------------------------------- nothing is written


@pytest.mark.parametrize("family", METERS, ids=lambda family: family.key)
def test_no_register_is_writable(family: Family) -> None:
    """Of none in no tier: an inverter that loses its meter does not limit its export any more."""
    assert [row.key for row in family.every_row() if row.writable or row.limits] == []
    assert (family.leads, family.residues) == ({}, ())


@pytest.mark.parametrize("name", IDENTITIES)
async def test_nobody_writes_to_a_meter(name: str) -> None:
    """Not by any way in, whatever the tier."""
    unit = full_of_holes(image(name))
    device = device_of(name, unit, tier=Tier.INSTALLER)
    for key in device.family.registers:
        assert not device.may_write(key)
        for writing in (
            device.write(key, 1),
            device.write_many({key: 1}),
            device.write_steps([(key, 1)]),
            device.preview({key: 1}),
            device.set_clock(key, lambda: datetime(2026, 1, 1)),  # noqa: DTZ001 - local
        ):
            with pytest.raises(WriteDeniedError):
                await writing
    with pytest.raises(DeviceError):
        await device.undo()
    await device.put_back()
    await device.release()
    assert unit.requests == []


# ---------------------------------------------------------------------- ratios that change


async def test_another_ratio() -> None:
    """It is told daily, and from then on everything is multiplied by it."""
    unit = full_of_holes(image("dtsu666_4000"))
    device = device_of("dtsu666_4000", unit)
    assert device.foundations == {"ct_ratio", "pt_ratio"}
    assert (await device.poll(["power"])).values == {"power": 3960.0}
    unit.registers[0x0006] = 40
    assert (await device.poll(["power"])).values == {"power": 3960.0}
    # All together, so that nothing is multiplied by what was before.
    snapshot = await device.poll(["power", "import_energy_total", "ct_ratio"])
    assert snapshot.values == {"power": 4800.0, "import_energy_total": 4005.0, "ct_ratio": 40}
    assert (await device.poll(["l1_power"])).values == {"l1_power": 2800.0}


async def test_ratios_are_what_a_meter_is_verified_by() -> None:
    """After the link was lost: they may have been changed while nobody looked."""
    unit = full_of_holes(image("dtsu666_4000"))
    device = device_of("dtsu666_4000", unit)
    unit.registers[0x0007] = 20
    await device.verify("any name that it was given")
    assert unit.reads == [(0x0006, 2), (0x2000, 8)]
    assert (await device.poll(["power"])).values == {"power": 7920.0}


async def test_a_meter_without_ratios() -> None:
    """That it is one is all that can be told of it."""
    unit = full_of_holes(image("ddsu666_solar"))
    device = device_of("ddsu666_solar", unit)
    await device.verify("any name that it was given")
    assert unit.reads == [(0x2000, 8)]
    unit.registers |= singles(0x2000, 2299.0)
    with pytest.raises(WrongDeviceError, match="not a DDSU666 meter"):
        await device.verify("any name that it was given")
    unit.faults.append(RejectedError(6, "busy"))
    with pytest.raises(RejectedError):
        await device.verify("any name that it was given")


@pytest.mark.parametrize("word", [0, 10000])
async def test_a_ratio_that_becomes_impossible(word: int) -> None:
    """What rests on it is unknown, until it is possible again."""
    unit = full_of_holes(image("dtsu666_4000"))
    device = device_of("dtsu666_4000", unit)
    unit.registers[0x0006] = word
    await device.verify("")
    snapshot = await device.poll(["power", "l1_voltage", "import_energy_total", "frequency"])
    assert snapshot.values == {
        "power": None,
        "l1_voltage": 230.0,
        "import_energy_total": None,
        "frequency": 50.0,
    }
    assert device.dropped == 0
    unit.registers[0x0006] = 33
    await device.verify("")
    assert (await device.poll(["power"])).values == {"power": 3960.0}


# ---------------------------------------------------------------------- answers that cannot be true

NAN: Final = float("nan")
PHASE_VOLTAGES: Final = ["l1_voltage", "l2_voltage", "l3_voltage"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        # A phase that is not connected, and lost ones that float at a few volts.
        ("dtsu666_1000", singles(0x2006, 2300, 0, 0)),
        ("dtsu666_1000", singles(0x2006, 2300, 31, 4)),
        # Behind a voltage transformer.
        ("dtsu666_1000", singles(0x2006, 577, 577, 577)),
        ("dtsu666_1000", singles(0x2000, 6000, 0, 0)),
        ("dtsu666_1000", singles(0x2006, 3500, 3500, 3500)),
        # Nothing to measure.
        ("dtsu666_1000", singles(0x202A, 0)),
        ("dtsu666_1000", singles(0x202A, NAN)),
        ("dtsu666_1000", singles(0x202A, -1010)),
        ("dtsu666_1000", singles(0x2044, 0)),
        ("dtsu666_1000", singles(0x2044, 4000)),
        ("dtsu666_1000", singles(0x2012, 0)),
        ("dtsu666_1000", singles(0x101E, 0)),
        ("ddsu666_solar", singles(0x2000, 50)),
        ("ddsu666_solar", singles(0x2000, 350)),
        ("ddsu666_solar", singles(0x200A, 1.01)),
        # Old ones have nonsense there, and are right in all else.
        ("ddsu666_solar", singles(0x200E, 6.3e-36)),
        ("dtsu666_primary", singles(0x1510, 5774, 5770, 5777)),
    ],
)
async def test_what_may_be_true(name: str, words: Words) -> None:
    """It is taken, whatever becomes of the single value."""
    device = device_of(name, full_of_holes(image(name) | words))
    groups = (Group.POWER, Group.ENERGY)
    snapshot = await device.poll(
        [key for key in device.family.registers if device.family.group_of(key) in groups]
    )
    assert (snapshot.failed, device.dropped) == (frozenset(), 0)


@pytest.mark.parametrize(
    ("name", "words", "failed"),
    [
        ("dtsu666_1000", singles(0x2006, 1.08e-19), "l1_voltage"),
        ("dtsu666_1000", singles(0x2008, 3600), "l2_voltage"),
        ("dtsu666_1000", singles(0x200A, -1), "l3_voltage"),
        ("dtsu666_1000", singles(0x200A, NAN), "l3_voltage"),
        ("dtsu666_1000", singles(0x2006, 0, 0, 0), "l1_voltage"),
        ("dtsu666_1000", singles(0x2006, 310, 310, 310), "l1_voltage"),
        ("dtsu666_1000", singles(0x2000, -1), "l1_l2_voltage"),
        ("dtsu666_1000", singles(0x2000, 1e-30), "l1_l2_voltage"),
        ("dtsu666_1000", singles(0x2004, 6001), "l3_l1_voltage"),
        ("dtsu666_1000", singles(0x2012, 2e7), "power"),
        ("dtsu666_1000", singles(0x2012, NAN), "power"),
        ("dtsu666_1000", singles(0x2012, float("-inf")), "power"),
        ("dtsu666_1000", singles(0x2012, -1e-8), "power"),
        ("dtsu666_1000", singles(0x202A, 1011), "power_factor"),
        ("dtsu666_1000", singles(0x202A, 1e-10), "power_factor"),
        ("dtsu666_1000", singles(0x2044, 3999), "frequency"),
        ("dtsu666_1000", singles(0x2044, 50), "frequency"),
        ("dtsu666_1000", singles(0x101E, -1), "import_energy_total"),
        ("dtsu666_1000", singles(0x1028, NAN), "export_energy_total"),
        ("dtsu666_4000", singles(0x401E, 2e8), "import_energy_total"),
        ("dtsu666_4000", singles(0x4028, 1e-20), "export_energy_total"),
        ("dtsu666_primary", singles(0x1510, 0, 0, 0), "l1_voltage"),
        ("dtsu666_primary", singles(0x1512, -230), "l2_voltage"),
        ("dtsu666_primary", singles(0x151C, 1e6), "power"),
        ("dtsu666_primary", singles(0x1534, -1.1), "power_factor"),
        ("dtsu666_primary", singles(0x154E, 5001), "frequency"),
        ("dtsu666_primary", singles(0x181E, 1e-40), "import_energy_total"),
        ("dtsu666_primary", singles(0x1828, -0.1), "export_energy_total"),
        ("ddsu666_solar", singles(0x2000, 49), "voltage"),
        ("ddsu666_solar", singles(0x2000, 2300), "voltage"),
        ("ddsu666_solar", singles(0x2004, 101), "power"),
        ("ddsu666_solar", singles(0x200A, -1.02), "power_factor"),
        ("ddsu666_solar", singles(0x4000, NAN), "import_energy_total"),
        ("ddsu666_solar", singles(0x400A, -3), "export_energy_total"),
    ],
)
async def test_what_cannot_be_true(name: str, words: Words, failed: str) -> None:
    """The whole answer is dropped, counted, and asked for once more; nothing of it is shown."""
    unit = full_of_holes(image(name) | words)
    device = device_of(name, unit)
    with pytest.raises(ImplausibleError):
        await device.poll(PHASE_VOLTAGES if failed in PHASE_VOLTAGES else [failed])
    assert device.dropped == 2
    assert len(unit.reads) == 2
    assert device.image == {}


async def test_the_second_try_counts() -> None:
    """An answer that is one register off is asked for again, and nobody notices but the counter."""
    unit = full_of_holes(image("dtsu666_1000"))
    true = dict(unit.registers)
    shifted = {address: true.get(address + 1, 0) for address in true}

    def recover() -> None:
        unit.registers.update(true)

    unit.registers.update(shifted)
    unit.tick = recover
    device = device_of("dtsu666_1000", unit)
    keys = [key for key in NEW if device.family.group_of(key) is Group.POWER]
    assert (await device.poll(keys)).values == {key: NEW[key] for key in keys}
    assert device.dropped == 1


async def test_what_was_true_before_is_not_shown_again() -> None:
    """A frame that is dropped is one that was not read; the other reads of the cycle are taken."""
    unit = full_of_holes(image("dtsu666_1000"))
    device = device_of("dtsu666_1000", unit)
    keys = ["power", "l1_voltage", "l2_voltage", "l3_voltage", "import_energy_total"]
    assert (await device.poll(keys)).failed == frozenset()
    unit.registers |= singles(0x2006, 0, 0, 0)
    snapshot = await device.poll(keys)
    assert snapshot.failed == set(keys) - {"import_energy_total"}
    assert snapshot.values == {"import_energy_total": 12345.678}
    assert device.dropped == 2
    unit.registers |= singles(0x2006, 2334, 2341, 2288)
    assert (await device.poll(keys)).values["power"] == 1234.5


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("ddsu666_solar", "dtsu666_1000"),
        ("dtsu666_1000", "ddsu666_solar"),
        ("dtsu666_1000", "dtsu666_echo"),
        ("dtsu666_1000", "huawei_dtsu666_h"),
    ],
)
async def test_another_meter_in_its_place(name: str, other: str) -> None:
    """It is noticed when the link is opened again, and nothing of it can be true as long as it is not."""
    unit = full_of_holes(image(other))
    device = device_of(name, unit)
    with pytest.raises(DeviceError):
        await device.verify("")
    with pytest.raises(DeviceError):
        await device.poll(["voltage"] if "ddsu" in name else PHASE_VOLTAGES)


# ---------------------------------------------------------------------- the other way round

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
async def test_inverted(name: str) -> None:
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
def test_inverted_twice(name: str) -> None:
    """It is as it was, but for what was lost."""
    family = fitted(name)
    twice = family.inverted().inverted()
    assert twice.registers == {key: row for key, row in family.registers.items() if key not in LOST}


async def test_inverted_and_looked_at_again() -> None:
    """What an inverted meter has is found all the same, and is inverted too."""
    unit = full_of_holes(image("dtsu666_primary"))
    device = Device(unit, DTSU666, known={"ct_ratio": 200, "pt_ratio": 1.0}, inverted=True)
    await device.discover()
    assert device.features == set(IDENTITIES["dtsu666_primary"].features)
    snapshot = await device.poll(["power", "import_energy_total"])
    assert snapshot.values == {"power": 3020.0, "import_energy_total": 12.43}
    unit.registers[0x0006] = 100
    await device.verify("")
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
