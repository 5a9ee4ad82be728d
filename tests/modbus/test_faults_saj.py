"""The fault codes of the SAJ, worked out by hand from the three double words of its protocol."""

from __future__ import annotations

from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.errors import InvalidValueError
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.tables.saj.faults import DERIVED, ROWS, RULES

(ROW,) = (row for row in ROWS if row.key == "fault")
CLEAR: Final = dict.fromkeys(range(0x4005, 0x400B), 0)


def codes(words: dict[int, int]) -> list[str]:
    """Return the codes that are shown for these words, the others being clear."""
    bits = ROW.decode(CLEAR | words)
    assert isinstance(bits, frozenset)
    return [ROW.labels[bit] for bit in sorted(bits)]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ({}, []),
        # 0x4007 and 0x4008: codes 1 to 32, the low word second.
        ({0x4008: 0x0001}, ["E01"]),
        ({0x4008: 0x8000}, ["E16"]),
        ({0x4007: 0x0001}, ["E17"]),
        ({0x4007: 0x8010}, ["E21", "E32"]),
        # 0x4009 and 0x400A: codes 33 to 64.
        ({0x400A: 0x0005}, ["E33", "E35"]),
        ({0x4009: 0x0080}, ["E56"]),
        ({0x4009: 0x4000}, ["E63"]),
        # 0x4005 and 0x4006: codes 65 to 96.
        ({0x4006: 0x0002}, ["E66"]),
        ({0x4006: 0x0020}, ["E70"]),
        ({0x4005: 0x0001}, ["E81"]),
        ({0x4005: 0x0080}, ["E88"]),
        ({0x4005: 0x1400, 0x4008: 0x0008, 0x400A: 0x8000}, ["E04", "E48", "E91"]),
    ],
)
def test_bit_n_of_the_fault_words_is_code_n_plus_1(words: dict[int, int], shown: list[str]) -> None:
    """Bit n of the words, from 0x4008 over 0x400A to 0x4005, is code n + 1."""
    assert codes(words) == shown


def test_only_documented_codes_are_shown() -> None:
    """With every bit but one set, exactly the documented codes are shown."""
    shown = codes(dict.fromkeys(CLEAR, 0xFFFF) | {0x4008: 0xFFFE})
    assert len(shown) == 74
    reserved = {
        *("E06", "E11", "E13", "E14", "E49", "E52", "E57", "E58"),
        *("E71", "E72", "E73", "E74", "E75", "E84", "E85", "E86", "E87"),
        *("E93", "E94", "E95", "E96"),
    }
    assert reserved.isdisjoint(shown)
    assert len(ROW.labels) == 96 - len(reserved) == 75
    # Code 6, 11, 13 and 14; 49, 52, 57 and 58; 71 to 75, 84 to 87 and 93 to 96.
    assert codes({0x4008: 0x3420, 0x4009: 0x0309, 0x4006: 0x07C0, 0x4005: 0xF078}) == []


def test_fault_words_of_all_ones_mean_no_codes() -> None:
    """All ones say that the machine tells no codes."""
    assert ROW.decode(dict.fromkeys(CLEAR, 0xFFFF)) is None


def test_fault_words_cannot_be_written() -> None:
    """Nor could a reserved code be put into the words."""
    assert ROW.tier is None
    assert ROW.encode(frozenset({0, 87})) == [1, 0, 0, 0, 0, 0x80]
    with pytest.raises(InvalidValueError):
        ROW.encode(frozenset({5}))


def problem(fault: Value | None) -> Value | None:
    """Return what is derived from the bits."""
    return DERIVED["problem"].compute({"fault": fault})


@pytest.mark.parametrize(
    ("words", "is_problem"),
    [
        ({}, False),
        # No grid, from either board, or from both.
        ({0x4009: 0x0080}, False),
        ({0x4005: 0x0080}, False),
        ({0x4009: 0x0080, 0x4005: 0x0080}, False),
        # Reserved: codes 6 and 96.
        ({0x4008: 0x0020, 0x4005: 0x8000}, False),
        # The two that the maker calls warnings, and any other, also during an outage.
        ({0x4006: 0x0002}, True),
        ({0x4006: 0x0020}, True),
        ({0x4009: 0x0080, 0x4008: 0x0001}, True),
    ],
)
def test_problem_is_any_code_with_a_meaning_except_a_missing_grid(
    words: dict[int, int], is_problem: bool
) -> None:
    """Any code that means something, but for the grid's absence."""
    assert problem(ROW.decode(CLEAR | words)) is is_problem


def test_problem_is_unknown_without_the_fault_words() -> None:
    """Without the words nothing is known."""
    assert problem(None) is None


@pytest.mark.parametrize(
    ("words", "status", "connected"),
    [
        ({}, "on_grid", True),
        ({}, "bypass", True),
        ({}, "waiting", True),
        ({}, "off_grid", False),
        ({0x4009: 0x0080}, "fault", False),
        ({0x4005: 0x0080}, "waiting", False),
        ({0x4005: 0x0080}, None, False),
        ({0x4008: 0x0001}, "fault", True),
        ({}, None, True),
        (None, "on_grid", True),
        (None, "off_grid", False),
        (None, None, None),
    ],
)
def test_grid_is_connected_unless_a_board_reports_no_grid_or_the_inverter_is_off_grid(
    words: dict[int, int] | None, status: str | None, connected: bool | None
) -> None:
    """Neither board says that there is no grid, and the inverter does not run without it."""
    fault = None if words is None else ROW.decode(CLEAR | words)
    value = DERIVED["grid_connected"].compute({"fault": fault, "status": status})
    assert value is connected


def test_fault_rules_list_outage_codes_warnings_and_remedies() -> None:
    """Two codes for the grid's absence, two warnings, and what there is something to do about."""
    assert RULES.fields == ("fault",)
    assert RULES.no_grid == {"E56", "E88"}
    assert RULES.grid == "grid_connected"
    assert RULES.warnings == {"E66", "E70"}
    assert dict(RULES.lasting_after) == {}
    assert " ".join(sorted(RULES.remedies)) == (
        "E03 E04 E15 E17 E18 E19 E20 E21 E26 E28 E29 E30 E35 E36 E41 E42 E43 E44 E45 E46 E47 E50 E51 E59 E63 "
        "E66 E69 E70 E76 E77 E78 E79 E80 E81 E82 E83 E89 E91"
    )
