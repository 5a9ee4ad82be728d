"""The export limit as one number: what the settings of a family make of it, and what is written for another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.errors import InvalidValueError
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.export_limit import ExportLimit, exports_freely
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.jso import JSO
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ as PLAIN_SAJ

type Steps = list[tuple[str, Value]]

# With the rated power that its shares are of.
SAJ: Final = PLAIN_SAJ.fitted((), {"rated_power": 6000})

# 8 kW may sell 8000 W; 6 kW hold up to 110 %, which is 6600 W.
JSO_HELD: Mapping[str, Value] = {
    "rated_power": 8000,
    "work_mode": "zero_export_to_ct",
    "solar_sell": True,
    "max_sell_power": 4600,
}
SAJ_HELD: Mapping[str, Value] = {
    "rated_power": 6000,
    "export_limit_mode": "total_power",
    "export_limit_power": 3000,
}
SELLING: Mapping[str, Value] = {**JSO_HELD, "work_mode": "selling_first"}
SAJ_FREE: Mapping[str, Value] = {**SAJ_HELD, "export_limit_mode": "off"}


def limit_of(family: Family) -> ExportLimit:
    """The limit of a family that has one."""
    assert family.export_limit is not None
    return family.export_limit


@pytest.mark.parametrize(
    ("family", "held", "watts"),
    [
        (JSO, JSO_HELD, 4600),
        (JSO, {**JSO_HELD, "solar_sell": False}, 0),
        # While it sells first, the switch counts for nothing.
        (JSO, {**SELLING, "solar_sell": False}, 4600),
        (JSO, {**JSO_HELD, "max_sell_power": None}, None),
        (SAJ, SAJ_HELD, 3000),
        (SAJ, SAJ_FREE, 6600),
        (SAJ, {**SAJ_HELD, "export_limit_mode": "current"}, None),
        (SAJ, {**SAJ_HELD, "export_limit_mode": "each_phase_power"}, None),
        (SAJ, {**SAJ_HELD, "export_limit_mode": None}, None),
    ],
)
def test_settings_make_one_number_of_watts(
    family: Family, held: Mapping[str, Value | None], watts: float | None
) -> None:
    """At the most where nothing limits it, and unknown where the limit is no power."""
    assert limit_of(family).watts(held, 6600) == watts


@pytest.mark.parametrize(
    ("family", "held", "wanted", "written"),
    [
        (JSO, JSO_HELD, 3000, [("max_sell_power", 3000), ("solar_sell", True)]),
        (JSO, JSO_HELD, 8000, [("max_sell_power", 8000), ("solar_sell", True)]),
        (JSO, JSO_HELD, 0, [("solar_sell", False)]),
        (JSO, SELLING, 0, [("work_mode", "zero_export_to_ct"), ("solar_sell", False)]),
        (JSO, SELLING, 1, [("max_sell_power", 1), ("solar_sell", True)]),
        (
            *(SAJ, SAJ_FREE, 3000),
            [("export_limit_mode", "total_power"), ("export_limit_power", 3000)],
        ),
        (SAJ, SAJ_HELD, 0, [("export_limit_mode", "total_power"), ("export_limit_power", 0)]),
        (SAJ, SAJ_HELD, 6600, [("export_limit_mode", "off")]),
        # In amperes the power may hold anything: it is right before it counts.
        (
            *(SAJ, {**SAJ_HELD, "export_limit_mode": "current", "export_limit_power": 6600}, 3000),
            [("export_limit_power", 3000), ("export_limit_mode", "total_power")],
        ),
        (SAJ, {**SAJ_HELD, "export_limit_mode": "current"}, 6600, [("export_limit_mode", "off")]),
    ],
)
def test_a_limit_is_switched_on_before_it_counts(
    family: Family, held: Mapping[str, Value], wanted: float, written: Steps
) -> None:
    """Nothing at all takes a switch or a mode, and so does everything."""
    assert limit_of(family).steps(wanted, family.registers, held) == written


@pytest.mark.parametrize(
    ("held", "written"),
    [
        (SELLING, [("work_mode", "zero_export_to_load"), ("solar_sell", False)]),
        (JSO_HELD, [("solar_sell", False)]),
    ],
)
def test_a_limit_of_nothing_needs_no_clamps_where_there_are_none(
    held: Mapping[str, Value], written: Steps
) -> None:
    """The manual: zero export to CT needs a CT. A mode that does not sell stays."""
    limit = limit_of(JSO)
    assert limit.steps(0, JSO.registers, held, sees_grid=False) == written


@pytest.mark.parametrize(
    ("family", "held", "wanted"),
    [(JSO, JSO_HELD, 8001), (JSO, JSO_HELD, -1), (SAJ, SAJ_HELD, 6601)],
)
def test_a_limit_beyond_what_the_device_takes_is_refused(
    family: Family, held: Mapping[str, Value], wanted: float
) -> None:
    """Under the name that a person knows it by."""
    with pytest.raises(InvalidValueError) as error:
        limit_of(family).steps(wanted, family.registers, held)
    assert error.value.key == "export_limit"


def test_a_limit_rests_on_settings_of_its_family() -> None:
    """All of which are polled, and may be written by whoever may change everyday settings."""
    assert limit_of(JSO).keys == {"max_sell_power", "solar_sell", "work_mode"}
    assert limit_of(SAJ).keys == {"export_limit_power", "export_limit_mode"}
    meters = {key for key, family in FAMILIES.items() if family.kind == "meter"}
    assert {key for key, family in FAMILIES.items() if family.export_limit is None} == meters


@pytest.mark.parametrize(
    ("held", "freely"),
    [
        (JSO_HELD, True),
        ({**JSO_HELD, "solar_sell": False}, False),
        ({**SELLING, "solar_sell": False}, True),
        (SAJ_HELD, False),
        (SAJ_FREE, True),
        ({}, False),
    ],
)
def test_whether_surplus_may_be_sold(held: Mapping[str, Value], *, freely: bool) -> None:
    """What is not known is not allowed."""
    assert exports_freely(held) is freely
