"""Which registers there are, how they are read, and which are written."""

from __future__ import annotations

from itertools import combinations
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.model.codec import Bits, Choice
from custom_components.hybrid_inverter.modbus.model.register import Group, Register, Tier
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

from .table_saj import FEATURES, RATED, SEVEN, fitted, unit_of

SLOT_KEYS: Final = {
    address: keys
    for kind, mask, first in (("charge", 0x3604, 0x3606), ("discharge", 0x3605, 0x361B))
    for address, keys in (
        (mask, {f"{kind}_slot_{slot}_enabled" for slot in SEVEN}),
        *((first + 3 * slot - 3, {f"{kind}_slot_{slot}_start"}) for slot in SEVEN),
        *((first + 3 * slot - 2, {f"{kind}_slot_{slot}_end"}) for slot in SEVEN),
        *(
            (first + 3 * slot - 1, {f"{kind}_slot_{slot}_days", f"{kind}_slot_{slot}_power"})
            for slot in SEVEN
        ),
    )
}

# Every register that may be written at all, and as what. It is to be changed together with the table, on purpose.
WRITABLE: Final = SLOT_KEYS | {
    0x3632: {"buzzer"},
    0x3636: {"passive_action"},
    0x3637: {"passive_grid_charge_power"},
    0x3638: {"passive_grid_discharge_power"},
    0x3639: {"passive_battery_charge_power"},
    0x363A: {"passive_battery_discharge_power"},
    0x3644: {"on_grid_discharge_floor"},
    0x3645: {"off_grid_discharge_floor"},
    0x3646: {"charge_upper_limit"},
    0x3647: {"work_mode"},
    0x364D: {"battery_charge_power_limit"},
    0x364E: {"battery_discharge_power_limit"},
    0x364F: {"grid_charge_power_limit"},
    0x3650: {"grid_discharge_power_limit"},
    0x3651: {"backup_reserve_soc"},
    0x365A: {"export_limit_power"},
    0x365B: {"export_limit_current"},
    0x365C: {"export_limit_mode"},
    0x365F: {"tou_outside_mode"},
    0x3660: {"tou_export_from_battery"},
}


def test_writable_rows_are_the_allowed_ones() -> None:
    """Nothing else may be written, and all of it in the everyday tier."""
    writable: dict[int, set[str]] = {}
    for row in SAJ.every_row():
        if row.writable:
            assert row.tier is Tier.EVERYDAY
            (address,) = row.addresses
            writable.setdefault(address, set()).add(row.key)
    assert writable == WRITABLE


def test_slots_have_the_documented_writable_addresses() -> None:
    """The slots are where the document has them, the last words of both kinds included."""
    assert SLOT_KEYS[0x3618] == {"charge_slot_7_start"}
    assert SLOT_KEYS[0x361A] == {"charge_slot_7_days", "charge_slot_7_power"}
    assert SLOT_KEYS[0x362F] == {"discharge_slot_7_days", "discharge_slot_7_power"}
    assert len(SLOT_KEYS) == 44


EVERYTHING: Final = frozenset(feature.key for feature in SAJ.features)

# What no machine has together: inputs, and none.
SETS: Final = [
    frozenset[str](),
    EVERYTHING - {"ac_coupled"},
    EVERYTHING - {"pv", "pv3", "pv4", "string_energies", "pv3_energies"},
    *FEATURES.values(),
]


@pytest.mark.parametrize("features", SETS)
def test_fitted_tables_are_whole(features: frozenset[str]) -> None:
    """Every value has its inputs and its bounds, and stands either in the rows or among the computed ones."""
    family = SAJ.fitted(features, {"rated_power": 6000})
    assert not family.registers.keys() & family.derived.keys()
    for value in family.derived.values():
        assert set(value.inputs) <= family.registers.keys(), value.key
    for residue in family.residues:
        assert residue.key in family.registers
    for key in family.identity:
        assert key in family.registers


@pytest.mark.parametrize("features", SETS)
def test_places_are_taken_once(features: frozenset[str]) -> None:
    """Two rows share a word only where each has bits of its own."""
    taken: dict[int, list[Register]] = {}
    for row in SAJ.fitted(features, {"rated_power": 6000}).registers.values():
        if row.key == "grid_import_energy_all_total":
            continue
        for address in row.addresses:
            taken.setdefault(address, []).append(row)
    for address, rows in taken.items():
        for one, other in combinations(rows, 2):
            assert one.mask is not None, hex(address)
            assert other.mask is not None, hex(address)
            assert not one.mask & other.mask, hex(address)


