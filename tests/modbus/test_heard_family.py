"""What a meter has of which only a part is heard, and how the ratio before it is worked in."""

from __future__ import annotations

from dataclasses import replace
import struct

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.listen.heard import Request
from custom_components.hybrid_inverter.modbus.listen.heard_family import (
    HEARD_FAMILIES,
    as_heard,
    identity_of_heard,
    model_of_heard,
    rests_on_ct_ratio,
)
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from .fake_unit import FakeUnit

FACTS = {"ct_ratio": 40, "pt_ratio": 1}
DEYE = [Request(1, 0x151E, 6)]
SOFAR = [Request(1, 0x0006, 1), Request(1, 0x2014, 6), Request(1, 0x101E, 12)]


def registers(*numbers: tuple[int, float]) -> dict[int, int]:
    """Return the words of numbers of single precision, by address."""
    return {
        address + place: word
        for address, number in numbers
        for place, word in enumerate(struct.unpack(">HH", struct.pack(">f", number)))
    }


def test_only_what_is_heard() -> None:
    """A Deye asks for three powers: they are there, and their sum; nothing else is."""
    family = as_heard(FAMILIES["dtsu666"], DEYE, FACTS)
    assert set(family.registers) == {"l1_power", "l2_power", "l3_power"}
    assert set(family.derived) == {"power"}
    assert family.readable == [(0x151E, 0x1523)]
    assert (family.features, family.firmware, family.needs) == ((), (), frozenset())


def test_a_value_that_is_cut_off_is_not_heard() -> None:
    """Both words have to come with one answer."""
    requests = [Request(1, 0x2013, 2), Request(1, 0x2015, 3)]
    assert set(as_heard(FAMILIES["dtsu666"], requests, FACTS).registers) == {"l2_power"}


def test_total_that_is_heard() -> None:
    """It is not worked out then."""
    family = as_heard(FAMILIES["dtsu666"], [Request(1, 0x2012, 8)], FACTS)
    assert "power" in family.registers
    assert not family.derived


def test_the_primary_side_is_better() -> None:
    """Where both are heard, what no ratio is needed for is shown."""
    family = as_heard(FAMILIES["dtsu666"], [Request(1, 0x2012, 8), Request(1, 0x151C, 8)], FACTS)
    assert family.registers["l1_power"].addresses == (0x151E, 0x151F)


async def test_heard_values_are_multiplied_by_the_given_ratio() -> None:
    """3100 tenths of a watt times 40; 1250.5 kWh times 40; the ratio is a fact and is not asked for."""
    unit = FakeUnit(
        registers(
            (0x2014, 3100.0), (0x2016, -870.0), (0x2018, 3000.0), (0x101E, 1250.5), (0x1028, 12.25)
        )
        | {0x0006: 40}
        | dict.fromkeys(range(0x1020, 0x1028), 0)
    )
    device = Device(unit, as_heard(FAMILIES["dtsu666"], SOFAR, FACTS), known=FACTS, serial="")
    await device.verify()
    assert unit.requests == []
    snapshot = await device.poll(
        ["power", "l1_power", "import_energy_total", "export_energy_total"]
    )
    assert snapshot.values == {
        "power": 20920.0,
        "l1_power": 12400.0,
        "import_energy_total": 50020.0,
        "export_energy_total": 490.0,
    }
    assert snapshot.failed == frozenset()
    # One request for each that is heard, none across two of them.
    assert sorted(unit.reads) == [(0x101E, 12), (0x2014, 6)]


async def test_heard_sum_is_inverted_with_its_phases() -> None:
    """The sum of what is the other way round is so, too."""
    unit = FakeUnit(registers((0x151E, 0.31), (0x1520, -0.087), (0x1522, 0.3)))
    device = Device(unit, as_heard(FAMILIES["dtsu666"], DEYE, FACTS), known=FACTS, inverted=True)
    snapshot = await device.poll(["power", "l1_power"])
    assert snapshot.values == {"power": -523.0, "l1_power": -310.0}


def test_heard_meter_has_no_serial_number_and_the_power_of_its_transformers() -> None:
    """It has no serial number; its largest power is that of its transformers."""
    # 230 V, three phases, 250 A as a set, or 6 A times 100.
    for ratio, watts in ((None, 172500), (1, 172500), (100, 414000)):
        identity = identity_of_heard("dtsu666", ratio)
        assert (identity.family, identity.serial, identity.kind) == ("dtsu666", "", "meter")
        assert (identity.manufacturer, identity.model) == ("CHINT", "DTSU666")
        assert identity.facts == {"rated_power": watts, "ct_ratio": ratio or 1, "pt_ratio": 1}
    assert identity_of_heard("ddsu666", None).facts == {"rated_power": 23000}
    assert HEARD_FAMILIES == ("dtsu666", "ddsu666")
    assert model_of_heard(None) == "DTSU666 / DDSU666"


@pytest.mark.parametrize(
    ("family", "request_", "rests"),
    [
        ("dtsu666", Request(1, 0x2012, 8), True),
        ("dtsu666", Request(1, 0x101E, 12), True),
        # Voltages, and everything on the primary side.
        ("dtsu666", Request(1, 0x2000, 6), False),
        ("dtsu666", Request(1, 0x1510, 64), False),
        ("dtsu666", Request(1, 0x181E, 20), False),
        ("ddsu666", Request(1, 0x2000, 6), False),
    ],
)
def test_rests_on_the_ratio(family: str, request_: Request, *, rests: bool) -> None:
    """Only currents, powers and counters of the secondary side do."""
    assert rests_on_ct_ratio(family, [request_]) is rests


def test_the_family_itself_stays_as_it_is() -> None:
    """Another meter of the family is read in full."""
    family = FAMILIES["dtsu666"]
    before = replace(family)
    as_heard(family, SOFAR, FACTS)
    assert family == before
