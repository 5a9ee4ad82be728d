"""How a JSO is recognised, what it is called, and what it has."""

from __future__ import annotations

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.model.codec_time import Hhmm
from custom_components.hybrid_inverter.modbus.model.family import Model
from custom_components.hybrid_inverter.modbus.model.recognition import OtherDevice, Verdict
from custom_components.hybrid_inverter.modbus.model.register import Group, Tier
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .fake_unit import FakeUnit
from .table_jso import FULL


@pytest.mark.parametrize(
    ("count", "found"),
    [
        (None, set()),
        (0, set()),
        (1, {"packs", "pack_1"}),
        (2, {"packs", "pack_1", "pack_2"}),
        (7, {"packs", *(f"pack_{number}" for number in range(1, 8))}),
        (8, {"packs", *(f"pack_{number}" for number in range(1, 9))}),
        # More than are shown.
        (12, {"packs", *(f"pack_{number}" for number in range(1, 9))}),
    ],
)
def test_packs_are_found_by_their_number(count: int | None, found: set[str]) -> None:
    """The machine says how many there are; nothing else is looked at."""
    features = [item for item in JSO.features if item.key.startswith("pack")]
    assert {item.key for item in features if item.proof.holds({"pack_count": count})} == found
    assert {key for item in features for key in item.proof.keys} == {"pack_count"}
    assert FULL.registers["pack_count"].addresses == (10002,)


@pytest.mark.parametrize(
    ("word", "is_found"), [(0, True), (1, True), (2, False), (0x0101, False), (0xFFFF, False)]
)
async def test_force_off_grid_is_offered_where_the_register_holds_what_a_switch_can(
    word: int, is_found: bool
) -> None:
    """Earlier protocols have something else in it, and some machines nothing."""
    unit = FakeUnit({179: word})
    device = Device(unit, JSO, tier=Tier.INSTALLER)
    assert ("force_off_grid" in await device.discover()) is is_found
    # Whoever may not write it is spared the question.
    unit.requests.clear()
    assert await Device(unit, JSO).discover() == set()
    assert unit.reads == [(10002, 1)]


def test_family_states_how_the_inverters_are_read() -> None:
    """How the machines want to be asked."""
    assert FAMILIES["jso"] is JSO
    assert JSO.kind == "inverter"
    assert (JSO.max_read, JSO.max_write, JSO.single_write) == (100, 30, False)
    assert (JSO.spacing, JSO.settle, JSO.baudrate) == (0.05, 1.0, 9600)
    assert JSO.rated_powers == (5000, 20000)
    assert JSO.firmware == ("main_firmware", "hmi_firmware")
    assert JSO.assumed == {"mppt_count": 2, "phase_count": 3}
    assert set(JSO.identity) == {
        "device_type",
        "protocol_version",
        "serial_number",
        "main_firmware",
        "hmi_firmware",
        "rated_power",
        "mppt_count",
        "phase_count",
    }
    assert {JSO.registers[key].group for key in JSO.identity} == {Group.IDENTITY}
    assert JSO.registers[JSO.presence_register].addresses == (0,)
    assert isinstance(JSO.registers["tou_slot_1_time"].codec, Hhmm)


def verdict(code: int) -> Verdict:
    """Return what a code of the type says."""
    recognition = JSO.recognise()
    assert next(recognition) == (0, 1)
    with pytest.raises(StopIteration) as stopped:
        recognition.send([code])
    said: Verdict = stopped.value.value
    return said


def test_both_spellings_of_the_type_are_accepted_and_others_have_a_name() -> None:
    """Both spellings of the low-voltage hybrid; every other type has a name for a person."""
    codes = {code: verdict(code) for code in range(0x10000)}
    assert {code for code, said in codes.items() if said is True} == {5, 1280}
    named = {
        code: said.code
        for code, said in codes.items()
        if isinstance(said, OtherDevice) and said.certain
    }
    assert set(named) == {2, 512, 3, 768, 4, 1024, 6, 1536, 1537, 262, 259, 260, 2048, 2304}
    assert named[768] == "single_phase_hybrid"
    assert named[262] == "high_voltage_hybrid"


def test_model_of_8_kw_is_the_jso_and_twins_go_by_their_power() -> None:
    """The 8 kW machine is the JSO; its twins go by their power."""
    assert JSO.model({"rated_power": 8000.0}) == Model(
        manufacturer="JUSTSTANDOUT", name="JSO8048104"
    )
    assert JSO.model({"rated_power": 12000.0}) == Model(manufacturer="Deye", name="SUN-12K-SG04LP3")
    assert JSO.model({}) == Model(manufacturer="Deye", name="SUN-xK-SG04LP3")
