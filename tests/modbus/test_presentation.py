"""How a key and a name are made of what a row says, without Home Assistant."""

import pytest

from custom_components.hybrid_inverter.modbus.model.part import Part
from custom_components.hybrid_inverter.modbus.model.presentation import (
    Name,
    Named,
    named,
    numbered,
    of_phase,
)
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.jso.page import JsoPage
from custom_components.hybrid_inverter.modbus.tables.saj.page import SajPage

BATTERY = JsoPage(Group.SETTINGS, Part.BATTERY, "manual 5.6 Battery setup")


@pytest.mark.parametrize(
    ("found", "key", "name", "number"),
    [
        (numbered("tou_slot_{}_power", 3), "tou_slot_3_power", "tou_slot_power", "3"),
        (numbered("lvrt{}_level", 2), "lvrt2_level", "lvrt_level", "2"),
        (numbered("volt_var_q{}", 4), "volt_var_q4", "volt_var_q", "4"),
        (
            numbered("insulation_resistance_{}", 1),
            "insulation_resistance_1",
            "insulation_resistance",
            "1",
        ),
        (numbered("battery_{}_soc", 2, "pack"), "battery_2_soc", "battery_pack_soc", "2"),
        (numbered("pv{}_power", 12, "_string"), "pv12_power", "pv_string_power", "12"),
    ],
)
def test_values_that_differ_in_a_number_share_a_name(
    found: Named, key: str, name: str, number: str
) -> None:
    """The name has no number, or a word in its place; the number is put into its text."""
    assert found == Named(key, Name(name, {"number": number}))


def test_the_phases_share_a_name() -> None:
    """The phase is put into its text as a person writes it."""
    assert of_phase("grid_{}_power", "l2") == Named(
        "grid_l2_power", Name("grid_phase_power", {"phase": "L2"})
    )


def test_a_key_that_shares_no_name_is_its_own_name() -> None:
    """As most are."""
    assert named("battery_soc") == Named("battery_soc", Name("battery_soc", {}))


def test_a_row_belongs_to_the_part_of_its_page_unless_it_says_another() -> None:
    """None makes it a value that nobody sees."""
    assert BATTERY.u16("battery_capacity", 102).part is Part.BATTERY
    assert BATTERY.u16("generator_down_time", 122, part=Part.GENERATOR).part is Part.GENERATOR
    assert BATTERY.u16("spare", 103, part=None).part is None
    assert BATTERY.of(Part.GRID).u16("grid_charge_current", 128).part is Part.GRID


def test_a_numbered_row_has_its_key_and_its_name() -> None:
    """And a row is not shown at first unless it says so."""
    row = BATTERY.u16(numbered("tou_slot_{}_power", 6), 159, "W")
    assert (row.key, row.name, row.shown) == (
        "tou_slot_6_power",
        Name("tou_slot_power", {"number": "6"}),
        False,
    )


def test_of_four_counters_those_of_today_and_of_all_time_are_shown() -> None:
    """Where the page asks for it; the month and the year wait to be enabled."""
    page = SajPage(Group.ENERGY, Part.GRID)
    rows = page.counters(of_phase("grid_import_{}_energy", "l3"), 0x415F, shown=True)
    assert [(row.key, row.addresses, row.shown) for row in rows] == [
        ("grid_import_l3_energy_today", (0x415F, 0x4160), True),
        ("grid_import_l3_energy_month", (0x4161, 0x4162), False),
        ("grid_import_l3_energy_year", (0x4163, 0x4164), False),
        ("grid_import_l3_energy_total", (0x4165, 0x4166), True),
    ]
    assert rows[1].name == Name("grid_import_phase_energy_month", {"phase": "L3"})
    assert not any(row.shown for row in page.counters("inverter_energy", 0x40D7))


def test_counters_that_change_places_keep_their_names() -> None:
    """What an inverted meter counts as import lies where another one counts its export."""
    family = FAMILIES["ddsu666"].fitted({"counter_block", "import_tariffs", "export_tariffs"})
    turned = family.inverted()
    row = turned.registers["import_energy_t2_total"]
    assert row.addresses == family.registers["export_energy_t2_total"].addresses
    assert row.name == Name("import_energy_tariff_total", {"number": "2"})
