"""Which answers may be true, and what follows from a ratio."""

from __future__ import annotations

from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    ImplausibleError,
    RejectedError,
    WrongDeviceError,
)
from custom_components.hybrid_inverter.modbus.model.register import Group

from .fake_unit import full_of_holes
from .table_chint import NEW, Words, device_of, image, singles


async def test_changed_ratio_is_noticed_daily_and_applied_to_all_values() -> None:
    """It is told daily, and from then on everything is multiplied by it."""
    unit = full_of_holes(image("dtsu666_4000"))
    device = device_of("dtsu666_4000", unit)
    assert device.scaling_inputs == {"ct_ratio", "pt_ratio"}
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
    await device.verify()
    assert unit.reads == [(0x0006, 2), (0x2000, 8)]
    assert (await device.poll(["power"])).values == {"power": 7920.0}


async def test_meter_without_ratios_can_only_be_recognised() -> None:
    """That it is one is all that can be told of it."""
    unit = full_of_holes(image("ddsu666_solar"))
    device = device_of("ddsu666_solar", unit)
    await device.verify()
    assert unit.reads == [(0x2000, 8)]
    unit.registers |= singles(0x2000, 2299.0)
    with pytest.raises(WrongDeviceError, match="not_ddsu666"):
        await device.verify()
    unit.faults.append(RejectedError(6, "busy"))
    with pytest.raises(RejectedError):
        await device.verify()


@pytest.mark.parametrize("word", [0, 10000])
async def test_a_ratio_that_becomes_impossible(word: int) -> None:
    """What rests on it is unknown, until it is possible again."""
    unit = full_of_holes(image("dtsu666_4000"))
    device = device_of("dtsu666_4000", unit)
    unit.registers[0x0006] = word
    await device.verify()
    snapshot = await device.poll(["power", "l1_voltage", "import_energy_total", "frequency"])
    assert snapshot.values == {
        "power": None,
        "l1_voltage": 230.0,
        "import_energy_total": None,
        "frequency": 50.0,
    }
    assert device.dropped == 0
    unit.registers[0x0006] = 33
    await device.verify()
    assert (await device.poll(["power"])).values == {"power": 3960.0}


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


async def test_shifted_answer_is_read_again_and_counted() -> None:
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
        await device.verify()
    with pytest.raises(DeviceError):
        await device.poll(["voltage"] if "ddsu" in name else PHASE_VOLTAGES)
