"""What the images decode to, and what becomes unknown."""

from __future__ import annotations

import pytest

from custom_components.hybrid_inverter.modbus.model.codec import WORD, Value
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

from .table_saj import ABSENT, OTHERS, T2, decode, fitted, image


@pytest.mark.parametrize(("key", "expected"), T2.items(), ids=T2)
def test_three_phase_image_decodes_to_the_values_worked_out_by_hand(
    key: str, expected: Value | None
) -> None:
    """Each value of the H2-10K-T2, and its type."""
    value = decode(fitted("h2_10k_t2"), image("h2_10k_t2"), key)
    assert value == expected
    assert type(value) is type(expected)


def test_every_value_is_expected() -> None:
    """Every value of the three-phase machine is among the expected ones."""
    family = fitted("h2_10k_t2")
    owed = family.registers.keys() | family.derived.keys()
    assert owed - T2.keys() == {"problem", "grid_connected"}
    assert T2.keys() <= owed
    assert len(T2) > 400


@pytest.mark.parametrize(
    ("model", "key", "expected"),
    [(model, key, value) for model, values in OTHERS.items() for key, value in values.items()],
)
def test_other_models_decode_their_values_and_lack_what_they_do_not_have(
    model: str, key: str, expected: Value | None
) -> None:
    """The values of the other models, and what they do not have."""
    family = fitted(model)
    if expected == ABSENT:
        assert key not in family.registers
        assert key not in family.derived
        return
    value = decode(family, image(model), key)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("raw", "direction", "power"),
    [
        (0x0FA0, 1, 4000),
        (0xF060, WORD, -4000),
        # A firmware that tells how much, and not which way.
        (0x0FA0, WORD, -4000),
        (0, 0, 0),
        (0, WORD, 0),
        # A few watts around a change of direction are as they are.
        (0xFFFB, 1, -5),
        (5, 0, 5),
        # A direction that is not known decides nothing.
        (0x0FA0, 7, 4000),
    ],
)
def test_sign_of_the_battery(raw: int, direction: int, power: int) -> None:
    """Out of the battery is positive, into it negative, at both places where the machine tells it."""
    words = {0x4096: direction, 0x40A6: raw, 0x406D: raw}
    assert decode(SAJ, words, "battery_power") == power
    assert decode(SAJ, words, "battery_power_dc") == power


@pytest.mark.parametrize(
    ("raw", "power"), [(0x0FA0, 4000), (0xF060, -4000), (0, 0), (0x7E00, 32256), (0xFFFF, -1)]
)
def test_sign_of_the_grid_on_one_phase(raw: int, power: int) -> None:
    """Bought is positive, sold negative; a single watt sold is no missing value."""
    assert decode(fitted("h2_6k_s2"), {0x40AD: raw}, "grid_power") == power


@pytest.mark.parametrize(
    ("raws", "power"),
    [
        ((1000, 2000, 3000), 6000),
        ((0xFC18, 0xF830, 0xF448), -6000),
        ((3000, 0xFC18, 0xFC18), 1000),
        ((0xF448, 1000, 1000), -1000),
        ((0xFFFF, 0, 1), 0),
    ],
)
def test_sign_of_the_grid_on_three_phases(raws: tuple[int, int, int], power: int) -> None:
    """It is the sum of the meter's phases, whatever way each of them goes."""
    words = dict(zip((0xA03F, 0xA045, 0xA04B), raws, strict=True))
    assert decode(fitted("hs3_8k_t2"), words, "grid_power") == power


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("grid_l1_voltage", 3001),
        ("grid_frequency", 6501),
        # Now and then all of the grid is 0 for one poll, while it is there.
        ("grid_l1_voltage", 0),
        ("grid_l1_voltage", 999),
        ("grid_frequency", 0),
        ("grid_frequency", 4499),
        ("battery_soc", 10001),
        ("battery_voltage", 10001),
        ("battery_temperature", 1501),
        ("heatsink_temperature", 0xFE0B),  # -501
        ("rated_power", 0),
        ("rated_power", 999),
        ("rated_power", 60001),
        ("battery_soc", WORD),
        ("load_energy_total", WORD),
        # The other word for what is not there.
        ("error_count", 0x7FFF),
        ("grid_connect_countdown", 0x7FFF),
        ("on_grid_discharge_floor", 0x7FFF),
    ],
)
def test_values_that_cannot_be_true(key: str, raw: int) -> None:
    """They become unknown, and no numbers."""
    row = SAJ.registers[key]
    assert row.decode(dict.fromkeys(row.addresses, raw)) is None


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("grid_l1_voltage", 1000, 100.0),
        ("grid_l1_voltage", 3000, 300.0),
        ("grid_frequency", 4500, 45.0),
        ("grid_frequency", 6000, 60.0),
        # They count on and on.
        ("fault_record_serial", 0x7FFF, 32767),
        ("setting_change_serial", 0x7FFF, 32767),
    ],
)
def test_values_that_may_be_true(key: str, raw: int, value: float) -> None:
    """The ends of what is believed, and numbers that look like none."""
    assert SAJ.registers[key].decode({SAJ.registers[key].addresses[0]: raw}) == value


