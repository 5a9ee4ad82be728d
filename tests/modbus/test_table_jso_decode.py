"""What the image decodes to, and what becomes unknown."""

from __future__ import annotations

from datetime import time
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .table_jso import EXPECTED, EXPECTED_PACKS, IMAGE, read


@pytest.mark.parametrize(
    ("key", "expected"),
    [*EXPECTED.items(), *EXPECTED_PACKS.items()],
    ids=[*EXPECTED, *EXPECTED_PACKS],
)
def test_every_row_decodes_the_image_to_the_value_worked_out_by_hand(
    key: str, expected: Value | None
) -> None:
    """Every row decodes the image to the value worked out by hand, of the same type."""
    value = read(key)
    assert value == expected
    assert type(value) is type(expected)


def test_every_row_has_an_expected_value() -> None:
    """No row is left out of the image."""
    assert set(EXPECTED) == set(JSO.registers)
    two = JSO.fitted({"packs", "pack_1", "pack_2"})
    assert set(EXPECTED_PACKS) == two.registers.keys() - JSO.registers.keys()


def test_image_obeys_the_identities_checked_on_real_inverters() -> None:
    """The image obeys what was checked on real machines, so a swapped address shows."""
    values = {key: row.decode(IMAGE) for key, row in JSO.registers.items()}

    def number(key: str) -> float:
        value = values[key]
        assert isinstance(value, (int, float))
        return value

    for phase in ("l1", "l2", "l3"):
        inverter = number(f"inverter_{phase}_power")
        assert number(f"backup_{phase}_power") == (
            number(f"grid_{phase}_internal_power") + inverter
        )
        assert number(f"load_{phase}_power") == number(f"grid_{phase}_ct_power") + inverter
        assert number(f"grid_{phase}_power") == number(f"grid_{phase}_ct_power")
    for total, part in (
        ("grid_power", "grid_{}_power"),
        ("grid_ct_power", "grid_{}_ct_power"),
        ("grid_internal_power", "grid_{}_internal_power"),
        ("inverter_power", "inverter_{}_power"),
        ("backup_power", "backup_{}_power"),
        ("load_power", "load_{}_power"),
        ("generator_power", "generator_{}_power"),
    ):
        assert number(total) == sum(number(part.format(f"l{phase}")) for phase in (1, 2, 3))
    assert number("battery_power") == pytest.approx(
        number("battery_voltage") * number("battery_current"), abs=1
    )
    for string in ("pv1", "pv2"):
        assert number(f"{string}_power") == pytest.approx(
            number(f"{string}_voltage") * number(f"{string}_current"), abs=1
        )


def test_strings_add_up_and_a_fault_but_no_outage_is_a_problem() -> None:
    """The strings that are there add up; a fault is a problem, an outage is none."""
    assert set(JSO.derived) == {"pv_power", "problem"}
    pv_power, problem = JSO.derived["pv_power"], JSO.derived["problem"]
    assert pv_power.inputs == ("pv1_power", "pv2_power", "pv3_power", "pv4_power")
    assert pv_power.unit == "W"
    assert pv_power.compute({key: read(key) for key in pv_power.inputs}) == 5610
    assert pv_power.compute(dict.fromkeys(pv_power.inputs)) is None
    assert problem.inputs == ("fault",)
    assert problem.compute({"fault": read("fault")}) is True
    assert problem.compute({"fault": read("fault", {555: 0})}) is False
    assert problem.compute({"fault": read("fault", {555: 0, 557: 0x0004})}) is False
    assert problem.compute({"fault": read("fault", {555: 0, 557: 0x0006})}) is True
    assert problem.compute({"fault": None}) is None
    assert JSO.group_of("pv_power") is Group.POWER
    assert JSO.group_of("problem") is Group.FAULTS
    assert JSO.group_of("battery_low_soc") is Group.SETTINGS


