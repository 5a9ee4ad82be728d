"""Which registers there are, and which are never written."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise

import pytest

from custom_components.hybrid_inverter.modbus.model.register import Group, Tier
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .table_jso import (
    EVERYDAY,
    EXPECTED_PACKS,
    IMAGE,
    INSTALLER,
    NEVER_WRITTEN,
    PACK_STARTS,
    PLAIN_ROWS,
    ROWS,
    SHARED,
    WRITABLE,
)


@pytest.mark.parametrize(("number", "start"), PACK_STARTS.items())
def test_each_pack_has_the_rows_of_the_first_one_a_stride_further_on(
    number: int, start: int
) -> None:
    """A pack serves what the first one does, a whole number of strides further on."""
    feature = next(item for item in JSO.features if item.key == f"pack_{number}")
    shift = {address: IMAGE[address - start + 10032] for address in range(start, start + 25)}
    shown = {
        key.replace(f"pack_{number}_", "pack_1_"): row.decode(shift)
        for key, row in feature.registers.items()
    }
    assert shown == {
        key: value for key, value in EXPECTED_PACKS.items() if key.startswith("pack_1_")
    }


def test_packs_are_read_apart() -> None:
    """A range of their own for how many there are, and for each pack its 38 registers."""
    ranges = [(low, high) for low, high in JSO.readable if high >= 709]
    assert ranges == [
        (10000, 10002),
        *((start, start + 37) for start in PACK_STARTS.values()),
    ]


def test_rows_are_counted_by_group_and_tier() -> None:
    """How many rows there are, by group and by tier."""
    assert len(PLAIN_ROWS) == 412
    assert Counter(row.group for row in PLAIN_ROWS) == {
        Group.POWER: 78,
        Group.FAULTS: 8,
        Group.ENERGY: 42,
        Group.SETTINGS: 266,
        Group.IDENTITY: 18,
    }
    assert Counter(row.tier for row in PLAIN_ROWS) == {
        None: 296,
        Tier.EVERYDAY: 78,
        Tier.INSTALLER: 38,
    }
    assert Counter(row.confidence for row in PLAIN_ROWS) == {"high": 215, "medium": 174, "low": 23}
    # The switch that only some machines have; two of all packs, and of each of eight its serial number and eleven values.
    added = [row for row in ROWS if row not in PLAIN_ROWS]
    assert len(added) == 99
    assert Counter(row.group for row in added) == {
        Group.ENERGY: 88,
        Group.IDENTITY: 10,
        Group.SETTINGS: 1,
    }
    assert Counter(row.tier for row in added) == {None: 98, Tier.INSTALLER: 1}
    assert Counter(row.confidence for row in added) == {"medium": 10, "low": 89}


def test_writable_rows_are_the_allowed_ones() -> None:
    """Nothing may be written that is not in the list of the allowed ones, nor in an easier tier."""
    assert {row.key for row in ROWS if row.tier is Tier.EVERYDAY} == EVERYDAY
    assert {row.key for row in ROWS if row.tier is Tier.INSTALLER} == INSTALLER
    assert not {row.key for row in ROWS if row.tier is Tier.READ_ONLY}


def test_forbidden_registers_have_no_writable_row() -> None:
    """Factory, reset, protection, country and parallel registers are read at most."""
    assert not {
        (row.key, address)
        for row in WRITABLE
        for address in row.addresses
        if address in NEVER_WRITTEN
    }
    # In words that hold harmless settings too: grounding, dry relay, DRM, and fields of the factory.
    forbidden_bits = {112: 0xFFFE, 140: 0xFFFC, 141: 0xFFFE, 146: 0xFF00, 178: 0xF300, 228: 0x3F00}
    forbidden_bits |= {341: 0xFFFB} | dict.fromkeys(range(172, 178), 0xFFDC)
    for row in WRITABLE:
        for address in row.addresses:
            if address in forbidden_bits:
                assert row.mask is not None, row.key
                assert not row.mask & forbidden_bits[address], row.key


def test_dangerous_registers_have_no_row_at_all() -> None:
    """Not even read: nobody can make them writable by giving a tier."""
    absent = {60, 61, 65, 73, 81, *range(85, 89), *range(90, 98), 110, 144, 184, 194}
    absent |= {*range(195, 209), 229, 236, *range(238, 310), 335, 337, 394, 559}
    absent |= {*range(560, 584), *range(1000, 1122)}
    assert not absent & {address for row in ROWS for address in row.addresses}


def test_addresses_do_not_clash() -> None:
    """A word belongs to one row, or its bits to different rows."""
    for one, other in combinations(ROWS, 2):
        if not set(one.addresses) & set(other.addresses):
            continue
        if one.mask is not None and other.mask is not None:
            assert not one.mask & other.mask, (one.key, other.key)
        else:
            assert frozenset({one.key, other.key}) in SHARED


def test_masks_lie_in_one_word() -> None:
    """A mask is one run of bits of a single register."""
    for row in ROWS:
        if row.mask is None:
            continue
        assert len(row.addresses) == 1, row.key
        assert 0 < row.mask < 0xFFFF, row.key
        assert "01" not in f"{row.mask:b}", row.key


def test_addresses_of_each_row_lie_in_one_readable_range() -> None:
    """Every run of a row's addresses lies inside one range that may be read in one request."""
    for row in ROWS:
        for first, last in row.spans:
            assert any(low <= first and last <= high for low, high in JSO.readable), row.key


