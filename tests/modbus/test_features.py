"""What only some machines of a family have, and how it is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    InvalidValueError,
    LinkTimeout,
    RejectedError,
)
from custom_components.hybrid_inverter.modbus.model.codec import Bits, Number, PermilleOfRated
from custom_components.hybrid_inverter.modbus.model.derived import Derived, total
from custom_components.hybrid_inverter.modbus.model.family import table
from custom_components.hybrid_inverter.modbus.model.features import (
    Feature,
    Proof,
    above,
    among,
    both,
    either,
    has_bit,
    known,
)
from custom_components.hybrid_inverter.modbus.model.register import (
    Group,
    Limits,
    Ref,
    Register,
    Tier,
)
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .fake_unit import FakeUnit, ReadRequest


def row(key: str, *addresses: int, **extra: object) -> Register:
    """Return a row that says "not available" with 0xFFFF."""
    codec = Number(words=len(addresses), absent=frozenset({0xFFFF}))
    return replace(
        Register(key=key, addresses=addresses, group=Group.POWER, codec=codec),
        **extra,  # type: ignore[arg-type]
    )


METER: Final = Feature(
    key="meter",
    proof=above(0, "meter_voltage"),
    registers=table(row("meter_voltage", 500), row("meter_power", 501)),
    derived={
        "grid_power": Derived(
            key="grid_power",
            inputs=("meter_power",),
            compute=total("meter_power"),
            group=Group.POWER,
        )
    },
)
SECOND: Final = Feature(
    key="second",
    proof=known("second_voltage"),
    registers=table(row("second_voltage", 20), row("pv_power", 21)),
    without=frozenset({"spare"}),
)
FAMILY: Final = replace(
    JSO,
    registers=table(
        row("device_type", 0),
        row("rated_power", 1),
        row("pv_power", 2),
        row("grid_power", 3),
        row("spare", 4),
        row(
            "limit",
            5,
            codec=PermilleOfRated(),
            unit="W",
            group=Group.SETTINGS,
            tier=Tier.EVERYDAY,
            limits=Limits(0, Ref("rated_power", factor=1.1)),
        ),
    ),
    derived={},
    readable=((0, 30), (500, 501)),
    features=(METER, SECOND),
)


@pytest.mark.parametrize(
    ("proof", "values", "holds"),
    [
        (known("a", "b"), {"b": 0}, True),
        (known("a", "b"), {"a": None}, False),
        (above(5, "a", "b"), {"a": 5, "b": 5.5}, True),
        (above(5, "a", "b"), {"a": 5}, False),
        (above(5, "a"), {"a": None}, False),
        (among("a", 2, 3), {"a": 3}, True),
        (among("a", 2, 3), {"a": 4}, False),
        (has_bit("a", 1), {"a": frozenset({0, 1})}, True),
        (has_bit("a", 1), {"a": frozenset({0})}, False),
        (has_bit("a", 1), {}, False),
        (either(known("a"), known("b")), {"b": 1}, True),
        (either(known("a"), known("b")), {}, False),
        (both(known("a"), known("b")), {"b": 1}, False),
        (both(known("a"), known("b")), {"a": 1, "b": 1}, True),
    ],
)
def test_each_kind_of_proof_holds_only_when_its_registers_show_it(
    proof: Proof, values: dict[str, object], holds: bool
) -> None:
    """Each kind of proof, when it holds and when it does not."""
    assert proof.holds(values) is holds  # type: ignore[arg-type]


def test_the_keys_of_a_combined_proof_stand_once() -> None:
    """They are read once."""
    assert either(known("a", "b"), known("b", "c")).keys == ("a", "b", "c")
    assert both(known("a"), above(1, "a")).keys == ("a",)


def test_a_machine_without_features_is_the_family_itself() -> None:
    """Nothing of a feature shows."""
    fitted = FAMILY.fitted((), None)
    assert fitted.registers.keys() == FAMILY.registers.keys()
    assert fitted.derived == {}


def test_a_feature_brings_rows_and_stands_in_for_others() -> None:
    """A computed value takes the place of a served one, a row that of a row, and what is missing goes."""
    fitted = FAMILY.fitted({"meter", "second"}, None)
    assert fitted.derived.keys() == {"grid_power"}
    assert "grid_power" not in fitted.registers
    assert fitted.registers["pv_power"].addresses == (21,)
    assert "spare" not in fitted.registers
    assert FAMILY.registers["pv_power"].addresses == (2,)


async def test_discovery_finds_what_answers() -> None:
    """The meter reports, the second input says that it is not there."""
    unit = FakeUnit({0: 5, 20: 0xFFFF, 500: 2301, 501: 7})
    device = Device(unit, FAMILY)
    assert await device.discover() == {"meter"}
    assert device.features == {"meter"}
    assert device.family.group_of("grid_power") is Group.POWER
    assert (await device.poll({"grid_power"})).values == {"grid_power": 7}


async def test_discovery_looks_only_for_what_was_not_found() -> None:
    """What was found once is kept, though its proof does not hold any more."""
    unit = FakeUnit({20: 1, 500: 0})
    device = Device(unit, FAMILY, features=("meter",))
    assert await device.discover() == {"second"}
    assert device.features == {"meter", "second"}
    assert unit.reads == [(20, 1)]
    assert await device.discover() == frozenset()
    assert unit.reads == [(20, 1)]


async def test_refused_addresses_are_a_no() -> None:
    """The other feature is found all the same."""
    unit = FakeUnit({20: 3}, refused={500: 2})
    device = Device(unit, FAMILY)
    assert await device.discover() == {"second"}
    assert unit.reads == [(20, 1), (500, 1)]


@pytest.mark.parametrize(
    "error", [LinkTimeout("silent"), *(RejectedError(n, "") for n in (4, 10, 11))]
)
async def test_silent_addresses_of_a_machine_that_is_there_are_a_no(error: DeviceError) -> None:
    """No answer is followed by a question that every machine answers."""
    unit = FakeUnit({0: 5, 20: 3})
    unit.faults.extend([None, error])
    device = Device(unit, FAMILY)
    assert await device.discover() == {"second"}
    assert unit.requests[-1] == ReadRequest(0, 1)


async def test_a_machine_that_is_not_there_is_no_machine_without_features() -> None:
    """Nothing is concluded from its silence."""
    unit = FakeUnit({20: 3})
    unit.faults.extend([None, LinkTimeout("silent"), LinkTimeout("gone")])
    device = Device(unit, FAMILY)
    with pytest.raises(LinkTimeout, match="gone"):
        await device.discover()
    assert device.features == frozenset()


async def test_a_busy_machine_is_asked_later() -> None:
    """Busy is not a refusal."""
    unit = FakeUnit({20: 3})
    unit.faults.append(RejectedError(6, "busy"))
    with pytest.raises(RejectedError):
        await Device(unit, FAMILY).discover()


async def test_an_identity_is_read_but_for_what_the_machine_is_silent_about() -> None:
    """The other values of the same read are asked for in halves, each vain one after a sign that it is there."""
    family = replace(FAMILY, readable=((0, 30),), features=())
    unit = FakeUnit({0: 5, 1: 8000, 2: 4, 3: 7}, silent={3})
    device = Device(unit, family)
    assert await device.read(["rated_power", "pv_power", "grid_power", "spare"]) == {
        "rated_power": 8000,
        "pv_power": 4,
        "spare": 0,
    }
    assert unit.reads == [(1, 4), (0, 1), (1, 2), (3, 2), (0, 1), (3, 1), (0, 1), (4, 1)]


async def test_a_silent_machine_is_not_read_in_halves() -> None:
    """Nor one that is silent about a whole block, more than once."""
    unit = FakeUnit(fault=LinkTimeout("silent"))
    with pytest.raises(LinkTimeout):
        await Device(unit, FAMILY).read(["rated_power", "pv_power", "grid_power"])
    assert unit.reads == [(1, 3), (0, 1)]
    unit = FakeUnit(silent={1, 2, 3, 4})
    assert await Device(unit, FAMILY).read(["rated_power", "pv_power", "grid_power", "spare"]) == {}
    assert unit.reads == [(1, 4), (0, 1), (1, 2), (0, 1), (3, 2), (0, 1)]


async def test_a_machine_serves_what_it_reads() -> None:
    """Registers of any group, without those that are refused."""
    unit = FakeUnit({1: 8000, 2: 4}, refused={4: 2})
    device = Device(unit, FAMILY)
    assert await device.read(["rated_power", "pv_power", "spare"]) == {
        "rated_power": 8000,
        "pv_power": 4,
    }


# ---------------------------------------------------------------------- one after the other

# Registers that are looked at for the proof only, under a name of their own.
LOOKED_AT: Final = row("looked_at", 600)
FIRST: Final = Feature(
    key="first",
    proof=Proof(
        ("looked_at",), lambda values: values.get("looked_at") == 1, {"looked_at": LOOKED_AT}
    ),
    readable=((0, 6),),
)
OLDER: Final = Feature(key="older", proof=known("old"), unless=frozenset({"first"}))
PART: Final = Feature(key="part", proof=known("part"), needs=frozenset({"first"}))
IN_TURN: Final = replace(
    FAMILY,
    registers=table(row("device_type", 0), row("old", 2), row("part", 4), row("end", 6)),
    # In no order that helps.
    features=(PART, OLDER, FIRST),
    readable=tuple((address, address) for address in range(7)),
)


@pytest.mark.parametrize(
    ("words", "found", "reads"),
    [
        ({600: 1}, {"first", "part"}, [(600, 1), (4, 1)]),
        ({600: 2}, {"older"}, [(600, 1), (2, 1)]),
        ({600: 1, 4: 0xFFFF}, {"first"}, [(600, 1), (4, 1)]),
    ],
)
async def test_one_feature_decides_about_others(
    words: dict[int, int], found: set[str], reads: list[tuple[int, int]]
) -> None:
    """What a machine cannot have any more, or not yet, is not asked for."""
    unit = FakeUnit(words)
    device = Device(unit, IN_TURN)
    assert await device.discover() == found
    assert unit.reads == reads
    assert "looked_at" not in device.values


async def test_a_feature_joins_what_is_read() -> None:
    """What was only readable piece by piece is read in one piece."""
    unit = FakeUnit({600: 1})
    device = Device(unit, IN_TURN)
    await device.poll(["old", "end"])
    await device.discover()
    unit.requests.clear()
    await device.poll(["old", "end"])
    assert unit.reads == [(2, 5)]


def test_combined_proofs_look_at_all() -> None:
    """The rows that only a proof looks at, too."""
    for combined in (both(FIRST.proof, known("a")), either(known("a"), FIRST.proof)):
        assert combined.rows == {"looked_at": LOOKED_AT}


# ---------------------------------------------------------------------- shares of the rated power


@pytest.mark.parametrize(
    ("full", "raw", "watts"),
    [
        (6000.0, 0, 0),
        (6000.0, 1000, 6000),
        (6000.0, 1100, 6600),
        (6000.0, 417, 2502),
        (3680.0, 417, 1535),
        (30000.0, 1, 30),
    ],
)
def test_permille_of_rated_power_converts_to_whole_watts_and_back(
    full: float, raw: int, watts: int
) -> None:
    """Thousandths of the rated power, in whole watts, and back."""
    codec = PermilleOfRated(full)
    assert codec.decode([raw]) == watts
    assert codec.encode(watts) == [raw]


def test_a_share_goes_to_the_nearest_step() -> None:
    """2500 W are 416.7 thousandths of 6000 W."""
    assert PermilleOfRated(6000).encode(2500) == [417]


@pytest.mark.parametrize("full", [1000.0, 3000.0, 3680.0, 6000.0, 12000.0, 30000.0])
def test_every_word_of_a_share_comes_back(full: float) -> None:
    """Rounding to whole watts loses no step."""
    codec = PermilleOfRated(full)
    for raw in range(1101):
        watts = codec.decode([raw])
        assert watts is not None
        assert codec.encode(watts) == [raw]


@pytest.mark.parametrize("value", ["100", True, -1, float("nan"), float("inf"), 1e9])
def test_a_share_of_nonsense_is_refused(value: float | str) -> None:
    """Not a number, or none that fits."""
    with pytest.raises(ValueError, match=r"does not fit|not a number"):
        PermilleOfRated(6000).encode(value)


def test_a_share_of_an_unknown_power_tells_nothing() -> None:
    """It is neither shown nor written."""
    assert PermilleOfRated().decode([1000]) is None
    assert PermilleOfRated(6000).decode([0xFFFF]) is None
    with pytest.raises(ValueError, match="unknown rated power"):
        PermilleOfRated().encode(100)


async def test_a_share_is_written_as_the_machine_holds_it() -> None:
    """Bounds are watts of this machine; the nearest step is written, read back and shown."""
    unit = FakeUnit({1: 6000, 5: 1100})
    family = replace(FAMILY, settle=0)
    device = Device(unit, family, known={"rated_power": 6000})
    assert device.limits("limit") == (0, pytest.approx(6600))
    await device.write("limit", 2500)
    assert unit.registers[5] == 417
    assert device.values["limit"] == 2502
    assert device.family.registers["limit"].codec == PermilleOfRated(6000)
    # The same power again is what the machine holds.
    sent = len(unit.writes)
    await device.write("limit", 2500)
    assert len(unit.writes) == sent


@pytest.mark.parametrize("told", [0, 5000])
async def test_a_rated_power_that_a_person_gave(told: int) -> None:
    """Whatever the machine tells later: limits and shares rest on it, and on the same number."""
    unit = FakeUnit({1: told, 5: 500})
    registers = {**FAMILY.registers}
    registers["rated_power"] = replace(registers["rated_power"], plausible=(1000, 60000))
    family = replace(FAMILY, registers=registers, settle=0)
    device = Device(unit, family, known={"rated_power": 6000})
    snapshot = await device.poll(["rated_power", "limit"])
    assert snapshot.values == {"rated_power": 6000, "limit": 3000}
    await device.discover()
    assert device.values["rated_power"] == 6000
    assert device.limits("limit") == (0, 6600)
    with pytest.raises(InvalidValueError, match="outside 0 to 6600"):
        await device.write("limit", 6700)
    assert await device.read(["rated_power"]) == {"rated_power": 6000}


def test_bits_are_no_numbers() -> None:
    """A bit field proves nothing about a threshold."""
    assert above(0, "flags").holds({"flags": Bits().decode([3])}) is False