# The low words of the powers, each with the high word that must not count.
HIGH_WORDS: Final = {
    "grid_l1_internal_power": (604, 700),
    "grid_l2_internal_power": (605, 701),
    "grid_l3_internal_power": (606, 702),
    "grid_internal_power": (607, 703),
    "grid_l1_ct_power": (616, 705),
    "grid_l2_ct_power": (617, 706),
    "grid_l3_ct_power": (618, 707),
    "grid_ct_power": (619, 708),
    "grid_l1_power": (622, 687),
    "grid_l2_power": (623, 688),
    "grid_l3_power": (624, 689),
    "grid_power": (625, 690),
    "inverter_l1_power": (633, 691),
    "inverter_l2_power": (634, 692),
    "inverter_l3_power": (635, 693),
    "inverter_power": (636, 694),
    "inverter_apparent_power": (637, 695),
    "backup_l1_power": (640, 696),
    "backup_l2_power": (641, 697),
    "backup_l3_power": (642, 698),
    "backup_power": (643, 699),
    "load_l1_power": (650, 656),
    "load_l2_power": (651, 657),
    "load_l3_power": (652, 658),
    "load_power": (653, 659),
    "generator_l1_power": (664, 668),
    "generator_l2_power": (665, 669),
    "generator_l3_power": (666, 670),
    "generator_power": (667, 671),
}


@pytest.mark.parametrize(("key", "low", "high"), [(key, *at) for key, at in HIGH_WORDS.items()])
def test_powers_are_the_low_word_alone(key: str, low: int, high: int) -> None:
    """Near zero the high word lags behind: the two combined would read 65 kW."""
    for stale in (0, 1, 0xFFFF):
        assert read(key, {low: 65533, high: stale}) == -3
        assert read(key, {low: 3, high: stale}) == 3
        assert read(key, {low: 12000, high: stale}) == 12000
        assert read(key, {low: 57536, high: stale}) == -8000


@pytest.mark.parametrize(
    ("key", "total"),
    [
        ("grid_internal_power", 607),
        ("grid_ct_power", 619),
        ("grid_power", 625),
        ("backup_power", 643),
        ("load_power", 653),
    ],
)
@pytest.mark.parametrize(
    ("word", "phases", "power"),
    [
        # Three times 50 A: 34200 is -31336 in a signed word, and -34200 is 31336.
        (34200, (11400, 11400, 11400), 34200),
        (31336, (54136, 54136, 54136), -34200),
        (300, (100, 100, 100), 300),
        (65236, (65436, 65436, 65436), -300),
        # Phases that cannot be true, that do not add up, and none.
        (300, (32767, 32767, 100), 300),
        (65436, (11000, 11000, 11000), -100),
        (300, (), 300),
    ],
)
def test_a_total_is_more_than_a_signed_word_holds(
    key: str, total: int, word: int, phases: tuple[int, ...], power: int
) -> None:
    """What goes through to the house may be 34.5 kW: its phases say which way it is."""
    words = {total: word, **dict(zip(range(total - 3, total), phases, strict=False))}
    assert JSO.registers[key].decode(words) == power


