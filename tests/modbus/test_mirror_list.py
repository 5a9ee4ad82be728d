"""The list of registers that are polled for the mirror alone, as a person writes it."""

from hypothesis import given, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.mirror.register_list import (
    UnreadableListError,
    parse,
)


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("", {}),
        (" \n ; \n", {}),
        ("1: 100", {1: [100]}),
        ("1: 100-103, 200", {1: [100, 101, 102, 103, 200]}),
        ("1:200,100", {1: [100, 200]}),
        ("1: 0x40AD, 0X200-0x201", {1: [512, 513, 16557]}),
        ("1: 7\n11: 8-9", {1: [7], 11: [8, 9]}),
        ("1: 7; 11: 8", {1: [7], 11: [8]}),
        # Twice, and with ranges that share addresses.
        ("1: 7, 5-8\n1: 8-9", {1: [5, 6, 7, 8, 9]}),
        ("247: 65535", {247: [65535]}),
    ],
)
def test_a_list_names_the_addresses_of_each_unit(text: str, listed: dict[int, list[int]]) -> None:
    """In order, and each of them once."""
    assert parse(text) == listed


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("100-120", "100-120"),
        ("1 100", "1 100"),
        ("1: 100,", "1: 100,"),
        ("1:", "1:"),
        ("1: ten", "ten"),
        ("1: 7, 8..9", "8..9"),
        ("1: 9-7", "9-7"),
        ("1: 65536", "65536"),
        ("1: -1", "-1"),
        ("one: 7", "one: 7"),
        ("1: 7\n2 8", "2 8"),
    ],
)
def test_what_cannot_be_understood_is_named(text: str, part: str) -> None:
    """As it was written, but for blanks around it."""
    with pytest.raises(UnreadableListError) as caught:
        parse(text)
    assert caught.value.part == part


@given(st.text(alphabet="0123456789xX:;,- \nabf", max_size=40))
def test_any_text_is_understood_or_refused(text: str) -> None:
    """Nothing but addresses that there are comes out of it."""
    try:
        listed = parse(text)
    except UnreadableListError:
        return
    assert all(0 <= address <= 65535 for addresses in listed.values() for address in addresses)