@pytest.mark.parametrize(
    ("key", "address"),
    [("bms_discharge_current_limit", 0xA036), ("bms_charge_current_limit", 0xA037)],
)
@pytest.mark.parametrize(("raw", "amperes"), [(0, 0.0), (300, 30.0), (1000, 100.0), (3000, None)])
def test_no_battery_of_this_voltage_takes_more_than_100_a(
    key: str, address: int, raw: int, amperes: float | None
) -> None:
    """An HS2-10K-T2 reports 300 A where its maker's app shows 30."""
    row = THREE_PACKS.registers[key]
    assert row.decode({0xA000: 1, address: raw}) == amperes


THREE_PACKS = SAJ.fitted(
    {"battery_packs", "battery_1", "battery_2", "battery_3", "meter_a", "meter_a_three_phase"}
)
# Three packs, all in the mask, of which the first one is told of: 62 %, 98 %, 350 V, and 40 cycles.
ONE_OF_THREE = {
    **dict.fromkeys(range(0xA000, 0xA038), 0),
    0xA000: 3,
    0xA00B: 7,
    0xA00C: 6200,
    0xA00D: 9800,
    0xA00E: 3500,
    0xA011: 40,
}


def told_of_pack(pack: int, words: dict[int, int]) -> dict[str, Value | None]:
    """Return what these words tell of a pack."""
    rows = SAJ.features[[item.key for item in SAJ.features].index(f"battery_{pack}")].registers
    return {key.removeprefix(f"battery_{pack}_"): row.decode(words) for key, row in rows.items()}


@pytest.mark.parametrize("silence", [0, WORD])
@pytest.mark.parametrize("pack", [2, 3])
def test_a_pack_at_0_v_tells_nothing(pack: int, silence: int) -> None:
    """Not 0 %, 0 A, 0 degrees and no fault."""
    first = 0xA00C + 6 * (pack - 1)
    told = told_of_pack(pack, ONE_OF_THREE | dict.fromkeys(range(first, first + 6), silence))
    assert set(told) == {
        *("soc", "soh", "voltage", "current", "temperature", "cycles"),
        *("fault", "warning", "discharge_energy_total"),
    }
    assert set(told.values()) == {None}


def test_a_pack_with_a_voltage_tells_its_zeros() -> None:
    """No current, 0 degrees, no fault."""
    assert told_of_pack(1, ONE_OF_THREE) == {
        "soc": 62.0,
        "soh": 98.0,
        "voltage": 350.0,
        "current": 0.0,
        "temperature": 0.0,
        "cycles": 40,
        "fault": frozenset(),
        "warning": frozenset(),
        "discharge_energy_total": 0,
    }


def test_a_fault_of_a_pack_at_0_v_is_told() -> None:
    """What takes its voltage away."""
    told = told_of_pack(2, ONE_OF_THREE | {0xA004: 0x0004})
    assert (told["fault"], told["warning"]) == (frozenset({2}), None)


def test_a_stack_that_is_not_heard_tells_nothing() -> None:
    """Read as numbers, its zeros are a battery that may not be charged."""
    words = dict.fromkeys(range(0xA000, 0xA038), 0)
    for key in (
        *("battery_count", "battery_capacity", "battery_usable_capacity", "battery_online"),
        *("bms_charge_current_limit", "bms_discharge_current_limit", "bms_charge_voltage"),
    ):
        assert decode(THREE_PACKS, words, key) is None, key
    # It is heard, and stops the charge.
    assert decode(THREE_PACKS, words | {0xA000: 1}, "bms_charge_current_limit") == 0


@pytest.mark.parametrize(
    ("voltage", "soc", "temperature", "expected"),
    [
        (0, 0, 0, (None, None, 0)),
        (WORD, WORD, WORD, (None, None, 0)),
        (4003, 0, 0, (0.0, 0.0, 0)),
        (4003, 5000, 0xFFF6, (50.0, -1.0, 0)),
    ],
)
def test_a_battery_that_is_not_there(
    voltage: int, soc: int, temperature: int, expected: tuple[float | None, ...]
) -> None:
    """It is neither empty nor freezing; that no power flows is true."""
    words = {0x4069: voltage, 0x406F: soc, 0x406E: temperature, 0x40A6: 0, 0x4096: 0}
    assert (
        decode(SAJ, words, "battery_soc"),
        decode(SAJ, words, "battery_temperature"),
        decode(SAJ, words, "battery_power"),
    ) == expected


@pytest.mark.parametrize(
    ("status", "voltages", "powers", "expected"),
    [
        # Not heard: 0 W would be believed.
        (0, (0, 0, 0), (0, 0, 0), None),
        # Heard during an outage: there is no voltage, and nothing flows.
        (1, (0, 0, 0), (0, 0, 0), 0),
        # A firmware that does not tell its status.
        (0, (2300, 2300, 2300), (0, 0, 0), 0),
        (0, (2300, 2300, 0), (100, 0, 0), 100),
    ],
)
def test_a_meter_that_is_not_heard_tells_nothing(
    status: int,
    voltages: tuple[int, int, int],
    powers: tuple[int, int, int],
    expected: int | None,
) -> None:
    """Its power is the sum of what its phases tell."""
    words = {0xA03C: status}
    words |= dict(zip((0xA03D, 0xA043, 0xA049), voltages, strict=True))
    words |= dict(zip((0xA03F, 0xA045, 0xA04B), powers, strict=True))
    assert decode(THREE_PACKS, words, "meter_a_power") == expected
