"""How a meter is read, and that nothing of it is ever written."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.device.read_plan import LineCost, Read
from custom_components.hybrid_inverter.modbus.errors import DeviceError, WriteDeniedError
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.register import Group, Tier
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.chint import DDSU666, DTSU666

from .fake_unit import full_of_holes
from .table_chint import IDENTITIES, METERS, VALUES, device_of, image

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
async def test_polling_a_meter_takes_one_or_two_requests(
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
    assert device.quarantined == []
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
def test_families_state_how_meters_are_read(family: Family) -> None:
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


@pytest.mark.parametrize("family", METERS, ids=lambda family: family.key)
def test_no_register_is_writable(family: Family) -> None:
    """Of none in no tier: an inverter that loses its meter does not limit its export any more."""
    assert [row.key for row in family.every_row() if row.writable or row.limits] == []
    assert (family.prerequisites, family.residues) == ({}, ())


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
