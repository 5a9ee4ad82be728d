"""Values that are computed from others."""

from __future__ import annotations

import pytest

from custom_components.hybrid_inverter.modbus.model.codec import Values
from custom_components.hybrid_inverter.modbus.model.derived import any_bit, negative_while, total


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": 3000, "b": 2610}, 5610),
        ({"a": 3000, "b": -10}, 2990),
        ({"a": 0.5, "b": 0.25}, 0.75),
        ({"a": 0, "b": 0}, 0),
        # One that the machine does not have.
        ({"a": 3000, "b": None}, 3000),
        ({"a": 3000}, 3000),
        ({"a": None, "b": None}, None),
        ({}, None),
        # No numbers.
        ({"a": True, "b": 7}, 7),
        ({"a": "3000", "b": None}, None),
        # Not asked for.
        ({"a": 1, "b": 2, "c": 4}, 3),
    ],
)
def test_total_adds_up_the_known_values_and_is_unknown_without_any(
    values: Values, expected: float | None
) -> None:
    """Known numbers add up; without any there is no sum."""
    assert total("a", "b")(values) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": frozenset(), "b": frozenset()}, False),
        ({"a": frozenset({0}), "b": frozenset()}, True),
        ({"a": frozenset(), "b": frozenset({63})}, True),
        ({"a": frozenset(), "b": None}, False),
        ({"a": None, "b": frozenset({1})}, True),
        ({"a": None, "b": None}, None),
        ({}, None),
        ({"a": 1}, None),
    ],
)
def test_any_bit_is_on_when_a_flag_in_any_known_field_is_set(
    values: Values, expected: bool | None
) -> None:
    """A flag in any field counts, bit 0 as well; unknown fields say nothing."""
    result = any_bit("a", "b")(values)
    assert result is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": frozenset({34})}, False),
        ({"a": frozenset({34, 22})}, True),
        ({"a": frozenset({22})}, True),
        ({"a": frozenset()}, False),
        ({"a": None}, None),
    ],
)
def test_any_bit_but_one(values: Values, expected: bool | None) -> None:
    """A flag that does not count is no flag, and hides no other one."""
    result = any_bit("a", except_bits={34})(values)
    assert result is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"power": 40, "way": "in"}, -40),
        ({"power": -40, "way": "in"}, -40),
        ({"power": 0, "way": "in"}, 0),
        ({"power": 40, "way": "out"}, 40),
        # What has its sign keeps it.
        ({"power": -40, "way": "out"}, -40),
        ({"power": 2.5, "way": None}, 2.5),
        ({"power": 40}, 40),
        ({"power": None, "way": "in"}, None),
        ({"power": True, "way": "in"}, None),
        ({"power": "40", "way": "in"}, None),
        ({"way": "in"}, None),
    ],
)
def test_negative_while_takes_the_sign_from_the_other_value_only(
    values: Values, expected: float | None
) -> None:
    """The other value decides that it is negative, and nothing else."""
    assert negative_while("power", "way", "in")(values) == expected