@pytest.mark.parametrize(
    ("key", "words", "expected", "wrong"),
    [
        ("zero_export_power", {104: 65476}, -60, "unsigned: 65476"),
        ("zero_export_power", {104: 0xFFFF}, -1, "not available"),
        ("zero_export_power", {104: 65515}, -21, "unsigned: 65515"),
        ("tempco", {107: 0xFFFF}, None, "-1: of the other settings it means 'not available'"),
        ("bms_current", {216: 65488}, -48, "a hundredth: -0.48"),
        ("bms_current", {216: 0xFFFF}, -1, "not available, beside 52.3 V"),
        ("bms_current", {215: 0xFFFF, 216: 0xFFFF}, None, "-1, beside no voltage"),
        ("grid_charge_enabled", {130: 0x0101}, True, "unknown"),
        ("grid_charge_enabled", {130: 0x0100}, False, "the whole word: on"),
        ("grid_charge_enabled", {130: 0xFFFF}, None, "its low bit: on"),
        ("generator_charge_enabled", {129: 0x0101}, True, "unknown"),
        ("on_grid_always_on", {178: 0x2A2A}, False, "the pair 00 leaves it as it is: unknown"),
        ("on_grid_always_on", {178: 0x2A6A}, None, "the pair 01 says nothing"),
        ("beep", {228: 0x00A0}, False, "the pair 00: unknown"),
        ("drm_enabled", {178: 0}, False, "the pair 00: unknown"),
        ("drm_enabled", {178: 0xFFFF}, None, "the pair 11: on"),
        ("grid_power_factor", {621: 982}, 0.982, ""),
        ("grid_power_factor", {621: 64586}, -0.95, "unsigned: 64.586"),
        ("grid_power_factor", {621: 2000}, None, "more than 1"),
        ("force_off_grid", {179: 1}, True, ""),
        ("force_off_grid", {179: 0xFFFF}, None, "its low bit: on"),
        ("generator_charge_start_soc", {124: 90}, 90, "a hundredth: 0.9"),
        ("battery_empty_voltage", {103: 4500}, 45.0, "a tenth: 450"),
        ("equalization_time", {106: 20}, 10.0, "plain hours: 20"),
        ("rated_power", {20: 14464, 21: 1}, 8000.0, "high word first: 94790451.3"),
        ("rated_power", {20: 54464, 21: 1}, 12000.0, "the low word alone: 5446.4"),
        ("pv_energy_total", {534: 0, 535: 1}, 6553.6, "high word first: 0.1"),
        ("tou_slot_2_time", {149: 530}, time(5, 30), "minutes of the day: 08:50"),
        ("heatsink_temperature", {541: 980}, -2.0, "without the offset: 98"),
        ("main_firmware", {14: 1, 15: 2, 11: 3}, "0001-0002-0003", "in order of address"),
        ("status", {500: 0}, "standby", ""),
        ("status", {500: 1}, "self_check", ""),
        ("status", {500: 3}, "alarm", ""),
        ("status", {500: 4}, "fault", ""),
        ("status", {500: 5}, "activating", ""),
        ("work_mode", {142: 0}, "selling_first", ""),
        ("work_mode", {142: 1}, "zero_export_to_load", ""),
        ("energy_pattern", {141: 0}, "battery_first", ""),
        ("energy_pattern", {141: 1}, "load_first", ""),
        ("energy_pattern", {141: 2}, "battery_first", "the pair 10"),
        ("energy_pattern", {141: 0xFF02}, "battery_first", "other fields"),
        ("generator_port_mode", {133: 0}, "generator_input", ""),
        ("generator_port_mode", {133: 2}, "micro_inverter_input", ""),
        ("device_type", {0: 0x0500}, 1280, ""),
        ("grid_peak_shaving", {178: 0x0030}, True, "the pair 11"),
        ("grid_peak_shaving", {178: 0x0020}, False, "the pair 10"),
        ("grid_peak_shaving", {178: 0x0010}, None, "the pair 01 means no action"),
        ("battery_soh", {224: 98}, 98, ""),
        ("grid_frequency", {609: 0}, 0.0, "no grid is not unknown"),
        ("relay_dry_contact_1", {552: 0x0080}, True, "bit 5 in an old text"),
        ("relay_dry_contact_2", {552: 0x0100}, True, "bit 6 in an old text"),
        ("tou_monday", {146: 0x0002}, True, "bit 7 in one project"),
        ("tou_sunday", {146: 0x0080}, True, "bit 1 in one project"),
    ],
)
def test_readings_that_others_get_wrong(
    key: str, words: dict[int, int], expected: Value | None, wrong: str
) -> None:
    """Where sources disagree, the reading that the facts hold for right (the wrong one is named)."""
    assert read(key, words) == expected, wrong


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("battery_soc", {588: 0xFFFF}),
        ("battery_soc", {588: 101}),
        ("bms_soc", {214: 200}),
        ("battery_voltage", {587: 0xFFFF}),
        ("battery_voltage", {587: 10001}),
        ("grid_l1_voltage", {598: 5001}),
        ("grid_frequency", {609: 7001}),
        ("pv1_voltage", {676: 10001}),
        ("battery_temperature", {586: 0}),
        ("battery_temperature", {586: 499}),
        ("heatsink_temperature", {541: 2501}),
        ("bms_temperature", {217: 0}),
        ("battery_2_temperature", {596: 0xFFFF}),
        ("rated_power", {20: 0xFFFF, 21: 0xFFFF}),
        ("mppt_count", {22: 0xFFFF}),
        ("phase_count", {22: 0xFFFF}),
        ("serial_number", dict.fromkeys(range(3, 8), 0)),
        ("serial_number", dict.fromkeys(range(3, 8), 0xFFFF)),
        ("system_time", {62: 0x1306}),  # 2019: the clock lost its power
        ("system_time", {62: 0x1A0D}),  # month 13
        ("tou_slot_1_time", {148: 2401}),
        ("tou_slot_1_time", {148: 2575}),
        ("tou_slot_1_time", {148: 1260}),
        ("tou_slot_1_time", {148: 0xFFFF}),
        ("status", {500: 6}),
        ("work_mode", {142: 3}),
        ("work_mode", {142: 0xFFFF}),
        ("tou_enabled", {146: 0xFFFF}),
        ("on_grid_always_on", {178: 0xFFFF}),
        ("solar_sell", {145: 2}),
        ("fault", dict.fromkeys(range(555, 559), 0xFFFF)),
        ("warning", {553: 0xFFFF, 554: 0xFFFF}),
        ("bms_alarm", {220: 0xFFFF}),
        ("pack_count", {10002: 0xFFFF}),
        ("pack_count", {10002: 65}),
        # A pack of 48 V, in tenths of a volt.
        ("pack_1_voltage", {10040: 523}),
        ("pack_1_voltage", {10040: 6501}),
        ("pack_1_voltage", {10040: 3999}),
        ("pack_1_current", {10041: 3001}),
        ("pack_1_current", {10041: 62535}),  # -300.1 A
        ("pack_1_temperature", {10042: 0}),
        ("pack_1_temperature", {10042: 599}),  # below -40 °C: 25.0 °C without the offset is
        ("pack_1_temperature", {10042: 250}),
        ("pack_1_cell_temperature_max", {10043: 2001}),
        ("pack_1_cell_temperature_min", {10044: 25}),
        ("pack_1_soc", {10047: 1001}),
        ("pack_1_soh", {10048: 99}),
        ("pack_1_total_capacity", {10050: 399}),
        ("pack_1_total_capacity", {10050: 6001}),
        ("pack_1_cell_voltage_max", {10054: 4001}),
        ("pack_1_cell_voltage_min", {10055: 1999}),
        ("pack_1_cycles", {10056: 20001}),
        ("pack_1_serial", dict.fromkeys(range(10032, 10040), 0)),
    ],
)
def test_what_is_not_there_is_unknown(key: str, words: dict[int, int]) -> None:
    """Sentinels, codes without a meaning and impossible values are None, never a number."""
    assert read(key, words) is None


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ({555: 0x0001}, {"F01"}),
        ({555: 0x1080}, {"F08", "F13"}),
        ({555: 0x8000}, {"F16"}),
        ({556: 0x0001}, {"F17"}),
        ({556: 0x02C0}, {"F23", "F24", "F26"}),
        ({557: 0x0006}, {"F34", "F35"}),
        ({557: 0xC200}, {"F42", "F47", "F48"}),
        ({558: 0x0280}, {"F56", "F58"}),
        ({558: 0xC000}, {"F63", "F64"}),
        ({555: 0x0001, 558: 0x8000}, {"F01", "F64"}),
    ],
)
def test_fault_bit_n_is_code_f_n_plus_1(words: dict[int, int], codes: set[str]) -> None:
    """Bit n, counted from register 555 bit 0, is fault F(n+1)."""
    row = JSO.registers["fault"]
    bits = read("fault", {555: 0, 556: 0, 557: 0, 558: 0} | words)
    assert isinstance(bits, frozenset)
    assert {row.labels[bit] for bit in bits} == codes
    assert len(row.labels) == 64


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({553: 0x0002}, "W02"),
        ({553: 0x0004}, "W03"),
        ({553: 0x0008}, "W04"),
        ({554: 0x4000}, "W31"),
        ({554: 0x8000}, "W32"),
        # Not documented.
        ({553: 0x0001}, "W01"),
        ({554: 0x0001}, "W17"),
    ],
)
def test_warning_bit_n_is_code_w_n_plus_1_even_if_unknown(words: dict[int, int], code: str) -> None:
    """Bit n, counted from register 553 bit 0, is warning W(n+1), whether or not anybody knows what it means."""
    row = JSO.registers["warning"]
    bits = read("warning", {553: 0, 554: 0} | words)
    assert isinstance(bits, frozenset)
    assert [row.labels[bit] for bit in bits] == [code]
    assert len(row.labels) == 32