def test_readable_ranges_are_apart() -> None:
    """Ranges do not overlap, and what is not proven on every firmware is a range of its own."""
    ranges = sorted(JSO.readable)
    assert all(high < low for (_, high), (low, _) in pairwise(ranges))
    assert {(0, 237), (336, 341), (500, 708)} <= set(ranges)
    assert {(310, 334), (342, 347), (350, 424), (480, 493)} <= set(ranges)


def test_groups_follow_the_addresses() -> None:
    """The fast area is power, state and BMS are energy, what can be set, or changes by the month, is settings."""
    for row in ROWS:
        first = min(row.addresses)
        if first <= 36 or first == 74 or first in {10000, 10002, *PACK_STARTS.values()}:
            expected = Group.IDENTITY
        elif first >= 10000:
            expected = Group.ENERGY
        elif first >= 586:
            expected = Group.POWER
        elif first >= 552:
            expected = Group.FAULTS
        elif first >= 500 or 210 <= first <= 222:
            expected = Group.ENERGY
        else:
            expected = Group.SETTINGS
        assert row.group is expected, row.key


def test_powers_and_fault_codes_fit_one_request_each() -> None:
    """586 to 683 are 98 registers, 552 to 558 are 7; a request takes 100."""
    addresses = {
        group: {address for row in ROWS if row.group is group for address in row.addresses}
        for group in (Group.POWER, Group.FAULTS)
    }
    assert (min(addresses[Group.POWER]), max(addresses[Group.POWER])) == (586, 683)
    assert addresses[Group.FAULTS] == {552, 553, 554, 555, 556, 557, 558}
    assert JSO.max_read == 100


def test_each_row_names_a_manual_page_or_the_protocol() -> None:
    """A row names the page of the manual, or the protocol."""
    assert JSO.registers["work_mode"].source == "manual 5.7 System work mode"
    assert JSO.registers["battery_low_soc"].source == "manual 5.6 Battery setup"
    assert JSO.registers["battery_empty_voltage"].source == "protocol V105.4"
    assert all(row.source.startswith(("manual ", "protocol ")) for row in ROWS)


def test_only_known_units_are_used() -> None:
    """Only units that Home Assistant knows, spelled as there."""
    assert {row.unit for row in ROWS} == {
        *(None, "W", "VA", "V", "A", "Hz", "kWh", "kvarh", "%", "°C", "Ah"),
        *("d", "h", "min", "s", "ms", "mΩ", "mV/°C/cell"),
    }


def test_names_of_choices_are_lower_snake_case() -> None:
    """Names of choices are lower snake case, as translations want them."""
    options = {option for row in ROWS for option in row.options}
    assert options
    for option in options:
        assert option == option.lower()
        assert option.replace("_", "").isalnum()
        assert not option.startswith("_")
        assert not option.endswith("_")