def test_every_row_can_be_read() -> None:
    """It lies in one of the blocks that are read in one go, and is no larger than a careful read."""
    for row in SAJ.every_row():
        for first, last in row.spans:
            assert any(low <= first and last <= high for low, high in SAJ.readable), row.key
            assert last - first < 30, row.key


def test_no_block_runs_across_what_some_machines_refuse() -> None:
    """The words at 0x4087, between the counters, and from 0x4137 up."""
    for low, high in SAJ.readable:
        for border in (0x4087, 0x40FF, 0x4137, 0x4155, 0x4167):
            assert not low < border <= high, hex(border)
    assert all(high < 0x8015 or low >= 0x8E00 for low, high in SAJ.readable)


def test_no_factory_command_is_in_the_table() -> None:
    """They can be written, and are not to be read."""
    addresses = {address for row in SAJ.every_row() for address in row.addresses}
    assert not addresses & set(range(0x8000, 0x8E00))


# By default shown, of what is polled by the second.
POWERS: Final = frozenset(
    {
        "status",
        "fault",
        "problem",
        "grid_connected",
        "pv_power",
        "pv1_power",
        "pv2_power",
        "battery_soc",
        "battery_power",
        "battery_voltage",
        "battery_current",
        "battery_temperature",
        "grid_power",
        "grid_l1_power",
        "grid_l2_power",
        "grid_l3_power",
        "load_power",
        "backup_power",
        "inverter_power",
        "meter_a_power",
        "meter_a_status",
        "meter_b_power",
        "meter_b_status",
    }
)


@pytest.mark.parametrize("key", ["status", "fault", "problem", "grid_connected"])
def test_state_and_fault_codes_are_polled_together_with_and_without_a_meter(key: str) -> None:
    """They lie side by side, from 0x4004 to 0x400A."""
    for model in ("h2_6k_s2", "hs2_6k_s2", "h2_10k_t2"):
        assert fitted(model).group_of(key) is Group.FAULTS
    assert SAJ.fitted({"meter_b"}, {"rated_power": 6000}).group_of(key) is Group.FAULTS


@pytest.mark.parametrize("model", FEATURES)
async def test_powers_take_three_requests(model: str) -> None:
    """The fast group of a new machine, none of them longer than 56 words."""
    unit = unit_of(model)
    family = fitted(model)
    keys = {
        key
        for key in POWERS & (family.registers.keys() | family.derived.keys())
        if family.group_of(key) is Group.POWER
    }
    device = Device(unit, SAJ, known={"rated_power": RATED[model]}, features=FEATURES[model])
    snapshot = await device.poll(keys)
    assert not snapshot.failed
    assert len(unit.reads) <= 3
    assert all(count <= 56 for _, count in unit.reads)


@pytest.mark.parametrize("model", FEATURES)
@pytest.mark.parametrize("group", Group)
async def test_groups_can_be_polled(model: str, group: Group) -> None:
    """Everything of a group at once, and what is refused takes nothing else along."""
    unit = unit_of(model)
    device = Device(unit, SAJ, known={"rated_power": RATED[model]}, features=FEATURES[model])
    keys = {
        key
        for key in device.family.registers.keys() | device.family.derived.keys()
        if device.family.group_of(key) is group
    }
    snapshot = await device.poll(keys)
    assert not snapshot.failed
    again = len(unit.requests)
    await device.poll(keys)
    assert len(unit.requests) - again < 25


@pytest.mark.parametrize("row", SAJ.every_row(), ids=lambda row: row.key)
def test_rows_are_in_the_house_style(row: Register) -> None:
    """Keys are snake case, choices and flags have names, and what a row rests on is said."""
    assert row.key == row.key.lower()
    assert row.source
    assert row.confidence in {"high", "medium"}
    if isinstance(row.codec, Choice):
        assert row.codec.meanings
    if isinstance(row.codec, Bits) and row.mask is None:
        assert row.labels


def test_link_profile_matches_the_transport_facts() -> None:
    """What the transport section of the facts says."""
    assert (SAJ.max_read, SAJ.fallback_read_length, SAJ.max_write, SAJ.single_write) == (
        56,
        30,
        1,
        True,
    )
    assert (SAJ.spacing, SAJ.settle, SAJ.write_spacing, SAJ.recovery) == (0.2, 0.3, 1.0, 12.0)
    assert SAJ.write_retry == {6, 51}
    assert SAJ.baudrate == 115200