def test_fault_rules_follow_the_manuals_table() -> None:
    """The manual's table: 19 codes, of which F35 is an outage; F13 and F29 go away by themselves."""
    rules = JSO.faults
    assert rules is not None
    assert " ".join(sorted(rules.remedies)) == (
        "F08 F13 F18 F20 F22 F23 F24 F26 F29 F34 F41 F42 F47 F48 F56 F58 F63 F64"
    )
    assert (rules.fields, rules.no_grid, rules.grid) == (
        ("fault", "warning"),
        {"F35"},
        "grid_connected",
    )
    assert rules.lasting_after == {"F13": 60, "F29": 60}
    assert JSO.registers["fault"].labels[34] == "F35"


@pytest.mark.parametrize(
    ("silent", "keys"),
    [
        # No second battery.
        (range(589, 597), ("battery_2_soc", "battery_2_voltage", "battery_2_current")),
        (range(589, 597), ("battery_2_power", "battery_2_temperature")),
        # No battery at all.
        (range(586, 589), ("battery_soc", "battery_temperature")),
        # A battery without a management system.
        (range(210, 220), ("bms_soc", "bms_voltage", "bms_current", "bms_temperature")),
        (range(210, 220), ("bms_charge_voltage", "bms_charge_current_limit")),
        (range(210, 220), ("bms_max_charge_current", "bms_discharge_current_limit")),
        # A pack that its controller does not hear.
        (range(10032, 10070), ("pack_1_voltage", "pack_1_current", "pack_1_soc")),
        (range(10032, 10070), ("pack_1_cycles", "pack_1_temperature", "pack_1_serial")),
    ],
)
@pytest.mark.parametrize("word", [0, 0xFFFF])
def test_what_is_not_there_tells_nothing(silent: range, keys: tuple[str, ...], word: int) -> None:
    """Not 0 %, 0 A, or a battery that may not be charged."""
    words = dict.fromkeys(silent, word)
    assert {read(key, words) for key in keys} == {None}


def test_what_is_there_tells_its_zeros() -> None:
    """An empty battery, and one that takes no more."""
    assert read("battery_soc", {588: 0}) == 0
    assert read("battery_2_power", {593: 5230}) == 0
    assert read("bms_charge_current_limit", {212: 0}) == 0
    assert read("pack_1_current", {10041: 0}) == 0
    # No power flows from a battery that is not there.
    assert read("battery_power", {587: 0, 590: 0}) == 0
