"""What a machine is recognised by, asked for again, for somebody who has never met it."""

from __future__ import annotations

from collections import deque

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import LinkTimeout
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from .fake_unit import FakeUnit

# Type 5, serial number JSO0000001, 8000 W in tenths, two MPPT inputs and three phases.
WORDS = {
    0: 5,
    3: 0x4A53,
    4: 0x4F30,
    5: 0x3030,
    6: 0x3030,
    7: 0x3031,
    20: 0x3880,
    21: 1,
    22: 0x0203,
}


def device_of(unit: FakeUnit) -> Device:
    """Return a JSO that was met before."""
    return Device(unit, FAMILIES["jso"], known={"rated_power": 8000})


async def test_identification_dump_has_the_type_the_identity_and_the_feature_registers() -> None:
    """It has the type, who it is, and what shows what it has; the machine's image is as it was."""
    device = device_of(FakeUnit(dict(WORDS)))
    identification_dump = await device.identification_dump()
    assert identification_dump.items() >= WORDS.items()
    # It has no battery packs.
    assert identification_dump[10002] == 0
    assert device.image == {}


async def test_identification_dump_leaves_out_what_the_device_refuses() -> None:
    """What it refuses is not in it."""
    unit = FakeUnit(dict(WORDS), refused=dict.fromkeys(range(10000, 10400), 2))
    identification_dump = await device_of(unit).identification_dump()
    assert identification_dump.items() >= WORDS.items()
    assert max(identification_dump) < 10000


async def test_identification_dump_of_a_device_with_another_code_has_only_the_code() -> None:
    """A code that is not one of the family's says nothing of it."""
    unit = FakeUnit({0: 0x1234}, faults=deque([None, *[LinkTimeout("1 s")] * 2]))
    assert await device_of(unit).identification_dump() == {}


async def test_identification_dump_keeps_what_was_read_before_the_device_fell_silent() -> None:
    """What has come before the machine fell silent is kept."""
    unit = FakeUnit(dict(WORDS), faults=deque([None, *[LinkTimeout("1 s")] * 2]))
    assert await device_of(unit).identification_dump() == {0: 5}
    unit = FakeUnit(fault=LinkTimeout("1 s"))
    assert await device_of(unit).identification_dump() == {}
    assert len(unit.requests) == 1
