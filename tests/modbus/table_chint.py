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
from datetime import datetime
from functools import cache
import json
from pathlib import Path
import struct
from typing import Any, Final

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.find.identify import Identity
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.chint import DDSU666, DTSU666

from .fake_unit import FakeUnit

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
        serial=identity.serial,
        **extra,
    )
